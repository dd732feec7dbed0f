/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/floor.h"

#include "seccomp/arch.h"
#include "seccomp/plan.h"
#include "seccomp/simulate.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What runc, crun and their hooks do after the wrapper's exec and before the container's; a floor with one of
 * these would end every container. Grouped by what fails. */
static const char *const runtime_needs[] = {
  "execve",     "execveat", "clone",       "clone3",        "fork",    "vfork",     "exit",
  "exit_group", "mount",    "umount2",     "setns",         "unshare", "chroot",    "pivot_root",
  "mknod",      "mknodat",  "sethostname", "setdomainname", /* namespaces and rootfs */
  "keyctl",                                                 /* the session keyring */
  "bpf",                                                    /* device rules on cgroup v2 */
  "seccomp",    "prctl",    "capset",      "setuid",        "setgid",  "setgroups", "setresuid",
  "setresgid",  "read",     "write",       "openat",        "close",   "mmap",      "brk",
  "socket",     "connect",  "sendmsg",     "recvmsg",       "kill",    "wait4",     "waitid",
  "futex",      "ioctl",    "fcntl",       "rt_sigreturn",  "fchown",  "fchownat",  "setrlimit",
  "prlimit64",
};

struct emitter {
  struct sock_filter *program;
  size_t len;
};

static void emit(struct emitter *e, struct sock_filter instruction) {
  e->program = xrealloc(e->program, e->len + 1, sizeof *e->program);
  e->program[e->len++] = instruction;
}

