#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What goes wrong around a create: full disks, no descriptors, and others who change the bundle meanwhile.
load helper
load faults

# The bundle is the engine's, or ours with the engine's beside it; $T/before and $T/after say what these are.
whole() {
  if cmp -s "$1/config.json" "$T/before"; then return 0; fi
  cmp "$1/config.json" "$T/after" && cmp "$1/config.engine.json" "$T/before"
}

known() { # known BUNDLE: before and after of a create that nobody disturbs
  cp "$1/config.json" "$T/before"
  create "$1" undisturbed >/dev/null || true
  cp "$1/config.json" "$T/after"
  ! cmp -s "$T/before" "$T/after" || false
  rm -f "$1/config.engine.json"
  cp "$T/before" "$1/config.json"
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
  [ "$status" -eq 1 ]
  [[ "$output" == *'No space left'* ]]
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
  [ -z "$(ls -A "$T/host/data")" ]
  [ "$(ls -A "$T/host")" = data ]
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
