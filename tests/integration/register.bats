#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# hardenctl install, status and uninstall on scratch hosts, with configurations as they are found: containerd, and programs.
bats_require_minimum_version 1.5.0
load helper
load register

@test "the reader of TOML reads as Python's does" {
  run "$ROOT/tests/integration/toml-oracle" "$BUILD/helpers/toml-dump" "${OH_CASES:-5000}" "${OH_SEED:-1}" "$CONFIGS"/containerd/*.toml
  echo "$output"
  [ "$status" -eq 0 ]
}

@test "containerd: every configuration takes ours, as Python reads it, and comes back byte for byte" {
  local file at
  for file in "$CONFIGS"/containerd/*.toml; do
    case $file in */docker-ce.toml) continue ;; */containerd-2.1.toml) at='plugins|io.containerd.cri.v1.runtime|containerd' ;;
    */version-1.toml) at='plugins|cri|containerd' ;; *) at='plugins|io.containerd.grpc.v1.cri|containerd' ;; esac
    host_with containerd /etc/containerd/config.toml "$file"
    chmod 640 "$HOST/etc/containerd/config.toml" "$T/before/etc/containerd/config.toml"
    ctl_ install --engine containerd --policy baseline --policy restricted --default >"$T/out"
    only_ours "$file" "$HOST/etc/containerd/config.toml" "$at" hardened-baseline hardened-restricted
    [ "$(readlink "$HOST/usr/local/sbin/oci-harden-baseline")" = oci-harden ]
    # What was printed is what was done.
    patch --binary -s -o "$T/patched" "$file" <(sed -n '/^--- /,/^[a-z]/p' "$T/out" | grep -v '^[a-z]')
    cmp "$T/patched" "$HOST/etc/containerd/config.toml"
    ctl_ uninstall --engine containerd >/dev/null
    as_before /etc/containerd/config.toml
    rm -rf "$HOST/etc/containerd"
  done
}

@test "containerd: installing twice is installing once; a policy can be exchanged, a runtime added, one taken away" {
  host_with containerd /etc/containerd/config.toml "$CONFIGS/containerd/k3s.toml"
  local config=$HOST/etc/containerd/config.toml
  ctl_ install >/dev/null
  cp -a "$HOST" "$T/once"
  run ctl_ install
  echo "$output"
  [ "$status" -eq 0 ]
  [ "$output" = "containerd: hardened: registered already in /etc/containerd/config.toml" ]
  diff -r "$T/once" "$HOST"
  ctl_ install --policy strict >/dev/null
  grep -q 'BinaryName = "/usr/local/sbin/oci-harden-strict"' "$config"
  [ "$(grep -c BinaryName "$config")" -eq 1 ]
  ctl_ install --name tight --default >/dev/null
  [ "$(grep -c BinaryName "$config")" -eq 2 ]
  [ "$(toml "$config" 't["plugins"]["io.containerd.grpc.v1.cri"]["containerd"]["default_runtime_name"]')" = tight ]
  ctl_ uninstall --name tight >/dev/null
  [ "$(grep -c BinaryName "$config")" -eq 1 ]
  run ! grep default_runtime_name "$config"
  run ctl_ uninstall --name tight
  [ "$output" = "containerd: nothing of ours is registered as tight" ]
  ctl_ uninstall >/dev/null
  as_before /etc/containerd/config.toml
  run ctl_ uninstall
  [ "$status" -eq 0 ]
  as_before /etc/containerd/config.toml
}

@test "containerd: --dry-run prints the same and changes nothing" {
  host_with containerd /etc/containerd/config.toml "$CONFIGS/containerd/kubeadm.toml"
  ctl_ install --policy restricted --default --dry-run >"$T/dry"
  diff -r "$T/before" "$HOST"
  ctl_ install --policy restricted --default >"$T/wet"
  diff <(grep '^[-+ @]' "$T/dry") <(grep '^[-+ @]' "$T/wet")
  cp -a "$HOST" "$T/wet-host"
  ctl_ uninstall --dry-run >"$T/dry"
  diff -r "$T/wet-host" "$HOST"
  grep -q '^-default_runtime_name\|^-.*hardened' "$T/dry"
}

