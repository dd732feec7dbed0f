#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# VM: selinux
# WHY: SELinux
# SELinux, judged by what the kernel denies: the module profiles/selinux/ under runc and crun.
load ../integration/helper
load selinux
label="" level="" # start gives them their values

@test "a container has a label at a pair of its own, and an exec the same" {
  for runtime in runc crun; do
    oh_config "$runtime"
    CMD='sleep 100' b=$(labelled "$runtime")
    start "c-$runtime" "$b"
    [[ $label =~ ^$LABEL:s0:c[0-9]+,c[0-9]+$ ]]
    [ "$(inside "c-$runtime" cat /proc/self/attr/current | tr -d '\0')" = "$label" ]
    [ "$(inside --process <(jq '.process | .args = ["cat", "/proc/self/attr/current"] | .selinuxLabel = "system_u:system_r:spc_t:s0"' \
      "$b/config.json") "c-$runtime" | tr -d '\0')" = "$label" ]
    jq -e --arg m "system_u:object_r:$FILES:$level" '.linux.mountLabel == $m' "$b/config.json"
    oh delete --force "c-$runtime"
  done
}

@test "the containers of a pod have one level, and reach each other's files; another pod's are denied" {
  for runtime in runc crun; do
    oh_config "$runtime"
    mkdir "$T/data-$runtime"
    echo secret >"$T/data-$runtime/file"
    share=$(volume data "$T/data-$runtime")
    one=$(CMD='sleep 100' labelled "one-$runtime" "$(in_pod pod1) | $share")
    two=$(CMD='sleep 100' labelled "two-$runtime" "$(in_pod pod1) | $share")
    other=$(CMD='sleep 100' labelled "other-$runtime" "$(in_pod pod2) | $share")
    start "one-$runtime" "$one"
    mine=$level
    start "two-$runtime" "$two"
    [ "$level" = "$mine" ]
    start "other-$runtime" "$other"
    [ "$level" != "$mine" ]
    chcon -R "system_u:object_r:$FILES:$mine" "$T/data-$runtime"
    [ "$(inside "one-$runtime" cat /data/file)" = secret ]
    [ "$(inside "two-$runtime" cat /data/file)" = secret ]
    inside "two-$runtime" sh -c 'echo new >/data/two'
    [ "$(inside "one-$runtime" cat /data/two)" = new ]
    dmesg -c >/dev/null
    run inside "other-$runtime" cat /data/file
    [ "$status" -ne 0 ]
    [[ "$output" == *"ermission denied"* ]]
    dmesg | grep -E "avc: +denied .*scontext=$LABEL:$level tcontext=system_u:object_r:$FILES:$mine "
    for id in one two other; do oh delete --force "$id-$runtime"; done
  done
}

@test "a file of the host's own label is out of reach, and so are host processes" {
  mkdir "$T/theirs"
  echo secret >"$T/theirs/file"
  b=$(CMD='sleep 100' labelled host "$(volume data "$T/theirs")")
  start host "$b"
  run inside host cat /data/file
  [ "$status" -ne 0 ]
  run inside host sh -c 'echo x >/data/new'
  [ "$status" -ne 0 ]
  [ ! -e "$T/theirs/new" ]
}

@test "what a container may do it does" {
  b=$(CMD='sleep 100' labelled works)
  start works "$b"
  inside works sh -ec 'echo x >/tmp/f; mkdir /tmp/d; mv /tmp/f /tmp/d/g; ln -s g /tmp/d/h; cat /tmp/d/h; rm -r /tmp/d
    cat /proc/meminfo /proc/self/status /sys/kernel/mm/transparent_hugepage/enabled >/dev/null
    echo a | cat | grep -q a; kill -0 $$; (sleep 100 & kill $!); test -w /dev/null; head -c 4 /dev/urandom >/dev/null
    mknod /tmp/p p; (echo x >/tmp/p &) ; cat /tmp/p'
}

