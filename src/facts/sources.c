/* SPDX-License-Identifier: Apache-2.0 */
#include "facts/look.h"

#include "io/path.h"
#include "kernel/mounts.h"
#include "kernel/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

/* A sensitive path as the host has it: its inode, so that another name for it (a bind mount, a hard link)
 * is seen, and its real path, so that what lies below it is. */
struct guard {
  const char *path; /* borrowed */
  char *real;       /* NULL: absent */
  dev_t dev;
  ino_t ino;
  bool alone;     /* what lies below is not meant */
  uint64_t mount; /* that it is seen through; 0: not asked for yet, or unknown */
};

struct guards {
  struct guard *items;
  size_t len;
  size_t builtin; /* of them; the rest are the policies' */
};

static void guards_free(struct guards *g) {
  for (size_t i = 0; i < g->len; i++)
    free(g->items[i].real);
  free(g->items);
}

static void add_guard(struct facts *f, struct guards *g, const char *path, bool alone) {
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_PATH, 0, RESOLVE_TRUSTED);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0) {
    look_failed(f); /* what is absent has no other name; below it text decides */
    return;
  }
  char *real = look_path_of_fd(fd);
  if (!real)
    look_failed(f);
  g->items = xgrow(g->items, g->len, sizeof *g->items);
  g->items[g->len++] =
      (struct guard){ .path = path, .real = real, .dev = st.st_dev, .ino = st.st_ino, .alone = alone };
}

static void make_guards(struct facts *f, struct guards *g, const struct policy *const *policies,
                        size_t policies_len) {
  for (const char *const *p = facts_sensitive_paths; *p; p++)
    add_guard(f, g, *p, strcmp(*p, "/") == 0);
  for (const char *const *p = sensitive_alone; *p; p++)
    add_guard(f, g, *p, true);
  for (const char *const *p = sensitive_socket_paths; *p; p++)
    add_guard(f, g, *p, true);
  g->builtin = g->len;
  for (size_t i = 0; i < policies_len; i++)
    for (size_t k = 0; k < policies[i]->mounts.deny_sources.len; k++) {
      const char *path = policies[i]->mounts.deny_sources.items[k];
      add_guard(f, g, path, strcmp(path, "/") == 0);
    }
}

static const char *guard_by_inode(const struct guards *g, const struct stat *st) {
  for (size_t i = 0; i < g->len; i++)
    if (g->items[i].dev == st->st_dev && g->items[i].ino == st->st_ino)
      return g->items[i].path;
  return NULL;
}

/* Where a built-in path is a link (/var/lib/docker on another disk), what lies below its real place is judged
 * by the name it has in the list, so that the exceptions hold there too. */
static const char *builtin_by_path(const struct guards *g, const char *real) {
  const char *found = facts_sensitive(real);
  if (found || sensitive_excepted(real))
    return found;
  for (size_t i = 0; !found && i < g->builtin; i++) {
    const struct guard *item = &g->items[i];
    if (item->alone || !item->real || strcmp(item->path, item->real) == 0 || !path_is_below(real, item->real))
      continue;
    CLEANUP_FREE char *listed = xasprintf("%s%s", item->path, real + strlen(item->real));
    found = facts_sensitive(listed);
  }
  return found;
}

/* An ancestor by another name: where /etc is bound to /srv/e too, /srv/e/shadow is /etc/shadow. */
static const char *guard_by_ancestor(struct facts *f, const struct guards *g, const char *real) {
  CLEANUP_FREE char *above = xstrdup(real);
  if (sensitive_excepted(real))
    return NULL;
  for (char *slash = strrchr(above, '/'); slash && slash != above; slash = strrchr(above, '/')) {
    struct stat st;
    *slash = '\0';
    if (lstat(above, &st) < 0) {
      look_failed(f);
      return NULL;
    }
    for (size_t i = 0; i < g->len; i++) {
      const struct guard *item = &g->items[i];
      if (item->alone || item->dev != st.st_dev || item->ino != st.st_ino)
        continue;
      CLEANUP_FREE char *listed = xasprintf("%s%s", item->path, real + strlen(above));
      if (i >= g->builtin || facts_sensitive(listed))
        return item->path;
    }
  }
  return NULL;
}

/* The kernel's own file systems give the host's state wherever they are mounted. */
static const char *kernel_fs(struct facts *f, int fd) {
  struct statfs fs;
  if (fstatfs(fd, &fs) < 0) {
    look_failed(f);
    return NULL;
  }
  switch ((unsigned long)fs.f_type) {
  case PROC_SUPER_MAGIC:
    return "/proc";
  case SYSFS_MAGIC:
  case CGROUP_SUPER_MAGIC:
  case CGROUP2_SUPER_MAGIC:
  case DEBUGFS_MAGIC:
  case TRACEFS_MAGIC:
  case SECURITYFS_MAGIC:
  case BPF_FS_MAGIC:
  case EFIVARFS_MAGIC:
  case PSTOREFS_MAGIC:
    return "/sys";
  case DEVPTS_SUPER_MAGIC:
    return "/dev";
  default:
    return NULL;
  }
}

