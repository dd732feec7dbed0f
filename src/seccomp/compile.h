/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles to BPF through libseccomp, in a child with a limit of processor time: there are profiles on which
 * the library takes for ever, and the runtimes with it. What it returns is not believed, see validate.h.
 */
#ifndef HARDEN_SECCOMP_COMPILE_H
#define HARDEN_SECCOMP_COMPILE_H

#include "base/error.h"
#include "seccomp/model.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of each compilation. A filter is refused for its processor time alone: how busy a node is is no fact of it.
 */
struct seccomp_limits {
  unsigned processor_ms; /* over 0 */
  unsigned clock_ms;     /* of all that are compiled at once */
};

extern const struct seccomp_limits seccomp_compile_limits;

struct seccomp_program {
  struct sock_filter *filter; /* passes bpf_validate */
  size_t len;                 /* instructions */
};

struct seccomp_compilation {
  const struct seccomp_profile *profile;
  /* Whose architectures the program is for; the profile's own others are left out. */
  const struct seccomp_profile *abis;
  bool tree; /* the library's binary tree instead of the chain that runc 1.1 and crun load */
  struct seccomp_program program; /* the result; the caller frees */
};

/*
 * Compiles all of them, each in a child of its own. Rules are added as runc and crun add them: name after
 * name, not "exact", a name unknown to the library left out. What the library refuses, or does not finish in
 * processor_ms, is ERROR_REFUSED; what has not ended in clock_ms, ERROR_SYSTEM. On an error no program is
 * left.
 */
int seccomp_compile(struct seccomp_compilation *jobs, size_t len, const struct seccomp_limits *limits,
                    struct error *err) MUST_CHECK;
void seccomp_program_free(struct seccomp_program *program);
#define CLEANUP_SECCOMP_PROGRAM CLEANUP(seccomp_program_free)

/* The highest number of the ABI that the profile names; -1: none. */
int64_t seccomp_profile_border(const struct seccomp_profile *profile, const struct seccomp_abi *abi);

/*
 * What runc makes of a compiled program: in front of it stand instructions that answer ENOSYS to every number
 * above the border of its architecture. None where the default lets calls through. *ret may be too long for
 * the kernel by as much as the stub is; the caller frees.
 */
void seccomp_program_add_stub(const struct seccomp_program *program, const struct seccomp_profile *profile,
                              struct seccomp_program *ret);

#endif
