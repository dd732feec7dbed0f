/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passes the seccomp filters, by following and running their BPF. Every filter must let a call through;
 * what cannot be told counts as let through.
 */
#include "posture/rows.h"
#include "seccomp/arch.h"
#include "seccomp/points.h"
#include "seccomp/simulate.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum {
  CALLS = 1024, /* above every number in use */
  COMPARISONS_MAX = 512,
  WORK_MAX = 1 << 23, /* instructions that are run for one call's arguments */
};
#define PATIENCE CLOCKS_PER_SEC /* of CPU time, for following all filters through one ABI */

/* As /proc/PID/status has it. */
enum { MODE_NONE, MODE_STRICT, MODE_FILTER };

static const char seccomp[] = "seccomp";

static uint32_t first_number(const struct seccomp_abi *abi) {
  return seccomp_abi_is_x32(abi) ? SECCOMP_X32_BIT : 0;
}

/* The calls that some arguments get past all filters. The runtime's filters come first. Whoever adds some
 * that take long to follow gains nothing by it: from then on every filter counts as letting all through. */
static void reach(const struct kernel_filters *filters, const struct seccomp_abi *abi, bool ret[CALLS]) {
  const clock_t start = clock();
  memset(ret, true, CALLS * sizeof *ret);
  for (size_t i = 0; i < filters->len; i++) {
    const struct kernel_filter *filter = &filters->items[i];
    for (uint32_t nr = 0; nr < CALLS; nr++) {
      if (clock() - start > PATIENCE)
        return;
      if (ret[nr])
        ret[nr] = bpf_reach(filter->program, filter->len, abi->audit, first_number(abi) + nr) & BPF_SET_RUNS;
    }
  }
}

static char *name_of(const struct seccomp_abi *abi, uint32_t nr) {
  return seccomp_abi_name(abi, (int)(first_number(abi) + nr));
}

/* By name: a number without a name reaches nothing. */
static void name_calls(const struct seccomp_abi *abi, const bool marks[CALLS], struct strlist *ret) {
  for (uint32_t nr = 0; nr < CALLS; nr++) {
    CLEANUP_FREE char *name = marks[nr] ? name_of(abi, nr) : NULL;
    if (name)
      strlist_add_new(ret, steal_ptr(&name));
  }
}

void posture_tell_filters(const struct posture *p) {
  const struct kernel_status *s = &p->v->status;
  if (p->v->unread[KERNEL_STATUS])
    return;
  if (s->seccomp != MODE_FILTER) {
    posture_fact(p, seccomp, "filters",
                 xstrdup(s->seccomp ? "strict mode: read, write, exit and sigreturn only" : "none"));
    return;
  }
  if (!posture_has(p, seccomp, KERNEL_FILTERS))
    return;
  posture_fact(p, seccomp, "filters", xasprintf("%zu", p->v->filters.len));
  for (const struct seccomp_abi *abi = seccomp_abis; abi->oci; abi++) {
    if (!seccomp_abi_is_local(abi))
      continue;
    bool marks[CALLS];
    CLEANUP_STRLIST struct strlist names = { 0 };
    CLEANUP_STRLIST struct strlist all = { 0 };
    reach(&p->v->filters, abi, marks);
    name_calls(abi, marks, &names);
    memset(marks, true, sizeof marks);
    name_calls(abi, marks, &all);
    struct posture_row *row = posture_fact(
        p, seccomp, abi->oci, xasprintf("%zu of %zu system calls can be reached", names.len, all.len));
    strlist_copy(&row->items, &names);
  }
}

/* --- compared with the policy's --- */

static bool runs(uint32_t verdict) {
  return BPF_SET(verdict) & BPF_SET_RUNS;
}

static bool passes(const struct kernel_filters *filters, const struct seccomp_data *data) {
  for (size_t i = 0; i < filters->len; i++)
    if (!runs(bpf_run(filters->items[i].program, filters->items[i].len, data)))
      return false;
  return true;
}

/* Every comparison with an argument that either side makes for the call. */
static size_t comparisons(const struct posture *p, uint32_t arch, uint32_t nr, struct bpf_comparison *ret) {
  size_t len = bpf_comparisons(p->filter->filter, p->filter->len, arch, nr, ret, COMPARISONS_MAX);
  len = len > COMPARISONS_MAX ? COMPARISONS_MAX : len;
  for (size_t i = 0; i < p->v->filters.len; i++) {
    const struct kernel_filter *f = &p->v->filters.items[i];
    const size_t room = COMPARISONS_MAX - len;
    const size_t more = bpf_comparisons(f->program, f->len, arch, nr, ret + len, room);
    len += more > room ? room : more;
  }
  return len;
}

