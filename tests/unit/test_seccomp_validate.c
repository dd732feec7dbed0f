/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/validate.h"
#include "seccomp_helper.h"

#include <errno.h>
#include <linux/audit.h>

static const char allow_list[] =
    "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':["
    "{'names':['getpid','read','write','exit_group'],'action':'SCMP_ACT_ALLOW'},"
    "{'names':['socket'],'action':'SCMP_ACT_ALLOW','args':[{'index':0,'value':4294967295,'valueTwo':2,"
    "'op':'SCMP_CMP_MASKED_EQ'}]},"
    "{'names':['clone'],'action':'SCMP_ACT_ALLOW','args':[{'index':0,'value':2114060288,'valueTwo':0,"
    "'op':'SCMP_CMP_MASKED_EQ'}]},"
    "{'names':['personality'],'action':'SCMP_ACT_ALLOW','args':[{'index':0,'value':8,'op':'SCMP_CMP_EQ'}]},"
    "{'names':['kill'],'action':'SCMP_ACT_ALLOW','args':[{'index':1,'value':10,'op':'SCMP_CMP_LT'}]},"
    "{'names':['madvise'],'action':'SCMP_ACT_ALLOW','args':[{'index':0,'value':4294967298,'op':'SCMP_CMP_EQ'}"
    ","
    "{'index':2,'value':5,'op':'SCMP_CMP_EQ'}]}]}";

struct bench {
  struct seccomp_profile result, input;
  struct seccomp_program program;
  char *call;
  struct error err;
};

static void bench_free(struct bench *b) {
  seccomp_profile_free(&b->result);
  seccomp_profile_free(&b->input);
  seccomp_program_free(&b->program);
  free(b->call);
}

static void bench_make(struct bench *b, const char *result, const char *input) {
  profile_of(result, &b->result);
  profile_of(input, &b->input);
  compile_one(&b->result, false, &b->program);
}

static int validate(struct bench *b) {
  const struct seccomp_validation v = { .result = &b->result,
                                        .programs = { &b->program },
                                        .programs_len = 1,
                                        .inputs = { &b->input },
                                        .input_names = { "the input" },
                                        .inputs_len = 1 };
  free(b->call);
  b->call = NULL;
  return seccomp_validate(&v, &b->call, &b->err);
}

Test(seccomp_validate, accepts_a_faithful_program) {
  CLEANUP(bench_free) struct bench b = { 0 };
  bench_make(&b, allow_list, allow_list);
  cr_assert_eq(validate(&b), 0, "%s", b.err.message);
  cr_assert_null(b.call);
}

/* A program that differs from the faithful one in front: `number`, one comparison of one half of an argument,
 * and then ALLOW. What no sample of round numbers would meet is met because the program itself is read. */
static void check_hole(const char *name, unsigned argument, bool high, uint16_t op, uint32_t constant,
                       const char *expected) {
  CLEANUP(bench_free) struct bench b = { 0 };
  bench_make(&b, allow_list, allow_list);
  unsigned half = high != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) ? 4 : 0;
  uint32_t number = (uint32_t)seccomp_abi_number(seccomp_abi_native(), name);
  const struct sock_filter hole[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, seccomp_abi_native()->audit, 0, 5),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, args) + 8 * argument + half),
    BPF_JUMP(BPF_JMP | op | BPF_K, constant, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_filter *filter = xcalloc(ARRAY_SIZE(hole) + b.program.len, sizeof *filter);
  memcpy(filter, hole, sizeof hole);
  memcpy(filter + ARRAY_SIZE(hole), b.program.filter, b.program.len * sizeof *filter);
  free(b.program.filter);
  b.program.filter = filter;
  b.program.len += ARRAY_SIZE(hole);
  cr_assert_eq(bpf_validate(filter, b.program.len, &b.err), 0, "%s", b.err.message);
  int rc = validate(&b);
  if (!expected) {
    cr_assert_eq(rc, 0, "%s: %s", name, b.err.message);
    return;
  }
  cr_assert_eq(rc, -1, "%s argument %u", name, argument);
  cr_assert_eq(b.err.code, ERROR_INTERNAL);
  cr_assert_str_eq(b.call, expected);
  cr_assert(strstr(b.err.message, name) && strstr(b.err.message, "the input"), "%s", b.err.message);
}

