/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a container that is not what was promised. */
#ifndef HARDEN_STOP_H
#define HARDEN_STOP_H

#include "kernel/process.h"
#include "runtime/call.h"

enum { STOP_KILL_MS = 5000, STOP_DELETE_MS = 30000 };

/*
 * Kills the created process (through its pidfd, so no other), has the runtime delete the container, and
 * removes our state. The one place where the wrapper forks: the runtime's delete must end before the engine
 * is told. Its output goes nowhere. True: nothing is left; false: the text says what is, the caller frees.
 */
bool stop_container(const struct call *c, const struct kernel_process *init, char **ret_left);

#endif
