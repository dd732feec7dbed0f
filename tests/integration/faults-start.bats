#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# LONG
# Every system call fails in turn, or is the last: of a start, and of a create with a user namespace.
load helper
load faults

@test "whatever call of a create with a user namespace fails, it has one, or none as its policy says, or is refused" {
  use fault ".cacheDir = \"$T/cache\""
  rich_bundle
  mapped_policy() { echo "{\"extends\": \"restricted\", \"user-namespace\": {\"mode\": \"$1\"}}" >"$T/policies/$1.json"; }
  mapped_policy off
  mapped_policy auto
  mapped_policy require
  POLICY=off walk tell create --bundle "$b" c1
  cp "$T/walked" "$T/instead"
  mounted=$(wc -l </proc/self/mountinfo)
  cat >"$T/check" <<EOF
[ \$(wc -l </proc/self/mountinfo) -eq $mounted ] || echo 'a mount is left'
if [ \$1 = started ]; then rm -rf --one-file-system "$T/maps"; elif [ -e "$T/maps" ]; then find "$T/maps" -mindepth 2; fi
EOF
  CHECK=". $T/check"
  STEP=${OH_MAP_STEP:-24} POLICY=require walk "error kill" create --bundle "$b" c1
  STEP=${OH_MAP_STEP:-24} POLICY=auto INSTEAD=$T/instead walk "error stuck" create --bundle "$b" c1
}

# A container that waits for its start: PREPARE makes it where it is not there any more, CHECK looks at what a start has
# left. created [NAME=VALUE...]: what its create has in its environment besides.
created() {
  use fault ".cacheDir = \"$T/cache\""
  FAULT_RUNTIME=$(command -v runc)
  export FAULT_RUNTIME
  b=$(CMD='sleep 600' bundle one '.process.noNewPrivileges = false')
  cat >"$T/prepare" <<EOF
exec >"$T/prepared" 2>&1 </dev/null
[ -e "$T/root/c1/exec.fifo" ] && read -r pid <"$T/pid" && [ -e "/proc/\$pid/exe" ] && exit 0
runc --root "$T/root" delete --force c1
rm -rf "$T/state" "$b.weak"
$* "$OH" --config "${CREATOR:-$T/config.json}" --policy $POLICY --root "$T/root" create --bundle "$b" --pid-file "$T/pid" c1
EOF
  cat >"$T/check" <<EOF
read -r pid <"$T/pid"
case \$1 in
started) [ -e "$T/root/c1/exec.fifo" ] && [ -e "/proc/\$pid/exe" ] || echo 'the container does not wait' ;;
refused)
  if [ -e "$T/root/c1/exec.fifo" ]; then
    while read -r key value; do case \$key in State:) state=\$value ;; TracerPid:) tracer=\$value ;; esac; done <"/proc/\$pid/status"
    case \$state in [RSD]*) ;; *) echo "it does not wait: \$state" ;; esac
    [ "\$tracer" = 0 ] || echo "it is traced by \$tracer"
    exit 3
  fi
  [ ! -e "/proc/\$pid/exe" ] || echo "its process \$pid lives"
  for left in "$T"/root/* "$T"/state/* /sys/fs/cgroup/*/oh-\${T##*/}-one /sys/fs/cgroup/oh-\${T##*/}-one; do
    [ ! -e "\$left" ] || echo "\$left is left"
  done
  while read -r line; do case \$line in *" $b"*) echo "mounted: \$line" ;; esac; done </proc/self/mountinfo ;;
esac
EOF
  PREPARE="sh $T/prepare"
  CHECK=". $T/check"
}

@test "whatever call of a start fails, what was created as promised is started as proved, or refused and nothing left" {
  POLICY=restricted
  created
  STEP=${OH_START_STEP:-24} walk "error stuck kill" start c1
  # Cache and events are all that a start writes.
  walk unwritable start c1
  grep -q ': 0 refused,' "$T/walked"
}

@test "what was not created as promised is not started whatever call fails" {
  oh_config runc ".runtimes = [{path: \"$BUILD/helpers/weak-runtime\", type: \"runc\"}]"
  cp -p "$T/config.json" "$T/weak.json"
  CREATOR=$T/weak.json
  # Each weakness has calls of its own, so that together they have had as many as one alone.
  local weak n=0 step=${OH_START_STEP:-48}
  for weak in '.process.noNewPrivileges = false' 'del(.linux.seccomp)' '.linux.maskedPaths = []' '.root.readonly = false' \
    '.process.capabilities.bounding += ["CAP_SYS_ADMIN"]' '.linux.namespaces |= map(select(.type != "ipc"))' fd; do
    created "WEAK_RUNTIME=$(command -v runc)" "$([ "$weak" = fd ] && echo WEAK_FD=1 || echo "WEAK_JQ='$weak'")"
    STEP=$step FROM=$((step == 1 ? 0 : 7 * n++)) ERRORS=1 walk "error kill" start c1
    grep -q 'refused undisturbed' "$T/walked"
    runc --root "$T/root" delete --force c1 2>/dev/null || true
  done
}
