/* SPDX-License-Identifier: Apache-2.0 */
/* Values that are of their type, and not what both runtimes take for the same. */
#include "spec/shape.h"

#include "base/str.h"
#include "io/path.h"

#include <string.h>

/* "1.0.2-dev", "1.2.1+x": major 1, minor and patch digits. */
static bool is_version_1(const char *s) {
  if (!str_starts(s, "1."))
    return false;
  s += 2;
  size_t minor = strspn(s, "0123456789");
  if (!minor || s[minor] != '.')
    return false;
  s += minor + 1;
  size_t patch = strspn(s, "0123456789");
  return patch && (s[patch] == '\0' || s[patch] == '-' || s[patch] == '+');
}

int values_check_version(const struct spec *spec, struct error *err) {
  if (spec->kind != SPEC_CONFIG)
    return 0;
  const json_t *version = spec_at(spec, "/ociVersion");
  if (!json_is_string(version))
    return spec_error(err, spec, ERROR_INPUT, "OH-SPC-002", "/ociVersion", false,
                      version ? "must be a string" : "is missing");
  if (!is_version_1(json_string_value(version)))
    return spec_error(err, spec, ERROR_INPUT, "OH-SPC-002", "/ociVersion", false,
                      "unsupported version \"%s\": only 1.x.y is understood", json_string_value(version));
  return 0;
}

/* Of two items of the same kind runc takes one or refuses, crun takes another. */
static int check_unique(const struct spec *spec, const char *array, const char *key, struct error *err) {
  enum { TYPES_MAX = 64 }; /* far more than there are; bounds the comparisons */
  const json_t *items = spec_at(spec, array);
  if (json_array_size(items) > TYPES_MAX)
    return spec_error(err, spec, ERROR_REFUSED, "OH-SPC-007", array, false, "has more than %d items",
                      (int)TYPES_MAX);
  for (size_t i = 0; i < json_array_size(items); i++) {
    const char *mine = json_string_value(json_object_get(json_array_get(items, i), key));
    for (size_t k = 0; k < i; k++) {
      if (strcmp(mine, json_string_value(json_object_get(json_array_get(items, k), key))) != 0)
        continue;
      CLEANUP_FREE char *pointer = xasprintf("%s/%zu", array, i);
      return spec_error(err, spec, ERROR_REFUSED, "OH-SPC-007", pointer, false,
                        "%s \"%s\" was given before; runtimes disagree on which one counts", key, mine);
    }
  }
  return 0;
}

/* "/" is the class that every process is in: the host's, which nobody may shape anew. */
static bool is_default_class(const struct spec *spec, const char *id) {
  return strcmp(id, "/") == 0 && !spec_at(spec, "/linux/intelRdt/schemata") &&
         !spec_at(spec, "/linux/intelRdt/l3CacheSchema") && !spec_at(spec, "/linux/intelRdt/memBwSchema");
}

/* Both runtimes make a directory of that name below /sys/fs/resctrl; runc refuses one that leads elsewhere.
 */
static int check_closid(const struct spec *spec, struct error *err) {
  static const char pointer[] = "/linux/intelRdt/closID";
  const char *id = json_string_value(spec_at(spec, pointer));
  if (!id || is_default_class(spec, id) ||
      !(strchr(id, '/') || strcmp(id, ".") == 0 || strcmp(id, "..") == 0))
    return 0;
  return spec_error(err, spec, ERROR_REFUSED, "OH-SPC-008", pointer, false, "must be a plain name");
}

/* runc takes ".." out of a text before anything is looked up; crun leaves it to the kernel, which follows the
 * link before it. Of an absolute source runc leaves it too, and of an absolute root at times. */
static int check_dots(const struct spec *spec, const char *pointer, bool absolute, struct error *err) {
  const char *path = json_string_value(spec_at(spec, pointer));
  if (!path || (*path == '/' && !absolute) || !path_names_parent(path))
    return 0;
  return spec_error(
      err, spec, ERROR_REFUSED, "OH-SPC-009", pointer, false,
      "has \"..\", which runc reads as text and crun behind symbolic links; write an absolute path "
      "without it");
}

/* What is looked at has to be what the runtime finds. */
static int check_paths(const struct spec *spec, struct error *err) {
  const size_t mounts = json_array_size(spec_at(spec, "/mounts"));
  if (check_dots(spec, "/root/path", true, err) < 0)
    return -1;
  for (size_t i = 0; i < mounts; i++) {
    CLEANUP_FREE char *pointer = xasprintf("/mounts/%zu/source", i);
    if (check_dots(spec, pointer, false, err) < 0)
      return -1;
  }
  return 0;
}

int values_check(const struct spec *spec, struct error *err) {
  if (check_paths(spec, err) < 0)
    return -1;
  return check_unique(spec, "/linux/namespaces", "type", err) < 0 ||
                 check_unique(spec, "/process/rlimits", "type", err) < 0
             ? -1
             : check_closid(spec, err);
}
