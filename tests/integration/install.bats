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
  [ "$(jq -r .hook.path "$T/dest/usr/share/containers/oci/hooks.d/oci-harden.json")" = /usr/sbin/oci-harden-hook ]
  man -l "$T/dest/usr/share/man/man5/oci-harden-policy.5" | grep -q no-new-privileges
  make -C "$ROOT" --no-print-directory BUILD="$BUILD" DESTDIR="$T/dest" PREFIX=/usr uninstall >/dev/null
  [ -z "$(find "$T/dest" -not -type d)" ]
}

@test "uninstall: not while an engine or a container needs it, but by FORCE=1" {
  config_for_engine
  mount -t tmpfs tmpfs /var/cache # `make uninstall` is for this machine, without DESTDIR
  prefix() { make -C "$ROOT" --no-print-directory BUILD="$BUILD" PREFIX="$T/p" SYSCONFDIR="$T/etc" "$@"; }
  prefix install >/dev/null
  printf 'version = 2\n' >"$T/config.toml"
  "$T/p/sbin/hardenctl" install --engine containerd --file "$T/config.toml" >/dev/null
  b=$(CMD='sleep 100' bundle one)
  "$T/p/sbin/oci-harden" --config "$T/config.json" --root "$T/root" run -d --bundle "$b" left </dev/null >/dev/null 2>&1
  run prefix uninstall
  echo "$output"
  [ "$status" -ne 0 ]
  [[ "$output" == *"needed by containerd, as $T/config.toml says"*"needed by $T/root left"*"hardenctl uninstall first"* ]]
  "$T/p/sbin/hardenctl" uninstall --engine containerd >/dev/null
  # The container alone is enough.
  run prefix uninstall
  [ "$status" -ne 0 ]
  [ -x "$T/p/sbin/oci-harden" ]
  run "$T/p/sbin/hardenctl" status --needed
  [ "$status" -eq 1 ]
  [ "$output" = "needed by $T/root left" ]
  # Another directory's programs are none of them.
  prefix DESTDIR="$T/dest" install >/dev/null
  prefix DESTDIR="$T/dest" uninstall >/dev/null
  prefix uninstall FORCE=1 >/dev/null
  [ ! -e "$T/p/sbin/oci-harden" ]
  prefix install >/dev/null
  "$T/p/sbin/oci-harden" --config "$T/config.json" --root "$T/root" delete --force left
  prefix uninstall >/dev/null
  [ -z "$(find "$T/p" "$T/etc" -not -type d)" ]
  umount /var/cache
}

@test "each program tells version, commit and libraries; the wrapper's --version is the runtime's" {
  read -r _ commit <"$BUILD/.version"
  [[ "$commit" =~ ^[0-9a-f]{12}(-dirty)?$ ]]
  version=$(sed -n 's/^VERSION := //p' "$ROOT/Makefile")
  for program in hardenctl oci-harden-hook; do
    run "$BUILD/$program" --version
    [ "${lines[0]}" = "$program $version" ]
    [ "${lines[1]}" = "commit: $commit" ]
  done
  [[ $("$CTL" --version) == *"libseccomp $(dpkg-query -W -f '${Version}' libseccomp-dev), "*"glibc "* ]]
  oh --version >"$T/ours"
  bare --version >"$T/theirs"
  cmp "$T/ours" "$T/theirs"
  # What the wrapper cannot say for itself, its file does.
  run "$CTL" version
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == "$CTL $version"$'\n'"commit: $commit"* ]]
  [[ "$output" == *"$OH $version"$'\n'"commit: $commit"$'\n'"libraries: "*", musl $(dpkg-query -W -f '${Version}' musl-dev)"* ]]
  [[ "$output" == *"$BUILD/oci-harden-hook $version"* ]]
  ln -s "$OH" "$T/oci-harden-strict"
  [ "$("$CTL" version --json "$T/oci-harden-strict" | jq -r .commit)" = "$commit" ]
  "$CTL" --config "$T/config.json" doctor | grep "^ok  *version: oci-harden $version, commit $commit"
}

@test "a program names every library that the linker took something from" {
  local program archive name
  for program in hardenctl oci-harden oci-harden-hook; do
    [ -e "$BUILD/$program.map" ] || continue # of a build for coverage, whose wrapper is another
    libraries=$("$CTL" version --json "$BUILD/$program" | jq -c '.libraries | keys')
    echo "$program: $libraries"
    while read -r archive; do
      name=$(basename "$archive" .a)
      case $archive in
      */libharden.a | */libgcov.a) continue ;;
      *-musl/libc.a) name=musl ;;
      */libc.a | */libm-*.a | */libmvec.a) name=glibc ;;
      */libgcc_eh.a) name=libgcc ;;
      esac
      jq -e --arg name "$name" 'index($name) != null' <<<"$libraries" >/dev/null || { echo "$archive"; false; }
    done < <(grep -oE '^/?[^ (]+\.a\(' "$BUILD/$program.map" | tr -d '(' | sort -u)
  done
  "$CTL" version --json "$CTL" | jq -e '.libraries | .libyaml and .libgcc and (has("musl") | not)'
}

@test "version: another build beside it is a finding, what is not ours is an error" {
  mkdir "$T/bin"
  cp "$CTL" "$OH" "$BUILD/oci-harden-hook" "$T/bin"
  # A build of another commit: the same length, elsewhere nothing changed.
  sed -i 's/"commit":"[0-9a-z]\{4\}/"commit":"0ld0/' "$T/bin/oci-harden"
  run "$T/bin/hardenctl" version
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"commit: 0ld0"*"not of one build"* ]]
  run "$T/bin/hardenctl" --config "$T/config.json" doctor
  [[ "$output" == *"version: $T/bin/oci-harden is "*"commit 0ld0"*"another build"* ]]
  : >"$T/empty"
  head -c 100 "$OH" >"$T/cut"
  mkfifo "$T/fifo"
  for file in "$RUNTIME_PATH" "$T/empty" "$T/cut" "$T/fifo" "$T/bin" "$T/missing"; do
    run timeout 5 "$CTL" version "$file"
    echo "$output"
    [ "$status" -eq 2 ]
    [[ "$output" == "hardenctl: $file: "* ]]
  done
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
