#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Ways out of a container that have a number, and what else a config and a bundle alone tell: refused by every policy that
# promises so, or harmless under it. The bare runtimes come first, where they still let it through.
load helper
load ../attack/stage

setup() {
  oh_setup
  POLICIES='baseline restricted strict'
  mkdir "$T/host" "$T/volume"
}
teardown() {
  local dir
  for dir in "$T/netns" "$T/nested/sub" "$T/nested"; do mountpoint -q "$dir" 2>/dev/null && umount "$dir"; done
  oh_teardown
}

# untouched: nothing of the attacks has come through to the host's directory.
untouched() { [ -z "$(ls -A "$T/host")" ]; }

@test "CVE-2024-21626: the working directory is a descriptor of the host" {
  local fd
  # Today's runtimes close their descriptors, so that a link to one is all that is left to show.
  ln -s ../proc/self/fd "$T/volume/fd"
  CMD='pwd' succeeds runc /proc/ ".process.cwd = \"/home/fd\" | $(bind "$T/volume" /home)"
  for fd in 3 7 8; do
    CMD='ls -d ../../../../sbin/init' no_longer runc /sbin/init ".process.cwd = \"/proc/self/fd/$fd\""
    attack OH-PRC-001 ".process.cwd = \"/proc/self/fd/$fd\"" runc crun
  done
  attack OH-PRC-001 ".process.cwd = \"/home/fd/7\" | $(bind "$T/volume" /home)" runc crun
  attack OH-PRC-001 '.process.cwd = "/home/../proc/self/fd/7"' runc crun
  ROOTFS='ln -s /proc/self/fd/7 work' attack OH-PRC-001 '.process.cwd = "/work"' runc crun
}

@test "CVE-2019-5736: the program is the runtime itself" {
  # It is started again, and misses only its libraries in the rootfs.
  ROOTFS='ln -s /proc/self/exe bin/hello' succeeds runc 'no such file' '.process.args = ["hello"]'
  attack OH-PRC-002 '.process.args = ["/proc/self/exe"]' runc crun
  ROOTFS='ln -s /proc/self/exe bin/hello' attack OH-PRC-002 '.process.args = ["hello"]' runc crun
}

@test "CVE-2019-19921, CVE-2023-27561, CVE-2023-28642: /proc and /sys are links" {
  local link
  for link in tmp "$T/host" home/../tmp; do
    CMD='echo ran' ROOTFS="rmdir proc; ln -s $link proc" no_longer runc ran .
    ROOTFS="rmdir proc; ln -s $link proc" attack OH-RFS-005 . runc crun
    ROOTFS="rmdir sys; ln -s $link sys" attack OH-RFS-005 . runc crun
  done
  untouched
}

@test "CVE-2026-41579: /dev is a link out of the bundle" {
  CMD='echo ran' ROOTFS="rmdir dev; ln -s $T/host dev" succeeds runc ran .
  [ -L "$T/host/stdin" ] # the runtime has written into a directory of the host
  rm -r "$T/host"
  mkdir "$T/host"
  ROOTFS="rmdir dev; ln -s $T/host dev" attack OH-RFS-005 . runc crun
  untouched
}

@test "CVE-2025-31133: a link in the place of the device that masks are made of" {
  local dev=".mounts |= map(if .destination == \"/dev\" then .type = \"bind\" | .source = \"$T/volume\" | .options = [\"bind\"] else . end)"
  mkdir "$T/volume"/{pts,shm,mqueue}
  ln -s /etc/passwd "$T/volume/null"
  # What ought to be masked is any file of the attacker's choice.
  CMD='cat /proc/timer_list' succeeds runc root:x: "$dev"
  attack OH-MNT-007 "$dev" runc crun
  attack OH-MNT-007 "$(bind "$T/volume" /dev)" runc crun
  attack OH-MNT-007 "$(bind "$T/volume/null" /dev/null)" runc crun
  attack OH-MNT-013 '.mounts |= map(select(.destination != "/dev"))' runc crun
  ROOTFS='ln -s /etc/passwd dev/null' harmless root:x: '.process.args = ["/bin/cat", "/proc/timer_list"]' runc crun
}

