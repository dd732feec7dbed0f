#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# deploy/kubernetes: both forms give the same objects, which the API knows; and the installer, run as its pod would run it, against
# a scratch node and an API server of a few lines (tests/kubernetes). No cluster runs here.
load helper
load ../kubernetes/node
bats_require_minimum_version 1.5.0

KUBE=$ROOT/deploy/kubernetes

setup() {
  oh_setup
  SERVER='' NODE=''
}
teardown() {
  for pid in $NODE $SERVER; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  mountpoint -q "$T/host/$T/root" && umount "$T/host/$T/root"
  oh_teardown
}

# --- what is applied ---

# kustomize DIR TO. Debian 12's kubectl has kustomize 2, whose words for the same are others.
kustomize() {
  if [ ! -d "$T/kube" ]; then
    cp -r "$KUBE" "$T/kube"
    if kubectl version --client 2>/dev/null | grep -q '"v1\.20\.'; then
      sed -i 's/^resources:/bases:/; s/^patches:/patchesJson6902:/' "$T"/kube/overlays/*/kustomization.yaml
    fi
  fi
  kubectl kustomize "$T/kube/$1" >"$2"
}
chart() { # chart TO [VALUES.json]
  "$ROOT/tests/kubernetes/render-chart" "$KUBE/helm/oci-harden" "${@:2}" >"$1"
}
validate() { "$ROOT/tests/kubernetes/validate.py" "$@"; }

@test "kustomize and the chart give the same objects, all of the API" {
  cd "$T"
  kustomize base base
  kustomize admission admission
  kustomize overlays/admission all
  kustomize overlays/cleanup cleanup
  chart chart
  echo '{"mode": "cleanup"}' >values
  chart chart-cleanup values
  validate base admission all cleanup chart chart-cleanup
  [ "$(wc -l <base.objects)" -eq 11 ]
  diff all.objects <(sort base.objects admission.objects)
  # Helm makes the namespace itself.
  grep -v '"kind": "Namespace"' all.objects >wanted
  diff wanted chart.objects
  # The mode that takes everything back is the same but for that.
  diff <(sed 's/"args": \["run"\]/"args": ["cleanup"]/' base.objects) cleanup.objects
  diff <(sed 's/"args": \["run"\]/"args": ["cleanup"]/' wanted) chart-cleanup.objects
}

@test "the chart's values reach what they say" {
  printf '%s' '{"image": "registry.example/x@sha256:0", "handler": "safe", "policies": ["restricted", "file-owners"], "engine": "crio",
    "admission": false, "nodeSelector": {"pool": "a \"b\""}, "policyFiles": {"x.json": "{\n  \"extends\": \"strict\"\n}\n"}}' >"$T/values"
  chart "$T/chart" "$T/values"
  validate "$T/chart"
  objects=$(jq -cs . "$T/chart.objects")
  [ "$(jq -r 'map(select(.kind == "RuntimeClass") | .metadata.name + "=" + .handler) | join(" ")' <<<"$objects")" = "safe-file-owners=safe-file-owners safe-restricted=safe-restricted" ]
  [ "$(jq 'map(select(.kind | startswith("Validating"))) | length' <<<"$objects")" -eq 0 ]
  pod=$(jq -c 'map(select(.kind == "DaemonSet"))[0].spec.template.spec' <<<"$objects")
  [ "$(jq -r .containers[0].image <<<"$pod")" = registry.example/x@sha256:0 ]
  [ "$(jq -r '[.containers[0].env[] | select(.value) | .name + "=" + .value] | join(" ")' <<<"$pod")" = "DAEMONSET=oci-harden-installer HANDLER=safe POLICIES=restricted file-owners ENGINE=crio" ]
  [ "$(jq -c .nodeSelector <<<"$pod")" = '{"kubernetes.io/arch":"amd64","kubernetes.io/os":"linux","pool":"a \"b\""}' ]
  [ "$(jq -r 'map(select(.kind == "ConfigMap"))[0].data["x.json"] | fromjson.extends' <<<"$objects")" = strict ]
}

@test "the installer may do what it does and no more, and its image is of this version" {
  kustomize base "$T/base"
  validate "$T/base"
  rules=$(jq -cs '[.[] | select(.kind | IN("Role", "ClusterRole")) | .rules[]] | sort_by(.resources)' "$T/base.objects")
  [ "$rules" = '[{"apiGroups":["apps"],"resourceNames":["oci-harden-installer"],"resources":["daemonsets"],"verbs":["get"]},{"apiGroups":[""],"resources":["nodes"],"verbs":["get","patch"]}]' ]
  version=$(sed -n 's/^VERSION := //p' "$ROOT/Makefile")
  [ "$(jq -rs 'map(select(.kind == "DaemonSet"))[0].spec.template.spec.containers[0].image' "$T/base.objects")" = "oci-harden-installer:$version" ]
  grep -q "^image: oci-harden-installer:$version " "$KUBE/helm/oci-harden/values.yaml"
  [ "$(grep -c "ersion: $version$" "$KUBE/helm/oci-harden/Chart.yaml")" -eq 2 ]
  grep -q "oci-harden-installer:$version \.$" "$KUBE/installer/Dockerfile"
  # The sample is a policy, and the same in both forms (compared above).
  "$CTL" --config "$T/config.json" policy validate "$KUBE/base/policies/file-owners.json"
}

@test "what is no object of the API is found" {
  kustomize overlays/admission "$T/good"
  n=0
  for change in 's/hostPID: true/hostPid: true/' 's/periodSeconds: 5/periodSeconds: five/' 's/handler: hardened-strict/handlre: x/' \
    's/^kind: RuntimeClass/kind: RuntimeKlass/' 's/terminationGracePeriodSeconds: 120/hostPID: true/' 's/name: oci-harden-installer/name: Installer/' \
    's/validationActions/validationAction/'; do
    n=$((n + 1))
    sed "$change" "$T/good" >"$T/bad$n"
    run ! cmp -s "$T/good" "$T/bad$n"
  done
  run validate "$T"/bad*
  echo "$output"
  [ "$status" -eq 1 ]
  [ "${#lines[@]}" -eq "$n" ]
  [ -z "$(find "$T" -name '*.objects')" ]
}

@test "the admission policies' expressions are those that were evaluated, and each that refuses has a sample" {
  local samples=$ROOT/tests/kubernetes/admission.json
  # No CEL here: tests/kubernetes/admission.mjs, run by hand after a change, writes the digest.
  digest=$(cd "$KUBE/admission" && jq -r '.files[]' "$samples" | xargs cat | sha256sum)
  [ "${digest%% *}" = "$(jq -r .evaluated "$samples")" ]
  kustomize admission "$T/admission"
  validate "$T/admission"
  jq -es --slurpfile table "$samples" '[.[] | select(.kind == "ValidatingAdmissionPolicy") | .spec.validations[].message // empty] as $messages
    | $table[0].samples | map(.says) as $said | ($messages | length == 3) and $messages - $said == [] and ($said | index("")) != null' "$T/admission.objects"
}

# --- the installer on a node ---

@test "a node is given and taken back: nothing of its files differs then" {
  node_up containerd://1.7.24
  apparmor_on
  installer run
  wait_for 300 test -e "$T/ready"
  cat "$T/log"
  labelled true
  for policy in baseline restricted strict; do
    grep -q "runtimes.hardened-$policy.options" "$T/host/etc/containerd/config.toml"
    grep -q "\"/opt/oci-harden/bin/oci-harden-$policy\"" "$T/host/etc/containerd/config.toml"
    [ "$(readlink "$T/host/opt/oci-harden/bin/oci-harden-$policy")" = oci-harden ]
  done
  grep -q '# this too' "$T/host/etc/containerd/config.toml"
  cmp "$OH" "$T/host/opt/oci-harden/bin/oci-harden"
  cmp "$BUILD/oci-harden-hook" "$T/host/opt/oci-harden/bin/oci-harden-hook"
  cmp "$KUBE/base/policies/file-owners.json" "$T/host/etc/oci-harden/policies/file-owners.json"
  "$CTL" apparmor status --root "$T/host"
  grep -qx "oci-harden-node: AppArmor profiles: compiled for $(uname -r)" "$T/log"
  run ! grep -q '^note: ' "$T/log"
  [ "$(cat "$T/restarts")" = '--target 1 --mount --uts --ipc --net --pid -- systemctl restart containerd' ]
  # Once a minute: nothing new, nothing said, nothing restarted.
  cp "$T/log" "$T/log.before"
  ticks 2
  cmp "$T/log" "$T/log.before"
  [ "$(restarts)" -eq 1 ]
  # A pod that is replaced changes nothing.
  ends
  [ ! -e "$T/ready" ]
  snapshot >"$T/installed"
  installer run
  wait_for 300 test -e "$T/ready"
  ends
  snapshot | diff "$T/installed" -
  labelled true
  [ "$(restarts)" -eq 1 ]
  # One whose DaemonSet goes takes all back.
  installer run
  wait_for 300 test -e "$T/ready"
  echo '{"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}' >"$T/api/daemonset.json"
  ends
  tail -n 3 "$T/log"
  labelled null
  [ "$(restarts)" -eq 2 ]
  snapshot | diff "$T/before" -
  [ ! -e "$T/ready" ]
}

@test "whether a node is to be taken back: only when that is known" {
  node_up containerd://1.7.24
  installer run
  wait_for 300 test -e "$T/ready"
  ends
  snapshot >"$T/installed"
  installer run
  wait_for 300 test -e "$T/ready"
  # A role that is gone, a server that is gone: that says nothing of the DaemonSet.
  touch "$T/api/forbidden"
  ends
  rm "$T/api/forbidden"
  grep -q 'not known: HTTP status 403' "$T/log"
  snapshot | diff "$T/installed" -
  installer run
  wait_for 300 test -e "$T/ready"
  kill "$SERVER"
  wait "$SERVER" || true
  ends
  grep -q 'not known: HTTP status 000' "$T/log"
  snapshot | diff "$T/installed" -
  # A server that is not the cluster's is not believed.
  rm "$T/api/port" "$T/api/daemonset.json"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=kubernetes -addext 'subjectAltName=IP:127.0.0.1' \
    -keyout "$T/api/tls.key" -out "$T/api/tls.crt" 2>/dev/null
  "$ROOT/tests/kubernetes/api-server.py" "$T/api" 3>&- &
  SERVER=$!
  wait_for 300 test -e "$T/api/port"
  installer run
  sleep 1
  ends
  snapshot | diff "$T/installed" -
  # The ServiceAccount went with the rest.
  cp "$T/api/tls.crt" "$T/account/ca.crt"
  rm "$T/api/token"
  installer run
  sleep 1
  ends
  snapshot | diff "$T/before" -
}

@test "a restart that failed, or did not come to pass, is made up for" {
  node_up containerd://1.7.24
  touch "$T/refuse"
  installer run
  wait_for 300 grep -q restarting "$T/log"
  labelled null
  [ ! -e "$T/ready" ]
  ends
  rm "$T/refuse"
  : >"$T/restarts"
  installer run
  wait_for 300 test -e "$T/ready"
  labelled true
  [ "$(restarts)" -eq 1 ]
}

@test "profiles of AppArmor: a node without, one whose kernel is new, and one where they cannot be compiled" {
  local sys=$T/host/sys cache=$T/host/var/cache/oci-harden/apparmor
  node_up containerd://1.7.24
  apparmor_on
  echo N >"$sys/module/apparmor/parameters/enabled"
  installer run
  wait_for 300 test -e "$T/ready"
  [ ! -e "${cache%/*}" ]
  # It is on, and its profiles cannot be seen: then an upgrade changes neither programs nor engine nor label.
  snapshot >"$T/installed"
  ends
  echo Y >"$sys/module/apparmor/parameters/enabled"
  mv "$sys/kernel/security" "$T/security"
  sed -i 's/"commit":"[0-9a-z]\{4\}/"commit":"n3w0/' "$T/image/oci-harden"
  installer run
  wait_for 300 grep -q "no AppArmor profiles for the node's kernel" "$T/log"
  grep -q 'list of profiles cannot be read (mount -t securityfs' "$T/log"
  [ ! -e "$T/ready" ]
  labelled true
  [ "$(restarts)" -eq 1 ]
  cmp "$OH" "$T/host/opt/oci-harden/bin/oci-harden"
  sleep 1
  [ "$(grep -c 'no AppArmor profiles' "$T/log")" -eq 1 ]
  # A minute after it can be done, it is done.
  mv "$T/security" "$sys/kernel/security"
  wait_for 300 test -e "$T/ready"
  cmp "$T/image/oci-harden" "$T/host/opt/oci-harden/bin/oci-harden"
  "$CTL" apparmor status --root "$T/host"
  # Another kernel, which knows more.
  echo yes >"$sys/kernel/security/apparmor/features/domain/stack"
  rm "$cache"/kernel-*
  wait_for 300 "$CTL" apparmor status --root "$T/host" >/dev/null
  ticks 1
  [ "$(grep -c 'AppArmor profiles: compiled' "$T/log")" -eq 2 ]
  rm "$T/api/daemonset.json"
  ends
  rm "$sys/kernel/security/apparmor/features/domain/stack"
  snapshot | diff "$T/before" -
}

@test "profiles that somebody else uses stay: a cache that was there, an engine that keeps our programs, a package" {
  local cache=$T/host/var/cache/oci-harden ctl
  node_up containerd://1.7.24
  apparmor_on
  once() { # once: given, and taken back
    installer run
    wait_for 300 "$CTL" apparmor status --root "$T/host" >/dev/null
    wait_for 300 test -e "$T/ready"
    [ -z "${1-}" ] || "${@}"
    rm -f "$T/api/daemonset.json"
    ends
    echo '{}' >"$T/api/daemonset.json"
  }
  another_engine() {
    mkdir -p "$T/host/etc/docker"
    echo '{}' >"$T/host/etc/docker/daemon.json"
    "$CTL" install --root "$T/host" --engine docker --bin-dir /opt/oci-harden/bin --copy
  }
  mkdir -p "$cache"
  once
  "$CTL" apparmor status --root "$T/host"
  rm -r "$cache"
  once another_engine
  "$CTL" apparmor status --root "$T/host"
  "$T/host/opt/oci-harden/bin/hardenctl" uninstall --root "$T/host" --engine docker
  rm -r "$cache" "$T/host/etc/docker"
  for ctl in usr/sbin/hardenctl usr/local/sbin/hardenctl; do
    install -D "$CTL" "$T/host/$ctl"
    once
    "$CTL" apparmor status --root "$T/host"
    rm -r "$cache" "$T/host/$ctl"
  done
  once
  [ ! -e "$cache" ]
}

@test "a policy that is not valid stops the rollout; one that is changed or removed follows" {
  node_up containerd://1.7.24
  echo '{"extends": "restrictd"}' >"$T/policies.d/typo.json"
  installer run
  wait_for 300 grep -q 'no policy of the ConfigMap is taken' "$T/log"
  grep -q restrictd "$T/log"
  [ ! -e "$T/ready" ]
  labelled null
  [ ! -e "$T/host/etc/oci-harden" ]
  # An administrator's file is not replaced, and one policy may extend another of the ConfigMap.
  mkdir -p "$T/host/etc/oci-harden/policies"
  echo '{"description": "mine", "extends": "strict"}' >"$T/host/etc/oci-harden/policies/mine.json"
  echo '{"description": "theirs", "extends": "baseline"}' >"$T/policies.d/mine.json"
  echo '{"description": "x", "extends": "file-owners"}' >"$T/policies.d/typo.json"
  wait_for 300 test -e "$T/ready"
  grep -q mine.json "$T/log"
  grep -q '"mine"' "$T/host/etc/oci-harden/policies/mine.json"
  echo '{"description": "y", "extends": "file-owners"}' >"$T/policies.d/typo.json"
  wait_for 300 grep -q '"y"' "$T/host/etc/oci-harden/policies/typo.json"
  rm "$T/policies.d/typo.json"
  wait_for 300 test ! -e "$T/host/etc/oci-harden/policies/typo.json"
  rm "$T/api/daemonset.json"
  ends
  [ "$(ls "$T/host/etc/oci-harden/policies")" = mine.json ]
}

@test "a node of k3s: a drop-in beside the file that k3s makes, and k3s is restarted" {
  local etc=var/lib/rancher/k3s/agent/etc/containerd
  node_up containerd://2.1.5-k3s1
  rm -r "$T/host/etc/containerd"
  mkdir -p "$T/host/$etc"
  cp "$ROOT/tests/fixtures/config/k3s/config-v3.toml" "$T/host/$etc/config.toml"
  sed -i '2i case "$*" in *is-active*) [ "${*##* }" = k3s-agent ]; exit ;; esac' "$T/image/nsenter"
  snapshot >"$T/before"
  installer run
  wait_for 300 test -e "$T/ready"
  grep -q '"/opt/oci-harden/bin/oci-harden-restricted"' "$T/host/$etc/config-v3.toml.d/99-oci-harden.toml"
  [ "$(cat "$T/restarts")" = '--target 1 --mount --uts --ipc --net --pid -- systemctl restart k3s-agent' ]
  rm "$T/api/daemonset.json"
  ends
  [ "$(restarts)" -eq 2 ]
  snapshot | diff "$T/before" -
}

@test "CRI-O, one policy alone; and with no policy, or an engine that is not known, all is left alone" {
  node_up cri-o://1.30.1
  POLICIES=strict
  installer run
  wait_for 300 test -e "$T/ready"
  # Named as the RuntimeClass of it is, also where it is the only one.
  echo '{"policies": ["strict"]}' >"$T/values"
  chart "$T/chart" "$T/values"
  validate "$T/chart"
  [ "$(jq -r 'select(.kind == "RuntimeClass").handler' "$T/chart.objects")" = hardened-strict ]
  [ "$(grep -rh '^\[' "$T/host/etc/crio")" = '[crio.runtime.runtimes.hardened-strict]' ]
  grep -rq /opt/oci-harden/bin/oci-harden-strict "$T/host/etc/crio"
  grep -q 'systemctl .* crio' "$T/restarts" || grep -q 'systemctl restart crio' "$T/restarts"
  rm "$T/api/daemonset.json"
  ends
  snapshot | diff "$T/before" -
  echo '{}' >"$T/api/daemonset.json"
  jq '.status.nodeInfo.containerRuntimeVersion = "docker://20.10"' "$T/api/node.json" >"$T/x" && mv "$T/x" "$T/api/node.json"
  installer run
  wait_for 300 grep -q 'the engine "docker://20.10" is not known' "$T/log"
  [ ! -e "$T/ready" ]
  rm "$T/api/daemonset.json"
  ends
  snapshot | diff "$T/before" -
  echo '{}' >"$T/api/daemonset.json"
  POLICIES=' '
  installer run
  wait_for 300 grep -q 'POLICIES names no policy' "$T/log"
  [ ! -e "$T/ready" ]
  rm "$T/api/daemonset.json"
  ends
  snapshot | diff "$T/before" -
}

@test "an upgrade while a container runs: exec, stop and delete through the new program; cleanup waits for it" {
  node_up containerd://1.7.24
  sed -i 's/"commit":"[0-9a-z]\{4\}/"commit":"0ld0/' "$T/image/oci-harden"
  installer run
  wait_for 300 test -e "$T/ready"
  bin=$T/host/opt/oci-harden/bin
  # The node's own paths, as this machine sees them, and the runtime's root where the node would have it.
  mkdir -p "$T/host/$T/root"
  mount --bind "$T/root" "$T/host/$T/root"
  oh_config runc '.stateDir = $t + "/host/run/oci-harden" | .policyDir = $t + "/host/etc/oci-harden/policies"'
  b=$(CMD='sleep 100' bundle web)
  node() { "$bin/oci-harden-restricted" --config "$T/config.json" --root "$T/root" "$@"; }
  node run --detach --bundle "$b" web >/dev/null </dev/null
  ends
  cp "$OH" "$T/image/oci-harden"
  installer run
  wait_for 300 test -e "$T/ready"
  cmp "$OH" "$bin/oci-harden"
  [ "$(restarts)" -eq 1 ]
  [ "$(node exec web id -u)" = 0 ]
  ends
  # Taken back while it runs: no new pods, no handler, but the program stays until the container is gone.
  installer cleanup
  wait_for 300 grep -q 'needed by' "$T/log"
  labelled null
  run ! grep -q hardened "$T/host/etc/containerd/config.toml"
  [ ! -e "$T/ready" ]
  [ "$(node exec web id -u)" = 0 ]
  node kill web KILL
  wait_for 300 stopped web
  node delete web
  wait_for 300 test -e "$T/ready"
  ends
  umount "$T/host/$T/root"
  (cd "$T/host" && rmdir -p "${T#/}/root")
  snapshot | diff "$T/before" -
}
stopped() { [ "$(bare_state "$1")" = stopped ]; }
bare_state() { "$RUNTIME_PATH" --root "$T/root" state "$1" | jq -r .status; }
