/* SPDX-License-Identifier: Apache-2.0 */
#include "facts/look.h"

#include "io/path.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static const struct namespace {
  const char *type; /* in the config */
  const char *path; /* ours */
  int flag;
}
namespaces[] = {
  { "cgroup", "/proc/self/ns/cgroup", CLONE_NEWCGROUP }, { "ipc", "/proc/self/ns/ipc", CLONE_NEWIPC },
  { "mount", "/proc/self/ns/mnt", CLONE_NEWNS },         { "network", "/proc/self/ns/net", CLONE_NEWNET },
  { "pid", "/proc/self/ns/pid", CLONE_NEWPID },          { "time", "/proc/self/ns/time", CLONE_NEWTIME },
  { "user", "/proc/self/ns/user", CLONE_NEWUSER },       { "uts", "/proc/self/ns/uts", CLONE_NEWUTS },
};

static const struct namespace *find(const char *type) {
  for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
    if (strcmp(namespaces[i].type, type) == 0)
      return &namespaces[i];
  return NULL;
}

/* O_PATH first: to open what only claims to be a namespace could block or start a device. */
static int open_namespace(const char *path, struct stat *ret_stat) {
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_PATH, 0, RESOLVE_TRUSTED);
  struct statfs fs;
  if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC || fstat(fd, ret_stat) < 0)
    return -1;
  CLEANUP_FREE char *again = xasprintf("/proc/self/fd/%d", fd);
  return path_open(AT_FDCWD, again, O_RDONLY, 0, RESOLVE_TRUSTED);
}

static void look(struct facts *f, const char *type, const char *path) {
  const struct namespace *n = find(type);
  struct stat theirs;
  struct stat ours;
  CLEANUP_FD int fd = n ? open_namespace(path, &theirs) : -1;
  if (fd < 0)
    look_failed(f);
  if (fd < 0 || ioctl(fd, NS_GET_NSTYPE) != n->flag)
    strlist_add_once(&f->bad_namespace_paths, path);
  else if (stat(n->path, &ours) < 0)
    strlist_add_once(&f->bad_namespace_paths, path); /* what ours is cannot be told */
  else if (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino)
    strlist_add_once(&f->host_namespace_paths, path);
}

void look_at_namespaces(struct facts *f, const struct spec *spec) {
  size_t i;
  json_t *item;
  const json_t *list = spec_at(spec, "/linux/namespaces");
  json_array_foreach(list, i, item) {
    const char *path = json_string_value(json_object_get(item, "path"));
    if (path && *path)
      look(f, json_string_value(json_object_get(item, "type")), path);
  }
}
