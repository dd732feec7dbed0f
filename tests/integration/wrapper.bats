#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The wrapper itself: what reaches the runtime, what is refused and how it is said, and that nothing is ever half done.
load helper

setup() { oh_setup; }
teardown() {
  mountpoint -q "$T/small" 2>/dev/null && umount "$T/small"
  oh_teardown
}

ECHO=$BUILD/helpers/argv-echo

echo_config() { # echo_config KIND [JQ]: the runtime is one that only says how it was called
  oh_config runc "${2:-.}"
  jq --arg p "$ECHO" --arg k "$1" '.runtimes = [{path: $p, type: $k}]' "$T/config.json" >"$T/c.tmp"
  cat "$T/c.tmp" >"$T/config.json"
  rm "$T/c.tmp"
}

# The words of argv alone; the test runner leaves descriptors of its own open.
argv() { grep '^<' <<<"$output"; }

refused() { # refused RULE TEXT ARGS...: exit 1 (255 for exec), our message on stderr and in the log, nothing else
  local rule=$1 text=$2 code=0 wanted=1 out err
  shift 2
  case " $* " in *' exec '*) wanted=255 ;; esac
  rm -f "$T/log.json"
  "$OH" --config "$T/config.json" ${POLICY:+--policy "$POLICY"} --root "$T/root" --log "$T/log.json" --log-format json "$@" \
    >"$T/out" 2>"$T/err" </dev/null || code=$?
  out=$(cat "$T/out") err=$(cat "$T/err")
  echo "$*: $code $err"
  [ "$code" -eq "$wanted" ] && [ -z "$out" ] || return 1
  [[ "$err" == "oci-harden: "*"$text"*"($rule)" ]] || return 1
  [ "$(wc -l <"$T/log.json")" -eq 1 ] || return 1
  [ "$(jq -r .msg "$T/log.json")" = "$err" ] && [ "$(jq -r .level "$T/log.json")" = error ] || return 1
  date -d "$(jq -r .time "$T/log.json")" >/dev/null || return 1
  [ "$(tail -n 1 "$T/events.json" | jq -r '."event.outcome" + " " + ."rule.id"[0]')" = "failure $rule" ]
}

# A policy under which the same bundle gives the same bytes: nothing in them is the container's own.
plain() { jq -n '{extends: "restricted", "user-namespace": {mode: "off"}}' >"$T/policies/plain.json"; }

@test "other verbs reach the runtime byte for byte, with nothing of ours" {
  echo_config runc
  run "$OH" --config "$T/config.json" --root /r -root=/q --odd=x state $'a b\n\xff' '' -- -x
  echo "$output"
  [ "$status" -eq 42 ]
  [ "$(argv)" = "$(printf '%s\n' "<$ECHO>" '<--root>' '</r>' '<-root=/q>' '<--odd=x>' '<state>' '<a b\x0a\xff>' '<>' '<-->' '<-x>')" ]
  for args in '' --version --help -v features 'kill x 9' 'checkpoint --help' 'create --help' 'restore --lsm-mount-context' \
    'list --format json' 'delete --force x' 'frobnicate -b=X'; do
    # shellcheck disable=SC2086
    run "$OH" --config "$T/config.json" $args
    # shellcheck disable=SC2086
    [ "$(argv)" = "$(printf '<%s>\n' "$ECHO" $args)" ]
  done
  [ ! -e "$T/events.json" ]
  [ -z "$(ls -A "$T/state")" ]
}

@test "a mediated verb reaches the runtime in the one form" {
  echo_config runc
  run "$OH" --config "$T/config.json" --policy privileged --root "$T/root" --systemd-cgroup start -- c1
  [ "$(argv)" = "$(printf '<%s>\n' "$ECHO" "--root=$T/root" --systemd-cgroup start c1)" ]
  b=$(bundle one)
  run oh create -b "$b" --pid-file "$T/pid" --console-socket "$T/s" c1
  echo "$output"
  [ "$(argv)" = "$(printf '<%s>\n' "$ECHO" "--root=$T/root" create "--bundle=$b" "--pid-file=$T/pid" "--console-socket=$T/s" c1)" ]
}