static void emit_load(struct emitter *e, size_t offset) {
  emit(e, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* Denies when A is k. */
static void emit_deny_equal(struct emitter *e, uint32_t k) {
  emit(e, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 0, 1));
  emit(e, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
}

/* Jumps with 32-bit reach: a block may be longer than jt and jf can tell. Returns what to patch. */
static size_t emit_unless_equal(struct emitter *e, uint32_t k) {
  emit(e, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 1, 0));
  emit(e, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
  return e->len - 1;
}

static void patch(struct emitter *e, size_t jump) {
  e->program[jump].k = (uint32_t)(e->len - jump - 1);
}

/* Members of one multiplexer: its first argument selects the call. ipc(2) keeps a version in the upper half
 * of it, which does not change the call. */
static void emit_mux(struct emitter *e, const struct seccomp_abi *abi, const char *mux,
                     const struct strlist *names) {
  int number = seccomp_abi_number(abi, mux);
  if (number < 0)
    return;
  size_t skip = emit_unless_equal(e, (uint32_t)number);
  size_t low = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;
  emit_load(e, offsetof(struct seccomp_data, args) + low);
  if (strcmp(mux, "ipc") == 0)
    emit(e, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffff));
  for (size_t i = 0; i < names->len; i++) {
    uint32_t selector = 0;
    enum seccomp_mux member = seccomp_mux_of_member(names->items[i], &selector);
    if (member != SECCOMP_MUX_NONE && member == seccomp_mux_of_call(mux))
      emit_deny_equal(e, selector);
  }
  emit(e, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  patch(e, skip);
}

/* Numbers of denied calls under one audit arch. */
struct numbers {
  uint32_t *items;
  size_t len;
};

static void numbers_free(struct numbers *n) {
  free(n->items);
}

static void numbers_add(struct numbers *n, int number) {
  n->items = xrealloc(n->items, n->len + 1, sizeof *n->items);
  n->items[n->len++] = (uint32_t)number;
}

static int compare_numbers(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* Where a multiplexer exists, libseccomp hides that its members have numbers of their own as well. */
static void add_hidden(struct numbers *n, const struct seccomp_abi *abi, const struct strlist *names) {
  enum { NUMBERS = 1024 };
  for (int nr = 0; nr < NUMBERS; nr++) {
    CLEANUP_FREE char *name = seccomp_abi_name(abi, nr);
    if (name && strlist_has(names, name) && seccomp_abi_number(abi, name) < 0)
      numbers_add(n, nr);
  }
}

static void add_numbers(struct numbers *n, const struct seccomp_abi *abi, const struct strlist *names) {
  bool hidden = false;
  uint32_t unused = 0;
  for (size_t i = 0; i < names->len; i++) {
    int number = seccomp_abi_number(abi, names->items[i]);
    if (number >= 0)
      numbers_add(n, number);
    else
      hidden |= seccomp_mux_of_member(names->items[i], &unused) != SECCOMP_MUX_NONE;
  }
  if (hidden)
    add_hidden(n, abi, names);
}

/*
 * A search tree over sorted numbers; the call's is in A. The kernel runs a new filter once for each call that
 * it knows, to learn which are always allowed: a chain of as many comparisons took longer than all else that
 * the wrapper asks of the kernel.
 */
static void emit_tree(struct emitter *e, const uint32_t *numbers, size_t len) {
  enum { LEAF = 3 };
  if (len <= LEAF) {
    for (size_t i = 0; i < len; i++)
      emit_deny_equal(e, numbers[i]);
    emit(e, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    return;
  }
  const size_t middle = len / 2;
  emit(e, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, numbers[middle], 0, 1));
  emit(e, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
  const size_t jump = e->len - 1;
  emit_tree(e, numbers, middle);
  patch(e, jump);
  emit_tree(e, numbers + middle, len - middle);
}

static void emit_audit_arch(struct emitter *e, const struct seccomp_abi *const *abis, size_t len,
                            uint32_t audit, const struct strlist *names) {
  CLEANUP(numbers_free) struct numbers numbers = { 0 };
  size_t skip = emit_unless_equal(e, audit);
  emit_load(e, offsetof(struct seccomp_data, nr));
  for (size_t i = 0; i < len; i++) { /* x32 shares x86-64's arch; its numbers differ */
    if (abis[i]->audit != audit)
      continue;
    emit_mux(e, abis[i], "socketcall", names);
    emit_mux(e, abis[i], "ipc", names);
    add_numbers(&numbers, abis[i], names);
  }
  if (numbers.len)
    qsort(numbers.items, numbers.len, sizeof *numbers.items, compare_numbers);
  emit_tree(e, numbers.items, numbers.len);
  patch(e, skip);
}

static int check_names(const struct strlist *names, struct error *err) {
  for (size_t i = 0; i < names->len; i++) {
    const char *name = names->items[i];
    if (seccomp_abi_number(seccomp_abi_native(), name) == SECCOMP_NR_UNKNOWN)
      return error_set(err, ERROR_POLICY, 0, "seccomp.floor: no system call \"%s\" is known", name);
    for (size_t k = 0; k < ARRAY_SIZE(runtime_needs); k++)
      if (strcmp(runtime_needs[k], name) == 0)
        return error_set(
            err, ERROR_POLICY, 0,
            "seccomp.floor: \"%s\" is needed by the runtime, which runs above the floor too; deny "
            "it in the seccomp profile instead",
            name);
  }
  return 0;
}

int seccomp_floor_build(const struct strlist *names, struct sock_filter **ret, size_t *ret_len,
                        struct error *err) {
  if (check_names(names, err) < 0)
    return -1;
  *ret = NULL;
  *ret_len = 0;
  if (names->len == 0)
    return 0;
  const struct seccomp_abi *abis[1 + SECCOMP_COMPAT_MAX] = { seccomp_abi_native() };
  size_t len = 1;
  for (size_t i = 0; i < SECCOMP_COMPAT_MAX && abis[0]->compat[i]; i++) {
    const struct seccomp_abi *compat = seccomp_abi_by_oci(abis[0]->compat[i]);
    if (compat)
      abis[len++] = compat;
  }
  struct emitter e = { 0 };
  emit_load(&e, offsetof(struct seccomp_data, arch));
  for (size_t i = 0; i < len; i++) {
    bool first = true;
    for (size_t k = 0; k < i; k++)
      first &= abis[k]->audit != abis[i]->audit;
    if (first)
      emit_audit_arch(&e, abis, len, abis[i]->audit, names);
  }
  emit(&e, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  CLEANUP_FREE struct sock_filter *program = e.program;
  if (bpf_validate(program, e.len, err) < 0)
    return error_wrap(err, "seccomp.floor");
  *ret = steal_ptr(&program);
  *ret_len = e.len;
  return 0;
}

int seccomp_floor_install(const struct policy *policy, struct error *err) {
  CLEANUP_FREE struct sock_filter *program = NULL;
  size_t len = 0;
  if (seccomp_floor_build(&policy->seccomp.floor, &program, &len, err) < 0)
    return -1;
  if (!program)
    return 0;
  struct sock_fprog fprog = { (unsigned short)len, program };
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog) == 0)
    return 0;
  if (errno == EACCES)
    return error_set(
        err, ERROR_REFUSED, 0,
        "the policy's seccomp.floor cannot be installed without CAP_SYS_ADMIN: run as root, or leave "
        "seccomp.floor empty");
  return error_set(err, ERROR_SYSTEM, errno, "seccomp: cannot install the policy's floor");
}
