#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Between create and start: what the runtime made is compared with what was promised. A runtime that keeps one promise
# less is put in the real one's place (weak-runtime.c), once for each promise, and start must refuse by its name.
load helper

setup() {
  oh_setup
  export T
  mkdir "$T/volume"
  POLICY=restricted
  # As restricted is where a node can give no user namespace.
  echo '{"extends": "restricted", "user-namespace": {"mode": "off"}}' >"$T/policies/unmapped.json"
  : >"$T/empty" # not /dev/null, which crun would hand to the container's user
}
teardown() {
  [ -z "${HELD-}" ] || kill $HELD 2>/dev/null || true
  ! mountpoint -q "$T/peer" || umount -l "$T/peer"
  oh_teardown
}

WEAK=$BUILD/helpers/weak-runtime

# What every promise has something to say of; ids so that a weaker one can be another.
BASE='.process.user = {uid: 1000, gid: 1000, additionalGids: [10]} | .process.oomScoreAdj = 500
  | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 1000, hard: 1000}]
  | .linux.resources.cpu = {quota: 50000, period: 100000} | .linux.resources.memory = {limit: 67108864}
  | .linux.resources.pids = {limit: 100}'

VOLUME='.mounts += [{destination: "/srv", type: "bind", source: (env.T + "/volume"), options: ["rbind"]}]'

weak_config() { # weak_config RUNTIME: the weak runtime under the name of RUNTIME
  oh_config "$1" ".runtimes = [{path: \"$WEAK\", type: \"$1\"}]"
  export WEAK_RUNTIME=$RUNTIME_PATH
  unset WEAK_JQ WEAK_FD
}

