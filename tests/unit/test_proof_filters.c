/* SPDX-License-Identifier: Apache-2.0 */
/* The proof of the filters: those that cannot be seen, several, one that is not loaded yet, remembered ones.
 */
#include "proof_fixture.h"
#include "tempdir.h"
#include "testfile.h"

#include <errno.h>
#include <linux/seccomp.h>

Test(proof_filters, filters_that_the_kernel_shows_nobody_are_counted) {
  FIXTURE(f);
  struct kernel_view *k = &f.view.kernel;
  k->unread[KERNEL_FILTERS] = xstrdup("refused");
  k->unread_errno[KERNEL_FILTERS] = EACCES;
  f.view.own_filters = 1;
  for (int filters = 0; filters < 5; filters++) {
    CLEANUP_PROOF struct proof proof = { 0 };
    k->status.seccomp_filters = filters; /* ours, the floor, the container's */
    proof_compare(&proof, &f.promise, &f.view);
    cr_expect_eq(finding(&proof, "OH-PRF-012")->outcome, filters < 3 ? PROOF_BROKEN : PROOF_UNREAD);
    cr_expect_eq(proof_veto(&proof, &f.view) != NULL, filters < 3);
  }
  /* Without a filter of our own there is no such excuse. */
  CLEANUP_PROOF struct proof proof = { 0 };
  f.view.own_filters = 0;
  proof_compare(&proof, &f.promise, &f.view);
  cr_expect_not_null(proof_veto(&proof, &f.view));
}

Test(proof_filters, two_policies_both_floors_and_either_in_force) {
  FIXTURE(f);
  CLEANUP_POLICY struct policy strict = { 0 };
  struct error err = { 0 };
  cr_assert_eq(policy_load(NULL, "strict", &strict, &err), 0, "%s", err.message);
  const struct policy *both[] = { &f.policy, &strict };
  f.promise.policies = both;
  f.promise.policies_len = 2;
  CLEANUP_PROOF struct proof proof = { 0 };
  proof_compare(&proof, &f.promise, &f.view);
  cr_expect_eq(finding(&proof, "OH-PRF-013")->outcome, PROOF_BROKEN);
  others_held(&proof, "OH-PRF-013", "two floors");
  f.policy.mode = POLICY_AUDIT;
  cr_expect_not_null(proof_veto(&proof, &f.view));
}

Test(proof_filters, a_filter_that_lies_ready_counts_for_crun_alone) {
  FIXTURE(f);
  CLEANUP_PROOF struct proof pending = { 0 };
  drop_filter(&f, 1);
  f.promise.runtime = RUNTIME_CRUN;
  compile("/linux/seccomp", &f, false, &f.view.pending);
  proof_compare(&pending, &f.promise, &f.view);
  others_held(&pending, NULL, "pending");
  free(f.view.pending.program);
  f.view.pending = (struct kernel_filter){ 0 };
  CLEANUP_PROOF struct proof none = { 0 };
  proof_compare(&none, &f.promise, &f.view);
  cr_expect_eq(finding(&none, "OH-PRF-012")->outcome, PROOF_BROKEN);
}

Test(proof_filters, a_judged_filter_is_remembered_by_its_bytes) {
  FIXTURE(f);
  char *dir = tempdir_make("oh-proof");
  CLEANUP_FREE char *path = xasprintf("%s/cache", dir);
  const struct seccomp_cache cache = { path };
  f.promise.cache = &cache;
  for (int turn = 0; turn < 2; turn++) {
    CLEANUP_PROOF struct proof proof = { 0 };
    proof_compare(&proof, &f.promise, &f.view);
    others_held(&proof, NULL, "remembered");
    CLEANUP_STRLIST struct strlist files = { 0 };
    testfile_list(path, &files);
    cr_expect_eq(files.len, 2, "the filter's entry and the floor's");
  }
  /* One bit of it is another filter. */
  struct kernel_filter *own = &f.view.kernel.filters.items[1];
  own->program[own->len - 1].k = SECCOMP_RET_ALLOW;
  own->program[own->len - 2].k = SECCOMP_RET_ALLOW;
  CLEANUP_PROOF struct proof proof = { 0 };
  proof_compare(&proof, &f.promise, &f.view);
  cr_expect_eq(finding(&proof, "OH-PRF-012")->outcome, PROOF_BROKEN);
  tempdir_remove(dir);
}

Test(proof_filters, a_section_that_is_text_promises_as_much) {
  FIXTURE(f);
  CLEANUP_STR struct str text = { 0 };
  jsonx_dump(jsonx_at(f.config, "/linux/seccomp"), &text);
  json_object_set_new(jsonx_at(f.config, "/linux"), "seccomp", json_true());
  CLEANUP_PROOF struct proof without = { 0 };
  proof_compare(&without, &f.promise, &f.view);
  cr_expect_eq(finding(&without, "OH-PRF-012")->outcome, PROOF_UNREAD);
  f.promise.seccomp = (struct jsonx_span){ text.data, text.len };
  CLEANUP_PROOF struct proof held = { 0 };
  proof_compare(&held, &f.promise, &f.view);
  others_held(&held, NULL, "text");
  struct kernel_filter *own = &f.view.kernel.filters.items[1];
  own->program[own->len - 1].k = SECCOMP_RET_ALLOW;
  own->program[own->len - 2].k = SECCOMP_RET_ALLOW;
  CLEANUP_PROOF struct proof broken = { 0 };
  proof_compare(&broken, &f.promise, &f.view);
  cr_expect_eq(finding(&broken, "OH-PRF-012")->outcome, PROOF_BROKEN);
}
