/* SPDX-License-Identifier: Apache-2.0 */
/* A cube is one atom for each argument: what one rule matches. A list of cubes is their union. */
#ifndef HARDEN_SECCOMP_CUBE_H
#define HARDEN_SECCOMP_CUBE_H

#include "seccomp/atom.h"

struct cube {
  struct atom args[SECCOMP_ARGS];
};

enum { CUBES_MAX = 512 };

/* Zero-initialise. A list that would grow beyond CUBES_MAX is emptied and marked: its content is unknown. */
struct cubes {
  struct cube *items;
  size_t len;
  size_t size;
  bool overflow;
};

void cubes_free(struct cubes *list);
#define CLEANUP_CUBES CLEANUP(cubes_free)
void cubes_add(struct cubes *list, const struct cube *cube);

extern const struct cube cube_all;

/* False: the rule never matches. */
bool cube_from_rule(const struct seccomp_rule *rule, struct cube *ret);
/* False: some atom needs more than one condition on its argument, which OCI reads as alternatives. */
bool cube_to_rule(const struct cube *cube, uint32_t action, struct seccomp_rule *ret);

bool cube_intersects(const struct cube *x, const struct cube *y);
bool cube_includes(const struct cube *x, const struct cube *y); /* y is a part of x */

/* Append to ret. */
void cube_and(const struct cube *x, const struct cube *y, struct cubes *ret);
void cube_subtract(const struct cube *x, const struct cube *y, struct cubes *ret); /* x without y */
void cube_blocks(const struct cube *cube, struct cubes *ret); /* by EQ and MASKED_EQ alone */

/* The cube is a part of the union. False also when that took too many pieces to find out. */
bool cubes_cover(const struct cubes *list, const struct cube *cube);
/* list without y. */
void cubes_subtract(struct cubes *list, const struct cube *y);
/* The canonical order, and without cubes that are parts of others. */
void cubes_normalise(struct cubes *list);

#endif
