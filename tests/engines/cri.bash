# SPDX-License-Identifier: Apache-2.0
# A real containerd by its CRI, as kubelet speaks it: `load` after the integration tests' helper. Its files are in $T/c.

IMAGE=docker.io/library/busybox:test
CNI_BIN=/usr/lib/cni

cri() { "$ROOT/tests/engines/cri" "$T/c/s" "$@"; }
cri_ctr() { ctr --address "$T/c/s" -n k8s.io "$@"; }

# cri_config: prints a config.toml that ends below the CRI plugin, and makes the network's configuration that it names.
cri_config() {
  mkdir -p "$T/c" "$T/cni" "$T/logs"
  jq -n --arg t "$T" '{cniVersion: "0.4.0", name: "oh", plugins: [{type: "ptp", ipMasq: false,
    ipam: {type: "host-local", dataDir: ($t + "/ipam"), ranges: [[{subnet: "10.251.0.0/24"}]]}}]}' >"$T/cni/10-oh.conflist"
  cat <<TOML
version = 2
root = "$T/c/root"
state = "$T/c/state"
[grpc]
  address = "$T/c/s"
[ttrpc]
  address = "$T/c/t"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:test" # no network here
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$CNI_BIN"
    conf_dir = "$T/cni"
TOML
}

# cri_wait: until the daemon answers, and its network is there.
cri_wait() {
  wait_for 20 test -S "$T/c/s"
  wait_for 20 cri_ready
}
cri_ready() { cri Status | jq -e '[.status.conditions[].status] | all' >/dev/null 2>&1; }

# cri_images [USER]: those that pods are made of, the pause process of that user's; $T/image.tar stays for other engines.
cri_images() {
  image_archive "$T/image.tar" "$IMAGE"
  pause_archive "$T/pause.tar" localhost/pause:test "${1-}"
  cri_ctr images import "$T/image.tar" >/dev/null
  cri_ctr images import "$T/pause.tar" >/dev/null
}

# cri_pod HANDLER [JQ]: runs a sandbox, by the default runtime where HANDLER is empty; sets POD to its id, POD_CONFIG to its
# configuration.
cri_pod() {
  POD_CONFIG=$(jq -n --arg name "p$RANDOM" --arg logs "$T/logs" --arg cgroup "/$CGROUP" '{
    metadata: {name: $name, uid: ("uid-" + $name), namespace: "default", attempt: 0}, hostname: $name, log_directory: $logs,
    linux: {cgroup_parent: $cgroup, security_context: {seccomp: {profile_type: 0}}}}' | jq "${2:-.}")
  POD=$(cri RunPodSandbox "$(jq -n --argjson c "$POD_CONFIG" --arg h "$1" '{config: $c, runtime_handler: $h}')" | jq -r .pod_sandbox_id)
  [ -n "$POD" ]
}

# cri_container CONFIG: creates and starts a container in the pod and sets ID.
cri_container() {
  ID=$(cri CreateContainer "$(jq -n --arg pod "$POD" --argjson c "$1" --argjson s "$POD_CONFIG" \
    '{pod_sandbox_id: $pod, config: $c, sandbox_config: $s}')" | jq -r .container_id) || return 1
  [ -n "$ID" ] || return 1
  cri StartContainer "$(jq -n --arg id "$ID" '{container_id: $id}')" >/dev/null
}

# cri_call METHOD [JQ]: of the container ID.
cri_call() {
  cri "$1" "$(jq -n --arg id "$ID" '{container_id: $id}' | jq "${2:-.}")"
}
# cri_exec WORDS...: runs them in the container, prints their output; the status is theirs.
cri_exec() {
  local answer
  answer=$(cri_call ExecSync ".cmd = $(jq -cn '$ARGS.positional' --args -- "$@") | .timeout = 20") || return 1
  jq -rj '(.stdout // ""), (.stderr // "")' <<<"$answer"
  return "$(jq '.exit_code // 0' <<<"$answer")"
}

cri_remove_pod() { # ID
  cri StopPodSandbox "$(jq -n --arg id "$1" '{pod_sandbox_id: $id}')" >/dev/null
  cri RemovePodSandbox "$(jq -n --arg id "$1" '{pod_sandbox_id: $id}')" >/dev/null
}
cri_remove_pods() {
  local id
  for id in $(cri ListPodSandbox | jq -r '.items[]?.id'); do cri_remove_pod "$id"; done
}
