/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The architectures a filter may name, and how their system calls are numbered. Everything here is a pure
 * look-up in our table or in libseccomp's.
 */
#ifndef HARDEN_SECCOMP_ARCH_H
#define HARDEN_SECCOMP_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECCOMP_COMPAT_MAX = 2 };

struct seccomp_abi {
  const char *oci;        /* "SCMP_ARCH_X86_64" */
  uint32_t scmp;          /* libseccomp's token */
  uint32_t audit;         /* what the kernel puts in seccomp_data.arch; x32 shares x86-64's */
  unsigned argument_bits; /* 32: the kernel zero-extends arguments and libseccomp truncates constants */
  const char *compat[SECCOMP_COMPAT_MAX]; /* other ABIs that a kernel of this one may run; NULL: none */
};

/* x32 calls carry AUDIT_ARCH_X86_64 and this bit in the number. */
#define SECCOMP_X32_BIT UINT32_C(0x40000000)
/* What seccomp_abi_number gives for a name that no table knows (libseccomp's __NR_SCMP_ERROR). */
enum { SECCOMP_NR_UNKNOWN = -1 };

extern const struct seccomp_abi seccomp_abis[]; /* ends with oci NULL */

const struct seccomp_abi *seccomp_abi_by_oci(const char *oci); /* NULL: no such name */
const struct seccomp_abi *seccomp_abi_by_scmp(uint32_t scmp);  /* NULL: no such token */
const struct seccomp_abi *seccomp_abi_native(void);            /* of this binary; never NULL */
bool seccomp_abi_is_x32(const struct seccomp_abi *arch);
/* The native kernel can run it: native itself or one of its compat ABIs. */
bool seccomp_abi_is_local(const struct seccomp_abi *arch);

/* The number of a name: >= 0 a number of the architecture; SECCOMP_NR_UNKNOWN unknown anywhere; any other
 * negative number: known, but not a call of this architecture (or one that is reached only through a
 * multiplexer, see below). */
int seccomp_abi_number(const struct seccomp_abi *arch, const char *name);
/* The name of a number, NULL when there is none; the caller frees. */
char *seccomp_abi_name(const struct seccomp_abi *arch, int number);

/*
 * Some 32-bit ABIs (and s390x, ppc64) reach the socket and System V IPC calls through socketcall(2) and
 * ipc(2). libseccomp turns a rule on such a call into two: the direct call, and the multiplexer with its
 * first argument equal to the call's number there, whatever the rule said about that argument.
 */
enum seccomp_mux { SECCOMP_MUX_NONE, SECCOMP_MUX_SOCKETCALL, SECCOMP_MUX_IPC };
/* Which multiplexer `name` is ("socketcall", "ipc"), by name alone. */
enum seccomp_mux seccomp_mux_of_call(const char *name);
/* Which multiplexer `name` ("socket", "semget") is a member of, by name alone, and its number there. */
enum seccomp_mux seccomp_mux_of_member(const char *name, uint32_t *ret_number);
/* The members in turn, by name; NULL behind the last. */
const char *seccomp_mux_member(enum seccomp_mux mux, size_t index);
/* libseccomp reaches members of `mux` through it on this architecture. */
bool seccomp_abi_multiplexes(const struct seccomp_abi *arch, enum seccomp_mux mux);

#endif
