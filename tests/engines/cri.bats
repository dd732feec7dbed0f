#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Pods through the CRI of a real containerd, as kubelet starts them: one runtime handler for each policy.
load ../integration/helper
load engines
load cri
ENGINE="containerd, CRI"

setup_file() {
  oh_setup
  config_for_engine
  mkdir -p "$T/bin"
  {
    cri_config
    handlers
  } >"$T/containerd.toml"
  own_network sleep infinity 3>&- &
  NETWORK=$!
  export T NETWORK
  containerd_start
  cri_images
  CGROUP=$(basename "$T")
  export CGROUP
}

# The daemon lives in a network that outlives it, as a node's does.
containerd_start() {
  rm -f "$T/c/s"
  wait_for 5 nsenter --net="/proc/$NETWORK/ns/net" busybox ip -o link show up dev lo >/dev/null
  nsenter --net="/proc/$NETWORK/ns/net" containerd --config "$T/containerd.toml" >>"$T/containerd.log" 2>&1 3>&- &
  echo $! >"$T/containerd.pid"
  cri_wait
}

containerd_stop() {
  local pid
  pid=$(cat "$T/containerd.pid")
  kill "$pid"
  wait_for 20 sh -c "! kill -0 $pid 2>/dev/null"
}

# Prints the table of handlers, and puts there what they call: runc alone, and the wrapper under the name that selects a policy.
handlers() {
  local handler
  cat <<'TOML'
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
TOML
  for handler in runc baseline restricted strict; do
    cat <<TOML
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.$handler]
    runtime_type = "io.containerd.runc.v2"
    pod_annotations = ["oci-harden.policy"]
    container_annotations = ["oci-harden.policy"]
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.$handler.options]
      BinaryName = "$T/bin/oci-harden-$handler"
TOML
    ln -s "$T/bin/oci-harden" "$T/bin/oci-harden-$handler"
  done
  cp "$OH" "$T/bin/oci-harden"
  ln -sf "$(command -v runc)" "$T/bin/oci-harden-runc"
}

teardown() { cri_remove_pods; }

teardown_file() {
  if [ -e "$T/containerd.pid" ]; then containerd_stop; fi
  if [ -n "${NETWORK-}" ]; then kill "$NETWORK"; fi
  oh_unmount
  oh_remove_cgroups "$CGROUP"
  oh_teardown
}

# container SHELL-COMMAND [JQ]: creates and starts a container in the pod and sets ID; its output is $T/logs/ID.log.
container() {
  local config name=c$RANDOM
  config=$(jq -n --arg image "$IMAGE" --arg name "$name" --arg cmd "$1" '{metadata: {name: $name}, image: {image: $image},
    command: ["/bin/sh", "-c", $cmd], log_path: ($name + ".log"),
    linux: {resources: {cpu_shares: 102, oom_score_adj: 1000}, security_context: {namespace_options: {pid: 1}}}}' | jq "${2:-.}")
  LOG=$T/logs/$name.log
  cri_container "$config"
}

# pid_of ID: the first process of a sandbox or container.
pid_of() {
  cri_ctr tasks ls | awk -v id="$1" '$1 == id {print $2}'
}
# tasks_exec ID WORDS...: an exec with streams, as `crictl exec` or `kubectl exec` make it.
tasks_exec() {
  cri_ctr tasks exec --exec-id "x$RANDOM" "$@"
}
# exec_stream COMMAND LINE...: a shell of the container with a terminal, over the address that the engine gives for it.
exec_stream() {
  local url
  url=$(cri_call Exec ".cmd = [\"/bin/sh\", \"-c\", $(jq -cn --arg c "$1" '$c')] | .tty = true | .stdin = true | .stdout = true" | jq -r .url)
  shift
  nsenter --net="/proc/$NETWORK/ns/net" "$ROOT/tests/engines/cri-stream" "$url" "$@"
}
container_is() { # NUMBER: 1 running, 2 exited
  [ "$(cri_call ContainerStatus | jq '.status.state // 0')" = "$1" ]
}

