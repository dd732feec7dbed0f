#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# VM: apparmor
# WHY: AppArmor
# Our AppArmor profiles in a kernel that enforces them: what containers need works, what they must not do is denied by
# the profile alone (every other control is off), and is in the kernel's log. And the control itself: what is kept,
# replaced, loaded and refused, on create and on exec, with runc and with crun.
load ../integration/helper
load ../attack/battery

CACHE=/var/cache/oci-harden/apparmor
FS=/sys/kernel/security/apparmor

setup() {
  oh_setup
  CAPS=$(every_capability)
  for variant in baseline restricted strict; do
    jq -n --arg p "$variant" '{apparmor: {action: "harden", mode: "require", profile: $p}}' >"$T/policies/only-$variant.json"
  done
}

teardown() {
  [ -z "${OUTSIDE-}" ] || kill "$OUTSIDE" 2>/dev/null || true
  oh_teardown
}

name_of() { # name_of VARIANT: in the kernel
  "$CTL" apparmor status | sed -n "s/^$1 *\([^ :]*\):.*/\1/p"
}
mode_of() { sed -n "s/^$1 (\(.*\))$/\1/p" "$FS/profiles"; }
remove() { if [ -n "$(mode_of "$1")" ]; then printf %s "$1" >"$FS/.remove"; fi; }

# A profile of somebody else's: load_profile NAME FLAGS [RULE...]
load_profile() {
  local name=$1 flags=$2
  shift 2
  { echo "profile $name flags=($flags) { file, network, capability, signal, umount, $* }"; } | apparmor_parser --config-file=/dev/null -r -K -q 2>/dev/null
}

# open_bundle NAME [JQ]: one that nothing but AppArmor confines, with the probe and the host's network and pids.
open_bundle() {
  local b
  b=$(bundle "$1")
  jq --argjson caps "$CAPS" "$UNCONFINED"' | .linux.namespaces |= map(select(.type != "network" and .type != "pid"))
    | del(.linux.sysctl) | .mounts |= map(select(.type != "cgroup")) | '"${2:-.}" "$b/config.json" >"$T/config.new"
  mv "$T/config.new" "$b/config.json"
  mkdir -p "$b/rootfs/attack"
  cp "$BUILD/helpers/probe" "$b/rootfs/attack/probe"
  echo "$b"
}

# What ordinary images do: the shell's jobs, files, users, sockets, pipes.
WORKS='set -e
echo data >/home/file; ln /home/file /home/hard; ln -s file /home/soft; mv /home/hard /home/moved; rm -f /home/moved
cat /home/soft /etc/passwd /proc/self/status /proc/meminfo /proc/cpuinfo /proc/sys/kernel/pid_max >/dev/null
echo hello >/tmp/file; chmod 600 /tmp/file; chown 1000:1000 /tmp/file; mkdir /var/log/app; mkfifo /tmp/fifo
busybox echo through >/tmp/fifo & read -r line </tmp/fifo; [ "$line" = through ]
sleep 100 & kill -STOP $!; kill -CONT $!; kill $!; wait $! || [ $? -eq 143 ]
echo 500 >/proc/self/oom_score_adj; echo name >/proc/self/comm
(echo GET / | nc -l -p 8081 >/tmp/got &) ; sleep 0.3; echo request | nc -w 2 127.0.0.1 8081 >/dev/null; grep -q request /tmp/got
busybox su user -s /bin/sh -c "id -u; cat /etc/passwd >/dev/null; echo x >/dev/null; head -c 4 /dev/urandom >/dev/null"
ls /proc/self/fd /sys/class >/dev/null; [ -z "$(find /proc/self/attr/current -newer /)" ] || true
cat /proc/self/attr/current'

# What each profile denies, on top of the ones before: primitives of the battery.
DENIED_baseline=(mount-tmpfs mount-proc mount-sysfs mount-bind mount-debugfs remount-root umount-mask pivot-root
  read-kcore read-kmsg list-firmware write-core-pattern write-modprobe write-sysrq write-suid-dumpable write-ip-forward
  write-power-state write-sysrq-trigger open-mem init-module)
