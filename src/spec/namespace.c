/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/namespace.h"

#include <string.h>

const json_t *spec_namespace(const json_t *config, const char *type) {
  const json_t *list = jsonx_at(config, SPEC_NAMESPACES);
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *entry = json_array_get(list, i);
    const char *is = json_string_value(json_object_get(entry, "type"));
    if (is && strcmp(is, type) == 0)
      return entry;
  }
  return NULL;
}

const char *spec_namespace_path(const json_t *config, const char *type) {
  const char *path = json_string_value(json_object_get(spec_namespace(config, type), "path"));
  return path && *path ? path : NULL;
}

bool spec_namespace_is_new(const json_t *config, const char *type) {
  return spec_namespace(config, type) && !spec_namespace_path(config, type);
}
