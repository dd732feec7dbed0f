#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# oci-harden-hook: what run starts is held at its first instruction until it was compared with what was promised, and what
# a bare runtime makes is judged by the policy.
bats_require_minimum_version 1.5.0
load helper

setup() {
  oh_setup
  POLICY=restricted
}
teardown() {
  [ -z "${HELD-}" ] || kill $HELD 2>/dev/null || true
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

no_state() { local left; left=$(find "$T/state" -path "$T/state/.cache" -prune -o -not -type d -print); [ -z "$left" ] || { echo "left: $left"; return 1; }; }
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
      [ "$output" = $'out\nTracerPid:\t0' ] && [ "$stderr" = err ] && [ ! -s "$T/log" ]
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
    [ "$status" -eq 0 ] && [[ "$output" != *harden* ]]
    [ "$(grep -c '^[0-9]$' <<<"$output")" -eq 4 ] # 0 to 2, and what ls itself opens
    oh create --bundle "$b" two </dev/null >"$T/out" 2>&1
    oh start two
    oh delete --force two
    no_state
    # The bare runtime finds the hook in the config, and the config good.
    run bare run --bundle "$b" three
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
    ! no_state
    oh delete --force one
    no_state
    # Deleted by the bare runtime, which runs the hook of the container's end.
    oh run --detach --bundle "$b" two </dev/null >"$T/out" 2>&1
    "$RUNTIME_PATH" --root "$T/root" delete --force two
    no_state
    b=$(CMD='test -t 1 && echo terminal; exit 3' bundle "$runtime-t" "$USER | .process.terminal = true")
    run script -qec "$OH --config $T/config.json --policy $POLICY --root $T/root run --bundle $b three" /dev/null < <(:)
    echo "$output"
    [ "$status" -eq 3 ] && [[ "$output" == *terminal* ]]
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
  local n=0
  for runtime in runc crun; do
    weak_config "$runtime"
    b=$(CMD='echo ran' bundle "$runtime" "$USER")
    cp "$b/config.json" "$T/before"
    while read -r rule WEAK_JQ; do
      export WEAK_JQ
      # The message of one that is detached comes when the runtime has ended.
      for detach in '' --detach; do
        [ -z "$detach" ] || [[ "$rule" == OH-PRF-01[024] ]] || continue
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
    done <<<"$WEAKNESSES"
  done
  echo "$n weaknesses refused"
  [ "$n" -ge 32 ]
}

@test "run: without the hook, or with one that others may write, nothing starts" {
  b=$(CMD='echo ran' bundle one)
  cp "$b/config.json" "$T/before"
  refused() { # refused RULE
    run oh run --bundle "$b" one
    echo "$output"
    [ "$status" -eq 1 ] && [[ "$output" == *"($1)" ]]
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
  [ "$status" -eq 0 ] && [ "$output" = ran ]
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
    [ "$status" -eq 1 ] && [[ "$output" == *"(OH-HOK-001)" ]]
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
    ! grep -q '^ran$' "$T/out"
  done
}