@test "every form that runc and crun read differently is refused, and said" {
  b=$(bundle one)
  cp "$b/config.json" "$T/before"
  refused OH-CMD-002 'write --bundle' create -bundle "$b" c1
  refused OH-CMD-004 'write --bundle' create "-b=$b" c1
  refused OH-CMD-002 '' create "-b$b" c1
  refused OH-CMD-001 '' create --bund "$b" c1
  refused OH-CMD-006 'before the id' create c1 --bundle "$b"
  refused OH-CMD-005 '' create --bundle "$b" -b "$b" c1
  refused OH-CMD-003 '' run --detach=false --bundle "$b" c1
  refused OH-CMD-003 '' exec --no-new-privs=false c1 sh
  refused OH-CMD-007 '' start c1 c2
  refused OH-CMD-008 '' create --bundle "$b" ../c1
  refused OH-CMD-010 crun create --bundle "$b" --config f c1
  refused OH-CMD-019 '' exec --user root c1 sh
  refused OH-CMD-021 '' update --memory many c1
  cmp "$b/config.json" "$T/before"
  [ ! -e "$b/config.engine.json" ]
}

# The names of one directory that is two: X/link leads to REAL/sub.
two_roots() {
  mkdir -p "$T/real/sub" "$T/real/root" "$T/x/root" "$T/here/plain"
  ln -s "$T/real/sub" "$T/x/link"
}

@test "a --root that a runtime finds elsewhere than the kernel is refused, and its container stays as it is" {
  two_roots
  b=$(CMD='echo RAN; sleep 60' bundle one)
  started() { # started DIR: a container of the bare runtime's in DIR, where that finds it by the name
    "$RUNTIME_PATH" --root "$1" create --bundle "$b" c1 </dev/null >"$T/ran" 2>&1
    for verb in 'start c1' 'exec c1 true' 'update --pids-limit 9 c1' 'mounts add c1 f' "run --bundle $b c2"; do
      # shellcheck disable=SC2086
      refused OH-CMD-023 'write an absolute path' --root "$T/x/link/../root" $verb
    done
    [ ! -s "$T/ran" ]
    [ -z "$(find "$T/state" -name state.json)" ]
    "$RUNTIME_PATH" --root "$1" delete --force c1
  }
  for runtime in runc crun; do
    oh_config "$runtime"
    started "$T/x/root"
    started "$T/real/root"
    refused OH-CMD-023 'current directory' --root '' start c1
    refused OH-CMD-023 'current directory' --root= create --bundle "$b" c1
    cd "$T/x/link"
    refused OH-CMD-023 'as text' --root ../root start c1 # the shell says X/link, the kernel REAL/sub
    cd "$T"
  done
  refused OH-CMD-023 'from the bundle' --root here create --bundle "$b" c1
  oh_config runc
  # One directory by either reading is no matter.
  cd "$T/here"
  for root in plain ../here/plain "$T/here/../here/plain"; do
    "$OH" --config "$T/config.json" --root "$root" create --bundle "$b" c1 </dev/null >/dev/null 2>&1
    [ -n "$(find "$T/state" -path '*/c1/state.json')" ]
    "$OH" --config "$T/config.json" --root "$root" delete --force c1
    [ -z "$(find "$T/state" -name state.json)" ]
  done
}

@test "delete by a --root that cannot be told passes, and no other container's state goes with it" {
  two_roots
  b=$(CMD='sleep 60' bundle one)
  "$OH" --config "$T/config.json" --root "$T/real/root" create --bundle "$b" c1 </dev/null >/dev/null 2>&1
  kept=$(find "$T/state" -name state.json)
  [ -n "$kept" ]
  run runc --root "$T/x/link/../root" delete --force c1
  expected=$status
  run "$OH" --config "$T/config.json" --root "$T/x/link/../root" delete --force c1
  [ "$status" -eq "$expected" ]
  [ -e "$kept" ]
  runc --root "$T/real/root" state c1
  "$OH" --config "$T/config.json" --root "$T/real/root" delete --force c1
  [ ! -e "$kept" ]
}

