#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# oci-harden-hook: what run starts is held at its first instruction until it was compared with what was promised, and what
# a bare runtime makes is judged by the policy.
bats_require_minimum_version 1.5.0
load helper

setup() {
  oh_setup
  POLICY=restricted
  # As restricted is where a node can give no user namespace.
  echo '{"extends": "restricted", "user-namespace": {"mode": "off"}}' >"$T/policies/unmapped.json"
}
teardown() {
  # shellcheck disable=SC2086 # pids
  kill ${HELD:+"$HELD"} 2>/dev/null || true
  oh_unmount
  oh_teardown
}

HOOK=$BUILD/oci-harden-hook
WEAK=$BUILD/helpers/weak-runtime
USER='.process.user = {uid: 1000, gid: 1000}'

weak_config() { # weak_config RUNTIME: the weak runtime (weak-runtime.c) under the name of RUNTIME
  oh_config "$1" ".runtimes = [{path: \"$WEAK\", type: \"$1\"}]"
  export WEAK_RUNTIME=$RUNTIME_PATH
  unset WEAK_JQ WEAK_FD
}

no_state() { local left; left=$(find "$T/state" -path "$T/state/.cache" -prune -o -path "$T/state/.leases" -prune -o -not -type d -print); [ -z "$left" ] || { echo "left: $left"; return 1; }; }
no_guard() { ! pgrep -f "^[^ ]*oci-harden.*$T" >/dev/null; }
last_event() { tail -n 1 "$T/events.json" | jq -r '[."event.action", ."event.outcome", ."rule.id"[0]? // "-"] | join(" ")'; }

@test "run: what keeps its promises starts without a word, and leaves nothing" {
  for runtime in runc crun; do
    for POLICY in baseline restricted strict; do
      oh_config "$runtime"
      : >"$T/log"
      b=$(CMD='echo out; echo err >&2; grep TracerPid /proc/self/status; exit 7' bundle "$runtime-$POLICY" "$USER")
      run --separate-stderr oh --log "$T/log" --log-format json run --bundle "$b" one
      echo "$runtime $POLICY: $status $output / $stderr"
      [ "$status" -eq 7 ]
      [ "$output" = $'out\nTracerPid:\t0' ]
      [ "$stderr" = err ]
      [ ! -s "$T/log" ]
      [ "$(last_event)" = 'container-start success -' ]
      [ "$(tail -n 1 "$T/events.json" | jq -r '.oci_harden.proof | .held > 20 and .broken == 0 and .unread == 0')" = true ]
      no_state
      wait_for 5 no_guard
      # Again over the same bundle: its config has the hook already.
      run oh run --bundle "$b" one
      [ "$status" -eq 7 ]
      [ "$(jq '[.hooks[][]] | length' "$b/config.json")" -eq 2 ]
      no_state
    done
  done
}

@test "run: nothing of ours is handed to the container, and a bundle once run can be created" {
  for runtime in runc crun; do
    oh_config "$runtime"
    b=$(CMD='ls /proc/self/fd; env' bundle "$runtime" "$USER")
    run oh run --bundle "$b" one
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" != *harden* ]]
    [ "$(grep -c '^[0-9]$' <<<"$output")" -eq 4 ] # 0 to 2, and what ls itself opens
    oh create --bundle "$b" two </dev/null >"$T/out" 2>&1
    oh start two
    oh delete --force two
    no_state
    # The bare runtime finds the hook in the config, and the config good, unless it names views that went with their container.
    # (crun gives what is its standard input to the root of the container: not the null device.)
    run bare run --bundle "$b" three < <(:)
    echo "$output"
    [ "$status" -ne 0 ]
    # (crun 1.28 does not say which.)
    [[ "$output" == *"$T/maps/"*"/two/rootfs"* ]] || [ "$output" = 'readlink ``: No such file or directory' ]
    POLICY=unmapped oh create --bundle "$b" four </dev/null >"$T/out" 2>&1
    oh delete --force four
    run bare run --bundle "$b" five < <(:)
    echo "$output"
    [ "$status" -eq 0 ]
  done
}

