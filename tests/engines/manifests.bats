#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What hardenctl check judges of a manifest is what the engine would write: each case is a manifest, and the request that
# kubelet, or `docker compose`, makes of it, sent to a real engine; then both configs are compared.
load ../integration/helper
load cri

setup_file() {
  oh_setup
  mkdir -p "$T/d" "$T/volume" "$T/shared"
  CGROUP=$(basename "$T")
  touch "$T/hosts"
  mount --bind "$T/shared" "$T/shared"
  mount --make-shared "$T/shared"
  cri_config >"$T/containerd.toml"
  jq -n --arg t "$T" --arg cgroup "/$CGROUP" '{
    "data-root": ($t + "/d/root"), "exec-root": ($t + "/d/exec"), pidfile: ($t + "/d/pid"), hosts: ["unix://" + $t + "/d/s"],
    bridge: "none", iptables: false, "ip6tables": false, "ip-masq": false, "storage-driver": "overlay2",
    "exec-opts": ["native.cgroupdriver=cgroupfs"], "cgroup-parent": $cgroup}' >"$T/daemon.json"
  own_network containerd --config "$T/containerd.toml" >"$T/containerd.log" 2>&1 3>&- &
  CONTAINERD=$!
  own_network dockerd --config-file "$T/daemon.json" >"$T/dockerd.log" 2>&1 3>&- &
  DOCKERD=$!
  export T CONTAINERD DOCKERD CGROUP
  cri_wait
  cri_images 65535:65535
  wait_for 30 docker_ version >/dev/null 2>&1
  case "$(containerd --version) $(dockerd --version)" in
  *" 1.6."*" 20.10."*) ;;
  *) export LATER=1 ;; # than those that are translated: same-config knows what they do otherwise
  esac
  docker_ load -i "$T/image.tar" >/dev/null
}

teardown_file() {
  local pid
  for pid in "${CONTAINERD-}" "${DOCKERD-}"; do
    [ -n "$pid" ] || continue
    kill "$pid"
    wait_for 20 sh -c "! kill -0 $pid 2>/dev/null"
  done
  oh_unmount
  oh_remove_cgroups "$CGROUP"
  oh_teardown
}

docker_() { docker -H "unix://$T/d/s" "$@"; }

teardown() {
  cri_remove_pods
  docker_ ps -aq | xargs -r docker -H "unix://$T/d/s" rm -fv >/dev/null
}

# translated NAME: reads a manifest, prints the config of the container whose name ends so.
translated() {
  "$BUILD/helpers/manifest-dump" "$T/manifest.yaml" | jq --arg name "$1" 'select(.name | endswith($name)) | .config'
}

# same REAL NAME DAEMON: the config that the engine wrote is the one that was translated.
same() {
  translated "$2" >"$T/ours.json"
  run "$ROOT/tests/engines/same-config" "$1" "$T/ours.json" "$3"
  echo "$2: $output"
  [ "$status" -eq 0 ]
}

# pod YAML SANDBOX-JQ CONTAINER-JQ: the pod's spec, whose one container is called "app", and what kubelet makes of it.
pod() {
  local container
  cri_pod '' "$2"
  printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec:\n%s\n' "$(jq -r .metadata.name <<<"$POD_CONFIG")" "$1" >"$T/manifest.yaml"
  same "$T/c/state/io.containerd.runtime.v2.task/k8s.io/$POD/config.json" ': sandbox' "$CONTAINERD"
  container=$(jq -n --arg image "$IMAGE" --arg hosts "$T/hosts" '{metadata: {name: "app"}, image: {image: $image}, command: ["/bin/sleep", "600"],
    log_path: "app.log", mounts: [{container_path: "/etc/hosts", host_path: $hosts}], linux: {resources: {cpu_period: 100000, cpu_shares: 2, oom_score_adj: 1000},
      security_context: {namespace_options: {pid: 1}, seccomp: {profile_type: 1},
        masked_paths: ["/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
          "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"],
        readonly_paths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]}}}' | jq "$3")
  cri_container "$container"
  same "$T/c/state/io.containerd.runtime.v2.task/k8s.io/$ID/config.json" 'container app' "$CONTAINERD"
}

CONTEXT=.linux.security_context

