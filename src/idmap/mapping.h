/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that rootfs and volumes share. */
#ifndef HARDEN_IDMAP_MAPPING_H
#define HARDEN_IDMAP_MAPPING_H

#include "base/str.h"
#include "idmap/userns.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* A detached, ID-mapped clone of the mount that shows a path, from there on, for the caller to attach; of all
 * mounts below it too when `recursive`, which then all take it or none. set: MOUNT_ATTR_*. propagation:
 * MS_PRIVATE or MS_SLAVE. -1 with errno; *ret_source is then what the path names (O_PATH; -1: it could not
 * even be cloned). */
int mapping_clone(const char *path, bool recursive, const struct idmap *map, uint64_t set,
                  uint64_t propagation, int *ret_source) MUST_CHECK;

/* Has what is seen the owner that what is on disk gets by the map? */
bool mapping_holds(const struct stat *disk, const struct stat *seen, const struct idmap *map);

/* Can others than the host's root come to an absolute path, and run programs there under the rights of their
 * owner? Not where a directory above it (or itself) is root's and closed to others, or its mount is nosuid.
 * What cannot be looked at is exposed. */
bool mapping_exposed(const char *path);

/* Adds the places of all mounts below a directory (without links), as a mountinfo tells them. Text only. */
void mapping_below(const char *mountinfo, const char *dir, struct strlist *ret);

#endif
