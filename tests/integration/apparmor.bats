#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A profile that is asked for and that nothing enforces: AppArmor is off here, or, where it is on, has no such profile.
# crun would run the container without it. With AppArmor on: tests/vm/apparmor.bats.
load helper
setup() { oh_setup; }
teardown() { oh_teardown; }

@test "a profile that nothing would enforce is refused, on create, run and exec" {
  for runtime in runc crun; do
    oh_config "$runtime"
    for policy in baseline restricted strict; do
      b=$(CMD=true bundle asks '.process.apparmorProfile = "no-such-profile" | .process.user = {uid: 1000, gid: 1000}')
      for verb in create run; do
        POLICY=$policy run oh "$verb" --bundle "$b" asks
        echo "$runtime $policy $verb: $output"
        [ "$status" -eq 1 ]
        [[ "$output" == *"/process/apparmorProfile: "*"no-such-profile"* ]]
        [ ! -e "$T/root/asks" ]
      done
      rm -rf "$T/asks"
    done
    b=$(CMD='sleep 100' bundle runs 'del(.process.apparmorProfile)')
    POLICY=restricted oh run --detach --bundle "$b" runs >/dev/null 2>&1 </dev/null
    run oh exec --apparmor no-such-profile runs true
    echo "$runtime exec: $output"
    [ "$status" -eq 255 ]
    [[ "$output" == *OH-AAR-* ]]
    run oh exec runs true
    [ "$status" -eq 0 ]
    oh delete --force runs
    rm -rf "$T/runs"
  done
}

@test "what AppArmor cannot do here is recorded where it is preferred, and refused where it is required" {
  [ ! -e /sys/kernel/security/apparmor/profiles ] || return 0
  b=$(CMD=true bundle plain 'del(.process.apparmorProfile)')
  POLICY=baseline run oh run --bundle "$b" plain
  [ "$status" -eq 0 ]
  jq -s 'map(.oci_harden.journal[]? | select(.rule == "OH-AAR-003")) | length' "$T/events.json" | grep -qx '[1-9].*'
  jq -n '{extends: "baseline", apparmor: {mode: "require"}}' >"$T/policies/require.json"
  POLICY=require run oh create --bundle "$b" plain
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *OH-AAR-002* ]]
}
