#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The attack battery: every primitive of tests/attack in real containers, each result compared with tests/attack/expected.tsv.
load helper
load ../attack/battery

setup_file() {
  oh_setup
  export T
  battery_run "$T/results.tsv"
  mkdir -p "$BUILD/attack"
  "$ROOT/tests/attack/table" print "$ROOT/tests/attack/expected.tsv" "$T/results.tsv" >"$BUILD/attack/table.txt"
}
teardown_file() { oh_teardown; }

@test "every attack ends as expected: stricter policies reach no more, exec no more than create, crun what runc does" {
  "$ROOT/tests/attack/table" check "$ROOT/tests/attack/expected.tsv" "$T/results.tsv"
}

@test "the probe has the table's primitives, 120 and more, in every container" {
  "$BUILD/helpers/probe" --list | sort >"$T/names"
  [ "$(wc -l <"$T/names")" -ge 120 ]
  [ -z "$(uniq -d "$T/names")" ]
  [ "$(cut -f 1 "$T/results.tsv" | sort -u | wc -l)" -eq 29 ]
  [ "$(wc -l <"$T/results.tsv")" -eq $((29 * $(wc -l <"$T/names"))) ]
}

@test "strict: no process is executed as root of the host, in a container with a user namespace and in one without" {
  CAPS=$(every_capability)
  battery_policies
  oh_config runc
  local b base pid
  : >"$T/empty"
  jq -n --argjson caps "$CAPS" '{args: ["/bin/sleep", "600"], cwd: "/", user: {uid: 0, gid: 0}, noNewPrivileges: false, capabilities: $caps}' >"$T/root.json"
  b=$(CMD='sleep 600' bundle refused '.process.user = {uid: 1000, gid: 1000}')
  POLICY=strict-unmapped oh create --bundle "$b" refused <"$T/empty" >/dev/null 2>&1
  run oh exec --process "$T/root.json" refused
  echo "$output"
  [ "$status" -eq 255 ]
  [[ "$output" == *"(OH-USR-002)"* ]]
  run oh exec --user 0 --cap CAP_SYS_ADMIN refused /bin/id
  echo "$output"
  [ "$status" -eq 255 ]
  [[ "$output" == *"(OH-USR-002)"* ]]
  # Root of the namespace is an id of the container's block, which nobody has, without a capability.
  b=$(CMD='sleep 600' bundle mapped '.process.user = {uid: 1000, gid: 1000}')
  POLICY=strict oh create --bundle "$b" mapped <"$T/empty" >/dev/null 2>&1
  oh start mapped
  base=$(jq .map.base "$T"/state/*/mapped/state.json)
  [ "$base" -ge 1879048192 ]
  oh exec --detach --pid-file "$T/pid" --process "$T/root.json" mapped <"$T/empty" >/dev/null 2>&1
  pid=$(cat "$T/pid")
  grep -E '^(Uid|Gid|Cap)' "/proc/$pid/status"
  grep -q "^Uid:.$base.$base.$base.$base$" "/proc/$pid/status"
  grep -q "^Gid:.$base.$base.$base.$base$" "/proc/$pid/status"
  [ "$(sed -n 's/^Cap...:\t0*\([0-9a-f]\)/\1/p' "/proc/$pid/status" | tr '\n' ' ')" = '0 400 400 400 0 ' ]
}

@test "the README's counts are the table's" {
  tr '\n' ' ' <"$ROOT/README.md" | grep -qF "$("$ROOT/tests/attack/table" counts "$ROOT/tests/attack/expected.tsv")"
}

# A table that never fails proves nothing.
@test "the comparison finds a reach, a denial, an order and a missing primitive that are not as expected" {
  local table=$ROOT/tests/attack/table expected=$ROOT/tests/attack/expected.tsv
  differs() { # differs TEXT SED: with the results so changed, the comparison fails and says so
    sed "$2" "$T/results.tsv" >"$T/changed.tsv"
    ! cmp -s "$T/results.tsv" "$T/changed.tsv" || return 1
    run "$table" check "$expected" "$T/changed.tsv"
    [ "$status" -eq 1 ] && [[ "$output" == *"$1"* ]] || { echo "$1: $output"; return 1; }
  }
  differs 'setuid: crun-strict-exec: Y (EPERM), expected n' 's/^\(crun-strict-exec\tsetuid\t\)denied/\1reached/'
  differs 'setuid: crun-strict: exec reaches more than create' 's/^\(crun-strict-exec\tsetuid\t\)denied/\1reached/'
  differs 'setuid: runc-restricted-create reaches what restricted-unmapped denies' 's/^\(runc-restricted-create\tsetuid\t\)denied/\1reached/'
  differs 'setuid: runc-restricted-unmapped-create reaches what baseline denies' 's/^\(runc-restricted-unmapped-create\tsetuid\t\)denied/\1reached/; s/^\(runc-baseline-create\tsetuid\t\)reached/\1denied/'
  differs 'mknod-char: crun-mapped-exec: Y (EPERM), expected n' 's/^\(crun-mapped-exec\tmknod-char\t\)denied/\1reached/'
  differs 'host-user-namespace: runc-strict-create: Y (its own), expected n' 's/^\(runc-strict-create\thost-user-namespace\t\)denied/\1reached/'
  differs 'setuid: strict-create: runc and crun differ' 's/^\(runc-strict-create\tsetuid\t\)denied/\1reached/'
  differs 'chroot: runc-docker-create: n ()' 's/^\(runc-docker-create\tchroot\t\)reached/\1denied/'
  differs 'chroot: not reached in an unconfined container' 's/^\(runc-unconfined-create\tchroot\t\)reached/\1denied/'
  differs 'mount-bind: crun-strict-exec: an answer that is none' 's/^\(crun-strict-exec\tmount-bind\t\)denied/\1odd/'
  differs 'nice: in one of table and probe only' '/\tnice\t/d'
}
