#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# VM: apparmor selinux
# WHY: AppArmor, SELinux
# Programs as Debian packages them, which know nothing of profiles or labels: they work, and the kernel logs no denial.
# shellcheck disable=SC2016 # programs for the shell of a container
load ../integration/helper

IMAGE=/oh/image
PATHS=PATH=/usr/sbin:/usr/bin

setup_file() {
  [ "$VM" != selinux ] || chcon -R system_u:object_r:container_ro_file_t:s0 "$IMAGE"
}

setup() {
  oh_setup
  for policy in baseline restricted; do
    case $VM in
    selinux) jq -n --arg p "$policy" '{extends: $p, apparmor: {action: "off"}, selinux: {mode: "require"}}' ;;
    *) jq -n --arg p "$policy" '{extends: $p, apparmor: {mode: "require"}}' ;;
    esac >"$T/policies/lsm-$policy.json"
  done
  chmod 600 "$T"/policies/*
  dmesg -c >/dev/null
}
teardown() { oh_teardown; }

# image RUNTIME POLICY ID UID ARGS: a container of the image that stays. Its streams are pipes: files and devices of the host's
# are out of its reach.
image() {
  local id=$3 b=$T/$3
  oh_config "$1"
  export POLICY=lsm-$2
  mkdir -p "$b"
  jq --arg root "${ROOTFS:-$IMAGE}" --argjson uid "$4" --argjson args "$5" --arg path "$PATHS" --arg group "/oh-$(basename "$T")-$id" '
    .process.args = $args | .process.env = [$path] | .process.cwd = "/" | .process.user = {uid: $uid, gid: $uid} | .root = {path: $root}
    | .linux.cgroupsPath = $group | .ociVersion = "1.0.2" | del(.hooks, .process.apparmorProfile) | .mounts |= map(select(.type != "bind"))' \
    "$ROOT/tests/fixtures/docker-28/default.json" >"$b/config.json"
  oh create --bundle "$b" "$id" < <(:) > >(cat >"$T/$id.out") 2>&1 3>&- || { cat "$T/$id.out"; return 1; }
  oh start "$id"
}

# inside ID UID COMMAND [ARG...]: by the image's shell.
inside() {
  local id=$1 uid=$2
  shift 2
  (set -o pipefail; oh exec --user "$uid" --env "$PATHS" "$id" bash -ec "$@" < <(:) 2>&1 | cat)
}

# confined OUTPUT NAME: it shows our profile NAME, or container_t.
confined() {
  case $VM in
  selinux) [[ "$1" == *system_u:system_r:container_t:s0:c* ]] ;;
  *) [[ "$1" == *oci-harden-"$2"-*" (enforce)"* ]] ;;
  esac
}

no_denial() {
  run grep -E 'apparmor="DENIED"|avc: +denied' <(dmesg)
  echo "$output"
  [ "$status" -eq 1 ]
}

GET='until busybox wget -qO- "http://127.0.0.1:$1/"; do sleep 0.2; [ $((n += 1)) -lt 50 ]; done; cat /proc/self/attr/current'

@test "nginx serves under restricted, as www-data, by runc and crun" {
  for runtime in runc crun; do
    image "$runtime" restricted "web-$runtime" 33 '["nginx", "-c", "/etc/nginx/unprivileged.conf", "-g", "daemon off;"]'
    run inside "web-$runtime" 33 "$GET" get 8080
    echo "$output"
    [[ "$output" == *welcome* ]]
    confined "$output" restricted
    oh delete --force "web-$runtime"
  done
  no_denial
}

@test "nginx as root, and a package installed by apt, work under baseline" {
  ROOTFS=$T/writable
  cp -a "$IMAGE" "$ROOTFS"
  [ "$VM" != selinux ] || chcon -R system_u:object_r:container_file_t:s0 "$ROOTFS"
  image runc baseline base 0 '["nginx", "-g", "daemon off;"]'
  # Its workers have left root.
  run inside base 0 "$GET"'; echo; grep -h ^Uid: /proc/[0-9]*/status' get 80
  echo "$output"
  [[ "$output" == *welcome*33*33*33*33* ]]
  confined "$output" baseline
  run inside base 0 'apt-get install -y /root/greeting.deb; greeting; dpkg-query -W -f "\${Status}\n" greeting; dpkg --remove greeting; ! greeting'
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *hello*configured*"install ok installed"*Removing* ]]
  no_denial
}

JOB='set -uo pipefail
  cd /tmp; mkdir -p in out; seq 1 200 | sed "s/$/ line/" >in/numbers; head -c 2000 /dev/urandom >in/bytes; ln -s in/numbers link; mkfifo pipe
  (tail -n 100 link | awk "{ s += \$1 } END { print s }" >pipe &); read -r sum <pipe; [ "$sum" = 15050 ]
  tar -cf - in | gzip | tee copy.tgz | gzip -d | tar -xf - -C out; diff -r in out/in
  find out -type f -exec stat -c "%s %n" {} + | sort -n | cut -d" " -f2 | xargs wc -c >sizes; [ "$(wc -l <sizes)" = 3 ]
  sleep 100 & kill -TERM $!; wait $! || [ $? = 143 ]
  [ "$(id -u)" = "$1" ]; [ -r /proc/meminfo ]; chmod 600 sizes; rm -r out; echo done; cat /proc/self/attr/current'

@test "a shell's job runs under restricted, as root and as a user, by runc and crun" {
  for case in "runc 0" "crun 1000"; do
    read -r runtime uid <<<"$case"
    image "$runtime" restricted "job-$runtime" "$uid" '["sleep", "100"]'
    run inside "job-$runtime" "$uid" "$JOB" job "$uid"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *done* ]]
    confined "$output" restricted
    oh delete --force "job-$runtime"
  done
  no_denial
}
