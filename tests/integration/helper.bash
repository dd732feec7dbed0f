# SPDX-License-Identifier: Apache-2.0
# Shared by the integration tests: `load helper`, then call oh_setup in setup() and oh_teardown in teardown().
# Everything lives below $T, a directory of the test's own; nothing of the host's configuration is read.

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD=${BUILD:-$ROOT/build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
OH=$BUILD/oci-harden
CTL=$BUILD/hardenctl

oh_setup() {
  T=$(mktemp -d "${BATS_TMPDIR:-/tmp}/oh.XXXXXX")
  chmod 711 "$T"
  mkdir -p "$T/policies" "$T/state" "$T/root"
  oh_config runc
}

# oh_config RUNTIME [JQ]: the wrapper's config.json for a test, changed by a jq program.
oh_config() {
  RUNTIME=$1
  RUNTIME_PATH=$(command -v "$1")
  jq -n --arg t "$T" --arg r "$RUNTIME_PATH" '{
    runtimes: [{path: $r}], policyDir: ($t + "/policies"), stateDir: ($t + "/state"), mapDir: ($t + "/maps"),
    events: ($t + "/events.json")} | '"(${2:-.})" >"$T/config.json"
  chmod 600 "$T/config.json"
}

# oh ARGS...: the wrapper as an engine would call it, with the test's config and the runtime's root.
oh() {
  "$OH" --config "$T/config.json" ${POLICY:+--policy "$POLICY"} --root "$T/root" "$@"
}

# bare ARGS...: the runtime itself, on a root of its own.
bare() {
  mkdir -p "$T/bare-root"
  "$RUNTIME_PATH" --root "$T/bare-root" "$@"
}

# rootfs DIR: a root file system of busybox.
rootfs() {
  local applet new
  new=$(mktemp -d "$1.XXXXXX")
  chmod 755 "$new"
  mkdir -p "$new"/{bin,etc,tmp,root,var/tmp,var/log,run,proc,sys,dev,home,usr/bin}
  chmod 1777 "$new/tmp"
  cp /bin/busybox "$new/bin/busybox"
  for applet in sh cat id ls sleep mount umount grep true false echo touch mkdir ps kill env stat dd chmod chown \
    ping hostname wc head tail tr cut ln unshare mknod nc pwd sed sort test readlink ip; do
    ln -s busybox "$new/bin/$applet"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n' >"$new/etc/passwd"
  printf 'root:x:0:\nuser:x:1000:\n' >"$new/etc/group"
  # Tests run side by side: whoever is first has made it.
  mv -T "$new" "$1" 2>/dev/null || rm -rf "$new"
}

# i386_program FILE: an i386 program of one call: mov eax, 1; mov ebx, 42; int 0x80.
i386_program() {
  printf '\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x03\0\x01\0\0\0\x54\x80\x04\x08\x34\0\0\0\0\0\0\0\0\0\0\0\x34\0\x20\0\x01\0\0\0\0\0\0\0' >"$1"
  printf '\x01\0\0\0\0\0\0\0\0\x80\x04\x08\0\x80\x04\x08\x60\0\0\0\x60\0\0\0\x05\0\0\0\0\x10\0\0' >>"$1"
  printf '\xb8\x01\0\0\0\xbb\x2a\0\0\0\xcd\x80' >>"$1"
  chmod 755 "$1"
}

# bundle NAME [JQ]: a bundle with a busybox rootfs and docker 28's default config, running the shell command in CMD.
# Prints its path. (Debian 12's crun refuses an ociVersion of 1.2, hence 1.0.2.) The cgroup is named after the test so that parallel runs do not meet.
bundle() {
  local dir=$T/$1 cmd=${CMD:-id} cgroup template=${BATS_RUN_TMPDIR:-$T}/oh-rootfs
  cgroup=/oh-$(basename "$T")-$1
  [ -d "$template" ] || rootfs "$template"
  mkdir -p "$dir"
  cp -aT "$template" "$dir/rootfs"
  jq --arg cmd "$cmd" --arg cgroup "$cgroup" '
    .process.args = ["/bin/sh", "-c", $cmd] | .root.path = "rootfs" | .linux.cgroupsPath = $cgroup
    | .ociVersion = "1.0.2" | del(.hooks) | .mounts |= map(select(.type != "bind")) | '"(${2:-.})" \
    "$ROOT/tests/fixtures/docker-28/default.json" >"$dir/config.json"
  printf '%s\n' "$dir"
}

