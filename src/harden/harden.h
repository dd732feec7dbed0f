/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One document from bytes to proved bytes: the flow that the wrapper runs before it execs a runtime, and that
 * hardenctl runs to say what the wrapper would do. It writes nothing; what to do with the result is the
 * caller's.
 *
 *   bytes -> harden_parse -> (the caller selects policies) -> harden_run: facts, then for each policy a
 * seccomp plan and every control; canonical bytes; re-parse; verify against each policy and the order of
 * strictness
 */
#ifndef HARDEN_HARDEN_H
#define HARDEN_HARDEN_H

#include "control/control.h"
#include "facts/facts.h"
#include "policy/config.h"
#include "seccomp/plan.h"
#include "spec/spec.h"

enum { HARDEN_POLICIES_MAX = 2 }; /* the selected one, and the one that the container's annotation asks for */

/* See struct facts. All borrowed. */
struct harden_hook {
  const char *path;
  const struct strlist *args;
  bool wanted;
};

/* What a container may be mapped to; see facts_offer. All borrowed. */
struct harden_offer {
  uint32_t base; /* 0: nothing, and why not */
  const char *why;
  const char *place;          /* directory of the views */
  const char *path;           /* NULL: a new user namespace */
  const char *pid;            /* of a pid namespace that it owns, NULL: none is joined */
  const char *const *entered; /* ENTERED_TYPES paths, NULL where there is none */
};

struct harden_options {
  const struct policy *policies[HARDEN_POLICIES_MAX]; /* applied in this order; borrowed */
  size_t policies_len;
  enum runtime_kind runtime;
  int bundle_fd; /* the bundle's directory, to look at the rootfs and the host; -1: look at nothing */
  const struct facts *facts;         /* used instead of looking, when not NULL; borrowed */
  const struct seccomp_cache *cache; /* NULL: none */
  const char *apparmor_cache;        /* of compiled profiles; NULL: none */
  bool apparmor_load;                /* load from there what is wanted and not loaded, not only look for it */
  const json_t
      *container_annotations; /* exec: what the container was created with; borrowed, NULL: unknown */
  const char *id;             /* the container's; borrowed, NULL: unknown */
  const char *runtime_path;   /* borrowed, NULL: unknown */
  /* Gives the container its SELinux level: see struct facts_selinux. NULL: a sample one is used. */
  int (*level)(void *arg, const char *engine, char **ret, bool *ret_shared, struct error *err);
  int (*held)(void *arg, const char *level, bool *ret, struct error *err); /* the same for `held` */
  void *level_arg;
  const struct harden_hook *hook;   /* our own; borrowed, NULL: there is none */
  pid_t init;                       /* exec: the container's first process; 0: unknown */
  bool sandbox;                     /* exec: the container is a pod's pause process */
  bool user_namespace;              /* exec: the container has its own user namespace */
  int64_t ids_mapped;               /* exec: see struct facts */
  const struct harden_offer *offer; /* NULL: nobody was asked */
};

/* Zero-initialise. Owns its members, but for the source's text, which stays the caller's. */
struct harden {
  struct jsonx_source src;
  struct spec spec;   /* after harden_parse: the input; after harden_run: the output, and the journal */
  json_t *before;     /* the input, wrapped as the spec */
  struct facts facts; /* what was judged by */
  struct str bytes;   /* the output, canonical, unwrapped */
  struct spec after;  /* the output read back */
  struct seccomp_plan plans[HARDEN_POLICIES_MAX];
  json_t *outside;     /* sysctls that the wrapper is to set where the container may not; NULL: none */
  bool changed;        /* the output differs from the input in meaning */
  bool seccomp_cached; /* every plan came from the cache */
};

/* `limit` in bytes. Afterwards spec_at() of h->spec gives the annotations by which policies are selected. */
int harden_parse(struct harden *h, enum spec_kind kind, const struct jsonx_source *src, size_t limit,
                 struct error *err) MUST_CHECK;

/* ERROR_REFUSED: the container must not start. ERROR_INTERNAL: the output does not hold what was promised;
 * the same. The journal in h->spec is complete up to the refusal in every case. */
int harden_run(struct harden *h, const struct harden_options *options, struct error *err) MUST_CHECK;

/* Does the config as it is keep the policies? For those who cannot change it any more. ERROR_REFUSED: it does
 * not, and the message tells in what. */
int harden_judge(struct harden *h, const struct harden_options *options, struct error *err) MUST_CHECK;

void harden_free(struct harden *h);

#endif