Test(seccomp_validate, finds_a_hole_of_each_kind) {
  check_hole("ptrace", 0, false, BPF_JGE, 0, "ptrace");           /* a denied call, whatever its arguments */
  check_hole("ptrace", 3, false, BPF_JEQ, 0x5ca1ab1e, "ptrace");  /* one value in 2^32 of one argument */
  check_hole("ptrace", 5, true, BPF_JEQ, 0x5ca1ab1e, "ptrace");   /* the same of an upper half */
  check_hole("socket", 0, false, BPF_JEQ, 40, "socket");          /* another family */
  check_hole("socket", 0, true, BPF_JEQ, 7, "socket");            /* beyond 32 bits */
  check_hole("clone", 0, false, BPF_JSET, 0x10000000, "clone");   /* one masked flag */
  check_hole("personality", 0, true, BPF_JGT, 0, "personality");  /* 2^32 + 8 for 8 */
  check_hole("personality", 0, false, BPF_JEQ, 9, "personality"); /* a neighbour */
  check_hole("kill", 1, false, BPF_JEQ, 10, "kill");              /* off by one */
  check_hole("madvise", 2, false, BPF_JEQ, 5, "madvise");         /* one of two conditions */
  check_hole("madvise", 0, false, BPF_JEQ, 2, "madvise");         /* half of the other */
  check_hole("uselib", 0, false, BPF_JGE, 0, "uselib");           /* a name that the profile does not have */
}

/* What is allowed anyway is no hole. */
Test(seccomp_validate, is_not_startled) {
  check_hole("getpid", 0, false, BPF_JGE, 0, NULL);
  check_hole("getpid", 0, true, BPF_JEQ, 77, NULL);
}

/* Every return of a permissive action in place of a strict one, one after the other. */
Test(seccomp_validate, finds_every_return_that_is_turned_to_allow) {
  CLEANUP(bench_free) struct bench b = { 0 };
  bench_make(&b, allow_list, allow_list);
  size_t turned = 0;
  for (size_t i = 0; i < b.program.len; i++) {
    struct sock_filter *f = &b.program.filter[i];
    if (f->code != (BPF_RET | BPF_K) || !(BPF_SET(f->k) & ~BPF_SET_RUNS))
      continue;
    uint32_t old = f->k;
    f->k = SECCOMP_RET_ALLOW;
    cr_assert_eq(validate(&b), -1, "return at %zu", i);
    f->k = SECCOMP_RET_LOG;
    cr_assert_eq(validate(&b), -1, "return at %zu", i);
    f->k = SECCOMP_RET_USER_NOTIF;
    cr_assert_eq(validate(&b), -1, "return at %zu", i);
    f->k = SECCOMP_RET_KILL_PROCESS; /* stricter is right */
    cr_assert_eq(validate(&b), 0, "%s", b.err.message);
    f->k = old;
    turned++;
  }
  cr_assert_geq(turned, 2u);
}

/* Every constant of every comparison moved by one: weaker at its border, or a call more. */
Test(seccomp_validate, finds_moved_constants) {
  CLEANUP(bench_free) struct bench b = { 0 };
  bench_make(&b, allow_list, allow_list);
  CLEANUP_FREE struct sock_filter *faithful = xcalloc(b.program.len, sizeof *faithful);
  memcpy(faithful, b.program.filter, b.program.len * sizeof *faithful);
  size_t moved = 0, found = 0;
  for (size_t i = 0; i < b.program.len; i++) {
    struct sock_filter *f = &b.program.filter[i];
    if (BPF_CLASS(f->code) != BPF_JMP || BPF_OP(f->code) == BPF_JA)
      continue;
    moved++;
    f->k++;
    /* The oracle: all numbers and the values around each constant, by plain running. */
    bool weaker = false;
    static const uint64_t values[] = { 0,
                                       1,
                                       2,
                                       3,
                                       5,
                                       6,
                                       7,
                                       8,
                                       9,
                                       10,
                                       11,
                                       (1ull << 32) + 2,
                                       (1ull << 32) + 8,
                                       (2ull << 32) + 2,
                                       (1ull << 33) + 2,
                                       0x2020000,
                                       0x7e020000,
                                       0x7e020001,
                                       UINT64_MAX };
    for (size_t n = 0; n < 3 * b.input.calls_len && !weaker; n++) { /* each named number and its neighbours */
      int nr = seccomp_abi_number(seccomp_abi_native(), b.input.calls[n / 3].name) + (int)(n % 3) - 1;
      for (size_t k = 0; k < ARRAY_SIZE(values) * ARRAY_SIZE(values) && !weaker; k++) {
        uint64_t x = values[k % ARRAY_SIZE(values)], y = values[k / ARRAY_SIZE(values)];
        struct seccomp_data data = { .nr = nr, .arch = seccomp_abi_native()->audit, .args = { x, y, y } };
        weaker = bpf_strictness(bpf_run(b.program.filter, b.program.len, &data)) <
                 bpf_strictness(bpf_run(faithful, b.program.len, &data));
      }
    }
    int rc = validate(&b);
    cr_assert(rc == -1 || !weaker, "comparison at %zu", i);
    found += rc == -1;
    f->k--;
  }
  cr_assert_geq(moved, 10u);
  cr_assert_geq(found, moved / 2);
}

