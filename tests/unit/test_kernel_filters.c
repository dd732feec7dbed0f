/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the seccomp filters of a process, which goes on as if nothing had been. */
#include "kernel_child.h"
#include "seccomp/simulate.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

static const struct sock_filter deny_ptrace[] = {
  { BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr) },
  { BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_ptrace },
  { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | 1 },
  { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW },
};
static const struct sock_filter allow_all[] = { { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW } };

static void install(const struct sock_filter *program, size_t len) {
  const struct sock_fprog fprog = { (unsigned short)len, (struct sock_filter *)program };
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog) < 0)
    _exit(3);
}

static void install_two(void *data) {
  (void)data;
  install(deny_ptrace, ARRAY_SIZE(deny_ptrace));
  install(allow_all, ARRAY_SIZE(allow_all));
}

static void install_many(void *data) {
  (void)data;
  for (int i = 0; i <= KERNEL_FILTERS_MAX; i++)
    install(allow_all, ARRAY_SIZE(allow_all));
}

static int tracer_of(pid_t pid) {
  CLEANUP_FREE char *command = xasprintf("grep -q '^TracerPid:.0$' /proc/%d/status", (int)pid);
  return system(command);
}

Test(kernel_filters_as_root, filters_come_out_as_they_went_in_and_the_process_goes_on) {
  struct child c = start(install_two, NULL);
  for (int turn = 0; turn < 3; turn++) {
    CLEANUP_KERNEL_VIEW struct kernel_view v;
    read_view(&v, c.pid, KERNEL_PART(KERNEL_FILTERS) | KERNEL_PART(KERNEL_STATUS));
    cr_assert_eq(v.filters.len, 2);
    cr_expect_eq(v.status.seccomp, SECCOMP_MODE_FILTER);
    cr_expect_eq(v.filters.items[0].len, ARRAY_SIZE(deny_ptrace));
    cr_expect_eq(memcmp(v.filters.items[0].program, deny_ptrace, sizeof deny_ptrace), 0);
    cr_expect_eq(v.filters.items[1].len, 1);
    struct error err = { 0 };
    cr_expect_eq(bpf_validate(v.filters.items[0].program, v.filters.items[0].len, &err), 0);
    cr_expect_eq(tracer_of(c.pid), 0);
  }
  finish(&c); /* its read(2) was not disturbed */
}

Test(kernel_filters_as_root, no_filters_and_too_many) {
  struct child none = start(NULL, NULL);
  CLEANUP_KERNEL_VIEW struct kernel_view empty;
  read_view(&empty, none.pid, KERNEL_PART(KERNEL_FILTERS));
  cr_expect_eq(empty.filters.len, 0);
  finish(&none);
  struct child many = start(install_many, NULL);
  CLEANUP_KERNEL_VIEW struct kernel_view full;
  struct error err = { 0 };
  cr_assert_eq(kernel_view_read(&full, many.pid, 0, KERNEL_PART(KERNEL_FILTERS), &err), 0);
  cr_expect_not_null(full.unread[KERNEL_FILTERS]);
  cr_expect_eq(full.filters.len, 0);
  cr_expect_eq(tracer_of(many.pid), 0);
  finish(&many);
}

static volatile sig_atomic_t signals;
static void count_signal(int number) {
  (void)number;
  signals++;
}
static void expect_signal(void *data) {
  (void)data;
  const struct sigaction action = { .sa_handler = count_signal, .sa_flags = SA_RESTART };
  sigaction(SIGUSR1, &action, NULL);
}

Test(kernel_filters_as_root, signals_that_come_meanwhile_arrive) {
  struct child c = start(expect_signal, NULL);
  struct error err = { 0 };
  CLEANUP_KERNEL_PROCESS struct kernel_process p;
  cr_assert_eq(kernel_process_open(&p, c.pid, 0, &err), 0);
  for (int i = 0; i < 200; i++) {
    CLEANUP_KERNEL_FILTERS struct kernel_filters filters = { 0 };
    kill(c.pid, SIGUSR1);
    cr_assert_eq(kernel_filters_read(&p, &filters, &err), 0, "%s", err.message);
  }
  cr_expect_eq(tracer_of(c.pid), 0);
  finish(&c);
}

Test(kernel_filters_as_root, a_stopped_process_stays_stopped) {
  struct child c = start(NULL, NULL);
  struct error err = { 0 };
  int status;
  CLEANUP_KERNEL_PROCESS struct kernel_process p;
  CLEANUP_KERNEL_FILTERS struct kernel_filters filters = { 0 };
  cr_assert_eq(kernel_process_open(&p, c.pid, 0, &err), 0);
  kill(c.pid, SIGSTOP);
  cr_assert_eq(waitpid(c.pid, &status, WUNTRACED), c.pid);
  cr_expect_eq(kernel_filters_read(&p, &filters, &err), 0, "%s", err.message);
  CLEANUP_FREE char *command = xasprintf("grep -q '^State:.T' /proc/%d/status", (int)c.pid);
  cr_expect_eq(system(command), 0);
  kill(c.pid, SIGCONT);
  finish(&c);
}

Test(kernel_filters, one_that_another_traces_is_left_to_him) {
  struct child c = start(NULL, NULL);
  const pid_t tracer = fork();
  if (tracer == 0) {
    if (ptrace(PTRACE_SEIZE, c.pid, NULL, NULL) < 0)
      _exit(1);
    pause();
    _exit(0);
  }
  for (int i = 0; i < 500 && tracer_of(c.pid) == 0; i++)
    usleep(10000);
  struct error err = { 0 };
  CLEANUP_KERNEL_PROCESS struct kernel_process p;
  CLEANUP_KERNEL_FILTERS struct kernel_filters filters = { 0 };
  cr_assert_eq(kernel_process_open(&p, c.pid, 0, &err), 0);
  cr_expect_eq(kernel_filters_read(&p, &filters, &err), -1);
  cr_expect_eq(err.sys, EPERM);
  kill(tracer, SIGKILL);
  waitpid(tracer, NULL, 0);
  finish(&c);
}