@test "run: detached, with a terminal, and kept: the state goes with the container" {
  for runtime in runc crun; do
    oh_config "$runtime"
    b=$(CMD='echo ran; sleep 600' bundle "$runtime-d" "$USER")
    oh run --detach --bundle "$b" --pid-file "$T/pid" one </dev/null >"$T/out" 2>&1
    wait_for 5 grep -q ran "$T/out"
    ! no_state || false
    oh delete --force one
    no_state
    # Deleted by the bare runtime, which runs the hook of the container's end.
    oh run --detach --bundle "$b" two </dev/null >"$T/out" 2>&1
    "$RUNTIME_PATH" --root "$T/root" delete --force two
    no_state
    b=$(CMD='test -t 1 && echo terminal; exit 3' bundle "$runtime-t" "$USER | .process.terminal = true")
    run script -qec "$OH --config $T/config.json --policy $POLICY --root $T/root run --bundle $b three" /dev/null < <(:)
    echo "$output"
    [ "$status" -eq 3 ]
    [[ "$output" == *terminal* ]]
    no_state
    wait_for 5 no_guard
  done
}

@test "run: a container that cannot be made leaves no state and no guard" {
  for runtime in runc crun; do
    oh_config "$runtime"
    b=$(bundle "$runtime" "$USER | .process.args = [\"/nothing\"]")
    run oh run --bundle "$b" one
    echo "$output"
    [ "$status" -ne 0 ]
    wait_for 5 no_state
    wait_for 5 no_guard
  done
}

# Each line: the rule that must refuse, and what the runtime does instead of what it was told.
WEAKNESSES=$(cat <<'LIST'
OH-PRF-010 (.process.capabilities | .bounding, .permitted, .effective) += ["CAP_SYS_ADMIN"]
OH-PRF-011 .process.noNewPrivileges = false
OH-PRF-012 del(.linux.seccomp, .annotations)
OH-PRF-012 .linux.seccomp.syscalls = [{names: [.linux.seccomp.syscalls[].names[], "ptrace", "io_uring_setup"], action: "SCMP_ACT_ALLOW"}] | del(.annotations)
OH-PRF-014 .process.user.uid = 0
OH-PRF-016 .linux.namespaces |= map(select(.type != "ipc"))
OH-PRF-019 .root.readonly = false
OH-PRF-021 (.mounts[] | select(.destination == "/tmp").options) -= ["noexec"]
OH-PRF-022 .mounts += [{destination: "/opt", type: "bind", source: "/etc", options: ["rbind", "ro", "nosuid", "nodev", "noexec"]}]
OH-PRF-023 .linux.maskedPaths -= ["/proc/kallsyms"]
OH-PRF-024 .linux.readonlyPaths -= ["/proc/sys"]
OH-PRF-027 .process.cwd = "/tmp"
LIST
)

@test "run: each promise that a runtime breaks is named, and nothing of the container has run" {
  POLICY=unmapped named 28 "$WEAKNESSES"
}

# The kernel lets no root of a user namespace mount what shows the host's ipc namespace.
@test "run: the same of a container with a user namespace" {
  named 28 "$(grep -v '"ipc"' <<<"$WEAKNESSES"; cat <<'LIST'
OH-PRF-016 .linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)
OH-PRF-017 .linux.uidMappings[0].hostID += 65536
LIST
)"
}

named() { # named COUNT LIST
  local n=0
  for runtime in runc crun; do
    weak_config "$runtime"
    b=$(CMD='echo ran' bundle "$runtime-$POLICY" "$USER")
    cp "$b/config.json" "$T/before"
    while read -r rule WEAK_JQ; do
      export WEAK_JQ
      # The message of one that is detached comes when the runtime has ended.
      for detach in '' --detach; do
        [ -z "$detach" ] || [[ "$runtime $rule" == "runc OH-PRF-01"[024] ]] || continue
        cp "$T/before" "$b/config.json"
        : >"$T/log"
        # shellcheck disable=SC2086
        oh --log "$T/log" --log-format json run $detach --bundle "$b" one </dev/null >"$T/out" 2>"$T/err" && code=0 || code=$?
        echo "$runtime $rule $detach: $code $(cat "$T/err")"
        [ "$code" -ne 0 ] || [ -n "$detach" ]
        wait_for 5 grep -q "container one is killed before its program ran.*($rule)$" "$T/err"
        wait_for 5 no_guard
        [[ "$(jq -r 'select(.level == "error").msg' "$T/log")" == *"container one is killed"*"($rule)"* ]]
        [ "$(last_event)" = "container-start failure $rule" ]
        [ ! -s "$T/out" ]
        [ ! -e "$T/root/one" ]
        no_state
        n=$((n + 1))
      done
    done <<<"$2"
  done
  echo "$n weaknesses refused"
  [ "$n" -ge "$1" ]
}

