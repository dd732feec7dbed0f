/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process, held. A pid names whatever process has that number now; this names the one that had it when it
 * was opened: everything is read through one directory fd of /proc/PID, in which every look-up fails with
 * ESRCH once that process is gone, whoever has its number by then.
 */
#ifndef HARDEN_KERNEL_PROCESS_H
#define HARDEN_KERNEL_PROCESS_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct kernel_process {
  pid_t pid;
  int dir; /* /proc/PID */
  int pidfd;
  uint64_t start; /* clock ticks since boot: stat's 22nd field (proc(5)) */
};
#define KERNEL_PROCESS_NONE                                                                                  \
  { .dir = -1, .pidfd = -1 }

/* start: that the process must have, 0 for any. A process that is gone, a zombie, or one that started at
 * another time is ERROR_SYSTEM with ESRCH. On failure *ret is KERNEL_PROCESS_NONE. */
int kernel_process_open(struct kernel_process *ret, pid_t pid, uint64_t start, struct error *err) MUST_CHECK;
void kernel_process_close(struct kernel_process *p);
#define CLEANUP_KERNEL_PROCESS CLEANUP(kernel_process_close)

/* It has not ended (a zombie has). */
bool kernel_process_alive(const struct kernel_process *p);
/* SIGKILL to it and to no other, and waits for its end, at most limit_ms. True: it has ended. */
bool kernel_process_kill(const struct kernel_process *p, unsigned limit_ms);

/* A file below /proc/PID ("status", "task/12/stat") as text, at most `limit` bytes, else ERROR_INPUT. The
 * caller frees. ERROR_SYSTEM tells in err->sys why the kernel did not give it. */
int kernel_process_text(const struct kernel_process *p, const char *name, size_t limit, char **ret_text,
                        size_t *ret_len, struct error *err) MUST_CHECK;
/* The same for a link ("cwd"): its text, as from our root. The caller frees. */
int kernel_process_link(const struct kernel_process *p, const char *name, char **ret,
                        struct error *err) MUST_CHECK;

/* The 22nd field of a /proc/PID/stat; 0: a zombie, or not of that form. The name of the process stands before
 * it in parentheses and may hold anything. */
uint64_t kernel_start_parse(const char *stat);

/* Who traces it; 0: nobody that our pid namespace shows. */
pid_t kernel_process_tracer(const struct kernel_process *p);

enum { KERNEL_TRACER_WAIT_MS = 2000 };
/* PTRACE_SEIZE with these options. Only one can trace, and others that look into a process do so for a moment
 * only: while somebody else does, this waits, at most KERNEL_TRACER_WAIT_MS. False: errno is ptrace's. */
bool kernel_process_seize(const struct kernel_process *p, uintptr_t options);

/* Why ptrace refused, as the end of a sentence: on some hosts nobody may trace anything. Static. */
const char *kernel_untraceable(void);

#endif
