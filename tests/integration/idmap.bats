#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# User namespaces for bundles that were prepared without one: the mounts that src/idmap makes (through the program idmapped),
# with real runtimes in them.
load helper

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

overlay() { # overlay LOWER [OPTION...]: relative to the storage, as long ones are
  local lower=$1 IFS=,
  shift
  (cd "$S" && mount -t overlay overlay -o "${*:+$*,}lowerdir=$lower,upperdir=$S/up/fs,workdir=$S/up/work" "$B/rootfs")
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

@test "root inside is nobody outside, and its files are root's on disk" {
  for runtime in runc crun; do
    for mode in private replace; do
      local n=$runtime-$mode before
      CMD='id -u; stat -c "%u:%g" /bin/busybox /layer-2; cat /proc/self/uid_map; echo new >/new; chown 7:8 /layer-2; chmod 4755 /bin/busybox; mkdir /dir' \
        layered "$n" 2
      before=$(mounts_here)
      run contained "$runtime" "$mode" "$n"
      echo "$output"
      [ "$status" -eq 0 ]
      [[ "$output" == *$'\n0\n0:0\n0:0\n'*"0    $FIRST      65536"* ]]
      [ "$(stat -c '%u:%g' "$S/up/fs/new")" = 0:0 ]
      [ "$(stat -c '%u:%g' "$S/up/fs/layer-2")" = 7:8 ]
      [ "$(stat -c '%a %u' "$S/up/fs/bin/busybox")" = '4755 0' ]
      [ "$(stat -c '%a %u' "$S/1/fs/bin/busybox")" = '755 0' ]
      [ "$(mounts_here)" = "$before" ]
      [ -z "$(ls "$P/rootfs")" ]
    done
  done
}

@test "the kernel has the container's root as a user of the range, created, started and entered" {
  for runtime in runc crun; do
    CMD='sleep 100' layered "$runtime" 2
    mkdir -p "$T/bare-root"
    "$I" "$P" "$B/rootfs" "first=$FIRST" mode=replace null -- "$runtime" --root "$T/bare-root" create --bundle "$B" \
      --pid-file "$T/pid" "c-$runtime" </dev/null >/dev/null 2>&1
    "$runtime" --root "$T/bare-root" start "c-$runtime"
    [ "$(awk '/^Uid:/ {print $2, $5}' "/proc/$(cat "$T/pid")/status")" = "$FIRST $FIRST" ]
    run "$runtime" --root "$T/bare-root" exec "c-$runtime" sh -c 'id -u; pwd; cat /layer-2' </dev/null
    echo "$output"
    [ "$output" = $'0\n/\n2' ]
    "$runtime" --root "$T/bare-root" delete --force "c-$runtime"
    chown 0:0 /dev/null # crun's exec, without the wrapper
  done
}

# (How an access list shows inside is another matter: Linux 6.1 gives the ids in it as unmapped, and heeds them all the same.)
@test "set-user-ID programs, access lists and capabilities of files, made in the image and in the container" {
  local script='echo made >/made; attributes set /made
    for f in imaged made; do for id in 7 8; do attributes as $id cat /$f; done; done
    attributes show /imaged | tail -n 1; attributes show /made | tail -n 1
    attributes as 1000 grep CapE /proc/self/status; attributes as 1000 /capped/grep CapE /proc/self/status
    attributes as 1000 /suid who'
  for runtime in runc crun; do
    CMD="{ $script; } 2>&1" JQ='| .process.env = ["PATH=/bin:/"]' layered "$runtime" 1
    umount "$B/rootfs"
    mkdir "$S/1/fs/capped"
    cp "$BUILD/helpers/attributes" "$S/1/fs/bin/"
    cp /bin/busybox "$S/1/fs/capped/grep"
    cp "$BUILD/helpers/attributes" "$S/1/fs/suid"
    chmod 4755 "$S/1/fs/suid"
    echo imaged >"$S/1/fs/imaged"
    "$BUILD/helpers/attributes" set "$S/1/fs/imaged"
    "$BUILD/helpers/attributes" set "$S/1/fs/capped/grep"
    chmod 755 "$S/1/fs/capped/grep"
    overlay 1/fs
    run contained "$runtime" private "$runtime"
    echo "$output"
    [ "$status" -eq 0 ]
    local capability=security.capability=0100000200040000000000000000000000000000
    [ "$(sed 1d <<<"$output")" = "imaged
cat: can't open '/imaged': Permission denied
made
cat: can't open '/made': Permission denied
$capability
$capability
CapEff:	0000000000000000
CapEff:	0000000000000400
0" ]
    # On disk the list is the image's.
    run "$BUILD/helpers/attributes" show "$S/up/fs/made"
    echo "$output"
    [ "${lines[0]}" = system.posix_acl_access=0200000001000600ffffffff020004000700000004000400ffffffff10000400ffffffff20000000ffffffff ]
  done
}

@test "31 and 101 layers, each seen, in both modes" {
  for n in 31 101; do
    for mode in private replace; do
      CMD='ls / | grep -c layer-' layered "$n-$mode" "$n"
      run contained runc "$mode" "$n-$mode"
      echo "$output"
      [ "${lines[0]}" = "rootfs $P/rootfs layers=$n replaced=$([ $mode = replace ] && echo 1 || echo 0) exposed=0 type=overlay" ]
      [ "${lines[1]}" = "$n" ]
    done
  done
}

@test "the options of overlays are kept" {
  for mode in private replace; do
    for options in metacopy=on,redirect_dir=on xino=on volatile index=off,nfs_export=off uuid=off; do
      [ "$mode-$options" != private-index=on ] || continue
      local n=$mode-${options//[^a-z]/}
      CMD='chown 5:6 /layer-1; mv /layer-2 /moved; cat /moved; stat -c %u:%g /layer-1' layered "$n" 2 "$options"
      run contained crun "$mode" "$n"
      echo "$n: $output"
      [ "$status" -eq 0 ]
      [ "${lines[1]}" = 2 ]
      [ "${lines[2]}" = 5:6 ]
      [ "$(stat -c %u:%g "$S/up/fs/layer-1")" = 5:6 ]
      umount "$B/rootfs"
    done
  done
}

@test "an overlay with an index can be replaced, not doubled" {
  CMD=true layered index 2 index=on
  refuses 'kind=busy part=overlay' mode=private
  untouched
  run contained runc replace index
  echo "$output"
  [ "$status" -eq 0 ]
}

@test "a read-only overlay stays one" {
  for mode in private replace; do
    CMD='cat /layer-2; touch /x 2>&1; echo $?' layered "$mode" 2
    umount "$B/rootfs"
    mount -t overlay overlay -o "lowerdir=$S/2/fs:$S/1/fs" "$B/rootfs"
    run contained runc "$mode" "$mode"
    echo "$output"
    [ "${lines[1]}" = 2 ]
    [[ "$output" == *'Read-only file system'*$'\n1' ]]
  done
}

@test "docker's names, all relative to its storage, which is told by the mount point" {
  CMD='cat /layer-2' layered docker 2
  umount "$B/rootfs"
  mkdir -p "$S/l" "$S/id/diff" "$S/id/work" "$S/id/merged"
  ln -s ../1/fs "$S/l/A"
  ln -s ../2/fs "$S/l/B"
  (cd "$S" && mount -t overlay overlay -o index=off,lowerdir=l/B:l/A,upperdir=id/diff,workdir=id/work id/merged)
  rmdir "$B/rootfs"
  mkdir "$S/id/spare"
  run "$I" "$P" "$S/id/merged" "first=$FIRST" mode=private pipes -- runc --root "$T/bare-root" run --bundle "$B" docker
  echo "$output"
  [ "${lines[1]}" = 2 ]
  [ -d "$S/id/oci-harden.work" ]
}

@test "a plain directory, a bind mount and a tmpfs are cloned" {
  for runtime in runc crun; do
    for kind in plain bind $(takes_map tmpfs); do
      CMD='id -u; touch /made; stat -c %u /bin/busybox' layered "$runtime-$kind" 1
      umount "$B/rootfs"
      case $kind in
      plain) cp -a "$S/1/fs/." "$B/rootfs/" ;;
      bind) mount --bind "$S/1/fs" "$B/rootfs" ;;
      tmpfs) mount -t tmpfs tmpfs "$B/rootfs" && cp -a "$S/1/fs/." "$B/rootfs/" ;;
      esac
      run contained "$runtime" replace "$runtime-$kind"
      echo "$output"
      [ "$status" -eq 0 ]
      [[ "${lines[0]}" == *'layers=0 replaced=0'* ]]
      [ "${lines[1]} ${lines[2]}" = '0 0' ]
      [ "$(stat -c %u "$B/rootfs/made")" = 0 ]
    done
  done
}

