/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that the kernel says of one process, read once. What is compared with it is the caller's affair: the
 * proof compares it with what was promised, `hardenctl inspect` with what a policy would ask.
 */
#ifndef HARDEN_KERNEL_VIEW_H
#define HARDEN_KERNEL_VIEW_H

#include "kernel/cgroup.h"
#include "kernel/fds.h"
#include "kernel/filters.h"
#include "kernel/limits.h"
#include "kernel/mounts.h"
#include "kernel/namespace.h"
#include "kernel/place.h"
#include "kernel/process.h"
#include "kernel/status.h"

enum kernel_part {
  KERNEL_STATUS,
  KERNEL_NAMESPACE, /* namespaces */
  KERNEL_IDMAPS,    /* uid_map, gid_map */
  KERNEL_MOUNTS,
  KERNEL_ROOT, /* the directory that places are looked up in */
  KERNEL_CWD,
  KERNEL_EXE,
  KERNEL_FDS,
  KERNEL_CGROUPS, /* membership */
  KERNEL_GROUP_LIMITS,
  KERNEL_LABEL,
  KERNEL_OOM_SCORE,
  KERNEL_RLIMITS,
  KERNEL_FILTERS, /* stops the process while the rest is read: filters.h */
  KERNEL_PARTS
};
#define KERNEL_PART(part) (1u << (part))
#define KERNEL_ALL (KERNEL_PART(KERNEL_PARTS) - 1)
extern const char *const kernel_part_names[KERNEL_PARTS]; /* for messages: "seccomp filters" */

/* A member means something only where its part was read. */
struct kernel_view {
  struct kernel_process process;
  bool lent; /* the process is the caller's to close */
  /* NULL: the part was read. Else why not: it was not asked for, the kernel does not let us, or what it says
   * is not as it writes it. */
  char *unread[KERNEL_PARTS];
  int unread_errno[KERNEL_PARTS]; /* of the system call that failed; 0: none did */

  struct kernel_status status;
  struct kernel_namespace namespaces[KERNEL_NAMESPACES];
  struct kernel_idmap uid_map, gid_map;
  struct kernel_mounts mounts;
  int root;                      /* O_PATH */
  struct kernel_place cwd_place; /* with KERNEL_CWD */
  char *cwd, *exe; /* as from our root; below the process's own they read as it would read them */
  struct kernel_fds fds;
  struct kernel_cgroups cgroups;
  struct kernel_cgroup_limits group_limits;
  char *label; /* of the LSM: an AppArmor profile with its mode, a SELinux context; "": there is none */
  char *label_on_exec; /* what its next execve(2) will make of that; "": what it is */
  int oom_score_adj;
  struct kernel_limit rlimits[KERNEL_LIMITS];
  struct kernel_filters filters;
};

/*
 * Reads the parts that are asked for (KERNEL_PART | ...). start: as for kernel_process_open. Fails only when
 * the process is not there, or ends while it is read: a view is of one process, and of all of it that could
 * be read.
 */
int kernel_view_read(struct kernel_view *ret, pid_t pid, uint64_t start, unsigned parts,
                     struct error *err) MUST_CHECK;
/* The same of a process that is held already, for longer than the view. limits: of enum kernel_group_limit.
 */
int kernel_view_look(struct kernel_view *ret, const struct kernel_process *process, unsigned parts,
                     unsigned limits, struct error *err) MUST_CHECK;
void kernel_view_init(struct kernel_view *v); /* empty, nothing read: for views that are made by hand */
void kernel_view_free(struct kernel_view *v);
#define CLEANUP_KERNEL_VIEW CLEANUP(kernel_view_free)

#endif
