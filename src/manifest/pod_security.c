/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/pod.h"

#include "kernel/caps.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct field pod_field(const struct pod *pod, const struct pod_container *c, const char *path) {
  struct field own = field_at(c->node, path), pods = field_at(pod->spec, path);
  return field_found(own) || !field_found(pods) ? own : pods;
}

const struct node *pod_node(const struct pod *pod, const struct pod_container *c, const char *path) {
  struct field field = pod_field(pod, c, path);
  return field_found(field) ? field.node : NULL;
}

/* --- users and groups --- */

enum { SOMEBODY = 65534 }; /* for a container that must not be root and does not say who it is */

static void groups(struct pod *pod) {
  struct translation *t = pod->t;
  const struct node *context = read_map(t, pod->spec, "securityContext");
  const struct node *list = read_list(t, context, "supplementalGroups");
  for (size_t i = 0; i < node_len(list); i++)
    put_item(t, "/process/user/additionalGids", json_integer(id_of(t, list->children[i], 0)),
             (struct field){ list->children[i], "" });
  const struct node *fs_group = node_get(context, "fsGroup");
  if (fs_group)
    put_item(t, "/process/user/additionalGids", json_integer(id_of(t, fs_group, 0)),
             (struct field){ fs_group, "" });
}

static void user(struct pod *pod, const struct pod_container *c) {
  struct translation *t = pod->t;
  struct field from = pod_field(pod, c, "securityContext.runAsUser");
  int64_t uid = id_of(t, pod_node(pod, c, "securityContext.runAsUser"), -1);
  int64_t gid = id_of(t, pod_node(pod, c, "securityContext.runAsGroup"), -1);
  bool non_root = bool_of(t, pod_node(pod, c, "securityContext.runAsNonRoot"), false);
  if (uid < 0 && non_root) {
    uid = SOMEBODY;
    note(t, from, "the image's USER decides, and must not be root: judged as user %d", SOMEBODY);
  } else if (uid < 0) {
    uid = 0;
    note(t, from, "the image's USER decides: judged as root");
  } else if (uid == 0 && non_root) {
    note(t, from, "it is 0 and runAsNonRoot is true: kubelet does not start the container");
  }
  engine_put_user(t, uid, gid < 0 ? 0 : gid, from);
  put_origin(t, "/process/user/gid", pod_field(pod, c, "securityContext.runAsGroup"));
  put_origin(t, "/process/user/additionalGids/0", pod_field(pod, c, "securityContext.runAsGroup"));
  groups(pod);
}

/* --- capabilities --- */

static bool is_all(const char *name) {
  return strcasecmp(name, "ALL") == 0;
}

static bool has_all(struct translation *t, const struct node *list) {
  for (size_t i = 0; i < node_len(list); i++)
    if (is_all(text_of(t, list->children[i], "")))
      return true;
  return false;
}

/* containerd puts CAP_ before whatever the manifest says. */
static char *engine_name(const char *name) {
  char *full = xasprintf("CAP_%s", name);
  for (char *p = full; *p; p++)
    *p = (char)toupper((unsigned char)*p);
  return full;
}

static void add_each(struct translation *t, const struct node *list, uint64_t *set, struct strlist *unknown) {
  for (size_t i = 0; i < node_len(list); i++) {
    const char *word = text_of(t, list->children[i], "");
    CLEANUP_FREE char *name = engine_name(word);
    int number = kernel_cap_number(name);
    if (number >= 0)
      *set |= UINT64_C(1) << number;
    else if (!is_all(word))
      strlist_add(unknown, name);
  }
}

static void drop_each(struct translation *t, const struct node *list, uint64_t *set) {
  for (size_t i = 0; i < node_len(list); i++) {
    const char *word = text_of(t, list->children[i], "");
    CLEANUP_FREE char *name = engine_name(word);
    int number = kernel_cap_number(name);
    if (number >= 0)
      *set &= ~(UINT64_C(1) << number);
    else if (!is_all(word))
      note(t, (struct field){ list->children[i], "" }, "containerd knows no capability %s: none is dropped",
           name);
  }
}

static uint64_t capabilities(struct pod *pod, const struct pod_container *c) {
  struct translation *t = pod->t;
  const struct node *map = read_map(t, read_map(t, c->node, "securityContext"), "capabilities");
  const struct node *add = read_list(t, map, "add"), *drop = read_list(t, map, "drop");
  CLEANUP_STRLIST struct strlist unknown = { 0 };
  struct field from = field_at(c->node, "securityContext.capabilities");
  uint64_t set = engine_default_caps();
  if (has_all(t, add))
    set = engine_all_caps();
  if (has_all(t, drop))
    set = 0;
  add_each(t, add, &set, &unknown);
  drop_each(t, drop, &set);
  if (c->privileged) {
    set = engine_all_caps();
    strlist_clear(&unknown);
    from = field_at(c->node, "securityContext.privileged");
  }
  engine_put_caps(t, set, &unknown, false, from);
  return set;
}

/* --- seccomp, AppArmor, SELinux --- */

/* "RuntimeDefault", "Localhost", "Unconfined", or NULL for nothing; the name is that of a Localhost. */
static const char *profile(struct translation *t, const struct node *map, const char **ret_name) {
  static const char *const types[] = { "RuntimeDefault", "Localhost", "Unconfined" };
  if (map && map->kind != NODE_MAP)
    mistake(t, map, "a map is to stand here, not %s", node_kind_name(map->kind));
  const char *type = text_of(t, node_get(map, "type"), NULL);
  *ret_name = text_of(t, node_get(map, "localhostProfile"), "");
  for (size_t i = 0; i < ARRAY_SIZE(types); i++)
    if (type && strcmp(type, types[i]) == 0)
      return types[i];
  if (map)
    mistake(t, map, "its type is to be RuntimeDefault, Localhost or Unconfined");
  return NULL;
}

