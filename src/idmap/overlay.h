/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an overlay is made of, as the kernel tells it in mountinfo. Text only, but for overlay_settle().
 *
 * Names are escaped twice there. mount(2)'s options escape ':' (between layers), ',' and the backslash with a
 * backslash, and the kernel keeps them so; mountinfo writes that with space, tab, newline, backslash, ',' and
 * '=' as octal numbers. So options are parted at commas before, and layers at colons after the octal numbers
 * are undone. "lowerdir+" and "datadir+" (the calls of 6.5 and later) hold one name each, not escaped.
 */
#ifndef HARDEN_IDMAP_OVERLAY_H
#define HARDEN_IDMAP_OVERLAY_H

#include "base/error.h"
#include "base/str.h"
#include "kernel/mounts.h"

#include <stdbool.h>

enum { OVERLAY_LAYERS_MAX = 500 }; /* the kernel's own limit */

struct overlay {
  struct strlist lower; /* the topmost first; unescaped, as they were given: perhaps relative */
  size_t data;          /* how many of them, at the end, hold data only ("::") */
  char *upper, *work;   /* NULL: there is none, and the overlay is read-only */
  char *base;           /* what relative names are relative to; NULL: overlay_settle() has not run */
  struct strlist kept;  /* options that make the same overlay again: "index=on", "volatile", "context=..." */
  bool is_volatile;     /* "volatile", "fsync=volatile" */
  bool readonly;        /* the file system is */
  unsigned flags;       /* of its mount: MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC */
};
void overlay_free(struct overlay *o);
#define CLEANUP_OVERLAY CLEANUP(overlay_free)

/* Of the mount with this id (statx(2)'s). *ret_type: what it is mounted; the caller frees. *ret is filled
 * only where that is "overlay". ERROR_INPUT: no such mount, a directory inside an overlay, or
 * not as the kernel writes one. */
int overlay_find(const char *mountinfo, uint64_t id, char **ret_type, struct overlay *ret,
                 struct error *err) MUST_CHECK;

/* Its own part: the super options of one line (its last field, still with octal numbers). Members that the
 * line has elsewhere stay 0. */
int overlay_parse(const char *options, struct overlay *ret, struct error *err) MUST_CHECK;

/* Finds the base. Engines give relative ones when the options get long, and do not say to what:
 * containerd to the directory that holds all snapshots, docker to its storage's. So the ancestors of upperdir
 * (if absolute) and then those of the mount point are tried, the nearest first, for the one below which all
 * the relative names are directories. No container writes there: its own files begin at upperdir. None fits:
 * ERROR_INPUT. */
int overlay_settle(struct overlay *o, const char *place, struct error *err) MUST_CHECK;

/* One of its names made absolute and normal. The caller frees. */
char *overlay_path(const struct overlay *o, const char *name) MUST_CHECK;

/* mount(2)'s option string for the same overlay, for a process in o->base. The caller frees. */
char *overlay_options(const struct overlay *o) MUST_CHECK;
/* Parts of such a string: one name; ",OPTION" for each that is kept. */
void overlay_add_escaped(struct str *out, const char *name);
void overlay_add_kept(struct str *out, const struct overlay *o);

/* The directory that holds both of two normal, absolute paths, and the rest of each. False: only "/", or one
 * is below the other. The caller frees. */
bool overlay_common_parent(const char *a, const char *b, char **ret_parent, char **ret_a,
                           char **ret_b) MUST_CHECK;

#endif
