/* SPDX-License-Identifier: Apache-2.0 */
#include "control/common.h"
#include "control/mounts.h"
#include "io/path.h"

#include <string.h>

bool mount_list_has(const struct mount_list *l, const char *place, const char *type) {
  for (size_t i = 0; i < l->len; i++)
    if (l->items[i].place && strcmp(l->items[i].place, place) == 0 && strcmp(l->items[i].type, type) == 0 &&
        !l->items[i].is.remount)
      return true;
  return false;
}

/* What a file system may be mounted on, exactly. What is not a row here and is below /proc or /sys is
 * refused. */
static const struct {
  const char *type, *place;
} kernel_mounts[] = {
  { "proc", "/proc" },
  { "sysfs", "/sys" },
  { "cgroup", "/sys/fs/cgroup" },
  { "cgroup2", "/sys/fs/cgroup" },
  { "tmpfs", "/dev" },
  { "devpts", "/dev/pts" },
  { "mqueue", "/dev/mqueue" },
};

bool mount_is_astray(const struct mount_view *v, const char *place) {
  bool view = strcmp(v->type, "proc") == 0 || strcmp(v->type, "sysfs") == 0 || str_starts(v->type, "cgroup");
  for (size_t i = 0; view && i < ARRAY_SIZE(kernel_mounts); i++)
    if (strcmp(kernel_mounts[i].type, v->type) == 0 && strcmp(kernel_mounts[i].place, place) == 0)
      return false;
  return view;
}

/* What lxcfs gives, by documented usage: bind /var/lib/lxcfs/proc/X onto /proc/X. */
static const char lxcfs_dir[] = "/var/lib/lxcfs/proc/";
static const char *const lxcfs_names[] = { "cpuinfo",      "diskstats",   "loadavg",        "meminfo",
                                           "stat",         "slabinfo",    "swaps",          "uptime",
                                           "pressure/cpu", "pressure/io", "pressure/memory" };

static bool is_lxcfs(const struct mount_view *v, const char *place, const struct facts *facts) {
  if (strcmp(v->type, "bind") != 0 || !v->source || !str_starts(place, "/proc/"))
    return false;
  const struct source_fact *fact = facts_source(facts, v->source);
  const char *real = fact ? fact->real : facts->host_known ? NULL : v->source;
  const char *name = place + strlen("/proc/");
  if (!real || !str_starts(real, lxcfs_dir) || strcmp(real + strlen(lxcfs_dir), name) != 0)
    return false;
  for (size_t i = 0; i < ARRAY_SIZE(lxcfs_names); i++)
    if (strcmp(lxcfs_names[i], name) == 0)
      return true;
  return false;
}

/* What the runtime makes in /dev itself, or opens there: whoever mounts over it chooses what a mask or the
 * console is. */
static const char *const runtime_devices[] = {
  "/dev/null",    "/dev/zero", "/dev/full",   "/dev/random", "/dev/urandom", "/dev/tty",
  "/dev/console", "/dev/ptmx", "/dev/pts",    "/dev/fd",     "/dev/stdin",   "/dev/stdout",
  "/dev/stderr",  "/dev/core", "/dev/mqueue", "/dev/kmsg",   "/dev/kcore",
};

bool mount_fits(const struct mount_view *v, const char *place, const struct facts *facts) {
  for (size_t i = 0; i < ARRAY_SIZE(kernel_mounts); i++)
    if (strcmp(kernel_mounts[i].place, place) == 0 && strcmp(kernel_mounts[i].type, v->type) == 0)
      return true;
  if (path_is_below(place, "/proc"))
    return is_lxcfs(v, place, facts);
  if (path_is_below(place, "/sys") || strcmp(place, "/dev") == 0)
    return false;
  for (size_t i = 0; i < ARRAY_SIZE(runtime_devices); i++)
    if (path_is_below(place, runtime_devices[i]))
      return false;
  return true;
}

/* Is the path one that the globs name, or below one? */
static bool excepted(const char *path, const struct strlist *globs) {
  for (size_t i = 0; i < globs->len; i++) {
    CLEANUP_FREE char *dir = path_normalise(globs->items[i]);
    CLEANUP_FREE char *below = xasprintf("%s/*", dir);
    if (glob_match(dir, path) || glob_match(below, path))
      return true;
  }
  return false;
}

/* A private ipc namespace beside the host's /dev/shm would be half of what was promised: POSIX shared memory
 * and semaphores live there. */
static const char *shared_memory(const char *path, const struct policy *policy) {
  int action = policy->namespaces.action; /* in a policy of mode audit this is recorded like all else */
  bool promised =
      (action == ACTION_HARDEN || action == ACTION_DENY) && policy->namespaces.ipc == NAMESPACE_PRIVATE;
  return promised && path_is_below(path, "/dev/shm") ? "/dev/shm" : NULL;
}

