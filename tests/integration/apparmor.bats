#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A profile that is asked for and that nothing enforces: AppArmor is off here, or, where it is on, has no such profile.
# crun would run the container without it. With AppArmor on: tests/vm/apparmor.bats.
# And profiles compiled for another host, whose root is mounted here.
load helper
setup() { oh_setup; }
teardown() { oh_teardown; }

@test "a profile that nothing would enforce is refused, on create, run and exec" {
  for runtime in runc crun; do
    oh_config "$runtime"
    for policy in baseline restricted strict; do
      b=$(CMD=true bundle asks '.process.apparmorProfile = "no-such-profile" | .process.user = {uid: 1000, gid: 1000}')
      for verb in create run; do
        POLICY=$policy run oh "$verb" --bundle "$b" asks
        echo "$runtime $policy $verb: $output"
        [ "$status" -eq 1 ]
        [[ "$output" == *"/process/apparmorProfile: "*"no-such-profile"* ]]
        [ ! -e "$T/root/asks" ]
      done
      rm -rf "$T/asks"
    done
    b=$(CMD='sleep 100' bundle runs 'del(.process.apparmorProfile)')
    POLICY=restricted oh run --detach --bundle "$b" runs >/dev/null 2>&1 </dev/null
    run oh exec --apparmor no-such-profile runs true
    echo "$runtime exec: $output"
    [ "$status" -eq 255 ]
    [[ "$output" == *OH-AAR-* ]]
    run oh exec runs true
    [ "$status" -eq 0 ]
    oh delete --force runs
    rm -rf "$T/runs"
  done
}

@test "what AppArmor cannot do here is recorded where it is preferred, and refused where it is required" {
  [ ! -e /sys/kernel/security/apparmor/profiles ] || return 0
  b=$(CMD=true bundle plain 'del(.process.apparmorProfile)')
  POLICY=baseline run oh run --bundle "$b" plain
  [ "$status" -eq 0 ]
  jq -s 'map(.oci_harden.journal[]? | select(.rule == "OH-AAR-003")) | length' "$T/events.json" | grep -qx '[1-9].*'
  jq -n '{extends: "baseline", apparmor: {mode: "require"}}' >"$T/policies/require.json"
  POLICY=require run oh create --bundle "$b" plain
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *OH-AAR-002* ]]
}

# node DIR: the root of a host whose kernel has AppArmor on, as its securityfs shows it.
node() {
  mkdir -p "$1/sys/kernel/security/apparmor/features"/{policy,file,caps,domain} "$1/var/cache"
  echo 'docker-default (enforce)' >"$1/sys/kernel/security/apparmor/profiles"
  echo yes >"$1/sys/kernel/security/apparmor/features/policy/set_load"
  echo 'create read write exec append mmap_exec link lock' >"$1/sys/kernel/security/apparmor/features/file/mask"
  echo 0x1ffffff >"$1/sys/kernel/security/apparmor/features/caps/mask"
  echo yes >"$1/sys/kernel/security/apparmor/features/domain/change_profile"
}

