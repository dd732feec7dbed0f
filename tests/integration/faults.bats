#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What goes wrong around a create: kills, full disks, no descriptors, and others who change the bundle meanwhile.
load helper

setup() {
  oh_setup
  use echo
}
teardown() {
  local dir
  for dir in "$T/full" "$T/volume" "$T/etc" "$T/netns"; do mountpoint -q "$dir" 2>/dev/null && umount "$dir"; done
  oh_teardown
}

use() { # use echo|standing|fault [JQ]: the runtime is one that only tells
  oh_config runc "${2:-.}"
  local path=$BUILD/helpers/$1
  case $1 in echo) path=$BUILD/helpers/argv-echo ;; fault) path=$BUILD/fault/runtime ;; esac
  jq --arg p "$path" '.runtimes = [{path: $p, type: "runc"}]' "$T/config.json" >"$T/c.tmp"
  cat "$T/c.tmp" >"$T/config.json"
}

create() { # create BUNDLE ID: 42 is the runtime's
  "$OH" --config "$T/config.json" --policy restricted --root "$T/root" create --bundle "$1" "$2"
}

# The bundle is the engine's, or ours with the engine's beside it; $T/before and $T/after say what these are.
whole() {
  if cmp -s "$1/config.json" "$T/before"; then return 0; fi
  cmp "$1/config.json" "$T/after" && cmp "$1/config.engine.json" "$T/before"
}

known() { # known BUNDLE: before and after of a create that nobody disturbs
  cp "$1/config.json" "$T/before"
  create "$1" undisturbed >/dev/null || true
  cp "$1/config.json" "$T/after"
  ! cmp -s "$T/before" "$T/after"
  rm -f "$1/config.engine.json"
  cp "$T/before" "$1/config.json"
}

# walk MODES VERB ARGS...: every system call of the verb fails in turn, or is the last; tests/fault/walk.c says what is
# judged. (tests/fault/runtime.c is the runtime.) STEP: only every so many calls.
walk() {
  local mode modes=$1
  shift
  for mode in $modes; do
    "$BUILD/fault/walk" "$mode" --bundle "$b" --state "$T/state" --log "$T/log" --events "$T/events.json" \
      --step "${STEP:-1}" --from "${FROM:-0}" --errors "${ERRORS:-9}" ${PREPARE:+--prepare "$PREPARE"} \
      ${CHECK:+--check "$CHECK"} ${INSTEAD:+--or "$INSTEAD"} -- "$OH" --config "$T/config.json" --policy "${POLICY:-restricted}" --root "$T/root" --log "$T/log" \
      --log-format json "$@" -- "$OH" --config "$T/config.json" --root "$T/root" delete --force c1 >"$T/walked" || { cat "$T/walked"; return 1; }
    [ "$mode" = tell ] || echo "# $1: $(cat "$T/walked")" >&3
  done
}

