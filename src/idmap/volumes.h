/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources of binds, cloned beforehand. Runtimes disagree on ID-mapped mounts (runc 1.1 ignores what a config
 * asks for), on what "rbind" means in a user namespace (crun 1.8 leaves the submounts out), and cannot open
 * what is below a directory that only the host's root may search. A clone on the stage is bound by all of
 * them in the same way.
 *
 * The files keep their owners on disk, the ids of the container's root among them: on a source where root's
 * files mean something to the host, container root is root (hazard: "/", /etc, an engine's socket). Which
 * sources those are is the caller's to know; they are left unmapped, so that their owners are nobody's
 * inside.
 */
#ifndef HARDEN_IDMAP_VOLUMES_H
#define HARDEN_IDMAP_VOLUMES_H

#include "idmap/stage.h"
#include "idmap/userns.h"

struct volume_wish {
  const char *source; /* absolute; links at its end are followed, as runtimes do */
  bool recursive;     /* rbind */
  bool slave;    /* what the host mounts there later shall appear (unmapped); it never goes the other way */
  bool unmapped; /* cloned as it is */
};

struct volume_below {
  char *path;     /* on the stage */
  unsigned flags; /* as of the volume */
};

struct mapped_volume {
  char *path;     /* the source for the config, to be bound recursively if it was asked for */
  unsigned flags; /* MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC of the source's mount: to go into the bind's
                     options, for without them the runtime would ask the kernel to take them away, which it
                     may not (runc 1.1: EPERM) */
  bool mapped;
  struct volume_below *below; /* with a recursive wish: what is mounted below it, as the host has it, in the
                                 order of mounting. crun 1.8 binds none of it in a user namespace, so each
                                 wants an entry of its own behind the volume's */
  size_t below_len;
  bool exposed; /* mapped, and every user of the host can come to the files: see rootfs.h */
};
void mapped_volume_free(struct mapped_volume *v);
#define CLEANUP_MAPPED_VOLUME CLEANUP(mapped_volume_free)

/* Whether a file system can be mapped is seen by trying, not by its name. With submounts all take the map or
 * none; the one that does not is named by why->path. On failure nothing is there; the same source may be
 * asked for again unmapped. */
int volume_map(struct mapped_volume *ret, struct stage *stage, const struct volume_wish *wish,
               const struct idmap *map, struct refusal *why, struct error *err) MUST_CHECK;

#endif
