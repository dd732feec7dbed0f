/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the process: its root, what of the host is in it, what of the kernel is masked. */
#include "control/mounts.h"
#include "facts/facts.h"
#include "io/path.h"
#include "posture/rows.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static const char rootfs[] = "rootfs";
static const char mounts[] = "mounts";
static const char paths[] = "paths";

/* --- what a mount is --- */

static bool is_kernels(const struct kernel_mount *m) {
  const struct mount_view view = { .type = m->type };
  return mount_is_kernel(&view);
}

static bool is_readonly(const struct kernel_mount *m) {
  return (m->flags & MS_RDONLY) || m->readonly;
}

/* The mount on this one at the first `len` bytes of a path; NULL: none. */
static const struct kernel_mount *child_at(const struct kernel_mounts *l, uint64_t id, const char *path,
                                           size_t len) {
  for (size_t i = l->len; i-- > 0;) {
    const struct kernel_mount *m = &l->items[i];
    if (m->parent == id && m->id != id && strncmp(m->place, path, len) == 0 && !m->place[len])
      return m;
  }
  return NULL;
}

/* Is something mounted over it, or over a directory above it? Walks to its place as the kernel would. */
static bool is_hidden(const struct kernel_mounts *l, const struct kernel_mount *m) {
  uint64_t at = l->items[0].parent; /* of a root that is no mount */
  for (size_t i = l->len; i-- > 0;)
    if (strcmp(l->items[i].place, "/") == 0)
      at = l->items[i].id;
  for (const char *end = m->place; *end;) {
    end = strchrnul(end + 1, '/');
    const struct kernel_mount *next;
    for (size_t steps = 0; steps < l->len && (next = child_at(l, at, m->place, (size_t)(end - m->place)));
         steps++)
      at = next->id;
  }
  return at != m->id;
}

/* A part of a kernel's file system bound onto itself, as runtimes make a path read-only; crun drops its
 * flags, which mean nothing there. */
static bool is_rebound(const struct kernel_mounts *l, const struct kernel_mount *m) {
  const struct kernel_mount *parent = kernel_mounts_by_id(l, m->parent);
  return is_kernels(m) && is_readonly(m) && parent && parent->major == m->major && parent->minor == m->minor;
}

/* A device or a mask: what is there is told under devices and paths. */
static bool is_covering(const struct posture_facts *f, const struct kernel_mount *m) {
  const struct kernel_place *at = posture_place(f, m->place);
  return at && !at->error && (S_ISCHR(at->mode) || S_ISBLK(at->mode) || kernel_place_is_mask(at));
}

/* Is this one to be told and judged? The root directory has rows of its own. */
static bool counts(const struct posture *p, const struct kernel_mount *m) {
  return strcmp(m->place, "/") != 0 && !is_hidden(&p->v->mounts, m) && !is_covering(p->f, m) &&
         !is_rebound(&p->v->mounts, m);
}

char *posture_host_path(const struct posture_facts *f, const struct kernel_mount *m) {
  for (size_t h = 0; h < POSTURE_HOSTS; h++) {
    const struct kernel_mounts *host = &f->hosts[h].mounts;
    const struct kernel_mount *best = NULL;
    if (f->hosts[h].unread[KERNEL_MOUNTS])
      continue;
    for (size_t i = 0; i < host->len; i++) {
      const struct kernel_mount *n = &host->items[i];
      if (n->major == m->major && n->minor == m->minor && path_is_below(m->root, n->root) &&
          (!best || strlen(n->root) > strlen(best->root)))
        best = n;
    }
    if (!best)
      continue;
    const char *rest = m->root + (strcmp(best->root, "/") == 0 ? 0 : strlen(best->root));
    CLEANUP_FREE char *joined = xasprintf("%s/%s", best->place, rest);
    return path_normalise(joined);
  }
  return NULL;
}

const struct kernel_place *posture_place(const struct posture_facts *f, const char *path) {
  for (size_t i = 0; i < f->places_len; i++)
    if (strcmp(f->places[i].path, path) == 0)
      return &f->places[i].at;
  return NULL;
}

/* --- telling --- */

static void add_word(struct str *text, bool is, const char *word) {
  if (is)
    str_addf(text, "%s%s", text->len ? ", " : "", word);
}

