/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the process starts, and as what, and where mounts into volumes go: paths with links followed as the
 * kernel will, in the rootfs and in the binds that lie over it. A volume that another container writes may
 * hold the link.
 */
#include "facts/look.h"

#include "io/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

enum { LINKS_MAX = 40 }; /* the kernel's own limit */

struct sight {
  struct facts *facts;
  const json_t *mounts;
  size_t mounts_len; /* those that are there when the path is looked up */
  int rootfs, bundle;
};

/* What a component of a path is, links in it not followed. */
struct component {
  enum inode_kind kind;
  char target[PATH_MAX]; /* of a link */
};

/* The last mount over the path, which is the one that is seen; NULL: the rootfs itself. */
static const json_t *mount_over(const struct sight *s, const char *path, const char **ret_place) {
  for (size_t i = s->mounts_len; i-- > 0;) {
    const json_t *mount = json_array_get(s->mounts, i);
    const struct destination_fact *fact =
        facts_destination(s->facts, json_string_value(json_object_get(mount, "destination")));
    if (!fact || !fact->resolved || strcmp(fact->resolved, "/") == 0 ||
        !path_is_below(path, fact->resolved) || jsonx_has(json_object_get(mount, "options"), "tmpcopyup"))
      continue;
    *ret_place = fact->resolved;
    return mount;
  }
  return NULL;
}

static bool is_bind(const json_t *mount) {
  const char *type = json_string_value(json_object_get(mount, "type"));
  const json_t *options = json_object_get(mount, "options");
  return (type && strcmp(type, "bind") == 0) || jsonx_has(options, "bind") || jsonx_has(options, "rbind");
}

static int open_component(const struct sight *s, const char *path) {
  const char *place;
  const json_t *mount = mount_over(s, path, &place);
  if (!mount)
    return path_open(s->rootfs, path + 1, O_PATH | O_NOFOLLOW, 0, RESOLVE_INSIDE);
  const char *source = json_string_value(json_object_get(mount, "source"));
  if (!is_bind(mount) || !source) {
    errno = ENOENT; /* a fresh file system: nothing is there */
    return -1;
  }
  CLEANUP_FD int dir = path_open(s->bundle, source, O_PATH, 0, RESOLVE_TRUSTED);
  const char *rest = path + strlen(place);
  if (dir < 0 || !*rest)
    return steal_fd(&dir);
  return path_open(dir, rest + 1, O_PATH | O_NOFOLLOW, 0, RESOLVE_INSIDE);
}

static void look_at_component(const struct sight *s, const char *path, struct component *ret) {
  CLEANUP_FD int fd = open_component(s, path);
  struct stat st;
  const bool seen = fd >= 0 && fstat(fd, &st) == 0;
  if (!seen)
    look_failed(s->facts);
  ret->kind = seen ? look_kind(st.st_mode) : INODE_ABSENT;
  if (ret->kind != INODE_SYMLINK)
    return;
  ssize_t n = readlinkat(fd, "", ret->target, sizeof ret->target - 1);
  if (n < 0)
    look_failed(s->facts);
  ret->target[n > 0 ? n : 0] = '\0';
}

static void go_up(struct str *path) {
  char *slash = path->len ? strrchr(path->data, '/') : NULL;
  path->len = slash ? (size_t)(slash - path->data) : 0;
  if (path->data)
    path->data[path->len] = '\0';
}

/* In there a path is the kernel's, and different for each who looks. */
static bool is_kernel(const char *path) {
  return path_is_below(path, "/proc") || path_is_below(path, "/sys");
}

/* Appends a component to `done`. When it turns out to be a link, it is taken back, and its target returned,
 * which the caller frees. */
static char *step(const struct sight *s, const char *name, size_t len, struct str *done, bool *ret_exists) {
  struct component c;
  if (len == 1 && *name == '.')
    return NULL;
  if (len == 2 && strncmp(name, "..", len) == 0) {
    go_up(done);
    return NULL;
  }
  str_add(done, "/");
  str_add_mem(done, name, len);
  if (is_kernel(done->data))
    return NULL;
  look_at_component(s, done->data, &c);
  *ret_exists = c.kind != INODE_ABSENT;
  if (c.kind != INODE_SYMLINK)
    return NULL;
  go_up(done);
  if (*c.target == '/')
    str_free(done);
  return xstrdup(c.target);
}