@test "run --keep: a container whose program was not let run is there and stopped, until it is deleted" {
  weak_config runc
  export WEAK_JQ='.process.noNewPrivileges = false'
  for detach in '' --detach; do
    b=$(CMD='echo ran' bundle "kept$detach" "$USER")
    run oh run --keep $detach --bundle "$b" kept
    echo "$output"
    [[ "$output" != ran* && "$output" == *OH-PRF-011* ]]
    wait_for 10 no_guard
    [ "$(runc --root "$T/root" state kept | jq -r .status)" = stopped ]
    ! no_state || false
    oh delete kept
    [ -z "$(ls "$T/root")" ]
    no_state
  done
}

@test "run: without the hook, or with one that others may write, nothing starts" {
  b=$(CMD='echo ran' bundle one)
  cp "$b/config.json" "$T/before"
  refused() { # refused RULE
    run oh run --bundle "$b" one
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"($1)" ]]
    cmp "$T/before" "$b/config.json"
    no_state
  }
  oh_config runc ".hook = \"$T/absent\""
  refused OH-RUN-007
  cp "$HOOK" "$T/hook"
  oh_config runc ".hook = \"$T/hook\""
  chmod 777 "$T/hook"
  refused OH-RUN-008
  chmod 755 "$T/hook"
  chown 1000 "$T/hook"
  refused OH-RUN-008
  chown 0 "$T/hook"
  chmod 644 "$T/hook"
  refused OH-RUN-007
  chmod 755 "$T/hook"
  run oh run --bundle "$b" one
  [ "$status" -eq 0 ]
  [ "$output" = ran ]
  # A policy that changes nothing needs none.
  oh_config runc ".hook = \"$T/absent\""
  POLICY=privileged run oh run --bundle "$(CMD='echo ran' bundle two)" two
  [ "$status" -eq 0 ]
}

@test "run: only the very hook that we write passes as ours" {
  for change in '.args += ["--policy", "privileged"]' '.env = ["A=b"]' '.path = "/bin/sh"' 'del(.timeout)'; do
    b=$(bundle "b" "$USER | .hooks.createRuntime = [{path: \"$HOOK\", args: [\"oci-harden-hook\", \"--config\", \"$T/config.json\"], timeout: 60} | $change]")
    run oh run --bundle "$b" one
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"(OH-HOK-001)" ]]
  done
}

@test "run: who kills the guard kills the container" {
  for runtime in runc crun; do
    weak_config "$runtime"
    # A hook behind ours that holds the container at its making while the guard is killed.
    printf '#!/bin/sh\ncat >%s/at.new\nmv %s/at.new %s/at\nwhile [ ! -e %s/go ]; do sleep 0.05; done\n' "$T" "$T" "$T" "$T" >"$T/wait"
    chmod 755 "$T/wait"
    rm -f "$T/at" "$T/go"
    export WEAK_JQ=".hooks.createRuntime += [{path: \"$T/wait\"}]"
    b=$(CMD='echo ran' bundle "$runtime" "$USER")
    oh run --bundle "$b" one </dev/null >"$T/out" 2>&1 3>&- &
    run_pid=$!
    wait_for 5 test -e "$T/at"
    pid=$(sed -n 's/^TracerPid:\t//p' "/proc/$(jq .pid "$T/at")/status")
    [[ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" == *oci-harden*"$T"* ]]
    kill -KILL "$pid"
    touch "$T/go"
    wait "$run_pid" && code=0 || code=$?
    cat "$T/out"
    [ "$code" -ne 0 ]
    ! grep -q '^ran$' "$T/out" || false
  done
}

bare_config() { # bare_config FILE [HOOK-JQ]: our hook in a bundle's config as somebody else has registered it
  jq --arg h "$HOOK" --arg c "$T/config.json" --arg p "$POLICY" '.hooks = {createRuntime: [{path: $h,
    args: ["oci-harden-hook", "--config", $c, "--policy", $p], timeout: 60}]}' "$1" | jq "${2:-.}" >"$T/c.tmp"
  cat "$T/c.tmp" >"$1"
}

# harden BUNDLE [JQ]: its config as the policy asks for, without a wrapper.
harden() {
  "$CTL" --config "$T/config.json" harden --policy "$POLICY" --runtime "$RUNTIME" "$1" >"$T/h.tmp"
  jq "${2:-.}" "$T/h.tmp" >"$1/config.json"
}

