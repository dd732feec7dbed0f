/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The promises of resources, and its order of strictness: what the document as a whole lets a container have.
 */
#include "control/common.h"
#include "control/limits.h"

#include <string.h>

static int ceiling_holds(const json_t *after, bool update, const char *pointer, const char *file,
                         int64_t ceiling, struct error *err) {
  if (ceiling < 0)
    return 0;
  bool named = control_at(after, pointer) || json_object_get(control_at(after, LIMIT_UNIFIED), file);
  if (update && !named)
    return 0;
  if (effective_limit(after, pointer, file) > ceiling)
    return control_broken(err, pointer, "is above the ceiling");
  return 0;
}

static int cpu_holds(const json_t *after, bool update, const struct policy *policy, const struct facts *facts,
                     struct error *err) {
  struct cpu_limit cpu = effective_cpu(after);
  if (policy->resources.cpu_max < 0)
    return 0;
  if (cpu.quota < 0) {
    bool named = control_at(after, LIMIT_QUOTA) || control_at(after, LIMIT_PERIOD);
    bool excused = update ? !named : facts->sandbox && !control_at(after, LIMIT_QUOTA);
    return excused ? 0 : control_broken(err, LIMIT_QUOTA, "CPU time has no ceiling");
  }
  if (cpu_limit_above(cpu, cpu_limit_ceiling(policy->resources.cpu_max, cpu.period)))
    return control_broken(err, LIMIT_QUOTA, "is above the ceiling");
  return 0;
}

static int rlimits_hold(const json_t *after, const struct policy *policy, const struct facts *facts,
                        struct error *err) {
  const json_t *list = control_at(after, LIMIT_RLIMITS);
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *entry = json_array_get(list, i);
    int64_t ceiling = rlimit_ceiling(policy, json_string_value(json_object_get(entry, "type")));
    if (ceiling >= 0 && (rlimit_read(json_object_get(entry, "hard")) > (uint64_t)ceiling ||
                         rlimit_read(json_object_get(entry, "soft")) > (uint64_t)ceiling))
      return control_broken(err, LIMIT_RLIMITS, "rlimit %zu is above its ceiling", i);
  }
  for (size_t i = 0; i < ARRAY_SIZE(rlimit_types) && control_at(after, "/process"); i++)
    if (!rlimits_have(list, rlimit_types[i]) && rlimit_inherits_more(policy, facts, rlimit_types[i]))
      return control_broken(err, LIMIT_RLIMITS, "%s is inherited and above its ceiling", rlimit_types[i]);
  return 0;
}

static int unified_holds(enum spec_kind kind, const json_t *after, const struct policy *policy,
                         const struct facts *facts, struct error *err) {
  const char *key;
  json_t *value;
  json_t *unified = control_at(after, LIMIT_UNIFIED);
  json_object_foreach(unified, key, value) {
    int64_t ceiling;
    const char *text = json_string_value(value);
    bool fine = text && (limits_unified_ceiling(policy, facts, key, &ceiling)
                             ? limits_unified_within(key, text, ceiling)
                             : strlist_matches(&policy->resources.unified, key) ||
                                   (kind == SPEC_CONFIG && limits_unified_only_limits(key)));
    if (!fine)
      return control_broken(err, LIMIT_UNIFIED, "\"%s\" is not to be written", key);
  }
  return 0;
}

int resources_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                     const struct facts *facts, struct error *err) {
  bool update = kind == SPEC_RESOURCES;
  if (!update && rlimits_hold(after, policy, facts, err))
    return -1;
  if (kind == SPEC_PROCESS)
    return 0;
  if (cgroup_path_wrong(control_text(after, LIMIT_CGROUP)))
    return control_broken(err, LIMIT_CGROUP, "climbs, or is the root");
  if (update && control_at(after, LIMIT_DEVICES))
    return control_broken(err, LIMIT_DEVICES, "is in an update");
  if (json_is_true(control_at(after, LIMIT_OOM)))
    return control_broken(err, LIMIT_OOM, "is true");
  if (ceiling_holds(after, update, LIMIT_PIDS, "pids.max", policy->resources.pids_max, err) ||
      ceiling_holds(after, update, LIMIT_MEMORY, "memory.max", policy->resources.memory_max, err) ||
      cpu_holds(after, update, policy, facts, err))
    return -1;
  const json_t *swap = control_at(after, LIMIT_SWAP);
  if (policy->resources.memory_max >= 0 && swap && !limit_is_zero(swap) &&
      limit_read(swap) > policy->resources.memory_max)
    return control_broken(err, LIMIT_SWAP, "is above the ceiling");
  return unified_holds(kind, after, policy, facts, err);
}