/* The absolute path with links followed; NULL: too many. What is absent is kept as written. */
static char *see(const struct sight *s, const char *path, bool *ret_exists) {
  CLEANUP_STR struct str done = { 0 };
  CLEANUP_FREE char *todo = xstrdup(path);
  *ret_exists = true;
  for (int links = 0; links <= LINKS_MAX;) {
    const char *name = todo + strspn(todo, "/");
    size_t len = strcspn(name, "/");
    if (len == 0)
      return done.len ? str_steal(&done) : xstrdup("/");
    CLEANUP_FREE char *target = step(s, name, len, &done, ret_exists);
    char *rest = target ? xasprintf("%s/%s", target, name + len) : xstrdup(name + len);
    links += target != NULL;
    free(todo);
    todo = rest;
  }
  return NULL;
}

static char *join(const char *dir, const char *name) {
  return *name == '/' ? xstrdup(name) : xasprintf("%s/%s", dir && *dir == '/' ? dir : "/", name);
}

static const char *path_variable(const struct spec *spec) {
  size_t i;
  json_t *item;
  const json_t *environment = spec_at(spec, "/process/env");
  json_array_foreach(environment, i, item) {
    if (str_starts(json_string_value(item), "PATH="))
      return json_string_value(item) + strlen("PATH=");
  }
  return NULL;
}

/* A bare name: the first in PATH that is there, or that a link leads to where nobody can look. */
static char *search(const struct sight *s, const char *cwd, const char *variable, const char *name) {
  size_t len;
  for (const char *p = variable; p; p = p[len] ? p + len + 1 : NULL) {
    len = strcspn(p, ":");
    CLEANUP_FREE char *dir = xasprintf("%.*s", (int)len, p);
    CLEANUP_FREE char *inside = join(cwd, dir);
    CLEANUP_FREE char *candidate = xasprintf("%s/%s", inside, name);
    bool exists;
    CLEANUP_FREE char *seen = see(s, candidate, &exists);
    if (seen && (exists || is_kernel(seen)))
      return steal_ptr(&seen);
  }
  return NULL;
}

void look_at_program(struct facts *f, const struct spec *spec, int rootfs, int bundle_fd) {
  const json_t *mounts = spec_at(spec, "/mounts");
  const struct sight s = { f, mounts, json_array_size(mounts), rootfs, bundle_fd };
  const char *cwd = json_string_value(spec_at(spec, "/process/cwd"));
  const char *program = json_string_value(spec_at(spec, "/process/args/0"));
  bool exists;
  if (cwd && *cwd == '/')
    f->cwd_resolved = see(&s, cwd, &exists);
  if (!program || !*program)
    return;
  CLEANUP_FREE char *path = strchr(program, '/') ? join(cwd, program) : NULL;
  f->arg0_resolved = path ? see(&s, path, &exists) : search(&s, cwd, path_variable(spec), program);
}

/* What the rootfs says of a path in a bind is void: the end of it is in the bind's source. */
static void look_again(struct destination_fact *fact, const struct sight *s) {
  bool exists;
  char *seen = see(s, fact->destination, &exists);
  if (!seen)
    fact->why = xstrdup("it goes through too many symbolic links");
  free(fact->resolved);
  fact->resolved = seen;
  fact->exists = exists;
}

/* By what the rootfs says of it, or by its name, which the rootfs may lead elsewhere and the bind not. */
static bool is_inside(const struct destination_fact *fact, const char *place) {
  return strcmp(place, fact->resolved) != 0 &&
         (path_is_below(fact->resolved, place) || path_is_below(fact->destination, place));
}

void look_through_binds(struct facts *f, const struct spec *spec, int rootfs, int bundle_fd) {
  const json_t *mounts = spec_at(spec, "/mounts");
  size_t len = json_array_size(mounts), binds_len = 0;
  CLEANUP_FREE size_t *binds = len ? xcalloc(len, sizeof *binds) : NULL;
  for (size_t i = 0; i < len; i++)
    if (is_bind(json_array_get(mounts, i)))
      binds[binds_len++] = i;
  for (size_t k = 0; k < f->destinations_len; k++) {
    struct destination_fact *fact = &f->destinations[k];
    /* The mounts come first, in their order; what a policy adds is mounted after them. */
    const struct sight s = { f, mounts, k < len ? k : len, rootfs, bundle_fd };
    for (size_t b = 0; b < binds_len && binds[b] < s.mounts_len && fact->resolved; b++) {
      const char *place = f->destinations[binds[b]].resolved;
      if (place && is_inside(fact, place)) {
        look_again(fact, &s);
        break;
      }
    }
  }
}
