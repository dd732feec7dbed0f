/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/usermap.h"

#include "base/cleanup.h"
#include "control/mount_view.h"
#include "control/sysctl.h"
#include "control/user_namespace.h"
#include "idmap/mountapi.h"
#include "idmap/special.h"
#include "idmap/volumes.h"
#include "io/fileio.h"
#include "io/path.h"
#include "runtime/call.h"
#include "runtime/record.h"
#include "runtime/usermap_ids.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>

static void forget_entered(struct usermap *m) {
  strlist_clear(&m->entered_types);
  for (size_t i = 0; i < ENTERED_TYPES; i++)
    free(steal_ptr(&m->entered[i]));
}

void usermap_free(struct usermap *m) {
  free(m->why);
  free(m->place);
  free(m->path);
  mapped_rootfs_free(&m->rootfs);
  stage_free(&m->stage);
  strlist_free(&m->unmapped);
  forget_entered(m);
  strlist_free(&m->entered_types);
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

/* What a policy of mode audit asks for is only described. */
static bool asks(const struct policy *p, bool *ret_in_force) {
  const enum action action = policy_action(p, p->user_namespace.action);
  if (action == ACTION_OFF || p->user_namespace.mode == USER_NAMESPACE_OFF)
    return false;
  *ret_in_force = *ret_in_force || action != ACTION_AUDIT;
  return true;
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

/* runc only: crun joins a user namespace last. In a pod's user namespace the pod's own namespaces can be
 * joined; the network is the engine's. */
static void choose_entered(struct usermap *m, const json_t *config, enum runtime_kind runtime) {
  forget_entered(m);
  strlist_free(&m->entered_types);
  for (size_t i = 0; i < ENTERED_TYPES; i++) {
    bool found;
    const char *path = path_of_namespace(config, entered_types[i], &found);
    free(steal_ptr(&m->entered[i]));
    if (!path || runtime != RUNTIME_RUNC || (m->path && i != ENTERED_NETWORK))
      continue;
    struct kernel_namespace is = { 0 };
    struct error later = { 0 }; /* who enters it says why it cannot */
    (void)!kernel_namespace_at(path, &is, &later);
    m->entered[i] = xstrdup(path);
    strlist_add_new(&m->entered_types, xasprintf("%s:%llu", entered_types[i], (unsigned long long)is.inode));
  }
}

/* The pod whose container this is, by the engine's word; NULL: none. */
static const char *pod_of(const struct call *c) {
  static const char *const keys[] = { "io.kubernetes.cri.sandbox-id", "io.kubernetes.cri-o.SandboxID" };
  const char *pod = NULL;
  for (size_t i = 0; !pod && i < ARRAY_SIZE(keys); i++)
    pod = json_string_value(json_object_get(c->annotations, keys[i]));
  return pod;
}

/* A user may write annotations, but not choose the namespaces that the engine joins: a container of the pod
 * is in one of its sandbox. */
static bool joins(const json_t *config, pid_t sandbox) {
  CLEANUP_FREE char *dir = xasprintf("/proc/%d/ns/", (int)sandbox);
  for (size_t i = 0; i < ENTERED_TYPES; i++) {
    bool found;
    const char *path = path_of_namespace(config, entered_types[i], &found);
    if (path && str_starts(path, dir))
      return true;
  }
  return false;
}

static char *join_pod(struct call *c, const char *pod, uint32_t *ret_base) {
  CLEANUP_STATE struct state state = { 0 };
  CLEANUP_RECORD struct record record = { 0 };
  CLEANUP_FD int fd = -1;
  struct error unread = { 0 };
  bool found = false;
  if (strchr(pod, '/') || state_open(c->config.state_dir, c->root, pod, false, &fd, &unread) < 0 ||
      state_load(fd, &state, &found, &unread) < 0 ||
      record_read(&record, c->root, pod, c->target.kind, &unread) < 0)
    return xasprintf("its pod's sandbox cannot be looked at: %s", unread.message);
  if (!found || !state.map.base)
    return xstrdup("its pod's sandbox has none of ours");
  if (!record.alive || !joins(c->harden.spec.root, record.pid))
    return xstrdup("it joins no namespace of its pod's sandbox");
  *ret_base = state.map.base;
  c->map.path = xasprintf("/proc/%d/ns/user", (int)record.pid);
  return NULL;
}

static int take_ids(struct call *c, const char *pod, struct error *err) {
  struct usermap *m = &c->map;
  /* Whatever is joined as a pod's sandbox is one, also where nothing marks it. */
  const struct lease_holder holder = { c->root, c->command.id, pod ? pod : c->command.id };
  uint32_t wanted = 0;
  if (pod && !c->sandbox && (m->why = join_pod(c, pod, &wanted)))
    return 0;
  if (usermap_ids_take(&c->config, &holder, &m->base, &m->leased, err) < 0) {
    m->why = xstrdup(err->message);
    *err = (struct error){ 0 };
  } else if (wanted && wanted != m->base) {
    m->why = xasprintf("its pod's ids are %u and up, and %u were leased", wanted, m->base);
    return usermap_drop(c, err);
  }
  return 0;
}

bool usermap_sample(struct usermap *m, const struct config *config, const json_t *document,
                    const struct policy *const *policies, size_t policies_len, enum runtime_kind runtime) {
  bool has, in_force = false;
  (void)path_of_namespace(document, "user", &has);
  for (size_t i = 0; i < policies_len && i < HARDEN_POLICIES_MAX && !has && geteuid() == 0; i++)
    m->asked = asks(policies[i], &in_force) || m->asked;
  if (!m->asked)
    return false;
  m->base = (uint32_t)config->id_range.start;
  m->place = xasprintf("%s/ROOT/ID", config->map_dir);
  choose_entered(m, document, runtime);
  return in_force;
}

int usermap_want(struct call *c, struct error *err) {
  struct usermap *m = &c->map;
  const struct policy *policies[HARDEN_POLICIES_MAX] = { &c->policies[0], &c->policies[1] };
  if (!usermap_sample(m, &c->config, c->harden.spec.root, policies, c->policies_len, c->target.kind))
    return 0;
  if (c->command.verb == VERB_RESTORE) {
    m->why = xstrdup("a checkpoint brings its own ids");
    return 0;
  }
  free(m->place);
  m->place = place_of(&c->config, c->root, c->command.id);
  if (take_ids(c, pod_of(c), err) < 0)
    return -1;
  if (!m->why)
    choose_entered(m, c->harden.spec.root, c->target.kind);
  return 0;
}

const struct harden_offer *usermap_offered(const struct usermap *m, struct harden_offer *offer) {
  *offer = (struct harden_offer){ .base = m->why ? 0 : m->base,
                                  .why = m->why,
                                  .place = m->place,
                                  .path = m->path,
                                  .entered = (const char *const *)m->entered };
  return m->asked ? offer : NULL;
}

static int enter(const char *path, int type, struct error *err) {
  static const int flags[ENTERED_TYPES] = { CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS };
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_RDONLY, 0, RESOLVE_TRUSTED);
  if (fd < 0 || setns(fd, flags[type]) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "the %s namespace %s cannot be entered", entered_types[type],
                     path);
  return 0;
}

int usermap_enter(const struct usermap *m, struct error *err) {
  for (int i = 0; i < ENTERED_TYPES; i++)
    if (m->entered[i] && enter(m->entered[i], i, err) < 0)
      return -1;
  return 0;
}

int usermap_enter_again(const struct strlist *types, pid_t init, struct error *err) {
  static const char *const files[ENTERED_TYPES] = { "net", "ipc", "uts" };
  for (int i = 0; i < ENTERED_TYPES; i++) {
    CLEANUP_FREE char *path = xasprintf("/proc/%d/ns/%s", (int)init, files[i]);
    for (size_t k = 0; k < types->len; k++)
      if (str_starts(types->items[k], entered_types[i]) && enter(path, i, err) < 0)
        return -1;
  }
  return 0;
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
    if (!(flags & MOUNT_RO) || wish->unmapped || m->why->broken)
      return -1;
    *m->why = (struct refusal){ 0 };
    *err = (struct error){ 0 };
    if (volume_map(&volume, &m->map->stage, &again, &m->ids, m->why, err) < 0)
      return -1;
  }
  if (volume.below_len > 0 && m->call->target.kind == RUNTIME_CRUN)
    return error_set(err, ERROR_SYSTEM, 0, "crun would leave out what is mounted below %s", source->real);
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

static int open_namespace(const struct making *m, const char *type, int *ret, struct error *err) {
  bool found;
  const char *path = path_of_namespace(m->config, type, &found);
  for (size_t i = 0; i < ENTERED_TYPES; i++)
    if (m->map->entered[i] && strcmp(entered_types[i], type) == 0)
      path = m->map->entered[i];
  *ret = path ? path_open(AT_FDCWD, path, O_RDONLY, 0, RESOLVE_TRUSTED) : -1;
  return path && *ret < 0 ? error_set(err, ERROR_SYSTEM, errno, "%s", path) : 0;
}

static int make_special(const struct making *m, const struct mount_view *v, struct error *err) {
  const bool sysfs = strcmp(v->type, "sysfs") == 0;
  CLEANUP_FREE char *path = NULL;
  CLEANUP_FD int ns = -1;
  if (open_namespace(m, sysfs ? "network" : "ipc", &ns, err) < 0)
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

static bool may_bind(const json_t *config) {
  const json_t *set = jsonx_at(config, "/process/capabilities/bounding");
  for (size_t i = 0; i < json_array_size(set); i++)
    if (strcmp(json_string_value(json_array_get(set, i)), "CAP_NET_BIND_SERVICE") == 0)
      return true;
  return false;
}

/* Ids as the host counts them. */
static char *on_host(uint32_t base, const uint64_t range[2]) {
  const uint64_t last = ID_BLOCK - 1;
  return xasprintf("%u\t%u", base + (uint32_t)(range[0] < last ? range[0] : last),
                   base + (uint32_t)(range[1] < last ? range[1] : last));
}

/* What the control has taken out of the config is set from outside. */
static int set_sysctl(const struct making *m, int ns, const struct journal_entry *e, bool *ret_port,
                      struct error *err) {
  CLEANUP_FREE char *name = sysctl_dotted(strrchr(e->pointer, '/') + 1);
  CLEANUP_FREE char *value = NULL;
  uint64_t range[2];
  if (!name || !json_is_string(e->before))
    return error_set(err, ERROR_INPUT, 0, "%s: no sysctl", e->pointer);
  *ret_port = *ret_port || strcmp(name, SYSCTL_PORT) == 0;
  value = strcmp(name, SYSCTL_PING) == 0 && sysctl_range(e->before, range) && range[0] <= range[1]
              ? on_host(m->map->base, range)
              : xstrdup(json_string_value(e->before));
  return write_sysctl(ns, name, value, err);
}

/* A network that another user namespace owns gives no port below 1024 for CAP_NET_BIND_SERVICE. */
static int open_ports(const struct making *m, int ns, struct error *err) {
  if (write_sysctl(ns, SYSCTL_PORT, "0", err) < 0)
    return -1;
  journal_add(
      &m->call->harden.spec.journal, "user-namespace", "OH-UNS-004", OUTCOME_FINDING, "/linux/sysctl", NULL,
      NULL, "ports below 1024 are opened to all of the joined network: the capability does not reach there");
  return 0;
}

static int set_sysctls(const struct making *m, struct error *err) {
  CLEANUP_FD int ns = -1;
  bool port = false;
  if (open_namespace(m, "network", &ns, err) < 0)
    return -1;
  const struct journal *journal = &m->call->harden.spec.journal;
  for (size_t i = 0; ns >= 0 && i < journal->len; i++) {
    const struct journal_entry *e = &journal->entries[i];
    if (e->outcome == OUTCOME_CHANGED && !e->after && strcmp(e->rule, "OH-UNS-004") == 0 &&
        set_sysctl(m, ns, e, &port, err) < 0)
      return -1;
  }
  return ns >= 0 && !port && may_bind(m->config) ? open_ports(m, ns, err) : 0;
}

int usermap_own_stdio(uint32_t base, enum runtime_kind runtime, struct error *err) {
  struct kernel_idmap map;
  struct refusal why = { 0 };
  const struct idmap ids = { -1, &map, &map };
  idmap_block(base, ID_BLOCK, &map);
  if (special_own_pipes(&ids, &why, err) < 0)
    return -1;
  return usermap_own_null(runtime, err);
}

int usermap_own_null(enum runtime_kind runtime, struct error *err) {
  struct refusal why = { 0 };
  return runtime == RUNTIME_CRUN && proof_is_privileged() ? special_own_null(&why, err) : 0;
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

struct proof_map usermap_promised(const struct state *state) {
  return (struct proof_map){
    .base = state->map.base,
    .place = state->map.place,
    .device = state->map.device,
    .inode = state->map.inode,
    .unmapped = state->map.unmapped,
    .entered = state->map.entered,
  };
}
