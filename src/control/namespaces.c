/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces: which views of the kernel are the container's own. A path is judged by what it is, by inode:
 * /proc/1/ns/net and a bind of it in /run are the same host network.
 */
#include "control/common.h"
#include "control/user_namespace.h"

#include <string.h>

enum namespaces_rule {
  RULE_ADD,
  RULE_NETWORK,
  RULE_MOUNT,
  RULE_HOST,
  RULE_PATH,
  RULE_TYPE,
  RULE_TIME,
  RULE_DEVICES
};

const struct control_rule namespaces_rules[] = {
  [RULE_ADD] = { "OH-NSP-001", "a namespace that the policy wants private and the config lacks is added" },
  [RULE_NETWORK] = { "OH-NSP-002", "the host's network is not shared" },
  [RULE_MOUNT] = { "OH-NSP-003", "the container has a mount namespace of its own" },
  [RULE_HOST] = { "OH-NSP-004", "a joined namespace is not the host's" },
  [RULE_PATH] = { "OH-NSP-005", "a joined namespace's path is absolute, and names a namespace" },
  [RULE_TYPE] = { "OH-NSP-006", "a namespace's type is one that every runtime knows" },
  [RULE_TIME] = { "OH-NSP-007", "the container's clocks are the host's" },
  [RULE_DEVICES] = { "OH-NSP-008", "no network device of the host is moved into the container" },
  { NULL, NULL },
};

static const char list_pointer[] = "/linux/namespaces";
static const char time_pointer[] = "/linux/timeOffsets";
static const char devices_pointer[] = "/linux/netDevices"; /* since runtime-spec 1.3 */

static const char *const types[] = { "pid", "ipc", "uts", "mount", "cgroup", "network", "user", "time" };

static bool known_type(const char *type) {
  for (size_t i = 0; i < ARRAY_SIZE(types); i++)
    if (strcmp(types[i], type) == 0)
      return true;
  return false;
}

/* Must the type be the container's own? A user namespace that is the host's is a join that the kernel
 * refuses, so nobody loses by the rule; a time namespace does not matter. */
static bool wants_private(const struct policy *policy, const char *type) {
  const struct {
    const char *type;
    int rule;
  } rows[] = {
    { "pid", policy->namespaces.pid },
    { "ipc", policy->namespaces.ipc },
    { "uts", policy->namespaces.uts },
    { "cgroup", policy->namespaces.cgroup },
    { "network", policy->namespaces.network },
    { "mount", NAMESPACE_PRIVATE },
    { "user", NAMESPACE_PRIVATE },
  };
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
    if (strcmp(rows[i].type, type) == 0)
      return rows[i].rule == NAMESPACE_PRIVATE;
  return false;
}

static const char *type_of(const json_t *entry) {
  const char *type = json_string_value(json_object_get(entry, "type"));
  return type ? type : "";
}

/* The path that is joined; NULL for a new namespace, which is what runtimes make of "" too. */
static const char *path_of(const json_t *entry) {
  const char *path = json_string_value(json_object_get(entry, "path"));
  return path && *path ? path : NULL;
}

static const json_t *find(const json_t *list, const char *type) {
  for (size_t i = 0; i < json_array_size(list); i++)
    if (strcmp(type_of(json_array_get(list, i)), type) == 0)
      return json_array_get(list, i);
  return NULL;
}

/* Would the config's name be given to the host? Runtimes ask for a uts namespace, and not whose it is. */
static bool names_host(const json_t *root, const char *type, const char *path, const struct facts *facts) {
  const char *host = control_text(root, "/hostname"), *domain = control_text(root, "/domainname");
  return strcmp(type, "uts") == 0 && ((host && *host) || (domain && *domain)) &&
         strlist_has(&facts->host_namespace_paths, path);
}

struct turn {
  struct spec *spec;
  const struct policy *policy;
  const struct facts *facts;
  struct error *err;
};

