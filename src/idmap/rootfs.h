/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A root file system whose files are on disk as the image has them, seen through ID-mapped mounts.
 *
 * A plain directory, or a mount of a file system that takes ID-mapped mounts, is cloned. An overlay takes
 * none; it is mounted a second time from ID-mapped clones of its layers, in one of two modes:
 *
 * ROOTFS_REPLACE: instead of the engine's, which is unmounted, and the new one put in its place. There is one
 * overlay on the upper directory; what the engine does in it as the host's root fails, or shows mapped ids.
 *
 * ROOTFS_PRIVATE: beside the engine's, with a work directory of its own next to the upper one. There are two
 * on it, of which the engine's is not to be written to while the container runs. EBUSY with index=on.
 *
 * Nothing is chowned; what the container makes as its root belongs to root on disk. Therefore (the caller's
 * to see to): above the layers must be a directory that only root may search, else a program that the
 * container makes set-user-ID root is one on the host; `exposed` tells.
 */
#ifndef HARDEN_IDMAP_ROOTFS_H
#define HARDEN_IDMAP_ROOTFS_H

#include "idmap/overlay.h"
#include "idmap/stage.h"
#include "idmap/userns.h"

#include <sys/stat.h>

enum rootfs_mode { ROOTFS_PRIVATE, ROOTFS_REPLACE };

struct rootfs_wish {
  const char *path;      /* the engine's root.path: absolute, no symbolic links in it */
  enum rootfs_mode mode; /* for an overlay; all else is private */
  bool nosuid;           /* with no_new_privs: it takes nothing away then */
  const struct idmap *map;
};

struct mapped_rootfs {
  char *path;    /* PLACE/rootfs, for root.path */
  char *type;    /* of the engine's file system: "overlay"; NULL: a plain directory */
  size_t layers; /* lower ones of an overlay that was mounted anew; 0: it was cloned as it is */
  bool replaced; /* the engine's mount is unmounted */
  char *upper;   /* absolute; NULL: none */
  char *work;    /* of our own, made for this container; NULL: none. The engine removes it with the upper
                    directory */
  bool exposed;  /* every user of the host can come to the files */
  /* For rootfs_undo. */
  struct overlay overlay;
  char *engines;
  struct stat was;     /* the engine's root directory */
  uint32_t mapped_uid; /* whose it is through the map */
};
void mapped_rootfs_free(struct mapped_rootfs *r);
#define CLEANUP_MAPPED_ROOTFS CLEANUP(mapped_rootfs_free)

/* On the stage, entered before. Always without device nodes (hazards: a container's root may make them on
 * disk). A read-only overlay stays read-only. On failure the engine's mount is as it was (else why->broken),
 * also when this process is killed on the way: the process that does the change sees it through, and takes it
 * back when there is nobody left who wanted it. What was put on the stage goes with it. */
int rootfs_map(struct mapped_rootfs *ret, const struct stage *stage, const struct rootfs_wish *wish,
               struct refusal *why, struct error *err) MUST_CHECK;
/* The engine's mount in its place again, and our work directory removed. Before stage_leave(). A failure
 * means that the container must not be run by anyone. */
int rootfs_undo(struct mapped_rootfs *r, const struct stage *stage, struct error *err) MUST_CHECK;

#endif
