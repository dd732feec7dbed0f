/* SPDX-License-Identifier: Apache-2.0 */
/* What was promised of a user namespace that the wrapper has given. Of others nothing is known here. */
#include "io/jsonx.h"
#include "io/path.h"
#include "proof/rows.h"
#include "spec/namespace.h"

#include <stdlib.h>
#include <string.h>

static void compare_map(const char *what, const struct kernel_idmap *map, uint32_t base, struct str *why) {
  const struct kernel_mapping *m = &map->items[0];
  if (map->len != 1 || m->inside != 0 || m->outside != base || m->count != ID_BLOCK)
    proof_say(why, "the %ss from 0 to %d were promised to be %u and up, and the kernel maps them otherwise",
              what, ID_BLOCK - 1, base);
}

enum proof_outcome proof_map(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  if (!p->map.base)
    return PROOF_HELD;
  if (proof_unread(v, KERNEL_IDMAPS, why))
    return PROOF_UNREAD;
  compare_map("uid", &v->kernel.uid_map, p->map.base, why);
  compare_map("gid", &v->kernel.gid_map, p->map.base, why);
  return proof_outcome_of(why);
}

/* The inode of the namespace that the wrapper entered; 0: none of that type. */
static unsigned long long entered(const struct strlist *list, const char *type) {
  const size_t len = strlen(type);
  for (size_t i = 0; i < list->len; i++)
    if (strncmp(list->items[i], type, len) == 0 && list->items[i][len] == ':')
      return strtoull(list->items[i] + len + 1, NULL, 10);
  return 0;
}

enum proof_outcome proof_owners(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  if (!p->map.base)
    return PROOF_HELD;
  if (proof_unread(v, KERNEL_NAMESPACE, why))
    return PROOF_UNREAD;
  if (v->owners.error) {
    proof_say(why, "the owners of its namespaces: %s", strerror(v->owners.error));
    return PROOF_UNREAD;
  }
  for (enum kernel_ns ns = 0; ns < KERNEL_NAMESPACES; ns++)
    if (ns != KERNEL_NS_USER && spec_namespace_is_new(p->config, kernel_ns_names[ns]) &&
        !kernel_namespace_same(&v->owners.of[ns], &v->kernel.namespaces[KERNEL_NS_USER]))
      proof_say(why,
                "the %s namespace was promised to be its user namespace's, and the kernel has it another's",
                kernel_ns_names[ns]);
  for (enum kernel_ns ns = 0; ns < KERNEL_NAMESPACES; ns++) {
    const struct kernel_namespace *is = &v->kernel.namespaces[ns];
    const unsigned long long wanted = entered(&p->map.entered, kernel_ns_names[ns]);
    if (wanted && (is->inode != wanted || kernel_namespace_same(is, &v->host[ns])))
      proof_say(why, "the %s namespace %llu was promised, and the kernel has another (%llu)",
                kernel_ns_names[ns], wanted, (unsigned long long)is->inode);
  }
  return proof_outcome_of(why);
}

static bool is_ours(uint32_t id, uint32_t base) {
  return id >= base && id - base < ID_BLOCK;
}

/* A source below the place of its views is one of ours; the others are file systems of the kernel's. */
static void compare_view(const struct proof_promise *p, const struct proof_view *v, size_t i,
                         struct str *why) {
  const struct proof_place *place = &v->mounts.items[i];
  const char *source =
      json_string_value(json_object_get(json_array_get(jsonx_at(p->config, "/mounts"), i), "source"));
  CLEANUP_FREE char *views = xasprintf("%s/volumes", p->map.place);
  if (!source || !path_is_below(source, views) || strlist_has(&p->map.unmapped, place->path) ||
      place->is.error || !place->is.is_mount)
    return; /* that it is not there is another row's */
  const struct kernel_mount *m = kernel_mounts_by_id(&v->kernel.mounts, place->is.mount);
  if (m && !m->idmapped)
    proof_say(why, "%s was promised to be ID-mapped, and the kernel shows its owners as they are on disk",
              place->path);
}

enum proof_outcome proof_views(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  if (!p->map.base)
    return PROOF_HELD;
  if (proof_unread(v, KERNEL_ROOT, why) || proof_unread(v, KERNEL_MOUNTS, why))
    return PROOF_UNREAD;
  const struct kernel_mount *root = kernel_mounts_by_id(&v->kernel.mounts, v->root.mount);
  if (!(root && root->idmapped) && !(is_ours(v->root.uid, p->map.base) && is_ours(v->root.gid, p->map.base)))
    proof_say(why, "the root was promised to be ID-mapped, and the kernel has it owned by %u:%u",
              (unsigned)v->root.uid, (unsigned)v->root.gid);
  for (size_t i = 0; i < v->mounts.len; i++)
    compare_view(p, v, i, why);
  return proof_outcome_of(why);
}