@test "a pair is given back when the container is deleted, or found to be gone" {
  b=$(CMD='sleep 100' labelled freed)
  start freed "$b"
  [ "$(leases)" = freed ]
  [ "$(leases '.leases[].level')" = "$level" ]
  oh kill freed KILL
  while [ "$(oh state freed | jq -r .status)" != stopped ]; do sleep 0.1; done
  oh delete freed
  [ "$(leases)" = "" ]
  b=$(CMD='sleep 100' labelled behind)
  start behind "$b"
  crun --root "$T/root" delete --force behind
  [ "$(leases '.leases[] | select(.stale) | .id')" = behind ]
  "$CTL" --config "$T/config.json" gc
  [ "$(leases)" = "" ]
}

@test "a container that is refused leaves no pair behind" {
  b=$(labelled none '.process.cwd = "/proc/self/fd/3"')
  run oh create --bundle "$b" none
  [ "$status" -ne 0 ]
  [ "$(leases)" = "" ]
}

@test "an engine's label is kept, and its pair is nobody else's" {
  b=$(CMD='sleep 100' labelled engine '.process.selinuxLabel = "'"$LABEL"':s0:c7,c9" | .linux.mountLabel = "system_u:object_r:container_file_t:s0:c7,c9"')
  start engine "$b"
  [ "$level" = s0:c7,c9 ]
  [ "$(leases '.leases[].level')" = s0:c7,c9 ]
  policy alone '{"shareLevel": false}'
  b=$(CMD='sleep 100' labelled second '.process.selinuxLabel = "'"$LABEL"':s0:c7,c9"')
  POLICY=alone refused OH-SEL-008 'those of another pod' oh create --bundle "$b" second
  oh create --bundle "$b" second >/dev/null 2>&1 </dev/null
  jq -se 'map(.. | objects | select(.rule? == "OH-SEL-008" and .outcome? == "finding")) | length > 0' "$T/events.json"
}

@test "where SELinux cannot be had there is no container: create and exec, runc and crun" {
  for runtime in runc crun; do
    oh_config "$runtime"
    CMD='sleep 100' b=$(labelled "runs-$runtime")
    start "runs-$runtime" "$b"
    b=$(labelled "row-$runtime")
    create() { oh create --bundle "$b" row; }
    echo 0 >/sys/fs/selinux/enforce
    refused OH-SEL-004 'SELinux is permissive' create
    refused OH-SEL-004 'SELinux is permissive' inside "runs-$runtime" true
    echo 1 >/sys/fs/selinux/enforce
    mv /etc/selinux/config /etc/selinux/config.away
    refused OH-SEL-004 'without /etc/selinux/config' create
    refused OH-SEL-004 'without /etc/selinux/config' inside "runs-$runtime" true
    mv /etc/selinux/config.away /etc/selinux/config
    jq '.process.selinuxLabel = "system_u:system_r:nothing_t:s0:c1,c2"' "$CONFIG" >"$b/config.json"
    refused OH-SEL-006 'does not know' create
  done
}

@test "a label that cannot be had, or confines nothing, is refused before the runtime" {
  b=$(labelled other '.process.selinuxLabel = "system_u:system_r:host_t:s0"')
  refused OH-SEL-002 'host_t is not one of selinux.keep' oh create --bundle "$b" other
  cp "$CONFIG" "$b/config.json"
  policy lax '{"type": "lax_t"}'
  POLICY=lax refused OH-SEL-006 'permissive' oh create --bundle "$b" other
  policy bound '{"type": "bound_t"}'
  POLICY=bound refused OH-SEL-012 'no_new_privs' oh create --bundle "$b" other
  policy far '{"type": "far_t"}'
  POLICY=far refused OH-SEL-011 'does not let the runtime' oh create --bundle "$b" other
}

@test "with SELinux switched on and no policy loaded there is no container" {
  [ "$(tr -d '\0' </run/before-policy/label)" = kernel ]
  for runtime in runc crun; do
    cat /run/before-policy/"$runtime"-*.log
    [ "$(cat "/run/before-policy/$runtime-plain.code")" = 1 ]
    grep -q 'no policy is loaded' "/run/before-policy/$runtime-plain.log"
    [ "$(cat "/run/before-policy/$runtime-labelled.code")" = 1 ]
    grep -q 'the engine asks for a label' "/run/before-policy/$runtime-labelled.log"
  done
}

