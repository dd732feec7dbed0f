/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fds.h"

#include "base/cleanup.h"
#include "io/path.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { FDINFO_LIMIT = 1 << 20 }; /* an epoll lists what it watches */
enum { NUMBER_SIZE = 12 };       /* of a process, as text */

/* The number on the line that begins with the key: "flags:\t". */
static int take_number(const char *text, const char *key, int base, uint64_t *ret, struct error *err) {
  const char *p = text;
  while (p && !str_starts(p, key)) {
    p = strchr(p, '\n');
    p = p ? p + 1 : NULL;
  }
  if (!p)
    return error_set(err, ERROR_INPUT, 0, "fdinfo: there is no line %s", key);
  p += strlen(key);
  char *end;
  errno = 0;
  *ret = strtoull(p, &end, base);
  if (errno || end == p || *end != '\n')
    return error_set(err, ERROR_INPUT, 0, "fdinfo: %s is no number", key);
  return 0;
}

int kernel_fdinfo_parse(const char *text, struct kernel_fd *ret, struct error *err) {
  uint64_t flags;
  if (take_number(text, "flags:\t", 8, &flags, err) < 0 ||
      take_number(text, "mnt_id:\t", 10, &ret->mount, err) < 0)
    return -1;
  ret->cloexec = flags & O_CLOEXEC;
  ret->o_path = flags & O_PATH;
  return 0;
}

static void free_fd(struct kernel_fd *f) {
  free(f->target);
}

struct listing {
  const struct kernel_process *process;
  int dir;          /* /proc/PID/fd */
  const char *name; /* of the entry, a number */
  int fd;
};

/* The number that the process has in its own pid namespace: the last of the line. */
static bool own_number(const struct kernel_process *p, char ret[NUMBER_SIZE]) {
  enum { STATUS_LIMIT = 1 << 20 };
  CLEANUP_FREE char *text = NULL;
  size_t len;
  struct error ignored = { 0 };
  if (kernel_process_text(p, "status", STATUS_LIMIT, &text, &len, &ignored) < 0)
    return false;
  const char *line = strstr(text, "\nNSpid:");
  const char *end = line ? strchr(line + 1, '\n') : NULL;
  const char *start = end;
  while (start && isdigit((unsigned char)start[-1]))
    start--;
  if (!start || start == end || end - start >= NUMBER_SIZE)
    return false;
  memccpy(ret, start, '\n', NUMBER_SIZE);
  ret[end - start] = '\0';
  return true;
}

enum { PROC_ROOT_INODE = 1 };

