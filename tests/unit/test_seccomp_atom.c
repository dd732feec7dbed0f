/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/atom.h"

#include "seccomp/cube.h"

#include <criterion/criterion.h>

static uint64_t state = 0x9e3779b97f4a7c15u;

static uint64_t dice(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static uint64_t constant(void) {
  static const uint64_t base[] = { 0, 1, 2, 3, 7, 8, 40, INT32_MAX, UINT32_MAX, UINT64_MAX };
  uint64_t value = base[dice() % ARRAY_SIZE(base)];
  switch (dice() % 6) {
  case 0:
    return value - 1;
  case 1:
    return value + 1;
  case 2:
    return value ^ UINT64_C(1) << (dice() % 64);
  case 3:
    return dice();
  default:
    return value;
  }
}

static struct atom any_atom(struct seccomp_condition *condition) {
  struct atom atom;
  do
    *condition = (struct seccomp_condition){ 0, (enum seccomp_op)(dice() % 7), constant(), constant() };
  while (!atom_from_condition(condition, &atom));
  return atom;
}

static size_t holding(const struct atom *atoms, size_t len, uint64_t value) {
  size_t n = 0;
  for (size_t i = 0; i < len; i++)
    n += atom_holds(&atoms[i], value);
  return n;
}

/* Values near the borders of both. */
static size_t values(const struct seccomp_condition *x, const struct seccomp_condition *y, uint64_t *ret) {
  size_t n = seccomp_condition_points(x, ret);
  n += seccomp_condition_points(y, ret + n);
  for (unsigned i = 0; i < 16; i++)
    ret[n++] = constant();
  return n;
}

Test(seccomp_atom, operations_agree_with_membership) {
  const struct seccomp_abi *wide = seccomp_abi_by_oci("SCMP_ARCH_X86_64");
  for (int round = 0; round < 20000; round++) {
    struct seccomp_condition c, d;
    struct atom x = any_atom(&c), y = any_atom(&d);
    struct atom both[ATOM_PARTS_MAX], outside[ATOM_PARTS_MAX], blocks[ATOM_PARTS_MAX];
    uint64_t v[2 * SECCOMP_POINTS_MAX + 16];
    size_t both_len = atom_and(&x, &y, both), outside_len = atom_not(&x, outside),
           blocks_len = atom_blocks(&x, blocks);
    bool meet = atom_intersects(&x, &y), includes = atom_includes(&x, &y);
    cr_assert_eq(meet, both_len > 0);
    cr_assert_eq(meet, atom_intersects(&y, &x));
    for (size_t i = 0, n = values(&c, &d, v); i < n; i++) {
      bool in_x = atom_holds(&x, v[i]), in_y = atom_holds(&y, v[i]);
      cr_assert_eq(in_x, seccomp_condition_holds(&c, wide, v[i]));
      cr_assert_eq(holding(both, both_len, v[i]), in_x && in_y, "and: not disjoint or not the set");
      cr_assert_eq(holding(outside, outside_len, v[i]), !in_x, "not");
      cr_assert_eq(holding(blocks, blocks_len, v[i]), in_x, "blocks");
      cr_assert(!includes || in_x || !in_y, "includes");
    }
  }
}

/* Inclusion must not only be safe but found, or a result would not be stable. */
Test(seccomp_atom, inclusion_is_exact) {
  for (int round = 0; round < 20000; round++) {
    struct seccomp_condition c, d;
    struct atom x = any_atom(&c), y = any_atom(&d), outside[ATOM_PARTS_MAX], rest[ATOM_PARTS_MAX];
    size_t len = atom_not(&x, outside), left = 0;
    for (size_t i = 0; i < len; i++)
      left += atom_and(&y, &outside[i], rest);
    cr_assert_eq(atom_includes(&x, &y), left == 0);
  }
}

Test(seccomp_atom, conditions_and_back) {
  struct seccomp_condition c, back;
  for (int round = 0; round < 5000; round++) {
    struct atom x = any_atom(&c), y;
    cr_assert(atom_to_condition(&x, 3, &back));
    cr_assert(back.index == 3 && atom_from_condition(&back, &y));
    cr_assert(x.kind == y.kind && x.a == y.a && x.b == y.b);
  }
  struct seccomp_condition never = { 0, SECCOMP_OP_LT, 0, 0 }, nor = { 0, SECCOMP_OP_GT, UINT64_MAX, 0 };
  struct atom none, middle = { ATOM_RANGE, 3, 9 };
  cr_expect(!atom_from_condition(&never, &none) && !atom_from_condition(&nor, &none));
  cr_expect(!atom_to_condition(&middle, 0, &back), "two ends take two conditions, which OCI reads as OR");
}

static struct cube any_cube(void) {
  struct cube cube = cube_all;
  struct seccomp_condition c;
  for (unsigned i = 0; i < 3; i++)
    if (dice() % 3)
      cube.args[i] = any_atom(&c);
  return cube;
}

static bool cube_holds(const struct cube *cube, const uint64_t *args) {
  for (unsigned i = 0; i < SECCOMP_ARGS; i++)
    if (!atom_holds(&cube->args[i], args[i]))
      return false;
  return true;
}

static size_t cubes_holding(const struct cubes *list, const uint64_t *args) {
  size_t n = 0;
  for (size_t i = 0; i < list->len; i++)
    n += cube_holds(&list->items[i], args);
  return n;
}

Test(seccomp_atom, cubes_agree_with_membership) {
  for (int round = 0; round < 1500; round++) {
    struct cube x = any_cube(), y = any_cube();
    struct cubes both CLEANUP_CUBES = { 0 }, without CLEANUP_CUBES = { 0 };
    cube_and(&x, &y, &both);
    cube_subtract(&x, &y, &without);
    for (int i = 0; i < 200; i++) {
      const uint64_t args[SECCOMP_ARGS] = { constant(), constant(), constant() };
      bool in_x = cube_holds(&x, args), in_y = cube_holds(&y, args);
      cr_assert(both.overflow || cubes_holding(&both, args) == (in_x && in_y));
      cr_assert(without.overflow || cubes_holding(&without, args) == (in_x && !in_y));
    }
  }
}

Test(seccomp_atom, lists_drop_parts_and_mark_overflow) {
  struct cubes list CLEANUP_CUBES = { 0 };
  struct cube part = cube_all;
  part.args[2] = (struct atom){ ATOM_RANGE, 1, 1 };
  cubes_add(&list, &part);
  cubes_add(&list, &cube_all);
  cubes_add(&list, &part);
  cubes_normalise(&list);
  cr_expect(list.len == 1 && cube_includes(&list.items[0], &cube_all));
  for (size_t i = 0; i < CUBES_MAX; i++)
    cubes_add(&list, &part);
  cr_expect(list.overflow && list.len == 0);
  cr_expect(!cubes_cover(&list, &part));
}
