/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/combine.h"

#include "base/str.h"
#include "seccomp/cube.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>

/*
 * Actions are compared by class here; which errno a call gets is settled once for all of it. A side is a
 * base, which holds where no rule does, and rules. When a rule without conditions is among them it is the
 * base, and rules that are no stricter say nothing.
 */
enum {
  RULES_MAX = 40, /* for one call: more, and libseccomp's tree costs more than the precision is worth */
  TERMS_MAX = 128 /* of one side: a bound on hostile input, since all pairs are looked at */
};

struct term {
  uint32_t action;
  struct cube cube;
};

struct view {
  uint32_t base;
  bool explicit;      /* a rule gives the base, not the profile's default */
  bool wide;          /* a constant does not fit 32 bits */
  struct term *terms; /* the rules; then the base, for all values */
  size_t len;         /* of the rules */
};

static void view_free(struct view *v) {
  free(v->terms);
}

static bool is_errno(uint32_t action) {
  return (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
}

static uint32_t stricter_of(uint32_t a, uint32_t b) {
  return seccomp_action_stricter(b, a) ? b : a;
}

static uint32_t side_action(const struct combine_side *side, uint32_t action) {
  return action == SECCOMP_RET_USER_NOTIF && !side->notify ? (uint32_t)SECCOMP_RET_ERRNO | EPERM : action;
}

/* Truncated to 32 bits the atom is another set. High bits of a mask alone do no harm: the kernel has
 * zero-extended the argument. */
static bool atom_is_wide(const struct atom *atom) {
  switch (atom->kind) {
  case ATOM_RANGE:
    return atom->a > UINT32_MAX || (atom->b > UINT32_MAX && atom->b != UINT64_MAX);
  case ATOM_NOT:
    return atom->a > UINT32_MAX;
  case ATOM_MASK:
    return atom->b > UINT32_MAX;
  }
  return true;
}

static bool condition_is_wide(const struct seccomp_condition *c) {
  return (c->op == SECCOMP_OP_MASKED_EQ ? c->value & c->value_two : c->value) > UINT32_MAX;
}

static void view_make(const struct combine_side *side, struct view *ret) {
  size_t rules = side->call ? side->call->len : 0;
  *ret = (struct view){ .base = side_action(side, side->default_action) };
  ret->terms = xcalloc(rules + 1, sizeof(*ret->terms));
  for (size_t i = 0; i < rules; i++) {
    uint32_t action = side_action(side, side->call->rules[i].action);
    if (side->call->rules[i].len > 0)
      continue;
    ret->base = ret->explicit ? stricter_of(ret->base, action) : action;
    ret->explicit = true;
  }
  for (size_t i = 0; i < rules; i++) {
    const struct seccomp_rule *rule = &side->call->rules[i];
    struct term *term = &ret->terms[ret->len];
    term->action = side_action(side, rule->action);
    for (unsigned j = 0; j < rule->len; j++)
      ret->wide |= condition_is_wide(&rule->conditions[j]);
    if (rule->len > 0 && cube_from_rule(rule, &term->cube) &&
        !(ret->explicit && !seccomp_action_stricter(term->action, ret->base)))
      ret->len++;
  }
  ret->terms[ret->len] = (struct term){ ret->base, cube_all };
}

static uint32_t view_strictest(const struct view *v) {
  uint32_t action = v->base;
  for (size_t i = 0; i < v->len; i++)
    action = stricter_of(action, v->terms[i].action);
  return action;
}

/* The first errno that a rule of the side names. */
static bool named_errno(const struct combine_side *side, uint32_t *ret) {
  for (size_t i = 0; side->call && i < side->call->len; i++)
    if (is_errno(side_action(side, side->call->rules[i].action))) {
      *ret = side_action(side, side->call->rules[i].action);
      return true;
    }
  return false;
}

/* What ERRNO is for this call. */
static uint32_t call_errno(const struct combine_input *in) {
  uint32_t action;
  if (named_errno(&in->policy, &action) || named_errno(&in->engine, &action))
    return action;
  const uint32_t defaults[] = { in->default_action, side_action(&in->policy, in->policy.default_action),
                                side_action(&in->engine, in->engine.default_action) };
  for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
    if (is_errno(defaults[i]))
      return defaults[i];
  return (uint32_t)SECCOMP_RET_ERRNO | EPERM;
}

static void set_rules(struct seccomp_call *call, struct seccomp_rule *rules, size_t len) {
  call->rules = rules;
  call->len = len;
}

/* One action for the whole call. */
static void set_plain(const struct combine_input *in, uint32_t action, struct seccomp_call *ret) {
  if (is_errno(action))
    action = call_errno(in);
  struct seccomp_rule *rule = xcalloc(1, sizeof(*rule));
  rule->action = action;
  set_rules(ret, rule, action == in->default_action ? 0 : 1);
}

/* libseccomp's 64-bit comparisons of one argument went wrong among each other from 2^31 on. */
static bool atom_is_small(const struct atom *atom) {
  uint64_t limit = INT32_MAX;
  return atom->a <= limit && (atom->kind != ATOM_RANGE || atom->b <= limit || atom->b == UINT64_MAX);
}

static bool atom_is_equality(const struct atom *atom) {
  return atom_is_all(atom) || atom->kind == ATOM_MASK || (atom->kind == ATOM_RANGE && atom->a == atom->b);
}

/* Is this list of cubes, one rule each, of a shape that libseccomp gets right? */
static bool shape_is_safe(const struct cubes *list) {
  bool equalities = true, singles = true;
  for (size_t i = 0; i < list->len; i++) {
    struct seccomp_rule rule;
    if (!cube_to_rule(&list->items[i], 0, &rule))
      return false;
    singles &= rule.len <= 1;
    for (unsigned j = 0; j < SECCOMP_ARGS; j++) {
      const struct atom *atom = &list->items[i].args[j];
      equalities &= atom_is_equality(atom);
      singles &= atom_is_all(atom) || atom_is_small(atom);
    }
  }
  return equalities || singles || list->len == 1;
}

static bool fits_abis(const struct combine_input *in, const struct cubes *list) {
  for (size_t i = 0; in->narrow && i < list->len; i++)
    for (unsigned j = 0; j < SECCOMP_ARGS; j++)
      if (atom_is_wide(&list->items[i].args[j]))
        return false;
  return true;
}

/* The union of the cubes with `action`, the default for the rest. False: there is no safe form. */
static bool set_cubes(const struct combine_input *in, struct cubes *list, uint32_t action,
                      struct seccomp_call *ret) {
  struct cubes blocks CLEANUP_CUBES = { 0 };
  cubes_normalise(list);
  if (!list->overflow && !shape_is_safe(list)) {
    for (size_t i = 0; i < list->len; i++)
      cube_blocks(&list->items[i], &blocks);
    cubes_normalise(&blocks);
    list = &blocks;
  }
  if (list->overflow || list->len > RULES_MAX || !fits_abis(in, list))
    return false;
  struct seccomp_rule *rules = xcalloc(list->len, sizeof(*rules));
  set_rules(ret, rules, list->len);
  for (size_t i = 0; i < list->len; i++)
    if (!cube_to_rule(&list->items[i], is_errno(action) ? call_errno(in) : action, &rules[i]))
      abort(); /* a block is an equality */
  return true;
}

/* Of the list, as blocks, what arguments of 16 bits can match. */
static void keep_low(const struct cubes *list, struct cubes *ret) {
  struct cubes blocks CLEANUP_CUBES = { 0 };
  ret->overflow = list->overflow;
  for (size_t i = 0; i < list->len; i++)
    cube_blocks(&list->items[i], &blocks);
  ret->overflow |= blocks.overflow;
  for (size_t i = 0; i < blocks.len; i++) {
    bool low = true;
    for (unsigned j = 0; j < SECCOMP_ARGS; j++) {
      const struct atom *atom = &blocks.items[i].args[j];
      low &= (atom->kind == ATOM_MASK ? atom->b : atom->a) <= UINT16_MAX;
    }
    if (low)
      cubes_add(ret, &blocks.items[i]);
  }
}

/* The least strict outcome above `floor` (NULL: of all). A pair of rules counts when their cubes meet: others
 * may hide it, so that it may not happen after all. The base of both always counts. */
static uint32_t least_outcome(const struct view *a, const struct view *b, const uint32_t *floor) {
  uint32_t least = SECCOMP_RET_KILL_PROCESS;
  for (size_t i = 0; i <= a->len; i++)
    for (size_t j = 0; j <= b->len; j++) {
      uint32_t action = stricter_of(a->terms[i].action, b->terms[j].action);
      if (seccomp_action_stricter(least, action) && (!floor || seccomp_action_stricter(action, *floor)) &&
          cube_intersects(&a->terms[i].cube, &b->terms[j].cube))
        least = action;
    }
  return least;
}

static bool only_two_outcomes(const struct view *a, const struct view *b, uint32_t target, uint32_t other) {
  for (size_t i = 0; i <= a->len; i++)
    for (size_t j = 0; j <= b->len; j++) {
      uint32_t action = stricter_of(a->terms[i].action, b->terms[j].action);
      if (seccomp_action_compare(action, target) != 0 && seccomp_action_compare(action, other) != 0 &&
          cube_intersects(&a->terms[i].cube, &b->terms[j].cube))
        return false;
    }
  return true;
}

static void add_stricter(const struct view *v, uint32_t than, struct cubes *list) {
  for (size_t i = 0; i < v->len; i++)
    if (seccomp_action_stricter(v->terms[i].action, than))
      cubes_add(list, &v->terms[i].cube);
}

static void subtract_stricter(const struct view *v, uint32_t than, struct cubes *list) {
  for (size_t i = 0; i < v->len; i++)
    if (seccomp_action_stricter(v->terms[i].action, than))
      cubes_subtract(list, &v->terms[i].cube);
}

/* Where both sides are no stricter than `action`, the least strict that happens. */
static void region_of_least(const struct view *a, const struct view *b, uint32_t action, struct cubes *ret) {
  for (size_t i = 0; i <= a->len; i++)
    for (size_t j = 0; j <= b->len; j++)
      if (!seccomp_action_stricter(a->terms[i].action, action) &&
          !seccomp_action_stricter(b->terms[j].action, action))
        cube_and(&a->terms[i].cube, &b->terms[j].cube, ret);
  /* Before subtraction, which would split what is a part of another. */
  cubes_normalise(ret);
  subtract_stricter(a, action, ret);
  subtract_stricter(b, action, ret);
}

/* `cube` lies within one term of v that is no stricter than action, and meets none that is. */
static bool view_grants(const struct view *v, const struct cube *cube, uint32_t action) {
  bool granted = false;
  for (size_t i = 0; i <= v->len; i++) {
    const struct term *term = &v->terms[i];
    if (!seccomp_action_stricter(term->action, action))
      granted |= cube_includes(&term->cube, cube);
    else if (i < v->len && cube_intersects(&term->cube, cube))
      return false;
  }
  return granted;
}

/* The region of the least strict action is what a's own rules say: taken as it stands. That spares the pairs,
 * and makes a result what it is when its policy is applied again. */
static bool region_is_of(const struct view *a, const struct view *b, uint32_t action, struct cubes *ret) {
  if (!seccomp_action_stricter(a->base, action))
    return false;
  for (size_t i = 0; i < a->len; i++) {
    const struct term *term = &a->terms[i];
    if (seccomp_action_stricter(term->action, action))
      continue;
    if (!view_grants(a, &term->cube, action) || !view_grants(b, &term->cube, action)) {
      cubes_free(ret);
      return false;
    }
    cubes_add(ret, &term->cube);
  }
  return ret->len > 0;
}

/* Adds the denials of v that the list does not have in some form: a policy that is applied again adds none.
 */
static void add_missing(const struct view *v, uint32_t than, struct cubes *list) {
  struct cubes had CLEANUP_CUBES = { 0 };
  for (size_t i = 0; i < list->len; i++)
    cubes_add(&had, &list->items[i]);
  for (size_t i = 0; i < v->len; i++)
    if (seccomp_action_stricter(v->terms[i].action, than) && !cubes_cover(&had, &v->terms[i].cube))
      cubes_add(list, &v->terms[i].cube);
}

/* Some arguments are denied more strictly than by the default. That comes first: what is denied less
 * strictly, and still beyond the default, is raised to it; what is less strict than the default is left to
 * the default. */
static bool combine_denials(const struct combine_input *in, const struct view *a, const struct view *b,
                            uint32_t strictest, struct seccomp_call *ret) {
  struct cubes region CLEANUP_CUBES = { 0 };
  uint32_t base = stricter_of(a->base, b->base);
  if (seccomp_action_stricter(base, in->default_action)) {
    set_plain(in, strictest, ret);
    return seccomp_action_compare(base, strictest) == 0;
  }
  add_stricter(a, in->default_action, &region);
  add_missing(b, in->default_action, &region);
  if (set_cubes(in, &region, strictest, ret))
    return only_two_outcomes(a, b, strictest, in->default_action);
  set_plain(in, strictest, ret);
  return false;
}

/* The default is as strict as anything: the least strict outcome is carved out of it. */
static bool combine_grants(const struct combine_input *in, const struct view *a, const struct view *b,
                           uint32_t strictest, struct seccomp_call *ret) {
  uint32_t target = least_outcome(a, b, NULL);
  while (seccomp_action_stricter(in->default_action, target)) {
    struct cubes region CLEANUP_CUBES = { 0 };
    if (!region_is_of(a, b, target, &region) && !region_is_of(b, a, target, &region))
      region_of_least(a, b, target, &region);
    if (region.overflow || region.len > 0) {
      if (!in->low && set_cubes(in, &region, target, ret))
        return only_two_outcomes(a, b, target, in->default_action);
      /* "protocol is not 9" are 64 blocks, too many for a list, and 32 of them for the validation. The 16 for
       * numbers that anybody uses are granted: the rest may be denied, the whole call should not be. */
      struct cubes low CLEANUP_CUBES = { 0 };
      keep_low(&region, &low);
      if (low.len == 0 || !set_cubes(in, &low, target, ret))
        set_plain(in, strictest, ret);
      return false;
    }
    target = least_outcome(a, b, &target);
  }
  set_plain(in, in->default_action, ret);
  return true;
}

bool combine_call(const struct combine_input *in, struct seccomp_call *ret) {
  struct view a CLEANUP(view_free) = { 0 }, b CLEANUP(view_free) = { 0 };
  view_make(&in->engine, &a);
  view_make(&in->policy, &b);
  uint32_t strictest = stricter_of(view_strictest(&a), view_strictest(&b));
  if (a.len == 0 && b.len == 0) {
    set_plain(in, strictest, ret);
    return true;
  }
  if (in->coarse || (in->narrow && (a.wide || b.wide)) || a.len > TERMS_MAX || b.len > TERMS_MAX) {
    set_plain(in, strictest, ret);
    return false;
  }
  if (seccomp_action_stricter(strictest, in->default_action))
    return combine_denials(in, &a, &b, strictest, ret);
  return combine_grants(in, &a, &b, strictest, ret);
}
