/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/tool.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SAID_MAX = 1 << 16, DEATH_MS = 1000 };

struct running {
  pid_t pid; /* and its group; 0: none */
  int pidfd;
  int out; /* read end, nonblocking */
  struct str said;
};

static long long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static _Noreturn void become(const struct tool *t, int out) {
  static char *const nothing[] = { NULL };
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (dup2(t->in >= 0 ? t->in : null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
      dup2(t->errors_too ? out : null, STDERR_FILENO) >= 0)
    execvpe(t->argv[0], (char *const *)t->argv, t->envp ? t->envp : nothing);
  dprintf(out, "%s\n", strerror(errno));
  _exit(127);
}

static int start(const struct tool *t, struct running *r, struct error *err) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot make a pipe");
  CLEANUP_FD int out = ends[1];
  r->out = ends[0];
  if (fcntl(r->out, F_SETFL, O_NONBLOCK) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot read from a pipe");
  const pid_t pid = fork();
  if (pid < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot be started");
  if (pid == 0)
    become(t, out);
  setpgid(pid, pid); /* whoever of us two is first: the group is there when it is to be killed */
  r->pid = pid;
  r->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  return r->pidfd < 0 ? error_set(err, ERROR_SYSTEM, errno, "cannot be waited for") : 0;
}

/* What is there now. */
static int drain(struct running *r, struct error *err) {
  char part[4096];
  for (ssize_t n; (n = read(r->out, part, sizeof part)) != 0;) {
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno == EAGAIN)
      return 0;
    if (n < 0)
      return error_set(err, ERROR_SYSTEM, errno, "cannot be read");
    str_add_mem(&r->said, part, (size_t)n);
    if (r->said.len > SAID_MAX)
      return error_set(err, ERROR_INPUT, 0, "it says more than %d bytes", SAID_MAX);
  }
  cleanup_fd_p(&r->out);
  r->out = -1;
  return 0;
}

static int wait_for_end(const struct tool *t, struct running *r, struct error *err) {
  const long long end = now_ms() + t->limit_ms;
  for (;;) {
    struct pollfd polls[] = { { .fd = r->pidfd, .events = POLLIN }, { .fd = r->out, .events = POLLIN } };
    const long long left = end - now_ms();
    if (left <= 0)
      return error_set(err, ERROR_SYSTEM, 0, "it has not ended within %u.%u s", t->limit_ms / 1000,
                       t->limit_ms % 1000 / 100);
    if (poll(polls, ARRAY_SIZE(polls), (int)left) < 0 && errno != EINTR)
      return error_set(err, ERROR_SYSTEM, errno, "cannot be waited for");
    if (polls[1].revents && drain(r, err) < 0)
      return -1;
    if (polls[0].revents)
      return r->out < 0 ? 0 : drain(r, err);
  }
}

/* Before its pid, which is its group's, can be another's. One that the kernel holds is not waited for. */
static int reap(struct running *r) {
  int status = -1;
  struct pollfd ended = { .fd = r->pidfd, .events = POLLIN };
  if (r->pid == 0)
    return -1;
  kill(-r->pid, SIGKILL);
  if (r->pidfd >= 0 && poll(&ended, 1, DEATH_MS) <= 0)
    return -1;
  while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
    ;
  r->pid = 0;
  return status;
}

static void running_end(struct running *r) {
  (void)reap(r);
  cleanup_fd_p(&r->pidfd);
  cleanup_fd_p(&r->out);
  str_free(&r->said);
}

int tool_run(const struct tool *t, char **ret_said, struct error *err) {
  CLEANUP(running_end) struct running r = { .pidfd = -1, .out = -1 };
  if (start(t, &r, err) < 0 || wait_for_end(t, &r, err) < 0)
    return -1;
  const int status = reap(&r);
  CLEANUP_FREE char *said = str_steal(&r.said);
  const size_t len = strlen(said);
  if (WIFSIGNALED(status))
    return error_set(err, ERROR_SYSTEM, 0, "signal %d", WTERMSIG(status));
  if (status != 0)
    return error_set(err, ERROR_SYSTEM, 0, "exit status %d%s%.*s", WEXITSTATUS(status), len ? ": " : "",
                     (int)(len && said[len - 1] == '\n' ? len - 1 : len), said);
  *ret_said = steal_ptr(&said);
  return 0;
}
