/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap/refusal.h"

#include "base/str.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

static const char *const kinds[] = {
  [REFUSAL_NONE] = "none",
  [REFUSAL_KERNEL] = "kernel",
  [REFUSAL_FILESYSTEM] = "filesystem",
  [REFUSAL_MAPPED] = "mapped",
  [REFUSAL_BUSY] = "busy",
  [REFUSAL_READONLY] = "readonly",
  [REFUSAL_PERMISSION] = "permission",
  [REFUSAL_IDS] = "ids",
  [REFUSAL_LAYOUT] = "layout",
  [REFUSAL_CLOSED] = "closed",
  [REFUSAL_SYSTEM] = "system",
};

static const char *const parts[] = {
  [REFUSAL_OF_NAMESPACE] = "namespace", [REFUSAL_OF_STAGE] = "stage",     [REFUSAL_OF_ROOTFS] = "rootfs",
  [REFUSAL_OF_LAYER] = "layer",         [REFUSAL_OF_UPPER] = "upper",     [REFUSAL_OF_OVERLAY] = "overlay",
  [REFUSAL_OF_VOLUME] = "volume",       [REFUSAL_OF_SPECIAL] = "special",
};

const char *refusal_kind_name(enum refusal_kind kind) {
  return (size_t)kind < ARRAY_SIZE(kinds) ? kinds[kind] : "unknown";
}

const char *refusal_part_name(enum refusal_part part) {
  return (size_t)part < ARRAY_SIZE(parts) ? parts[part] : "unknown";
}

const char *refusal_remedy(const struct refusal *why) {
  switch (why->kind) {
  case REFUSAL_NONE:
  case REFUSAL_SYSTEM:
    break;
  case REFUSAL_KERNEL:
    return "use Linux 5.19 or later with user namespaces enabled (user.max_user_namespaces)";
  case REFUSAL_FILESYSTEM:
    return why->part == REFUSAL_OF_VOLUME
               ? "use a volume on ext4, xfs, btrfs, or (Linux 6.3) tmpfs, or make it read-only"
               : "keep images on ext4, xfs or btrfs";
  case REFUSAL_MAPPED:
    return "give the container the user namespace in its own configuration";
  case REFUSAL_BUSY:
    return why->part == REFUSAL_OF_OVERLAY ? "use the mode replace, or the overlay option index=off"
                                           : "look for what uses it (fuser -vm)";
  case REFUSAL_READONLY:
    return "see the kernel's log for why overlayfs could not use its work directory";
  case REFUSAL_PERMISSION:
    return "run as root with CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID and CAP_SETPCAP in the host's user "
           "namespace";
  case REFUSAL_IDS:
    return "use ids below the size of the container's range";
  case REFUSAL_LAYOUT:
    return why->part == REFUSAL_OF_OVERLAY
               ? "see the kernel's log for what overlayfs did not take; layers that are ID-mapped want Linux "
                 "5.19"
               : "use the overlay driver of containerd, docker or podman, or a plain directory";
  case REFUSAL_CLOSED:
    return "make each directory above it searchable by everyone (mode 0711)";
  }
  return "";
}

/* Those that refuse, or that images and volumes are on. */
static const struct {
  unsigned long magic;
  const char *name;
} magics[] = {
  { OVERLAYFS_SUPER_MAGIC, "overlay" },
  { EXT4_SUPER_MAGIC, "ext4" },
  { XFS_SUPER_MAGIC, "xfs" },
  { BTRFS_SUPER_MAGIC, "btrfs" },
  { TMPFS_MAGIC, "tmpfs" },
  { NFS_SUPER_MAGIC, "nfs" },
  { FUSE_SUPER_MAGIC, "fuse" },
  { PROC_SUPER_MAGIC, "proc" },
  { SYSFS_MAGIC, "sysfs" },
  { CGROUP_SUPER_MAGIC, "cgroup" },
  { CGROUP2_SUPER_MAGIC, "cgroup2" },
  { DEVPTS_SUPER_MAGIC, "devpts" },
  { RAMFS_MAGIC, "ramfs" },
  { BPF_FS_MAGIC, "bpf" },
  { HUGETLBFS_MAGIC, "hugetlbfs" },
  { SQUASHFS_MAGIC, "squashfs" },
  { V9FS_MAGIC, "9p" },
  { MSDOS_SUPER_MAGIC, "vfat" },
  { SMB2_SUPER_MAGIC, "cifs" },
  { DEBUGFS_MAGIC, "debugfs" },
  { TRACEFS_MAGIC, "tracefs" },
  { EROFS_SUPER_MAGIC_V1, "erofs" },
  { 0x19800202, "mqueue" },
  { 0x2fc12fc1, "zfs" },
};

static void name_type(int fd, char *out, size_t size) {
  struct statfs fs;
  if (fd < 0 || fstatfs(fd, &fs) < 0)
    return;
  const unsigned long type = (unsigned long)fs.f_type & 0xffffffffUL;
  for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
    if (magics[i].magic == type) {
      snprintf(out, size, "%s", magics[i].name);
      return;
    }
  snprintf(out, size, "0x%lx", type);
}

