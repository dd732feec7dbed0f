/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources: ceilings of processes, memory and CPU, rlimits, and the cgroup v2 files that a config may name.
 * A config must have every ceiling that the policy asks for; an update changes only what it names, so there a
 * ceiling is never added, and a value that some runtimes take for "no limit" and others for "as it is" (0) is
 * taken out. On exec only the rlimits are judged.
 */
#include "control/common.h"
#include "control/limits.h"

#include <inttypes.h>
#include <string.h>

enum resources_rule {
  RULE_PIDS,
  RULE_MEMORY,
  RULE_SWAP,
  RULE_CPU,
  RULE_OOM,
  RULE_RLIMIT,
  RULE_UNIFIED,
  RULE_UPDATE_DEVICES,
  RULE_CGROUP,
};

const struct control_rule resources_rules[] = {
  [RULE_PIDS] = { "OH-RES-001", "the number of processes has a ceiling" },
  [RULE_MEMORY] = { "OH-RES-002", "memory has a ceiling" },
  [RULE_SWAP] = { "OH-RES-003", "memory and swap together stay below the ceiling where swap is spoken of" },
  [RULE_CPU] = { "OH-RES-004", "CPU time has a ceiling" },
  [RULE_OOM] = { "OH-RES-005", "a container that exceeds its memory is killed, not left hanging" },
  [RULE_RLIMIT] = { "OH-RES-006", "rlimits stay below their ceilings" },
  [RULE_UNIFIED] = { "OH-RES-007", "only the cgroup files that the policy lists are written" },
  [RULE_UPDATE_DEVICES] = { "OH-RES-008", "an update changes no device rule" },
  [RULE_CGROUP] = { "OH-RES-009",
                    "a cgroup's path neither climbs nor is the root, whose limits are the host's" },
  { NULL, NULL },
};

static struct reason why(enum resources_rule rule, const char *text) {
  return (struct reason){ resources_rules[rule].id, text };
}

struct turn {
  struct spec *spec;
  const struct policy *policy;
  const struct facts *facts;
  struct error *err;
};

static int set_number(const struct turn *t, const char *pointer, int64_t value, enum resources_rule rule,
                      const char *text) {
  return spec_set(t->spec, pointer, json_integer(value), why(rule, text), t->err);
}

/* A limit where 0 and below mean none; the ceiling is not -1. */
static int cap_limit(const struct turn *t, const char *pointer, int64_t ceiling, enum resources_rule rule,
                     const char *text) {
  const json_t *value = spec_at(t->spec, pointer);
  int64_t limit = limit_read(value);
  if (limit <= ceiling)
    return 0;
  bool update = t->spec->kind == SPEC_RESOURCES;
  if (update && !value)
    return 0;
  if (update && json_integer_value(value) == 0 && json_is_integer(value))
    return spec_remove(t->spec, pointer, why(rule, "runtimes differ in what 0 means in an update"), t->err);
  return set_number(t, pointer, ceiling, rule, text);
}

static int harden_memory(const struct turn *t) {
  int64_t ceiling = t->policy->resources.memory_max;
  if (ceiling >= 0 && cap_limit(t, LIMIT_MEMORY, ceiling, RULE_MEMORY, "memory needs a ceiling"))
    return -1;
  /* Where the engine says nothing of swap nothing is added: a node without swap accounting refuses the key.
   */
  const json_t *swap = spec_at(t->spec, LIMIT_SWAP);
  if (ceiling >= 0 && swap && !limit_is_zero(swap) && limit_read(swap) > ceiling &&
      set_number(t, LIMIT_SWAP, ceiling, RULE_SWAP, "memory and swap together must stay below the ceiling"))
    return -1;
  if (!json_is_true(spec_at(t->spec, LIMIT_OOM)))
    return 0;
  return spec_remove(t->spec, LIMIT_OOM, why(RULE_OOM, "a container out of memory would hang for ever"),
                     t->err);
}

/* An update that names a period and no quota changes how much a quota set before is worth. */
static int update_period(const struct turn *t) {
  const char *text = "a period without its quota would change the limit that is set";
  if (spec_at(t->spec, LIMIT_QUOTA) &&
      spec_remove(t->spec, LIMIT_QUOTA, why(RULE_CPU, "runtimes differ in what 0 means in an update"),
                  t->err))
    return -1;
  return spec_remove(t->spec, LIMIT_PERIOD, why(RULE_CPU, text), t->err);
}

static int harden_cpu(const struct turn *t) {
  int64_t ceiling = t->policy->resources.cpu_max;
  if (ceiling < 0)
    return 0;
  const json_t *quota = spec_at(t->spec, LIMIT_QUOTA);
  struct cpu_limit now = cpu_limit_read(quota, spec_at(t->spec, LIMIT_PERIOD));
  if (t->spec->kind == SPEC_RESOURCES && (!quota || limit_is_zero(quota)))
    return update_period(t);
  /* On cgroup v1 a child's quota above its pod's is EINVAL, and a pause process uses none. */
  if (t->facts->sandbox && !quota)
    return 0;
  struct cpu_limit most = cpu_limit_ceiling(ceiling, now.period);
  if (now.quota >= 0 && !cpu_limit_above(now, most))
    return 0;
  const char *text = "CPU time needs a ceiling";
  if (set_number(t, LIMIT_QUOTA, most.quota, RULE_CPU, text) ||
      (most.period != now.period && set_number(t, LIMIT_PERIOD, most.period, RULE_CPU, text)))
    return -1;
  return spec_remove(t->spec, LIMIT_BURST, why(RULE_CPU, "a burst must not exceed the quota"), t->err);
}

