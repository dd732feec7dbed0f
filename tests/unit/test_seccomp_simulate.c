/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "seccomp/simulate.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LD_NR BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define LD_ARCH BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch))
#define LD_LOW(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (n))
#define LD_HIGH(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (n) + 4)
#define RET(v) BPF_STMT(BPF_RET | BPF_K, v)
#define JUMP(op, k, jt, jf) BPF_JUMP(BPF_JMP | (op) | BPF_K, k, jt, jf)
#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))

/* Deterministic and the same everywhere. */
static uint32_t random_next(uint64_t *seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*seed >> 33);
}

static bool valid(const struct sock_filter *program, size_t len) {
  struct error err = { 0 };
  return bpf_validate(program, len, &err) == 0;
}
#define VALID(...)                                                                                           \
  valid((const struct sock_filter[]){ __VA_ARGS__ },                                                         \
        sizeof((const struct sock_filter[]){ __VA_ARGS__ }) / sizeof(struct sock_filter))

Test(seccomp_simulate, refuses_what_the_kernel_refuses) {
  cr_assert(VALID(RET(0)));
  cr_assert_not(valid(NULL, 0));
  cr_assert_not(VALID(LD_NR));                                           /* no return */
  cr_assert_not(VALID(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 62), RET(0)));  /* unaligned */
  cr_assert_not(VALID(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), RET(0)));  /* outside */
  cr_assert_not(VALID(BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), RET(0)));   /* a byte */
  cr_assert_not(VALID(BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), RET(0)));   /* indirect */
  cr_assert_not(VALID(JUMP(BPF_JEQ, 0, 0, 1), RET(0)));                  /* behind the end */
  cr_assert_not(VALID(JUMP(BPF_JEQ, 0, 1, 0), RET(0)));                  /* the same, other way */
  cr_assert_not(VALID(BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX), RET(0)));  /* backward by wrapping */
  cr_assert_not(VALID(BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RET(0)));  /* division by zero */
  cr_assert_not(VALID(BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), RET(0))); /* shift out */
  cr_assert_not(VALID(BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), RET(0)));  /* not for seccomp */
  cr_assert_not(VALID(BPF_STMT(BPF_ST, 16), RET(0)));                    /* no such word */
  cr_assert_not(VALID(BPF_STMT(BPF_LD | BPF_MEM, 1), RET(0)));           /* never written */
  cr_assert(VALID(BPF_STMT(BPF_ST, 1), BPF_STMT(BPF_LD | BPF_MEM, 1), RET(0)));
  /* written on one way only */
  cr_assert_not(VALID(JUMP(BPF_JEQ, 0, 0, 1), BPF_STMT(BPF_ST, 1), BPF_STMT(BPF_LD | BPF_MEM, 1), RET(0)));

  CLEANUP_FREE struct sock_filter *many = xcalloc(BPF_PROGRAM_MAX + 1, sizeof *many);
  for (size_t i = 0; i <= BPF_PROGRAM_MAX; i++)
    many[i] = (struct sock_filter)RET(0);
  cr_assert(valid(many, BPF_PROGRAM_MAX));
  cr_assert_not(valid(many, BPF_PROGRAM_MAX + 1));
}