# What kubelet makes of a pod that keeps the Pod Security Standards' "restricted".
PSS_RESTRICTED='.linux.security_context += {run_as_user: {value: 1000}, run_as_group: {value: 1000}, no_new_privs: true,
  capabilities: {drop_capabilities: ["ALL"]}, seccomp: {profile_type: 0}}'
SELF='grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status'

@test "a default pod runs under runc, baseline and restricted: exec, update, stop, remove" {
  local handler
  for handler in runc baseline restricted strict; do
    cri_pod "$handler"
    container 'trap "exit 3" TERM; echo up; while :; do sleep 0.1; done'
    wait_for 10 grep -q ' up$' "$LOG"
    run cri_exec /bin/sh -c 'id -u; hostname; exit 7'
    echo "$handler: $output"
    [ "$status" -eq 7 ]
    [ "${lines[0]}" = 0 ]
    cri_call UpdateContainerResources '.linux = {memory_limit_in_bytes: 67108864, cpu_shares: 204}'
    cri_call StopContainer '.timeout = 10'
    container_is 2
    [ "$(cri_call ContainerStatus | jq .status.exit_code)" -eq 3 ]
    cri_call RemoveContainer
    teardown
    cell "$handler" runs "pod of root: run, ExecSync, update, stop, remove"
  done
  run find "$T/state" -mindepth 1 -path '*/.cache' -prune -o -path '*/.leases*' -prune -o -print
  echo "$output"
  [ -z "$output" ]
  jq -es 'any(.["orchestrator.namespace"] == "default")' "$T/events.json"
}

@test "a pod of the restricted Pod Security Standard runs under every policy, a pause process of root too" {
  local handler
  for handler in runc baseline restricted strict; do
    cri_pod "$handler"
    container 'id -u; sleep 600' "$PSS_RESTRICTED"
    run cri_exec /bin/sh -c "echo \$(id -u) > /tmp/me && cat /tmp/me; $SELF"
    echo "$handler: $output"
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = 1000 ]
    [[ "$output" == *"CapBnd:"*"0000000000000000"* ]]
    [[ "$output" == *"NoNewPrivs:"*"1"* ]]
    [[ "$output" == *"Seccomp:"*"2"* ]]
    container_is 1
    [ -d "/proc/$(pid_of "$POD")" ]
    teardown
    cell "$handler" runs "pod of the restricted Pod Security Standard"
  done
}

@test "strict without user namespaces: a container of root is refused with the reason, its pod stays" {
  jq -n '{extends: "strict", "user-namespace": {mode: "off"}}' >"$T/policies/strict.json"
  cri_pod strict
  run container 'sleep 600'
  echo "$output"
  [ "$status" -ne 0 ]
  [[ "$output" == *"OCI runtime create failed: "* ]]
  [[ "$output" == *"OH-USR-002"* ]]
  [ -d "/proc/$(pid_of "$POD")" ]
  rm "$T/policies/strict.json"
}

@test "a pod on the host's network or in its ipc namespace is refused, and kubelet's user reads why" {
  local handler
  for handler in baseline restricted strict; do
    run cri_pod "$handler" '.linux.security_context.namespace_options = {network: 2}'
    echo "$handler: $output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"OCI runtime create failed: "* ]]
    [[ "$output" == *"network"* ]]
    [[ "$output" == *"OH-NSP-"* ]]
    [[ "$output" != *"unable to retrieve"* ]]
    run cri_pod "$handler" '.linux.security_context.namespace_options = {ipc: 2}'
    echo "$handler: $output"
    [[ "$output" == *"/dev/shm"*"OH-MNT-"* ]]
    cell "$handler" refused "hostNetwork" "hostIPC"
  done
}

