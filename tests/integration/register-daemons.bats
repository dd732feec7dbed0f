#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# From a plain engine to a hardened one and back, with the real containerd, dockerd and podman: hardenctl install, a
# container that runs, one that is refused, an exec, hardenctl uninstall, and every configuration file as it was.
bats_require_minimum_version 1.5.0
load helper
load ../engines/cri
SELF='grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status'

setup() {
  oh_setup
  config_for_engine
  mkdir -p "$T/bin" "$T/d"
  cp "$OH" "$BUILD/oci-harden-hook" "$CTL" "$T/bin/"
  PATH=$T/bin:$PATH
  CGROUP=$(basename "$T")
  DAEMON=
}

teardown() {
  stop
  [ -z "${SECURITYFS-}" ] || umount "$SECURITYFS" /var/cache
  podman_ rm -fa >/dev/null 2>&1 || true
  oh_unmount
  oh_remove_cgroups "$CGROUP"
  oh_teardown
  rm -rf /var/lib/oci-harden
}

stop() {
  [ -n "$DAEMON" ] || return 0
  kill "$DAEMON" || true
  wait_for 20 sh -c "! kill -0 $DAEMON 2>/dev/null"
  DAEMON=
}

picture() { # of all that engines are configured by
  rm -rf "${T:?}/$1"
  mkdir -p "$T/$1"
  cp -a /etc/containerd /etc/docker /etc/containers "$T/$1/"
  cp -a "$T/config.toml" "$T/daemon.json" "$T/$1/" 2>/dev/null || true
  ls "$T/bin" >"$T/$1/programs"
}
as_before() {
  picture after
  diff -r "$T/before" "$T/after"
  [ ! -e /var/lib/oci-harden ]
}

hardened() { # OUTPUT: of $SELF
  echo "$1"
  [[ "$1" == *"CapEff:"*"0000000000000400"* && "$1" == *"NoNewPrivs:"*"1"* && "$1" == *"Seccomp:"*"2"* ]]
}

# --- containerd ---

containerd_() {
  own_network containerd --config "$T/config.toml" >>"$T/containerd.log" 2>&1 3>&- &
  DAEMON=$!
  cri_wait
}
container() { # sets ID
  cri_container "$(jq -n --arg image "$IMAGE" '{metadata: {name: "c"}, image: {image: $image}, command: ["/bin/sh", "-c", "sleep 600"],
    linux: {resources: {oom_score_adj: 1000}}}')"
}

@test "containerd: registered, a pod runs, one is refused, exec; taken out, and the pod of before is served still" {
  {
    echo "# A node's configuration, kept by people."
    cri_config
  } >"$T/config.toml"
  picture before
  hardenctl install --engine containerd --file "$T/config.toml" --policy restricted
  containerd_
  cri_images
  run hardenctl status --engine containerd
  echo "$output"
  [ "$status" -eq 0 ]
  cri_pod hardened
  container
  hardened "$(cri_exec /bin/sh -c "$SELF")"
  run cri_pod hardened '.linux.security_context.namespace_options = {network: 2}'
  echo "$output"
  [[ "$output" == *OH-NSP-* ]]
  run hardenctl install --engine containerd --policy restricted --policy baseline --name tight
  run hardenctl status --engine containerd
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"a restart is pending"* ]]
  [[ "$output" == *"tight-baseline: $T/bin/oci-harden-baseline, policy baseline"* ]]
  # runc, which nobody had written down, is there still.
  cri_pod runc
  cri_remove_pod "$POD"
  run hardenctl uninstall --engine containerd
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"kept: needed by $T"* || "$output" == *"kept: needed by /run/containerd"* ]]
  [[ "$output" == *"kept: needed by containerd (pid $DAEMON), until it is restarted"* ]]
  cmp "$T/before/config.toml" "$T/config.toml"
  stop
  [ -z "${SECURITYFS-}" ] || umount "$SECURITYFS" /var/cache
  containerd_
  run cri_pod hardened
  [[ "$output" == *'no runtime for "hardened" is configured'* ]]
  hardened "$(cri_exec /bin/sh -c "$SELF")"
  POD=$(cri ListPodSandbox | jq -r '.items[0].id')
  cri_remove_pod "$POD"
  hardenctl uninstall --engine containerd
  as_before
}

# --- docker ---

docker_() { docker -H "unix://$T/d/s" "$@"; }
dockerd_() {
  own_network dockerd --config-file "$T/daemon.json" >>"$T/dockerd.log" 2>&1 3>&- &
  DAEMON=$!
  wait_for 30 docker_ version >/dev/null 2>&1
}
has_runtime() { docker_ info --format '{{json .Runtimes}}' | jq -e "has(\"$1\")" >/dev/null; }

