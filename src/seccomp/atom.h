/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of 64-bit values that one comparison of an argument describes, and cubes: one such set for each
 * argument. Intersections and complements are lists of disjoint atoms.
 */
#ifndef HARDEN_SECCOMP_ATOM_H
#define HARDEN_SECCOMP_ATOM_H

#include "seccomp/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum atom_kind {
  ATOM_RANGE, /* a <= x <= b; all values: 0 to UINT64_MAX */
  ATOM_NOT,   /* x != a, a neither 0 nor UINT64_MAX (those are ranges) */
  ATOM_MASK,  /* (x & a) == b; a neither 0 nor UINT64_MAX, b within a */
};

/* In its normal form (see enum atom_kind) as every function here makes it. Never empty. */
struct atom {
  enum atom_kind kind;
  uint64_t a, b;
};

enum { ATOM_PARTS_MAX = 128 }; /* a range meets a mask in at most 126 aligned blocks */

#define ATOM_ALL ((struct atom){ ATOM_RANGE, 0, UINT64_MAX })

/* False: nothing holds it (x < 0). */
bool atom_from_condition(const struct seccomp_condition *condition, struct atom *ret);
/* The condition for argument `index`. False: no one comparison says it (a range with two ends). */
bool atom_to_condition(const struct atom *atom, unsigned index, struct seccomp_condition *ret);

bool atom_is_all(const struct atom *atom);
bool atom_holds(const struct atom *atom, uint64_t value);
bool atom_intersects(const struct atom *x, const struct atom *y);
bool atom_includes(const struct atom *x, const struct atom *y); /* y is a part of x */

/* Disjoint atoms; how many. */
size_t atom_and(const struct atom *x, const struct atom *y, struct atom ret[ATOM_PARTS_MAX]);
size_t atom_not(const struct atom *atom, struct atom ret[ATOM_PARTS_MAX]);
/* The same set by EQ and MASKED_EQ alone. */
size_t atom_blocks(const struct atom *atom, struct atom ret[ATOM_PARTS_MAX]);

#endif
