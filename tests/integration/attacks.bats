#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Attacks by what a bundle and a command line may say, beyond those with a number (escapes.bats). Where the bare runtimes let one
# through, that is shown first: an attack that cannot succeed anywhere proves nothing about us.
# shellcheck disable=SC2016  # programs for the shell of a container
load helper
load ../attack/stage

setup() {
  oh_setup
  POLICY=restricted
}
teardown() {
  local dir
  for dir in "$T/alias" "$T/kernel" "$T/netns"; do mountpoint -q "$dir" 2>/dev/null && umount "$dir"; done
  oh_teardown
}

@test "a second proc, sysfs or cgroup, where nothing is masked" {
  # busybox's test -w goes by the mode alone; what is there is written again, so that the host stays as it is.
  CMD='f=/home/sys/kernel/core_pattern; v=$(cat $f) && echo "$v" >$f && echo writable'
  succeeds runc writable "$(mount_of proc /home)"
  succeeds crun writable "$(mount_of proc /home)"
  attack OH-MNT-005 "$(mount_of proc /home)" runc crun
  attack OH-MNT-006 "$(mount_of sysfs /home)" runc crun
  attack OH-MNT-006 "$(mount_of cgroup /home)"
  attack OH-MNT-006 "$(mount_of cgroup2 /opt/x)"
  POLICY=baseline attack OH-MNT-005 "$(mount_of proc /home/proc)"
}

@test "other things in the place of /dev and its names" {
  mkdir "$T/host"
  ROOTFS="rmdir dev; touch dev" attack OH-RFS-005 .
  attack OH-MNT-007 "$(bind "$T/host" /dev/pts/ptmx)"
  # A fresh tmpfs with a copy of the image's /dev in it.
  local copied='.mounts |= map(if .destination == "/dev" then .options += ["tmpcopyup"] else . end)'
  ROOTFS='mknod dev/null c 1 5' CMD='stat -c null=%t:%T /dev/null' succeeds crun null=1:5 "$copied"
  ROOTFS='mknod dev/null c 1 5' POLICIES='baseline restricted strict' attack OH-MNT-013 "$copied" runc crun
  ROOTFS='ln -s /etc/passwd dev/null' attack OH-MNT-013 "$copied" runc crun
}

@test "mounts on the kernel's files, upwards, and through links" {
  local place
  for place in /proc /proc/sys /proc/cpuinfo /proc/self/attr /proc/1; do attack OH-MNT-005 "$(mount_of tmpfs "$place")"; done
  for place in /sys /sys/fs /sys/fs/cgroup /sys/kernel/x; do attack OH-MNT-006 "$(mount_of tmpfs "$place")"; done
  attack OH-MNT-015 "$(mount_of tmpfs /)" runc crun
  attack OH-MNT-015 "$(mount_of tmpfs /./)"
  attack OH-MNT-003 "$(mount_of tmpfs /home/../../etc2)" runc crun
  attack OH-MNT-003 "$(mount_of tmpfs ../../etc2)"
  ROOTFS='ln -s /proc/sys home/l' attack OH-MNT-005 "$(mount_of tmpfs /home/l)" runc crun
  ROOTFS='ln -s ../../../proc home/l' attack OH-MNT-005 "$(mount_of tmpfs /home/l/sys/kernel)"
  ROOTFS='ln -s / home/l' attack OH-MNT-015 "$(mount_of tmpfs /home/l)"
  attack OH-MNT-011 "$(mount_of proc /proc proc '["remount", "rw"]')"
  attack OH-MNT-010 "$(mount_of overlay /home overlay '["lowerdir=/"]')"
  attack OH-MNT-010 "$(mount_of Bind /home /etc)"
  POLICIES='baseline restricted strict' attack OH-MNT-010 "$(mount_of bind /home "$T" '["ro"]')" runc crun
  attack OH-MNT-010 "$(mount_of none /home "$T")"
  attack OH-MNT-010 "$(mount_of debugfs /home)"
}

