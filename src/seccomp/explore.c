/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bpf_reach: the program is followed with nr and arch known and the other words of struct seccomp_data
 * unknown. A value is a constant, a word of the data under a mask, or unknown; a state remembers for each
 * word its range, the bits that are known, and (shared between states) what it is not.
 */
#include "base/str.h"
#include "seccomp/simulate.h"

#include <string.h>

enum { WORK_MAX = 1 << 20, WORDS = sizeof(struct seccomp_data) / 4, NO_PARENT = -1 };

enum value_kind { VALUE_CONSTANT, VALUE_WORD, VALUE_UNKNOWN };
struct value {
  enum value_kind kind;
  unsigned word;
  uint32_t bits; /* the constant, or the mask */
};

struct word {
  uint32_t min, max;
  uint32_t known, bits; /* bits & known are certain */
};

/* (word & mask) != bits, on the way to a state; linked towards the start of the program. */
struct exclusion {
  int parent;
  unsigned word;
  uint32_t mask, bits;
};

struct state {
  size_t pc;
  struct value a, x, mem[BPF_MEMWORDS];
  struct word words[WORDS];
  int exclusions;
};

struct exploration {
  const struct sock_filter *program;
  struct seccomp_data data; /* of which arch is known, and nr if number_known */
  bool number_known;
  struct state *pending;
  size_t pending_len, pending_size;
  struct exclusion *exclusions;
  size_t exclusions_len, exclusions_size;
  struct bpf_comparison *comparisons; /* what branches look at, kept up to the limit; NULL: not wanted */
  size_t comparisons_len, comparisons_max;
  size_t work; /* instructions followed and exclusions looked at */
  unsigned actions;
};

static void push(struct exploration *e, const struct state *s, size_t pc) {
  if (e->pending_len == e->pending_size) {
    e->pending_size = e->pending_size ? e->pending_size * 2 : 16;
    e->pending = xrealloc(e->pending, e->pending_size, sizeof *e->pending);
  }
  e->pending[e->pending_len] = *s;
  e->pending[e->pending_len++].pc = pc;
}

static void exclude(struct exploration *e, struct state *s, unsigned word, uint32_t mask, uint32_t bits) {
  if (e->exclusions_len == e->exclusions_size) {
    e->exclusions_size = e->exclusions_size ? e->exclusions_size * 2 : 64;
    e->exclusions = xrealloc(e->exclusions, e->exclusions_size, sizeof *e->exclusions);
  }
  e->exclusions[e->exclusions_len] = (struct exclusion){ s->exclusions, word, mask, bits };
  s->exclusions = (int)e->exclusions_len++;
}

/* Can the word still have a value? */
static bool possible(struct exploration *e, const struct state *s, unsigned word) {
  const struct word *w = &s->words[word];
  if (w->min > w->max)
    return false;
  uint32_t known = w->known;
  uint32_t bits = w->bits;
  if (w->min == w->max) {
    if ((w->min & known) != bits)
      return false;
    known = UINT32_MAX;
    bits = w->min;
  }
  /* The least and the greatest value of the known bits bound the range from outside. */
  if ((bits | ~known) < w->min || bits > w->max)
    return false;
  for (int i = s->exclusions; i != NO_PARENT; i = e->exclusions[i].parent) {
    const struct exclusion *x = &e->exclusions[i];
    e->work++;
    if (x->word == word && (x->mask & ~known) == 0 && (bits & x->mask) == x->bits)
      return false;
  }
  return true;
}

/* Narrows the state to those in which (word & mask) == bits; false: there are none. */
static bool assume_equal(struct exploration *e, struct state *s, unsigned word, uint32_t mask,
                         uint32_t bits) {
  struct word *w = &s->words[word];
  if (bits & ~mask || ((w->bits ^ bits) & w->known & mask))
    return false;
  w->known |= mask;
  w->bits |= bits;
  if (mask == UINT32_MAX) {
    if (bits < w->min || bits > w->max)
      return false;
    w->min = w->max = bits;
  }
  return possible(e, s, word);
}

static bool assume_differs(struct exploration *e, struct state *s, unsigned word, uint32_t mask,
                           uint32_t bits) {
  if (bits & ~mask)
    return true;
  struct word *w = &s->words[word];
  if (mask == UINT32_MAX && bits == w->min && w->min < w->max)
    w->min++;
  else if (mask == UINT32_MAX && bits == w->max && w->min < w->max)
    w->max--;
  exclude(e, s, word, mask, bits);
  return possible(e, s, word);
}

