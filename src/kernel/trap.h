/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trap at a process's next execve(2): the last moment before a container's program runs, and the first at
 * which everything is as it will run, whatever the order in which a runtime sets things up. The process stops
 * there with its new image, of which it has executed nothing.
 *
 * The one who sets the trap traces the process until it springs. If he ends before that, the process is
 * killed: nothing gets through unseen.
 */
#ifndef HARDEN_KERNEL_TRAP_H
#define HARDEN_KERNEL_TRAP_H

#include "kernel/process.h"

/*
 * On the thread group's leader, which in runc's init and crun's is the thread that execs. ERROR_SYSTEM with
 * err->sys: EPERM, no right to trace it, or somebody else does for KERNEL_TRACER_WAIT_MS; ESRCH. That tracing
 * is out of the question (kernel.yama.ptrace_scope=3) is EPERM too.
 */
int kernel_trap_set(const struct kernel_process *p, struct error *err) MUST_CHECK;

enum kernel_trap_end {
  KERNEL_TRAP_SPRUNG, /* it stands at its exec, until kernel_trap_open() */
  KERNEL_TRAP_ENDED,  /* it ended before */
  KERNEL_TRAP_LOST,   /* it lives, and is no longer traced: another thread has executed something */
};
/* Waits as long as it takes. Signals reach the process as they would have. */
enum kernel_trap_end kernel_trap_wait(const struct kernel_process *p) MUST_CHECK;

/* Lets it go on. */
void kernel_trap_open(const struct kernel_process *p);

/* Kills it, and has its parent told, who learns of a traced process's end only when the tracer has seen it.
 */
void kernel_trap_kill(const struct kernel_process *p, unsigned limit_ms);

#endif
