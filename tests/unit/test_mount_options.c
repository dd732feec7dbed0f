/* SPDX-License-Identifier: Apache-2.0 */
#include "control/mount_options.h"

#include "control_case.h"

static const enum mount_flag RO = MOUNT_RO, SUID = MOUNT_NOSUID, DEV = MOUNT_NODEV, EXEC = MOUNT_NOEXEC;

Test(mount_options, reads_what_runtimes_make_of_it) {
  /* measured with runc 1.1.5 and crun 1.8.1, by /proc/self/mountinfo */
  const struct {
    const char *words;
    unsigned set, below;
  } rows[] = {
    { "[]", 0, 0 },
    { "['ro']", RO, 0 },
    { "['ro','nosuid','rw']", SUID, 0 },
    { "['rw','ro']", RO, 0 },
    { "['rbind','rro','rw']", RO, RO },
    { "['rbind','rro','rrw']", RO, RO },
    { "['rbind','rrw','rro']", RO, RO },
    { "['rbind','ro','rrw']", 0, 0 },
    { "['rbind','rnosuid','suid']", SUID, SUID },
    { "['rbind','nosuid','rsuid']", 0, 0 },
    { "['nosuid','nodev','noexec','exec','dev']", SUID, 0 },
    { "['nosuid','rnodev','noexec']", SUID | DEV | EXEC, DEV },
    { "['RO','nosuid,nodev','size=1m']", 0, 0 },
  };
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
    json_auto_t *words = case_json(rows[i].words);
    struct mount_options o;
    mount_options_read(words, &o);
    cr_expect_eq(o.set, rows[i].set, "%s: %u", rows[i].words, o.set);
    cr_expect_eq(o.set_below, rows[i].below, "%s: %u", rows[i].words, o.set_below);
  }
}

Test(mount_options, tells_binds_and_propagation) {
  struct mount_options o;
  json_auto_t *rbind = case_json("['rbind','rshared','private','tmpcopyup','remount']");
  mount_options_read(rbind, &o);
  cr_expect(o.bind && o.recursive && o.remount && o.copy_up);
  cr_expect_eq(o.propagation, PROPAGATION_PRIVATE);
  cr_expect_eq(o.propagation_below, PROPAGATION_SHARED);
  json_auto_t *bind = case_json("['bind','slave']");
  mount_options_read(bind, &o);
  cr_expect(o.bind && !o.recursive && !o.remount && !o.copy_up);
  cr_expect_eq(o.propagation, PROPAGATION_SLAVE);
  cr_expect_eq(o.propagation_below, PROPAGATION_PRIVATE);
  mount_options_read(NULL, &o);
  cr_expect(!o.bind && o.set == 0 && o.propagation == PROPAGATION_PRIVATE);
}

Test(mount_options, apply_adds_and_takes_away) {
  const struct {
    const char *words;
    struct mount_wish wish;
    const char *expected;
  } rows[] = {
    { "['rw','suid','size=1m']", { .flags = SUID }, "['rw','size=1m','nosuid']" },
    { "['nosuid']", { .flags = SUID }, "['nosuid']" },
    { "['nosuid','rsuid']", { .flags = SUID }, "['nosuid']" },
    { "['rbind']", { .flags = SUID | DEV, .recursive_forms = true }, "['rbind','rnosuid','rnodev']" },
    { "['rbind','nosuid']",
      { .flags = SUID, .flags_below = SUID, .recursive_forms = true },
      "['rbind','nosuid','rnosuid']" },
    { "['rbind','ro']", { .flags_below = RO }, "['rbind','ro','rro']" },
    { "['rshared','shared','rslave']", { .unshare = true }, "['rslave','slave','rslave']" },
    { "['rshared','exec']", { .flags = EXEC }, "['rshared','noexec']" },
  };
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
    json_auto_t *words = case_json(rows[i].words);
    json_auto_t *expected = case_json(rows[i].expected);
    json_auto_t *got = mount_options_apply(words, &rows[i].wish);
    json_auto_t *again = mount_options_apply(got, &rows[i].wish);
    CLEANUP_FREE char *text = json_dumps(got, JSON_COMPACT);
    cr_expect(json_equal(got, expected), "%s: %s", rows[i].words, text);
    cr_expect(json_equal(got, again), "%s: not idempotent", rows[i].words);
  }
}

/* Whatever the words and the wish: the wish holds, no word against it is left, and nothing that held is lost.
 */
Test(mount_options, apply_keeps_its_promise_for_random_words) {
  static const char *const vocabulary[] = { "ro",      "rw",      "rro",     "rrw",     "nosuid", "suid",
                                            "rnosuid", "rsuid",   "nodev",   "dev",     "rnodev", "rdev",
                                            "noexec",  "exec",    "rnoexec", "rexec",   "rbind",  "bind",
                                            "shared",  "rshared", "slave",   "private", "size=1", "noatime" };
  srand(1);
  for (int round = 0; round < 20000; round++) {
    json_auto_t *words = json_array();
    for (int n = rand() % 8; n > 0; n--)
      json_array_append_new(words, json_string(vocabulary[rand() % (int)ARRAY_SIZE(vocabulary)]));
    struct mount_wish wish = { .flags = (unsigned)rand() % 16,
                               .flags_below = (unsigned)rand() % 16,
                               .recursive_forms = rand() % 2,
                               .unshare = true };
    json_auto_t *got = mount_options_apply(words, &wish);
    struct mount_options before, after;
    mount_options_read(words, &before);
    mount_options_read(got, &after);
    CLEANUP_FREE char *text = json_dumps(words, JSON_COMPACT);
    unsigned all = wish.flags | wish.flags_below;
    cr_assert_eq(all & ~after.set, 0, "%s", text);
    cr_assert_eq(wish.flags_below & ~after.set_below, 0, "%s", text);
    cr_assert_eq(all & after.contested, 0, "%s", text);
    cr_assert_eq(before.set & ~after.set, 0, "%s", text);
    cr_assert_eq(before.set_below & ~after.set_below, 0, "%s", text);
    cr_assert_neq(after.propagation, PROPAGATION_SHARED, "%s", text);
    cr_assert_neq(after.propagation_below, PROPAGATION_SHARED, "%s", text);
    json_auto_t *rest = mount_options_rest(words);
    json_auto_t *rest_after = mount_options_rest(got);
    cr_assert(json_equal(rest, rest_after), "%s", text);
  }
}
