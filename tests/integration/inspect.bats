#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# hardenctl inspect on real containers: what it finds where something is to be found, and nothing where nothing is.
load helper
setup() { oh_setup; }
teardown() { oh_teardown; }

ctl() { "$CTL" --config "$T/config.json" "$@"; }

# What no engine would inherit to a test's container: rlimits are the host's affair, where the config says nothing.
LIMITS='.process.rlimits = [{type: "RLIMIT_CORE", hard: 0, soft: 0}, {type: "RLIMIT_NOFILE", hard: 1024, soft: 1024}]'
USER_1000='.process.user = {uid: 1000, gid: 1000}'

running() { grep -q sleep "/proc/$1/cmdline"; }

# start HOW RUNTIME ID [JQ]: a sleeping container, by `oh` or `bare`; its pid in PID.
start() {
  local b
  oh_config "$2"
  b=$(CMD='sleep 600' bundle "$3" "${4:-.}")
  "$1" create --bundle "$b" --pid-file "$T/pid" "$3" </dev/null >"$T/create.out" 2>&1 || { cat "$T/create.out"; return 1; }
  "$1" start "$3"
  PID=$(cat "$T/pid")
  wait_for 10 running "$PID"
}

# The rules of the findings in $output, which is the JSON.
rules() { jq -r '[.findings[].rule] | unique | join(" ")' <<<"$output"; }
# fact CONTROL WHAT: the value that is told.
fact() { jq -r --arg c "$1" --arg w "$2" '.posture[] | select(.control == $c and .what == $w) | .value' <<<"$output"; }

