/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/compile.h"

#include "base/str.h"
#include "seccomp/simulate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { OUTPUT_MAX = BPF_PROGRAM_MAX * sizeof(struct sock_filter), MEMORY_MAX = 512 << 20 };

const struct seccomp_limits seccomp_compile_limits = { .processor_ms = 3000, .clock_ms = 30000 };

void seccomp_program_free(struct seccomp_program *program) {
  if (!program)
    return;
  free(program->filter);
  *program = (struct seccomp_program){ 0 };
}

static enum scmp_compare scmp_operator(enum seccomp_op op) {
  switch (op) {
  case SECCOMP_OP_NE:
    return SCMP_CMP_NE;
  case SECCOMP_OP_LT:
    return SCMP_CMP_LT;
  case SECCOMP_OP_LE:
    return SCMP_CMP_LE;
  case SECCOMP_OP_EQ:
    return SCMP_CMP_EQ;
  case SECCOMP_OP_GE:
    return SCMP_CMP_GE;
  case SECCOMP_OP_GT:
    return SCMP_CMP_GT;
  case SECCOMP_OP_MASKED_EQ:
    return SCMP_CMP_MASKED_EQ;
  }
  return _SCMP_CMP_MIN; /* refused by the library */
}

/* SCMP_ACT_* are the kernel's SECCOMP_RET_* words. */
static int add_rule(scmp_filter_ctx ctx, int number, const struct seccomp_rule *rule) {
  struct scmp_arg_cmp args[SECCOMP_ARGS];
  for (unsigned i = 0; i < rule->len; i++) {
    const struct seccomp_condition *c = &rule->conditions[i];
    args[i] = (struct scmp_arg_cmp){ c->index, scmp_operator(c->op), c->value, c->value_two };
  }
  return seccomp_rule_add_array(ctx, rule->action, number, rule->len, args);
}

static int add_call(scmp_filter_ctx ctx, const struct seccomp_call *call) {
  int rc = 0, number = seccomp_syscall_resolve_name(call->name);
  for (size_t k = 0; k < call->len && rc >= 0 && number != __NR_SCMP_ERROR; k++)
    rc = add_rule(ctx, number, &call->rules[k]);
  return rc;
}

/* On x86 a rule for socket(2) is one for a value of socketcall(2) too, and the library refuses one for all of
 * socketcall(2) after it: engines name these first. */
static int add_calls(scmp_filter_ctx ctx, const struct seccomp_profile *profile) {
  static const char *const first[] = { "socketcall", "ipc" };
  int rc = 0;
  for (size_t i = 0; i < ARRAY_SIZE(first) && rc >= 0; i++) {
    const struct seccomp_call *call = seccomp_profile_find(profile, first[i]);
    rc = call ? add_call(ctx, call) : 0;
  }
  for (size_t i = 0; i < profile->calls_len && rc >= 0; i++) {
    const char *name = profile->calls[i].name;
    if (strcmp(name, first[0]) != 0 && strcmp(name, first[1]) != 0)
      rc = add_call(ctx, &profile->calls[i]);
  }
  return rc;
}

static int add_abis(scmp_filter_ctx ctx, const struct seccomp_compilation *job) {
  for (size_t i = 0; i < job->profile->abis_len; i++) {
    const struct seccomp_abi *abi = job->profile->abis[i];
    if (!seccomp_profile_has_abi(job->abis, abi))
      continue;
    int rc = seccomp_arch_add(ctx, abi->scmp);
    if (rc < 0 && rc != -EEXIST) /* the native one is there from the start */
      return rc;
  }
  return 0;
}

/* 0, or a negative errno. */
static int compile_to(int fd, const struct seccomp_compilation *job) {
  scmp_filter_ctx ctx = seccomp_init(job->profile->default_action);
  if (!ctx)
    return -ENOMEM;
  int rc = add_abis(ctx, job);
  if (rc == 0 && job->tree)
    rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  if (rc == 0)
    rc = add_calls(ctx, job->profile);
  return rc == 0 ? seccomp_export_bpf(ctx, fd) : rc;
}

/* AddressSanitizer does. */
#ifdef __has_feature
#define MAPS_TERABYTES __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define MAPS_TERABYTES 1
#else
#define MAPS_TERABYTES 0
#endif

