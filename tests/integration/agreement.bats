#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What runc and crun understand of a document is what was verified, or there is no container.
load helper

setup() {
  oh_setup
  local runtime
  for runtime in runc crun; do
    oh_config "$runtime"
    mv "$T/config.json" "$T/$runtime.json"
  done
  # No limits of memory: they cannot be told from within, and a small one would end the runtime itself.
  b=$(bundle one '.process |= (.args = ["/inside", "one", ""] | .user = {uid: 1000, gid: 1000, additionalGids: [1000, 2000], umask: 18}
      | .rlimits = [{type: "RLIMIT_NOFILE", soft: 1024, hard: 2048}] | .env += ["EMPTY=", "A=\u00e9"] | .noNewPrivileges = true
      | .terminal = false) | .annotations = {"key": "value"} | .hostname = "one" | .root.readonly = true
      | .linux.resources |= {devices: .devices}')
  cp "$BUILD/agreement/inside" "$b/rootfs/inside"
}
teardown() { oh_teardown; }

agree() { # agree WRAPPER CASES
  "$BUILD/agreement/agree" "$b" "$1" "$T/root" "$T/runc.json" "$T/crun.json" "$2" "${OH_SEED:-1}" >"$T/agreed"
}

@test "hostile documents are refused, or both runtimes find in them what was verified" {
  agree "$OH" "${OH_CASES:-225}" || { cat "$T/agreed"; return 1; }
  sed 's/^/# /' "$T/agreed" >&3
}

@test "without the wrapper the runtimes find other things in the same documents" {
  cat >"$T/bare" <<'EOF'
#!/bin/sh
# --config FILE --policy NAME, and what the runtime takes
case $2 in */crun.json) runtime=crun ;; *) runtime=runc ;; esac
shift 4
exec "$runtime" "$@"
EOF
  chmod 755 "$T/bare"
  run agree "$T/bare" 120
  cat "$T/agreed"
  [ "$status" -eq 1 ]
  grep -q 'a second key of the same name.*no strict reader takes' "$T/agreed"
}