@test "the host by any name" {
  local source
  mkdir "$T/alias" "$T/kernel" "$T/sockets"
  mount --bind /etc "$T/alias"
  mount -t proc proc "$T/kernel"
  python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$T/sockets/docker.sock"
  ln -s / "$T/slash"
  ln -s /etc "$T/etc"
  ln -s "$T/sockets/docker.sock" "$T/innocent"
  CMD='test -s /home/f && echo read' succeeds runc read "$(bind "$T/alias/shadow" /home/f)"
  CMD='f=/home/sys/kernel/core_pattern; v=$(cat $f) && echo "$v" >$f && echo writable' succeeds runc writable "$(bind "$T/kernel" /home)"
  for source in / /etc /etc/shadow /root /run /proc /proc/1/root /sys /dev /boot /usr /var/lib /var/lib/../lib "$T/slash" "$T/slash/etc" "$T/etc" "$T/etc/shadow" \
    "$T/alias" "$T/alias/shadow" "$T/kernel" "$T/kernel/sys" "$T/sockets" "$T/sockets/docker.sock" "$T/innocent" /var/log; do
    [ -e "$source" ] || continue
    attack OH-MNT-008 "$(bind "$source" /home/f)"
  done
  attack OH-MNT-008 "$(bind /etc /home)" runc crun
  # The container's own bundle and root, past the read-only root.
  CMD='touch /home/f && echo made' succeeds runc made ".root.readonly = true | $(bind rootfs /home)"
  for source in . rootfs rootfs/etc config.json; do attack OH-MNT-008 "$(bind "$source" /home)" runc crun; done
  for source in .. ./rootfs/../../plain; do attack OH-SPC-009 "$(bind "$source" /home)" runc crun; done
  attack OH-MNT-008 "$(mount_of '' /home "$T/alias" '["rbind"]')"
  attack OH-MNT-008 "$(mount_of tmpfs /home /etc '["bind"]')"
  attack OH-MNT-009 "$(bind "$T/gone" /home)"
  CMD='ls -d /sbin' ROOTFS='rm -r sys' succeeds runc /sbin '.root.path = "/usr"'
  attack OH-SPC-009 '.root.path = "../../../.."'
  for source in / /usr /var /etc /home "$T/slash" "$T/etc" /proc/self/root; do attack OH-RFS-006 ".root.path = \"$source\""; done
}

@test "what is looked at is what the runtime mounts, where runc reads dots as text" {
  local source=l/../../f
  mkdir -p "$T/behind/1/2"
  echo text >"$T/f"
  echo link >"$T/behind/f"
  export CMD='cat /home/f' ROOTFS='ln -s "$T/behind/1/2" ../l'
  succeeds runc text "$(bind "$source" /home/f)"
  succeeds crun link "$(bind "$source" /home/f)"
  POLICIES='privileged baseline restricted strict' attack OH-SPC-009 "$(bind "$source" /home/f)" runc crun
  # With the root behind a link runc mounts in one directory and goes to the other.
  attack OH-SPC-009 '.root.path = "l/../rootfs"' runc crun
  attack OH-SPC-009 ".root.path = \"$T/plain/l/../rootfs\"" runc crun
}

