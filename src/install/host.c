/* SPDX-License-Identifier: Apache-2.0 */
#include "install/host.h"

#include "io/fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

void host_close(struct host *h) {
  cleanup_fd_p(&h->lock_fd);
  cleanup_fd_p(&h->fd);
  h->fd = h->lock_fd = -1;
}

/* The directory `path`, made with those above it when it is not there. */
static int open_dir(const struct host *h, const char *path, mode_t mode, int *ret, struct error *err) {
  CLEANUP_FREE char *clean = path_normalise(path);
  for (char *slash = strchr(clean + 1, '/'); clean[1]; slash = strchr(slash + 1, '/')) {
    if (slash)
      *slash = '\0';
    CLEANUP_FREE char *real = NULL;
    bool exists;
    if (path_resolve_in_root(h->fd, clean, &real, &exists, err) < 0)
      return -1;
    if (!exists && mkdirat(h->fd, real + 1, mode) < 0 && errno != EEXIST)
      return error_set(err, ERROR_SYSTEM, errno, "cannot make the directory %s", clean);
    if (!slash)
      break;
    *slash = '/';
  }
  *ret = path_open(h->fd, clean, O_RDONLY | O_DIRECTORY, 0, RESOLVE_ROOTFS);
  return *ret < 0 ? error_set(err, ERROR_SYSTEM, errno, "cannot open the directory %s", clean) : 0;
}

/* Whoever had it before may have removed the directory that we waited for. */
static int take_lock(struct host *h, struct error *err) {
  struct stat have = { 0 }, there = { 0 };
  bool exists = false;
  do {
    cleanup_fd_p(&h->lock_fd);
    h->lock_fd = -1;
    if (open_dir(h, INSTALL_DIR, 0700, &h->lock_fd, err) < 0)
      return -1;
    if (flock(h->lock_fd, LOCK_EX) < 0 || fstat(h->lock_fd, &have) < 0)
      return error_set(err, ERROR_SYSTEM, errno, "cannot lock " INSTALL_DIR);
    if (host_stat(h, INSTALL_DIR, &exists, &there, err) < 0)
      return -1;
  } while (!exists || have.st_ino != there.st_ino || have.st_dev != there.st_dev);
  return 0;
}

void host_tidy(const struct host *h) {
  if (unlinkat(h->fd, &INSTALL_DIR[1], AT_REMOVEDIR) == 0)
    (void)unlinkat(h->fd, "var/lib/oci-harden", AT_REMOVEDIR);
}

int host_open(struct host *ret, const char *root, bool lock, struct error *err) {
  CLEANUP_HOST struct host h = { .fd = -1, .lock_fd = -1, .is_here = !root || strcmp(root, "/") == 0 };
  h.fd = open(root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (h.fd < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot open the root directory %s", root ? root : "/");
  if (lock && take_lock(&h, err) < 0)
    return -1;
  *ret = h;
  h.fd = h.lock_fd = -1;
  return 0;
}

void host_file_free(struct host_file *f) {
  free(f->path);
  free(f->text);
  f->path = f->text = NULL;
}

int host_read(const struct host *h, const char *path, size_t limit, struct host_file *ret,
              struct error *err) {
  CLEANUP_HOST_FILE struct host_file f = { 0 };
  bool exists;
  if (path_resolve_in_root(h->fd, path, &f.path, &exists, err) < 0)
    return error_wrap(err, "%s", path);
  if (exists && file_read(h->fd, f.path + 1, RESOLVE_INSIDE, limit, &f.text, &f.len, &f.st, err) < 0)
    return error_wrap(err, "%s", path);
  ret->path = steal_ptr(&f.path);
  ret->text = steal_ptr(&f.text);
  ret->len = f.len;
  ret->st = f.st;
  return 0;
}

int host_write(const struct host *h, const char *path, const void *data, size_t len, const struct stat *like,
               struct error *err) {
  const struct stat plain = { .st_mode = 0644, .st_uid = geteuid(), .st_gid = getegid() };
  CLEANUP_FREE char *dir = xstrdup(path);
  char *slash = strrchr(dir, '/');
  CLEANUP_FREE char *name = xstrdup(slash + 1);
  CLEANUP_FD int fd = -1;
  slash[slash == dir] = '\0';
  if (open_dir(h, dir, 0755, &fd, err) < 0 ||
      file_replace_durably(fd, name, data, len, like ? like : &plain, err) < 0)
    return error_wrap(err, "%s", path);
  return 0;
}

int host_remove(const struct host *h, const char *path, struct error *err) {
  CLEANUP_FREE char *dir = xstrdup(path);
  char *slash = strrchr(dir, '/');
  CLEANUP_FREE char *name = xstrdup(slash + 1);
  slash[slash == dir] = '\0';
  CLEANUP_FD int fd = path_open(h->fd, dir, O_RDONLY | O_DIRECTORY, 0, RESOLVE_ROOTFS);
  if ((fd < 0 || unlinkat(fd, name, 0) < 0) && errno != ENOENT)
    return error_set(err, ERROR_SYSTEM, errno, "cannot remove %s", path);
  return 0;
}

int host_stat(const struct host *h, const char *path, bool *ret, struct stat *ret_st, struct error *err) {
  CLEANUP_FD int fd = path_open(h->fd, path, O_PATH, 0, RESOLVE_ROOTFS);
  *ret = fd >= 0;
  if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
    return error_set(err, ERROR_SYSTEM, errno, "cannot look at %s", path);
  if (fd >= 0 && fstat(fd, ret_st) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot look at %s", path);
  return 0;
}

int host_glob(const struct host *h, const char *pattern, struct strlist *ret, struct error *err) {
  CLEANUP_FREE char *root = xasprintf("/proc/self/fd/%d", h->fd);
  CLEANUP_FREE char *full = xasprintf("%s%s", root, pattern);
  glob_t found = { 0 };
  const int result = glob(full, 0, NULL, &found);
  for (size_t i = 0; result == 0 && i < found.gl_pathc; i++)
    strlist_add(ret, found.gl_pathv[i] + strlen(root));
  globfree(&found);
  if (result != 0 && result != GLOB_NOMATCH)
    return error_set(err, ERROR_SYSTEM, result == GLOB_NOSPACE ? ENOMEM : EIO, "cannot look for %s", pattern);
  return 0;
}
