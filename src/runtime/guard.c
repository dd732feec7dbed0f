/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/guard.h"

#include "base/cleanup.h"
#include "io/fileio.h"
#include "kernel/trap.h"
#include "runtime/fds.h"
#include "runtime/record.h"
#include "runtime/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#define SOCKET_NAME "guard.sock"
enum { WORD_MAX = 4096, END_MS = 5000 };
static const char done[] = "set";

/* The guard's side of a `run`. */
struct guard {
  struct call *call;
  int runtime_pidfd, socket, state;
};

bool guard_is_needed(const struct call *c) {
  return c->command.verb == VERB_RUN && call_enforces(c, SPEC_CONFIG) && proof_is_privileged();
}

/* Of what the caller had, only what is kept, stderr with it; in ascending order, ending with -1. */
static int let_go(const int *kept) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC); /* closed below, among the others */
  if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
    return -1;
  unsigned first = STDERR_FILENO + 1;
  for (; *kept >= 0; kept++) {
    if ((unsigned)*kept > first && syscall(SYS_close_range, first, (unsigned)*kept - 1, 0) < 0)
      return -1;
    first = (unsigned)*kept + 1;
  }
  return (int)syscall(SYS_close_range, first, ~0U, 0);
}

/* Neither the terminal's signals nor the engine's settings are meant for the guard. */
static void stand_alone(void) {
  setsid();
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGCHLD, SIG_DFL);
}

static int kill_it(const struct call *c, struct error *err) {
  return error_wrap(err, "container %s is killed before its program ran", c->command.id);
}

int guard_judge(struct call *c, const struct kernel_process *init, struct error *err) {
  if (c->promised) /* a start, whose proof is done but for what only shows here */
    return call_prove_exec(c, init, err) < 0 ? kill_it(c, err) : 0;
  const struct proof_promise promise = {
    .config = c->harden.after.root ? c->harden.after.root : c->harden.before,
    .preserved_fds = c->state.handed_fds,
    .hook = c->hook,
    .executed = true,
    .floorless = !c->known,
    .rootfs = { c->state.rootfs.device, c->state.rootfs.inode },
    .map = { usermap_is_given(c) ? c->map.base : 0, c->map.place, c->map.unmapped, c->map.entered_types },
  };
  journal_free(&c->harden.spec.journal); /* create's, which had its event */
  if (call_compare(c, promise, init, err) == 0 && call_event(c, err) == 0)
    return 0;
  return kill_it(c, err);
}

/* Said before it is killed, so that who waits for the runtime's end finds it said. */
static void veto(struct call *c, const struct kernel_process *init, const struct error *err) {
  if (call_fail(c, err) != 0)
    kernel_trap_kill(init, END_MS);
}

enum watched { LET_GO, ENDED, KILLED };

static enum watched watch(struct call *c, const struct kernel_process *init) {
  struct error err = { 0 };
  switch (kernel_trap_wait(init)) {
  case KERNEL_TRAP_ENDED:
    return ENDED;
  case KERNEL_TRAP_LOST:
    error_set_rule(&err, ERROR_REFUSED, "OH-PRF-001",
                   "process %d has executed something out of sight; container %s is killed", (int)init->pid,
                   c->command.id);
    break;
  case KERNEL_TRAP_SPRUNG:
    if (guard_judge(c, init, &err) == 0) {
      kernel_trap_open(init);
      return LET_GO;
    }
    break;
  }
  veto(c, init, &err);
  return KILLED;
}

/* Nobody but root reaches the socket: what this keeps from the trap is a mistake. */
static int check_container(const struct kernel_process *p, struct error *err) {
  struct kernel_namespace own[KERNEL_NAMESPACES], is[KERNEL_NAMESPACES];
  if (kernel_namespaces_own(own, err) < 0 || kernel_namespaces_read(p, is, err) < 0)
    return -1;
  if (kernel_namespace_same(&own[KERNEL_NS_MOUNT], &is[KERNEL_NS_MOUNT]))
    return error_set(err, ERROR_REFUSED, 0, "process %d has the host's mounts: it is no container's",
                     (int)p->pid);
  return 0;
}

