/* SPDX-License-Identifier: Apache-2.0 */
#include "control/device_rules.h"

#include "control_case.h"

Test(device_rules, parse) {
  struct device_rule r;
  cr_assert(device_rule_parse("c 1:3 rwm", &r));
  cr_expect(r.allow && r.type == 'c' && r.major == 1 && r.minor == 3 && r.access == DEVICE_ALL);
  cr_assert(device_rule_parse("b *:* m", &r));
  cr_expect(r.type == 'b' && r.major == -1 && r.minor == -1 && r.access == DEVICE_MKNOD);
  static const char *const bad[] = { "",         "c",         "c 1:3",    "c 1:3 ",
                                     "c 1:3 x",  "d 1:3 r",   "c 1 r",    "c :3 r",
                                     "c 1: r",   "c 1:3  r",  "c -1:3 r", "c +1:3 r",
                                     "cc 1:3 r", "c 1:3 rw ", "c 1:3x r", "c 99999999999:1 r" };
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
    cr_expect_not(device_rule_parse(bad[i], &r), "\"%s\"", bad[i]);
}

static void rules_of(struct device_rules *ret, const char *text) {
  json_auto_t *array = case_json(text);
  cr_assert_eq(device_rules_read(array, SIZE_MAX, ret), 0, "%s", text);
}

Test(device_rules, the_last_rule_that_matches_decides) {
  CLEANUP_DEVICE_RULES struct device_rules r;
  rules_of(&r, "[{'allow':true,'access':'rwm'},{'allow':false,'access':'rwm'},"
               "{'allow':true,'type':'c','major':1,'access':'rw'},"
               "{'allow':false,'type':'c','major':1,'minor':5,'access':'w'}]");
  cr_expect(device_rules_allow(&r, 'c', 1, 3, DEVICE_WRITE));
  cr_expect(device_rules_allow(&r, 'c', 1, 5, DEVICE_READ));
  cr_expect_not(device_rules_allow(&r, 'c', 1, 5, DEVICE_WRITE));
  cr_expect_not(device_rules_allow(&r, 'c', 1, 3, DEVICE_MKNOD));
  cr_expect_not(device_rules_allow(&r, 'b', 1, 3, DEVICE_READ));
  cr_expect_not(device_rules_allow(&r, 'c', 2, 0, DEVICE_READ));
}

Test(device_rules, unreadable) {
  static const char *const bad[] = {
    "[{'allow':true,'type':'c'}]",
    "[{'allow':true,'access':''}]",
    "[{'allow':true,'access':'rwx'}]",
    "[{'allow':true,'type':'all','access':'r'}]",
    "[{'allow':true,'major':-2,'access':'r'}]",
    "[{'allow':true,'major':4294967296,'access':'r'}]",
    "[{'allow':true,'major':18446744073709551615,'access':'r'}]",
  };
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    json_auto_t *array = case_json(bad[i]);
    struct device_rules r;
    cr_expect_eq(device_rules_read(array, 10, &r), -1, "%s", bad[i]);
    cr_expect_null(r.items);
  }
  json_auto_t *two = case_json("[{'allow':true,'access':'r'},{'allow':true,'access':'r'}]");
  struct device_rules r;
  cr_expect_eq(device_rules_read(two, 1, &r), -1);
}

static struct device_rule any_rule(void) {
  return (struct device_rule){ .allow = rand() % 3 != 0,
                               .type = "abc"[rand() % 3],
                               .major = rand() % 4 - 1,
                               .minor = rand() % 4 - 1,
                               .access = 1 + (unsigned)rand() % 7 };
}

/* Over a small world in which every device can be asked: subset() by its chosen points says what asking all
 * says, and meet() is the intersection. */
Test(device_rules, agree_with_the_whole_world) {
  enum { WORLD = 5, RULES = 4 };
  srand(1);
  size_t subsets = 0;
  for (int round = 0; round < 5000; round++) {
    struct device_rule a[RULES], b[RULES], both;
    struct device_rules la = { a, 1 + (size_t)rand() % RULES }, lb = { b, 1 + (size_t)rand() % RULES };
    for (size_t i = 0; i < RULES; i++)
      a[i] = any_rule(), b[i] = any_rule();
    struct device_rule one = a[0], two = b[0];
    one.allow = two.allow = true;
    struct device_rules l1 = { &one, 1 }, l2 = { &two, 1 }, lm = { &both, 1 };
    bool meets = device_rule_meet(&one, &two, &both), subset = true;
    for (size_t t = 0; t < 2; t++)
      for (int64_t major = 0; major < WORLD; major++)
        for (int64_t minor = 0; minor < WORLD; minor++)
          for (unsigned access = 1; access <= DEVICE_MKNOD; access <<= 1) {
            char type = "bc"[t];
            subset = subset && (!device_rules_allow(&la, type, major, minor, access) ||
                                device_rules_allow(&lb, type, major, minor, access));
            bool in_both = device_rules_allow(&l1, type, major, minor, access) &&
                           device_rules_allow(&l2, type, major, minor, access);
            cr_assert_eq(meets && device_rules_allow(&lm, type, major, minor, access), in_both);
          }
    CLEANUP_FREE char *example = NULL;
    cr_assert_eq(device_rules_subset(&la, &lb, &example), subset, "round %d", round);
    cr_assert_eq(example != NULL, !subset);
    subsets += subset;
  }
  cr_expect_gt(subsets, 100);
}

