/* SPDX-License-Identifier: Apache-2.0 */
#include "control/limits.h"
#include "io/jsonx.h"
#include "proof/rows.h"

#include <string.h>

_Static_assert(LIMIT_NONE == KERNEL_UNLIMITED, "both say none");

static void compare(const char *what, int64_t promised, int64_t is, struct str *why) {
  if (is <= promised)
    return;
  if (is == KERNEL_UNLIMITED)
    proof_say(why, "a limit of %lld for %s was promised, and the kernel has none", (long long)promised, what);
  else
    proof_say(why, "a limit of %lld for %s was promised, and the kernel has %lld", (long long)promised, what,
              (long long)is);
}

struct promised_limits {
  int64_t pids, memory, swap;
  struct cpu_limit cpu;
};

static struct promised_limits promised(const struct proof_promise *p) {
  return (struct promised_limits){ .pids = effective_limit(p->config, LIMIT_PIDS, "pids.max"),
                                   .memory = effective_limit(p->config, LIMIT_MEMORY, "memory.max"),
                                   .swap = effective_swap(p->config),
                                   .cpu = effective_cpu(p->config) };
}

unsigned proof_limits(const struct proof_promise *p) {
  const struct promised_limits l = promised(p);
  return (l.pids != LIMIT_NONE ? KERNEL_LIMIT_PIDS : 0) | (l.memory != LIMIT_NONE ? KERNEL_LIMIT_MEMORY : 0) |
         (l.swap != LIMIT_NONE ? KERNEL_LIMIT_SWAP : 0) | (l.cpu.quota >= 0 ? KERNEL_LIMIT_CPU : 0);
}

/* Swap may not be accounted, then there is no file, and runtimes say so or leave it. */
enum proof_outcome proof_cgroup(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  const struct promised_limits l = promised(p);
  if (proof_limits(p) == 0)
    return PROOF_HELD;
  if (proof_unread(v, KERNEL_GROUP_LIMITS, why))
    return PROOF_UNREAD;
  const struct kernel_cgroup_limits *is = &v->kernel.group_limits;
  compare("processes", l.pids, is->pids, why);
  compare("memory", l.memory, is->memory, why);
  if (is->swap >= 0)
    compare("memory and swap", l.swap, is->swap, why);
  const struct cpu_limit now = { is->quota == KERNEL_UNLIMITED ? -1 : is->quota, is->period };
  if (cpu_limit_above(now, l.cpu))
    proof_say(why, "%lld us of CPU in %lld were promised at most, and the kernel has %lld in %lld",
              (long long)l.cpu.quota, (long long)l.cpu.period, (long long)now.quota, (long long)now.period);
  return proof_outcome_of(why);
}

static void compare_rlimit(const char *type, const char *which, uint64_t promised, uint64_t is,
                           struct str *why) {
  if (is <= promised)
    return;
  if (is == UINT64_MAX)
    proof_say(why, "%s was promised at most %llu (%s), and the kernel has no limit", type,
              (unsigned long long)promised, which);
  else
    proof_say(why, "%s was promised at most %llu (%s), and the kernel has %llu", type,
              (unsigned long long)promised, which, (unsigned long long)is);
}

enum proof_outcome proof_rlimits(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  const json_t *list = jsonx_at(p->config, LIMIT_RLIMITS);
  if (json_array_size(list) == 0)
    return PROOF_HELD;
  if (proof_unread(v, KERNEL_RLIMITS, why))
    return PROOF_UNREAD;
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *item = json_array_get(list, i);
    const char *type = json_string_value(json_object_get(item, "type"));
    for (size_t k = 0; type && k < KERNEL_LIMITS; k++) {
      if (strcmp(kernel_limit_names[k], type) != 0)
        continue;
      compare_rlimit(type, "soft", rlimit_read(json_object_get(item, "soft")), v->kernel.rlimits[k].soft,
                     why);
      compare_rlimit(type, "hard", rlimit_read(json_object_get(item, "hard")), v->kernel.rlimits[k].hard,
                     why);
    }
  }
  return proof_outcome_of(why);
}
