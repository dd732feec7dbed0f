/* SPDX-License-Identifier: Apache-2.0 */
#include "io/fileio.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

enum { CHUNK = 16384 };

int write_all(int fd, const void *data, size_t len) {
  const char *p = data;
  while (len > 0) {
    ssize_t n = write(fd, p, len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      if (n == 0)
        errno = ENOSPC;
      return -1;
    }
    p += n;
    len -= (size_t)n;
  }
  return 0;
}

int file_read_fd(int fd, const char *name, size_t limit, char **ret_data, size_t *ret_len,
                 struct error *err) {
  struct stat st = { 0 };
  size_t size = CHUNK;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
    size = (size_t)st.st_size < limit ? (size_t)st.st_size + 2 : limit + 2;
  CLEANUP_FREE char *data = xrealloc(NULL, size, 1);
  size_t len = 0;
  for (;;) {
    if (size - len < 2) {
      size += size < CHUNK ? CHUNK : size;
      data = xrealloc(data, size, 1);
    }
    ssize_t n = read(fd, data + len, size - len - 1);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return error_set(err, ERROR_SYSTEM, errno, "cannot read %s", name);
    if (n == 0)
      break;
    len += (size_t)n;
    if (len > limit)
      return error_set(err, ERROR_INPUT, 0, "%s is larger than the limit of %zu bytes", name, limit);
  }
  data[len] = '\0';
  *ret_data = steal_ptr(&data);
  *ret_len = len;
  return 0;
}

/* O_NONBLOCK: the open of a FIFO must not wait for a writer; it means nothing to a regular file. */
static int open_regular(int dirfd, const char *path, enum resolve resolve, enum error_code code, int *ret_fd,
                        struct stat *ret_stat, struct error *err) {
  CLEANUP_FD int fd = path_open(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, resolve);
  if (fd < 0 && errno == ENXIO)
    return error_set(err, code, 0, "%s is not a regular file", path);
  if (fd < 0 || fstat(fd, ret_stat) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot open %s", path);
  if (!S_ISREG(ret_stat->st_mode))
    return error_set(err, code, 0, "%s is not a regular file", path);
  *ret_fd = steal_fd(&fd);
  return 0;
}

int file_read(int dirfd, const char *path, enum resolve resolve, size_t limit, char **ret_data,
              size_t *ret_len, struct stat *ret_stat, struct error *err) {
  CLEANUP_FD int fd = -1;
  struct stat st = { 0 };
  if (open_regular(dirfd, path, resolve, ERROR_INPUT, &fd, &st, err) < 0 ||
      file_read_fd(fd, path, limit, ret_data, ret_len, err) < 0)
    return -1;
  if (ret_stat)
    *ret_stat = st;
  return 0;
}

static bool maps_host_root(void) {
  CLEANUP_FREE char *map = NULL;
  size_t len;
  struct error ignored = { 0 };
  if (file_read(AT_FDCWD, "/proc/self/uid_map", RESOLVE_TRUSTED, CHUNK, &map, &len, NULL, &ignored) < 0)
    return true;
  for (const char *line = map; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
    char *end;
    (void)strtoul(line, &end, 10);
    if (strtoul(end, NULL, 10) == 0)
      return true;
  }
  return false;
}

bool file_owner_is_trusted(uid_t owner) {
  enum { OVERFLOW_UID = 65534 }; /* the kernel's default; where it was changed, rootless is refused */
  return owner == 0 || owner == geteuid() || (owner == OVERFLOW_UID && !maps_host_root());
}

int file_read_trusted(const char *path, size_t limit, char **ret_data, size_t *ret_len, struct error *err) {
  CLEANUP_FD int fd = -1;
  struct stat st = { 0 };
  if (open_regular(AT_FDCWD, path, RESOLVE_TRUSTED, ERROR_POLICY, &fd, &st, err) < 0)
    return -1;
  if (!file_owner_is_trusted(st.st_uid))
    return error_set(err, ERROR_POLICY, 0, "%s is not trusted: it belongs to uid %u; chown it to root", path,
                     (unsigned)st.st_uid);
  /* A POSIX ACL that lets others write shows in the group bits (its mask). */
  if (st.st_mode & (S_IWGRP | S_IWOTH))
    return error_set(err, ERROR_POLICY, 0, "%s is not trusted: mode %04o lets others write it; chmod go-w it",
                     path, (unsigned)(st.st_mode & 07777));
  return file_read_fd(fd, path, limit, ret_data, ret_len, err);
}

/*
 * Temporary files are named ".NAME.oci-harden.PID.RANDOM". A writer that was killed leaves one; whoever
 * replaces NAME next removes it once no such process is left. A reused pid only delays that. Ours counts as
 * gone: a process replaces one file at a time.
 */
static bool is_leftover(const char *entry, const char *prefix) {
  if (!str_starts(entry, prefix))
    return false;
  const char *digits = entry + strlen(prefix);
  char *end;
  errno = 0;
  long pid = isdigit((unsigned char)*digits) ? strtol(digits, &end, 10) : 0;
  if (pid <= 0 || pid > INT32_MAX || errno || *end != '.')
    return false;
  return (pid_t)pid == getpid() || (kill((pid_t)pid, 0) < 0 && errno == ESRCH);
}

static void remove_leftovers(int dirfd, const char *prefix) {
  CLEANUP_FD int fd = path_open(dirfd, ".", O_RDONLY | O_DIRECTORY, 0, RESOLVE_INSIDE);
  CLEANUP_DIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir)
    return;
  (void)steal_fd(&fd);
  const struct dirent *entry;
  while ((entry = readdir(dir)))
    if (is_leftover(entry->d_name, prefix))
      (void)unlinkat(dirfd, entry->d_name, 0);
}

