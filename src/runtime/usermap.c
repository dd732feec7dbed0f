/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/usermap.h"

#include "base/cleanup.h"
#include "control/mount_view.h"
#include "control/sysctl.h"
#include "control/user_namespace.h"
#include "idmap/special.h"
#include "idmap/volumes.h"
#include "io/fileio.h"
#include "io/path.h"
#include "runtime/call.h"
#include "runtime/usermap_ids.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>

void usermap_free(struct usermap *m) {
  free(m->why);
  free(m->place);
  free(m->path);
  mapped_rootfs_free(&m->rootfs);
  stage_free(&m->stage);
  strlist_free(&m->unmapped);
  *m = (struct usermap)USERMAP_NONE;
}

static char *place_of(const struct config *config, const char *root, const char *id) {
  CLEANUP_FREE char *name = state_root_name(root);
  return xasprintf("%s/%s/%s", config->map_dir, name, id);
}

void usermap_forget(const struct config *config, const char *root, const char *id) {
  CLEANUP_FREE char *place = place_of(config, root, id);
  stage_remove_place(place);
}

static bool asks(const struct policy *p) {
  switch (policy_action(p, p->user_namespace.action)) {
  case ACTION_HARDEN:
  case ACTION_DENY:
    return p->user_namespace.mode != USER_NAMESPACE_OFF;
  case ACTION_AUDIT:
  case ACTION_OFF:
    return false;
  }
  return false;
}

static const char *path_of_namespace(const json_t *config, const char *type, bool *ret_found) {
  const json_t *list = jsonx_at(config, "/linux/namespaces");
  *ret_found = false;
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *item = json_array_get(list, i);
    const char *is = json_string_value(json_object_get(item, "type"));
    const char *path = json_string_value(json_object_get(item, "path"));
    if (!is || strcmp(is, type) != 0)
      continue;
    *ret_found = true;
    return path && *path ? path : NULL;
  }
  return NULL;
}

int usermap_want(struct call *c, struct error *err) {
  struct usermap *m = &c->map;
  bool has;
  (void)path_of_namespace(c->harden.spec.root, "user", &has);
  for (size_t i = 0; i < c->policies_len && !has && geteuid() == 0; i++)
    m->asked = m->asked || asks(&c->policies[i]);
  if (!m->asked)
    return 0;
  if (c->command.verb == VERB_RESTORE) {
    m->why = xstrdup("a checkpoint brings its own ids");
    return 0;
  }
  const struct lease_holder holder = { c->root, c->command.id, NULL };
  m->place = place_of(&c->config, c->root, c->command.id);
  if (usermap_ids_take(&c->config, &holder, &m->base, &m->leased, err) < 0) {
    m->why = xstrdup(err->message);
    *err = (struct error){ 0 };
  }
  return 0;
}

const struct harden_offer *usermap_offered(const struct usermap *m, struct harden_offer *offer) {
  *offer = (struct harden_offer){ m->why ? 0 : m->base, m->why, m->place, m->path };
  return m->asked ? offer : NULL;
}

bool usermap_is_given(const struct call *c) {
  return c->map.base && user_namespace_is_ours(c->harden.spec.root, &c->harden.facts);
}

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
  m->map->device = st.st_dev;
  m->map->inode = st.st_ino;
  return promised(m->map->rootfs.path, m->facts->offer.root, err);
}

/* A file system that takes no map: what may only be read is shown as it is, and belongs to nobody inside. */
static int make_view(const struct making *m, const struct source_fact *source, const struct volume_wish *wish,
                     bool readonly, const char *destination, struct error *err) {
  CLEANUP_MAPPED_VOLUME struct mapped_volume volume = { 0 };
  struct volume_wish again = *wish;
  again.unmapped = true;
  m->map->stage.volumes = (unsigned)(source - m->facts->sources);
  if (volume_map(&volume, &m->map->stage, wish, &m->ids, m->why, err) < 0) {
    if (!readonly || wish->unmapped || m->why->broken)
      return -1;
    *m->why = (struct refusal){ 0 };
    *err = (struct error){ 0 };
    if (volume_map(&volume, &m->map->stage, &again, &m->ids, m->why, err) < 0)
      return -1;
  }
  if (!volume.mapped)
    strlist_add(&m->map->unmapped, destination);
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
    bool readonly = true, first = true;
    for (size_t k = 0; k < l->len; k++) {
      const struct mount_view *other = &l->items[k];
      if (strcmp(other->type, "bind") != 0 || !other->source || strcmp(other->source, v->source) != 0)
        continue;
      first = first && k >= i;
      wish.recursive = wish.recursive || other->is.recursive;
      wish.slave = wish.slave || other->is.propagation == PROPAGATION_SLAVE;
      readonly = readonly && other->is.set & MOUNT_RO;
    }
    if (first && make_view(m, source, &wish, readonly, v->destination, err) < 0)
      return -1;
  }
  return 0;
}

static int open_namespace(const json_t *config, const char *type, int *ret, struct error *err) {
  bool found;
  const char *path = path_of_namespace(config, type, &found);
  *ret = path ? path_open(AT_FDCWD, path, O_RDONLY, 0, RESOLVE_TRUSTED) : -1;
  return path && *ret < 0 ? error_set(err, ERROR_SYSTEM, errno, "%s", path) : 0;
}