/* A directory gives the sockets in it. */
static const char *holds_socket(struct facts *f, int fd) {
  struct stat st;
  for (const char *const *name = sensitive_sockets; *name; name++)
    if (fstatat(fd, *name, &st, AT_SYMLINK_NOFOLLOW) < 0)
      look_failed(f);
    else if (S_ISSOCK(st.st_mode))
      return *name;
  return NULL;
}

/* The policies' own lists know no exceptions here; the control knows the policy's. */
static const char *denied_by_path(const struct guards *g, const char *real,
                                  const struct policy *const *policies, size_t policies_len) {
  for (size_t i = g->builtin; i < g->len; i++)
    if (g->items[i].real && !g->items[i].alone && path_is_below(real, g->items[i].real))
      return g->items[i].path;
  for (size_t i = 0; i < policies_len; i++)
    for (size_t k = 0; k < policies[i]->mounts.deny_sources.len; k++) {
      const char *path = policies[i]->mounts.deny_sources.items[k];
      if (strcmp(path, "/") == 0 ? strcmp(real, "/") == 0 : path_is_below(real, path))
        return path;
    }
  return NULL;
}

/* A file system's source may be any word; a bind's is a path, even when it does not look like one. */
static bool is_host_path(const json_t *mount, const char *source) {
  const char *type = json_string_value(json_object_get(mount, "type"));
  const json_t *options = json_object_get(mount, "options");
  return strchr(source, '/') || (type && strcmp(type, "bind") == 0) || jsonx_has(options, "bind") ||
         jsonx_has(options, "rbind");
}

struct look {
  struct facts *facts;
  int bundle_fd;
  const struct policy *const *policies;
  size_t policies_len;
  struct guards guards;
  char *bundle;                /* its real path; NULL: not asked for yet */
  struct kernel_mounts mounts; /* ours; none: not asked for yet */
};

static void look_free(struct look *l) {
  guards_free(&l->guards);
  kernel_mounts_free(&l->mounts);
  free(l->bundle);
}

/* What the source's own mount takes from its files, and a bind of it with it. */
static void look_at_mount(struct facts *f, int fd, struct strlist *ret) {
  static const struct {
    unsigned long flag;
    const char *word;
  } words[] = {
    { ST_RDONLY, "ro" }, { ST_NOSUID, "nosuid" }, { ST_NODEV, "nodev" }, { ST_NOEXEC, "noexec" }
  };
  struct statfs fs;
  if (fstatfs(fd, &fs) < 0) {
    look_failed(f);
    return;
  }
  for (size_t i = 0; i < ARRAY_SIZE(words); i++)
    if ((unsigned long)fs.f_flags & words[i].flag)
      strlist_add(ret, words[i].word);
}

/* Whoever writes there changes the image past a read-only root, or the config.json that the proof reads. What
 * holds them is everything else of the engine's too, but where the engine is a user's it may be the home. */
static const char *own_place(struct look *l, const char *real) {
  const char *root = l->facts->root_real;
  if (!l->bundle && !(l->bundle = look_path_of_fd(l->bundle_fd))) {
    look_failed(l->facts);
    return NULL;
  }
  const bool holds = geteuid() == 0;
  CLEANUP_FREE char *config = xasprintf("%s/config.json", l->bundle);
  CLEANUP_FREE char *original = xasprintf("%s/config.engine.json", l->bundle);
  if (holds ? path_is_below(l->bundle, real) : strcmp(l->bundle, real) == 0)
    return "the container's own bundle";
  if (strcmp(config, real) == 0 || strcmp(original, real) == 0)
    return "the container's own config";
  if (root && (path_is_below(real, root) || (holds && path_is_below(root, real))))
    return "the container's own root";
  return NULL;
}

static uint64_t mount_of_guard(struct guard *g) {
  struct kernel_place place = { 0 };
  if (g->mount == 0) {
    CLEANUP_FD int fd = path_open(AT_FDCWD, g->path, O_PATH, 0, RESOLVE_TRUSTED);
    if (fd >= 0)
      kernel_place_of_fd(fd, false, &place);
    g->mount = place.mount;
  }
  return g->mount;
}

static bool read_mounts(struct look *l) {
  CLEANUP_KERNEL_PROCESS struct kernel_process self = KERNEL_PROCESS_NONE;
  struct error ignored = { 0 };
  if (l->mounts.len)
    return true;
  if (kernel_process_open(&self, getpid(), 0, &ignored) == 0 &&
      kernel_mounts_read(&self, &l->mounts, &ignored) == 0)
    return true;
  errno = ignored.sys;
  look_failed(l->facts);
  return false;
}

/* "" of "/", so that texts can be joined. */
static const char *prefix(const char *path) {
  return strcmp(path, "/") == 0 ? "" : path;
}

