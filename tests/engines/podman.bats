#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Containers and pods of a real podman (with conmon, without a daemon), over runc and over crun.
bats_require_minimum_version 1.5.0
load ../integration/helper
load engines
ENGINE="podman"

setup_file() {
  oh_setup
  config_for_engine
  local policy
  mkdir -p "$T/bin" "$T/p"
  # strict as it is where a container can have no user namespace.
  jq -n '{extends: "strict", "user-namespace": {mode: "off"}}' >"$T/policies/unmapped.json"
  for policy in baseline restricted strict unmapped; do ln -s "$OH" "$T/bin/oci-harden-$policy"; done
  # The limits that podman asks for by default need CAP_SYS_RESOURCE, which a test machine may lack.
  jq -rn --arg t "$T" --arg oh "$T/bin/oci-harden-" '"[containers]
default_ulimits = [\"nofile=1024:1024\", \"nproc=4096:4096\"]
netns = \"none\"
[engine]
cgroup_manager = \"cgroupfs\"
events_logger = \"file\"
init_path = \"/usr/bin/docker-init\"
lock_type = \"file\"
num_locks = 64
infra_command = \"/pause\"
runtime_supports_json = [\"runc\", \"crun\", \"baseline\", \"restricted\", \"strict\", \"unmapped\"]
[engine.runtimes]
runc = [\"/usr/sbin/runc\"]
baseline = [\"\($oh)baseline\"]
restricted = [\"\($oh)restricted\"]
strict = [\"\($oh)strict\"]
unmapped = [\"\($oh)unmapped\"]"' >"$T/containers.conf"
  CGROUP=$(basename "$T")
  export T CGROUP CONTAINERS_CONF=$T/containers.conf
  image_archive "$T/image.tar" localhost/busybox:test
  pause_archive "$T/pause.tar" localhost/pause:test
  podman_ load -qi "$T/image.tar" >/dev/null
  podman_ load -qi "$T/pause.tar" >/dev/null
}

podman_() { podman --root "$T/p/root" --runroot "$T/p/run" --tmpdir "$T/p/tmp" --storage-driver overlay "$@"; }
run_() {
  local runtime=$1
  shift
  podman_ --runtime "$runtime" run --cgroup-parent "/$CGROUP" "$@"
}
IMAGE=localhost/busybox:test

# remove rm|pod rm ARGS...: on a busy machine podman 4.3 unmounts a container's shm while the cleanup process that its own
# conmon has started still looks at it, and gives up with EBUSY; asked again, it succeeds. Any other failure is one.
remove() {
  local out
  for _ in $(seq 20); do
    out=$(podman_ "$@" 2>&1) && return 0
    [[ "$out" == *"resource busy"* ]] || break
    sleep 0.5
  done
  echo "$out"
  return 1
}

teardown() {
  remove pod rm -fa -t 1
  remove rm -fa -t 1
}

teardown_file() {
  oh_unmount
  oh_remove_cgroups "$CGROUP"
  oh_teardown
}

ORDINARY="runc baseline restricted strict"
SELF='grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status'

@test "run, exit codes, stdin and terminal are as under runc" {
  local r
  for r in $ORDINARY; do
    run --separate-stderr run_ "$r" --rm "$IMAGE" sh -c 'echo out; echo err >&2; exit 7'
    # shellcheck disable=SC2154 # bats sets it
    echo "$r: $output, $stderr"
    [ "$status" -eq 7 ]
    [ "$output" = out ]
    [ "$stderr" = err ]
    [ "$(echo words | run_ "$r" --rm -i "$IMAGE" cat)" = words ]
    run script -qec "podman --root $T/p/root --runroot $T/p/run --tmpdir $T/p/tmp --storage-driver overlay --runtime $r run --rm -t $IMAGE sh -c 'test -t 1 && echo yes; tty'" /dev/null < <(:)
    echo "$r: $output"
    [[ "$output" == *yes*"/dev/"* ]]
    run -127 run_ "$r" --rm "$IMAGE" /nothing
    echo "$r: $output"
    run run_ "$r" --rm --init "$IMAGE" sh -c 'cat /proc/1/comm; exit 3'
    echo "$r: $output"
    [ "$status" -eq 3 ]
    [ "$output" != sh ]
    cell "$r" runs "run: streams, terminal, exit codes, --init"
  done
}

@test "exec, cp, restart, pause, top, logs and stop are as under runc" {
  local r
  for r in $ORDINARY; do
    run_ "$r" -d --name job "$IMAGE" sh -c 'echo started; trap "exit 5" TERM; while :; do sleep 0.1; done' >/dev/null
    run podman_ exec -i -e A=1 -w /tmp job sh -c 'echo $A; pwd; cat; exit 4' <<<input
    echo "$r: $output"
    [ "$status" -eq 4 ]
    [ "$output" = $'1\n/tmp\ninput' ]
    [ "$(podman_ exec -u 1000 job id -u)" = 1000 ]
    podman_ exec -d job sh -c 'echo there > /dev/shm/x'
    echo file >"$T/file"
    # podman copies into a running container as the host's root among the container's mounts: where they are read-only,
    # or the host's root has no id in them, it cannot.
    case $r in
      restricted | strict)
        run podman_ cp "$T/file" job:/tmp/file
        [ "$status" -ne 0 ]
        [[ "$output" == *"value too large"* ]]
        ;;
      *)
        podman_ cp "$T/file" job:/tmp/file
        podman_ cp "$T/file" job:/root/file
        [ "$(podman_ exec job cat /root/file)" = file ]
        ;;
    esac
    case $r in restricted | strict) ;; *) [ "$(podman_ exec job cat /tmp/file)" = file ] ;; esac
    podman_ cp job:/etc/passwd "$T/passwd"
    podman_ pause job
    podman_ unpause job
    podman_ top job | grep -q 'sh -c'
    podman_ restart -t 5 job
    [ "$(podman_ logs job | grep -c started)" -eq 2 ]
    podman_ stop -t 5 job
    [ "$(podman_ inspect -f '{{.State.ExitCode}}' job)" -eq 5 ]
    remove rm job
    cell "$r" runs "exec, cp, restart, pause, top, logs, stop"
  done
  run find "$T/state" -mindepth 1 -path '*/.cache' -prune -o -path '*/.leases*' -prune -o -print
  echo "$output"
  [ -z "$output" ]
}

@test "volumes, tmpfs, read-only, user and limits are as under runc" {
  local r
  mkdir -p "$T/host"
  for r in $ORDINARY; do
    rm -f "$T/host/x"
    run run_ "$r" --rm -v "$T/host:/host" -v named:/named -v /anonymous "$IMAGE" sh -c '
      echo 1 > /host/x && echo 2 > /named/x && echo 3 > /anonymous/x && cat /host/x /named/x /anonymous/x'
    echo "$r: $output"
    [ "$output" = $'1\n2\n3' ]
    [ "$(cat "$T/host/x")" = 1 ]
    run run_ "$r" --rm -v "$T/host:/host:ro" --read-only --tmpfs /scratch:size=1m "$IMAGE" sh -c '
      touch /host/y || echo no; touch /y || echo no; touch /scratch/y && touch /tmp/y && touch /run/y && echo yes'
    echo "$r: $output"
    [ "$(grep -cx no <<<"$output")" -eq 2 ]
    grep -qx yes <<<"$output"
    run run_ "$r" --rm --user 1000:1000 --group-add 2000 -e HOME=/tmp "$IMAGE" sh -c 'id -u; id -G; cd; echo job > x && cat x'
    echo "$r: $output"
    [ "$output" = $'1000\n1000 2000\njob' ]
    run run_ "$r" --rm --ulimit nofile=512:512 --ulimit nproc=4096:4096 --memory 64m --pids-limit 50 --shm-size 8m --hostname h "$IMAGE" sh -c 'ulimit -n; hostname'
    echo "$r: $output"
    [ "$output" = $'512\nh' ]
    run run_ "$r" --rm --cap-drop ALL --security-opt no-new-privileges "$IMAGE" sh -c "$SELF"
    echo "$r: $output"
    [[ "$output" == *"CapBnd:"*"0000000000000000"*"NoNewPrivs:"*"1"* ]]
    # Without CAP_AUDIT_WRITE, which podman 5 does not give, one netlink protocol is denied, and only that.
    run run_ "$r" --rm --user 1000 --cap-drop AUDIT_WRITE "$IMAGE" sh -c 'busybox nc 127.0.0.1 1; busybox ip -o link show lo'
    echo "$r: $output"
    [[ "$output" == *"Connection refused"* ]]
    [ "$r" = strict ] || [[ "$output" == *"1: lo"* ]] # which has no netlink at all
    cell "$r" runs "-v, --tmpfs, --read-only, --user, --ulimit, --memory, --cap-drop"
  done
}

@test "a pod with its infra container shares one user namespace; without one strict refuses it, as nothing marks it" {
  local r
  podman_ --runtime unmapped pod create --name pod --network none --infra-image localhost/pause:test >/dev/null
  run podman_ --runtime unmapped run --rm --pod pod --user 1000 "$IMAGE" true
  echo "$output"
  [[ "$output" == *"OH-USR-002"* ]]
  remove pod rm -f pod
  for r in $ORDINARY strict runc:mapped unmapped:mapped; do
    map=()
    [[ "$r" != *:mapped ]] || map=(--uidmap=0:100000:65536 --gidmap=0:100000:65536)
    podman_ --runtime "${r%:*}" pod create --name pod --network none --infra-image localhost/pause:test "${map[@]}" >/dev/null
    # podman 5 binds the host's /sys there, whose root such a container's is not.
    if [ "$r" = unmapped:mapped ] && [ "$(podman_ version -f '{{.Client.Version}}' | cut -d. -f1)" -ge 5 ]; then
      run podman_ --runtime unmapped run --rm --pod pod "$IMAGE" true
      [[ "$output" == *"a bind mount on /sys is refused"*"OH-MNT-006"* ]]
      [ "$(podman_ pod inspect -f '{{.State}}' pod)" = Running ]
      remove pod rm -f pod
      continue
    fi
    podman_ --runtime "${r%:*}" run -d --pod pod --name one "$IMAGE" sh -c '
      mkdir /tmp/w && echo page > /tmp/w/x && cat /proc/self/uid_map > /tmp/w/map && exec busybox httpd -f -p 80 -h /tmp/w' >/dev/null
    run podman_ --runtime "${r%:*}" run --rm --pod pod --name two "$IMAGE" sh -c '
      for i in 1 2 3 4 5; do busybox wget -q -O - http://127.0.0.1/x && break; sleep 1; done
      busybox wget -q -O - http://127.0.0.1/map | busybox cmp - /proc/self/uid_map && tr -s " " </proc/self/uid_map'
    echo "$r: $output"
    [ "${lines[0]}" = page ]
    # One of ours, or podman's own, which is left as it is.
    case $r in
    runc | baseline) [ "${lines[1]}" = ' 0 0 4294967295' ] ;;
    restricted | strict) [[ "${lines[1]}" == " 0 18"*" 65536" ]] ;;
    *:mapped) [ "${lines[1]}" = ' 0 100000 65536' ] ;;
    esac
    [ "$(podman_ pod inspect -f '{{.State}}' pod)" = Running ]
    remove pod rm -f -t 0 pod
    case $r in
    runc:mapped) cell runc runs "a pod with a user namespace and its infra container, shared network" ;;
    unmapped:mapped) cell strict runs "a pod with a user namespace and its infra container, shared network" ;;
    *) cell "$r" runs "a pod with its infra container, shared network" ;;
    esac
  done
}

