/* SPDX-License-Identifier: Apache-2.0 */
/* What a process has open. */
#ifndef HARDEN_KERNEL_FDS_H
#define HARDEN_KERNEL_FDS_H

#include "kernel/process.h"

#include <sys/stat.h>

struct kernel_fd {
  int fd;
  char *target;   /* the link's text, as from our root: "/etc/passwd", "pipe:[123]" */
  struct stat st; /* of what is open */
  bool cloexec;   /* execve(2) will close it */
  bool o_path;    /* for look-ups alone */
  bool proc_root; /* the root directory of a proc file system */
  bool own_proc;  /* a directory of a proc file system of the process's own pid namespace */
  uint64_t mount; /* kernel_mount.id of the mount that it was opened through */
};

struct kernel_fds {
  struct kernel_fd *items; /* by number */
  size_t len;
};

enum { KERNEL_FDS_MAX = 4096 }; /* more is ERROR_INPUT */

int kernel_fds_read(const struct kernel_process *p, struct kernel_fds *ret, struct error *err) MUST_CHECK;
void kernel_fds_free(struct kernel_fds *f);
#define CLEANUP_KERNEL_FDS CLEANUP(kernel_fds_free)

/* Does it have this very file open? Of `file` only st_dev and st_ino count. */
int kernel_fds_have(const struct kernel_process *p, const struct stat *file, bool *ret,
                    struct error *err) MUST_CHECK;

/* Takes `cloexec` and `mount` from a /proc/PID/fdinfo/N. ERROR_INPUT: not of that form. */
int kernel_fdinfo_parse(const char *text, struct kernel_fd *ret, struct error *err) MUST_CHECK;

#endif
