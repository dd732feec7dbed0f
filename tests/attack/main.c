/* SPDX-License-Identifier: Apache-2.0 */
/* probe: tries every primitive and prints one line each: name, verdict, what it rests on, separated by tabs.
 *
 *   probe [NAME...]          all of them, or those, then "end"
 *   probe --stay [NAME...]   the same, then waits to be killed: a container in which another probe can be
 * executed probe --list             their names
 *
 * The other forms are what primitives execute to see what an execution gives: --exit, --is-uid N, --is-gid N,
 * --permitted.
 */
#include "primitives.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct primitive *const all[] = { privilege_primitives, namespace_primitives, mount_primitives,
                                               kernel_primitives,    memory_primitives,    process_primitives,
                                               network_primitives,   file_primitives,      device_primitives,
                                               execute_primitives,   limit_primitives,     abi_primitives };

/* A primitive that takes longer than this hangs. */
enum { LIMIT_MS = 20000 };

int leaked_fd = -1;

static void find_leaked_fd(void) {
  for (int fd = 3; fd < 1024 && leaked_fd < 0; fd++)
    if (fcntl(fd, F_GETFD) >= 0)
      leaked_fd = fd;
}

static void write_result(int fd, const struct result *result) {
  if (write(fd, result, sizeof *result) != (ssize_t)sizeof *result)
    _exit(3);
}

static _Noreturn void child(const struct primitive *p, int result_fd) {
  struct result result;
  struct rlimit core;
  /* In a session without a terminal, without a core, and not longer than the probe. */
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getrlimit(RLIMIT_CORE, &core) == 0) {
    core.rlim_cur = 0;
    setrlimit(RLIMIT_CORE, &core);
  }
  result = p->attempt(p);
  write_result(result_fd, &result);
  _exit(0);
}

/* What becomes of a child that did not say. */
static struct result ended_with(int status) {
  char text[64];
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
    return denied(0, "SIGSYS");
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
    return denied(0, "killed");
  snprintf(text, sizeof text, WIFSIGNALED(status) ? "ended by signal %d" : "ended with %d",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  return odd(text);
}

static struct result attempt(const struct primitive *p) {
  struct result result;
  int fds[2], status = 0;
  pid_t pid;
  if (pipe2(fds, O_CLOEXEC) != 0)
    return odd("pipe");
  pid = fork();
  if (pid == 0) {
    close(fds[0]);
    child(p, fds[1]);
  }
  close(fds[1]);
  if (pid < 0) {
    close(fds[0]);
    return odd("fork");
  }
  struct pollfd ready = { .fd = fds[0], .events = POLLIN };
  int n = poll(&ready, 1, LIMIT_MS);
  ssize_t got = n > 0 ? read(fds[0], &result, sizeof result) : 0;
  if (got != (ssize_t)sizeof result && n > 0)
    waitpid(pid, &status, 0);
  kill(-pid, SIGKILL);
  close(fds[0]);
  if (got == (ssize_t)sizeof result) {
    waitpid(pid, NULL, 0);
    return result;
  }
  if (n > 0)
    return ended_with(status);
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  return odd("it hangs");
}

static void print(const struct primitive *p, const struct result *r) {
  static const char *const words[] = {
    [REACHED] = "reached", [DENIED] = "denied", [ABSENT] = "absent", [ODD] = "odd"
  };
  printf("%s\t%s\t%s%s%s\n", p->name, words[r->verdict], r->detail, r->detail[0] && r->error ? ": " : "",
         r->error ? strerrorname_np(r->error) : "");
}

static void run_all(bool only_names, char *const *chosen) {
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    for (const struct primitive *p = all[i]; p->name; p++) {
      bool wanted = !chosen[0];
      for (char *const *name = chosen; *name; name++)
        wanted = wanted || strcmp(*name, p->name) == 0;
      if (!wanted)
        continue;
      if (only_names) {
        puts(p->name);
        continue;
      }
      struct result result = attempt(p);
      print(p, &result);
      fflush(stdout);
      /* As the first process of a container this one inherits what a primitive left. */
      while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    }
}

/* Every permitted capability of this process, as its status says. */
static bool has_permitted(void) {
  unsigned long long permitted = 0;
  char line[256];
  FILE *f = fopen("/proc/self/status", "re");
  if (!f)
    return false;
  while (fgets(line, sizeof line, f))
    if (strncmp(line, "CapPrm:", 7) == 0)
      permitted = strtoull(line + 7, NULL, 16);
  fclose(f);
  return permitted != 0;
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  unsigned long id = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
  if (strcmp(mode, "--exit") == 0)
    return 42;
  if (strcmp(mode, "--is-uid") == 0)
    return geteuid() == id ? 42 : 1;
  if (strcmp(mode, "--is-gid") == 0)
    return getegid() == id ? 42 : 1;
  if (strcmp(mode, "--permitted") == 0)
    return has_permitted() ? 42 : 1;
  find_leaked_fd();
  bool list = strcmp(mode, "--list") == 0, stay = strcmp(mode, "--stay") == 0;
  run_all(list, argv + (list || stay ? 2 : argc > 1 ? 1 : argc));
  if (list)
    return 0;
  puts("end");
  fclose(stdout);
  if (!stay)
    return 0;
  close(STDERR_FILENO);
  /* What is executed in this container may leave orphans to it. */
  signal(SIGCHLD, SIG_IGN);
  for (;;)
    pause();
}
