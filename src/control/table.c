/* SPDX-License-Identifier: Apache-2.0 */
#include "control/common.h"

#include <string.h>

#define SECTION(member) offsetof(struct policy, member.action)
#define FUNCTIONS(name) .apply = name##_apply, .verify = name##_verify, .not_weaker = name##_not_weaker

/*
 * In order of application: first what the process is, then what surrounds it, last what speaks to the
 * runtime. Controls know nothing of each other; where a row must stand before another, it says why.
 */
const struct control controls[] = {
  {
      .name = "no-new-privileges",
      .action_offset = SECTION(no_new_privileges),
      .on_exec = true,
      FUNCTIONS(no_new_privileges),
      .technique = "T1548.001",
      .guarantee = "no file of the image can give a process privileges that it does not have",
      .rules = no_new_privileges_rules,
  },
  { .name = NULL },
};

const struct control *control_find(const char *name) {
  for (const struct control *c = controls; c->name; c++)
    if (strcmp(c->name, name) == 0)
      return c;
  return NULL;
}

enum action control_action(const struct control *c, const struct policy *p) {
  int section;
  memcpy(&section, (const char *)p + c->action_offset, sizeof section);
  return policy_action(p, section);
}

bool control_judges(const struct control *c, enum spec_kind kind) {
  switch (kind) {
  case SPEC_CONFIG:
    return true;
  case SPEC_PROCESS:
    return c->on_exec;
  case SPEC_RESOURCES:
    return c->on_update;
  }
  return true;
}
