/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files for tests: whole texts in and out, sorted directory listings. Failures end the test.
 */
#ifndef HARDEN_TESTFILE_H
#define HARDEN_TESTFILE_H

#include "base/str.h"
#include "io/fileio.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* NULL when there is no such file; the caller frees. */
static inline char *testfile_read(const char *path) {
  struct error err = { 0 };
  char *text = NULL;
  size_t len = 0;
  if (access(path, F_OK) != 0)
    return NULL;
  int rc = file_read(AT_FDCWD, path, RESOLVE_TRUSTED, (size_t)64 << 20, &text, &len, NULL, &err);
  cr_assert_eq(rc, 0, "%s", err.message);
  return text;
}

static inline void testfile_write(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  cr_assert_not_null(f, "%s", path);
  cr_assert_geq(fputs(text, f), 0, "%s", path);
  cr_assert_eq(fclose(f), 0, "%s", path);
}

/* "DIR/NAME" of every entry in byte order, hidden ones left out. */
static inline void testfile_list(const char *dir, struct strlist *ret) {
  struct dirent **entries;
  int n = scandir(dir, &entries, NULL, alphasort);
  for (int i = 0; i < n; i++) {
    if (entries[i]->d_name[0] != '.')
      strlist_add_new(ret, xasprintf("%s/%s", dir, entries[i]->d_name));
    free(entries[i]);
  }
  if (n >= 0)
    free(entries);
}

static inline bool testfile_is_dir(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static inline const char *testfile_base(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

#endif
