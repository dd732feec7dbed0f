/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/points.h"

#include "base/str.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The conditions on one argument, and the points that they give. */
struct gathering {
  const struct seccomp_condition **conditions;
  size_t conditions_len;
  unsigned low_word, high_word; /* where the argument stands in struct seccomp_data, in words */
  struct argument_points *points;
};

static void add_point(struct argument_points *p, uint64_t value) {
  if ((p->all_len & (p->all_len - 1)) == 0)
    p->all = xrealloc(p->all, p->all_len ? 2 * p->all_len : 1, sizeof *p->all);
  p->all[p->all_len++] = value;
}

static void add_condition(struct gathering *g, const struct seccomp_condition *c) {
  for (size_t i = 0; i < g->conditions_len; i++) {
    const struct seccomp_condition *other = g->conditions[i];
    if (other->op == c->op && other->value == c->value && other->value_two == c->value_two)
      return;
  }
  /* NOLINTNEXTLINE(bugprone-sizeof-expression): it is a list of pointers */
  g->conditions = xrealloc(g->conditions, g->conditions_len + 1, sizeof *g->conditions);
  g->conditions[g->conditions_len++] = c;
  uint64_t values[SECCOMP_POINTS_MAX];
  size_t len = seccomp_condition_points(c, values);
  for (size_t i = 0; i < len; i++)
    add_point(g->points, values[i]);
}

static void gather_call(struct gathering *g, const struct seccomp_call *call) {
  for (size_t i = 0; i < call->len; i++)
    for (unsigned k = 0; k < call->rules[i].len; k++)
      add_condition(&g[call->rules[i].conditions[k].index], &call->rules[i].conditions[k]);
}

static void gather_members(struct gathering *g, const struct seccomp_profile *profile, enum seccomp_mux mux) {
  enum { SELECTORS = 32 };
  for (uint64_t selector = 0; selector < SELECTORS; selector++)
    add_point(g[0].points, selector);
  for (size_t i = 0; i < profile->calls_len; i++) {
    uint32_t number = 0;
    if (seccomp_mux_of_member(profile->calls[i].name, &number) == mux)
      gather_call(g, &profile->calls[i]);
  }
}

