/* SPDX-License-Identifier: Apache-2.0 */
/* The seccomp filters that the kernel runs for a thread, as programs. */
#ifndef HARDEN_KERNEL_FILTERS_H
#define HARDEN_KERNEL_FILTERS_H

#include "kernel/process.h"

#include <linux/filter.h>

struct kernel_filter {
  struct sock_filter *program;
  size_t len; /* instructions; the kernel took it, so it passes its admission check */
};

struct kernel_filters {
  struct kernel_filter *items; /* in the order of installation */
  size_t len;
};

enum {
  KERNEL_FILTERS_MAX = 64, /* more is ERROR_INPUT: a container may stack them by the thousand */
  KERNEL_FILTERS_WAIT_MS = 1000,
};

/*
 * Of the thread group's leader. Runtimes lock the thread that installs the filter and execs, and that is the
 * leader in runc's init (its other threads show what it had before) and the only thread of crun's.
 *
 * The thread is stopped (PTRACE_SEIZE, PTRACE_INTERRUPT) and let go in every case, also when we are killed
 * meanwhile. It gets no signal; a system call that it sleeps in goes on, but for those
 * that a stop always ends with EINTR (epoll_wait(2), semop(2), sigtimedwait(2): signal(7)), in which created
 * containers' leaders do not sleep. One that the caller traces already, and that is stopped, is only read.
 *
 * Two calls, since a stop takes its time, in which the caller can look at something else.
 *
 * ERROR_SYSTEM with err->sys: EPERM, no right to trace it, or somebody else does for KERNEL_TRACER_WAIT_MS;
 * EACCES, no CAP_SYS_ADMIN in the initial user namespace, or a filter on ourselves; EINVAL, a kernel without
 * CONFIG_CHECKPOINT_RESTORE; ETIMEDOUT, it does not stop (frozen on cgroup v1, or in an uninterruptible
 * sleep), and stays traced until we end; ESRCH.
 */
enum kernel_filters_hold {
  KERNEL_FILTERS_FREE,    /* nothing is held: not asked for, or refused */
  KERNEL_FILTERS_ASKED,   /* it was told to stop, and is to be let go */
  KERNEL_FILTERS_STOPPED, /* it was stopped before, by the caller */
};
int kernel_filters_stop(const struct kernel_process *p, enum kernel_filters_hold *ret,
                        struct error *err) MUST_CHECK;
/* Waits for the stop, reads, lets go. To be called once kernel_filters_stop() has succeeded. */
int kernel_filters_take(const struct kernel_process *p, enum kernel_filters_hold hold,
                        struct kernel_filters *ret, struct error *err) MUST_CHECK;
/* Both. */
int kernel_filters_read(const struct kernel_process *p, struct kernel_filters *ret,
                        struct error *err) MUST_CHECK;
void kernel_filters_free(struct kernel_filters *f);
#define CLEANUP_KERNEL_FILTERS CLEANUP(kernel_filters_free)

#endif
