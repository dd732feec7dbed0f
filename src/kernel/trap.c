/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/trap.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

enum { OPTIONS = PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL };

int kernel_trap_set(const struct kernel_process *p, struct error *err) {
  if (!kernel_process_seize(p, OPTIONS)) {
    const int refusal = errno;
    return error_set(err, ERROR_SYSTEM, refusal, "process %d: %s", (int)p->pid, kernel_untraceable());
  }
  /* Alive behind the seizure, it is the one that was seized. */
  if (!kernel_process_alive(p))
    return error_set(err, ERROR_SYSTEM, ESRCH, "process %d", (int)p->pid);
  return 0;
}

/* Stopped by a signal that stops, as opposed to one that is being delivered. */
static bool is_group_stop(int event, int signal) {
  return event == PTRACE_EVENT_STOP &&
         (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU);
}

/* What the tracer is told of and does not care for goes on as if there were none. */
static void pass_on(const struct kernel_process *p, int event, int signal) {
  if (is_group_stop(event, signal))
    ptrace(PTRACE_LISTEN, p->pid, NULL, NULL);
  else
    ptrace(PTRACE_CONT, p->pid, NULL, (void *)(intptr_t)(event ? 0 : signal));
}

enum kernel_trap_end kernel_trap_wait(const struct kernel_process *p) {
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(p->pid, &status, __WALL);
    if (pid < 0 && errno == EINTR)
      continue;
    if (pid < 0)
      return kernel_process_alive(p) ? KERNEL_TRAP_LOST : KERNEL_TRAP_ENDED;
    if (!WIFSTOPPED(status))
      return KERNEL_TRAP_ENDED;
    if (status >> 16 == PTRACE_EVENT_EXEC)
      return KERNEL_TRAP_SPRUNG;
    pass_on(p, status >> 16, WSTOPSIG(status));
  }
}

void kernel_trap_open(const struct kernel_process *p) {
  ptrace(PTRACE_DETACH, p->pid, NULL, NULL); /* fails only where it was killed meanwhile */
}

void kernel_trap_kill(const struct kernel_process *p, unsigned limit_ms) {
  int status = 0;
  if (kernel_process_kill(p, limit_ms) && waitpid(p->pid, &status, __WALL | WNOHANG) < 0)
    return; /* it was not traced any more */
}
