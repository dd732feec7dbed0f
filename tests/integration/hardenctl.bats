#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The operator's tool, as an operator or a CI job calls it.
load helper
setup() { oh_setup; }
teardown() { oh_teardown; }

ctl() { "$CTL" --config "$T/config.json" "$@"; }
DEFAULT=$ROOT/tests/fixtures/docker-28/default.json

@test "harden is a filter, says what it could not judge, and its output meets the policy" {
  ctl harden --policy restricted <"$DEFAULT" >"$T/out.json" 2>"$T/err"
  grep -q 'not judged' "$T/err"
  [ "$(jq -r '.process.noNewPrivileges' "$T/out.json")" = true ]
  [ "$(jq -c '.process.capabilities.bounding' "$T/out.json")" = '["CAP_NET_BIND_SERVICE"]' ]
  [ "$(jq -r '.root.readonly' "$T/out.json")" = true ]
  ctl harden --policy restricted "$T/out.json" 2>/dev/null | cmp - "$T/out.json"
  ctl check --policy restricted --refusals-only "$T/out.json"
  # The bytes that the runtime would get.
  [ "$(ctl harden --policy restricted --compact "$DEFAULT" 2>/dev/null | wc -l)" -eq 1 ]
}

@test "harden judges a process file by what it is" {
  ctl harden --policy restricted "$ROOT/tests/fixtures/docker/exec-privileged.process.json" >"$T/out.json" 2>/dev/null
  [ "$(jq -c '.capabilities.bounding' "$T/out.json")" = '["CAP_NET_BIND_SERVICE"]' ]
  [ "$(jq -r '.noNewPrivileges' "$T/out.json")" = true ]
}

@test "a refusal exits 1 and names file, place, rule and value" {
  jq '.process.cwd = "/proc/self/fd/7"' "$DEFAULT" >"$T/bad.json"
  run ctl harden --policy restricted "$T/bad.json"
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"bad.json:"*":"*"/process/cwd"* ]]
  [[ "$output" == *"/proc/self/fd/7"* ]]
  run ctl diff --policy restricted "$T/bad.json"
  [ "$status" -eq 1 ]
  [[ "$output" == *refused:* ]]
  echo '{"ociVersion": "1.0.2", "process": {"args": ["a"]}, "Process": {}}' >"$T/fold.json"
  run ctl harden --policy restricted "$T/fold.json"
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"fold.json:1:"*Process* ]]
}

@test "check: 0 for what meets the policy, 1 for findings, 2 for what cannot be judged" {
  run ctl check --policy restricted "$DEFAULT"
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *OH-CAP-* ]]
  [[ "$output" == *OH-NNP-* ]]
  run ctl check --policy restricted "$T/none.json"
  [ "$status" -eq 2 ]
  run ctl check --policy no-such-policy "$DEFAULT"
  [ "$status" -eq 2 ]
  [[ "$output" == *no-such-policy* ]]
  # Many documents, and standard input; the worst answer is the exit status.
  run ctl check --policy privileged "$DEFAULT" "$T/none.json" -
  [ "$status" -eq 2 ]
  run ctl check --policy restricted --json "$DEFAULT" "$ROOT/tests/fixtures/podman/default.json"
  [ "$status" -eq 1 ]
  [ "$(jq -s length <<<"$output")" -eq 2 ]
  [ "$(jq -rs '.[0].result' <<<"$output")" = findings ]
  [ "$(jq -rs '.[0].journal | map(select(.rule | startswith("OH-CAP"))) | length > 0' <<<"$output")" = true ]
}

@test "check lists every refusal, not the first alone" {
  jq '.process.cwd = "/proc/1" | .linux.namespaces |= map(select(.type != "network"))
    | .mounts += [{destination: "/e", type: "bind", source: "/etc", options: ["rbind"]}]' "$DEFAULT" >"$T/bad.json"
  run ctl check --policy restricted "$T/bad.json"
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *OH-PRC-* ]]
  [[ "$output" == *OH-NSP-* ]]
  [[ "$output" == *OH-MNT-* ]]
  n=$(grep -c '^  refuse' <<<"$output")
  [ "$n" -ge 3 ]
}

@test "no environment value appears in any output" {
  jq '.process.env += ["DB_PASSWORD=hunter2secret", "API_TOKEN=hunter2secret"]' "$DEFAULT" >"$T/secret.json"
  for policy in baseline restricted strict; do
    run ctl check --policy "$policy" "$T/secret.json"
    [[ "$output" != *hunter2secret* ]]
    [[ "$output" == *DB_PASSWORD* || "$policy" = baseline ]]
    run ctl check --json --policy "$policy" "$T/secret.json"
    [[ "$output" != *hunter2secret* ]]
    run ctl diff --policy "$policy" "$T/secret.json"
    [[ "$output" != *hunter2secret* ]]
  done
}

