/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard: a process that holds a container's process at its program's first instruction (kernel/trap.h),
 * compares it with what was promised, lets it go and ends, or kills it. While it waits it stands in no
 * process group and has no terminal of the engine's, and of its files only stderr, for the one message of a
 * refusal. If it is killed, so is the container's process.
 *
 * `run` forks it before the floor is installed, because the kernel shows seccomp filters to nobody who has
 * one. It learns the pid from the hook, by a socket in the container's state: only then has the process been
 * made, and the runtime waits for the hook's end.
 */
#ifndef HARDEN_GUARD_H
#define HARDEN_GUARD_H

#include "kernel/process.h"
#include "runtime/call.h"

/* Is the container that the call makes to be guarded? A `run` with anything in force. Not for users without
 * privilege, to whom the kernel shows nothing of their runtime's init. */
bool guard_is_needed(const struct call *c);

/* run: forks the guard. It ends when the runtime, into which the caller turns, has ended without a hook. */
int guard_start(struct call *c, struct error *err) MUST_CHECK;

/* The hook behind the wrapper: tells the guard of the container whose state is in `fd`. *ret_found: there is
 * one. What the guard answers, when the trap cannot be set, is the error. */
int guard_tell(int fd, pid_t pid, bool *ret_found, struct error *err) MUST_CHECK;

/* The hook of a bare runtime, and a start whose proof needs it: forks a guard and returns when the trap is
 * set. The guard's stderr is that of the process `heard`. */
int guard_leave(struct call *c, const struct kernel_process *init, pid_t heard, struct error *err) MUST_CHECK;

/* Makes the runtime's stderr ours, where it has one that we may have. */
void guard_take_stderr(pid_t runtime);

/* Compares a process that has come to its program (the hook, too late for a trap), records it, and kills it
 * on a breach. */
int guard_judge(struct call *c, const struct kernel_process *init, struct error *err) MUST_CHECK;

#endif
