/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap/helper.h"

#include "base/str.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { STACK_SIZE = 32 << 10 };

int helper_start(struct helper *h, int (*run)(void *arg), void *arg, int flags) {
  *h = (struct helper){ .stack = xrealloc(NULL, STACK_SIZE, 1) };
  const int pid = clone(run, (char *)h->stack + STACK_SIZE, flags, arg);
  if (pid < 0) {
    const int sys = errno;
    helper_wait(h);
    errno = sys;
    return -1;
  }
  h->pid = pid;
  return 0;
}

void helper_wait(struct helper *h) {
  if (h->pid > 0)
    while (waitpid(h->pid, NULL, __WALL) < 0 && errno == EINTR)
      ;
  free(h->stack);
  *h = (struct helper){ 0 };
}
