/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks that are named by a process, as docker 20.10 names its own: /proc/PID/exe is whatever that process
 * runs. Whoever could bring about such a hook with a pid of a container would have a program of an image run
 * by the runtime, and with the pid of some shell on the host whatever he likes.
 */
#include "facts/look.h"

#include "io/fileio.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "/proc/PID" of "/proc/PID/exe"; NULL: another path. The caller frees. */
static char *process_of(const char *path) {
  if (!str_starts(path, "/proc/"))
    return NULL;
  const size_t digits = strspn(path + strlen("/proc/"), "0123456789");
  if (digits == 0 || strcmp(path + strlen("/proc/") + digits, "/exe") != 0)
    return NULL;
  return xasprintf("%.*s", (int)(strlen("/proc/") + digits), path);
}

/* A container has a mount namespace of its own, whatever its image's files claim to belong to. */
static bool is_beside_us(int process) {
  struct stat ours;
  struct stat theirs;
  return fstatat(process, "ns/mnt", &theirs, 0) == 0 && stat("/proc/self/ns/mnt", &ours) == 0 &&
         ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* By its file's name, which only root gives on the host. An upgrade leaves a daemon that runs a file that is
 * gone. */
static bool is_daemon(int process) {
  char path[PATH_MAX];
  const ssize_t len = readlinkat(process, "exe", path, sizeof path - 1);
  if (len < 0)
    return false;
  path[len] = '\0';
  return str_ends(path, "/dockerd") || str_ends(path, "/dockerd (deleted)");
}

/* Through one directory: all questions are answered by one process, or not at all. */
static bool is_host_daemon(const char *directory) {
  struct stat st;
  CLEANUP_FD int process = path_open(AT_FDCWD, directory, O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  if (process < 0 || !is_beside_us(process) || !is_daemon(process) || fstatat(process, "exe", &st, 0) < 0)
    return false;
  return S_ISREG(st.st_mode) && file_owner_is_trusted(st.st_uid) && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
         (st.st_mode & S_IXUSR) != 0;
}

void look_at_hooks(struct facts *f, const struct spec *spec) {
  const char *stage;
  json_t *hooks;
  json_t *stages = spec_at(spec, "/hooks");
  json_object_foreach(stages, stage, hooks) {
    size_t i;
    json_t *hook;
    json_array_foreach(hooks, i, hook) {
      const char *path = json_string_value(json_object_get(hook, "path"));
      CLEANUP_FREE char *process = path ? process_of(path) : NULL;
      if (process && !is_host_daemon(process) && !strlist_has(&f->bad_hook_paths, path))
        strlist_add(&f->bad_hook_paths, path);
    }
  }
}
