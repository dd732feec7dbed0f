#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# hardenctl check on manifests, and its SARIF, as a pipeline calls it.
load helper
setup() { oh_setup; }
teardown() { oh_teardown; }

ctl() { "$CTL" --config "$T/config.json" "$@"; }
CASES=$ROOT/tests/manifests

# valid FILE: by the schema that OASIS published, and by what it cannot say: rules and their indices agree, and every region is a place.
valid() {
  /usr/bin/python3 - "$ROOT/tests/data/sarif/sarif-schema-2.1.0.json" "$1" <<'PY'
import json, sys
import jsonschema
schema, log = (json.load(open(path)) for path in sys.argv[1:])
jsonschema.Draft4Validator.check_schema(schema)
jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(log)
run = log['runs'][0]
rules = run['tool']['driver']['rules']
assert len({rule['id'] for rule in rules}) == len(rules)
for result in run['results']:
    if 'ruleIndex' in result:
        assert rules[result['ruleIndex']]['id'] == result['ruleId'], result
    for location in result['locations']:
        region = location['physicalLocation'].get('region')
        assert region is None or (region['startLine'], region['startColumn']) <= (region.get('endLine', 1 << 30), region.get('endColumn', 1 << 30)), region
PY
}

@test "SARIF is valid for manifests, configs, and what cannot be read; and the schema refuses what is none" {
  local bytes code=0
  printf 'kind: Pod\nkind: Pod\n' >"$T/twice.yaml"
  jq '.process.cwd = "relative"' "$ROOT/tests/fixtures/docker/default.json" >"$T/a file.json"
  ctl check --policy restricted --format sarif "$CASES/privileged/input.yaml" "$CASES/compose-host/input.yaml" \
    "$CASES/deployment-list/input.yaml" "$T/twice.yaml" "$T/a file.json" "$ROOT/tests/fixtures/cri/privileged.json" "$T/missing" - \
    <"$CASES/compose-volumes/input.yaml" >"$T/log.sarif" || code=$?
  [ "$code" -eq 2 ]
  valid "$T/log.sarif"
  jq -e '.runs[0] | .invocations[0].executionSuccessful == false and .invocations[0].exitCode == 2
    and (.results | map(.level) | unique) == ["error", "warning"]
    and ([.invocations[0].toolExecutionNotifications[] | select(.level == "error")] | length) == 2
    and any(.results[]; .locations[0].physicalLocation.artifactLocation.uri | endswith("/a%20file.json"))
    and any(.results[]; .locations[0].physicalLocation.artifactLocation.uri == "stdin")' "$T/log.sarif"
  # One of them whole: the rule, what would happen, what to do, where.
  jq -e --arg uri "file://$CASES/privileged/input.yaml" '[.runs[0].results[] | select(.ruleId == "OH-DEV-001"
    and .locations[0].physicalLocation.artifactLocation.uri == $uri)] | length == 1 and (.[0] | .level == "warning"
    and (.message.text | test("^restricted: would be changed: .*; remedy: take privileged"))
    and .locations[0].physicalLocation.region == {startLine: 10, startColumn: 7, endLine: 10, endColumn: 23}
    and (.locations[0].logicalLocations | map(.fullyQualifiedName)) ==
      ["Pod kube-system/node-agent: container agent", "spec.containers[0].securityContext.privileged"])' "$T/log.sarif"
  jq '.runs[0].results[0].level = "fatal"' "$T/log.sarif" >"$T/spoiled.sarif"
  run valid "$T/spoiled.sarif"
  [ "$status" -ne 0 ]
  # Columns count characters, also in JSON, where the text counts bytes.
  jq -c '{ociVersion, hostname: "\u00e9\u00e9\u00e9", process, root, linux, mounts}' "$ROOT/tests/fixtures/docker/default.json" >"$T/letters.json"
  bytes=$({ ctl check --policy restricted "$T/letters.json" || true; } | sed -n 's/.*OH-RFS-001 1:\([0-9]*\) .*/\1/p')
  { ctl check --policy restricted --format sarif "$T/letters.json" || true; } | jq -e --argjson bytes "$bytes" '.runs[0].results[]
    | select(.ruleId == "OH-RFS-001").locations[0].physicalLocation.region == {startLine: 1, startColumn: ($bytes - 3)}'
  # Nothing to say is a log too.
  ctl check --policy restricted --format sarif "$CASES/restricted/input.yaml" >"$T/clean.sarif"
  valid "$T/clean.sarif"
  jq -e '.runs[0].results == [] and .runs[0].invocations[0].executionSuccessful' "$T/clean.sarif"
}

