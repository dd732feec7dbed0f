# SPDX-License-Identifier: Apache-2.0
# Scratch hosts for hardenctl install: `load` after the helper.

CONFIGS=$ROOT/tests/fixtures/config

setup() {
  oh_setup
  HOST=$T/host
  mkdir -p "$HOST"/{etc,usr/bin,usr/local/sbin,var/lib}
  cp "$OH" "$HOST/usr/local/sbin/oci-harden"
}

teardown() {
  local pid
  for pid in ${DAEMONS-}; do
    kill "$pid" 2>/dev/null && wait_for 20 sh -c "! kill -0 $pid 2>/dev/null"
  done
  oh_unmount
  oh_teardown
}

ctl_() { # VERB ARGS...: on the scratch host
  local verb=$1
  shift
  "$CTL" "$verb" --root "$HOST" "$@"
}

# host_with PROGRAM [PATH FILE]: the scratch host has that engine, and its configuration. A picture of /etc is kept.
host_with() {
  touch "$HOST/usr/bin/$1"
  chmod 755 "$HOST/usr/bin/$1"
  if [ $# -gt 1 ]; then
    mkdir -p "$(dirname "$HOST$2")"
    cp "$3" "$HOST$2"
  fi
  rm -rf "$T/before"
  cp -a "$HOST" "$T/before"
}
as_before() { diff -r "$T/before" "$HOST" && [ "$(stat -c '%a %U' "$HOST$1")" = "$(stat -c '%a %U' "$T/before$1")" ]; }

# toml FILE EXPRESSION: of Python's reader of TOML, t being the document.
toml() { /usr/bin/python3 -c 'import sys, tomllib; t = tomllib.load(open(sys.argv[1], "rb")); print(eval(sys.argv[2]))' "$1" "$2"; }
# only_ours BEFORE AFTER PATH NAME...: parsed by Python, the two differ by runtimes.NAME and the default alone.
only_ours() {
  /usr/bin/python3 - "$@" <<'PY'
import sys, tomllib
before, after = (tomllib.load(open(f, "rb")) for f in sys.argv[1:3])
at, names = sys.argv[3].split("|"), sys.argv[4:]
def prune(doc, first):
    node = doc
    trail = []
    for key in at:
        if key not in node: return
        trail.append((node, key)); node = node[key]
    runtimes = node.get("runtimes", {})
    for name in names:
        if not first: assert "BinaryName" in runtimes[name]["options"], name
        runtimes.pop(name, None)
    node.pop("default_runtime_name", None)
    return node
old, new = prune(before, True), prune(after, False)
if new["runtimes"].get("runc") == {"runtime_type": "io.containerd.runc.v2"} and "runc" not in (old or {}).get("runtimes", {}):
    new["runtimes"].pop("runc")  # containerd's own default, which it would forget
def bare(x): return {k: v for k, v in ((k, bare(v)) for k, v in x.items()) if v != {}} if isinstance(x, dict) else x
assert bare(before) == bare(after), (before, after)
PY
}
