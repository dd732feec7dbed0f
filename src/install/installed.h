/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hardenctl did to an engine: INSTALL_DIR/ENGINE.json, and the file as it was, INSTALL_DIR/ENGINE.orig.
 * Both are written before the engine's file is, so that there is no moment at which a change has no record.
 */
#ifndef HARDEN_INSTALL_INSTALLED_H
#define HARDEN_INSTALL_INSTALLED_H

#include "base/sha256.h"
#include "install/engine.h"
#include "install/host.h"

struct installed {
  char *engine;
  char *file;     /* the one that was changed */
  char *made_dir; /* the topmost directory that was made for it; NULL: none */
  struct handlers handlers;
  struct changes changes;
  char *before, *after; /* SHA-256 of the file, hexadecimal; before NULL: there was none */
  char *at;             /* when it was written, RFC 3339 with milliseconds */
};
#define CLEANUP_INSTALLED CLEANUP(installed_free)
void installed_free(struct installed *i);

/* *ret_found false: nothing was done to this engine, and *ret is empty. */
int installed_load(const struct host *h, const char *engine, struct installed *ret, bool *ret_found,
                   struct error *err) MUST_CHECK;
/* `original` NULL: there was no file. */
int installed_save(const struct host *h, const struct installed *i, const char *original,
                   struct error *err) MUST_CHECK;
int installed_remove(const struct host *h, const char *engine, struct error *err) MUST_CHECK;
/* The file as it was; text NULL when there was none. */
int installed_original(const struct host *h, const struct installed *i, struct host_file *ret,
                       struct error *err) MUST_CHECK;

#endif