# A bundle with all that is looked at: binds of both kinds, links in the rootfs, a joined namespace, a second policy.
rich_bundle() {
  mkdir -p "$T/source" "$T/volume"
  touch "$T/netns"
  unshare --net="$T/netns" true
  b=$(bundle one ".mounts += [{destination: \"/data\", type: \"bind\", source: \"$T/source\", options: [\"rbind\", \"ro\"]},
      {destination: \"/var/lib/x\", type: \"bind\", source: \"$T/volume\", options: [\"bind\"]}]
    | (.linux.namespaces[] | select(.type == \"network\")).path = \"$T/netns\"
    | .annotations[\"oci-harden.policy\"] = \"baseline\" | .process.cwd = \"/home\" | .process.args[0] = \"sh\"")
  ln -s ../run "$b/rootfs/var/run"
  ln -s /home/lib "$b/rootfs/var/lib"
  mkdir -p "$b/rootfs/home/lib"
}

@test "whatever call of a create fails, it is refused and undone, or starts what was promised" {
  use fault ".cacheDir = \"$T/cache\""
  rich_bundle
  walk "error stuck short" create --bundle "$b" c1
}

@test "whatever call of a create with a user namespace fails, it has one, or none as its policy says, or is refused" {
  use fault ".cacheDir = \"$T/cache\""
  rich_bundle
  mapped_policy() { echo "{\"extends\": \"restricted\", \"user-namespace\": {\"mode\": \"$1\"}}" >"$T/policies/$1.json"; }
  mapped_policy off
  mapped_policy auto
  mapped_policy require
  POLICY=off walk tell create --bundle "$b" c1
  cp "$T/walked" "$T/instead"
  mounted=$(wc -l </proc/self/mountinfo)
  cat >"$T/check" <<EOF
[ \$(wc -l </proc/self/mountinfo) -eq $mounted ] || echo 'a mount is left'
if [ \$1 = started ]; then rm -rf --one-file-system "$T/maps"; elif [ -e "$T/maps" ]; then find "$T/maps" -mindepth 2; fi
EOF
  CHECK=". $T/check"
  STEP=${OH_MAP_STEP:-24} POLICY=require walk "error kill" create --bundle "$b" c1
  STEP=${OH_MAP_STEP:-24} POLICY=auto INSTEAD=$T/instead walk "error stuck" create --bundle "$b" c1
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
  walk memory create --bundle "$b" c1
  create "$b" c1 || [ $? -eq 42 ]
  jq '.process | .noNewPrivileges = false' "$b/config.json" >"$T/process.json"
  walk memory exec --process "$T/process.json" c1
  walk memory exec --cap CAP_SYS_ADMIN c1 /bin/true
  echo '{"pids": {"limit": 0}, "memory": {"limit": 1048576}}' >"$T/resources.json"
  walk memory update --resources "$T/resources.json" c1
}

# A container that waits for its start: PREPARE makes it where it is not there any more, CHECK looks at what a start has
# left. created [NAME=VALUE...]: what its create has in its environment besides.
created() {
  use fault ".cacheDir = \"$T/cache\""
  FAULT_RUNTIME=$(command -v runc)
  export FAULT_RUNTIME
  b=$(CMD='sleep 600' bundle one '.process.noNewPrivileges = false')
  cat >"$T/prepare" <<EOF
exec >"$T/prepared" 2>&1 </dev/null
[ -e "$T/root/c1/exec.fifo" ] && read -r pid <"$T/pid" && [ -e "/proc/\$pid/exe" ] && exit 0
runc --root "$T/root" delete --force c1
rm -rf "$T/state" "$b.weak"
$* "$OH" --config "${CREATOR:-$T/config.json}" --policy restricted --root "$T/root" create --bundle "$b" --pid-file "$T/pid" c1
EOF
  cat >"$T/check" <<EOF
read -r pid <"$T/pid"
case \$1 in
started) [ -e "$T/root/c1/exec.fifo" ] && [ -e "/proc/\$pid/exe" ] || echo 'the container does not wait' ;;
refused)
  if [ -e "$T/root/c1/exec.fifo" ]; then
    while read -r key value; do case \$key in State:) state=\$value ;; TracerPid:) tracer=\$value ;; esac; done <"/proc/\$pid/status"
    case \$state in [RSD]*) ;; *) echo "it does not wait: \$state" ;; esac
    [ "\$tracer" = 0 ] || echo "it is traced by \$tracer"
    exit 3
  fi
  [ ! -e "/proc/\$pid/exe" ] || echo "its process \$pid lives"
  for left in "$T"/root/* "$T"/state/* /sys/fs/cgroup/*/oh-\${T##*/}-one /sys/fs/cgroup/oh-\${T##*/}-one; do
    [ ! -e "\$left" ] || echo "\$left is left"
  done
  while read -r line; do case \$line in *" $b"*) echo "mounted: \$line" ;; esac; done </proc/self/mountinfo ;;
esac
EOF
  PREPARE="sh $T/prepare"
  CHECK=". $T/check"
}

@test "whatever call of a start fails, what was created as promised is started as proved, or refused and nothing left" {
  created
  STEP=${OH_START_STEP:-24} walk "error stuck kill" start c1
  # Cache and events are all that a start writes.
  walk unwritable start c1
  grep -q ': 0 refused,' "$T/walked"
}

