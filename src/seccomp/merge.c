/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/merge.h"

#include "seccomp/combine.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#define DENIED ((uint32_t)SECCOMP_RET_ERRNO | EPERM)

struct merge {
  const struct seccomp_profile *engine, *policy;
  const struct seccomp_merge_options *options;
  bool engine_notify, policy_notify; /* the side's NOTIFY has a listener in the result */
  struct seccomp_profile result;
  struct seccomp_merge_report *report;
};

void seccomp_merge_report_free(struct seccomp_merge_report *report) {
  strlist_free(&report->stricter);
  *report = (struct seccomp_merge_report){ 0 };
}

static bool has_action(const struct seccomp_profile *profile, uint32_t action) {
  if (profile->default_action == action)
    return true;
  for (size_t i = 0; i < profile->calls_len; i++)
    for (size_t j = 0; j < profile->calls[i].len; j++)
      if (profile->calls[i].rules[j].action == action)
        return true;
  return false;
}

/* A filter has one listener: the policy's when it has one, else the engine's where that is allowed. An engine
 * that names the policy's means the same one; a policy that is the engine's own profile has none. */
static void choose_listener(struct merge *m) {
  const char *engine = m->engine->listener_path, *policy = m->policy->listener_path;
  m->policy_notify = policy && (m->policy != m->engine || m->options->engine_listener);
  m->engine_notify = engine && (m->policy_notify ? strcmp(engine, policy) == 0 : m->options->engine_listener);
}

static void set_listener(struct merge *m) {
  const struct seccomp_profile *owner = m->policy_notify ? m->policy : m->engine_notify ? m->engine : NULL;
  if (!owner || !has_action(&m->result, SECCOMP_RET_USER_NOTIF))
    return;
  m->result.listener_path = xstrdup(owner->listener_path);
  m->result.listener_metadata = xstrdup(owner->listener_metadata);
  m->result.flags |= owner->flags & SECCOMP_PROFILE_WAIT_KILLABLE_RECV;
}

static void merge_abis(struct merge *m) {
  const struct seccomp_abi *native = seccomp_abi_native();
  size_t count = 0;
  while (seccomp_abis[count].oci)
    count++;
  m->result.abis = xcalloc(count, sizeof(const struct seccomp_abi *));
  m->result.abis[m->result.abis_len++] = native;
  for (const struct seccomp_abi *abi = seccomp_abis; abi->oci && !m->options->native_only; abi++)
    /* x32: a conditional rule can get lost in libseccomp when it is named beside x86-64. */
    if (abi != native && !seccomp_abi_is_x32(abi) && seccomp_abi_is_local(abi) &&
        seccomp_profile_has_abi(m->engine, abi) && seccomp_profile_has_abi(m->policy, abi))
      m->result.abis[m->result.abis_len++] = abi;
}

static bool is_narrow(const struct seccomp_profile *profile) {
  for (size_t i = 0; i < profile->abis_len; i++)
    if (profile->abis[i]->argument_bits == 32)
      return true;
  return false;
}

/* NOTIFY where it has a listener and the runtime takes it; `name` is NULL for the default. */
static bool notify_allowed(const struct merge *m, bool side, const char *name) {
  bool runtime_refuses = !name || strcmp(name, "write") == 0;
  return side && !(m->options->runtime == RUNTIME_RUNC && runtime_refuses);
}

static uint32_t default_of(const struct merge *m, const struct seccomp_profile *side, bool notify) {
  bool replace = side->default_action == SECCOMP_RET_USER_NOTIF && !notify_allowed(m, notify, NULL);
  return replace ? DENIED : side->default_action;
}

static void merge_default(struct merge *m) {
  uint32_t engine = default_of(m, m->engine, m->engine_notify);
  uint32_t policy = default_of(m, m->policy, m->policy_notify);
  m->result.default_action = seccomp_action_stricter(engine, policy) ? engine : policy;
}

static bool listed(const struct strlist *names, const char *name) {
  return names && (strlist_has(names, name) || strlist_has(names, "*"));
}

