#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Containers that are given a user namespace, by the runtimes alone.
load helper

setup() {
  oh_setup
  policy prefers '{"mode": "auto"}'
  policy requires '{"mode": "require"}'
  POLICY=requires
}
teardown() {
  oh_unmount
  oh_teardown
}

# policy NAME SECTION [JQ]
policy() {
  jq -n --argjson section "$2" '{extends: "restricted", "user-namespace": $section}' | jq "${3:-.}" >"$T/policies/$1.json"
}

start() { # start RUNTIME ID [JQ]: a sleeping container under the wrapper; its pid in PID
  local b
  oh_config "$1"
  b=$(CMD='sleep 600' bundle "$2" "${3:-.}")
  oh create --bundle "$b" --pid-file "$T/pid" "$2" </dev/null >"$T/create.out" 2>&1 || { cat "$T/create.out"; return 1; }
  oh start "$2"
  PID=$(cat "$T/pid")
  wait_for 10 grep -q sleep "/proc/$PID/cmdline"
}

base() { jq .map.base "$T"/state/*/"$1"/state.json; }

@test "root of the container is nobody on the host, by create, run and exec" {
  for runtime in runc crun; do
    start "$runtime" "c-$runtime"
    b=$(base "c-$runtime")
    [ $((b % 65536)) -eq 0 ]
    [ "$b" -ge 1879048192 ]
    grep -Eq "^Uid:.$b.$b.$b.$b$" "/proc/$PID/status"
    grep -Eq "^ +0 +$b +65536$" "/proc/$PID/uid_map"
    grep -Eq "^ +0 +$b +65536$" "/proc/$PID/gid_map"
    oh exec "c-$runtime" /bin/id >"$T/id"
    grep -q '^uid=0(root) gid=0(root)' "$T/id"
    oh delete --force "c-$runtime"
    # By run.
    dir=$(CMD='id; cat /proc/self/uid_map' bundle "r-$runtime")
    oh run --bundle "$dir" "r-$runtime" >"$T/out" </dev/null
    cat "$T/out"
    grep -q '^uid=0(root) gid=0(root)' "$T/out"
    grep -Eq '^ +0 +18[0-9]{8} +65536$' "$T/out"
  done
}

@test "the runtime starts its container as it does without us, by no copy of its program" {
  b=$(bundle bare)
  bare create --bundle "$b" --pid-file "$T/pid" bare </dev/null
  wanted=$(readlink "/proc/$(cat "$T/pid")/exe")
  bare delete --force bare
  b=$(bundle ours)
  oh create --bundle "$b" --pid-file "$T/pid" ours </dev/null
  readlink "/proc/$(cat "$T/pid")/exe" | tee "$T/exe"
  [ "$(cat "$T/exe")" = "$wanted" ]
}

@test "what the container makes belongs to root on disk, and a volume's files keep their owners" {
  for runtime in runc crun; do
    mkdir -p "$T/volume-$runtime"
    echo theirs >"$T/volume-$runtime/theirs"
    chown 1000:1000 "$T/volume-$runtime/theirs"
    start "$runtime" "v-$runtime" ".root.readonly = false | .mounts += [{destination: \"/volume\", type: \"bind\",
      source: \"$T/volume-$runtime\", options: [\"rbind\", \"rw\"]}]"
    [ "$(oh exec "v-$runtime" /bin/stat -c %u:%g /volume/theirs)" = 1000:1000 ]
    oh exec "v-$runtime" /bin/sh -c 'echo ours > /volume/ours'
    [ "$(stat -c %u:%g "$T/volume-$runtime/ours")" = 0:0 ]
    [ "$(stat -c %u:%g "$T/volume-$runtime/theirs")" = 1000:1000 ]
    grep -q ' /volume .*idmapped' "/proc/$PID/mountinfo"
    grep -q ' /volume .*nosuid,nodev' "/proc/$PID/mountinfo"
    oh delete --force "v-$runtime"
  done
}

@test "without a block that is free, auto runs and records why, require refuses" {
  cp /etc/subuid "$T/subuid"
  echo 'somebody:1879048192:65536' >>/etc/subuid
  for runtime in runc crun; do
    oh_config "$runtime" '.idRange = {start: 1879048192, count: 65536}'
    dir=$(CMD='cat /proc/self/uid_map' bundle "n-$runtime")
    run oh run --bundle "$dir" "n-$runtime" </dev/null
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"there is no user namespace for the container: "*"blocks of user ids"*"OH-UNS-006"* ]]
    POLICY=prefers run oh run --bundle "$dir" "n-$runtime" </dev/null
    echo "$output"
    [[ "$output" == *"4294967295"* ]]
    jq -e '.oci_harden.journal[]? | select(.rule == "OH-UNS-005") | .reason | contains("blocks of user ids")' "$T/events.json"
    # strict, as it is built in, lets root be in no other way, and tells why there is none.
    POLICY=strict run oh run --bundle "$dir" "s-$runtime" </dev/null
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"this is the host's root: "*"blocks of user ids"*"(OH-USR-002)" ]]
    dir=$(CMD='id -u; cat /proc/self/uid_map' bundle "u-$runtime" '.process.user = {uid: 1000, gid: 1000}')
    POLICY=strict run oh run --bundle "$dir" "u-$runtime" </dev/null
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = 1000 ]
    [[ "${lines[1]}" == *" 4294967295" ]]
  done
  cp "$T/subuid" /etc/subuid
}

@test "a source that takes no map and may be written: auto runs without, require names it" {
  mkdir -p "$T/lower" "$T/upper" "$T/work" "$T/merged"
  mount -t overlay -o "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/work" overlay "$T/merged"
  for runtime in runc crun; do
    for access in rw ro; do
      oh_config "$runtime"
      dir=$(CMD='id -u; cat /proc/self/uid_map' bundle "o-$runtime-$access" ".mounts += [{destination: \"/volume\",
        type: \"bind\", source: \"$T/merged\", options: [\"bind\", \"$access\"]}]")
      run oh run --bundle "$dir" "o-$runtime-$access" </dev/null
      echo "$output"
      if [ "$access" = rw ]; then
        [ "$status" -eq 1 ]
        [[ "$output" == *"$T/merged"*"OH-UNS-006"* ]]
        POLICY=prefers run oh run --bundle "$dir" "o-$runtime-$access" </dev/null
        [ "$status" -eq 0 ]
        [[ "$output" == *"4294967295"* ]]
      else
        [ "$status" -eq 0 ]
        [[ "$output" == *" 65536"* ]]
      fi
    done
  done
}

@test "an overlay that is in use, or comes up read-only, is put back: auto runs on it without, require refuses" {
  local b user case layers
  for case in busy readonly; do
    for runtime in runc crun; do
      oh_config "$runtime"
      b=$(CMD='cat /proc/self/uid_map /layer; echo new >/new' bundle "$case-$runtime")
      layers=$T/layers-$case-$runtime
      mkdir -m 700 "$layers"
      mkdir "$layers"/{2,upper,work}
      mv "$b/rootfs" "$layers/1"
      echo second >"$layers/2/layer"
      mkdir "$b/rootfs"
      [ "$case" = busy ] || chown 70000:70000 "$layers/work" # nothing there belongs to an id that is mapped
      mount -t overlay overlay -o "lowerdir=$layers/2:$layers/1,upperdir=$layers/upper,workdir=$layers/work" "$b/rootfs"
      for mode in auto require; do
        jq -n --arg mode "$mode" '{extends: "restricted", rootfs: {action: "off"}, "user-namespace": {mode: $mode, rootfs: "replace"}}' >"$T/policies/replaces.json"
        user=
        if [ "$case" = busy ]; then
          (cd "$b/rootfs" && exec sleep 100) 3>&- &
          user=$!
          wait_for 5 test "/proc/$user/cwd" -ef "$b/rootfs"
        fi
        POLICY=replaces run oh run --bundle "$b" "$case-$runtime" </dev/null
        [ -z "$user" ] || kill "$user"
        echo "$case $runtime $mode: $output"
        jq -rs '.[]."oci_harden".journal[]? | select(.control == "user-namespace") | .reason' "$T/events.json"
        case $mode in
        auto)
          [ "$status" -eq 0 ]
          [[ "${lines[0]}" == *4294967295 ]]
          [ "${lines[1]}" = second ]
          [ "$(cat "$layers/upper/new")" = new ]
          ;;
        require)
          [ "$status" -eq 1 ]
          [[ "$output" == *"OH-UNS-006"* ]]
          ;;
        esac
        [[ "$(cat "$T/events.json")$output" == *"$([ "$case" = busy ] && echo "is in use" || echo "came up read-only")"* ]]
        # The engine's own, as it was.
        [ "$(stat -c %u "$b/rootfs") $(cat "$b/rootfs/layer")" = '0 second' ]
        [ "$(awk -v p="$b/rootfs" '$5 == p' /proc/self/mountinfo | wc -l)" -eq 1 ]
      done
    done
  done
}

@test "a sensitive source that the policy allows stays the host's: nobody inside owns its files, and inspect says so" {
  local b
  mkdir /etc/oh-test
  echo secret >/etc/oh-test/key
  chmod 600 /etc/oh-test/key
  echo public >/etc/oh-test/note
  jq '.mounts = {allowSources: ["/etc/oh-test"]}' "$T/policies/requires.json" >"$T/policies/allows.json"
  POLICY=allows
  for runtime in runc crun; do
    start "$runtime" "t-$runtime" '.mounts += [{destination: "/mine", type: "bind", source: "/etc/oh-test", options: ["bind", "rw"]}]'
    run oh exec "t-$runtime" /bin/sh -c 'stat -c %u /mine/key; cat /mine/note; cat /mine/key; echo x >>/mine/note; touch /mine/new' </dev/null
    echo "$output"
    grep -qx 65534 <<<"$output"
    grep -qx public <<<"$output"
    [ "$(grep -c 'Permission denied' <<<"$output")" -eq 3 ]
    [ "$(cat /etc/oh-test/note)" = public ]
    run "$CTL" --config "$T/config.json" inspect "t-$runtime"
    echo "$output"
    [[ "$output" == *"/mine: not mapped: its files belong to nobody inside"* ]]
    oh delete --force "t-$runtime"
  done
  rm -r /etc/oh-test
}

@test "what is mounted below a volume comes along, or there is no user namespace; a read-only source stays so" {
  mkdir -p "$T/deep/below" "$T/guarded"
  # Not of tmpfs, which takes no map before Linux 6.3.
  mkdir -p "$T/of/below" "$T/of/guarded"
  mount --bind "$T/of/below" "$T/deep/below"
  mount --bind "$T/of/guarded" "$T/guarded"
  mount -o remount,bind,ro,nosuid,nodev,noexec "$T/guarded"
  POLICY=prefers
  for runtime in runc crun; do
    oh_config "$runtime"
    dir=$(CMD='cat /proc/self/uid_map /proc/self/mountinfo' bundle "b-$runtime" ".mounts += [{destination: \"/deep\", type: \"bind\",
      source: \"$T/deep\", options: [\"rbind\"]}, {destination: \"/guarded\", type: \"bind\", source: \"$T/guarded\", options: [\"rbind\"]}]")
    run oh run --bundle "$dir" "b-$runtime" </dev/null
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *" /deep/below "* ]]
    case $runtime in
    runc) [[ "${lines[0]}" == *" 65536" && "$output" == *" /guarded ro,nosuid,nodev,noexec"* ]] ;;
    crun) grep -q 'crun would leave out what is mounted below' "$T/events.json" ;;
    esac
  done
}

@test "a device that the policy allows is a node of the container's own; one that the host names otherwise is refused, or falls back" {
  local fuse='{path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 384, uid: 5, gid: 6}' before b
  for name in prefers requires; do
    jq '.devices = {allow: ["...", "c 10:229 rwm"]}' "$T/policies/$name.json" >"$T/policy"
    cp "$T/policy" "$T/policies/$name.json"
  done
  before=$(stat -c '%a %u:%g' /dev/fuse)
  for runtime in runc crun; do
    local look='ls -ln /dev/fuse; cat /proc/self/uid_map'
    oh_config "$runtime"
    b=$(CMD=$look bundle "d-$runtime" ".linux.devices = [$fuse] | .linux.resources.devices += [{allow: true, type: \"c\", major: 10, minor: 229, access: \"rw\"}]")
    run oh run --bundle "$b" "d-$runtime" </dev/null
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *'crw-------'*' 5 '*' 6 '*'10, 229'*'/dev/fuse'*' 65536' ]]
    # Its owner opens it; the host's root, who it belongs to otherwise, is nobody there.
    b=$(CMD='exec 3<>/dev/fuse && echo opened' bundle "w-$runtime" ".linux.devices = [$fuse | .uid = 0] |
      .linux.resources.devices += [{allow: true, type: \"c\", major: 10, minor: 229, access: \"rw\"}]")
    [ "$(oh run --bundle "$b" "w-$runtime" </dev/null)" = opened ]
    # Through create and start it is what was promised.
    start "$runtime" "s-$runtime" ".linux.devices = [$fuse]"
    oh exec "s-$runtime" /bin/ls -ln /dev/fuse | grep -q '10, 229'
    oh delete --force "s-$runtime"
    [ "$(stat -c '%a %u:%g' /dev/fuse)" = "$before" ]
    [ "$(stat -c '%a %u:%g' /dev/null)" = '666 0:0' ]
    for wrong in '.path = "/dev/renamed"' '.path = "/dev/fd/fuse"' '.uid = 70000'; do
      b=$(CMD='cat /proc/self/uid_map' bundle "n-$runtime" ".linux.devices = [$fuse | $wrong]")
      run oh run --bundle "$b" "n-$runtime" </dev/null
      echo "$output"
      [ "$status" -eq 1 ]
      [[ "$output" == *"there is no user namespace for the container: user namespace: "*"OH-UNS-006"* ]]
      POLICY=prefers run oh run --bundle "$b" "n-$runtime" </dev/null
      echo "$output"
      [ "$status" -eq 0 ]
      [[ "$output" == *4294967295* ]]
      rm -rf "$T/n-$runtime"
    done
  done
  # What the policy does not allow is not made at all.
  jq 'del(.devices)' "$T/policy" >"$T/policies/requires.json"
  b=$(CMD='ls /dev/fuse; cat /proc/self/uid_map' bundle none ".linux.devices = [$fuse]")
  run oh run --bundle "$b" none </dev/null
  [[ "$output" == *"No such file"*" 65536" ]]
}

@test "what every user of the host can come to, and the container's root can write, is a finding" {
  local b events='[.[]."oci_harden".journal[]? | select(.rule == "OH-UNS-009") | "\(.pointer) \(.reason | split(":")[0])"] | join(" ")'
  oh_config runc
  mkdir -p "$T/open" "$T/closed/deep" "$T/read" "$T/guarded"
  chmod 700 "$T/closed"
  mount --bind "$T/guarded" "$T/guarded"
  mount -o remount,bind,nosuid "$T/guarded"
  b=$(CMD=true bundle exposed '.root.readonly = false | .mounts += ["open", "closed/deep", "guarded", "read"] | .mounts |= map(if type == "string" then
    {destination: "/\(split("/")[0])", type: "bind", source: "'"$T"'/\(.)", options: ["rbind", if . == "read" then "ro" else "rw" end]} else . end)')
  jq '.rootfs = {action: "off"}' "$T/policies/requires.json" >"$T/policies/writable.json"
  POLICY=writable oh run --bundle "$b" exposed </dev/null
  [ "$(jq -rs "$events" "$T/events.json")" = "/root/path $T/exposed/rootfs /mounts $T/open" ]
  # Neither a root that nobody may write, nor one in a closed directory.
  : >"$T/events.json"
  b=$(CMD=true bundle readonly)
  oh run --bundle "$b" readonly </dev/null
  chmod 700 "$T/exposed"
  POLICY=writable oh run --bundle "$T/exposed" exposed </dev/null
  [ "$(jq -rs "$events" "$T/events.json")" = "/mounts $T/open" ]
}

@test "sysctls of a joined network are set as both policies have it, and put back where there comes to be no container" {
  local b join read_them='cd /proc/sys/net/ipv4; cat ping_group_range ip_unprivileged_port_start | tr "\t\n" "  "'
  unshare --net sleep 100 3>&- &
  local pod=$!
  in_pod() { nsenter "--net=/proc/$pod/ns/net" sh -c "$1"; }
  wait_for 5 sh -c "[ \"\$(readlink /proc/$pod/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
  join="(.linux.namespaces[] | select(.type == \"network\")).path = \"/proc/$pod/ns/net\" | .linux.sysctl = {\"net/ipv4/ping_group_range\": \"0 2147483647\"}"
  jq '.onLogFailure = "deny"' "$T/policies/requires.json" >"$T/policies/logs.json"
  jq -n '{extends: "restricted", sysctl: {action: "harden", allow: []}}' >"$T/policies/quiet.json"
  for runtime in runc crun; do
    in_pod 'cd /proc/sys/net/ipv4; echo 7 9 >ping_group_range; echo 1000 >ip_unprivileged_port_start'
    # The event is the last that is written before the runtime is called.
    oh_config "$runtime" '.events = ($t + "/root")'
    b=$(CMD='cat /proc/self/uid_map' bundle "p-$runtime" "$join")
    POLICY=logs run oh run --bundle "$b" "p-$runtime" </dev/null
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"$T/root"* ]]
    [ "$(in_pod "$read_them")" = '7 9 1000 ' ]
    oh_config "$runtime"
    run oh run --bundle "$b" "p-$runtime" </dev/null
    echo "$output"
    [ "$status" -eq 0 ]
    read -r _ base _ <<<"$output"
    [ "$(in_pod "$read_them")" = "$base $((base + 65535)) 0 " ]
    # What a second policy does not allow stays as it was.
    in_pod 'cd /proc/sys/net/ipv4; echo 7 9 >ping_group_range; echo 1000 >ip_unprivileged_port_start'
    b=$(CMD='cat /proc/self/uid_map' bundle "q-$runtime" "$join | .annotations[\"oci-harden.policy\"] = \"quiet\"")
    run oh run --bundle "$b" "q-$runtime" </dev/null
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *" 65536" ]]
    [ "$(in_pod "$read_them")" = '7 9 0 ' ]
  done
  kill "$pod"
}

@test "an exec by an id beyond the mapped ones is refused, and pipes can be opened" {
  for runtime in runc crun; do
    start "$runtime" "e-$runtime"
    run oh exec --user 70000 "e-$runtime" /bin/id
    echo "$output"
    [ "$status" -eq 255 ]
    [[ "$output" == *"OH-UNS-007"* ]]
    [ "$(oh exec "e-$runtime" /bin/sh -c 'echo through > /dev/stdout' | cat)" = through ]
    oh delete --force "e-$runtime"
  done
}

@test "a bundle that was rewritten serves the next container of another name" {
  start runc first
  oh delete --force first
  oh run --bundle "$T/first" --detach second </dev/null >/dev/null 2>&1
  jq -e --arg t "$T" '.root.path == $t + "/maps/" + (.root.path | split("/")[-3]) + "/second/rootfs"' "$T/first/config.json"
}

# (The times at which it kills are those of a processor that is not emulated.)
# bats test_tags=not-in-vm
@test "killed at any point, a create leaves no mount, no place, no ids" {
  mount_count=$(wc -l </proc/self/mountinfo)
  # Anywhere in the time that a whole one takes here, and some way beyond.
  oh_config runc
  CMD='exec sleep 600' bundle k-runc >/dev/null
  began=$(date +%s%N)
  oh create --bundle "$T/k-runc" whole </dev/null >/dev/null 2>&1
  span=$((($(date +%s%N) - began) / 1000000))
  oh delete --force whole
  for i in $(seq 1 "${COUNT:-40}"); do
    runtime=$([ $((i % 2)) -eq 0 ] && echo crun || echo runc)
    oh_config "$runtime"
    [ -d "$T/k-$runtime" ] || CMD='exec sleep 600' bundle "k-$runtime" >/dev/null
    "$OH" --config "$T/config.json" --policy requires --root "$T/root" create --bundle "$T/k-$runtime" "k$i" </dev/null >/dev/null 2>&1 &
    pid=$! after=$((RANDOM % (span + 1)))
    sleep "$(printf '%d.%03d' $((after / 1000)) $((after % 1000)))"
    kill -KILL $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
    "$RUNTIME_PATH" --root "$T/root" delete --force "k$i" >/dev/null 2>&1 || true
    oh delete --force "k$i" >/dev/null 2>&1 || true
  done
  # What crun had forked waits for a parent that is gone.
  pgrep -f "create --bundle=$T/k-" | xargs -r kill -KILL
  "$CTL" --config "$T/config.json" gc
  [ "$(wc -l </proc/self/mountinfo)" -eq "$mount_count" ]
  run find "$T/maps" -mindepth 2
  echo "$output"
  [ -z "$output" ]
  # Every block is free: the first one is given again.
  start runc last
  [ "$(base last)" -eq 1879048192 ]
}
