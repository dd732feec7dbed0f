/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/plan.h"

#include "io/fileio.h"
#include "seccomp/cache.h"
#include "seccomp/compile.h"
#include "seccomp/merge.h"
#include "seccomp/profile_file.h"
#include "seccomp/validate.h"

#include <linux/seccomp.h>
#include <string.h>

#define ENGINE_POINTER "/linux/seccomp"

enum { TRIES = 8 }; /* of merging; all but the last coarsen single calls */

/* What goes in, borrowed or owned for the duration of one plan. */
struct task {
  const json_t *engine_section; /* NULL: none */
  struct jsonx_span engine_text;
  struct seccomp_profile_text text;
  const struct policy *policy;
  enum runtime_kind runtime;
  enum action action;
  struct seccomp_profile engine, profile;
  bool has_engine, has_profile;
};

/* The result in the making. */
struct draft {
  struct seccomp_profile result;
  struct seccomp_program tree, plain, stubbed;
  struct seccomp_program inputs[SECCOMP_INPUTS_MAX];
  struct seccomp_validation validation;
};

static void task_free(struct task *t) {
  seccomp_profile_text_free(&t->text);
  seccomp_profile_free(&t->engine);
  seccomp_profile_free(&t->profile);
}

static void draft_free(struct draft *d) {
  seccomp_profile_free(&d->result);
  seccomp_program_free(&d->tree);
  seccomp_program_free(&d->plain);
  seccomp_program_free(&d->stubbed);
  for (size_t i = 0; i < SECCOMP_INPUTS_MAX; i++)
    seccomp_program_free(&d->inputs[i]);
}

void seccomp_plan_free(struct seccomp_plan *plan) {
  if (!plan)
    return;
  json_decref(plan->merged);
  json_decref(plan->profile);
  free(plan->text);
  free(plan->program);
  *plan = (struct seccomp_plan){ 0 };
}

static void make_key(const struct task *t, struct seccomp_cache_key *ret) {
  CLEANUP_STR struct str engine = { 0 };
  struct jsonx_span text = t->engine_text;
  if (t->engine_section && !text.text) {
    jsonx_dump(t->engine_section, &engine);
    text = (struct jsonx_span){ engine.data, engine.len };
  }
  const uint8_t options[] = { t->has_engine,
                              t->has_profile,
                              (uint8_t)t->action,
                              (uint8_t)t->runtime,
                              t->policy->seccomp.native_only,
                              t->policy->seccomp.listener };
  /* A text begins with a brace, so that none is taken for a digest. */
  const char *digest = t->text.digest;
  const struct seccomp_cache_part profile = { digest ? digest : t->text.src.text,
                                              digest ? strlen(digest) : t->text.src.len };
  const struct seccomp_cache_part parts[] = { { options, sizeof options }, { text.text, text.len }, profile };
  seccomp_cache_key(ret, parts, ARRAY_SIZE(parts));
}

static bool load_cached(const struct seccomp_cache *cache, const struct seccomp_cache_key *key,
                        struct seccomp_plan *ret) {
  CLEANUP_STR struct str json = { 0 };
  CLEANUP_SECCOMP_PROGRAM struct seccomp_program program = { 0 };
  if (!seccomp_cache_load(cache, key, &json, &program))
    return false;
  struct error ignored = { 0 };
  const struct jsonx_source src = { "cache", json.data, json.len };
  if (jsonx_parse(&src, SECCOMP_CACHE_ENTRY_MAX, &ret->merged, &ignored) < 0)
    return false;
  ret->text = str_steal(&json);
  ret->program_len = program.len;
  ret->program = steal_ptr(&program.filter);
  ret->cached = true;
  return true;
}

static void store(const struct seccomp_cache *cache, const struct seccomp_cache_key *key,
                  const struct seccomp_plan *plan, enum runtime_kind runtime) {
  CLEANUP_STR struct str json = { 0 };
  jsonx_dump(plan->merged, &json);
  const bool taken = runtime == RUNTIME_CRUN;
  const struct seccomp_program program = { taken ? plan->program : NULL, taken ? plan->program_len : 0 };
  seccomp_cache_store(cache, key, &json, &program);
}

static int decode_profile(struct task *t, struct error *err) {
  json_auto_t *section = NULL;
  if (seccomp_profile_file_parse(&t->text.src, &section, err) < 0)
    return -1;
  if (seccomp_profile_decode(section, NULL, "", SECCOMP_ACCEPT_PERMISSIVE, &t->profile, err) == 0)
    return 0;
  err->code = ERROR_POLICY;
  return error_wrap(err, "%s (group N is /syscalls/N)", t->text.src.name);
}