@test "taken back: the engine's overlay is what it was" {
  for mode in private replace; do
    for options in index=off metacopy=on,volatile; do
      layered "undo-$mode-${options//[^a-z]/}" 3 "$options"
      local before
      before=$(awk -v p="$B/rootfs" '$5 == p {sub(/.* - /, ""); print}' /proc/self/mountinfo)
      run staged "mode=$mode" undo -- sh -c "cat '$B/rootfs/layer-3'; readlink /proc/self/ns/mnt; pwd"
      echo "$output"
      [ "$status" -eq 0 ]
      [ "${lines[1]}" = 3 ]
      [ "${lines[2]}" = "$(readlink /proc/self/ns/mnt)" ]
      [ "${lines[3]}" = "$PWD" ]
      untouched
      [ "$(awk -v p="$B/rootfs" '$5 == p {sub(/.* - /, ""); print}' /proc/self/mountinfo)" = "$before" ]
    done
  done
}

# What refuses

@test "refused: a layer on a file system that takes no map, by its number and name" {
  for mode in private replace; do
    layered "layer-$mode" 3
    umount "$B/rootfs"
    mount -t ramfs ramfs "$S/2/fs"
    overlay 3/fs:2/fs:1/fs
    refuses "kind=filesystem part=layer layer=1 path=$S/2/fs fstype=ramfs errno=22 broken=0" "mode=$mode"
    [[ "$output" == *'keep images on ext4'* ]]
    untouched
  done
}

