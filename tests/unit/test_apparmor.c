/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AppArmor without a kernel that has it: names, lists and labels, the order of our own profiles, and the
 * control where golden cases would have to repeat a digest. What a kernel does with them: tests/vm/.
 */
#include "control/control.h"
#include "lsm/apparmor.h"

#include <criterion/criterion.h>
#include <string.h>

static const char list[] = "docker-default (enforce)\n/usr/bin/man (complain)\nweird (name) (kill)\n"
                           "runc (unconfined)\nprompting (prompt)\ndocker-default//child (enforce)\n";

Test(apparmor, modes_are_read_from_the_kernels_list) {
  static const struct {
    const char *name;
    enum apparmor_mode mode;
  } rows[] = {
    { "docker-default", APPARMOR_ENFORCE }, { "/usr/bin/man", APPARMOR_COMPLAIN },
    { "weird (name)", APPARMOR_KILL },      { "weird", APPARMOR_NOT_LOADED },
    { "runc", APPARMOR_UNCONFINED },        { "prompting", APPARMOR_OTHER },
    { "docker", APPARMOR_NOT_LOADED },      { "docker-default//child", APPARMOR_ENFORCE },
    { "default", APPARMOR_NOT_LOADED },     { "", APPARMOR_NOT_LOADED },
  };
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
    cr_expect_eq(apparmor_mode_of(list, rows[i].name), rows[i].mode, "%s", rows[i].name);
  cr_expect_eq(apparmor_mode_of("", "x"), APPARMOR_NOT_LOADED);
  cr_expect_eq(apparmor_mode_of(NULL, "x"), APPARMOR_NOT_LOADED);
  cr_expect_eq(apparmor_mode_of("x (enforce)", "x"), APPARMOR_ENFORCE, "without a newline at the end");
}

Test(apparmor, labels_of_processes_are_cut_in_two) {
  static const struct {
    const char *text, *name;
    enum apparmor_mode mode;
  } rows[] = {
    { "docker-default (enforce)", "docker-default", APPARMOR_ENFORCE },
    { "a//&b (complain)", "a//&b", APPARMOR_COMPLAIN },
    { "a//&b (mixed)", "a//&b", APPARMOR_OTHER },
    { "unconfined", "unconfined", APPARMOR_UNCONFINED },
    { "unconfined (enforce)", "unconfined", APPARMOR_ENFORCE },
    { "system_u:system_r:t:s0", "system_u:system_r:t:s0", APPARMOR_OTHER },
    { "(enforce)", "(enforce)", APPARMOR_OTHER },
    { "", "", APPARMOR_OTHER },
  };
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
    char text[64];
    snprintf(text, sizeof text, "%s", rows[i].text);
    cr_expect_eq(apparmor_label_split(text), rows[i].mode, "%s", rows[i].text);
    cr_expect_str_eq(text, rows[i].name);
  }
}

Test(apparmor, what_a_config_may_ask_for) {
  static const char *const good[] = { "a", "a//&b", "/usr/bin/man", "cri-containerd.apparmor.d",
                                      "a//&b//&c" };
  static const char *const bad[] = { "",    "a//b", ":ns:a",  ":ns://a",  "&a",   "a//&",     "//&a", "a b",
                                     "a\n", "a&b",  "a//&&b", "a//&:n:b", "a\tb", "a//b//&c", "//" };
  for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
    CLEANUP_STRLIST struct strlist names = { 0 };
    cr_expect(apparmor_label_parse(good[i], &names), "%s", good[i]);
    cr_expect_gt(names.len, 0);
  }
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    CLEANUP_STRLIST struct strlist names = { 0 };
    cr_expect_not(apparmor_label_parse(bad[i], &names), "%s", bad[i]);
    cr_expect_eq(names.len, 0, "%s", bad[i]);
  }
}