/* Arguments with which the process may make the call and the policy would not let it. */
static bool find_arguments(const struct posture *p, const struct seccomp_abi *abi, uint32_t nr,
                           const char *name, uint64_t ret[SECCOMP_ARGS]) {
  struct seccomp_data data = { .nr = (int)(first_number(abi) + nr), .arch = abi->audit };
  CLEANUP_FREE struct bpf_comparison *found = xcalloc(COMPARISONS_MAX, sizeof *found);
  const struct points_source source = {
    .comparisons = found,
    .comparisons_len = comparisons(p, abi->audit, (uint32_t)data.nr, found),
  };
  CLEANUP_CALL_POINTS struct call_points points = { 0 };
  call_points_make(&points, &source, abi, name);
  struct points_cursor cursor = { 0 };
  size_t work = p->filter->len;
  for (size_t i = 0; i < p->v->filters.len; i++)
    work += p->v->filters.items[i].len;
  for (size_t done = 0; done < WORK_MAX && call_points_next(&points, &cursor, ret); done += work) {
    for (unsigned i = 0; i < SECCOMP_ARGS; i++)
      data.args[i] = ret[i];
    if (!runs(bpf_run(p->filter->filter, p->filter->len, &data)) && passes(&p->v->filters, &data))
      return true;
  }
  return false;
}

static char *call_text(const char *name, const uint64_t args[SECCOMP_ARGS]) {
  struct str text = { 0 };
  unsigned last = SECCOMP_ARGS;
  while (last > 1 && args[last - 1] == 0)
    last--;
  str_addf(&text, "%s(", name);
  for (unsigned i = 0; i < last; i++)
    str_addf(&text, "%s0x%" PRIx64, i ? ", " : "", args[i]);
  str_add(&text, ")");
  return str_steal(&text);
}

static void report(const struct posture *p, enum posture_rule_index rule, const char *abi,
                   const struct strlist *names, const char *said) {
  if (names->len == 0)
    return;
  CLEANUP_FREE char *text = xasprintf("%zu %s: ", names->len, said);
  posture_list_deviation(p, seccomp, rule, abi, names, POSTURE_SHOWN, text,
                         "run it through oci-harden, which gives it the intersection of both filters");
}

static void compare_native(const struct posture *p) {
  const struct seccomp_abi *abi = seccomp_abi_native();
  bool marks[CALLS];
  CLEANUP_STRLIST struct strlist calls = { 0 };
  CLEANUP_STRLIST struct strlist with_arguments = { 0 };
  reach(&p->v->filters, abi, marks);
  for (uint32_t nr = 0; nr < CALLS; nr++) {
    CLEANUP_FREE char *name = marks[nr] ? name_of(abi, nr) : NULL;
    uint64_t args[SECCOMP_ARGS];
    if (!name)
      continue;
    const unsigned policys = p->filter && p->filter->len
                                 ? bpf_reach(p->filter->filter, p->filter->len, abi->audit, nr)
                                 : BPF_SET_RUNS;
    if (!(policys & BPF_SET_RUNS) || strlist_has(&p->policy->seccomp.floor, name))
      strlist_add(&calls, name);
    else if ((policys & ~BPF_SET_RUNS) && p->filter && find_arguments(p, abi, nr, name, args))
      strlist_add_new(&with_arguments, call_text(name, args));
  }
  report(p, POSTURE_CALLS, abi->oci, &calls, "system calls can be reached that the policy refuses");
  report(p, POSTURE_ARGUMENTS, abi->oci, &with_arguments,
         "can be called with arguments that the policy refuses");
}

static void compare_abis(const struct posture *p) {
  for (const struct seccomp_abi *abi = seccomp_abis; abi->oci; abi++) {
    if (!seccomp_abi_is_local(abi) || abi == seccomp_abi_native())
      continue;
    bool marks[CALLS];
    CLEANUP_STRLIST struct strlist names = { 0 };
    reach(&p->v->filters, abi, marks);
    name_calls(abi, marks, &names);
    report(p, POSTURE_ABI, abi->oci, &names, "system calls can be reached by another ABI");
  }
}

void posture_compare_filters(const struct posture *p) {
  const struct policy *policy = p->policy;
  const bool asks = policy->seccomp.profile || policy->seccomp.native_only || policy->seccomp.floor.len;
  if (!posture_wants(p, policy->seccomp.action) || !asks || p->v->unread[KERNEL_STATUS] ||
      p->v->status.seccomp == MODE_STRICT)
    return;
  if (p->v->status.seccomp == MODE_NONE) {
    posture_deviation(p, seccomp, POSTURE_NO_FILTER, "filters",
                      xstrdup("none: every system call of the kernel can be reached"),
                      "give it a filter (docker: no seccomp=unconfined; Kubernetes: RuntimeDefault)");
    return;
  }
  if (!posture_has(p, seccomp, KERNEL_FILTERS))
    return;
  compare_native(p);
  if (policy->seccomp.native_only)
    compare_abis(p);
}