@test "what was not created as promised is not started whatever call fails" {
  oh_config runc ".runtimes = [{path: \"$BUILD/helpers/weak-runtime\", type: \"runc\"}]"
  cp -p "$T/config.json" "$T/weak.json"
  CREATOR=$T/weak.json
  # Each weakness has calls of its own, so that together they have had as many as one alone.
  local weak n=0 step=${OH_START_STEP:-48}
  for weak in '.process.noNewPrivileges = false' 'del(.linux.seccomp)' '.linux.maskedPaths = []' '.root.readonly = false' \
    '.process.capabilities.bounding += ["CAP_SYS_ADMIN"]' '.linux.namespaces |= map(select(.type != "ipc"))' fd; do
    created "WEAK_RUNTIME=$(command -v runc)" "$([ "$weak" = fd ] && echo WEAK_FD=1 || echo "WEAK_JQ='$weak'")"
    STEP=$step FROM=$((step == 1 ? 0 : 7 * n++)) ERRORS=1 walk "error kill" start c1
    grep -q 'refused undisturbed' "$T/walked"
    runc --root "$T/root" delete --force c1 2>/dev/null || true
  done
}

@test "what is refused is refused whatever call fails" {
  use fault ".cacheDir = \"$T/cache\""
  mkdir "$T/etc"
  mount --bind /etc "$T/etc"
  mkdir "$T/sockets"
  python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$T/sockets/docker.sock"
  bind() { echo ".mounts += [{destination: \"/data\", type: \"bind\", source: \"$1\", options: [\"rbind\"]}]"; }
  local change
  n=0
  for change in "$(bind /etc)" "$(bind "$T/etc")" "$(bind "$T/etc/default")" "$(bind "$T/sockets")" "$(bind /proc/sys)" \
    '.root.path = "/"' '.process.cwd = "/proc/self/fd/7"' '.process.cwd = "/tmp/fd"' '.process.args[0] = "/tmp/fd/7"' \
    '(.linux.namespaces[] | select(.type == "ipc")).path = "/proc/self/ns/ipc"' '.mounts |= map(select(.destination != "/dev"))'; do
    b=$(bundle "b$((++n))" "$change")
    ln -sfn /proc/self "$b/rootfs/tmp/fd"
    ERRORS=1 walk error create --bundle "$b" c1
    grep -q 'refused undisturbed' "$T/walked"
  done
}

@test "without descriptors a create is refused or whole" {
  b=$(bundle one)
  known "$b"
  started=0
  for limit in 3 4 5 6 7 8 9 10 12 14 16 20 24; do
    rm -f "$b/config.engine.json"
    cp "$T/before" "$b/config.json"
    code=0
    (
      for fd in /proc/self/fd/*; do fd=${fd##*/} && [ "$fd" -gt 2 ] && eval "exec $fd>&-"; done
      ulimit -n "$limit"
      create "$b" "l$limit"
    ) >/dev/null 2>&1 || code=$?
    whole "$b"
    [ "$code" -ne 42 ] || { started=$((started + 1)) && cmp "$b/config.json" "$T/after"; }
  done
  echo "$started started"
  [ "$started" -gt 0 ]
}

@test "a full disk below the state stops a create; below the cache and the events it does not" {
  b=$(bundle one)
  known "$b"
  mkdir "$T/full"
  mount -t tmpfs -o size=8k tmpfs "$T/full"
  dd if=/dev/zero of="$T/full/fill" bs=1k 2>/dev/null || true
  use echo ".stateDir = \"$T/full/state\" | .cacheDir = \"$T/cache\""
  run create "$b" c1
  echo "$output"
  [ "$status" -eq 1 ] && [[ "$output" == *'No space left'* ]]
  cmp "$b/config.json" "$T/before"
  use echo ".cacheDir = \"$T/full/cache\" | .events = \"$T/full/events.json\""
  run create "$b" c2
  [ "$status" -eq 42 ]
  cmp "$b/config.json" "$T/after"
}