@test "a container of bare runc or crun: everything beyond the policy is named, with a remedy" {
  for runtime in runc crun; do
    mkdir -p "$T/data"
    start bare "$runtime" "b-$runtime" ".mounts += [{destination: \"/data\", type: \"bind\", source: \"$T/data\", options: [\"rbind\"]},
      {destination: \"/ro\", type: \"bind\", source: \"$T/data\", options: [\"rbind\", \"ro\", \"nosuid\", \"nodev\"]}]"
    run ctl inspect --policy restricted --json "$T/bare-root/b-$runtime"
    echo "$output"
    [ "$status" -eq 1 ]
    [ "$(wc -l <<<"$output")" -eq 1 ]
    for rule in 001 002 004 007 010 012 015 017 021; do [[ " $(rules) " == *" OH-INS-$rule "* ]]; done
    # The engine's own filter, masks, devices and namespaces are there.
    for rule in 003 011 014 016 018 019 020 023 024 025 026; do [[ " $(rules) " != *" OH-INS-$rule "* ]]; done
    [ "$(jq '[.findings[] | select((.remedy | length) == 0 or .policy != "restricted")] | length' <<<"$output")" -eq 0 ]
    [ "$(jq -r .result <<<"$output")" = findings ]
    [ "$(jq .hardened <<<"$output")" = false ]
    [ "$(jq -r .pid <<<"$output")" = "$PID" ]
    [ "$(fact mounts /data)" = "$T/data of the host: writable, exec, suid, dev" ]
    [ "$(fact mounts /ro)" = "$T/data of the host: read-only, exec" ]
    jq -e '.findings[] | select(.rule == "OH-INS-001") | .items | index("CAP_CHOWN") and (index("CAP_NET_BIND_SERVICE") | not)' <<<"$output"
    jq -e '.findings[] | select(.rule == "OH-INS-004") | .items | index("ptrace")' <<<"$output"
    jq -e '.findings[] | select(.rule == "OH-INS-017") | .items | index("/proc/kallsyms") and (index("/proc/keys") | not)' <<<"$output"
    run ctl inspect --policy restricted "$T/bare-root/b-$runtime"
    [ "$status" -eq 1 ]
    [[ "$output" == *"b-$runtime in $T/bare-root, pid $PID, not made by oci-harden: policy restricted: "*" findings"* ]]
    [ "$(grep -c '^finding OH-INS-' <<<"$output")" -eq "$(grep -c '^        remedy: ' <<<"$output")" ]
  done
}

@test "what oci-harden made under restricted or strict has no finding" {
  for runtime in runc crun; do
    for POLICY in restricted strict; do
      start oh "$runtime" "h-$runtime-$POLICY" "$USER_1000 | $LIMITS"
      run ctl inspect "h-$runtime-$POLICY"
      echo "$output"
      [ "$status" -eq 0 ]
      [[ "${lines[0]}" = "h-$runtime-$POLICY in $T/root, pid $PID: policy $POLICY: 0 findings" ]]
      run ctl inspect --json "h-$runtime-$POLICY"
      [ "$(jq -c '[.result, .hardened, .policies, .findings]' <<<"$output")" = "[\"pass\",true,[\"$POLICY\"],[]]" ]
      [[ "$(fact promises held)" =~ ^([0-9]+)\ of\ ([0-9]+)$ ]]
      [ "${BASH_REMATCH[1]}" -eq "${BASH_REMATCH[2]}" ]
      [ "${BASH_REMATCH[1]}" -ge 15 ]
      [ "$(fact capabilities bounding)" = 'CAP_NET_BIND_SERVICE (in a user namespace of its own)' ]
      local base
      base=$(jq .map.base "$T"/state/*/"h-$runtime-$POLICY"/state.json)
      [ "$base" -ge 1879048192 ]
      [ "$(fact user uid)" = "1000 (the host's $((base + 1000)))" ]
      [ "$(fact user 'uid map')" = "0-65535 are the host's $base-$((base + 65535))" ]
      [ "$(fact no-new-privileges no_new_privs)" = on ]
      [ "$(uname -m)" != x86_64 ] || [[ "$(fact seccomp SCMP_ARCH_X86)" == "0 of "* ]]
    done
  done
  # Root of its own user namespace is nobody, and root of the host is let run, and recorded, as the wrapper itself does.
  POLICY=restricted
  start oh runc nobody "$LIMITS"
  run ctl inspect --json nobody
  [ "$status" -eq 0 ]
  [ "$(rules)" = '' ]
  echo '{"extends": "restricted", "user-namespace": {"mode": "off"}}' >"$T/policies/unmapped.json"
  POLICY=unmapped
  start oh runc root "$LIMITS"
  run ctl inspect --json root
  [ "$status" -eq 1 ]
  [ "$(rules)" = OH-INS-007 ]
  # Nothing new is beyond a wider policy; a tighter one is another matter.
  run ctl inspect --quiet --policy strict root
  echo "$output"
  [ "$status" -eq 1 ]
  for rule in 004 021; do [[ "$output" == *"OH-INS-$rule"* ]]; done
  run ctl inspect --json --policy restricted --policy strict root
  [ "$(jq -c '.policies' <<<"$output")" = '["restricted","strict"]' ]
  [ "$(jq -r '[.findings[].policy] | unique | join(" ")' <<<"$output")" = 'restricted strict' ]
}

@test "a container that is given everything: each thing is named" {
  for runtime in runc crun; do
    start bare "$runtime" "p-$runtime" '.process.capabilities |= map_values(["CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_MKNOD"])
      | .linux.namespaces |= map(select(.type == "mount")) | del(.hostname, .linux.sysctl, .linux.seccomp, .linux.maskedPaths, .linux.readonlyPaths)
      | .linux.resources.devices = [{allow: true, access: "rwm"}] | .process.oomScoreAdj = 0
      | .linux.devices = [{path: "/dev/mem", type: "c", major: 1, minor: 1, fileMode: 384, uid: 0, gid: 0}]
      | (.mounts[] | select(.type == "sysfs" or .type == "cgroup") | .options) |= map(select(. != "ro"))
      | .mounts |= map(select(.type != "mqueue"))
      | .mounts += [{destination: "/host", type: "bind", source: "/etc", options: ["rbind", "rw"]}]'
    run ctl inspect --policy restricted --json "$T/bare-root/p-$runtime"
    echo "$output"
    [ "$status" -eq 1 ]
    for rule in 001 002 003 007 010 012 014 015 017 018 019 020 021; do
      [[ " $(rules) " == *" OH-INS-$rule "* ]] || { echo "OH-INS-$rule is missing"; return 1; }
    done
    finding() { jq -r --arg r "OH-INS-$1" '.findings[] | select(.rule == $r) | .value' <<<"$output"; }
    [[ "$(finding 001)" == *CAP_SYS_ADMIN* ]]
    for ns in pid network ipc uts cgroup; do [[ "$(finding 010)" == *"$ns"* ]]; done
    [[ "$(finding 010)" != *mount* ]]
    [[ "$(finding 014)" == *"/etc of the host"*"can be written to"* ]]
    [[ "$(finding 018)" == */proc/sys* ]]
    [[ "$(finding 019)" == *"/dev/mem (c 1:1)"* ]]
    jq -e '.findings[] | select(.rule == "OH-INS-015" and .what == "/sys") | .value | contains("ro")' <<<"$output"
    # The same under its own name for another policy.
    run ctl inspect --policy privileged --json "$T/bare-root/p-$runtime"
    [ "$status" -eq 1 ]
    [[ " $(rules) " == *" OH-INS-001 "* && " $(rules) " != *" OH-INS-003 "* ]]
  done
}

