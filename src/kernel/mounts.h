/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/mountinfo: every mount of a process's mount namespace that is below its root. */
#ifndef HARDEN_KERNEL_MOUNTS_H
#define HARDEN_KERNEL_MOUNTS_H

#include "kernel/process.h"

#include <sys/mount.h>

/* The flags of a mount that are read: MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC. */
struct kernel_mount {
  uint64_t id, parent; /* what statx(2) gives as stx_mnt_id */
  unsigned major, minor;
  const char *root;  /* the directory of the file system that is mounted: "/" for all of it */
  const char *place; /* where, below the process's root */
  unsigned flags;    /* of the mount */
  bool readonly;     /* the file system is, for everyone */
  bool shared;       /* mounts made here appear elsewhere */
  bool idmapped;     /* its files' owners are not those on disk */
  bool slave;        /* mounts made elsewhere appear here */
  const char *type, *source;
  const char *options; /* of the file system: "rw,size=65536k,mode=755" */
};

/* In the kernel's order: of two with one place, the later hides the earlier. */
struct kernel_mounts {
  struct kernel_mount *items;
  size_t len;
  char *text; /* that the strings of all of them lie in */
};

enum { KERNEL_MOUNTS_SIZE_MAX = 8 << 20 }; /* bytes; a container may make mounts by the thousand */

/* The kernel writes space, tab, newline, '#' and backslash in names as octal escapes, which are undone here.
 * Anything that is not of the file's form is ERROR_INPUT: what is misread would be believed. */
int kernel_mounts_parse(const char *text, struct kernel_mounts *ret, struct error *err) MUST_CHECK;
int kernel_mounts_read(const struct kernel_process *p, struct kernel_mounts *ret,
                       struct error *err) MUST_CHECK;
void kernel_mounts_free(struct kernel_mounts *m);
#define CLEANUP_KERNEL_MOUNTS CLEANUP(kernel_mounts_free)

/* One field of it, in place: "\040" is a space. */
char *kernel_mounts_unescape(char *text);

/* NULL: none. */
const struct kernel_mount *kernel_mounts_by_id(const struct kernel_mounts *m, uint64_t id);
/* The empty directory of crun's own, beside its containers' states, that it binds where a directory is
 * masked. */
bool kernel_mount_is_blank(const struct kernel_mount *m);
/* The one that is seen at a place that is a mount point; NULL: none. */
const struct kernel_mount *kernel_mounts_at(const struct kernel_mounts *m, const char *place);

#endif
