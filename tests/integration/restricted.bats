#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Containers under `restricted`, judged by what the kernel says of them.
load helper

setup() {
  oh_setup
  POLICY=restricted
}
teardown() { oh_teardown; }

DUMP=$BUILD/helpers/filter-dump

start() { # start RUNTIME ID [JQ]: a sleeping container under the wrapper; its pid in PID
  oh_config "$1"
  local b
  b=$(CMD='sleep 600' bundle "$2" "${3:-.}")
  oh create --bundle "$b" --pid-file "$T/pid" "$2" </dev/null >"$T/create.out" 2>&1 || { cat "$T/create.out"; return 1; }
  oh start "$2"
  PID=$(cat "$T/pid")
  # The runtime's init must have become the container's program.
  wait_for 10 grep -q sleep "/proc/$PID/cmdline"
}

in_container() { oh exec "$1" /bin/sh -c "$2"; }

@test "capabilities, no_new_privs and the filter are as promised, by create" {
  for runtime in runc crun; do
    start "$runtime" "c-$runtime"
    grep -E '^(Cap|NoNew|Seccomp)' "/proc/$PID/status"
    grep -q '^CapInh:.*0000000000000000$' "/proc/$PID/status"
    grep -q '^CapPrm:.*0000000000000400$' "/proc/$PID/status"
    grep -q '^CapEff:.*0000000000000400$' "/proc/$PID/status"
    grep -q '^CapBnd:.*0000000000000400$' "/proc/$PID/status"
    grep -q '^CapAmb:.*0000000000000000$' "/proc/$PID/status"
    grep -q '^NoNewPrivs:.1$' "/proc/$PID/status"
    run "$DUMP" "$PID"
    echo "$output"
    [ "$status" -eq 0 ]
    # The floor and the container's own.
    [[ "${lines[0]}" = "filters 2" ]]
    case $(uname -m) in
    x86_64)
      [[ "$output" == *"SCMP_ARCH_X86 0"* ]]
      [[ "$output" == *"SCMP_ARCH_X32 0"* ]]
      native=$(sed -n 's/^SCMP_ARCH_X86_64 //p' <<<"$output")
      [ "$native" -gt 100 ]
      [ "$native" -le 285 ]
      ;;
    esac
  done
}

@test "strict reaches at most 230 system calls, and none of a compat ABI" {
  POLICY=strict
  for runtime in runc crun; do
    start "$runtime" "s-$runtime" '.process.user = {uid: 1000, gid: 1000}'
    run "$DUMP" "$PID"
    echo "$output"
    native=$(sed -n "s/^SCMP_ARCH_\(X86_64\|AARCH64\) //p" <<<"$output")
    [ "$native" -gt 50 ]
    [ "$native" -le 230 ]
    for abi in X86 X32 ARM; do
      n=$(sed -n "s/^SCMP_ARCH_$abi //p" <<<"$output")
      [ -z "$n" ] || [ "$n" -eq 0 ]
    done
  done
}

@test "a profile in a file is one to harden, to deny and to audit by" {
  local made action b
  cp "$ROOT/profiles/seccomp/baseline.json" "$T/profile.json"
  : >"$T/empty"
  for action in harden deny audit; do
    jq -n --arg a "$action" --arg p "$T/profile.json" '{extends: "restricted", seccomp: {action: $a, profile: $p}}' >"$T/policies/$action.json"
  done
  jq -n --arg p "$T/profile.json" '{extends: "restricted", mode: "audit", seccomp: {profile: $p}}' >"$T/policies/rollout.json"
  for runtime in runc crun; do
    oh_config "$runtime"
    attempt() { # attempt POLICY [JQ]: the container's own word
      b=$(CMD='echo ran' bundle "$runtime-$1" "${2:-.}")
      POLICY=$1 run oh run --bundle "$b" "$runtime-$1" <"$T/empty"
      echo "$output"
    }
    for action in harden audit rollout; do
      attempt "$action"
      [ "$output" = ran ]
    done
    attempt deny
    [[ "$output" == "oci-harden: "*"(OH-SEC-003)" ]]
    made=$(jq -c .linux.seccomp "$T/$runtime-harden/config.json")
    attempt deny ".linux.seccomp = $made"
    [ "$output" = ran ]
    attempt deny ".linux.seccomp = ($made | .syscalls |= map(.names -= [\"mount\"]) + [{names: [\"mount\"], action: \"SCMP_ACT_ALLOW\"}])"
    [[ "$output" == "oci-harden: "*"(OH-SEC-003)" ]]
  done
}