@test "the answer is the exit status: nothing, findings, errors; files and standard input together" {
  for good in restricted compose-hardened; do
    run ctl check --policy restricted "$CASES/$good/input.yaml"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"0 to refuse, 0 to change, 0 findings"* ]]
  done
  run ctl check --policy restricted "$CASES/minimal/input.yaml"
  [ "$status" -eq 1 ]
  run ctl check --policy restricted --refusals-only "$CASES/minimal/input.yaml" "$CASES/privileged/input.yaml"
  echo "$output"
  [ "$status" -eq 0 ]
  run ctl check --policy baseline --refusals-only "$CASES/minimal/input.yaml" - <"$CASES/host-namespaces/input.yaml"
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"minimal/input.yaml: Pod default/web: container main: policy baseline: 0 to refuse"* ]]
  [[ "$output" == *"<stdin>: Pod default/host: sandbox: policy baseline: 2 to refuse"* ]]
  [[ "$output" == *"refuse  OH-NSP-002 5:3 spec.hostNetwork: "* ]]
  [[ "$output" == *"refuse  OH-NSP-004 6:3 spec.hostPID: "* ]]
  [[ "$output" == *"note    11:33 spec.containers[0].ports[0].hostPort: "* ]]
  run ctl check --policy restricted "$CASES/error-boolean/input.yaml" "$CASES/restricted/input.yaml"
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"error: "*"input.yaml:5:23: spec.containers[0].securityContext.privileged: a boolean is to stand here, not a string"* ]]
  run ctl check --policy restricted --bundle "$T" "$CASES/minimal/input.yaml"
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"a manifest has no bundle"* ]]
  run ctl check --policy restricted - <<<'just words'
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"neither an OCI config"* ]]
}

@test "what a manifest's author writes looks like no line of ours" {
  jq -n '{apiVersion: "v1", kind: "Pod", metadata: {name: "x\n/f: Pod default/y: container a: policy restricted: 0 to refuse"},
    spec: {containers: [{name: "a", image: "a"}]}}' >"$T/f.json"
  run "$CTL" check --policy restricted "$T/f.json"
  echo "$output"
  [ "$status" -eq 1 ]
  ! grep -v "^  \|^$T/f.json: Pod default/x?/f: Pod" <<<"$output" || false
}

@test "JSON has one line for each container, with the journal; secrets' values appear nowhere" {
  sed 's/DB_PASSWORD: secret/DB_PASSWORD: hunter2-really/' "$CASES/compose-values/input.yaml" >"$T/values.yaml"
  for format in text json sarif; do
    ctl check --policy strict --format "$format" "$T/values.yaml" >"$T/out" || true
    grep -q DB_PASSWORD "$T/out"
    run grep hunter2 "$T/out"
    [ "$status" -eq 1 ]
  done
  ctl check --policy restricted --json "$CASES/sidecar-ephemeral/input.yaml" >"$T/out" || true
  [ "$(jq -s 'map(.container) | map(ltrimstr("Pod default/crew: "))' -c "$T/out")" = \
    '["sandbox","init container setup","sidecar proxy","container main","ephemeral container debug"]' ]
  jq -se 'all(.[]; .result == "findings" or .result == "pass") and all(.[]; (.journal | length) > 0)
    and any(.[].findings[]; .path == "spec.initContainers[1].securityContext.privileged" and .weight == "change")' "$T/out"
}

@test "what a manifest cannot ask for is counted apart, and a policy's deny is the author's all the same" {
  run ctl check --policy restricted "$CASES/restricted/input.yaml"
  [[ "$output" == *"container app: policy restricted: 0 to refuse, 0 to change, 0 findings (and "*" to change of what the engine adds)"* ]]
  jq -n '{extends: "restricted", paths: {action: "deny"}}' >"$T/policies/denying.json"
  chmod 600 "$T/policies/denying.json"
  run ctl check --policy denying "$CASES/restricted/input.yaml"
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"refuse  OH-PTH-001 "*" spec.containers[0]: "* ]]
}

@test "the configuration's rules select by a manifest's namespace, image and annotation" {
  oh_config runc '.rules = [{podNamespace: "kube-system", policy: "privileged"}]'
  run ctl check "$CASES/privileged/input.yaml"
  echo "$output"
  [[ "$output" == *"container agent: policy privileged: 0 to refuse, 0 to change"* ]]
  run ctl check "$CASES/deployment-list/input.yaml"
  echo "$output"
  [[ "$output" == *"container app: policy restricted+strict: "* ]]
  [[ "$output" == *"Rollout default/roll: not judged"* ]]
}

@test "the example of docs/manifests.md passes" {
  { printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: example}\n'
    sed -n '/^    spec:$/,/^$/s/^    //p' "$ROOT/docs/manifests.md"; } >"$T/example.yaml"
  run ctl check --policy restricted "$T/example.yaml"
  echo "$output"
  [ "$status" -eq 0 ]
}
