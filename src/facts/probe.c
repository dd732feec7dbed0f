/* SPDX-License-Identifier: Apache-2.0 */
#include "facts/look.h"

#include "io/path.h"
#include "kernel/namespace.h"
#include "kernel/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { CAP_LAST_UNKNOWN = 40 };

char *look_path_of_fd(int fd) {
  char name[32];
  char path[PATH_MAX];
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(name, path, sizeof path);
  if (n < 0)
    return NULL;
  errno = ENOENT;
  if (n == 0 || (size_t)n == sizeof path || path[0] != '/')
    return NULL;
  path[n] = '\0';
  return xstrdup(path);
}

void look_failed(struct facts *f) {
  static const int faults[] = { EMFILE, ENFILE, EBADF, ENOMEM, EIO, EINTR, EAGAIN };
  for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
    if (errno == faults[i])
      f->fault = errno;
}

static int check(const struct facts *f, struct error *err) {
  return f->fault ? error_set(err, ERROR_SYSTEM, f->fault, "cannot look at the host and the root file system")
                  : 0;
}

enum inode_kind look_kind(mode_t mode) {
  switch (mode & S_IFMT) {
  case S_IFDIR:
    return INODE_DIRECTORY;
  case S_IFLNK:
    return INODE_SYMLINK;
  case S_IFREG:
    return INODE_FILE;
  default:
    return INODE_OTHER;
  }
}

/* A file of /proc, whole; "" when it cannot be read. */
static void read_small(struct facts *f, const char *path, char *buffer, size_t size) {
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_RDONLY, 0, RESOLVE_TRUSTED);
  ssize_t n = fd < 0 ? -1 : read(fd, buffer, size - 1);
  if (n < 0)
    look_failed(f);
  buffer[n > 0 ? n : 0] = '\0';
}

/* The initial user namespace is the one whose map is everything to itself. */
static bool is_rootless(struct facts *f) {
  char map[128];
  unsigned long inside, outside, count;
  if (geteuid() != 0)
    return true;
  read_small(f, "/proc/self/uid_map", map, sizeof map);
  return sscanf(map, "%lu %lu %lu", &inside, &outside, &count) != 3 || inside != 0 || outside != 0 ||
         count != UINT32_MAX;
}

static int cap_last(struct facts *f) {
  char text[16];
  read_small(f, "/proc/sys/kernel/cap_last_cap", text, sizeof text);
  char *end;
  long value = strtol(text, &end, 10);
  return end != text && value > 0 && value < 64 ? (int)value : CAP_LAST_UNKNOWN;
}

/* Asks with an argument that no kernel accepts: EINVAL knows the call; ENOSYS, or EPERM of a seccomp filter,
 * does not. */
static bool has_mount_setattr(struct facts *f) {
  if (syscall(SYS_mount_setattr, -1, "", 0, NULL, (size_t)0) < 0 && errno == EINVAL)
    return true;
  look_failed(f);
  return false;
}

static void look_at_host(struct facts *f) {
  struct statfs fs;
  f->host_known = true;
  f->rootless = is_rootless(f);
  if (statfs("/sys/fs/cgroup", &fs) == 0)
    f->cgroup_v2 = fs.f_type == CGROUP2_SUPER_MAGIC;
  else
    look_failed(f);
  f->cap_last = cap_last(f);
  f->mount_setattr = has_mount_setattr(f);
}

