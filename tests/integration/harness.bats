#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The harness itself: a bundle of it runs under both bare runtimes, or no other test here means anything.
load helper
setup() { oh_setup; }
teardown() { oh_teardown; }

@test "a bundle of the harness runs under bare runc and crun" {
  for runtime in runc crun; do
    oh_config "$runtime"
    CMD='id -u; cat /proc/self/status' b=$(bundle "$runtime")
    run bare run --bundle "$b" "c-$runtime"
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = 0 ]
    [[ "$output" == *"Seccomp:"*2* ]]
  done
}

@test "a test of the machines that names none of them is an error, and not left out" {
  mkdir "$T/tests"
  cp -r "$ROOT/tests/vm" "$T/tests/"
  echo '@test "x" { true; }' >"$T/tests/vm/a.bats"
  run "$T/tests/vm/run"
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"tests/vm/a.bats lacks a line"* ]]
}
