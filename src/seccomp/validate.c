/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/validate.h"

#include "base/str.h"
#include "seccomp/points.h"
#include "seccomp/simulate.h"

#include <errno.h>
#include <string.h>

/* Vectors that one system call, and all of them together, may cost. */
enum { VECTORS_PER_CALL = 1 << 17, VECTORS_TOTAL = 1 << 20, COMPARISONS_MAX = 256 };

/* One number of one ABI. */
struct subject {
  const struct seccomp_abi *abi;
  uint32_t number;
  const char *name; /* NULL: none */
};

struct validator {
  const struct seccomp_validation *v;
  int64_t border; /* the highest number of the ABI at hand that an input or the result names */
  /* The programs, entered for the call at hand. */
  struct bpf_entry programs[SECCOMP_PROGRAMS_MAX], stubbed, inputs[SECCOMP_INPUTS_MAX];
  /* The inputs' rules on it (NULL: none) where they tell their meaning alone. */
  bool plain[SECCOMP_INPUTS_MAX];
  const struct seccomp_call *calls[SECCOMP_INPUTS_MAX];
  uint64_t vectors;
  char **ret_call;
  struct error *err;
};

static const char *word(uint32_t verdict) {
  return seccomp_action_oci(verdict);
}

static int weaker(struct validator *w, const struct subject *s, const uint64_t args[SECCOMP_ARGS],
                  uint32_t verdict, uint32_t wanted, const char *whose) {
  CLEANUP_STR struct str vector = { 0 };
  for (unsigned i = 0; args && i < SECCOMP_ARGS; i++)
    str_addf(&vector, "%s%#llx", i ? ", " : "", (unsigned long long)args[i]);
  if (s->name && *w->ret_call == NULL)
    *w->ret_call = xstrdup(s->name);
  return error_set(
      w->err, ERROR_INTERNAL, 0,
      "/linux/seccomp: the compiled filter answers %s to %s(%s), number %#x of %s, where %s says %s",
      word(verdict), s->name ? s->name : "an unknown call", vector.data ? vector.data : "any", s->number,
      s->abi->oci, whose, word(wanted));
}

static unsigned verdict_strictness(const struct subject *s, uint32_t wanted) {
  unsigned strictness = bpf_strictness(wanted);
  unsigned kill = bpf_strictness(SECCOMP_RET_KILL_THREAD);
  return !s->name && strictness > kill ? kill : strictness;
}

/* What the i-th input says. */
static uint32_t meaning(const struct validator *w, size_t i, const struct subject *s,
                        const uint64_t args[SECCOMP_ARGS]) {
  const struct seccomp_profile *profile = w->v->inputs[i];
  if (w->plain[i])
    return seccomp_profile_eval_call(profile, s->abi, w->calls[i], args);
  if (s->name)
    return seccomp_profile_eval_name(profile, s->abi, s->name, args);
  return seccomp_profile_eval(profile, s->abi, (int)s->number, args);
}

static void enter(const struct seccomp_program *p, const struct subject *s, struct bpf_entry *ret) {
  if (p)
    bpf_enter(p->filter, p->len, s->abi->audit, s->number, ret);
}

static void enter_all(struct validator *w, const struct subject *s) {
  for (size_t i = 0; i < w->v->programs_len; i++)
    enter(w->v->programs[i], s, &w->programs[i]);
  for (size_t i = 0; i < w->v->inputs_len; i++) {
    const struct seccomp_profile *input = w->v->inputs[i];
    enter(w->v->input_programs[i], s, &w->inputs[i]);
    w->plain[i] =
        s->name && seccomp_mux_of_call(s->name) == SECCOMP_MUX_NONE && seccomp_profile_has_abi(input, s->abi);
    w->calls[i] = w->plain[i] ? seccomp_profile_find(input, s->name) : NULL;
  }
  enter(w->v->stubbed, s, &w->stubbed);
}

static uint32_t run(const struct seccomp_program *p, const struct bpf_entry *entry, const struct subject *s,
                    const uint64_t args[SECCOMP_ARGS]) {
  struct seccomp_data data = { .nr = (int)s->number, .arch = s->abi->audit };
  memcpy(data.args, args, sizeof data.args);
  return bpf_resume(p->filter, p->len, entry, &data);
}

/* The strictest of what the inputs say at a point. */
static uint32_t wanted_at(const struct validator *w, const struct subject *s,
                          const uint64_t args[SECCOMP_ARGS], const char **ret_whose) {
  const struct seccomp_validation *v = w->v;
  uint32_t wanted = SECCOMP_RET_ALLOW;
  *ret_whose = NULL;
  for (size_t i = 0; i < v->inputs_len; i++) {
    uint32_t says = meaning(w, i, s, args);
    if (seccomp_action_stricter(says, wanted)) {
      wanted = says;
      *ret_whose = v->input_names[i];
    }
    if (!v->input_programs[i])
      continue;
    says = run(v->input_programs[i], &w->inputs[i], s, args);
    if (seccomp_action_stricter(says, wanted)) {
      wanted = says;
      *ret_whose = v->input_names[i];
    }
  }
  return wanted;
}