@test "refused: an upper directory on such a one, and a plain directory" {
  for mode in private replace; do
    layered "upper-$mode" 1
    umount "$B/rootfs"
    mount -t ramfs ramfs "$S/up"
    mkdir "$S/up/fs" "$S/up/work"
    overlay 1/fs
    refuses "kind=filesystem part=upper layer=0 path=$S/up fstype=ramfs errno=22" "mode=$mode"
    untouched
    umount "$B/rootfs"
    cp -a "$S/1/fs/." "$S/up/"
    mount --bind "$S/up" "$B/rootfs"
    refuses "kind=filesystem part=rootfs layer=0 path=$B/rootfs fstype=ramfs" "mode=$mode"
    [ ! -e "$P" ]
  done
}

@test "refused: what is mapped already" {
  layered mapped 1
  umount "$B/rootfs"
  cp -a "$S/1/fs/." "$B/rootfs/"
  run staged -- "$I" "$T/second" "$P/rootfs" "first=$FIRST" -- true
  echo "$output"
  [ "$status" -eq 3 ]
  [[ "$output" == *"kind=mapped part=rootfs layer=0 path=$P/rootfs"* ]]
}

@test "refused: a root file system that is in use" {
  layered used 2
  (cd "$B/rootfs" && exec sleep 100) 3>&- &
  local user=$!
  wait_for 5 test "$(readlink "/proc/$user/cwd")" = "$B/rootfs"
  refuses 'kind=busy part=rootfs' mode=replace
  kill "$user"
  untouched
}

@test "refused: an overlay that comes up read-only" {
  for mode in private replace; do
    layered "readonly-$mode" 2
    umount "$B/rootfs"
    # Nothing is in it that the container's root could be.
    chown 70000:70000 "$S/up/work"
    [ "$mode" = replace ] || { mkdir -m 700 "$S/up/oci-harden.work" && chown 70000:70000 "$S/up/oci-harden.work"; }
    overlay 2/fs:1/fs
    refuses 'kind=readonly part=overlay' "mode=$mode"
    [ "$mode" = replace ] || rm -rf "$S/up/oci-harden.work"
    untouched
  done
}

@test "refused: an overlay that the kernel does not mount" {
  for mode in private replace; do
    layered "cannot-$mode" 2
    # A directory on the way to the upper one that the container's root could not pass.
    chown 70000 "$S/up"
    chmod 700 "$S/up"
    refuses 'kind=permission part=overlay layer=0' "mode=$mode"
    [[ "$output" == *'cannot be mounted: Permission denied'* ]]
    # The engine's is made again by root.
    [ "$(stat -c %u "$S/up/work/work")" = 0 ]
    untouched
  done
}

