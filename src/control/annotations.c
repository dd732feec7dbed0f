/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annotations by which a runtime leaves the spec: crun's run.oci.*, runc's org.criu.config and
 * org.systemd.property.*, and the like. Whoever can set one (with some engines, the author of a pod) would
 * change what all other controls have settled.
 */
#include "control/common.h"

#include "seccomp/plan.h"

#include <string.h>

const struct control_rule annotations_rules[] = {
  { "OH-ANN-001", "annotations by which a runtime leaves the spec are removed" },
  { NULL, NULL },
};

static bool denied(const char *key, const struct policy *policy) {
  /* The compiled filter is the seccomp control's own, which lets no other stand. */
  return strcmp(key, SECCOMP_CRUN_ANNOTATION) != 0 && strlist_matches(&policy->annotations.deny, key) &&
         !strlist_matches(&policy->annotations.allow, key);
}

int annotations_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                      struct error *err) {
  CLEANUP_STRLIST struct strlist keys = { 0 };
  const char *key;
  json_t *value;

  (void)facts;
  json_t *annotations = spec_at(spec, "/annotations");
  json_object_foreach(annotations, key, value)
    if (denied(key, policy))
      strlist_add(&keys, key);
  for (size_t i = 0; i < keys.len; i++) {
    CLEANUP_FREE char *pointer = jsonx_pointer("/annotations", keys.items[i]);
    if (spec_remove(spec, pointer,
                    (struct reason){ annotations_rules[0].id, "it lets a runtime leave the spec" }, err))
      return -1;
  }
  return 0;
}

int annotations_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                       const struct facts *facts, struct error *err) {
  const char *key;
  json_t *value;

  (void)kind, (void)facts;
  json_t *annotations = control_at(after, "/annotations");
  json_object_foreach(annotations, key, value)
    if (denied(key, policy))
      return control_broken(err, "/annotations", "\"%s\" is still there", key);
  return 0;
}

int annotations_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                           const struct facts *facts, struct error *err) {
  const json_t *was = control_at(before, "/annotations");
  const char *key;
  json_t *value;

  (void)kind, (void)facts;
  json_t *annotations = control_at(after, "/annotations");
  json_object_foreach(annotations, key, value)
    if (strcmp(key, SECCOMP_CRUN_ANNOTATION) != 0 && !json_equal(json_object_get(was, key), value))
      return control_broken(err, "/annotations", "\"%s\" is new or has another value", key);
  return 0;
}
