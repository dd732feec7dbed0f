/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/status: whose a process is and what it may do. */
#ifndef HARDEN_KERNEL_STATUS_H
#define HARDEN_KERNEL_STATUS_H

#include "kernel/process.h"

enum kernel_caps {
  KERNEL_CAPS_INHERITABLE,
  KERNEL_CAPS_PERMITTED,
  KERNEL_CAPS_EFFECTIVE,
  KERNEL_CAPS_BOUNDING,
  KERNEL_CAPS_AMBIENT,
  KERNEL_CAPS
};
extern const char *const kernel_caps_names[KERNEL_CAPS]; /* as in OCI: "inheritable", ... */

enum kernel_id { KERNEL_ID_REAL, KERNEL_ID_EFFECTIVE, KERNEL_ID_SAVED, KERNEL_ID_FS, KERNEL_IDS };

struct kernel_status {
  /* Ids are as our own user namespace sees them; what it does not map is the overflow id (65534). */
  uint32_t uid[KERNEL_IDS], gid[KERNEL_IDS];
  uint32_t *groups; /* ascending, as the kernel keeps them */
  size_t groups_len;
  uint64_t caps[KERNEL_CAPS]; /* bit n: capability n; of its own user namespace */
  bool no_new_privs;
  int seccomp;         /* 0 none, 1 strict, 2 filter */
  int seccomp_filters; /* -1: the kernel does not tell (before 5.9) */
  unsigned threads;
};

/* Parses the file's text. A line that is missing, there twice, or not of its form: ERROR_INPUT. */
int kernel_status_parse(const char *text, struct kernel_status *ret, struct error *err) MUST_CHECK;
/* Of the thread group's leader, which in runc's init and crun's is the thread that becomes the container. */
int kernel_status_read(const struct kernel_process *p, struct kernel_status *ret,
                       struct error *err) MUST_CHECK;
void kernel_status_free(struct kernel_status *s);
#define CLEANUP_KERNEL_STATUS CLEANUP(kernel_status_free)

#endif
