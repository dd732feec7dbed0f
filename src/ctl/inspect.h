/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl inspect: finding the process that is meant, and what was promised of it. */
#ifndef HARDEN_CTL_INSPECT_H
#define HARDEN_CTL_INSPECT_H

#include "harden/proof.h"
#include "policy/config.h"
#include "posture/posture.h"
#include "runtime/state.h"

/* Whom to look at. Owns its members. */
struct subject {
  pid_t pid;
  uint64_t start;         /* 0: any, the pid was given */
  char *id, *root;        /* of the container; NULL: a pid was given */
  char *bundle;           /* NULL: unknown */
  bool created;           /* it was not started yet */
  enum runtime_kind kind; /* of the runtime, where a container was named */
  bool has_state;         /* our own wrapper made it */
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

/* What our wrapper promised of it. */
struct promise {
  json_t *config; /* NULL: nothing was promised, or nobody knows any more what */
  char *why_not;  /* why nobody knows; NULL: there is none */
  const struct policy *policies[STATE_POLICIES_MAX];
  struct proof_promise promise; /* borrows from this and the subject */
};
void promise_load(struct promise *ret, const struct subject *subject, size_t config_limit);
void promise_free(struct promise *p);
#define CLEANUP_PROMISE CLEANUP(promise_free)

/* Appends what its user namespace is not: there is none though a policy wanted it, or not all is mapped. */
void promise_tell_map(const struct state *state, struct posture_rows *told);

/* Appends what was broken of what was promised for the container's whole life to `found`; to `told` how much
 * of it held, and what could not be read. */
void promise_compare(const struct promise *p, const struct proof_view *view, struct posture_rows *told,
                     struct posture_rows *found);

#endif
