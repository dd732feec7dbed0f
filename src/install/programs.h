/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wrapper on the host, and the links by which an engine that hands its runtime no arguments selects a
 * policy. What was put there by us is remembered (INSTALL_DIR/programs.json), so that it, and only it, goes
 * again.
 */
#ifndef HARDEN_INSTALL_PROGRAMS_H
#define HARDEN_INSTALL_PROGRAMS_H

#include "install/host.h"

struct programs {
  char *dir;           /* where they are, as the host sees it */
  struct strlist put;  /* paths of links and programs of ours that are there */
  struct strlist todo; /* links that are still to be made */
  struct strlist copy; /* names of programs that are to be copied into dir */
  /* "ENGINE TIME FILE": the engine was told to forget us then, and its daemon may not have been restarted
   * since. */
  struct strlist waiting;
  char *from; /* the directory that they are copied from; of this machine, not of the host */
};
#define CLEANUP_PROGRAMS CLEANUP(programs_free)
void programs_free(struct programs *p);

/* dir NULL: hardenctl's own directory, or /usr/local/sbin, or /usr/sbin, whichever has the wrapper. `copy`:
 * it need not have it; what hardenctl has beside it is to be copied there, where it differs. Refuses a
 * wrapper that others than root can change, or that cannot be executed. */
int programs_look(const struct host *h, const char *dir, bool copy, struct programs *ret,
                  struct error *err) MUST_CHECK;
/* The program that selects the policy (NULL: the node's rules select); *ret_path is to be freed. A link that
 * is not there is noted in p->todo. */
int programs_of_policy(const struct host *h, struct programs *p, const char *policy, char **ret_path,
                       struct error *err) MUST_CHECK;
/* Makes links, and copies programs (a running one is exchanged, not overwritten). */
int programs_put(const struct host *h, struct programs *p, struct error *err) MUST_CHECK;
/* What of ours is there. */
int programs_load(const struct host *h, struct programs *ret, struct error *err) MUST_CHECK;
/* Remembers that the engine's daemon knows our programs until it is restarted. */
int programs_wait(const struct host *h, const char *engine, const char *at, const char *file,
                  struct error *err) MUST_CHECK;
/* Those daemons that have not been restarted since, "dockerd (pid 7)" each. */
int programs_waited_for(const struct host *h, const struct programs *p, struct strlist *ret,
                        struct error *err) MUST_CHECK;
int programs_remove(const struct host *h, const struct programs *p, struct error *err) MUST_CHECK;
/* Is `path` a program that an engine can run, and nobody but root change? */
int program_check(const struct host *h, const char *path, struct error *err) MUST_CHECK;

#endif
