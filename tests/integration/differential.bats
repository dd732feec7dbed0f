#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Under the policy `privileged` the wrapper cannot be told from the runtime: each call is made twice, once bare and
# once through the wrapper, on bundles that differ in their place alone, and exit code, stdout, stderr and log are compared.
load helper

setup() {
  oh_setup
  POLICY=privileged
  mkdir -p "$T/bare" "$T/ours"
  : >"$T/empty" # not /dev/null, which crun would hand to the user of an exec
}
teardown() { oh_teardown; }

# What differs by nature: the side's own directory, pids, times, the padding of tables around them.
normal() {
  # (crun 1.28 escapes "/" in JSON.)
  sed -E -e 's#\\/#/#g' -e "s#$T/(bare-root|root)\b#ROOT#g; s#$T/(bare|ours)\b#SIDE#g; s#$T/#T/#g" \
    -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)/TIME/g; s/"pid": *[0-9]+/"pid": N/g; s/\bpid[ =][0-9]+/pid N/g' \
    -e 's/oh-oh\.[A-Za-z0-9]+-(bare|ours)/CGROUP/g' -e 's/[0-9]{3,}/N/g' -e 's/ +/ /g' "$1"
}

# both LABEL ARGS...: SIDE in an argument stands for the side's directory.
both() {
  local label=$1 side code arg args
  shift
  for side in bare ours; do
    args=()
    for arg; do args+=("${arg//SIDE/$T/$side}"); done
    code=0
    : >"$T/$side.log"
    (
      cd "$T/$side" || exit 99
      if [ "$side" = bare ]; then
        "$RUNTIME_PATH" --root "$T/bare-root" --log "$T/bare.log" --log-format json "${args[@]}"
      else
        "$OH" --config "$T/config.json" --policy privileged --root "$T/root" --log "$T/ours.log" --log-format json "${args[@]}"
      fi
    ) >"$T/$side.out" 2>"$T/$side.err" <"${STDIN:-$T/empty}" || code=$?
    echo "$code" >"$T/$side.code"
  done
  local what
  for what in code out err log; do
    if ! diff <(normal "$T/bare.$what") <(normal "$T/ours.$what"); then
      echo "$RUNTIME: $label: $what differs"
      return 1
    fi
  done
  echo "$RUNTIME: $label: same (exit $(cat "$T/ours.code"))"
}

bundles() {
  CMD=$1 bundle bare/b "${2:-.}" >/dev/null
  CMD=$1 bundle ours/b "${2:-.}" >/dev/null
}

lifecycle() {
  oh_config "$1"
  mkdir -p "$T/bare-root" "$T/root"
  bundles 'echo out; echo err >&2; sleep 600'
  cp "$T/ours/b/config.json" "$T/before.json"
  both 'version' --version
  both 'help' --help
  both 'no arguments'
  both 'unknown verb' frobnicate
  both 'list, empty' list
  both 'features' features
  both 'state of nothing' state none
  both 'start of nothing' start none
  both 'kill of nothing' kill none KILL
  both 'delete of nothing' delete none
  both 'delete --force of nothing' delete --force none
  both 'exec in nothing' exec none /bin/true
  both 'create without a bundle' create --bundle SIDE/none c1
  both 'create' create --bundle SIDE/b --pid-file SIDE/pid c1
  diff <(jq . "$T/before.json") <(jq . "$T/ours/b/config.json")
  both 'create again' create --bundle SIDE/b c1
  both 'state, created' state c1
  both 'start' start c1
  both 'state, running' state c1
  both 'exec' exec c1 /bin/sh -c 'echo hi; cat /proc/self/status | grep Cap; exit 7'
  both 'exec --user --env --cwd' exec --user 1000:1000 --env A=b --cwd /tmp c1 /bin/sh -c 'id; pwd; echo $A'
  jq '.process | .args = ["/bin/sh", "-c", "cat; exit 3"]' "$T/ours/b/config.json" >"$T/process.json"
  echo input >"$T/stdin"
  STDIN=$T/stdin both 'exec --process' exec --process "$T/process.json" c1
  both 'exec of what is not there' exec c1 /bin/nothing
  both 'ps' ps --format json c1
  both 'list' list --format json
  both 'update' update --pids-limit 50 c1
  both 'pause' pause c1
  both 'state, paused' state c1
  both 'resume' resume c1
  if [ "$1" = runc ]; then both 'events --stats' events --stats none; fi
  both 'checkpoint' checkpoint --image-path SIDE/image --work-path SIDE/work c1
  both 'delete of a running one' delete c1
  both 'kill' kill c1 KILL
  wait_for 10 sh -c "[ \"\$($RUNTIME_PATH --root $T/root state c1 | jq -r .status)\" = stopped ]"
  wait_for 10 sh -c "[ \"\$($RUNTIME_PATH --root $T/bare-root state c1 | jq -r .status)\" = stopped ]"
  both 'delete' delete c1
  both 'state, deleted' state c1
  bundles 'echo out; echo err >&2; exit 5'
  both 'run' run --bundle SIDE/b c2
  bundles 'exit 0' '.process.args = ["/bin/nothing"]'
  both 'run of what is not there' run --bundle SIDE/b c3
  (cd "$T/bare" && rm -rf s && mkdir s && cd s && "$RUNTIME_PATH" spec)
  (cd "$T/ours" && rm -rf s && mkdir s && cd s && "$OH" --config "$T/config.json" spec)
  cmp "$T/bare/s/config.json" "$T/ours/s/config.json"
}

@test "under privileged every verb behaves as bare runc does" {
  lifecycle runc
}

@test "under privileged every verb behaves as bare crun does" {
  lifecycle crun
}

@test "under privileged no config of any engine changes in meaning" {
  [ "$(stat -c %a "$OH")" = 755 ]
  local f n=0
  for f in "$ROOT"/tests/fixtures/*/*.json; do
    case $f in *.process.json) continue ;; esac
    "$CTL" --config "$T/config.json" harden --policy privileged "$f" >"$T/out.json" 2>"$T/err" || { cat "$T/err"; echo "$f"; return 1; }
    diff <(jq . "$f") <(jq . "$T/out.json")
    n=$((n + 1))
  done
  echo "$n configs unchanged"
  [ "$n" -ge 80 ]
}
