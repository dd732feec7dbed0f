/* SPDX-License-Identifier: Apache-2.0 */
/* `exec ID COMMAND...` without a process file: the process that runc makes of it. */
#ifndef HARDEN_PROCESS_H
#define HARDEN_PROCESS_H

#include "base/error.h"
#include "runtime/command.h"

#include <jansson.h>

/*
 * base: the container's /process (borrowed), NULL when the container is unknown. New reference in *ret.
 * Options as runc reads them: --cap adds to bounding, effective and permitted; --env appends; --user takes
 * numbers; the terminal is --tty and nothing else. The command replaces args. ERROR_USAGE (OH-CMD-019) for
 * what is no number.
 */
int process_build(const struct command *c, const json_t *base, json_t **ret, struct error *err) MUST_CHECK;

#endif
