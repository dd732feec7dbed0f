#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# VM: plain
# WHY: cgroup v2 with every controller, and CAP_SYS_RESOURCE
# What a policy limits is what the kernel says, proved before the start; and it holds.
load ../integration/helper

setup() {
  oh_setup
  : >"$T/empty" # not /dev/null, which crun would hand to the container's user
  POLICY=limited
  jq -n '{name: "limited", extends: "baseline", apparmor: {mode: "off"}, selinux: {mode: "off"},
    resources: {pidsMax: 20, memoryMax: 67108864, cpuMax: 200, nofileMax: 4096, coreMax: 0}, process: {oomScoreAdjMin: -500}}' >"$T/policies/limited.json"
}
teardown() { oh_teardown; }

# created ID [JQ]: the container of $CMD; its group in GROUP, its process in PID.
created() {
  oh create --bundle "$(bundle "$1" "${2:-.}")" --pid-file "$T/pid" "$1" <"$T/empty" >"$T/out" 2>&1 || { cat "$T/out"; return 1; }
  PID=$(cat "$T/pid")
  GROUP=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$PID/cgroup")
}

group_has() { # group_has FILE=VALUE...: all of them, of the container's group
  local pair is
  for pair; do
    is=$(<"$GROUP/${pair%%=*}")
    [ "$is" = "${pair#*=}" ] || { echo "$RUNTIME: $pair: the kernel has '$is'"; return 1; }
  done
}

broken() { tail -n 1 "$T/events.json" | jq -c '.oci_harden.proof | [.broken, .unread]'; }

# What the engine asks for: above each ceiling, or nothing, and files that lift ceilings.
ASKED='.linux.resources |= (.pids.limit = 5000 | .unified = {"memory.high": "33554432", "memory.swap.max": "max", "pids.max": "max",
  "cpu.max": "max 100000", "hugetlb.2MB.max": "0", "cgroup.max.depth": "9"})'

limits_of() {
  oh_config "$1"
  CMD='sleep 600' created one "$ASKED"
  oh start one
  [ "$(broken)" = '[0,0]' ]
  group_has pids.max=20 memory.max=67108864 memory.high=33554432 memory.swap.max=67108864 'cpu.max=20000 100000' hugetlb.2MB.max=0
  # An update can lower, and lift no ceiling, by options or by a file.
  oh update --pids-limit 10 --memory 32m one
  group_has pids.max=10 memory.max=33554432
  oh update --pids-limit 5000 --memory 1g --cpu-quota -1 one
  group_has pids.max=20 memory.max=67108864 'cpu.max=20000 100000'
  oh update --resources - one <<<'{"pids": {"limit": -1}, "memory": {"limit": -1}, "unified": {"memory.max": "max", "pids.max": "max"}}'
  group_has pids.max=20 memory.max=67108864
}

@test "runc: every limit of the policy is in cgroup v2, and an update lifts none" { limits_of runc; }
@test "crun: every limit of the policy is in cgroup v2, and an update lifts none" { limits_of crun; }

@test "a limit that is set holds: memory, CPU time, processes" {
  oh_config crun
  jq '.name = "tight" | .resources |= (.memoryMax = 16777216 | .cpuMax = 500)' "$T/policies/limited.json" >"$T/policies/tight.json"
  chmod 600 "$T/policies/tight.json"
  POLICY=tight
  CMD='sleep 600' created one
  oh start one
  # 16 MiB for files in memory and for processes: two times 12 are more.
  run oh exec one /bin/sh -c 'dd if=/dev/zero of=/dev/shm/a bs=1M count=12 2>/dev/null; head -c 12582912 /dev/zero | tail -c 12582912 >/dev/null'
  echo "$status $output"
  [ "$(sed -n 's/^oom_kill //p' "$GROUP/memory.events")" -ge 1 ]
  oh exec one /bin/sh -c 'i=0; while [ $i -lt 5000 ]; do i=$((i + 1)); done'
  [ "$(sed -n 's/^nr_throttled //p' "$GROUP/cpu.stat")" -ge 1 ]
  run oh exec one /bin/sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21; do sleep 60 >/dev/null 2>&1 & done'
  echo "$status $output"
  [ "$status" -ne 0 ]
  [[ "$output" == *"can't fork"* ]]
  [ "$(sed -n 's/^max //p' "$GROUP/pids.events")" -ge 1 ]
}

# A node that the image brings, of a device whose reading does no harm: /dev/kmsg.
@test "a device that no rule lists is out of reach, though root has its node" {
  local b
  for runtime in runc crun; do
    oh_config "$runtime"
    b=$(CMD='head -c 1 </odd >/dev/null && echo reached; echo x >/dev/null && echo null' bundle one \
      '.linux.resources.devices = [{allow: true, access: "rwm"}] | .process.capabilities = (.process.capabilities | map_values(. + ["CAP_SYSLOG"]))')
    mknod -m 666 "$b/rootfs/odd" c 1 11
    run bare run --bundle "$b" one
    echo "$runtime: $output"
    [ "$output" = "$(printf 'reached\nnull')" ]
    run oh run --bundle "$b" one
    echo "$runtime: $output"
    [[ "$output" == *"can't open /odd: Operation not permitted"* && "$output" == *null* && "$output" != *reached* ]]
    rm -rf "$b"
  done
}

