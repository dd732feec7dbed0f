/* SPDX-License-Identifier: Apache-2.0 */
/* Daemons that run on this machine, and since when. */
#ifndef HARDEN_INSTALL_DAEMONS_H
#define HARDEN_INSTALL_DAEMONS_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A process of that name, and of this host's root directory, that reads `file`: by its --config,
 * --config-file or -c, from a directory below that one's, or because it has none. *ret is 0 when there is
 * none; *ret_since is when it was started, in milliseconds since 1970, *ret_words its command line. */
int daemon_find(const char *name, const char *file, pid_t *ret, int64_t *ret_since, struct strlist *ret_words,
                struct error *err) MUST_CHECK;
/* The same, and was it started before `at` (of stamp_millis)? *ret is 0 when not. */
int daemon_older(const char *name, const char *file, const char *at, pid_t *ret,
                 struct error *err) MUST_CHECK;

#endif