@test "docker: registered and reloaded, a container runs, one is refused, exec; taken out by a reload" {
  jq -n --arg t "$T" --arg cgroup "/$CGROUP" '{"data-root": ($t + "/d/root"), "exec-root": ($t + "/d/exec"),
    pidfile: ($t + "/d/pid"), hosts: ["unix://" + $t + "/d/s"], bridge: "none", iptables: false, "ip6tables": false,
    "ip-masq": false, "storage-driver": "overlay2", "exec-opts": ["native.cgroupdriver=cgroupfs"], "cgroup-parent": $cgroup}' >"$T/daemon.json"
  picture before
  dockerd_
  image_archive "$T/image.tar" busybox:test
  docker_ load -i "$T/image.tar" >/dev/null
  hardenctl install --engine docker --file "$T/daemon.json" --policy restricted --default
  kill -HUP "$DAEMON"
  wait_for 10 has_runtime hardened
  [ "$(docker_ info --format '{{.DefaultRuntime}}')" = hardened ]
  docker_ run -d --name web --network none busybox:test sleep 600 >/dev/null
  hardened "$(docker_ exec --privileged web sh -c "$SELF")"
  run docker_ run --rm --network none -v /etc:/host busybox:test true
  echo "$output"
  [ "$status" -ne 0 ]
  [[ "$output" == *OH-MNT-* ]]
  run hardenctl uninstall --engine docker --dry-run
  echo "$output"
  [[ "$output" == *"note: docker: container "*" was made with hardened, and cannot be started again"* ]]
  docker_ rm -f web >/dev/null
  run hardenctl uninstall --engine docker
  echo "$output"
  [ "$status" -eq 1 ]
  # A reload makes dockerd learn, and not forget: it would look for the program still.
  [[ "$output" == *"kept: needed by dockerd (pid $DAEMON), until it is restarted"* ]]
  cmp "$T/before/daemon.json" "$T/daemon.json"
  stop
  [ -z "${SECURITYFS-}" ] || umount "$SECURITYFS" /var/cache
  dockerd_
  run ! has_runtime hardened
  [ "$(docker_ info --format '{{.DefaultRuntime}}')" = runc ]
  docker_ run --rm --network none busybox:test true
  hardenctl uninstall --engine docker
  stop
  [ -z "${SECURITYFS-}" ] || umount "$SECURITYFS" /var/cache
  rm -f /etc/docker/key.json # dockerd's own
  as_before
}

@test "docker: a dockerd that names runtimes by a flag too would not start again: refused" {
  echo '{}' >"$T/daemon.json"
  cp "$BUILD/helpers/pause" "$T/bin/dockerd"
  "$T/bin/dockerd" --config-file="$T/daemon.json" --add-runtime=x=/x 3>&- >/dev/null 2>&1 &
  DAEMON=$!
  wait_for 5 sh -c "grep -q dockerd /proc/$DAEMON/comm"
  run hardenctl install --engine docker --file "$T/daemon.json"
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"--add-runtime=x=/x"*"does not start"* ]]
  [ "$(cat "$T/daemon.json")" = '{}' ]
}

@test "a daemon of a container, with the same names in a root of its own, is none of this host's" {
  local etc=/var/lib/rancher/k3s/agent/etc/containerd
  mkdir -p "$etc" "$T/within"
  cp "$ROOT/tests/fixtures/config/k3s/config-v3.toml" "$etc/config.toml"
  cp "$BUILD/helpers/pause" "$T/within/containerd"
  chroot "$T/within" /containerd -c "$etc/config.toml" 3>&- >/dev/null 2>&1 &
  DAEMON=$!
  wait_for 5 sh -c "grep -q containerd /proc/$DAEMON/comm"
  hardenctl install --engine containerd --file "$etc/config.toml" --policy restricted
  hardenctl status --engine containerd
  hardenctl uninstall --engine containerd
  [ ! -e /var/lib/oci-harden ]
  stop
  [ -z "${SECURITYFS-}" ] || umount "$SECURITYFS" /var/cache
  rm -r /var/lib/rancher
}