@test "the bundle, its config and a process file are those that the runtime reads, behind links too" {
  two_roots
  b=$(CMD='echo RAN' bundle one)
  for runtime in runc crun; do
    oh_config "$runtime"
    rm -rf "$T/real/bundle" "$T/x/bundle"
    cp -a "$b" "$T/real/bundle"
    cp -a "$b" "$T/x/bundle"
    POLICY=restricted run oh run --bundle "$T/x/link/../bundle" c1
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *RAN* ]]
    [ -e "$T/real/bundle/config.engine.json" ]
    cmp "$T/x/bundle/config.json" "$b/config.json"
  done
}

@test "what a policy forbids of the command line is refused, and nothing is changed" {
  POLICY=restricted
  b=$(bundle one)
  cp "$b/config.json" "$T/before"
  refused OH-CMD-011 preserveFds create --preserve-fds 1 --bundle "$b" c1
  POLICY=baseline refused OH-CMD-012 noPivot create --no-pivot --bundle "$b" c1
  refused OH-CMD-012 noPivot create --no-pivot --bundle "$b" c1
  refused OH-CMD-013 keyring create --no-new-keyring --bundle "$b" c1
  refused OH-CMD-017 restore restore --bundle "$b" --image-path "$T" c1
  refused OH-CMD-014 '--cgroup' exec --cgroup ../.. c1 sh
  oh_config crun
  refused OH-CMD-014 '--cgroup' exec --cgroup ../..:x c1 sh
  refused OH-CMD-015 cgroup --cgroup-manager disabled create --bundle "$b" c1
  refused OH-CMD-010 rootless --rootless true create --bundle "$b" c1
  refused OH-CMD-016 mounts mounts add c1 file
  cmp "$b/config.json" "$T/before"
  [ ! -e "$b/config.engine.json" ]
  [ -z "$(find "$T/state" -name state.json)" ]
}

@test "what the document forbids is refused with its place" {
  POLICY=restricted
  b=$(bundle one '.process.cwd = "/proc/self/fd/7"')
  refused "$(oh create --bundle "$b" c1 2>&1 | sed 's/.*(\(.*\))$/\1/')" '/process/cwd' create --bundle "$b" c1
  b=$(bundle two)
  sed -i '1s/{/{"Linux":null,/' "$b/config.json"
  run oh create --bundle "$b" c1
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *'config.json:'*'"Linux" (line 1, column 2)'* ]]
  : >"$b/config.json"
  run oh create --bundle "$b" c1
  [ "$status" -eq 1 ]
}

@test "text logs are text, and no log is no log" {
  b=$(bundle one)
  run oh --log "$T/log" create -bundle "$b" c1
  [ "$status" -eq 1 ]
  grep -qE '^time="[0-9T:Z-]+" level=error msg="oci-harden: ' "$T/log"
  [ "$(wc -l <"$T/log")" -eq 1 ]
  echo first >"$T/log"
  run oh --log "$T/log" create -bundle "$b" c1
  [ "$(head -n 1 "$T/log")" = first ]
  [ "$(wc -l <"$T/log")" -eq 2 ]
}

@test "a relative log is the file that the runtime writes" {
  mkdir "$T/here"
  for runtime in runc crun; do
    oh_config "$runtime"
    b=$(bundle "$runtime" '.hooks.prestart = [{path: "/bin/true"}]')
    cd "$T/here"
    run oh --log log --log-format json create --bundle "$b" c1
    [ "$status" -eq 1 ]
    bare --log bare-log --log-format json create --bundle "$b" --console-socket /none c1 </dev/null || true
    cd "$T"
    [ -s "$(find "$T/here" "$b" -maxdepth 1 -name bare-log -printf '%h/log')" ]
    [ "$(find "$T/here" "$b" -maxdepth 1 -name log | wc -l)" -eq 1 ]
    rm -f "$T"/here/*
  done
}

@test "the policy comes from the name, the option, a rule or the default, and an annotation only adds" {
  b=$(bundle one)
  ln -s "$OH" "$T/oci-harden-strict"
  event() { tail -n 1 "$T/events.json" | jq -c .oci_harden.policy; }
  echo_config runc
  "$OH" --config "$T/config.json" --root "$T/root" create --bundle "$b" c1 || true
  [ "$(event)" = '["restricted"]' ]
  # strict wants a user that is not root: refused or not, the event names it
  "$T/oci-harden-strict" --config "$T/config.json" --root "$T/root" create --bundle "$b" c2 || true
  [ "$(event)" = '["strict"]' ]
  "$T/oci-harden-strict" --config "$T/config.json" --policy baseline --root "$T/root" create --bundle "$b" c3 || true
  [ "$(event)" = '["baseline"]' ]
  echo_config runc '.rules = [{root: "*/root", policy: "privileged"}]'
  b=$(bundle two '.annotations["oci-harden.policy"] = "baseline"')
  "$OH" --config "$T/config.json" --root "$T/root" create --bundle "$b" c4 || true
  [ "$(event)" = '["privileged","baseline"]' ]
  b=$(bundle three '.annotations["oci-harden.policy"] = "no-such"')
  run "$OH" --config "$T/config.json" --root "$T/root" create --bundle "$b" c5
  [ "$status" -eq 1 ]
  [[ "$output" == *no-such* ]]
}

