/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes: made, and opened for reading. The controller of devices judges both, the mount's nodev the
 * second. */
#include "primitives.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Where nodes can be made: /dev has no nodev as the engines mount it. */
static int make_node(char *path, size_t size, mode_t type, dev_t device) {
  static const char *const dirs[] = { "/dev", "/tmp", "/" };
  int rc = -1;
  for (size_t i = 0; rc != 0 && i < sizeof dirs / sizeof *dirs; i++) {
    snprintf(path, size, "%s/attack-node-%d", dirs[i], getpid());
    rc = mknod(path, type | 0600, device);
  }
  return rc;
}

static struct result make_only(const struct primitive *self) {
  char path[64];
  if (make_node(path, sizeof path, (mode_t)self->a, makedev(self->b, self->c)) != 0)
    return judge(-1);
  unlink(path);
  return reached("");
}

static struct result open_made(mode_t type, dev_t device) {
  char path[64];
  if (make_node(path, sizeof path, type, device) != 0)
    return judge(-1);
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct result result = judge(fd);
  unlink(path);
  return result;
}

static struct result make_and_open(const struct primitive *self) {
  return open_made((mode_t)self->a, makedev(self->b, self->c));
}

/* The disk that holds the root file system, and so the host's. */
static struct result open_disk(const struct primitive *self) {
  struct stat st;
  (void)self;
  if (stat("/attack", &st) != 0)
    return judge(-1);
  if (major(st.st_dev) == 0)
    return absent("not on a disk");
  return open_made(S_IFBLK, st.st_dev);
}

const struct primitive device_primitives[] = {
  { .name = "mknod-char", .attempt = make_only, .a = S_IFCHR, .b = 1, .c = 3 },
  { .name = "mknod-block", .attempt = make_only, .a = S_IFBLK, .b = 7, .c = 0 },
  { .name = "open-null-made", .attempt = make_and_open, .a = S_IFCHR, .b = 1, .c = 3 },
  { .name = "open-disk", .attempt = open_disk },
  { .name = "open-loop", .attempt = make_and_open, .a = S_IFBLK, .b = 7, .c = 0 },
  { .name = "open-mem", .attempt = make_and_open, .a = S_IFCHR, .b = 1, .c = 1 },
  { .name = "open-port", .attempt = make_and_open, .a = S_IFCHR, .b = 1, .c = 4 },
  { .name = "open-kmsg", .attempt = make_and_open, .a = S_IFCHR, .b = 1, .c = 11 },
  { .name = "open-tun", .attempt = make_and_open, .a = S_IFCHR, .b = 10, .c = 200 },
  { .name = "open-fuse", .attempt = make_and_open, .a = S_IFCHR, .b = 10, .c = 229 },
  { .name = "open-kvm", .attempt = make_and_open, .a = S_IFCHR, .b = 10, .c = 232 },
  { .name = "open-btrfs-control", .attempt = make_and_open, .a = S_IFCHR, .b = 10, .c = 234 },
  { .name = "open-loop-control", .attempt = make_and_open, .a = S_IFCHR, .b = 10, .c = 237 },
  { .name = "open-terminal-1", .attempt = make_and_open, .a = S_IFCHR, .b = 4, .c = 1 },
  { .name = NULL },
};
