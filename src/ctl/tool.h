/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of the host's that hardenctl asks or tells something: a runtime, apparmor_parser, systemctl. None
 * of them can hold it up: not one that never ends, nor one that leaves a child behind which holds its output.
 */
#ifndef HARDEN_CTL_TOOL_H
#define HARDEN_CTL_TOOL_H

#include "base/error.h"

#include <stdbool.h>

struct tool {
  const char *const *argv; /* argv[0] without a slash is looked for in PATH; ends with NULL */
  char *const *envp;       /* NULL: an empty environment */
  int in;                  /* its standard input; -1: nothing to read */
  bool errors_too;         /* what it writes on standard error is part of what it says */
  unsigned limit_ms;
};

/*
 * Runs it in a process group of its own, which is killed when it has ended or its time is over. *ret_said is
 * what it has written, at most 64 KiB, for the caller to free. An error is the end of a sentence ("exit
 * status 1: ..."), for the caller to put before it what was run.
 */
int tool_run(const struct tool *t, char **ret_said, struct error *err) MUST_CHECK;

#endif