#define DOC(rules) "{'linux':{'resources':{'devices':[" rules "]}}}"
#define NONE "{'allow':false,'access':'rwm'}"
#define NULL_RW "{'allow':true,'type':'c','major':1,'minor':3,'access':'rw'}"
#define ALL "{'allow':true,'access':'rwm'}"

Test(control_devices, order) {
  static const struct order_case cases[] = {
    { DOC(NONE "," ALL), DOC(NONE "," NULL_RW), false },
    { DOC(NONE "," NULL_RW), DOC(NONE "," ALL), true },
    { DOC(NONE "," NULL_RW), DOC(NONE), false },
    { DOC(NONE), DOC(NONE "," NULL_RW), true },
    { DOC(NONE), "{}", true },
    { "{}", DOC(NONE), false },
    { "{'linux':{'devices':[{'path':'/dev/a'},{'path':'/dev/b'}]}}",
      "{'linux':{'devices':[{'path':'/dev/b'}]}}", false },
    { "{'linux':{'devices':[{'path':'/dev/a'}]}}", "{'linux':{'devices':[{'path':'/dev/b'}]}}", true },
  };
  CASE_ORDERS("devices", SPEC_CONFIG, NULL, cases);
}

Test(control_devices, promise) {
  static const struct promise_case cases[] = {
    { DOC(NONE), false },
    { DOC(NONE "," NULL_RW), false },
    { DOC(NONE "," ALL "," NONE), false },
    { "{}", true },
    { DOC(""), true },
    { DOC(NULL_RW), true },
    { DOC(NONE "," ALL), true },
    { DOC(NONE ",{'allow':true,'type':'c','major':1,'access':'r'}"), true },
    { DOC("{'allow':false,'type':'a','major':8,'access':'rwm'}"), true },
    { DOC(NONE ",{'allow':true,'type':'a','major':1,'minor':3,'access':'r'}"), true },
    { "{'linux':{'devices':[{'path':'/dev/k','type':'c','major':10,'minor':1}],'resources':{'devices':[" NONE
      "]}}}",
      true },
    { "{'linux':{'devices':[{'path':'/dev/tty','type':'c','major':1,'minor':3}],'resources':{'devices':[" NONE
      "]}}}",
      true },
  };
  CASE_PROMISES("devices", SPEC_CONFIG, "{'devices':{'action':'harden','allow':['c 1:3 rw']}}", NULL, cases);
}

/* 256 rules of all different numbers, against as many others: the comparison must not take long. */
Test(control_devices, hostile_size, .timeout = 20) {
  CLEANUP_STR struct str text = { 0 };
  str_add(&text, "{'linux':{'resources':{'devices':[");
  for (int i = 0; i < DEVICE_RULES_MAX; i++)
    str_addf(&text, "%s{'allow':true,'type':'c','%s':%d,'access':'rw'}", i ? "," : "",
             i % 2 ? "major" : "minor", i + 1);
  str_add(&text, "]}}}");
  json_auto_t *before = case_json(text.data);
  CLEANUP_STR struct str bytes = { 0 };
  jsonx_dump(before, &bytes);
  CLEANUP_POLICY struct policy policy = { 0 };
  CLEANUP_FACTS struct facts facts = { 0 };
  case_policy(&policy,
              "{'devices':{'action':'harden','allow':['c 1:3 rwm','c 5:* rw','b *:7 m','c *:* m']}}");
  case_facts(&facts, NULL);
  const struct control *c = control_find("devices");
  CLEANUP_SPEC struct spec spec = { .root = jsonx_copy(before) };
  struct error err = { 0 };
  spec_begin(&spec, "devices", ACTION_HARDEN);
  cr_assert_eq(c->apply(&spec, &policy, &facts, &err), 0, "%s", err.message);
  cr_expect_eq(c->verify(SPEC_CONFIG, spec.root, &policy, &facts, &err), 0, "%s", err.message);
  cr_expect_eq(c->not_weaker(SPEC_CONFIG, before, spec.root, &facts, &err), 0, "%s", err.message);
}