static void merge_call(struct merge *m, const char *name, const struct seccomp_call *engine,
                       const struct seccomp_call *policy) {
  struct seccomp_call *call = &m->result.calls[m->result.calls_len++];
  call->name = xstrdup(name);
  struct combine_input in = {
    .engine = { engine, default_of(m, m->engine, m->engine_notify),
                notify_allowed(m, m->engine_notify, call->name) },
    .policy = { policy, default_of(m, m->policy, m->policy_notify),
                notify_allowed(m, m->policy_notify, call->name) },
    .default_action = m->result.default_action,
    .narrow = is_narrow(&m->result),
    .low = listed(m->options->low, call->name),
    .coarse = listed(m->options->coarse, call->name),
  };
  bool exact = combine_call(&in, call);
  if (!m->report)
    return;
  if (exact)
    m->report->exact++;
  else
    strlist_add(&m->report->stricter, call->name);
}

/* Every name of either side: also one that equals the default, which the multiplexers' families count. */
static void merge_calls(struct merge *m) {
  const struct seccomp_profile *a = m->engine, *b = m->policy;
  m->result.calls = xcalloc(a->calls_len + b->calls_len + 2, sizeof(*m->result.calls));
  for (size_t i = 0, j = 0;;) {
    const struct seccomp_call *x = i < a->calls_len ? &a->calls[i] : NULL;
    const struct seccomp_call *y = j < b->calls_len ? &b->calls[j] : NULL;
    if (!x && !y)
      return;
    int order = !x ? 1 : !y ? -1 : strcmp(x->name, y->name);
    if (order <= 0)
      merge_call(m, x->name, x, order == 0 ? y : NULL);
    else
      merge_call(m, y->name, NULL, y);
    i += order <= 0;
    j += order >= 0;
  }
}

static bool multiplexes(const struct seccomp_profile *profile, enum seccomp_mux mux) {
  for (size_t i = 0; i < profile->abis_len; i++)
    if (seccomp_abi_multiplexes(profile->abis[i], mux))
      return true;
  return false;
}

static void drop_multiplexing_abis(struct seccomp_profile *profile, enum seccomp_mux mux) {
  size_t kept = 0;
  for (size_t i = 0; i < profile->abis_len; i++)
    if (!seccomp_abi_multiplexes(profile->abis[i], mux))
      profile->abis[kept++] = profile->abis[i];
  profile->abis_len = kept;
}

/* An action at least as strict that is not the default itself: the runtimes drop rules that equal it, and
 * then libseccomp's own rules for the members decide. False: none is left. */
static bool beyond_default(uint32_t action, uint32_t *ret) {
  switch (action & SECCOMP_RET_ACTION_FULL) {
  case SECCOMP_RET_KILL_PROCESS:
    return false;
  case SECCOMP_RET_KILL_THREAD:
    *ret = SECCOMP_RET_KILL_PROCESS;
    return true;
  case SECCOMP_RET_TRAP:
    *ret = SECCOMP_RET_KILL_THREAD;
    return true;
  case SECCOMP_RET_ERRNO:
    *ret = SECCOMP_RET_ERRNO | ((action & SECCOMP_RET_DATA) == ENOSYS ? EPERM : ENOSYS);
    return true;
  default:
    *ret = DENIED;
    return true;
  }
}

struct family {
  bool any;
  uint32_t strictest, least;
};

static void family_add(struct family *f, uint32_t action) {
  if (!f->any || seccomp_action_stricter(action, f->strictest))
    f->strictest = action;
  if (!f->any || seccomp_action_stricter(f->least, action))
    f->least = action;
  f->any = true;
}

static void family_add_call(struct family *f, const struct seccomp_call *call, uint32_t default_action) {
  bool covered = false;
  for (size_t i = 0; call && i < call->len; i++) {
    family_add(f, call->rules[i].action);
    covered |= call->rules[i].len == 0;
  }
  if (!covered)
    family_add(f, default_action);
}

/* What a side says of a member counts even where its condition on the first argument never holds: behind the
 * multiplexer that condition is gone. */