@test "diff shows each change with its reason, and nothing where nothing changes" {
  run ctl diff --policy restricted "$DEFAULT"
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"- \"CAP_CHOWN\""* ]]
  [[ "$output" == *"/process/noNewPrivileges"* ]]
  [[ "$output" != *$'\033'* ]]
  ctl harden --policy restricted "$DEFAULT" >"$T/out.json" 2>/dev/null
  run ctl diff --policy restricted "$T/out.json"
  [ "$status" -eq 0 ]
  # On a terminal, in colour.
  script -qec "TERM=xterm $CTL --config $T/config.json diff --policy restricted $DEFAULT" /dev/null >"$T/tty" || true
  grep -q $'\033\[3[12]m' "$T/tty"
}

@test "policies: list, show, validate" {
  echo '{"description": "for team a", "extends": "restricted", "capabilities": {"allow": ["...", "CAP_CHOWN"]}}' >"$T/policies/team-a.json"
  chmod 600 "$T/policies/team-a.json"
  run ctl policy list
  echo "$output"
  [ "$status" -eq 0 ]
  for name in privileged baseline restricted strict team-a; do grep -q "^$name " <<<"$output"; done
  run ctl policy show team-a
  [ "$status" -eq 0 ]
  [ "$(jq -c .capabilities.allow <<<"$output")" = '["CAP_NET_BIND_SERVICE","CAP_CHOWN"]' ]
  ctl policy show restricted >"$T/shown.json"
  ctl policy validate "$T/shown.json" team-a
  echo '{"extends": "restricted", "capabilities": {"alow": []}}' >"$T/policies/broken.json"
  chmod 600 "$T/policies/broken.json"
  run ctl policy list
  echo "$output"
  [ "$status" -eq 1 ]
  grep -q '^broken .*INVALID.*broken.json:1:' <<<"$output"
  run ctl policy validate broken
  [ "$status" -eq 1 ]
  # Anyone could have written it.
  chmod 666 "$T/policies/team-a.json"
  run ctl policy show team-a
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *team-a.json* ]]
}

@test "seccomp: show, simulate, merge" {
  run ctl seccomp show strict
  echo "$output"
  [ "$status" -eq 0 ]
  run ctl seccomp show --json policy:strict
  if [ "$(uname -m)" = x86_64 ]; then
    n=$(jq '.reachable.SCMP_ARCH_X86_64 | length' <<<"$output")
    [ "$n" -gt 50 ]
    [ "$n" -le 230 ]
    [ "$(jq '.reachable.SCMP_ARCH_X86 | length' <<<"$output")" -eq 0 ]
    [ "$(jq '.reachable.SCMP_ARCH_X32 | length' <<<"$output")" -eq 0 ]
  fi
  run ctl seccomp simulate restricted read 0 0 0
  [ "$status" -eq 0 ]
  [ "$output" = SCMP_ACT_ALLOW ]
  run ctl seccomp simulate restricted kexec_load
  [ "$status" -eq 1 ]
  [[ "$output" == SCMP_ACT_ERRNO* ]]
  run ctl seccomp simulate restricted clone 0x10000000
  [ "$status" -eq 1 ]
  run ctl seccomp simulate restricted clone 0x11
  [ "$status" -eq 0 ]
  run ctl seccomp simulate restricted clone3
  [ "$output" = "SCMP_ACT_ERRNO ENOSYS" ]
  ctl seccomp merge "$DEFAULT" restricted >"$T/merged.json" 2>"$T/err"
  grep -q 'names exact' "$T/err"
  run ctl seccomp simulate "$T/merged.json" kexec_load
  [ "$status" -eq 1 ]
  run ctl seccomp show "$ROOT/tests/fixtures/docker/privileged.json"
  [ "$status" -eq 2 ]
  [[ "$output" == *"no seccomp section"* ]]
}

