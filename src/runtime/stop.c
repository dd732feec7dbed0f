/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/stop.h"

#include "base/cleanup.h"
#include "runtime/record.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { STEP_MS = 2 };

/* What the engine meant for the container and for us is not the delete's: everything but the output is closed
 * at exec or has nothing in it. */
static void become_delete(const struct call *c) {
  CLEANUP_STRLIST struct strlist argv = { 0 };
  struct error ignored = { 0 };
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3; fd++)
    if (null < 0 || dup2(null, fd) < 0)
      _exit(127);
  if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
    _exit(127);
  command_emit_delete(&c->command, c->target.path, &argv);
  if (target_exec(&c->target, argv.items, &ignored) < 0)
    _exit(127);
}

/* Looks instead of sleeping in waitpid: a runtime that hangs must not hold the engine. With SIGCHLD ignored
 * the child leaves no status, and ECHILD tells of its end. */
static void wait_for_end(pid_t child) {
  for (int waited = 0; waited < STOP_DELETE_MS; waited += STEP_MS) {
    const pid_t pid = waitpid(child, NULL, WNOHANG);
    if (pid == child || (pid < 0 && errno == ECHILD))
      return;
    nanosleep(&(struct timespec){ .tv_nsec = STEP_MS * 1000000L }, NULL);
  }
  kill(child, SIGKILL);
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
    ;
}

bool stop_container(const struct call *c, const struct kernel_process *init, char **ret_left) {
  CLEANUP_RECORD struct record record = { 0 };
  struct error unremoved = { 0 };
  *ret_left = NULL;
  if (!kernel_process_kill(init, STOP_KILL_MS)) {
    *ret_left = xasprintf("process %d could not be killed", (int)init->pid);
    return false;
  }
  const pid_t child = fork();
  if (child == 0)
    become_delete(c);
  if (child > 0)
    wait_for_end(child);
  if (record_read_process(&record, c->root, c->command.id, c->target.kind, &unremoved) < 0 || record.exists)
    *ret_left = xasprintf("it was killed, but %s did not delete it", c->target.path);
  else if (state_remove(c->config.state_dir, c->root, c->command.id, &unremoved) < 0)
    *ret_left = xasprintf("it was killed and deleted, but %s", unremoved.message);
  return *ret_left == NULL;
}
