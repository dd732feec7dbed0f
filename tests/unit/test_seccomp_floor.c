/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/arch.h"
#include "seccomp/floor.h"
#include "seccomp/plan.h"
#include "seccomp/simulate.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint32_t denied = SECCOMP_RET_ERRNO | EPERM;

static void list(struct strlist *l, const char *names) {
  CLEANUP_FREE char *copy = xstrdup(names);
  char *rest = copy;
  for (char *name = strsep(&rest, " "); name; name = strsep(&rest, " "))
    strlist_add(l, name);
}

struct floor {
  struct sock_filter *program;
  size_t len;
};

static struct floor build(const char *names) {
  CLEANUP_STRLIST struct strlist l = { 0 };
  list(&l, names);
  struct floor f = { 0 };
  struct error err = { 0 };
  cr_assert_eq(seccomp_floor_build(&l, &f.program, &f.len, &err), 0, "%s", err.message);
  return f;
}

static uint32_t judge(const struct floor *f, uint32_t arch, uint32_t nr, uint64_t a0) {
  struct seccomp_data data = { .arch = arch, .nr = (int)nr, .args = { a0 } };
  return bpf_run(f->program, f->len, &data);
}

Test(seccomp_floor, denies_by_the_numbers_of_each_abi) {
  struct floor f = build("ptrace userfaultfd shmget accept4");
  const struct seccomp_abi *native = seccomp_abi_native();
  unsigned abis = 0;
  for (const struct seccomp_abi *abi = seccomp_abis; abi->oci; abi++) {
    if (!seccomp_abi_is_local(abi))
      continue;
    abis++;
    for (size_t i = 0; i < 2; i++) {
      int nr = seccomp_abi_number(abi, i ? "ptrace" : "userfaultfd");
      cr_assert_geq(nr, 0);
      cr_assert_eq(judge(&f, abi->audit, (uint32_t)nr, 0), denied, "%s %d", abi->oci, nr);
    }
    cr_assert_eq(judge(&f, abi->audit, (uint32_t)seccomp_abi_number(abi, "getpid"), 0), SECCOMP_RET_ALLOW);
  }
  cr_assert_geq(abis, 2u);
  size_t reached = 0;
  for (uint32_t nr = 0; nr < 600; nr++)
    reached += judge(&f, native->audit, nr, UINT64_MAX) == SECCOMP_RET_ALLOW;
  cr_assert_eq(reached, 596);
  cr_assert_eq(judge(&f, 0x12345678, 101, 0), SECCOMP_RET_ALLOW);
  free(f.program);
}

/* An ABI that lacks every name is left alone. */
Test(seccomp_floor, names_that_not_every_abi_has) {
  static const char *const names[] = { "newfstatat", "vm86", "arch_prctl", "_llseek", "stime" };
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    struct floor f = build(names[i]);
    for (const struct seccomp_abi *abi = seccomp_abis; abi->oci; abi++) {
      if (!seccomp_abi_is_local(abi))
        continue;
      const int own = seccomp_abi_number(abi, names[i]);
      const uint32_t base = seccomp_abi_is_x32(abi) ? BPF_X32_BIT : 0;
      for (uint32_t nr = base; nr < base + 600; nr++)
        cr_assert_eq(judge(&f, abi->audit, nr, 0), own == (int)nr ? denied : SECCOMP_RET_ALLOW, "%s, %s %u",
                     names[i], abi->oci, nr);
    }
    free(f.program);
  }
}

#ifdef __x86_64__
/* i386 reaches the same calls directly and through two multiplexers, whose selector ipc(2) does not read in
 * full. */
Test(seccomp_floor, closes_the_multiplexers) {
  struct floor f = build("shmget accept4");
  uint32_t i386 = AUDIT_ARCH_I386;
  cr_assert_eq(judge(&f, i386, 364, 0), denied);                          /* accept4 */
  cr_assert_eq(judge(&f, i386, 395, 0), denied);                          /* shmget */
  cr_assert_eq(judge(&f, i386, 102, 18), denied);                         /* socketcall(SYS_ACCEPT4) */
  cr_assert_eq(judge(&f, i386, 102, 17), SECCOMP_RET_ALLOW);              /* socketcall(SYS_RECVMSG) */
  cr_assert_eq(judge(&f, i386, 117, 23), denied);                         /* ipc(SHMGET) */
  cr_assert_eq(judge(&f, i386, 117, 0x10017), denied);                    /* the same, version 1 */
  cr_assert_eq(judge(&f, i386, 117, 24), SECCOMP_RET_ALLOW);              /* ipc(SHMCTL) */
  cr_assert_eq(judge(&f, AUDIT_ARCH_X86_64, 102, 18), SECCOMP_RET_ALLOW); /* getuid */
  free(f.program);
}
#endif