# weak RUNTIME JQ: a runtime that makes another container than it is told to (tests/integration/weak-runtime.c).
weak() {
  oh_config "$1" '.runtimes = [{path: "'"$BUILD/helpers/weak-runtime"'", type: "'"$1"'"}]'
  WEAK_RUNTIME=$(command -v "$1") WEAK_JQ=$2
  export WEAK_RUNTIME WEAK_JQ
}

@test "start compares the label with what was promised" {
  for runtime in runc crun; do
    changes=('del(.process.selinuxLabel)')
    # What is compared is the kernel's word, whoever made the process.
    [ "$runtime" = runc ] ||
      changes+=('.process.selinuxLabel = "'"$LABEL"':s0:c8,c9"' '.process.selinuxLabel |= sub("container_t"; "container_init_t")')
    for change in "${changes[@]}"; do
      weak "$runtime" "$change"
      b=$(CMD='sleep 100' labelled "weak-$runtime")
      oh create --bundle="$b" "weak-$runtime" >/dev/null 2>&1 </dev/null
      refused OH-PRF-031 'label' oh start "weak-$runtime"
      rm -r "$b" "$b.weak"
    done
    unset WEAK_JQ
    b=$(CMD='sleep 100' labelled "kept-$runtime")
    oh create --bundle="$b" "kept-$runtime" >/dev/null 2>&1 </dev/null
    echo 0 >/sys/fs/selinux/enforce
    refused OH-PRF-031 'SELinux is permissive' oh start "kept-$runtime"
    echo 1 >/sys/fs/selinux/enforce
  done
}

# Without a user namespace both make the node on a tmpfs of the container's label. In one runc binds ours; crun makes its own on a
# tmpfs without a label, which the kernel then denies the container.
@test "a device that the policy allows has the container's label and is opened; in a user namespace by runc alone" {
  local mode runtime pid device='.linux.devices = [{path: "/dev/loop-control", type: "c", major: 10, minor: 237, fileMode: 438}]
    | .linux.resources.devices += [{allow: true, type: "c", major: 10, minor: 237, access: "rw"}]'
  for mode in off require; do
    jq -n --arg m "$mode" '{extends: "require", devices: {allow: ["...", "c 10:237 rw"]}, "user-namespace": {mode: $m}}' >"$T/policies/users-$mode.json"
    chmod 600 "$T/policies/users-$mode.json"
    for runtime in runc crun; do
      oh_config "$runtime"
      b=$(CMD='sleep 100' labelled "$runtime-$mode" "$device")
      POLICY=users-$mode start "$runtime-$mode" "$b"
      pid=$(cat "$T/$runtime-$mode.pid")
      if [ "$mode" = require ]; then grep -q ' 65536$' "/proc/$pid/uid_map"; else grep -q ' 4294967295$' "/proc/$pid/uid_map"; fi
      echo "$runtime $mode: $(stat -c %C "/proc/$pid/root/dev/loop-control")"
      run inside "$runtime-$mode" sh -c 'exec 3<>/dev/loop-control && echo opened'
      echo "$output"
      if [ "$runtime-$mode" = crun-require ]; then
        [ "$(stat -c %C "/proc/$pid/root/dev/loop-control")" = system_u:object_r:tmpfs_t:s0 ]
        [[ "$output" == *"ermission denied"* ]]
      else
        [ "$(stat -c %C "/proc/$pid/root/dev/loop-control")" = "system_u:object_r:$FILES:$level" ]
        [ "$output" = opened ]
      fi
      oh delete --force "$runtime-$mode"
    done
  done
}

@test "crun's standard input is a null device that the container may read" {
  b=$(CMD='sleep 100' labelled null)
  start null "$b"
  dmesg -c >/dev/null
  [ "$(inside null sh -c 'cat && echo read')" = read ]
  run grep 'avc: *denied.* path="/null"' <(dmesg)
  [ "$status" -eq 1 ]
}
