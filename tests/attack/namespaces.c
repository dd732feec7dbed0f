/* SPDX-License-Identifier: Apache-2.0 */
/* New namespaces, and those of others. In a user namespace of its own a process has every capability, and so
 * reaches what the kernel shows to root alone. */
#include "primitives.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct result unshare_one(const struct primitive *self) {
  return judge(unshare((int)self->a));
}

static struct result clone_with(const struct primitive *self) {
  long pid = syscall(SYS_clone, self->a | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0)
    _exit(0);
  return judge(pid);
}

/* Its flags are behind a pointer, where no filter sees them: it has to be refused whole, as if it did not
 * exist. */
static struct result clone3_with(const struct primitive *self) {
  struct clone_args args = { .flags = (unsigned long)self->a, .exit_signal = SIGCHLD };
  long pid = syscall(NR_clone3, &args, sizeof args);
  if (pid == 0)
    _exit(0);
  return judge(pid);
}

static struct result join_path(const struct primitive *self) {
  int fd = open(self->path, O_RDONLY | O_CLOEXEC);
  return fd < 0 ? judge(-1) : judge(setns(fd, (int)self->a));
}

static struct result join_pidfd(const struct primitive *self) {
  int fd = (int)syscall(NR_pidfd_open, getppid(), 0);
  return fd < 0 ? judge(-1) : judge(setns(fd, (int)self->a));
}

static struct result mount_inside(const struct primitive *self) {
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP) != 0)
    return judge(-1);
  /* A mounter of a cgroup v1 hierarchy could name the program that the host runs when a group empties:
   * CVE-2022-0492. */
  if (self->a && access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0)
    return judge_past(mount("x", "/proc", "cgroup2", 0, NULL), EBUSY, 0);
  return judge_past(mount("x", "/proc", self->path, 0, self->a ? "memory" : NULL), EBUSY, EINVAL);
}

/* Where most holes of recent years were: parts of the kernel that only the root of some user namespace
 * reaches. */
static struct result socket_inside(const struct primitive *self) {
  if (self->path ? !has_protocol(self->path) : !has_netlink((int)self->b))
    return absent("not loaded");
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
    return judge(-1);
  return judge(socket((int)self->a, SOCK_RAW, (int)self->b));
}
static struct result fsopen_inside(const struct primitive *self) {
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
    return judge(-1);
  return judge(syscall(NR_fsopen, self->path, 1));
}

/* The host's namespaces by inode, which the test has written down. */
static struct result is_hosts(const struct primitive *self) {
  char path[64], name[32];
  unsigned long inode;
  struct stat st;
  FILE *f = fopen("/attack/host-namespaces", "re");
  if (!f)
    return judge(-1);
  bool same = false;
  snprintf(path, sizeof path, "/proc/self/ns/%s", self->path);
  bool known = stat(path, &st) == 0;
  char line[128];
  while (fgets(line, sizeof line, f)) {
    char *space = strchr(line, ' ');
    if (!space || (size_t)(space - line) >= sizeof name)
      continue;
    snprintf(name, sizeof name, "%.*s", (int)(space - line), line);
    inode = strtoul(space + 1, NULL, 10);
    same = same || (strcmp(name, self->path) == 0 && inode == st.st_ino);
  }
  fclose(f);
  if (!known)
    return absent("no such namespace");
  return same ? reached("the host's") : denied(0, "its own");
}

const struct primitive namespace_primitives[] = {
  { .name = "unshare-user", .attempt = unshare_one, .a = CLONE_NEWUSER },
  { .name = "unshare-mount", .attempt = unshare_one, .a = CLONE_NEWNS },
  { .name = "unshare-network", .attempt = unshare_one, .a = CLONE_NEWNET },
  { .name = "unshare-pid", .attempt = unshare_one, .a = CLONE_NEWPID },
  { .name = "unshare-ipc", .attempt = unshare_one, .a = CLONE_NEWIPC },
  { .name = "unshare-uts", .attempt = unshare_one, .a = CLONE_NEWUTS },
  { .name = "unshare-cgroup", .attempt = unshare_one, .a = CLONE_NEWCGROUP },
  { .name = "unshare-time", .attempt = unshare_one, .a = 0x80 /* CLONE_NEWTIME */ },
  { .name = "clone-user", .attempt = clone_with, .a = CLONE_NEWUSER },
  { .name = "clone-mount", .attempt = clone_with, .a = CLONE_NEWNS },
  { .name = "clone-user-network", .attempt = clone_with, .a = CLONE_NEWUSER | CLONE_NEWNET },
  { .name = "clone3", .attempt = clone3_with },
  { .name = "clone3-user", .attempt = clone3_with, .a = CLONE_NEWUSER },
  { .name = "setns-network", .attempt = join_path, .path = "/proc/self/ns/net", .a = CLONE_NEWNET },
  { .name = "setns-mount", .attempt = join_path, .path = "/proc/self/ns/mnt", .a = CLONE_NEWNS },
  { .name = "setns-pidfd", .attempt = join_pidfd, .a = CLONE_NEWUTS | CLONE_NEWIPC },
  { .name = "user-mount-tmpfs", .attempt = mount_inside, .path = "tmpfs" },
  { .name = "user-mount-cgroup", .attempt = mount_inside, .path = "cgroup", .a = 1 },
  { .name = "user-fsopen", .attempt = fsopen_inside, .path = "tmpfs" },
  { .name = "user-nf-tables", .attempt = socket_inside, .a = AF_NETLINK, .b = NETLINK_NETFILTER },
  { .name = "user-packet", .attempt = socket_inside, .a = AF_PACKET, .path = "PACKET" },
  { .name = "host-user-namespace", .attempt = is_hosts, .path = "user" },
  { .name = "host-cgroup-namespace", .attempt = is_hosts, .path = "cgroup" },
  { .name = NULL },
};
