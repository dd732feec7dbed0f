#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The installer's image, built by its Dockerfile from this commit on a base that debootstrap makes (no registry is asked), and run by
# podman against a scratch node: install, upgrade, removal. `make check-image`; minutes, and the Debian archive is needed.
load ../integration/helper
load node
bats_require_minimum_version 1.5.0

KUBE=$ROOT/deploy/kubernetes

setup_file() {
  oh_setup
  VERSION=$(sed -n 's/^VERSION := //p' "$ROOT/Makefile")
  IMAGE=localhost/oci-harden-installer:$VERSION
  COMMIT=$(git -C "$ROOT" rev-parse --short=12 HEAD)
  export T VERSION IMAGE COMMIT
  # The limits that podman asks for by default need CAP_SYS_RESOURCE, which a test machine may lack.
  printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nlock_type = "file"\nnum_locks = 64\n' >"$T/containers.conf"
  export CONTAINERS_CONF=$T/containers.conf
  base=$(sed -n 's/^FROM \([^ ]*\)$/\1/p' "$KUBE/installer/Dockerfile")
  [ "$base" = debian:12 ]
  debootstrap --variant=minbase bookworm "$T/base" http://deb.debian.org/debian >"$T/debootstrap.log" 2>&1 || { tail "$T/debootstrap.log"; false; }
  tar -C "$T/base" -c . | podman_ import - "docker.io/library/$base" >/dev/null
  rm -rf "$T/base"
  "$ROOT/tools/dist" "$VERSION" "$T/dist" >/dev/null
  tar -C "$T" -xf "$T/dist/oci-harden-$VERSION.tar.xz"
  build "$IMAGE" "$KUBE/installer/Dockerfile" "$T/oci-harden-$VERSION"
}
podman_() { podman --root "$T/p/root" --runroot "$T/p/run" --tmpdir "$T/p/tmp" --storage-driver overlay "$@"; }
build() { # build TAG DOCKERFILE CONTEXT
  podman_ build --pull=never --isolation chroot --network host --tag "$1" --file "$2" "$3" >"$T/build.log" 2>&1 || { tail -n 30 "$T/build.log"; return 1; }
}

setup() {
  SERVER='' NODE=''
}
teardown() {
  podman_ rm -fa -t 1 >/dev/null
  if [ -n "$SERVER" ]; then
    kill "$SERVER"
    wait "$SERVER" || true
  fi
}
teardown_file() {
  oh_unmount
  oh_teardown
}

installer() { # installer MODE [IMAGE]: as the DaemonSet says, but for the node's systemd
  podman_ run --rm --name installer --privileged --read-only --network host --cgroups=disabled -v "$T/host:/host" -v "$T/policies.d:/policies:ro" \
    -v "$T/tmp:/tmp" -v "$T/account:/var/run/secrets/kubernetes.io/serviceaccount:ro" -v "$T/image/nsenter:/usr/bin/nsenter:ro" \
    -v "$T/restarts:$T/restarts" -e INTERVAL=0.3 -e NODE_NAME=node-1 -e POD_NAMESPACE=oci-harden -e DAEMONSET=oci-harden-installer \
    -e HANDLER=hardened -e POLICIES="baseline restricted strict" -e KUBERNETES_SERVICE_HOST=127.0.0.1 \
    -e KUBERNETES_SERVICE_PORT="$(cat "$T/api/port")" "${2-$IMAGE}" "$1" >>"$T/log" 2>&1 3>&- &
  NODE=$!
  wait_for 300 test -e "$T/tmp/oci-harden-ready"
}

ends() { # as the kubelet stops it
  podman_ stop -t 60 installer >/dev/null
  wait "$NODE"
}

@test "the image has what the DaemonSet calls, and nothing to build with" {
  podman_ run --rm --network none --cgroups=disabled --entrypoint sh "$IMAGE" -ec '
    for program in apparmor_parser curl jq nsenter oci-harden-node; do command -v $program; done; ! command -v gcc'
  run podman_ run --rm --network none --cgroups=disabled --entrypoint hardenctl "$IMAGE" version
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *"/usr/sbin/oci-harden $VERSION"*"commit: $COMMIT"* ]]
  # A word that it does not know is answered by what it does.
  run podman_ run --rm --network none --cgroups=disabled "$IMAGE" help
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"oci-harden-node cleanup"* ]]
}

@test "a node is given, upgraded and taken back by the image: nothing of its files differs then" {
  mkdir "$T/tmp"
  node_up containerd://1.7.24
  apparmor_on
  # One of an older commit.
  printf 'FROM %s\nRUN sed -i "s/\\"commit\\":\\"[0-9a-z]\\{4\\}/\\"commit\\":\\"0ld0/" /usr/sbin/oci-harden\n' "$IMAGE" >"$T/Old"
  build localhost/installer:old "$T/Old" "$T/tmp"
  installer run localhost/installer:old
  labelled true
  grep -q 'runtimes.hardened-restricted.options' "$T/host/etc/containerd/config.toml"
  "$CTL" apparmor status --root "$T/host"
  [[ "$("$CTL" version "$T/host/opt/oci-harden/bin/oci-harden")" == *"commit: 0ld0"* ]]
  [ "$(restarts)" -eq 1 ]
  snapshot >"$T/installed"
  # Replaced by the new image: the program alone is another one, and the engine is not restarted.
  ends
  installer run
  [[ "$("$CTL" version "$T/host/opt/oci-harden/bin/oci-harden")" != *"commit: 0ld0"* ]]
  [ "$(restarts)" -eq 1 ]
  run diff "$T/installed" <(snapshot)
  echo "$output"
  [ "$(grep -c '^[<>]' <<<"$output")" -eq 2 ]
  [ "$(grep -c ' ./opt/oci-harden/bin/oci-harden$' <<<"$output")" -eq 2 ]
  # The DaemonSet goes.
  rm "$T/api/daemonset.json"
  ends
  cat "$T/log"
  labelled null
  [ "$(restarts)" -eq 2 ]
  snapshot | diff "$T/before" -
}