DENIED_restricted=(exec-from-tmp exec-from-run exec-from-var-tmp exec-from-dev-shm map-exec-from-tmp sethostname
  unshare-mount read-kallsyms read-modules read-iomem read-slabinfo list-modules read-btf nice syslog-read bpf-map)
DENIED_strict=(raw-icmp raw-ipv6 packet xdp memfd-execve memfd-execveat ptrace mknod-char)
# In the kernel's log, of what it denies by a rule of the profile. (Without CAP_SYS_ADMIN it asks for no mount rule.)
LOGGED_all=('name="/proc/kcore"' 'name="/proc/sysrq-trigger"' 'name="/proc/sys/kernel/core_pattern"'
  'name="/sys/firmware/"' 'name="/sys/power/state"' 'name="/sys/kernel/security/"' 'capname="sys_module"'
  'operation="change_profile"' 'operation="signal"' 'operation="ptrace"')
LOGGED_baseline=('operation="mount"' 'operation="umount"' 'operation="pivotroot"')
LOGGED_restricted=('name="/proc/kallsyms"' 'name="/tmp/' 'capname="sys_admin"' 'name="/sys/module/"')
LOGGED_strict=("${LOGGED_restricted[@]}" 'family="packet"' 'sock_type="raw"' 'family="xdp"')

# escapes VARIANT RUNTIME: everything that its profile denies, tried in a container that nothing else confines.
escapes() {
  local variant=$1 verdict wrong=0 expected=() reached=() b primitive
  oh_config "$2"
  case $variant in
  baseline) expected=("${DENIED_baseline[@]}") reached=("${DENIED_restricted[@]}" "${DENIED_strict[@]}") ;;
  restricted) expected=("${DENIED_baseline[@]}" "${DENIED_restricted[@]}") reached=("${DENIED_strict[@]}") ;;
  strict) expected=("${DENIED_baseline[@]}" "${DENIED_restricted[@]}" "${DENIED_strict[@]}") ;;
  esac
  sleep 1000 3>&- &
  OUTSIDE=$!
  dmesg --clear
  CMD="/attack/probe ${expected[*]} ${reached[*]}
    for c in 'changeprofile unconfined' 'exec unconfined' 'stack unconfined'; do
      (echo \"\$c\" >/proc/self/attr/apparmor/current) 2>/dev/null && echo \"attr \$c\"
    done
    kill -0 $OUTSIDE 2>/dev/null && echo signalled; cat /proc/$OUTSIDE/environ >/dev/null 2>&1 && echo traced
    ls /sys/kernel/security >/dev/null 2>&1 && echo securityfs; true" b=$(open_bundle "$variant")
  POLICY=only-$variant run oh run --bundle "$b" "e-$variant"
  [ "$status" -eq 0 ] || { echo "$output"; return 1; }
  for primitive in "${expected[@]}" "${reached[@]}"; do
    verdict=$(awk -F '\t' -v p="$primitive" '$1 == p {print $2}' <<<"$output")
    if [[ " ${expected[*]} " == *" $primitive "* ]]; then
      [ "$verdict" = denied ] || { echo "$variant $2: $primitive is $verdict, not denied"; wrong=1; }
    else # what the next profile denies must be its doing
      [ "$verdict" != denied ] || echo "# $variant $2: $primitive is denied here already"
    fi
  done
  if grep -E '^(attr |signalled|traced|securityfs)' <<<"$output"; then wrong=1; fi
  kill "$OUTSIDE"
  wait "$OUTSIDE" 2>/dev/null || true
  OUTSIDE=
  dmesg >"$T/log"
  logged "$variant" || wrong=1
  [ "$wrong" = 0 ] || { echo "$output"; return 1; }
}

