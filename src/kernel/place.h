/* SPDX-License-Identifier: Apache-2.0 */
/* What is at a path as a process sees it: looked up below its root, links followed inside it. */
#ifndef HARDEN_KERNEL_PLACE_H
#define HARDEN_KERNEL_PLACE_H

#include "base/error.h"
#include "kernel/mounts.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct kernel_place {
  int error; /* errno of the look-up: ENOENT, ELOOP, ...; 0: it exists */
  uint64_t
      mount; /* kernel_mount.id of the mount it is seen through; 0: the kernel does not tell (before 5.8) */
  mode_t mode;
  uid_t uid; /* as we see them */
  gid_t gid;
  dev_t dev, rdev;
  ino_t inode;
  long type; /* of the file system, statfs(2)'s f_type; kernel_places_look() tells TMPFS_MAGIC from others, 0
              */
  bool is_mount; /* the root of that mount: something was mounted here */
  bool readonly; /* by its mount or its file system */
  bool blank;    /* by its mount it is what crun masks directories with; kernel_places_look() tells */
  bool empty;    /* a directory of a tmpfs, or a blank one, without entries; looked at for masks only */
};

/*
 * root: O_PATH fd of the process's root directory. Nothing is opened for reading but, where `contents` is
 * set, directories; devices and FIFOs are never opened. A file system that the container itself serves (FUSE)
 * could make this wait: ask only for places where it cannot mount.
 */
void kernel_place_look(int root, const char *path, bool contents, struct kernel_place *ret);

/* The same for many places of one process whose mounts were read while nobody could change them: each costs a
 * system call where its directory was met before, as the mount that it is on tells the rest. */
enum { KERNEL_PLACES_DIRS = 8 };
struct kernel_places {
  int root;                           /* as above; the caller's */
  const struct kernel_mounts *mounts; /* NULL: unknown */
  struct kernel_places_dir {
    char *path;
    int fd;
  } dirs[KERNEL_PLACES_DIRS]; /* that were met */
  size_t dirs_len;
};
void kernel_places_look(struct kernel_places *p, const char *path, bool contents, struct kernel_place *ret);
void kernel_places_free(struct kernel_places *p);
#define CLEANUP_KERNEL_PLACES CLEANUP(kernel_places_free)

/* The same for what is open; fd may be O_PATH. */
void kernel_place_of_fd(int fd, bool contents, struct kernel_place *ret);

/* One and the same file or directory, wherever it is mounted? Both must exist. */
bool kernel_place_same(const struct kernel_place *a, const struct kernel_place *b);

/* Does it hide what was there, as runtimes mask a path: the null device (by its numbers: the file opens as
 * any other), an empty tmpfs that nobody can write to, or crun's empty directory. Wants `contents`. */
bool kernel_place_is_mask(const struct kernel_place *p);

#endif