@test "containerd: what others changed since stays, and what was ours goes" {
  host_with containerd /etc/containerd/config.toml "$CONFIGS/containerd/kubeadm.toml"
  local config=$HOST/etc/containerd/config.toml
  ctl_ install --default --policy restricted >/dev/null
  printf '\n[plugins."io.containerd.gc.v1.scheduler"]\n  pause_threshold = 0.02\n' >>"$config"
  sed -i 's/pause:3.9/pause:3.10/' "$config"
  run ctl_ status --engine containerd
  echo "$output"
  [ "$status" -eq 0 ]
  cp "$config" "$T/edited"
  ctl_ install --default --policy restricted >/dev/null
  cmp "$T/edited" "$config"
  run ctl_ uninstall
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *"was edited since"* ]]
  diff <(sed 's/pause:3.9/pause:3.10/' "$CONFIGS/containerd/kubeadm.toml"
    printf '\n[plugins."io.containerd.gc.v1.scheduler"]\n  pause_threshold = 0.02\n') "$config"
}

@test "containerd: what somebody did to ours is said, mended by install, and goes with it" {
  host_with containerd /etc/containerd/config.toml "$CONFIGS/containerd/kubeadm.toml"
  local config=$HOST/etc/containerd/config.toml
  ctl_ install --policy restricted >/dev/null
  cp "$config" "$T/right"
  sed -i 's|/usr/local/sbin/oci-harden-restricted|/usr/bin/runc|' "$config"
  run ctl_ status
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"ours is not as it was"* ]]
  ctl_ status --json >"$T/json" || true
  jq -e '.engine == "containerd" and .registered and .runtimes[0].policy == "restricted" and (.problems | length) == 1' "$T/json"
  ctl_ install >/dev/null
  cmp <(grep -v BinaryName "$T/right") <(grep -v BinaryName "$config")
  chmod 777 "$HOST/usr/local/sbin/oci-harden"
  run ctl_ status
  [ "$status" -eq 1 ]
  [[ "$output" == *"can be changed by others"* ]]
  run ctl_ install
  [ "$status" -eq 2 ]
  chmod 755 "$HOST/usr/local/sbin/oci-harden"
  sed -i 's|/usr/local/sbin/oci-harden|/usr/bin/runc|' "$config"
  ctl_ uninstall >/dev/null
  as_before /etc/containerd/config.toml
}

@test "containerd: no file, and the file goes again, with its directory" {
  host_with containerd
  ctl_ install --default >/dev/null
  [ "$(toml "$HOST/etc/containerd/config.toml" 't["version"], list(t["plugins"]["io.containerd.grpc.v1.cri"]["containerd"]["runtimes"])')" = "(2, ['runc', 'hardened'])" ]
  ctl_ uninstall >/dev/null
  diff -r "$T/before" "$HOST"
  mkdir -p "$HOST/etc/containerd/conf.d"
  echo 'version = 3' >"$HOST/etc/containerd/conf.d/a.toml"
  run ctl_ install --engine containerd
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"conf.d/a.toml, which a new file would hide"* ]]
}

@test "containerd: the file whose word holds is changed, of those that are imported" {
  local etc=$HOST/etc/containerd
  host_with containerd /etc/containerd/config.toml "$CONFIGS/containerd/debian.toml"
  mkdir -p "$etc/conf.d"
  sed -i '1a imports = ["/etc/containerd/conf.d/*.toml", "config.toml"]' "$etc/config.toml"
  printf 'version = 2\n[debug]\n  level = "info"\n' >"$etc/conf.d/a.toml"
  printf 'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]\n  SystemdCgroup = true\n' >"$etc/conf.d/b.toml"
  rm -rf "$T/before" && cp -a "$HOST" "$T/before"
  ctl_ install --policy restricted >/dev/null
  cmp "$etc/config.toml" "$T/before/etc/containerd/config.toml"
  [ "$(toml "$etc/conf.d/b.toml" 't["plugins"]["io.containerd.grpc.v1.cri"]["containerd"]["runtimes"]["hardened"]["options"]["SystemdCgroup"]')" = True ]
  # containerd itself sees both, when its paths are the scratch host's.
  sed -i "s|/etc/containerd/conf.d|$etc/conf.d|" "$etc/config.toml"
  run containerd --config "$etc/config.toml" config dump
  echo "$output"
  [[ "$output" == *runtimes.hardened.options*runtimes.runc.options* ]]
  cp "$T/before/etc/containerd/config.toml" "$etc/config.toml"
  ctl_ uninstall >/dev/null
  diff -r "$T/before" "$HOST"
  sed -i 's|"/etc/containerd/conf.d|"conf.d|' "$etc/config.toml"
  run ctl_ install
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *'/etc/containerd/config.toml:2:12: "conf.d/*.toml" is looked for'* ]]
}

