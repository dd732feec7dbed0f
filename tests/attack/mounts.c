/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts, by the old system calls and the new. What succeeds is undone, or done in a mount namespace that
 * dies. */
#include "primitives.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* So that changes of mounts end with the child. Where that is denied, the changes are too, or the test fails
 * for it. */
static void private_mounts(void) {
  if (unshare(CLONE_NEWNS) == 0)
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* An empty directory that exists in every container. */
static const char target[] = "/dev/mqueue";

static struct result mount_type(const struct primitive *self) {
  const char *options = NULL;
  if (!has_filesystem(self->path))
    return absent("no such file system");
  private_mounts();
  if (strcmp(self->path, "overlay") == 0)
    options = "lowerdir=/attack:/sys/fs";
  if (strcmp(self->path, "cgroup") == 0)
    options = "memory";
  if (mount("attack", target, self->path, 0, options) != 0)
    return judge_past(-1, EBUSY, 0);
  umount2(target, MNT_DETACH);
  return reached("");
}

/* The program that the host runs when a group empties; opened, not written. */
static struct result release_agent(const struct primitive *self) {
  char path[64];
  (void)self;
  private_mounts();
  if (mount("attack", target, "cgroup", 0, "memory") != 0)
    return errno == EBUSY || errno == EINVAL ? absent("no cgroup v1") : judge(-1);
  snprintf(path, sizeof path, "%s/release_agent", target);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  struct result result = judge(fd);
  if (fd >= 0)
    close(fd);
  umount2(target, MNT_DETACH);
  return result;
}

static struct result mount_bind(const struct primitive *self) {
  (void)self;
  private_mounts();
  if (mount("/", target, NULL, MS_BIND, NULL) != 0)
    return judge(-1);
  umount2(target, MNT_DETACH);
  return reached("");
}

static struct result change_mount(const struct primitive *self) {
  private_mounts();
  return judge_past(mount(NULL, self->path, NULL, (unsigned long)self->a, NULL), EINVAL, 0);
}

static struct result move_old(const struct primitive *self) {
  (void)self;
  private_mounts();
  return judge_past(mount("/dev/shm", target, NULL, MS_MOVE, NULL), EINVAL, 0);
}

static struct result unmount(const struct primitive *self) {
  private_mounts();
  return judge(umount2(self->path, MNT_DETACH));
}

/* The guards of /proc, under which the files are writable or readable; where there is none, any mount. */
static struct result unmount_guard(const struct primitive *self) {
  static const char *const guards[] = { "/proc/sys", "/proc/kcore", "/proc/interrupts", "/proc/bus",
                                        "/dev/shm" };
  (void)self;
  private_mounts();
  for (size_t i = 0; i < sizeof guards / sizeof *guards; i++)
    if (umount2(guards[i], MNT_DETACH) == 0)
      return reached(guards[i]);
    else if (errno != EINVAL && errno != ENOENT)
      return judge(-1);
  return absent("nothing is mounted");
}

static struct result pivot(const struct primitive *self) {
  (void)self;
  private_mounts();
  return judge_past(syscall(SYS_pivot_root, "/", "/"), EBUSY, EINVAL);
}

static struct result open_tree_clone(const struct primitive *self) {
  (void)self;
  return judge(syscall(NR_open_tree, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC));
}

static struct result open_filesystem(const struct primitive *self) {
  return judge(syscall(NR_fsopen, self->path, 1));
}

/* CVE-2022-0185 was in what this writes to. */
static struct result configure(const struct primitive *self) {
  (void)self;
  return judge_past(syscall(NR_fsconfig, -1, 0, NULL, NULL, 0), EINVAL, EBADF);
}
static struct result make_mount(const struct primitive *self) {
  (void)self;
  return judge_past(syscall(NR_fsmount, -1, 0, 0), EINVAL, EBADF);
}
static struct result pick(const struct primitive *self) {
  (void)self;
  return judge(syscall(NR_fspick, AT_FDCWD, "/", 0));
}
static struct result move_new(const struct primitive *self) {
  (void)self;
  return judge_past(syscall(NR_move_mount, -1, "", -1, "", 4 | 0x40), EINVAL, EBADF);
}

struct mount_attributes {
  uint64_t set, clear, propagation, userns_fd;
};

static struct result set_attributes(const struct primitive *self) {
  struct mount_attributes attr = { .clear = 1 /* read-only */ };
  (void)self;
  private_mounts();
  return judge_past(syscall(NR_mount_setattr, AT_FDCWD, "/", 0, &attr, sizeof attr), EINVAL, 0);
}
static struct result open_with_attributes(const struct primitive *self) {
  struct mount_attributes attr = { .clear = 1 };
  (void)self;
  return judge_past(syscall(NR_open_tree_attr, AT_FDCWD, "/", 1, &attr, sizeof attr), EINVAL, 0);
}

struct mount_request {
  uint32_t size, spare;
  uint64_t id, param;
};

static struct result list_mounts(const struct primitive *self) {
  struct mount_request request = { .size = sizeof request, .id = UINT64_MAX };
  uint64_t ids[8];
  (void)self;
  return judge(syscall(NR_listmount, &request, ids, sizeof ids / sizeof *ids, 0));
}
static struct result stat_mount(const struct primitive *self) {
  struct mount_request request = { .size = sizeof request, .id = UINT64_MAX, .param = 1 };
  char buffer[4096];
  (void)self;
  return judge_past(syscall(NR_statmount, &request, buffer, sizeof buffer, 0), ENOENT, 0);
}

/* Shocker: the root of the host's file system by its inode number, through any file of the same file system.
 */
static struct result open_by_handle(const struct primitive *self) {
  union {
    struct file_handle handle;
    unsigned char bytes[sizeof(struct file_handle) + 8];
  } h = { .handle = { .handle_bytes = 8, .handle_type = 1 } };
  uint32_t root[2] = { (uint32_t)self->a, 0 };
  struct stat st;
  int mount_fd = open("/attack", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  memcpy(h.bytes + sizeof(struct file_handle), root, sizeof root);
  int fd = open_by_handle_at(mount_fd, &h.handle, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return errno == ESTALE ? absent("no inode 2") : judge(-1);
  return fstat(fd, &st) == 0 && st.st_ino == (ino_t)self->a ? reached("the file system's root")
                                                            : odd("another file");
}
static struct result name_to_handle(const struct primitive *self) {
  union {
    struct file_handle handle;
    unsigned char bytes[sizeof(struct file_handle) + 128];
  } h = { .handle = { .handle_bytes = 128 } };
  int id;
  (void)self;
  return judge(name_to_handle_at(AT_FDCWD, "/attack", &h.handle, &id, 0));
}

const struct primitive mount_primitives[] = {
  { .name = "mount-tmpfs", .attempt = mount_type, .path = "tmpfs" },
  { .name = "mount-proc", .attempt = mount_type, .path = "proc" },
  { .name = "mount-sysfs", .attempt = mount_type, .path = "sysfs" },
  { .name = "mount-cgroup", .attempt = mount_type, .path = "cgroup" },
  { .name = "mount-cgroup2", .attempt = mount_type, .path = "cgroup2" },
  { .name = "mount-devtmpfs", .attempt = mount_type, .path = "devtmpfs" },
  { .name = "mount-debugfs", .attempt = mount_type, .path = "debugfs" },
  { .name = "mount-tracefs", .attempt = mount_type, .path = "tracefs" },
  { .name = "mount-securityfs", .attempt = mount_type, .path = "securityfs" },
  { .name = "mount-bpf", .attempt = mount_type, .path = "bpf" },
  { .name = "mount-binfmt-misc", .attempt = mount_type, .path = "binfmt_misc" },
  { .name = "mount-overlay", .attempt = mount_type, .path = "overlay" },
  { .name = "mount-bind", .attempt = mount_bind },
  { .name = "release-agent", .attempt = release_agent },
  { .name = "remount-root", .attempt = change_mount, .path = "/", .a = MS_REMOUNT | MS_BIND },
  { .name = "remount-proc-sys", .attempt = change_mount, .path = "/proc/sys", .a = MS_REMOUNT | MS_BIND },
  { .name = "propagation-shared", .attempt = change_mount, .path = "/", .a = MS_SHARED },
  { .name = "mount-move", .attempt = move_old },
  { .name = "umount-mask", .attempt = unmount_guard },
  { .name = "umount-dev", .attempt = unmount, .path = "/dev/mqueue" },
  { .name = "pivot-root", .attempt = pivot },
  { .name = "open-tree", .attempt = open_tree_clone },
  { .name = "open-tree-attr", .attempt = open_with_attributes },
  { .name = "fsopen", .attempt = open_filesystem, .path = "tmpfs" },
  { .name = "fsconfig", .attempt = configure },
  { .name = "fsmount", .attempt = make_mount },
  { .name = "fspick", .attempt = pick },
  { .name = "move-mount", .attempt = move_new },
  { .name = "mount-setattr", .attempt = set_attributes },
  { .name = "listmount", .attempt = list_mounts },
  { .name = "statmount", .attempt = stat_mount },
  { .name = "open-by-handle", .attempt = open_by_handle, .a = 2 },
  { .name = "name-to-handle", .attempt = name_to_handle },
  { .name = NULL },
};