Test(seccomp_floor, refuses_unknown_names_and_what_runtimes_need) {
  static const char *const wrong[] = { "no_such_call", "mount", "keyctl", "" };
  for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
    CLEANUP_STRLIST struct strlist l = { 0 };
    strlist_add(&l, wrong[i]);
    struct floor f = { 0 };
    struct error err = { 0 };
    cr_assert_eq(seccomp_floor_build(&l, &f.program, &f.len, &err), -1);
    cr_assert_eq(err.code, ERROR_POLICY);
    cr_assert_null(f.program);
  }
}

/* Longer than the reach of a conditional jump. */
Test(seccomp_floor, takes_every_name_at_once) {
  CLEANUP_STRLIST struct strlist l = { 0 };
  struct error err = { 0 };
  for (int nr = 0; nr < 500; nr++) {
    CLEANUP_FREE char *name = seccomp_abi_name(seccomp_abi_native(), nr);
    CLEANUP_STRLIST struct strlist one = { 0 };
    CLEANUP_FREE struct sock_filter *program = NULL;
    size_t len = 0;
    if (name)
      strlist_add(&one, name);
    if (name && seccomp_floor_build(&one, &program, &len, &err) == 0)
      strlist_add(&l, name);
  }
  struct floor f = { 0 };
  cr_assert_gt(l.len, 250);
  cr_assert_eq(seccomp_floor_build(&l, &f.program, &f.len, &err), 0, "%s", err.message);
  for (size_t i = 0; i < l.len; i++)
    cr_assert_eq(judge(&f, seccomp_abi_native()->audit,
                       (uint32_t)seccomp_abi_number(seccomp_abi_native(), l.items[i]), 0),
                 denied, "%s", l.items[i]);
  free(f.program);
}

static int child_status(pid_t pid) {
  int status = 0;
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(seccomp_floor, holds_in_the_kernel_and_sets_no_new_privs_on_nobody) {
  if (geteuid() != 0)
    cr_skip_test("a filter without no_new_privs needs root");
  pid_t pid = fork();
  cr_assert_geq(pid, 0);
  if (pid == 0) {
    struct policy policy = { 0 };
    struct error err = { 0 };
    strlist_add(&policy.seccomp.floor, "ptrace");
    if (seccomp_floor_install(&policy, &err) < 0)
      _exit(1);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != -1 || errno != EPERM)
      _exit(2);
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0)
      _exit(3);
    _exit(getppid() > 0 ? 0 : 4);
  }
  cr_assert_eq(child_status(pid), 0);
}

Test(seccomp_floor, without_privilege_it_is_refused) {
  if (geteuid() != 0)
    cr_skip_test("drops from root");
  pid_t pid = fork();
  cr_assert_geq(pid, 0);
  if (pid == 0) {
    struct policy policy = { 0 };
    struct error err = { 0 };
    strlist_add(&policy.seccomp.floor, "ptrace");
    if (setresuid(65534, 65534, 65534) < 0)
      _exit(1);
    if (seccomp_floor_install(&policy, &err) == 0 || err.code != ERROR_REFUSED)
      _exit(2);
    strlist_clear(&policy.seccomp.floor);
    _exit(seccomp_floor_install(&policy, &err) == 0 ? 0 : 3); /* an empty floor asks for nothing */
  }
  cr_assert_eq(child_status(pid), 0);
}

Test(seccomp_floor, of_each_built_in_policy_can_be_built) {
  for (const struct builtin *b = builtin_policies; b->name; b++) {
    CLEANUP_POLICY struct policy policy = { 0 };
    struct error err = { 0 };
    struct floor f = { 0 };
    cr_assert_eq(policy_load("/nonexistent", b->name, &policy, &err), 0, "%s", err.message);
    cr_assert_eq(seccomp_floor_build(&policy.seccomp.floor, &f.program, &f.len, &err), 0, "%s: %s", b->name,
                 err.message);
    cr_assert_eq(f.len == 0, policy.seccomp.floor.len == 0);
    free(f.program);
  }
}
