/* SPDX-License-Identifier: Apache-2.0 */
/* What the process may use up, and what it has of its start: resources, process. */
#include "control/limits.h"
#include "posture/rows.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

static const char resources[] = "resources";
static const char process[] = "process";

/* --- resources --- */

/* Thousandths of a CPU; KERNEL_UNLIMITED: no limit. */
static int64_t cpu_of(const struct kernel_cgroup_limits *l) {
  if (l->quota == KERNEL_UNLIMITED || l->period <= 0)
    return KERNEL_UNLIMITED;
  return (int64_t)((double)l->quota * 1000 / (double)l->period);
}

enum unit { UNIT_NONE, UNIT_BYTES, UNIT_CPU };

static char *amount(int64_t n, enum unit unit) {
  if (n == KERNEL_UNLIMITED)
    return xstrdup("no limit in its own group");
  if (unit == UNIT_CPU)
    return xasprintf("%" PRId64 ".%03" PRId64 " CPUs", n / 1000, n % 1000);
  if (unit == UNIT_BYTES && n >= 1 << 20)
    return xasprintf("%" PRId64 " MiB", n >> 20);
  return xasprintf("%" PRId64 "%s", n, unit == UNIT_BYTES ? " bytes" : "");
}

static void tell_group(const struct posture *p) {
  const struct kernel_cgroup_limits *l = &p->v->group_limits;
  posture_fact(p, resources, "pids", amount(l->pids, UNIT_NONE));
  posture_fact(p, resources, "memory", amount(l->memory, UNIT_BYTES));
  posture_fact(p, resources, "cpu", amount(cpu_of(l), UNIT_CPU));
}

static void tell_rlimits(const struct posture *p) {
  static const char *const shown[] = { "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_CORE" };
  struct str text = { 0 };
  CLEANUP_STRLIST struct strlist all = { 0 };
  for (unsigned i = 0; i < KERNEL_LIMITS; i++) {
    const uint64_t hard = p->v->rlimits[i].hard;
    CLEANUP_FREE char *value = hard == UINT64_MAX ? xstrdup("unlimited") : xasprintf("%" PRIu64, hard);
    strlist_add_new(&all, xasprintf("%s %s", kernel_limit_names[i], value));
    for (size_t k = 0; k < ARRAY_SIZE(shown); k++)
      if (strcmp(shown[k], kernel_limit_names[i]) == 0)
        str_addf(&text, "%s%s %s", text.len ? ", " : "", shown[k], value);
  }
  struct posture_row *row = posture_fact(p, resources, "rlimits", str_steal(&text));
  strlist_copy(&row->items, &all);
}

static void compare_limit(const struct posture *p, const char *what, int64_t limit, int64_t ceiling,
                          enum unit unit) {
  if (ceiling < 0 || limit <= ceiling)
    return;
  CLEANUP_FREE char *is = amount(limit, unit);
  CLEANUP_FREE char *most = amount(ceiling, unit);
  posture_deviation(p, resources, POSTURE_LIMIT, what, xasprintf("%s, the policy's ceiling is %s", is, most),
                    "set the limit in linux.resources (docker: --pids-limit, --memory, --cpus)");
}

static void compare_group(const struct posture *p) {
  const struct kernel_cgroup_limits *l = &p->v->group_limits;
  compare_limit(p, "pids", l->pids, p->policy->resources.pids_max, UNIT_NONE);
  compare_limit(p, "memory", l->memory, p->policy->resources.memory_max, UNIT_BYTES);
  if (!p->f->sandbox || l->quota != KERNEL_UNLIMITED)
    compare_limit(p, "cpu", cpu_of(l), p->policy->resources.cpu_max, UNIT_CPU);
}

/* An rlimit that nobody set is inherited from the engine, and the policy caps what a config sets. */
static void compare_rlimits(const struct posture *p) {
  for (unsigned i = 0; i < KERNEL_LIMITS; i++) {
    const int64_t ceiling = rlimit_ceiling(p->policy, kernel_limit_names[i]);
    const uint64_t hard = p->v->rlimits[i].hard;
    if (ceiling < 0 || hard <= (uint64_t)ceiling)
      continue;
    CLEANUP_FREE char *value = hard == UINT64_MAX ? xstrdup("unlimited") : xasprintf("%" PRIu64, hard);
    posture_deviation(
        p, resources, POSTURE_RLIMIT, kernel_limit_names[i],
        xasprintf("%s, the policy's ceiling is %" PRId64, value, ceiling),
        "set it in process.rlimits (docker: --ulimit), or for the engine, from which it is inherited");
  }
}

