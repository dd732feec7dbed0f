#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# VM: apparmor-battery selinux-battery
# WHY: AppArmor, SELinux
# The attack battery under each policy with its profile or label, and under the same policy with the control apparmor or selinux
# switched off: what is denied besides is what tests/attack/apparmor.tsv or selinux.tsv lists, and nothing is let through.
load ../integration/helper
load ../attack/battery

LISTED=$ROOT/tests/attack/$VM.tsv
COLUMNS_HERE=(runc-baseline runc-restricted crun-strict)
# A label is the same in a user namespace and without.
[ "$VM" = selinux ] || COLUMNS_HERE+=(runc-strict-unmapped)

setup_file() {
  local policy column
  oh_setup
  export T
  : >"$T/empty"
  CAPS=$(every_capability)
  # Not those of what cgroups limit, which take minutes here.
  PRIMITIVES=$("$BUILD/helpers/probe" --list | jq -Rn '[inputs | select(test("^(processes|memory|fill)-") | not)]')
  jq -r '.[]' <<<"$PRIMITIVES" >"$T/names"
  if [ "$VM" = selinux ]; then
    export LABEL=system_u:object_r:container_file_t:s0
    # Beside those that are built in, of which baseline gives no label.
    for policy in baseline restricted strict; do
      jq -n --arg p "$policy" '{extends: $p, selinux: {mode: "require"}}' >"$T/policies/$policy.json"
    done
  fi
  battery_policies
  for policy in baseline restricted strict strict-unmapped; do
    jq -n --arg p "$policy" --arg c "$VM" '{name: ($p + "-without"), extends: $p, ($c): {action: "off"}}' >"$T/policies/$policy-without.json"
  done
  for column in "${COLUMNS_HERE[@]}"; do
    for policy in "${column#*-}" "${column#*-}-without"; do
      battery_column "${column%%-*}" "$policy" 'del(.process.apparmorProfile)' >>"$T/results.tsv"
    done
  done
}
teardown_file() { oh_teardown; }

# differences RESULTS: column and primitive, of what is denied with the profile alone, or wrong.
differences() {
  awk -F '\t' '
    $3 == "odd" { print "odd", $1, $2 }
    { tried[$1, $2] = 1; reached[$1, $2] = $3 == "reached"; names[$2] }
    $1 !~ /-without-/ { columns[$1] }
    END {
      for (column in columns) {
        without = column; sub(/-[^-]*$/, "-without&", without)
        for (name in names) {
          if (!tried[column, name] || !tried[without, name]) print "untried", column, name
          else if (reached[without, name] > reached[column, name]) print "denied", column, name
          else if (reached[without, name] < reached[column, name]) print "let through", column, name
        }
      }
    }' "$1" | sort
}

# listed: the same, as tests/attack/apparmor.tsv has it; unmapped is under the same profile.
listed() {
  local column verb
  for column in "${COLUMNS_HERE[@]}"; do
    for verb in create exec; do
      awk -F '\t' -v policy="${column##*-}" -v column="$column-$verb" 'BEGIN { if (policy == "unmapped") policy = "strict" }
        !/^#/ && $1 != "name" && (" " $2 " ") ~ (" " policy " ") { print "denied", column, $1 }' "$LISTED"
    done
  done | sort
}

@test "besides what the policies deny, their profiles deny what is listed, and let nothing through" {
  diff -u <(listed) <(differences "$T/results.tsv")
}

@test "each policy was tried with its profile and without one, with every primitive" {
  local column policy verb name=system_u:system_r:container_t
  for column in "${COLUMNS_HERE[@]}"; do
    policy=${column#*-}
    [ "$VM" = selinux ] || name=$("$CTL" apparmor status | sed -n "s/^${policy%-unmapped} *\([^ :]*\):.*/\1/p")
    for verb in create exec; do
      echo "$column $verb $name"
      echo "$column-without $verb none"
    done
  done | sort >"$T/expected"
  # Without the level, which each container has of its own.
  jq -r --arg c "$VM" 'select(.oci_harden.verb != "start") | [."container.id", .oci_harden.verb,
    ([.oci_harden.journal[] | select(.control == $c and .pointer != "/linux/mountLabel") | .after] | first // "none" | sub(":s0:c.*"; ""))]
    | join(" ")' "$T/events.json" | sort |
    diff -u "$T/expected" -
  [ "$(wc -l <"$T/names")" -ge 290 ]
  [ "$(wc -l <"$T/results.tsv")" -eq $((4 * ${#COLUMNS_HERE[@]} * $(wc -l <"$T/names"))) ]
}

# A comparison that never fails proves nothing.
@test "the comparison finds what is denied or let through and not listed, and what was not tried" {
  differs() { # differs TEXT SED
    sed "$2" "$T/results.tsv" >"$T/changed.tsv"
    run diff <(listed) <(differences "$T/changed.tsv")
    [ "$status" -eq 1 ] && [[ "$output" == *"$1"* ]] || { echo "$1: $output"; return 1; }
  }
  differs '> let through crun-strict-create setuid' 's/^\(crun-strict-create\tsetuid\t\)denied/\1reached/'
  differs '> denied crun-strict-exec setuid' 's/^\(crun-strict-without-exec\tsetuid\t\)denied/\1reached/'
  read -r _ column name < <(listed)
  differs "< denied $column $name" "s/^\\($column\\t$name\\t\\)denied/\\1reached/"
  differs '> untried runc-restricted-exec chroot' '/^runc-restricted-without-exec\tchroot\t/d'
  differs '> odd runc-baseline-create chroot' 's/^\(runc-baseline-create\tchroot\t\)reached/\1odd/'
}
