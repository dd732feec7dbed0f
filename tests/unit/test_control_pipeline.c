/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of controls and the pipeline that runs it: what holds for all of them, whatever they do.
 */
#include "control/control.h"

#include <criterion/criterion.h>
#include <string.h>

/* DESIGN's order; selinux is not there yet. */
static const char *const order[] = {
  "capabilities", "no-new-privileges", "seccomp", "apparmor",
  "selinux",      "namespaces",        "rootfs",  "mounts",
  "paths",        "devices",           "sysctl",  "user-namespace",
  "user",         "resources",         "process", "environment",
  "hooks",        "annotations",
};

static const char *const on_exec[] = { "capabilities", "no-new-privileges", "apparmor",  "selinux",
                                       "user",         "user-namespace",    "resources", "process",
                                       "environment" };

static bool listed(const char *const *list, size_t len, const char *name) {
  for (size_t i = 0; i < len; i++)
    if (strcmp(list[i], name) == 0)
      return true;
  return false;
}

struct turn {
  struct spec spec;
  struct policy policy;
  struct facts facts;
  struct jsonx_source src;
};

static void turn_free(struct turn *t) {
  spec_free(&t->spec);
  policy_free(&t->policy);
  facts_free(&t->facts);
}
#define CLEANUP_TURN CLEANUP(turn_free)

static void turn_make(struct turn *ret, enum spec_kind kind, const char *document, const char *policy) {
  struct error err = { 0 };
  const struct jsonx_source src = { "policy.json", policy, strlen(policy) };
  ret->src = (struct jsonx_source){ "config.json", document, strlen(document) };
  cr_assert_eq(spec_parse(&ret->spec, kind, &ret->src, JSONX_LIMIT_DEFAULT, &err), 0, "%s", err.message);
  policy_init(&ret->policy);
  cr_assert_eq(policy_decode(&ret->policy, &src, &err), 0, "%s", err.message);
  facts_unknown(&ret->facts, &ret->spec, RUNTIME_RUNC);
}

static int apply(struct turn *t, struct error *err) {
  return harden_apply(&t->spec, &t->policy, &t->facts, err);
}

static int verify(const struct turn *t, const json_t *before, const json_t *after, struct error *err) {
  return harden_verify(t->spec.kind, before, after, &t->policy, &t->facts, err);
}

static const char config[] =
    "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"],"
    "\"env\":[\"DB_PASSWORD=hunter2\"],\"user\":{\"uid\":0,\"gid\":0},"
    "\"capabilities\":{\"bounding\":[\"CAP_SYS_ADMIN\"]}}}";

Test(control_table, is_in_order_and_complete) {
  size_t at = 0;
  for (const struct control *c = controls; c->name; c++) {
    while (at < ARRAY_SIZE(order) && strcmp(order[at], c->name) != 0)
      at++;
    cr_expect_lt(at, ARRAY_SIZE(order), "%s: out of order, or in no list", c->name);
    cr_expect(c->apply && c->verify && c->not_weaker && c->rules, "%s: a function is missing", c->name);
    cr_expect_eq(c->technique[0], 'T', "%s", c->name);
    cr_expect(strlen(c->guarantee) > 20, "%s", c->name);
    cr_expect_eq(control_find(c->name), c);
    cr_expect_eq(control_judges(c, SPEC_PROCESS), listed(on_exec, ARRAY_SIZE(on_exec), c->name), "%s",
                 c->name);
    cr_expect_eq(control_judges(c, SPEC_RESOURCES), strcmp(c->name, "resources") == 0, "%s", c->name);
    cr_expect(control_judges(c, SPEC_CONFIG));
  }
  for (size_t i = 0; i < ARRAY_SIZE(order); i++)
    cr_expect_not_null(control_find(order[i]), "%s", order[i]);
  cr_expect_null(control_find("capability"));
}

Test(control_table, sections_have_the_controls_names) {
  for (const struct control *c = controls; c->name; c++) {
    for (enum action a = ACTION_HARDEN; a <= ACTION_OFF; a++) {
      CLEANUP_POLICY struct policy policy = { 0 };
      struct error err = { 0 };
      CLEANUP_FREE char *text = xasprintf("{\"%s\":{\"action\":\"%s\"}}", c->name, action_name(a));
      const struct jsonx_source src = { "policy.json", text, strlen(text) };
      policy_init(&policy);
      cr_expect_eq(control_action(c, &policy), ACTION_OFF);
      cr_assert_eq(policy_decode(&policy, &src, &err), 0, "%s", err.message);
      cr_expect_eq(control_action(c, &policy), a, "%s", c->name);
      for (const struct control *other = controls; other->name; other++)
        cr_expect(other == c || control_action(other, &policy) == ACTION_OFF, "%s sets %s", c->name,
                  other->name);
      policy.mode = POLICY_AUDIT;
      cr_expect_eq(control_action(c, &policy), a == ACTION_OFF ? ACTION_OFF : ACTION_AUDIT, "%s", c->name);
    }
  }
}