# kubelet binds the subPath of a hostPath volume, and docker's local driver any directory, to a name of their own.
@test "a part of a sensitive directory, mounted where engines keep volumes" {
  local place runtime b
  local subpath=/var/lib/kubelet/pods/8c2e5f1a/volume-subpaths/data/main/0 volume=/var/lib/docker/volumes/data/_data
  mkdir -p /etc/oh-part/below "$T/alias" "$T/data/below" "$subpath" "$volume"
  echo secret >/etc/oh-part/below/file
  echo data >"$T/data/below/file"
  for place in "$subpath" "$volume" "$T/alias"; do
    mount --bind /etc/oh-part "$place"
    CMD='cat /home/below/file' succeeds runc secret "$(bind "$place" /home)"
    POLICIES='baseline restricted strict' attack OH-MNT-008 "$(bind "$place" /home)" runc crun
    attack OH-MNT-008 "$(bind "$place/below" /home)"
    attack OH-MNT-008 "$(bind "$place/below/file" /home/file)"
    umount "$place"
    # What is not sensitive by its own name is the volume that it seems.
    mount --bind "$T/data" "$place"
    for runtime in runc crun; do
      oh_config "$runtime"
      n=$((n + 1))
      b=$(CMD='cat /home/below/file' staged "c$n" "$(bind "$place" /home)")
      [[ "$(oh run --bundle "$b" "c$n" 2>&1 <"$T/empty")" == data ]]
    done
    umount "$place"
  done
  # The container's own root and bundle, where something sensitive is on their file system.
  b=$(staged plain .)
  mount --bind /etc "$T/alias"
  mkdir /etc/oh-bundle
  mount --bind /etc/oh-bundle "$volume"
  cp -a "$b/." /etc/oh-bundle
  jq "$(bind "$volume" /home)" "$b/config.json" >/etc/oh-bundle/config.json
  run oh run --bundle "$volume" own <"$T/empty"
  umount "$volume"
  echo "$output"
  [[ "$output" == *OH-MNT-008* ]]
}

@test "the runtime's own binary and descriptors" {
  attack OH-PRC-002 '.process.args = ["proc/self/exe"] | .process.cwd = "/"' runc crun
  attack OH-PRC-002 '.process.args = ["./self/../self/exe"] | .process.cwd = "/"'
  attack OH-PRC-002 '.process.args = ["/dev/fd/7"]'
  ROOTFS='ln -s /proc/self/exe bin/hello' attack OH-PRC-002 '.process.args = ["/bin/hello"]' runc crun
  ROOTFS='ln -s /proc/self/exe bin/hello' attack OH-PRC-002 '.process.args = ["hello"] | .process.env = ["PATH=/sbin:/bin"]' runc crun
  attack OH-PRC-002 '.process.args = ["exe"] | .process.cwd = "/" | .process.env = ["PATH=proc/self"]' crun
  mkdir "$T/volume"
  ln -s /proc/self/exe "$T/volume/sh"
  ln -s ../proc/self/fd "$T/volume/fd"
  attack OH-PRC-002 ".process.args = [\"/home/sh\"] | $(bind "$T/volume" /home)" runc crun
  attack OH-PRC-002 ".process.args = [\"./sh\"] | .process.cwd = \"/home\" | $(bind "$T/volume" /home)"
  for cwd in //proc/./self/fd/8 /dev/fd/9 /sys/fs /home/../proc proc ''; do attack OH-PRC-001 ".process.cwd = \"$cwd\""; done
  ROOTFS='ln -s /proc/self/fd l' attack OH-PRC-001 '.process.cwd = "/l/7"' runc crun
}

