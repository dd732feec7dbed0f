#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# VM: plain
# WHY: yama
# Where the kernel restricts tracing, by which the proof reads filters and `run` holds its program. Its name makes it the
# last file of its machine: from 3 there is no way back.
load ../integration/helper

setup() {
  oh_setup
  : >"$T/empty" # not /dev/null, which crun would hand to the container's user
  POLICY=untraced
  jq -n '{name: "untraced", extends: "restricted", apparmor: {mode: "off"}, selinux: {mode: "off"}}' >"$T/policies/untraced.json"
}
teardown() { oh_teardown; }

SCOPE=/proc/sys/kernel/yama/ptrace_scope
USER='.process.user = {uid: 1000, gid: 1000}'

@test "where only root may trace the proof works" {
  local runtime
  echo 2 >"$SCOPE"
  for runtime in runc crun; do
    oh_config "$runtime"
    CMD='echo ran; sleep 600' bundle "$runtime" "$USER" >/dev/null
    oh create --bundle "$T/$runtime" one <"$T/empty" >"$T/out" 2>&1 || { cat "$T/out"; return 1; }
    oh start one
    wait_for 10 grep -q ran "$T/out"
    [ "$(tail -n 1 "$T/events.json" | jq -c '.oci_harden.proof | [.broken, .unread]')" = '[0,0]' ]
    oh delete --force one
  done
}

@test "where nobody may trace that is said, and nothing runs" {
  local runtime
  echo 3 >"$SCOPE"
  for runtime in runc crun; do
    oh_config "$runtime"
    CMD='echo ran; sleep 600' bundle "$runtime" "$USER" >/dev/null
    oh create --bundle "$T/$runtime" one <"$T/empty" >"$T/out" 2>&1 || { cat "$T/out"; return 1; }
    run oh start one
    echo "$runtime: $output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"kernel.yama.ptrace_scope=3"*"(OH-PRF-012)" ]]
    [ -z "$("$RUNTIME_PATH" --root "$T/root" list -q)" ]
    run oh run --bundle "$T/$runtime" one
    echo "$runtime: $output"
    [ "$status" -ne 0 ]
    # crun says no more of a hook than its exit code.
    case $runtime in
    runc) [[ "$output" == *"kernel.yama.ptrace_scope=3"* ]] ;;
    crun) [[ "$output" == *"error executing hook"* ]] ;;
    esac
    [[ "$output" != *ran* ]]
    ! grep -q ran "$T/out" || false
  done
}
