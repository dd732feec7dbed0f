/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap/mountapi.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <sys/syscall.h>

int mountapi_clone(int dirfd, const char *path, bool recursive) {
  const unsigned flags =
      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (*path ? 0 : AT_EMPTY_PATH) | (recursive ? AT_RECURSIVE : 0);
  return (int)syscall(SYS_open_tree, dirfd, path, flags);
}

int mountapi_set(int fd, bool recursive, const struct mount_attr *attr) {
  const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  return (int)syscall(SYS_mount_setattr, fd, "", flags, attr, sizeof *attr);
}

int mountapi_attach(int fd, int dirfd, const char *path) {
  return (int)syscall(SYS_move_mount, fd, "", dirfd, path, MOVE_MOUNT_F_EMPTY_PATH);
}

int mountapi_new(const char *type, const char *const *options, unsigned attrs) {
  CLEANUP_FD int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
  if (fs < 0)
    return -1;
  for (; options && *options; options += 2)
    if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, options[0], options[1], 0) < 0)
      return -1;
  if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
    return -1;
  return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attrs);
}