@test "another's cgroup, namespaces, hooks, sysctls and devices" {
  touch "$T/netns"
  mount --bind /proc/self/ns/net "$T/netns"
  # crun makes this directory on the host.
  attack OH-RES-009 ".linux.cgroupsPath = \"/../../..$T/cgroup\"" runc crun
  [ ! -e "$T/cgroup" ]
  attack OH-RES-009 '.linux.cgroupsPath = "/"' runc crun
  attack OH-RES-009 '.linux.cgroupsPath = "../system"'
  attack OH-RES-009 '.linux.cgroupsPath = "."'
  local join='.linux.namespaces |= map(select(.type != "%s")) + [{type: "%s", path: "%s"}]'
  # shellcheck disable=SC2059
  attack OH-NSP-004 "$(printf "$join" network network /proc/self/ns/net)" runc crun
  # shellcheck disable=SC2059
  attack OH-NSP-004 "$(printf "$join" network network "$T/netns")"
  # shellcheck disable=SC2059
  attack OH-NSP-005 "$(printf "$join" pid pid "$T/netns")"
  # shellcheck disable=SC2059
  attack OH-NSP-004 "$(printf "$join" mount mount "/proc/$$/ns/mnt")"
  attack OH-NSP-002 '.linux.namespaces |= map(select(.type != "network"))'
  attack OH-NSP-003 '.linux.namespaces |= map(select(.type != "mount"))' runc crun
  attack OH-SPC-007 '.linux.namespaces += [{type: "pid", path: "/proc/1/ns/pid"}]' runc crun
  attack OH-NSP-006 '.linux.namespaces += [{type: "Network"}]'
  # shellcheck disable=SC2059
  POLICY=baseline attack OH-NSP-004 ".hostname = \"oh-named\" | $(printf "$join" uts uts /proc/self/ns/uts)" runc crun
  attack OH-HOK-001 '.hooks = {prestart: [{path: "/proc/self/exe", args: ["libnetwork-setkey"]}]}'
  attack OH-HOK-001 '.hooks = {poststop: [{path: ""}]}'
  attack OH-SYS-001 '.linux.sysctl = {"kernel.core_pattern": "|/x"}' runc crun
  attack OH-SYS-001 '.linux.sysctl = {"kernel/core_pattern": "|/x"}'
  attack OH-SYS-001 '.linux.sysctl = {"KERNEL.core_pattern": "|/x"}'
  attack OH-SYS-002 '.linux.sysctl = {"net/../kernel/core_pattern": "|/x"}' runc crun
  attack OH-RFS-007 '.linux.rootfsPropagation = "Shared"'
}

@test "docker's network hook, with another program of the host's or more than its arguments" {
  local runtime pid args
  mkfifo "$T/wait"
  bash -c 'read -r _ <>"$1"' bash "$T/wait" 3>&- &
  pid=$!
  hook() { printf '.hooks.prestart = [{path: "/proc/%s/exe", args: %s}]' "$pid" "$1"; }
  args="[\"libnetwork-setkey\", \"-c\", \"mkdir $T/made\"]"
  for runtime in runc crun; do
    succeeds "$runtime" '' "$(hook "$args")"
    rmdir "$T/made"
  done
  POLICIES='baseline restricted strict' attack OH-HOK-001 "$(hook "$args")" runc crun
  attack OH-HOK-001 "$(hook '["libnetwork-setkey", "-exec-root=/run/docker", "0123456789ab", "0123456789ab"]')"
  kill "$pid"
  # dockerd's own program does anything with an environment.
  cp "$(command -v bash)" "$T/dockerd"
  "$T/dockerd" -c 'read -r _ <>"$1"' bash "$T/wait" 3>&- &
  pid=$!
  args='["libnetwork-setkey", "-exec-root=/run/docker", "0123456789ab", "0123456789ab"]'
  until [ "$(readlink "/proc/$pid/exe")" = "$T/dockerd" ]; do sleep 0.01; done
  attack OH-HOK-001 "$(hook "$args") | .hooks.prestart[0].env = [\"BASH_ENV=/home/x\"]" runc crun
  attack OH-HOK-001 "$(hook "[\"libnetwork-setkey\", \"-c\", \"mkdir $T/made\"]")" runc crun
  [ ! -e "$T/made" ]
  # What is dockerd's is accepted: the program is run, and has nothing to say.
  n=$((n + 1))
  b=$(staged "a$n" "$(hook "$args")")
  run oh run --bundle "$b" "a$n" <"$T/empty"
  kill "$pid"
  echo "$output"
  [[ "$output" != *OH-HOK-001* ]]
}

