#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A dockerd that is restarted while its containers run on (live-restore), and the wrapper exchanged meanwhile.
bats_require_minimum_version 1.5.0
load ../integration/helper
load engines
ENGINE="docker"
IMAGE=busybox:test

setup() {
  oh_setup
  config_for_engine
  CGROUP=$(basename "$T")
  mkdir -p "$T/d" "$T/bin"
  jq -n --arg t "$T" --arg cgroup "/$CGROUP" '{
    "data-root": ($t + "/d/root"), "exec-root": ($t + "/d/exec"), pidfile: ($t + "/d/pid"), hosts: ["unix://" + $t + "/d/s"],
    bridge: "none", iptables: false, "ip6tables": false, "ip-masq": false, "storage-driver": "overlay2", "live-restore": true,
    "exec-opts": ["native.cgroupdriver=cgroupfs"], "cgroup-parent": $cgroup,
    runtimes: (["baseline", "restricted", "strict"] | map({(.): {path: ($t + "/bin/oci-harden-" + .)}}) | add)}' >"$T/daemon.json"
  for policy in baseline restricted strict; do ln -s oci-harden "$T/bin/oci-harden-$policy"; done
}

docker_() { docker -H "unix://$T/d/s" "$@"; }
up() {
  own_network dockerd --config-file "$T/daemon.json" >>"$T/dockerd.log" 2>&1 3>&- &
  DOCKERD=$!
  wait_for 30 docker_ version >/dev/null 2>&1
}
down() {
  kill "$DOCKERD"
  wait_for 20 sh -c "! kill -0 $DOCKERD 2>/dev/null"
  DOCKERD=
}

teardown() {
  if [ -n "${DOCKERD-}" ]; then
    docker_ ps -aq | xargs -r docker -H "unix://$T/d/s" rm -fv >/dev/null
    down
  fi
  oh_unmount
  oh_remove_cgroups "$CGROUP"
  oh_teardown
}

@test "containers of before a restart and an upgrade: exec, logs, stop, restart, rm; and new ones" {
  local r pid
  # An older build, exchanged by a rename as install does it.
  sed 's/"commit":"[0-9a-z]\{4\}/"commit":"0ld0/' "$OH" >"$T/bin/oci-harden"
  chmod 755 "$T/bin/oci-harden"
  up
  image_archive "$T/image.tar" "$IMAGE"
  docker_ load -i "$T/image.tar" >/dev/null
  for r in runc baseline restricted strict; do
    docker_ run --network none --runtime "$r" --user 1000 -d --name "$r" "$IMAGE" sh -c 'echo started; trap "exit 5" TERM; while :; do sleep 0.1; done' >/dev/null
    docker_ inspect -f '{{.State.Pid}}' "$r" >"$T/pid-$r"
  done
  down
  for r in runc baseline restricted strict; do kill -0 "$(cat "$T/pid-$r")"; done
  cp "$OH" "$T/bin/new"
  mv "$T/bin/new" "$T/bin/oci-harden"
  up
  for r in runc baseline restricted strict; do
    [ "$(docker_ inspect -f '{{.State.Pid}} {{.State.Running}}' "$r")" = "$(cat "$T/pid-$r") true" ]
    run docker_ exec -i "$r" sh -c 'cat; id -u; grep ^NoNewPrivs: /proc/self/status; exit 4' <<<input
    echo "$r: $output"
    [ "$status" -eq 4 ]
    [ "${lines[0]} ${lines[1]}" = "input 1000" ]
    case $r in restricted | strict) [ "${lines[2]}" = "NoNewPrivs:	1" ] ;; esac
    docker_ stop -t 5 "$r" >/dev/null
    [ "$(docker_ inspect -f '{{.State.ExitCode}}' "$r")" -eq 5 ]
    docker_ start "$r" >/dev/null
    docker_ exec "$r" true
    wait_for 5 sh -c "[ \$(docker -H unix://$T/d/s logs $r | grep -c started) -eq 2 ]"
    docker_ rm -f "$r" >/dev/null
    [ "$(docker_ run --rm --network none --runtime "$r" --user 1000 "$IMAGE" echo new)" = new ]
    cell "$r" runs "restarted with live-restore, wrapper upgraded: exec, stop, start, rm, new containers"
  done
  run find "$T/state" -mindepth 1 -path '*/.cache' -prune -o -path '*/.leases*' -prune -o -print
  echo "$output"
  [ -z "$output" ]
}
