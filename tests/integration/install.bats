#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What `make install` puts on a node works there, and `make uninstall` takes all of it away.
load helper
setup() { oh_setup; }
teardown() { oh_teardown; }

@test "install, use by a policy's name, uninstall" {
  make -C "$ROOT" --no-print-directory BUILD="$BUILD" DESTDIR="$T/dest" PREFIX=/usr install >/dev/null
  b=$(CMD='grep -E "^(NoNewPrivs|CapBnd)" /proc/self/status' bundle one)
  for policy in restricted baseline; do
    run "$T/dest/usr/sbin/oci-harden-$policy" --config "$T/config.json" --root "$T/root" run --bundle "$b" "i-$policy"
    echo "$output"
    [ "$status" -eq 0 ]
  done
  [ "$(jq -rs 'map(select(."event.action" == "container-run").oci_harden.policy[0]) | join(" ")' "$T/events.json")" = "restricted baseline" ]
  "$T/dest/usr/sbin/hardenctl" --version | grep -q ^hardenctl
  [ "$(jq -r .hook.path "$T/dest/usr/share/containers/oci/hooks.d/oci-harden.json")" = /usr/sbin/oci-harden-hook ]
  [ "$("$T/dest/usr/sbin/oci-harden-hook" --version)" = "oci-harden-hook $("$CTL" --version | head -n 1 | cut -d' ' -f2)" ]
  man -l "$T/dest/usr/share/man/man5/oci-harden-policy.5" | grep -q no-new-privileges
  make -C "$ROOT" --no-print-directory BUILD="$BUILD" DESTDIR="$T/dest" PREFIX=/usr uninstall >/dev/null
  [ -z "$(find "$T/dest" -not -type d)" ]
}

@test "the programs are static, position-independent and without writable code" {
  for program in "$OH" "$BUILD/oci-harden-hook" "$CTL"; do
    readelf -h "$program" | grep -q 'Type:.*DYN'
    run readelf -lW "$program"
    [[ "$output" != *INTERP* ]]
    [[ "$output" == *GNU_RELRO* ]]
    [[ "$output" != *RWE* ]]
    [[ "$output" != *"GNU_STACK"*"RWE"* ]]
    run readelf -dW "$program"
    [[ "$output" != *NEEDED* ]]
    [[ "$output" == *BIND_NOW* || "$output" == *"Flags: NOW"* ]]
    [[ "$output" != *TEXTREL* ]]
  done
}