@test "what a pod asks for beyond its policy is taken away: the host's pids, all capabilities, unconfined" {
  local handler set
  for handler in baseline:00000000a80405fb restricted:0000000000000400; do
    set=${handler#*:} handler=${handler%:*}
    cri_pod "$handler" '.linux.security_context += {namespace_options: {pid: 2}, seccomp: {profile_type: 1}}'
    container 'sleep 600' '.linux.security_context = {namespace_options: {pid: 2},
      capabilities: {add_capabilities: ["ALL"]}, seccomp: {profile_type: 1}}'
    run cri_exec /bin/sh -c "cat /proc/1/comm; $SELF"
    echo "$handler: $output"
    [ "${lines[0]}" = pause ]
    [[ "$output" == *"CapEff:"*"$set"* ]]
    [[ "$output" == *"CapBnd:"*"$set"* ]]
    [[ "$output" == *"Seccomp:"*"2"* ]]
    run tasks_exec "$ID" /bin/sh -c "$SELF"
    echo "$handler: exec: $output"
    [[ "$output" == *"CapEff:"*"$set"* ]]
    teardown
    cell "$handler" less "hostPID, all capabilities, unconfined"
  done
}

@test "a privileged pod under restricted has no device, no capability and no writable kernel of the host" {
  cri_pod restricted '.linux.security_context.privileged = true'
  container 'sleep 600' '.linux.security_context.privileged = true'
  run cri_exec /bin/sh -c "$SELF; ls /dev; for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /sys/kernel/uevent_helper; do
    test -w \$f && (: > \$f) 2>/dev/null && echo wrote \$f; done"
  echo "$output"
  [[ "$output" == *"CapEff:"*"0000000000000400"* ]]
  [[ "$output" == *"NoNewPrivs:"*"1"* ]]
  [[ "$output" != *"vda"* && "$output" != *"mem"* && "$output" != *"kmsg"* ]]
  [[ "$output" != *"wrote"* ]]
  cell restricted less "privileged"
}

@test "a pod's annotation can ask for a stricter policy, not for a looser one" {
  cri_pod baseline '.annotations = {"oci-harden.policy": "restricted"}'
  container 'sleep 600' '.annotations = {"oci-harden.policy": "restricted"}'
  run cri_exec /bin/sh -c "touch /x; $SELF"
  echo "$output"
  [[ "$output" == *"Read-only file system"* ]]
  [[ "$output" == *"CapEff:"*"0000000000000400"* ]]
  teardown
  cri_pod restricted '.annotations = {"oci-harden.policy": "privileged"}'
  container 'sleep 600' '.annotations = {"oci-harden.policy": "privileged"}'
  run cri_exec /bin/sh -c "touch /x; $SELF"
  echo "$output"
  [[ "$output" == *"Read-only file system"* ]]
  [[ "$output" == *"CapEff:"*"0000000000000400"* ]]
}

@test "volumes, sysctls, groups and kubelet's files of a pod work under restricted; the host's /etc is refused" {
  local handler
  mkdir -p "$T/volume" "$T/configmap"
  chown 1000 "$T/volume"
  echo setting >"$T/configmap/file"
  chmod 666 "$T/configmap/file"
  echo '10.251.0.9 friend' >"$T/hosts"
  for handler in runc restricted; do
    rm -f "$T/volume/out"
    cri_pod "$handler" '.linux.sysctls = {"net.ipv4.ip_unprivileged_port_start": "0"}'
    container 'sleep 600' "$PSS_RESTRICTED"'|.linux.security_context.supplemental_groups = [2000]
      |.envs = [{key: "A", value: "line\nline"}] | .working_dir = "/tmp"
      |.mounts = [{container_path: "/data", host_path: "'"$T"'/volume"}, {container_path: "/etc/hosts", host_path: "'"$T"'/hosts"},
        {container_path: "/config", host_path: "'"$T"'/configmap", readonly: true}]'
    run cri_exec /bin/sh -c 'pwd; id; cat /config/file; echo x >> /config/file; echo data > /data/out; cat /etc/hosts; echo "$A"
      cat /proc/sys/net/ipv4/ip_unprivileged_port_start; echo shared > /dev/shm/x && cat /dev/shm/x'
    echo "$handler: $output"
    [ "${lines[0]}" = /tmp ]
    [[ "${lines[1]}" == *"groups="*"2000"* ]]
    [[ "$output" == *setting* ]]
    [[ "$output" == *"Read-only file system"* ]]
    [[ "$output" == *friend* ]]
    [[ "$output" == *$'line\nline\n0\n'* ]]
    [[ "$output" == *shared* ]]
    [ "$(cat "$T/volume/out")" = data ]
    cell "$handler" runs "volumes, sysctls, groups, environment, kubelet's files"
    [ "$handler" = restricted ] || teardown
  done
  run container 'sleep 600' '.mounts = [{container_path: "/host", host_path: "/etc"}]'
  echo "$output"
  [ "$status" -ne 0 ]
  [[ "$output" == *"OH-MNT-"* ]]
  cell restricted refused "hostPath /etc"
}

