/* SPDX-License-Identifier: Apache-2.0 */
/* An entry of a config's uidMappings or gidMappings, of the container's or of a mount's. */
#ifndef HARDEN_SPEC_MAPPING_H
#define HARDEN_SPEC_MAPPING_H

#include "io/jsonx.h"

struct spec_mapping {
  uint64_t inside, outside, size;
};
/* What it does not say is 0. */
struct spec_mapping spec_mapping_of(const json_t *entry) MUST_CHECK;
/* Does it map `inside`? *ret is what to. */
bool spec_mapping_covers(const struct spec_mapping *m, uint64_t inside, uint64_t *ret) MUST_CHECK;

#endif