Test(apparmor, each_of_ours_continues_the_one_before) {
  const struct builtin *above = NULL;
  unsigned rank = 0;
  for (const struct builtin *b = builtin_apparmor_profiles; b->name; above = b++) {
    CLEANUP_FREE char *name = apparmor_own_name(b);
    cr_expect_eq(apparmor_own_rank(name), ++rank, "%s", name);
    if (above) {
      cr_expect_gt(b->len, above->len);
      cr_expect_eq(memcmp(b->text, above->text, above->len), 0, "%s is not %s and more", b->name,
                   above->name);
    }
  }
  cr_expect_eq(rank, 3);
  cr_expect_eq(apparmor_own_rank("oci-harden-strict-0123abcd"), 3, "of another version");
  static const char *const foreign[] = { "docker-default",
                                         "oci-harden-strict",
                                         "oci-harden-strict-0123abcg",
                                         "oci-harden-strict-0123abcd0",
                                         "oci-harden-other-0123abcd",
                                         "" };
  for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
    cr_expect_eq(apparmor_own_rank(foreign[i]), 0, "%s", foreign[i]);
}

/* --- the control, with ours --- */

struct turn {
  struct spec spec;
  struct policy policy;
  struct facts facts;
  struct jsonx_source src;
  char *document;
};

static void turn_free(struct turn *t) {
  spec_free(&t->spec);
  policy_free(&t->policy);
  facts_free(&t->facts);
  free(t->document);
}

/* profiles: {"name": "mode"}, ours by their short names; `label` NULL: none is asked for. */
static void turn_make(struct turn *t, enum spec_kind kind, const char *policy, const char *label,
                      const char *profiles) {
  struct error err = { 0 };
  CLEANUP_FREE char *asked = label ? xasprintf(",\"apparmorProfile\":\"%s\"", label) : xstrdup("");
  CLEANUP_FREE char *facts = xasprintf("{\"apparmor\":\"on\",\"apparmorProfiles\":%s}", profiles);
  CLEANUP_FREE char *process = xasprintf("{\"cwd\":\"/\",\"args\":[\"sh\"]%s}", asked);
  const struct jsonx_source source = { "facts.json", facts, strlen(facts) };
  t->document =
      kind == SPEC_PROCESS
          ? steal_ptr(&process)
          : xasprintf("{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"process\":%s}", process);
  t->src = (struct jsonx_source){ "config.json", t->document, strlen(t->document) };
  cr_assert_eq(spec_parse(&t->spec, kind, &t->src, JSONX_LIMIT_DEFAULT, &err), 0, "%s", err.message);
  cr_assert_eq(policy_load(NULL, policy, &t->policy, &err), 0, "%s", err.message);
  cr_assert_eq(facts_decode(&t->facts, &source, &err), 0, "%s", err.message);
}

static char *own(const char *variant) {
  return apparmor_kernel_name(variant);
}

static void expect_label(struct turn *t, const char *variant) {
  const struct control *c = control_find("apparmor");
  struct error err = { 0 };
  json_auto_t *before = jsonx_copy(t->spec.root);
  CLEANUP_FREE char *name = own(variant);
  spec_begin(&t->spec, c->name, ACTION_HARDEN);
  cr_assert_eq(c->apply(&t->spec, &t->policy, &t->facts, &err), 0, "%s", err.message);
  cr_expect_str_eq(json_string_value(spec_at(&t->spec, "/process/apparmorProfile")), name);
  cr_expect_eq(c->verify(t->spec.kind, t->spec.root, &t->policy, &t->facts, &err), 0, "%s", err.message);
  cr_expect_eq(c->not_weaker(t->spec.kind, before, t->spec.root, &t->facts, &err), 0, "%s", err.message);
}

static const char all[] = "{\"baseline\":\"enforce\",\"restricted\":\"enforce\",\"strict\":\"enforce\","
                          "\"docker-default\":\"enforce\"}";

Test(apparmor, a_second_policy_only_tightens) {
  static const char *const variants[] = { "baseline", "restricted", "strict" };
  for (size_t first = 0; first < ARRAY_SIZE(variants); first++)
    for (size_t second = 0; second < ARRAY_SIZE(variants); second++) {
      CLEANUP(turn_free) struct turn t = { 0 };
      CLEANUP_FREE char *label = own(variants[first]);
      turn_make(&t, SPEC_CONFIG, variants[second], label, all);
      expect_label(&t, variants[first > second ? first : second]);
    }
}

Test(apparmor, engines_own_are_kept_by_baseline_alone) {
  CLEANUP(turn_free) struct turn baseline = { 0 };
  CLEANUP(turn_free) struct turn restricted = { 0 };
  CLEANUP(turn_free) struct turn strict = { 0 };
  turn_make(&baseline, SPEC_CONFIG, "baseline", "docker-default", all);
  expect_label(&baseline, "docker-default");
  turn_make(&restricted, SPEC_CONFIG, "restricted", "docker-default", all);
  expect_label(&restricted, "restricted");
  turn_make(&strict, SPEC_CONFIG, "strict", "docker-default", all);
  expect_label(&strict, "strict");
}