static int make_special(const struct making *m, const struct mount_view *v, struct error *err) {
  const bool sysfs = strcmp(v->type, "sysfs") == 0;
  CLEANUP_FREE char *path = NULL;
  CLEANUP_FD int ns = -1;
  if (open_namespace(m->config, sysfs ? "network" : "ipc", &ns, err) < 0)
    return -1;
  m->map->stage.specials = sysfs ? 0 : 1;
  if ((sysfs ? special_sysfs : special_mqueue)(&m->map->stage, ns, &path, m->why, err) < 0)
    return -1;
  return promised(path, sysfs ? m->facts->offer.sysfs : m->facts->offer.mqueue, err);
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

/* In the network namespace that is joined; in a process of its own, which never comes back. */
static int write_sysctl(int ns, const char *name, const char *value, struct error *err) {
  CLEANUP_FREE char *path = xasprintf("/proc/sys/%s", name);
  int status;
  for (char *p = path + strlen("/proc/sys/"); *p; p++)
    if (*p == '.')
      *p = '/';
  const pid_t child = fork();
  if (child == 0) {
    const int fd = setns(ns, CLONE_NEWNET) < 0 ? -1 : open(path, O_WRONLY | O_CLOEXEC);
    _exit(fd >= 0 && write_all(fd, value, strlen(value)) == 0 ? 0 : errno ? errno : EIO);
  }
  while (child > 0 && waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return error_set(err, ERROR_SYSTEM, errno, "sysctl %s", name);
  if (child < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
    return error_set(err, ERROR_SYSTEM,
                     child < 0           ? errno
                     : WIFEXITED(status) ? WEXITSTATUS(status)
                                         : EIO,
                     "sysctl %s cannot be set in the joined network", name);
  return 0;
}

/* What the control has taken out of the config, with the ids as the host counts them. */
static int set_sysctls(const struct making *m, struct error *err) {
  const struct journal *journal = &m->call->harden.spec.journal;
  const uint32_t base = m->map->base;
  CLEANUP_FD int ns = -1;
  for (size_t i = 0; i < journal->len; i++) {
    const struct journal_entry *e = &journal->entries[i];
    uint64_t range[2];
    if (e->outcome != OUTCOME_CHANGED || e->after || strcmp(e->rule, "OH-UNS-004") != 0)
      continue;
    CLEANUP_FREE char *name = sysctl_dotted(strrchr(e->pointer, '/') + 1);
    CLEANUP_FREE char *value = xstrdup(json_string_value(e->before));
    if (name && strcmp(name, SYSCTL_PING) == 0 && sysctl_range(e->before, range) && range[0] <= range[1]) {
      free(value);
      value = xasprintf("%u\t%u", base + (uint32_t)(range[0] < ID_BLOCK ? range[0] : ID_BLOCK - 1),
                        base + (uint32_t)(range[1] < ID_BLOCK ? range[1] : ID_BLOCK - 1));
    }
    if (!name || !value || (ns < 0 && open_namespace(m->config, "network", &ns, err) < 0) ||
        write_sysctl(ns, name, value, err) < 0)
      return -1;
  }
  return 0;
}

int usermap_own_stdio(uint32_t base, enum runtime_kind runtime, struct error *err) {
  struct kernel_idmap map;
  struct refusal why = { 0 };
  const struct idmap ids = { -1, &map, &map };
  idmap_block(base, ID_BLOCK, &map);
  if (special_own_pipes(&ids, &why, err) < 0)
    return -1;
  return runtime == RUNTIME_CRUN ? special_own_null(&why, err) : 0;
}

static int make(struct making *m, struct error *err) {
  if (stage_enter(&m->map->stage, m->map->place, m->why, err) < 0 || make_root(m, err) < 0 ||
      make_mounts(m, err) < 0 || set_sysctls(m, err) < 0)
    return -1;
  return usermap_own_stdio(m->map->base, m->call->target.kind, err);
}

static int take_back(struct usermap *m, struct error *err) {
  if (m->stage.own < 0)
    return 0;
  struct error left = { 0 };
  const int undone = m->rootfs.path ? rootfs_undo(&m->rootfs, &m->stage, err) : 0;
  if (stage_leave(&m->stage, undone < 0 ? &left : err) < 0)
    return -1;
  return undone;
}

static int make_all(struct making *m, struct error *err) {
  struct kernel_idmap map;
  CLEANUP_FD int userns = -1;
  idmap_block(m->map->base, ID_BLOCK, &map);
  if ((m->map->path ? idmap_userns_open(m->map->path, &userns, err)
                    : idmap_userns_make(&map, &map, &userns, err)) < 0)
    return -1;
  m->ids = (struct idmap){ userns, &map, &map };
  return make(m, err);
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
  if (why->broken || err->code == ERROR_INTERNAL)
    return -1;
  m->why = xstrdup(err->message);
  strlist_free(&m->unmapped);
  *err = (struct error){ 0 };
  *ret_again = true;
  return 0;
}

int usermap_drop(struct call *c, struct error *err) {
  if (!c->map.leased)
    return 0;
  c->map.leased = false;
  return lease_free(c->config.state_dir, USERMAP_IDS, c->root, c->command.id, false, err);
}

int usermap_undo(struct call *c, struct error *err) {
  struct error left = { 0 };
  const int undone = take_back(&c->map, err);
  return usermap_drop(c, undone < 0 ? &left : err) < 0 ? -1 : undone;
}
