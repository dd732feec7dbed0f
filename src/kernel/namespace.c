/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/namespace.h"

#include "base/cleanup.h"
#include "io/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { IDMAP_LIMIT = 16384, LINK_SIZE = 64 };

const char *const kernel_ns_names[KERNEL_NAMESPACES] = {
  [KERNEL_NS_USER] = "user",       [KERNEL_NS_MOUNT] = "mount", [KERNEL_NS_PID] = "pid",
  [KERNEL_NS_NETWORK] = "network", [KERNEL_NS_IPC] = "ipc",     [KERNEL_NS_UTS] = "uts",
  [KERNEL_NS_CGROUP] = "cgroup",   [KERNEL_NS_TIME] = "time",
};

static const char *const files[KERNEL_NAMESPACES] = {
  [KERNEL_NS_USER] = "ns/user",     [KERNEL_NS_MOUNT] = "ns/mnt", [KERNEL_NS_PID] = "ns/pid",
  [KERNEL_NS_NETWORK] = "ns/net",   [KERNEL_NS_IPC] = "ns/ipc",   [KERNEL_NS_UTS] = "ns/uts",
  [KERNEL_NS_CGROUP] = "ns/cgroup", [KERNEL_NS_TIME] = "ns/time",
};

bool kernel_namespace_same(const struct kernel_namespace *a, const struct kernel_namespace *b) {
  return a->inode == b->inode && a->dev == b->dev;
}

/* The number of "mnt:[4026531841]"; 0: not of that form. */
static ino_t number_of(const char *link) {
  const char *number = strchr(link, '[');
  char *end;
  errno = 0;
  const unsigned long long n = number ? strtoull(number + 1, &end, 10) : 0;
  return n > 0 && !errno && strcmp(end, "]") == 0 ? (ino_t)n : 0;
}

/* The text of the link tells as much as what it leads to, in less time; all namespaces are on one device. */
static int read_all(int dir, const char *whose, struct kernel_namespace ret[KERNEL_NAMESPACES],
                    struct error *err) {
  struct stat st = { 0 };
  for (size_t i = 0; i < KERNEL_NAMESPACES; i++) {
    char link[LINK_SIZE] = "";
    ret[i] = (struct kernel_namespace){ 0 };
    if (readlinkat(dir, files[i], link, sizeof link - 1) < 0 ? errno != ENOENT
                                                             : !(ret[i].inode = number_of(link)))
      return error_set(err, ERROR_SYSTEM, *link ? EINVAL : errno, "%s/%s", whose, files[i]);
    if (ret[i].inode && st.st_dev == 0 && fstatat(dir, files[i], &st, 0) < 0)
      return error_set(err, ERROR_SYSTEM, errno, "%s/%s", whose, files[i]);
    ret[i].dev = ret[i].inode ? st.st_dev : 0;
  }
  /* Without any the directory itself is gone, and the process with it. */
  if (ret[KERNEL_NS_MOUNT].inode == 0)
    return error_set(err, ERROR_SYSTEM, ESRCH, "%s/%s", whose, files[KERNEL_NS_MOUNT]);
  return 0;
}

int kernel_namespaces_read(const struct kernel_process *p, struct kernel_namespace ret[KERNEL_NAMESPACES],
                           struct error *err) {
  char whose[32];
  snprintf(whose, sizeof whose, "/proc/%d", (int)p->pid);
  return read_all(p->dir, whose, ret, err);
}

int kernel_namespaces_own(struct kernel_namespace ret[KERNEL_NAMESPACES], struct error *err) {
  CLEANUP_FD int dir = path_open(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  if (dir < 0)
    return error_set(err, ERROR_SYSTEM, errno, "/proc/self");
  return read_all(dir, "/proc/self", ret, err);
}

int kernel_namespace_at(const char *path, struct kernel_namespace *ret, struct error *err) {
  struct stat st;
  struct statfs fs;
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_PATH, 0, RESOLVE_TRUSTED);
  if (fd < 0 || fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "namespace %s", path);
  if (fs.f_type != NSFS_MAGIC)
    return error_set(err, ERROR_INPUT, 0, "%s is no namespace", path);
  *ret = (struct kernel_namespace){ st.st_dev, st.st_ino };
  return 0;
}

/* request: NS_GET_USERNS, or NS_GET_PARENT. */
static int ask_owner(int fd, unsigned long request, struct kernel_namespace *ret) {
  struct stat st;
  CLEANUP_FD int owner = ioctl(fd, request);
  if (owner < 0)
    return errno == EPERM ? 0 : -1;
  if (fstat(owner, &st) < 0)
    return -1;
  *ret = (struct kernel_namespace){ st.st_dev, st.st_ino };
  return 0;
}

int kernel_namespace_owner(const char *path, struct kernel_namespace *ret, struct error *err) {
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_RDONLY, 0, RESOLVE_TRUSTED);
  *ret = (struct kernel_namespace){ 0 };
  return fd < 0 || ask_owner(fd, NS_GET_USERNS, ret) < 0
             ? error_set(err, ERROR_SYSTEM, errno, "namespace %s", path)
             : 0;
}

static int owner_of(int dir, const char *file, struct kernel_namespace *ret) {
  CLEANUP_FD int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return errno == ENOENT ? 0 : -1; /* a type that this kernel does not have */
  return ask_owner(fd, strcmp(file, files[KERNEL_NS_USER]) == 0 ? NS_GET_PARENT : NS_GET_USERNS, ret);
}

void kernel_owners_read(const struct kernel_process *p, struct kernel_owners *ret) {
  *ret = (struct kernel_owners){ 0 };
  for (size_t i = 0; i < KERNEL_NAMESPACES && !ret->error; i++)
    if (owner_of(p->dir, files[i], &ret->of[i]) < 0)
      ret->error = errno;
}

static bool take_mapping(const char **at, struct kernel_mapping *ret) {
  int used = 0;
  if (sscanf(*at, "%u %u %u%n", &ret->inside, &ret->outside, &ret->count, &used) != 3 || (*at)[used] != '\n')
    return false;
  *at += used + 1;
  return true;
}

int kernel_idmap_parse(const char *text, struct kernel_idmap *ret, struct error *err) {
  ret->len = 0;
  for (const char *p = text; *p;) {
    if (ret->len == KERNEL_MAPPINGS_MAX || !take_mapping(&p, &ret->items[ret->len]))
      return error_set(err, ERROR_INPUT, 0, "id map: line %zu is not as the kernel writes it", ret->len + 1);
    ret->len++;
  }
  return 0;
}

int kernel_idmap_read(const struct kernel_process *p, const char *name, struct kernel_idmap *ret,
                      struct error *err) {
  CLEANUP_FREE char *text = NULL;
  size_t len;
  ret->len = 0;
  if (kernel_process_text(p, name, IDMAP_LIMIT, &text, &len, err) < 0)
    return -1;
  return kernel_idmap_parse(text, ret, err);
}