/* By text alone: the sensitive path that this is, or lies below. */
static const char *sensitive_text(const char *path, const struct policy *policy) {
  const char *found = facts_sensitive(path);
  if (!found)
    found = shared_memory(path, policy);
  for (size_t i = 0; !found && i < policy->mounts.deny_sources.len; i++)
    if (control_path_below(path, policy->mounts.deny_sources.items[i]))
      found = policy->mounts.deny_sources.items[i];
  return found;
}

bool mount_copies_dev(const struct mount_view *v, const char *place) {
  return v->is.copy_up && strcmp(place, "/dev") == 0;
}

bool mount_gives_link(const struct mount_view *v, const struct facts *facts) {
  if (!v->is.keeps_link || !facts->host_known)
    return false;
  const struct source_fact *fact = v->source ? facts_source(facts, v->source) : NULL;
  return !fact || !fact->real || !control_path_same(fact->real, v->source);
}

enum source_verdict mount_source_judge(const struct facts *facts, const struct policy *policy,
                                       const char *source, const char **ret_why) {
  *ret_why = NULL;
  const struct source_fact *fact = facts_source(facts, source);
  if (!fact && facts->host_known)
    return SOURCE_UNKNOWN;
  if (fact) {
    if (!fact->real)
      return SOURCE_UNKNOWN;
    *ret_why = fact->sensitive ? fact->sensitive : shared_memory(fact->real, policy);
    return *ret_why && !excepted(fact->real, &policy->mounts.allow_sources) ? SOURCE_SENSITIVE : SOURCE_FINE;
  }
  if (*source != '/')
    return SOURCE_FINE; /* of the bundle: there is no host to ask */
  CLEANUP_FREE char *text = path_normalise(source);
  if (control_path_climbs(text))
    return SOURCE_UNKNOWN;
  *ret_why = sensitive_text(text, policy);
  return *ret_why && !excepted(text, &policy->mounts.allow_sources) ? SOURCE_SENSITIVE : SOURCE_FINE;
}

/* nodev on /dev or devpts would break every device and terminal of the container. */
static unsigned may_carry(const struct mount_view *v, const char *place) {
  if (strcmp(v->type, "devpts") == 0 || (strcmp(v->type, "tmpfs") == 0 && strcmp(place, "/dev") == 0))
    return MOUNT_NOSUID | MOUNT_NOEXEC;
  return MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC;
}

/* File systems of the kernel's own: they hold no programs and no devices (but devpts), and engines mount them
 * with every flag. */
bool mount_is_kernel(const struct mount_view *v) {
  static const char *const types[] = { "proc", "sysfs", "cgroup", "cgroup2", "mqueue", "devpts" };
  for (size_t i = 0; i < ARRAY_SIZE(types); i++)
    if (strcmp(types[i], v->type) == 0)
      return true;
  return false;
}

bool mount_is_plain(const struct mount_view *v, const struct facts *facts, unsigned *ret_repeat) {
  *ret_repeat = 0;
  const struct source_fact *fact = v->source ? facts_source(facts, v->source) : NULL;
  if (!fact || facts->runtime != RUNTIME_CRUN || strcmp(v->type, "bind") != 0 ||
      (fact->kind != INODE_FILE && fact->kind != INODE_OTHER))
    return false;
  for (size_t i = 0; i < fact->options.len; i++)
    *ret_repeat |= mount_flag_named(fact->options.items[i]);
  return true;
}

struct mount_wish mount_wish_of(const struct mount_view *v, const char *place, const struct policy *policy,
                                const struct facts *facts) {
  const bool bound = strcmp(v->type, "bind") == 0;
  struct mount_wish wish = { .unshare = true, .plain = !bound };
  for (size_t i = 0; i < policy->mounts.enforce.len; i++)
    wish.flags |= mount_flag_named(policy->mounts.enforce.items[i]);
  if (strlist_matches(&policy->mounts.noexec, place))
    wish.flags |= MOUNT_NOEXEC;
  if (mount_is_kernel(v))
    wish.flags |= MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC;
  wish.flags &= may_carry(v, place);
  if (!bound)
    wish.flags |= v->is.set_below & (may_carry(v, place) | MOUNT_RO);
  if (strcmp(v->type, "sysfs") == 0 || strcmp(v->type, "cgroup") == 0 || strcmp(v->type, "cgroup2") == 0)
    wish.flags |= MOUNT_RO;
  if (!bound || !facts->mount_setattr)
    return wish;
  unsigned repeat;
  if (mount_is_plain(v, facts, &repeat)) {
    wish.flags |= wish.flags & ~v->is.set ? repeat : 0;
    return wish;
  }
  wish.recursive_forms = policy->mounts.recursive || !v->is.recursive;
  if (policy->mounts.recursive && v->is.recursive)
    wish.flags_below = wish.flags | (v->is.set & MOUNT_RO);
  return wish;
}