static bool assume_range(struct exploration *e, struct state *s, const struct value *v, uint32_t min,
                         uint32_t max) {
  if (v->bits != UINT32_MAX) /* masked: the value is at most the mask, no more is known */
    return min <= v->bits;
  struct word *w = &s->words[v->word];
  w->min = w->min > min ? w->min : min;
  w->max = w->max < max ? w->max : max;
  return possible(e, s, v->word);
}

/* Narrows *s to where `v op k` has this outcome; false when nowhere. */
static bool assume(struct exploration *e, struct state *s, uint16_t op, const struct value *v, uint32_t k,
                   bool outcome) {
  uint32_t mask = v->bits;
  switch (op) {
  case BPF_JEQ:
    return outcome ? assume_equal(e, s, v->word, mask, k) : assume_differs(e, s, v->word, mask, k);
  case BPF_JGE:
    if (k == 0)
      return outcome;
    return outcome ? assume_range(e, s, v, k, UINT32_MAX) : assume_range(e, s, v, 0, k - 1);
  case BPF_JGT:
    if (k == UINT32_MAX)
      return !outcome;
    return outcome ? assume_range(e, s, v, k + 1, UINT32_MAX) : assume_range(e, s, v, 0, k);
  default: /* BPF_JSET */
    return outcome ? (mask & k) && assume_differs(e, s, v->word, mask & k, 0)
                   : assume_equal(e, s, v->word, mask & k, 0);
  }
}

static bool constant_compare(uint16_t op, uint32_t a, uint32_t k) {
  return op == BPF_JEQ ? a == k : op == BPF_JGE ? a >= k : op == BPF_JGT ? a > k : (a & k) != 0;
}

static void note_comparison(struct exploration *e, const struct value *v, uint32_t constant) {
  size_t kept = e->comparisons_len < e->comparisons_max ? e->comparisons_len : e->comparisons_max;
  for (size_t i = 0; i < kept; i++) {
    const struct bpf_comparison *c = &e->comparisons[i];
    if (c->word == v->word && c->mask == v->bits && c->constant == constant)
      return;
  }
  if (kept < e->comparisons_max)
    e->comparisons[kept] = (struct bpf_comparison){ v->word, v->bits, constant };
  e->comparisons_len++;
}

/* True: the branch was decided, and the state goes on at its target; false: what is possible was pushed. */
static bool branch(struct exploration *e, struct state *s, const struct sock_filter *i) {
  struct value operand = BPF_SRC(i->code) == BPF_X ? s->x : (struct value){ VALUE_CONSTANT, 0, i->k };
  uint16_t op = BPF_OP(i->code);
  uint8_t jump[] = { i->jf, i->jt };
  if (s->a.kind == VALUE_CONSTANT && operand.kind == VALUE_CONSTANT) {
    s->pc += jump[constant_compare(op, s->a.bits, operand.bits)];
    return true;
  }
  bool tracked = s->a.kind == VALUE_WORD && operand.kind == VALUE_CONSTANT;
  if (tracked)
    note_comparison(e, &s->a, operand.bits);
  for (int outcome = 0; outcome < 2; outcome++) {
    struct state narrowed = *s;
    if (!tracked || assume(e, &narrowed, op, &s->a, operand.bits, outcome))
      push(e, &narrowed, s->pc + 1 + jump[outcome]);
  }
  return false;
}

static struct value alu_value(uint16_t code, struct value a, struct value operand) {
  if (BPF_OP(code) == BPF_AND && a.kind == VALUE_WORD && operand.kind == VALUE_CONSTANT) {
    a.bits &= operand.bits;
    return a;
  }
  if (a.kind != VALUE_CONSTANT || operand.kind != VALUE_CONSTANT)
    return (struct value){ VALUE_UNKNOWN, 0, 0 };
  /* Both are known: two instructions for the interpreter say what it makes of them. */
  const struct sock_filter program[] = { { BPF_LD | BPF_IMM, 0, 0, a.bits },
                                         { BPF_LDX | BPF_IMM, 0, 0, operand.bits },
                                         { (uint16_t)(code | BPF_X), 0, 0, 0 },
                                         { BPF_RET | BPF_A, 0, 0, 0 } };
  const struct seccomp_data none = { 0 };
  return (struct value){ VALUE_CONSTANT, 0, bpf_run(program, ARRAY_SIZE(program), &none) };
}

static struct value load(const struct exploration *e, const struct state *s, const struct sock_filter *i) {
  switch (BPF_MODE(i->code)) {
  case BPF_ABS:
    if (i->k == offsetof(struct seccomp_data, nr) && e->number_known)
      return (struct value){ VALUE_CONSTANT, 0, (uint32_t)e->data.nr };
    if (i->k == offsetof(struct seccomp_data, arch))
      return (struct value){ VALUE_CONSTANT, 0, e->data.arch };
    return (struct value){ VALUE_WORD, i->k / 4, UINT32_MAX };
  case BPF_LEN:
    return (struct value){ VALUE_CONSTANT, 0, sizeof e->data };
  case BPF_MEM:
    return s->mem[i->k];
  default:
    return (struct value){ VALUE_CONSTANT, 0, i->k };
  }
}

