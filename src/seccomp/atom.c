/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/atom.h"

static struct atom range(uint64_t low, uint64_t high) {
  return (struct atom){ ATOM_RANGE, low, high };
}

static struct atom not_equal(uint64_t value) {
  if (value == 0)
    return range(1, UINT64_MAX);
  if (value == UINT64_MAX)
    return range(0, UINT64_MAX - 1);
  return (struct atom){ ATOM_NOT, value, 0 };
}

static struct atom masked(uint64_t mask, uint64_t value) {
  if (mask == 0)
    return ATOM_ALL;
  if (mask == UINT64_MAX)
    return range(value, value);
  return (struct atom){ ATOM_MASK, mask, value & mask };
}

bool atom_from_condition(const struct seccomp_condition *condition, struct atom *ret) {
  uint64_t value = condition->value;
  switch (condition->op) {
  case SECCOMP_OP_NE:
    *ret = not_equal(value);
    return true;
  case SECCOMP_OP_LT:
    *ret = range(0, value - 1);
    return value > 0;
  case SECCOMP_OP_LE:
    *ret = range(0, value);
    return true;
  case SECCOMP_OP_EQ:
    *ret = range(value, value);
    return true;
  case SECCOMP_OP_GE:
    *ret = range(value, UINT64_MAX);
    return true;
  case SECCOMP_OP_GT:
    *ret = range(value + 1, UINT64_MAX);
    return value < UINT64_MAX;
  case SECCOMP_OP_MASKED_EQ:
    *ret = masked(value, condition->value_two);
    return true;
  }
  return false;
}

bool atom_to_condition(const struct atom *atom, unsigned index, struct seccomp_condition *ret) {
  *ret = (struct seccomp_condition){ .index = index, .value = atom->a };
  switch (atom->kind) {
  case ATOM_NOT:
    ret->op = SECCOMP_OP_NE;
    return true;
  case ATOM_MASK:
    ret->op = SECCOMP_OP_MASKED_EQ;
    ret->value_two = atom->b;
    return true;
  case ATOM_RANGE:
    if (atom->a == atom->b) {
      ret->op = SECCOMP_OP_EQ;
    } else if (atom->a == 0) {
      ret->op = SECCOMP_OP_LE;
      ret->value = atom->b;
    } else {
      ret->op = SECCOMP_OP_GE;
      return atom->b == UINT64_MAX;
    }
    return true;
  }
  return false;
}

bool atom_is_all(const struct atom *atom) {
  return atom->kind == ATOM_RANGE && atom->a == 0 && atom->b == UINT64_MAX;
}

bool atom_holds(const struct atom *atom, uint64_t value) {
  switch (atom->kind) {
  case ATOM_RANGE:
    return atom->a <= value && value <= atom->b;
  case ATOM_NOT:
    return value != atom->a;
  case ATOM_MASK:
    return (value & atom->a) == atom->b;
  }
  return false;
}

/* The bits at and below the highest one that is set: what varies within a range whose ends differ by `bits`.
 */
static uint64_t smear(uint64_t bits) {
  for (unsigned shift = 1; shift < 64; shift *= 2)
    bits |= bits >> shift;
  return bits;
}

/* The least value >= low with (value & mask) == bits. False: there is none. */
static bool least_masked(uint64_t mask, uint64_t bits, uint64_t low, uint64_t *ret) {
  uint64_t start = bits | (low & ~mask);
  uint64_t differs = start ^ low; /* in bits of the mask only */
  uint64_t below = smear(differs) >> 1;
  if (start >= low) { /* the highest such bit rose: free bits under it may be 0 */
    *ret = start & (mask | ~below);
    return true;
  }
  /* It fell: raise the lowest free zero bit above it, and clear the free bits under that. */
  uint64_t free_zero = ~mask & ~start & ~(below | (below + 1));
  if (free_zero == 0)
    return false;
  uint64_t raise = free_zero & -free_zero;
  *ret = (start | raise) & (mask | ~(raise - 1));
  return true;
}

static bool range_meets_mask(const struct atom *r, const struct atom *m) {
  uint64_t least;
  return least_masked(m->a, m->b, r->a, &least) && least <= r->b;
}

/* {x : x != v} misses y only when y is {v}: masks have two members at least. */
static bool not_meets(const struct atom *n, const struct atom *y) {
  return !(y->kind == ATOM_RANGE && y->a == y->b && y->a == n->a);
}

bool atom_intersects(const struct atom *x, const struct atom *y) {
  if (x->kind == ATOM_NOT)
    return not_meets(x, y);
  if (y->kind == ATOM_NOT)
    return not_meets(y, x);
  if (x->kind == ATOM_RANGE && y->kind == ATOM_RANGE)
    return x->a <= y->b && y->a <= x->b;
  if (x->kind == ATOM_RANGE)
    return range_meets_mask(x, y);
  if (y->kind == ATOM_RANGE)
    return range_meets_mask(y, x);
  return ((x->b ^ y->b) & x->a & y->a) == 0;
}

