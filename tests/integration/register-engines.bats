#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# hardenctl install, status and uninstall on scratch hosts, as register.bats: docker, podman and CRI-O, and all of a host at once.
bats_require_minimum_version 1.5.0
load helper
load register

@test "docker: every daemon.json takes ours, as Python reads it, and comes back byte for byte" {
  local file
  for file in "$CONFIGS"/docker/*.json; do
    host_with dockerd /etc/docker/daemon.json "$file"
    ctl_ install --engine docker --policy baseline --policy restricted --default >"$T/out"
    /usr/bin/python3 - "$file" "$HOST/etc/docker/daemon.json" <<'PY'
import json, sys
before, after = (json.loads(open(f).read().strip() or "{}") for f in sys.argv[1:])
for policy in ("baseline", "restricted"):
    assert after["runtimes"].pop("hardened-" + policy) == {"path": "/usr/local/sbin/oci-harden-" + policy}
assert after.pop("default-runtime") == "hardened-baseline"
before.pop("default-runtime", None)
assert before.setdefault("runtimes", {}) == after["runtimes"] and before == after, (before, after)
PY
    patch --binary -s -o "$T/patched" "$file" <(sed -n '/^--- /,/^[a-z]/p' "$T/out" | grep -v '^[a-z]')
    cmp "$T/patched" "$HOST/etc/docker/daemon.json"
    run ctl_ install --engine docker --policy baseline --policy restricted --default
    [ "$output" = "docker: hardened-baseline, hardened-restricted: registered already in /etc/docker/daemon.json" ]
    ctl_ uninstall --engine docker >/dev/null
    as_before /etc/docker/daemon.json
    rm -rf "$HOST/etc/docker"
  done
  # None at all, and one that somebody added to.
  host_with dockerd
  ctl_ install >/dev/null
  jq -e '. == {runtimes: {hardened: {path: "/usr/local/sbin/oci-harden"}}}' "$HOST/etc/docker/daemon.json"
  ctl_ uninstall >/dev/null
  diff -r "$T/before" "$HOST"
  ctl_ install >/dev/null
  jq '. + {debug: true} | .runtimes.kata = {path: "/k"}' "$HOST/etc/docker/daemon.json" >"$T/new"
  cp "$T/new" "$HOST/etc/docker/daemon.json"
  run ctl_ uninstall
  echo "$output"
  [ "$status" -eq 0 ]
  jq -e '. == {debug: true, runtimes: {kata: {path: "/k"}}}' "$HOST/etc/docker/daemon.json"
}

@test "podman and CRI-O: a file of our own, which says what the others say; it goes with its directory" {
  local crio=$HOST/etc/crio/crio.conf.d/99-oci-harden.conf podman=$HOST/etc/containers/containers.conf.d/99-oci-harden.conf
  host_with crio /etc/crio/crio.conf "$CONFIGS/crio/crio.conf"
  host_with podman /usr/share/containers/containers.conf "$CONFIGS/podman/containers.conf"
  ctl_ install --policy restricted --default >/dev/null
  [ "$(toml "$crio" 't["crio"]["runtime"]["default_runtime"], t["crio"]["runtime"]["runtimes"]["hardened"]')" = \
    "('hardened', {'runtime_path': '/usr/local/sbin/oci-harden-restricted', 'runtime_type': 'oci', 'runtime_root': '/run/runc', 'allowed_annotations': ['io.containers.trace-syscall'], 'monitor_path': '/usr/libexec/crio/conmon', 'monitor_cgroup': 'system.slice'})" ]
  [ "$(toml "$podman" 't["engine"]["runtimes"], t["engine"]["runtime"], "mine" in t["engine"]["runtime_supports_json"]')" = \
    "({'hardened': ['/usr/local/sbin/oci-harden-restricted']}, 'hardened', True)" ]
  cmp "$HOST/etc/crio/crio.conf" "$CONFIGS/crio/crio.conf"
  run ctl_ status
  echo "$output"
  [ "$status" -eq 0 ]
  # The packages' drop-in of CRI-O comes later: what it says of runc ours say too, after the next install.
  mkdir -p "$T/before/etc/crio/crio.conf.d"
  cp "$CONFIGS/crio/10-crun.conf" "$T/before/etc/crio/crio.conf.d/"
  cp "$CONFIGS/crio/10-crun.conf" "$HOST/etc/crio/crio.conf.d/"
  run ctl_ status --engine crio
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"hardenctl install does it"* ]]
  ctl_ install --engine crio --policy restricted >/dev/null
  [ "$(toml "$crio" 't["crio"]["runtime"]["runtimes"]["hardened"]["container_min_memory"]')" = 12MiB ]
  echo 'x = 1' >>"$crio"
  sed -i 's/oci-harden-restricted/runc/' "$crio"
  run ctl_ uninstall --engine crio
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"was edited since; move what is yours"* ]]
  rm "$crio"
  ctl_ uninstall >/dev/null
  diff -r "$T/before" "$HOST"
  printf '[crio.runtime.runtimes.hardened]\n' >>"$HOST/etc/crio/crio.conf"
  run ctl_ install --engine crio
  [ "$status" -eq 2 ]
  [[ "$output" == *"/etc/crio/crio.conf:"*"a runtime hardened is there already"* ]]
}

@test "CRI-O: the name of a runtime that a container has stays registered, and is no longer the default" {
  local crio=$HOST/etc/crio/crio.conf.d/99-oci-harden.conf
  host_with crio /etc/crio/crio.conf "$CONFIGS/crio/crio.conf"
  ctl_ install --policy restricted --policy baseline --default >/dev/null
  cp "$crio" "$T/default"
  # As CRI-O marks its own.
  b=$(CMD='sleep 100' bundle one '.annotations["io.container.manager"] = "cri-o"')
  mkdir -p "$HOST/run" "$HOST$T/root/left"
  jq --arg d "$HOST/run/oci-harden" '.stateDir = $d' "$T/config.json" >"$T/config2.json"
  chmod 600 "$T/config2.json"
  "$OH" --config "$T/config2.json" --root "$T/root" run -d --bundle "$b" left </dev/null >/dev/null 2>&1
  run ctl_ uninstall --dry-run
  echo "$output"
  [ "$status" -eq 1 ]
  cmp "$crio" "$T/default"
  run ctl_ uninstall
  [ "$status" -eq 1 ]
  [[ "$output" == *"kept: needed by $T/root left"* ]]
  [[ "$output" == *"crio: hardened-restricted, hardened-baseline: kept registered"* ]]
  run ! grep default_runtime "$crio"
  ctl_ status --json | jq -e 'select(.engine == "crio") | .registered and .default == null and (.runtimes | length == 2)'
  "$OH" --config "$T/config2.json" --root "$T/root" delete --force left
  rm -r "${HOST:?}/tmp" "$HOST/run"
  ctl_ uninstall >/dev/null
  diff -r "$T/before" "$HOST"
}

@test "the README's commands do what they say" {
  local command engine seen=
  host_with dockerd
  host_with crio
  host_with podman
  host_with containerd
  while read -r command; do
    echo "$command"
    engine=$(sed -n 's/.*--engine \([a-z]*\).*/\1/p' <<<"$command")
    # shellcheck disable=SC2086 # words
    ctl_ ${command#hardenctl } >/dev/null
    [ -z "$engine" ] || ctl_ status --engine "$engine"
    seen="$seen $engine"
  done < <(sed -n 's/^    \(hardenctl \(install\|uninstall\|status\)[^#]*\).*/\1/p' "$ROOT/README.md")
  [[ "$seen" == *containerd*docker*podman*crio* ]]
  ctl_ uninstall >/dev/null
  diff -r "$T/before" "$HOST"
}

@test "all engines of a host at once, and back" {
  host_with dockerd /etc/docker/daemon.json "$CONFIGS/docker/nvidia.json"
  host_with crio /etc/crio/crio.conf "$CONFIGS/crio/crio.conf"
  host_with podman
  host_with containerd /etc/containerd/config.toml "$CONFIGS/containerd/containerd-2.1.toml"
  ctl_ install --default >/dev/null
  ctl_ status --json | jq -es 'map(.engine) == ["containerd", "docker", "podman", "crio"] and all(.registered and .default == "hardened" and .problems == [])'
  rm "$HOST/usr/bin/crio" "$T/before/usr/bin/crio" # gone since, and its file is ours to take back still
  ctl_ uninstall >/dev/null
  diff -r "$T/before" "$HOST"
}
