/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/filters.h"

#include "base/cleanup.h"
#include "kernel/status.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

enum { PROGRAM_MAX = 4096, MS_NS = 1000000 }; /* PROGRAM_MAX: BPF_MAXINSNS */
/* For so long the processor is only lent to the thread, which may be waiting for this very one. */
enum { YIELD_NS = 200000, STEP_NS = 50000 };

static int failed(const struct kernel_process *p, int error, const char *what, struct error *err) {
  return error_set(err, ERROR_SYSTEM, error, "the seccomp filters of process %d cannot be read: %s",
                   (int)p->pid, what);
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Looks instead of sleeping in waitpid: a thread that does not stop must not keep us. *ret_signal is one that
 * was just being delivered: it stopped for that, and must get it when it goes on. */
static int wait_for_stop(const struct kernel_process *p, int *ret_signal, struct error *err) {
  const int64_t start = now_ns();
  int64_t now;
  do {
    int status = 0;
    const pid_t pid = waitpid(p->pid, &status, __WALL | WNOHANG);
    if (pid > 0 && WIFSTOPPED(status)) {
      *ret_signal = status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status);
      return 0;
    }
    if (pid > 0 || (pid < 0 && errno != EINTR))
      return failed(p, ESRCH, "it has ended", err);
    now = now_ns();
    if (now - start < YIELD_NS)
      sched_yield();
    else
      nanosleep(&(struct timespec){ .tv_nsec = STEP_NS }, NULL);
  } while (now - start < (int64_t)KERNEL_FILTERS_WAIT_MS * MS_NS);
  return failed(p, ETIMEDOUT, "it does not stop", err);
}

/* EINVAL is what the kernel says of a thread without any filter, and one without CONFIG_CHECKPOINT_RESTORE of
 * all. */
static bool has_none(const struct kernel_process *p) {
  CLEANUP_KERNEL_STATUS struct kernel_status s = { 0 };
  struct error ignored = { 0 };
  return kernel_status_read(p, &s, &ignored) == 0 && s.seccomp != SECCOMP_MODE_FILTER;
}

/* 1: read; 0: there are no more. Without a place for the program the kernel tells its length. That stays:
 * filters are counted from the oldest, and none is ever taken away. */
static int take(const struct kernel_process *p, size_t index, struct kernel_filters *filters,
                struct error *err) {
  const long len = ptrace(PTRACE_SECCOMP_GET_FILTER, p->pid, (void *)index, NULL);
  const int reason = errno;
  if (len < 0 && (reason == ENOENT || (reason == EINVAL && index == 0 && has_none(p))))
    return 0;
  if (len < 0)
    return failed(p, reason, "the kernel refuses", err);
  if (len == 0 || len > PROGRAM_MAX)
    return failed(p, EOVERFLOW, "the length is out of range", err);
  struct kernel_filter f = { xcalloc((size_t)len, sizeof *f.program), (size_t)len };
  filters->items = xrealloc(filters->items, filters->len + 1, sizeof *filters->items);
  filters->items[filters->len++] = f;
  if (ptrace(PTRACE_SECCOMP_GET_FILTER, p->pid, (void *)index, f.program) == len)
    return 1;
  return failed(p, errno, "the kernel refuses", err);
}

static int take_all(const struct kernel_process *p, struct kernel_filters *filters, struct error *err) {
  for (size_t i = 0; i <= KERNEL_FILTERS_MAX; i++) {
    const int taken = take(p, i, filters, err);
    if (taken <= 0)
      return taken;
  }
  return error_set(err, ERROR_INPUT, 0, "process %d has more than %d seccomp filters", (int)p->pid,
                   KERNEL_FILTERS_MAX);
}

/* Alive behind the seizure, it is the one that was seized; a stranger with its number is let go unseen. */
static int read_stopped(const struct kernel_process *p, struct kernel_filters *filters, struct error *err) {
  return kernel_process_alive(p) ? take_all(p, filters, err) : failed(p, ESRCH, "it has ended", err);
}

static int read_asked(const struct kernel_process *p, struct kernel_filters *filters, struct error *err) {
  int signal = 0;
  if (wait_for_stop(p, &signal, err) < 0)
    return -1;
  const int rc = read_stopped(p, filters, err);
  if (ptrace(PTRACE_DETACH, p->pid, NULL, (void *)(intptr_t)signal) < 0 && rc == 0)
    return failed(p, errno, "it cannot be let go", err); /* killed meanwhile */
  return rc;
}

/* Only a tracer whose tracee is stopped gets anything but ESRCH for a look into it. */
static bool is_ours_and_stopped(const struct kernel_process *p) {
  unsigned long message;
  return ptrace(PTRACE_GETEVENTMSG, p->pid, NULL, &message) == 0;
}

int kernel_filters_stop(const struct kernel_process *p, enum kernel_filters_hold *ret, struct error *err) {
  *ret = KERNEL_FILTERS_FREE;
  if (!kernel_process_alive(p))
    return failed(p, ESRCH, "it has ended", err);
  if (is_ours_and_stopped(p)) {
    *ret = KERNEL_FILTERS_STOPPED;
    return 0;
  }
  if (!kernel_process_seize(p, 0) || ptrace(PTRACE_INTERRUPT, p->pid, NULL, NULL) < 0) {
    const int refusal = errno;
    return failed(p, refusal, kernel_untraceable(), err);
  }
  *ret = KERNEL_FILTERS_ASKED;
  return 0;
}

int kernel_filters_take(const struct kernel_process *p, enum kernel_filters_hold hold,
                        struct kernel_filters *ret, struct error *err) {
  CLEANUP_KERNEL_FILTERS struct kernel_filters filters = { 0 };
  *ret = filters;
  if ((hold == KERNEL_FILTERS_STOPPED ? take_all(p, &filters, err) : read_asked(p, &filters, err)) < 0)
    return -1;
  *ret = filters;
  filters = (struct kernel_filters){ 0 };
  return 0;
}

int kernel_filters_read(const struct kernel_process *p, struct kernel_filters *ret, struct error *err) {
  enum kernel_filters_hold hold;
  *ret = (struct kernel_filters){ 0 };
  return kernel_filters_stop(p, &hold, err) < 0 ? -1 : kernel_filters_take(p, hold, ret, err);
}

void kernel_filters_free(struct kernel_filters *f) {
  for (size_t i = 0; i < f->len; i++)
    free(f->items[i].program);
  free(f->items);
  *f = (struct kernel_filters){ 0 };
}