# Deletes what the test left running, with the bare runtimes, then the directory.
oh_teardown() {
  [ -n "${T-}" ] || return 0
  local root state
  for root in "$T/root" "$T/bare-root"; do
    for state in "$root"/*/state.json "$root"/*/status; do
      [ -e "$state" ] || continue
      if [ "$(basename "$state")" = status ]; then
        crun --root "$root" delete --force "$(basename "$(dirname "$state")")" || true
      else
        runc --root "$root" delete --force "$(basename "$(dirname "$state")")" || true
      fi
    done
  done
  oh_remove_cgroups "oh-$(basename "$T")*"
  rm -rf --one-file-system "$T"
}

# config_for_engine: the test's configuration where the wrapper looks for it when an engine calls it without options.
# (tests/integration/run has put a private overlay on /etc.)
config_for_engine() {
  [ -n "${OH_PRIVATE_MOUNTS-}" ] || { echo "run this by tests/integration/run" >&2; return 1; }
  mkdir -p /etc/oci-harden
  cp "$T/config.json" /etc/oci-harden/config.json
  chmod 600 /etc/oci-harden/config.json
}

# archive FILE NAME ROOTFS CONFIG: a docker archive of one layer, for `ctr images import` and `docker load`.
archive() {
  local work=$T/archive layer config arch=amd64
  case $(uname -m) in aarch64) arch=arm64 ;; esac
  mkdir -p "$work"
  tar -C "$3" --numeric-owner --owner=0 --group=0 -cf "$work/layer.tar" .
  layer=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
  jq -n --arg layer "sha256:$layer" --arg arch "$arch" --argjson config "$(jq -n "$4")" '{architecture: $arch, os: "linux",
    created: "1970-01-01T00:00:00Z", config: $config, rootfs: {type: "layers", diff_ids: [$layer]}, history: []}' >"$work/config"
  config=$(sha256sum "$work/config" | cut -d' ' -f1)
  mv "$work/config" "$work/$config.json"
  jq -n --arg config "$config.json" --arg name "$2" \
    '[{Config: $config, RepoTags: [$name], Layers: ["layer.tar"]}]' >"$work/manifest.json"
  tar -C "$work" -cf "$1" .
  rm -rf "$work"
}

# image_archive FILE NAME: one with a busybox rootfs.
image_archive() {
  archive "$1" "$2" "$(bundle image-rootfs)/rootfs" '{Env: ["PATH=/bin"], Cmd: ["/bin/sh"]}'
}

# pause_archive FILE NAME [USER]: the same for a pod's pause process, of root where no user is given.
pause_archive() {
  mkdir -p "$T/pause"
  cp "$BUILD/helpers/pause" "$T/pause/pause"
  archive "$1" "$2" "$T/pause" "{Cmd: [\"/pause\"], User: \"${3-}\"}"
  rm -rf "$T/pause"
}

# own_network COMMAND...: becomes the command in a network of its own, so that bridges and addresses of its containers
# meet no others and end with it.
own_network() {
  exec unshare --net -- busybox sh -c 'busybox ip link set lo up; exec "$@"' sh "$@"
}

# oh_unmount: whatever an engine left mounted below $T.
oh_unmount() {
  awk -v t="$T/" 'index($5, t) == 1 {print $5}' /proc/self/mountinfo | sort -r | xargs -r -n 1 umount -l
}

# oh_remove_cgroups NAME: the empty groups below NAME of every hierarchy, which engines leave behind.
oh_remove_cgroups() {
  find /sys/fs/cgroup -depth -type d \( -path "*/$1" -o -path "*/$1/*" \) -exec rmdir {} + 2>/dev/null || true
}

# wait_for SECONDS COMMAND...: until it succeeds, looking ten times a second.
wait_for() {
  local i seconds=$1
  shift
  for i in $(seq $((seconds * 10))); do
    "$@" && return 0
    sleep 0.1
  done
  echo "waited $seconds s for: $*" >&2
  return 1
}
