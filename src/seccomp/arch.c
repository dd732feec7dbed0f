/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/arch.h"

#include "base/str.h"

#include <seccomp.h>
#include <string.h>

#define ARCH(token, bits, ...)                                                                               \
  {                                                                                                          \
    "SCMP_ARCH_" #token, SCMP_ARCH_##token, SCMP_ARCH_##token, bits, {                                       \
      __VA_ARGS__                                                                                            \
    }                                                                                                        \
  }

/* A name whose token this libseccomp does not know is left out: the runtimes refuse it too. */
const struct seccomp_abi seccomp_abis[] = {
  ARCH(X86_64, 64, "SCMP_ARCH_X86", "SCMP_ARCH_X32"),
  ARCH(X86, 32, NULL),
  { "SCMP_ARCH_X32", SCMP_ARCH_X32, SCMP_ARCH_X86_64, 32, { NULL } },
  ARCH(AARCH64, 64, "SCMP_ARCH_ARM"),
  ARCH(ARM, 32, NULL),
  ARCH(MIPS, 32, NULL),
  ARCH(MIPS64, 64, "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64N32"),
  ARCH(MIPS64N32, 32, NULL),
  ARCH(MIPSEL, 32, NULL),
  ARCH(MIPSEL64, 64, "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64N32"),
  ARCH(MIPSEL64N32, 32, NULL),
  ARCH(PPC, 32, NULL),
  ARCH(PPC64, 64, "SCMP_ARCH_PPC"),
  ARCH(PPC64LE, 64, NULL),
  ARCH(S390, 32, NULL),
  ARCH(S390X, 64, "SCMP_ARCH_S390"),
  ARCH(PARISC, 32, NULL),
  ARCH(PARISC64, 64, "SCMP_ARCH_PARISC"),
#ifdef SCMP_ARCH_RISCV64
  ARCH(RISCV64, 64, NULL),
#endif
#ifdef SCMP_ARCH_LOONGARCH64
  ARCH(LOONGARCH64, 64, NULL),
#endif
#ifdef SCMP_ARCH_M68K
  ARCH(M68K, 32, NULL),
#endif
#ifdef SCMP_ARCH_SH
  ARCH(SH, 32, NULL),
#endif
#ifdef SCMP_ARCH_SHEB
  ARCH(SHEB, 32, NULL),
#endif
  { NULL, 0, 0, 0, { NULL } },
};

const struct seccomp_abi *seccomp_abi_by_oci(const char *oci) {
  for (const struct seccomp_abi *a = seccomp_abis; a->oci; a++)
    if (str_same(a->oci, oci))
      return a;
  return NULL;
}

const struct seccomp_abi *seccomp_abi_by_scmp(uint32_t scmp) {
  for (const struct seccomp_abi *a = seccomp_abis; a->oci; a++)
    if (a->scmp == scmp)
      return a;
  return NULL;
}

const struct seccomp_abi *seccomp_abi_native(void) {
  const struct seccomp_abi *arch = seccomp_abi_by_scmp(seccomp_arch_native());
  if (!arch)
    abort(); /* built for an architecture that libseccomp runs on and the table lacks */
  return arch;
}

bool seccomp_abi_is_x32(const struct seccomp_abi *arch) {
  return arch->scmp == SCMP_ARCH_X32;
}

bool seccomp_abi_is_local(const struct seccomp_abi *arch) {
  const struct seccomp_abi *native = seccomp_abi_native();
  if (arch == native)
    return true;
  for (unsigned i = 0; i < SECCOMP_COMPAT_MAX && native->compat[i]; i++)
    if (str_same(native->compat[i], arch->oci))
      return true;
  return false;
}

int seccomp_abi_number(const struct seccomp_abi *arch, const char *name) {
  return seccomp_syscall_resolve_name_arch(arch->scmp, name);
}

char *seccomp_abi_name(const struct seccomp_abi *arch, int number) {
  return number < 0 ? NULL : seccomp_syscall_resolve_num_arch(arch->scmp, number);
}

struct mux_member {
  const char *name;
  uint32_t number;
};

/* linux/net.h SYS_* */
static const struct mux_member socketcall_members[] = {
  { "socket", 1 },      { "bind", 2 },        { "connect", 3 },    { "listen", 4 },      { "accept", 5 },
  { "getsockname", 6 }, { "getpeername", 7 }, { "socketpair", 8 }, { "send", 9 },        { "recv", 10 },
  { "sendto", 11 },     { "recvfrom", 12 },   { "shutdown", 13 },  { "setsockopt", 14 }, { "getsockopt", 15 },
  { "sendmsg", 16 },    { "recvmsg", 17 },    { "accept4", 18 },   { "recvmmsg", 19 },   { "sendmmsg", 20 },
};

/* linux/ipc.h */
static const struct mux_member ipc_members[] = {
  { "semop", 1 },   { "semget", 2 },  { "semctl", 3 },  { "semtimedop", 4 },
  { "msgsnd", 11 }, { "msgrcv", 12 }, { "msgget", 13 }, { "msgctl", 14 },
  { "shmat", 21 },  { "shmdt", 22 },  { "shmget", 23 }, { "shmctl", 24 },
};

enum seccomp_mux seccomp_mux_of_call(const char *name) {
  if (str_same(name, "socketcall"))
    return SECCOMP_MUX_SOCKETCALL;
  return str_same(name, "ipc") ? SECCOMP_MUX_IPC : SECCOMP_MUX_NONE;
}

enum seccomp_mux seccomp_mux_of_member(const char *name, uint32_t *ret_number) {
  for (size_t i = 0; i < ARRAY_SIZE(socketcall_members); i++)
    if (str_same(socketcall_members[i].name, name)) {
      *ret_number = socketcall_members[i].number;
      return SECCOMP_MUX_SOCKETCALL;
    }
  for (size_t i = 0; i < ARRAY_SIZE(ipc_members); i++)
    if (str_same(ipc_members[i].name, name)) {
      *ret_number = ipc_members[i].number;
      return SECCOMP_MUX_IPC;
    }
  return SECCOMP_MUX_NONE;
}

const char *seccomp_mux_member(enum seccomp_mux mux, size_t index) {
  switch (mux) {
  case SECCOMP_MUX_NONE:
    return NULL;
  case SECCOMP_MUX_SOCKETCALL:
    return index < ARRAY_SIZE(socketcall_members) ? socketcall_members[index].name : NULL;
  case SECCOMP_MUX_IPC:
    return index < ARRAY_SIZE(ipc_members) ? ipc_members[index].name : NULL;
  }
  return NULL;
}

bool seccomp_abi_multiplexes(const struct seccomp_abi *arch, enum seccomp_mux mux) {
  /* A member without a number of its own, beside a multiplexer that has one. */
  switch (mux) {
  case SECCOMP_MUX_NONE:
    return false;
  case SECCOMP_MUX_SOCKETCALL:
    return seccomp_abi_number(arch, "socketcall") >= 0 && seccomp_abi_number(arch, "socket") < 0;
  case SECCOMP_MUX_IPC:
    return seccomp_abi_number(arch, "ipc") >= 0 && seccomp_abi_number(arch, "semop") < 0;
  }
  return false;
}