/* runc's stub stands before the filter: what it answers is not the filter's. */
static bool stub_answers(const struct validator *w, const struct subject *s, uint32_t verdict) {
  return verdict == (SECCOMP_RET_ERRNO | ENOSYS) && s->number > w->border;
}

static int judge_point(struct validator *w, const struct subject *s, const uint64_t args[SECCOMP_ARGS]) {
  const struct seccomp_validation *v = w->v;
  const char *whose = NULL;
  uint32_t wanted = wanted_at(w, s, args, &whose);
  unsigned least = verdict_strictness(s, wanted);
  for (size_t i = 0; i < v->programs_len; i++) {
    uint32_t verdict = run(v->programs[i], &w->programs[i], s, args);
    if (bpf_strictness(verdict) < least)
      return weaker(w, s, args, verdict, wanted, whose);
  }
  if (v->stubbed) {
    uint32_t verdict = run(v->stubbed, &w->stubbed, s, args);
    if (bpf_strictness(verdict) < least && !stub_answers(w, s, verdict))
      return weaker(w, s, args, verdict, wanted, whose);
  }
  return 0;
}

static int too_many(struct validator *w, const struct subject *s) {
  if (s->name && *w->ret_call == NULL)
    *w->ret_call = xstrdup(s->name);
  return error_set(w->err, ERROR_INTERNAL, 0,
                   "/linux/seccomp: the conditions on %s are too many to be checked",
                   s->name ? s->name : "a call");
}

/* All programs' comparisons for the call. False: more than there is room for. */
static bool add_comparisons(const struct seccomp_program *p, const struct subject *s,
                            struct bpf_comparison all[COMPARISONS_MAX], size_t *len) {
  if (!p)
    return true;
  size_t room = COMPARISONS_MAX - *len;
  size_t found = bpf_comparisons(p->filter, p->len, s->abi->audit, s->number, all + *len, room);
  *len += found < room ? found : room;
  return found <= room;
}

static int judge_points(struct validator *w, const struct subject *s) {
  const struct seccomp_validation *v = w->v;
  const struct seccomp_profile *profiles[1 + SECCOMP_INPUTS_MAX] = { v->result };
  struct bpf_comparison comparisons[COMPARISONS_MAX];
  struct points_source source = { profiles, 1, comparisons, 0 };
  bool room = true;
  for (size_t i = 0; i < v->programs_len; i++)
    room = room && add_comparisons(v->programs[i], s, comparisons, &source.comparisons_len);
  for (size_t i = 0; i < v->inputs_len; i++) {
    profiles[source.profiles_len++] = v->inputs[i];
    room = room && add_comparisons(v->input_programs[i], s, comparisons, &source.comparisons_len);
  }
  if (!room)
    return too_many(w, s);
  CLEANUP_CALL_POINTS struct call_points points = { 0 };
  call_points_make(&points, &source, s->abi, s->name ? s->name : "");
  uint64_t count = call_points_count(&points);
  w->vectors += count < VECTORS_TOTAL ? count : VECTORS_TOTAL;
  if (count > VECTORS_PER_CALL || w->vectors > VECTORS_TOTAL)
    return too_many(w, s);
  enter_all(w, s);
  struct points_cursor cursor = { 0 };
  uint64_t args[SECCOMP_ARGS];
  while (call_points_next(&points, &cursor, args))
    if (judge_point(w, s, args) < 0)
      return -1;
  return 0;
}

/* No arguments make the profile stricter on this call than what is returned. */
static unsigned strictest_meaning(const struct seccomp_profile *profile, const struct subject *s) {
  unsigned strictest = bpf_strictness(profile->default_action);
  const struct seccomp_call *call = s->name ? seccomp_profile_find(profile, s->name) : NULL;
  if (!seccomp_profile_has_abi(profile, s->abi) ||
      (s->name && seccomp_mux_of_call(s->name) != SECCOMP_MUX_NONE))
    return bpf_strictness(SECCOMP_RET_KILL_PROCESS); /* not known here: the points tell */
  for (size_t i = 0; call && i < call->len; i++)
    if (call->rules[i].len == 0) /* the default is never met */
      strictest = 0;
  for (size_t i = 0; call && i < call->len; i++) {
    unsigned strictness = bpf_strictness(call->rules[i].action);
    strictest = strictness > strictest ? strictness : strictest;
  }
  return strictest;
}

static unsigned lowest(unsigned set) {
  return (unsigned)__builtin_ctz(set | 0x80);
}

static unsigned highest(unsigned set) {
  return 31 - (unsigned)__builtin_clz(set | 1);
}