logged() { # logged VARIANT: each kind of denial, under the profile's name
  local pattern wrong=0 name
  name=$(name_of "$1")
  declare -n of_it=LOGGED_$1
  for pattern in "${LOGGED_all[@]}" "${of_it[@]}"; do
    grep 'apparmor="DENIED"' "$T/log" | grep -F "profile=\"$name\"" | grep -qF "$pattern" ||
      { echo "$1: not in the kernel's log: $pattern"; wrong=1; }
  done
  return "$wrong"
}

@test "compile writes one file a profile for this kernel, that only root can write" {
  rm -rf "$CACHE"
  run "$CTL" apparmor status
  [ "$status" -eq 1 ]
  [[ "$output" == *"run hardenctl apparmor compile"* ]]
  run "$CTL" apparmor compile
  echo "$output"
  [ "$status" -eq 0 ]
  [ "${#lines[@]}" -eq 3 ]
  [ -z "$(find "$CACHE" -not -type l -perm /077)" ]
  run "$CTL" apparmor status
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *"not loaded"* ]]
  for variant in baseline restricted strict; do
    "$CTL" apparmor show "$variant" | apparmor_parser --config-file=/dev/null -Q -K -q 2>/dev/null
  done
}

# What the cluster's installer does: its pod has the node's root mounted, no securityfs of its own, and nothing else to write to.
@test "from a pod that has the node's root mounted: the node's cache, and what the node would have compiled itself" {
  pod() { # pod COMMAND...
    unshare --mount --propagation private sh -ec '
      mount --rbind / "$0/node"
      umount /sys/kernel/security
      mount -t tmpfs -o ro tmpfs /var/cache
      [ -z "$(ls /sys/kernel/security)" ]
      mount -o remount,ro,bind /
      exec "$@"' "$T" "$@"
  }
  mkdir "$T/node"
  rm -rf "$CACHE"
  run pod "$CTL" apparmor compile --root "$T/node" --if-missing
  echo "$output"
  [ "$status" -eq 0 ]
  [ "${#lines[@]}" -eq 3 ]
  for file in "${lines[@]}"; do [ -s "$file" ]; done
  run pod "$CTL" apparmor compile --root "$T/node" --if-missing
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  pod "$CTL" apparmor status --root "$T/node"
  CMD='cat /proc/self/attr/current' b=$(bundle pod 'del(.process.apparmorProfile)')
  POLICY=only-strict run oh run --bundle "$b" pod
  [ "$output" = "$(name_of strict) (enforce)" ]
  mv "$CACHE" "$T/by-pod"
  "$CTL" apparmor compile >/dev/null
  diff -r "$CACHE" "$T/by-pod"
}

@test "the first container that needs a profile loads it, concurrent ones too" {
  local name i pids=()
  name=$(name_of restricted)
  [ -z "$(mode_of "$name")" ]
  for i in 1 2 3 4; do
    CMD='cat /proc/self/attr/current' b=$(bundle "first$i" 'del(.process.apparmorProfile)')
    POLICY=only-restricted oh run --bundle "$b" "first$i" >"$T/out$i" 2>&1 &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i"; done
  for i in 1 2 3 4; do [ "$(cat "$T/out$i")" = "$name (enforce)" ]; done
  [ "$(mode_of "$name")" = enforce ]
}

@test "under each profile ordinary images work" {
  for variant in baseline restricted strict; do
    oh_config "$([ "$variant" = restricted ] && echo crun || echo runc)"
    CMD=$WORKS b=$(open_bundle "w-$variant")
    POLICY=only-$variant run oh run --bundle "$b" "w-$variant"
    echo "$variant: $output"
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = "$(name_of "$variant") (enforce)" ]
  done
}

@test "baseline denies, and the kernel logs it" { escapes baseline runc; }

@test "restricted denies more" { escapes restricted runc; }

@test "strict denies most" { escapes strict crun; }

