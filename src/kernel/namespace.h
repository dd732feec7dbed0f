/* SPDX-License-Identifier: Apache-2.0 */
/* Which namespaces a process is in, and how its user namespace maps ids. */
#ifndef HARDEN_KERNEL_NAMESPACE_H
#define HARDEN_KERNEL_NAMESPACE_H

#include "kernel/process.h"

enum kernel_ns {
  KERNEL_NS_USER,
  KERNEL_NS_MOUNT,
  KERNEL_NS_PID,
  KERNEL_NS_NETWORK,
  KERNEL_NS_IPC,
  KERNEL_NS_UTS,
  KERNEL_NS_CGROUP,
  KERNEL_NS_TIME,
  KERNEL_NAMESPACES
};
extern const char *const kernel_ns_names[KERNEL_NAMESPACES]; /* as in OCI: "user", "mount", ... */

/* A namespace's identity for as long as anything is in it. inode 0: the kernel has no such namespaces. */
struct kernel_namespace {
  dev_t dev;
  ino_t inode;
};
bool kernel_namespace_same(const struct kernel_namespace *a, const struct kernel_namespace *b);

int kernel_namespaces_read(const struct kernel_process *p, struct kernel_namespace ret[KERNEL_NAMESPACES],
                           struct error *err) MUST_CHECK;
/* Our own: the host's, where we are not in a container ourselves. */
int kernel_namespaces_own(struct kernel_namespace ret[KERNEL_NAMESPACES], struct error *err) MUST_CHECK;
/* The one behind a path that OCI would join. Not a namespace: ERROR_INPUT. */
int kernel_namespace_at(const char *path, struct kernel_namespace *ret, struct error *err) MUST_CHECK;
/* The user namespace that owns it; inode 0: not told, since it is beyond our own. */
int kernel_namespace_owner(const char *path, struct kernel_namespace *ret, struct error *err) MUST_CHECK;

/* Whose the namespaces of a process are: the user namespace that owns each (of a user namespace its parent).
 * inode 0: not told, since it is beyond our own. */
struct kernel_owners {
  struct kernel_namespace of[KERNEL_NAMESPACES];
  int error; /* errno: none was asked */
};
void kernel_owners_read(const struct kernel_process *p, struct kernel_owners *ret);

/* Ids inside .. inside+count-1 are outside .. in our own user namespace. */
struct kernel_mapping {
  uint32_t inside, outside, count;
};
enum { KERNEL_MAPPINGS_MAX = 340 }; /* the kernel's own limit */
struct kernel_idmap {
  struct kernel_mapping items[KERNEL_MAPPINGS_MAX];
  size_t len;
};
int kernel_idmap_parse(const char *text, struct kernel_idmap *ret, struct error *err) MUST_CHECK;
/* name: "uid_map" or "gid_map". */
int kernel_idmap_read(const struct kernel_process *p, const char *name, struct kernel_idmap *ret,
                      struct error *err) MUST_CHECK;

#endif