/* Runs a state to its next return, or branch that is open. */
static void advance(struct exploration *e, struct state *s) {
  for (;; e->work++, s->pc++) {
    const struct sock_filter *i = &e->program[s->pc];
    struct value operand = BPF_SRC(i->code) == BPF_X ? s->x : (struct value){ VALUE_CONSTANT, 0, i->k };
    switch (BPF_CLASS(i->code)) {
    case BPF_LD:
      s->a = load(e, s, i);
      break;
    case BPF_LDX:
      s->x = load(e, s, i);
      break;
    case BPF_ST:
      s->mem[i->k] = s->a;
      break;
    case BPF_STX:
      s->mem[i->k] = s->x;
      break;
    case BPF_ALU:
      if (BPF_OP(i->code) == BPF_DIV && (operand.kind != VALUE_CONSTANT || operand.bits == 0)) {
        e->actions |= BPF_SET(SECCOMP_RET_KILL_THREAD);
        if (operand.kind == VALUE_CONSTANT)
          return;
      }
      s->a = alu_value(i->code, s->a, operand);
      break;
    case BPF_JMP:
      if (BPF_OP(i->code) == BPF_JA) {
        s->pc += i->k;
        break;
      }
      if (!branch(e, s, i))
        return;
      break;
    case BPF_RET:
      if (BPF_RVAL(i->code) == BPF_A)
        e->actions |= s->a.kind == VALUE_CONSTANT ? BPF_SET(s->a.bits) : BPF_SET_ALL;
      else
        e->actions |= BPF_SET(i->k);
      return;
    default: /* BPF_MISC */
      if (BPF_MISCOP(i->code) == BPF_TAX)
        s->x = s->a;
      else
        s->a = s->x;
      break;
    }
  }
}

static unsigned explore(struct exploration *e, uint32_t first, uint32_t last) {
  struct state s = { .exclusions = NO_PARENT }; /* A, X and memory are the constant 0 */
  for (size_t i = 0; i < WORDS; i++)
    s.words[i].max = UINT32_MAX;
  s.words[offsetof(struct seccomp_data, nr) / 4].min = first;
  s.words[offsetof(struct seccomp_data, nr) / 4].max = last;
  push(e, &s, 0);
  while (e->pending_len && e->actions != BPF_SET_ALL) {
    s = e->pending[--e->pending_len];
    advance(e, &s);
    if (++e->work > WORK_MAX)
      e->actions = BPF_SET_ALL;
  }
  free(e->pending);
  free(e->exclusions);
  return e->actions;
}

unsigned bpf_reach(const struct sock_filter *program, size_t len, uint32_t arch, uint32_t nr) {
  struct bpf_entry entry;
  bpf_enter(program, len, arch, nr, &entry);
  if (entry.pc < len &&
      program[entry.pc].code == (BPF_RET | BPF_K)) /* most calls: no argument is looked at */
    return BPF_SET(program[entry.pc].k);
  struct exploration e = { .program = program,
                           .data = { .nr = (int)nr, .arch = arch },
                           .number_known = true };
  return len ? explore(&e, nr, nr) : 0;
}

unsigned bpf_reach_numbers(const struct sock_filter *program, size_t len, uint32_t arch, uint32_t first,
                           uint32_t last) {
  struct exploration e = { .program = program, .data = { .arch = arch } };
  return len ? explore(&e, first, last) : 0;
}

size_t bpf_comparisons(const struct sock_filter *program, size_t len, uint32_t arch, uint32_t nr,
                       struct bpf_comparison *ret, size_t max) {
  struct exploration e = { .program = program,
                           .data = { .nr = (int)nr, .arch = arch },
                           .number_known = true,
                           .comparisons = ret,
                           .comparisons_max = max };
  if (len)
    explore(&e, nr, nr);
  return e.comparisons_len;
}

size_t bpf_reachable(const struct sock_filter *program, size_t len, uint32_t arch, uint32_t first,
                     size_t count, bool *ret_reached) {
  size_t reached = 0;
  for (size_t i = 0; i < count; i++) {
    bool runs = bpf_reach(program, len, arch, first + (uint32_t)i) & BPF_SET_RUNS;
    reached += runs;
    if (ret_reached)
      ret_reached[i] = runs;
  }
  return reached;
}