/* Steps up to the root of the proc file system that the directory is of; -1: it is of another. */
static int proc_root(const struct listing *l) {
  enum { DEPTH = 4 }; /* /1/task/1/fd */
  CLEANUP_FD int at = path_open(l->dir, l->name, O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  for (int i = 0; at >= 0; i++) {
    struct statfs fs;
    struct stat st;
    if (fstatfs(at, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC || fstat(at, &st) < 0)
      return -1;
    if (st.st_ino == PROC_ROOT_INODE)
      return steal_fd(&at);
    const int up = i < DEPTH ? path_open(at, "..", O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED) : -1;
    close(at);
    at = up;
  }
  return -1;
}

/* Whoever has the process's own number there must be in its pid namespace: in the host's proc that is
 * another. */
static bool is_own(const struct kernel_process *p, int root) {
  char number[NUMBER_SIZE], there[64], here[64];
  if (!own_number(p, number))
    return false;
  CLEANUP_FREE char *name = xasprintf("%s/ns/pid", number);
  const ssize_t n = readlinkat(root, name, there, sizeof there);
  return n > 0 && n < (ssize_t)sizeof there && readlinkat(p->dir, "ns/pid", here, sizeof here) == n &&
         memcmp(there, here, (size_t)n) == 0;
}

static void look_at_directory(const struct listing *l, struct kernel_fd *ret) {
  CLEANUP_FD int root = proc_root(l);
  ret->proc_root = root >= 0 && ret->st.st_ino == PROC_ROOT_INODE;
  ret->own_proc = root >= 0 && is_own(l->process, root);
}

/* 1: read; 0: it was closed meanwhile. */
static int read_one(const struct listing *l, struct kernel_fd *ret, struct error *err) {
  const struct kernel_process *p = l->process;
  char info[sizeof "fdinfo/" + 3 * sizeof(int)] = "fdinfo/";
  CLEANUP_FREE char *text = NULL;
  char target[PATH_MAX];
  size_t len;
  *ret = (struct kernel_fd){ .fd = l->fd };
  memccpy(info + strlen(info), l->name, '\0', 3 * sizeof(int));
  const ssize_t target_len =
      fstatat(l->dir, l->name, &ret->st, 0) < 0 ? -1 : readlinkat(l->dir, l->name, target, sizeof target - 1);
  if (target_len < 0)
    return errno == ENOENT ? 0 : error_set(err, ERROR_SYSTEM, errno, "/proc/%d/fd/%s", (int)p->pid, l->name);
  target[target_len] = '\0';
  if (kernel_process_text(p, info, FDINFO_LIMIT, &text, &len, err) < 0)
    return err->sys == ENOENT ? 0 : -1;
  if (kernel_fdinfo_parse(text, ret, err) < 0)
    return -1;
  ret->target = xstrdup(target);
  if (S_ISDIR(ret->st.st_mode))
    look_at_directory(l, ret);
  return 1;
}

static int by_number(const void *a, const void *b) {
  return ((const struct kernel_fd *)a)->fd - ((const struct kernel_fd *)b)->fd;
}

typedef int visit_fd(const struct listing *l, void *data, struct error *err);

/* NULL at the end, or on failure with errno set: a list that breaks off is not the whole one. */
static const struct dirent *next_entry(DIR *dir) {
  errno = 0;
  return readdir(dir);
}

/* Calls visit for each number, until it gives other than 0, which is then the result. */
static int each(const struct kernel_process *p, visit_fd *visit, void *data, struct error *err) {
  CLEANUP_FD int fd = path_open(p->dir, "fd", O_RDONLY | O_DIRECTORY, 0, RESOLVE_INSIDE);
  CLEANUP_DIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir)
    return error_set(err, ERROR_SYSTEM, errno, "/proc/%d/fd", (int)p->pid);
  struct listing l = { .process = p, .dir = steal_fd(&fd) };
  int result = 0;
  for (const struct dirent *entry; result == 0;) {
    char *end;
    if (!(entry = next_entry(dir)))
      return errno ? error_set(err, ERROR_SYSTEM, errno, "/proc/%d/fd", (int)p->pid) : 0;
    l.name = entry->d_name;
    l.fd = (int)strtol(l.name, &end, 10);
    if (!*end && end != l.name)
      result = visit(&l, data, err);
  }
  return result;
}

static int add(const struct listing *l, void *data, struct error *err) {
  struct kernel_fds *fds = data;
  struct kernel_fd one;
  struct error closed = { 0 };
  if (fds->len == KERNEL_FDS_MAX)
    return error_set(err, ERROR_INPUT, 0, "process %d has more than %d files open", (int)l->process->pid,
                     KERNEL_FDS_MAX);
  const int found = read_one(l, &one, &closed);
  if (found == 1) {
    fds->items = xrealloc(fds->items, fds->len + 1, sizeof *fds->items);
    fds->items[fds->len++] = one;
    return 0;
  }
  free_fd(&one);
  if (found < 0)
    *err = closed;
  return found;
}

int kernel_fds_read(const struct kernel_process *p, struct kernel_fds *ret, struct error *err) {
  CLEANUP_KERNEL_FDS struct kernel_fds fds = { 0 };
  *ret = fds;
  if (each(p, add, &fds, err) < 0)
    return -1;
  if (fds.len > 0)
    qsort(fds.items, fds.len, sizeof *fds.items, by_number);
  *ret = fds;
  memset(&fds, 0, sizeof fds);
  return 0;
}

struct sought {
  dev_t dev;
  ino_t inode;
};

static int is_sought(const struct listing *l, void *data, struct error *err) {
  const struct sought *sought = data;
  struct stat st;
  (void)err;
  return fstatat(l->dir, l->name, &st, 0) == 0 && st.st_dev == sought->dev && st.st_ino == sought->inode;
}

int kernel_fds_have(const struct kernel_process *p, const struct stat *file, bool *ret, struct error *err) {
  struct sought sought = { file->st_dev, file->st_ino };
  const int found = each(p, is_sought, &sought, err);
  *ret = found > 0;
  return found < 0 ? -1 : 0;
}

void kernel_fds_free(struct kernel_fds *f) {
  for (size_t i = 0; i < f->len; i++)
    free_fd(&f->items[i]);
  free(f->items);
  *f = (struct kernel_fds){ 0 };
}
