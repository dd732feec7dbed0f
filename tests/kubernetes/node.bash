# SPDX-License-Identifier: Apache-2.0
# A scratch node for the installer, below $T/host, and its API server: `load` after the integration tests' helper. $KUBE is
# deploy/kubernetes.

# node_up ENGINE: a node's root below $T/host, the API, and the programs of an image in $T/image.
node_up() {
  mkdir -p "$T"/host/{etc/containerd,etc/crio,opt,usr/bin,run,var/lib,var/cache} "$T/image" "$T/account" "$T/api" "$T/policies.d"
  cp "$CTL" "$OH" "$BUILD/oci-harden-hook" "$T/image"
  for program in containerd crio runc; do
    printf '#!/bin/sh\n' >"$T/host/usr/bin/$program"
    chmod 755 "$T/host/usr/bin/$program"
  done
  printf '# kept as it is\nversion = 2\n\n[plugins."io.containerd.grpc.v1.cri"]\n  sandbox_image = "pause:3.9" # this too\n' >"$T/host/etc/containerd/config.toml"
  # systemd is asked through nsenter; what is asked is written down, and refused when $T/refuse is there.
  printf '#!/bin/sh\necho "$*" >>"%s"\n[ ! -e "%s" ]\n' "$T/restarts" "$T/refuse" >"$T/image/nsenter"
  chmod 755 "$T/image/nsenter"
  : >"$T/restarts"
  cp "$KUBE/base/policies/file-owners.json" "$T/policies.d"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=kubernetes -addext 'subjectAltName=IP:127.0.0.1' \
    -keyout "$T/api/tls.key" -out "$T/api/tls.crt" 2>/dev/null
  cp "$T/api/tls.crt" "$T/account/ca.crt"
  echo secret-token | tee "$T/account/token" >"$T/api/token"
  echo '{}' >"$T/api/daemonset.json"
  printf '{"metadata": {"labels": {"a": "b"}}, "status": {"nodeInfo": {"containerRuntimeVersion": "%s"}}}' "$1" >"$T/api/node.json"
  "$ROOT/tests/kubernetes/api-server.py" "$T/api" 3>&- &
  export SERVER=$!
  wait_for 300 test -e "$T/api/port"
  snapshot >"$T/before"
}

# apparmor_on: the node's kernel has it on, as its sysfs and securityfs show it. After node_up.
apparmor_on() {
  local sys=$T/host/sys
  mkdir -p "$sys/module/apparmor/parameters" "$sys/kernel/security/apparmor/features"/{policy,file,domain}
  echo Y >"$sys/module/apparmor/parameters/enabled"
  echo 'docker-default (enforce)' >"$sys/kernel/security/apparmor/profiles"
  echo yes >"$sys/kernel/security/apparmor/features/policy/set_load"
  echo 'create read write exec append mmap_exec link lock' >"$sys/kernel/security/apparmor/features/file/mask"
  echo yes >"$sys/kernel/security/apparmor/features/domain/change_profile"
  snapshot >"$T/before"
}

# wait_for TENTHS COMMAND...
wait_for() {
  local i
  for ((i = 0; i < $1; i++)); do
    "${@:2}" && return
    sleep 0.1
  done
  echo "in vain: ${*:2}"
  cat "$T/log"
  return 1
}

snapshot() { # all of the node's files, with modes and content
  (cd "$T/host" && find . -path ./run -prune -o -printf '%p %y %m %l\n' | sort && find . -path ./run -prune -o -type f -print0 | sort -z | xargs -0 sha256sum)
}

installer() { # installer MODE: the pod's program, with the pod's environment
  env -i PATH="$T/image:$PATH" HOST="$T/host" INTERVAL=0.3 READY="$T/ready" SERVICE_ACCOUNT="$T/account" POLICY_FILES="$T/policies.d" \
    NODE_NAME=node-1 POD_NAMESPACE=oci-harden DAEMONSET=oci-harden-installer HANDLER=hardened POLICIES="${POLICIES-baseline restricted strict}" \
    KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT="$(cat "$T/api/port")" "$KUBE/installer/oci-harden-node" "$1" >>"$T/log" 2>&1 3>&- &
  NODE=$!
}

ends() { # the pod is stopped as the kubelet does
  kill "$NODE"
  wait "$NODE"
  NODE=''
}

ticks() { # N further rounds of the installer
  local now
  now=$(wc -l <"$T/api/requests")
  wait_for 300 more_requests $((now + 2 * $1))
}
more_requests() { [ "$(wc -l <"$T/api/requests")" -ge "$1" ]; }
labelled() { [ "$(jq -r '.metadata.labels["oci-harden/installed"]' "$T/api/node.json")" = "$1" ]; }
restarts() { wc -l <"$T/restarts"; }
