#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# VM: plain
# WHY: Linux 6.1 with cgroup v2
# A container's whole life under each policy, on the kernel of Debian 12.
load ../integration/helper

setup() {
  local policy
  oh_setup
  : >"$T/empty" # not /dev/null, which crun would hand to the container's user
  # The security modules' own files judge what they do.
  for policy in privileged baseline restricted strict; do
    jq -n --arg p "$policy" '{name: ("on-" + $p), extends: $p, apparmor: {mode: "off"}, selinux: {mode: "off"}}' >"$T/policies/on-$policy.json"
  done
}
teardown() { oh_teardown; }

# Read-only with everything below it, by mount_setattr; a user that strict accepts.
SPEC='.process.user = {uid: 1000, gid: 1000} | .mounts += [{destination: "/data", type: "bind", source: "SOURCE",
  options: ["rbind", "rro", "nosuid", "nodev", "noexec"]}]'

event() { tail -n 1 "$T/events.json" | jq -r "$1"; }

lives() {
  local policy id pid filters base
  oh_config "$1"
  mkdir -p "$T/data/below"
  for policy in privileged baseline restricted strict; do
    id=$policy POLICY=on-$policy
    CMD='echo ran; sleep 600' bundle "$id" "${SPEC/SOURCE/$T/data}" >/dev/null
    oh create --bundle "$T/$id" --pid-file "$T/pid" "$id" <"$T/empty" >"$T/out" 2>&1 || { cat "$T/out"; return 1; }
    pid=$(cat "$T/pid")
    oh start "$id"
    [ "$(event '[."event.outcome", .oci_harden.proof.broken, .oci_harden.proof.unread, (.oci_harden.proof.held > 20)] | join(" ")')" = 'success 0 0 true' ]
    wait_for 10 grep -q ran "$T/out"
    # The floor, which the container's own filter comes on top of.
    filters=$(sed -n 's/^Seccomp_filters:\t//p' "/proc/$pid/status")
    if [ "$policy" = privileged ]; then [ "$filters" -eq 1 ]; else [ "$filters" -ge 2 ]; fi
    # Root's ids and the others are the host's under two of them, and of the container's own block under two.
    case $policy in
    privileged | baseline) grep -q '^Uid:.1000.1000.1000.1000$' "/proc/$pid/status" ;;
    *)
      base=$(jq .map.base "$T"/state/*/"$id"/state.json)
      [ "$base" -ge 1879048192 ]
      grep -q "^Uid:.$((base + 1000)).$((base + 1000))" "/proc/$pid/status"
      ;;
    esac
    run oh exec "$id" /bin/sh -c 'id -u; grep ^NoNewPrivs: /proc/self/status; echo x >/data/below/file'
    echo "$1 $policy: $output"
    # Of itself crun executes as root, whoever the container runs as.
    [ "${lines[0]}" = "$([ "$1 $policy" = "crun privileged" ] && echo 0 || echo 1000)" ]
    [[ "$output" == *"Read-only file system"* || "$output" == *"Permission denied"* ]]
    case $policy in restricted | strict) [ "${lines[1]}" = $'NoNewPrivs:\t1' ] ;; esac
    "$CTL" --config "$T/config.json" inspect --policy "$POLICY" --json "$T/root/$id" >"$T/inspect" || { cat "$T/inspect"; [ "$policy" = privileged ]; }
    oh delete --force "$id"
    [ ! -d "/proc/$pid" ] || grep -q '^State:.Z' "/proc/$pid/status"
    [ -z "$(find "$T/state" -name "$id")" ]
  done
}

@test "runc: create, start with its proof, exec, inspect and delete under each policy" { lives runc; }
@test "crun: create, start with its proof, exec, inspect and delete under each policy" { lives crun; }

@test "run holds the program at its first instruction, and proves it there" {
  local runtime policy
  for runtime in runc crun; do
    oh_config "$runtime"
    for policy in baseline strict; do
      POLICY=on-$policy
      CMD='echo ran; exit 7' bundle "$runtime-$policy" '.process.user = {uid: 1000, gid: 1000}' >/dev/null
      run oh run --bundle "$T/$runtime-$policy" one
      echo "$runtime $policy: $output"
      [ "$status" -eq 7 ]
      [ "$output" = ran ]
      [ "$(event '[."event.outcome", .oci_harden.proof.broken, .oci_harden.proof.unread] | join(" ")')" = 'success 0 0' ]
    done
  done
}
