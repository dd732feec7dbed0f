/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The argument vectors at which filters are compared: the borders of all conditions that some profiles have
 * on one system call, and of all comparisons that some programs make for it.
 */
#ifndef HARDEN_SECCOMP_POINTS_H
#define HARDEN_SECCOMP_POINTS_H

#include "seccomp/model.h"
#include "seccomp/simulate.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct argument_points {
  uint64_t *all; /* ascending, each once */
  size_t all_len;
  uint64_t *kinds; /* of `all`, up to two of each kind that the conditions tell apart */
  size_t kinds_len;
};

struct call_points {
  struct argument_points args[SECCOMP_ARGS];
};

/* Of the rules that the profiles have on `name` for this ABI, a multiplexer's members included, and of the
 * comparisons: each half of an argument around each constant, with every such value of the other half. An
 * argument without either gets 0 and 2^64-1. Zero-initialise *ret; free it with call_points_free. */
struct points_source {
  const struct seccomp_profile *const *profiles;
  size_t profiles_len;
  const struct bpf_comparison *comparisons;
  size_t comparisons_len;
};
void call_points_make(struct call_points *ret, const struct points_source *source,
                      const struct seccomp_abi *abi, const char *name);
void call_points_free(struct call_points *points);
#define CLEANUP_CALL_POINTS CLEANUP(call_points_free)

/* How many vectors call_points_next gives. */
uint64_t call_points_count(const struct call_points *points);

/* Walks the vectors. Zero-initialise the cursor; false: that was all. Each argument takes all of its points
 * while the others take all combinations of kinds. */
struct points_cursor {
  unsigned swept; /* the argument that goes through all of its points */
  size_t at[SECCOMP_ARGS];
  bool started;
};
bool call_points_next(const struct call_points *points, struct points_cursor *cursor,
                      uint64_t ret[SECCOMP_ARGS]);

#endif