/* Each program, then runc's stub in front of one if that is judged; NULL behind the last. */
static const struct seccomp_program *program_at(const struct seccomp_validation *v, size_t i) {
  if (i < v->programs_len)
    return v->programs[i];
  return i == v->programs_len ? v->stubbed : NULL;
}

/* Decided for all arguments at once: the weakest that the programs can answer is as strict as the strictest
 * that the inputs can. */
static bool settled(const struct seccomp_validation *v, const struct subject *s) {
  unsigned weakest = bpf_strictness(SECCOMP_RET_KILL_PROCESS);
  unsigned wanted = 0;
  const struct seccomp_program *program;
  for (size_t i = 0; (program = program_at(v, i)); i++) {
    unsigned least = lowest(bpf_reach(program->filter, program->len, s->abi->audit, s->number));
    weakest = least < weakest ? least : weakest;
  }
  for (size_t i = 0; i < v->inputs_len; i++) {
    unsigned most = strictest_meaning(v->inputs[i], s);
    wanted = most > wanted ? most : wanted;
    const struct seccomp_program *p = v->input_programs[i];
    if (weakest < wanted || !p)
      continue;
    most = highest(bpf_reach(p->filter, p->len, s->abi->audit, s->number));
    wanted = most > wanted ? most : wanted;
  }
  return weakest >= wanted;
}

static int judge_number(struct validator *w, const struct seccomp_abi *abi, uint32_t number) {
  CLEANUP_FREE char *name = seccomp_abi_name(abi, (int)number);
  const struct subject s = { abi, number, name };
  return settled(w->v, &s) ? 0 : judge_points(w, &s);
}

/* Numbers behind every table: where signs change and where x32 begins. */
static const uint32_t outliers[] = { 0x3fffffff, 0x40000000, 0x40000001, 0x400003ff, 0x7fffffff,
                                     0x80000000, 0xbfffffff, 0xc0000000, 0xfffffffe, 0xffffffff };

static int judge_abi(struct validator *w, const struct seccomp_abi *abi) {
  enum { NEIGHBOURS = 16 };
  const struct seccomp_validation *v = w->v;
  uint32_t base = seccomp_abi_is_x32(abi) ? SECCOMP_X32_BIT : 0;
  w->border = seccomp_profile_border(v->result, abi);
  for (size_t i = 0; i < v->inputs_len; i++) {
    int64_t other = seccomp_profile_border(v->inputs[i], abi);
    w->border = other > w->border ? other : w->border;
  }
  uint32_t end = (w->border > (int64_t)base ? (uint32_t)w->border : base) + NEIGHBOURS;
  for (uint32_t number = base; number <= end; number++)
    if (judge_number(w, abi, number) < 0)
      return -1;
  for (size_t i = 0; i < ARRAY_SIZE(outliers); i++)
    if (judge_number(w, abi, outliers[i]) < 0)
      return -1;
  return 0;
}

/* An ABI that the result does not have: nothing may get better than a dead thread, or, by runc's stub,
 * ENOSYS. */
static int judge_absent(struct validator *w, const struct seccomp_abi *abi) {
  const struct seccomp_validation *v = w->v;
  /* x32 has x86-64's arch, and the numbers above; the last one is how a tracer skips a call. */
  bool x32 = seccomp_abi_is_x32(abi);
  uint32_t first = x32 ? SECCOMP_X32_BIT : 0, last = x32 ? 2 * SECCOMP_X32_BIT - 1 : UINT32_MAX;
  const struct seccomp_program *p;
  for (size_t i = 0; (p = program_at(v, i)); i++) {
    unsigned kills = BPF_SET(SECCOMP_RET_KILL_THREAD) | BPF_SET(SECCOMP_RET_KILL_PROCESS);
    if (p == v->stubbed)
      kills |= BPF_SET(SECCOMP_RET_ERRNO);
    if (bpf_reach_numbers(p->filter, p->len, abi->audit, first, last) & ~kills)
      return error_set(
          w->err, ERROR_INTERNAL, 0,
          "/linux/seccomp: the compiled filter does not kill calls of %s, which it does not name", abi->oci);
  }
  return 0;
}

int seccomp_validate(const struct seccomp_validation *v, char **ret_call, struct error *err) {
  *ret_call = NULL;
  struct validator w = { .v = v, .ret_call = ret_call, .err = err };
  for (const struct seccomp_abi *abi = seccomp_abis; abi->oci; abi++) {
    int rc = seccomp_profile_has_abi(v->result, abi) ? judge_abi(&w, abi) : judge_absent(&w, abi);
    if (rc < 0)
      return -1;
  }
  /* Two that no table has: the kernel could only pass them after a defect of its own. */
  static const struct seccomp_abi unknown[] = { { "an unknown architecture", 0, 0, 64, { NULL } },
                                                { "an unknown architecture", 0, UINT32_MAX, 64, { NULL } } };
  for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
    if (judge_absent(&w, &unknown[i]) < 0)
      return -1;
  return 0;
}