/* Is the program taken by the kernel? In a child, which then ends in whatever way the filter leaves it. */
static bool kernel_takes(const struct sock_filter *program, size_t len) {
  pid_t pid = fork();
  cr_assert_geq(pid, 0);
  if (pid == 0) {
    /* A filter that denies exit_group leaves a fault as the way out, not to be caught by a sanitizer. */
    static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT };
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
      signal(faults[i], SIG_DFL);
    alarm(10);
    struct sock_fprog fprog = { (unsigned short)len, (struct sock_filter *)program };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
      _exit(99);
    long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog);
    /* Not _exit(2) of libc: a sanitizer's looks for leaks there, by calls that the filter may answer. */
    syscall(SYS_exit_group, r < 0 && errno == EINVAL ? 42 : 0);
    __builtin_trap();
  }
  int status = 0;
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  cr_assert_not(WIFEXITED(status) && WEXITSTATUS(status) == 99);
  return !(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

static void random_program(uint64_t *seed, struct sock_filter *program, size_t len, bool wild) {
  static const uint16_t codes[] = {
    BPF_LD | BPF_W | BPF_ABS,   BPF_LD | BPF_W | BPF_ABS,  BPF_LD | BPF_W | BPF_ABS,
    BPF_ALU | BPF_AND | BPF_K,  BPF_ALU | BPF_ADD | BPF_K, BPF_ALU | BPF_SUB | BPF_X,
    BPF_JMP | BPF_JEQ | BPF_K,  BPF_JMP | BPF_JGT | BPF_K, BPF_JMP | BPF_JGE | BPF_K,
    BPF_JMP | BPF_JSET | BPF_K, BPF_JMP | BPF_JEQ | BPF_X, BPF_JMP | BPF_JA,
    BPF_MISC | BPF_TAX,         BPF_MISC | BPF_TXA,        BPF_ST,
    BPF_LD | BPF_MEM,           BPF_LDX | BPF_MEM,         BPF_RET | BPF_K,
    BPF_ALU | BPF_DIV | BPF_X,  BPF_ALU | BPF_NEG,         BPF_ALU | BPF_RSH | BPF_K,
    BPF_LD | BPF_W | BPF_LEN,
  };
  static const uint32_t actions[] = { SECCOMP_RET_ALLOW, ERRNO(7), SECCOMP_RET_LOG, SECCOMP_RET_TRACE,
                                      SECCOMP_RET_USER_NOTIF };
  for (size_t pc = 0; pc < len; pc++) {
    uint32_t left = (uint32_t)(len - pc - 1);
    struct sock_filter *i = &program[pc];
    *i = (struct sock_filter){ codes[random_next(seed) % ARRAY_SIZE(codes)], 0, 0, random_next(seed) % 5 };
    if (wild && random_next(seed) % 16 == 0)
      i->code = (uint16_t)(random_next(seed) % 256);
    if (pc + 1 == len)
      i->code = BPF_RET | BPF_K;
    if (i->code == (BPF_LD | BPF_W | BPF_ABS)) /* nr, or the low words of the first two arguments */
      i->k = (uint32_t[]){ 0, 16, 24 }[random_next(seed) % 3];
    if (i->code == (BPF_RET | BPF_K))
      i->k = actions[random_next(seed) % ARRAY_SIZE(actions)];
    if (BPF_CLASS(i->code) == BPF_JMP && left) {
      i->jt = (uint8_t)(random_next(seed) % (wild ? left + 1 : left));
      i->jf = (uint8_t)(random_next(seed) % left);
      if (BPF_OP(i->code) == BPF_JA)
        i->k = random_next(seed) % left;
    }
  }
}

Test(seccomp_simulate, validation_agrees_with_the_kernel) {
  uint64_t seed = 1;
  unsigned taken = 0;
  for (int n = 0; n < 400; n++) {
    struct sock_filter program[12];
    random_program(&seed, program, ARRAY_SIZE(program), true);
    bool ours = valid(program, ARRAY_SIZE(program));
    cr_assert_eq(ours, kernel_takes(program, ARRAY_SIZE(program)), "program %d", n);
    taken += ours;
  }
  cr_assert_gt(taken, 20u);
  cr_assert_lt(taken, 380u);
}

#ifdef __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

static uint32_t run(const struct sock_filter *program, size_t len, uint32_t nr, uint64_t a0, uint64_t a1) {
  struct seccomp_data data = { .nr = (int)nr, .arch = NATIVE, .args = { a0, a1 } };
  return bpf_run(program, len, &data);
}

/* getppid takes no arguments, so that any may be passed to it. */
static const uint64_t samples[] = {
  0, 1, 2, 3, 4, 5, 0x7fffffff, 0x80000000, UINT32_MAX, 1ull << 32, (1ull << 32) + 3, UINT64_MAX
};

/* In a child under the program: for every pair of samples, is the kernel's errno the interpreter's? */
static void agrees_with_kernel(const struct sock_filter *program, size_t len) {
  pid_t pid = fork();
  cr_assert_geq(pid, 0);
  if (pid == 0) {
    /* Only getppid is judged by the program under test: the child needs its other calls. */
    struct sock_filter guarded[64] = { LD_NR, JUMP(BPF_JEQ, SYS_getppid, 1, 0), RET(SECCOMP_RET_ALLOW),
                                       BPF_STMT(BPF_LD | BPF_IMM, 0) };
    memcpy(guarded + 4, program, len * sizeof *program);
    struct sock_fprog fprog = { (unsigned short)(len + 4), guarded };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog))
      _exit(99);
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
      for (size_t j = 0; j < ARRAY_SIZE(samples); j++) {
        uint32_t verdict = run(program, len, SYS_getppid, samples[i], samples[j]);
        uint32_t action = verdict & SECCOMP_RET_ACTION_FULL;
        int expected = action == SECCOMP_RET_ERRNO ? (int)(verdict & 0xfff)
                       : action == SECCOMP_RET_TRACE || action == SECCOMP_RET_USER_NOTIF ? ENOSYS
                                                                                         : 0;
        if (bpf_strictness(verdict) > bpf_strictness(SECCOMP_RET_ERRNO))
          continue; /* would kill the child */
        errno = 0;
        syscall(SYS_getppid, samples[i], samples[j]);
        if (errno != expected)
          _exit(1);
      }
    }
    _exit(0);
  }
  int status = 0;
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
}