@test "two real creates on one bundle: both are hardened, and the engine's text is kept" {
  oh_config runc
  b=$(CMD='sleep 60' bundle one '.process.noNewPrivileges = false | del(.linux.cgroupsPath)')
  cp "$b/config.json" "$T/before"
  local pids=() id
  for id in c1 c2 c3; do
    create "$b" "$id" >/dev/null 2>&1 </dev/null &
    pids+=($!)
  done
  for id in "${pids[@]}"; do wait "$id"; done
  for id in c1 c2 c3; do
    pid=$(jq .init_process_pid "$T/root/$id/state.json")
    grep -q '^NoNewPrivs:.*1' "/proc/$pid/status"
  done
  cmp "$b/config.engine.json" "$T/before"
}

@test "a directory of the rootfs that is swapped for a link meanwhile leads no mount to the host" {
  oh_config runc
  mkdir "$T/host" "$T/volume"
  mount -t tmpfs tmpfs "$T/volume"
  b=$(CMD='echo in >/home/data/mark' bundle one \
    ".mounts += [{destination: \"/home/data\", type: \"bind\", source: \"$T/volume\", options: [\"bind\", \"rw\"]}]")
  cp "$b/config.json" "$T/before"
  mkdir -p "$b/rootfs/home/data" "$T/host/data"
  (
    set +e
    trap 'exit 0' TERM
    while :; do
      mv -T "$b/rootfs/home" "$b/rootfs/was" 2>/dev/null && ln -s "$T/host" "$b/rootfs/home"
      rm -f "$b/rootfs/home" && mv -T "$b/rootfs/was" "$b/rootfs/home" 2>/dev/null
    done
  ) &
  swapper=$!
  ran=0
  for i in $(seq "${OH_RACES:-60}"); do
    cp "$T/before" "$b/config.json"
    code=0
    oh run --bundle "$b" "r$i" >/dev/null 2>&1 </dev/null || code=$?
    ran=$((ran + (code == 0)))
    # Wherever /home was, nothing was written or made beside the volume.
    [ -z "$(ls -A "$T/host/data")" ] && [ "$(ls -A "$T/host")" = data ] || break
  done
  kill "$swapper"
  wait "$swapper"
  echo "$ran of $i ran"
  [ -z "$(ls -A "$T/host/data")" ] && [ "$(ls -A "$T/host")" = data ]
}

@test "what a process is, but for its descriptors, reaches the runtime untouched" {
  use standing
  b=$(bundle one)
  stand() { # stand PROGRAM ARGS...: with everything odd that survives execve
    (
      cd /usr
      umask 027
      trap '' USR1
      ulimit -c 0
      export ODD=$'a b\nc' LISTEN_PID=1 XDG_RUNTIME_DIR=/nowhere
      exec 5</etc/hostname
      exec setpriv --pdeathsig TERM nice -n 3 "$@" </dev/null
    ) | grep -vE '^(PPid|session|fd [1-9]|_=)' >"$T/stands"
  }
  stand "$BUILD/helpers/standing" state c1
  cp "$T/stands" "$T/bare"
  grep -q '^pdeathsig 15' "$T/bare" && grep -q '^ODD=a b' "$T/bare"
  stand "$OH" --config "$T/config.json" --policy restricted --root "$T/root" state c1
  diff "$T/bare" "$T/stands"
  for verb in start "create --bundle $b" exec; do
    [ "$verb" != exec ] || program=true
    # shellcheck disable=SC2086
    stand "$OH" --config "$T/config.json" --policy privileged --root "$T/root" $verb c1 ${program-}
    diff "$T/bare" "$T/stands"
  done
  # A hardened start adds the floor's filter, and nothing else.
  stand "$OH" --config "$T/config.json" --policy restricted --root "$T/root" create --bundle "$b" c2
  diff <(grep -v '^Seccomp' "$T/bare") <(grep -v '^Seccomp' "$T/stands")
  grep -q '^Seccomp_filters:.*1' "$T/stands"
}