@test "the policies as they are run under their profiles, and start proves it" {
  for policy in baseline restricted strict; do
    oh_config "$([ "$policy" = restricted ] && echo runc || echo crun)"
    CMD='cat /proc/self/attr/current; sleep 100' b=$(bundle "p-$policy" 'del(.process.apparmorProfile)
      | .process.user = {uid: 1000, gid: 1000}')
    POLICY=$policy oh create --bundle "$b" "p-$policy" >"$T/out" 2>&1 </dev/null
    POLICY=$policy oh start "p-$policy"
    wait_for 10 grep -q enforce "$T/out"
    [ "$(cat "$T/out")" = "$(name_of "$policy") (enforce)" ]
    run oh exec "p-$policy" cat /proc/self/attr/current
    echo "$policy: $output"
    [ "$output" = "$(name_of "$policy") (enforce)" ]
    oh delete --force "p-$policy"
  done
}

@test "an engine's profile: kept by baseline, replaced where nothing enforces it, joined by ours where it is a pod's" {
  load_profile docker-default attach_disconnected
  load_profile pods-own attach_disconnected
  load_profile lax attach_disconnected,complain
  load_profile void attach_disconnected,unconfined
  asked() { # asked NAME: a bundle that asks for it
    rm -rf "$T/asked"
    CMD='cat /proc/self/attr/current' bundle asked ".process.apparmorProfile = \"$1\" | .process.user = {uid: 1000, gid: 1000}"
  }
  written() { # written POLICY ASKED EXPECTED: what the wrapper would write
    local output
    output=$("$CTL" --config "$T/config.json" harden --policy "$1" "$(asked "$2")")
    echo "$1, asked for $2: $(jq -r .process.apparmorProfile <<<"$output" || echo "$output")"
    [ "$(jq -r .process.apparmorProfile <<<"$output")" = "$3" ]
  }
  written baseline docker-default docker-default
  written restricted docker-default "$(name_of restricted)"
  written baseline unconfined "$(name_of baseline)"
  written baseline lax "$(name_of baseline)"
  written baseline void "$(name_of baseline)"
  for runtime in runc crun; do
    oh_config "$runtime"
    POLICY=baseline run oh run --bundle "$(asked pods-own)" asked
    echo "$output"
    [ "$output" = "$(name_of baseline)//&pods-own (enforce)" ]
  done
  for name in docker-default pods-own lax void; do remove "$name"; done
}

@test "what is not there or not enforced is refused, on create and on exec" {
  local name
  name=$(name_of restricted)
  for runtime in runc crun; do
    oh_config "$runtime"
    for asked in no-such-profile "$name//child" ":ns:$name" "&$name" "$name//&unconfined"; do
      CMD=true b=$(bundle refused ".process.apparmorProfile = \"$asked\"")
      POLICY=baseline run oh create --bundle "$b" refused
      echo "$output"
      [ "$status" -eq 1 ]
      [[ "$output" == *"/process/apparmorProfile"* ]]
      [ ! -e "$T/root/refused" ]
      rm -rf "$T/refused"
    done
    CMD='sleep 100' b=$(bundle host 'del(.process.apparmorProfile)')
    POLICY=restricted oh run --detach --bundle "$b" host >/dev/null 2>&1 </dev/null
    run oh exec --apparmor no-such-profile host true
    echo "$output"
    [ "$status" -eq 255 ]
    [[ "$output" == *"not loaded"* ]]
    run oh exec --apparmor unconfined host cat /proc/self/attr/current
    [ "$output" = "$name (enforce)" ]
    oh delete --force host
    rm -rf "$T/host"
  done
}

@test "ours in complain mode, and a cache that others may write, are refused" {
  local name dir
  name=$(name_of strict)
  dir=$(dirname "$(find "$CACHE" -name "$name")")
  CMD=true b=$(bundle strict 'del(.process.apparmorProfile)')
  refused() { # refused PATTERN
    POLICY=only-strict run oh create --bundle "$b" strict
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"$1"* ]]
  }
  "$CTL" apparmor show strict | sed 's/flags=(/flags=(complain,/' | apparmor_parser --config-file=/dev/null -r -K -q 2>/dev/null
  [ "$(mode_of "$name")" = complain ]
  refused "complain mode"
  remove "$name"
  chmod g+w "$dir/$name"
  refused "not trusted"
  chmod 600 "$dir/$name"
  chown 1000 "$dir/$name"
  refused "not trusted"
  chown 0 "$dir/$name"
  chmod o+w "$dir"
  refused "not trusted"
  chmod 700 "$dir"
  mv "$dir/$name" "$T/profile"
  ln -s "$T/profile" "$dir/$name"
  refused "hardenctl apparmor compile"
  rm "$dir/$name"
  refused "hardenctl apparmor compile"
  echo garbage >"$dir/$name"
  chmod 600 "$dir/$name"
  refused "does not take"
  mv "$T/profile" "$dir/$name"
  [ -z "$(mode_of "$name")" ]
  POLICY=only-strict oh run --bundle "$b" strict
  [ "$(mode_of "$name")" = enforce ]
}