@test "a bare runtime: a strict container passes, a weak one is refused and told why" {
  for runtime in runc crun; do
    oh_config "$runtime"
    for POLICY in baseline restricted strict; do
      b=$(CMD='echo ran; grep TracerPid /proc/self/status' bundle "$runtime-$POLICY" "$USER")
      cp "$b/config.json" "$T/weak"
      harden "$b" 'del(.annotations)'
      bare_config "$b/config.json"
      run --separate-stderr bare run --bundle "$b" good
      echo "$runtime $POLICY: $status $output $stderr"
      [ "$status" -eq 0 ]
      [ "$output" = $'ran\nTracerPid:\t0' ]
      [ -z "$stderr" ]
      [ "$(last_event)" = 'container-start success -' ]
      [ "$(tail -n 1 "$T/events.json" | jq -r '.oci_harden.proof | .held > 20 and .broken == 0 and .unread == 0')" = true ]
      cp "$T/weak" "$b/config.json"
      bare_config "$b/config.json"
      run bare run --bundle "$b" weak
      echo "$runtime $POLICY: $status $output"
      [ "$status" -ne 0 ]
      [[ "$output" == *"container weak is not what the policy asks for: policy $POLICY: "*"OH-"* ]]
      [[ "$(last_event)" == 'container-start failure OH-'* ]]
      no_state
    done
    wait_for 5 no_guard
  done
}

@test "a bare runtime: create and start, and a process that is not what its config says" {
  for runtime in runc crun; do
    oh_config "$runtime"
    b=$(CMD='echo ran; sleep 600' bundle "$runtime" "$USER")
    harden "$b" 'del(.annotations)'
    bare_config "$b/config.json"
    bare create --bundle "$b" --pid-file "$T/pid" one </dev/null >"$T/out" 2>&1
    wait_for 5 test -s "$T/pid"
    [ "$(sed -n 's/^TracerPid:\t//p' "/proc/$(cat "$T/pid")/status")" -ne 0 ]
    bare start one
    wait_for 5 grep -q '^ran$' "$T/out"
    [ "$(sed -n 's/^TracerPid:\t//p' "/proc/$(cat "$T/pid")/status")" -eq 0 ]
    bare delete --force one
    # What changes between create and start is seen.
    bare create --bundle "$b" --pid-file "$T/pid" two </dev/null >"$T/out" 2>&1
    nsenter -t "$(cat "$T/pid")" -m umount /proc/kallsyms
    bare start two || true
    wait_for 5 grep -q 'container two is killed before its program ran.*(OH-PRF-023)' "$T/out"
    ! grep -q '^ran$' "$T/out" || false
    bare delete --force two
    # One that never starts is let go by its end.
    bare create --bundle "$b" three </dev/null >"$T/out" 2>&1
    bare delete --force three
    wait_for 5 no_guard
  done
}

@test "a hook of a stage that does not see says which stage does" {
  POLICY=baseline
  for runtime in runc crun; do
    oh_config "$runtime"
    b=$(CMD='echo ran' bundle "$runtime" "$USER")
    bare_config "$b/config.json" '.hooks = {createContainer: .hooks.createRuntime}'
    run bare run --bundle "$b" one
    echo "$output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"register the hook for createRuntime"* ]]
  done
}

@test "hostile input on standard input is refused, and no process of the host is touched" {
  sleep 600 3>&- &
  HELD=$!
  b=$(bundle one "$USER")
  state() { jq -nc --arg b "$b" "{ociVersion: \"1.0.2\", id: \"one\", bundle: \$b, status: \"creating\", pid: $HELD} | $1"; }
  tell() { run "$HOOK" --config "$T/config.json" --policy "$POLICY"; echo "$status $output"; }
  vetoed() { # vetoed TEXT < STATE
    tell
    [ "$status" -eq 1 ]
    [[ "$output" == "oci-harden: "*"$1"* ]]
    [ "${#lines[@]}" -eq 1 ]
  }
  vetoed "not an OCI state" </dev/null
  head -c 2000000 /dev/zero | tr '\0' ' ' >"$T/huge"
  vetoed "standard input" <"$T/huge"
  vetoed "not an OCI state" < <(head -c 1000 /dev/urandom)
  vetoed "not an OCI state" < <(printf '[%.0s' $(seq 1000))
  vetoed "/pid" < <(state '.pid = 0')
  vetoed "/pid" < <(state '.pid = 1')
  vetoed "/pid" < <(state '.pid = -1')
  vetoed "it is no container's" < <(state .)
  vetoed "process 4194303" < <(state '.pid = 4194303')
  vetoed "/bundle" < <(state '.bundle = "one"')
  vetoed "id" < <(state '.id = "../../one"')
  vetoed "" < <(state '.bundle = "/nowhere"')
  vetoed "running" < <(state '.status = "gone"')
  kill -0 "$HELD"
  [ "$(sed -n 's/^TracerPid:\t//p' "/proc/$HELD/status")" -eq 0 ]
}