/* Processor time, so that a busy node refuses no filter that an idle one takes. */
static void limit_time(unsigned limit_ms) {
  sigset_t profiling;
  sigemptyset(&profiling);
  sigaddset(&profiling, SIGPROF);
  signal(SIGPROF, SIG_DFL); /* what an engine ignores or blocks is handed on */
  sigprocmask(SIG_UNBLOCK, &profiling, NULL);
  const struct itimerval limit = { .it_value = { limit_ms / 1000, limit_ms % 1000 * 1000 } };
  setitimer(ITIMER_PROF, &limit, NULL);
}

static _Noreturn void child(int fd, const struct seccomp_compilation *job,
                            const struct seccomp_limits *limits) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  limit_time(limits->processor_ms);
  const struct rlimit none = { 0, 0 }, memory = { MEMORY_MAX, MEMORY_MAX };
  setrlimit(RLIMIT_CORE, &none);
  if (!MAPS_TERABYTES)
    setrlimit(RLIMIT_AS, &memory);
  int rc = compile_to(fd, job);
  _exit(rc < 0 && rc > -256 ? -rc : rc ? EINVAL : 0);
}

struct worker {
  pid_t pid; /* 0: none */
  int fd;    /* read end, nonblocking; -1: at its end */
  size_t len;
  char *data; /* OUTPUT_MAX + 1 bytes */
};

static int start(struct worker *w, const struct seccomp_compilation *job, const struct seccomp_limits *limits,
                 struct error *err) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "seccomp: cannot make a pipe");
  CLEANUP_FD int output = ends[1];
  w->fd = ends[0];
  w->data = xcalloc(OUTPUT_MAX + 1, 1);
  pid_t pid = fork();
  if (pid < 0)
    return error_set(err, ERROR_SYSTEM, errno, "seccomp: cannot fork the compiler");
  if (pid == 0)
    child(output, job, limits);
  w->pid = pid;
  return 0;
}

static long elapsed_ms(const struct timespec *since) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

/* Takes what is there. A program longer than the kernel takes ends the reading too. */
static int drain(struct worker *w, struct error *err) {
  ssize_t n = read(w->fd, w->data + w->len, OUTPUT_MAX + 1 - w->len);
  if (n < 0 && errno != EINTR)
    return error_set(err, ERROR_SYSTEM, errno, "seccomp: cannot read from the compiler");
  w->len += n > 0 ? (size_t)n : 0;
  if (n == 0 || w->len > OUTPUT_MAX) {
    close(w->fd);
    w->fd = -1;
  }
  return 0;
}

static int collect(struct worker *workers, size_t len, const struct seccomp_limits *limits,
                   struct error *err) {
  struct timespec begin;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  CLEANUP_FREE struct pollfd *polls = xcalloc(len, sizeof *polls);
  for (;;) {
    size_t open = 0;
    for (size_t i = 0; i < len; i++) {
      polls[i] = (struct pollfd){ .fd = workers[i].fd, .events = POLLIN };
      open += workers[i].fd >= 0;
    }
    if (open == 0)
      return 0;
    long left = (long)limits->clock_ms - elapsed_ms(&begin);
    if (left <= 0)
      return error_set(
          err, ERROR_SYSTEM, ETIMEDOUT,
          "seccomp: the compiler has not ended in %u ms, in which it was not given %u ms of processor time",
          limits->clock_ms, limits->processor_ms);
    if (poll(polls, len, (int)left) < 0 && errno != EINTR)
      return error_set(err, ERROR_SYSTEM, errno, "seccomp: cannot wait for the compiler");
    for (size_t i = 0; i < len; i++)
      if (workers[i].fd >= 0 && polls[i].revents && drain(&workers[i], err) < 0)
        return -1;
  }
}

