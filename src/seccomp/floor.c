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

/*
 * Instructions from the program's end to its start, since a jump goes forward and has to know how far. A
 * label is the length that the program had when its instruction had been emitted.
 */
struct emitter {
  struct sock_filter *program;
  size_t len, size;
  size_t deny, allow; /* labels */
};

static size_t emit(struct emitter *e, struct sock_filter instruction) {
  if (e->len == e->size) {
    e->size = e->size ? e->size * 2 : 256;
    e->program = xrealloc(e->program, e->size, sizeof *e->program);
  }
  e->program[e->len++] = instruction;
  return e->len;
}

static size_t emit_load(struct emitter *e, size_t offset) {
  return emit(e, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static size_t emit_return(struct emitter *e, uint32_t verdict) {
  return emit(e, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

/* A label that a branch can reach: a jump to it where it is far. */
static size_t near(struct emitter *e, size_t label) {
  enum { REACH = 250 }; /* of the 255 that eight bits tell, with room for the other side's jump */
  const size_t distance = e->len - label;
  return distance <= REACH ? label
                           : emit(e, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)distance));
}

static size_t emit_branch(struct emitter *e, uint16_t test, uint32_t k, size_t yes, size_t no) {
  yes = near(e, yes);
  no = near(e, no);
  return emit(e, (struct sock_filter)BPF_JUMP(BPF_JMP | test | BPF_K, k, (uint8_t)(e->len - yes),
                                              (uint8_t)(e->len - no)));
}

/* Of what is denied: calls under one audit arch, or members of a multiplexer. In order. */
struct numbers {
  uint32_t *items;
  size_t len;
};

static void numbers_free(struct numbers *n) {
  free(n->items);
}

static void numbers_add(struct numbers *n, uint32_t number) {
  n->items = xgrow(n->items, n->len, sizeof *n->items);
  size_t i = n->len++;
  for (; i > 0 && n->items[i - 1] > number; i--)
    n->items[i] = n->items[i - 1];
  n->items[i] = number;
}

/* Where a multiplexer exists, libseccomp hides that its members have numbers of their own as well. */
static void add_hidden(struct numbers *n, const struct seccomp_abi *abi, const struct strlist *names) {
  enum { NUMBERS = 1024 };
  for (int nr = 0; nr < NUMBERS; nr++) {
    CLEANUP_FREE char *name = seccomp_abi_name(abi, nr);
    if (name && strlist_has(names, name) && seccomp_abi_number(abi, name) < 0)
      numbers_add(n, (uint32_t)nr);
  }
}

static void add_numbers(struct numbers *n, const struct seccomp_abi *abi, const struct strlist *names) {
  bool hidden = false;
  uint32_t unused = 0;
  for (size_t i = 0; i < names->len; i++) {
    int number = seccomp_abi_number(abi, names->items[i]);
    if (number >= 0)
      numbers_add(n, (uint32_t)number);
    else
      hidden |= seccomp_mux_of_member(names->items[i], &unused) != SECCOMP_MUX_NONE;
  }
  if (hidden)
    add_hidden(n, abi, names);
}

/* From `from` on the verdict is the label's. */
struct border {
  uint32_t from;
  size_t label;
};

static size_t emit_search(struct emitter *e, const struct border *borders, size_t len, size_t below) {
  if (len == 0)
    return below;
  const size_t middle = len / 2;
  const struct border *b = &borders[middle];
  size_t high = emit_search(e, b + 1, len - middle - 1, b->label);
  size_t low = emit_search(e, borders, middle, below);
  return emit_branch(e, BPF_JGE, b->from, high, low);
}

/*
 * Denies when A is one of the numbers: a search tree over the borders of their runs. The kernel runs a new
 * filter once for each call that it knows, to learn which are always allowed, and compiles it: length and
 * depth are what a create pays for. It begins with what it emits last, so that a load in front of it leads
 * there.
 */
static size_t emit_tree(struct emitter *e, struct numbers *n) {
  CLEANUP_FREE struct border *borders = n->len ? xcalloc(2 * n->len, sizeof *borders) : NULL;
  size_t len = 0;
  for (size_t i = 0; i < n->len; i++) {
    const uint32_t number = n->items[i];
    if (i > 0 && number == n->items[i - 1])
      continue;
    if (len > 0 && borders[len - 1].from == number)
      len--; /* the run goes on */
    else
      borders[len++] = (struct border){ number, e->deny };
    if (number != UINT32_MAX)
      borders[len++] = (struct border){ number + 1, e->allow };
  }
  return len ? emit_search(e, borders, len, e->allow) : emit_return(e, SECCOMP_RET_ALLOW);
}

/* Members of one multiplexer: its first argument selects the call. ipc(2) keeps a version in the upper half
 * of it, which does not change the call. Returns where to begin; `otherwise` is for all other calls. */
static size_t emit_mux(struct emitter *e, const struct seccomp_abi *abi, const char *mux,
                       const struct strlist *names, size_t otherwise) {
  CLEANUP(numbers_free) struct numbers numbers = { 0 };
  const enum seccomp_mux wanted = seccomp_mux_of_call(mux);
  const int number = seccomp_abi_number(abi, mux);
  for (size_t i = 0; number >= 0 && i < names->len; i++) {
    uint32_t selector = 0;
    if (seccomp_mux_of_member(names->items[i], &selector) == wanted)
      numbers_add(&numbers, selector);
  }
  if (numbers.len == 0)
    return otherwise;
  (void)emit_tree(e, &numbers);
  if (wanted == SECCOMP_MUX_IPC)
    (void)emit(e, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffff));
  size_t body =
      emit_load(e, offsetof(struct seccomp_data, args) + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0));
  return emit_branch(e, BPF_JEQ, (uint32_t)number, body, otherwise);
}