static enum inode_kind kind_at(struct facts *f, int rootfs, const char *name) {
  struct stat st;
  if (fstatat(rootfs, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
    return look_kind(st.st_mode);
  look_failed(f);
  return errno == ENOENT ? INODE_ABSENT : INODE_UNKNOWN;
}

/* A directory without entries; what is no directory, or cannot be read, is not. */
static bool is_empty(struct facts *f, int rootfs, const char *path) {
  CLEANUP_FD int fd = path_open(rootfs, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0, RESOLVE_ROOTFS);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir) {
    look_failed(f);
    return false;
  }
  (void)steal_fd(&fd);
  bool empty = true;
  errno = 0;
  for (struct dirent *entry; empty && (entry = readdir(dir));)
    empty = str_same(entry->d_name, ".") || str_same(entry->d_name, "..");
  look_failed(f);
  closedir(dir);
  return empty;
}

/* Neither /proc nor /sys of an image has anything in it, as a rule: one look at each tells of the forty paths
 * below them that policies mask. */
struct rootfs {
  int fd;
  bool bare_proc, bare_sys;
};

static bool is_bare(struct facts *f, int rootfs, const char *dir, enum inode_kind kind) {
  return kind == INODE_ABSENT || (kind == INODE_DIRECTORY && is_empty(f, rootfs, dir));
}

static bool lies_in_bare(const struct rootfs *r, const char *path) {
  return strlen(path) < NAME_MAX && path_is_clean(path) &&
         ((r->bare_proc && str_starts(path, "/proc/")) || (r->bare_sys && str_starts(path, "/sys/")));
}

static void add_destination(struct facts *f, const struct rootfs *r, const char *destination) {
  f->destinations = xgrow(f->destinations, f->destinations_len, sizeof *f->destinations);
  struct destination_fact *fact = &f->destinations[f->destinations_len++];
  struct error err = { 0 };
  *fact = (struct destination_fact){ .destination = xstrdup(destination) };
  CLEANUP_FREE char *normal = path_normalise(destination);
  if (lies_in_bare(r, normal)) {
    fact->resolved = steal_ptr(&normal);
    return;
  }
  if (path_resolve_in_root(r->fd, destination, &fact->resolved, &fact->exists, &err) < 0) {
    fact->why = xstrdup(err.message);
    errno = err.sys;
    look_failed(f);
  }
}

/* Whether there is anything to copy into the policies' tmpfs. */
static void look_into(struct facts *f, int rootfs, const struct strlist *tmpfs) {
  for (size_t i = 0; i < f->destinations_len; i++) {
    struct destination_fact *fact = &f->destinations[i];
    if (fact->resolved && strlist_has(tmpfs, fact->destination))
      fact->empty = !fact->exists || is_empty(f, rootfs, fact->resolved);
  }
}

static bool is_listed(const struct facts *f, size_t len, const char *destination) {
  for (size_t i = 0; i < len; i++)
    if (str_same(f->destinations[i].destination, destination))
      return true;
  return false;
}

static void add_destinations(struct facts *f, const struct rootfs *r, const struct strlist *list) {
  const size_t others = f->destinations_len; /* a list has no item twice */
  for (size_t i = 0; i < list->len; i++)
    if (!is_listed(f, others, list->items[i]))
      add_destination(f, r, list->items[i]);
}

static void look_at_destinations(struct facts *f, const struct spec *spec, int rootfs,
                                 const struct policy *const *policies, size_t policies_len) {
  const struct rootfs r = { rootfs, is_bare(f, rootfs, "proc", f->root_proc),
                            is_bare(f, rootfs, "sys", f->root_sys) };
  size_t i;
  json_t *mount;
  const json_t *mounts = spec_at(spec, "/mounts");
  json_array_foreach(mounts, i, mount) {
    add_destination(f, &r, json_string_value(json_object_get(mount, "destination")));
  }
  for (size_t k = 0; k < policies_len; k++) {
    add_destinations(f, &r, &policies[k]->rootfs.tmpfs);
    add_destinations(f, &r, &policies[k]->paths.masked);
    add_destinations(f, &r, &policies[k]->paths.readonly);
    look_into(f, rootfs, &policies[k]->rootfs.tmpfs);
  }
}

/* An engine that is a user's may keep its bundles in the home that is the root. */
static bool holds_bundle(struct facts *f, int bundle_fd) {
  CLEANUP_FREE char *bundle = bundle_fd == AT_FDCWD ? NULL : look_path_of_fd(bundle_fd);
  if (!bundle && bundle_fd != AT_FDCWD)
    look_failed(f);
  if (!bundle || !f->root_real)
    return false;
  return geteuid() == 0 ? path_is_below(bundle, f->root_real) : strcmp(bundle, f->root_real) == 0;
}

static int look_at_rootfs(struct facts *f, const struct spec *spec, int bundle_fd,
                          const struct policy *const *policies, size_t policies_len, struct error *err) {
  const char *path = json_string_value(spec_at(spec, "/root/path"));
  if (!path)
    return error_set_rule(err, ERROR_INPUT, "OH-SPC-006", "/root/path: is missing");
  CLEANUP_FD int rootfs = path_open(bundle_fd, path, O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  if (rootfs < 0)
    return error_set(err, ERROR_SYSTEM, errno, "/root/path: cannot open the root file system \"%s\"", path);
  struct stat st;
  if (fstat(rootfs, &st) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "/root/path: \"%s\"", path);
  f->rootfs_known = true;
  f->root_device = st.st_dev;
  f->root_inode = st.st_ino;
  f->root_real = look_path_of_fd(rootfs);
  if (!f->root_real)
    look_failed(f);
  f->root_is_host = sensitive_as_root(f, rootfs, f->root_real);
  f->root_holds_bundle = holds_bundle(f, bundle_fd);
  f->root_proc = kind_at(f, rootfs, "proc");
  f->root_sys = kind_at(f, rootfs, "sys");
  f->root_dev = kind_at(f, rootfs, "dev");
  look_at_destinations(f, spec, rootfs, policies, policies_len);
  look_through_binds(f, spec, rootfs, bundle_fd);
  look_at_program(f, spec, rootfs, bundle_fd);
  return 0;
}

/* The ids of a user namespace that is not ours. */
static void look_at_ids(struct facts *f, pid_t init) {
  CLEANUP_KERNEL_PROCESS struct kernel_process process = KERNEL_PROCESS_NONE;
  struct kernel_idmap map;
  struct error ignored = { 0 };
  if (kernel_process_open(&process, init, 0, &ignored) < 0 ||
      kernel_idmap_read(&process, "uid_map", &map, &ignored) < 0) {
    look_failed(f);
    return;
  }
  for (size_t i = 0; i < map.len; i++)
    if (map.items[i].outside == 0) {
      f->has_host_root = true;
      f->host_root = map.items[i].inside;
    }
}

int facts_probe_exec(struct facts *f, const struct spec *spec, const struct policy *const *policies,
                     size_t policies_len, pid_t init, struct error *err) {
  if (look_at_inherited(f, err) < 0)
    return -1;
  look_at_apparmor(f, spec, policies, policies_len, init);
  if (f->user_namespace && !f->rootless && f->ids_mapped == 0)
    look_at_ids(f, init);
  CLEANUP_FREE char *path = xasprintf("/proc/%d/root", (int)init);
  CLEANUP_FD int root = path_open(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  if (root >= 0)
    look_at_program(f, spec, root, -1);
  else
    look_failed(f);
  return check(f, err);
}

int facts_probe(struct facts *ret, const struct spec *spec, int bundle_fd,
                const struct policy *const *policies, size_t policies_len, enum runtime_kind runtime,
                struct error *err) {
  CLEANUP_FACTS struct facts f = { 0 };
  facts_unknown(&f, spec, runtime);
  look_at_host(&f);
  if (spec->kind == SPEC_CONFIG) {
    if (look_at_rootfs(&f, spec, bundle_fd, policies, policies_len, err) < 0)
      return -1;
    look_at_sources(&f, spec, bundle_fd, policies, policies_len);
    look_at_namespaces(&f, spec);
    look_at_hooks(&f, spec);
    look_at_devices(&f, spec);
    look_at_apparmor(&f, spec, policies, policies_len, 0);
    if (look_at_inherited(&f, err) < 0)
      return -1;
  }
  if (check(&f, err) < 0)
    return -1;
  *ret = f;
  f = (struct facts){ 0 };
  return 0;
}