/* As mount_setattr(2) for MOUNT_ATTR_IDMAP, mount(2) of an overlay, and clone(2) mean them. */
static enum refusal_kind kind_of(enum refusal_part part, int sys) {
  switch (sys) {
  case ENOSYS:
    return REFUSAL_KERNEL;
  case EINVAL:
    return part == REFUSAL_OF_OVERLAY ? REFUSAL_LAYOUT : REFUSAL_FILESYSTEM;
  case EPERM:
    return part == REFUSAL_OF_LAYER || part == REFUSAL_OF_UPPER || part == REFUSAL_OF_VOLUME ||
                   part == REFUSAL_OF_ROOTFS
               ? REFUSAL_MAPPED
               : REFUSAL_PERMISSION;
  case EACCES:
    return REFUSAL_PERMISSION;
  case EBUSY:
    return REFUSAL_BUSY;
  case ENOENT:
  case ENOTDIR:
  case ELOOP:
    return part == REFUSAL_OF_LAYER || part == REFUSAL_OF_UPPER ? REFUSAL_LAYOUT : REFUSAL_SYSTEM;
  case EOPNOTSUPP:
  case ENODEV:
    return REFUSAL_KERNEL;
  case ESTALE:
  case EOVERFLOW:
    return part == REFUSAL_OF_OVERLAY ? REFUSAL_LAYOUT : REFUSAL_SYSTEM;
  default:
    return REFUSAL_SYSTEM;
  }
}

/* As clone(2) means it for a user namespace, and the writing of its maps. */
static enum refusal_kind kind_of_userns(const struct error *cause) {
  switch (cause->sys) {
  case EPERM:
  case EACCES:
    return REFUSAL_PERMISSION;
  case ENOSPC:
    return cause->code == ERROR_REFUSED ? REFUSAL_KERNEL : REFUSAL_SYSTEM;
  case ENOSYS:
  case EINVAL:
  case EUSERS:
    return REFUSAL_KERNEL;
  default:
    return REFUSAL_SYSTEM;
  }
}

static const char *said(const struct refusal *why) {
  switch (why->kind) {
  case REFUSAL_FILESYSTEM:
    return "takes no ID-mapped mounts";
  case REFUSAL_MAPPED:
    return "is ID-mapped already";
  case REFUSAL_BUSY:
    return "is in use";
  case REFUSAL_READONLY:
    return "came up read-only";
  case REFUSAL_IDS:
    return "needs an id that the map has no place for";
  case REFUSAL_LAYOUT:
    return "is not understood";
  case REFUSAL_CLOSED:
    return "cannot be reached by the container's root";
  case REFUSAL_NONE:
  case REFUSAL_KERNEL:
  case REFUSAL_PERMISSION:
  case REFUSAL_SYSTEM:
    break;
  }
  switch (why->part) {
  case REFUSAL_OF_NAMESPACE:
  case REFUSAL_OF_STAGE:
  case REFUSAL_OF_SPECIAL:
    return "cannot be made";
  case REFUSAL_OF_OVERLAY:
    return "cannot be mounted";
  case REFUSAL_OF_ROOTFS:
  case REFUSAL_OF_LAYER:
  case REFUSAL_OF_UPPER:
  case REFUSAL_OF_VOLUME:
    break;
  }
  return "cannot be ID-mapped";
}

/* Of a refusal whose kind, part, layer and errno are set. detail: NULL, that of the errno. */
static int complete(struct refusal *why, struct error *err, const char *path, int fd, const char *detail) {
  char layer[16] = "", type[sizeof why->fstype + 4] = "";
  snprintf(why->path, sizeof why->path, "%s", path ? path : "");
  name_type(fd, why->fstype, sizeof why->fstype);
  if (why->part == REFUSAL_OF_LAYER)
    snprintf(layer, sizeof layer, " %u", why->layer);
  if (why->fstype[0])
    snprintf(type, sizeof type, " (%s)", why->fstype);
  if (!detail)
    detail = why->sys ? strerror(why->sys) : NULL;
  const char *remedy = refusal_remedy(why);
  error_set(err, why->kind == REFUSAL_SYSTEM ? ERROR_SYSTEM : ERROR_REFUSED, 0,
            "user namespace: the %s%s%s%s%s %s%s%s%s%s", refusal_part_name(why->part), layer,
            why->path[0] ? " " : "", why->path, type, said(why), detail ? ": " : "", detail ? detail : "",
            *remedy ? "; " : "", remedy);
  err->sys = why->sys;
  return -1;
}

int refuse(struct refusal *why, struct error *err, enum refusal_kind kind, enum refusal_part part,
           const char *path, int fd, int sys) {
  *why =
      (struct refusal){ .kind = kind != REFUSAL_NONE ? kind : kind_of(part, sys), .part = part, .sys = sys };
  return complete(why, err, path, fd, NULL);
}

int refuse_layer(struct refusal *why, struct error *err, unsigned layer, const char *path, int fd, int sys) {
  *why = (struct refusal){
    .kind = kind_of(REFUSAL_OF_LAYER, sys), .part = REFUSAL_OF_LAYER, .layer = layer, .sys = sys
  };
  return complete(why, err, path, fd, NULL);
}

int refuse_layout(struct refusal *why, struct error *err, const char *path, int fd,
                  const struct error *cause) {
  *why = (struct refusal){ .kind = REFUSAL_LAYOUT, .part = REFUSAL_OF_ROOTFS };
  return complete(why, err, path, fd, cause->message);
}

int refuse_userns(struct refusal *why, struct error *err, const struct error *cause) {
  *why = (struct refusal){ .kind = kind_of_userns(cause), .part = REFUSAL_OF_NAMESPACE, .sys = cause->sys };
  *err = *cause;
  return -1;
}

int refuse_broken(struct refusal *why, struct error *err, const struct error *undo) {
  why->broken = true;
  return error_wrap(err, "%s, after this failure", undo->message);
}
