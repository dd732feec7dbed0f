/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts are found by look-up, not by name: what is at the config's destination, seen as the container sees
 * it, is on the mount whose flags count, whatever links or later mounts there are.
 */
#include "base/cleanup.h"
#include "control/mount_options.h"
#include "io/jsonx.h"
#include "io/path.h"
#include "proof/rows.h"
#include "spec/namespace.h"

#include <string.h>

/* One of /mounts with what is there. */
struct promised_mount {
  const char *destination, *type; /* type "": not given, or a bind's, which means nothing */
  char *path;                     /* the destination normalised */
  struct mount_options options;
  const struct kernel_place *place;
  const struct kernel_mount *mount; /* that the place is seen through; NULL: unknown */
};

struct promised_mounts {
  struct promised_mount *items; /* in their order */
  size_t len;
};

static void promised_free(struct promised_mounts *m) {
  for (size_t i = 0; i < m->len; i++)
    free(m->items[i].path);
  free(m->items);
}
#define CLEANUP_PROMISED CLEANUP(promised_free)

static void promised(const json_t *item, const struct proof_place *place, const struct kernel_mounts *mounts,
                     struct promised_mount *ret) {
  const char *type = json_string_value(json_object_get(item, "type"));
  *ret = (struct promised_mount){ .destination = place->path,
                                  .path = path_normalise(place->path),
                                  .place = &place->is };
  mount_options_read(json_object_get(item, "options"), &ret->options);
  ret->type =
      ret->options.bind || !type || strcmp(type, "bind") == 0 || strcmp(type, "none") == 0 ? "" : type;
  if (!ret->place->error)
    ret->mount = kernel_mounts_by_id(mounts, ret->place->mount);
}

static struct promised_mounts promised_all(const struct proof_promise *p, const struct proof_view *v) {
  const json_t *list = jsonx_at(p->config, "/mounts");
  const size_t len = json_array_size(list);
  struct promised_mounts ret = { xcalloc(len, sizeof *ret.items), len };
  for (size_t i = 0; i < len; i++)
    promised(json_array_get(list, i), &v->mounts.items[i], &v->kernel.mounts, &ret.items[i]);
  return ret;
}

static unsigned kernel_flags(unsigned flags) {
  return (flags & MOUNT_RO ? MS_RDONLY : 0) | (flags & MOUNT_NOSUID ? MS_NOSUID : 0) |
         (flags & MOUNT_NODEV ? MS_NODEV : 0) | (flags & MOUNT_NOEXEC ? MS_NOEXEC : 0);
}

static const char *flags_text(unsigned flags, char ret[64]) {
  snprintf(ret, 64, "%s%s%s%s", flags & MS_RDONLY ? " ro" : "", flags & MS_NOSUID ? " nosuid" : "",
           flags & MS_NODEV ? " nodev" : "", flags & MS_NOEXEC ? " noexec" : "");
  return ret + (*ret == ' ');
}

/* Message queues are no programs and no devices, nor can there be others among them; crun leaves these flags
 * out where it joins an ipc namespace. */
static unsigned meaningful(const struct kernel_mount *m, unsigned flags) {
  return strcmp(m->type, "mqueue") == 0 ? flags & MS_RDONLY : flags;
}

static void compare_flags(const struct kernel_mount *m, unsigned wanted, struct str *why) {
  const unsigned missing = meaningful(m, wanted) & ~(m->flags | (m->readonly ? (unsigned)MS_RDONLY : 0));
  char wants[64];
  char lacks[64];
  if (missing)
    proof_say(why, "%s was promised %s, and the kernel has it without %s", m->place,
              flags_text(wanted, wants), flags_text(missing, lacks));
}

static bool is_below(const struct kernel_mount *m, const struct kernel_mount *top) {
  return m != top && strcmp(m->place, top->place) != 0 && path_is_below(m->place, top->place);
}

/* A later mount on the same place or above it hides this one. */
static bool is_hidden(const struct promised_mounts *all, size_t i) {
  const struct promised_mount *this = &all->items[i];
  for (size_t k = i + 1; k < all->len; k++) {
    const struct promised_mount *other = &all->items[k];
    if (path_is_below(this->path, other->path) ||
        (!other->place->error && other->place->is_mount && other->place->mount == this->place->mount))
      return true;
  }
  return false;
}