/* Mode 0600 until everything is written: an environment may hold secrets. */
static int fill(int fd, const void *data, size_t len, const struct stat *like) {
  if (write_all(fd, data, len) < 0)
    return -1;
  if (!like)
    return fchmod(fd, 0600);
  if ((like->st_uid != geteuid() || like->st_gid != getegid()) && fchown(fd, like->st_uid, like->st_gid) < 0)
    return -1;
  return fchmod(fd, like->st_mode & 0777);
}

static int replace(int dirfd, const char *name, const void *data, size_t len, const struct stat *like,
                   bool durably, struct error *err) {
  if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
    return error_set(err, ERROR_INTERNAL, 0, "file_replace: \"%s\" is not a plain name", name);
  CLEANUP_FREE char *prefix = xasprintf(".%s.oci-harden.", name);
  remove_leftovers(dirfd, prefix);
  uint32_t random = 0;
  if (getrandom(&random, sizeof random, 0) != sizeof random)
    return error_set(err, ERROR_SYSTEM, errno, "getrandom");
  CLEANUP_FREE char *temp = xasprintf("%s%d.%08x", prefix, (int)getpid(), random);
  int fd = path_open(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL, 0600, RESOLVE_INSIDE);
  if (fd < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot create a file beside %s", name);
  int failed = fill(fd, data, len, like) < 0 || (durably && fsync(fd) < 0) ? errno : 0;
  if (close(fd) < 0 && !failed)
    failed = errno;
  if (!failed && renameat(dirfd, temp, dirfd, name) < 0)
    failed = errno;
  if (!failed)
    return 0;
  (void)unlinkat(dirfd, temp, 0);
  return error_set(err, ERROR_SYSTEM, failed, "cannot replace %s", name);
}

int file_replace(int dirfd, const char *name, const void *data, size_t len, const struct stat *like,
                 struct error *err) {
  return replace(dirfd, name, data, len, like, false, err);
}

int file_replace_durably(int dirfd, const char *name, const void *data, size_t len, const struct stat *like,
                         struct error *err) {
  if (replace(dirfd, name, data, len, like, true, err) < 0)
    return -1;
  CLEANUP_FD int fd = path_open(dirfd, ".", O_RDONLY | O_DIRECTORY, 0, RESOLVE_INSIDE);
  if (fd < 0 || fsync(fd) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot write the directory of %s", name);
  return 0;
}

int file_append(const char *path, const void *data, size_t len, struct error *err) {
  CLEANUP_FD int fd =
      path_open(AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0600, RESOLVE_LEAF);
  if (fd < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot open %s", path);
  ssize_t n;
  do
    n = write(fd, data, len);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot append to %s", path);
  if ((size_t)n != len)
    return error_set(err, ERROR_SYSTEM, ENOSPC, "cannot append to %s", path);
  return 0;
}
