/* SPDX-License-Identifier: Apache-2.0 */
/*
 * no_new_privs: execve gives nothing that the process does not have, so setuid files, file capabilities and
 * set-group-ID files of an image are only files. An exec inherits nothing of it: runc takes the flag from the
 * process file, and false or absent leaves it off.
 */
#include "control/common.h"

static const char pointer[] = "/process/noNewPrivileges";

const struct control_rule no_new_privileges_rules[] = {
  { "OH-NNP-001", "no_new_privs is on, so that no file of the image can give privileges" },
  { NULL, NULL },
};

int no_new_privileges_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                            struct error *err) {
  (void)policy, (void)facts;
  if (!spec_at(spec, "/process"))
    return 0; /* a container without a process starts none */
  return spec_set(spec, pointer, json_true(),
                  (struct reason){ no_new_privileges_rules[0].id,
                                   "setuid files and file capabilities must give nothing" },
                  err);
}

int no_new_privileges_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                             const struct facts *facts, struct error *err) {
  (void)kind, (void)policy, (void)facts;
  if (control_at(after, "/process") && !json_is_true(control_at(after, pointer)))
    return control_broken(err, pointer, "is not true");
  return 0;
}

int no_new_privileges_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                                 const struct facts *facts, struct error *err) {
  (void)kind, (void)facts;
  if (json_is_true(control_at(before, pointer)) && !json_is_true(control_at(after, pointer)))
    return control_broken(err, pointer, "was true and is no more");
  return 0;
}
