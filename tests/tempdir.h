/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of a test's own, with everything below it removed at the end. */
#ifndef TESTS_TEMPDIR_H
#define TESTS_TEMPDIR_H

#include "base/str.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

static inline char *tempdir_make(const char *name) {
  char *path = xasprintf("/tmp/%s.XXXXXX", name);
  cr_assert(mkdtemp(path) != NULL);
  return path;
}

static inline int tempdir_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
  (void)st, (void)type, (void)ftw;
  return remove(path);
}

static inline void tempdir_remove(char *path) {
  nftw(path, tempdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
  free(path);
}

/* The caller frees the file's path. */
static inline char *tempdir_put(const char *dir, const char *name, const char *text) {
  char *path = xasprintf("%s/%s", dir, name);
  int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  cr_assert(fd >= 0, "%s", path);
  cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
  return path;
}

#endif