@test "a 32-bit program runs where the policy leaves the engine's filter, and only there" {
  [ "$(uname -m)" = x86_64 ] || return 0
  local b
  echo '{"extends": "restricted", "seccomp": {"nativeOnly": false, "profile": ""}}' >"$T/policies/i386.json"
  for runtime in runc crun; do
    oh_config "$runtime"
    b=$(CMD='/i386; echo "ended with $?"' bundle "i-$runtime")
    i386_program "$b/rootfs/i386"
    cp "$b/config.json" "$T/original.json"
    POLICY=i386 run oh run --bundle "$b" "i-$runtime"
    echo "$output"
    [ "$output" = "ended with 42" ]
    cp "$T/original.json" "$b/config.json"
    rm -f "$b/config.engine.json"
    run oh run --bundle "$b" "n-$runtime"
    echo "$output"
    [[ "$output" == *"ended with 159"* ]]
  done
}

@test "a call of the compat ABI does not come back" {
  [ "$(uname -m)" = x86_64 ] || return 0
  for runtime in runc crun; do
    oh_config "$runtime"
    b=$(CMD='/compat; echo "ended with $?"' bundle "k-$runtime")
    cp "$BUILD/helpers/compat-call" "$b/rootfs/compat"
    run bare run --bundle "$b" "kb-$runtime"
    echo "$output"
    [[ "$output" == *"i386 getpid returned "* ]]
    run oh run --bundle "$b" "k-$runtime"
    echo "$output"
    [[ "$output" != *"i386 getpid returned "* ]]
    [[ "$output" == *"ended with 159"* ]] # 128 + SIGSYS
  done
}

@test "the root is read-only, tmpfs paths are usable and noexec, masks are real" {
  for runtime in runc crun; do
    start "$runtime" "m-$runtime"
    root="/proc/$PID/root"
    awk '$5 == "/" {print $6}' "/proc/$PID/mountinfo" | tail -n 1 | grep -qw ro
    run in_container "m-$runtime" 'touch /x || echo readonly; cp /bin/busybox /tmp/busybox && echo copied; /tmp/busybox true || echo noexec'
    echo "$output"
    [[ "$output" == *readonly*copied*noexec* ]]
    # A masked file opens (it is /dev/null): what counts is the device behind it.
    [ "$(stat -L -c "%t:%T" "$root/proc/kallsyms")" = 1:3 ]
    [ "$(stat -L -c '%t:%T' "$root/proc/interrupts")" = 1:3 ]
    awk '$5 == "/tmp" {print $6}' "/proc/$PID/mountinfo" | grep -w nosuid | grep -w nodev | grep -qw noexec
    [ -z "$(ls -A "$root/sys/firmware")" ]
  done
}

@test "limits that the config does not name are the policy's where the engine's would be higher" {
  jq -n '{extends: "restricted", resources: {nofileMax: 300, coreMax: 4096}, process: {oomScoreAdjMin: 123}}' >"$T/policies/low.json"
  chmod 600 "$T/policies/low.json"
  [ "$(ulimit -Hn)" -gt 300 ]
  ulimit -Hc 4000 # in blocks of 1024 bytes
  for runtime in runc crun; do
    POLICY=low start "$runtime" "l-$runtime" 'del(.process.rlimits, .process.oomScoreAdj)'
    cat "/proc/$PID/limits"
    grep -qE '^Max open files +300 +300 ' "/proc/$PID/limits"
    grep -qE '^Max core file size +[0-9]+ +4096 ' "/proc/$PID/limits"
    [ "$(cat "/proc/$PID/oom_score_adj")" -eq 123 ]
    # So has what is started in it later, without a word of limits.
    jq -n '{cwd: "/", user: {uid: 0, gid: 0}, env: ["PATH=/bin"], args: ["/bin/cat", "/proc/self/limits", "/proc/self/oom_score_adj"]}' >"$T/p.json"
    run oh exec --process "$T/p.json" "l-$runtime"
    echo "$output"
    [ "$status" -eq 0 ]
    grep -qE '^Max open files +300 +300 ' <<<"$output"
    [ "${lines[-1]}" -eq 123 ]
  done
}

