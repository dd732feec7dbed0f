#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Containers that are given a user namespace, by the runtimes alone.
load helper

setup() {
  oh_setup
  policy prefers '{"mode": "auto"}'
  policy requires '{"mode": "require"}'
  POLICY=requires
}
teardown() {
  oh_unmount
  oh_teardown
}

# policy NAME SECTION [JQ]
policy() {
  jq -n --argjson section "$2" '{extends: "restricted", "user-namespace": $section}' | jq "${3:-.}" >"$T/policies/$1.json"
}

start() { # start RUNTIME ID [JQ]: a sleeping container under the wrapper; its pid in PID
  local b
  oh_config "$1"
  b=$(CMD='sleep 600' bundle "$2" "${3:-.}")
  oh create --bundle "$b" --pid-file "$T/pid" "$2" </dev/null >"$T/create.out" 2>&1 || { cat "$T/create.out"; return 1; }
  oh start "$2"
  PID=$(cat "$T/pid")
  wait_for 10 grep -q sleep "/proc/$PID/cmdline"
}

base() { jq .map.base "$T"/state/*/"$1"/state.json; }

@test "root of the container is nobody on the host, by create, run and exec" {
  for runtime in runc crun; do
    start "$runtime" "c-$runtime"
    b=$(base "c-$runtime")
    [ $((b % 65536)) -eq 0 ]
    [ "$b" -ge 1879048192 ]
    grep -Eq "^Uid:.$b.$b.$b.$b$" "/proc/$PID/status"
    grep -Eq "^ +0 +$b +65536$" "/proc/$PID/uid_map"
    grep -Eq "^ +0 +$b +65536$" "/proc/$PID/gid_map"
    oh exec "c-$runtime" /bin/id >"$T/id"
    grep -q '^uid=0(root) gid=0(root)' "$T/id"
    oh delete --force "c-$runtime"
    # By run.
    dir=$(CMD='id; cat /proc/self/uid_map' bundle "r-$runtime")
    oh run --bundle "$dir" "r-$runtime" >"$T/out" </dev/null
    cat "$T/out"
    grep -q '^uid=0(root) gid=0(root)' "$T/out"
    grep -Eq '^ +0 +18[0-9]{8} +65536$' "$T/out"
  done
}
