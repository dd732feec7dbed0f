/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl inspect: finding the process that is meant. */
#ifndef HARDEN_CTL_INSPECT_H
#define HARDEN_CTL_INSPECT_H

#include "policy/config.h"
#include "runtime/state.h"

/* Whom to look at. Owns its members. */
struct subject {
  pid_t pid;
  uint64_t start;  /* 0: any, the pid was given */
  char *id, *root; /* of the container; NULL: a pid was given */
  char *bundle;    /* NULL: unknown */
  bool created;    /* it was not started yet */
  bool has_state;  /* our own wrapper made it */
  struct state state;
};
void subject_free(struct subject *s);
#define CLEANUP_SUBJECT CLEANUP(subject_free)

/*
 * name: a pid, a container's id, the beginning of one, or ROOT/ID. root: the only root to look in; NULL: all
 * that our own state knows, and those that engines use. Nobody, or more than one: ERROR_USAGE, which names
 * them all.
 */
int subject_find(struct subject *ret, const char *name, const char *root, const struct config *config,
                 struct error *err) MUST_CHECK;

#endif
