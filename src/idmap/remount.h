/* SPDX-License-Identifier: Apache-2.0 */
/* rootfs.c's own: the mounting of the new overlay in a process that may end for it, and the engine's put
 * back. */
#ifndef HARDEN_IDMAP_REMOUNT_H
#define HARDEN_IDMAP_REMOUNT_H

#include "idmap/rootfs.h"

struct remount {
  const struct stage *stage;
  const char *scratch; /* where the layers are, and "m", the mount point */
  const char *options; /* relative to it */
  unsigned flags;      /* of mount(2) */
  uint32_t uid, gid;   /* the host's for the container's root */
  uint64_t attrs;      /* MOUNT_ATTR_*, of what takes the engine's place */
  bool replace;
  const struct mapped_rootfs *rootfs; /* engines, overlay, was */
};

/* Mounts the new overlay on SCRATCH/m of our namespace, and when replacing in the engine's place. */
int remount_run(const struct remount *r, struct refusal *why, struct error *err) MUST_CHECK;

/* The engine's overlay at its place of the host's, whatever is there: nothing, the new one, or itself. What
 * of the stage holds the new one is unmounted before. Leaves us in the host's namespace. */
int remount_put_back(const struct mapped_rootfs *r, const struct stage *stage, struct error *err) MUST_CHECK;

/* What a volatile overlay leaves in its work directory so that nobody mounts the upper one again: right after
 * a crash, but here nothing that was written is lost. */
void remount_forget_volatile(const char *work);

#endif
