# SPDX-License-Identifier: Apache-2.0
# Shared by the tests of the machine with SELinux on: `load` after the integration tests' helper.

FILES=container_file_t
LABEL=system_u:system_r:container_t

setup() {
  oh_setup
  oh_config crun # the faster one here, by two thirds of a second a container
  policy require '{}'
  POLICY=require
}
teardown() {
  echo 1 >/sys/fs/selinux/enforce
  [ ! -e /etc/selinux/config.away ] || mv /etc/selinux/config.away /etc/selinux/config
  oh_teardown
}

# policy NAME JSON: restricted without what a machine of these tests has not, and what is said of selinux.
policy() {
  jq -n --argjson s "$2" '{extends: "restricted", apparmor: {action: "off"}, selinux: ({mode: "require"} + $s)}' \
    >"$T/policies/$1.json"
  chmod 600 "$T/policies/$1.json"
}

# One image for all of them, which any container may read and run: the policy has it read-only.
setup_file() {
  IMAGE=$BATS_FILE_TMPDIR/image CONFIG=$BATS_FILE_TMPDIR/config.json
  export IMAGE CONFIG
  oh_setup
  dir=$(bundle image 'del(.process.apparmorProfile)')
  mv "$dir/rootfs" "$IMAGE"
  jq --arg i "$IMAGE" '.root.path = $i' "$dir/config.json" >"$CONFIG"
  mkdir "$IMAGE/data"
  : >"$IMAGE/file"
  chcon -R system_u:object_r:container_ro_file_t:s0 "$IMAGE"
  oh_teardown
}

# labelled NAME [JQ]: a bundle of that image.
labelled() {
  mkdir "$T/$1"
  jq --arg cmd "${CMD:-true}" --arg group "/oh-$(basename "$T")-$1" \
    '.process.args[2] = $cmd | .linux.cgroupsPath = $group | '"${2:-.}" "$CONFIG" >"$T/$1/config.json"
  printf '%s\n' "$T/$1"
}

# in_pod SANDBOX: the jq program of a container of that pod.
in_pod() {
  printf '.annotations = {"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": "%s"}' "$1"
}

# volume NAME DIR: the jq program that mounts DIR at /NAME.
volume() {
  printf '.mounts += [{destination: "/%s", type: "bind", source: "%s", options: ["rbind", "rw"]}]' "$1" "$2"
}

# start ID BUNDLE: a container that stays, its label in $label and its level in $level.
start() {
  oh create --bundle "$2" --pid-file "$T/$1.pid" "$1" >"$T/$1.out" 2>&1 </dev/null || { cat "$T/$1.out"; return 1; }
  oh start "$1" || return 1
  label=$(tr -d '\0' <"/proc/$(cat "$T/$1.pid")/attr/current")
  level=${label#*:*:*:}
}

inside() { oh exec "$@" </dev/null; }

leases() { "$CTL" --config "$T/config.json" selinux status --json | jq -r "${1:-.leases[] | .id}"; }

refused() { # refused RULE TEXT COMMAND...
  local rule=$1 text=$2
  shift 2
  run "$@"
  echo "$output"
  [ "$status" -ne 0 ]
  [[ "$output" == *"$text"* ]]
  grep -q "\"$rule\"" "$T/events.json"
}