@test "device nodes that are something else: another type, and in a user namespace another file of the host" {
  local type maps='[{containerID: 0, hostID: 100000, size: 65536}]' mapped
  mapped="del(.linux.sysctl) | .linux.namespaces += [{type: \"user\"}] | .linux |= (.uidMappings = $maps | .gidMappings = $maps)"
  node() { printf '.linux.devices = [{path: "%s", type: "%s", major: 1, minor: 3, fileMode: %s}]' "$@"; }
  # crun makes block devices of these: the numbers of a character device that is allowed are those of a disk, elsewhere.
  export CMD='ls -l /dev/x'
  succeeds crun 'brw-rw-rw-' "$(node /dev/x bx 438)"
  succeeds crun 'brw-rw-rw-' "$(node /dev/x c 16822)"
  POLICIES='baseline restricted strict' attack OH-DEV-006 "$(node /dev/x bx 438)" runc crun
  POLICIES='baseline restricted strict' attack OH-DEV-006 "$(node /dev/x c 16822)" runc crun
  # The console of the host.
  CMD='printf . >/dev/x && echo written' succeeds runc written '.linux.devices = [{path: "/dev/x", type: "c", major: 5, minor: 1}]'
  POLICIES='baseline restricted strict' attack OH-DEV-007 '.linux.devices = [{path: "/dev/x", type: "c", major: 5, minor: 1}]' runc crun
  attack OH-DEV-007 '.linux.devices = [{path: "/dev/console", type: "u", major: 5, minor: 1}]'
  # runc binds what the host has by the path.
  echo hostfile >/etc/oh-attack
  export CMD='cat /etc/oh-attack' ROOTFS='chown -R 100000:100000 .'
  for type in c p; do
    succeeds runc hostfile "$mapped | $(node /etc/oh-attack "$type" 438)"
    POLICIES='baseline restricted strict' attack OH-DEV-005 "$mapped | $(node /etc/oh-attack "$type" 438)" runc crun
  done
  attack OH-DEV-005 "$mapped | $(node /dev/shm/gone c 438)"
  attack OH-DEV-005 "$mapped | $(node /dev/fd/9 c 438)"
  CMD='ls -l /dev/null' POLICY=baseline
  export POLICY
  b=$(staged fine "$mapped | $(node /dev/null c 8630)")
  oh_config runc
  [[ "$(oh run --bundle "$b" fine 2>&1 <"$T/empty")" == crw-rw-rw-* ]]
}

@test "a root that is the container's own bundle, or above it" {
  local place runtime b root
  # What exec takes for the container's own process is the config.json that root of the container has changed.
  for runtime in runc crun; do
    b=$(CMD='sleep 60' staged "self-$runtime" '.root.path = "." | .process.capabilities = {}')
    cp -a "$b/rootfs/." "$b"
    oh_config "$runtime"
    root=$T/bare-root
    mkdir -p "$root"
    "$RUNTIME_PATH" --root "$root" run --detach --bundle "$b" "self-$runtime" <"$T/empty" >/dev/null 2>&1
    "$RUNTIME_PATH" --root "$root" exec "self-$runtime" sh -c 'echo "{}" >/config.json'
    [ "$(cat "$b/config.json")" = '{}' ]
    "$RUNTIME_PATH" --root "$root" delete --force "self-$runtime"
  done
  for place in . ./ "$T/plain" "$T"; do
    POLICIES='baseline restricted strict' attack OH-RFS-008 ".root.path = \"$place\"" runc crun
  done
  ln -s .. "$T/plain/up"
  attack OH-RFS-008 '.root.path = "up"' runc crun
}

@test "a hook that the policy lists, with code of the image loaded into it" {
  printf '#!/bin/bash\n' >"$T/program"
  chmod 755 "$T/program"
  printf '{"extends": "restricted", "hooks": {"allow": ["%s"]}}' "$T/program" >"$T/policies/listed.json"
  chmod 600 "$T/policies/listed.json"
  local stage hook
  for stage in prestart createRuntime poststop; do
    hook=".hooks.$stage = [{path: \"$T/program\", env: [\"BASH_ENV=$T/code\"]}]"
    echo "mkdir $T/made" >"$T/code"
    for runtime in runc crun; do
      succeeds "$runtime" '' "$hook"
      rmdir "$T/made"
    done
    POLICY=listed attack OH-HOK-004 "$hook" runc crun
  done
  POLICY=listed attack OH-HOK-004 ".hooks.createRuntime = [{path: \"$T/program\", env: [\"A=b\", \"LD_PRELOAD=rootfs/x.so\"]}]"
  oh_config runc
  n=$((n + 1))
  b=$(CMD='echo runs' staged "a$n" ".hooks.createRuntime = [{path: \"$T/program\", env: [\"PATH=/bin\", \"DEBUG=1\"]}]")
  [[ "$(POLICY=listed oh run --bundle "$b" "a$n" 2>&1 <"$T/empty")" == runs ]]
}

