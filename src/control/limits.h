/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the numbers of linux.resources and process.rlimits mean, for the control resources.
 */
#ifndef HARDEN_CONTROL_LIMITS_H
#define HARDEN_CONTROL_LIMITS_H

#include "facts/facts.h"
#include "policy/policy.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define LIMIT_PIDS "/linux/resources/pids/limit"
#define LIMIT_MEMORY "/linux/resources/memory/limit"
#define LIMIT_SWAP "/linux/resources/memory/swap"
#define LIMIT_OOM "/linux/resources/memory/disableOOMKiller"
#define LIMIT_QUOTA "/linux/resources/cpu/quota"
#define LIMIT_PERIOD "/linux/resources/cpu/period"
#define LIMIT_BURST "/linux/resources/cpu/burst"
#define LIMIT_UNIFIED "/linux/resources/unified"
#define LIMIT_DEVICES "/linux/resources/devices"
#define LIMIT_CGROUP "/linux/cgroupsPath"
#define LIMIT_RLIMITS "/process/rlimits"

#define LIMIT_NONE INT64_MAX

/* What is wrong with a cgroupsPath (NULL: none given): a sentence, or NULL. Static. */
const char *cgroup_path_wrong(const char *path);

/* Absent, 0 and below: LIMIT_NONE. */
int64_t limit_read(const json_t *value);
bool limit_is_zero(const json_t *value);

struct cpu_limit {
  int64_t quota;  /* microseconds in each period; -1: none */
  int64_t period; /* microseconds; the kernel's default when absent */
};
struct cpu_limit cpu_limit_read(const json_t *quota, const json_t *period);
/* Of thousandths of a CPU; the period is kept where the kernel takes the quota that comes of it. */
struct cpu_limit cpu_limit_ceiling(int64_t thousandths, int64_t period);
/* Is a more than b? No quota is more than any. */
bool cpu_limit_above(struct cpu_limit a, struct cpu_limit b);

/* The four cgroup v2 files that override an OCI member: is the key one, with a ceiling in the policy? */
bool limits_unified_ceiling(const struct policy *policy, const struct facts *facts, const char *key,
                            int64_t *ret);
/* Is the file's value a limit, and not above the ceiling? */
bool limits_unified_within(const char *key, const char *value, int64_t ceiling);
/* A file whose absence means no limit, so that naming it can only tighten: *.max, *.high. */
bool limits_unified_only_limits(const char *key);

/* What the config as a whole allows, cgroup v2 overrides included; LIMIT_NONE where there is none. */
int64_t effective_limit(const json_t *doc, const char *pointer, const char *unified_key);
/* Memory and swap together, of which the file of cgroup v2 counts only the latter. */
int64_t effective_swap(const json_t *doc);
struct cpu_limit effective_cpu(const json_t *doc);

/* The policy's hard ceiling of "RLIMIT_NOFILE", ...; -1: none. */
int64_t rlimit_ceiling(const struct policy *policy, const char *type);
/* The types that there are ceilings for. */
extern const char *const rlimit_types[RLIMIT_FACTS];
/* Would a process whose document does not name the type have more than the policy's ceiling? What is not
 * known to be inherited is not lowered, but for core dumps that the policy wants off. */
bool rlimit_inherits_more(const struct policy *policy, const struct facts *facts, const char *type);
/* Not readable or absent: infinity. */
uint64_t rlimit_read(const json_t *value);
/* Is the type in the list? */
bool rlimits_have(const json_t *list, const char *type);

#endif