@test "containerd: a configuration that is a link stays one, below the host's root; owner and mode stay" {
  host_with containerd /srv/nodes/containerd.toml "$CONFIGS/containerd/k3s.toml"
  mkdir "$HOST/etc/containerd"
  ln -s /srv/nodes/containerd.toml "$HOST/etc/containerd/config.toml"
  chown 1000:1000 "$HOST/srv/nodes/containerd.toml"
  chmod 604 "$HOST/srv/nodes/containerd.toml"
  rm -rf "$T/before" && cp -a "$HOST" "$T/before"
  ctl_ install >/dev/null
  [ "$(readlink "$HOST/etc/containerd/config.toml")" = /srv/nodes/containerd.toml ]
  grep -q BinaryName "$HOST/srv/nodes/containerd.toml"
  [ "$(stat -c '%a %u:%g' "$HOST/srv/nodes/containerd.toml")" = '604 1000:1000' ]
  [ "$(stat -c '%a' "$HOST/var/lib/oci-harden/install" "$HOST/var/lib/oci-harden/install/containerd.orig" | tr '\n' ' ')" = '700 600 ' ]
  ctl_ uninstall >/dev/null
  diff -r --no-dereference "$T/before" "$HOST"
  [ "$(stat -c '%a %u:%g' "$HOST/srv/nodes/containerd.toml")" = '604 1000:1000' ]
}

@test "a kill between the record and the file loses nothing" {
  host_with containerd /etc/containerd/config.toml "$CONFIGS/containerd/k3s.toml"
  ctl_ install --default >/dev/null
  cp "$T/before/etc/containerd/config.toml" "$HOST/etc/containerd/config.toml" # as if it had not come to the file
  run ctl_ status
  [ "$status" -eq 1 ]
  ctl_ install >/dev/null
  grep -q 'default_runtime_name = "hardened"' "$HOST/etc/containerd/config.toml"
  cp "$T/before/etc/containerd/config.toml" "$HOST/etc/containerd/config.toml"
  ctl_ uninstall >/dev/null
  as_before /etc/containerd/config.toml
}

@test "containerd: what would be in vain, or is not understood, is refused, and nothing is changed" {
  local etc=$HOST/etc/containerd
  host_with containerd /etc/containerd/config.toml "$CONFIGS/containerd/docker-ce.toml"
  run ctl_ install --engine containerd
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"/etc/containerd/config.toml:6:21: the CRI plugin is disabled"* ]]
  run ctl_ install
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *"containerd: left out: /etc/containerd/config.toml:6:21"* ]]
  diff -r "$T/before/etc" "$HOST/etc"
  printf 'version = 2\n[plugins]\n"io.containerd.grpc.v1.cri" = { }\n' >"$etc/config.toml"
  run ctl_ install --engine containerd
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *'/etc/containerd/config.toml:3:31: plugins."io.containerd.grpc.v1.cri" is an inline table'*"write it as ["* ]]
  printf '# File generated by k3s. DO NOT EDIT. Use config.toml.tmpl instead.\nversion = 2\n' >"$etc/config.toml"
  run ctl_ install --engine containerd
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"Use config.toml.tmpl instead"*"/etc/containerd/config.toml.tmpl"* ]]
  run ctl_ install --engine containerd --policy nothing
  [ "$status" -eq 2 ]
  run ctl_ install --engine containerd --name runc
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"name of another runtime"* ]]
  run ctl_ install --engine lxc
  [ "$status" -eq 2 ]
  rm "$HOST/usr/local/sbin/oci-harden"
  run ctl_ install --engine containerd
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"--bin-dir"*"--copy"* ]]
}