/* One hook: 0 and *ret is the process that it named, in the trap. */
static int hear(int peer, struct kernel_process *ret, struct error *err) {
  char word[WORD_MAX] = "";
  struct ucred cred;
  socklen_t len = sizeof cred;
  int pid = 0;
  if (getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 || cred.uid != geteuid())
    return error_set(err, ERROR_REFUSED, 0, "the hook was called by another user");
  if (recv(peer, word, sizeof word - 1, 0) < 0 || sscanf(word, "%d", &pid) != 1)
    return error_set(err, ERROR_INPUT, 0, "the hook names no process");
  if (kernel_process_open(ret, pid, 0, err) < 0)
    return -1;
  if (check_container(ret, err) < 0)
    return -1;
  return kernel_trap_set(ret, err);
}

static bool runtime_ended_within(const struct guard *g, int ms) {
  struct pollfd fd = { g->runtime_pidfd, POLLIN, 0 };
  return poll(&fd, 1, ms) > 0;
}

/* Not every runtime runs the hook of its end for a container that has failed. */
static void tidy(const struct guard *g) {
  const struct call *c = g->call;
  CLEANUP_RECORD struct record record = { 0 };
  struct error ignored = { 0 };
  if (record_read(&record, c->root, c->command.id, c->target.kind, &ignored) == 0 && !record.exists &&
      state_remove(c->config.state_dir, c->root, c->command.id, &ignored) < 0)
    ignored.code = ERROR_NONE; /* for hardenctl gc */
}

static bool wait_for_hook(const struct guard *g, struct kernel_process *ret) {
  struct pollfd fds[] = { { g->socket, POLLIN, 0 }, { g->runtime_pidfd, POLLIN, 0 } };
  for (;;) {
    if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
      return false;
    CLEANUP_FD int peer = fds[0].revents ? accept4(g->socket, NULL, NULL, SOCK_CLOEXEC) : -1;
    struct error err = { 0 };
    if (peer < 0 && fds[1].revents)
      return false;
    if (peer < 0)
      continue;
    const bool set = hear(peer, ret, &err) == 0;
    const char *answer = set ? done : err.message;
    if (set)
      unlinkat(g->state, SOCKET_NAME, 0);
    if (send(peer, answer, strlen(answer), MSG_NOSIGNAL) < 0 || !set)
      continue; /* who is not heard will not go on: the runtime ends */
    return true;
  }
}

static void guard_run(const struct guard *g) {
  CLEANUP_KERNEL_PROCESS struct kernel_process init = KERNEL_PROCESS_NONE;
  CLEANUP_FREE char *left = NULL;
  const enum watched end = wait_for_hook(g, &init) ? watch(g->call, &init) : ENDED;
  /* An attached runtime deletes its container itself. One that is detached may have ended already. Who asked
   * to keep the container, to look at what became of it, finds it stopped, as after any other end. */
  if (end == LET_GO || !runtime_ended_within(g, END_MS))
    return;
  if (end == KILLED && !command_has(&g->call->command, "keep") && stop_container(g->call, &init, &left))
    return;
  tidy(g);
}

static void sort(int *fds, size_t n) {
  for (size_t i = 1; i < n; i++)
    for (size_t k = i; k > 0 && fds[k - 1] > fds[k]; k--) {
      const int fd = fds[k];
      fds[k] = fds[k - 1];
      fds[k - 1] = fd;
    }
}

/* Its parent ends at once, so that whose child the guard is is nobody's whom it could surprise. */
static int fork_guard(const struct guard *g, struct error *err) {
  int status = 0;
  const pid_t child = fork();
  if (child == 0) {
    int kept[] = { g->runtime_pidfd, g->socket, g->state, g->call->target.fd, -1 };
    sort(kept, ARRAY_SIZE(kept) - 1);
    const pid_t guard = fork();
    if (guard != 0)
      _exit(guard < 0);
    stand_alone();
    g->call->known = true; /* its floors will be there */
    g->call->event_row = verb_find(VERB_START);
    if (let_go(kept) == 0)
      guard_run(g);
    _exit(0);
  }
  if (child < 0)
    return error_set(err, ERROR_SYSTEM, errno, "the guard of the container cannot be made");
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  return status ? error_set(err, ERROR_SYSTEM, EAGAIN, "the guard of the container cannot be made") : 0;
}