@test "who a container is: ids that are none, and a pause process by its own word" {
  CMD='id -u' succeeds crun 0 '.process.user.uid = 4294967295'
  attack OH-SPC-005 '.process.user.uid = 4294967295' runc crun
  POLICY=baseline attack OH-SPC-005 '.process.user.gid = 4294967295' runc crun
  POLICY=privileged attack OH-SPC-005 '.process.user.additionalGids = [4294967295]' runc crun
  attack OH-SPC-005 '.process.user.uid = -1'
  attack OH-SPC-004 '.process.user.uid = 0.5'
  attack OH-SPC-004 '.process.user.uid = "0"'
  # strict where the node gives no user namespace.
  echo '{"extends": "strict", "user-namespace": {"mode": "off"}}' >"$T/policies/unmapped.json"
  POLICY=unmapped attack OH-USR-002 . runc crun
  POLICY=unmapped attack OH-USR-002 '.annotations["io.kubernetes.cri.container-type"] = "sandbox"' runc crun
  POLICY=unmapped attack OH-USR-002 '.annotations += {"io.kubernetes.cri-o.ContainerType": "sandbox", "io.kubernetes.cri-o.SandboxID": "other"}'
  POLICY=unmapped attack OH-USR-002 '.annotations["oci-harden.policy"] = "privileged"'
  attack OH-POL-001 '.annotations["oci-harden.policy"] = "../../etc/passwd"' runc crun
}

@test "what is not refused does not weaken: words, duplicates, annotations, missing members" {
  local runtime b want
  want='CapBnd: 0000000000000400 NoNewPrivs: 1 Seccomp: 2 '
  for runtime in runc crun; do
    n=0
    oh_config "$runtime"
    while read -r change; do
      n=$((n + 1))
      b=$(CMD="grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status | tr '\n\t' '  '; grep -c ' /home .*suid,.*shared:' /proc/self/mountinfo
        for f in /proc/kcore /proc/keys /sys/firmware/x; do test -s \$f && echo shown; done; v=\$(cat /proc/sys/kernel/core_pattern); echo \"\$v\" 2>&- >/proc/sys/kernel/core_pattern && echo writable; touch /x 2>&- && echo rw" \
        bundle "$runtime$n" "$change")
      run oh run --bundle "$b" "$runtime$n" </dev/null
      echo "$runtime, $change: $output"
      [ "$status" -le 1 ]
      [[ "$output" == *"$want"* ]]
      [[ "$output" != *shown* && "$output" != *writable* && "$output" != *rw* ]]
    done <<'CHANGES'
.process.noNewPrivileges = null | .linux.maskedPaths = null | .linux.readonlyPaths = []
.linux.seccomp = null | .root.readonly = false
.annotations = {"run.oci.seccomp_bpf_data": "BgAAAAAA/38=", "run.oci.handler": "krun", "org.systemd.property.X": "1"}
.mounts += [{type: "tmpfs", destination: "/home", source: "tmpfs", options: ["nosuid", "suid", "nodev", "dev", "rshared"]}]
.mounts += [{type: "tmpfs", destination: "/home", source: "tmpfs"}]
.linux.rootfsPropagation = "rshared"
.linux.devices = [{path: "/dev/sda", type: "b", major: 254, minor: 0}] | .linux.resources.devices = [{allow: true, access: "rwm"}]
.process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN", "CAP_SYS_PTRACE"]) | .process.capabilities.ambient = ["CAP_NET_RAW"]
.linux.resources.unified = {"memory.max": "max", "cgroup.subtree_control": "+pids"} | .linux.timeOffsets = {monotonic: {secs: 7}}
.x = {"y": null} | .linux.z = {"Seccomp2": null} | .solaris = {}
CHANGES
  done
}

