/* SPDX-License-Identifier: Apache-2.0 */
#include "control/common.h"

#include "io/path.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

json_t *control_at(const json_t *root, const char *pointer) {
  json_t *value = jsonx_at(root, pointer);
  return json_is_null(value) ? NULL : value;
}

const char *control_text(const json_t *root, const char *pointer) {
  return json_string_value(control_at(root, pointer));
}

bool control_subset(const json_t *part, const json_t *whole) {
  for (size_t i = 0; i < json_array_size(part); i++) {
    const char *item = json_string_value(json_array_get(part, i));
    if (!item || !jsonx_has(whole, item))
      return false;
  }
  return true;
}

int control_broken(struct error *err, const char *pointer, const char *fmt, ...) {
  char text[1024];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  return error_set(err, ERROR_INTERNAL, 0, "%s: %s", pointer, text);
}

/* What its first component begins with, however it is spelt. 0: that takes a longer look. */
static char initial(const char *path) {
  return path[1] == '/' || path[1] == '.' ? '\0' : path[1];
}

bool control_path_below(const char *path, const char *dir) {
  if (*path != '/' || *dir != '/' || (initial(path) && initial(dir) && initial(path) != initial(dir)))
    return false;
  if (path_is_normal(path) && path_is_normal(dir))
    return path_is_below(path, dir);
  CLEANUP_FREE char *below = path_normalise(path);
  CLEANUP_FREE char *above = path_normalise(dir);
  return path_is_below(below, above);
}

bool control_path_same(const char *a, const char *b) {
  return control_path_below(a, b) && control_path_below(b, a);
}

bool control_path_climbs(const char *path) {
  for (const char *p = path; *p;) {
    p += strspn(p, "/");
    size_t len = strcspn(p, "/");
    if (len == 2 && p[0] == '.' && p[1] == '.')
      return true;
    p += len;
  }
  return false;
}
