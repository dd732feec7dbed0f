/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/place.h"

#include "base/cleanup.h"
#include "io/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

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
static bool is_empty(int fd) {
  enum { SELF_AND_PARENT = 48 }; /* two entries of linux_dirent64, of 24 bytes each */
  char entries[512];
  CLEANUP_FD int open = path_open(fd, ".", O_RDONLY | O_DIRECTORY, 0, RESOLVE_INSIDE);
  const long len = open < 0 ? -1 : syscall(SYS_getdents64, open, entries, sizeof entries);
  return len >= 0 && len <= SELF_AND_PARENT;
}

void kernel_place_of_fd(int fd, bool contents, struct kernel_place *ret) {
  struct statx_result st;
  struct statfs fs;
  *ret = (struct kernel_place){ 0 };
  if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, ASK_BASIC | ASK_MOUNT, &st) < 0 || fstatfs(fd, &fs) < 0) {
    ret->error = errno;
    return;
  }
  ret->mount = st.mask & ASK_MOUNT ? st.mount : 0;
  ret->is_mount = st.attributes & ATTRIBUTE_MOUNT_ROOT;
  ret->mode = st.mode;
  ret->dev = makedev(st.dev_major, st.dev_minor);
  ret->rdev = makedev(st.rdev_major, st.rdev_minor);
  ret->inode = st.inode;
  ret->type = (long)fs.f_type;
  ret->readonly = fs.f_flags & ST_RDONLY;
  ret->empty = contents && S_ISDIR(st.mode) && fs.f_type == TMPFS_MAGIC && is_empty(fd);
}

void kernel_place_look(int root, const char *path, bool contents, struct kernel_place *ret) {
  CLEANUP_FD int fd = path_open(root, path, O_PATH, 0, RESOLVE_ROOTFS);
  if (fd < 0)
    *ret = (struct kernel_place){ .error = errno };
  else
    kernel_place_of_fd(fd, contents, ret);
}

bool kernel_place_same(const struct kernel_place *a, const struct kernel_place *b) {
  return !a->error && !b->error && a->dev == b->dev && a->inode == b->inode;
}

bool kernel_place_is_mask(const struct kernel_place *p) {
  if (p->error)
    return false;
  if (S_ISCHR(p->mode))
    return p->rdev == makedev(1, 3);
  return S_ISDIR(p->mode) && p->type == TMPFS_MAGIC && p->readonly && p->empty;
}
