# SPDX-License-Identifier: Apache-2.0
# Shared by the tests of what goes wrong around a container: `load helper`, then `load faults`.
# shellcheck shell=bash

setup() {
  oh_setup
  use echo
  # restricted makes a user namespace besides, in as many calls again: those are for the tests that name it.
  jq -n '{extends: "restricted", "user-namespace": {mode: "off"}}' >"$T/policies/unmapped.json"
  POLICY=unmapped
}
teardown() {
  local dir
  for dir in "$T/full" "$T/volume" "$T/etc" "$T/netns"; do mountpoint -q "$dir" 2>/dev/null && umount "$dir"; done
  oh_teardown
}

use() { # use echo|standing|fault [JQ]: the runtime is one that only tells
  oh_config runc "${2:-.}"
  local path=$BUILD/helpers/$1
  case $1 in echo) path=$BUILD/helpers/argv-echo ;; fault) path=$BUILD/fault/runtime ;; esac
  jq --arg p "$path" '.runtimes = [{path: $p, type: "runc"}]' "$T/config.json" >"$T/c.tmp"
  cat "$T/c.tmp" >"$T/config.json"
}

create() { # create BUNDLE ID: 42 is the runtime's
  "$OH" --config "$T/config.json" --policy "$POLICY" --root "$T/root" create --bundle "$1" "$2"
}

# walk MODES VERB ARGS...: every system call of the verb fails in turn, or is the last; tests/fault/walk.c says what is
# judged. (tests/fault/runtime.c is the runtime.) STEP: only every so many calls.
walk() {
  local mode modes=$1
  shift
  for mode in $modes; do
    "$BUILD/fault/walk" "$mode" --bundle "$b" --state "$T/state" --log "$T/log" --events "$T/events.json" \
      --step "${STEP:-1}" --from "${FROM:-0}" --errors "${ERRORS:-9}" ${PREPARE:+--prepare "$PREPARE"} \
      ${CHECK:+--check "$CHECK"} ${INSTEAD:+--or "$INSTEAD"} \
      -- "$OH" --config "$T/config.json" --policy "$POLICY" --root "$T/root" --log "$T/log" --log-format json "$@" \
      -- "$OH" --config "$T/config.json" --root "$T/root" delete --force c1 >"$T/walked" || { cat "$T/walked" "$T/prepared" 2>/dev/null; return 1; }
    [ "$mode" = tell ] || echo "# $1: $(cat "$T/walked")" >&3
  done
}

# A bundle with all that is looked at: binds of both kinds, links in the rootfs, a joined namespace, a second policy.
rich_bundle() {
  mkdir -p "$T/source" "$T/volume"
  touch "$T/netns"
  unshare --net="$T/netns" true
  b=$(bundle one ".mounts += [{destination: \"/data\", type: \"bind\", source: \"$T/source\", options: [\"rbind\", \"ro\"]},
      {destination: \"/var/lib/x\", type: \"bind\", source: \"$T/volume\", options: [\"bind\"]}]
    | (.linux.namespaces[] | select(.type == \"network\")).path = \"$T/netns\"
    | .annotations[\"oci-harden.policy\"] = \"baseline\" | .process.cwd = \"/home\" | .process.args[0] = \"sh\"")
  ln -s ../run "$b/rootfs/var/run"
  ln -s /home/lib "$b/rootfs/var/lib"
  mkdir -p "$b/rootfs/home/lib"
}
