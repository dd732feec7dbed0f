#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Many containers at once, made, exec'd in and deleted while their wrappers are killed: tests/load/load.c does it, and
# judges each. COUNT and SEED may be given; `make check-load` makes a thousand.
load helper

setup() { oh_setup; }
teardown() { oh_teardown; }

@test "under load and random kills nothing is unhardened, nothing is left, and memory stays flat" {
  count=${COUNT:-150}
  seed=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
  mkdir -p "$T"/{bin,log,bundles,runc-root,crun-root}
  for runtime in runc crun; do
    oh_config "$runtime" ".runtimes = [{path: \"$T/bin/$runtime\", type: \"$runtime\"}]"
    cp "$BUILD/helpers/through" "$T/bin/$runtime"
    mv "$T/config.json" "$T/$runtime.json"
  done
  group=/oh-$(basename "$T")
  b=$(CMD='exec sleep 600' bundle first ".root.path = \"$T/rootfs-@SLOT@\" | .linux.cgroupsPath = \"$group/@ID@\"")
  cp "$b/config.json" "$T/template.json"
  for slot in $(seq 0 15); do cp -al "$b/rootfs" "$T/rootfs-$slot"; done

  run "$BUILD/helpers/load" "$OH" "$T" "$group" "$count" "$seed"
  echo "$output"
  echo "$output" | grep '^load: ' | sed 's/^/# /' >&3
  [ "$status" -eq 0 ]
  # Ninety of a hundred come to run, and many calls died in the wrapper itself.
  [ "$(sed -n 's/.* created, \([0-9]*\) running.*/\1/p' <<<"$output")" -ge $((count * 9 / 10)) ]
  [ "$(sed -n 's/^load: \([0-9]*\) kills in the wrapper$/\1/p' <<<"$output")" -ge $((count / 3)) ]

  # What was killed may have left state, and nothing else; gc takes it.
  left=$(find "$T/state" -path "$T/state/.cache" -prune -o -path "$T/state/.leases" -prune -o -type f -print | wc -l)
  cp "$T/runc.json" "$T/config.json"
  "$CTL" --config "$T/config.json" gc
  echo "# load: $left files of state were left to gc" >&3
  run find "$T/state" -mindepth 1 -path '*/.cache' -prune -o -path '*/.leases*' -prune -o -print
  echo "$output"
  [ -z "$output" ]
  [ -z "$(find "$T/runc-root" "$T/crun-root" "$T/bundles" -mindepth 1)" ]
  wait_for 10 no_process
  [ "$(jq -c . "$T/events.json" | wc -l)" -eq "$(wc -l <"$T/events.json")" ]

  # Beside stdin, stdout and stderr nothing is handed on; the last creates took what the first took.
  awk '$3 != 3 {print; bad = 1} END {exit bad}' "$T/bin/through"
  mean() { awk '{n += $2} END {print int(n / NR)}'; }
  first=$(grep '^create ' "$T/bin/through" | head -n 100 | mean)
  last=$(grep '^create ' "$T/bin/through" | tail -n 100 | mean)
  echo "# load: peak memory of the first hundred creates $first KiB, of the last $last KiB" >&3
  [ "$last" -le $((first + first / 10)) ]
}

# (The pattern comes from a file, or grep would find itself.)
no_process() { ! grep -lzF -f <(printf '%s/' "$T") /proc/[0-9]*/cmdline 2>/dev/null; }