@test "gc removes what the runtime deleted behind our back, and nothing of what lives" {
  local b n
  mkdir -p "$T/policies" "$T/state" "$T/cache"
  b=$(CMD='sleep 60' bundle one)
  for n in 1 2 3; do oh create --bundle "$b" "gone$n" </dev/null >/dev/null 2>&1; done
  oh create --bundle "$b" lives </dev/null >/dev/null 2>&1
  for n in 1 2 3; do "$RUNTIME_PATH" --root "$T/root" delete --force "gone$n"; done
  run ctl doctor --quiet
  # Each with the block of ids of its user namespace.
  [[ "$output" == *"leftovers: 6 of containers that are gone"*"remedy: hardenctl gc"* ]]
  run ctl gc --dry-run
  [ "$status" -eq 0 ]
  [ "$(grep -c '^would remove container ' <<<"$output")" -eq 3 ]
  [ "$(find "$T/state" -name state.json | wc -l)" -eq 4 ]
  run ctl gc --json
  [ "$status" -eq 0 ]
  [ "$(jq -s 'map(select(.action == "removed" and .kind == "container")) | length' <<<"$output")" -eq 3 ]
  [ "$(find "$T/state" -name state.json | wc -l)" -eq 1 ]
  oh start lives
  [ "$(oh state lives | jq -r .status)" = running ]
  oh delete --force lives
  # Its ids were those of processes that lived then: they are free for the next container, and gc sees it too.
  run ctl gc
  [[ "$output" == "removed lease ids/"* ]]
  [ "$(wc -l <<<"$output")" -eq 1 ]
  run ctl gc
  [ -z "$output" ]
}

@test "doctor examines the node and every finding has a remedy" {
  run ctl doctor
  echo "$output"
  [[ "$output" == *kernel:* ]]
  [[ "$output" == *"runc version"* ]]
  [ "$(grep -cE '^(warn|fail) ' <<<"$output")" -eq "$(grep -c remedy: <<<"$output")" ]
  oh_config runc '.runtimes = [{path: "/nonexistent/runc"}] | .defaultPolicy = "none-such"'
  run ctl doctor --quiet
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"none of the configured runtimes"* ]]
  [[ "$output" == *none-such* ]]
  chmod 777 "$T/state"
  run ctl doctor --json
  [ "$(jq -rs 'map(select(.health == "fail" and .subject == "state directory")) | length' <<<"$output")" -eq 1 ]
  chmod 666 "$T/config.json"
  run ctl doctor --quiet
  [ "$status" -eq 1 ]
  [[ "$output" == *configuration:* ]]
}

@test "doctor waits for no runtime that does not answer, and leaves nothing of it" {
  local i
  printf '#!/bin/sh\necho runc version 1.3.4\nsleep 987 &\necho $$ $! >"%s/pids"\nwait\n' "$T" >"$T/silent"
  printf '#!/bin/sh\nsleep 987 &\necho runc version 1.3.4\n' >"$T/parent"
  chmod 755 "$T/silent" "$T/parent"
  oh_config runc ".runtimes = [{path: \"$T/silent\", type: \"runc\"}, {path: \"$T/parent\", type: \"runc\"}]"
  run timeout 30 "$CTL" --config "$T/config.json" doctor --quiet
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"fail runtime: $T/silent --version: it has not ended within 5.0 s"*"remedy: "* ]]
  [[ "$output" != *"$T/parent"* ]] # has answered, though a child of its has not ended
  while read -r i; do [ ! -e "/proc/$i" ] || grep -q '^State:.Z' "/proc/$i/status"; done <"$T/pids"
}

# node COMMAND: what the shell command makes of /var/lib, /home and /etc/subuid is not the host's; then doctor's rows of user namespaces.
node() {
  mkdir -p "$T/lib" "$T/home"
  cp /dev/null "$T/subuid"
  run unshare --mount --propagation private sh -ec "mount --bind '$T/lib' /var/lib; mount --bind '$T/home' /home
    mount --bind '$T/subuid' /etc/subuid; $1; exec \"\$0\" --config '$T/config.json' doctor ${2---json}" "$CTL"
  echo "$output"
  [ "${2---json}" != --json ] || rows=$(jq -r 'select(.subject == "user namespaces") | "\(.health) \(.text)\(if .remedy then "; remedy: \(.remedy)" else "" end)"' <<<"$output")
}

# asks MODE: the default policy's.
asks() {
  jq -n --arg mode "$1" '{extends: "restricted", "user-namespace": {mode: $mode}}' >"$T/policies/asks.json"
  oh_config runc '.defaultPolicy = "asks"'
}

