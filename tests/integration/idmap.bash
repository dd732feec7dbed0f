# SPDX-License-Identifier: Apache-2.0
# Shared by the tests of what src/idmap mounts: `load helper`, then `load idmap`.
# shellcheck shell=bash disable=SC2154 # of what `run` sets

I=$BUILD/helpers/idmapped
FIRST=1000000

setup() {
  oh_setup
}

teardown() {
  oh_unmount
  oh_teardown
  [ "$(stat -c %u /dev/null)" != "$FIRST" ]
}

# layered NAME LAYERS [OPTION...]: a,bundle whose rootfs is an overlay as containerd makes it, the busybox being the lowest layer. Sets B
# (the bundle), S (the storage, closed to everyone but root) and P (the stage's place).
layered() {
  local name=$1 n=$2 i lower=
  shift 2
  B=$(bundle "$name" "$(user_namespace) | .root.path = \"$T/place-$name/rootfs\" ${JQ-}")
  S=$T/storage-$name P=$T/place-$name
  mkdir -m 700 "$S"
  mkdir -p "$S/1"
  mv "$B/rootfs" "$S/1/fs"
  mkdir "$B/rootfs"
  for i in $(seq "$n"); do
    mkdir -p "$S/$i/fs"
    echo "$i" >"$S/$i/fs/layer-$i"
    lower=$i/fs:$lower
  done
  mkdir -p "$S/up/fs" "$S/up/work"
  overlay "${lower%:}" "$@"
}

# overlay LOWER [OPTION...]: relative to the storage, as long ones are; by mount(2), as engines do it, since fsconfig(2), which newer
# mount(8) prefers, takes no option beyond 255 bytes.
overlay() {
  local lower=$1 IFS=,
  shift
  (cd "$S" && LIBMOUNT_FORCE_MOUNT2=always mount -t overlay overlay -o "${*:+$*,}lowerdir=$lower,upperdir=$S/up/fs,workdir=$S/up/work" "$B/rootfs")
}

user_namespace() { # a jq program
  printf '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: %d, size: 65536}]
    | .linux.gidMappings = .linux.uidMappings | .linux.sysctl["net.ipv4.ping_group_range"] = "0 65535"' "$FIRST"
}

# contained RUNTIME MODE NAME [WISH...]: runs the bundle in $B by the runtime on the stage, which is at $P.
contained() {
  local runtime=$1 mode=$2 name=$3
  shift 3
  mkdir -p "$T/bare-root"
  "$I" "$P" "$B/rootfs" "first=$FIRST" "mode=$mode" pipes null "$@" -- \
    "$runtime" --root "$T/bare-root" run --bundle "$B" "$name" </dev/null 2>&1
}


# staged [WISH...] -- COMMAND: the same without a runtime.
staged() {
  "$I" "$P" "$B/rootfs" "first=$FIRST" "$@"
}

# another DIRECTORY [OPTION...]: a mount of its own there, of a file system that takes a map.
another() {
  local dir=$1 source IFS=,
  shift
  source=$(mktemp -d "$T/another.XXXXXX")
  chmod 755 "$source"
  mount --bind "$source" "$dir"
  [ $# = 0 ] || mount -o "remount,bind,$*" "$dir"
}

# takes_map TYPE: the type, if this kernel maps it (tmpfs: Linux 6.3).
takes_map() {
  mkdir "$T/takes"
  mount -t "$1" "$1" "$T/takes"
  ! "$I" "$T/takes-place" / "try=$T/takes" | grep -q '^volume none ' || echo "$1"
  umount "$T/takes"
  rmdir "$T/takes"
}

mounts_here() {
  grep -c " $T/" /proc/self/mountinfo || true
}

# untouched: the engine's overlay is where it was, works, and the stage has left nothing.
untouched() {
  [ "$(stat -c %u "$B/rootfs")" = 0 ]
  [ "$(cat "$B/rootfs/layer-1")" = 1 ]
  echo probe >"$B/rootfs/probe"
  [ "$(cat "$S/up/fs/probe")" = probe ]
  [ ! -e "$P" ]
  [ ! -e "$S/up/oci-harden.work" ]
  [ "$(awk -v p="$B/rootfs" '$5 == p' /proc/self/mountinfo | wc -l)" = 1 ]
}

refuses() { # refuses TEXT WISH...: exit 3, and the text in what is said
  local text=$1
  shift
  run staged "$@" -- true
  echo "$output"
  [ "$status" -eq 3 ]
  [[ "$output" == *"$text"* ]]
}