static int refuse(const struct turn *t, size_t index, const char *key, enum namespaces_rule rule,
                  char *text) {
  CLEANUP_FREE char *owned = text;
  CLEANUP_FREE char *pointer = xasprintf("%s/%zu%s", list_pointer, index, key);
  return spec_refuse(t->spec, pointer, (struct reason){ namespaces_rules[rule].id, owned }, t->err);
}

static int judge_path(const struct turn *t, const json_t *entry, size_t index) {
  const char *type = type_of(entry), *path = path_of(entry);
  if (!path)
    return 0;
  if (*path != '/' || control_path_climbs(path))
    return refuse(t, index, "/path", RULE_PATH,
                  xasprintf("the %s namespace's path \"%s\" is not absolute, or holds \"..\"", type, path));
  if (strlist_has(&t->facts->bad_namespace_paths, path))
    return refuse(t, index, "/path", RULE_PATH, xasprintf("%s cannot be opened, or is no namespace", path));
  if (wants_private(t->policy, type) && strlist_has(&t->facts->host_namespace_paths, path))
    return refuse(t, index, "/path", RULE_HOST, xasprintf("%s is the host's own %s namespace", path, type));
  if (names_host(t->spec->root, type, path, t->facts))
    return refuse(t, index, "/path", RULE_HOST,
                  xasprintf("%s is the host's own uts namespace, and the config sets its name", path));
  if (strcmp(type, "mount") == 0)
    return refuse(t, index, "/path", RULE_MOUNT,
                  xasprintf("mounts would be made in another's mount namespace, %s", path));
  return 0;
}

static int judge_entry(const struct turn *t, const json_t *list, size_t index) {
  const json_t *entry = json_array_get(list, index);
  const char *type = type_of(entry);
  if (!known_type(type))
    return refuse(t, index, "/type", RULE_TYPE, xasprintf("\"%s\" is no namespace type", type));
  return judge_path(t, entry, index);
}

static int require(const struct turn *t, const char *type) {
  if (!wants_private(t->policy, type) || find(spec_at(t->spec, list_pointer), type) ||
      user_namespace_entered(t->spec->root, type, t->facts))
    return 0;
  if (strcmp(type, "mount") == 0)
    return spec_refuse(t->spec, list_pointer,
                       (struct reason){ namespaces_rules[RULE_MOUNT].id,
                                        "a mount namespace is missing: every mount would be the host's" },
                       t->err);
  /* An empty network helps nobody who asked for the host's: tell them instead. */
  if (strcmp(type, "network") == 0)
    return spec_refuse(t->spec, list_pointer,
                       (struct reason){ namespaces_rules[RULE_NETWORK].id,
                                        "a network namespace is missing: the container would have the host's "
                                        "network, which namespaces.network \"any\" would allow" },
                       t->err);
  CLEANUP_FREE char *text = xasprintf("without one the container has the host's %s namespace", type);
  json_t *entry = json_object();
  if (!entry)
    die_out_of_memory();
  jsonx_set_new(entry, "type", jsonx_string_new(type));
  CLEANUP_FREE char *pointer = xasprintf("%s/-", list_pointer);
  return spec_set(t->spec, pointer, entry, (struct reason){ namespaces_rules[RULE_ADD].id, text }, t->err);
}

/* The host would lose the device, and the container could speak on the host's wire. Without it the container
 * would be another one: tell them instead. */
static int judge_devices(const struct turn *t) {
  const char *name = json_object_iter_key(json_object_iter(spec_at(t->spec, devices_pointer)));
  if (!name || t->policy->namespaces.net_devices)
    return 0;
  CLEANUP_FREE char *pointer = jsonx_pointer(devices_pointer, name);
  CLEANUP_FREE char *text = xasprintf("the host's network device %s would be moved into the container, which "
                                      "namespaces.netDevices would allow",
                                      name);
  return spec_refuse(t->spec, pointer, (struct reason){ namespaces_rules[RULE_DEVICES].id, text }, t->err);
}