static int compare_values(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static void sort_unique(struct argument_points *p) {
  qsort(p->all, p->all_len, sizeof *p->all, compare_values);
  size_t unique = 1;
  for (size_t k = 1; k < p->all_len; k++)
    if (p->all[k] != p->all[unique - 1])
      p->all[unique++] = p->all[k];
  p->all_len = unique;
}

/* Values of one half around the constants that programs compare it with. */
static void gather_half(struct argument_points *half, const struct points_source *source, unsigned word) {
  add_point(half, 0);
  add_point(half, UINT32_MAX);
  for (size_t i = 0; i < source->comparisons_len; i++) {
    const struct bpf_comparison *c = &source->comparisons[i];
    if (c->word != word || c->mask == 0)
      continue;
    add_point(half, (uint32_t)(c->constant - 1));
    add_point(half, c->constant);
    add_point(half, (uint32_t)(c->constant + 1));
    add_point(half, c->constant | ~c->mask);
    for (unsigned bit = 0; bit < 32 && c->mask != UINT32_MAX; bit++)
      if (c->mask & UINT32_C(1) << bit)
        add_point(half, c->constant ^ UINT32_C(1) << bit);
  }
}

static void gather_comparisons(struct gathering *g, const struct points_source *source) {
  struct argument_points low = { 0 }, high = { 0 };
  gather_half(&low, source, g->low_word);
  gather_half(&high, source, g->high_word);
  sort_unique(&low);
  sort_unique(&high);
  if (low.all_len + high.all_len > 4) /* more than the ends of both */
    for (size_t i = 0; i < high.all_len; i++)
      for (size_t k = 0; k < low.all_len; k++)
        add_point(g->points, high.all[i] << 32 | low.all[k]);
  free(low.all);
  free(high.all);
}

/* Which conditions hold and how each comparison ends, as a hash: two kinds that share one only lose a vector.
 */
static uint64_t kind_of(const struct gathering *g, const struct points_source *source,
                        const struct seccomp_abi *abi, uint64_t value) {
  uint64_t kind = value >> 32 ? 3 : 7;
  for (size_t i = 0; i < g->conditions_len; i++)
    kind = kind * 0x9e3779b97f4a7c15u + seccomp_condition_holds(g->conditions[i], abi, value);
  for (size_t i = 0; i < source->comparisons_len; i++) {
    const struct bpf_comparison *c = &source->comparisons[i];
    if (c->word != g->low_word && c->word != g->high_word)
      continue;
    uint32_t half = (uint32_t)(c->word == g->low_word ? value : value >> 32) & c->mask;
    kind = kind * 0x9e3779b97f4a7c15u + (half == c->constant ? 0 : half > c->constant ? 1 : 2);
  }
  return kind;
}

/* The least and the greatest point of each kind; one for an argument that nothing looks at. */
static void choose_kinds(const struct gathering *g, const struct points_source *source,
                         const struct seccomp_abi *abi) {
  struct argument_points *p = g->points;
  if (p->all_len <= 2) {
    p->kinds = xcalloc(1, sizeof *p->kinds);
    p->kinds_len = 1;
    return;
  }
  struct kind {
    uint64_t id, least, greatest;
  };
  CLEANUP_FREE struct kind *kinds = xcalloc(p->all_len, sizeof *kinds);
  size_t len = 0;
  for (size_t i = 0; i < p->all_len; i++) { /* ascending */
    uint64_t id = kind_of(g, source, abi, p->all[i]);
    size_t k = 0;
    while (k < len && kinds[k].id != id)
      k++;
    if (k == len)
      kinds[len++] = (struct kind){ id, p->all[i], p->all[i] };
    kinds[k].greatest = p->all[i];
  }
  p->kinds = xcalloc(2 * len, sizeof *p->kinds);
  for (size_t k = 0; k < len; k++) {
    p->kinds[p->kinds_len++] = kinds[k].least;
    if (kinds[k].greatest != kinds[k].least)
      p->kinds[p->kinds_len++] = kinds[k].greatest;
  }
}

void call_points_make(struct call_points *ret, const struct points_source *source,
                      const struct seccomp_abi *abi, const char *name) {
  struct gathering g[SECCOMP_ARGS] = { 0 };
  for (unsigned i = 0; i < SECCOMP_ARGS; i++) {
    enum { BIG = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ };
    unsigned first = (unsigned)(offsetof(struct seccomp_data, args) / 4) + 2 * i;
    g[i].low_word = first + BIG;
    g[i].high_word = first + !BIG;
    g[i].points = &ret->args[i];
    add_point(g[i].points, 0);
    add_point(g[i].points, UINT64_MAX);
  }
  enum seccomp_mux mux = seccomp_mux_of_call(name);
  for (size_t i = 0; i < source->profiles_len; i++) {
    const struct seccomp_call *call = seccomp_profile_find(source->profiles[i], name);
    if (call)
      gather_call(g, call);
    if (mux != SECCOMP_MUX_NONE && seccomp_abi_multiplexes(abi, mux))
      gather_members(g, source->profiles[i], mux);
  }
  for (unsigned i = 0; i < SECCOMP_ARGS; i++) {
    gather_comparisons(&g[i], source);
    sort_unique(&ret->args[i]);
    choose_kinds(&g[i], source, abi);
    free(g[i].conditions);
  }
}

void call_points_free(struct call_points *points) {
  for (unsigned i = 0; i < SECCOMP_ARGS; i++) {
    free(points->args[i].all);
    free(points->args[i].kinds);
  }
  *points = (struct call_points){ 0 };
}

/* While argument `swept` goes through all of its points. */
static size_t width(const struct call_points *points, unsigned swept, unsigned argument) {
  const struct argument_points *p = &points->args[argument];
  return argument == swept ? p->all_len : p->kinds_len;
}

uint64_t call_points_count(const struct call_points *points) {
  uint64_t count = 0;
  for (unsigned swept = 0; swept < SECCOMP_ARGS; swept++) {
    uint64_t product = 1;
    for (unsigned i = 0; i < SECCOMP_ARGS; i++)
      if (__builtin_mul_overflow(product, width(points, swept, i), &product))
        return UINT64_MAX;
    if (__builtin_add_overflow(count, product, &count))
      return UINT64_MAX;
  }
  return count;
}

bool call_points_next(const struct call_points *points, struct points_cursor *cursor,
                      uint64_t ret[SECCOMP_ARGS]) {
  unsigned i = cursor->started ? 0 : SECCOMP_ARGS;
  cursor->started = true;
  for (; i < SECCOMP_ARGS; i++) {
    if (++cursor->at[i] < width(points, cursor->swept, i))
      break;
    cursor->at[i] = 0;
    if (i == SECCOMP_ARGS - 1 && ++cursor->swept == SECCOMP_ARGS)
      return false;
  }
  for (i = 0; i < SECCOMP_ARGS; i++)
    ret[i] = (i == cursor->swept ? points->args[i].all : points->args[i].kinds)[cursor->at[i]];
  return true;
}