/* --- process --- */

/* Directories that no mount of the process leads to: whoever holds one can walk the host's files. Its runtime
 * has some until it starts the container, and they close with the execve. */
static bool is_outside(const struct posture *p, const struct kernel_fd *fd) {
  return S_ISDIR(fd->st.st_mode) && fd->mount != 0 && !(p->f->created && fd->cloexec) &&
         !kernel_mounts_by_id(&p->v->mounts, fd->mount);
}

static bool cwd_is_outside(const struct posture *p) {
  const struct kernel_place *at = &p->v->cwd_place;
  return !at->error && at->mount != 0 && !kernel_mounts_by_id(&p->v->mounts, at->mount);
}

static void tell_fds(const struct posture *p) {
  CLEANUP_STRLIST struct strlist outside = { 0 };
  struct str text = { 0 };
  str_addf(&text, "%zu", p->v->fds.len);
  for (size_t i = 0; i < p->v->fds.len; i++)
    if (is_outside(p, &p->v->fds.items[i]))
      strlist_add_new(&outside, xasprintf("%d %s", p->v->fds.items[i].fd, p->v->fds.items[i].target));
  for (size_t i = 0; i < outside.len; i++)
    str_addf(&text, "%s%s", i ? ", " : "; directories outside: ", outside.items[i]);
  struct posture_row *row = posture_fact(p, process, "open files", str_steal(&text));
  strlist_copy(&row->items, &outside);
}

static void compare_fds(const struct posture *p) {
  for (size_t i = 0; i < p->v->fds.len; i++) {
    const struct kernel_fd *fd = &p->v->fds.items[i];
    if (is_outside(p, fd))
      posture_deviation(
          p, process, POSTURE_FD, "open files",
          xasprintf("fd %d is the directory %s outside the container", fd->fd, fd->target),
          "find out who handed it over (--preserve-fds, a runtime before its CVE-2024-21626 fix)");
  }
}

void posture_tell_limits(const struct posture *p) {
  if (posture_has(p, resources, KERNEL_GROUP_LIMITS))
    tell_group(p);
  if (posture_has(p, resources, KERNEL_RLIMITS))
    tell_rlimits(p);
  if (posture_has(p, process, KERNEL_EXE))
    posture_fact(p, process, "program", xstrdup(p->v->exe));
  if (posture_has(p, process, KERNEL_CWD))
    posture_fact(p, process, "working directory", xstrdup(p->v->cwd));
  if (posture_has(p, process, KERNEL_OOM_SCORE))
    posture_fact(p, process, "oom_score_adj", xasprintf("%d", p->v->oom_score_adj));
  if (posture_has(p, process, KERNEL_FDS))
    tell_fds(p);
}

void posture_compare_limits(const struct posture *p) {
  const struct policy *policy = p->policy;
  if (posture_wants(p, policy->resources.action)) {
    if (posture_has(p, resources, KERNEL_GROUP_LIMITS))
      compare_group(p);
    if (posture_has(p, resources, KERNEL_RLIMITS))
      compare_rlimits(p);
  }
  if (!posture_wants(p, policy->process.action))
    return;
  if (posture_has(p, process, KERNEL_OOM_SCORE) && p->v->oom_score_adj < policy->process.oom_score_adj_min)
    posture_deviation(p, process, POSTURE_OOM, "oom_score_adj",
                      xasprintf("%d, the policy's minimum is %" PRId64, p->v->oom_score_adj,
                                policy->process.oom_score_adj_min),
                      "raise process.oomScoreAdj");
  if (p->v->unread[KERNEL_MOUNTS])
    return;
  if (posture_has(p, process, KERNEL_FDS))
    compare_fds(p);
  if (posture_has(p, process, KERNEL_CWD) && cwd_is_outside(p))
    posture_deviation(p, process, POSTURE_CWD, "working directory",
                      xasprintf("%s is outside the container", p->v->cwd),
                      "find out who set it (a runtime before its CVE-2024-21626 fix)");
}
