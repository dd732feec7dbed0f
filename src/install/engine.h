/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an engine's configuration must say for the engine to know our runtimes, as texts: pure functions from
 * the text that is there to the text that is to be, and back. Files, records and daemons are
 * src/install/host.h's.
 *
 * Each applies to a text that has nothing of ours in it, and verifies its own result: parsed anew, it says
 * the same as before but for our keys. What it does not understand it refuses, with place, value and remedy.
 */
#ifndef HARDEN_INSTALL_ENGINE_H
#define HARDEN_INSTALL_ENGINE_H

#include "base/error.h"
#include "base/str.h"
#include "install/edit.h"

#include <stdbool.h>
#include <stddef.h>

/* A runtime as the engine is to know it. Owned by whoever holds the list. */
struct handler {
  char *name;   /* "hardened" */
  char *policy; /* the policy that `path` selects; NULL: as the node's rules say */
  char *path;   /* the program, as the engine sees it */
};

struct handlers {
  struct handler *items;
  size_t len;
  char *chosen; /* the name that becomes the engine's default; NULL: the default stays */
};
#define CLEANUP_HANDLERS CLEANUP(handlers_free)
void handlers_free(struct handlers *h);
/* The one of that name; NULL: none. */
struct handler *handlers_find(const struct handlers *h, const char *name);
/* Replaces the one of that name, or adds it. */
void handlers_put(struct handlers *h, const char *name, const char *policy, const char *path);
/* A name that every engine takes: lower-case letters, digits, '-' and '.', a letter or digit at both ends, no
 * engine's own. */
int handler_name_check(const char *name, struct error *err) MUST_CHECK;

/* A configuration file. text NULL: there is none. Borrowed. */
struct config_text {
  const char *name;
  const char *text;
  size_t len;
  const struct config_text
      *others; /* of an engine that merges files: those that it reads before this one, in order */
  size_t others_len;
};

/*
 * containerd's config.toml. Versions 1 (no `version`), 2, 3 and 4; containerd takes version 2 from 1.5
 * to 2.x, so a file that is made has that.
 */
int containerd_apply(const struct config_text *in, const struct handlers *h, struct str *ret,
                     struct changes *ret_changes, struct strlist *ret_notes, struct error *err) MUST_CHECK;
/* Takes `changes` out, whatever else was edited since. A default that is no longer ours stays, and *ret_notes
 * says so. */
int containerd_take_back(const struct config_text *in, const struct handlers *h,
                         const struct changes *changes, struct str *ret, struct strlist *ret_notes,
                         struct error *err) MUST_CHECK;

#endif
