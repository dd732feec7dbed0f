/* SPDX-License-Identifier: Apache-2.0 */
#include "control/limits.h"

#include "control/common.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
  CPU_PERIOD_DEFAULT = 100000,
  CPU_PERIOD_LEAST = 1000,
  CPU_PERIOD_MOST = 1000000,
  CPU_QUOTA_LEAST = 1000
};

__extension__ typedef __int128 wide; /* products of two 64-bit numbers */

int64_t limit_read(const json_t *value) {
  uint64_t number;
  if (!value || !jsonx_u64_get(value, &number) || number == 0 || number > INT64_MAX)
    return LIMIT_NONE;
  return (int64_t)number;
}

bool limit_is_zero(const json_t *value) {
  return json_is_integer(value) && json_integer_value(value) == 0;
}

struct cpu_limit cpu_limit_read(const json_t *quota, const json_t *period) {
  struct cpu_limit c = { .quota = limit_read(quota), .period = limit_read(period) };
  if (c.quota == LIMIT_NONE)
    c.quota = -1;
  if (c.period == LIMIT_NONE)
    c.period = CPU_PERIOD_DEFAULT;
  return c;
}

struct cpu_limit cpu_limit_ceiling(int64_t thousandths, int64_t period) {
  if (period < CPU_PERIOD_LEAST || period > CPU_PERIOD_MOST || thousandths * period / 1000 < CPU_QUOTA_LEAST)
    period = CPU_PERIOD_DEFAULT;
  int64_t quota = thousandths * period / 1000;
  return (struct cpu_limit){ quota < CPU_QUOTA_LEAST ? CPU_QUOTA_LEAST : quota, period };
}

bool cpu_limit_above(struct cpu_limit a, struct cpu_limit b) {
  if (a.quota < 0 || b.quota < 0)
    return b.quota >= 0;
  return (wide)a.quota * b.period > (wide)b.quota * a.period;
}

/* A whole number, or "max" and everything else: LIMIT_NONE. 0 is a limit here. */
static int64_t file_number(const char *text, const char **ret_rest) {
  char *rest;
  errno = 0;
  long long value = *text >= '0' && *text <= '9' ? strtoll(text, &rest, 10) : -1;
  *ret_rest = value < 0 ? text : rest;
  return value < 0 || errno ? LIMIT_NONE : value;
}

static int64_t file_limit(const char *text) {
  const char *rest;
  int64_t value = file_number(text, &rest);
  return *rest ? LIMIT_NONE : value;
}

/* cpu.max: "QUOTA PERIOD" or "QUOTA". */
static struct cpu_limit file_cpu(const char *text) {
  const char *rest;
  struct cpu_limit c = { .quota = file_number(text, &rest), .period = CPU_PERIOD_DEFAULT };
  if (*rest == ' ' && c.quota != LIMIT_NONE) {
    c.period = file_number(rest + 1, &rest);
    if (c.period == LIMIT_NONE || c.period == 0)
      c.quota = LIMIT_NONE;
  }
  if (*rest || c.quota == LIMIT_NONE)
    c.quota = -1;
  return c;
}

bool limits_unified_ceiling(const struct policy *policy, const struct facts *facts, const char *key,
                            int64_t *ret) {
  if (strcmp(key, "pids.max") == 0)
    *ret = policy->resources.pids_max;
  else if (strcmp(key, "memory.max") == 0 || strcmp(key, "memory.swap.max") == 0)
    *ret = policy->resources.memory_max;
  else if (strcmp(key, "cpu.max") == 0)
    *ret = facts->sandbox ? -1 : policy->resources.cpu_max;
  else
    *ret = -1;
  return *ret >= 0;
}

bool limits_unified_within(const char *key, const char *value, int64_t ceiling) {
  if (strcmp(key, "cpu.max") != 0)
    return file_limit(value) <= ceiling;
  struct cpu_limit c = file_cpu(value);
  return c.quota >= 0 && !cpu_limit_above(c, cpu_limit_ceiling(ceiling, c.period));
}

bool limits_unified_only_limits(const char *key) {
  return (str_ends(key, ".max") || str_ends(key, ".high")) && !strchr(key, '/');
}

static const char *unified(const json_t *doc, const char *key) {
  return json_string_value(json_object_get(control_at(doc, LIMIT_UNIFIED), key));
}

int64_t effective_limit(const json_t *doc, const char *pointer, const char *unified_key) {
  const char *file = unified(doc, unified_key);
  return file ? file_limit(file) : limit_read(control_at(doc, pointer));
}

int64_t effective_swap(const json_t *doc) {
  const char *file = unified(doc, "memory.swap.max");
  if (!file)
    return limit_read(control_at(doc, LIMIT_SWAP));
  const int64_t memory = effective_limit(doc, LIMIT_MEMORY, "memory.max"), swap = file_limit(file);
  return swap > LIMIT_NONE - memory ? LIMIT_NONE : memory + swap;
}

struct cpu_limit effective_cpu(const json_t *doc) {
  const char *file = unified(doc, "cpu.max");
  return file ? file_cpu(file) : cpu_limit_read(control_at(doc, LIMIT_QUOTA), control_at(doc, LIMIT_PERIOD));
}

const char *const rlimit_types[RLIMIT_FACTS] = { "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_CORE",
                                                 "RLIMIT_RTPRIO", "RLIMIT_NICE" };

int64_t rlimit_ceiling(const struct policy *policy, const char *type) {
  const int64_t ceilings[RLIMIT_FACTS] = {
    policy->resources.nofile_max, policy->resources.nproc_max, policy->resources.core_max,
    policy->resources.rtprio_max, policy->resources.nice_max,
  };
  for (size_t i = 0; type && i < RLIMIT_FACTS; i++)
    if (strcmp(type, rlimit_types[i]) == 0)
      return ceilings[i];
  return -1;
}

bool rlimit_inherits_more(const struct policy *policy, const struct facts *facts, const char *type) {
  const int64_t ceiling = rlimit_ceiling(policy, type);
  const struct rlimit_fact *inherited = facts_rlimit(facts, type);
  if (strcmp(type, "RLIMIT_CORE") == 0 && ceiling == 0)
    return true;
  return ceiling >= 0 && inherited && inherited->hard > (uint64_t)ceiling;
}

uint64_t rlimit_read(const json_t *value) {
  uint64_t number;
  return value && jsonx_u64_get(value, &number) ? number : UINT64_MAX;
}

bool rlimits_have(const json_t *list, const char *type) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *is = json_string_value(json_object_get(json_array_get(list, i), "type"));
    if (is && strcmp(is, type) == 0)
      return true;
  }
  return false;
}

const char *cgroup_path_wrong(const char *path) {
  if (!path || !*path)
    return NULL; /* the runtime makes one of its own */
  if (control_path_climbs(path))
    return "the cgroup's path holds \"..\": a runtime would make it anywhere, or another's limits would be "
           "changed";
  CLEANUP_FREE char *absolute = xasprintf("/%s", path);
  return control_path_same(absolute, "/") ? "the container's limits would be those of the root cgroup" : NULL;
}
