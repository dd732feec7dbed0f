#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Through a real containerd: `ctr run --runc-binary`, exec, and the text of refusals as ctr's user sees it.
load ../integration/helper
load engines
ENGINE="containerd, ctr"

setup() {
  oh_setup
  config_for_engine
  mkdir -p "$T/c"
  cat >"$T/containerd.toml" <<TOML
version = 2
root = "$T/c/root"
state = "$T/c/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$T/c/s"
[ttrpc]
  address = "$T/c/t"
TOML
  containerd --config "$T/containerd.toml" >"$T/containerd.log" 2>&1 3>&- &
  CONTAINERD=$!
  wait_for 20 test -S "$T/c/s"
  image_archive "$T/image.tar" docker.io/library/busybox:test
  ctr_ images import "$T/image.tar" >/dev/null
}

teardown() {
  local task
  if [ -n "${CONTAINERD-}" ]; then
    for task in $(ctr_ tasks ls -q 2>/dev/null); do ctr_ tasks kill -s KILL "$task"; ctr_ tasks rm -f "$task"; done
    kill "$CONTAINERD"
    wait "$CONTAINERD" || true
  fi
  # A shim whose container never came to be may not have ended with it.
  for task in $(shims); do kill "$task" 2>/dev/null || true; done
  oh_unmount
  oh_teardown
}

# The pids of this containerd's shims: they name its socket, and nobody else has one of that name.
shims() {
  local exe
  for exe in /proc/[0-9]*/exe; do
    [[ $(readlink "$exe") == */containerd-shim-runc-v2 ]] || continue
    grep -qzxF "$T/c/s" "${exe%exe}cmdline" 2>/dev/null && basename "${exe%/exe}"
  done
  return 0
}

ctr_() { ctr --address "$T/c/s" "$@"; }
IMAGE=docker.io/library/busybox:test
# run_ POLICY ARGS...: ctr can hand its runtime no option, but its name says the policy. `runc` is bare.
run_() {
  local binary=$T/oci-harden-$1
  [ "$1" != runc ] || binary=runc
  [ -e "$binary" ] || [ "$1" = runc ] || ln -s "$OH" "$binary"
  shift
  ctr_ run --runc-binary "$binary" "$@"
}
run_hardened() { run_ restricted "$@"; }

@test "a container of ctr runs under restricted and its kernel state shows it" {
  run run_hardened --rm "$IMAGE" c1 /bin/sh -c 'grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status; touch /x; echo touch=$?; touch /tmp/x; echo tmp=$?'
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *"CapEff:"*"0000000000000400"* ]]
  [[ "$output" == *"CapBnd:"*"0000000000000400"* ]]
  [[ "$output" == *"NoNewPrivs:"*"1"* ]]
  [[ "$output" == *"Seccomp:"*"2"* ]]
  [[ "$output" == *"touch=1"* ]]
  [[ "$output" == *"tmp=0"* ]]
}

@test "run, exit codes, exec, pause, kill and delete are as under runc" {
  local r
  for r in runc baseline restricted strict; do
    run run_ "$r" --rm "$IMAGE" "once-$r" /bin/sh -c 'echo out; exit 7'
    echo "$r: $output"
    [ "$status" -eq 7 ]
    [ "${lines[0]}" = out ]
    run_ "$r" -d --null-io "$IMAGE" "job-$r" /bin/sleep 600
    run ctr_ tasks exec --exec-id "e-$r" "job-$r" /bin/sh -c 'id -u; exit 4'
    echo "$r: $output"
    [ "$status" -eq 4 ]
    [ "${lines[0]}" = 0 ]
    ctr_ tasks pause "job-$r"
    ctr_ tasks ls | grep -q "job-$r .*PAUSED"
    ctr_ tasks resume "job-$r"
    ctr_ tasks kill -s KILL "job-$r"
    wait_for 10 sh -c "ctr --address $T/c/s tasks ls | grep -q 'job-$r .*STOPPED'"
    ctr_ tasks rm "job-$r" || [ $? -eq 137 ]
    ctr_ containers rm "job-$r"
    cell "$r" runs "run, exit codes, exec, pause, kill, delete"
  done
}

@test "exec by ctr lands under the container's policy, and delete leaves no state" {
  run_hardened -d "$IMAGE" c2 /bin/sleep 600
  run ctr_ tasks exec --exec-id e1 c2 /bin/sh -c 'grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status'
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *"CapEff:"*"0000000000000400"* ]]
  [[ "$output" == *"NoNewPrivs:"*"1"* ]]
  ctr_ tasks kill -s KILL c2
  wait_for 10 sh -c "ctr --address $T/c/s tasks ls | grep -q STOPPED"
  ctr_ tasks rm c2
  run find "$T/state" -mindepth 1 -path '*/.cache' -prune -o -path '*/.leases*' -prune -o -print
  echo "$output"
  [ -z "$output" ]
}

@test "every refusal reaches ctr's error text with our message" {
  local r
  for r in baseline restricted strict; do
    run run_ "$r" --net-host "$IMAGE" c3 /bin/true
    echo "$r: $output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"OCI runtime create failed"* ]]
    [[ "$output" == *"network"* ]]
    [[ "$output" == *"OH-NSP-"* ]]
    ctr_ containers rm c3

    run run_ "$r" --mount type=bind,src=/etc,dst=/host,options=rbind:rw "$IMAGE" c4 /bin/true
    echo "$r: $output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"OH-MNT-"* ]]
    [[ "$output" == *"/etc"* ]]
    ctr_ containers rm c4

    run run_ "$r" --cwd /proc/self/fd/7 "$IMAGE" c6 /bin/true
    echo "$r: $output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"OH-PRC-"* ]]
    ctr_ containers rm c6
    cell "$r" refused "--net-host" "--mount of /etc" "--cwd through /proc"
  done
}

@test "asking for more gains nothing: --privileged, --cap-add" {
  local r set
  for r in baseline:00000000a80405fb restricted:0000000000000400; do
    set=${r#*:} r=${r%:*}
    run run_ "$r" --rm --privileged --cap-add CAP_SYS_ADMIN "$IMAGE" "p-$r" /bin/sh -c \
      'grep -E "^(CapEff|CapBnd|Seccomp:)" /proc/self/status; echo x > /proc/sys/kernel/core_pattern; ls /dev'
    echo "$r: $output"
    [[ "$output" == *"CapEff:"*"$set"* ]]
    [[ "$output" == *"CapBnd:"*"$set"* ]]
    [[ "$output" == *"Seccomp:"*"2"* ]]
    [[ "$output" == *"Read-only file system"* ]]
    [[ "$output" != *"vda"* && "$output" != *"kmsg"* ]]
    cell "$r" less "--privileged --cap-add"
  done
}
