/* SPDX-License-Identifier: Apache-2.0 */
/* Daemons that run on this machine, and since when. */
#ifndef HARDEN_INSTALL_DAEMONS_H
#define HARDEN_INSTALL_DAEMONS_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/* A process of that name that reads `file`: by its --config, --config-file or -c, or because it has none.
 * *ret is 0 when there is none, *ret_since when it was started. */
int daemon_find(const char *name, const char *file, pid_t *ret, time_t *ret_since,
                struct error *err) MUST_CHECK;

#endif