/* The limit that counts: the last entry of the type. NULL: none. */
static const json_t *rlimit_of(const json_t *list, const char *type) {
  for (size_t i = json_array_size(list); i-- > 0;) {
    const json_t *entry = json_array_get(list, i);
    const char *is = json_string_value(json_object_get(entry, "type"));
    if (is && strcmp(is, type) == 0)
      return entry;
  }
  return NULL;
}

/* Nothing is lower than 0; else what is new must be known to lie within what was inherited. */
static bool rlimit_within_inherited(const json_t *entry, const char *type, const struct facts *facts) {
  const uint64_t hard = rlimit_read(json_object_get(entry, "hard")),
                 soft = rlimit_read(json_object_get(entry, "soft"));
  const struct rlimit_fact *inherited = facts_rlimit(facts, type);
  return hard == 0 || (inherited && hard <= inherited->hard && soft <= inherited->soft);
}

static int rlimits_not_weaker(const json_t *before, const json_t *after, const struct facts *facts,
                              struct error *err) {
  const json_t *b = control_at(before, LIMIT_RLIMITS), *a = control_at(after, LIMIT_RLIMITS);
  for (size_t i = 0; i < json_array_size(b); i++) {
    const char *type = json_string_value(json_object_get(json_array_get(b, i), "type"));
    const json_t *was = type ? rlimit_of(b, type) : NULL, *is = type ? rlimit_of(a, type) : NULL;
    if (was && (!is || rlimit_read(json_object_get(is, "hard")) > rlimit_read(json_object_get(was, "hard")) ||
                rlimit_read(json_object_get(is, "soft")) > rlimit_read(json_object_get(was, "soft"))))
      return control_broken(err, LIMIT_RLIMITS, "%s is higher than before", type);
  }
  for (size_t i = 0; i < json_array_size(a); i++) {
    const json_t *entry = json_array_get(a, i);
    const char *type = json_string_value(json_object_get(entry, "type"));
    if (type && !rlimit_of(b, type) && !rlimit_within_inherited(entry, type, facts))
      return control_broken(err, LIMIT_RLIMITS, "%s may be higher than what was inherited", type);
  }
  return 0;
}

/* What was named and is no more, in an update, stays as it is on the node: nothing is loosened. */
static bool gone(const json_t *after, bool update, const char *pointer, const char *file) {
  return update && !control_at(after, pointer) && !json_object_get(control_at(after, LIMIT_UNIFIED), file);
}

static int limits_not_weaker(bool update, const json_t *before, const json_t *after, struct error *err) {
  static const struct {
    const char *pointer, *file;
  } rows[] = { { LIMIT_PIDS, "pids.max" },
               { LIMIT_MEMORY, "memory.max" },
               { LIMIT_SWAP, "memory.swap.max" } };
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
    if (!gone(after, update, rows[i].pointer, rows[i].file) &&
        effective_limit(after, rows[i].pointer, rows[i].file) >
            effective_limit(before, rows[i].pointer, rows[i].file))
      return control_broken(err, rows[i].pointer, "is higher than before");
  if (!gone(after, update, LIMIT_QUOTA, "cpu.max") &&
      cpu_limit_above(effective_cpu(after), effective_cpu(before)))
    return control_broken(err, LIMIT_QUOTA, "is higher than before");
  if (json_is_true(control_at(after, LIMIT_OOM)) && !json_is_true(control_at(before, LIMIT_OOM)))
    return control_broken(err, LIMIT_OOM, "was not true");
  return 0;
}

/* Those that override an OCI member are judged with it. */
static bool overrides(const char *key) {
  static const char *const keys[] = { "pids.max", "memory.max", "memory.swap.max", "cpu.max" };
  for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
    if (strcmp(key, keys[i]) == 0)
      return true;
  return false;
}

static int unified_not_weaker(bool update, const json_t *before, const json_t *after, struct error *err) {
  const json_t *b = control_at(before, LIMIT_UNIFIED), *a = control_at(after, LIMIT_UNIFIED);
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)a, key, value) {
    const json_t *was = json_object_get(b, key);
    if (!was || (!overrides(key) && !json_equal(was, value)))
      return control_broken(err, LIMIT_UNIFIED, "\"%s\" was not written so", key);
  }
  json_object_foreach((json_t *)b, key, value) {
    if (!update && !overrides(key) && limits_unified_only_limits(key) && !json_object_get(a, key))
      return control_broken(err, LIMIT_UNIFIED, "the limit \"%s\" is gone", key);
  }
  return 0;
}

int resources_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                         const struct facts *facts, struct error *err) {
  (void)facts;
  bool update = kind == SPEC_RESOURCES;
  if (!update && rlimits_not_weaker(before, after, facts, err))
    return -1;
  if (kind == SPEC_PROCESS)
    return 0;
  if (limits_not_weaker(update, before, after, err))
    return -1;
  return unified_not_weaker(update, before, after, err);
}
