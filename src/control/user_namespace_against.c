/* SPDX-License-Identifier: Apache-2.0 */
/* When a container gets a user namespace: the table of what is against it. */
#include "control/user_namespace_against.h"
#include "control/common.h"
#include "control/mounts.h"
#include "control/sysctl.h"
#include "io/path.h"

#include <inttypes.h>
#include <string.h>

const char *uns_entered(const char *type, const struct user_namespace_offer *offer) {
  for (size_t i = 0; offer->size && i < ENTERED_TYPES; i++)
    if (strcmp(entered_types[i], type) == 0)
      return offer->entered[i];
  return NULL;
}

bool uns_is_foreign(const json_t *root, const char *type, const struct user_namespace_offer *offer) {
  const char *path = spec_namespace_path(root, type);
  if (uns_entered(type, offer))
    return true;
  if (!path || !offer->path || strcmp(type, "network") == 0)
    return path != NULL;
  if (offer->pid && strcmp(type, "pid") == 0 && strcmp(path, offer->pid) == 0)
    return false;
  const size_t len = (size_t)(strrchr(offer->path, '/') - offer->path) + 1;
  return strncmp(path, offer->path, len) != 0;
}

/* When to map. Each gives the reason against, as the end of a sentence, or NULL; the caller frees. */

static char *against_namespaces(const json_t *root, const struct facts *facts) {
  static const char *const types[] = { "pid", "ipc", "network" };
  if (!spec_namespace_is_new(root, "mount"))
    return xstrdup("it has no mount namespace of its own");
  for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
    const char *path = spec_namespace_path(root, types[i]);
    if (!spec_namespace(root, types[i]) && uns_entered(types[i], &facts->offer))
      continue;
    if (!spec_namespace(root, types[i]) || (path && strlist_has(&facts->host_namespace_paths, path)))
      return xasprintf("it shares the host's %s namespace", types[i]);
  }
  if (uns_is_foreign(root, "pid", &facts->offer))
    return xstrdup("it joins the pid namespace of a container in another user namespace");
  if (uns_is_foreign(root, "uts", &facts->offer) && control_text(root, "/hostname"))
    return xstrdup("its hostname is to be set in a namespace of another user namespace");
  return NULL;
}

/* Nothing that a process does in a user namespace needs these, and what they are asked for fails there. */
static char *against_capabilities(const json_t *root, const struct facts *facts) {
  static const char *const host[] = { "CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_TIME",
                                      "CAP_SYS_BOOT",  "CAP_SYSLOG",     "CAP_BPF",       "CAP_PERFMON",
                                      "CAP_MAC_ADMIN", "CAP_WAKE_ALARM", "CAP_AUDIT_READ" };
  static const char *const network[] = { "CAP_NET_ADMIN", "CAP_NET_RAW" };
  const json_t *bounding = control_at(root, "/process/capabilities/bounding");
  for (size_t i = 0; i < ARRAY_SIZE(host); i++)
    if (jsonx_has(bounding, host[i]))
      return xasprintf("it has %s, which means nothing in one", host[i]);
  for (size_t i = 0; i < ARRAY_SIZE(network) && uns_is_foreign(root, "network", &facts->offer); i++)
    if (jsonx_has(bounding, network[i]))
      return xasprintf("it has %s, which means nothing in a network that another user namespace owns",
                       network[i]);
  return NULL;
}

bool uns_has_unmapped(const json_t *root, uint64_t size, const char **ret_pointer, uint64_t *ret) {
  static const char *const single[] = { "/process/user/uid", "/process/user/gid" };
  for (size_t i = 0; i < ARRAY_SIZE(single); i++) {
    *ret_pointer = single[i];
    if (jsonx_u64_get(control_at(root, single[i]), ret) && *ret >= size)
      return true;
  }
  *ret_pointer = "/process/user/additionalGids";
  const json_t *groups = control_at(root, *ret_pointer);
  for (size_t i = 0; i < json_array_size(groups); i++)
    if (jsonx_u64_get(json_array_get(groups, i), ret) && *ret >= size)
      return true;
  return false;
}

static char *against_ids(const json_t *root, const struct facts *facts) {
  const char *pointer;
  uint64_t id;
  return uns_has_unmapped(root, facts->offer.size, &pointer, &id)
             ? xasprintf("the id %" PRIu64 " is beyond the %" PRIu32 " that are mapped", id,
                         facts->offer.size)
             : NULL;
}

bool uns_device_is_usual(const char *path) {
  static const char *const usual[] = { "/dev/null", "/dev/zero",    "/dev/full", "/dev/random",
                                       "/dev/tty",  "/dev/urandom", "/dev/ptmx", "/dev/console" };
  for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
    if (strcmp(path, usual[i]) == 0)
      return true;
  return false;
}

/* Runtimes bind the node of the host that has the name, over which the wrapper puts one of the container's
 * own; it does so among devices alone. */
static char *against_devices(const json_t *root, const struct facts *facts) {
  (void)facts;
  const json_t *list = control_at(root, "/linux/devices");
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *path = control_text(json_array_get(list, i), "/path");
    if (!path || !path_is_clean(path) || !str_starts(path, "/dev/"))
      return xasprintf("it has the device %s, which is not below /dev", path ? path : "");
  }
  return NULL;
}

/* The wrapper sets these where the container may not; no other. */
static bool is_set_outside(const char *name) {
  return strcmp(name, SYSCTL_PING) == 0 || strcmp(name, SYSCTL_PORT) == 0;
}

static char *against_sysctls(const json_t *root, const struct facts *facts) {
  const char *key;
  json_t *value;
  uint64_t range[2];
  json_t *sysctls = control_at(root, UNS_SYSCTL);
  json_object_foreach(sysctls, key, value) {
    CLEANUP_FREE char *name = sysctl_dotted(key);
    const char *type = name ? sysctl_namespace(name) : NULL;
    if (!type || (uns_is_foreign(root, type, &facts->offer) && !is_set_outside(name)))
      return xasprintf("the sysctl %s cannot be set from inside one", key);
    if (strcmp(name, SYSCTL_PING) == 0 && !sysctl_range(value, range))
      return xasprintf("the sysctl %s is no range", key);
  }
  return NULL;
}

static char *against_mounts(const json_t *root, const struct facts *facts) {
  CLEANUP_MOUNT_LIST struct mount_list l;
  mount_list_read(&l, control_at(root, "/mounts"), facts);
  for (size_t i = 0; i < l.len; i++) {
    const struct mount_view *v = &l.items[i];
    const struct source_fact *fact = v->source ? facts_source(facts, v->source) : NULL;
    if (mount_has_ids(v))
      return xasprintf("the mount on %s has id mappings of its own", v->destination);
    if (strcmp(v->type, "bind") == 0 && !(fact && fact->clone))
      return xasprintf("the source of %s could not be looked at", v->destination);
  }
  return NULL;
}

char *user_namespace_against(const json_t *root, const struct facts *facts) {
  static char *(*const reasons[])(const json_t *root, const struct facts *facts) = {
    against_namespaces, against_capabilities, against_ids, against_devices, against_sysctls, against_mounts,
  };
  if (!facts->offer.size)
    return xstrdup(facts->offer.why ? facts->offer.why : "nobody looked whether the host can give one");
  if (!control_text(root, UNS_ROOT))
    return xstrdup("it has no root");
  for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
    char *why = reasons[i](root, facts);
    if (why)
      return why;
  }
  return NULL;
}