@test "poststop: only the state of a container that is gone" {
  for runtime in runc crun; do
    oh_config "$runtime"
    b=$(CMD='sleep 600' bundle "$runtime" "$USER")
    oh run --detach --bundle "$b" one </dev/null >"$T/out" 2>&1
    stopped() { jq -nc --arg b "$1" '{ociVersion: "1.0.2", id: "one", bundle: $b, status: "stopped"}' | "$HOOK" --config "$T/config.json"; }
    run stopped "$b"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    ! no_state || false
    "$RUNTIME_PATH" --root "$T/root" kill one KILL
    wait_for 5 sh -c "\"$RUNTIME_PATH\" --root \"$T/root\" state one | grep -q stopped"
    stopped "$T" # another's bundle
    ! no_state || false
    stopped "$b"
    no_state
    "$RUNTIME_PATH" --root "$T/root" delete --force one
  done
}

@test "the registrations for podman and CRI-O are of their schema" {
  for file in "$ROOT"/hooks/*.json; do
    echo "$file"
    jq -e '(keys - ["version", "hook", "when", "stages"] == []) and .version == "1.0.0"
      and (.hook | keys - ["path", "args", "env", "timeout"] == [] and (.path | startswith("@SBINDIR@/")))
      and (.hook.args | type == "array" and all(type == "string")) and (.hook.timeout | type == "number")
      and (.when | keys - ["always", "annotations", "commands", "hasBindMounts"] == [])
      and (.stages | all(IN("precreate", "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")))
      and (.stages | index("createRuntime") != null)' "$file"
  done
}

@test "podman: a hooks directory, over runc and crun that podman calls itself" {
  mkdir -p "$T/hooks.d" "$T/p"
  sed "s|@SBINDIR@|$BUILD|; s|\"oci-harden-hook\"\]|\"oci-harden-hook\", \"--config\", \"$T/config.json\"]|" "$ROOT/hooks/oci-harden.json" >"$T/hooks.d/oci-harden.json"
  jq -rn '"[containers]
default_ulimits = [\"nofile=1024:1024\", \"nproc=4096:4096\"]
netns = \"none\"
[engine]
cgroup_manager = \"cgroupfs\"
events_logger = \"file\"
lock_type = \"file\"
num_locks = 64"' >"$T/containers.conf"
  export CONTAINERS_CONF=$T/containers.conf
  image_archive "$T/image.tar" localhost/busybox:test
  # What podman can be told to do itself; what it cannot is not asked for.
  jq -n '{extends: "baseline", seccomp: {action: "off"}, paths: {action: "off"}, namespaces: {action: "off"},
    devices: {action: "off"}, resources: {action: "off"}, rootfs: {action: "off"}, mounts: {action: "off"},
    capabilities: {action: "harden", allow: []}, "no-new-privileges": {action: "harden"}}' >"$T/policies/podman.json"
  oh_config runc '.defaultPolicy = "privileged"'
  podman_() { podman --root "$T/p/root" --runroot "$T/p/run" --tmpdir "$T/p/tmp" --storage-driver overlay --hooks-dir "$T/hooks.d" "$@"; }
  podman_ load -qi "$T/image.tar" >/dev/null
  for runtime in runc crun; do
    run_() { podman_ --runtime "$runtime" run --rm --cgroup-parent "/$(basename "$T")" --annotation oci-harden.policy=podman "$@"; }
    run --separate-stderr run_ --cap-drop all --security-opt no-new-privileges localhost/busybox:test sh -c 'grep TracerPid /proc/self/status; exit 5'
    echo "$runtime: $status $output $stderr"
    [ "$status" -eq 5 ]
    [ "$output" = $'TracerPid:\t0' ]
    [ -z "$stderr" ]
    [[ "$(last_event)" == 'container-start success '* ]]
    run run_ localhost/busybox:test echo ran
    echo "$runtime: $status $output"
    why='is not what the policy asks for: policy podman: capabilities: '
    [ "$status" -ne 0 ]
    # podman shows crun's log alone, in which crun says no more of a hook than its exit code: the event has the rest.
    [ "$runtime" = crun ] && [[ "$output" == *"error executing hook"* ]] || [[ "$output" == *"$why"*"(OH-HOK-004)"* ]]
    [[ "$(last_event)" == 'container-start failure OH-HOK-004' ]]
    [[ "$(tail -n 1 "$T/events.json" | jq -r '."event.reason"')" == *"$why"* ]]
    [[ "$output" != *$'\nran'* ]]
    # Who asks for no policy is not looked at.
    run podman_ --runtime "$runtime" run --rm --cgroup-parent "/$(basename "$T")" localhost/busybox:test echo ran
    echo "$runtime: $status $output"
    [ "$status" -eq 0 ]
    [ "$output" = ran ]
  done
  oh_unmount
}
