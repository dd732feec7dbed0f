/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seccomp control with a plan: the merged section is taken as it is, crun's annotation is ours or not
 * there. (Without a plan: tests/golden/seccomp.)
 */
#include "control/control.h"
#include "seccomp/plan.h"

#include <criterion/criterion.h>
#include <string.h>

#define SECTION "/linux/seccomp"
#define COMPILED "/annotations/" SECCOMP_CRUN_ANNOTATION

static struct sock_filter allow[] = { { .code = 0x06, .k = 0x7fff0000 } };
static struct sock_filter deny[] = { { .code = 0x06, .k = 0x00050001 } };

static const char engine_section[] =
    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"architectures\":[\"SCMP_ARCH_X86_64\"],"
    "\"flags\":[],\"syscalls\":[{\"names\":[\"bpf\",\"read\",\"write\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";
static const char merged_section[] =
    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"architectures\":[\"SCMP_ARCH_X86_64\"],"
    "\"flags\":[],\"syscalls\":[{\"names\":[\"read\",\"write\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";

struct turn {
  struct spec spec;
  json_t *before;
  struct policy policy;
  struct facts facts;
  struct seccomp_plan plan;
  struct jsonx_source src;
  char *text;
};

static void turn_free(struct turn *t) {
  spec_free(&t->spec);
  json_decref(t->before);
  policy_free(&t->policy);
  facts_free(&t->facts);
  json_decref(t->plan.merged);
  free(t->text);
}
#define CLEANUP_TURN CLEANUP(turn_free)

static void turn_make(struct turn *t, const char *annotations, enum runtime_kind runtime,
                      struct sock_filter *program) {
  static const char policy[] =
      "{\"seccomp\":{\"action\":\"harden\",\"profile\":\"restricted\",\"nativeOnly\":true}}";
  const struct jsonx_source src = { "policy.json", policy, strlen(policy) };
  struct error err = { 0 };
  t->text = xasprintf("{\"ociVersion\":\"1.0.2\",\"annotations\":%s,\"linux\":{\"seccomp\":%s}}", annotations,
                      engine_section);
  t->src = (struct jsonx_source){ "config.json", t->text, strlen(t->text) };
  cr_assert_eq(spec_parse(&t->spec, SPEC_CONFIG, &t->src, JSONX_LIMIT_DEFAULT, &err), 0, "%s", err.message);
  t->before = jsonx_copy(t->spec.root);
  policy_init(&t->policy);
  cr_assert_eq(policy_decode(&t->policy, &src, &err), 0, "%s", err.message);
  facts_unknown(&t->facts, &t->spec, runtime);
  t->plan = (struct seccomp_plan){ .merged = json_loads(merged_section, 0, NULL),
                                   .program = program,
                                   .program_len = program ? 1 : 0 };
  t->facts.seccomp = &t->plan;
}

static int apply(struct turn *t, struct error *err) {
  const struct control *c = control_find("seccomp");
  spec_begin(&t->spec, c->name, control_action(c, &t->policy));
  return c->apply(&t->spec, &t->policy, &t->facts, err);
}

static int judge(const struct turn *t, const json_t *after, struct error *err) {
  const struct control *c = control_find("seccomp");
  if (c->verify(SPEC_CONFIG, after, &t->policy, &t->facts, err))
    return -1;
  return c->not_weaker(SPEC_CONFIG, t->before, after, &t->facts, err);
}

static const struct journal_entry *entry(const struct turn *t, const char *rule) {
  for (size_t i = 0; i < t->spec.journal.len; i++)
    if (strcmp(t->spec.journal.entries[i].rule, rule) == 0)
      return &t->spec.journal.entries[i];
  return NULL;
}

Test(seccomp, takes_the_plan_as_it_is) {
  CLEANUP_TURN struct turn t = { 0 };
  struct error err = { 0 };
  turn_make(&t, "{}", RUNTIME_RUNC, allow);
  cr_assert_eq(apply(&t, &err), 0, "%s", err.message);
  cr_expect(json_equal(spec_at(&t.spec, SECTION), t.plan.merged));
  cr_expect_null(spec_at(&t.spec, COMPILED), "runc takes no compiled filter");
  cr_expect_not_null(entry(&t, "OH-SEC-002"));
  cr_expect_eq(judge(&t, t.spec.root, &err), 0, "%s", err.message);
  cr_expect_eq(judge(&t, t.before, &err), -1, "the engine's filter alone is weaker than the plan");
  cr_expect_eq(t.spec.journal.len, 1);
  cr_assert_eq(apply(&t, &err), 0);
  cr_expect_eq(t.spec.journal.len, 1, "a second time changes nothing");
}

