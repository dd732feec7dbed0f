/* SPDX-License-Identifier: Apache-2.0 */
/* Processes for the readers of the kernel's view to look at. */
#ifndef HARDEN_TESTS_KERNEL_CHILD_H
#define HARDEN_TESTS_KERNEL_CHILD_H

#include "kernel/view.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/wait.h>

/* A child that did `prepare` and sleeps in read(2); what comes over its pipe lets it end with 42. */
struct child {
  pid_t pid;
  int in, out; /* the test's ends: a byte in lets it go on, a byte out says that it is ready */
};

static inline struct child start(void (*prepare)(void *), void *data) {
  int in[2], out[2];
  cr_assert_eq(pipe2(in, O_CLOEXEC), 0);
  cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
  const pid_t pid = fork();
  cr_assert_geq(pid, 0);
  if (pid == 0) {
    char byte = 'r';
    close(in[1]);
    if (prepare)
      prepare(data);
    if (write(out[1], &byte, 1) != 1 || read(in[0], &byte, 1) != 1)
      _exit(1);
    _exit(42);
  }
  char byte;
  close(in[0]);
  close(out[1]);
  cr_assert_eq(read(out[0], &byte, 1), 1);
  return (struct child){ pid, in[1], out[0] };
}

/* It goes on as if nothing had been, and ends by itself. */
static inline void finish(struct child *c) {
  int status;
  cr_assert_eq(write(c->in, "x", 1), 1);
  cr_assert_eq(waitpid(c->pid, &status, 0), c->pid);
  cr_assert(WIFEXITED(status), "status %#x", (unsigned)status);
  cr_assert_eq(WEXITSTATUS(status), 42);
  close(c->in);
  close(c->out);
}

static inline void read_view(struct kernel_view *ret, pid_t pid, unsigned parts) {
  struct error err = { 0 };
  cr_assert_eq(kernel_view_read(ret, pid, 0, parts, &err), 0, "%s", err.message);
  for (enum kernel_part part = 0; part < KERNEL_PARTS; part++)
    if (parts & KERNEL_PART(part))
      cr_assert_null(ret->unread[part], "%s: %s", kernel_part_names[part], ret->unread[part]);
    else
      cr_assert_not_null(ret->unread[part], "%s", kernel_part_names[part]);
}

#endif