Test(control_table, rule_ids_are_unique_and_well_formed) {
  CLEANUP_STRLIST struct strlist seen = { 0 };
  for (const struct control *c = controls; c->name; c++) {
    for (const struct control_rule *r = c->rules; r->id; r++) {
      cr_expect(strlen(r->id) == 10, "%s", r->id);
      cr_expect(str_starts(r->id, "OH-") && strncmp(r->id, c->rules[0].id, 7) == 0, "%s", r->id);
      cr_expect_eq(strspn(r->id + 7, "0123456789"), 3, "%s", r->id);
      cr_expect_not(strlist_has(&seen, r->id), "%s twice", r->id);
      cr_expect(r->summary && strlen(r->summary) > 10, "%s", r->id);
      strlist_add(&seen, r->id);
    }
  }
  cr_expect_gt(seen.len, 30);
}

Test(pipeline, off_is_not_called) {
  CLEANUP_TURN struct turn t = { 0 };
  struct error err = { 0 };
  turn_make(&t, SPEC_CONFIG, config, "{}");
  json_auto_t *before = jsonx_copy(t.spec.root);
  cr_expect_eq(apply(&t, &err), 0);
  cr_expect_eq(t.spec.journal.len, 0);
  cr_expect(json_equal(before, t.spec.root));
  cr_expect_eq(verify(&t, before, t.spec.root, &err), 0, "%s", err.message);
}

/* An exec is judged by those controls that are its own, and by no other. */
Test(pipeline, judges_by_kind) {
  static const char process[] =
      "{\"cwd\":\"/\",\"args\":[\"sh\"],\"capabilities\":{\"bounding\":[\"CAP_SYS_ADMIN\"]}}";
  CLEANUP_TURN struct turn t = { 0 };
  struct error err = { 0 };
  turn_make(&t, SPEC_PROCESS, process,
            "{\"capabilities\":{\"action\":\"harden\"},\"rootfs\":{\"action\":\"harden\",\"readonly\":true},"
            "\"annotations\":{\"action\":\"deny\"}}");
  cr_expect_eq(apply(&t, &err), 0, "%s", err.message);
  cr_expect_eq(json_array_size(spec_at(&t.spec, "/process/capabilities/bounding")), 0);
  cr_expect_null(spec_at(&t.spec, "/root"));
}

Test(pipeline, a_refusal_ends_it_and_is_journaled) {
  CLEANUP_TURN struct turn t = { 0 };
  struct error err = { 0 };
  turn_make(&t, SPEC_CONFIG, config,
            "{\"user\":{\"action\":\"harden\",\"root\":\"never\"},\"annotations\":{\"action\":\"harden\"}}");
  cr_expect_eq(apply(&t, &err), -1);
  cr_expect_eq(err.code, ERROR_REFUSED);
  cr_expect_str_eq(err.rule, "OH-USR-001");
  cr_expect(str_starts(err.message, "config.json:1:"), "%s", err.message);
  cr_assert_eq(t.spec.journal.len, 1);
  cr_expect_eq(t.spec.journal.entries[0].outcome, OUTCOME_REFUSED);
}

Test(pipeline, audit_mode_records_and_lets_be) {
  CLEANUP_TURN struct turn t = { 0 };
  struct error err = { 0 };
  turn_make(&t, SPEC_CONFIG, config,
            "{\"mode\":\"audit\",\"capabilities\":{\"action\":\"harden\"},"
            "\"no-new-privileges\":{\"action\":\"deny\"},\"user\":{\"action\":\"harden\",\"root\":\"never\"},"
            "\"environment\":{\"action\":\"deny\",\"secrets\":[\"*PASSWORD*\"]}}");
  json_auto_t *before = jsonx_copy(t.spec.root);
  cr_expect_eq(apply(&t, &err), 0, "%s", err.message);
  cr_expect(json_equal(before, t.spec.root));
  cr_expect_eq(t.spec.journal.len, 4);
  cr_expect_eq(verify(&t, before, t.spec.root, &err), 0, "audit promises nothing: %s", err.message);
}