@test "k3s and rke2: what they make anew is left alone; a drop-in of ours where they import one, else the template is named" {
  local etc=/var/lib/rancher/k3s/agent/etc/containerd dropin
  host_with runc "$etc/config.toml" "$CONFIGS/k3s/config-v3.toml"
  dropin=$HOST$etc/config-v3.toml.d/99-oci-harden.toml
  # Found without being named: there is no other containerd on this host.
  run ctl_ install --policy restricted --default
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *"takes effect after: systemctl restart k3s (on an agent: k3s-agent)"* ]]
  cmp "$HOST$etc/config.toml" "$CONFIGS/k3s/config-v3.toml"
  # As runc's entry in the file that imports it, and nothing of all the rest.
  [ "$(toml "$dropin" 't == {"version": 3, "plugins": {"io.containerd.cri.v1.runtime": {"containerd": {"default_runtime_name": "hardened", "runtimes": {"hardened": {
    "runtime_type": "io.containerd.runc.v2", "pod_annotations": ["oci-harden.policy"], "container_annotations": ["oci-harden.policy"],
    "options": {"BinaryName": "/usr/local/sbin/oci-harden-restricted", "SystemdCgroup": True}}}}}}}')" = True ]
  ctl_ status --engine containerd
  # k3s is told otherwise: what ours say of cgroups is no longer right, and install says it anew.
  sed -i 's/SystemdCgroup = true/SystemdCgroup = false/' "$HOST$etc/config.toml"
  run ctl_ status --engine containerd
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"hardenctl install does it"* ]]
  ctl_ install >/dev/null
  [ "$(toml "$dropin" 't["plugins"]["io.containerd.cri.v1.runtime"]["containerd"]["runtimes"]["hardened"]["options"]["SystemdCgroup"]')" = False ]
  sed -i 's/SystemdCgroup = false/SystemdCgroup = true/' "$HOST$etc/config.toml"
  ctl_ uninstall >/dev/null
  diff -r "$T/before" "$HOST"
  # A name that a neighbour has.
  mkdir "$HOST$etc/config-v3.toml.d"
  printf "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.hardened]\n" >"$HOST$etc/config-v3.toml.d/a.toml"
  run ctl_ install --engine containerd
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"config-v3.toml.d/a.toml:2:"*"choose another --name"* ]]
  rm -r "$HOST$etc/config-v3.toml.d"
  # Without the import: the template is named, and what goes into it is what a copy gets.
  sed -i '/^imports/d' "$HOST$etc/config.toml"
  run ctl_ install --engine containerd
  echo "$output"
  [ "$status" -eq 2 ]
  [[ "$output" == *"$etc/config-v3.toml.tmpl: a line {{ template \"base\" . }}"* ]]
  sed 1d "$HOST$etc/config.toml" >"$HOST/srv-copy.toml"
  ctl_ install --engine containerd --dry-run --file /srv-copy.toml --policy restricted >"$T/out"
  { cat "$HOST$etc/config.toml"; sed -n 's/^+\([^+]\|$\)/\1/p' "$T/out"; } >"$T/rendered"
  only_ours "$HOST$etc/config.toml" "$T/rendered" 'plugins|io.containerd.cri.v1.runtime|containerd' hardened
  { echo '# File generated by k3s. DO NOT EDIT. Use config.toml.tmpl instead.'; cat "$CONFIGS/containerd/k3s.toml"; } >"$HOST$etc/config.toml"
  run ctl_ install --engine containerd
  echo "$output"
  [[ "$output" == *"$etc/config.toml.tmpl: a line"* ]]
}

@test "programs are copied, exchanged by a newer one, and stay while a container needs them" {
  host_with containerd /etc/containerd/config.toml "$CONFIGS/containerd/kubeadm.toml"
  rm "$HOST/usr/local/sbin/oci-harden" "$T/before/usr/local/sbin/oci-harden"
  mkdir "$T/new"
  cp "$OH" "$BUILD/oci-harden-hook" "$CTL" "$T/new/"
  "$T/new/hardenctl" install --root "$HOST" --copy --bin-dir /opt/oci-harden/bin --policy restricted >/dev/null
  cmp "$OH" "$HOST/opt/oci-harden/bin/oci-harden"
  printf 'newer' >>"$T/new/oci-harden"
  "$T/new/hardenctl" install --root "$HOST" --copy --bin-dir /opt/oci-harden/bin --policy restricted >/dev/null
  cmp "$T/new/oci-harden" "$HOST/opt/oci-harden/bin/oci-harden"
  # A container of the host's that is still there.
  b=$(CMD='sleep 100' bundle one)
  mkdir -p "$HOST/run"
  jq --arg d "$HOST/run/oci-harden" '.stateDir = $d' "$T/config.json" >"$T/config2.json"
  chmod 600 "$T/config2.json"
  "$OH" --config "$T/config2.json" --root "$T/root" run -d --bundle "$b" left </dev/null >/dev/null 2>&1
  mkdir -p "$HOST$T/root/left"
  run "$T/new/hardenctl" uninstall --root "$HOST"
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"kept: needed by $T/root left"* ]]
  [ -x "$HOST/opt/oci-harden/bin/oci-harden-restricted" ]
  cmp "$HOST/etc/containerd/config.toml" "$CONFIGS/containerd/kubeadm.toml"
  "$OH" --config "$T/config2.json" --root "$T/root" delete --force left
  "$T/new/hardenctl" uninstall --root "$HOST" >/dev/null
  [ -z "$(find "$HOST/opt" -not -type d)" ]
  [ ! -e "$HOST/var/lib/oci-harden" ]
}