@test "a mask that is missing, and one that was taken away, are named; a promise that broke is told" {
  b=$(CMD='sleep 600' bundle one "$USER_1000 | $LIMITS")
  ctl harden --policy restricted --bundle "$b" "$b/config.json" 2>/dev/null |
    jq '.linux.maskedPaths -= ["/proc/kallsyms"]' >"$T/config"
  cp "$T/config" "$b/config.json"
  bare create --bundle "$b" one </dev/null >/dev/null 2>&1
  bare start one
  run ctl inspect --policy restricted --json "$T/bare-root/one"
  echo "$output"
  [ "$(rules)" = OH-INS-017 ]
  [ "$(jq -c '.findings[0].items' <<<"$output")" = '["/proc/kallsyms"]' ]

  start oh runc two "$USER_1000 | $LIMITS"
  run ctl inspect two
  [ "$status" -eq 0 ]
  nsenter --mount --target "$PID" -- umount /proc/timer_list
  # What the host mounted read-only is so for the namespace's own root too.
  nsenter --mount --target "$PID" -- mount -o remount,bind,rw / / && return 1
  run ctl inspect --json two
  [ "$(rules)" = "OH-INS-017 OH-PRF-023" ]
  ctl inspect --policy restricted two && return 1
  echo '{"extends": "restricted", "user-namespace": {"mode": "off"}}' >"$T/policies/unmapped.json"
  oh delete --force two
  rm -r "$T/two"
  POLICY=unmapped start oh runc two "$USER_1000 | $LIMITS"
  nsenter --mount --target "$PID" -- umount /proc/timer_list
  nsenter --mount --target "$PID" -- mount -o remount,bind,rw / /
  run ctl inspect --json two
  echo "$output"
  [ "$status" -eq 1 ]
  [ "$(rules)" = "OH-INS-012 OH-INS-017 OH-PRF-019 OH-PRF-023" ]
  [ "$(jq -c '.findings[] | select(.rule == "OH-INS-017") | .items' <<<"$output")" = '["/proc/timer_list"]' ]
  # Nobody can say what was promised by a config.json that is not the one that was hardened.
  echo ' ' >>"$T/two/config.json"
  run ctl inspect --json two
  [ "$(rules)" = "OH-INS-012 OH-INS-017" ]
  [[ "$(fact promises 'not compared')" == *"is not what was hardened"* ]]
}

@test "a container is found by id, by the beginning of one, by root, and told apart" {
  start oh runc abcdef0123456789 "$USER_1000 | $LIMITS"
  for name in abcdef0123456789 abcdef012345 "$T/root/abcdef0123456789"; do
    run ctl inspect --quiet "$name"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == "abcdef0123456789 in $T/root, pid $PID: "* ]]
  done
  [ "$(ctl inspect --quiet "$PID")" = "pid $PID: policy restricted: 0 findings" ]
  # The same name in another root.
  b=$(CMD='sleep 600' bundle other)
  bare create --bundle "$b" abcdef0123456789 </dev/null >/dev/null 2>&1
  run ctl inspect --quiet --root "$T/bare-root" abcdef
  [ "$status" -eq 1 ]
  [[ "$output" == *"in $T/bare-root, pid "*", not started yet, not made by oci-harden"* ]]
  mkdir -p /run/containerd/runc/default
  ln -s "$T/bare-root/abcdef0123456789" /run/containerd/runc/default/abcdef0123456789
  run ctl inspect abcdef0123456789
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"$T/root/abcdef0123456789"* && "$output" == *"/run/containerd/runc/default/abcdef0123456789"* && "$output" == *ROOT/ID* ]]
  run ctl inspect --quiet /run/containerd/runc/default/abcdef0123456789
  [ "$status" -eq 1 ]
  rm -r /run/containerd/runc
  # An id of digits only is one by its root; alone it is a pid.
  bare create --bundle "$b" 42 </dev/null >/dev/null 2>&1
  run ctl inspect --quiet --root "$T/bare-root" 42
  [ "$status" -eq 1 ]
  [[ "$output" == "42 in $T/bare-root"* ]]
  run ctl inspect nobody
  [ "$status" -eq 2 ]
  [[ "$output" == *"no container 'nobody' in $T/root"* ]]
  run ctl inspect ../etc
  [ "$status" -eq 2 ]
  run ctl inspect
  [ "$status" -eq 2 ]
  # One whose process has ended.
  kill -9 "$PID"
  wait_for 10 eval '! ctl inspect --quiet abcdef0123456789 >/dev/null 2>&1'
  run ctl inspect abcdef0123456789
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"was stopped"* ]]
}

