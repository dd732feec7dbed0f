/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/caps.h"

#include <string.h>

static const char *const names[] = {
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
};

const char *kernel_cap_name(unsigned number) {
  return number < ARRAY_SIZE(names) ? names[number] : NULL;
}

int kernel_cap_number(const char *name) {
  for (size_t i = 0; name && i < ARRAY_SIZE(names); i++)
    if (str_same(names[i], name))
      return (int)i;
  return -1;
}

void kernel_caps_text(uint64_t set, struct str *out) {
  if (!set)
    str_add(out, "none");
  for (unsigned i = 0, said = 0; i < 64; i++) {
    if (!(set >> i & 1))
      continue;
    str_add(out, said++ ? ", " : "");
    if (i < ARRAY_SIZE(names))
      str_add(out, names[i]);
    else
      str_addf(out, "CAP_%u", i);
  }
}