@test "exec gets a private hardened file, by any way in, and the engine's stays" {
  echo_config runc
  POLICY=restricted
  jq '{args: ["id"], cwd: "/", user: {uid: 0, gid: 0}, noNewPrivileges: false,
    capabilities: {bounding: ["CAP_SYS_ADMIN"]}}' -n >"$T/p.json"
  cp "$T/p.json" "$T/p.before"
  check() {
    echo "$output"
    [ "$status" -eq 42 ]
    local file
    file=$(sed -n 's/^<--process=\(.*\)>$/\1/p' <<<"$output")
    [[ "$file" == "$T/state/"*/c1/exec-*.json ]]
    sed -n 's/^process //p' <<<"$output" | jq -e '.noNewPrivileges and ((.capabilities.bounding // []) == [])'
  }
  run oh exec --process "$T/p.json" --detach --tty c1 ignored
  check
  [[ "$output" == *'<--detach>'*'<--tty>'* ]]
  [[ "$output" != *ignored* ]]
  run oh exec -p <(cat "$T/p.json") c1
  check
  run oh exec --cap CAP_SYS_ADMIN --user 0:0 --env A=b c1 sh -c id
  check
  [[ "$output" != *'<--cap'* ]]
  [[ "$output" != *'<sh>'* ]]
  sed -n 's/^process //p' <<<"$output" | jq -e '.args == ["sh", "-c", "id"] and .env == ["A=b"]'
  cmp "$T/p.json" "$T/p.before"
  # Those whose process is gone are removed by the next call.
  [ "$(find "$T/state" -name 'exec-*' | wc -l)" -eq 1 ]
  oh delete --force c1 || true
  [ -z "$(find "$T/state" -name c1)" ]
}

@test "update is judged in every form" {
  echo_config runc
  POLICY=limited
  jq -n '{name: "limited", extends: "restricted", resources: {action: "harden", pidsMax: 100}}' >"$T/policies/limited.json"
  limit() { jq -c .pids "$(sed -n 's/^<--resources=\(.*\)>$/\1/p' <<<"$output")"; }
  run oh update --pids-limit 5000 --memory 64m c1
  echo "$output"
  [ "$(limit)" = '{"limit":100}' ]
  [ "$(jq .memory.limit "$(sed -n 's/^<--resources=\(.*\)>$/\1/p' <<<"$output")")" = 67108864 ]
  [[ "$output" != *pids-limit* ]]
  run oh update --resources - c1 <<<'{"pids": {"limit": 5000}}'
  [ "$(limit)" = '{"limit":100}' ]
  echo '{"pids": {"limit": 50}}' >"$T/r.json"
  run oh update -r "$T/r.json" c1
  [ "$(limit)" = '{"limit":50}' ]
}

