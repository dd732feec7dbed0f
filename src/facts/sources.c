/* SPDX-License-Identifier: Apache-2.0 */
#include "facts/look.h"

#include "io/path.h"

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
  bool alone; /* what lies below is not meant */
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
  char *bundle; /* its real path; NULL: not asked for yet */
};

static void look_free(struct look *l) {
  guards_free(&l->guards);
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
  fact->sensitive = xstrdup(found);
}

void look_at_sources(struct facts *f, const struct spec *spec, int bundle_fd,
                     const struct policy *const *policies, size_t policies_len) {
  CLEANUP(look_free) struct look l = { f, bundle_fd, policies, policies_len, { 0 }, NULL };
  size_t i;
  json_t *mount;
  json_array_foreach(spec_at(spec, "/mounts"), i, mount) {
    const char *source = json_string_value(json_object_get(mount, "source"));
    if (source && *source && is_host_path(mount, source))
      look_at(&l, source);
  }
}
