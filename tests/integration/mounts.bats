#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Volumes, devices and limits under `restricted`: what the kernel makes of the options that the controls write.
load helper

setup() {
  oh_setup
  POLICY=restricted
  # A volume with a file system of its own below it, as rbind carries it along.
  mkdir -p "$T/volume" "$T/plain" "$T/guarded" "$T/open"
  mount -t tmpfs volume "$T/volume"
  mkdir "$T/volume/below"
  mount -t tmpfs below "$T/volume/below"
  mount --bind "$T/open" "$T/guarded"
  mount -o remount,bind,ro,nodev,noexec "$T/guarded"
}

teardown() {
  umount "$T/volume/below" "$T/volume" "$T/guarded"
  oh_teardown
}

volume() { # volume DESTINATION SOURCE OPTION...: a jq program that adds a bind
  local destination=$1 source=$2
  shift 2
  printf '| .mounts += [{destination: "%s", type: "bind", source: "%s", options: %s}]' "$destination" "$source" \
    "$(jq -cn '$ARGS.positional' --args "$@")"
}

contained() { # contained RUNTIME NAME COMMAND [JQ]: what the command prints in a container
  oh_config "$1"
  local b
  b=$(CMD=$3 bundle "$2-$1" ". ${4-}")
  oh run --bundle "$b" "$2-$1" </dev/null 2>&1
}

flags_of() { # flags_of PATH: the mount's own flags, from mountinfo on stdin
  awk -v path="$1" '$5 == path { print $6 }'
}

has() { # has FLAGS WORD...
  local flags=,$1, word
  shift
  for word; do
    [[ "$flags" == *,"$word",* ]] || { echo "no $word in $flags"; return 1; }
  done
}

@test "nosuid, nodev and read-only reach what is mounted below a volume" {
  for runtime in runc crun; do
    run contained "$runtime" deep 'cat /proc/self/mountinfo; touch /ro/below/x || echo denied; touch /rw/below/x && echo written' \
      "$(volume /ro "$T/volume" rbind ro rprivate) $(volume /rw "$T/volume" rbind rprivate suid dev)"
    echo "$output"
    [ "$status" -eq 0 ]
    has "$(flags_of /ro/below <<<"$output")" ro nosuid nodev
    has "$(flags_of /rw <<<"$output")" rw nosuid nodev
    has "$(flags_of /rw/below <<<"$output")" rw nosuid nodev
    [[ "$output" == *denied* && "$output" == *written* ]]
  done
}

@test "recursive words where nothing is bound hold under runc too, which does not know them there" {
  local only='| .mounts |= map(if .destination == "/sys" then .options = ["rro", "rnosuid", "rnodev", "rnoexec"] else . end)
    | .mounts += [{type: "tmpfs", destination: "/home", source: "tmpfs", options: ["rro", "rnosuid", "rnodev"]}]'
  for runtime in runc crun; do
    for POLICY in baseline restricted; do
      run contained "$runtime" "words-$POLICY" 'cat /proc/self/mountinfo' "$only"
      echo "$output"
      [ "$status" -eq 0 ]
      has "$(flags_of /sys <<<"$output")" ro nosuid nodev noexec
      has "$(flags_of /home <<<"$output")" ro nosuid nodev
    done
  done
}

@test "flags that we add take none from the volume's own mount under runc" {
  # A plain nosuid makes runc remount the bind: it would become writable, with devices and programs.
  run contained runc keep 'cat /proc/self/mountinfo' "$(volume /guarded "$T/guarded" rbind rprivate)"
  echo "$output"
  has "$(flags_of /guarded <<<"$output")" ro nosuid nodev noexec
}

@test "a volume below a place that gets memory is there, and so is the memory" {
  for runtime in runc crun; do
    run contained "$runtime" order 'cat /proc/self/mountinfo; echo a >/var/log/app/a && echo b >/var/log/b && echo both' \
      "$(volume /var/log/app "$T/plain" bind)"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *both* ]]
    has "$(flags_of /var/log <<<"$output")" nosuid nodev noexec
    [ -e "$T/plain/a" ]
    rm "$T/plain/a"
  done
}

@test "every device asked for: only the listed ones are there" {
  for runtime in runc crun; do
    run contained "$runtime" dev 'ls -l /dev' \
      '| .linux.resources.devices = [{allow: true, access: "rwm"}]
       | .linux.devices = [{path: "/dev/oh-kmsg", type: "c", major: 1, minor: 11, fileMode: 438, uid: 0, gid: 0}]'
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *null* && "$output" != *oh-kmsg* ]]
  done
}

@test "mounts that hide or hand out what they must not are refused by name" {
  declare -A cases=(
    [OH-MNT-008]=$(volume /host /etc rbind ro)
    [OH-MNT-007]=$(volume /dev/null "$T/plain" bind)
    [OH-MNT-006]=$(volume /sys/kernel "$T/plain" bind)
    [OH-MNT-005]=$(volume /proc/cpuinfo "$T/plain" bind)
    [OH-MNT-003]=$(volume /a/../../b "$T/plain" bind)
    [OH-MNT-011]='| .mounts += [{destination: "/sys", type: "sysfs", source: "sysfs", options: ["remount", "rw"]}]'
  )
  for rule in "${!cases[@]}"; do
    run contained runc "no-${rule,,}" 'echo started' "${cases[$rule]}"
    echo "$rule: $output"
    [ "$status" -ne 0 ]
    [[ "$output" != *started* && "$output" == *"/mounts/"* ]]
    grep -q "$rule" "$T/events.json"
  done
}

# A file that the container's user 1000 makes there would be root's on the host, setuid, and root's would be its own.
@test "id mappings of a mount make nobody but the container's root the owner of root's files" {
  local maps='uidMappings: [{containerID: 0, hostID: 1000, size: 1}], gidMappings: [{containerID: 0, hostID: 1000, size: 1}]'
  for runtime in runc crun; do
    for mount in "options: [\"bind\", \"idmap\"], $maps" "options: [\"bind\"], $maps" 'options: ["bind", "idmap=uids=0-1000-1;gids=0-1000-1"]'; do
      run contained "$runtime" "owner-$RANDOM" 'cat /plain/secret; touch /plain/made && chmod 4755 /plain/made' \
        "| .process.user = {uid: 1000, gid: 1000} | .mounts += [{destination: \"/plain\", type: \"bind\", source: \"$T/plain\", $mount}]"
      echo "$runtime: $mount: $output"
      [ "$status" -ne 0 ]
      [[ "$output" == *OH-MNT-016* ]]
      [ ! -e "$T/plain/made" ]
    done
  done
}
