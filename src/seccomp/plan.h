/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the engine's seccomp section and the policy's to the one filter a container gets: merged, compiled in
 * a child with a time limit, interpreted against both inputs, and cached by digest.
 */
#ifndef HARDEN_SECCOMP_PLAN_H
#define HARDEN_SECCOMP_PLAN_H

#include "base/error.h"
#include "io/jsonx.h"
#include "policy/config.h"
#include "policy/policy.h"

#include <jansson.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

struct seccomp_plan {
  json_t *
      merged; /* what becomes /linux/seccomp; NULL: the section is to be absent (neither side has a filter) */
  char *text; /* of `merged`, where it was read from the cache; NULL elsewhere */
  struct sock_filter *program; /* validated, tree-optimised BPF of `merged` for the native ABI set; NULL: none
                                  (a listener needs the runtime, and runc, which compiles the section by
                                  itself, has no use of one from the cache) */
  size_t program_len;          /* instructions */
  json_t *profile; /* the section of the policy's profile where that is a file, for who compares by meaning:
                      under deny and audit. NULL elsewhere */
  bool cached;     /* came from the cache: nothing was compiled */
};

/* Where results are kept; NULL in the calls below: nowhere. */
struct seccomp_cache {
  const char *dir; /* made 0700 when absent; entries are checked (owner, mode, digest of content and of all
                      inputs) on use */
};

/* `engine` is the input's /linux/seccomp or NULL; text: what it was read from, where that is known (it tells
 * the same as the section, and is looked up in the cache as it stands), else nothing. Under a policy whose
 * seccomp action is off or audit the engine's section stays as it is, unread, without a program; under deny
 * it is validated as it stands against the policy's profile, and refused where it is weaker. Refusals
 * (ERROR_REFUSED) name a pointer below /linux/seccomp; ERROR_POLICY is the profile's fault. The plan owns its
 * members. */
int seccomp_plan_make(struct seccomp_plan *ret, const json_t *engine, struct jsonx_span text,
                      const struct policy *policy, enum runtime_kind runtime,
                      const struct seccomp_cache *cache, struct error *err) MUST_CHECK;
void seccomp_plan_free(struct seccomp_plan *plan);
#define CLEANUP_SECCOMP_PLAN CLEANUP(seccomp_plan_free)

/* The annotation by which crun takes a compiled filter, and its value (base64). The caller frees. */
#define SECCOMP_CRUN_ANNOTATION "run.oci.seccomp_bpf_data"
char *seccomp_plan_base64(const struct seccomp_plan *plan) MUST_CHECK;

/* Installs the policy's floor on this process (seccomp(2) SET_MODE_FILTER; needs CAP_SYS_ADMIN in our user
 * namespace; without it the floor is refused rather than gained through no_new_privs, which would leak into
 * the runtime). Empty floor: nothing. */
int seccomp_floor_install(const struct policy *policy, struct error *err) MUST_CHECK;

#endif
