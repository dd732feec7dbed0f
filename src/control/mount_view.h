/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts of a config.json with what the facts know of each: for the controls mounts and rootfs.
 */
#ifndef HARDEN_CONTROL_MOUNT_VIEW_H
#define HARDEN_CONTROL_MOUNT_VIEW_H

#include "control/mount_options.h"
#include "facts/facts.h"

struct mount_view {
  const json_t *mount;     /* borrowed, as all strings of it */
  const char *destination; /* as written */
  const char *type;        /* "" when absent; "bind" for every bind, whatever type it names, as runc has it */
  const char *source;      /* NULL: none; what the config had where a clone stands for it */
  const json_t *options;
  struct mount_options is;

  char *text;      /* the destination, normalised; NULL when it is not absolute or holds ".." */
  char *place;     /* where it will be in the container, links followed; NULL: cannot be told */
  const char *why; /* why not */
  bool stands_for; /* it is a bind of a file system that was made beforehand, and seen as that */
  bool redirected; /* a symbolic link inside an earlier bind leads elsewhere; place is then NULL */
};

struct mount_list {
  struct mount_view *items;
  size_t len;
};

/* `mounts` is /mounts or NULL; it and facts must outlive the list. */
void mount_list_read(struct mount_list *ret, const json_t *mounts, const struct facts *facts);
void mount_list_free(struct mount_list *l);
#define CLEANUP_MOUNT_LIST CLEANUP(mount_list_free)

/* Where a path of a policy is in the rootfs. NULL with *ret_why: cannot be told. The caller frees. */
char *mount_place(const struct facts *facts, const char *path, const char **ret_why) MUST_CHECK;

#endif
