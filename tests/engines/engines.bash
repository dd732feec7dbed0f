# SPDX-License-Identifier: Apache-2.0
# The table of engines, operations and policies: `load` after the integration tests' helper.

# cell POLICY ANSWER OPERATION...: what the test has shown, when it has. The answers are in expected.tsv.
cell() {
  local policy=$1 answer=$2 operation
  shift 2
  for operation; do
    printf '%s\t%s\t%s\t%s\n' "$ENGINE" "$operation" "$policy" "$answer" >>"${CELLS:-/dev/null}"
  done
}
