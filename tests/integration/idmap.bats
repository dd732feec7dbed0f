#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# LONG
# User namespaces for bundles that were prepared without one: the mounts that src/idmap makes (through the program idmapped),
# with real runtimes in them. What it refuses is in idmap-refused.bats, what is mounted beside the root in idmap-volumes.bats.
load helper
load idmap

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
  [ "$engines" -gt 0 ]
  [ "$mapped" -gt 0 ]
  rm -rf "$S/up/oci-harden.work"
  [ "$(ls -A "$S/up/fs")" = $'kept\nprobe' ]
  [ "$(find "$P" | wc -l)" -le 2 ]
}