int namespaces_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                     struct error *err) {
  const struct turn t = { spec, policy, facts, err };
  const json_t *list = spec_at(spec, list_pointer);
  for (size_t i = 0; i < json_array_size(list); i++)
    if (judge_entry(&t, list, i))
      return -1;
  static const char *const required[] = { "mount", "network", "pid", "ipc", "uts", "cgroup" };
  for (size_t i = 0; i < ARRAY_SIZE(required); i++)
    if (require(&t, required[i]))
      return -1;
  if (judge_devices(&t))
    return -1;
  if (policy->namespaces.time_offsets)
    return 0;
  return spec_remove(
      spec, time_pointer,
      (struct reason){ namespaces_rules[RULE_TIME].id, "a shifted clock makes certificates and logs lie" },
      err);
}

int namespaces_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                      const struct facts *facts, struct error *err) {
  (void)kind;
  const json_t *list = control_at(after, list_pointer);
  for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
    size_t count = 0;
    const char *path = NULL;
    for (size_t k = 0; k < json_array_size(list); k++) {
      const json_t *entry = json_array_get(list, k);
      if (strcmp(type_of(entry), types[i]) == 0)
        count++, path = path_of(entry);
    }
    if (count > 1)
      return control_broken(err, list_pointer, "%s is there %zu times", types[i], count);
    bool must = wants_private(policy, types[i]);
    if (must && count == 0 && strcmp(types[i], "user") != 0 &&
        !user_namespace_entered(after, types[i], facts))
      return control_broken(err, list_pointer, "%s is missing", types[i]);
    if (path && (*path != '/' || strlist_has(&facts->bad_namespace_paths, path) ||
                 (must && strlist_has(&facts->host_namespace_paths, path)) ||
                 strcmp(types[i], "mount") == 0 || names_host(after, types[i], path, facts)))
      return control_broken(err, list_pointer, "%s joins %s", types[i], path);
  }
  if (!policy->namespaces.time_offsets && control_at(after, time_pointer))
    return control_broken(err, time_pointer, "is there");
  if (!policy->namespaces.net_devices && json_object_size(control_at(after, devices_pointer)) > 0)
    return control_broken(err, devices_pointer, "names a device");
  return 0;
}

int namespaces_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                          const struct facts *facts, struct error *err) {
  (void)kind;
  const json_t *b = control_at(before, list_pointer), *a = control_at(after, list_pointer);
  const json_t *offsets = control_at(after, time_pointer), *devices = control_at(after, devices_pointer);
  if (offsets && !json_equal(offsets, control_at(before, time_pointer)))
    return control_broken(err, time_pointer, "changed");
  if (devices && !json_equal(devices, control_at(before, devices_pointer)))
    return control_broken(err, devices_pointer, "changed");
  if (b && a && json_equal(b, a))
    return 0;
  for (size_t i = 0; i < json_array_size(b); i++) {
    const json_t *was = json_array_get(b, i), *is = find(a, type_of(was));
    const char *entered = user_namespace_entered(after, type_of(was), facts);
    const char *was_path = path_of(was);
    if (!is && entered && was_path && strcmp(was_path, entered) == 0)
      continue;
    if (!is)
      return control_broken(err, list_pointer, "%s is gone", type_of(was));
    const char *is_path = path_of(is);
    if (is_path && !(was_path && strcmp(was_path, is_path) == 0))
      return control_broken(err, list_pointer, "%s joins another", type_of(was));
  }
  for (size_t i = 0; i < json_array_size(a); i++) {
    const json_t *is = json_array_get(a, i);
    const char *path = path_of(is), *offered = facts->offer.path;
    if (path && !find(b, type_of(is)) &&
        !(strcmp(type_of(is), "user") == 0 && offered && strcmp(path, offered) == 0))
      return control_broken(err, list_pointer, "%s joins another", type_of(is));
  }
  return 0;
}