/* Waits for a child that closed its pipe or that is killed here. */
static int finish(struct worker *w, const struct seccomp_limits *limits, struct error *err) {
  int status = 0;
  pid_t pid;
  do
    pid = waitpid(w->pid, &status, 0);
  while (pid < 0 && errno == EINTR);
  w->pid = 0;
  if (pid < 0)
    return error_set(err, ERROR_SYSTEM, errno, "seccomp: cannot wait for the compiler");
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF)
    return error_set(
        err, ERROR_REFUSED, 0,
        "/linux/seccomp: libseccomp does not compile this filter within %u ms, and would hold up "
        "the runtime as long; simplify its argument conditions",
        limits->processor_ms);
  if (WIFSIGNALED(status))
    return error_set(err, ERROR_REFUSED, 0,
                     "/linux/seccomp: libseccomp was ended by signal %d on this filter", WTERMSIG(status));
  if (WEXITSTATUS(status))
    return error_set(err, ERROR_REFUSED, 0, "/linux/seccomp: libseccomp refuses this filter: %s",
                     strerror(WEXITSTATUS(status)));
  return 0;
}

static int take(struct worker *w, const struct seccomp_limits *limits, struct seccomp_program *ret,
                struct error *err) {
  if (finish(w, limits, err) < 0)
    return -1;
  if (w->len > OUTPUT_MAX || w->len % sizeof(struct sock_filter))
    return error_set(err, ERROR_REFUSED, 0,
                     "/linux/seccomp: the compiled filter is longer than %d instructions", BPF_PROGRAM_MAX);
  size_t len = w->len / sizeof(struct sock_filter);
  struct sock_filter *filter = xcalloc(len, sizeof *filter);
  memcpy(filter, w->data, w->len);
  *ret = (struct seccomp_program){ filter, len };
  return bpf_validate(filter, len, err);
}

static void stop(struct worker *w) {
  if (w->pid > 0) {
    kill(w->pid, SIGKILL);
    while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
      ;
  }
  if (w->fd >= 0)
    close(w->fd);
  free(w->data);
}

static int compile_all(struct seccomp_compilation *jobs, struct worker *workers, size_t len,
                       const struct seccomp_limits *limits, struct error *err) {
  for (size_t i = 0; i < len; i++)
    if (start(&workers[i], &jobs[i], limits, err) < 0)
      return -1;
  if (collect(workers, len, limits, err) < 0)
    return -1;
  for (size_t i = 0; i < len; i++)
    if (take(&workers[i], limits, &jobs[i].program, err) < 0)
      return -1;
  return 0;
}

int seccomp_compile(struct seccomp_compilation *jobs, size_t len, const struct seccomp_limits *limits,
                    struct error *err) {
  CLEANUP_FREE struct worker *workers = xcalloc(len, sizeof *workers);
  for (size_t i = 0; i < len; i++) {
    workers[i].fd = -1;
    jobs[i].program = (struct seccomp_program){ 0 };
  }
  /* An engine that ignores SIGCHLD hands that on, and then there would be nothing to wait for. */
  struct sigaction old, wait = { .sa_handler = SIG_DFL };
  sigaction(SIGCHLD, &wait, &old);
  int rc = compile_all(jobs, workers, len, limits, err);
  for (size_t i = 0; i < len; i++) {
    stop(&workers[i]);
    if (rc < 0)
      seccomp_program_free(&jobs[i].program);
  }
  sigaction(SIGCHLD, &old, NULL);
  return rc;
}

int64_t seccomp_profile_border(const struct seccomp_profile *profile, const struct seccomp_abi *abi) {
  int64_t border = -1;
  for (size_t i = 0; i < profile->calls_len; i++) {
    int number = seccomp_abi_number(abi, profile->calls[i].name);
    border = number > border ? number : border;
  }
  return border;
}

void seccomp_program_add_stub(const struct seccomp_program *program, const struct seccomp_profile *profile,
                              struct seccomp_program *ret) {
  enum { STUB_PER_ABI = 5 };
  bool stub = seccomp_action_stricter(profile->default_action, SECCOMP_RET_TRACE);
  struct sock_filter *f = xcalloc(program->len + STUB_PER_ABI * profile->abis_len, sizeof *f);
  size_t len = 0;
  for (size_t i = 0; stub && i < profile->abis_len; i++) {
    int64_t border = seccomp_profile_border(profile, profile->abis[i]);
    if (border < 0)
      continue;
    const struct sock_filter check[STUB_PER_ABI] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, profile->abis[i]->audit, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)border, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    };
    memcpy(f + len, check, sizeof check);
    len += STUB_PER_ABI;
  }
  memcpy(f + len, program->filter, program->len * sizeof *f);
  *ret = (struct seccomp_program){ f, len + program->len };
}
