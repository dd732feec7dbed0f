/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capability sets. runc and crun take the five sets as they are written, in config.json and again in the
 * process file of every exec; what is absent is empty, except for an exec: a process file without
 * `capabilities` gets the container's bounding set, in all of bounding, permitted and effective (runc 1.1.5
 * and crun 1.8.1, measured). An unknown name is a warning for runc, which then runs without it.
 */
#include "control/common.h"
#include "kernel/caps.h"

#include <string.h>

#define SETS "/process/capabilities"

/* Outer before inner: each is cut to the one before it. */
static const struct {
  const char *pointer;
  const char *within; /* NULL: only the policy bounds it */
} nested[] = {
  { SETS "/bounding", NULL },
  { SETS "/permitted", SETS "/bounding" },
  { SETS "/effective", SETS "/permitted" },
};
static const char *const inherited[] = { SETS "/inheritable", SETS "/ambient" };

enum { RULE_BEYOND, RULE_INHERITED, RULE_UNKNOWN, RULE_EXPLICIT, RULE_NESTED };
const struct control_rule capabilities_rules[] = {
  [RULE_BEYOND] = { "OH-CAP-001", "capabilities that the policy does not allow are removed from every set" },
  [RULE_INHERITED] = { "OH-CAP-002",
                       "the inheritable and ambient sets are empty, so that no execve carries privileges" },
  [RULE_UNKNOWN] = { "OH-CAP-003", "an unknown capability name is refused; runtimes only warn" },
  [RULE_EXPLICIT] = { "OH-CAP-004",
                      "an exec that names no capabilities gets none, not all that the container may have" },
  [RULE_NESTED] = { "OH-CAP-005", "effective lies within permitted, and permitted within bounding" },
  { NULL, NULL },
};

static bool allows(const struct policy *policy, const char *name) {
  return strlist_has(&policy->capabilities.allow, "ALL") || strlist_has(&policy->capabilities.allow, name);
}

static int refuse_unknown(struct spec *spec, const char *pointer, struct error *err) {
  const json_t *set = spec_at(spec, pointer);
  for (size_t i = 0; i < json_array_size(set); i++) {
    const char *name = json_string_value(json_array_get(set, i));
    if (kernel_cap_number(name) >= 0)
      continue;
    CLEANUP_FREE char *item = xasprintf("%s/%zu", pointer, i);
    CLEANUP_FREE char *text =
        xasprintf("unknown capability \"%s\"; names are those of capabilities(7)", name ? name : "");
    if (spec_refuse(spec, item, (struct reason){ capabilities_rules[RULE_UNKNOWN].id, text }, err))
      return -1;
  }
  return 0;
}

/* What of a set may stay, in its order; what may not is appended to `dropped`. NULL `within`: no bound. A
 * name that the kernel does not have cannot be given, whoever allows it. */
static json_t *cut(const json_t *set, const struct policy *policy, const struct facts *facts,
                   const json_t *within, bool bounded, struct str *dropped) {
  json_t *kept = json_array();
  for (size_t i = 0; i < json_array_size(set); i++) {
    json_t *item = json_array_get(set, i);
    const char *name = json_string_value(item);
    bool stays = bounded ? jsonx_has(within, name)
                         : allows(policy, name) && kernel_cap_number(name) <= facts->cap_last;
    if (stays) {
      jsonx_append_new(kept, json_incref(item));
      continue;
    }
    str_add(dropped, dropped->len ? ", " : "");
    str_add(dropped, name ? name : "?");
  }
  return kept;
}

static int cut_set(struct spec *spec, const char *pointer, const struct policy *policy,
                   const struct facts *facts, const char *within, struct error *err) {
  CLEANUP_STR struct str dropped = { 0 };
  json_auto_t *kept = cut(spec_at(spec, pointer), policy, facts, within ? spec_at(spec, within) : NULL,
                          within != NULL, &dropped);
  if (dropped.len == 0)
    return 0;
  int rule = within ? RULE_NESTED : RULE_BEYOND;
  CLEANUP_FREE char *text = within ? xasprintf("not in %s: %s", strrchr(within, '/') + 1, dropped.data)
                                   : xasprintf("not allowed by the policy: %s", dropped.data);
  return spec_set(spec, pointer, json_incref(kept), (struct reason){ capabilities_rules[rule].id, text },
                  err);
}

int capabilities_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                       struct error *err) {
  if (!spec_at(spec, "/process"))
    return 0;
  if (!spec_at(spec, SETS) && spec->kind == SPEC_PROCESS && !strlist_has(&policy->capabilities.allow, "ALL"))
    return spec_set(spec, SETS, json_object(),
                    (struct reason){ capabilities_rules[RULE_EXPLICIT].id,
                                     "absent would mean all that the container may have" },
                    err);
  for (size_t i = 0; i < ARRAY_SIZE(nested); i++)
    if (refuse_unknown(spec, nested[i].pointer, err))
      return -1;
  for (size_t i = 0; i < ARRAY_SIZE(inherited); i++) {
    if (refuse_unknown(spec, inherited[i], err))
      return -1;
    if (json_array_size(spec_at(spec, inherited[i])) == 0)
      continue;
    if (spec_set(
            spec, inherited[i], json_array(),
            (struct reason){ capabilities_rules[RULE_INHERITED].id, "no execve is to carry privileges over" },
            err))
      return -1;
  }
  for (size_t i = 0; i < ARRAY_SIZE(nested); i++)
    if (cut_set(spec, nested[i].pointer, policy, facts, NULL, err))
      return -1;
  for (size_t i = 1; i < ARRAY_SIZE(nested); i++)
    if (cut_set(spec, nested[i].pointer, policy, facts, nested[i].within, err))
      return -1;
  return 0;
}

static const char *const sets[] = { "bounding", "permitted", "effective", "inheritable", "ambient" };

int capabilities_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                        const struct facts *facts, struct error *err) {
  if (kind == SPEC_PROCESS && !control_at(after, SETS) && !strlist_has(&policy->capabilities.allow, "ALL"))
    return control_broken(err, SETS, "an exec would get all that the container may have");
  for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
    bool must_be_empty = strcmp(sets[i], "inheritable") == 0 || strcmp(sets[i], "ambient") == 0;
    CLEANUP_FREE char *pointer = jsonx_pointer(SETS, sets[i]);
    const json_t *set = control_at(after, pointer);
    for (size_t j = 0; j < json_array_size(set); j++) {
      const char *name = json_string_value(json_array_get(set, j));
      if (must_be_empty || kernel_cap_number(name) < 0 || kernel_cap_number(name) > facts->cap_last ||
          !allows(policy, name))
        return control_broken(err, pointer, "holds %s", name ? name : "no name");
    }
  }
  if (!control_subset(control_at(after, SETS "/effective"), control_at(after, SETS "/permitted")) ||
      !control_subset(control_at(after, SETS "/permitted"), control_at(after, SETS "/bounding")))
    return control_broken(err, SETS, "the sets are not nested");
  return 0;
}

int capabilities_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                            const struct facts *facts, struct error *err) {
  (void)facts;
  for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
    CLEANUP_FREE char *pointer = jsonx_pointer(SETS, sets[i]);
    if (!control_subset(control_at(after, pointer), control_at(before, pointer)))
      return control_broken(err, pointer, "has gained a capability");
  }
  if (kind == SPEC_PROCESS && control_at(before, SETS) && !control_at(after, SETS))
    return control_broken(err, SETS, "is gone, and an exec without it gets all that the container may have");
  return 0;
}