Test(seccomp_simulate, interpreter_agrees_with_the_kernel) {
  static const struct sock_filter ranges[] = {
    LD_HIGH(0),
    JUMP(BPF_JGT, 0, 0, 1),
    RET(ERRNO(11)),
    LD_LOW(0),
    JUMP(BPF_JGE, 0x80000000, 0, 1),
    RET(ERRNO(12)),
    LD_LOW(1),
    JUMP(BPF_JSET, 6, 0, 1),
    RET(ERRNO(13)),
    RET(SECCOMP_RET_ALLOW),
  };
  agrees_with_kernel(ranges, ARRAY_SIZE(ranges));
  static const struct sock_filter arithmetic[] = {
    LD_LOW(0),
    BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 3),
    BPF_STMT(BPF_MISC | BPF_TAX, 0),
    BPF_STMT(BPF_ST, 2),
    LD_LOW(1),
    BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
    BPF_STMT(BPF_LDX | BPF_MEM, 2),
    BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 1),
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_X, 0, 0, 1),
    RET(ERRNO(21)),
    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff),
    BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
    BPF_STMT(BPF_RET | BPF_A, 0),
  };
  agrees_with_kernel(arithmetic, ARRAY_SIZE(arithmetic));
  uint64_t seed = 7;
  for (int n = 0; n < 150;) {
    struct sock_filter program[20];
    random_program(&seed, program, ARRAY_SIZE(program), false);
    if (!valid(program, ARRAY_SIZE(program)))
      continue;
    agrees_with_kernel(program, ARRAY_SIZE(program));
    n++;
  }
}

Test(seccomp_simulate, strictness_is_the_kernels_precedence) {
  static const uint32_t order[] = {
    SECCOMP_RET_ALLOW, SECCOMP_RET_LOG,  SECCOMP_RET_TRACE,       SECCOMP_RET_USER_NOTIF,
    ERRNO(1),          SECCOMP_RET_TRAP, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_KILL_PROCESS
  };
  for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
    cr_assert_eq(bpf_strictness(order[i]), i);
  cr_assert_eq(bpf_strictness(0x12340000), 7);
  cr_assert_eq(BPF_SET(SECCOMP_RET_USER_NOTIF) & BPF_SET_RUNS, BPF_SET(SECCOMP_RET_USER_NOTIF));
  cr_assert_eq(BPF_SET(ERRNO(1)) & BPF_SET_RUNS, 0);
}

#define REACH(...)                                                                                           \
  bpf_reach((const struct sock_filter[]){ __VA_ARGS__ },                                                     \
            sizeof((const struct sock_filter[]){ __VA_ARGS__ }) / sizeof(struct sock_filter), NATIVE, 100)

Test(seccomp_simulate, reach_knows_number_and_arch) {
  unsigned allow = BPF_SET(SECCOMP_RET_ALLOW), deny = BPF_SET(ERRNO(1));
  cr_assert_eq(REACH(LD_NR, JUMP(BPF_JEQ, 100, 0, 1), RET(SECCOMP_RET_ALLOW), RET(ERRNO(1))), allow);
  cr_assert_eq(REACH(LD_NR, JUMP(BPF_JEQ, 101, 0, 1), RET(SECCOMP_RET_ALLOW), RET(ERRNO(1))), deny);
  cr_assert_eq(REACH(LD_ARCH, JUMP(BPF_JEQ, NATIVE, 1, 0), RET(SECCOMP_RET_ALLOW), RET(ERRNO(1))), deny);
  cr_assert_eq(REACH(LD_LOW(3), JUMP(BPF_JEQ, 9, 0, 1), RET(SECCOMP_RET_ALLOW), RET(ERRNO(1))), allow | deny);
}