@test "broken: the engine's overlay cannot be mounted again either" {
  layered broken 2
  mkdir -p "$S/up/work/work/incompat/unknown"
  run staged mode=replace -- true
  echo "$output"
  [ "$status" -eq 4 ]
  [[ "$output" == *'kind=layout part=overlay'*'broken=1'* ]]
  [[ "$output" == *"the overlay that the engine mounted at $B/rootfs cannot be mounted again"*', after this failure: '* ]]
}

@test "refused: layers that are no longer where they were" {
  for mode in private replace; do
    layered "gone-$mode" 2
    mv "$S/2/fs" "$S/2/moved"
    refuses 'kind=layout part=rootfs' "mode=$mode"
    [[ "$output" == *'use absolute names'* ]]
    mv "$S/2/moved" "$S/2/fs"
    untouched
  done
}

@test "refused: a root file system with mounts in it" {
  for mode in private replace; do
    layered "within-$mode" 2
    mkdir "$B/rootfs/in"
    mount -t tmpfs tmpfs "$B/rootfs/in"
    refuses "kind=layout part=rootfs layer=0 path=$B/rootfs" "mode=$mode"
    [[ "$output" == *"$B/rootfs/in is mounted in it"* ]]
    umount "$B/rootfs/in"
    untouched
  done
}

@test "refused: a part of an overlay" {
  layered part 2
  mkdir "$B/rootfs/in" "$T/in"
  mount --bind "$B/rootfs/in" "$T/in"
  run "$I" "$P" "$T/in" "first=$FIRST" mode=replace -- true
  echo "$output"
  [ "$status" -eq 3 ]
  [[ "$output" == *'kind=layout part=rootfs'*'only a part of the overlay'* ]]
  umount "$T/in"
  untouched
}

@test "refused: a place that nobody but the host's root can come to" {
  layered exposed 1
  P=$T/closed/place
  mkdir -m 700 "$T/closed"
  refuses "kind=closed part=stage layer=0 path=$T/closed" mode=replace
  untouched
}

@test "refused: ids outside the map" {
  layered ids 1
  refuses 'kind=ids part=special' device=c:1:3:666:70000:0
  untouched
}

@test "refused: a namespace with a map that cannot be" {
  layered map 1
  run staged first=4294967290 -- true
  echo "$output"
  [ "$status" -eq 3 ]
  [[ "$output" == *'uid_map "0 4294967290 65536": Invalid argument'* ]]
  untouched
}

@test "what can be done is found by doing it, and nothing stays" {
  mkdir "$T/ext" "$T/ram" "$T/open"
  mount -t ramfs ramfs "$T/ram"
  mkdir -m 700 "$T/ext/closed"
  run "$I" "$T/place" / "first=$FIRST" "storage=$T/ext/closed" "try=$T/ext"
  echo "$output"
  [ "$output" = $'userns none - \nvolume none - \nprivate none - \nreplace none - \ndirect 0 exposed 0' ]
  run "$I" "$T/place" / "first=$FIRST" "storage=$T/ram" "try=$T/ram"
  echo "$output"
  [[ "$output" == *$'\nvolume filesystem ramfs '*$'\nprivate filesystem ramfs '*$'\nreplace filesystem ramfs '* ]]
  run "$I" "$T/place" / "first=$FIRST" "storage=$T/open"
  [[ "$output" == *'exposed 1' ]]
  run "$I" "$T/place" / storage=/proc try=/none
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *'volume system - '* ]]
  [[ "$output" == *'cannot be tried in /proc'* ]]
  [ -z "$(ls -A "$T/ext/closed")" ]
  [ -z "$(ls -A "$T/open")" ]
  [ ! -e "$T/place" ]
  [ "$(mounts_here)" = 1 ]
}

# Volumes