bool atom_includes(const struct atom *x, const struct atom *y) {
  switch (x->kind) {
  case ATOM_RANGE:
    switch (y->kind) {
    case ATOM_RANGE:
      return x->a <= y->a && y->b <= x->b;
    case ATOM_NOT:
      return atom_is_all(x);
    case ATOM_MASK:
      return x->a <= y->b && (y->b | ~y->a) <= x->b;
    }
    return false;
  case ATOM_NOT:
    return y->kind == ATOM_NOT ? x->a == y->a : !atom_holds(y, x->a);
  case ATOM_MASK:
    switch (y->kind) {
    case ATOM_RANGE:
      return (x->a & smear(y->a ^ y->b)) == 0 && (y->a & x->a) == x->b;
    case ATOM_NOT:
      return false;
    case ATOM_MASK:
      return (x->a & ~y->a) == 0 && (y->b & x->a) == x->b;
    }
    return false;
  }
  return false;
}

/* A range as aligned power-of-two blocks, 126 at most. */
static size_t range_blocks(uint64_t low, uint64_t high, struct atom *ret) {
  size_t n = 0;
  for (;;) {
    uint64_t size_less_one = low == 0 ? UINT64_MAX : (low & -low) - 1; /* the largest block aligned at low */
    while (size_less_one > high - low)
      size_less_one >>= 1;
    ret[n++] = masked(~size_less_one, low);
    if (size_less_one == high - low)
      return n;
    low += size_less_one + 1;
  }
}

/* A mask's set without one of its members: the members that first differ from it in each free bit. */
static size_t mask_without(const struct atom *m, uint64_t member, struct atom *ret) {
  size_t n = 0;
  uint64_t fixed = m->a;
  for (unsigned bit = 64; bit-- > 0;) {
    uint64_t one = UINT64_C(1) << bit;
    if (fixed & one)
      continue;
    fixed |= one;
    ret[n++] = masked(fixed, (member ^ one) & fixed);
  }
  return n;
}

static size_t range_and_not(uint64_t low, uint64_t high, uint64_t value, struct atom *ret) {
  size_t n = 0;
  if (value > low)
    ret[n++] = range(low, value - 1);
  if (value < high)
    ret[n++] = range(value + 1, high);
  return n;
}

static size_t range_and_mask(const struct atom *r, const struct atom *m, struct atom *ret) {
  struct atom blocks[ATOM_PARTS_MAX];
  size_t len = range_blocks(r->a, r->b, blocks), n = 0;
  for (size_t i = 0; i < len; i++)
    if (atom_intersects(&blocks[i], m)) {
      struct atom part[ATOM_PARTS_MAX];
      if (atom_and(&blocks[i], m, part) == 1)
        ret[n++] = part[0];
    }
  return n;
}

static size_t not_and(const struct atom *n, const struct atom *y, struct atom *ret) {
  switch (y->kind) {
  case ATOM_RANGE:
    return range_and_not(y->a, y->b, n->a, ret);
  case ATOM_NOT: {
    uint64_t low = n->a < y->a ? n->a : y->a, high = n->a < y->a ? y->a : n->a;
    size_t len = range_and_not(0, high - 1, low, ret);
    ret[len++] = range(high + 1, UINT64_MAX);
    return len;
  }
  case ATOM_MASK:
    return mask_without(y, n->a, ret);
  }
  return 0;
}

size_t atom_and(const struct atom *x, const struct atom *y, struct atom ret[ATOM_PARTS_MAX]) {
  if (!atom_intersects(x, y))
    return 0;
  if (atom_includes(x, y) || atom_includes(y, x)) {
    ret[0] = atom_includes(x, y) ? *y : *x;
    return 1;
  }
  if (x->kind == ATOM_NOT)
    return not_and(x, y, ret);
  if (y->kind == ATOM_NOT)
    return not_and(y, x, ret);
  if (x->kind == ATOM_MASK && y->kind == ATOM_MASK) {
    ret[0] = masked(x->a | y->a, x->b | y->b);
    return 1;
  }
  if (x->kind == ATOM_MASK)
    return range_and_mask(y, x, ret);
  if (y->kind == ATOM_MASK)
    return range_and_mask(x, y, ret);
  ret[0] = range(x->a > y->a ? x->a : y->a, x->b < y->b ? x->b : y->b);
  return 1;
}

size_t atom_not(const struct atom *atom, struct atom ret[ATOM_PARTS_MAX]) {
  size_t n = 0;
  switch (atom->kind) {
  case ATOM_RANGE:
    if (atom->a == atom->b) {
      ret[0] = not_equal(atom->a);
      return 1;
    }
    if (atom->a > 0)
      ret[n++] = range(0, atom->a - 1);
    if (atom->b < UINT64_MAX)
      ret[n++] = range(atom->b + 1, UINT64_MAX);
    return n;
  case ATOM_NOT:
    ret[0] = range(atom->a, atom->a);
    return 1;
  case ATOM_MASK:
    for (uint64_t fixed = 0, one = UINT64_C(1) << 63; one; one >>= 1)
      if (atom->a & one) {
        fixed |= one;
        ret[n++] = masked(fixed, (atom->b ^ one) & fixed);
      }
    return n;
  }
  return 0;
}

size_t atom_blocks(const struct atom *atom, struct atom ret[ATOM_PARTS_MAX]) {
  switch (atom->kind) {
  case ATOM_RANGE:
    return range_blocks(atom->a, atom->b, ret);
  case ATOM_NOT: {
    size_t n = range_blocks(0, atom->a - 1, ret);
    return n + range_blocks(atom->a + 1, UINT64_MAX, ret + n);
  }
  case ATOM_MASK:
    ret[0] = *atom;
    return 1;
  }
  return 0;
}
