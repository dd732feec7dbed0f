/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stage: a mount namespace of our own, which the runtime then runs in, and in it a private tmpfs at a
 * place of the host's. What is mounted there nobody else sees, and it goes when the last process of the
 * namespace does: whoever is killed leaves two empty directories.
 *
 * PLACE/rootfs is the container's root; the directory is on the host too, since `runc exec`, which runs
 * there, enters it. PLACE/volumes/N, PLACE/special/N, PLACE/dev/N are sources of binds.
 *
 * The order: stage_enter, rootfs_map, volume_map and special_* in any order, then exec of the runtime; or,
 * when one of them fails, rootfs_undo and stage_leave.
 */
#ifndef HARDEN_IDMAP_STAGE_H
#define HARDEN_IDMAP_STAGE_H

#include "idmap/refusal.h"

struct stage {
  char *place;
  char *cwd;       /* ours; setns(2) loses it */
  char *mountinfo; /* ours, of when the stage was entered: the host's, but for the numbers of the mounts */
  int host, own;   /* mount namespaces, close-on-exec; -1: not entered */
  unsigned volumes, specials, devices; /* how many there are of each */
};
#define STAGE_NONE                                                                                           \
  { .host = -1, .own = -1 }

/* place: absolute, of this container alone. Its directories are made, 0711; those above that exist must be
 * searchable by everyone, for the container's root is not the host's (REFUSAL_CLOSED). The caller is root in
 * one thread. On failure we are back in the namespace that we came from, and the directories that were made
 * are gone. */
int stage_enter(struct stage *s, const char *place, struct refusal *why, struct error *err) MUST_CHECK;
/* Back to where we came from, working directory included, and the directories removed. */
int stage_leave(struct stage *s, struct error *err) MUST_CHECK;
/* The descriptors only: what execve(2) would do. */
void stage_free(struct stage *s);
#define CLEANUP_STAGE CLEANUP(stage_free)

/* What a container leaves behind at its place: for delete, and for what finds places of those that were
 * killed. Nothing but empty directories is ever removed; absent is fine. */
void stage_remove_place(const char *place);

/* Steps that the parts share. A directory (or, for what is bound over a file, an empty file) of the stage's,
 * by a path relative to the place, as an absolute path. NULL: errno. The caller frees. */
char *stage_make(const struct stage *s, const char *name, bool directory) MUST_CHECK;

#endif
