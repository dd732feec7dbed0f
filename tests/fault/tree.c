/* SPDX-License-Identifier: Apache-2.0 */
#include "fault/tree.h"

#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static _Noreturn void give_up(const char *path) {
  perror(path);
  exit(2);
}

static void add(struct tree *t, const char *name, bool has_data) {
  CLEANUP_FREE char *path = xasprintf("%s/%s", t->dir, name);
  CLEANUP_FD int fd = has_data ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
  struct stat st = { 0 };
  if (has_data && (fd < 0 || fstat(fd, &st) < 0))
    give_up(path);
  t->files = xrealloc(t->files, t->len + 1, sizeof *t->files);
  struct tree_file *f = &t->files[t->len++];
  *f = (struct tree_file){ .name = xstrdup(name), .data = xcalloc((size_t)st.st_size + 1, 1) };
  if (!has_data)
    return;
  f->len = (size_t)st.st_size;
  if (read(fd, f->data, f->len) != st.st_size)
    give_up(path);
}

static void walk(struct tree *t, const char *below) {
  CLEANUP_FREE char *path = xasprintf("%s/%s", t->dir, below);
  DIR *dir = opendir(path);
  if (!dir && errno != ENOENT)
    give_up(path);
  for (struct dirent *entry; dir && (entry = readdir(dir));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
      continue;
    CLEANUP_FREE char *name = xasprintf("%s%s%s", below, entry->d_name, entry->d_type == DT_DIR ? "/" : "");
    if (entry->d_type == DT_REG || (t->deep && (entry->d_type == DT_DIR || entry->d_type == DT_SOCK)))
      add(t, name, entry->d_type == DT_REG);
    if (entry->d_type == DT_DIR && t->deep)
      walk(t, name);
  }
  if (dir)
    closedir(dir);
}

void tree_read(struct tree *t, const char *dir, bool deep) {
  *t = (struct tree){ .dir = dir, .deep = deep };
  walk(t, "");
}

static void remove_new(const struct tree *t) {
  struct tree now;
  tree_read(&now, t->dir, t->deep);
  for (size_t i = now.len; i-- > 0;) { /* what is in a directory stands behind it */
    CLEANUP_FREE char *path = xasprintf("%s/%s", t->dir, now.files[i].name);
    if (!tree_find(t, now.files[i].name) && remove(path) < 0)
      give_up(path);
  }
  tree_free(&now);
}

void tree_restore(const struct tree *t) {
  remove_new(t);
  for (size_t i = 0; i < t->len; i++) {
    const struct tree_file *f = &t->files[i];
    CLEANUP_FREE char *path = xasprintf("%s/%s", t->dir, f->name);
    if (str_ends(f->name, "/")) {
      if (mkdir(path, 0700) < 0 && errno != EEXIST)
        give_up(path);
      continue;
    }
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || write(fd, f->data, f->len) != (ssize_t)f->len)
      give_up(path);
  }
}

void tree_free(struct tree *t) {
  for (size_t i = 0; i < t->len; i++) {
    free(t->files[i].name);
    free(t->files[i].data);
  }
  free(t->files);
  *t = (struct tree){ 0 };
}

const struct tree_file *tree_find(const struct tree *t, const char *name) {
  for (size_t i = 0; i < t->len; i++)
    if (strcmp(t->files[i].name, name) == 0)
      return &t->files[i];
  return NULL;
}

const char *tree_difference(const struct tree *a, const struct tree *b) {
  for (size_t i = 0; i < a->len; i++) {
    const struct tree_file *x = &a->files[i], *y = tree_find(b, x->name);
    if (*x->name == '.')
      continue;
    if (!y || y->len != x->len || memcmp(x->data, y->data, x->len) != 0)
      return x->name;
  }
  for (size_t i = 0; i < b->len; i++)
    if (*b->files[i].name != '.' && !tree_find(a, b->files[i].name))
      return b->files[i].name;
  return NULL;
}
