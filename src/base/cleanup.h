/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scoped ownership. A variable marked CLEANUP_* owns its value until the scope ends; ownership
 * leaves only through steal_*(). Every destructor takes NULL or -1.
 */
#ifndef HARDEN_CLEANUP_H
#define HARDEN_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_p(void *p) {
  free(*(void **)p);
}

static inline void cleanup_fd_p(const int *fd) {
  if (*fd >= 0)
    close(*fd);
}

static inline void cleanup_dir_p(DIR *const *dir) {
  if (*dir)
    closedir(*dir);
}

#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define CLEANUP_FREE CLEANUP(cleanup_free_p)
#define CLEANUP_FD CLEANUP(cleanup_fd_p)
#define CLEANUP_DIR CLEANUP(cleanup_dir_p)

static inline int steal_fd(int *fd) {
  int value = *fd;
  *fd = -1;
  return value;
}

/* steal_ptr(&p): the value of p, which becomes NULL. */
#define steal_ptr(pp)                                                                                        \
  __extension__({                                                                                            \
    __typeof__(*(pp)) steal_value_ = *(pp);                                                                  \
    *(pp) = NULL;                                                                                            \
    steal_value_;                                                                                            \
  })

#endif