static bool has_own_promise(const struct proof_view *v, const struct kernel_mount *m) {
  const struct proof_places *lists[] = { &v->mounts, &v->masked, &v->readonly };
  for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
    for (size_t k = 0; k < lists[i]->len; k++) {
      const struct kernel_place *place = &lists[i]->items[k].is;
      if (!place->error && place->is_mount && place->mount == m->id)
        return true;
    }
  return false;
}

static bool is_type(const struct promised_mount *promise) {
  const char *is = promise->mount->type;
  if (strcmp(promise->type, "cgroup") == 0 || strcmp(promise->type, "cgroup2") == 0)
    return strcmp(is, "cgroup") == 0 || strcmp(is, "cgroup2") == 0 || strcmp(is, "tmpfs") == 0;
  return !*promise->type || strcmp(promise->type, is) == 0;
}

static void compare_mount(const struct proof_view *v, const struct promised_mount *promise, struct str *why) {
  const struct kernel_mount *m = promise->mount;
  unsigned flags = kernel_flags(promise->options.set), below = kernel_flags(promise->options.set_below);
  if (!m || (!promise->place->is_mount && !promise->options.remount)) {
    proof_say(why, "a mount on %s was promised, and the kernel has none there", promise->destination);
    return;
  }
  if (!is_type(promise))
    proof_say(why, "a %s on %s was promised, and the kernel has a %s", promise->type, m->place, m->type);
  /* Version 1 of cgroups is a tmpfs with the hierarchies in it; runtimes make those read-only, not it. */
  if (strcmp(promise->type, "cgroup") == 0 && strcmp(m->type, "tmpfs") == 0) {
    below = flags;
    flags &= ~(unsigned)MS_RDONLY;
  }
  compare_flags(m, flags, why);
  for (size_t i = 0; below && i < v->kernel.mounts.len; i++) {
    const struct kernel_mount *inner = &v->kernel.mounts.items[i];
    if (is_below(inner, m) && !has_own_promise(v, inner))
      compare_flags(inner, below, why);
  }
}

static bool unread(const struct proof_view *v, struct str *why) {
  return proof_unread(v, KERNEL_MOUNTS, why) || proof_unread(v, KERNEL_ROOT, why);
}

enum proof_outcome proof_mounts(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  if (!spec_namespace_is_new(p->config, "mount"))
    return PROOF_HELD;
  if (unread(v, why))
    return PROOF_UNREAD;
  CLEANUP_PROMISED struct promised_mounts all = promised_all(p, v);
  for (size_t i = 0; i < all.len; i++)
    if (!is_hidden(&all, i))
      compare_mount(v, &all.items[i], why);
  return proof_outcome_of(why);
}

static bool has_hooks(const struct proof_promise *p) {
  static const char *const stages[] = { "prestart", "createRuntime", "createContainer" };
  for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
    const json_t *hooks = json_object_get(json_object_get(p->config, "hooks"), stages[i]);
    for (size_t k = 0; k < json_array_size(hooks); k++) {
      const char *path = json_string_value(json_object_get(json_array_get(hooks, k), "path"));
      if (!p->hook || !path || strcmp(path, p->hook) != 0)
        return true;
    }
  }
  return false;
}

/* What runtimes mount by themselves: the terminal, and devices where they cannot make the nodes. */
static bool is_device(const json_t *config, const struct kernel_mount *m) {
  static const char *const usual[] = { "/dev/console", "/dev/full", "/dev/null",    "/dev/ptmx",
                                       "/dev/random",  "/dev/tty",  "/dev/urandom", "/dev/zero" };
  const json_t *list = jsonx_at(config, "/linux/devices");
  for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
    if (strcmp(m->place, usual[i]) == 0)
      return true;
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *path = json_string_value(json_object_get(json_array_get(list, i), "path"));
    if (path && strcmp(m->place, path) == 0)
      return true;
  }
  return false;
}

