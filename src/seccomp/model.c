/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/model.h"

#include "seccomp/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const seccomp_op_names[] = { "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",        "SCMP_CMP_EQ",
                                         "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ", NULL };

const char *const seccomp_flag_names[] = { "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
                                           "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                                           "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL };

struct action_name {
  const char *oci;
  uint32_t action;
};

/* Strictest first: the index is the rank. SCMP_ACT_KILL is the older word for KILL_THREAD. */
static const struct action_name actions[] = {
  { "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
  { "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
  { "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
  { "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO },
  { "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF },
  { "SCMP_ACT_TRACE", SECCOMP_RET_TRACE },
  { "SCMP_ACT_LOG", SECCOMP_RET_LOG },
  { "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
};

/* A word the kernel does not know acts as KILL_PROCESS. */
static size_t action_rank(uint32_t action) {
  for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
    if (actions[i].action == (action & SECCOMP_RET_ACTION_FULL))
      return i;
  return 0;
}

int seccomp_action_compare(uint32_t a, uint32_t b) {
  size_t rank_a = action_rank(a), rank_b = action_rank(b);
  return (rank_a < rank_b) - (rank_a > rank_b);
}

bool seccomp_action_stricter(uint32_t a, uint32_t b) {
  return seccomp_action_compare(a, b) > 0;
}

const char *seccomp_action_oci(uint32_t action) {
  return actions[action_rank(action)].oci;
}

bool seccomp_action_permissive(uint32_t action) {
  return !seccomp_action_stricter(action, SECCOMP_RET_LOG);
}

bool seccomp_action_by_oci(const char *name, uint32_t *ret) {
  for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
    if (strcmp(actions[i].oci, name) == 0) {
      *ret = actions[i].action;
      return true;
    }
  *ret = SECCOMP_RET_KILL_THREAD;
  return strcmp(name, "SCMP_ACT_KILL") == 0;
}

int seccomp_name_index(const char *const *names, const char *name) {
  for (int i = 0; names[i]; i++)
    if (strcmp(names[i], name) == 0)
      return i;
  return -1;
}

void seccomp_profile_free(struct seccomp_profile *profile) {
  if (!profile)
    return;
  for (size_t i = 0; i < profile->calls_len; i++) {
    free(profile->calls[i].name);
    free(profile->calls[i].rules);
  }
  free(profile->calls);
  free(profile->abis);
  free(profile->listener_path);
  free(profile->listener_metadata);
  *profile = (struct seccomp_profile){ 0 };
}

void seccomp_profile_drop_implied(struct seccomp_profile *profile) {
  size_t kept = 0;
  if (profile->default_action != (SECCOMP_RET_ERRNO | ENOSYS))
    return;
  for (size_t i = 0; i < profile->calls_len; i++) {
    struct seccomp_call *call = &profile->calls[i];
    const bool only = kept == 0 && i + 1 == profile->calls_len; /* a section has to name a call */
    if (call->len > 0 || only) {
      profile->calls[kept++] = *call;
    } else {
      free(call->name);
      free(call->rules);
    }
  }
  profile->calls_len = kept;
}

static int compare_call_name(const void *key, const void *item) {
  return strcmp(key, ((const struct seccomp_call *)item)->name);
}

const struct seccomp_call *seccomp_profile_find(const struct seccomp_profile *profile, const char *name) {
  if (profile->calls_len == 0)
    return NULL;
  return bsearch(name, profile->calls, profile->calls_len, sizeof(*profile->calls), compare_call_name);
}

bool seccomp_profile_has_abi(const struct seccomp_profile *profile, const struct seccomp_abi *abi) {
  for (size_t i = 0; i < profile->abis_len; i++)
    if (profile->abis[i] == abi)
      return true;
  return false;
}

bool seccomp_condition_holds(const struct seccomp_condition *condition, const struct seccomp_abi *abi,
                             uint64_t argument) {
  uint64_t width = abi->argument_bits == 32 ? UINT32_MAX : UINT64_MAX;
  uint64_t value = condition->value & width;
  argument &= width;
  switch (condition->op) {
  case SECCOMP_OP_NE:
    return argument != value;
  case SECCOMP_OP_LT:
    return argument < value;
  case SECCOMP_OP_LE:
    return argument <= value;
  case SECCOMP_OP_EQ:
    return argument == value;
  case SECCOMP_OP_GE:
    return argument >= value;
  case SECCOMP_OP_GT:
    return argument > value;
  case SECCOMP_OP_MASKED_EQ:
    return (argument & value) == (condition->value_two & value);
  }
  return false;
}

/* The strictest of the call's rules that match, and of *action when *found. */
static void judge(const struct seccomp_call *call, const struct seccomp_abi *abi,
                  const uint64_t args[SECCOMP_ARGS], bool ignore_first, uint32_t *action, bool *found) {
  for (size_t i = 0; i < call->len; i++) {
    const struct seccomp_rule *rule = &call->rules[i];
    bool holds = true;
    for (unsigned j = 0; j < rule->len && holds; j++) {
      const struct seccomp_condition *c = &rule->conditions[j];
      holds = (ignore_first && c->index == 0) || seccomp_condition_holds(c, abi, args[c->index]);
    }
    if (holds && (!*found || seccomp_action_stricter(rule->action, *action))) {
      *action = rule->action;
      *found = true;
    }
  }
}

static void judge_members(const struct seccomp_profile *profile, const struct seccomp_abi *abi,
                          enum seccomp_mux mux, const uint64_t args[SECCOMP_ARGS], uint32_t *action,
                          bool *found) {
  uint64_t selected = abi->argument_bits == 32 ? (uint32_t)args[0] : args[0];
  for (size_t i = 0; i < profile->calls_len; i++) {
    uint32_t number;
    if (seccomp_mux_of_member(profile->calls[i].name, &number) == mux && number == selected)
      judge(&profile->calls[i], abi, args, true, action, found);
  }
}

uint32_t seccomp_profile_eval_call(const struct seccomp_profile *profile, const struct seccomp_abi *abi,
                                   const struct seccomp_call *call, const uint64_t args[SECCOMP_ARGS]) {
  uint32_t action = profile->default_action;
  bool found = false;
  if (call)
    judge(call, abi, args, false, &action, &found);
  return action;
}

uint32_t seccomp_profile_eval_name(const struct seccomp_profile *profile, const struct seccomp_abi *abi,
                                   const char *name, const uint64_t args[SECCOMP_ARGS]) {
  if (!seccomp_profile_has_abi(profile, abi))
    return SECCOMP_RET_KILL_THREAD;
  uint32_t action = profile->default_action;
  bool found = false;
  const struct seccomp_call *call = seccomp_profile_find(profile, name);
  if (call)
    judge(call, abi, args, false, &action, &found);
  enum seccomp_mux mux = seccomp_mux_of_call(name);
  if (mux != SECCOMP_MUX_NONE && seccomp_abi_multiplexes(abi, mux))
    judge_members(profile, abi, mux, args, &action, &found);
  return action;
}

uint32_t seccomp_profile_eval(const struct seccomp_profile *profile, const struct seccomp_abi *abi,
                              int number, const uint64_t args[SECCOMP_ARGS]) {
  /* -1 is a call that a tracer skipped; libseccomp gives it the default under x86-64 too. */
  const struct seccomp_abi *x32 = seccomp_abi_by_oci("SCMP_ARCH_X32");
  if (abi->audit == x32->audit && number != -1 && ((uint32_t)number & SECCOMP_X32_BIT))
    abi = x32;
  if (!seccomp_profile_has_abi(profile, abi))
    return SECCOMP_RET_KILL_THREAD;
  char *name CLEANUP_FREE = seccomp_abi_name(abi, number);
  return name ? seccomp_profile_eval_name(profile, abi, name, args) : profile->default_action;
}

static size_t add_around(uint64_t *points, size_t n, uint64_t value) {
  points[n++] = value - 1;
  points[n++] = value;
  points[n++] = value + 1;
  return n;
}

size_t seccomp_condition_points(const struct seccomp_condition *condition, uint64_t ret[SECCOMP_POINTS_MAX]) {
  static const uint64_t always[] = { 0, 1, UINT32_MAX, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX };
  uint64_t value = condition->value;
  size_t n = 0;
  for (size_t i = 0; i < ARRAY_SIZE(always); i++)
    ret[n++] = always[i];
  n = add_around(ret, n, value);
  n = add_around(ret, n, value ^ UINT64_C(1) << 32);
  n = add_around(ret, n, (uint32_t)value);
  if (condition->op != SECCOMP_OP_MASKED_EQ)
    return n;
  uint64_t datum = condition->value_two & value;
  n = add_around(ret, n, datum);
  ret[n++] = datum | ~value;
  ret[n++] = (uint32_t)datum;
  for (unsigned bit = 0; bit < 64; bit++)
    ret[n++] = datum ^ UINT64_C(1) << bit;
  return n;
}