Test(pipeline, verify_names_the_control_that_objects) {
  CLEANUP_TURN struct turn t = { 0 };
  struct error err = { 0 };
  turn_make(&t, SPEC_CONFIG, config, "{\"capabilities\":{\"action\":\"harden\"}}");
  json_auto_t *before = jsonx_copy(t.spec.root);
  cr_expect_eq(verify(&t, before, before, &err), -1);
  cr_expect_eq(err.code, ERROR_INTERNAL);
  cr_expect(strstr(err.message, "capabilities: /process/capabilities/bounding"), "%s", err.message);

  /* The order of strictness holds for a control that is off too. */
  json_auto_t *weaker = jsonx_copy(before);
  json_object_set_new(json_object_get(json_object_get(weaker, "process"), "user"), "additionalGids",
                      json_pack("[i]", 27));
  json_object_del(json_object_get(weaker, "process"), "capabilities");
  memset(&err, 0, sizeof err);
  cr_expect_eq(verify(&t, before, weaker, &err), -1);
  cr_expect(strstr(err.message, "weaker than the input in user"), "%s", err.message);
}

/* A secret's value is in no message and no journal, whichever way it goes. */
Test(pipeline, values_of_the_environment_appear_nowhere) {
  static const char *const actions[] = { "harden", "deny", "audit" };
  for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
    CLEANUP_TURN struct turn t = { 0 };
    struct error err = { 0 };
    CLEANUP_FREE char *policy =
        xasprintf("{\"environment\":{\"action\":\"%s\",\"secrets\":[\"*PASSWORD*\"]}}", actions[i]);
    CLEANUP_STR struct str out = { 0 };
    turn_make(&t, SPEC_CONFIG, config, policy);
    cr_expect_eq(apply(&t, &err), strcmp(actions[i], "audit") == 0 ? 0 : -1);
    json_auto_t *journal = journal_encode(&t.spec.journal);
    cr_expect_eq(json_array_size(journal), 1);
    jsonx_dump(journal, &out);
    cr_expect_not_null(strstr(out.data, "DB_PASSWORD"));
    cr_expect_null(strstr(out.data, "hunter2"), "%s", out.data);
    cr_expect_null(strstr(err.message, "hunter2"), "%s", err.message);
  }
}

/* Memory that we add must be writable, and what masks must not cover it. */
Test(invariant, added_memory_is_usable) {
  static const char *const outputs[] = {
    "{\"mounts\":[{\"destination\":\"/tmp\",\"type\":\"tmpfs\",\"options\":[\"ro\"]}]}",
    "{\"mounts\":[{\"destination\":\"/tmp/\",\"type\":\"tmpfs\"}],\"linux\":{\"readonlyPaths\":[\"/tmp\"]}}",
    "{\"mounts\":[{\"destination\":\"/a/tmp\",\"type\":\"tmpfs\"}],\"linux\":{\"maskedPaths\":[\"/a\"]}}",
  };
  json_auto_t *before = json_object();
  for (size_t i = 0; i < ARRAY_SIZE(outputs); i++) {
    CLEANUP_TURN struct turn t = { 0 };
    struct error err = { 0 };
    json_auto_t *after = json_loads(outputs[i], 0, NULL);
    turn_make(&t, SPEC_CONFIG, config, "{}");
    cr_expect_eq(invariants_verify(SPEC_CONFIG, before, after, &t.policy, &t.facts, &err), -1, "%s",
                 outputs[i]);
    /* The engine's own may be as it likes. */
    cr_expect_eq(invariants_verify(SPEC_CONFIG, after, after, &t.policy, &t.facts, &err), 0, "%s",
                 outputs[i]);
  }
}

Test(invariant, user_namespace_stays) {
  CLEANUP_TURN struct turn t = { 0 };
  struct error err = { 0 };
  json_auto_t *before =
      json_loads("{\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"user\"}]}}", 0, NULL);
  json_auto_t *after = json_loads("{\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}}", 0, NULL);
  turn_make(&t, SPEC_CONFIG, config, "{}");
  cr_expect_eq(invariants_verify(SPEC_CONFIG, before, after, &t.policy, &t.facts, &err), -1);
  cr_expect_eq(invariants_verify(SPEC_CONFIG, after, before, &t.policy, &t.facts, &err), 0, "%s",
               err.message);
}