@test "k3s: a daemon that reads the file which imports ours must be restarted, and programs stay until then" {
  local etc=/var/lib/rancher/k3s/agent/etc/containerd
  mkdir -p "$etc"
  cp "$ROOT/tests/fixtures/config/k3s/config-v3.toml" "$etc/config.toml"
  cp "$BUILD/helpers/pause" "$T/bin/containerd"
  "$T/bin/containerd" -c "$etc/config.toml" 3>&- >/dev/null 2>&1 &
  DAEMON=$!
  wait_for 5 sh -c "grep -q containerd /proc/$DAEMON/comm"
  hardenctl install --engine containerd --file "$etc/config.toml" --policy restricted
  run hardenctl status --engine containerd
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"a restart is pending: containerd (pid $DAEMON)"*"systemctl restart k3s (on an agent"* ]]
  run hardenctl uninstall --engine containerd
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"kept: needed by containerd (pid $DAEMON), until it is restarted"* ]]
  stop
  [ -z "${SECURITYFS-}" ] || umount "$SECURITYFS" /var/cache
  hardenctl uninstall --engine containerd
  [ "$(find "$etc" -mindepth 1)" = "$etc/config.toml" ]
  [ ! -e /var/lib/oci-harden ]
  rm -r /var/lib/rancher
}

# --- podman ---

podman_() { podman --root "$T/p/root" --runroot "$T/p/run" --tmpdir "$T/p/tmp" --storage-driver overlay "$@"; }

@test "podman: registered by a file of its own, a container runs, one is refused, exec; and the file goes again" {
  # The limits that podman asks for by default need CAP_SYS_RESOURCE, which a test machine may lack.
  cat >/etc/containers/containers.conf <<'TOML'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
num_locks = 64
runtime = "runc"
TOML
  unset CONTAINERS_CONF
  picture before
  image_archive "$T/image.tar" "$IMAGE"
  podman_ load -qi "$T/image.tar" >/dev/null
  hardenctl install --engine podman --policy restricted
  [ "$(podman_ run --rm --cgroup-parent "/$CGROUP" "$IMAGE" echo plain)" = plain ]
  podman_ --runtime hardened run -d --name web --cgroup-parent "/$CGROUP" "$IMAGE" sleep 600 >/dev/null
  hardened "$(podman_ exec --privileged web sh -c "$SELF")"
  run podman_ --runtime hardened run --rm --cgroup-parent "/$CGROUP" -v /etc:/host "$IMAGE" true
  echo "$output"
  [ "$status" -ne 0 ]
  [[ "$output" == *OH-MNT-* ]]
  podman_ rm -f -t 0 web >/dev/null
  hardenctl install --engine podman --policy restricted --default
  run podman_ run --rm --cgroup-parent "/$CGROUP" "$IMAGE" sh -c "$SELF"
  hardened "$output"
  # What still runs is looked up by its name: the name stays until it is gone, and is no longer the default.
  podman_ run -d --name web --cgroup-parent "/$CGROUP" "$IMAGE" sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done' >/dev/null
  podman_ run -d --name other --cgroup-parent "/$CGROUP" "$IMAGE" sleep 600 >/dev/null
  podman_ --runtime runc run -d --name plain --cgroup-parent "/$CGROUP" "$IMAGE" sleep 600 >/dev/null
  id=$(podman_ inspect -f '{{.Id}}' web)
  run hardenctl uninstall --engine podman
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"kept: needed by "*" $id"* ]]
  [[ "$output" != *"$(podman_ inspect -f '{{.Id}}' plain)"* ]]
  [[ "$output" == *"hardened: kept registered until those are gone"* ]]
  run hardenctl uninstall --engine podman # twice is once
  [ "$status" -eq 1 ]
  [ -e "$T/bin/oci-harden-restricted" ]
  run podman_ run --rm --cgroup-parent "/$CGROUP" "$IMAGE" grep NoNewPrivs /proc/self/status
  [[ "$output" == *0 ]]
  hardened "$(podman_ exec --privileged web sh -c "$SELF")"
  podman_ stop -t 5 web >/dev/null
  [ "$(podman_ inspect -f '{{.State.ExitCode}}' web)" -eq 3 ]
  podman_ rm -f -t 0 other >/dev/null
  # One that is stopped can be removed without it, and not started: that is said.
  printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\n' "$T/p/root" >/etc/containers/storage.conf
  run hardenctl uninstall --engine podman
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *"container ${id:0:12} was made with it, and cannot be started again"* ]]
  rm /etc/containers/storage.conf
  podman_ rm web plain -f -t 0 >/dev/null
  as_before
  rm /etc/containers/containers.conf
}

@test "a user's containers keep the name and the programs, whatever is in the user's directory" {
  hardenctl install --engine podman --policy restricted
  mkdir -p /run/user/4242/oci-harden/run-runc/one
  ln -s /etc/shadow /run/user/4242/oci-harden/run-runc/one/state.json
  run hardenctl uninstall
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"kept: needed by containers of user 4242"* ]]
  [ -e "$T/bin/oci-harden-restricted" ]
  rm -r /run/user/4242
  hardenctl uninstall
  [ ! -e "$T/bin/oci-harden-restricted" ]
}