@test "doctor tries user namespaces on this kernel and where engines keep images, and leaves nothing there" {
  local snapshots=/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs
  asks require
  node "mkdir -p -m 700 $snapshots; mkdir -p -m 710 /var/lib/docker"
  grep -q '^ok the kernel makes them; ids are 4064 blocks from 1879048192 on$' <<<"$rows"
  grep -q "^ok images in $snapshots: overlays are ID-mapped$" <<<"$rows"
  grep -q "^ok images in /var/lib/docker: overlays are ID-mapped$" <<<"$rows"
  [ "$(grep -c ' images' <<<"$rows")" -eq 2 ]
  [ -z "$(find "$T/lib" -name "*probe*")" ]
  [ -z "$(ls -A "$T/maps")" ]
  # Others than root can come to the layers, where no directory above is closed.
  node 'chmod 711 /var/lib/docker'
  grep -q '^warn images in /var/lib/docker: every user of the host can come to them.*; remedy: chmod o-x /var/lib/docker$' <<<"$rows"
  asks off
  node true
  [ "$(grep -cE '^(warn|fail)' <<<"$rows")" -eq 0 ]
  # Where there is no engine yet.
  rm -r "$T/lib/containerd" "$T/lib/docker"
  node true
  grep -q '^ok images, were they in /var/lib: overlays are ID-mapped$' <<<"$rows"
}

@test "doctor: what user namespaces lack is worth as much as the policies in use ask for" {
  local mode weight
  for mode in require:fail auto:warn off:ok; do
    weight=${mode#*:}
    asks "${mode%:*}"
    # Nobody may map ids of the host's who is root in a user namespace alone.
    run unshare --user --map-root-user "$CTL" --config "$T/config.json" doctor --json
    echo "$output"
    jq -se --arg weight "$weight" 'map(select(.subject == "user namespaces" and (.text | startswith("the kernel makes none for a container: ")))) |
      length == 1 and .[0].health == $weight and (.[0].remedy != null) == ($weight != "ok")' <<<"$output"
    # No image could be kept here, by any overlay.
    node 'mkdir -p /var/lib/docker; mount -t ramfs ramfs /var/lib/docker'
    grep -q "^$weight images in /var/lib/docker: " <<<"$rows"
    # A volume that takes no map is one container's affair.
    node 'mount -t ramfs ramfs /home'
    case $weight in
    ok) grep -q '^ok volumes in /home: .* (ramfs) takes no ID-mapped mounts: Invalid argument; no policy in use asks for it$' <<<"$rows" ;;
    *) grep -q '^warn volumes in /home: .* (ramfs) takes no ID-mapped mounts: Invalid argument; remedy: use a volume on ext4.*make it read-only$' <<<"$rows" ;;
    esac
    # Every block is somebody's.
    node "mount --bind /home /home; echo somebody:1879048192:266338304 >/etc/subuid"
    grep -q "^$weight all of idRange, which is 4064 blocks of ids, is given away" <<<"$rows"
  done
  # A policy of a rule is in use too; one that is only asked about in audit mode refuses nothing.
  asks require
  oh_config runc '.rules = [{root: "/run/x", policy: "asks"}]'
  node 'mount -t ramfs ramfs /home; echo somebody:1879048192:266338304 >/etc/subuid'
  grep -q '^fail all of idRange' <<<"$rows"
  jq '.mode = "audit"' "$T/policies/asks.json" >"$T/audit"
  cp "$T/audit" "$T/policies/asks.json"
  node 'echo somebody:1879048192:266338304 >/etc/subuid'
  grep -q '^warn all of idRange' <<<"$rows"
  node true ''
  [ "$(grep -cE '^(warn|fail) ' <<<"$output")" -eq "$(grep -c remedy: <<<"$output")" ]
}