@test "a pod that says nothing, and one of the restricted Pod Security Standard" {
  pod '  containers: [{name: app, image: a}]' . .
  pod '  securityContext: {runAsNonRoot: true, runAsUser: 1000, runAsGroup: 3000, fsGroup: 2000, supplementalGroups: [4000],
    seccompProfile: {type: RuntimeDefault}}
  containers:
  - {name: app, image: a, workingDir: /tmp, tty: true, resources: {limits: {memory: 64Mi, cpu: 500m}, requests: {cpu: 250m}},
     securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}}' . \
    "$CONTEXT"' += {run_as_user: {value: 1000}, run_as_group: {value: 3000}, supplemental_groups: [4000, 2000], no_new_privs: true,
      readonly_rootfs: true, seccomp: {profile_type: 0}, capabilities: {drop_capabilities: ["ALL"]}}
     | .working_dir = "/tmp" | .tty = true
     | .linux.resources += {memory_limit_in_bytes: 67108864, memory_swap_limit_in_bytes: 67108864, cpu_shares: 256, cpu_quota: 50000}'
}

@test "capabilities that are added and dropped, and the filter that follows them" {
  pod '  containers: [{name: app, image: a, securityContext: {seccompProfile: {type: RuntimeDefault},
    capabilities: {add: [net_admin, SYS_ADMIN, SYS_PTRACE, SYS_TIME, SYSLOG], drop: [MKNOD, SYS_CHROOT]}}}]' . \
    "$CONTEXT"' += {seccomp: {profile_type: 0}, capabilities: {add_capabilities: ["net_admin", "SYS_ADMIN", "SYS_PTRACE", "SYS_TIME", "SYSLOG"],
      drop_capabilities: ["MKNOD", "SYS_CHROOT"]}}'
  pod '  containers: [{name: app, image: a, securityContext: {seccompProfile: {type: RuntimeDefault},
    capabilities: {add: [ALL], drop: [NET_RAW]}}}]' . \
    "$CONTEXT"' += {seccomp: {profile_type: 0}, capabilities: {add_capabilities: ["ALL"], drop_capabilities: ["NET_RAW"]}}'
}

@test "a privileged pod, and one whose proc is unmasked" {
  pod '  containers: [{name: app, image: a, securityContext: {privileged: true, capabilities: {drop: [ALL]}}}]' \
    "$CONTEXT.privileged = true" "$CONTEXT"' += {privileged: true, capabilities: {drop_capabilities: ["ALL"]}}'
  pod '  containers: [{name: app, image: a, securityContext: {procMount: Unmasked}}]' . \
    "$CONTEXT"' += {masked_paths: [], readonly_paths: []}'
}

@test "namespaces of the host, pids that a pod shares, sysctls" {
  pod '  hostNetwork: true
  hostPID: true
  hostIPC: true
  containers: [{name: app, image: a}]' "del(.hostname) | $CONTEXT.namespace_options = {network: 2, pid: 2, ipc: 2}" \
    "$CONTEXT.namespace_options = {network: 2, pid: 2, ipc: 2}"
  pod '  shareProcessNamespace: true
  securityContext: {sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: "0"}]}
  containers: [{name: app, image: a}]' "$CONTEXT"'.namespace_options = {pid: 0} | .linux.sysctls = {"net.ipv4.ip_unprivileged_port_start": "0"}' \
    "$CONTEXT.namespace_options = {pid: 0}"
}

@test "volumes: read-only, propagation, a file of its own in the place of the engine's" {
  pod "  volumes: [{name: v, hostPath: {path: $T/volume}}, {name: s, hostPath: {path: $T/shared}}]
  containers:
  - name: app
    image: a
    volumeMounts: [{name: v, mountPath: /ro, readOnly: true}, {name: v, mountPath: /rw}, {name: s, mountPath: /slave, mountPropagation: HostToContainer}]" . \
    '.mounts += [{container_path: "/ro", host_path: "'"$T"'/volume", readonly: true}, {container_path: "/rw", host_path: "'"$T"'/volume"},
      {container_path: "/slave", host_path: "'"$T"'/shared", propagation: 1}]'
  pod "  volumes: [{name: s, hostPath: {path: $T/shared}}]
  containers: [{name: app, image: a, securityContext: {privileged: true}, volumeMounts: [
    {name: s, mountPath: /both, mountPropagation: Bidirectional}, {name: s, mountPath: /slave, mountPropagation: HostToContainer}]}]" \
    "$CONTEXT.privileged = true" "$CONTEXT"'.privileged = true
    | .mounts += [{container_path: "/both", host_path: "'"$T"'/shared", propagation: 2},
      {container_path: "/slave", host_path: "'"$T"'/shared", propagation: 1}]'
}

