/* SPDX-License-Identifier: Apache-2.0 */
/* The mount calls of Linux 5.2 and later, which musl does not have. Each returns -1 with errno set. */
#ifndef HARDEN_IDMAP_MOUNTAPI_H
#define HARDEN_IDMAP_MOUNTAPI_H

#include <sys/mount.h>
/* glibc's <sys/mount.h> goes before the kernel's. */
#include <linux/mount.h>
#include <stdbool.h>
#include <stdint.h>

/* open_tree(2) of what is open: a detached copy of its mount, close-on-exec; with `recursive` of all mounts
 * below it too. path may be "" for the fd itself. */
int mountapi_clone(int dirfd, const char *path, bool recursive);
/* mount_setattr(2) on the mount behind the fd. */
int mountapi_set(int fd, bool recursive, const struct mount_attr *attr);
/* move_mount(2): a detached mount becomes visible at a path. The last component is not followed. */
int mountapi_attach(int fd, int dirfd, const char *path);
/* fsopen(2), its creation and fsmount(2) in one: a detached file system of a type that wants no options but
 * those in NULL-terminated pairs. attrs: MOUNT_ATTR_*. */
int mountapi_new(const char *type, const char *const *options, unsigned attrs);

#endif
