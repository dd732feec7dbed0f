/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Environment variables whose names look like secrets. Everybody who can read /proc/PID/environ, `inspect` a
 * container or open its config.json has them. A variable is never taken away (the program would start without
 * its secret and fail in its own way): harden refuses like deny, audit records. Only names are read; a value
 * appears in no message, no journal, no event.
 */
#include "control/common.h"

#include <string.h>

#define ENV "/process/env"

const struct control_rule environment_rules[] = {
  { "OH-ENV-001", "a variable whose name looks like a secret is refused: it belongs into a file that only "
                  "the program reads" },
  { NULL, NULL },
};

/* The name in front of '='; NULL without one, when all of it may be a value that lost its name. */
static char *name_of(const char *variable) {
  const char *equals = strchr(variable, '=');
  if (!equals)
    return NULL;
  char *name = xcalloc((size_t)(equals - variable) + 1, 1);
  return memcpy(name, variable, (size_t)(equals - variable));
}

/* Thousands of variables are usual (each service of a namespace has seven): no allocation for a short name.
 */
static bool looks_secret(const char *variable, const struct policy *policy) {
  char small[128];
  size_t len = strcspn(variable, "=");
  CLEANUP_FREE char *large = len < sizeof small ? NULL : xcalloc(len + 1, 1);
  char *upper = large ? large : small;
  for (size_t i = 0; i < len; i++) {
    char c = variable[i];
    upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
  }
  upper[len] = '\0';
  if (!strlist_matches(&policy->environment.secrets, upper))
    return false;
  CLEANUP_FREE char *name = name_of(variable);
  return !strlist_matches(&policy->environment.allow, upper) &&
         !(name && strlist_matches(&policy->environment.allow, name));
}

int environment_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                      struct error *err) {
  const json_t *env = spec_at(spec, ENV);

  (void)facts;
  for (size_t i = 0; i < json_array_size(env); i++) {
    const char *variable = json_string_value(json_array_get(env, i));
    if (!variable || !looks_secret(variable, policy))
      continue;
    CLEANUP_FREE char *name = name_of(variable);
    CLEANUP_FREE char *pointer = xasprintf(ENV "/%zu", i);
    CLEANUP_FREE char *text =
        xasprintf("the variable \"%s\" looks like a secret: hand it over as a file, or list the name in "
                  "environment.allow",
                  name ? name : "(without =)");
    if (spec_refuse(spec, pointer, (struct reason){ environment_rules[0].id, text }, err))
      return -1;
  }
  return 0;
}

int environment_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                       const struct facts *facts, struct error *err) {
  const json_t *env = control_at(after, ENV);

  (void)kind, (void)facts;
  for (size_t i = 0; i < json_array_size(env); i++) {
    const char *variable = json_string_value(json_array_get(env, i));
    if (variable && looks_secret(variable, policy))
      return control_broken(err, ENV, "variable %zu looks like a secret", i);
  }
  return 0;
}

/* Nothing is added, changed or put in another order; what is left out was there before. */
int environment_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                           const struct facts *facts, struct error *err) {
  const json_t *was = control_at(before, ENV), *is = control_at(after, ENV);
  size_t at = 0;

  (void)kind, (void)facts;
  for (size_t i = 0; i < json_array_size(is); i++) {
    while (at < json_array_size(was) && !json_equal(json_array_get(was, at), json_array_get(is, i)))
      at++;
    if (at++ >= json_array_size(was))
      return control_broken(err, ENV, "variable %zu is new or has another value", i);
  }
  return 0;
}