/* An engine's deny list is accepted where the policy's profile turns it into an allow list. */
static int decode_inputs(struct task *t, struct error *err) {
  if (t->has_profile && decode_profile(t, err) < 0)
    return -1;
  bool covered =
      t->action == ACTION_HARDEN && t->has_profile && !seccomp_action_permissive(t->profile.default_action);
  if (t->has_engine && seccomp_profile_decode(t->engine_section, NULL, ENGINE_POINTER,
                                              covered ? SECCOMP_ACCEPT_PERMISSIVE : 0, &t->engine, err) < 0)
    return -1;
  return 0;
}

/* Only what the engine asked for by name may stay, and only for crun: runc before 1.2 takes no flag at all,
 * and means no speculation where none is given. */
static bool wants_speculation(const struct task *t) {
  const json_t *flags = t->engine_section ? json_object_get(t->engine_section, "flags") : NULL;
  return json_array_size(flags) > 0 && t->runtime == RUNTIME_CRUN;
}

/* Calls at which a compiled filter proved weaker, once and again. */
struct wanting {
  struct strlist once, again;
};

static void wanting_free(struct wanting *w) {
  strlist_free(&w->once);
  strlist_free(&w->again);
}

static void merge(const struct task *t, const struct wanting *wanting, struct seccomp_profile *ret) {
  const struct seccomp_merge_options options = { .native_only = t->policy->seccomp.native_only,
                                                 .runtime = t->runtime,
                                                 .engine_listener = t->policy->seccomp.listener,
                                                 .low = &wanting->once,
                                                 .coarse = &wanting->again };
  /* A side that is not there allows all that the other does, and has no listener. */
  const struct seccomp_profile *only = t->has_engine ? &t->engine : &t->profile;
  const struct seccomp_profile neutral = {
    .default_action = SECCOMP_RET_ALLOW, .abis = only->abis, .abis_len = only->abis_len, .flags = only->flags
  };
  seccomp_profile_merge(t->has_engine ? &t->engine : &neutral, t->has_profile ? &t->profile : &neutral,
                        &options, ret, NULL);
  if (!wants_speculation(t))
    ret->flags &= ~(unsigned)SECCOMP_PROFILE_SPEC_ALLOW;
}

static void add_input(struct draft *d, const struct seccomp_profile *input, const char *name) {
  size_t i = d->validation.inputs_len++;
  d->validation.inputs[i] = input;
  d->validation.input_names[i] = name;
}

static void draft_init(struct draft *d, const struct task *t) {
  d->validation.result = &d->result;
  d->validation.programs[0] = &d->plain;
  d->validation.programs[1] = &d->tree;
  d->validation.programs_len = 2;
  d->validation.stubbed = t->runtime == RUNTIME_RUNC ? &d->stubbed : NULL;
  if (t->has_engine)
    add_input(d, &t->engine, "the engine's filter");
  if (t->has_profile)
    add_input(d, &t->profile, "the policy's profile");
}

/* The result twice, as a chain and as a tree, and each input, which is compiled once. */
static int compile(struct draft *d, bool inputs, struct error *err) {
  struct seccomp_compilation jobs[2 + SECCOMP_INPUTS_MAX] = {
    { .profile = &d->result, .abis = &d->result },
    { .profile = &d->result, .abis = &d->result, .tree = true },
  };
  size_t len = 2;
  for (size_t i = 0; inputs && i < d->validation.inputs_len; i++)
    jobs[len++] = (struct seccomp_compilation){ .profile = d->validation.inputs[i], .abis = &d->result };
  if (seccomp_compile(jobs, len, &seccomp_compile_limits, err) < 0)
    return -1;
  seccomp_program_free(&d->plain);
  seccomp_program_free(&d->tree);
  seccomp_program_free(&d->stubbed);
  d->plain = jobs[0].program;
  d->tree = jobs[1].program;
  seccomp_program_add_stub(&d->plain, &d->result, &d->stubbed);
  for (size_t i = 2; i < len; i++) {
    d->inputs[i - 2] = jobs[i].program;
    d->validation.input_programs[i - 2] = &d->inputs[i - 2];
  }
  return 0;
}

/* Merges, compiles and validates; calls at which the compiled result proves weaker are merged anew for small
 * arguments alone, then as one action whatever their arguments, in the end all of them. */
