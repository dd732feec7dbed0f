/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap/special.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "idmap/mountapi.h"
#include "io/path.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define SELINUX_LABEL "security.selinux"

/* File systems of namespaces */

struct kind {
  const char *type;
  const char *own; /* the namespace that it shows */
  int flag;
  unsigned attrs;
};

/* Back is where we were, not merely the host's: a caller may be in a namespace of its own. */
static int mount_within(const struct kind *k, int ns, int *ret_tree, struct refusal *why, struct error *err) {
  CLEANUP_FD int back = ns < 0 ? -1 : path_open(AT_FDCWD, k->own, O_RDONLY, 0, RESOLVE_TRUSTED);
  if (ns >= 0 && (back < 0 || setns(ns, k->flag) < 0))
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_SPECIAL, k->type, -1, errno);
  CLEANUP_FD int tree = mountapi_new(k->type, NULL, k->attrs);
  const int sys = errno;
  if (ns >= 0 && setns(back, k->flag) < 0) {
    refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_SPECIAL, k->own, -1, errno);
    why->broken = true;
    return -1;
  }
  if (tree < 0)
    return refuse(why, err, REFUSAL_NONE, REFUSAL_OF_SPECIAL, k->type, -1, sys);
  *ret_tree = steal_fd(&tree);
  return 0;
}

static int special_mount(struct stage *stage, const struct kind *k, int ns, char **ret_path,
                         struct refusal *why, struct error *err) {
  CLEANUP_FREE char *name = xasprintf("special/%u", stage->specials), *path = NULL;
  CLEANUP_FD int tree = -1;
  if (mount_within(k, ns, &tree, why, err) < 0)
    return -1;
  path = stage_make(stage, name, true);
  if (!path || mountapi_attach(tree, AT_FDCWD, path) < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_STAGE, stage->place, -1, errno);
  stage->specials++;
  *ret_path = steal_ptr(&path);
  return 0;
}

int special_sysfs(struct stage *stage, int ns, char **ret_path, struct refusal *why, struct error *err) {
  static const struct kind sysfs = { "sysfs", "/proc/self/ns/net", CLONE_NEWNET,
                                     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                                         MOUNT_ATTR_NOEXEC };
  return special_mount(stage, &sysfs, ns, ret_path, why, err);
}

int special_mqueue(struct stage *stage, int ns, char **ret_path, struct refusal *why, struct error *err) {
  static const struct kind mqueue = { "mqueue", "/proc/self/ns/ipc", CLONE_NEWIPC,
                                      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };
  return special_mount(stage, &mqueue, ns, ret_path, why, err);
}

/* Devices */

/* The stage's tmpfs takes none; this one does. */
static int mount_devices(const struct stage *stage, struct refusal *why, struct error *err) {
  CLEANUP_FREE char *path = stage_make(stage, "dev", true);
  if (!path || mount("oci-harden", path, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0711,size=64k") < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_STAGE, path ? path : stage->place, -1, errno);
  return 0;
}

int special_device(struct stage *stage, const struct special_node *node, const struct idmap *map,
                   char **ret_path, struct refusal *why, struct error *err) {
  CLEANUP_FREE char *path = xasprintf("%s/dev/%u", stage->place, stage->devices);
  uint32_t uid, gid;
  if (!idmap_outside(map->uids, node->uid, &uid) || !idmap_outside(map->gids, node->gid, &gid))
    return refuse(why, err, REFUSAL_IDS, REFUSAL_OF_SPECIAL, path, -1, 0);
  if (stage->devices == 0 && mount_devices(stage, why, err) < 0)
    return -1;
  stage->devices++; /* the tmpfs stands, whatever becomes of the node */
  if (mknod(path, (node->mode & S_IFMT) | 0600, node->device) < 0 || chown(path, uid, gid) < 0 ||
      chmod(path, node->mode & 0777) < 0 ||
      (node->label && *node->label &&
       setxattr(path, SELINUX_LABEL, node->label, strlen(node->label) + 1, 0) < 0))
    return refuse(why, err, REFUSAL_NONE, REFUSAL_OF_SPECIAL, path, -1, errno);
  *ret_path = steal_ptr(&path);
  return 0;
}

/* Standard input and output */

enum { STDIO = 3, LABEL_MAX = 512 };

int special_own_pipes(const struct idmap *map, struct refusal *why, struct error *err) {
  uint32_t uid, gid;
  struct stat st;
  if (!idmap_outside(map->uids, 0, &uid) || !idmap_outside(map->gids, 0, &gid))
    return refuse(why, err, REFUSAL_IDS, REFUSAL_OF_SPECIAL, NULL, -1, 0);
  for (int fd = 0; fd < STDIO; fd++)
    if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && fchown(fd, uid, gid) < 0)
      return refuse(why, err, REFUSAL_NONE, REFUSAL_OF_SPECIAL, "standard input or output", -1, errno);
  return 0;
}

/* A tmpfs that is mounted nowhere, and lives as long as a file of it is open, with a null device on it. */
static int mount_private_null(void) {
  static const char *const options[] = { "mode", "0711", "size", "4k", NULL };
  CLEANUP_FD int tree = mountapi_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  if (tree < 0 || mknodat(tree, "null", S_IFCHR | 0600, makedev(1, 3)) < 0 ||
      fchmodat(tree, "null", 0666, 0) < 0)
    return -1;
  return steal_fd(&tree);
}

/* SELinux lets a container have the host's null device, and no file of another tmpfs. */
static int label_like(int null, int host) {
  char label[LABEL_MAX];
  const ssize_t len = fgetxattr(host, SELINUX_LABEL, label, sizeof label);
  return len < 0 ? 0 : fsetxattr(null, SELINUX_LABEL, label, (size_t)len, 0);
}

static int replace_null(int fd, int *tree) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || (*tree < 0 && (*tree = mount_private_null()) < 0))
    return -1;
  CLEANUP_FD int null =
      path_open(*tree, "null", flags & (O_ACCMODE | O_APPEND | O_NONBLOCK), 0, RESOLVE_INSIDE);
  return null < 0 || label_like(null, fd) < 0 || dup2(null, fd) < 0 ? -1 : 0;
}

int special_own_null(struct refusal *why, struct error *err) {
  struct stat st;
  CLEANUP_FD int tree = -1;
  for (int fd = 0; fd < STDIO; fd++)
    if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3) &&
        replace_null(fd, &tree) < 0)
      return refuse(why, err, REFUSAL_NONE, REFUSAL_OF_SPECIAL, "/dev/null", -1, errno);
  return 0;
}