@test "--restart asks systemd, where it is; a restart that fails is an error" {
  mkdir -p /run/systemd/system
  printf '#!/bin/sh\necho "$@" >>"%s/asked"\n[ ! -e "%s/broken" ] || { echo no such unit >&2; exit 5; }\n' "$T" "$T" >"$T/bin/systemctl"
  chmod 755 "$T/bin/systemctl"
  printf 'version = 2\n' >"$T/config.toml"
  echo '{}' >"$T/daemon.json"
  hardenctl install --engine containerd --file "$T/config.toml" --restart
  hardenctl install --engine docker --file "$T/daemon.json" --restart
  hardenctl install --engine docker --file "$T/daemon.json" --restart # nothing to do, nothing to reload
  hardenctl uninstall --engine docker --restart
  touch "$T/broken"
  run hardenctl uninstall --engine containerd --restart
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"systemctl restart containerd.service failed: exit status 5: no such unit" ]]
  rm -rf /run/systemd
  run hardenctl install --engine containerd --file "$T/config.toml" --restart
  [ "$status" -eq 0 ]
  [[ "$output" == *"no systemd is running here"* ]]
  hardenctl uninstall
  [ "$(cat "$T/asked")" = "restart containerd.service
reload docker.service
restart docker.service
restart containerd.service" ]
}

@test "install and status say what AppArmor lacks: profiles that were not compiled for this kernel" {
  local dir name want
  want='note: AppArmor is on, and profiles of ours are not compiled for this kernel: containers that need one are refused; run hardenctl apparmor compile'
  said() { # said STATUS COMMAND...: the notes of AppArmor
    local code=$1
    shift
    run "$@"
    echo "$output"
    [ "$status" -eq "$code" ] && notes=$(grep '^note: AppArmor' <<<"$output" || true)
  }
  # A kernel that enforces, as its securityfs shows it.
  mkdir -p "$T/security/apparmor/features/policy" "$T/cache"
  echo 'docker-default (enforce)' >"$T/security/apparmor/profiles"
  echo yes >"$T/security/apparmor/features/policy/set_load"
  mount --bind "$T/cache" /var/cache
  mount --bind "$T/security" /sys/kernel/security
  SECURITYFS=/sys/kernel/security
  echo '{}' >"$T/daemon.json"
  said 0 hardenctl install --engine docker --file "$T/daemon.json" --dry-run
  [ -z "$notes" ]
  said 1 hardenctl status --engine docker # nothing is registered, so nothing is refused
  [ -z "$notes" ]
  said 0 hardenctl install --engine docker --file "$T/daemon.json"
  [[ "$notes" == "$want"* ]]
  said 0 hardenctl install --engine docker --file "$T/daemon.json" # changes nothing
  [[ "$notes" == "$want"* ]]
  said 0 hardenctl status --engine docker
  [[ "$notes" == "$want"* ]]
  hardenctl status --engine docker --json | jq -es 'length == 1'
  # Compiled: a directory of this kernel's features, and the link of its build to it.
  dir=$(hardenctl apparmor status | sed -n 's/^cache  *//p')
  install -d -m 700 "$dir"
  ln -s "$(basename "$dir")" "${dir%/*}/kernel-$(printf %s "$(uname -rvm)" | sha256sum | cut -d' ' -f1)"
  for name in $(hardenctl apparmor status | sed -n 's/^[a-z]*  *\(oci-harden-[^:]*\):.*/\1/p'); do
    said 0 hardenctl status --engine docker # one that is missing is enough
    [[ "$notes" == "$want"* ]]
    echo compiled >"$dir/$name"
  done
  said 0 hardenctl status --engine docker
  [ -z "$notes" ]
  # Not compiled any longer, but loaded.
  hardenctl apparmor status | sed -n 's/^[a-z]*  *\(oci-harden-[^:]*\):.*/\1 (enforce)/p' >"$T/security/apparmor/profiles"
  rm -r "$dir"
  said 0 hardenctl status --engine docker
  [ -z "$notes" ]
  sed -i 's/enforce/complain/' "$T/security/apparmor/profiles"
  said 0 hardenctl status --engine docker
  [[ "$notes" == "$want"* ]]
  # Whose list of profiles cannot be seen, nothing is said of.
  rm -r "$T/security/apparmor"
  said 0 hardenctl install --engine docker --file "$T/daemon.json"
  [ -z "$notes" ]
}
