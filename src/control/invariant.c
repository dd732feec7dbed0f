/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What spans two controls or all of them, and so none can promise alone. Every failure here is a defect of
 * ours, not of the input.
 */
#include "control/common.h"
#include "spec/namespace.h"

#include <string.h>

/* All that a control may touch, at any depth below. What is not in this list reaches the runtime as the
 * engine wrote it, keys that we do not know included. */
static const char *const governed[] = {
  "/annotations",
  "/hooks",
  "/linux/devices",
  "/linux/gidMappings",
  "/linux/maskedPaths",
  "/linux/mountLabel",
  SPEC_NAMESPACES,
  "/linux/readonlyPaths",
  "/linux/resources",
  "/linux/rootfsPropagation",
  "/linux/seccomp",
  "/linux/sysctl",
  "/linux/timeOffsets",
  "/linux/uidMappings",
  "/mounts",
  "/process/apparmorProfile",
  "/process/capabilities",
  "/process/ioPriority",
  "/process/noNewPrivileges",
  "/process/oomScoreAdj",
  "/process/rlimits",
  "/process/scheduler",
  "/process/selinuxLabel",
  "/process/user",
  "/root/path",
  "/root/readonly",
};

enum scope { SCOPE_FOREIGN, SCOPE_GOVERNED, SCOPE_ABOVE };

static enum scope scope_of(const char *pointer) {
  size_t len = strlen(pointer);
  for (size_t i = 0; i < ARRAY_SIZE(governed); i++) {
    if (strcmp(governed[i], pointer) == 0)
      return SCOPE_GOVERNED;
    if (str_starts(governed[i], pointer) && governed[i][len] == '/')
      return SCOPE_ABOVE;
  }
  return SCOPE_FOREIGN;
}

static int foreign_kept(const json_t *before, const json_t *after, const char *at, struct error *err);

static int member_kept(const json_t *was, const json_t *is, const char *pointer, struct error *err) {
  switch (scope_of(pointer)) {
  case SCOPE_GOVERNED:
    return 0;
  case SCOPE_ABOVE:
    if ((json_is_object(was) || !was || json_is_null(was)) && json_is_object(is))
      return foreign_kept(was, is, pointer, err);
    break;
  case SCOPE_FOREIGN:
    break;
  }
  if (was == is || json_equal(was, is))
    return 0;
  return control_broken(err, pointer, "is no control's, and yet it was changed");
}

/* One level of objects: what is foreign must be the same on both sides. */
static int foreign_kept(const json_t *before, const json_t *after, const char *at, struct error *err) {
  CLEANUP_STR struct str pointer = { 0 };
  const char *key;
  json_t *value;
  str_add(&pointer, at);
  const size_t base = pointer.len;
  json_object_foreach((json_t *)after, key, value) {
    pointer.len = base;
    jsonx_pointer_add(&pointer, key);
    if (member_kept(json_object_get(before, key), value, pointer.data, err))
      return -1;
  }
  json_object_foreach((json_t *)before, key, value) {
    if (json_object_get(after, key))
      continue; /* compared above */
    pointer.len = base;
    jsonx_pointer_add(&pointer, key);
    if (member_kept(value, NULL, pointer.data, err))
      return -1;
  }
  return 0;
}

static bool had_mount(const json_t *before, const char *destination) {
  const json_t *mounts = control_at(before, "/mounts");
  for (size_t i = 0; i < json_array_size(mounts); i++) {
    const char *text = control_text(json_array_get(mounts, i), "/destination");
    if (text && control_path_same(text, destination))
      return true;
  }
  return false;
}

static const char *covered_by(const json_t *after, const char *list, const char *destination) {
  const json_t *paths = control_at(after, list);
  for (size_t i = 0; i < json_array_size(paths); i++) {
    const char *path = json_string_value(json_array_get(paths, i));
    if (path && control_path_below(destination, path))
      return path;
  }
  return NULL;
}

/* Mounts that were added are there to be written to: a read-only root with a read-only /tmp would be a
 * container that cannot work, a mount on a masked path one that cannot be seen. */
static int added_mounts_serve(const json_t *before, const json_t *after, struct error *err) {
  static const char *const readonly[] = { "ro", "rro" };
  static const char *const lists[] = { "/linux/maskedPaths", "/linux/readonlyPaths" };
  const json_t *mounts = control_at(after, "/mounts");
  for (size_t i = 0; i < json_array_size(mounts); i++) {
    const json_t *mount = json_array_get(mounts, i);
    const char *destination = control_text(mount, "/destination"), *type = control_text(mount, "/type");
    if (!destination || !type || strcmp(type, "tmpfs") != 0 || had_mount(before, destination))
      continue;
    for (size_t j = 0; j < ARRAY_SIZE(readonly); j++)
      if (jsonx_has(control_at(mount, "/options"), readonly[j]))
        return control_broken(err, "/mounts", "the tmpfs added on %s is read-only", destination);
    for (size_t j = 0; j < ARRAY_SIZE(lists); j++)
      if (covered_by(after, lists[j], destination))
        return control_broken(err, lists[j], "covers the tmpfs added on %s", destination);
  }
  return 0;
}

/* With its user namespace the process would lose what keeps its root from being the host's. */
static int user_namespace_kept(const json_t *before, const json_t *after, struct error *err) {
  if (spec_namespace(before, "user") && !spec_namespace(after, "user"))
    return control_broken(err, SPEC_NAMESPACES, "the user namespace is gone");
  return 0;
}

int invariants_verify(enum spec_kind kind, const json_t *before, const json_t *after,
                      const struct policy *policy, const struct facts *facts, struct error *err) {
  (void)policy, (void)facts;
  if (foreign_kept(before, after, "", err))
    return error_wrap(err, "the output has lost or gained something");
  if (kind != SPEC_CONFIG)
    return 0;
  if (added_mounts_serve(before, after, err) || user_namespace_kept(before, after, err))
    return error_wrap(err, "the controls contradict each other");
  return 0;
}
