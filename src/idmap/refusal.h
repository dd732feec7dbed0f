/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a container cannot have its files ID-mapped, as data: a policy that requires a user namespace refuses
 * the container, one that only prefers it goes on without. `struct error` holds the same as a sentence.
 */
#ifndef HARDEN_IDMAP_REFUSAL_H
#define HARDEN_IDMAP_REFUSAL_H

#include "base/error.h"

#include <limits.h>
#include <stdbool.h>

enum refusal_kind {
  REFUSAL_NONE,
  REFUSAL_KERNEL,     /* this kernel lacks what is needed */
  REFUSAL_FILESYSTEM, /* it takes no ID-mapped mounts */
  REFUSAL_MAPPED,     /* the mount is ID-mapped already, which cannot be done twice */
  REFUSAL_BUSY,       /* the overlay's upper directory, or its mount, is in use */
  REFUSAL_READONLY,   /* the overlay came up read-only */
  REFUSAL_PERMISSION, /* the kernel did not let us */
  REFUSAL_IDS,        /* an id that is asked for has no place in the map */
  REFUSAL_LAYOUT,     /* the mount table, or what it names, is not understood */
  REFUSAL_CLOSED,     /* the place of the private mounts cannot be reached by the container's root */
  REFUSAL_SYSTEM,     /* anything else that failed: not of this container, perhaps not the next time */
};

enum refusal_part {
  REFUSAL_OF_NAMESPACE, /* of users, or of mounts */
  REFUSAL_OF_STAGE,     /* the place of the private mounts */
  REFUSAL_OF_ROOTFS,    /* a plain directory, or the mount as a whole */
  REFUSAL_OF_LAYER,     /* a lower layer of an overlay */
  REFUSAL_OF_UPPER,     /* the directory that holds upperdir and workdir */
  REFUSAL_OF_OVERLAY,   /* the new overlay itself */
  REFUSAL_OF_VOLUME,
  REFUSAL_OF_SPECIAL, /* sysfs, mqueue, a device node, standard input and output */
};

struct refusal {
  enum refusal_kind kind;
  enum refusal_part part;
  unsigned layer;      /* of REFUSAL_OF_LAYER: 0 is the topmost */
  int sys;             /* errno, 0 if none */
  char path[PATH_MAX]; /* on the host; "" if none */
  char fstype[32];     /* of its file system: "nfs", "0x1234" where the name is not known; "" if none */
  bool broken; /* the engine's own mount could not be put back: nothing may run, whatever the policy */
};

const char *refusal_kind_name(enum refusal_kind kind); /* "filesystem"; for events */
const char *refusal_part_name(enum refusal_part part); /* "layer" */
/* What an administrator can do about it. Static; "" where the error says all. */
const char *refusal_remedy(const struct refusal *why);

/* Sets both and returns -1. fd: what the path names, for its file system; -1: none is told. sys: an errno,
 * from which the kind is taken when `kind` is REFUSAL_NONE, as mount_setattr(2) and mount(2) mean it; may be
 * 0. */
int refuse(struct refusal *why, struct error *err, enum refusal_kind kind, enum refusal_part part,
           const char *path, int fd, int sys);
/* The same for the nth lower layer. */
int refuse_layer(struct refusal *why, struct error *err, unsigned layer, const char *path, int fd, int sys);
/* A root file system whose layout is not understood, because of `cause`. */
int refuse_layout(struct refusal *why, struct error *err, const char *path, int fd,
                  const struct error *cause);
/* What idmap_userns_make() failed for. */
int refuse_userns(struct refusal *why, struct error *err, const struct error *cause);
/* What was refused could not be undone either. */
int refuse_broken(struct refusal *why, struct error *err, const struct error *undo);

#endif
