/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an intersection must hold, judged by the meaning of the three profiles at chosen points, and by the
 * form of the result. Shared by the property test and the fuzz target.
 */
#ifndef HARDEN_TESTS_SECCOMP_ORACLE_H
#define HARDEN_TESTS_SECCOMP_ORACLE_H

#include "seccomp/merge.h"

#include <inttypes.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct oracle {
  const struct seccomp_profile *a, *b, *merged;
  const struct seccomp_merge_report *report;
  uint64_t random;                /* state; not 0 */
  size_t points, equal, stricter; /* counted */
  char fault[4096];               /* what did not hold; empty: all did */
};

static inline uint64_t oracle_random(struct oracle *o) {
  o->random ^= o->random << 13;
  o->random ^= o->random >> 7;
  o->random ^= o->random << 17;
  return o->random;
}

/* The points of one argument of one call around the constants of all three profiles. */
struct oracle_pool {
  uint64_t values[4096];
  size_t len;
};

static inline void oracle_pool_add(struct oracle_pool *pool, const struct seccomp_profile *profile,
                                   const char *name, unsigned arg) {
  const struct seccomp_call *call = seccomp_profile_find(profile, name);
  for (size_t i = 0; call && i < call->len; i++)
    for (unsigned j = 0; j < call->rules[i].len; j++)
      if (call->rules[i].conditions[j].index == arg && pool->len + SECCOMP_POINTS_MAX < 4096)
        pool->len += seccomp_condition_points(&call->rules[i].conditions[j], pool->values + pool->len);
}

static inline uint64_t oracle_draw(struct oracle *o, const struct oracle_pool *pool) {
  uint64_t r = oracle_random(o);
  if (pool->len == 0 || r % 16 == 0)
    return r % 32 == 0 ? oracle_random(o) : oracle_random(o) % 64;
  return pool->values[(r >> 8) % pool->len];
}

static inline bool oracle_point(struct oracle *o, const struct seccomp_abi *abi, const char *name,
                                const uint64_t args[SECCOMP_ARGS], bool exact) {
  uint32_t a = seccomp_profile_eval_name(o->a, abi, name, args);
  uint32_t b = seccomp_profile_eval_name(o->b, abi, name, args);
  uint32_t merged = seccomp_profile_eval_name(o->merged, abi, name, args);
  uint32_t expected = seccomp_action_stricter(a, b) ? a : b;
  bool listed = seccomp_profile_has_abi(o->merged, abi);
  int order = seccomp_action_compare(merged, expected);
  o->points++;
  o->equal += order == 0;
  o->stricter += order > 0;
  /* An ABI that is left out is killed, and nothing can ask the runtimes for more. */
  if (order < 0 && listed)
    snprintf(o->fault, sizeof o->fault, "weaker");
  else if (order > 0 && listed && exact && expected != SECCOMP_RET_USER_NOTIF)
    snprintf(o->fault, sizeof o->fault, "said to be exact and is stricter");
  else
    return true;
  char *where = NULL;
  if (asprintf(&where, "%s %s(%#" PRIx64 ", %#" PRIx64 ", %#" PRIx64 ", %#" PRIx64 "): a %s, b %s, merged %s",
               abi->oci, name, args[0], args[1], args[2], args[3], seccomp_action_oci(a),
               seccomp_action_oci(b), seccomp_action_oci(merged)) > 0)
    snprintf(o->fault + strlen(o->fault), sizeof o->fault - strlen(o->fault), ": %s", where);
  free(where);
  return false;
}

/* `count` points of one call. */
static inline bool oracle_call(struct oracle *o, const struct seccomp_abi *abi, const char *name,
                               size_t count) {
  struct oracle_pool *pools = calloc(SECCOMP_ARGS, sizeof(*pools));
  const struct seccomp_profile *profiles[] = { o->a, o->b, o->merged };
  bool good = pools != NULL;
  /* A multiplexer takes over what its family lost. */
  bool exact =
      !strlist_has(&o->report->stricter, name) && !seccomp_abi_multiplexes(abi, seccomp_mux_of_call(name));
  for (unsigned arg = 0; good && arg < SECCOMP_ARGS; arg++)
    for (size_t i = 0; i < 3; i++)
      oracle_pool_add(&pools[arg], profiles[i], name, arg);
  for (size_t i = 0; good && i < count; i++) {
    uint64_t args[SECCOMP_ARGS];
    for (unsigned arg = 0; arg < SECCOMP_ARGS; arg++)
      args[arg] = oracle_draw(o, &pools[arg]);
    good = oracle_point(o, abi, name, args, exact);
  }
  free(pools);
  return good;
}

static inline bool oracle_has_arguments(const struct seccomp_profile *profile, const char *name) {
  const struct seccomp_call *call = seccomp_profile_find(profile, name);
  for (size_t i = 0; call && i < call->len; i++)
    if (call->rules[i].len > 0)
      return true;
  return false;
}

