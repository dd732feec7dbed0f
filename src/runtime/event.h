/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of one decision: a JSON object on one line, ECS 8.11 field names, appended by one write(2) so
 * that concurrent wrappers never mix their lines. Environment values never appear; a value of the journal
 * that is larger than EVENT_VALUE_MAX is replaced by its size.
 */
#ifndef HARDEN_EVENT_H
#define HARDEN_EVENT_H

#include "base/error.h"
#include "harden/proof.h"
#include "policy/policy.h"
#include "spec/spec.h"

#include <jansson.h>
#include <sys/types.h>
#include <time.h>

enum { EVENT_VALUE_MAX = 1024 };

/* All borrowed; NULL or empty: unknown. */
struct event {
  const char *verb;
  const char *id;
  const char *root;
  const char *bundle;
  const char *runtime;
  const struct policy *policies;
  size_t policies_len;
  const struct journal *journal;
  const char *before, *after; /* digests */
  const json_t *annotations;  /* the container's */
  bool sandbox;
  const struct proof *proof;   /* start: what came of it; NULL or empty: there was none */
  const struct error *refusal; /* why not; NULL: it goes on */
};

/* "containerd-cri", "containerd", "docker", "cri-o", "podman" or "unknown", by what the engine wrote and
 * where it keeps its state. Informative only: a caller can write what it likes. */
const char *event_engine(const char *root, const json_t *annotations);

/* New reference. */
json_t *event_build(const struct event *e, const struct timespec *now, pid_t pid) MUST_CHECK;

/* Appends to the file, whose directory is made when missing. An empty path writes nothing. */
int event_write(const struct event *e, const char *path, struct error *err) MUST_CHECK;

#endif
