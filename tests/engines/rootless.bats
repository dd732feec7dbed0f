#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# podman of a user who is not root: the wrapper runs in podman's user namespace, with the state below /run/user.
bats_require_minimum_version 1.5.0
load ../integration/helper
load engines
ENGINE="podman, not root"

USER_ID=4242
IMAGE=localhost/busybox:test
SELF='grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status'

setup_file() {
  oh_setup
  # The state and the events of a user are where a user may write: nothing is said of them here.
  oh_config runc 'del(.stateDir, .mapDir, .events)'
  # Without cgroup v2 nobody delegates groups to a user, and podman runs without.
  jq -n '{extends: "restricted", resources: {action: "off"}}' >"$T/policies/rootless.json"
  chmod 644 "$T/policies/rootless.json"
  config_for_engine
  chmod 644 /etc/oci-harden/config.json
  # /etc and /run are the test run's own.
  echo "rootless:x:$USER_ID:$USER_ID::$T/home:/bin/sh" >>/etc/passwd
  echo "rootless:x:$USER_ID:" >>/etc/group
  echo "rootless:200000:65536" | tee /etc/subuid >/etc/subgid
  mkdir -p "$T/home/.config/containers" "$T/bin" "/run/user/$USER_ID"
  local policy
  for policy in baseline rootless; do ln -s "$OH" "$T/bin/oci-harden-$policy"; done
  jq -rn --arg oh "$T/bin/oci-harden-" '"[containers]
netns = \"none\"
[engine]
cgroup_manager = \"cgroupfs\"
events_logger = \"file\"
lock_type = \"file\"
num_locks = 64
runtime_supports_json = [\"runc\", \"crun\", \"baseline\", \"rootless\"]
[engine.runtimes]
runc = [\"/usr/sbin/runc\"]
crun = [\"/usr/bin/crun\"]
baseline = [\"\($oh)baseline\"]
rootless = [\"\($oh)rootless\"]"' >"$T/home/.config/containers/containers.conf"
  chown -R "$USER_ID:$USER_ID" "$T/home" "/run/user/$USER_ID"
  chmod 700 "$T/home" "/run/user/$USER_ID"
  export T
  image_archive "$T/image.tar" "$IMAGE"
  chmod 644 "$T/image.tar"
  podman_ load -qi "$T/image.tar" >/dev/null
}

as_user() {
  (cd "$T/home" && exec setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups env -i "PATH=$PATH" "HOME=$T/home" \
    "XDG_RUNTIME_DIR=/run/user/$USER_ID" PODMAN_IGNORE_CGROUPSV1_WARNING=1 "$@")
}
podman_() { as_user podman --storage-driver overlay "$@"; }
run_() {
  local runtime=$1
  shift
  podman_ --runtime "$runtime" run "$@"
}

teardown() {
  podman_ rm -fa -t 1
}

teardown_file() {
  podman_ unshare true # podman's own pause process holds the user namespace that its storage was mounted in
  if [ -r "/run/user/$USER_ID/libpod/tmp/pause.pid" ]; then kill "$(cat "/run/user/$USER_ID/libpod/tmp/pause.pid")"; fi
  oh_unmount
  oh_teardown
}

@test "podman without root: run, exec, stop, volumes and exit codes are as under runc" {
  local r
  for r in runc baseline rootless; do
    run --separate-stderr run_ "$r" --rm "$IMAGE" sh -c 'echo out; echo err >&2; exit 7'
    # shellcheck disable=SC2154 # bats sets it
    echo "$r: $output, $stderr"
    [ "$status" -eq 7 ]
    [ "$output" = out ]
    [ "$stderr" = err ]
    run_ "$r" -d --name job -v volume:/data "$IMAGE" sh -c 'echo kept > /data/x; echo started; trap "exit 5" TERM
      while :; do sleep 0.1; done' >/dev/null
    run podman_ exec -i job sh -c 'cat; id -u; cat /data/x; exit 4' <<<input
    echo "$r: $output"
    [ "$status" -eq 4 ]
    [ "$output" = $'input\n0\nkept' ]
    podman_ stop -t 5 job
    [ "$(podman_ logs job)" = started ]
    [ "$(podman_ inspect -f '{{.State.ExitCode}}' job)" -eq 5 ]
    podman_ rm job
    cell "${r/rootless/restricted}" runs "run, exec, -v, stop, logs, exit codes"
  done
  run find "/run/user/$USER_ID/oci-harden" -path '*/.cache' -prune -o -type f ! -name events.json -print
  echo "$output"
  [ -z "$output" ]
  [ "$(stat -c '%u %a' "/run/user/$USER_ID/oci-harden")" = "$USER_ID 700" ]
  jq -es 'any(.["event.action"] != null)' "/run/user/$USER_ID/oci-harden/events.json"
}

@test "podman without root: asking for more gains nothing, by run and by exec" {
  local r set
  for r in baseline:00000000a80405fb rootless:0000000000000400; do
    set=${r#*:} r=${r%:*}
    run_ "$r" -d --name job --cap-add ALL --security-opt seccomp=unconfined --security-opt unmask=ALL "$IMAGE" sleep 600 >/dev/null
    for call in "exec job" "exec --privileged job"; do
      # shellcheck disable=SC2086
      run podman_ $call sh -c "$SELF; echo x > /proc/sys/kernel/core_pattern"
      echo "$r: $call: $output"
      [[ "$output" == *"CapEff:"*"$set"* ]]
      [[ "$output" == *"CapBnd:"*"$set"* ]]
      [[ "$output" == *"Seccomp:"*"2"* ]]
      [[ "$output" == *"Read-only file system"* ]]
    done
    podman_ rm -f -t 0 job
    cell "${r/rootless/restricted}" less "--cap-add ALL, unconfined, exec --privileged"
  done
}

@test "podman without root: what cannot be taken away is refused, and the user reads why" {
  local r
  for r in baseline rootless; do
    run run_ "$r" --rm --network host "$IMAGE" true
    echo "$r: $output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"OH-NSP-"* ]]
    run run_ "$r" --rm -v /etc:/host "$IMAGE" true
    echo "$r: $output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"OH-MNT-"* ]]
    # Without root podman makes a privileged container by binding every device of the host.
    run run_ "$r" --rm --privileged "$IMAGE" true
    echo "$r: $output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"OH-MNT-"* ]]
    cell "${r/rootless/restricted}" refused "--network host" "-v /etc" "--privileged"
  done
}

@test "podman without root, over crun: run, exec, stop and exit codes are as under crun; what is refused is refused" {
  local r
  oh_config crun 'del(.stateDir, .mapDir, .events)'
  config_for_engine
  chmod 644 /etc/oci-harden/config.json
  for r in crun baseline rootless; do
    run_ "$r" -d --name job "$IMAGE" sh -c 'echo started; trap "exit 5" TERM; while :; do sleep 0.1; done' < <(:) >/dev/null
    run podman_ exec -i job sh -c "cat; id -u; $SELF; exit 4" <<<input
    echo "$r: $output"
    [ "$status" -eq 4 ]
    [ "${lines[0]} ${lines[1]}" = "input 0" ]
    case $r in baseline | rootless) [ "$(jq -r .runtime "/run/user/$USER_ID"/oci-harden/*/*/state.json)" = "$RUNTIME_PATH" ] ;; esac
    case $r in rootless) [[ "$output" == *"CapEff:"*"0000000000000400"*"NoNewPrivs:"*1* ]] ;; esac
    podman_ stop -t 5 job
    [ "$(podman_ logs job)" = started ]
    [ "$(podman_ inspect -f '{{.State.ExitCode}}' job)" -eq 5 ]
    podman_ rm job
    if [ "$r" != crun ]; then
      run run_ "$r" --rm -v /etc:/host "$IMAGE" true < <(:)
      echo "$r: $output"
      [[ "$output" == *"OH-MNT-"* ]]
    fi
    r=${r/rootless/restricted}
    cell "${r/crun/runc}" runs "over crun: run, exec, stop, logs, exit codes"
  done
  oh_config runc 'del(.stateDir, .mapDir, .events)'
  config_for_engine
  chmod 644 /etc/oci-harden/config.json
}