/* One that came with a recursive bind, is a cgroup hierarchy, or was hidden by a later one of the config. */
static bool comes_with(const struct promised_mounts *all, const struct kernel_mount *m) {
  for (size_t i = 0; i < all->len; i++) {
    const struct promised_mount *promise = &all->items[i];
    if (strcmp(m->place, promise->path) == 0 ||
        (promise->mount && strcmp(m->place, promise->mount->place) == 0))
      return true;
    if ((promise->options.recursive || str_starts(promise->type, "cgroup")) && promise->mount &&
        promise->place->is_mount && is_below(m, promise->mount))
      return true;
  }
  return false;
}

/* Hooks that a policy lets through may mount what no config names. */
enum proof_outcome proof_no_other_mounts(const struct proof_promise *p, const struct proof_view *v,
                                         struct str *why) {
  if (!spec_namespace_is_new(p->config, "mount") || has_hooks(p))
    return PROOF_HELD;
  if (unread(v, why))
    return PROOF_UNREAD;
  CLEANUP_PROMISED struct promised_mounts all = promised_all(p, v);
  for (size_t i = 0; i < v->kernel.mounts.len; i++) {
    const struct kernel_mount *m = &v->kernel.mounts.items[i];
    if (strcmp(m->place, "/") != 0 && !has_own_promise(v, m) && !is_device(p->config, m) &&
        !comes_with(&all, m))
      proof_say(why, "no mount on %s was promised, and the kernel has %s %s of %s there", m->place, m->type,
                m->root, m->source);
  }
  return proof_outcome_of(why);
}

static bool says_shared(const json_t *config) {
  const char *root = json_string_value(jsonx_at(config, "/linux/rootfsPropagation"));
  return root && (strcmp(root, "shared") == 0 || strcmp(root, "rshared") == 0);
}

static bool may_be_shared(const struct promised_mounts *all, const struct kernel_mount *m) {
  for (size_t i = 0; i < all->len; i++) {
    const struct promised_mount *promise = &all->items[i];
    if (!promise->mount || !promise->place->is_mount)
      continue;
    if (promise->mount == m && promise->options.propagation == PROPAGATION_SHARED)
      return true;
    if (is_below(m, promise->mount) && promise->options.propagation_below == PROPAGATION_SHARED)
      return true;
  }
  return false;
}

enum proof_outcome proof_propagation(const struct proof_promise *p, const struct proof_view *v,
                                     struct str *why) {
  if (!spec_namespace_is_new(p->config, "mount") || says_shared(p->config))
    return PROOF_HELD;
  if (unread(v, why))
    return PROOF_UNREAD;
  CLEANUP_PROMISED struct promised_mounts all = promised_all(p, v);
  for (size_t i = 0; i < v->kernel.mounts.len; i++) {
    const struct kernel_mount *m = &v->kernel.mounts.items[i];
    if (m->shared && !may_be_shared(&all, m))
      proof_say(why, "%s was promised not to propagate, and the kernel has it shared", m->place);
  }
  return proof_outcome_of(why);
}

enum proof_outcome proof_root(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  const char *path = json_string_value(jsonx_at(p->config, "/root/path"));
  if (!path || !p->bundle || !spec_namespace_is_new(p->config, "mount"))
    return PROOF_HELD;
  if (proof_unread(v, KERNEL_ROOT, why))
    return PROOF_UNREAD;
  if (v->rootfs.error) {
    proof_say(why, "%s: %s", path, strerror(v->rootfs.error));
    return PROOF_UNREAD;
  }
  if (!kernel_place_same(&v->rootfs, &v->root))
    proof_say(why, "the root %s was promised, and the kernel has another directory", path);
  return proof_outcome_of(why);
}

enum proof_outcome proof_root_readonly(const struct proof_promise *p, const struct proof_view *v,
                                       struct str *why) {
  if (!json_is_true(jsonx_at(p->config, "/root/readonly")))
    return PROOF_HELD;
  if (proof_unread(v, KERNEL_ROOT, why))
    return PROOF_UNREAD;
  if (!v->root.readonly)
    proof_say(why, "a read-only root was promised, and the kernel has it writable");
  return proof_outcome_of(why);
}