@test "containers of one pod share its network and, when asked, its pids; root serves port 80" {
  local handler shared='.linux.security_context.namespace_options = {pid: 0}'
  for handler in runc baseline restricted strict; do
    cri_pod "$handler" "$shared"
    container 'mkdir -p /tmp/w; echo hello > /tmp/w/x; busybox httpd -f -p 80 -h /tmp/w' "$shared"
    container 'sleep 600' "$shared"
    run cri_exec /bin/sh -c 'for i in 1 2 3 4 5; do busybox wget -q -O - http://127.0.0.1/x && break; sleep 1; done; ps'
    echo "$handler: $output"
    [[ "$output" == *hello* ]]
    [[ "$output" == *"/pause"* ]]
    [[ "$output" == *"httpd -f -p 80"* ]]
    teardown
    cell "$handler" runs "CNI network shared in the pod, port 80, shared pids"
  done
}

@test "user namespaces: a pod decides at its sandbox, its containers join it; exec, port 80, shared pids" {
  local ids more
  jq -n '{extends: "restricted", "user-namespace": {mode: "require"}}' >"$T/policies/restricted.json"
  for more in . '.linux.security_context.namespace_options = {pid: 0}'; do
    cri_pod restricted "$more"
    ids=$(awk '{print $2}' "/proc/$(pid_of "$POD")/uid_map")
    [ "$ids" -ge 1879048192 ]
    container 'mkdir -p /tmp/w; echo hello > /tmp/w/x; busybox httpd -f -p 80 -h /tmp/w' "$more"
    container 'sleep 600' "$more"
    [ "$(readlink "/proc/$(pid_of "$POD")/ns/user")" = "$(readlink "/proc/$(pid_of "$ID")/ns/user")" ]
    grep -Eq "^Uid:.$ids" "/proc/$(pid_of "$ID")/status"
    run cri_exec /bin/sh -c 'for i in 1 2 3 4 5; do busybox wget -q -O - http://127.0.0.1/x && break; sleep 1; done; id -u
      ls /sys/class/net; hostname'
    echo "$output"
    [[ "$output" == *hello*0*lo* ]]
    teardown
  done
  rm "$T/policies/restricted.json"
}

@test "init containers, a sidecar and an ephemeral container of a pod: each hardened, in the pod's namespaces" {
  local handler target ns
  for handler in runc baseline restricted strict; do
    cri_pod "$handler"
    container 'echo prepared; exit 0'
    wait_for 10 container_is 2
    [ "$(cri_call ContainerStatus | jq '.status.exit_code // 0')" -eq 0 ]
    container 'mkdir -p /tmp/w; echo hello > /tmp/w/x; busybox httpd -f -p 8080 -h /tmp/w' # the sidecar
    container 'sleep 600'
    target=$ID
    # kubectl debug --target: a container beside, in the pid namespace of another one (3 is TARGET)
    container 'sleep 600' '.linux.security_context.namespace_options = {pid: 3, target_id: "'"$target"'"}'
    run cri_exec /bin/sh -c "busybox wget -q -O - http://127.0.0.1:8080/x; tr '\\0' ' ' </proc/1/cmdline; $SELF"
    echo "$handler: $output"
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = hello ]
    [[ "$output" == *"sleep 600"* ]]
    for ns in pid user; do
      [ "$(readlink "/proc/$(pid_of "$target")/ns/$ns")" = "$(readlink "/proc/$(pid_of "$ID")/ns/$ns")" ]
    done
    case $handler in restricted | strict) [ "$(readlink /proc/self/ns/user)" != "$(readlink "/proc/$(pid_of "$ID")/ns/user")" ] ;; esac
    [ "$handler" != restricted ] || [[ "$output" == *"CapEff:"*"0000000000000400"* ]]
    teardown
    cell "$handler" runs "init, sidecar and ephemeral containers"
  done
}

