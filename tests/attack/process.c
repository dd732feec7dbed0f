/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into, and reaching into, other processes: a child of the primitive, which is idle. */
#include "primitives.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int victim_value = 7;

/* on_child: makes one, does it, kills it. */
static struct result on_child(long (*act)(pid_t child, long argument), long argument, int past) {
  pid_t child = idle_child();
  if (child < 0)
    return judge(-1);
  long rc = act(child, argument);
  reap(child);
  return judge_past(rc, past, 0);
}

static long do_seize(pid_t child, long options) {
  return ptrace(PTRACE_SEIZE, child, 0, options);
}
static struct result trace(const struct primitive *self) {
  return on_child(do_seize, self->a, 0);
}

static long do_memory(pid_t child, long nr) {
  int value = 0;
  struct iovec ours = { .iov_base = &value, .iov_len = sizeof value };
  struct iovec theirs = { .iov_base = &victim_value, .iov_len = sizeof victim_value };
  return syscall(nr, child, &ours, 1, &theirs, 1, 0);
}
static struct result memory(const struct primitive *self) {
  return on_child(do_memory, self->a, 0);
}

static long do_proc_mem(pid_t child, long write_it) {
  char path[64];
  int value = 9;
  snprintf(path, sizeof path, "/proc/%d/mem", child);
  int fd = open(path, (write_it ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (fd < 0)
    return -1;
  long rc = write_it ? pwrite(fd, &value, sizeof value, (off_t)(uintptr_t)&victim_value)
                     : pread(fd, &value, sizeof value, (off_t)(uintptr_t)&victim_value);
  close(fd);
  return rc;
}
static struct result proc_mem(const struct primitive *self) {
  return on_child(do_proc_mem, self->a, 0);
}

static long do_take_fd(pid_t child, long fd) {
  int pidfd = (int)syscall(NR_pidfd_open, child, 0);
  return pidfd < 0 ? -1 : syscall(NR_pidfd_getfd, pidfd, fd, 0);
}
static struct result take_fd(const struct primitive *self) {
  (void)self;
  return on_child(do_take_fd, 1, 0);
}

static long do_compare(pid_t child, long fd) {
  return syscall(SYS_kcmp, getpid(), child, 0 /* files */, fd, fd);
}
static struct result compare(const struct primitive *self) {
  (void)self;
  return on_child(do_compare, 1, 0);
}

static long do_advise(pid_t child, long advice) {
  struct iovec theirs = { .iov_base = (void *)((uintptr_t)&victim_value & ~(uintptr_t)4095),
                          .iov_len = 4096 };
  int pidfd = (int)syscall(NR_pidfd_open, child, 0);
  return pidfd < 0 ? -1 : syscall(NR_process_madvise, pidfd, &theirs, 1, advice, 0);
}
static struct result advise(const struct primitive *self) {
  (void)self;
  return on_child(do_advise, 20 /* MADV_COLD */, 0);
}

static long do_release(pid_t child, long flags) {
  int pidfd = (int)syscall(NR_pidfd_open, child, 0);
  return pidfd < 0 ? -1 : syscall(NR_process_mrelease, pidfd, flags);
}
static struct result release(const struct primitive *self) {
  (void)self;
  return on_child(do_release, 0, EINVAL); /* it is not dying */
}

static long do_robust(pid_t child, long unused) {
  void *head;
  size_t size;
  (void)unused;
  return syscall(SYS_get_robust_list, child, &head, &size);
}
static struct result robust(const struct primitive *self) {
  (void)self;
  return on_child(do_robust, 0, 0);
}

const struct primitive process_primitives[] = {
  { .name = "ptrace", .attempt = trace },
  /* A tracer that may suspend filters runs its child without any. */
  { .name = "ptrace-suspend-seccomp", .attempt = trace, .a = 1L << 21 },
  { .name = "process-vm-readv", .attempt = memory, .a = SYS_process_vm_readv },
  { .name = "process-vm-writev", .attempt = memory, .a = SYS_process_vm_writev },
  { .name = "proc-mem-read", .attempt = proc_mem },
  { .name = "proc-mem-write", .attempt = proc_mem, .a = 1 },
  { .name = "pidfd-getfd", .attempt = take_fd },
  { .name = "kcmp", .attempt = compare },
  { .name = "process-madvise", .attempt = advise },
  { .name = "process-mrelease", .attempt = release },
  { .name = "get-robust-list", .attempt = robust },
  { .name = NULL },
};