static size_t emit_audit_arch(struct emitter *e, const struct seccomp_abi *const *abis, size_t len,
                              uint32_t audit, const struct strlist *names, size_t otherwise) {
  CLEANUP(numbers_free) struct numbers numbers = { 0 };
  for (size_t i = 0; i < len; i++) /* x32 shares x86-64's arch; its numbers differ */
    if (abis[i]->audit == audit)
      add_numbers(&numbers, abis[i], names);
  size_t body = emit_tree(e, &numbers);
  for (size_t i = 0; i < len; i++) {
    if (abis[i]->audit != audit)
      continue;
    body = emit_mux(e, abis[i], "socketcall", names, body);
    body = emit_mux(e, abis[i], "ipc", names, body);
  }
  body = emit_load(e, offsetof(struct seccomp_data, nr));
  return emit_branch(e, BPF_JEQ, audit, body, otherwise);
}

static int check_names(const struct strlist *names, struct error *err) {
  for (size_t i = 0; i < names->len; i++) {
    const char *name = names->items[i];
    if (seccomp_abi_number(seccomp_abi_native(), name) == SECCOMP_NR_UNKNOWN)
      return error_set(err, ERROR_POLICY, 0, "seccomp.floor: no system call \"%s\" is known", name);
    for (size_t k = 0; k < ARRAY_SIZE(runtime_needs); k++)
      if (str_same(runtime_needs[k], name))
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
  e.allow = emit_return(&e, SECCOMP_RET_ALLOW);
  e.deny = emit_return(&e, SECCOMP_RET_ERRNO | EPERM);
  size_t start = e.allow;
  for (size_t i = len; i-- > 0;) { /* the native one comes first */
    bool first = true;
    for (size_t k = 0; k < i; k++)
      first &= abis[k]->audit != abis[i]->audit;
    if (first)
      start = emit_audit_arch(&e, abis, len, abis[i]->audit, names, start);
  }
  emit_load(&e, offsetof(struct seccomp_data, arch));
  for (size_t i = 0; i < e.len / 2; i++) {
    const struct sock_filter other = e.program[e.len - 1 - i];
    e.program[e.len - 1 - i] = e.program[i];
    e.program[i] = other;
  }
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