@test "a volume's files keep their owners, those of its submounts too" {
  for runtime in runc crun; do
    mkdir -p "$T/v-$runtime/sub"
    another "$T/v-$runtime/sub"
    echo a >"$T/v-$runtime/root"
    echo b >"$T/v-$runtime/user"
    echo c >"$T/v-$runtime/sub/file"
    echo d >"$T/file-$runtime"
    chown 1000:1000 "$T/v-$runtime/user"
    # crun leaves what is mounted below a source out: each has a mount of its own.
    CMD='stat -c %u /v/root /v/user /v/sub/file /file; echo new >/v/new; attributes as 1000 touch /v/sub/mine; chown 8:9 /v/root; chmod 600 /file' \
      JQ="| .mounts += [{destination: \"/v\", type: \"bind\", source: \"$T/place-$runtime/volumes/0\", options: [\"rbind\", \"rw\"]},
        {destination: \"/v/sub\", type: \"bind\", source: \"$T/place-$runtime/volumes/0/sub\", options: [\"bind\", \"rw\"]},
        {destination: \"/file\", type: \"bind\", source: \"$T/place-$runtime/volumes/1\", options: [\"bind\", \"rw\"]}]" layered "$runtime" 1
    cp "$BUILD/helpers/attributes" "$S/1/fs/bin/"
    chmod 777 "$T/v-$runtime/sub"
    run contained "$runtime" private "$runtime" "rvolume=$T/v-$runtime" "volume=$T/file-$runtime"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *$'\n0\n1000\n0\n0' ]]
    [ "$(stat -c %u:%g "$T/v-$runtime/new" "$T/v-$runtime/root" "$T/v-$runtime/sub/mine" | xargs)" = '0:0 8:9 1000:1000' ]
    [ "$(stat -c '%a %u' "$T/file-$runtime")" = '600 0' ]
  done
}

@test "a volume left unmapped belongs to nobody, whom the container's root is not" {
  for runtime in runc crun; do
    mkdir "$T/secrets-$runtime"
    echo secret >"$T/secrets-$runtime/key"
    echo public >"$T/secrets-$runtime/note"
    chmod 600 "$T/secrets-$runtime/key"
    CMD='stat -c %u /v/key; cat /v/note; cat /v/key; echo x >/v/note; chown 0 /v/key; touch /v/new' \
      JQ="| .mounts += [{destination: \"/v\", type: \"bind\", source: \"$T/place-$runtime/volumes/0\", options: [\"rbind\", \"rw\"]}]" layered "$runtime" 1
    run contained "$runtime" replace "$runtime" "rplain=$T/secrets-$runtime"
    echo "$output"
    grep -qx 65534 <<<"$output"
    grep -qx public <<<"$output"
    ! grep -qx secret <<<"$output" || false
    [ "$(grep -cE 'Permission denied|not permitted' <<<"$output")" = 4 ]
    [ "$(cat "$T/secrets-$runtime/note")" = public ]
    [ ! -e "$T/secrets-$runtime/new" ]
  done
}

@test "a mount's own flags are told, and its submounts come only when asked for" {
  layered flags 1
  mkdir -p "$T/v/sub" "$T/w"
  another "$T/w" nosuid nodev noexec ro
  another "$T/v/sub"
  mkdir "$T/v/sub/a,b"
  another "$T/v/sub/a,b" nosuid nodev noexec ro
  run staged "volume=$T/w" "volume=$T/v" "rvolume=$T/v" "plain=$T/v" -- ls "$P/volumes/1/sub" "$P/volumes/2/sub"
  echo "$output"
  [ "${lines[0]}" = "volume $P/volumes/0 ro nosuid nodev noexec mapped=1 exposed=0" ]
  [ "${lines[1]}" = "volume $P/volumes/1 mapped=1 exposed=1" ]
  [ "${lines[5]}" = "volume $P/volumes/3 mapped=0 exposed=0" ]
  [[ "$output" == *"$P/volumes/1/sub:"$'\n\n'"$P/volumes/2/sub:"$'\na,b' ]]
  [[ "$output" == *"below $P/volumes/2/sub"$'\n'"below $P/volumes/2/sub/a,b ro nosuid nodev noexec"* ]]
  [ "$(grep -c ^below <<<"$output")" = 2 ]
}

@test "what the host mounts in a volume later comes when asked for, and never the other way" {
  layered slave 1
  mkdir -p "$T/v/sub"
  mount --bind "$T/v" "$T/v"
  mount --make-shared "$T/v"
  mkfifo "$T/go"
  staged "slave=$T/v" "volume=$T/v" -- sh -c "read x <'$T/go'; ls '$P/volumes/0/sub' '$P/volumes/1/sub'; mount -t tmpfs tmpfs '$P/volumes/0/sub'" >"$T/out" 3>&- &
  local stager=$!
  exec 7>"$T/go"
  mount -t tmpfs tmpfs "$T/v/sub"
  touch "$T/v/sub/late"
  echo >&7
  exec 7>&-
  wait "$stager"
  cat "$T/out"
  [[ "$(cat "$T/out")" == *"volumes/0/sub:"$'\nlate\n\n'*"volumes/1/sub:" ]]
  [ "$(grep -c " $T/v/sub " /proc/self/mountinfo)" = 1 ]
}

