#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# LONG
# The tarball is the same wherever it is made, and builds without git; the Debian package comes and goes without a trace.
load helper
bats_require_minimum_version 1.5.0

setup_file() {
  DEB=$(mktemp -d "${BATS_TMPDIR:-/tmp}/oh-deb.XXXXXX")
  COMMIT=$(git -C "$BATS_TEST_DIRNAME" rev-parse --short=12 HEAD)
  export DEB COMMIT
}
teardown_file() {
  rm -rf "$DEB"
}
setup() {
  oh_setup
  VERSION=$(sed -n 's/^VERSION := //p' "$ROOT/Makefile")
}
teardown() {
  mountpoint -q "$T/host" && umount -l "$T/host"
  mountpoint -q "$T/layers" && umount -l "$T/layers"
  oh_teardown
}

@test "dist: the same bytes from other directories, users' settings and times" {
  git clone -q "$ROOT" "$T/one"
  (umask 077 && git clone -q "$ROOT" "$T/a directory of another name")
  cd "$T/one"
  TZ=Pacific/Kiritimati make --no-print-directory dist BUILD="$T/first"
  cd "$T/a directory of another name"
  git config tar.umask 0
  git config core.autocrlf true
  touch -d '2001-01-01' README.md
  tools/dist "$VERSION" "$T/second"
  cmp "$T/first/dist/SHA256SUMS" "$T/second/SHA256SUMS"
  (cd "$T/second" && sha256sum --check SHA256SUMS)
  run tar -tvf "$T/second/oci-harden-$VERSION.tar.xz"
  [ "$(grep -cv '^[-dl]rwx*r-xr-x root/root \|^-rw-r--r-- root/root ' <<<"$output")" -eq 0 ]
  # What is in it is what git has, and only the commit was written into it.
  tar -C "$T" -xf "$T/second/oci-harden-$VERSION.tar.xz"
  run diff -rq --exclude=.git "$T/one" "$T/oci-harden-$VERSION"
  [ "$output" = "Files $T/one/tools/version and $T/oci-harden-$VERSION/tools/version differ" ]
  [ "$("$T/oci-harden-$VERSION/tools/version" commit)" = "$COMMIT" ]
}

@test "deb: builds from the tarball without git, and lintian finds nothing" {
  [ "$(dpkg-parsechangelog -l "$ROOT/debian/changelog" -S Version)" = "$VERSION" ]
  (cd "$ROOT" && DEB_BUILD_OPTIONS=nocheck make --no-print-directory deb BUILD="$DEB") >"$T/log" 2>&1 || { cat "$T/log"; false; }
  # What is below it is not the next build's: a directory called logrotate.d is no list of dependencies.
  make -C "$ROOT" --no-print-directory BUILD="$DEB" help >/dev/null
  dpkg-deb -x "$DEB"/deb/oci-harden_"$VERSION"_amd64.deb "$T/package"
  run "$T/package/usr/sbin/hardenctl" version
  echo "$output"
  [ "$(grep -c "^commit: $COMMIT$" <<<"$output")" -eq 3 ]
  # The same build as ours, but for what Debian's own flags make of it: it works.
  b=$(CMD='grep ^NoNewPrivs /proc/self/status' bundle one)
  run "$T/package/usr/sbin/oci-harden-restricted" --config "$T/config.json" --root "$T/root" run --bundle "$b" deb
  [[ "$output" == *"NoNewPrivs:"*1* ]]
  # For an engine that reads hooks by itself there is one, which no container gets that does not ask for it.
  [ "$(find "$T/package/usr/share/containers/oci/hooks.d" -type f | wc -l)" -eq 1 ]
  [ "$(jq -c .when "$T/package/usr/share/containers/oci/hooks.d/oci-harden.json")" = '{"annotations":{"^oci-harden\\.policy$":"."}}' ]
  for page in hardenctl.1 oci-harden.8 oci-harden-strict.8 oci-harden-hook.8 oci-harden-policy.5; do
    [ -e "$T/package/usr/share/man/man${page##*.}/$page.gz" ]
  done
  dpkg-deb -f "$DEB"/deb/oci-harden_"$VERSION"_amd64.deb Built-Using | grep -q "libseccomp (= .*nettle (="
}

# host: this machine's own root file system below $T/host, with its dpkg, in a layer that is thrown away.
host() {
  mkdir "$T/layers" "$T/host"
  mount -t tmpfs -o mode=700 tmpfs "$T/layers"
  mkdir "$T/layers/upper" "$T/layers/work"
  mount -t overlay -o "lowerdir=/,upperdir=$T/layers/upper,workdir=$T/layers/work" overlay "$T/host"
  mount --bind /proc "$T/host/proc"
  mount --bind /dev "$T/host/dev"
  mkdir -p "$T/host/var/tmp"
  cp "$DEB"/deb/oci-harden_"$VERSION"_amd64.deb "$T/host/var/tmp/oci-harden.deb"
}