/* Swap has no ceiling but this file's: it is lowered. The other files give way to the OCI member. */
static int lower_swap(const struct turn *t, const char *pointer) {
  CLEANUP_FREE char *text = xasprintf("%" PRId64, t->policy->resources.memory_max);
  return spec_set(t->spec, pointer, jsonx_string_new(text),
                  why(RULE_SWAP, "memory and swap together must stay below the ceiling"), t->err);
}

/* Does the policy list the file, or can it only limit? A file that overrides a ceiling may only be lower. */
static bool unified_fine(const struct turn *t, const char *key, const char *value) {
  int64_t ceiling;
  if (limits_unified_ceiling(t->policy, t->facts, key, &ceiling))
    return limits_unified_within(key, value, ceiling);
  if (strlist_matches(&t->policy->resources.unified, key))
    return true;
  return t->spec->kind == SPEC_CONFIG && limits_unified_only_limits(key);
}

static int harden_unified(const struct turn *t) {
  json_auto_t *map = spec_snapshot(t->spec, LIMIT_UNIFIED);
  const char *key;
  json_t *value;
  json_object_foreach(map, key, value) {
    const char *text = json_string_value(value);
    if (text && unified_fine(t, key, text))
      continue;
    CLEANUP_FREE char *pointer = jsonx_pointer(LIMIT_UNIFIED, key);
    if (text && strcmp(key, "memory.swap.max") == 0 && t->policy->resources.memory_max >= 0) {
      if (lower_swap(t, pointer))
        return -1;
    } else if (spec_remove(
                   t->spec, pointer,
                   why(RULE_UNIFIED, "the cgroup file is not one of resources.unified, or lifts a ceiling"),
                   t->err))
      return -1;
  }
  return 0;
}

/* What the document leaves out is inherited from the engine, which often has no limit itself. The new one is
 * above neither of the inherited: it takes no privilege, and nothing grows. */
static int add_rlimit(const struct turn *t, const char *type, int64_t ceiling) {
  const struct rlimit_fact *inherited = facts_rlimit(t->facts, type);
  const uint64_t soft = inherited ? inherited->soft : 0;
  json_t *entry = json_object();
  if (!entry)
    die_out_of_memory();
  jsonx_set_new(entry, "type", jsonx_string_new(type));
  jsonx_set_new(entry, "hard", json_integer(ceiling));
  jsonx_set_new(entry, "soft", json_integer(soft < (uint64_t)ceiling ? (int64_t)soft : ceiling));
  return spec_set(t->spec, LIMIT_RLIMITS "/-", entry,
                  why(RULE_RLIMIT, "the rlimit that would be inherited is above its ceiling"), t->err);
}

static int add_rlimits(const struct turn *t) {
  for (size_t i = 0; i < ARRAY_SIZE(rlimit_types); i++)
    if (!rlimits_have(spec_at(t->spec, LIMIT_RLIMITS), rlimit_types[i]) &&
        rlimit_inherits_more(t->policy, t->facts, rlimit_types[i]) &&
        add_rlimit(t, rlimit_types[i], rlimit_ceiling(t->policy, rlimit_types[i])))
      return -1;
  return 0;
}

static int harden_rlimits(const struct turn *t) {
  json_auto_t *list = spec_snapshot(t->spec, LIMIT_RLIMITS);
  for (size_t i = 0; i < json_array_size(list); i++) {
    json_auto_t *entry = jsonx_copy(json_array_get(list, i));
    int64_t ceiling = rlimit_ceiling(t->policy, json_string_value(json_object_get(entry, "type")));
    bool above = false;
    static const char *const keys[] = { "hard", "soft" };
    for (size_t k = 0; ceiling >= 0 && k < ARRAY_SIZE(keys); k++) {
      if (rlimit_read(json_object_get(entry, keys[k])) <= (uint64_t)ceiling)
        continue;
      jsonx_set_new(entry, keys[k], json_integer(ceiling));
      above = true;
    }
    CLEANUP_FREE char *pointer = xasprintf("%s/%zu", LIMIT_RLIMITS, i);
    if (above && spec_set(t->spec, pointer, json_incref(entry),
                          why(RULE_RLIMIT, "the rlimit is above its ceiling"), t->err))
      return -1;
  }
  return spec_at(t->spec, "/process") ? add_rlimits(t) : 0;
}

int resources_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                    struct error *err) {
  const struct turn t = { spec, policy, facts, err };
  if (spec->kind != SPEC_RESOURCES && harden_rlimits(&t))
    return -1;
  if (spec->kind == SPEC_PROCESS)
    return 0;
  const char *wrong = cgroup_path_wrong(control_text(spec->root, LIMIT_CGROUP));
  if (wrong && spec_refuse(spec, LIMIT_CGROUP, why(RULE_CGROUP, wrong), err))
    return -1;
  /* containerd sends the whole of linux.resources with an update; runc ignores these, crun writes them. */
  if (spec->kind == SPEC_RESOURCES &&
      spec_remove(spec, LIMIT_DEVICES, why(RULE_UPDATE_DEVICES, "an update changes limits, not devices"),
                  err))
    return -1;
  if (policy->resources.pids_max >= 0 &&
      cap_limit(&t, LIMIT_PIDS, policy->resources.pids_max, RULE_PIDS, "processes need a ceiling"))
    return -1;
  if (harden_memory(&t) || harden_cpu(&t))
    return -1;
  return harden_unified(&t);
}
