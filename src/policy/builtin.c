/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"

#include <string.h>

const struct builtin *builtin_find(const struct builtin *list, const char *name) {
  for (const struct builtin *b = list; b->name; b++)
    if (strcmp(b->name, name) == 0)
      return b;
  return NULL;
}