@test "profiles are compiled for a host whose root is mounted here: by its features, into its cache, and once" {
  local cache
  node "$T/node"
  cache=$T/node/var/cache/oci-harden/apparmor
  run "$CTL" apparmor status --root "$T/node"
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"cache       $cache/"* ]]
  [ "$(grep -c 'run hardenctl apparmor compile' <<<"$output")" -eq 3 ]
  run "$CTL" apparmor compile --root "$T/node" --if-missing
  echo "$output"
  [ "$status" -eq 0 ]
  [ "${#lines[@]}" -eq 3 ]
  for file in "${lines[@]}"; do # named as the node knows them
    [[ "$file" == /var/cache/oci-harden/apparmor/* ]]
    [ -s "$T/node$file" ]
  done
  [ -z "$(find "$cache" -not -type l -perm /077)" ]
  run "$CTL" apparmor status --root "$T/node"
  [ "$status" -eq 0 ]
  [ "$(grep -c ': compiled, not loaded$' <<<"$output")" -eq 3 ]
  # Nothing where all are there; all of them where one is not, or may be written by others.
  find "$T/node" -printf '%p %T@ %i\n' | sort >"$T/before"
  run "$CTL" apparmor compile --root "$T/node" --if-missing
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  find "$T/node" -printf '%p %T@ %i\n' | sort | diff "$T/before" -
  chmod 666 "$T/node$file"
  [ "$("$CTL" apparmor compile --root "$T/node" --if-missing | wc -l)" -eq 3 ]
  # A kernel of other features has a directory of its own.
  echo yes >"$T/node/sys/kernel/security/apparmor/features/domain/stack"
  rm "$cache"/kernel-*
  [ "$("$CTL" apparmor compile --root "$T/node" --if-missing | wc -l)" -eq 3 ]
  [ "$(find "$cache" -mindepth 1 -type d | wc -l)" -eq 2 ]
  # Its links are its own, also those that begin at the root.
  node "$T/linked"
  mkdir -p "$T/linked/data"
  rmdir "$T/linked/var/cache"
  ln -s /data "$T/linked/var/cache"
  run "$CTL" apparmor compile --root "$T/linked"
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "${lines[0]}" == /data/oci-harden/apparmor/* ]]
  [ -s "$T/linked${lines[0]}" ]
  "$CTL" apparmor status --root "$T/linked"
}

@test "install and status tell what a host whose root is mounted here lacks" {
  local want="note: AppArmor is on, and profiles of ours are not compiled for this kernel: containers that need one are refused; run hardenctl apparmor compile --root $T/node"
  node "$T/node"
  mkdir -p "$T/node/etc/docker" "$T/node/usr/bin"
  printf '#!/bin/sh\n' >"$T/node/usr/bin/dockerd"
  chmod 755 "$T/node/usr/bin/dockerd"
  echo '{}' >"$T/node/etc/docker/daemon.json"
  run "$CTL" install --root "$T/node" --engine docker --copy --bin-dir /opt/bin
  echo "$output"
  [ "$status" -eq 0 ]
  [ "${lines[-1]}" = "$want" ]
  run "$CTL" status --root "$T/node" --engine docker
  [ "${lines[-1]}" = "$want" ]
  "$CTL" apparmor compile --root "$T/node"
  run "$CTL" status --root "$T/node" --engine docker
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" != *AppArmor* ]]
}

@test "what no profile can be compiled for is told, and nothing is made" {
  told() { # told TEXT ARGUMENT...
    run "$CTL" apparmor compile "${@:2}"
    echo "$output"
    [ "$status" -eq 2 ]
    [[ "$output" == *"$1"* ]]
  }
  mkdir -p "$T/image/var/cache" "$T/hidden/sys/module/apparmor/parameters" "$T/hidden/var/cache"
  told "$T/image: AppArmor is not in this kernel" --root "$T/image"
  echo Y >"$T/hidden/sys/module/apparmor/parameters/enabled"
  told "$T/hidden: AppArmor is on, but its list of profiles cannot be read" --root "$T/hidden" --if-missing
  told "cannot open the root directory $T/none" --root "$T/none"
  node "$T/node"
  told '--if-missing is about the running kernel' --root "$T/node" --if-missing --features "$T/node/sys/kernel/security/apparmor/features"
  rm -r "$T/node/var/cache" # not a directory, so that nothing can be written
  touch "$T/node/var/cache"
  told "\"/var/cache/oci-harden/apparmor\" in the rootfs passes through something that is not a directory" --root "$T/node"
  [ -z "$(find "$T" -path '*oci-harden/apparmor*')" ]
  # What the wrapper would not load is not done: a directory that others may write stays as it is, for its owner to judge.
  node "$T/open"
  install -d -m 777 "$T/open/var/cache/oci-harden/apparmor"
  told "$T/open/var/cache/oci-harden/apparmor is not trusted: owner 0, mode 0777" --root "$T/open"
  told 'is not trusted' --root "$T/open" --if-missing
  # For an image, from the features of the kernel that it will run under; no kernel is known by it yet.
  rm "$T/node/var/cache"
  [ "$("$CTL" apparmor compile --root "$T/image" --features "$T/node/sys/kernel/security/apparmor/features" | wc -l)" -eq 3 ]
  [ -z "$(find "$T/image" -name 'kernel-*')" ]
}