base() { jq .map.base "$T"/state/*/"$1"/state.json; } # of the container's ids

create() { # create ID [JQ]: its pid in PID. Beside its root lies another that looks the same.
  local b
  rm -rf "${T:?}/$1" "$T/$1.weak"
  b=$(CMD='echo ran; sleep 600' bundle "$1" "${2:-$BASE}")
  mkdir -p "$b/rootfs/var/run" "$b/rootfs/var/cache" "$b/rootfs/srv"
  cp -r "$b/rootfs" "$b/other"
  oh --log "$T/log" --log-format json create --bundle "$b" --pid-file "$T/pid" "$1" <"$T/empty" >"$T/create.out" 2>&1 || { cat "$T/create.out"; return 1; }
  PID=$(cat "$T/pid")
  [ -d "/proc/$PID" ]
}

gone() { # gone ID: nothing of the container, and nothing of ours
  [ -z "$("$RUNTIME_PATH" --root "$T/root" list -q)" ] || { "$RUNTIME_PATH" --root "$T/root" list; return 1; }
  wait_for 5 sh -c "! [ -d /proc/$PID ] || grep -q '^State:.Z' /proc/$PID/status"
  [ -z "$(find "$T/state" -name "$1")" ] || { echo "state is left"; return 1; }
  ! grep -q ran "$T/create.out" || false
}

# refused RULE ID: start refuses, says why where the engine listens, and nothing is left.
refused() {
  : >"$T/log"
  run oh --log "$T/log" --log-format json start "$2"
  echo "$RUNTIME $2: $output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"($1)" ]]
  [ "$(tail -n 1 "$T/log" | jq -r .level)" = error ]
  [[ "$(tail -n 1 "$T/log" | jq -r .msg)" == *"container $2 is not started"*"($1)" ]]
  [ "$(wc -l <"$T/log")" -eq 1 ]
  [ "$(tail -n 1 "$T/events.json" | jq -r '[."event.action", ."event.outcome", ."rule.id"[0]] | join(" ")')" = "container-start failure $1" ]
  gone "$2"
}

# podman mounts a pod's root for its create alone: by then nobody else sees it.
@test "a root that only create sees is the one that was promised" {
  for runtime in runc crun; do
    for POLICY in restricted unmapped; do
      oh_config "$runtime"
      b=$(CMD='echo ran; sleep 600' bundle "seen-$runtime" "$BASE | .root.path = (env.T + \"/seen\")")
      mkdir -p "$b/rootfs/srv" "$T/seen"
      unshare --mount --propagation slave sh -c 'mount --bind "$0/rootfs" "$T/seen" && shift && exec "$@"' "$b" \
        -- "$OH" --config "$T/config.json" --policy "$POLICY" --root "$T/root" create --bundle "$b" "seen-$runtime" <"$T/empty" >"$T/create.out" 2>&1
      [ -z "$(ls "$T/seen")" ]
      oh start "seen-$runtime"
      wait_for 5 grep -q ran "$T/create.out"
      oh delete --force "seen-$runtime"
      rm -r "${b:?}"
    done
  done
}

@test "what keeps its promises starts without a word, under each policy" {
  for runtime in runc crun; do
    for POLICY in privileged baseline unmapped restricted strict; do
      oh_config "$runtime"
      : >"$T/log"
      create "$POLICY" "$BASE"
      run oh --log "$T/log" --log-format json start "$POLICY"
      [ "$status" -eq 0 ]
      [ -z "$output" ]
      [ ! -s "$T/log" ]
      wait_for 5 grep -q ran "$T/create.out"
      # Nothing holds the process, and it has what it had.
      grep -q '^TracerPid:.0$' "/proc/$PID/status"
      event=$(tail -n 1 "$T/events.json")
      echo "$event" | jq -c '.oci_harden | {policy, proof, journal}'
      [ "$(jq -r '."event.action"' <<<"$event")" = container-start ]
      case $POLICY in
      privileged | baseline | unmapped) grep -q '^Uid:.1000.1000.1000.1000$' "/proc/$PID/status" ;;
      *) grep -q "^Uid:.$(($(base "$POLICY") + 1000))." "/proc/$PID/status" ;;
      esac
      [ "$(jq -r '.oci_harden.proof | .held > 20 and .broken == 0 and .unread == 0' <<<"$event")" = true ]
      oh delete --force "$POLICY"
    done
  done
}

# Each line: a name, the rule that must refuse, and what the runtime does instead of what it was told.
WEAKNESSES=$(cat <<'LIST'
capability OH-PRF-010 (.process.capabilities | .bounding, .permitted, .effective) += ["CAP_SYS_ADMIN"]
bounding OH-PRF-010 .process.capabilities.bounding += ["CAP_NET_RAW"]
no-new-privs OH-PRF-011 .process.noNewPrivileges = false
no-filter OH-PRF-012 del(.linux.seccomp, .annotations)
filter-i386 OH-PRF-012 .linux.seccomp.architectures += ["SCMP_ARCH_X86"] | del(.annotations)
filter-more OH-PRF-012 .linux.seccomp.syscalls = [{names: [.linux.seccomp.syscalls[].names[], "ptrace", "io_uring_setup"], action: "SCMP_ACT_ALLOW"}] | del(.annotations)
filter-lax OH-PRF-012 .linux.seccomp.defaultAction = "SCMP_ACT_LOG" | del(.linux.seccomp.defaultErrnoRet, .annotations)
uid OH-PRF-014 .process.user.uid = 0
gid OH-PRF-014 .process.user.gid = 1001
group OH-PRF-015 .process.user.additionalGids += [0]
host-network OH-PRF-016 .linux.namespaces |= map(select(.type != "network")) | del(.linux.sysctl)
host-pid OH-PRF-016 .linux.namespaces |= map(select(.type != "pid"))
host-ipc OH-PRF-016 .linux.namespaces |= map(select(.type != "ipc"))
host-uts OH-PRF-016 .linux.namespaces |= map(select(.type != "uts")) | del(.hostname)
host-cgroup OH-PRF-016 .linux.namespaces |= map(select(.type != "cgroup"))
other-root OH-PRF-018 .root.path = $b + "/other"
writable-root OH-PRF-019 .root.readonly = false
no-mount OH-PRF-021 .mounts |= map(select(.destination != "/dev/shm"))
no-nosuid OH-PRF-021 (.mounts[] | select(.destination == "/dev/shm").options) -= ["nosuid"]
no-noexec OH-PRF-021 (.mounts[] | select(.destination == "/tmp").options) -= ["noexec"]
other-type OH-PRF-021 (.mounts[] | select(.destination == "/dev/mqueue")) |= (.type = "tmpfs" | .source = "tmpfs")
more-mounts OH-PRF-022 .mounts += [{destination: "/opt", type: "bind", source: "/etc", options: ["rbind", "ro", "nosuid", "nodev", "noexec"]}]
no-mask OH-PRF-023 .linux.maskedPaths -= ["/proc/kallsyms"]
no-mask-of-directory OH-PRF-023 .linux.maskedPaths -= ["/sys/firmware"]
writable-path OH-PRF-024 .linux.readonlyPaths -= ["/proc/sys"]
pids OH-PRF-025 .linux.resources.pids.limit = 101
memory OH-PRF-025 .linux.resources.memory.limit = 134217728 | del(.linux.resources.memory.swap)
cpu OH-PRF-025 .linux.resources.cpu.quota = 100000
rlimit OH-PRF-026 .process.rlimits[0].hard = 2000
cwd OH-PRF-027 .process.cwd = "/tmp"
oom OH-PRF-028 .process.oomScoreAdj = 499
LIST
)
# The same of a container that was given a user namespace.
WEAKNESSES_MAPPED=$(echo "$WEAKNESSES"; cat <<'LIST'
no-user-namespace OH-PRF-016 .linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)
other-ids OH-PRF-017 .linux.uidMappings[0].hostID += 65536
host-ids OH-PRF-017 .linux.uidMappings[0].hostID = 0
more-ids OH-PRF-017 .linux.gidMappings += [{containerID: 65536, hostID: 0, size: 1}]
fewer-ids OH-PRF-032 .linux.uidMappings[0].size = 2000
unmapped-volume OH-PRF-034 (.mounts[] | select(.destination == "/srv")).source = env.T + "/volume"
LIST
)
# What the kernel refuses to the root of a user namespace: to mount what shows a namespace of the host. crun binds the
# host's sysfs then.
UNMAKEABLE_runc='host-network host-pid host-ipc'
UNMAKEABLE_crun='host-pid host-ipc'

weaknesses() { # weaknesses RUNTIME LIST [UNMAKEABLE]
  local name rule jq n=0
  weak_config "$1"
  while read -r name rule jq; do
    export WEAK_JQ=$jq
    n=$((n + 1))
    if [[ " ${3-} " == *" $name "* ]]; then
      ! create "$name" "$WEAK_BASE" || { echo "$1 makes $name"; return 1; }
      oh delete --force "$name" || true
      continue
    fi
    create "$name" "$WEAK_BASE"
    refused "$rule" "$name"
  done <<<"$2"
  echo "$1: $n weaknesses refused"
  [ "$n" -eq "$(wc -l <<<"$2")" ]
}

@test "each promise that a runtime breaks is named, and the container is gone" {
  POLICY=unmapped
  WEAK_BASE=$BASE
  [ "$(wc -l <<<"$WEAKNESSES")" -ge 31 ]
  weaknesses runc "$WEAKNESSES"
  weaknesses crun "$WEAKNESSES"
}

@test "each promise that runc breaks to a container with a user namespace is named, and the container is gone" {
  WEAK_BASE="$BASE | $VOLUME"
  weaknesses runc "$WEAKNESSES_MAPPED" "$UNMAKEABLE_runc"
}

@test "each promise that crun breaks to a container with a user namespace is named, and the container is gone" {
  WEAK_BASE="$BASE | $VOLUME"
  weaknesses crun "$WEAKNESSES_MAPPED" "$UNMAKEABLE_crun"
}

# into ID: what an exec of a program of the image says.
into() {
  oh exec --user 0 "$1" /bin/sh -c 'echo inside'
}

@test "before its start nothing is executed in a container that was not proved" {
  for runtime in runc crun; do
    weak_config "$runtime"
    export WEAK_JQ='.linux.maskedPaths = []'
    create weak
    run into weak
    echo "$output"
    [ "$status" -eq 255 ]
    [[ "$output" == *"container weak waits for its start, and nothing is executed in it: every masked path"*"(OH-PRF-023)" ]]
    [ "$(tail -n 1 "$T/events.json" | jq -r '[."event.action", ."event.outcome", ."rule.id"[0]] | join(" ")')" = "container-exec failure OH-PRF-023" ]
    # It is start that ends it.
    [ -d "/proc/$PID" ]
    refused OH-PRF-023 weak
    # As promised: an exec before the start, and one behind it. crun cannot yet enter a user namespace before it.
    oh_config "$runtime"
    case $runtime in crun) POLICY=unmapped ;; esac
    unset WEAK_JQ
    create sound
    [ "$(into sound)" = inside ]
    [ "$(tail -n 1 "$T/events.json" | jq '.oci_harden.proof | .held > 20 and .broken == 0 and .unread == 0')" = true ]
    oh start sound
    [ "$(into sound)" = inside ]
    [ "$(tail -n 1 "$T/events.json" | jq .oci_harden.proof)" = null ]
    oh delete --force sound
    # Of one that the bare runtime made nothing is known, unless it runs.
    b=$(CMD='sleep 600' bundle "bare-$runtime")
    "$RUNTIME_PATH" --root "$T/root" create --bundle "$b" "bare-$runtime" <"$T/empty" >"$T/create.out" 2>&1
    run into "bare-$runtime"
    echo "$output"
    [ "$status" -eq 255 ]
    [[ "$output" == *"was not created by oci-harden"*"(OH-PRF-003)" ]]
    "$RUNTIME_PATH" --root "$T/root" start "bare-$runtime"
    [ "$(into "bare-$runtime")" = inside ]
    "$RUNTIME_PATH" --root "$T/root" delete --force "bare-$runtime"
  done
}

@test "two starts at once do not end what was created as promised" {
  for runtime in runc crun; do
    oh_config "$runtime"
    for n in 1 2 3 4; do
      create "twice-$n"
      oh start "twice-$n" >"$T/one" 2>&1 &
      one=$!
      oh start "twice-$n" >"$T/two" 2>&1 &
      two=$!
      "$CTL" --config "$T/config.json" inspect --root "$T/root" "twice-$n" >"$T/inspected" 2>&1 || true
      wait_for 5 grep -q ran "$T/create.out"
      wait_for 5 grep -q '^TracerPid:.0$' "/proc/$PID/status"
      # Of two that wait for the FIFO's other end the bare runc, too, leaves one to wait as long as the container lives, and the
      # bare crun for ever.
      oh delete --force "twice-$n"
      started=0
      for pid in "$one" "$two"; do timeout 5 tail --pid="$pid" -f /dev/null || pkill -P "$pid"; done
      for pid in "$one" "$two"; do ! wait "$pid" || started=$((started + 1)); done
      cat "$T/one" "$T/two"
      [ "$started" -gt 0 ]
    done
  done
}

# traced SECONDS: the created process is traced by somebody else for so long.
traced() {
  timeout "$1" strace -qq -o "$T/strace" -p "$PID" &
  HELD=$!
  wait_for 5 grep -q '^TracerPid:.[1-9]' "/proc/$PID/status"
}

@test "while somebody else traces it a start waits, and then leaves it as it is" {
  for runtime in runc crun; do
    oh_config "$runtime"
    create traced
    traced 5
    : >"$T/log"
    run oh start traced
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"which process "*" traces, is left as it is"*"(OH-PRF-012)" ]]
    [ -d "/proc/$PID" ]
    kill "$HELD"
    wait "$HELD" || true
    traced 0.5
    oh start traced
    wait_for 5 grep -q ran "$T/create.out"
    wait "$HELD" || true
    HELD=
    oh delete --force traced
  done
}

@test "a paused container is not started, and is none the worse for it" {
  for runtime in runc crun; do
    oh_config "$runtime"
    create paused
    "$RUNTIME_PATH" --root "$T/root" pause paused
    begun=$(date +%s%N)
    run oh start paused
    took=$((($(date +%s%N) - begun) / 1000000))
    "$RUNTIME_PATH" --root "$T/root" resume paused
    echo "$output ($took ms)"
    [ "$status" -eq 1 ]
    [[ "$output" == *"is paused; resume container paused first (OH-PRF-001)" ]]
    [ "$took" -lt 900 ]
    oh start paused
    wait_for 5 grep -q ran "$T/create.out"
    oh delete --force paused
  done
}

@test "an open directory of the host does not come along" {
  for runtime in runc crun; do
    weak_config "$runtime"
    export WEAK_FD=1
    create "fd"
    refused OH-PRF-029 fd
  done
}

@test "mounts that propagate to the host are refused" {
  mkdir -p "$T/peer"
  mount -t tmpfs oh-peer "$T/peer"
  mount --make-shared "$T/peer"
  for runtime in runc crun; do
    weak_config "$runtime"
    bind="$BASE | .mounts += [{destination: \"/opt\", type: \"bind\", source: \"$T/peer\", options: [\"rbind\", \"rslave\"]}]"
    create slave "$bind"
    oh start slave
    oh delete --force slave
    export WEAK_JQ='(.mounts[] | select(.destination == "/opt").options) |= map(if . == "rslave" then "rshared" else . end)
      | .linux.rootfsPropagation = "shared"'
    create shared "$bind"
    refused OH-PRF-020 shared
  done
}

@test "a joined namespace is the one that was promised" {
  for runtime in runc crun; do
    weak_config "$runtime"
    POLICY=unmapped
    unshare --net sleep 600 &
    one=$!
    unshare --net sleep 600 &
    two=$!
    HELD="$one $two"
    wait_for 5 sh -c "[ \"\$(readlink /proc/$two/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ] && [ \"\$(readlink /proc/$one/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
    join="(.linux.namespaces[] | select(.type == \"network\")).path = \"/proc/$one/ns/net\""
    create joined "$BASE | $join"
    oh start joined
    oh delete --force joined
    export WEAK_JQ="(.linux.namespaces[] | select(.type == \"network\")).path = \"/proc/$two/ns/net\""
    create other "$BASE | $join"
    refused OH-PRF-016 other
    # One that ended while the container waited cannot be compared with anything.
    unset WEAK_JQ
    create ended "$BASE | $join"
    kill "$one" "$two"
    wait "$one" "$two" || true
    refused OH-PRF-016 ended
    # In a user namespace of its own a container has only what the wrapper, or crun by its path, has entered for it.
    POLICY=restricted
    unshare --net sleep 600 &
    HELD=$!
    wait_for 5 sh -c "[ \"\$(readlink /proc/$HELD/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
    join="(.linux.namespaces[] | select(.type == \"network\")).path = \"/proc/$HELD/ns/net\""
    create entered "$BASE | $join | del(.linux.sysctl)"
    [ "$(readlink "/proc/$PID/ns/net")" = "$(readlink "/proc/$HELD/ns/net")" ]
    oh start entered
    grep -q "^Uid:.$(($(base entered) + 1000))." "/proc/$PID/status"
    oh delete --force entered
    export WEAK_JQ='.linux.namespaces |= map(select(.type != "network")) + [{type: "network"}]'
    create left "$BASE | $join | del(.linux.sysctl)"
    refused "$(case $runtime in runc) echo OH-PRF-033 ;; crun) echo OH-PRF-016 ;; esac)" left
    unset WEAK_JQ
    kill "$HELD"
    wait "$HELD" || true
  done
  HELD=
}

@test "ids are mapped as promised" {
  maps='.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
  for runtime in runc crun; do
    weak_config "$runtime"
    user="$BASE | .linux.namespaces += [{type: \"user\"}] | $maps | del(.linux.sysctl)"
    create mapped "$user"
    oh start mapped
    wait_for 5 grep -q ran "$T/create.out"
    oh delete --force mapped
    export WEAK_JQ='.linux.uidMappings[0].hostID = 200000'
    create moved "$user"
    refused OH-PRF-017 moved
    export WEAK_JQ='.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
    create none "$user"
    run oh start none
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *OH-PRF-0* ]]
    gone none
  done
}

@test "what changes behind create is seen by start" {
  for runtime in runc crun; do
    oh_config "$runtime"
    create unmasked
    nsenter -t "$PID" -m umount /proc/kallsyms
    refused OH-PRF-023 unmasked
    create mounted
    nsenter -t "$PID" -m busybox mount -t tmpfs none /var
    run oh start mounted
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *OH-PRF-02* ]]
    gone mounted
    create limits
    group=$(sed -n 's/^[0-9]*:pids://p; s/^0:://p' "/proc/$PID/cgroup" | head -n 1)
    # shellcheck disable=SC2012
    echo 1000 >"$(ls -d /sys/fs/cgroup/pids"$group" /sys/fs/cgroup"$group" 2>/dev/null | head -n 1)/pids.max"
    refused OH-PRF-025 limits
    create edited
    jq '.process.args = ["/bin/sh", "-c", "echo other"]' "$T/edited/config.json" >"$T/c" && cat "$T/c" >"$T/edited/config.json"
    refused OH-PRF-002 edited
  done
}

@test "a process that is not the container's is neither proof nor victim" {
  oh_config runc
  create forged
  sleep 600 &
  HELD=$!
  start=$(cut -d' ' -f22 "/proc/$HELD/stat")
  cp "$T/root/forged/state.json" "$T/record"
  jq --argjson pid "$HELD" --argjson start "$start" '.init_process_pid = $pid | .init_process_start = $start' "$T/record" >"$T/root/forged/state.json"
  run oh start forged
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"does not wait on"*"(OH-PRF-001)" ]]
  kill -0 "$HELD"
  # A pid that another process has by now: the time of its start tells.
  jq --argjson pid "$HELD" '.init_process_pid = $pid' "$T/record" >"$T/root/forged/state.json"
  run oh start forged
  echo "$output"
  [ "$status" -ne 0 ]
  kill -0 "$HELD"
  # A directory that others may write proves nothing.
  cp "$T/record" "$T/root/forged/state.json"
  chmod 777 "$T/root/forged"
  run oh start forged
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"is not trusted"*"(OH-PRF-001)" ]]
  chmod 711 "$T/root/forged"
  oh start forged
  wait_for 5 grep -q ran "$T/create.out"
}

@test "a container of the bare runtime is not ours to start, but for an auditing policy" {
  for runtime in runc crun; do
    oh_config "$runtime"
    b=$(CMD='echo ran; sleep 600' bundle "bare-$runtime")
    "$RUNTIME_PATH" --root "$T/root" create --bundle "$b" "bare-$runtime" <"$T/empty" >"$T/create.out" 2>&1
    run oh start "bare-$runtime"
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"delete it and create it anew"*"(OH-PRF-003)" ]]
    [ "$("$RUNTIME_PATH" --root "$T/root" list -q)" = "bare-$runtime" ]
    POLICY=privileged oh start "bare-$runtime"
    wait_for 5 grep -q ran "$T/create.out"
    [ "$(tail -n 1 "$T/events.json" | jq -r '."rule.id"[0]')" = OH-PRF-003 ]
    oh delete --force "bare-$runtime"
  done
}

@test "a container that the runtime keeps where its environment says is proved like any other" {
  oh_config crun
  export XDG_RUNTIME_DIR=$T/xdg
  mkdir "$T/xdg"
  rootless() { "$OH" --config "$T/config.json" --policy restricted "$@"; }
  for breach in OH-PRF-002 OH-PRF-003; do
    b=$(CMD='echo ran; sleep 600' bundle "$breach")
    if [ "$breach" = OH-PRF-003 ]; then
      crun create --bundle "$b" c1 <"$T/empty" >"$T/create.out" 2>&1
    else
      rootless create --bundle "$b" c1 <"$T/empty" >"$T/create.out" 2>&1
      "$CTL" --config "$T/config.json" gc
      [ -n "$(find "$T/state" -name state.json)" ]
      echo ' ' >>"$b/config.json"
    fi
    [ -d "$T/xdg/crun/c1" ]
    run rootless start c1
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"($breach)" ]]
    ! grep -q ran "$T/create.out" || false
    rootless delete --force c1 || true
    [ -z "$(find "$T/state" -name state.json)" ]
  done
}

@test "an auditing policy records what is broken and starts" {
  for runtime in runc crun; do
    weak_config "$runtime"
    export WEAK_JQ='.process.noNewPrivileges = false | .linux.maskedPaths = []'
    POLICY=privileged create audited "$BASE | .process.noNewPrivileges = true"
    run env POLICY=privileged "$OH" --config "$T/config.json" --policy privileged --root "$T/root" start audited
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    wait_for 5 grep -q ran "$T/create.out"
    event=$(tail -n 1 "$T/events.json")
    jq -c '.oci_harden | {proof, journal}' <<<"$event"
    [ "$(jq -r '[.oci_harden.journal[] | select(.outcome == "audited").rule] | join(" ")' <<<"$event")" = 'OH-PRF-011 OH-PRF-023' ]
    oh delete --force audited
  done
}

@test "a runtime that does not delete cannot keep the container alive" {
  oh_config runc
  create kept
  # A delete that hangs or fails is the runtime's affair; the process is dead, and the engine is told what is left.
  oh_config runc ".runtimes = [{path: \"$BUILD/helpers/argv-echo\", type: \"runc\"}]"
  nsenter -t "$PID" -m umount /proc/kallsyms
  run oh start kept
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"it was killed, but"*"did not delete it"*"(OH-PRF-023)" ]]
  wait_for 5 sh -c "! [ -d /proc/$PID ] || grep -q '^State:.Z' /proc/$PID/status"
}

@test "without root what can be read is compared, and what cannot is said" {
  oh_config crun
  create one 'del(.linux.cgroupsPath, .linux.resources, .linux.sysctl) | .mounts |= map(select(.type != "sysfs"))
    | (.mounts[] | select(.destination == "/dev/pts").options) -= ["gid=5"]'
  oh delete --force one
  jq -n '{name: "rootless", extends: "restricted", resources: {action: "off"}}' >"$T/policies/rootless.json"
  mkdir -p "$T/home/state" "$T/home/root"
  cp "$OH" "$T/oci-harden"
  mv "$T/one" "$T/home/one"
  mv "$T/home/one/config.engine.json" "$T/home/engine.json"
  jq --arg t "$T/home" '.stateDir = $t + "/state" | .events = $t + "/events.json"' "$T/config.json" >"$T/home/config.json"
  chmod 644 "$T/policies/rootless.json"
  : >"$T/home/empty"
  chown -R 1000:1000 "$T/home"
  as_user() { setpriv --reuid 1000 --regid 1000 --clear-groups "$@"; }
  cat >"$T/lifecycle" <<'SCRIPT'
hardened() { "$T/oci-harden" --config "$T/home/config.json" --policy rootless --root "$T/home/root" --cgroup-manager disabled "$@"; }
hardened create --bundle "$T/home/one" "$1" <"$T/home/empty" >"$T/home/out" 2>&1 || { cat "$T/home/out"; exit 1; }
hardened start "$1" || exit 2
for i in $(seq 50); do grep -q ran "$T/home/out" && break; sleep 0.1; done
hardened delete --force "$1"
SCRIPT
  export T
  ours() { jq -c '.oci_harden | {proof, rules: [.journal[].rule]}' <<<"$(grep container-start "$T/home/events.json" | tail -n 1)"; }
  # podman's way: root in the engine's user namespace reads all but the filters.
  as_user cp "$T/home/engine.json" "$T/home/one/config.json"
  as_user unshare --user --map-root-user bash "$T/lifecycle" c1
  ours
  grep -q ran "$T/home/out"
  [ "$(ours | jq -c '[.proof.broken, .proof.unread, .rules]')" = '[0,2,["OH-PRF-012","OH-PRF-013"]]' ]
  # A person's way: a process of a user namespace is not open to its owner.
  jq '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 1000, size: 1}]
    | .linux.gidMappings = .linux.uidMappings' "$T/home/engine.json" >"$T/c"
  as_user sh -c 'cat >"$T/home/one/config.json"' <"$T/c"
  as_user bash "$T/lifecycle" c2
  ours
  grep -q ran "$T/home/out"
  [ "$(ours | jq '.proof | .broken == 0 and .held > 8 and .unread > 3')" = true ]
}