@test "only descriptors that were asked for reach the runtime on a start" {
  echo_config runc
  POLICY=baseline
  b=$(bundle one)
  fds() { sed -n 's/^fd //p' <<<"$output" | sort -n | xargs; }
  run oh state c1 3</dev/null 7</dev/null
  [[ " $(fds) " == *" 3 "*7* ]]
  run oh create --bundle "$b" c1 3</dev/null 7</dev/null
  [[ " $(fds) " != *" 3 "* ]]
  [[ " $(fds) " != *" 7 "* ]]
  run oh create --bundle "$b" --preserve-fds 1 c1 3</dev/null 7</dev/null
  [[ " $(fds) " == *" 3 "* ]]
  [[ " $(fds) " != *" 7 "* ]]
  run oh create --bundle "$b" --pid-file /dev/fd/7 c1 3</dev/null 7</dev/null
  [[ " $(fds) " != *" 3 "* ]]
  [[ " $(fds) " == *" 7 "* ]]
  # Socket activation: LISTEN_PID must be the process that becomes the runtime.
  run bash -c 'exec 3</dev/null 7</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"' - \
    "$OH" --config "$T/config.json" --policy baseline --root "$T/root" create --bundle "$b" c1
  [[ " $(fds) " == *" 3 "* ]]
  [[ " $(fds) " != *" 7 "* ]]
  # A host directory may not come in by that door where --preserve-fds is closed.
  run bash -c 'exec 3</etc; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"' - \
    "$OH" --config "$T/config.json" --policy restricted --root "$T/root" create --bundle "$b" c1
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *OH-CMD-022* ]]
  run env LISTEN_FDS=1 LISTEN_PID=1 "$OH" --config "$T/config.json" --policy baseline --root "$T/root" create --bundle "$b" c1 3</dev/null
  [[ " $(fds) " != *" 3 "* ]]
}

@test "a LISTEN_FDS that is for another process hands the container nothing" {
  : >"$T/empty" # not /dev/null, which crun would hand to the container's user
  for runtime in runc crun; do
    oh_config "$runtime"
    b=$(CMD='echo ran; env; sleep 60' bundle "$runtime")
    for pid in '' 1; do
      LISTEN_FDS=3 LISTEN_PID=$pid oh create --bundle "$b" --pid-file "$T/pid" c1 <"$T/empty" >"$T/out" 2>&1 3</etc
      ! find "/proc/$(cat "$T/pid")/fd" -lname /etc | grep . || false
      oh start c1
      wait_for 5 grep -q ran "$T/out"
      ! grep LISTEN "$T/out" || false
      oh delete --force c1
    done
  done
}

@test "a NOTIFY_SOCKET, by which runtimes mount what no config names, is refused before there is a container" {
  : >"$T/empty" # not /dev/null, which crun would hand to the container's user
  for runtime in runc crun; do
    oh_config "$runtime"
    b=$(CMD='echo ran; sleep 60' bundle "$runtime")
    cp "$b/config.json" "$T/before"
    for verb in create run; do
      NOTIFY_SOCKET=$T/notify POLICY=baseline refused OH-CMD-024 '--sdnotify=conmon' $verb --bundle "$b" c1
    done
    cmp "$b/config.json" "$T/before"
    oh create --bundle "$b" c1 <"$T/empty" >"$T/out" 2>&1
    oh start c1
    wait_for 5 grep -q ran "$T/out"
    oh delete --force c1
    # An auditing policy records it; that nobody listens there is the runtime's to tell.
    NOTIFY_SOCKET=$T/notify POLICY=privileged oh create --bundle "$b" c1 <"$T/empty" >"$T/out" 2>&1 || true
    [ "$(tail -n 1 "$T/events.json" | jq '."rule.id" | index("OH-CMD-024")')" != null ]
    oh delete --force c1
  done
}

@test "the same bundle twice: the same bytes, and the engine's text is kept" {
  echo_config runc
  plain
  POLICY=plain
  b=$(bundle one)
  chmod 640 "$b/config.json"
  cp "$b/config.json" "$T/before"
  oh create --bundle "$b" c1 || true
  cmp "$b/config.engine.json" "$T/before"
  [ "$(stat -c %a "$b/config.json" "$b/config.engine.json" | xargs)" = '640 600' ]
  cp "$b/config.json" "$T/once"
  oh create --bundle "$b" c2 || true
  cmp "$b/config.json" "$T/once"
  cmp "$b/config.engine.json" "$T/before"
  # A policy on top changes it again, and the original is still the engine's.
  jq -n '{name: "more", extends: "plain", resources: {pidsMax: 7}}' >"$T/policies/more.json"
  POLICY="more" oh create --bundle "$b" c3 || true
  [ "$(jq .linux.resources.pids.limit "$b/config.json")" = 7 ]
  cmp "$b/config.engine.json" "$T/before"
  [ -z "$(find "$b" -maxdepth 1 -name '.*oci-harden*')" ]
}

