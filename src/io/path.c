/* SPDX-License-Identifier: Apache-2.0 */
#include "io/path.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum {
  LINKS_MAX = 40,   /* the kernel's own limit (MAXSYMLINKS) */
  RETRIES_MAX = 64, /* EAGAIN means a rename raced with us; whoever renames for ever must not hold us */
};

static int open_how(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve) {
  struct open_how how = { .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC), .resolve = resolve };
  if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE)
    how.mode = mode;
  int fd;
  int retries = 0;
  do
    fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
  while (fd < 0 && (errno == EINTR || (errno == EAGAIN && resolve && ++retries < RETRIES_MAX)));
  return fd;
}

int path_open(int dirfd, const char *path, int flags, mode_t mode, enum resolve resolve) {
  switch (resolve) {
  case RESOLVE_TRUSTED:
    return open_how(dirfd, path, flags, mode, 0);
  case RESOLVE_LEAF:
    return open_how(dirfd, path, flags | O_NOFOLLOW, mode, RESOLVE_NO_MAGICLINKS);
  case RESOLVE_INSIDE:
    return open_how(dirfd, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  case RESOLVE_MOUNT:
    return open_how(dirfd, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
  case RESOLVE_ROOTFS:
    return open_how(dirfd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  }
  errno = EINVAL;
  return -1;
}

/* Calls for each component: *path is moved behind it. Length 0 at the end. */
static size_t next_component(const char **path, const char **ret_start) {
  const char *p = *path + strspn(*path, "/");
  size_t len = strcspn(p, "/");
  *ret_start = p;
  *path = p + len;
  return len;
}

static bool is_dots(const char *p, size_t len, size_t dots) {
  return len == dots && strncmp(p, "..", dots) == 0;
}

bool path_is_clean(const char *path) {
  if (path[0] != '/' || strstr(path, "//"))
    return false;
  const char *p;
  size_t len;
  while ((len = next_component(&path, &p)) > 0)
    if (is_dots(p, len, 1) || is_dots(p, len, 2))
      return false;
  return true;
}

bool path_is_normal(const char *path) {
  if (path[0] != '/' || path[1] == '\0')
    return path[0] == '/';
  while (*path) {
    size_t len = 0;
    for (path++; path[len] && path[len] != '/';)
      len++;
    if (len == 0 || is_dots(path, len, 1))
      return false;
    path += len;
  }
  return true;
}

char *path_normalise(const char *path) {
  if (path_is_normal(path))
    return xstrdup(path);
  CLEANUP_STR struct str out = { 0 };
  const char *p;
  size_t len;
  while ((len = next_component(&path, &p)) > 0) {
    if (is_dots(p, len, 1))
      continue;
    str_add_mem(&out, "/", 1);
    str_add_mem(&out, p, len);
  }
  if (!out.len)
    str_add(&out, "/");
  return str_steal(&out);
}

bool path_names_parent(const char *path) {
  for (const char *p = path; (p = strstr(p, "..")); p += 2)
    if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
      return true;
  return false;
}

bool path_is_below(const char *path, const char *dir) {
  if (strcmp(dir, "/") == 0)
    return path[0] == '/';
  size_t len = strlen(dir);
  return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

/*
 * The walk. `done` is the part already resolved: absolute, without links, so ".." in a link's target is its
 * textual parent. `todo` is what is left. Each step opens the whole of `done` anew beneath the root with
 * links forbidden: a directory that is swapped for a link meanwhile is an error, never a way out.
 */
struct walk {
  int root;
  struct str done;
  char *todo;
  unsigned links;
  bool missing; /* a component of `done` does not exist; nothing behind it can be looked at */
};

static void walk_free(struct walk *w) {
  str_free(&w->done);
  free(w->todo);
}

static void go_up(struct walk *w) {
  char *slash = w->done.data ? strrchr(w->done.data, '/') : NULL;
  w->done.len = slash ? (size_t)(slash - w->done.data) : 0;
  if (w->done.data)
    w->done.data[w->done.len] = '\0';
}

static int refuse(const char *path, const char *why, struct error *err) {
  return error_set(err, ERROR_REFUSED, 0, "path \"%s\" in the rootfs %s", path, why);
}

static int open_failed(const char *path, int sys, struct error *err) {
  switch (sys) {
  case ELOOP:
    return refuse(path, "has too many symbolic links", err);
  case ENOTDIR:
    return refuse(path, "passes through something that is not a directory", err);
  case ENAMETOOLONG:
    return refuse(path, "is too long", err);
  default:
    return error_set(err, ERROR_SYSTEM, sys, "cannot resolve \"%s\" in the rootfs", path);
  }
}

/* The component that was just added to `done` is the link fd: its target goes before the rest. */
static int follow(struct walk *w, int fd, const char *path, struct error *err) {
  char target[PATH_MAX];
  if (++w->links > LINKS_MAX)
    return open_failed(path, ELOOP, err);
  ssize_t n = readlinkat(fd, "", target, sizeof target);
  if (n < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot read the link at \"%s\" in the rootfs", w->done.data);
  if ((size_t)n == sizeof target)
    return open_failed(path, ENAMETOOLONG, err);
  if (target[0] == '/')
    w->done.len = 0;
  else
    go_up(w);
  if (w->done.data)
    w->done.data[w->done.len] = '\0';
  char *todo = xasprintf("%.*s/%s", (int)n, target, w->todo);
  free(w->todo);
  w->todo = todo;
  return 0;
}

static int step(struct walk *w, const char *name, size_t len, const char *path, struct error *err) {
  str_add_mem(&w->done, "/", 1);
  str_add_mem(&w->done, name, len);
  if (w->missing)
    return 0;
  CLEANUP_FD int fd = path_open(w->root, w->done.data + 1, O_PATH | O_NOFOLLOW, 0, RESOLVE_INSIDE);
  if (fd < 0 && errno == ENOENT) {
    w->missing = true;
    return 0;
  }
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0)
    return open_failed(path, errno, err);
  if (S_ISLNK(st.st_mode))
    return follow(w, fd, path, err);
  return 0;
}

static int walk(int rootfs_fd, const char *path, char **ret_path, bool *ret_exists, struct error *err) {
  CLEANUP(walk_free) struct walk w = { .root = rootfs_fd, .todo = xstrdup(path) };
  for (;;) {
    CLEANUP_FREE char *todo = steal_ptr(&w.todo);
    const char *rest = todo;
    const char *name;
    size_t len = next_component(&rest, &name);
    w.todo = xstrdup(rest);
    if (len == 0)
      break;
    if (is_dots(name, len, 1))
      continue;
    if (is_dots(name, len, 2)) {
      if (w.missing)
        return refuse(path, "goes through a link to \"..\" of what does not exist", err);
      go_up(&w);
      continue;
    }
    if (step(&w, name, len, path, err) < 0)
      return -1;
  }
  if (!w.done.len)
    str_add(&w.done, "/");
  *ret_path = str_steal(&w.done);
  *ret_exists = !w.missing;
  return 0;
}

int path_resolve_in_root(int rootfs_fd, const char *path, char **ret_path, bool *ret_exists,
                         struct error *err) {
  CLEANUP_FREE char *clean = path_normalise(path);
  const char *rest = clean;
  const char *name;
  size_t len;
  while ((len = next_component(&rest, &name)) > 0)
    if (is_dots(name, len, 2))
      return refuse(path, "has a \"..\" component", err);
  /* Nearly every destination is free of links. One open tells: the kernel meets a link (ELOOP) before it can
   * find that something behind the link is missing. */
  CLEANUP_FD int fd =
      open_how(rootfs_fd, clean[1] ? clean + 1 : ".", O_PATH, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  if (fd < 0 && errno == ELOOP)
    return walk(rootfs_fd, clean, ret_path, ret_exists, err);
  if (fd < 0 && errno != ENOENT)
    return open_failed(path, errno, err);
  *ret_exists = fd >= 0;
  *ret_path = steal_ptr(&clean);
  return 0;
}

/* One directory: made with exactly `mode`, whatever the umask, or there already. *ret_fd is open on it. Who
 * is killed behind the mkdir leaves none that others cannot pass, for nobody would open it to them later. */
static int make_dir(int parent, const char *name, mode_t mode, int *ret_fd) {
  const mode_t mask = mode & 077 ? umask(0) : 0;
  const bool made = mkdirat(parent, name, mode) == 0;
  const int failure = errno;
  if (mode & 077)
    umask(mask);
  errno = failure;
  if (!made && errno != EEXIST)
    return -1;
  CLEANUP_FD int fd =
      path_open(parent, name, O_RDONLY | O_DIRECTORY, 0, made ? RESOLVE_LEAF : RESOLVE_TRUSTED);
  if (fd < 0 && !made && errno == EACCES) /* one that may be passed and not read */
    fd = path_open(parent, name, O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  if (fd < 0 || (made && fchmod(fd, mode) < 0))
    return -1;
  *ret_fd = steal_fd(&fd);
  return 0;
}

int path_make_dirs(const char *path, mode_t mode, struct error *err) {
  if (path[0] != '/')
    return error_set(err, ERROR_INTERNAL, 0, "path_make_dirs: \"%s\" is not absolute", path);
  /* The part that is there: nearly always all of it, or all but the last one or two. */
  CLEANUP_FREE char *there = xstrdup(path);
  size_t end = strlen(path);
  CLEANUP_FD int dir = path_open(AT_FDCWD, there, O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  while (dir < 0 && errno == ENOENT && end > 0) {
    while (there[--end] != '/')
      ;
    there[end] = '\0';
    dir = path_open(AT_FDCWD, end > 0 ? there : "/", O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  }
  const char *rest = path + end;
  const char *p;
  size_t len;
  while (dir >= 0 && (len = next_component(&rest, &p)) > 0) {
    CLEANUP_FREE char *name = xasprintf("%.*s", (int)len, p);
    int next = -1;
    if (make_dir(dir, name, mode, &next) < 0)
      return error_set(err, ERROR_SYSTEM, errno, "cannot make the directory %.*s", (int)(rest - path), path);
    close(dir);
    dir = next;
  }
  return dir >= 0 ? 0 : error_set(err, ERROR_SYSTEM, errno, "cannot open the directory %s", there);
}
