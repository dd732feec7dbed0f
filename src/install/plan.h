/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine's file as it is and as it is to be, planned and then done. What a plan starts from is always the
 * text without anything of ours: so installing twice is installing once, and a change of policy is an
 * exchange.
 */
#ifndef HARDEN_INSTALL_PLAN_H
#define HARDEN_INSTALL_PLAN_H

#include "install/installed.h"

/* How an engine learns of a new configuration. */
enum reload { RELOAD_RESTART, RELOAD_SIGNAL, RELOAD_NONE };

struct engine {
  const char *name;
  const char *file;   /* where its configuration is, when nobody says */
  const char *daemon; /* the process that reads it; NULL: each command does */
  const char *unit;   /* systemd's */
  enum reload reload;
  /* Of one that looks the runtime of a container up by its name, for each verb: its value of the annotation
   * io.container.manager. NULL: it remembers the program. */
  const char *manager;
  const char *present;           /* what is there where the engine is: a glob of programs */
  const char *const *present_by; /* or one of these files is; ends with NULL. NULL: none */
  const char *const
      *others; /* globs of files that it reads before ours, in order; ends with NULL. NULL: none */
  /* The same for the file that is to be changed, where that depends on it. NULL: it does not. */
  int (*others_of)(const struct host *h, const char *file, struct strlist *ret, struct error *err);
  /* Which file is to be changed; `given` is --file's, else `file` above. *ret_file is never NULL. */
  int (*find)(const struct host *h, const char *given, char **ret_file, struct error *err);
  int (*apply)(const struct config_text *in, const struct handlers *h, struct str *ret,
               struct changes *ret_changes, struct strlist *ret_notes, struct error *err);
  /* Says, as notes, which of the engine's containers cannot be started again without these. NULL: it keeps no
   * such list that can be read. */
  int (*users)(const struct host *h, const struct config_text *in, const struct handlers *handlers,
               struct strlist *ret_notes, struct error *err);
  int (*take_back)(const struct config_text *in, const struct handlers *h, const struct changes *changes,
                   struct str *ret, struct strlist *ret_notes, struct error *err);
};

extern const struct engine engines[]; /* ends with name NULL */
const struct engine *engine_find(const char *name);
int engine_is_present(const struct host *h, const struct engine *engine, bool *ret,
                      struct error *err) MUST_CHECK;

struct plan {
  const struct engine *engine;
  char *file;
  struct host_file now;
  char *after;           /* what the file is to hold; NULL: it is to go */
  char *original;        /* what it holds without us; NULL: no file */
  struct installed next; /* the record then; no handlers: none */
  bool known;            /* there was a record */
  bool changed;
  struct strlist notes;
};
#define CLEANUP_PLAN CLEANUP(plan_free)
void plan_free(struct plan *p);

/* Adds, or exchanges, `wanted`; its default, if it has one, becomes the engine's. `file` NULL: the engine's
 * own place. */
int plan_install(const struct host *h, const struct engine *engine, const char *file,
                 const struct handlers *wanted, struct plan *ret, struct error *err) MUST_CHECK;
/* Takes out the handler of that name, or all of them (NULL). `needed`: containers are there that the engine
 * could not even stop then, so that the names stay, and only the default goes. */
int plan_uninstall(const struct host *h, const struct engine *engine, const char *name, bool needed,
                   struct plan *ret, struct error *err) MUST_CHECK;
int plan_do(const struct host *h, const struct plan *p, struct error *err) MUST_CHECK;

#endif