#ifdef __x86_64__
/* The result is native: another ABI's calls must not come through, by arch or by x32's bit. */
Test(seccomp_validate, finds_doors_through_other_abis) {
  static const uint32_t archs[] = { AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_S390X, 0, UINT32_MAX };
  for (size_t i = 0; i < ARRAY_SIZE(archs) + 1; i++) {
    CLEANUP(bench_free) struct bench b = { 0 };
    bench_make(&b, allow_list, allow_list);
    bool x32 = i == ARRAY_SIZE(archs);
    const struct sock_filter door[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
               (uint32_t)(x32 ? offsetof(struct seccomp_data, nr) : offsetof(struct seccomp_data, arch))),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, x32 ? BPF_X32_BIT + 777 : archs[i], 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM), /* denied, but not by the dead */
    };
    struct sock_filter *filter = xcalloc(ARRAY_SIZE(door) + b.program.len, sizeof *filter);
    memcpy(filter, door, sizeof door);
    memcpy(filter + ARRAY_SIZE(door), b.program.filter, b.program.len * sizeof *filter);
    free(b.program.filter);
    b.program.filter = filter;
    b.program.len += ARRAY_SIZE(door);
    cr_assert_eq(validate(&b), -1, "%zu", i);
    cr_assert_null(b.call); /* no coarser rule would help */
  }
}
#endif

/* The program is faithful to the result, and the result is not to the input. */
Test(seccomp_validate, compares_with_the_inputs_meaning) {
  CLEANUP(bench_free) struct bench b = { 0 };
  bench_make(
      &b,
      "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['getpid','kill'],'action':'SCMP_ACT_ALLOW'}]}",
      "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['getpid'],'action':'SCMP_ACT_ALLOW'},"
      "{'names':['kill'],'action':'SCMP_ACT_ALLOW','args':[{'index':1,'value':9,'op':'SCMP_CMP_NE'}]}]}");
  cr_assert_eq(validate(&b), -1);
  cr_assert_str_eq(b.call, "kill");
  cr_assert(strstr(b.err.message, "SCMP_ACT_ALLOW") && strstr(b.err.message, "SCMP_ACT_ERRNO"), "%s",
            b.err.message);
}

/* ... and with what the library made of the input, where that is stricter than its meaning. */
Test(seccomp_validate, compares_with_the_inputs_program) {
  CLEANUP(bench_free) struct bench b = { 0 };
  bench_make(&b, allow_list, allow_list);
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile strict = { 0 };
  CLEANUP_SECCOMP_PROGRAM struct seccomp_program program = { 0 };
  profile_of("{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['getpid'],'action':'SCMP_ACT_ALLOW'}]}",
             &strict);
  compile_one(&strict, false, &program);
  const struct seccomp_validation v = { .result = &b.result,
                                        .programs = { &b.program },
                                        .programs_len = 1,
                                        .inputs = { &b.input },
                                        .input_programs = { &program },
                                        .input_names = { "the input" },
                                        .inputs_len = 1 };
  cr_assert_eq(seccomp_validate(&v, &b.call, &b.err), -1);
  cr_assert_str_eq(b.call, "read"); /* number 0 */
}

/* A default that kills: runc's stub answers ENOSYS above the border, which is not held against it, and
 * nowhere below. */
Test(seccomp_validate, knows_the_stub) {
  static const char killing[] = "{'defaultAction':'SCMP_ACT_KILL_PROCESS','syscalls':[{'names':['getpid','"
                                "ptrace'],'action':'SCMP_ACT_ALLOW'}]}";
  CLEANUP(bench_free) struct bench b = { 0 };
  CLEANUP_SECCOMP_PROGRAM struct seccomp_program stubbed = { 0 };
  bench_make(&b, killing, killing);
  seccomp_program_add_stub(&b.program, &b.result, &stubbed);
  struct seccomp_validation v = { .result = &b.result,
                                  .programs = { &b.program },
                                  .programs_len = 1,
                                  .stubbed = &stubbed,
                                  .inputs = { &b.input },
                                  .input_names = { "the input" },
                                  .inputs_len = 1 };
  cr_assert_eq(seccomp_validate(&v, &b.call, &b.err), 0, "%s", b.err.message);
  for (size_t i = 0; i < stubbed.len; i++)
    if (stubbed.filter[i].code == (BPF_JMP | BPF_JGT | BPF_K)) {
      stubbed.filter[i].k -= 10;
      break;
    }
  cr_assert_eq(seccomp_validate(&v, &b.call, &b.err), -1);
}