static char *words_of(const struct kernel_mount *m) {
  struct str text = { 0 };
  add_word(&text, true, is_readonly(m) ? "read-only" : "writable");
  add_word(&text, !(m->flags & MS_NOEXEC), "exec");
  add_word(&text, !(m->flags & MS_NOSUID), "suid");
  add_word(&text, !(m->flags & MS_NODEV), "dev");
  add_word(&text, m->shared, "shared");
  add_word(&text, m->slave, "slave");
  return str_steal(&text);
}

static void tell_root(const struct posture *p) {
  const struct kernel_mount *root = kernel_mounts_at(&p->v->mounts, "/");
  if (!root) {
    posture_fact(p, rootfs, "/", xstrdup(p->f->root_is_host ? "the host's" : "no mount of its own"));
    return;
  }
  CLEANUP_FREE char *words = words_of(root);
  posture_fact(p, rootfs, "/",
               xasprintf("%s%s: %s", p->f->root_is_host ? "the host's, " : "", root->type, words));
}

static void tell_host_paths(const struct posture *p) {
  for (size_t i = 0; i < p->v->mounts.len; i++) {
    const struct kernel_mount *m = &p->v->mounts.items[i];
    CLEANUP_FREE char *host = is_kernels(m) || !counts(p, m) ? NULL : posture_host_path(p->f, m);
    if (!host)
      continue;
    CLEANUP_FREE char *words = words_of(m);
    posture_fact(p, mounts, m->place, xasprintf("%s of the host: %s", host, words));
  }
}

static void tell_masks(const struct posture *p) {
  CLEANUP_STRLIST struct strlist masked = { 0 };
  for (size_t i = 0; i < p->f->places_len; i++)
    if (kernel_place_is_mask(&p->f->places[i].at) &&
        path_is_below(p->f->places[i].path, "/proc") + path_is_below(p->f->places[i].path, "/sys"))
      strlist_add(&masked, p->f->places[i].path);
  struct posture_row *row = posture_fact(p, paths, "masked", xasprintf("%zu paths", masked.len));
  strlist_copy(&row->items, &masked);
}

void posture_tell_mounts(const struct posture *p) {
  if (!posture_has(p, rootfs, KERNEL_MOUNTS))
    return;
  tell_root(p);
  if (p->f->root_is_host)
    return;
  if (p->v->mounts.len > POSTURE_MOUNTS_MAX)
    posture_fact(p, mounts, "mounts", xasprintf("%zu: more than are judged", p->v->mounts.len));
  else
    tell_host_paths(p);
  if (p->f->places_unread)
    posture_fact(p, paths, "masked", xasprintf("not looked at: %s", p->f->places_unread));
  else
    tell_masks(p);
}

/* --- comparing --- */

static void compare_root(const struct posture *p) {
  const struct kernel_mount *root = kernel_mounts_at(&p->v->mounts, "/");
  if (p->f->root_is_host)
    posture_deviation(p, rootfs, POSTURE_ROOTFS_HOST, "/", xstrdup("it is the host's own root directory"),
                      "run it in a container");
  if (!root)
    return;
  if (p->policy->rootfs.readonly && !is_readonly(root))
    posture_deviation(p, rootfs, POSTURE_ROOTFS_WRITABLE, "/", xstrdup("it is writable"),
                      "set root.readonly (docker: --read-only, with --tmpfs where it must write)");
  if (p->policy->rootfs.private_propagation && root->shared)
    posture_deviation(p, rootfs, POSTURE_ROOTFS_SHARED, "/",
                      xstrdup("it is shared: mounts made in the container reach others"),
                      "set linux.rootfsPropagation to rslave or rprivate");
}

/* Among message queues there is nothing that the others could be about: see proof/mounts.c. */
static unsigned flags_of(const struct kernel_mount *m) {
  if (strcmp(m->type, "mqueue") == 0)
    return (is_readonly(m) ? MOUNT_RO : 0u) | MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC;
  return (is_readonly(m) ? MOUNT_RO : 0u) | (m->flags & MS_NOSUID ? MOUNT_NOSUID : 0u) |
         (m->flags & MS_NODEV ? MOUNT_NODEV : 0u) | (m->flags & MS_NOEXEC ? MOUNT_NOEXEC : 0u);
}

