/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What spans two controls, and so no control can promise alone.
 */
#include "control/common.h"

int invariants_verify(enum spec_kind kind, const json_t *before, const json_t *after,
                      const struct policy *policy, const struct facts *facts, struct error *err) {
  (void)kind, (void)policy, (void)facts;
  if (json_object_size(before) > 0 && json_object_size(after) == 0)
    return control_broken(err, "/", "the output is empty");
  return 0;
}