/* One value in 2^32, and values that no argument has: what no sample would tell. */
Test(seccomp_simulate, reach_finds_needles_and_sees_contradictions) {
  unsigned allow = BPF_SET(SECCOMP_RET_ALLOW), deny = BPF_SET(ERRNO(1));
  cr_assert_eq(REACH(LD_LOW(0), JUMP(BPF_JEQ, 0x5ca1ab1e, 0, 3), LD_HIGH(0), JUMP(BPF_JEQ, 0xdeadbeef, 0, 1),
                     RET(SECCOMP_RET_ALLOW), RET(ERRNO(1))),
               allow | deny);
  /* equal to 5 and to 6 */
  cr_assert_eq(
      REACH(LD_LOW(0), JUMP(BPF_JEQ, 5, 0, 2), JUMP(BPF_JEQ, 6, 0, 1), RET(SECCOMP_RET_ALLOW), RET(ERRNO(1))),
      deny);
  /* above 10 and below 11 */
  cr_assert_eq(REACH(LD_LOW(0), JUMP(BPF_JGT, 10, 0, 2), JUMP(BPF_JGE, 11, 1, 0), RET(SECCOMP_RET_ALLOW),
                     RET(ERRNO(1))),
               deny);
  /* neither 0 nor 1, and below 2 */
  cr_assert_eq(REACH(LD_LOW(0), JUMP(BPF_JGT, 1, 3, 0), JUMP(BPF_JEQ, 0, 2, 0), JUMP(BPF_JEQ, 1, 1, 0),
                     RET(SECCOMP_RET_ALLOW), RET(ERRNO(1))),
               deny);
  /* a bit set under a mask that leaves it out */
  cr_assert_eq(REACH(LD_LOW(0), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0), JUMP(BPF_JSET, 0x0f, 0, 1),
                     RET(SECCOMP_RET_ALLOW), RET(ERRNO(1))),
               deny);
  /* (x & 6) == 4 and bit 2 clear; loaded again in between */
  cr_assert_eq(REACH(LD_LOW(0), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 6), JUMP(BPF_JEQ, 4, 0, 3), LD_LOW(0),
                     JUMP(BPF_JSET, 4, 1, 0), RET(SECCOMP_RET_ALLOW), RET(ERRNO(1))),
               deny);
  /* the masked value differs on one way and is the same on the next */
  cr_assert_eq(REACH(LD_LOW(0), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 6), JUMP(BPF_JEQ, 4, 2, 0),
                     JUMP(BPF_JEQ, 4, 0, 1), RET(SECCOMP_RET_ALLOW), RET(ERRNO(1))),
               deny);
}

Test(seccomp_simulate, reach_misses_no_action_of_random_programs) {
  uint64_t seed = 3;
  for (int n = 0; n < 3000; n++) {
    struct sock_filter program[16];
    random_program(&seed, program, ARRAY_SIZE(program), false);
    if (!valid(program, ARRAY_SIZE(program)))
      continue;
    unsigned seen = 0;
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
      for (size_t j = 0; j < ARRAY_SIZE(samples); j++)
        seen |= BPF_SET(run(program, ARRAY_SIZE(program), 2, samples[i], samples[j]));
    unsigned reach = bpf_reach(program, ARRAY_SIZE(program), NATIVE, 2);
    cr_assert_eq(seen & ~reach, 0, "program %d: seen %#x reach %#x", n, seen, reach);
  }
}

/* 2^2000 ways: the answer is "any action", and it comes at once. */
Test(seccomp_simulate, reach_is_bounded, .timeout = 10) {
  CLEANUP_FREE struct sock_filter *program = xcalloc(BPF_PROGRAM_MAX, sizeof *program);
  for (size_t i = 0; i + 1 < BPF_PROGRAM_MAX; i++)
    program[i] =
        i % 2 ? (struct sock_filter)JUMP(BPF_JEQ, (uint32_t)i, 0, 0) : (struct sock_filter)LD_LOW(i / 2 % 6);
  program[BPF_PROGRAM_MAX - 1] = (struct sock_filter)RET(ERRNO(1));
  cr_assert(valid(program, BPF_PROGRAM_MAX));
  cr_assert_eq(bpf_reach(program, BPF_PROGRAM_MAX, NATIVE, 1), BPF_SET_ALL);
}

Test(seccomp_simulate, reachable_counts_numbers) {
  static const struct sock_filter program[] = { LD_NR, JUMP(BPF_JGE, 10, 0, 2), JUMP(BPF_JGT, 19, 1, 0),
                                                RET(SECCOMP_RET_LOG), RET(ERRNO(1)) };
  bool reached[40];
  cr_assert_eq(bpf_reachable(program, ARRAY_SIZE(program), NATIVE, 0, 40, reached), 10);
  cr_assert(reached[10] && reached[19] && !reached[9] && !reached[20]);
  cr_assert_eq(bpf_reachable(program, ARRAY_SIZE(program), NATIVE, BPF_X32_BIT, 40, NULL), 0);
}
