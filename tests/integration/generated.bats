#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What is generated from the tables is fresh, and the documents are well-formed.
load helper
setup() { oh_setup; }
teardown() { oh_teardown; }

@test "generated files are those that this build makes" {
  "$ROOT/tools/generate" "$BUILD" "$T/generated"
  while read -r file; do
    echo "$file"
    diff -u "$ROOT/$file" "$T/generated/$file"
  done < <(cd "$T/generated" && find . -type f)
}

@test "manual pages are well-formed" {
  for page in "$ROOT"/docs/man/*; do
    run mandoc -T lint -W warning "$page"
    echo "$output"
    [ "$status" -eq 0 ]
  done
}

@test "the completion completes" {
  run bash -c '. "$1"; COMP_WORDS=(hardenctl policy sh); COMP_CWORD=2; _hardenctl; echo "${COMPREPLY[@]}"' - "$ROOT/tools/hardenctl.bash-completion"
  [[ "$output" == show* ]]
  run bash -c '. "$1"; COMP_WORDS=(hardenctl che); COMP_CWORD=1; _hardenctl; echo "${COMPREPLY[@]}"' - "$ROOT/tools/hardenctl.bash-completion"
  [[ "$output" == check* ]]
}

@test "every command has a --help that names its options, and every wrong use exits 2" {
  while read -r line; do
    # shellcheck disable=SC2086
    run "$CTL" $line --help
    [ "$status" -eq 0 ]
    [[ "$output" == *Usage:* ]]
    # shellcheck disable=SC2086
    run "$CTL" $line --no-such-option
    [ "$status" -eq 2 ]
  done < <("$CTL" --help | sed -n '/^Commands:/,/^$/s/^ *\([a-z]* *[a-z]*\)  .*/\1/p')
  run "$CTL" nonsense
  [ "$status" -eq 2 ]
  [[ "$output" == *"unknown command"* ]]
  # The first of two words lists those that go with it, and no others.
  run "$CTL" policy --help
  [ "$status" -eq 0 ]
  [[ "$output" == *"policy validate"* ]]
  [[ "$output" != *"seccomp"* ]]
  run "$CTL" policy
  [ "$status" -eq 2 ]
  [[ "$output" == *"policy validate"* ]]
  run "$CTL" policy nonsense
  [ "$status" -eq 2 ]
  [[ "$output" == *"unknown command 'policy nonsense'"*"policy --help"* ]]
}

@test "schemas accept the built-in policies and refuse what the decoder refuses" {
  cat >"$T/check.py" <<'PY'
import json, sys
# A validator of the few keywords that the schema uses; anything else is an error.
KNOWN = {"$schema", "$id", "title", "description", "type", "properties", "additionalProperties", "items", "enum", "minimum",
         "maximum", "pattern", "uniqueItems", "examples", "required", "minItems", "maxLength", "minLength", "default", "oneOf", "anyOf"}
import re
def valid(schema, value):
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    types = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "null": type(None)}
    if "anyOf" in schema and not any(valid(s, value) for s in schema["anyOf"]): return False
    if "oneOf" in schema and sum(valid(s, value) for s in schema["oneOf"]) != 1: return False
    t = schema.get("type")
    if t:
        ts = t if isinstance(t, list) else [t]
        if not any(isinstance(value, types[x]) and not (x == "integer" and isinstance(value, bool)) for x in ts): return False
    if "enum" in schema and value not in schema["enum"]: return False
    if isinstance(value, dict):
        props = schema.get("properties", {})
        if schema.get("additionalProperties") is False and set(value) - set(props): return False
        if set(schema.get("required", [])) - set(value): return False
        return all(valid(props[k], v) for k, v in value.items() if k in props)
    if isinstance(value, list):
        return all(valid(schema.get("items", {}), v) for v in value)
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value): return False
    if isinstance(value, int) and not isinstance(value, bool):
        return schema.get("minimum", value) <= value <= schema.get("maximum", value)
    return True
schema = json.load(open(sys.argv[1]))
want = sys.argv[2] == "valid"
for f in sys.argv[3:]:
    got = valid(schema, json.load(open(f)))
    if got != want: sys.exit(f"{f}: schema says {got}, expected {want}")
PY
  python3 "$T/check.py" "$ROOT/docs/policy.schema.json" valid "$ROOT"/profiles/policies/*.json
  echo '{"description": "x", "capabilties": {"action": "harden"}}' >"$T/typo.json"
  echo '{"description": "x", "capabilities": {"action": "hardn"}}' >"$T/enum.json"
  echo '{"description": "x", "resources": {"action": "harden", "pidsMax": "many"}}' >"$T/type.json"
  python3 "$T/check.py" "$ROOT/docs/policy.schema.json" invalid "$T/typo.json" "$T/enum.json" "$T/type.json"
  for f in typo enum type; do
    run "$CTL" --config "$T/config.json" policy validate "$T/$f.json"
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"$f.json:1:"* ]]
  done
  python3 "$T/check.py" "$ROOT/docs/config.schema.json" valid "$T/config.json"
}

@test "the README's demo prints what it says there, but for what the machine decides, and its answers of engines are counted" {
  local theirs='^(system calls|kernel files)' # libseccomp's tables and the kernel's files
  "$ROOT/tools/demo" "$BUILD" >"$T/demo"
  table() { sed -n '/runc alone  /,/^ *send raw ICMP/{s/^    //; s/ *$//; p}' "$1" | sed 's/^ *runc alone/runc alone/' | grep -vE "$theirs"; }
  sed 's/^/    /' "$T/demo" >"$T/indented"
  diff <(table "$ROOT/README.md") <(table "$T/indented")
  [ "$(table "$T/indented" | wc -l)" -ge 15 ]
  grep -qF "in $(grep -v '^#' "$ROOT/tests/engines/expected.tsv" | cut -f3-5 | tr '\t' '\n' | grep -cxE 'runs|less|refused') answers of real engines" "$ROOT/README.md"
}

@test "the counts of the profiles' system calls are those of the programs" {
  [ "$(uname -m)" = x86_64 ] || return 0
  local profile reachable row=''
  for profile in baseline restricted strict; do
    reachable=$("$CTL" seccomp show "$profile" | sed -n 's/^SCMP_ARCH_X86_64: \([0-9]*\) .*/\1/p')
    [ -n "$reachable" ]
    grep -qF "| \`$profile\` | $reachable | 0 |" "$ROOT/docs/seccomp.md"
    row+=" at most $reachable |"
  done
  grep -qF "| seccomp, reachable on x86-64 | engine's |$row" "$ROOT/README.md"
}