/* What is at `real` through one mount, by the name that it has through another of the same file system; NULL:
 * it has none there. The caller frees. */
static char *name_through(const struct kernel_mount *other, const struct kernel_mount *mount,
                          const char *real) {
  CLEANUP_FREE char *inside = xasprintf("%s%s", prefix(mount->root), real + strlen(prefix(mount->place)));
  const char *path = *inside ? inside : "/";
  if (!path_is_below(path, other->root))
    return NULL;
  return xasprintf("%s%s", prefix(other->place), path + strlen(prefix(other->root)));
}

static const char *found_through(struct look *l, const struct kernel_mount *other,
                                 const struct kernel_mount *mount, const char *real) {
  if (other->major != mount->major || other->minor != mount->minor)
    return NULL;
  CLEANUP_FREE char *name = name_through(other, mount, real);
  if (!name)
    return NULL;
  const char *found = builtin_by_path(&l->guards, name);
  if (!found)
    found = denied_by_path(&l->guards, name, l->policies, l->policies_len);
  return found ? found : own_place(l, name);
}

static bool is_on_overlay(int fd) {
  struct statfs fs;
  return fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == OVERLAYFS_SUPER_MAGIC;
}

/*
 * A mount of a part of a file system, which has another name for what lies in it: kubelet binds the subPath
 * of a hostPath volume to a name of its own, so that "/" and "etc/cron.d" come as a harmless one. What is
 * judged is the name by which the sensitive paths of that file system are seen. Most sources are on their
 * mount, and cost a call.
 */
static const char *by_origin(struct look *l, int fd, const struct stat *st, const char *real) {
  struct kernel_place place = { 0 };
  /* Of a file on an overlay stat(2) tells the device of its layer. */
  const bool any = !S_ISDIR(st->st_mode) && is_on_overlay(fd);
  for (size_t i = 0; i < l->guards.len; i++) {
    struct guard *g = &l->guards.items[i];
    if (g->dev != st->st_dev && !any)
      continue;
    if (!place.mount)
      kernel_place_of_fd(fd, false, &place);
    if (!place.mount || mount_of_guard(g) == place.mount)
      return NULL; /* Linux before 5.8 does not tell */
  }
  if (!place.mount)
    return NULL; /* nothing sensitive is on its file system */
  const struct kernel_mount *mount = read_mounts(l) ? kernel_mounts_by_id(&l->mounts, place.mount) : NULL;
  if (!mount || !path_is_below(real, mount->place))
    return "on a mount that cannot be traced";
  for (size_t i = 0; i < l->guards.len; i++) {
    const uint64_t id = l->guards.items[i].mount;
    const struct kernel_mount *other = id ? kernel_mounts_by_id(&l->mounts, id) : NULL;
    const char *found = other ? found_through(l, other, mount, real) : NULL;
    if (found)
      return found;
  }
  return NULL;
}

static void look_at(struct look *l, const char *source) {
  struct facts *f = l->facts;
  f->sources = xgrow(f->sources, f->sources_len, sizeof *f->sources);
  struct source_fact *fact = &f->sources[f->sources_len++];
  *fact = (struct source_fact){ .source = xstrdup(source) };
  CLEANUP_FD int fd = path_open(l->bundle_fd, source, O_PATH, 0, RESOLVE_TRUSTED);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0) {
    fact->kind = errno == ENOENT || errno == ENOTDIR ? INODE_ABSENT : INODE_UNKNOWN;
    look_failed(f);
    return;
  }
  fact->kind = look_kind(st.st_mode);
  look_at_mount(f, fd, &fact->options);
  fact->real = look_path_of_fd(fd);
  if (!fact->real) {
    look_failed(f);
    return;
  }
  if (!l->guards.len)
    make_guards(f, &l->guards, l->policies, l->policies_len);
  const char *found = builtin_by_path(&l->guards, fact->real);
  if (!found)
    found = denied_by_path(&l->guards, fact->real, l->policies, l->policies_len);
  if (!found)
    found = guard_by_inode(&l->guards, &st);
  if (!found)
    found = guard_by_ancestor(f, &l->guards, fact->real);
  if (!found)
    found = own_place(l, fact->real);
  if (!found)
    found = kernel_fs(f, fd);
  if (!found && fact->kind == INODE_DIRECTORY)
    found = holds_socket(f, fd);
  if (!found)
    found = by_origin(l, fd, &st, fact->real);
  fact->sensitive = xstrdup(found);
}

void look_at_sources(struct facts *f, const struct spec *spec, int bundle_fd,
                     const struct policy *const *policies, size_t policies_len) {
  CLEANUP(look_free) struct look l = { f, bundle_fd, policies, policies_len, { 0 }, NULL, { 0 } };
  size_t i;
  json_t *mount;
  const json_t *mounts = spec_at(spec, "/mounts");
  json_array_foreach(mounts, i, mount) {
    const char *source = json_string_value(json_object_get(mount, "source"));
    if (source && *source && is_host_path(mount, source))
      look_at(&l, source);
  }
}
