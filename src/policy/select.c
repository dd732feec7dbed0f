/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/config.h"

#include <string.h>

enum { KEYS_MAX = 3 };

/* What an engine says of a container, and under which annotations. */
enum identity { POD_NAMESPACE, POD, CONTAINER, IMAGE, CONTAINER_TYPE, IDENTITY_COUNT };

static const struct identity_row {
  const char *keys[KEYS_MAX]; /* containerd's, then CRI-O's (which podman shares) */
  size_t rule_offset;
} identities[IDENTITY_COUNT] = {
  [POD_NAMESPACE] = { { "io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri-o.Namespace",
                        "io.kubernetes.pod.namespace" },
                      offsetof(struct rule, pod_namespace) },
  [POD] = { { "io.kubernetes.cri.sandbox-name", "io.kubernetes.cri-o.KubeName", "io.kubernetes.pod.name" },
            offsetof(struct rule, pod) },
  [CONTAINER] = { { "io.kubernetes.cri.container-name", "io.kubernetes.container.name" },
                  offsetof(struct rule, container) },
  [IMAGE] = { { "io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName" },
              offsetof(struct rule, image) },
  [CONTAINER_TYPE] = { { "io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType" },
                       offsetof(struct rule, container_type) },
};

static const char *annotation(const json_t *annotations, const char *key) {
  return key ? json_string_value(json_object_get(annotations, key)) : NULL;
}

static const char *const sandbox_keys[] = { "io.kubernetes.cri.sandbox-id", "io.kubernetes.cri-o.SandboxID" };

static bool names_sandbox(const json_t *annotations, const char *id) {
  for (size_t i = 0; i < ARRAY_SIZE(sandbox_keys); i++) {
    const char *value = annotation(annotations, sandbox_keys[i]);
    if (value && strcmp(value, id) == 0)
      return true;
  }
  return false;
}

const char *annotations_sandbox_id(const json_t *annotations) {
  const char *id = NULL;
  for (size_t i = 0; i < ARRAY_SIZE(sandbox_keys); i++) {
    const char *value = annotation(annotations, sandbox_keys[i]);
    if (id && value && strcmp(id, value) != 0)
      return NULL;
    id = id ? id : value;
  }
  return id && *id ? id : NULL;
}

bool annotations_are_sandbox(const json_t *annotations, const char *id) {
  bool sandbox = false;
  for (size_t i = 0; i < KEYS_MAX; i++) {
    const char *type = annotation(annotations, identities[CONTAINER_TYPE].keys[i]);
    if (type && strcmp(type, "sandbox") != 0)
      return false;
    sandbox = sandbox || type;
  }
  return sandbox && (!id || names_sandbox(annotations, id));
}

/*
 * CRI-O hands a pod author's annotations through, and containerd does where told to. An author could so
 * claim another engine's words for a namespace with a looser policy; but the real engine's words are there
 * too, and whoever contradicts them is refused.
 */
static int identify(const json_t *annotations, const char *values[IDENTITY_COUNT], struct error *err) {
  for (size_t i = 0; i < IDENTITY_COUNT; i++) {
    const char *first_key = NULL;
    values[i] = NULL;
    for (size_t j = 0; j < KEYS_MAX; j++) {
      const char *key = identities[i].keys[j], *value = annotation(annotations, key);
      if (!value)
        continue;
      if (values[i] && strcmp(values[i], value) != 0)
        return error_set_rule(
            err, ERROR_REFUSED, "OH-POL-002",
            "/annotations: %s says \"%s\" and %s says \"%s\": which rule holds cannot be told; "
            "remove the one that the engine did not set",
            first_key, values[i], key, value);
      if (!values[i])
        first_key = key;
      values[i] = value;
    }
  }
  return 0;
}

static bool glob_holds(const char *glob, const char *value) {
  return !glob || (value && glob_match(glob, value));
}

static bool rule_matches(const struct rule *rule, const struct selection *s,
                         const char *const values[IDENTITY_COUNT]) {
  for (size_t i = 0; i < IDENTITY_COUNT; i++) {
    const char *glob;
    memcpy(&glob, (const char *)rule + identities[i].rule_offset, sizeof glob);
    if (!glob_holds(glob, values[i]))
      return false;
  }
  return glob_holds(rule->root, s->root) && glob_holds(rule->name, s->name);
}

static int select_name(const struct config *c, const struct selection *s, const char **ret,
                       struct error *err) {
  *ret = c->default_policy;
  if (s->explicit_policy) {
    *ret = s->explicit_policy;
    if (policy_name_is_valid(s->explicit_policy))
      return 0;
    return error_set_rule(err, ERROR_USAGE, "OH-POL-001",
                          "\"%s\" is no policy's name: use lower case letters, digits, '.', '_' and '-'",
                          s->explicit_policy);
  }
  if (c->rules_len == 0)
    return 0;
  const char *values[IDENTITY_COUNT];
  if (identify(s->annotations, values, err) < 0)
    return -1;
  /* All that bear no type are containers, as they are for every engine but the CRI's. */
  if (!values[CONTAINER_TYPE] && s->annotations)
    values[CONTAINER_TYPE] = "container";
  for (size_t i = 0; i < c->rules_len; i++) {
    if (rule_matches(&c->rules[i], s, values)) {
      *ret = c->rules[i].policy;
      break;
    }
  }
  return 0;
}

static int select_extra(const struct config *c, const json_t *annotations, const char **ret,
                        struct error *err) {
  *ret = NULL;
  const json_t *value = *c->policy_annotation ? json_object_get(annotations, c->policy_annotation) : NULL;
  if (!value || json_is_null(value))
    return 0;
  const char *name = json_string_value(value);
  if (!name || !policy_name_is_valid(name))
    return error_set_rule(err, ERROR_REFUSED, "OH-POL-001",
                          "/annotations/%s: \"%s\" is no policy's name: use lower case letters, digits, '.', "
                          "'_' and '-'",
                          c->policy_annotation, name ? name : "");
  *ret = name;
  return 0;
}

int config_select(const struct config *c, const struct selection *s, char **ret_policy, char **ret_extra,
                  struct error *err) {
  const char *policy, *extra;
  if (select_name(c, s, &policy, err) < 0 || select_extra(c, s->annotations, &extra, err) < 0)
    return -1;
  *ret_policy = xstrdup(policy);
  *ret_extra = extra && strcmp(extra, policy) != 0 ? xstrdup(extra) : NULL;
  return 0;
}
