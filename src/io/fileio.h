/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounded reads and atomic replacement. Names are opened once; owner, mode and kind are judged on the fd.
 */
#ifndef HARDEN_FILEIO_H
#define HARDEN_FILEIO_H

#include "base/error.h"
#include "base/str.h"
#include "io/path.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Reads fd to its end into *ret_data (NUL-terminated; the caller frees). `name` is for messages. More than
 * `limit` bytes is ERROR_INPUT that names the limit. Works on pipes; reads once. */
int file_read_fd(int fd, const char *name, size_t limit, char **ret_data, size_t *ret_len,
                 struct error *err) MUST_CHECK;

/* Opens dirfd/path and reads it. Not a regular file (a FIFO, a device, a directory): ERROR_INPUT, and
 * the open does not block. *ret_stat, if not NULL, is of the fd that was read. */
int file_read(int dirfd, const char *path, enum resolve resolve, size_t limit, char **ret_data,
              size_t *ret_len, struct stat *ret_stat, struct error *err) MUST_CHECK;

/* May what this uid owns be believed? Root and ourselves. In a user namespace that does not map the host's
 * root, as a rootless engine makes it, root's files belong to the overflow uid: that is believed too, there
 * being no way to tell root's from those of other unmapped users, who have nothing in the places that we are
 * told to look. */
bool file_owner_is_trusted(uid_t owner);

/* file_read for a file whose content is trusted: a regular file owned by root or by our own uid,
 * writable by its owner only (checked on the fd), else ERROR_POLICY. */
int file_read_trusted(const char *path, size_t limit, char **ret_data, size_t *ret_len,
                      struct error *err) MUST_CHECK;

/* Replaces dirfd/name (a plain name without '/') by data: a new file in the same directory, fully
 * written, with owner and mode of `like` (NULL: ours, 0600), then renamed over the name. On failure
 * nothing but the old file is there. After SIGKILL a temporary ".NAME.oci-harden.*" may stay, which the next
 * call for that name removes when its writer is gone. No fsync: after a power loss containers are made anew.
 */
int file_replace(int dirfd, const char *name, const void *data, size_t len, const struct stat *like,
                 struct error *err) MUST_CHECK;

/* The same for what must outlive a power loss: on disk when it returns. */
int file_replace_durably(int dirfd, const char *name, const void *data, size_t len, const struct stat *like,
                         struct error *err) MUST_CHECK;

/* One write(2) of the whole buffer to a file opened O_APPEND|O_CREAT|O_NOFOLLOW, mode 0600 when made. Short
 * writes are ERROR_SYSTEM with ENOSPC. */
int file_append(const char *path, const void *data, size_t len, struct error *err) MUST_CHECK;

int write_all(int fd, const void *data, size_t len) MUST_CHECK; /* retries; -1 with errno */

#endif
