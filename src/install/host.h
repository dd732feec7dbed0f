/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host that is changed: this one, or a root directory that stands for one (an image, a node's root
 * mounted in a container). Paths are those of the host; links in it lead nowhere else.
 */
#ifndef HARDEN_INSTALL_HOST_H
#define HARDEN_INSTALL_HOST_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define INSTALL_DIR "/var/lib/oci-harden/install" /* records, and the files as they were; 0700 */

struct host {
  int fd;       /* of its root */
  int lock_fd;  /* of INSTALL_DIR: one at a time */
  bool is_here; /* its processes are this machine's */
};
#define CLEANUP_HOST CLEANUP(host_close)
/* root NULL or "/": this host. `lock`: waits until no other hardenctl changes it, and makes INSTALL_DIR. */
int host_open(struct host *ret, const char *root, bool lock, struct error *err) MUST_CHECK;
void host_close(struct host *h);
/* Removes INSTALL_DIR when nothing is in it. For who holds the lock. */
void host_tidy(const struct host *h);

struct host_file {
  char *path; /* without links, below the host's root */
  char *text; /* NULL: there is no such file */
  size_t len;
  struct stat st;
};
#define CLEANUP_HOST_FILE CLEANUP(host_file_free)
void host_file_free(struct host_file *f);
/* An absent file is none of the errors; what is no regular file is. */
int host_read(const struct host *h, const char *path, size_t limit, struct host_file *ret,
              struct error *err) MUST_CHECK;
/* Replaces a file as a whole, on disk when it returns, with owner and mode of `like` (NULL: 0644). The
 * directory that it is in is made, and those above. */
int host_write(const struct host *h, const char *path, const void *data, size_t len, const struct stat *like,
               struct error *err) MUST_CHECK;
/* Removes a file or a link; absent is fine. */
int host_remove(const struct host *h, const char *path, struct error *err) MUST_CHECK;
/* Follows links inside the host's root. *ret is false, and *ret_st unset, when there is nothing. */
int host_stat(const struct host *h, const char *path, bool *ret, struct stat *ret_st,
              struct error *err) MUST_CHECK;
/* The paths that match, sorted. `pattern` is one of glob(7), below the host's root. */
int host_glob(const struct host *h, const char *pattern, struct strlist *ret, struct error *err) MUST_CHECK;

#endif
