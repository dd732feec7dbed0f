# SPDX-License-Identifier: Apache-2.0
# Stages attacks as bundles: `load` after the integration tests' helper.
#
# For all: CMD is what the container's shell runs, ROOTFS a shell command that is run in the rootfs before.

# The standard input of containers is not /dev/null, which crun would give to the container's user, but $T/empty.
# staged NAME JQ: a bundle, changed so. Prints its path.
staged() {
  local b
  : >"$T/empty"
  b=$(CMD=${CMD:-true} bundle "$1" "$2")
  [ -z "${ROOTFS-}" ] || (cd "$b/rootfs" && eval "$ROOTFS")
  printf '%s\n' "$b"
}

# staged_for POLICY: the staged config, in $T/staged, as it is tried under a policy; prints its path. strict refuses root for
# being root, which would hide the reason that is looked for.
staged_for() {
  if [ "$1" != strict ] || [ -z "${POLICIES-}" ]; then
    echo "$T/staged"
    return
  fi
  jq '.process.user = {uid: 1000, gid: 1000}' "$T/staged" >"$T/staged.user"
  echo "$T/staged.user"
}

# attack RULE JQ [RUNTIME...]: the bundle, changed so, is refused for that reason whatever the runtime, and stays as it was;
# under $POLICY, or under each of $POLICIES.
attack() {
  local rule=$1 jq=$2 b before out code runtime policy
  shift 2
  n=$((${n:-0} + 1))
  if [ -n "${ROOTFS-}" ]; then
    b=$(staged "a$n" "$jq")
  else # one rootfs is enough for those that leave it alone
    b=$T/plain
    [ -e "$T/plain.json" ] || { staged plain . >/dev/null && cp "$b/config.json" "$T/plain.json"; }
    jq "$jq" "$T/plain.json" >"$b/config.json"
  fi
  cp "$b/config.json" "$T/staged"
  for runtime in "${@:-runc}"; do
    oh_config "$runtime"
    for policy in ${POLICIES:-$POLICY}; do
      before=$(staged_for "$policy")
      cp "$before" "$b/config.json"
      code=0
      out=$(POLICY=$policy oh run --bundle "$b" "a$n" 2>&1 <"$T/empty") || code=$?
      if [ "$code" -ne 1 ] || [[ "$out" != "oci-harden: "*"($rule)" ]]; then
        echo "$rule by $runtime under $policy, $jq: $code $out"
        return 1
      fi
      cmp "$b/config.json" "$before" && [ ! -e "$b/config.engine.json" ] || return 1
    done
  done
}

# succeeds RUNTIME TEXT JQ: the control; the bare runtime lets it through, and the container says TEXT. UNLESS is what a newer
# one says that stops it by itself.
succeeds() {
  local b out
  n=$((${n:-0} + 1))
  b=$(staged "b$n" "$3")
  oh_config "$1"
  out=$(bare run --bundle "$b" "b$n" 2>&1 <"$T/empty") || true
  [[ "$out" == *"$2"* || (-n "${UNLESS-}" && "$out" == *"$UNLESS"*) ]] || { echo "the bare $1: $out"; return 1; }
}

# no_longer RUNTIME TEXT JQ: the bare runtime of today stops it by itself.
no_longer() {
  ! succeeds "$@" || { echo "the bare $1 lets it through"; return 1; }
}

# harmless TEXT JQ [RUNTIME...]: under each of $POLICIES, whether refused or run, the container does not say TEXT.
harmless() {
  local text=$1 jq=$2 b out runtime policy
  shift 2
  n=$((${n:-0} + 1))
  b=$(staged "h$n" "$jq")
  cp "$b/config.json" "$T/staged"
  for runtime in "${@:-runc}"; do
    oh_config "$runtime"
    for policy in $POLICIES; do
      cp "$(staged_for "$policy")" "$b/config.json"
      out=$(POLICY=$policy oh run --bundle "$b" "h$n-$policy" 2>&1 <"$T/empty") || true
      [[ "$out" != *"$text"* ]] || { echo "$runtime under $policy, $jq: $out"; return 1; }
    done
  done
}

mount_of() { # mount_of TYPE DESTINATION [SOURCE [OPTIONS]]: a jq program that adds it
  printf '.mounts += [{type: "%s", destination: "%s", source: "%s", options: %s}]' "$1" "$2" "${3:-$1}" "${4:-[]}"
}
bind() { mount_of bind "$2" "$1" '["rbind", "rw"]'; }