@test "the command line: nothing that starts a container passes unseen" {
  b=$(CMD='grep ^NoNewPrivs: /proc/self/status' bundle one '.process.noNewPrivileges = false')
  cp "$b/config.json" "$T/before"
  cd "$b"
  for runtime in runc crun; do
    oh_config "$runtime"
    n=0
    while read -r line; do
      n=$((n + 1))
      cp "$T/before" "$b/config.json"
      # shellcheck disable=SC2086
      run timeout 20 "$OH" --config "$T/config.json" --policy restricted --root "$T/root" ${line//ID/$runtime-$n} </dev/null
      echo "$runtime $line: $status $output"
      [[ "$output" != *NoNewPrivs:*0* ]]
    done <<LINES
run ID
-- run ID
run -- ID
-v run ID
-V run ID
-h run ID
-? run ID
--usage run ID
--version=false run ID
run --help=false ID
run -h ID
run --usage ID
run -b . ID
run -b$b ID
run --bun . ID
run ID --bundle .
run ID --
run --keep ID
run --config $T/before ID
run -f config.json ID
run --policy privileged ID
--policy privileged run ID
--policy=privileged run ID
--log run run ID
--root $T/root/ run ID
--rootless auto run ID
--generate-bash-completion run ID
run --preserve-fds=0 ID
--systemd-cgroup=false run ID
restore --bundle . ID
- run ID
help run ID
LINES
  done
}

@test "exec: every form gets what the container has, or less" {
  local runtime form
  jq -n '{args: ["/bin/grep", "-E", "^(CapEff|CapBnd|CapAmb|NoNewPrivs):", "/proc/self/status"], cwd: "/", user: {uid: 0, gid: 0},
    noNewPrivileges: false, capabilities: ([{key: ("bounding", "effective", "permitted", "inheritable", "ambient"), value: ["CAP_SYS_ADMIN"]}] | from_entries)}' >"$T/p.json"
  ln -s "$T/p.json" "$T/link.json"
  ln -s "$T/root" "$T/rootlink"
  for runtime in runc crun; do
    oh_config "$runtime"
    b=$(CMD='sleep 600' bundle "$runtime")
    ln -s /proc/self/fd "$b/rootfs/fd"
    ln -s /proc/self/exe "$b/rootfs/bin/hello"
    oh create --bundle "$b" "$runtime" </dev/null >/dev/null 2>&1
    oh start "$runtime"
    POLICY=
    mkfifo "$T/fifo"
    for form in "$T/p.json" "$T/link.json" /dev/stdin "$T/fifo"; do
      [ "$form" != "$T/fifo" ] || cat "$T/p.json" >"$T/fifo" &
      run oh exec --process "$form" "$runtime" <"$T/p.json"
      echo "$runtime $form: $output"
      [ "$status" -eq 0 ]
      [[ "$output" == *CapEff:*0000000000000000*NoNewPrivs:*1* && "$output" != *00200* ]]
    done
    rm "$T/fifo"
    # By another name of --root, with a looser policy asked for, and without our state.
    for root in "$T/rootlink" "$T/root/." "$T/../$(basename "$T")/root"; do
      run "$OH" --config "$T/config.json" --policy privileged --root "$root" exec --process "$T/p.json" "$runtime"
      [ "$status" -eq 0 ]
      [[ "$output" == *CapBnd:*0000000000000000* ]]
    done
    rm -r "$T/state/"*
    run oh exec --process "$T/p.json" "$runtime"
    [ "$status" -eq 0 ]
    [[ "$output" == *CapBnd:*0000000000000000* ]]
    for change in '.cwd = "/proc/self/fd/7"' '.cwd = "/dev/fd/7"' '.args = ["proc/self/exe"]' '.NoNewPrivileges = false' '.user.additionalGids = [4294967295]' \
      '.Capabilities = {}' '.args = ["a", 1]' '.cwd = "/fd/7"' '.args = ["/bin/hello"]' '.args = ["hello"] | .env = ["PATH=/sbin:/bin"]' '.env = ["PATH=proc/self"] | .args = ["exe"]'; do
      jq "$change" "$T/p.json" >"$T/q.json"
      run oh exec --process "$T/q.json" "$runtime"
      echo "$runtime $change: $output"
      [ "$status" -eq 255 ]
      [[ "$output" == oci-harden:* ]]
    done
    export POLICY=restricted
  done
}