static void compare_flags(const struct posture *p, const struct kernel_mount *m, bool bind) {
  static const struct facts nobody_looked = { 0 };
  const struct mount_view view = { .type = bind ? "bind" : m->type };
  const unsigned lacking = mount_wish_of(&view, m->place, p->policy, &nobody_looked).flags & ~flags_of(m);
  if (!lacking)
    return;
  struct str text = { 0 };
  add_word(&text, lacking & MOUNT_RO, "ro");
  add_word(&text, lacking & MOUNT_NOSUID, "nosuid");
  add_word(&text, lacking & MOUNT_NODEV, "nodev");
  add_word(&text, lacking & MOUNT_NOEXEC, "noexec");
  posture_deviation(p, mounts, POSTURE_FLAGS, m->place, xasprintf("the policy wants it %s", text.data),
                    "add the options to the mount");
  str_free(&text);
}

static void compare_mount(const struct posture *p, const struct kernel_mount *m) {
  static const struct facts nobody_looked = { 0 };
  const struct policy *policy = p->policy;
  CLEANUP_FREE char *host = is_kernels(m) ? NULL : posture_host_path(p->f, m);
  const char *why = NULL;
  if (host && mount_source_judge(&nobody_looked, policy, host, &why) == SOURCE_SENSITIVE)
    posture_deviation(p, mounts, POSTURE_SOURCE, m->place,
                      xasprintf("it is %s of the host, which is sensitive (%s), and can be %s", host, why,
                                is_readonly(m) ? "read" : "written to"),
                      "do not mount it; mount what is needed of it from a directory of its own");
  const char *type = host ? "bind" : m->type;
  if (!strlist_has(&policy->mounts.allow_types, type))
    posture_deviation(p, mounts, POSTURE_TYPE, m->place,
                      xasprintf("the policy does not allow file systems of type %s", type),
                      "do not mount it, or let the policy's mounts.allowTypes name the type");
  compare_flags(p, m, host);
}

static void compare_mounts(const struct posture *p) {
  if (p->v->mounts.len > POSTURE_MOUNTS_MAX) {
    posture_deviation(p, mounts, POSTURE_UNREAD, "mounts",
                      xasprintf("there are %zu, more than are judged", p->v->mounts.len),
                      "find out who makes them");
    return;
  }
  for (size_t i = 0; i < p->v->mounts.len; i++)
    if (counts(p, &p->v->mounts.items[i]))
      compare_mount(p, &p->v->mounts.items[i]);
}

static bool is_absent(const struct kernel_place *at) {
  return at->error == ENOENT || at->error == ENOTDIR;
}

static void compare_paths(const struct posture *p) {
  if (p->f->places_unread) {
    posture_deviation(p, paths, POSTURE_UNREAD, "masked", xstrdup(p->f->places_unread),
                      "look as root, on the host");
    return;
  }
  CLEANUP_STRLIST struct strlist bare = { 0 };
  CLEANUP_STRLIST struct strlist writable = { 0 };
  const struct strlist *masked = &p->policy->paths.masked;
  const struct strlist *readonly = &p->policy->paths.readonly;
  for (size_t i = 0; i < masked->len; i++) {
    const struct kernel_place *at = posture_place(p->f, masked->items[i]);
    if (!at || (!is_absent(at) && !kernel_place_is_mask(at)))
      strlist_add(&bare, masked->items[i]);
  }
  for (size_t i = 0; i < readonly->len; i++) {
    const struct kernel_place *at = posture_place(p->f, readonly->items[i]);
    if (!at || (!is_absent(at) && !at->readonly && !kernel_place_is_mask(at)))
      strlist_add(&writable, readonly->items[i]);
  }
  if (bare.len > 0)
    posture_list_deviation(p, paths, POSTURE_MASK, "masked", &bare, bare.len,
                           "these are not: ", "add them to linux.maskedPaths");
  if (writable.len > 0)
    posture_list_deviation(p, paths, POSTURE_READONLY, "read-only", &writable, writable.len,
                           "these are not: ", "add them to linux.readonlyPaths");
}

void posture_compare_mounts(const struct posture *p) {
  const bool root = posture_wants(p, p->policy->rootfs.action);
  const bool others = posture_wants(p, p->policy->mounts.action);
  if ((root || others) && posture_has(p, root ? rootfs : mounts, KERNEL_MOUNTS)) {
    if (root)
      compare_root(p);
    if (others && !p->f->root_is_host)
      compare_mounts(p);
  }
  if (posture_wants(p, p->policy->paths.action))
    compare_paths(p);
}
