/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening by directory fd with a named set of openat2(2) RESOLVE_* flags. There is no fallback to a
 * weaker open: a kernel without openat2 (before 5.6) is an error.
 */
#ifndef HARDEN_PATH_H
#define HARDEN_PATH_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum resolve {
  RESOLVE_TRUSTED, /* a path of the administrator's: symbolic links are followed */
  RESOLVE_LEAF,    /* no symbolic link as the last component, no /proc magic link */
  RESOLVE_INSIDE,  /* beneath dirfd, no symbolic links at all */
  RESOLVE_MOUNT,   /* the same, and on dirfd's mount: EXDEV where another begins */
  RESOLVE_ROOTFS,  /* dirfd is "/" for the path: links are followed inside it (RESOLVE_IN_ROOT) */
};

/* openat2 with O_CLOEXEC added; retries EINTR and RESOLVE_IN_ROOT's EAGAIN. Returns the fd, or -1 with errno
 * set. */
int path_open(int dirfd, const char *path, int flags, mode_t mode, enum resolve resolve) MUST_CHECK;

/* Resolves path as the container would see it, with rootfs_fd as "/". *ret_path becomes the
 * absolute path inside the rootfs without symbolic links, "." or ".."; components that do not exist
 * yet are kept as they are behind the existing part. *ret_exists tells whether the whole path exists.
 * Fails (ERROR_REFUSED) on "..", on a loop, and where a component is not a directory.
 * The caller frees *ret_path. */
int path_resolve_in_root(int rootfs_fd, const char *path, char **ret_path, bool *ret_exists,
                         struct error *err) MUST_CHECK;

/* Text only: true when path is absolute, holds no "." or ".." component and no "//". */
bool path_is_clean(const char *path);
/* Text only: is the path what path_normalise() makes of it? Nearly all are. */
bool path_is_normal(const char *path);
/* Text only: a copy of an absolute path without "//", "/." and the trailing "/"; ".." is kept. The caller
 * frees. */
char *path_normalise(const char *path) MUST_CHECK;
/* Text only: ".." is one of its components. */
bool path_names_parent(const char *path);
/* Text only, both normalised: true when path is dir or lies below it. */
bool path_is_below(const char *path, const char *dir);
/* Makes each directory of an absolute path that does not exist, mode as given, owner ourselves. */
int path_make_dirs(const char *path, mode_t mode, struct error *err) MUST_CHECK;

#endif
