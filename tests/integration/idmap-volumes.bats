#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What src/idmap makes beside the root: views of volumes, sysfs and mqueue of other namespaces, device nodes, pipes.
load helper
load idmap

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