@test "CVE-2025-52565: a terminal, and /dev/pts is not one of its own" {
  attack OH-MNT-013 '.process.terminal = true | .mounts |= map(select(.destination != "/dev/pts"))' runc crun
  attack OH-PRC-004 '.process.terminal = true | .mounts |= map(if .destination == "/dev/pts" then .options -= ["newinstance"] else . end)' runc crun
  attack OH-MNT-007 ".process.terminal = true | $(bind "$T/volume" /dev/console)" runc crun
  attack OH-MNT-007 ".process.terminal = true | $(bind "$T/volume" /dev/pts)" runc crun
}

@test "CVE-2025-52881: what the runtime writes to /proc goes elsewhere" {
  CMD='[ -e /proc/1/attr/current ] || echo covered' UNLESS='cannot be mounted because it is inside /proc' succeeds runc covered "$(mount_of tmpfs /proc/self/attr)"
  attack OH-MNT-005 "$(mount_of tmpfs /proc/self/attr)" runc crun
  attack OH-MNT-005 "$(mount_of tmpfs /proc/self/task/1/attr)" runc crun
  attack OH-MNT-005 "$(bind "$T/volume" /proc/sys/kernel)" runc crun
  CMD='grep -c "shared:" /proc/self/mountinfo; echo all' succeeds runc all '.linux.rootfsPropagation = "rshared"'
  CMD='echo shared: $(grep -c " /home .*shared:" /proc/self/mountinfo)' harmless 'shared: 1' \
    ".linux.rootfsPropagation = \"rshared\" | $(mount_of tmpfs /home tmpfs '["rshared"]')" runc crun
}

@test "CVE-2021-30465: a destination led elsewhere by a link in another's volume" {
  local led
  ln -s /proc "$T/volume/l"
  led="$(bind "$T/volume" /home) | $(mount_of tmpfs /home/l) | .linux.sysctl = null"
  CMD='[ -e /proc/self ] || echo covered' succeeds crun covered "$led"
  attack OH-MNT-014 "$led" runc crun
  ln -sfn /sys/kernel "$T/volume/l"
  attack OH-MNT-014 "$led" runc crun
  # Within the rootfs a link is followed, and judged by where it leads.
  ROOTFS='ln -s /proc/sys home/l' attack OH-MNT-005 "$(mount_of tmpfs /home/l)" runc crun
}

@test "CVE-2022-29162: inheritable and ambient capabilities" {
  local given='.process.capabilities |= (.inheritable = .bounding | .ambient = ["CAP_CHOWN", "CAP_NET_BIND_SERVICE"] | .permitted += .ambient)'
  CMD='grep ^CapInh /proc/self/status' succeeds runc 00000000a80425fb "$given"
  CMD='grep -E "^Cap(Inh|Amb)" /proc/self/status | grep -q "[1-9a-f]$\|[1-9a-f]0*$" && echo given; grep -q ^CapInh /proc/self/status || echo given' harmless given "$given" runc crun
}

@test "CVE-2022-0492, CVE-2022-0185: cgroups writable, all capabilities, a filter that allows" {
  local all='.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN", "CAP_DAC_READ_SEARCH"]) | del(.process.capabilities.ambient, .process.capabilities.inheritable)'
  CMD='mount -t tmpfs x /home && echo mounted' succeeds runc mounted "$all | .linux.seccomp = null"
  CMD='mount -t tmpfs x /home && echo mounted; unshare -m true && echo mounted' harmless mounted "$all | .linux.seccomp = null" runc crun
  CMD='d=/sys/fs/cgroup; [ ! -d $d/memory ] || d=$d/memory; mkdir $d/x && rmdir $d/x && echo made' succeeds runc made "$all | .mounts |= map(.options -= [\"ro\"])"
  CMD='d=/sys/fs/cgroup; [ ! -d $d/memory ] || d=$d/memory; mkdir $d/x && rmdir $d/x && echo made' harmless made "$all | .mounts |= map(.options -= [\"ro\"])" runc crun
  CMD='unshare -r true && echo unshared' succeeds runc unshared '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW"}'
  attack OH-SEC-003 '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW"}' runc crun
  attack OH-SEC-003 '.linux.seccomp |= (.defaultAction = "SCMP_ACT_LOG" | .syscalls[0].names += ["unknown_to_libseccomp"])' runc crun
  CMD='mkdir /tmp/q && ls -d /tmp/q || echo faked' succeeds runc faked '.linux.seccomp.syscalls |= map(.names -= ["mkdir"]) + [{names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 0}]'
  attack OH-SEC-003 '.linux.seccomp.syscalls |= map(.names -= ["mkdir"]) + [{names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 0}]' runc crun
}

