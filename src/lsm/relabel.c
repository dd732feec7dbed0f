/* SPDX-License-Identifier: Apache-2.0 */
#include "lsm/relabel.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "io/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define ATTRIBUTE "security.selinux"
enum { LABEL_MAX = 4096 };

struct walk {
  const char *label;
  bool sets; /* else it only looks for what is refused */
  unsigned files, changed;
  struct str path; /* where it is, for messages */
};

static void walk_free(struct walk *w) {
  str_free(&w->path);
}

static const char *at(const struct walk *w) {
  return w->path.data;
}

/* An fd of O_PATH takes no fsetxattr(2); its name in /proc does, and is the file itself, a link too. */
struct fd_name {
  char text[sizeof "/proc/self/fd/" + 10];
};
static struct fd_name name_of(int fd) {
  struct fd_name name;
  snprintf(name.text, sizeof name.text, "/proc/self/fd/%d", fd);
  return name;
}

static int has_label(const struct walk *w, int fd, bool *ret, struct error *err) {
  const struct fd_name name = name_of(fd);
  char text[LABEL_MAX];
  const ssize_t n = getxattr(name.text, ATTRIBUTE, text, sizeof text - 1);
  *ret = false;
  if (n < 0)
    return errno == ENODATA ? 0 : error_set(err, ERROR_SYSTEM, errno, "the label of %s", at(w));
  text[n] = '\0';
  *ret = strcmp(text, w->label) == 0;
  return 0;
}

static int label(struct walk *w, int fd, const struct stat *st, struct error *err) {
  const struct fd_name name = name_of(fd);
  bool has;
  if (has_label(w, fd, &has, err) < 0)
    return -1;
  if (has)
    return 0;
  if (!S_ISDIR(st->st_mode) && st->st_nlink > 1)
    return error_set(err, ERROR_REFUSED, 0,
                     "%s has %llu names, one of which may be outside; label it beforehand, by chcon", at(w),
                     (unsigned long long)st->st_nlink);
  w->changed++;
  if (w->sets && setxattr(name.text, ATTRIBUTE, w->label, strlen(w->label) + 1, 0) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s cannot be labelled %s", at(w), w->label);
  return 0;
}

static int walk_file(struct walk *w, int fd, unsigned depth, struct error *err);

/* What is gone meanwhile, or is a mount's, is none of the tree. */
static int walk_name(struct walk *w, int dir, const char *name, unsigned depth, struct error *err) {
  const size_t before = w->path.len;
  str_addf(&w->path, "/%s", name);
  CLEANUP_FD int fd = path_open(dir, name, O_PATH | O_NOFOLLOW, 0, RESOLVE_MOUNT);
  if (fd < 0 && errno != ENOENT && errno != EXDEV)
    return error_set(err, ERROR_SYSTEM, errno, "%s", at(w));
  if (fd >= 0 && walk_file(w, fd, depth, err) < 0)
    return -1;
  w->path.len = before;
  w->path.data[before] = '\0';
  return 0;
}

static int walk_dir(struct walk *w, int fd, unsigned depth, struct error *err) {
  CLEANUP_FD int listed = path_open(fd, ".", O_RDONLY | O_DIRECTORY, 0, RESOLVE_MOUNT);
  CLEANUP_DIR DIR *dir = listed >= 0 ? fdopendir(listed) : NULL;
  if (!dir)
    return error_set(err, ERROR_SYSTEM, errno, "%s", at(w));
  (void)steal_fd(&listed); /* the DIR's */
  if (depth == RELABEL_DEPTH_MAX)
    return error_set(err, ERROR_REFUSED, 0,
                     "%s is deeper than %d directories; label it beforehand, by chcon -R", at(w),
                     RELABEL_DEPTH_MAX);
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(dir);
    if (!entry)
      return errno ? error_set(err, ERROR_SYSTEM, errno, "%s", at(w)) : 0;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
      continue;
    if (walk_name(w, dirfd(dir), entry->d_name, depth + 1, err) < 0)
      return -1;
  }
}

static int walk_file(struct walk *w, int fd, unsigned depth, struct error *err) {
  struct stat st;
  if (fstat(fd, &st) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s", at(w));
  if (++w->files > RELABEL_FILES_MAX)
    return error_set(err, ERROR_REFUSED, 0, "more than %d files; label them beforehand, by chcon -R",
                     RELABEL_FILES_MAX);
  if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
    return 0;
  if (S_ISDIR(st.st_mode) && walk_dir(w, fd, depth, err) < 0)
    return -1;
  return label(w, fd, &st, err);
}

static int walk_tree(const char *path, int top, const char *label, bool sets, unsigned *ret_changed,
                     struct error *err) {
  CLEANUP(walk_free) struct walk w = { .label = label, .sets = sets };
  str_add(&w.path, path);
  *ret_changed = 0;
  if (walk_file(&w, top, 0, err) < 0)
    return -1;
  *ret_changed = w.changed;
  return 0;
}

int relabel_tree(const char *path, const char *label, unsigned *ret_changed, struct error *err) {
  CLEANUP_FD int root = path_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  CLEANUP_FD int top = root < 0 ? -1 : path_open(root, path + 1, O_PATH, 0, RESOLVE_INSIDE);
  if (top < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s", path);
  if (walk_tree(path, top, label, false, ret_changed, err) < 0)
    return -1;
  return *ret_changed ? walk_tree(path, top, label, true, ret_changed, err) : 0;
}
