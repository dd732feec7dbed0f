/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masked and read-only paths: what of /proc and /sys shows the host or changes it. The engine's come first
 * and stay; docker's systempaths=unconfined is two empty lists, which are filled again.
 */
#include "control/common.h"
#include "io/path.h"

enum paths_rule { RULE_MASKED, RULE_READONLY, RULE_PLAIN };

const struct control_rule paths_rules[] = {
  [RULE_MASKED] = { "OH-PTH-001", "files of the kernel that show the host or help an exploit are masked" },
  [RULE_READONLY] = { "OH-PTH-002", "files of the kernel that change the host are read-only" },
  [RULE_PLAIN] = { "OH-PTH-003", "a masked or read-only path is absolute, and without \"..\"" },
  { NULL, NULL },
};

static const char masked_pointer[] = "/linux/maskedPaths";
static const char readonly_pointer[] = "/linux/readonlyPaths";

/* The list with what it lacks of `wanted`; `instead` holds paths that are out of reach already. New
 * reference, or NULL when nothing is lacking. */
static json_t *united(const json_t *list, const struct strlist *wanted, const json_t *instead) {
  json_t *out = NULL;
  for (size_t i = 0; i < wanted->len; i++) {
    const char *path = wanted->items[i];
    if (jsonx_has(out ? out : list, path) || jsonx_has(instead, path))
      continue;
    if (!out) {
      out = list ? jsonx_copy(list) : json_array();
      if (!out)
        die_out_of_memory();
    }
    jsonx_append_new(out, jsonx_string_new(path));
  }
  return out;
}

static bool is_plain(const json_t *path) {
  const char *text = json_string_value(path);
  return !text || (*text == '/' && !path_names_parent(text)); /* the shape of others is judged elsewhere */
}

static bool all_plain(const json_t *list) {
  for (size_t i = 0; i < json_array_size(list); i++)
    if (!is_plain(json_array_get(list, i)))
      return false;
  return true;
}

/* The started container is asked for each path by its name, as it is written. */
static int require_plain(struct spec *spec, const char *list_pointer, struct error *err) {
  const json_t *list = spec_at(spec, list_pointer);
  for (size_t i = 0; i < json_array_size(list); i++) {
    if (is_plain(json_array_get(list, i)))
      continue;
    CLEANUP_FREE char *pointer = jsonx_pointer_index(list_pointer, i);
    CLEANUP_FREE char *text = xasprintf("\"%s\" is not absolute, or has \"..\"; write the path that is meant",
                                        json_string_value(json_array_get(list, i)));
    if (spec_refuse(spec, pointer, (struct reason){ paths_rules[RULE_PLAIN].id, text }, err))
      return -1;
  }
  return 0;
}

int paths_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                struct error *err) {
  (void)facts;
  if (require_plain(spec, masked_pointer, err) || require_plain(spec, readonly_pointer, err))
    return -1;
  json_t *masked = united(spec_at(spec, masked_pointer), &policy->paths.masked, NULL);
  if (masked &&
      spec_set(spec, masked_pointer, masked,
               (struct reason){ paths_rules[RULE_MASKED].id,
                                "these files show the host or help an exploit, so they must be masked" },
               err))
    return -1;
  json_t *readonly =
      united(spec_at(spec, readonly_pointer), &policy->paths.readonly, spec_at(spec, masked_pointer));
  if (!readonly)
    return 0;
  return spec_set(spec, readonly_pointer, readonly,
                  (struct reason){ paths_rules[RULE_READONLY].id,
                                   "these files change the host, so they must be read-only" },
                  err);
}

int paths_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                 const struct facts *facts, struct error *err) {
  (void)kind, (void)facts;
  const json_t *masked = control_at(after, masked_pointer), *readonly = control_at(after, readonly_pointer);
  if (!all_plain(masked))
    return control_broken(err, masked_pointer, "a path is not absolute, or has \"..\"");
  if (!all_plain(readonly))
    return control_broken(err, readonly_pointer, "a path is not absolute, or has \"..\"");
  for (size_t i = 0; i < policy->paths.masked.len; i++)
    if (!jsonx_has(masked, policy->paths.masked.items[i]))
      return control_broken(err, masked_pointer, "%s is not masked", policy->paths.masked.items[i]);
  for (size_t i = 0; i < policy->paths.readonly.len; i++) {
    const char *path = policy->paths.readonly.items[i];
    if (!jsonx_has(readonly, path) && !jsonx_has(masked, path))
      return control_broken(err, readonly_pointer, "%s is not read-only", path);
  }
  return 0;
}

/* Is every path still there? What is added stands behind, so one walk tells; only other orders are searched.
 */
static bool all_there(const json_t *before, const json_t *after) {
  size_t i = 0, len = json_array_size(before);
  while (i < len && i < json_array_size(after) &&
         json_equal(json_array_get(before, i), json_array_get(after, i)))
    i++;
  return i == len || control_subset(before, after);
}

int paths_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                     const struct facts *facts, struct error *err) {
  (void)kind, (void)facts;
  if (!all_there(control_at(before, masked_pointer), control_at(after, masked_pointer)))
    return control_broken(err, masked_pointer, "a masked path is shown");
  if (!all_there(control_at(before, readonly_pointer), control_at(after, readonly_pointer)))
    return control_broken(err, readonly_pointer, "a read-only path is writable");
  return 0;
}
