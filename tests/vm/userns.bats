#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# VM: plain
# WHY: Linux 6.1, where memory takes no ID-mapped mount, and cgroup v2
# User namespaces on the oldest kernel that is promised: images and volumes on ext4, which /tmp is, and what 6.1 cannot do with those
# in memory, which /srv is.
load ../integration/helper

setup_file() {
  mkdir -p /srv
  mount -t tmpfs tmpfs /srv
}
setup() {
  oh_setup
  M=$(mktemp -d /srv/oh.XXXXXX) D=$T/disk
  chmod 711 "$M"
  mkdir -m 711 "$D"
  : >"$T/empty" # not /dev/null, which crun would hand to the container's user
  jq -n '{extends: "restricted", apparmor: {mode: "off"}, "user-namespace": {mode: "auto"}}' >"$T/policies/prefers.json"
  jq '."user-namespace".mode = "require" | .rootfs = {action: "off"}' "$T/policies/prefers.json" >"$T/policies/requires.json"
  # shellcheck disable=SC2034 # oh reads it
  POLICY=requires
}
teardown() {
  oh_unmount
  oh_teardown
}

# layers NAME OPTIONS: the bundle's root becomes an overlay of two layers on ext4; with no OPTIONS one that has no upper directory.
layers() {
  mkdir -p "$D/upper" "$D/work" "$D/2"
  mv "$T/$1/rootfs" "$D/1"
  echo second >"$D/2/layer"
  mkdir "$T/$1/rootfs"
  mount -t overlay overlay -o "lowerdir=$D/2:$D/1${2:+,$2,upperdir=$D/upper,workdir=$D/work}" "$T/$1/rootfs"
}

@test "an overlay, a volume on ext4 and one in memory, by create, start and exec: nothing is chowned, and the start is proved" {
  local b pid base
  mkdir "$D/data" "$M/memory"
  echo theirs >"$D/data/theirs"
  chown 1000:1000 "$D/data/theirs"
  oh_config runc
  b=$(CMD='sleep 100' bundle one ".mounts += [{destination: \"/data\", type: \"bind\", source: \"$D/data\", options: [\"rbind\", \"rw\"]},
    {destination: \"/memory\", type: \"bind\", source: \"$M/memory\", options: [\"bind\", \"ro\"]}]")
  layers one volatile
  oh create --bundle "$b" --pid-file "$T/pid" one <"$T/empty" >"$T/out" 2>&1 || { cat "$T/out"; false; }
  oh start one
  pid=$(<"$T/pid")
  base=$(jq .map.base "$T"/state/*/one/state.json)
  grep -Eq "^Uid:.$base.$base.$base.$base$" "/proc/$pid/status"
  grep -Eq " / .*overlay" "/proc/$pid/mountinfo"
  grep -q ' /data .*idmapped' "/proc/$pid/mountinfo"
  run oh exec one /bin/sh -c 'id -u; stat -c %u:%g /bin/busybox /data/theirs /memory; cat /layer; echo new >/new; echo new >/data/new;
    test -c /dev/ptmx && test -c /dev/pts/ptmx && echo terminals' <"$T/empty"
  echo "$output"
  [ "$output" = $'0\n0:0\n1000:1000\n65534:65534\nsecond\nterminals' ]
  [ "$(stat -c %u:%g "$D/upper/new" "$D/data/new" "$D/data/theirs" | xargs)" = '0:0 0:0 1000:1000' ]
  jq -se 'any(.[]; ."oci_harden".verb == "start" and ."event.outcome" == "success" and (."oci_harden".proof.held // 0) > 20)' "$T/events.json"
  oh delete --force one
}

@test "a read-only overlay, and sysfs and mqueue of a pod's namespaces" {
  local b
  oh_config crun
  unshare --net --ipc sleep 100 3>&- &
  local pod=$!
  wait_for 5 sh -c "[ \"\$(readlink /proc/$pod/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
  b=$(CMD='cat /proc/self/uid_map /layer; ls /sys/class/net; cat /proc/self/mountinfo; echo x >/new' bundle two "del(.linux.sysctl)
    | (.linux.namespaces[] | select(.type == \"network\")).path = \"/proc/$pod/ns/net\" | (.linux.namespaces[] | select(.type == \"ipc\")).path = \"/proc/$pod/ns/ipc\"")
  layers two ''
  run oh run --bundle "$b" two <"$T/empty"
  kill "$pod"
  echo "$output"
  [[ "${lines[0]}" == *" 65536" ]]
  [ "${lines[1]}" = second ]
  [ "${lines[2]}" = lo ]
  grep -q ' / / ro.* overlay ' <<<"$output"
  grep -q ' /sys ro,nosuid,nodev,noexec.* sysfs ' <<<"$output"
  grep -q ' /dev/mqueue rw,nosuid,nodev,noexec.* mqueue ' <<<"$output"
  grep -q 'Read-only file system' <<<"$output"
}

@test "which file systems take a map is found by trying" {
  local path
  mkdir "$T/ramfs"
  mount -t ramfs ramfs "$T/ramfs"
  for path in "$D" "$M" "$T/ramfs" /proc /sys /dev/pts /sys/fs/cgroup; do
    run "$BUILD/helpers/idmapped" "$T/place" / "try=$path"
    echo "$path: $output"
    case $path in
    "$D") [[ "$output" == *"volume none "* ]] ;;
    *) [[ "$output" == *"volume filesystem "* ]] ;;
    esac
  done
}

@test "memory takes no map before Linux 6.3: a root or a volume there is refused by require, and is why auto runs without" {
  local b
  b=$(CMD='cat /proc/self/uid_map' bundle three ".root.path = \"$M/rootfs\"")
  mv "$b/rootfs" "$M/rootfs"
  run oh run --bundle "$b" three <"$T/empty"
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"the rootfs $M/rootfs (tmpfs) takes no ID-mapped mounts: Invalid argument; "*"OH-UNS-006"* ]]
  POLICY=prefers run oh run --bundle "$b" three <"$T/empty"
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *" 4294967295" ]]
  jq -se 'any(.[]."oci_harden".journal[]?; .rule == "OH-UNS-005" and (.reason | contains("(tmpfs) takes no ID-mapped mounts")))' "$T/events.json"
  mkdir "$M/volume"
  b=$(CMD=true bundle four ".mounts += [{destination: \"/v\", type: \"bind\", source: \"$M/volume\", options: [\"bind\", \"rw\"]}]")
  layers four xino=off
  run oh run --bundle "$b" four <"$T/empty"
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"the volume $M/volume (tmpfs) takes no ID-mapped mounts"*"OH-UNS-006"* ]]
}

@test "doctor finds both: images on ext4 can be mapped, volumes in memory cannot" {
  oh_config runc '.defaultPolicy = "requires"'
  mkdir -m 710 /var/lib/docker
  mount --bind "$D" /var/lib/docker
  run "$CTL" --config "$T/config.json" doctor --json
  umount /var/lib/docker
  echo "$output"
  jq -se 'map(select(.subject == "user namespaces")) | any(.[]; .text == "images in /var/lib/docker: overlays are ID-mapped") and
    any(.[]; .health == "warn" and (.text | startswith("volumes in /dev/shm: the volume /dev/shm (tmpfs) takes no ID-mapped mounts")))' <<<"$output"
}