@test "a state that cannot be trusted or read stops exec" {
  POLICY=
  b=$(CMD='sleep 600' bundle one)
  oh create --bundle "$b" c1 </dev/null >/dev/null 2>&1
  oh start c1
  file=$(find "$T/state" -name state.json)
  oh exec c1 true
  echo '{}' >"$file"
  refused OH-STA-002 'delete the container' exec c1 true
  chmod 777 "$(dirname "$file")"
  refused OH-STA-001 '' exec c1 true
}

@test "exec uses the policy that the container was made with, whatever the node says now" {
  b=$(CMD='sleep 600' bundle one)
  POLICY=restricted oh create --bundle "$b" c1 </dev/null >/dev/null 2>&1
  oh start c1
  oh_config runc '.defaultPolicy = "privileged"'
  run oh exec --cap CAP_SYS_ADMIN c1 /bin/cat /proc/self/status
  [[ "$output" == *'CapBnd:'*0000000000000400* ]]
  POLICY=privileged run oh exec --cap CAP_SYS_ADMIN c1 /bin/cat /proc/self/status
  [[ "$output" == *'CapBnd:'*0000000000000400* ]]
}

@test "nothing is half done on a read-only or full file system" {
  POLICY=restricted
  mkdir "$T/small"
  mount -t tmpfs -o size=48k tmpfs "$T/small"
  b=$(bundle one)
  mkdir "$T/small/b"
  jq --arg r "$b/rootfs" '.root.path = $r' "$b/config.json" >"$T/small/b/config.json"
  cp "$T/small/b/config.json" "$T/before"
  intact() {
    cmp "$T/small/b/config.json" "$T/before"
    [ -z "$(find "$T/state" -name state.json)" ]
  }
  dd if=/dev/zero of="$T/small/fill" bs=1k 2>/dev/null || true
  run oh create --bundle "$T/small/b" c1
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *'No space left'* ]]
  intact
  [ "$(find "$T/small/b" -type f | wc -l)" -eq 1 ]
  rm "$T/small/fill"
  mount -o remount,ro "$T/small"
  run oh create --bundle "$T/small/b" c1
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *'Read-only file system'* ]]
  intact
  # What needs no change needs no writing.
  POLICY=privileged run oh run --bundle "$T/small/b" c1
  [ "$status" -eq 0 ]
}

@test "an event that cannot be written stops strict and does not stop the others" {
  b=$(CMD='true' bundle one '.process.user = {uid: 1000, gid: 1000}')
  cp "$b/config.json" "$T/before"
  oh_config runc '.events = "/proc/no/events.json"'
  POLICY=restricted run oh run --bundle "$b" c1
  [ "$status" -eq 0 ]
  cp "$T/before" "$b/config.json"
  POLICY=strict run oh run --bundle "$b" c2
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *OH-EVT-001* ]]
  cmp "$b/config.json" "$T/before"
  run oh delete c2
  [ -z "$(find "$T/state" -name c2)" ]
  # Four were lost: c1's run and start, c2's run and its refusal; doctor tells.
  run "$CTL" --config "$T/config.json" doctor --quiet
  echo "$output"
  [[ "$output" == *"4 could not be written"*"/proc/no"* ]]
  [[ "$output" == *"remedy: "*"$T/state/.events-lost"* ]]
}

@test "killed at any point, the bundle is the engine's or ours, never a piece" {
  echo_config runc
  plain
  POLICY=plain
  b=$(bundle one)
  cp "$b/config.json" "$T/before"
  oh create --bundle "$b" c0 >/dev/null || true
  cp "$b/config.json" "$T/after"
  local i seen_before=0 seen_after=0
  for i in $(seq 1 60); do
    rm -f "$b/config.engine.json"
    cp "$T/before" "$b/config.json"
    "$OH" --config "$T/config.json" --policy plain --root "$T/root" create --bundle "$b" "c$i" >/dev/null 2>&1 &
    # However slow the machine is: some at once, some after the end.
    if [ "$i" -gt 55 ]; then wait $! || true; elif [ "$i" -gt 5 ]; then sleep "0.00$((i % 10))$((i / 10))"; fi
    kill -KILL $! 2>/dev/null || true
    wait $! 2>/dev/null || true
    if cmp -s "$b/config.json" "$T/before"; then seen_before=$((seen_before + 1)); else
      cmp "$b/config.json" "$T/after"
      cmp "$b/config.engine.json" "$T/before"
      seen_after=$((seen_after + 1))
    fi
    if [ -e "$b/config.engine.json" ]; then cmp "$b/config.engine.json" "$T/before"; fi
  done
  echo "before $seen_before, after $seen_after"
  [ "$seen_before" -gt 0 ]
  [ "$seen_after" -gt 0 ]
  # The next wrapper tidies up after the dead ones, and works.
  cp "$T/before" "$b/config.json"
  oh create --bundle "$b" last >/dev/null || true
  cmp "$b/config.json" "$T/after"
  [ -z "$(find "$b" -maxdepth 1 -name '.*oci-harden*')" ]
}

