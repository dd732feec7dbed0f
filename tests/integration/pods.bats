#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Pods with a user namespace, as containerd's bundles have them: one that the engine gave (hostUsers: false) is left as it
# is, and proved; one of ours is the sandbox's, and its containers join it. By the runtimes alone.
load helper

setup() {
  oh_setup
  : >"$T/empty" # not /dev/null, which crun would give to the container's root
}
teardown() {
  # shellcheck disable=SC2086 # pids
  kill ${HELD-} 2>/dev/null || true
  oh_unmount
  oh_teardown
}

MAP='[{containerID: 0, hostID: 400000, size: 65536}]'

# hold COMMAND...: a process that holds namespaces; its pid in LAST.
hold() {
  "$@" 3>&- &
  LAST=$!
  HELD="${HELD-} $LAST"
}

pin() { # pin PID TYPE: a file that is that namespace
  touch "$T/$2"
  mount --bind "/proc/$1/ns/$2" "$T/$2"
}

in_another() { [ "$(readlink "/proc/$1/ns/$2")" != "$(readlink "/proc/${3:-self}/ns/$2")" ]; }

# engine_pins: what containerd makes before a pod of hostUsers: false, a user namespace and a network that it owns.
engine_pins() {
  local owner
  hold unshare --user sleep 600
  owner=$LAST
  wait_for 5 in_another "$owner" user
  echo '0 400000 65536' >"/proc/$owner/uid_map"
  echo '0 400000 65536' >"/proc/$owner/gid_map"
  pin "$owner" user
  hold nsenter --target "$owner" --user --setuid 0 --setgid 0 unshare --net sleep 600
  wait_for 5 in_another "$LAST" net
  pin "$LAST" net
}

# jq programs: containers of pod "pod", as containerd's CRI plugin marks them.
SANDBOX='.annotations = {"io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-id": "pod"} | del(.linux.sysctl, .hostname)'
CONTAINER='.annotations = {"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": "pod", "io.kubernetes.cri.container-name": "app"}
  | del(.linux.sysctl, .hostname)'
# path TYPE PATH: a namespace that is joined
path() { printf '| .linux.namespaces = [.linux.namespaces[] | select(.type != "%s")] + [{type: "%s", path: "%s"}]' "$1" "$1" "$2"; }

# start ID JQ: its pid in PID
start() {
  local b
  b=$T/$1
  rm -rf "$b"
  CMD='echo ran; sleep 600' bundle "$1" "$2" >/dev/null
  [ -z "${OWNER-}" ] || chown -hR "$OWNER:$OWNER" "$b/rootfs"
  cp "$b/config.json" "$T/$1.before"
  oh create --bundle "$b" --pid-file "$T/pid" "$1" <"$T/empty" >"$T/$1.out" 2>&1 || { cat "$T/$1.out"; return 1; }
  PID=$(cat "$T/pid")
  oh start "$1"
  wait_for 10 grep -q ran "$T/$1.out"
  [ "$(tail -n 1 "$T/events.json" | jq -r '[."event.action", ."event.outcome", .oci_harden.proof.broken, .oci_harden.proof.unread] | join(" ")')" = 'container-start success 0 0' ]
}

# as_the_engine_made_it ID: mapped by the engine, and nothing of ours about it.
as_the_engine_made_it() {
  local what
  grep -Eq '^Uid:.400000.400000.400000.400000$' "/proc/$PID/status"
  grep -Eq '^ +0 +400000 +65536$' "/proc/$PID/uid_map"
  [ "$(readlink "/proc/$PID/ns/user")" = "user:[$(stat -L -c %i "$T/user")]" ]
  for what in .root.path .linux.uidMappings .linux.gidMappings '[.linux.namespaces[] | select(.path)] | sort' '[.mounts[] | select(.uidMappings) | del(.options)]'; do
    diff <(jq "$what" "$T/$1.before") <(jq "$what" "$T/$1/config.json")
  done
  [ "$(jq '.map.base // 0' "$T"/state/*/"$1"/state.json)" -eq 0 ]
  ! grep -q '"OH-UNS-\|OH-USR-00[123]' "$T/events.json" || false
  [ "$(oh exec "$1" /bin/id -u)" = 0 ]
}

