/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/usermap_make.h"

#include "base/cleanup.h"
#include "control/mount_view.h"
#include "control/user_namespace_against.h"
#include "idmap/mountapi.h"
#include "idmap/special.h"
#include "idmap/volumes.h"
#include "io/path.h"
#include "runtime/call.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

/* One making of what the config says. */
struct making {
  struct call *call;
  struct usermap *map;
  const struct facts *facts;
  const json_t *config; /* hardened */
  struct idmap ids;
  struct refusal *why;
};

/* containerd looks into a container's files through its snapshots, never through its mount; docker and podman
 * copy and export through theirs. */
static enum rootfs_mode mode_of(const struct call *c) {
  for (size_t i = 0; i < c->policies_len; i++)
    switch ((enum user_namespace_root)c->policies[i].user_namespace.rootfs) {
    case USER_NAMESPACE_ROOT_REPLACE:
      return ROOTFS_REPLACE;
    case USER_NAMESPACE_ROOT_PRIVATE:
      return ROOTFS_PRIVATE;
    case USER_NAMESPACE_ROOT_ENGINE:
      break;
    }
  return strstr(c->root, "/containerd/") ? ROOTFS_REPLACE : ROOTFS_PRIVATE;
}

static int promised(const char *made, const char *wanted, struct error *err) {
  return strcmp(made, wanted) == 0 ? 0
                                   : error_set(err, ERROR_INTERNAL, 0, "%s was made for %s", made, wanted);
}

/* What container root makes is root's on disk, set-user-ID programs too: whoever of the host can come there
 * becomes root by them. */
static void note_exposed(const struct making *m, const char *pointer, const char *path) {
  CLEANUP_FREE char *text =
      xasprintf("%s: every user of the host can come there, and run what the container's root makes "
                "set-user-ID as root; close a directory above it to others, or mount it nosuid",
                path);
  journal_add(&m->call->harden.spec.journal, "user-namespace", "OH-UNS-009", OUTCOME_FINDING, pointer, NULL,
              NULL, text);
}

