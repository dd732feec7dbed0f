/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stays below STATE_DIR after a container is gone: of `run` without --detach, which deletes its
 * container itself; of a runtime that deletes several at once (crun's --regex); of processes that were
 * killed.
 */
#ifndef HARDEN_LEFTOVER_H
#define HARDEN_LEFTOVER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum leftover_kind {
  LEFTOVER_GONE,    /* a container that its runtime no longer knows */
  LEFTOVER_FILE,    /* the private copy of a process that is gone */
  LEFTOVER_EMPTY,   /* a directory with nothing in it */
  LEFTOVER_LEASE,   /* a number that a container which is gone still holds; the path is KIND/NUMBER */
  LEFTOVER_UNKNOWN, /* what cannot be read or is not trusted; it is never removed */
};

struct leftover {
  enum leftover_kind kind;
  const char *path;
  const char *why; /* for LEFTOVER_UNKNOWN */
};

/* Removes, best effort, what is left of one root's containers: ROOT/ID is absent, and who made it or its
 * files is gone. */
void leftover_collect(const char *state_dir, const char *root);
/* Two look-ups: are there more containers of ours in the root than its runtime has? Those that are being made
 * just now count too, those that were made without us hide as many, and where the file system does not count
 * directories the answer is no. */
bool leftover_likely(const char *state_dir, const char *root);

/* Examines everything below state_dir and hands each leftover to `found`, after it was removed if `remove`.
 * What another process has locked is in use and not examined. Errors are those of reading state_dir, and of
 * removing; an absent state_dir is none. */
int leftover_scan(const char *state_dir, bool remove, void (*found)(const struct leftover *l, void *arg),
                  void *arg, struct error *err) MUST_CHECK;

#endif