# changed: what of the host's files is other than before, without what every call of dpkg writes.
changed() {
  (cd "$T/layers/upper" && find . ! -type d) | grep -vE '^\./(var/tmp/oci-harden\.deb|var/lib/dpkg/(status(-old)?|available|lock(-frontend)?|diversions|triggers/.*)|var/log/dpkg\.log|var/log/alternatives\.log|var/cache/(ldconfig|man)/.*|etc/ld\.so\.cache)$' | sort || true
}

@test "deb: the libraries that a build needs are those that the package asks for" {
  read -ra needed < <(sed -n 's/^  build) echo \(.*\) ;;$/\1/p' "$ROOT/tools/install-deps")
  for package in "${needed[@]}"; do
    case $package in gcc | libc6-dev) continue ;; esac # build-essential's
    grep -qE "^               $package,?$" "$ROOT/debian/control" || { echo "debian/control: no $package"; false; }
  done
}

@test "deb: installed, used, removed and purged on a copy of this host" {
  host
  run chroot "$T/host" dpkg -i /var/tmp/oci-harden.deb
  echo "$output"
  [ "$status" -eq 0 ]
  [ "$(chroot "$T/host" dpkg --verify oci-harden)" = '' ]
  chroot "$T/host" hardenctl version | grep -q "commit: $COMMIT"
  # No engine was told of it.
  changed | run ! grep -E '^./etc/(docker|containerd|crio|containers)/'
  for trace in var/log/oci-harden/events.json var/cache/oci-harden/apparmor/x etc/oci-harden/policies/mine.json; do
    mkdir -p "$T/host/${trace%/*}"
    echo '{}' >"$T/host/$trace"
  done
  # An engine that calls it keeps it there.
  mkdir -p "$T/host/etc/containerd"
  printf 'version = 2\n' >"$T/host/etc/containerd/config.toml"
  cp "$T/host/etc/containerd/config.toml" "$T/config.toml"
  chroot "$T/host" hardenctl install --engine containerd
  run chroot "$T/host" dpkg -r oci-harden
  echo "$output"
  [ "$status" -ne 0 ]
  [[ "$output" == *"needed by containerd, as /etc/containerd/config.toml says"*"run hardenctl uninstall first"* ]]
  chroot "$T/host" hardenctl uninstall --engine containerd
  cmp "$T/config.toml" "$T/host/etc/containerd/config.toml"
  run chroot "$T/host" dpkg -r oci-harden
  echo "$output"
  [ "$status" -eq 0 ]
  # The administrator's own and the record stay, what can be made anew goes.
  [ -e "$T/host/etc/oci-harden/policies/mine.json" ]
  [ -e "$T/host/var/log/oci-harden/events.json" ]
  [ ! -e "$T/host/var/cache/oci-harden" ]
  [ ! -e "$T/host/usr/sbin/oci-harden" ]
  run chroot "$T/host" dpkg -P oci-harden
  echo "$output"
  [ "$status" -eq 0 ]
  run changed
  echo "$output"
  [ "$output" = ./etc/containerd/config.toml ]
  [ -z "$(find "$T/host/etc/oci-harden" "$T/host/var/log/oci-harden" "$T/host/usr/share/oci-harden" 2>/dev/null)" ]
}

@test "logrotate and systemd-tmpfiles do what the snippets say" {
  host
  (umask 022 && mkdir -p "$T/host/var/log/oci-harden")
  cp "$ROOT/deploy/system/oci-harden.logrotate" "$T/host/etc/logrotate.d/oci-harden"
  chmod 644 "$T/host/etc/logrotate.d/oci-harden"
  chown 0:0 "$T/host/etc/logrotate.d/oci-harden"
  echo '{"n": 1}' >"$T/host/var/log/oci-harden/events.json"
  for _ in 1 2; do
    run chroot "$T/host" logrotate --force /etc/logrotate.d/oci-harden
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$output" = '' ]
    [ ! -e "$T/host/var/log/oci-harden/events.json" ]
    echo '{"n": 2}' >"$T/host/var/log/oci-harden/events.json"
  done
  [ "$(cat "$T/host/var/log/oci-harden/events.json.1")" = '{"n": 2}' ]
  [ "$(gzip -dc "$T/host/var/log/oci-harden/events.json.2.gz")" = '{"n": 1}' ]
  systemd-tmpfiles --create --root="$T/tmpfiles" "$ROOT/deploy/system/oci-harden.tmpfiles"
  [ "$(stat -c '%a %u:%g' "$T/tmpfiles/run/oci-harden" "$T/tmpfiles/var/log/oci-harden")" = "700 0:0"$'\n'"700 0:0" ]
}