static uint32_t strictest_said(const struct merge *m, enum seccomp_mux mux, uint32_t action) {
  const struct seccomp_profile *sides[] = { m->engine, m->policy };
  const char *member;
  for (size_t i = 0; (member = seccomp_mux_member(mux, i)); i++)
    for (size_t side = 0; side < ARRAY_SIZE(sides); side++) {
      const struct seccomp_call *call = seccomp_profile_find(sides[side], member);
      for (size_t j = 0; call && j < call->len; j++)
        if (seccomp_action_stricter(call->rules[j].action, action))
          action = call->rules[j].action;
    }
  /* One listener for half of a family would be no use; and which errno came first says nothing here. */
  bool plain = action == SECCOMP_RET_USER_NOTIF || (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
  return plain ? DENIED : action;
}

static struct seccomp_call *find_or_add_call(struct seccomp_profile *profile, const char *name) {
  size_t at = 0;
  while (at < profile->calls_len && strcmp(profile->calls[at].name, name) < 0)
    at++;
  struct seccomp_call *call = &profile->calls[at];
  if (at < profile->calls_len && strcmp(call->name, name) == 0)
    return call;
  memmove(call + 1, call, (profile->calls_len - at) * sizeof(*call)); /* merge_calls left room for two */
  profile->calls_len++;
  *call = (struct seccomp_call){ .name = xstrdup(name) };
  return call;
}

/* Through the multiplexer the members' arguments are behind a pointer, and libseccomp's rules for it match
 * the member's number only: the strictest of all of them is what no argument can get around. */
static void merge_family(struct merge *m, enum seccomp_mux mux, const char *name) {
  struct seccomp_profile *result = &m->result;
  if (!multiplexes(result, mux))
    return;
  const struct seccomp_call *own = seccomp_profile_find(result, name);
  struct family family = { 0 };
  bool named = own != NULL;
  const char *member;
  for (size_t i = 0; (member = seccomp_mux_member(mux, i)); i++) {
    const struct seccomp_call *call = seccomp_profile_find(result, member);
    named |= call != NULL;
    family_add_call(&family, call, result->default_action);
  }
  if (!named)
    return;
  uint32_t members_least = family.least;
  family_add_call(&family, own, result->default_action);

  uint32_t action = strictest_said(m, mux, family.strictest);
  if (seccomp_action_compare(action, result->default_action) == 0) {
    action = result->default_action;
    if (seccomp_action_stricter(action, members_least) && !beyond_default(action, &action)) {
      drop_multiplexing_abis(result, mux);
      return;
    }
  }
  struct seccomp_call *call = find_or_add_call(result, name);
  if (m->report && seccomp_action_stricter(action, family.least) &&
      !strlist_has(&m->report->stricter, name)) {
    m->report->exact -= own != NULL;
    strlist_add(&m->report->stricter, name);
  }
  free(call->rules);
  call->rules = xcalloc(1, sizeof(*call->rules));
  call->rules[0].action = action;
  call->len = action != result->default_action;
}

void seccomp_profile_merge(const struct seccomp_profile *engine, const struct seccomp_profile *policy,
                           const struct seccomp_merge_options *options, struct seccomp_profile *ret,
                           struct seccomp_merge_report *report) {
  struct merge m = { .engine = engine, .policy = policy, .options = options, .report = report };
  if (report)
    *report = (struct seccomp_merge_report){ 0 };
  choose_listener(&m);
  merge_abis(&m);
  merge_default(&m);
  merge_calls(&m);
  merge_family(&m, SECCOMP_MUX_SOCKETCALL, "socketcall");
  merge_family(&m, SECCOMP_MUX_IPC, "ipc");
  m.result.flags = ((engine->flags | policy->flags) & SECCOMP_PROFILE_LOG) |
                   (engine->flags & policy->flags & SECCOMP_PROFILE_SPEC_ALLOW);
  set_listener(&m);
  seccomp_profile_drop_implied(&m.result);
  *ret = m.result;
}