@test "refused: volumes on file systems that take no map, each by trying" {
  layered volumes 1
  for type in proc sysfs devpts mqueue ramfs bpf overlay; do
    mkdir "$T/v-$type"
    case $type in
    overlay) mount -t overlay overlay -o "lowerdir=$S/1/fs:$S/up" "$T/v-$type" ;;
    *) mount -t "$type" "$type" "$T/v-$type" ;;
    esac
    refuses "kind=filesystem part=volume layer=0 path=$T/v-$type fstype=$type errno=22 broken=0" mode=replace "volume=$T/v-$type"
    untouched
    # Cloned as it is, by the same call.
    run staged "plain=$T/v-$type" -- true
    [ "$status" -eq 0 ]
    rm -rf "$S/up/oci-harden.work"
    rmdir "$P/rootfs" "$P"
  done
}

@test "refused: a volume with one such mount below it, which is named; and one that is not there" {
  layered below 1
  mkdir -p "$T/v/a/b" "$T/v/c"
  another "$T/v/c"
  mount -t ramfs ramfs "$T/v/a/b"
  refuses "kind=filesystem part=volume layer=0 path=$T/v/a/b fstype=ramfs" "rvolume=$T/v"
  run staged "volume=$T/v" -- true
  [ "$status" -eq 0 ]
  refuses "kind=system part=volume layer=0 path=$T/none fstype= errno=2" "volume=$T/none"
}

# Special mounts, devices, standard input and output

@test "sysfs and mqueue of namespaces that are not the container's" {
  unshare --net --ipc sleep 100 3>&- &
  local pod=$!
  wait_for 5 sh -c "[ \"\$(readlink /proc/$pod/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
  for runtime in runc crun; do
    # runc below 1.3 joins the user namespace first, and may not join these then: it is started in them instead.
    local join='(.linux.namespaces[] | select(.type == "network" or .type == "ipc")) |= (.path = "/proc/'$pod'/ns/" + ({network: "net", ipc: "ipc"}[.type]))' enter=()
    [ "$runtime" = crun ] || {
      join='.linux.namespaces |= map(select(.type != "network" and .type != "ipc"))'
      enter=(nsenter "--net=/proc/$pod/ns/net" "--ipc=/proc/$pod/ns/ipc")
    }
    CMD='ls /sys/class/net; mount | grep -E " /sys | /dev/mqueue "; echo x >/sys/kernel/mm/ksm/run; ls -ld /dev/mqueue' JQ="
      | $join | del(.linux.sysctl)
      | (.mounts[] | select(.destination == \"/sys\")) |= {destination, type: \"bind\", source: \"$T/place-$runtime/special/0\", options: [\"rbind\", \"ro\", \"nosuid\", \"nodev\", \"noexec\"]}
      | (.mounts[] | select(.destination == \"/dev/mqueue\")) |= {destination, type: \"bind\", source: \"$T/place-$runtime/special/1\", options: [\"bind\", \"nosuid\", \"nodev\", \"noexec\"]}" \
      layered "$runtime" 1
    run staged pipes null "sysfs=/proc/$pod/ns/net" "mqueue=/proc/$pod/ns/ipc" -- \
      "${enter[@]}" "$runtime" --root "$T/root-of-both" run --bundle "$B" "$runtime"
    echo "$output"
    [[ "$output" == *$'\nlo\n'* ]]
    [[ "$output" == *'on /sys type sysfs (ro,nosuid,nodev,noexec'* ]]
    [[ "$output" == *'on /dev/mqueue type mqueue (rw,nosuid,nodev,noexec'* ]]
    [[ "$output" == *'Read-only file system'* || "$output" == *'Permission denied'* ]]
  done
  kill "$pod"
}

@test "device nodes under names and modes of their own" {
  for runtime in runc crun; do
    CMD='ls -ln /dev/mine; head -c 4 /dev/mine | od -An -c' JQ="| .mounts += [{destination: \"/dev/mine\", type: \"bind\",
      source: \"$T/place-$runtime/dev/0\", options: [\"bind\", \"rw\"]}]" layered "$runtime" 1
    ln -s busybox "$S/1/fs/bin/od"
    run contained "$runtime" private "$runtime" device=c:1:5:600:5:6
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *'crw-------'*' 5 '*' 6 '*'1,   5'*'/dev/mine'* ]]
    [[ "$output" == *'\0  \0  \0  \0'* ]]
  done
}

@test "pipes that are standard output can be opened again, and the host's null device stays root's" {
  for runtime in runc crun; do
    CMD='echo opened >/dev/stdout; chmod 600 /dev/stdin /dev/null; true' layered "$runtime" 1
    run contained "$runtime" private "$runtime"
    echo "$output"
    grep -qx opened <<<"$output"
    [ "$(stat -c %u /dev/null)" != "$FIRST" ]
    [ "$(stat -c %a /dev/null)" = 666 ]
  done
}

# Hazards

@test "what the command becomes has no id, bit or descriptor of ours" {
  local look='grep -E "^(Uid|Gid|Groups|Cap|NoNew|Sig[^Q])" /proc/self/status; setpriv --dump; ls /proc/self/fd'
  for mode in private replace; do
    layered "$mode" 2
    run sh -c "$look"
    local without=$output
    [[ "$without" == *Securebits:* ]]
    run staged "mode=$mode" sysfs=/proc/self/ns/net -- sh -c "$look"
    echo "$without"
    echo "$output"
    [ "${output#*$'\n'*$'\n'}" = "$without" ]
  done
}

@test "no device nodes, and nosuid when asked for, wherever the root file system shows" {
  for mode in private replace; do
    layered "$mode" 2
    run staged "mode=$mode" nosuid -- grep " $T/" /proc/self/mountinfo
    echo "$output"
    [[ "$output" == *" $P/rootfs rw,nosuid,nodev,"* ]]
    [ "$mode" = private ] || grep " $B/rootfs rw,nosuid,nodev," /proc/self/mountinfo
  done
}

@test "storage that others can come to is told" {
  layered open 2
  chmod 711 "$S"
  run staged -- true
  [[ "${lines[0]}" == *exposed=1* ]]
  chmod 700 "$S"
  run staged -- true
  [[ "${lines[0]}" == *exposed=0* ]]
}

@test "another wrapper's copy of the mounts keeps the old overlay for a moment" {
  layered pinned 2 index=on
  unshare --mount --propagation private sleep 0.05 3>&- &
  run staged mode=replace -- true
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "${lines[0]}" == *replaced=1* ]]
}