@test "processes that are in no container, of the kernel, gone, or our own" {
  sleep 600 &
  pid=$!
  run ctl inspect --policy baseline --json "$pid"
  echo "$output"
  kill "$pid"
  [ "$status" -eq 1 ]
  for rule in 001 003 010 011; do [[ " $(rules) " == *" OH-INS-$rule "* ]]; done
  # The host's mounts are not the container's.
  for rule in 014 015 016; do [[ " $(rules) " != *" OH-INS-$rule "* ]]; done
  wait "$pid" || true
  run ctl inspect "$pid"
  [ "$status" -eq 2 ]
  [[ "$output" == *"there is no process $pid"* ]]
  kernel=$(ps --ppid 2 -o pid= | head -n 1 | tr -d ' ')
  run ctl inspect "${kernel:-2}"
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"thread of the kernel"* ]]
  run sh -c 'exec "$0" --config "$1" inspect $$' "$CTL" "$T/config.json"
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"hardenctl itself"* ]]
}

@test "it does not disturb whom it looks at, and a frozen container is told of" {
  start oh runc calm "$USER_1000 | $LIMITS"
  for _ in $(seq 20); do ctl inspect --quiet calm; done
  grep -q '^State:.S (sleeping)' "/proc/$PID/status"
  grep -q '^TracerPid:.0$' "/proc/$PID/status"
  running "$PID"
  # Without the filters nothing stops it; what is then not known is no finding, for nobody asked.
  run ctl inspect --no-filters --json calm
  [ "$status" -eq 0 ]
  [ "$(fact seccomp 'seccomp filters')" = 'not looked at' ]
  oh pause calm
  run ctl inspect --json calm
  echo "$output"
  frozen=$(rules)
  run ctl inspect --no-filters calm
  [ "$status" -eq 0 ]
  oh resume calm
  # Version 1 stops no tracee that is frozen, version 2 does.
  [ "$frozen" = OH-INS-026 ] || [ -z "$frozen" ]
  run ctl inspect calm
  echo "$output"
  [ "$status" -eq 0 ]
  grep -q '^TracerPid:.0$' "/proc/$PID/status"
}

@test "an open directory of the host, and a working directory outside, are found" {
  oh_config runc
  b=$(CMD='sleep 600' bundle leak "$LIMITS")
  bare create --preserve-fds 1 --bundle "$b" --pid-file "$T/pid" leak 3</etc </dev/null >/dev/null 2>&1
  bare start leak
  run ctl inspect --policy baseline --json "$T/bare-root/leak"
  echo "$output"
  [[ "$(jq -r '.findings[] | select(.rule == "OH-INS-024") | .value' <<<"$output")" == *"fd 3 is the directory /etc "* ]]
  # CVE-2024-21626 by hand: the container's program starts in what was handed over.
  b=$(CMD='cd /proc/self/fd/3 && exec sleep 600' bundle cwd "$LIMITS")
  bare create --preserve-fds 1 --bundle "$b" --pid-file "$T/pid" cwd 3</etc </dev/null >/dev/null 2>&1
  bare start cwd
  wait_for 10 running "$(cat "$T/pid")"
  run ctl inspect --policy baseline --json "$T/bare-root/cwd"
  echo "$output"
  [[ " $(rules) " == *" OH-INS-025 "* ]]
}

