/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/mapping.h"

struct spec_mapping spec_mapping_of(const json_t *entry) {
  struct spec_mapping m = { 0 };
  jsonx_u64_get(json_object_get(entry, "containerID"), &m.inside);
  jsonx_u64_get(json_object_get(entry, "hostID"), &m.outside);
  jsonx_u64_get(json_object_get(entry, "size"), &m.size);
  return m;
}

bool spec_mapping_covers(const struct spec_mapping *m, uint64_t inside, uint64_t *ret) {
  if (inside < m->inside || inside - m->inside >= m->size)
    return false;
  *ret = m->outside + (inside - m->inside);
  return true;
}