# An engine cleans its own mount point after a create that failed, whatever is mounted there.
@test "killed at any point: nothing stays mounted but at the engine's place, or on disk but empty directories" {
  local i mapped=0 engines=0
  layered killed 5
  echo kept >"$B/rootfs/kept"
  for i in $(seq "${OH_KILLS:-200}"); do
    # One process, or its whole group.
    local mode=private who=(--foreground)
    [ $((RANDOM % 4)) = 0 ] || mode=replace
    [ $((RANDOM % 2)) = 0 ] || who=()
    timeout "${who[@]}" -s KILL "0.00$((RANDOM % 6))$((RANDOM % 10))" \
      "$I" "$P" "$B/rootfs" "first=$FIRST" "mode=$mode" "volume=$T" -- true >/dev/null 2>&1 || true
    # Its child may still be at work.
    wait_for 5 sh -c "! pgrep -f '^$I $P '" >/dev/null
    [ -z "$(find "$P" ! -type d 2>/dev/null)" ]
    [ "$(mounts_here)" = 1 ] || { grep " $T/" /proc/self/mountinfo; false; }
    [ "$(cat "$B/rootfs/layer-5" "$B/rootfs/kept")" = $'5\nkept' ]
    if [ "$(stat -c %u "$B/rootfs")" = 0 ]; then
      engines=$((engines + 1))
      echo "$i" >"$B/rootfs/probe"
      [ "$(cat "$S/up/fs/probe")" = "$i" ]
    else
      [ "$(stat -c %u "$B/rootfs")" = "$FIRST" ]
      mapped=$((mapped + 1))
      umount "$B/rootfs"
      overlay 5/fs:4/fs:3/fs:2/fs:1/fs
    fi
  done
  echo "$engines times the engine's overlay, $mapped the mapped one"
  [ "$engines" -gt 0 ] && [ "$mapped" -gt 0 ]
  rm -rf "$S/up/oci-harden.work"
  [ "$(ls -A "$S/up/fs")" = $'kept\nprobe' ]
  [ "$(find "$P" | wc -l)" -le 2 ]
}