static int make_root(const struct making *m, struct error *err) {
  const struct rootfs_wish wish = {
    .path = m->facts->root_real,
    .mode = mode_of(m->call),
    .nosuid = json_is_true(jsonx_at(m->config, "/process/noNewPrivileges")),
    .map = &m->ids,
  };
  struct stat st;
  if (rootfs_map(&m->map->rootfs, &m->map->stage, &wish, m->why, err) < 0)
    return -1;
  if (stat(m->map->rootfs.path, &st) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s", m->map->rootfs.path);
  if (m->map->rootfs.exposed && !json_is_true(jsonx_at(m->config, "/root/readonly")))
    note_exposed(m, "/root/path", m->facts->root_real);
  m->map->device = st.st_dev;
  m->map->inode = st.st_ino;
  return promised(m->map->rootfs.path, m->facts->offer.root, err);
}

/* What every bind of the view is to have, the view has, and inside nobody takes it off: crun leaves the flags
 * of files out there. */
static int lock_flags(const char *path, unsigned flags, struct error *err) {
  const struct mount_attr attr = {
    .attr_set =
        (flags & MOUNT_RO ? MOUNT_ATTR_RDONLY : 0U) | (flags & MOUNT_NOSUID ? MOUNT_ATTR_NOSUID : 0U) |
        (flags & MOUNT_NODEV ? MOUNT_ATTR_NODEV : 0U) | (flags & MOUNT_NOEXEC ? MOUNT_ATTR_NOEXEC : 0U),
  };
  CLEANUP_FD int view = attr.attr_set ? path_open(AT_FDCWD, path, O_PATH, 0, RESOLVE_TRUSTED) : -1;
  if (attr.attr_set && (view < 0 || mountapi_set(view, false, &attr) < 0))
    return error_set(err, ERROR_SYSTEM, errno, "%s", path);
  return 0;
}

/* A file system that takes no map: what may only be read is shown as it is, and belongs to nobody inside. */
static int make_view(const struct making *m, const struct source_fact *source, const struct volume_wish *wish,
                     unsigned flags, const char *destination, struct error *err) {
  CLEANUP_MAPPED_VOLUME struct mapped_volume volume = { 0 };
  struct volume_wish again = *wish;
  again.unmapped = true;
  m->map->stage.volumes = (unsigned)(source - m->facts->sources);
  if (volume_map(&volume, &m->map->stage, wish, &m->ids, m->why, err) < 0) {
    if (!(flags & MOUNT_RO) || wish->unmapped || m->why->broken || m->why->kind == REFUSAL_SYSTEM)
      return -1;
    *m->why = (struct refusal){ 0 };
    *err = (struct error){ 0 };
    if (volume_map(&volume, &m->map->stage, &again, &m->ids, m->why, err) < 0)
      return -1;
  }
  if (volume.below_len > 0 && m->call->target.kind == RUNTIME_CRUN)
    return error_set(err, ERROR_REFUSED, 0, "crun would leave out what is mounted below %s", source->real);
  if (volume.exposed && !(flags & MOUNT_RO))
    note_exposed(m, "/mounts", source->real);
  if (!volume.mapped)
    strlist_add(&m->map->unmapped, destination);
  if (lock_flags(volume.path, flags, err) < 0)
    return -1;
  return promised(volume.path, source->clone, err);
}

/* Everything that is bound from one source is bound from one view of it. */
static int make_views(const struct making *m, const struct mount_list *l, struct error *err) {
  for (size_t i = 0; i < l->len; i++) {
    const struct mount_view *v = &l->items[i];
    const struct source_fact *source =
        strcmp(v->type, "bind") == 0 && v->source ? facts_source(m->facts, v->source) : NULL;
    if (!source)
      continue;
    struct volume_wish wish = { .source = source->real, .unmapped = source->sensitive != NULL };
    unsigned flags = MOUNT_RO | MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC;
    bool first = true;
    for (size_t k = 0; k < l->len; k++) {
      const struct mount_view *other = &l->items[k];
      if (strcmp(other->type, "bind") != 0 || !other->source || strcmp(other->source, v->source) != 0)
        continue;
      first = first && k >= i;
      wish.recursive = wish.recursive || other->is.recursive;
      wish.slave = wish.slave || other->is.propagation == PROPAGATION_SLAVE;
      flags &= other->is.set;
    }
    if (first && make_view(m, source, &wish, flags, v->destination, err) < 0)
      return -1;
  }
  return 0;
}

static int make_special(const struct making *m, const struct mount_view *v, struct error *err) {
  const bool sysfs = strcmp(v->type, "sysfs") == 0;
  CLEANUP_FREE char *path = NULL;
  CLEANUP_FD int ns = -1;
  if (usermap_namespace_open(m->call, sysfs ? "network" : "ipc", &ns, err) < 0)
    return -1;
  m->map->stage.specials = sysfs ? 0 : 1;
  if ((sysfs ? special_sysfs : special_mqueue)(&m->map->stage, ns, &path, m->why, err) < 0)
    return -1;
  return promised(path, sysfs ? m->facts->offer.sysfs : m->facts->offer.mqueue, err);
}

static uint32_t number(const json_t *device, const char *key, uint32_t otherwise) {
  uint64_t n;
  return jsonx_u64_get(json_object_get(device, key), &n) && n <= UINT32_MAX ? (uint32_t)n : otherwise;
}

/* As runtimes make it where they may. */
static struct special_node node_of(const json_t *device) {
  const char *type = json_string_value(json_object_get(device, "type"));
  const mode_t kind = !type || strcmp(type, "b") != 0 ? S_IFCHR : S_IFBLK;
  return (struct special_node){
    .mode = (type && strcmp(type, "p") == 0 ? S_IFIFO : kind) | (number(device, "fileMode", 0666) & 0777),
    .device = makedev(number(device, "major", 0), number(device, "minor", 0)),
    .uid = number(device, "uid", 0),
    .gid = number(device, "gid", 0),
  };
}

/* Over the host's node of that name, in our mounts alone: that is what a runtime binds. */
static int make_device(const struct making *m, const char *path, const json_t *device, struct error *err) {
  struct special_node node = node_of(device);
  CLEANUP_FREE char *own = NULL;
  CLEANUP_FD int dev = path_open(AT_FDCWD, "/dev", O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  CLEANUP_FD int there = dev < 0 ? -1 : path_open(dev, path + strlen("/dev/"), O_PATH, 0, RESOLVE_INSIDE);
  const bool is_fact = errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EXDEV;
  if (there < 0)
    return error_set(err, is_fact ? ERROR_REFUSED : ERROR_SYSTEM, errno,
                     "user namespace: the host has no %s, or a link there, and runtimes bind devices by the "
                     "host's name; give it the name that it has on the host",
                     path);
  node.label = json_string_value(jsonx_at(m->config, "/linux/mountLabel"));
  if (special_device(&m->map->stage, &node, &m->ids, &own, m->why, err) < 0)
    return -1;
  CLEANUP_FD int tree = mountapi_clone(AT_FDCWD, own, false);
  if (tree < 0 || mountapi_attach(tree, AT_FDCWD, path) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "user namespace: %s", path);
  return 0;
}

static int make_devices(const struct making *m, struct error *err) {
  const json_t *list = jsonx_at(m->config, "/linux/devices");
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *device = json_array_get(list, i);
    const char *path = json_string_value(json_object_get(device, "path"));
    if (!uns_device_is_usual(path) && make_device(m, path, device, err) < 0)
      return -1;
  }
  return 0;
}

static int make_mounts(const struct making *m, struct error *err) {
  CLEANUP_MOUNT_LIST struct mount_list l;
  mount_list_read(&l, jsonx_at(m->config, "/mounts"), m->facts);
  if (make_views(m, &l, err) < 0)
    return -1;
  for (size_t i = 0; i < l.len; i++)
    if (l.items[i].stands_for && make_special(m, &l.items[i], err) < 0)
      return -1;
  return 0;
}

int usermap_own_pipes(uint32_t base, struct error *err) {
  struct kernel_idmap map;
  struct refusal why = { 0 };
  const struct idmap ids = { -1, &map, &map };
  idmap_block(base, ID_BLOCK, &map);
  return special_own_pipes(&ids, &why, err);
}

int usermap_own_null(enum runtime_kind runtime, struct error *err) {
  struct refusal why = { 0 };
  return runtime == RUNTIME_CRUN && proof_is_privileged() ? special_own_null(&why, err) : 0;
}

static int make(struct making *m, struct error *err) {
  if (stage_enter(&m->map->stage, m->map->place, m->why, err) < 0 || make_root(m, err) < 0 ||
      make_mounts(m, err) < 0 || make_devices(m, err) < 0 || usermap_set_sysctls(m->call, err) < 0)
    return -1;
  return usermap_own_pipes(m->map->base, err);
}

static int take_back(struct usermap *m, struct error *err) {
  if (m->stage.own < 0)
    return 0;
  struct error left = { 0 };
  int undone = usermap_restore_sysctls(m, err);
  if (m->rootfs.path && rootfs_undo(&m->rootfs, &m->stage, undone < 0 ? &left : err) < 0)
    undone = -1;
  if (stage_leave(&m->stage, undone < 0 ? &left : err) < 0)
    undone = -1;
  return undone;
}

static int make_all(struct making *m, struct error *err) {
  struct kernel_idmap map;
  struct error cause = { 0 };
  CLEANUP_FD int userns = -1;
  idmap_block(m->map->base, ID_BLOCK, &map);
  if (m->map->path) {
    if (idmap_userns_open(m->map->path, &userns, err) < 0)
      return -1;
  } else if (idmap_userns_make(&map, &map, &userns, &cause) < 0) {
    return refuse_userns(m->why, err, &cause);
  }
  m->ids = (struct idmap){ userns, &map, &map };
  return make(m, err);
}

/* That this container can have none, here: not that something was short, or failed on the way. */
static bool is_fact(const struct refusal *why, const struct error *err) {
  if (why->broken || err->code == ERROR_INTERNAL)
    return false;
  return why->kind != REFUSAL_NONE ? why->kind != REFUSAL_SYSTEM : err->code == ERROR_REFUSED;
}

int usermap_make(struct call *c, bool *ret_again, struct error *err) {
  struct usermap *m = &c->map;
  struct refusal *why = xcalloc(1, sizeof *why);
  CLEANUP_FREE void *owned = why;
  struct making making = { c, m, &c->harden.facts, c->harden.spec.root, { -1, NULL, NULL }, why };
  struct error not_undone = { 0 };
  (void)owned;
  *ret_again = false;
  if (make_all(&making, err) == 0)
    return 0;
  if (take_back(m, &not_undone) < 0)
    return error_wrap(err, "%s; and before that", not_undone.message);
  if (!is_fact(why, err))
    return -1;
  m->why = xstrdup(err->message);
  strlist_free(&m->unmapped);
  *err = (struct error){ 0 };
  *ret_again = true;
  return 0;
}

int usermap_undo(struct call *c, struct error *err) {
  struct error left = { 0 };
  const int undone = take_back(&c->map, err);
  return usermap_drop(c, undone < 0 ? &left : err) < 0 ? -1 : undone;
}
