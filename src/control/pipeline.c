/* SPDX-License-Identifier: Apache-2.0 */
#include "control/control.h"
#include "control/user_namespace.h"

int harden_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                 struct error *err) {
  for (const struct control *c = controls; c->name; c++) {
    enum action action = control_action(c, policy);
    if (action == ACTION_OFF || !control_judges(c, spec->kind))
      continue;
    spec_begin(spec, c->name, action);
    if (c->apply(spec, policy, facts, err))
      return -1;
  }
  return 0;
}

int harden_finish(struct spec *spec, const struct facts *facts, json_t **ret_outside, struct error *err) {
  const char *key;
  json_t *value;
  *ret_outside = NULL;
  if (spec->kind != SPEC_CONFIG || !user_namespace_is_ours(spec->root, facts))
    return 0;
  json_auto_t *was = spec_snapshot(spec, "/linux/sysctl");
  spec_begin(spec, "user-namespace", ACTION_HARDEN);
  if (user_namespace_leave_out(spec, facts, err))
    return -1;
  json_object_foreach(was, key, value) {
    if (json_object_get(spec_at(spec, "/linux/sysctl"), key))
      continue;
    if (!*ret_outside && !(*ret_outside = json_object()))
      die_out_of_memory();
    jsonx_set_new(*ret_outside, key, json_incref(value));
  }
  return 0;
}

/* Does the control promise something of the output? Audit records and off is silent. */
static bool promises(enum action action) {
  switch (action) {
  case ACTION_HARDEN:
  case ACTION_DENY:
    return true;
  case ACTION_AUDIT:
  case ACTION_OFF:
    return false;
  }
  return true;
}

int harden_verify(enum spec_kind kind, const json_t *before, const json_t *after, const struct policy *policy,
                  const struct facts *facts, struct error *err) {
  for (const struct control *c = controls; c->name; c++) {
    if (!control_judges(c, kind))
      continue;
    if (promises(control_action(c, policy)) && c->verify(kind, after, policy, facts, err))
      return error_wrap(err, "the output breaks the promise of %s", c->name);
    if (c->not_weaker(kind, before, after, facts, err))
      return error_wrap(err, "the output is weaker than the input in %s", c->name);
  }
  return invariants_verify(kind, before, after, policy, facts, err);
}

int harden_keeps(const json_t *config, const struct policy *policy, const struct facts *facts,
                 struct error *err) {
  for (const struct control *c = controls; c->name; c++)
    if (promises(control_action(c, policy)) && c->verify(SPEC_CONFIG, config, policy, facts, err))
      return error_wrap(err, "%s", c->name);
  return 0;
}
