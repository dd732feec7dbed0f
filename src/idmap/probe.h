/* SPDX-License-Identifier: Apache-2.0 */
/* What this kernel and its file systems can do, found by doing it. As root; slow (some 10 ms): for `doctor`,
 * not for containers. */
#ifndef HARDEN_IDMAP_PROBE_H
#define HARDEN_IDMAP_PROBE_H

#include "idmap/refusal.h"

#include <stdint.h>

struct probe_answer {
  struct refusal why; /* kind REFUSAL_NONE: it can */
  struct error err;   /* the same as a sentence */
};

/* Ids first .. first+count-1 are those that are tried: a range that containers are to get. */

/* A user namespace with such a map. */
void probe_userns(uint32_t first, uint32_t count, struct probe_answer *ret);
/* A volume at a path that exists. Nothing is written. */
void probe_volume(const char *path, uint32_t first, uint32_t count, struct probe_answer *ret);

struct probe_storage {
  struct probe_answer private, replace; /* an overlay of two layers made anew in each mode, and a file in it
                                           that is the container root's inside and root's on disk */
  bool direct;                          /* the overlay itself took the map: a kernel later than we know of */
  bool exposed;                         /* see rootfs.h */
};

/* Images kept in a directory: in one of its own below it, which is removed. place: as for stage_enter().
 * ERROR_SYSTEM: it could not be tried. */
int probe_storage(const char *dir, const char *place, uint32_t first, uint32_t count,
                  struct probe_storage *ret, struct error *err) MUST_CHECK;

#endif
