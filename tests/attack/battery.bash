# SPDX-License-Identifier: Apache-2.0
# Runs the probe in real containers: `load` after the integration tests' helper, then battery_run FILE.
#
# FILE gets a line for each primitive and container: column, primitive, verdict, detail. A column is
# runtime-policy-verb. `docker` is the bare runtime with docker's default config; `mapped` that config with a user namespace of
# ours and nothing else; `unmapped` a policy without that namespace; `unconfined` docker's config with every
# capability of this machine, no filter, no masks, every device: what it does not reach, this machine does not have.
# PRIMITIVES, a JSON array, names those that are tried; all by default. LABEL, where it is set, is what SELinux is to know a
# container's files by.

# By number, as <linux/capability.h> has them.
CAPABILITIES=(CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
  NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT
  SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
  WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE)

# every_capability: those that this machine gives, as a JSON object of the five sets.
every_capability() {
  local mask i names=()
  mask=0x$(sed -n 's/^CapBnd:\t//p' /proc/self/status)
  for i in "${!CAPABILITIES[@]}"; do
    (((mask >> i) & 1)) && names+=("CAP_${CAPABILITIES[i]}")
  done
  printf '%s\n' "${names[@]}" | jq -Rn '[inputs] as $all | {bounding: $all, effective: $all, permitted: $all, inheritable: $all, ambient: $all}'
}

# shellcheck disable=SC2016 # a program for jq
UNCONFINED='.process.capabilities = $caps | del(.linux.seccomp, .process.apparmorProfile)
  | .linux.maskedPaths = [] | .linux.readonlyPaths = [] | .linux.resources.devices = [{allow: true, access: "rwm"}]
  | .mounts |= map(.options -= ["ro", "nosuid", "nodev", "noexec"])'

# battery_bundle NAME JQ: a bundle that runs the probe, with what the primitives attack.
battery_bundle() {
  local b attack ns
  b=$(CMD=true bundle "$1")
  attack=$b/rootfs/attack
  mkdir -m 755 "$attack"
  cp "$BUILD/helpers/probe" "$attack/probe"
  for name in setuid setgid filecap; do cp "$attack/probe" "$attack/$name"; done
  chown 4242:4242 "$attack/setuid" "$attack/setgid"
  chmod 4755 "$attack/setuid"
  chmod 2755 "$attack/setgid"
  # cap_net_bind_service, which every policy leaves in the bounding set: permitted and effective.
  setcap cap_net_bind_service=ep "$attack/filecap"
  install -d -m 700 "$attack/private"
  echo secret >"$attack/private/file"
  chmod 600 "$attack/private/file"
  chown -R 4242:4242 "$attack/private"
  for ns in user cgroup; do echo "$ns $(stat -L -c %i /proc/self/ns/$ns)"; done >"$attack/host-namespaces"
  i386_program "$attack/i386"
  jq --argjson caps "$CAPS" --argjson names "${PRIMITIVES:-[]}" ".process.args = [\"/attack/probe\", \"--stay\"] + \$names | .process.cwd = \"/\" | $2" "$b/config.json" >"$T/config.new"
  mv "$T/config.new" "$b/config.json"
  printf '%s\n' "$b"
}

# battery_collect COLUMN OUTPUT: what a probe printed, as lines of the result.
battery_collect() {
  [ "$(tail -n 1 "$2")" = end ] || { echo "$1: the probe did not come to its end:"; tail -n 3 "$2" "$2.err"; return 1; } >&2
  sed "\$d; s/^/$1\t/" "$2"
}

# battery_stream FILE: FILE is written by what is written to fd $stream. A container that SELinux confines writes to no file of
# the host's, but to a pipe.
battery_stream() {
  # shellcheck disable=SC2094
  if [ -n "${LABEL-}" ]; then exec {stream}> >(cat >"$1"); else exec {stream}>"$1"; fi
}

# battery_column RUNTIME POLICY [JQ]: one container, its config changed so, probed by its own process and by one executed in it.
battery_column() {
  local runtime=$1 policy=$2 id=$1-$2 call=oh change=${3:-.} b user='{"uid": 0, "gid": 0}' keep=()
  oh_config "$runtime"
  POLICY=$policy # what oh() asks for
  case $policy in
  docker) call=bare ;;
  unconfined) call=bare change+=" | $UNCONFINED" keep=(--preserve-fds 1) ;;
  strict-unmapped*) user='{"uid": 1000, "gid": 1000}' ;; # root is refused
  esac
  b=$(battery_bundle "$id" "$change | .process.user = $user")
  # Not /dev/null: crun gives its standard streams to the container's user.
  [ -z "${LABEL-}" ] || chcon -hR "$LABEL" "$b/rootfs"
  battery_stream "$T/$id.create"
  "$call" create "${keep[@]}" --bundle "$b" "$id" 3<"$T" <"$T/empty" >&"$stream" {stream}>&- 2>"$T/$id.create.err" || { cat "$T/$id.create.err"; return 1; } >&2
  "$call" start "$id" {stream}>&-
  exec {stream}>&-
  wait_for 60 grep -q '^end$' "$T/$id.create"
  battery_collect "$id-create" "$T/$id.create"
  if [ "$policy" != unconfined ]; then
    jq -n --argjson caps "$CAPS" --argjson names "${PRIMITIVES:-[]}" --argjson user "$user" '{args: (["/attack/probe"] + $names), cwd: "/", env: ["PATH=/bin"], user: $user,
      terminal: false, noNewPrivileges: false, capabilities: $caps}' >"$T/process.json"
    battery_stream "$T/$id.exec"
    "$call" exec --process "$T/process.json" "$id" <"$T/empty" >&"$stream" {stream}>&- 2>"$T/$id.exec.err" || { cat "$T/$id.exec.err"; return 1; } >&2
    exec {stream}>&-
    wait_for 60 grep -q '^end$' "$T/$id.exec"
    battery_collect "$id-exec" "$T/$id.exec"
  fi
  "$call" delete --force "$id"
  rm -rf --one-file-system "$b"
}

# battery_policies: those that are not built in.
battery_policies() {
  local policy
  jq -n '{"user-namespace": {action: "harden", mode: "require"}}' >"$T/policies/mapped.json"
  for policy in restricted strict; do
    jq -n "{extends: \"$policy\", \"user-namespace\": {mode: \"off\"}}" >"$T/policies/$policy-unmapped.json"
  done
}

battery_run() {
  local runtime policy
  : >"$T/empty"
  CAPS=$(every_capability)
  battery_policies
  battery_column runc unconfined >"$1"
  for runtime in runc crun; do
    for policy in docker mapped baseline restricted-unmapped restricted strict-unmapped strict; do
      battery_column "$runtime" "$policy" >>"$1" || return 1
    done
  done
}
