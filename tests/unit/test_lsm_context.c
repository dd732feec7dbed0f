/* SPDX-License-Identifier: Apache-2.0 */
#include "lsm/context.h"

#include "base/str.h"
#include "lsm/selinux.h"

#include <criterion/criterion.h>
#include <string.h>

Test(lsm_context, parts) {
  static const struct {
    const char *text, *user, *role, *type, *level;
  } good[] = {
    { "system_u:system_r:container_t:s0:c1,c2", "system_u", "system_r", "container_t", "s0:c1,c2" },
    { "u:r:t:s0-s0:c0.c1023", "u", "r", "t", "s0-s0:c0.c1023" },
    { "u:r:t", "u", "r", "t", "" },
  };
  static const char *const bad[] = {
    "", "kernel", "u:r", "u::t:s0", ":r:t:s0", "u:r:", "unconfined", "a:b::"
  };
  for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
    CLEANUP_SELINUX_CONTEXT struct selinux_context c;
    cr_assert(selinux_context_parse(&c, good[i].text), "%s", good[i].text);
    cr_expect_str_eq(c.user, good[i].user);
    cr_expect_str_eq(c.role, good[i].role);
    cr_expect_str_eq(c.type, good[i].type);
    cr_expect_str_eq(c.level, good[i].level);
  }
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    struct selinux_context c;
    cr_expect_not(selinux_context_parse(&c, bad[i]), "%s", bad[i]);
    cr_expect_null(c.text);
  }
}

Test(lsm_context, wanted_is_the_engines_at_our_level) {
  CLEANUP_FREE char *moved = selinux_context_wanted("u:r:t:s0", "x", "y_t", "s0:c1,c2");
  CLEANUP_FREE char *made = selinux_context_wanted(NULL, SELINUX_ROLE, "y_t", "s0:c1,c2");
  cr_expect_str_eq(moved, "u:r:t:s0:c1,c2");
  cr_expect_str_eq(made, "system_u:system_r:y_t:s0:c1,c2");
  cr_expect_null(selinux_context_wanted("nonsense", "x", "y_t", "s0"));
}

Test(lsm_context, a_pair_is_two_different_categories_of_one_sensitivity) {
  static const char *const pairs[] = { "s0:c1,c2", "s0:c2,c1", "s0:c0,c1023", "s15:c7,c9" };
  static const char *const others[] = {
    "",         "s0",          "s0:c1",       "s0:c1,c1",    "s0:c1,c2,c3",
    "s0:c1.c2", "s0-s0:c1,c2", "s0:c1,c1024", "s0:c1,c2 ",   "s0:c01,c2",
    "s:c1,c2",  "s0:c,c2",     "s0:c1,",      "s0:c1,c2-s0", "s0:c-1,c2"
  };
  uint64_t a, b;
  for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
    cr_expect(selinux_level_is_pair(pairs[i], &a), "%s", pairs[i]);
  for (size_t i = 0; i < ARRAY_SIZE(others); i++)
    cr_expect_not(selinux_level_is_pair(others[i], &a), "%s", others[i]);
  cr_assert(selinux_level_is_pair(pairs[0], &a) && selinux_level_is_pair(pairs[1], &b));
  cr_expect_eq(a, b);
}

Test(lsm_context, every_number_is_a_pair_and_every_pair_a_number) {
  uint64_t number = 0;
  for (unsigned high = 1; high < SELINUX_CATEGORIES; high++)
    for (unsigned low = 0; low<high; low += high> 40 ? 37 : 1) {
      CLEANUP_FREE char *level = xasprintf("s0:c%u,c%u", low, high);
      cr_assert(selinux_level_is_pair(level, &number));
      cr_assert_lt(number, SELINUX_PAIRS);
      CLEANUP_FREE char *back = selinux_level_of_pair(number);
      cr_assert_str_eq(back, level);
    }
  CLEANUP_FREE char *last = selinux_level_of_pair(SELINUX_PAIRS - 1);
  cr_expect_str_eq(last, "s0:c1022,c1023");
}

Test(lsm_context, options_of_mounts) {
  static const struct {
    const char *option, *context;
  } cases[] = {
    { "context=a:b:c:s0", "a:b:c:s0" },
    { "context=\"a:b:c:s0:c1,c2\"", "a:b:c:s0:c1,c2" },
    { "rootcontext=a:b:c", "a:b:c" },
    { "fscontext=\"a:b:c", "\"a:b:c" },
    { "defcontext=", "" },
    { "seclabel", NULL },
    { "nocontext=a", NULL },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    CLEANUP_FREE char *context = selinux_context_of_option(cases[i].option);
    cr_expect_eq(context == NULL, cases[i].context == NULL, "%s", cases[i].option);
    if (context && cases[i].context)
      cr_expect_str_eq(context, cases[i].context);
  }
}

/* Whatever kernel this runs on, the look has an answer. */
Test(lsm_context, a_look_has_a_state) {
  CLEANUP_SELINUX_HOST struct selinux_host h = { 0 };
  struct error err = { 0 };
  cr_assert_eq(selinux_look(&h, &err), 0, "%s", err.message);
  cr_expect_neq(h.state, SELINUX_UNKNOWN);
  cr_expect_eq(h.own != NULL, h.state >= SELINUX_NO_POLICY);
}