@test "exec gets no more than the container, whatever it asks for" {
  for runtime in runc crun; do
    start "$runtime" "e-$runtime"
    # As the engines send it: every capability, no_new_privs off.
    jq '.capabilities |= map_values(["CAP_SYS_ADMIN", "CAP_NET_RAW", "CAP_SYS_PTRACE"] + .) | .noNewPrivileges = false
      | .user = {uid: 0, gid: 0} | .args = ["/bin/sh", "-c", "cat /proc/self/status"] | del(.apparmorProfile, .selinuxLabel)' \
      "$ROOT/tests/fixtures/docker/exec-privileged.process.json" >"$T/p.json"
    cp "$T/p.json" "$T/p.before"
    run oh exec --process "$T/p.json" "e-$runtime"
    echo "$output" | grep -E '^(Cap|NoNew)' || echo "$output"
    [ "$status" -eq 0 ]
    grep -q '^CapEff:.*0000000000000400$' <<<"$output"
    grep -q '^CapBnd:.*0000000000000400$' <<<"$output"
    grep -q '^CapInh:.*0000000000000000$' <<<"$output"
    grep -q '^CapAmb:.*0000000000000000$' <<<"$output"
    grep -q '^NoNewPrivs:.1$' <<<"$output"
    cmp "$T/p.json" "$T/p.before"
    # The form of the command line; crun has no --no-new-privs=false.
    run oh exec --cap CAP_SYS_ADMIN --cap CAP_NET_RAW "e-$runtime" /bin/cat /proc/self/status
    [ "$status" -eq 0 ]
    grep -q '^CapEff:.*0000000000000400$' <<<"$output"
    grep -q '^CapBnd:.*0000000000000400$' <<<"$output"
    grep -q '^NoNewPrivs:.1$' <<<"$output"
    # A pipe for a process file is read once and works.
    run oh exec --process <(jq '.args = ["/bin/echo", "piped"]' "$T/p.json") "e-$runtime"
    echo "$output"
    [ "$output" = piped ]
    # A host descriptor cannot come along.
    run oh exec --preserve-fds 1 "e-$runtime" /bin/ls /proc/self/fd/3 3</etc
    echo "$output"
    [ "$status" -eq 255 ]
    [[ "$output" == *OH-* ]]
  done
}

@test "an exec into a container that was started before us gets the node's default policy" {
  for runtime in runc crun; do
    oh_config "$runtime"
    b=$(CMD='sleep 600' bundle "o-$runtime")
    "$RUNTIME_PATH" --root "$T/root" run --detach --bundle "$b" "o-$runtime" </dev/null >"$T/log" 2>&1
    run "$OH" --config "$T/config.json" --root "$T/root" exec "o-$runtime" /bin/cat /proc/self/status
    echo "$output" | grep -E '^(Cap|NoNew)' || echo "$output"
    [ "$status" -eq 0 ]
    grep -q '^CapEff:.*0000000000000400$' <<<"$output"
    grep -q '^NoNewPrivs:.1$' <<<"$output"
  done
}

@test "ordinary programs of an image still run" {
  for runtime in runc crun; do
    oh_config "$runtime"
    b=$(CMD='set -e; id -u; ls / >/dev/null; echo a | grep a | sed s/a/b/; dd if=/dev/zero of=/tmp/f bs=1k count=10 2>/dev/null
      stat -c %s /tmp/f; (sleep 0; echo child) & wait; hostname; date +%Y >/dev/null; echo done' bundle "w-$runtime")
    ln -sf busybox "$b/rootfs/bin/date"
    run oh run --bundle "$b" "w-$runtime"
    echo "$output"
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = "done" ]
  done
}

@test "annotations that differ in case only reach the runtime both, and every verb works" {
  for runtime in runc crun; do
    start "$runtime" "k-$runtime" '.annotations = {"com.example/Team": "a", "com.example/team": "b"}'
    [ "$(oh state "k-$runtime" | jq -c '.annotations | with_entries(select(.key | startswith("com.example")))')" = \
      '{"com.example/Team":"a","com.example/team":"b"}' ]
    in_container "k-$runtime" true
    oh delete --force "k-$runtime"
  done
}

@test "delete leaves nothing of ours, in every case" {
  for runtime in runc crun; do
    start "$runtime" "d-$runtime"
    [ -n "$(find "$T/state" -name "d-$runtime")" ]
    run oh delete "d-$runtime" # running: fails, and the state must stay
    [ "$status" -ne 0 ]
    [ -n "$(find "$T/state" -name "d-$runtime")" ]
    oh delete --force "d-$runtime"
    run oh delete --force "d-$runtime"
    run oh delete never-was
    run find "$T/state" -mindepth 1 \( -name .cache -o -name .leases \) -prune -o -print
    echo "$output"
    [ -z "$output" ]
  done
}