@test "eight wrappers on one bundle" {
  echo_config runc
  POLICY=restricted
  b=$(bundle one)
  cp "$b/config.json" "$T/before"
  local i pids=()
  for i in 1 2 3 4 5 6 7 8; do
    "$OH" --config "$T/config.json" --policy restricted --root "$T/root" create --bundle "$b" "c$i" >"$T/o$i" 2>&1 &
    pids+=($!)
  done
  for i in "${pids[@]}"; do
    code=0
    wait "$i" || code=$?
    [ "$code" -eq 42 ]
  done
  cmp "$b/config.engine.json" "$T/before"
  jq -e .process.noNewPrivileges "$b/config.json"
  # This runtime makes no container, so that a create may collect the states of those that have ended.
  [ "$(find "$T/state" -name state.json | wc -l)" -ge 1 ]
  find "$T/state" -name state.json -exec jq -e .id {} +
  [ "$(wc -l <"$T/events.json")" -eq 8 ]
  jq -e . "$T/events.json" >/dev/null
}

@test "a second container of one name is the runtime's to refuse, and the first keeps its state" {
  b=$(CMD='sleep 600' bundle one)
  other=$(CMD='sleep 600' bundle two)
  POLICY=restricted oh create --bundle "$b" c1 </dev/null >/dev/null 2>&1
  oh start c1
  before=$(sha256sum "$(find "$T/state" -name state.json)")
  POLICY=privileged run oh create --bundle "$other" c1
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *exist* ]]
  [[ "$output" != *oci-harden* ]]
  [ "$(sha256sum "$(find "$T/state" -name state.json)")" = "$before" ]
}

@test "crun's --config FILE is hardened where it is" {
  oh_config crun
  POLICY=restricted
  b=$(CMD='cat /proc/self/status' bundle one)
  mv "$b/config.json" "$T/spec.json"
  cp "$T/spec.json" "$T/before"
  run oh run --bundle "$b" --config "$T/spec.json" c1
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *'NoNewPrivs:'*1* ]]
  cmp "$T/spec.engine.json" "$T/before"
}

@test "what a foreground run left is collected by the next" {
  POLICY=privileged # with anything in force its hook collects at once: hook.bats
  b=$(CMD=true bundle one)
  for runtime in runc crun; do
    oh_config "$runtime"
    oh run --bundle "$b" "$runtime-1"
    [ -n "$(find "$T/state" -name "$runtime-1")" ]
    oh run --bundle "$b" "$runtime-2"
    [ -z "$(find "$T/state" -name "$runtime-1")" ]
  done
}

@test "what crun's delete --regex left is collected by the next create, and by gc" {
  oh_config crun
  CMD='sleep 60' bundle one 'del(.linux.cgroupsPath)' >/dev/null
  left() { find "$T/state" -name state.json | wc -l; }
  for how in create gc; do
    for id in many-1 many-2 other; do oh create --bundle "$T/one" "$id" </dev/null >/dev/null 2>&1; done
    [ "$(left)" -eq 3 ]
    oh delete --force --regex '^many-.*'
    [ -z "$(find "$T/root" -name 'many-*')" ]
    if [ "$how" = create ]; then
      oh create --bundle "$T/one" next </dev/null >/dev/null 2>&1
    else
      "$CTL" --config "$T/config.json" gc
    fi
    [ -z "$(find "$T/state" -name 'many-*')" ]
    [ -n "$(find "$T/state" -name other)" ]
    for id in other next; do oh delete --force "$id" 2>/dev/null || true; done
    [ "$(left)" -eq 0 ]
  done
}

