/* SPDX-License-Identifier: Apache-2.0 */
/* The control groups of a process and the limits that stand in them. */
#ifndef HARDEN_KERNEL_CGROUP_H
#define HARDEN_KERNEL_CGROUP_H

#include "kernel/process.h"

#define KERNEL_CGROUP_MOUNT "/sys/fs/cgroup"

struct kernel_cgroup {
  char *controllers; /* "cpu,cpuacct", "name=systemd"; "" for version 2 */
  char *path;        /* as from our own cgroup namespace; "/.." below it: outside */
};

struct kernel_cgroups {
  struct kernel_cgroup *items;
  size_t len;
};

/* Parses /proc/PID/cgroup. */
int kernel_cgroups_parse(const char *text, struct kernel_cgroups *ret, struct error *err) MUST_CHECK;
int kernel_cgroups_read(const struct kernel_process *p, struct kernel_cgroups *ret,
                        struct error *err) MUST_CHECK;
void kernel_cgroups_free(struct kernel_cgroups *c);
#define CLEANUP_KERNEL_CGROUPS CLEANUP(kernel_cgroups_free)

/* The group that a controller of version 1 ("memory") has the process in, else that of version 2; NULL: none.
 */
const struct kernel_cgroup *kernel_cgroups_find(const struct kernel_cgroups *c, const char *controller);

#define KERNEL_UNLIMITED INT64_MAX

enum kernel_group_limit {
  KERNEL_LIMIT_PIDS = 1,
  KERNEL_LIMIT_MEMORY = 2,
  KERNEL_LIMIT_SWAP = 4, /* with that of memory */
  KERNEL_LIMIT_CPU = 8,
  KERNEL_LIMIT_ALL = 15,
};

/* What stands in the process's own groups; those above may hold less. In OCI's units. */
struct kernel_cgroup_limits {
  bool unified;   /* version 2 */
  int64_t pids;   /* KERNEL_UNLIMITED: none, for each of them */
  int64_t memory; /* bytes */
  int64_t swap;   /* bytes; OCI's reading: memory and swap together. -1: swap is not accounted */
  int64_t quota;  /* microseconds of CPU in each period */
  int64_t period; /* microseconds; 0: there is no such file */
};

/*
 * mount: KERNEL_CGROUP_MOUNT, where version 2 is mounted, or each controller of version 1 under its name. A
 * controller that the process is in no group of, or whose group lacks the file (not enabled there), has no
 * limit. ERROR_SYSTEM: a group that cannot be looked at; ERROR_INPUT: a file that is not as the kernel writes
 * it. which: of enum kernel_group_limit; the others stay at none.
 */
int kernel_cgroup_limits_read(const struct kernel_cgroups *c, const char *mount, unsigned which,
                              struct kernel_cgroup_limits *ret, struct error *err) MUST_CHECK;

/* Is it the file system of version 2? False also where nothing is mounted. */
bool kernel_cgroup_is_v2(const char *mount) MUST_CHECK;

/* Is the process kept from running (a paused container)? mount: as above. False where it cannot be told. */
bool kernel_cgroup_is_frozen(const struct kernel_cgroups *c, const char *mount) MUST_CHECK;

#endif