@test "a device node among thousands of files, however deep, is found or said to be out of sight" {
  start bare runc heap "$LIMITS"
  shm=/proc/$PID/root/dev/shm
  (cd "$shm" && seq 9000 | xargs touch && mkdir -p a/b/c/d/e && mknod a/b/c/d/e/sda b 8 0)
  run ctl inspect --policy restricted --json "$T/bare-root/heap"
  jq -e '.findings[] | select(.rule == "OH-INS-019") | .value | contains("/dev/shm/a/b/c/d/e/sda (b 8:0)")' <<<"$output"
  [[ " $(rules) " != *" OH-INS-026 "* ]]
  deep=$shm/$(printf 'd/%.0s' $(seq 20))
  mkdir -p "$deep"
  run ctl inspect --policy restricted --json "$T/bare-root/heap"
  jq -e '.findings[] | select(.rule == "OH-INS-026") | .value | contains("more below /dev")' <<<"$output"
}

@test "a name of the container's forges no line" {
  start bare runc forger "$LIMITS | .mounts += [{destination: \"/a\nfinding OH-INS-999\", type: \"bind\", source: \"$T\", options: [\"rbind\"]}]"
  run ctl inspect --policy restricted "$T/bare-root/forger"
  echo "$output"
  [ "$(grep -c '^finding OH-INS-999' <<<"$output")" -eq 0 ]
  grep -q '/a?finding OH-INS-999: ' <<<"$output"
  ctl inspect --policy restricted --json "$T/bare-root/forger" | jq -e '.posture[] | select(.what == "/a\nfinding OH-INS-999")'
}

@test "a user namespace: root inside is told by the host's id, and is no host's root" {
  start bare runc userns "$LIMITS | .linux.namespaces += [{type: \"user\"}] | .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]
    | .linux.uidMappings = .linux.gidMappings | .mounts |= map(select(.type != \"cgroup\")) | del(.linux.sysctl)" || {
    cat "$T/create.out"
    return 1
  }
  run ctl inspect --policy strict --json "$T/bare-root/userns"
  echo "$output"
  [[ " $(rules) " != *" OH-INS-007 "* ]]
  [ "$(fact user uid)" = '0 (the host'"'"'s 200000)' ]
  [ "$(fact user 'uid map')" = '0-65535 are the host'"'"'s 200000-265535' ]
  [[ "$(fact capabilities 'permitted, effective, bounding')" == *"user namespace of its own"* ]]
}

@test "without root: one's own container, but for its filters, and nobody else's" {
  oh_config crun
  b=$(CMD='sleep 600' bundle mine 'del(.linux.cgroupsPath, .linux.resources, .linux.sysctl)
    | .mounts |= map(select(.type != "sysfs" and .type != "cgroup")) | (.mounts[] | select(.destination == "/dev/pts").options) -= ["gid=5"]
    | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 1000, size: 1}]
    | .linux.gidMappings = .linux.uidMappings')
  mkdir "$T/home"
  mv "$b" "$T/home/mine"
  chown -R 1000:1000 "$T/home"
  chmod 644 "$T/config.json"
  cp "$CTL" "$T/hardenctl"
  as_user() { setpriv --reuid 1000 --regid 1000 --clear-groups "$@"; }
  as_user crun --root "$T/home/root" --cgroup-manager disabled run --detach --pid-file "$T/home/pid" --bundle "$T/home/mine" mine </dev/null >/dev/null 2>&1
  pid=$(cat "$T/home/pid")
  wait_for 10 running "$pid"
  inspect_as_user() { as_user "$T/hardenctl" --config "$T/user.json" inspect "$@"; }
  jq --arg s "$T/home/state" '.stateDir = $s' "$T/config.json" >"$T/user.json"
  chmod 644 "$T/user.json"
  run inspect_as_user --policy baseline --json --root "$T/home/root" mine
  echo "$output"
  [ "$status" -eq 1 ]
  [[ " $(rules) " == *" OH-INS-026 "* ]]
  [ "$(jq -r '[.findings[] | select(.rule == "OH-INS-026") | .control] | join(" ")' <<<"$output")" = seccomp ]
  [ "$(fact user uid)" = '0 (the host'"'"'s 1000)' ]
  run inspect_as_user --policy baseline --no-filters --json --root "$T/home/root" mine
  [[ " $(rules) " != *" OH-INS-026 "* ]]
  kill -9 "$pid"
  as_user crun --root "$T/home/root" --cgroup-manager disabled delete --force mine || true
  start bare runc roots
  run inspect_as_user "$PID"
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"does not let us look at process $PID"*"as root"* ]]
}