@test "the host's root as another id of a user namespace, and in one of somebody else's" {
  local runtime b out code joined
  local maps='[{containerID: 0, hostID: 100000, size: 1000}, {containerID: 1000, hostID: 0, size: 1}]'
  local mapped="del(.linux.sysctl) | .linux.namespaces += [{type: \"user\"}] | .linux |= (.uidMappings = $maps | .gidMappings = $maps)"
  in_our_root() { "$RUNTIME_PATH" --root "$T/root" "$@"; }
  : >"$T/empty"
  for runtime in runc crun; do
    b=$(CMD='sleep 60' bundle "mapped-$runtime" "$mapped")
    chown 100000:100000 "$b/rootfs"
    oh_config "$runtime"
    # An exec chooses its user: the container's own says nothing.
    in_our_root create --bundle "$b" "m-$runtime" <"$T/empty" >/dev/null 2>&1
    in_our_root start "m-$runtime"
    in_our_root exec --detach --pid-file "$T/pid" --user 1000:1000 "m-$runtime" sleep 60 <"$T/empty" >/dev/null 2>&1
    grep -P '^Uid:\t0\t0' "/proc/$(cat "$T/pid")/status"
    code=0
    out=$(POLICY=strict oh exec --user 1000:1000 "m-$runtime" true 2>&1 <"$T/empty") || code=$?
    [ "$code" -ne 0 ]
    [[ "$out" == *"this is the host's root"*"(OH-USR-002)" ]]
    POLICY=strict oh exec --user 5:5 "m-$runtime" true <"$T/empty"
    in_our_root delete --force "m-$runtime"
    code=0
    out=$(POLICY=strict oh run --bundle "$b" "n-$runtime" 2>&1 <"$T/empty") || code=$?
    [ "$code" -eq 1 ]
    [[ "$out" == *"maps an id to the host's root"*"(OH-USR-008)" ]]
  done
  # Of one that is joined only the kernel knows the ids. runc before 1.2 wants mappings for it, and then takes them for its own.
  unshare --user sleep 60 &
  joined=$!
  until [ "$(readlink "/proc/$joined/ns/user")" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.01; done
  echo '0 0 65536' | tee "/proc/$joined/uid_map" >"/proc/$joined/gid_map"
  oh_config crun
  b=$(CMD='cat /proc/self/uid_map' bundle joined "del(.linux.sysctl) | .linux.namespaces += [{type: \"user\", path: \"/proc/$joined/ns/user\"}]")
  [[ "$(POLICY=restricted oh run --bundle "$b" joined 2>&1 <"$T/empty")" =~ ' 0 '+0\ +65536 ]]
  code=0
  out=$(POLICY=strict oh run --bundle "$b" joined 2>&1 <"$T/empty") || code=$?
  POLICY=strict oh create --bundle "$b" created >/dev/null 2>&1 <"$T/empty"
  POLICY=strict oh start created >"$T/out" 2>&1 && code=0
  kill "$joined"
  [ "$code" -ne 0 ]
  [[ "$out" == *"(OH-PRF-035)" ]]
  [[ "$(cat "$T/out")" == *"maps uid 0 to it"*"(OH-PRF-035)" ]]
}
