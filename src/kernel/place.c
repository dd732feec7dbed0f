/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/place.h"

#include "base/cleanup.h"
#include "io/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* statx(2)'s result as the kernel lays it out. musl 1.2.3 does not know the call, and the kernel's own header
 * of it redefines what <sys/stat.h> defines. */
struct statx_result {
  uint32_t mask, block_size;
  uint64_t attributes;
  uint32_t links, uid, gid;
  uint16_t mode;
  uint64_t inode, size, blocks, attributes_mask;
  struct {
    int64_t seconds;
    uint32_t nanoseconds;
    int32_t reserved;
  } times[4];
  uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
  uint64_t mount;
  uint64_t reserved[13];
};
_Static_assert(sizeof(struct statx_result) == 256, "the kernel's size");
_Static_assert(offsetof(struct statx_result, mount) == 0x90, "the kernel's place");

enum { ASK_BASIC = 0x7ff, ASK_MOUNT = 0x1000, ATTRIBUTE_MOUNT_ROOT = 0x2000 };

/* One read tells: a directory of nothing but "." and ".." fills no more of the buffer. */
static bool lists_nothing(int fd) {
  enum { SELF_AND_PARENT = 48 }; /* two entries of linux_dirent64, of 24 bytes each */
  char entries[512];
  const long len = fd < 0 ? -1 : syscall(SYS_getdents64, fd, entries, sizeof entries);
  return len >= 0 && len <= SELF_AND_PARENT;
}

static bool is_empty(int fd) {
  CLEANUP_FD int open = path_open(fd, ".", O_RDONLY | O_DIRECTORY, 0, RESOLVE_INSIDE);
  return lists_nothing(open);
}

/* What statx(2) tells. */
static bool describe(int dir, const char *name, int flags, struct kernel_place *ret) {
  struct statx_result st;
  *ret = (struct kernel_place){ 0 };
  if (syscall(SYS_statx, dir, name, flags, ASK_BASIC | ASK_MOUNT, &st) < 0) {
    ret->error = errno;
    return false;
  }
  ret->mount = st.mask & ASK_MOUNT ? st.mount : 0;
  ret->is_mount = st.attributes & ATTRIBUTE_MOUNT_ROOT;
  ret->mode = st.mode;
  ret->uid = st.uid;
  ret->gid = st.gid;
  ret->dev = makedev(st.dev_major, st.dev_minor);
  ret->rdev = makedev(st.rdev_major, st.rdev_minor);
  ret->inode = st.inode;
  return true;
}

void kernel_place_of_fd(int fd, bool contents, struct kernel_place *ret) {
  struct statfs fs;
  if (!describe(fd, "", AT_EMPTY_PATH, ret))
    return;
  if (fstatfs(fd, &fs) < 0) {
    *ret = (struct kernel_place){ .error = errno };
    return;
  }
  ret->type = (long)fs.f_type;
  ret->readonly = fs.f_flags & ST_RDONLY;
  ret->empty = contents && S_ISDIR(ret->mode) && fs.f_type == TMPFS_MAGIC && is_empty(fd);
}

void kernel_place_look(int root, const char *path, bool contents, struct kernel_place *ret) {
  CLEANUP_FD int fd = path_open(root, path, O_PATH, 0, RESOLVE_ROOTFS);
  if (fd < 0)
    *ret = (struct kernel_place){ .error = errno };
  else
    kernel_place_of_fd(fd, contents, ret);
}

/* An O_PATH fd of the directory that holds the place, -1: there is none. Borrowed. */
static int directory_of(struct kernel_places *p, const char *path, size_t len) {
  for (size_t i = 0; i < p->dirs_len; i++)
    if (strncmp(p->dirs[i].path, path, len) == 0 && !p->dirs[i].path[len])
      return p->dirs[i].fd;
  if (p->dirs_len == KERNEL_PLACES_DIRS)
    return -1;
  CLEANUP_FREE char *dir = xasprintf("%.*s", (int)len, path);
  const int fd = path_open(p->root, dir, O_PATH | O_DIRECTORY, 0, RESOLVE_ROOTFS);
  if (fd >= 0)
    p->dirs[p->dirs_len++] = (struct kernel_places_dir){ steal_ptr(&dir), fd };
  return fd;
}

/* What it is on; false: that is not known. */
static bool add_mount(const struct kernel_places *p, struct kernel_place *ret) {
  const struct kernel_mount *m = ret->mount ? kernel_mounts_by_id(p->mounts, ret->mount) : NULL;
  if (!m)
    return false;
  ret->type = strcmp(m->type, "tmpfs") == 0 ? TMPFS_MAGIC : 0;
  ret->readonly = (m->flags & MS_RDONLY) || m->readonly;
  ret->blank = ret->is_mount && kernel_mount_is_blank(m);
  return true;
}

static bool may_mask(const struct kernel_place *p) {
  return S_ISDIR(p->mode) && (p->type == TMPFS_MAGIC || p->blank);
}

/* By name in its directory, a link unfollowed: false where that is not all. */
static bool look_beside(struct kernel_places *p, const char *path, bool contents, struct kernel_place *ret) {
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : "";
  if (!p->mounts || !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
    return false;
  const int dir = directory_of(p, path, (size_t)(name - path));
  if (dir < 0)
    return false;
  if (!describe(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, ret))
    return ret->error == ENOENT;
  if (S_ISLNK(ret->mode) || !add_mount(p, ret))
    return false;
  if (!contents || !may_mask(ret))
    return true;
  CLEANUP_FD int fd = path_open(dir, name, O_RDONLY | O_DIRECTORY, 0, RESOLVE_INSIDE);
  if (fd < 0 || !describe(fd, "", AT_EMPTY_PATH, ret) || !add_mount(p, ret))
    return false;
  ret->empty = may_mask(ret) && lists_nothing(fd);
  return true;
}

void kernel_places_look(struct kernel_places *p, const char *path, bool contents, struct kernel_place *ret) {
  if (!look_beside(p, path, contents, ret))
    kernel_place_look(p->root, path, contents, ret);
}

void kernel_places_free(struct kernel_places *p) {
  for (size_t i = 0; i < p->dirs_len; i++) {
    close(p->dirs[i].fd);
    free(p->dirs[i].path);
  }
  p->dirs_len = 0;
}

bool kernel_place_same(const struct kernel_place *a, const struct kernel_place *b) {
  return !a->error && !b->error && a->dev == b->dev && a->inode == b->inode;
}

bool kernel_place_is_mask(const struct kernel_place *p) {
  if (p->error)
    return false;
  if (S_ISCHR(p->mode))
    return p->rdev == makedev(1, 3);
  return may_mask(p) && p->readonly && p->empty;
}