Test(seccomp, crun_gets_the_compiled_filter) {
  CLEANUP_TURN struct turn t = { 0 };
  struct error err = { 0 };
  turn_make(&t, "{\"a\":\"b\"}", RUNTIME_CRUN, allow);
  cr_assert_eq(apply(&t, &err), 0, "%s", err.message);
  CLEANUP_FREE char *ours = seccomp_plan_base64(&t.plan);
  cr_expect_str_eq(json_string_value(spec_at(&t.spec, COMPILED)), ours);
  cr_expect_not_null(entry(&t, "OH-SEC-005"));
  cr_expect_eq(judge(&t, t.spec.root, &err), 0, "%s", err.message);
  size_t entries = t.spec.journal.len;
  cr_assert_eq(apply(&t, &err), 0);
  cr_expect_eq(t.spec.journal.len, entries, "a second time changes nothing");
}

/* Whatever came from outside, in whichever runtime, is gone or replaced. */
Test(seccomp, a_foreign_filter_never_stays) {
  for (enum runtime_kind runtime = RUNTIME_RUNC; runtime <= RUNTIME_CRUN; runtime++) {
    for (int with_program = 0; with_program < 2; with_program++) {
      CLEANUP_TURN struct turn t = { 0 };
      struct error err = { 0 };
      turn_make(&t, "{\"run.oci.seccomp_bpf_data\":\"BgAAAAAA/38=\"}", runtime, with_program ? deny : NULL);
      cr_assert_eq(apply(&t, &err), 0, "%s", err.message);
      const char *left = json_string_value(spec_at(&t.spec, COMPILED));
      CLEANUP_FREE char *ours = with_program ? seccomp_plan_base64(&t.plan) : NULL;
      if (runtime == RUNTIME_CRUN && with_program)
        cr_expect_str_eq(left, ours);
      else
        cr_expect_null(left);
      cr_expect_not_null(entry(&t, "OH-SEC-004"));
      cr_expect_eq(judge(&t, t.spec.root, &err), 0, "%s", err.message);
      cr_expect_eq(judge(&t, t.before, &err), -1);
    }
  }
}

/* The annotation must be the filter of the very section. */
Test(seccomp, another_filter_in_the_annotation_is_caught) {
  CLEANUP_TURN struct turn t = { 0 };
  struct error err = { 0 };
  turn_make(&t, "{}", RUNTIME_CRUN, deny);
  cr_assert_eq(apply(&t, &err), 0, "%s", err.message);
  json_auto_t *forged = jsonx_copy(t.spec.root);
  const struct seccomp_plan other = { .program = allow, .program_len = 1 };
  CLEANUP_FREE char *weaker = seccomp_plan_base64(&other);
  json_object_set_new(json_object_get(forged, "annotations"), SECCOMP_CRUN_ANNOTATION, json_string(weaker));
  cr_expect_eq(judge(&t, forged, &err), -1);
  cr_expect_eq(err.code, ERROR_INTERNAL);
}

/* A second policy's section is another, and stricter: the first one's verification must accept it, and not
 * one that is weaker than its plan. */
Test(seccomp, a_later_policy_may_be_stricter) {
  CLEANUP_TURN struct turn t = { 0 };
  struct error err = { 0 };
  turn_make(&t, "{}", RUNTIME_RUNC, allow);
  cr_assert_eq(apply(&t, &err), 0, "%s", err.message);
  json_auto_t *later = jsonx_copy(t.spec.root);
  json_t *names = jsonx_at(later, SECTION "/syscalls/0/names");
  json_array_remove(names, 1);
  cr_expect_eq(judge(&t, later, &err), 0, "%s", err.message);
  json_array_append_new(names, json_string("write"));
  json_array_append_new(names, json_string("getpid"));
  cr_expect_eq(judge(&t, later, &err), -1, "getpid is not in the plan");
}

/* A plan without a section: neither side has a filter. */
Test(seccomp, nothing_to_do) {
  CLEANUP_TURN struct turn t = { 0 };
  struct error err = { 0 };
  turn_make(&t, "{}", RUNTIME_CRUN, NULL);
  json_object_del(jsonx_at(t.spec.root, "/linux"), "seccomp");
  json_decref(t.plan.merged);
  t.plan.merged = NULL;
  free(t.policy.seccomp.profile);
  t.policy.seccomp.profile = NULL;
  cr_assert_eq(apply(&t, &err), 0, "%s", err.message);
  cr_expect_eq(t.spec.journal.len, 0);
  const struct control *c = control_find("seccomp");
  cr_expect_eq(c->verify(SPEC_CONFIG, t.spec.root, &t.policy, &t.facts, &err), 0, "%s", err.message);
  cr_expect_eq(c->not_weaker(SPEC_CONFIG, t.before, t.spec.root, &t.facts, &err), -1, "the engine had one");
}