@test "asking for more gains nothing: --cap-add, --privileged, unconfined, exec --privileged" {
  local r set more
  for r in baseline:00000000a80405fb restricted:0000000000000400; do
    set=${r#*:} r=${r%:*}
    for more in "--cap-add=ALL --security-opt=seccomp=unconfined --security-opt=unmask=ALL" --privileged; do
      # shellcheck disable=SC2086
      run_ "$r" -d --name job $more "$IMAGE" sleep 600 >/dev/null
      for call in "exec job" "exec --privileged job"; do
        # shellcheck disable=SC2086
        run podman_ $call sh -c "$SELF; echo x > /proc/sys/kernel/core_pattern; ls /dev"
        echo "$r: $more: $call: $output"
        [[ "$output" == *"CapEff:"*"$set"* ]]
        [[ "$output" == *"CapBnd:"*"$set"* ]]
        [[ "$output" == *"Seccomp:"*"2"* ]]
        [[ "$output" == *"Read-only file system"* ]]
        [[ "$output" != *"vda"* && "$output" != *"kmsg"* ]]
      done
      remove rm -f -t 0 job
    done
    cell "$r" less "--cap-add ALL, unconfined, exec --privileged" "--privileged"
  done
}

@test "what cannot be taken away is refused, and podman's user reads why" {
  local r
  for r in baseline restricted strict; do
    run run_ "$r" --rm --network host --user 1000 "$IMAGE" true
    echo "$r: $output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"OH-NSP-"* ]]
    run run_ "$r" --rm --user 1000 -v /etc:/host "$IMAGE" true
    echo "$r: $output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"OH-MNT-"* ]]
    cell "$r" refused "--network host" "-v /etc"
  done
  run run_ unmapped --rm "$IMAGE" true
  echo "$output"
  [[ "$output" == *"OH-USR-002"* ]]
}

@test "the same over crun" {
  local r
  oh_config crun
  config_for_engine
  for r in crun baseline restricted; do
    run_ "$r" -d --name job --user 1000 "$IMAGE" sh -c 'echo started; trap "exit 5" TERM; while :; do sleep 0.1; done' < <(:) >/dev/null
    run podman_ exec -i job sh -c "cat; id -u; touch /tmp/x && $SELF; exit 4" <<<input
    echo "$r: $output"
    [ "$status" -eq 4 ]
    [ "${lines[0]}" = input ]
    [ "${lines[1]}" = 1000 ]
    podman_ stop -t 5 job
    [ "$(podman_ inspect -f '{{.State.ExitCode}}' job)" -eq 5 ]
    remove rm job
    run -127 run_ "$r" --rm --user 1000 "$IMAGE" /nothing < <(:)
    echo "$r: $output"
    cell "${r/crun/runc}" runs "over crun: run, exec, stop, exit codes"
  done
  oh_config runc
  config_for_engine
}
