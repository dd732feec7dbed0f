/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/spec.h"

#include "base/str.h"
#include "io/path.h"

#include <stdlib.h>
#include <string.h>

const char *const action_names[] = { "harden", "deny", "audit", "off", NULL };

const char *action_name(enum action a) {
  return action_names[a];
}

const char *outcome_name(enum outcome o) {
  switch (o) {
  case OUTCOME_CHANGED:
    return "changed";
  case OUTCOME_AUDITED:
    return "audited";
  case OUTCOME_FINDING:
    return "finding";
  case OUTCOME_REFUSED:
    return "refused";
  }
  return "unknown";
}

/* The process's environment and the hooks': values there may be secrets. */
static bool is_environment(const char *pointer) {
  return path_is_below(pointer, "/process/env") || glob_match("/hooks/*/env", pointer) ||
         glob_match("/hooks/*/env/*", pointer);
}

static bool may_hold_environment(const char *pointer) {
  return !*pointer || strcmp(pointer, "/process") == 0 || path_is_below(pointer, "/hooks");
}

static void drop_environment(json_t *value) {
  size_t i;
  const char *key;
  json_t *item;
  (void)json_object_del(value, "env");
  json_object_foreach(value, key, item) {
    drop_environment(item);
  }
  json_array_foreach(value, i, item) {
    drop_environment(item);
  }
}

/* What may be remembered of a value: not a word of an environment, so that no printer of the journal can leak
 * one. */
static json_t *without_environment(const char *pointer, json_t *value) {
  if (!value || is_environment(pointer))
    return NULL;
  if (!may_hold_environment(pointer))
    return json_incref(value);
  json_t *copy = jsonx_copy(value);
  drop_environment(copy);
  return copy;
}

void journal_add(struct journal *j, const char *control, const char *rule, enum outcome outcome,
                 const char *pointer, json_t *before, json_t *after, const char *reason) {
  j->entries = xgrow(j->entries, j->len, sizeof *j->entries);
  j->entries[j->len++] = (struct journal_entry){
    .control = control,
    .rule = rule,
    .outcome = outcome,
    .pointer = xstrdup(pointer),
    .before = without_environment(pointer, before),
    .after = without_environment(pointer, after),
    .reason = xstrdup(reason),
  };
}

void journal_free(struct journal *j) {
  for (size_t i = 0; i < j->len; i++) {
    free(j->entries[i].pointer);
    json_decref(j->entries[i].before);
    json_decref(j->entries[i].after);
    free(j->entries[i].reason);
  }
  free(j->entries);
  *j = (struct journal){ 0 };
}

json_t *journal_encode(const struct journal *j) {
  json_t *out = json_array();
  if (!out)
    die_out_of_memory();
  for (size_t i = 0; i < j->len; i++) {
    const struct journal_entry *e = &j->entries[i];
    json_t *entry = json_object();
    if (!entry)
      die_out_of_memory();
    jsonx_set_new(entry, "control", jsonx_string_new(e->control));
    jsonx_set_new(entry, "rule", jsonx_string_new(e->rule));
    jsonx_set_new(entry, "outcome", jsonx_string_new(outcome_name(e->outcome)));
    jsonx_set_new(entry, "pointer", jsonx_string_new(e->pointer));
    if (e->before)
      jsonx_set_new(entry, "before", json_incref(e->before));
    if (e->after)
      jsonx_set_new(entry, "after", json_incref(e->after));
    jsonx_set_new(entry, "reason", jsonx_string_new(e->reason));
    jsonx_append_new(out, entry);
  }
  return out;
}
