/* SPDX-License-Identifier: Apache-2.0 */
/* User namespaces, held by a file descriptor alone: they end with the last of those, or of the processes and
 * mounts that use them. */
#ifndef HARDEN_IDMAP_USERNS_H
#define HARDEN_IDMAP_USERNS_H

#include "base/error.h"
#include "kernel/namespace.h"

/* How a container's ids are the host's, and the namespace that says so to the kernel. Everything is borrowed.
 */
struct idmap {
  int userns;
  const struct kernel_idmap *uids, *gids;
};

/* A map of one block: 0 .. count-1 in the container are first .. on the host. */
void idmap_block(uint32_t first, uint32_t count, struct kernel_idmap *ret);
/* The host's id for a container's; false: it has none. */
bool idmap_outside(const struct kernel_idmap *map, uint32_t inside, uint32_t *ret);
bool idmap_same(const struct kernel_idmap *a, const struct kernel_idmap *b); /* the same ids, in any order */

/* Makes one. *ret_fd is close-on-exec. The process that it needed has ended and is reaped, whatever happens
 * to SIGCHLD. What the kernel made of the maps is read back: a difference is ERROR_INTERNAL. ERROR_SYSTEM
 * with err->sys: ENOSPC, user.max_user_namespaces is reached, or 0; EPERM, no right to map these ids (or a
 * distribution's switch that forbids user namespaces); EINVAL, maps that overlap. */
int idmap_userns_make(const struct kernel_idmap *uids, const struct kernel_idmap *gids, int *ret_fd,
                      struct error *err) MUST_CHECK;
/* Opens the one at a path (a sandbox's /proc/PID/ns/user). Not a user namespace: ERROR_INPUT. */
int idmap_userns_open(const char *path, int *ret_fd, struct error *err) MUST_CHECK;
/* The maps of one that may have no process: by a child that joins it for a moment. */
int idmap_userns_read(int fd, struct kernel_idmap *ret_uids, struct kernel_idmap *ret_gids,
                      struct error *err) MUST_CHECK;

#endif