static int harden(struct draft *d, const struct task *t, struct error *err) {
  CLEANUP(wanting_free) struct wanting wanting = { 0 };
  for (int i = 0;; i++) {
    CLEANUP_FREE char *call = NULL;
    seccomp_profile_free(&d->result);
    merge(t, &wanting, &d->result);
    if (compile(d, i == 0, err) < 0)
      return -1;
    if (seccomp_validate(&d->validation, &call, err) == 0)
      return 0;
    if (!call || i + 1 == TRIES)
      return -1;
    if (i + 2 == TRIES)
      strlist_add(&wanting.again, "*");
    else
      strlist_add(strlist_has(&wanting.once, call) ? &wanting.again : &wanting.once, call);
  }
}

/* ACTION_DENY: the engine's own filter has to hold what the policy's asks for. */
static int demand(struct draft *d, const struct task *t, struct error *err) {
  CLEANUP_FREE char *call = NULL;
  if (!t->has_engine)
    return error_set(err, ERROR_REFUSED, 0, ENGINE_POINTER ": the policy demands a seccomp filter");
  if (seccomp_profile_decode(t->engine_section, NULL, ENGINE_POINTER, 0, &d->result, err) < 0 ||
      compile(d, true, err) < 0)
    return -1;
  if (seccomp_validate(&d->validation, &call, err) == 0)
    return 0;
  err->code = ERROR_REFUSED; /* the engine's filter, not one of ours */
  return -1;
}

static int make(struct seccomp_plan *ret, struct task *t, struct error *err) {
  CLEANUP(draft_free) struct draft d = { 0 };
  if (decode_inputs(t, err) < 0)
    return -1;
  draft_init(&d, t);
  if ((t->action == ACTION_DENY ? demand : harden)(&d, t, err) < 0)
    return -1;
  ret->merged = t->action == ACTION_DENY ? jsonx_copy(t->engine_section) : seccomp_profile_encode(&d.result);
  if (!d.result.listener_path) {
    ret->program_len = d.tree.len;
    ret->program = steal_ptr(&d.tree.filter);
  }
  return 0;
}

/* Controls read no files. */
static int take_profile(struct seccomp_plan *ret, const struct task *t, struct error *err) {
  const bool asked = t->has_profile && (t->action == ACTION_DENY || t->action == ACTION_AUDIT);
  return asked && *t->policy->seccomp.profile == '/'
             ? seccomp_profile_file_load(t->policy->seccomp.profile, &ret->profile, err)
             : 0;
}

static int plan(struct seccomp_plan *ret, struct task *t, const struct seccomp_cache *cache,
                struct error *err) {
  if (take_profile(ret, t, err) < 0)
    return -1;
  if (t->action == ACTION_OFF || t->action == ACTION_AUDIT || (!t->has_engine && !t->has_profile)) {
    ret->merged = jsonx_copy(t->engine_section);
    return 0;
  }
  if (t->has_profile && seccomp_profile_text_load(t->policy->seccomp.profile, &t->text, err) < 0)
    return -1;
  struct seccomp_cache_key key;
  if (cache) {
    make_key(t, &key);
    if (load_cached(cache, &key, ret))
      return 0;
  }
  if (make(ret, t, err) < 0)
    return -1;
  if (cache)
    store(cache, &key, ret, t->runtime);
  return 0;
}

int seccomp_plan_make(struct seccomp_plan *ret, const json_t *engine, struct jsonx_span text,
                      const struct policy *policy, enum runtime_kind runtime,
                      const struct seccomp_cache *cache, struct error *err) {
  *ret = (struct seccomp_plan){ 0 };
  CLEANUP(task_free) struct task t = { .policy = policy, .runtime = runtime };
  t.engine_section = json_is_null(engine) ? NULL : engine;
  t.engine_text = text;
  t.has_engine = t.engine_section != NULL;
  t.has_profile = policy->seccomp.profile && *policy->seccomp.profile;
  t.action = policy_action(policy, policy->seccomp.action);
  return plan(ret, &t, cache, err);
}

char *seccomp_plan_base64(const struct seccomp_plan *plan) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const uint8_t *bytes = (const uint8_t *)plan->program;
  size_t len = plan->program ? plan->program_len * sizeof *plan->program : 0;
  char *text = xcalloc((len + 2) / 3 * 4 + 1, 1);
  char *p = text;
  for (size_t i = 0; i < len; i += 3) {
    size_t have = len - i < 3 ? len - i : 3;
    uint32_t group = (uint32_t)bytes[i] << 16 | (have > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                     (have > 2 ? bytes[i + 2] : 0);
    for (size_t k = 0; k < 4; k++)
      *p++ = k <= have ? digits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}
