#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# LONG
# Every system call and every allocation of a create, run, exec or update fails in turn, or is the last.
load helper
load faults

@test "whatever call of a create fails, it is refused and undone, or starts what was promised" {
  use fault ".cacheDir = \"$T/cache\""
  rich_bundle
  walk "error stuck short" create --bundle "$b" c1
}

@test "what is short or breaks on the way is no reason to go without a user namespace" {
  use fault ".cacheDir = \"$T/cache\""
  rich_bundle
  STEP=${OH_MAP_STEP:-2} ERRORS=1 POLICY=restricted walk error create --bundle "$b" c1
}

@test "whatever call of a run fails, it is guarded as ever or refused and undone" {
  use fault ".cacheDir = \"$T/cache\""
  b=$(bundle one)
  STEP=${OH_RUN_STEP:-3} walk "error kill" run --bundle "$b" c1
}

@test "killed in any system call of a create, the bundle is whole and the next try works" {
  use fault ".cacheDir = \"$T/cache\""
  rich_bundle
  walk kill create --bundle "$b" c1
}

@test "without a cache, whatever call fails in the filter's compiler" {
  use fault
  b=$(bundle one)
  STEP=5 walk "error kill stuck" create --bundle "$b" c1
}

@test "whatever call of exec and update fails or is killed" {
  use fault ".cacheDir = \"$T/cache\""
  b=$(bundle one)
  create "$b" c1 || [ $? -eq 42 ]
  jq '.process | .noNewPrivileges = false' "$b/config.json" >"$T/process.json"
  mkdir -p "$T/root/c1"
  jq -n --arg b "$b" '{init_process_pid: 1, init_process_start: 0, config: {labels: ["bundle=" + $b]}}' >"$T/root/c1/state.json"
  walk "error kill stuck short" exec --process "$T/process.json" c1
  walk "error kill" exec --cap CAP_SYS_ADMIN --env A=b c1 /bin/true
  echo '{"pids": {"limit": 0}, "memory": {"limit": 1048576}}' >"$T/resources.json"
  walk "error kill stuck short" update --resources "$T/resources.json" c1
  walk error update --pids-limit 100 c1
  rm -r "$T/root/c1"
}

@test "whatever allocation of create, exec and update fails, it is refused and undone" {
  use fault ".cacheDir = \"$T/cache\""
  OH=$BUILD/fault/oci-harden
  STEP=${OH_ALLOCATION_STEP:-11}
  b=$(bundle one)
  POLICY=restricted walk memory create --bundle "$b" c1
  create "$b" c1 || [ $? -eq 42 ]
  jq '.process | .noNewPrivileges = false' "$b/config.json" >"$T/process.json"
  walk memory exec --process "$T/process.json" c1
  walk memory exec --cap CAP_SYS_ADMIN c1 /bin/true
  echo '{"pids": {"limit": 0}, "memory": {"limit": 1048576}}' >"$T/resources.json"
  walk memory update --resources "$T/resources.json" c1
}

@test "what is refused is refused whatever call fails" {
  use fault ".cacheDir = \"$T/cache\""
  mkdir "$T/etc"
  mount --bind /etc "$T/etc"
  mkdir "$T/sockets"
  python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$T/sockets/docker.sock"
  bind() { echo ".mounts += [{destination: \"/data\", type: \"bind\", source: \"$1\", options: [\"rbind\"]}]"; }
  # Most calls are the same in all of these, so that together they fail each of them several times.
  local change n=0 step=${OH_REFUSED_STEP:-3}
  for change in "$(bind /etc)" "$(bind "$T/etc")" "$(bind "$T/etc/default")" "$(bind "$T/sockets")" "$(bind /proc/sys)" \
    '.root.path = "/"' '.process.cwd = "/proc/self/fd/7"' '.process.cwd = "/tmp/fd"' '.process.args[0] = "/tmp/fd/7"' \
    '(.linux.namespaces[] | select(.type == "ipc")).path = "/proc/self/ns/ipc"' '.mounts |= map(select(.destination != "/dev"))'; do
    b=$(bundle "b$((++n))" "$change")
    ln -sfn /proc/self "$b/rootfs/tmp/fd"
    STEP=$step FROM=$((n % step)) ERRORS=1 walk error create --bundle "$b" c1
    grep -q 'refused undisturbed' "$T/walked"
  done
}