@test "a terminal over the stream that kubectl exec uses: input, output, exit code, and no more than the container has" {
  local handler
  for handler in runc baseline restricted strict; do
    cri_pod "$handler"
    container 'sleep 600'
    run exec_stream "test -t 0 && echo terminal; read word; echo got \$word; $SELF; exit 9" words
    echo "$handler: $output"
    [ "$status" -eq 9 ]
    [[ "$output" == *terminal* ]]
    [[ "$output" == *"got words"* ]]
    [ "$handler" != restricted ] || [[ "$output" == *"CapEff:"*"0000000000000400"*"NoNewPrivs:"*"1"* ]]
    teardown
    cell "$handler" runs "streaming exec with a terminal"
  done
}

@test "probes: a command that fails, one that takes too long, and the log in kubelet's format" {
  local handler
  for handler in runc baseline restricted strict; do
    cri_pod "$handler"
    container 'echo out; echo err >&2; sleep 600'
    run cri_exec /bin/sh -c 'exit 3'
    [ "$status" -eq 3 ]
    run cri_call ExecSync '.cmd = ["/bin/sleep", "60"] | .timeout = 1'
    echo "$handler: $output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"timeout"* || "$output" == *"deadline"* ]]
    run cri_exec /bin/true
    [ "$status" -eq 0 ]
    grep -Eq '^[^ ]+ stdout F out$' "$LOG"
    grep -Eq '^[^ ]+ stderr F err$' "$LOG"
    teardown
    cell "$handler" runs "probes and their time-out, logs"
  done
}

@test "containerd restarts and the wrapper is upgraded under running pods: exec, stop and delete of the old ones work" {
  local handler pods=() ids=() i
  for handler in runc baseline restricted strict; do
    cri_pod "$handler"
    container 'trap "exit 3" TERM; while :; do sleep 0.1; done'
    pods+=("$POD") ids+=("$ID")
  done
  containerd_stop
  # Another file in its place, as a package puts it there; the old one is gone.
  cp "$OH" "$T/bin/new"
  printf upgraded >>"$T/bin/new"
  mv "$T/bin/new" "$T/bin/oci-harden"
  containerd_start
  for i in "${!ids[@]}"; do
    ID=${ids[i]}
    container_is 1
    run cri_exec /bin/sh -c 'id -u; exit 7'
    echo "$output"
    [ "$status" -eq 7 ]
    cri_call UpdateContainerResources '.linux = {memory_limit_in_bytes: 67108864, cpu_shares: 204}'
    cri_call StopContainer '.timeout = 10'
    container_is 2
    [ "$(cri_call ContainerStatus | jq .status.exit_code)" -eq 3 ]
    cri_call RemoveContainer
  done
  # New containers in the old pods, too.
  for i in "${!pods[@]}"; do
    POD=${pods[i]}
    container 'sleep 600'
    container_is 1
  done
  for handler in runc baseline restricted strict; do
    cell "$handler" runs "containerd restarted, wrapper upgraded: exec, update, stop, remove, new containers"
  done
  teardown
  run find "$T/state" -mindepth 1 -path '*/.cache' -prune -o -path '*/.leases*' -prune -o -print
  echo "$output"
  [ -z "$output" ]
}
