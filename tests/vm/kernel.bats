#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# VM: apparmor selinux plain
# WHY: AppArmor, SELinux, cgroup v2
# The machine itself: its kernel, its security module, and that containers run in it with nothing of ours.
load ../integration/helper
setup() { oh_setup; }
teardown() { oh_teardown; }

@test "the machine has the security module it is named after, or none" {
  case $VM in
  plain) ! grep -qE 'apparmor|selinux' /sys/kernel/security/lsm ;;
  apparmor) [ "$(cat /sys/module/apparmor/parameters/enabled)" = Y ] ;;
  selinux) [ "$(cat /sys/fs/selinux/enforce)" = 1 ] && grep -q ':host_t:' /proc/self/attr/current ;;
  esac
}

@test "a bundle of the harness runs under bare runc and crun" {
  for runtime in runc crun; do
    oh_config "$runtime"
    CMD='id -u; cat /proc/self/status' b=$(bundle "$runtime" 'del(.process.apparmorProfile)')
    run bare run --bundle "$b" "c-$runtime"
    echo "$output"
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = 0 ]
    [[ "$output" == *"Seccomp:"*2* ]]
  done
}
