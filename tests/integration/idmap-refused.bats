#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What src/idmap refuses, by name, with everything as it was.
load helper
load idmap

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