Test(apparmor, an_exec_joins_a_container_of_an_older_version) {
  CLEANUP(turn_free) struct turn t = { 0 };
  turn_make(&t, SPEC_PROCESS, "restricted", NULL,
            "{\"restricted\":\"not-loaded\",\"oci-harden-restricted-00000000\":\"enforce\"}");
  t.facts.apparmor_label = xstrdup("oci-harden-restricted-00000000");
  expect_label(&t, "oci-harden-restricted-00000000");
}

Test(apparmor, an_exec_into_a_wider_container_gets_the_policys) {
  CLEANUP(turn_free) struct turn t = { 0 };
  CLEANUP_FREE char *baseline = own("baseline");
  turn_make(&t, SPEC_PROCESS, "strict", "docker-default", all);
  t.facts.apparmor_label = steal_ptr(&baseline);
  expect_label(&t, "strict");
}

Test(apparmor, ours_are_loaded_only_where_they_are_wanted) {
  static const struct {
    const char *policy, *label, *profiles, *wants;
  } rows[] = {
    { "restricted", NULL, "{\"restricted\":\"not-loaded\"}", "restricted" },
    { "restricted", "docker-default", "{\"restricted\":\"not-loaded\",\"docker-default\":\"enforce\"}",
      "restricted" },
    { "restricted", NULL, "{\"restricted\":\"enforce\"}", NULL },
    { "restricted", NULL, "{\"restricted\":\"complain\"}", NULL },
    { "baseline", "docker-default", "{\"baseline\":\"not-loaded\",\"docker-default\":\"enforce\"}", NULL },
    { "baseline", "docker-default", "{\"baseline\":\"not-loaded\",\"docker-default\":\"complain\"}",
      "baseline" },
    { "privileged", NULL, "{\"baseline\":\"not-loaded\"}", NULL },
    { "restricted", "a//b", "{\"restricted\":\"not-loaded\"}", NULL },
  };
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
    CLEANUP(turn_free) struct turn t = { 0 };
    turn_make(&t, SPEC_CONFIG, rows[i].policy, rows[i].label, rows[i].profiles);
    const char *wants = apparmor_wants(&t.spec, &t.policy, &t.facts);
    cr_expect_str_eq(wants ? wants : "", rows[i].wants ? rows[i].wants : "", "row %zu", i);
  }
}

Test(apparmor, judges_object) {
  static const struct {
    const char *was, *is;
    bool weaker;
  } rows[] = {
    { "oci-harden-strict-00000000", "oci-harden-restricted-00000000", true },
    { "oci-harden-restricted-00000000", "oci-harden-restricted-11111111", false },
    { "docker-default", "oci-harden-baseline-00000000", false },
    { "docker-default", "unconfined", true },
    { "docker-default", "unknown", true },
    { "custom", "oci-harden-strict-00000000", true },
    { "custom", "custom//&oci-harden-strict-00000000", false },
    { "lax", "oci-harden-baseline-00000000", false },
    { "custom", "custom//child", true },
  };
  const struct control *c = control_find("apparmor");
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
    CLEANUP(turn_free) struct turn was = { 0 };
    CLEANUP(turn_free) struct turn is = { 0 };
    struct error err = { 0 };
    static const char profiles[] =
        "{\"custom\":\"enforce\",\"lax\":\"complain\",\"docker-default\":\"enforce\","
        "\"oci-harden-strict-00000000\":\"enforce\",\"oci-harden-restricted-00000000\":\"enforce\","
        "\"oci-harden-restricted-11111111\":\"enforce\",\"oci-harden-baseline-00000000\":\"enforce\"}";
    turn_make(&was, SPEC_CONFIG, "baseline", rows[i].was, profiles);
    turn_make(&is, SPEC_CONFIG, "baseline", rows[i].is, profiles);
    cr_expect_eq(c->not_weaker(SPEC_CONFIG, was.spec.root, is.spec.root, &is.facts, &err) != 0,
                 rows[i].weaker, "%s to %s", rows[i].was, rows[i].is);
  }
}