@test "a container that its policy wanted in a user namespace and that has none: the event, inspect and doctor say why" {
  local b why='the id 70000 is beyond the 65536 that are mapped'
  asks auto
  for runtime in runc crun; do
    oh_config "$runtime" '.defaultPolicy = "asks"'
    b=$(CMD='sleep 60' bundle "f-$runtime" '.process.user = {uid: 70000, gid: 70000}')
    oh create --bundle "$b" "f-$runtime" </dev/null >/dev/null 2>&1
    jq -se --arg why "$why" --arg id "f-$runtime" 'map(select(."container.id" == $id)) | [.[].oci_harden.journal[] | select(.rule == "OH-UNS-005")] |
      .[0].outcome == "finding" and (.[0].reason | endswith($why))' "$T/events.json"
    run ctl inspect "f-$runtime"
    echo "$output"
    [[ "$output" == *"user-namespace     none, though wanted: $why"* ]]
    run ctl inspect --json "f-$runtime"
    jq -e --arg why "$why" '.posture[] | select(.control == "user-namespace") | .value == $why' <<<"$output"
  done
  # Refused by the kernel, not by the config.
  mkdir -p "$T/lower" "$T/upper" "$T/work" "$T/merged"
  mount -t overlay -o "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/work" overlay "$T/merged"
  b=$(CMD='sleep 60' bundle kernel ".mounts += [{destination: \"/v\", type: \"bind\", source: \"$T/merged\", options: [\"bind\", \"rw\"]}]")
  oh create --bundle "$b" kernel </dev/null >/dev/null 2>&1
  run ctl inspect --json kernel
  echo "$output"
  jq -e --arg t "$T" '.posture[] | select(.control == "user-namespace") | .value | contains("volume \($t)/merged (overlay) takes no ID-mapped mounts")' <<<"$output"
  run ctl doctor --quiet
  echo "$output"
  [[ "$output" == *"user namespaces: 3 containers that a policy wants in one run without, among them $T/root/"* ]]
  for name in f-crun kernel; do oh delete --force "$name"; done
  oh_config runc '.defaultPolicy = "asks"' # crun would take its files away and leave it running
  oh delete --force f-runc
  umount "$T/merged"
  run ctl doctor --quiet
  [[ "$output" != *"that a policy wants in one"* ]]
}

@test "events: filters, the last ones, pretty on a terminal" {
  for i in 1 2; do
    CMD=true bundle "e$i" >/dev/null
    oh --log "$T/log" run --bundle "$T/e$i" "e$i" </dev/null
  done
  CMD=true bundle bad '.process.cwd = "/proc/1"' >/dev/null
  run oh run --bundle "$T/bad" bad
  [ "$status" -eq 1 ]
  run ctl events
  [ "$(jq -s length <<<"$output")" -eq "$(wc -l <"$T/events.json")" ]
  run ctl events --container e1
  [ "$(jq -rs 'map(."container.id") | unique[0]' <<<"$output")" = e1 ]
  run ctl events --outcome failure
  [ "$(jq -rs '.[0]."container.id"' <<<"$output")" = bad ]
  [ "$(jq -rs '.[0]."rule.id"[0] | startswith("OH-PRC-")' <<<"$output")" = true ]
  run ctl events --lines 1
  [ "$(jq -rs 'length' <<<"$output")" -eq 1 ]
  run ctl events --rule OH-NNP-001 --container e2
  [ "$(jq -rs 'length' <<<"$output")" -ge 1 ]
  script -qec "TERM=xterm $CTL --config $T/config.json events" /dev/null >"$T/tty"
  grep -q $'\033\[31m' "$T/tty"
  # --follow sees what comes later, also after the log was rotated.
  "$CTL" --config "$T/config.json" events --follow --container late >"$T/followed" 3>&- &
  follower=$!
  wait_for 5 sh -c "ls -l /proc/$follower/fd | grep -q events.json"
  mv "$T/events.json" "$T/events.json.1"
  CMD=true bundle late >/dev/null
  oh run --bundle "$T/late" late </dev/null
  wait_for 5 grep -q late "$T/followed"
  # Or copied and cut.
  : >"$T/events.json"
  sleep 0.1
  oh run --bundle "$T/late" late-again </dev/null
  wait_for 5 grep -q late-again "$T/followed"
  kill "$follower"
}

@test "harden prints what a runtime takes without the wrapper: no user namespace, and says so; check and diff show it" {
  local b
  POLICY=restricted
  b=$(bundle one)
  ctl harden --policy restricted "$b" >"$T/hardened" 2>"$T/err"
  grep -q 'without the user namespace that the wrapper gives' "$T/err"
  jq -e '(.linux.namespaces | any(.type == "user") | not) and (.linux | has("uidMappings") | not) and .root.path == "rootfs"' "$T/hardened"
  ctl harden --policy baseline "$b" 2>"$T/err" >/dev/null
  [ ! -s "$T/err" ]
  cp "$T/hardened" "$b/config.json"
  run bare run --bundle "$b" one </dev/null
  [ "$status" -eq 0 ]
  [[ "$output" == "uid=0(root)"* ]]
  # Root of the host is what strict refuses; with the wrapper it would not be.
  b=$(bundle two)
  run ctl harden --policy strict "$b"
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"only the wrapper makes one"*"(OH-USR-002)"* ]]
  run ctl check --policy strict "$b"
  [ "$status" -eq 1 ]
  [[ "$output" != *OH-USR-002* ]]
  run ctl diff --policy strict "$b"
  [[ "$output" == *OH-UNS-001* ]]
}
