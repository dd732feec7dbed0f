/* SPDX-License-Identifier: Apache-2.0 */
/* posture: what the filters of a process let through, beside what the policy does. */
#include "posture_scene.h"

static const struct posture_row *find_rule(const struct posture_rows *rows, const char *rule) {
  for (size_t i = 0; i < rows->len; i++)
    if (rows->items[i].rule && strcmp(rows->items[i].rule, rule) == 0)
      return &rows->items[i];
  return NULL;
}

Test(posture_filters, a_wider_filter_is_named_by_call_and_by_argument) {
  struct scene s;
  CLEANUP_POSTURE_ROWS struct posture_rows rows = { 0 };
  make(&s);
  widen_filter(&s);
  compare(&s, &rows);
  const struct posture_row *calls = find_rule(&rows, "OH-INS-004");
  const struct posture_row *arguments = find_rule(&rows, "OH-INS-005");
  cr_assert(calls && arguments);
  cr_expect(strlist_has(&calls->items, "kexec_load"));
  cr_expect(!strlist_has(&calls->items, "read"));
  cr_expect(!strlist_has(&calls->items, "socket"));
  bool socket = false;
  for (size_t i = 0; i < arguments->items.len; i++)
    socket |= str_starts(arguments->items.items[i], "socket(0x");
  cr_expect(socket);
  cr_expect(!find_rule(&rows, "OH-INS-006"));
  cr_expect_eq(rows.len, 2);
  clear(&s);
}

/* Of two filters the stricter one holds, whichever comes first. */
Test(posture_filters, every_filter_counts) {
  for (int first = 0; first < 2; first++) {
    struct scene s;
    CLEANUP_POSTURE_ROWS struct posture_rows rows = { 0 };
    make(&s);
    widen_filter(&s);
    if (first)
      kernel_filters_free(&s.v.filters);
    add_filter(&s.v, s.filter.filter, s.filter.len);
    if (first) {
      const struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
      add_filter(&s.v, all, ARRAY_SIZE(all));
    }
    compare(&s, &rows);
    cr_expect_eq(rows.len, 0);
    clear(&s);
  }
}

Test(posture_filters, a_filter_that_lets_all_through_is_told_of_by_each_abi) {
  struct scene s;
  CLEANUP_POSTURE_ROWS struct posture_rows rows = { 0 };
  make(&s);
  const struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
  kernel_filters_free(&s.v.filters);
  add_filter(&s.v, all, ARRAY_SIZE(all));
  compare(&s, &rows);
#ifdef __x86_64__
  const struct posture_row *abi = find_rule(&rows, "OH-INS-006");
  cr_assert(abi);
  cr_expect(strlist_has(&abi->items, "read"));
  cr_expect_eq(rows.len, 4); /* calls, arguments, two ABIs */
#endif
  cr_expect(find_rule(&rows, "OH-INS-004"));
  clear(&s);
}

/* The floor counts where the policy has no profile. */
Test(posture_filters, the_floor_is_compared_without_a_profile) {
  struct scene s;
  CLEANUP_POSTURE_ROWS struct posture_rows rows = { 0 };
  make(&s);
  widen_filter(&s);
  free(s.policy.seccomp.profile);
  s.policy.seccomp.profile = NULL;
  seccomp_program_free(&s.filter);
  s.filter = (struct seccomp_program){ 0 };
  compare(&s, &rows);
  cr_assert_eq(rows.len, 1);
  cr_expect_str_eq(rows.items[0].rule, "OH-INS-004");
  cr_expect(strlist_has(&rows.items[0].items, "kexec_load"));
  cr_expect(!strlist_has(&rows.items[0].items, "ptrace"));
  clear(&s);
}

/* Filters whose branches multiply: each comparison is of another bit, so that none excludes another. */
Test(posture_filters, a_pile_of_filters_that_take_long) {
  enum { BITS = 20, LEN = 1 + 3 * BITS };
  struct sock_filter slow[LEN + 1];
  struct scene s;
  CLEANUP_POSTURE_ROWS struct posture_rows rows = { 0 };
  make(&s);
  slow[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args));
  for (unsigned i = 0; i < BITS; i++) {
    slow[1 + 3 * i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1u << i, 0, 1);
    slow[2 + 3 * i] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args));
    slow[3 + 3 * i] = slow[0];
  }
  slow[LEN] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  for (unsigned i = 0; i < KERNEL_FILTERS_MAX - 1; i++)
    add_filter(&s.v, slow, LEN + 1);
  compare(&s, &rows);
  cr_expect_eq(rows.len, 0, "%s", rows.items[0].value);
  clear(&s);
}
