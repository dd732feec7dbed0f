/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translation validation: is what libseccomp made of a filter at least as strict as what was asked for? The
 * library is not trusted: it compiles some argument filters wrongly, in the permissive direction too.
 *
 * Each ABI that the result has is gone through number by number. Where no argument matters, the exploration
 * of simulate.h decides, for all arguments at once. Where one does, every border of every condition of the
 * inputs and the result is tried, each argument through all of its borders while the others take a value of
 * every kind that the conditions tell apart. Of any other architecture no call may come through.
 */
#ifndef HARDEN_SECCOMP_VALIDATE_H
#define HARDEN_SECCOMP_VALIDATE_H

#include "base/error.h"
#include "seccomp/compile.h"
#include "seccomp/model.h"

#include <stddef.h>

enum { SECCOMP_INPUTS_MAX = 2, SECCOMP_PROGRAMS_MAX = 3 };

struct seccomp_validation {
  /* What is judged: the result and every program that may be loaded for it. */
  const struct seccomp_profile *result;
  const struct seccomp_program *programs[SECCOMP_PROGRAMS_MAX];
  size_t programs_len;
  const struct seccomp_program *stubbed; /* as runc loads it, with its ENOSYS stub; NULL: not of interest */
  /* What it must not be weaker than: the meaning of each, and what libseccomp makes of it (NULL: nothing). */
  const struct seccomp_profile *inputs[SECCOMP_INPUTS_MAX];
  const struct seccomp_program *input_programs[SECCOMP_INPUTS_MAX];
  const char *input_names[SECCOMP_INPUTS_MAX]; /* for messages: "the engine's filter" */
  size_t inputs_len;
};

/*
 * 0: nowhere weaker. -1: ERROR_INTERNAL with the place; *ret_call then names the system call whose rules are
 * to be coarsened before another try (the caller frees), NULL where that cannot help.
 *
 * Two differences are not weaknesses. KILL_THREAD satisfies KILL_PROCESS where the number is no system call
 * of the ABI or the ABI is not in the result: libseccomp offers nothing else there. And runc's ENOSYS above
 * an input's border stands in for a kill, as it would with the input.
 */
int seccomp_validate(const struct seccomp_validation *v, char **ret_call, struct error *err) MUST_CHECK;

#endif