static void seccomp(struct pod *pod, const struct pod_container *c, uint64_t caps) {
  struct translation *t = pod->t;
  struct field from = pod_field(pod, c, "securityContext.seccompProfile");
  const char *name;
  const char *type = profile(t, pod_node(pod, c, "securityContext.seccompProfile"), &name);
  if (c->privileged)
    from = field_at(c->node, "securityContext.privileged");
  if (c->privileged || !type || strcmp(type, "Unconfined") == 0) {
    put_origin(t, "/linux/seccomp", from);
    return;
  }
  if (strcmp(type, "Localhost") == 0)
    note(t, from, "the node's profile %s is not known: judged as the engine's default", name);
  put(t, "/linux/seccomp", engine_seccomp(ENGINE_CONTAINERD, caps),
      ENGINES); /* tightened by the wrapper, whoever asked for it */
}

static void apparmor(struct pod *pod, const struct pod_container *c) {
  struct translation *t = pod->t;
  struct field from = pod_field(pod, c, "securityContext.appArmorProfile");
  const char *name;
  const char *type = profile(t, pod_node(pod, c, "securityContext.appArmorProfile"), &name);
  CLEANUP_FREE char *key = xasprintf("container.apparmor.security.beta.kubernetes.io/%s", c->name);
  const struct node *annotation = node_get(node_get(pod->metadata, "annotations"), key);
  if (!type && annotation) {
    const char *value = text_of(t, annotation, "");
    from = (struct field){ annotation, "" };
    type = strcmp(value, "unconfined") == 0  ? "Unconfined"
           : str_starts(value, "localhost/") ? "Localhost"
                                             : "RuntimeDefault";
    name = value + strcspn(value, "/") + (strchr(value, '/') ? 1 : 0);
  }
  put_origin(t, "/process/apparmorProfile", from);
  if (c->privileged || !type || strcmp(type, "Unconfined") == 0)
    return;
  if (strcmp(type, "RuntimeDefault") == 0)
    name = "cri-containerd.apparmor.d";
  put(t, "/process/apparmorProfile", jsonx_string_new(name), from);
  note(t, from, "whether the node has AppArmor on, and the profile %s, is not known", name);
}

static void selinux(struct pod *pod, const struct pod_container *c) {
  struct translation *t = pod->t;
  const struct node *map = pod_node(pod, c, "securityContext.seLinuxOptions");
  if (!map)
    return;
  CLEANUP_FREE char *label =
      xasprintf("%s:%s:%s:%s", text_of(t, node_get(map, "user"), "system_u"),
                text_of(t, node_get(map, "role"), "system_r"),
                text_of(t, node_get(map, "type"), "container_t"), text_of(t, node_get(map, "level"), "s0"));
  put(t, "/process/selinuxLabel", jsonx_string_new(label), (struct field){ map, "" });
  note(t, (struct field){ map, "" }, "whether the node enforces SELinux, and knows %s, is not known", label);
}

/* --- the rest --- */

static void masks(struct pod *pod, const struct pod_container *c) {
  struct translation *t = pod->t;
  struct field from = field_at(c->node, "securityContext.procMount");
  const char *proc = text_of(t, node_at(c->node, "securityContext.procMount"), "Default");
  if (!c->privileged && strcmp(proc, "Unmasked") != 0) {
    engine_put_masks(t, ENGINES);
    return;
  }
  if (c->privileged)
    from = field_at(c->node, "securityContext.privileged");
  put_origin(t, "/linux/maskedPaths", from);
  put_origin(t, "/linux/readonlyPaths", from);
}

void pod_unknown_fields(struct translation *t, const struct node *context) {
  static const char *const known[] = {
    "allowPrivilegeEscalation",
    "appArmorProfile",
    "capabilities",
    "fsGroup",
    "fsGroupChangePolicy",
    "privileged",
    "procMount",
    "readOnlyRootFilesystem",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
    "seLinuxChangePolicy",
    "seLinuxOptions",
    "seccompProfile",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "sysctls",
    "windowsOptions",
  };
  for (size_t i = 0; i < node_len(context); i++) {
    bool found = false;
    for (size_t k = 0; k < ARRAY_SIZE(known) && !found; k++)
      found = strcmp(context->children[i]->key, known[k]) == 0;
    if (!found)
      note(t, (struct field){ context->children[i], "" },
           "no field of a securityContext: Kubernetes drops it, or refuses the manifest");
  }
}

void pod_security(struct pod *pod, const struct pod_container *c) {
  struct translation *t = pod->t;
  pod_unknown_fields(t, read_map(t, c->node, "securityContext"));
  user(pod, c);
  uint64_t caps = capabilities(pod, c);
  struct field from = field_at(c->node, "securityContext.allowPrivilegeEscalation");
  put_origin(t, "/process/noNewPrivileges", from);
  if (field_found(from) && !bool_of(t, from.node, true))
    put(t, "/process/noNewPrivileges", json_true(), from);
  seccomp(pod, c, caps);
  apparmor(pod, c);
  selinux(pod, c);
  masks(pod, c);
  put(t, "/root/path", jsonx_string_new("rootfs"), ENGINES);
  from = field_at(c->node, "securityContext.readOnlyRootFilesystem");
  put_origin(t, "/root/readonly", from);
  if (field_found(from) && bool_of(t, from.node, false))
    put(t, "/root/readonly", json_true(), from);
}