@test "what containerd 1.7 and 2.1 wrote for user namespaces, and a kubelet of Kubernetes 1.33 asked for" {
  unset LATER # these are told apart by name
  printf 'kind: Pod\nspec: {hostUsers: false, containers: [{name: app, image: a}]}\n' >"$T/manifest.yaml"
  same "$ROOT/tests/fixtures/cri-1.7/userns.json" 'container app' -
  same "$ROOT/tests/fixtures/cri-2.1/userns.json" 'container app' -
  printf 'kind: Pod\nspec: {containers: [{name: app, image: a}]}\n' >"$T/manifest.yaml"
  same "$ROOT/tests/fixtures/k8s/web-sandbox.json" ': sandbox' -
  translated 'container app' >"$T/ours.json"
  run "$ROOT/tests/engines/same-config" "$ROOT/tests/fixtures/k8s/web-main.json" "$T/ours.json" -
  echo "$output"
  [ "$output" = '/masked: the engine alone has /proc/interrupts
/masked: the engine alone has /sys/devices/virtual/powercap' ]
}

# service YAML ARGS...: a service, and the `docker run` with the options that compose makes of it. Both have no network of their own
# unless they say so: this daemon has none to give.
service() {
  local id yaml=$1
  shift
  printf 'services:\n  app:\n    image: busybox:test\n%s\n' "$yaml" >"$T/manifest.yaml"
  id=$(docker_ run -d "$@" busybox:test sleep 600)
  same "$T/d/exec/containerd/daemon/io.containerd.runtime.v2.task/moby/$id/config.json" 'service app' "$DOCKERD"
}

@test "a service that says nothing, a hardened and a privileged one" {
  service '    network_mode: none' --network none
  service '    network_mode: none
    user: "1000:2000"
    group_add: [3000]
    read_only: true
    cap_drop: [ALL]
    cap_add: [NET_BIND_SERVICE]
    security_opt: ["no-new-privileges:true"]
    tmpfs: [/cache, "/scratch:size=1m,exec"]
    mem_limit: 64m
    cpus: 0.5
    pids_limit: 50
    shm_size: 8m
    working_dir: /tmp' --network none --user 1000:2000 --group-add 3000 --read-only --cap-drop ALL --cap-add NET_BIND_SERVICE \
    --security-opt no-new-privileges --tmpfs /cache --tmpfs /scratch:size=1m,exec --memory 64m --cpus 0.5 --pids-limit 50 \
    --shm-size 8m --workdir /tmp
  # docker 20.10 asks for CAP_SYS_RESOURCE where nobody has it, and runc refuses: what it wrote elsewhere is a fixture.
  printf 'services:\n  app: {image: a, privileged: true, cap_drop: [ALL]}\n' >"$T/manifest.yaml"
  same "$ROOT/tests/fixtures/docker/privileged.json" 'service app' -
}

@test "a service's capabilities, options and namespaces of the host" {
  service '    network_mode: host
    pid: host
    ipc: host
    uts: host
    cap_add: [SYS_PTRACE, CAP_NET_ADMIN]
    cap_drop: [mknod]' --network host --pid host --ipc host --uts host --cap-add SYS_PTRACE --cap-add CAP_NET_ADMIN --cap-drop mknod
  service '    networks: [outside]
networks:
  outside: {name: host, external: true}' --network host
  service '    network_mode: none
    security_opt: ["no-new-privileges=0"]' --network none --security-opt no-new-privileges=0
  service '    network_mode: none
    security_opt: ["no-new-privileges=T"]' --network none --security-opt no-new-privileges=T
  run docker_ run -d --network none --security-opt no-new-privileges=yes busybox:test sleep 600
  [ "$status" -ne 0 ]
  service '    network_mode: none
    ipc: none
    security_opt: [seccomp:unconfined, systempaths=unconfined]
    sysctls: {net.core.somaxconn: 1024}
    ulimits: {nofile: {soft: 1024, hard: 2048}, core: 0}
    devices: ["/dev/null:/dev/xnull:rw"]' --network none --ipc none --security-opt seccomp=unconfined --security-opt systempaths=unconfined \
    --sysctl net.core.somaxconn=1024 --ulimit nofile=1024:2048 --ulimit core=0 --device /dev/null:/dev/xnull:rw
}

@test "a service's volumes" {
  docker_ volume create data >/dev/null
  service "    network_mode: none
    volumes:
    - $T/volume:/ro:ro
    - $T/volume:/rw
    - $T/shared:/both:rshared
    - $T/shared:/slave:rslave
    - {type: bind, source: $T/volume, target: /long, read_only: true}
    - {type: tmpfs, target: /memory}" --network none -v "$T/volume:/ro:ro" -v "$T/volume:/rw" -v "$T/shared:/both:rshared" -v "$T/shared:/slave:rslave" \
    --mount "type=bind,source=$T/volume,target=/long,readonly" --mount type=tmpfs,target=/memory
}
