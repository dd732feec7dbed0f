/* SPDX-License-Identifier: Apache-2.0 */
/* The intersection of two profiles for one call; a part of merge.c. */
#ifndef HARDEN_SECCOMP_COMBINE_H
#define HARDEN_SECCOMP_COMBINE_H

#include "seccomp/model.h"

/* What one profile says of the call. */
struct combine_side {
  const struct seccomp_call *call; /* NULL: not named */
  uint32_t default_action;
  bool notify; /* false: NOTIFY counts as ERRNO(EPERM) */
};

struct combine_input {
  struct combine_side engine, policy;
  uint32_t default_action; /* the result's: at least as strict as both sides' */
  bool narrow;             /* the result has a 32-bit ABI, in which constants are truncated */
  bool low;                /* arguments beyond 16 bits are granted nothing that is not granted to all */
  bool coarse;             /* one action whatever the arguments */
};

/* Sets rules and len of *ret (not the name). True: exact. */
bool combine_call(const struct combine_input *input, struct seccomp_call *ret);

#endif