/* A name in the directory `fd`: the whole path is longer than a socket's may be. */
static struct sockaddr_un address(int fd) {
  struct sockaddr_un a = { .sun_family = AF_UNIX };
  snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/" SOCKET_NAME, fd);
  return a;
}

int guard_start(struct call *c, struct error *err) {
  CLEANUP_FD int state = -1;
  if (state_open(c->config.state_dir, c->root, c->command.id, true, &state, err) < 0)
    return -1;
  const struct sockaddr_un a = address(state);
  CLEANUP_FD int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  CLEANUP_FD int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
  unlinkat(state, SOCKET_NAME, 0);
  if (listener < 0 || pidfd < 0 || bind(listener, (const struct sockaddr *)&a, sizeof a) < 0 ||
      listen(listener, 1) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "the guard's socket in the state of %s", c->command.id);
  return fork_guard(&(struct guard){ c, pidfd, listener, state }, err);
}

int guard_tell(int fd, pid_t pid, bool *ret_found, struct error *err) {
  const struct sockaddr_un a = address(fd);
  char word[WORD_MAX] = "";
  *ret_found = faccessat(fd, SOCKET_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  if (!*ret_found)
    return 0;
  CLEANUP_FD int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  snprintf(word, sizeof word, "%d", (int)pid);
  if (s < 0 || connect(s, (const struct sockaddr *)&a, sizeof a) < 0 ||
      send(s, word, strlen(word), MSG_NOSIGNAL) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "the container's guard does not listen");
  const ssize_t n = recv(s, word, sizeof word - 1, 0);
  if (n <= 0)
    return error_set(err, ERROR_SYSTEM, n < 0 ? errno : EPIPE, "the container's guard does not answer");
  word[n] = '\0';
  return strcmp(word, done) == 0 ? 0 : error_set(err, ERROR_REFUSED, 0, "%s", word);
}

void guard_take_stderr(pid_t runtime) {
  CLEANUP_FD int pidfd = (int)syscall(SYS_pidfd_open, runtime, 0);
  CLEANUP_FD int theirs = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, STDERR_FILENO, 0);
  if (theirs >= 0 && dup2(theirs, STDERR_FILENO) < 0)
    return;
}

/* Behind the fork. What became of the trap goes through the pipe: nothing, or why it is not set. */
static void leave(struct call *c, const struct kernel_process *init, pid_t heard, int pipe_end) {
  struct error err = { 0 };
  stand_alone();
  /* The hook's own is a pipe to whose end the runtime reads before it goes on. */
  dup2(init->dir, STDERR_FILENO);
  guard_take_stderr(heard);
  int kept[] = { init->dir, init->pidfd, pipe_end, -1 };
  sort(kept, ARRAY_SIZE(kept) - 1);
  if (let_go(kept) < 0)
    error_set(&err, ERROR_SYSTEM, errno, "descriptors cannot be closed");
  else if (kernel_trap_set(init, &err) == 0 && write_all(pipe_end, done, strlen(done)) == 0) {
    close(pipe_end);
    watch(c, init);
    return;
  }
  if (write_all(pipe_end, err.message, strlen(err.message)) < 0)
    return;
}

int guard_leave(struct call *c, const struct kernel_process *init, pid_t heard, struct error *err) {
  int ends[2];
  char word[WORD_MAX] = "";
  if (pipe2(ends, O_CLOEXEC) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "pipe");
  CLEANUP_FD int in = ends[0];
  const pid_t child = fork();
  if (child == 0) {
    if (fork() == 0)
      leave(c, init, heard, ends[1]);
    _exit(0);
  }
  close(ends[1]);
  while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
    ;
  if (child < 0)
    return error_set(err, ERROR_SYSTEM, errno, "the guard of the container cannot be made");
  const ssize_t n = read(in, word, sizeof word - 1);
  if (n > 0 && strcmp(word, done) == 0)
    return 0;
  return error_set(err, ERROR_SYSTEM, 0, "the trap is not set: %s", n > 0 ? word : "the guard ended");
}