# Whoever may set RLIMIT_RTPRIO comes before the host's own processes, without a capability.
@test "no rlimit lets a container's user come before the host: real time, a nice value below 0" {
  local runtime who b asked
  asked='.process.user = {uid: 1000, gid: 1000} | .process.rlimits = [{type: "RLIMIT_RTPRIO", soft: 99, hard: 99}, {type: "RLIMIT_NICE", soft: 40, hard: 40}]'
  for runtime in runc crun; do
    oh_config "$runtime"
    for who in bare oh; do
      b=$(CMD='/probe sched-fifo nice' bundle "$who" "$asked")
      cp "$BUILD/helpers/probe" "$b/rootfs/probe"
      "$who" run --bundle "$b" "$who-$runtime" <"$T/empty" >"$T/$who.out" 2>&1
      cat "$T/$who.out"
      rm -rf "$b"
    done
    [ "$(grep -c reached "$T/bare.out")" -eq 2 ]
    [ "$(grep -c denied "$T/oh.out")" -eq 2 ]
    CMD='sleep 600' created one "$asked"
    oh start one
    [ "$(broken)" = '[0,0]' ]
    grep -qE '^Max realtime priority +0 +0 ' "/proc/$PID/limits"
    grep -qE '^Max nice priority +20 +20 ' "/proc/$PID/limits"
    # An exec asks for itself, and one that names nothing has what its caller has.
    jq -n '{args: ["/bin/sh", "-c", "ulimit -Hr; ulimit -He"], cwd: "/", user: {uid: 1000, gid: 1000},
      rlimits: [{type: "RLIMIT_RTPRIO", soft: 99, hard: 99}, {type: "RLIMIT_NICE", soft: 40, hard: 40}]}' >"$T/process.json"
    [ "$(oh exec --process "$T/process.json" one)" = "$(printf '0\n20')" ]
    jq 'del(.rlimits)' "$T/process.json" >"$T/plain.json"
    run bash -c 'ulimit -r 99; ulimit -e 40; exec "$@"' bash "$OH" --config "$T/config.json" --policy "$POLICY" --root "$T/root" exec --process "$T/plain.json" one
    echo "$output"
    [ "$output" = "$(printf '0\n20')" ]
    oh delete --force one
  done
}

@test "an exec's --cgroup leads nowhere but below the container's" {
  local runtime group
  mkdir "/sys/fs/cgroup/oh-beside:x"
  for runtime in runc crun; do
    oh_config "$runtime"
    CMD='sleep 600' created one
    oh start one
    for group in ../oh-beside:x ..:x/../../oh-beside:x absent absent:x; do
      run oh exec --cgroup="$group" one cat /proc/self/cgroup
      echo "$runtime $group: $status $output"
      [[ "$status" -ne 0 || "$output" == "0::${GROUP#/sys/fs/cgroup}"* ]]
    done
    oh delete --force one
  done
  rmdir "/sys/fs/cgroup/oh-beside:x"
}

WEAK=$BUILD/helpers/weak-runtime

# With CAP_SYS_RESOURCE a runtime can lift what it was told to limit, and lower the score.
@test "a limit that the runtime lifts is named, and nothing starts" {
  local runtime text
  for runtime in runc crun; do
    oh_config "$runtime" ".runtimes = [{path: \"$WEAK\", type: \"$runtime\"}]"
    export WEAK_RUNTIME=$RUNTIME_PATH
    export WEAK_JQ='.linux.resources |= (.pids.limit = 21 | .memory.limit = 134217728 | .cpu.quota = 30000
        | .unified = {"memory.swap.max": "134217728"})
      | .process.rlimits |= map(if .type == "RLIMIT_NOFILE" then .hard = 8192 else . end) | .process.oomScoreAdj = -501'
    CMD='sleep 600' created one "$ASKED | .process.oomScoreAdj = -1000 | .process.rlimits = [{type: \"RLIMIT_NOFILE\", soft: 1024, hard: 65536}]"
    run oh start one
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"(OH-PRF-025)" ]]
    for text in '20 for processes was promised, and the kernel has 21' '67108864 for memory was' \
      '134217728 for memory and swap was' '20000 us of CPU in 100000 were'; do
      [[ "$output" == *"$text"* ]] || { echo "no $text"; return 1; }
    done
    [ "$(broken)" = '[3,0]' ]
    [ ! -d "$GROUP" ]
  done
}

@test "rlimits above the caller's own and an oom_score_adj below it are as the policy has them, exec too" {
  local runtime
  ulimit -Hn 2048
  ulimit -Sn 1024
  for runtime in runc crun; do
    oh_config "$runtime"
    CMD='sleep 600' created one '.process.oomScoreAdj = -1000 | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 65536, hard: 65536}]'
    oh start one
    [ "$(broken)" = '[0,0]' ]
    [ "$(cat "/proc/$PID/oom_score_adj")" = -500 ]
    grep -qE '^Max open files +4096 +4096 ' "/proc/$PID/limits"
    grep -qE '^Max core file size +0 +0 ' "/proc/$PID/limits"
    jq -n '{args: ["/bin/sh", "-c", "cat /proc/self/oom_score_adj; ulimit -Hn; ulimit -Hc"], cwd: "/", user: {uid: 0, gid: 0}, oomScoreAdj: -1000,
      rlimits: [{type: "RLIMIT_NOFILE", soft: 65536, hard: 65536}]}' >"$T/process.json"
    run bash -c 'echo -800 >/proc/self/oom_score_adj; exec "$@"' bash \
      "$OH" --config "$T/config.json" --policy "$POLICY" --root "$T/root" exec --process "$T/process.json" one
    echo "$runtime: $output"
    [ "$output" = "$(printf -- '-500\n4096\n0')" ]
    oh delete --force one
  done
}
