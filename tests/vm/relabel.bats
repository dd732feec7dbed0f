#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# VM: selinux
# WHY: SELinux
# Labels that the wrapper gives to the files of volumes, by what the kernel then lets a container read.
load ../integration/helper
load selinux
level="" # start gives it its value

HOST=system_u:object_r:host_file_t:s0

# tree: a directory of the host's own label.
tree() {
  mkdir -p "$T/data/dir"
  echo secret >"$T/data/dir/file"
  ln -s dir/file "$T/data/link"
}

label_of() { stat -c %C "$@"; }

# found RULE: the event of a container that was made tells of it.
found() { jq -se --arg r "$1" 'map(.oci_harden.journal[]? | select(.rule == $r and .outcome == "finding")) | length > 0' "$T/events.json"; }

@test "a volume that nobody has labelled is read only where the policy asks for its label" {
  for runtime in runc crun; do
    oh_config "$runtime"
    tree
    policy private '{"relabel": "private"}'
    b=$(CMD='sleep 100' labelled "never-$runtime" "$(volume data "$T/data")")
    start "never-$runtime" "$b"
    run inside "never-$runtime" cat /data/link
    [ "$status" -ne 0 ]
    [ "$(label_of "$T/data/dir/file")" = "$HOST" ]
    oh delete --force "never-$runtime"
    b=$(CMD='sleep 100' labelled "private-$runtime" "$(volume data "$T/data")")
    POLICY=private start "private-$runtime" "$b"
    found OH-SEL-014
    [ "$(inside "private-$runtime" sh -c 'echo new >/data/new; cat /data/link')" = secret ]
    for file in "$T/data" "$T/data/dir" "$T/data/dir/file" "$T/data/link" "$T/data/new"; do
      [ "$(label_of "$file")" = "system_u:object_r:$FILES:$level" ]
    done
    mine=$level
    # Another pod's container does not get it while this one lives, and takes it over afterwards, which is not the runtime's doing.
    [ "$runtime" = crun ] || { oh delete --force "private-$runtime"; rm -r "$T/data"; continue; }
    b=$(CMD='sleep 100' labelled "next-$runtime" "$(volume data "$T/data")")
    POLICY=private refused OH-SEL-016 'labelled for another pod' oh create --bundle "$b" "next-$runtime"
    [ "$(inside "private-$runtime" cat /data/dir/file)" = secret ]
    oh delete --force "private-$runtime"
    POLICY=private start "next-$runtime" "$b"
    [ "$level" != "$mine" ]
    [ "$(inside "next-$runtime" cat /data/new)" = new ]
    oh delete --force "next-$runtime"
    rm -r "$T/data"
  done
}

@test "one file as a volume: its pod's containers read it, another pod's do not, labelled beforehand or because the policy asks" {
  local how runtime file mine
  policy private '{"relabel": "private"}'
  for how in "require runc" "private crun"; do
    read -r POLICY runtime <<<"$how"
    oh_config "$runtime"
    file=$T/$runtime.file
    echo secret >"$file"
    for id in one two; do
      b=$(CMD='sleep 100' labelled "$id-$runtime" "$(in_pod pod1) | $(volume file "$file")")
      start "$id-$runtime" "$b"
      mine=$level
      [ "$POLICY" = private ] || chcon "system_u:object_r:$FILES:$mine" "$file"
      [ "$(label_of "$file")" = "system_u:object_r:$FILES:$mine" ]
      [ "$(inside "$id-$runtime" cat /file)" = secret ]
    done
    b=$(CMD='sleep 100' labelled "other-$runtime" "$(in_pod pod2) | $(volume file "$file")")
    [ "$POLICY" = require ] || refused OH-SEL-016 'labelled for another pod' oh create --bundle "$b" "other-$runtime"
    POLICY=require start "other-$runtime" "$b"
    dmesg -c >/dev/null
    run inside "other-$runtime" sh -c 'cat /file; echo mine >/file'
    [ "$status" -ne 0 ]
    [[ "$output" != *secret* && "$output" == *"ermission denied"* ]]
    dmesg | grep -E "avc: +denied .*scontext=$LABEL:$level tcontext=system_u:object_r:$FILES:$mine tclass=file"
    [ "$(cat "$file")" = secret ]
  done
}

@test "a shared volume is read by all, and one of a pod alone is not made shared" {
  tree
  policy shared '{"relabel": "shared"}'
  for id in one two; do
    b=$(CMD='sleep 100' labelled "$id" "$(in_pod "$id") | $(volume data "$T/data")")
    POLICY=shared start "$id" "$b"
    [ "$(inside "$id" cat /data/link)" = secret ]
  done
  [ "$(label_of "$T/data/dir/file")" = "system_u:object_r:$FILES:s0" ]
  chcon -R "system_u:object_r:$FILES:s0:c5,c6" "$T/data"
  b=$(labelled three "$(volume data "$T/data")")
  POLICY=shared refused OH-SEL-016 'labelled for one pod alone' oh create --bundle "$b" three
}

@test "no link in a volume leads to the label of a file outside" {
  tree
  policy private '{"relabel": "private"}'
  mkdir "$T/host"
  echo root >"$T/host/shadow"
  ln -s "$T/host" "$T/data/symlink"
  ln -s ../host/shadow "$T/data/dir/symlink"
  b=$(labelled links "$(volume data "$T/data")")
  POLICY=private oh create --bundle "$b" links </dev/null >/dev/null 2>&1
  [[ "$(label_of "$T/data/symlink")" = "system_u:object_r:$FILES:s0:c"* ]]
  [ "$(label_of "$T/host")" = "$HOST" ]
  [ "$(label_of "$T/host/shadow")" = "$HOST" ]
  ln "$T/host/shadow" "$T/data/dir/hard"
  rm -r "$T/data/symlink"
  chcon -R "$HOST" "$T/data"
  oh delete --force links
  b=$(labelled hard "$(volume data "$T/data")")
  cp "$b/config.json" "$T/before"
  POLICY=private refused OH-SEL-017 "dir/hard has 2 names" oh create --bundle "$b" hard
  cmp "$T/before" "$b/config.json"
  [ "$(leases '.leases[] | select(.stale | not) | .id')" = "" ]
  for file in "$T/host/shadow" "$T/data" "$T/data/dir" "$T/data/dir/file"; do [ "$(label_of "$file")" = "$HOST" ]; done
}

@test "what the host needs keeps its label, also where a policy lets a container have it" {
  policy lets '{"relabel": "private"}'
  jq '.mounts = {allowSources: ["/etc/selinux"]}' "$T/policies/lets.json" >"$T/new"
  cat "$T/new" >"$T/policies/lets.json"
  b=$(CMD='sleep 100' labelled lets "$(volume conf /etc/selinux)")
  POLICY=lets start lets "$b"
  found OH-SEL-015
  [ "$(label_of /etc/selinux/config)" = "$HOST" ]
  run inside lets cat /conf/config
  [ "$status" -ne 0 ]
}
