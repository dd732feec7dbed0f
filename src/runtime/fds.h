/* SPDX-License-Identifier: Apache-2.0 */
/* Which file descriptors reach the runtime on a verb that starts a process. */
#ifndef HARDEN_FDS_H
#define HARDEN_FDS_H

#include "base/error.h"
#include "runtime/command.h"

#include <stdbool.h>

/* True when every fd of LISTEN_FDS is a socket or a pipe, as socket activation has them: a directory handed
 * on by that door is as good as one of --preserve-fds. */
bool fds_listen_is_plain(void);

/* How many there are; 0 when LISTEN_PID is not ours. They follow each other from 3, those of --preserve-fds
 * behind them. */
unsigned fds_listen_count(void);

/*
 * Marks close-on-exec every fd from 3 on but: those of LISTEN_FDS (when LISTEN_PID is ours, as
 * sd_listen_fds(3) checks too) and of --preserve-fds, which follow each other from 3, and those that an
 * option names as /dev/fd/N or /proc/self/fd/N. A directory that leaks into a container is a way out of it
 * (CVE-2024-21626). A LISTEN_FDS that is not for us is taken out of the environment: crun does not look whom
 * it is for, and would hand the container what it itself has opened under those numbers.
 */
int fds_seal(const struct command *c, int preserve, struct error *err) MUST_CHECK;

#endif
