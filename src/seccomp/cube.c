/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/cube.h"

#include <stdlib.h>

#define ALL                                                                                                  \
  { ATOM_RANGE, 0, UINT64_MAX }
const struct cube cube_all = { { ALL, ALL, ALL, ALL, ALL, ALL } };

void cubes_free(struct cubes *list) {
  free(list->items);
  *list = (struct cubes){ 0 };
}

static void cubes_overflow(struct cubes *list) {
  cubes_free(list);
  list->overflow = true;
}

void cubes_add(struct cubes *list, const struct cube *cube) {
  if (list->overflow)
    return;
  if (list->len == CUBES_MAX) {
    cubes_overflow(list);
    return;
  }
  if (list->len == list->size) {
    list->size = list->size ? list->size * 2 : 8;
    list->items = xrealloc(list->items, list->size, sizeof(*list->items));
  }
  list->items[list->len++] = *cube;
}

bool cube_from_rule(const struct seccomp_rule *rule, struct cube *ret) {
  *ret = cube_all;
  for (unsigned i = 0; i < rule->len; i++)
    if (!atom_from_condition(&rule->conditions[i], &ret->args[rule->conditions[i].index]))
      return false;
  return true;
}

bool cube_to_rule(const struct cube *cube, uint32_t action, struct seccomp_rule *ret) {
  *ret = (struct seccomp_rule){ .action = action };
  for (unsigned i = 0; i < SECCOMP_ARGS; i++)
    if (!atom_is_all(&cube->args[i]) && !atom_to_condition(&cube->args[i], i, &ret->conditions[ret->len++]))
      return false;
  return true;
}

bool cube_intersects(const struct cube *x, const struct cube *y) {
  for (unsigned i = 0; i < SECCOMP_ARGS; i++)
    if (!atom_intersects(&x->args[i], &y->args[i]))
      return false;
  return true;
}

bool cube_includes(const struct cube *x, const struct cube *y) {
  for (unsigned i = 0; i < SECCOMP_ARGS; i++)
    if (!atom_includes(&x->args[i], &y->args[i]))
      return false;
  return true;
}

/* Appends cube once for each of the parts, as its argument `index`. */
static void add_with(const struct cube *cube, unsigned index, const struct atom *parts, size_t len,
                     struct cubes *ret) {
  struct cube one = *cube;
  for (size_t i = 0; i < len; i++) {
    one.args[index] = parts[i];
    cubes_add(ret, &one);
  }
}

/* Replaces *list by *next, which is emptied. */
static void advance(struct cubes *list, struct cubes *next) {
  cubes_free(list);
  *list = *next;
  *next = (struct cubes){ 0 };
}

static void append(struct cubes *to, const struct cubes *from) {
  if (from->overflow)
    cubes_overflow(to);
  for (size_t i = 0; i < from->len; i++)
    cubes_add(to, &from->items[i]);
}

void cube_and(const struct cube *x, const struct cube *y, struct cubes *ret) {
  struct atom parts[ATOM_PARTS_MAX];
  struct cubes current CLEANUP_CUBES = { 0 }, next CLEANUP_CUBES = { 0 };
  if (!cube_intersects(x, y))
    return;
  cubes_add(&current, x);
  for (unsigned i = 0; i < SECCOMP_ARGS; i++) {
    size_t len = atom_and(&x->args[i], &y->args[i], parts);
    for (size_t j = 0; j < current.len; j++)
      add_with(&current.items[j], i, parts, len, &next);
    next.overflow |= current.overflow;
    advance(&current, &next);
  }
  append(ret, &current);
}

void cube_subtract(const struct cube *x, const struct cube *y, struct cubes *ret) {
  struct cubes inside CLEANUP_CUBES = { 0 }, next CLEANUP_CUBES = { 0 };
  if (!cube_intersects(x, y)) {
    cubes_add(ret, x);
    return;
  }
  /* `inside`: what lies within y as far as the arguments before i tell. */
  cubes_add(&inside, x);
  for (unsigned i = 0; i < SECCOMP_ARGS; i++) {
    struct atom outside[ATOM_PARTS_MAX], parts[ATOM_PARTS_MAX];
    size_t outside_len = atom_not(&y->args[i], outside);
    size_t kept = atom_and(&x->args[i], &y->args[i], parts);
    for (size_t j = 0; j < inside.len; j++) {
      add_with(&inside.items[j], i, parts, kept, &next);
      for (size_t k = 0; k < outside_len; k++) {
        struct atom away[ATOM_PARTS_MAX];
        size_t len = atom_and(&x->args[i], &outside[k], away);
        add_with(&inside.items[j], i, away, len, ret);
      }
    }
    if (inside.overflow)
      cubes_overflow(ret);
    next.overflow |= inside.overflow;
    advance(&inside, &next);
  }
  if (inside.overflow)
    cubes_overflow(ret);
}

void cube_blocks(const struct cube *cube, struct cubes *ret) {
  struct cubes current CLEANUP_CUBES = { 0 }, next CLEANUP_CUBES = { 0 };
  cubes_add(&current, cube);
  for (unsigned i = 0; i < SECCOMP_ARGS; i++) {
    struct atom parts[ATOM_PARTS_MAX];
    size_t len = atom_blocks(&cube->args[i], parts);
    for (size_t j = 0; j < current.len; j++)
      add_with(&current.items[j], i, parts, len, &next);
    next.overflow |= current.overflow;
    advance(&current, &next);
  }
  append(ret, &current);
}

void cubes_subtract(struct cubes *list, const struct cube *y) {
  struct cubes next CLEANUP_CUBES = { 0 };
  for (size_t i = 0; i < list->len; i++)
    cube_subtract(&list->items[i], y, &next);
  next.overflow |= list->overflow;
  advance(list, &next);
}

bool cubes_cover(const struct cubes *list, const struct cube *cube) {
  struct cubes rest CLEANUP_CUBES = { 0 };
  cubes_add(&rest, cube);
  for (size_t i = 0; i < list->len && rest.len > 0; i++)
    cubes_subtract(&rest, &list->items[i]);
  return rest.len == 0 && !rest.overflow;
}

static int compare_u64(uint64_t a, uint64_t b) {
  return (a > b) - (a < b);
}

static int compare_cubes(const void *a, const void *b) {
  const struct cube *x = a, *y = b;
  for (unsigned i = 0; i < SECCOMP_ARGS; i++) {
    const struct atom *p = &x->args[i], *q = &y->args[i];
    int order = compare_u64(p->kind, q->kind);
    order = order ? order : compare_u64(p->a, q->a);
    order = order ? order : compare_u64(p->b, q->b);
    if (order)
      return order;
  }
  return 0;
}

void cubes_normalise(struct cubes *list) {
  if (list->len == 0)
    return;
  qsort(list->items, list->len, sizeof(*list->items), compare_cubes);
  size_t kept = 0;
  for (size_t i = 0; i < list->len; i++) {
    bool part = false;
    /* Of equal ones the first stays. */
    for (size_t j = 0; j < list->len && !part; j++)
      part = j != i && cube_includes(&list->items[j], &list->items[i]) &&
             (j < i || !cube_includes(&list->items[i], &list->items[j]));
    if (!part)
      list->items[kept++] = list->items[i];
  }
  list->len = kept;
}