@test "a pod of hostUsers: false keeps the engine's user namespace, maps and ID-mapped mounts, and is proved" {
  local runtime OWNER=400000
  engine_pins
  mkdir "$T/volume"
  echo theirs >"$T/volume/theirs"
  chown 1000:1000 "$T/volume/theirs"
  for runtime in runc crun; do
    oh_config "$runtime"
    for POLICY in restricted strict; do
      : >"$T/events.json"
      start pod "$SANDBOX $(path user "$T/user") $(path network "$T/net") | .linux.uidMappings = $MAP | .linux.gidMappings = $MAP"
      as_the_engine_made_it pod
      start app "$CONTAINER $(path user "/proc/$PID/ns/user") $(path network "/proc/$PID/ns/net") $(path ipc "/proc/$PID/ns/ipc") $(path uts "/proc/$PID/ns/uts")
        | .linux.uidMappings = $MAP | .linux.gidMappings = $MAP
        | .mounts += [{destination: \"/volume\", type: \"bind\", source: \"$T/volume\", options: [\"rbind\", \"rprivate\", \"rw\"], uidMappings: $MAP, gidMappings: $MAP}]"
      as_the_engine_made_it app
      # runc 1.1 passes over the mappings of a mount.
      run oh exec app /bin/stat -c %u:%g /volume/theirs
      echo "$runtime $POLICY: $output"
      case $runtime in
      runc) [ "$output" = 65534:65534 ] ;;
      crun) [ "$output" = 1000:1000 ] && grep -q ' /volume .*idmapped' "/proc/$PID/mountinfo" ;;
      esac
      oh delete --force app
      oh delete --force pod
    done
  done
  [ ! -e "$T/maps" ] || [ -z "$(find "$T/maps" -mindepth 2)" ]
}

@test "containers join the user namespace of their pod's sandbox, the engine's network and each other's names" {
  local runtime base sandbox
  hold unshare --net sleep 600
  wait_for 5 in_another "$LAST" net
  pin "$LAST" net
  for runtime in runc crun; do
    oh_config "$runtime"
    for POLICY in restricted strict; do
      start pod "$SANDBOX $(path network "$T/net")"
      sandbox=$PID
      base=$(jq .map.base "$T"/state/*/pod/state.json)
      [ "$base" -ge 1879048192 ]
      for id in app other; do
        start "$id" "$CONTAINER $(path network "/proc/$sandbox/ns/net") $(path ipc "/proc/$sandbox/ns/ipc") $(path uts "/proc/$sandbox/ns/uts")"
        for ns in user net ipc uts; do
          in_another "$PID" "$ns" "$sandbox" && return 1
          in_another "$PID" "$ns"
        done
        for ns in mnt pid cgroup; do in_another "$PID" "$ns" "$sandbox"; done
        grep -Eq "^Uid:.$base.$base.$base.$base$" "/proc/$PID/status"
        [ "$(jq .map.base "$T"/state/*/"$id"/state.json)" -eq "$base" ]
        run oh exec "$id" /bin/sh -c 'id -u; cat /proc/self/uid_map; ls /sys/class/net'
        echo "$runtime $POLICY: $output"
        [ "${lines[0]}" = 0 ]
        [[ "${lines[1]}" == *" $base "* ]]
        [ "${lines[2]}" = lo ]
        nsenter --target "$PID" --user --setuid 0 --setgid 0 --preserve-credentials true
      done
      for id in app other pod; do oh delete --force "$id"; done
    done
  done
}

@test "a container whose annotation names a sandbox that is not there has a user namespace of its own" {
  local runtime
  for runtime in runc crun; do
    oh_config "$runtime"
    POLICY=restricted start app "$CONTAINER"
    [ "$(jq .map.base "$T"/state/*/app/state.json)" -ge 1879048192 ]
    in_another "$PID" user
    oh delete --force app
  done
}