@test "a runtime that leaves the profile out is found at the program's first instruction" {
  local jq='del(.process.apparmorProfile)'
  cp "$BUILD/helpers/weak-runtime" "$T/runc"
  for jq in 'del(.process.apparmorProfile)' '.process.apparmorProfile = "unconfined"'; do
    oh_config runc ".runtimes = [{path: \"$T/runc\"}]"
    export WEAK_RUNTIME WEAK_JQ=$jq
    WEAK_RUNTIME=$(command -v runc)
    CMD='echo ran' b=$(bundle weak 'del(.process.apparmorProfile)')
    POLICY=only-restricted oh create --bundle="$b" weak >"$T/out" 2>&1 </dev/null
    POLICY=only-restricted run oh start weak
    echo "$output"
    wait_for 10 sh -c "[ \"\$(runc --root $T/root state weak | jq -r .status)\" = stopped ]"
    [[ "$output" == *OH-PRF-030* || "$(cat "$T/events.json")" == *OH-PRF-030* ]]
    ! grep -q ran "$T/out" || false
    unset WEAK_RUNTIME WEAK_JQ
    runc --root "$T/root" delete --force weak
    rm -rf "$T/weak" "$T/weak.weak" "$T/state"
    mkdir "$T/state"
  done
}

# fastest PROFILES COMMAND...: the microseconds of the fastest of five runs, before each of which the profiles are removed.
fastest() {
  local i name from spent best=
  for i in 1 2 3 4 5; do
    for name in $1; do remove "$name"; done
    from=${EPOCHREALTIME/./}
    "${@:2}" >/dev/null
    spent=$((${EPOCHREALTIME/./} - from))
    if [ -z "$best" ] || [ "$spent" -lt "$best" ]; then best=$spent; fi
  done
  echo "$best"
}

# Emulated milliseconds say nothing. The measure is the start of a static program, which takes half of one on other machines.
@test "loading a profile takes less time than starting a program" {
  local names name variant start program load cost
  names=$(for variant in baseline restricted strict; do name_of "$variant"; done)
  program=$(fastest '' busybox true)
  start=$(fastest '' "$CTL" --version)
  load=$(fastest "$names" "$CTL" apparmor load)
  for name in $names; do [ "$(mode_of "$name")" = enforce ]; done
  cost=$(((load - start) / 3))
  echo "# loading a profile: $cost us; starting a program: $program us" >&3
  [ "$cost" -gt 0 ]
  [ "$cost" -lt "$program" ]
}

@test "the container that loads a profile looks for it, and the next one does not" {
  local b
  remove "$(name_of baseline)"
  CMD=true b=$(bundle traced 'del(.process.apparmorProfile)')
  cp "$b/config.json" "$T/config.engine"
  opened() { # opened: how many files of AppArmor's features and of the cache a create opens
    cp "$T/config.engine" "$b/config.json"
    strace -o "$T/trace" -e trace=openat2,openat \
      "$OH" --config "$T/config.json" --policy only-baseline --root "$T/root" create --bundle "$b" traced >/dev/null 2>&1 </dev/null
    grep -c 'apparmor/features\|var/cache' "$T/trace" || true
    oh delete --force traced
  }
  [ "$(opened)" -gt 0 ]
  [ "$(opened)" = 0 ]
}