@test "what an exec into a container that is gone left is collected by the next create, and by gc" {
  for runtime in runc crun; do
    for how in create gc; do
      oh_config "$runtime"
      b=$(CMD='sleep 60' bundle one)
      run oh exec gone /bin/true
      [ "$status" -ne 0 ]
      [ -n "$(find "$T/state" -path '*/gone/exec-*.json')" ]
      if [ "$how" = create ]; then
        oh create --bundle "$b" next </dev/null >/dev/null 2>&1
      else
        "$CTL" --config "$T/config.json" gc
      fi
      [ -z "$(find "$T/state" -name gone)" ]
      oh delete --force next 2>/dev/null || true
    done
  done
}

@test "a configuration or runtime that is not to be trusted stops every verb" {
  chmod 666 "$T/config.json"
  run oh state c1
  [ "$status" -eq 1 ]
  [[ "$output" == 'oci-harden: '*config.json* ]]
  oh_config runc
  cp "$(command -v runc)" "$T/runc"
  chmod 777 "$T/runc"
  jq --arg p "$T/runc" '.runtimes = [{path: $p}]' "$T/config.json" >"$T/c" && cat "$T/c" >"$T/config.json"
  run oh state c1
  [ "$status" -eq 1 ]
  [[ "$output" == *OH-RUN-003* ]]
  jq --arg p "$OH" '.runtimes = [{path: $p, type: "runc"}]' "$T/config.json" >"$T/c" && cat "$T/c" >"$T/config.json"
  run oh state c1
  [ "$status" -eq 1 ]
  [[ "$output" == *OH-RUN-004* ]]
  jq '.runtimes = [{path: "/nonexistent/runc"}]' "$T/config.json" >"$T/c" && cat "$T/c" >"$T/config.json"
  run oh state c1
  [ "$status" -eq 1 ]
  [[ "$output" == *OH-RUN-001* ]]
}

@test "without root: as a user, and in a rootless engine's user namespace" {
  oh_config crun
  b=$(CMD='cat /proc/self/status' bundle one 'del(.linux.cgroupsPath, .linux.resources, .linux.sysctl)
    | .mounts |= map(select(.type != "sysfs")) | (.mounts[] | select(.destination == "/dev/pts").options) -= ["gid=5"]')
  jq -n '{name: "rootless", extends: "restricted", resources: {action: "off"}}' >"$T/policies/rootless.json"
  chmod 644 "$T/config.json" "$T/policies/rootless.json"
  cp "$OH" "$T/oci-harden"
  mkdir "$T/home" "$T/home/state" "$T/home/root"
  mv "$b" "$T/home/one"
  b=$T/home/one
  jq --arg s "$T/home/state" --arg e "$T/home/events.json" '.stateDir = $s | .events = $e' "$T/config.json" >"$T/c"
  cat "$T/c" >"$T/config.json"
  cp "$b/config.json" "$T/before"
  chown -R 1000:1000 "$T/home"
  as_user() { setpriv --reuid 1000 --regid 1000 --clear-groups "$@"; }
  hardened() { "$T/oci-harden" --config "$T/config.json" --policy rootless --root "$T/home/root" --cgroup-manager disabled "$@"; }
  export -f hardened
  export T
  # podman's way: the engine has made a user namespace in which it is root, and the host's root is nobody's number
  run as_user unshare --user --map-root-user bash -c 'hardened run --bundle "$T/home/one" c1'
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *'CapBnd:'*0000000000000400*'NoNewPrivs:'*1*'Seccomp:'*2*'Seccomp_filters:'*2* ]]
  # a person's way: no privilege, and a user namespace in the config
  jq '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 1000, size: 1}]
    | .linux.gidMappings = .linux.uidMappings' "$T/before" >"$T/c"
  cat "$T/c" >"$b/config.json"
  run as_user bash -c 'hardened run --bundle "$T/home/one" c2'
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *'CapBnd:'*0000000000000400*'NoNewPrivs:'*1* ]]
  [ "$(stat -c '%u %a' "$T/home/state" "$b/config.engine.json" | xargs)" = "1000 $(stat -c %a "$T/home/state") 1000 600" ]
}
