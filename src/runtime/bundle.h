/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bundle: opened once, locked, its config.json read once and replaced as a whole.
 *
 * The edit is in place, because a shadow bundle elsewhere breaks relative mount sources, `list`, and whoever
 * compares a process with its bundle. What the engine wrote stays beside it as config.engine.json, 0600.
 */
#ifndef HARDEN_BUNDLE_H
#define HARDEN_BUNDLE_H

#include "base/error.h"
#include "io/jsonx.h"

#include <sys/stat.h>

struct bundle {
  int fd;       /* directory of the bundle, to which the config's relative paths are relative */
  char *path;   /* the same without symbolic links */
  char *file;   /* path of the config file */
  int dir;      /* directory of the config file, locked until exec or bundle_close; -1: no bundle is open */
  char *name;   /* of the config file in it */
  char *backup; /* of the engine's version in it */
  char *text;   /* owned; what src points to */
  struct jsonx_source src;
  struct stat st;
  bool kept, replaced; /* by this call: the backup made, the config file replaced */
};
#define BUNDLE_NONE                                                                                          \
  { .fd = -1, .dir = -1 }

/*
 * path: --bundle, NULL for the current directory. config: crun's --config, NULL for the bundle's config.json.
 * Waits for another wrapper on the same bundle, 30 seconds at most. A config file that is a symbolic link, or
 * not a regular file, is ERROR_INPUT.
 */
int bundle_open(struct bundle *ret, const char *path, const char *config, size_t limit,
                struct error *err) MUST_CHECK;

/* Takes the engine's version, for who sees that what is there is our own output. *ret_done: there is one. */
int bundle_take_kept(struct bundle *b, size_t limit, bool *ret_done, struct error *err) MUST_CHECK;

/* Keeps the engine's version beside, then replaces the config file atomically, owner and mode as they were.
 */
int bundle_replace(struct bundle *b, const void *data, size_t len, struct error *err) MUST_CHECK;
/* Puts back what was read: a container that is refused leaves its bundle as it was. */
int bundle_revert(struct bundle *b, struct error *err) MUST_CHECK;

void bundle_close(struct bundle *b);
#define CLEANUP_BUNDLE CLEANUP(bundle_close)

#endif