@test "CVE-2025-23266: a hook from the config, as root on the host" {
  local stage
  succeeds runc '' ".hooks = {createRuntime: [{path: \"/bin/touch\", args: [\"touch\", \"$T/host/hooked\"]}]}"
  [ -e "$T/host/hooked" ]
  rm "$T/host/hooked"
  for stage in prestart createRuntime createContainer startContainer poststart poststop; do
    attack OH-HOK-001 ".hooks = {$stage: [{path: \"/bin/touch\", args: [\"touch\", \"$T/host/hooked\"], env: [\"LD_PRELOAD=/home/x.so\"]}]}" runc crun
  done
  untouched
}

@test "the host's sockets, directories and namespaces, by any name" {
  local join
  python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$T/docker.sock"
  ln -s "$T/docker.sock" "$T/innocent"
  touch "$T/netns"
  mount --bind /proc/self/ns/net "$T/netns"
  join=".linux.namespaces |= map(select(.type != \"network\")) + [{type: \"network\", path: \"$T/netns\"}] | .linux.sysctl = null"
  CMD='test -S /home/s && echo socket' succeeds runc socket "$(bind "$T/innocent" /home/s)"
  CMD='readlink /proc/self/ns/net' succeeds runc "$(readlink /proc/self/ns/net)" "$join"
  CMD='test -s /home/f && echo read' succeeds runc read "$(bind /etc/shadow /home/f)"
  CMD='ps | grep -c . ; readlink /proc/self/ns/pid' succeeds runc "$(readlink /proc/self/ns/pid)" '.linux.namespaces |= map(select(.type != "pid"))'
  attack OH-MNT-008 "$(bind "$T/innocent" /home/s)" runc crun
  attack OH-MNT-008 "$(bind /etc/shadow /home/f)" runc crun
  attack OH-MNT-008 "$(bind / /home/f)" runc crun
  attack OH-NSP-004 "$join" runc crun
  CMD='readlink /proc/self/ns/pid' harmless "$(readlink /proc/self/ns/pid)" '.linux.namespaces |= map(select(.type != "pid"))' runc crun
}

@test "device nodes: the host's disk, and another under a known name" {
  local disk='.linux.devices = [{path: "/dev/disk", type: "b", major: 7, minor: 0, fileMode: 438}] | .linux.resources.devices = [{allow: true, access: "rwm"}]'
  CMD='dd if=/dev/disk count=0 && echo opened' succeeds runc opened "$disk"
  CMD='dd if=/dev/disk count=0 && echo opened' succeeds crun opened "$disk"
  CMD='dd if=/dev/disk count=0 && echo opened; mknod /dev/d b 7 0 && dd if=/dev/d count=0 && echo opened' harmless opened "$disk" runc crun
  attack OH-DEV-004 '.linux.devices = [{path: "/dev/null", type: "c", major: 1, minor: 5}]' runc crun
}

@test "submounts that a flag does not reach (restricted, strict)" {
  mkdir "$T/nested"
  mount -t tmpfs -o mode=777 nested "$T/nested"
  mkdir "$T/nested/sub"
  mount -t tmpfs -o mode=777 nested "$T/nested/sub"
  local undone
  undone=$(mount_of bind /home "$T/nested" '["rbind", "ro"]')
  CMD='touch /home/sub/x && echo wrote' succeeds runc wrote "$undone"
  CMD='touch /home/sub/x && echo wrote' POLICIES='restricted strict' harmless wrote "$undone" runc crun
}

@test "keys that only some parsers see" {
  # Of two keys that are one the last counts, and gojq would sort them.
  local folded PATH=/usr/bin:$PATH
  CMD='grep ^CapEff /proc/self/status' succeeds runc 0000000000200000 '.PROCESS = {capabilities: {bounding: ["CAP_SYS_ADMIN"], effective: ["CAP_SYS_ADMIN"], permitted: ["CAP_SYS_ADMIN"]}}'
  CMD='grep ^Seccomp: /proc/self/status' succeeds runc "$(printf 'Seccomp:\t0')" '.Linux = {Seccomp: null}'
  for folded in '.PROCESS = {capabilities: {}}' '.Linux = {Seccomp: null}' '.process.NoNewPrivileges = false' '.linux.maskedpaths = []'; do
    CMD='echo ran' harmless ran "$folded" runc crun
  done
}