/* About `count` points, most of them where arguments matter. */
static inline bool oracle_points(struct oracle *o, size_t count) {
  size_t with = 1, abis = 0;
  for (const struct seccomp_abi *abi = seccomp_abis; abi->oci; abi++)
    abis += seccomp_profile_has_abi(o->merged, abi);
  for (size_t i = 0; i < o->merged->calls_len; i++)
    with += oracle_has_arguments(o->a, o->merged->calls[i].name) ||
            oracle_has_arguments(o->b, o->merged->calls[i].name);
  for (const struct seccomp_abi *abi = seccomp_abis; abi->oci; abi++) {
    if (!seccomp_abi_is_local(abi))
      continue;
    if (!seccomp_profile_has_abi(o->merged, abi)) {
      if (!oracle_call(o, abi, "read", 2))
        return false;
      continue;
    }
    for (size_t i = 0; i < o->merged->calls_len; i++) {
      const char *name = o->merged->calls[i].name;
      bool arguments = oracle_has_arguments(o->a, name) || oracle_has_arguments(o->b, name);
      if (!oracle_call(o, abi, name, arguments ? count / with / abis + 1 : 1))
        return false;
    }
    if (!oracle_call(o, abi, "no_such_call", 2) || !oracle_call(o, abi, "socketcall", 64) ||
        !oracle_call(o, abi, "ipc", 32))
      return false;
  }
  return true;
}

static inline bool oracle_fault(struct oracle *o, const char *name, const char *what) {
  snprintf(o->fault, sizeof o->fault, "%s: %s", name, what);
  return false;
}

/* The shapes that merge.h promises. */
static inline bool oracle_shape(struct oracle *o) {
  for (size_t i = 0; i < o->merged->calls_len; i++) {
    const struct seccomp_call *call = &o->merged->calls[i];
    bool equalities = true, singles = true;
    if (call->len > 40)
      return oracle_fault(o, call->name, "more than 40 rules");
    for (size_t j = 0; j < call->len; j++) {
      const struct seccomp_rule *rule = &call->rules[j];
      if (rule->action != call->rules[0].action || rule->action == o->merged->default_action)
        return oracle_fault(o, call->name, "not one action besides the default");
      singles &= rule->len <= 1;
      for (unsigned k = 0; k < rule->len; k++) {
        enum seccomp_op op = rule->conditions[k].op;
        equalities &= op == SECCOMP_OP_EQ || op == SECCOMP_OP_MASKED_EQ;
        singles &= op == SECCOMP_OP_MASKED_EQ || rule->conditions[k].value <= INT32_MAX;
      }
    }
    if (call->len > 1 && !equalities && !singles)
      return oracle_fault(o, call->name, "a shape that libseccomp may get wrong");
  }
  for (size_t i = 0; i < o->merged->abis_len; i++)
    if (seccomp_abi_is_x32(o->merged->abis[i]))
      return oracle_fault(o, "architectures", "x32 in a result");
  return true;
}

/* The encoded section, compact. */
static inline void oracle_text(const struct seccomp_profile *profile, struct str *out) {
  json_t *section = seccomp_profile_encode(profile);
  jsonx_dump(section, out);
  json_decref(section);
}

static inline bool oracle_same_text(const struct seccomp_profile *x, const struct seccomp_profile *y) {
  struct str p CLEANUP_STR = { 0 }, q CLEANUP_STR = { 0 };
  oracle_text(x, &p);
  oracle_text(y, &q);
  return strcmp(p.data, q.data) == 0;
}

/* Encoding and decoding change nothing, nor does a second application of either side. */
static inline bool oracle_stable(struct oracle *o, const struct seccomp_merge_options *options) {
  struct error err = { 0 };
  struct seccomp_profile again CLEANUP_SECCOMP_PROFILE = { 0 }, twice CLEANUP_SECCOMP_PROFILE = { 0 };
  json_t *section = seccomp_profile_encode(o->merged);
  int decoded =
      seccomp_profile_decode(section, NULL, "/linux/seccomp", SECCOMP_ACCEPT_PERMISSIVE, &again, &err);
  json_decref(section);
  if (decoded < 0)
    return oracle_fault(o, "the result is refused", err.message);
  if (!oracle_same_text(&again, o->merged))
    return oracle_fault(o, "result", "changes when it is decoded and encoded");
  seccomp_profile_merge(&again, o->b, options, &twice, NULL);
  if (!oracle_same_text(&twice, o->merged))
    return oracle_fault(o, "result", "changes when the policy is applied again");
  return true;
}

/* Everything. False: o->fault tells. */
static inline bool oracle_merge(struct oracle *o, const struct seccomp_merge_options *options, size_t count) {
  struct seccomp_profile merged CLEANUP_SECCOMP_PROFILE = { 0 };
  struct seccomp_merge_report report CLEANUP_SECCOMP_MERGE_REPORT = { 0 };
  seccomp_profile_merge(o->a, o->b, options, &merged, &report);
  o->merged = &merged;
  o->report = &report;
  bool good = oracle_shape(o) && oracle_stable(o, options) && oracle_points(o, count);
  o->merged = NULL;
  o->report = NULL;
  return good;
}

#endif
