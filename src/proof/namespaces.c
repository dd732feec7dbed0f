/* SPDX-License-Identifier: Apache-2.0 */
#include "io/jsonx.h"
#include "proof/rows.h"
#include "spec/mapping.h"
#include "spec/namespace.h"

#include <string.h>

static enum kernel_ns named(const char *type) {
  enum kernel_ns ns = 0;
  while (ns < KERNEL_NAMESPACES && (!type || strcmp(kernel_ns_names[ns], type) != 0))
    ns++;
  return ns;
}

static void compare(enum kernel_ns ns, const char *path, const struct kernel_namespace *joined,
                    const struct proof_view *v, struct str *why) {
  const struct kernel_namespace *is = &v->kernel.namespaces[ns];
  if (path && *path) {
    if (joined->inode == 0)
      proof_say(why, "the %s namespace %s was promised, and cannot be looked at", kernel_ns_names[ns], path);
    else if (!kernel_namespace_same(joined, is))
      proof_say(why, "the %s namespace %s (%llu) was promised, and the kernel has another (%llu)",
                kernel_ns_names[ns], path, (unsigned long long)joined->inode, (unsigned long long)is->inode);
  } else if (is->inode == 0 || kernel_namespace_same(is, &v->host[ns])) {
    proof_say(why, "a %s namespace of its own was promised, and the kernel has the host's",
              kernel_ns_names[ns]);
  }
}

enum proof_outcome proof_namespaces(const struct proof_promise *p, const struct proof_view *v,
                                    struct str *why) {
  const json_t *list = jsonx_at(p->config, SPEC_NAMESPACES);
  if (json_array_size(list) == 0)
    return PROOF_HELD;
  if (proof_unread(v, KERNEL_NAMESPACE, why))
    return PROOF_UNREAD;
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *item = json_array_get(list, i);
    const char *type = json_string_value(json_object_get(item, "type"));
    const enum kernel_ns ns = named(type);
    if (ns == KERNEL_NAMESPACES)
      proof_say(why, "a namespace of the unknown type \"%s\" was promised", type ? type : "");
    else
      compare(ns, json_string_value(json_object_get(item, "path")), &v->joined[i], v, why);
  }
  return proof_outcome_of(why);
}

static bool inside(const struct kernel_mapping *m, const json_t *list) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    const struct spec_mapping p = spec_mapping_of(json_array_get(list, i));
    uint64_t outside;
    if (spec_mapping_covers(&p, m->inside, &outside) && m->outside == outside &&
        m->count <= p.size - (m->inside - p.inside))
      return true;
  }
  return false;
}

static void compare_map(const char *what, const struct kernel_idmap *map, const json_t *promised,
                        struct str *why) {
  for (size_t i = 0; i < map->len; i++) {
    const struct kernel_mapping *m = &map->items[i];
    if (!inside(m, promised))
      proof_say(why, "the kernel maps %u %ss from %u to the host's %u, which was not promised", m->count,
                what, m->inside, m->outside);
  }
  if (map->len == 0)
    proof_say(why, "%ss were promised to be mapped, and the kernel maps none", what);
}

/* One that is joined brings its own maps, and one that no maps are promised for is refused by the runtimes.
 */
enum proof_outcome proof_idmaps(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  const json_t *uids = jsonx_at(p->config, "/linux/uidMappings"),
               *gids = jsonx_at(p->config, "/linux/gidMappings");
  if (!spec_namespace_is_new(p->config, "user") || json_array_size(uids) == 0 || json_array_size(gids) == 0)
    return PROOF_HELD;
  if (proof_unread(v, KERNEL_IDMAPS, why))
    return PROOF_UNREAD;
  compare_map("uid", &v->kernel.uid_map, uids, why);
  compare_map("gid", &v->kernel.gid_map, gids, why);
  return proof_outcome_of(why);
}
