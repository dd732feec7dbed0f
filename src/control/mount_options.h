/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a mount's options that decide what its files can do, as runc and crun read them:
 *
 * - of `nosuid` and `suid` (nodev/dev, noexec/exec, ro/rw) the last one wins;
 * - the recursive forms (rnosuid, rro, ...) are applied afterwards with mount_setattr(2): setting wins over
 *   `rsuid`, whichever comes last, and over the plain antonym; `rsuid` wins over a plain `nosuid`;
 * - one plain flag on a bind makes the runtime remount it, and that takes away every flag the source's own
 *   mount had (ro, nodev, noexec) and the options do not repeat. Recursive forms only add. So a flag that is
 *   added to a bind is added in its recursive form where the kernel has it;
 * - runc 1.1 has no ear for the recursive forms where nothing is bound: there only plain words count.
 */
#ifndef HARDEN_CONTROL_MOUNT_OPTIONS_H
#define HARDEN_CONTROL_MOUNT_OPTIONS_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

enum mount_flag { MOUNT_RO = 1, MOUNT_NOSUID = 2, MOUNT_NODEV = 4, MOUNT_NOEXEC = 8 };

/* How mount events travel; a higher one is stricter. */
enum mount_propagation { PROPAGATION_SHARED, PROPAGATION_SLAVE, PROPAGATION_PRIVATE };

struct mount_options {
  bool bind, recursive; /* bind or rbind; rbind */
  bool remount;
  bool copy_up;    /* tmpcopyup */
  bool keeps_link; /* crun's copy-symlink and src-nofollow: of a source that is a link, the link is given */
  unsigned set;    /* enum mount_flag: of the mount itself */
  unsigned plain;  /* of them, those that a plain word sets */
  unsigned set_below; /* of the mounts below it too */
  unsigned contested; /* flags whose antonym is there in any form, whatever comes of it */
  unsigned lifted;    /* flags that are taken from the mounts below it (rrw, rsuid, ...) */
  enum mount_propagation propagation, propagation_below;
};

/* NULL, or items that are no strings: as if absent. */
void mount_options_read(const json_t *options, struct mount_options *ret);

/* What to make of a mount's options. */
struct mount_wish {
  unsigned flags;       /* to hold for the mount; their antonyms go */
  unsigned flags_below; /* to hold for what is mounted below it too */
  bool recursive_forms; /* missing flags are added in the recursive form */
  bool plain;           /* nothing is bound: only plain words count */
  bool unshare;         /* shared becomes slave */
};
/* A new array: the same words in their order, less and more what the wish asks. */
json_t *mount_options_apply(const json_t *options, const struct mount_wish *wish) MUST_CHECK;

/* Everything that this file has no word for, in order: file system data, atime, idmap. New reference. */
json_t *mount_options_rest(const json_t *options) MUST_CHECK;

/* MOUNT_NOSUID of "nosuid"; 0 for other words. Only the plain forms that set. */
unsigned mount_flag_named(const char *word);

#endif
