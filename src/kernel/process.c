/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/process.h"

#include "base/cleanup.h"
#include "io/fileio.h"
#include "io/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { STAT_LIMIT = 4096, START_FIELD = 22, AT_ONCE = 16384 }; /* AT_ONCE: bytes; few files have more */
enum { STATUS_LIMIT = 1 << 20 };

uint64_t kernel_start_parse(const char *stat) {
  const char *p = strrchr(stat, ')');
  if (!p || p[1] != ' ' || p[2] == 'Z' || p[2] == 'X')
    return 0;
  for (int field = 2; field < START_FIELD && p; field++)
    p = strchr(p + 1, ' ');
  return p ? strtoull(p + 1, NULL, 10) : 0;
}

static int gone(pid_t pid, struct error *err) {
  return error_set(err, ERROR_SYSTEM, ESRCH, "process %d", (int)pid);
}

/* The pidfd first: alive behind the opening of /proc/PID, it had the number while that was opened. */
int kernel_process_open(struct kernel_process *ret, pid_t pid, uint64_t start, struct error *err) {
  CLEANUP_KERNEL_PROCESS struct kernel_process p = { .pid = pid, .dir = -1, .pidfd = -1 };
  CLEANUP_FREE char *name = xasprintf("/proc/%d", (int)pid);
  CLEANUP_FREE char *stat = NULL;
  size_t len;
  *ret = (struct kernel_process)KERNEL_PROCESS_NONE;
  if (pid <= 0)
    return gone(pid, err);
  p.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (p.pidfd < 0)
    return error_set(err, ERROR_SYSTEM, errno, "process %d", (int)pid);
  p.dir = path_open(AT_FDCWD, name, O_RDONLY | O_DIRECTORY, 0, RESOLVE_LEAF);
  if (p.dir < 0)
    return error_set(err, ERROR_SYSTEM, errno, "process %d", (int)pid);
  if (kernel_process_text(&p, "stat", STAT_LIMIT, &stat, &len, err) < 0)
    return -1;
  p.start = kernel_start_parse(stat);
  if (p.start == 0 || (start && p.start != start) || !kernel_process_alive(&p))
    return gone(pid, err);
  *ret = p;
  p = (struct kernel_process)KERNEL_PROCESS_NONE;
  return 0;
}

void kernel_process_close(struct kernel_process *p) {
  cleanup_fd_p(&p->dir);
  cleanup_fd_p(&p->pidfd);
  *p = (struct kernel_process)KERNEL_PROCESS_NONE;
}

/* A pidfd becomes readable when its process ends, before anyone has waited for it. */
static bool ends_within(const struct kernel_process *p, int ms) {
  struct pollfd fd = { p->pidfd, POLLIN, 0 };
  int n;
  do
    n = poll(&fd, 1, ms);
  while (n < 0 && errno == EINTR);
  return n > 0;
}

bool kernel_process_alive(const struct kernel_process *p) {
  return !ends_within(p, 0);
}

bool kernel_process_kill(const struct kernel_process *p, unsigned limit_ms) {
  if (syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
    return false;
  return ends_within(p, (int)limit_ms);
}

/* Reads to the end, or until the buffer is full. A short read is not the end: mountinfo comes in pages. */
static ssize_t read_full(int fd, char *buffer, size_t size) {
  size_t len = 0;
  while (len < size) {
    const ssize_t n = read(fd, buffer + len, size - len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    if (n == 0)
      break;
    len += (size_t)n;
  }
  return (ssize_t)len;
}

int kernel_process_text(const struct kernel_process *p, const char *name, size_t limit, char **ret_text,
                        size_t *ret_len, struct error *err) {
  char text[AT_ONCE];
  CLEANUP_FD int fd = path_open(p->dir, name, O_RDONLY | O_NOCTTY, 0, RESOLVE_INSIDE);
  const ssize_t len = fd < 0 ? -1 : read_full(fd, text, sizeof text);
  if (len < 0)
    return error_set(err, ERROR_SYSTEM, errno, "/proc/%d/%s", (int)p->pid, name);
  if (len == AT_ONCE && file_read(p->dir, name, RESOLVE_INSIDE, limit, ret_text, ret_len, NULL, err) < 0)
    return error_wrap(err, "/proc/%d", (int)p->pid);
  if (len == AT_ONCE)
    return 0;
  if ((size_t)len > limit)
    return error_set(err, ERROR_INPUT, 0, "/proc/%d/%s is larger than the limit of %zu bytes", (int)p->pid,
                     name, limit);
  *ret_text = xrealloc(NULL, (size_t)len + 1, 1);
  memcpy(*ret_text, text, (size_t)len);
  (*ret_text)[len] = '\0';
  *ret_len = (size_t)len;
  return 0;
}

int kernel_process_link(const struct kernel_process *p, const char *name, char **ret, struct error *err) {
  char text[PATH_MAX];
  ssize_t n = readlinkat(p->dir, name, text, sizeof text);
  if (n < 0 || n == sizeof text)
    return error_set(err, ERROR_SYSTEM, n < 0 ? errno : ENAMETOOLONG, "/proc/%d/%s", (int)p->pid, name);
  text[n] = '\0';
  *ret = xstrdup(text);
  return 0;
}

pid_t kernel_process_tracer(const struct kernel_process *p) {
  static const char key[] = "\nTracerPid:\t"; /* a newline in the name, which stands before it, is escaped */
  CLEANUP_FREE char *text = NULL;
  size_t len;
  struct error ignored = { 0 };
  if (kernel_process_text(p, "status", STATUS_LIMIT, &text, &len, &ignored) < 0)
    return 0;
  const char *line = strstr(text, key);
  return line ? (pid_t)strtol(line + strlen(key), NULL, 10) : 0;
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* One who lets it go between a refusal and the look at who traces it is not seen: hence more than one try. */
bool kernel_process_seize(const struct kernel_process *p, uintptr_t options) {
  enum { TRIES = 3, STEP_NS = 500000 };
  int64_t until = 0;
  for (int untraced = 0; ptrace(PTRACE_SEIZE, p->pid, NULL, (void *)options) < 0;) {
    const int refusal = errno;
    const bool traced = refusal == EPERM && kernel_process_tracer(p) != 0;
    if (!until)
      until = now_ms() + KERNEL_TRACER_WAIT_MS;
    if (refusal != EPERM || (!traced && ++untraced == TRIES) || now_ms() >= until) {
      errno = refusal;
      return false;
    }
    if (traced)
      nanosleep(&(struct timespec){ .tv_nsec = STEP_NS }, NULL);
  }
  return true;
}

const char *kernel_untraceable(void) {
  char scope = 0;
  CLEANUP_FD int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC | O_NOCTTY);
  const bool forbidden = fd >= 0 && read(fd, &scope, 1) == 1 && scope == '3';
  return forbidden
             ? "it may not be traced: kernel.yama.ptrace_scope=3 keeps everybody from that until a reboot"
             : "it may not be traced";
}
