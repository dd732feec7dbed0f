/* SPDX-License-Identifier: Apache-2.0 */
#include "fault/trace.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 64, DEADLINE_SECONDS = 60 };

static _Noreturn void give_up(const char *what) {
  perror(what);
  exit(2);
}

/* What an open for reading, and one for writing, may run into, and so on; 0 ends a list. The first of each
 * says nothing of the host: something is short, or broke. */
static const int nothing[] = { 0 };
static const int open_errors[] = { EIO, EMFILE, EINTR, ENOMEM, ENOSPC, EROFS, 0 };
static const int read_errors[] = { EIO, EINTR, ENOMEM, 0 };
static const int look_errors[] = { EIO, ENOMEM, 0 };
static const int write_errors[] = { ENOSPC, EIO, EINTR, EDQUOT, EFBIG, 0 };
static const int name_errors[] = { ENOSPC, EIO, EROFS, EPERM, EDQUOT, 0 };
static const int memory_errors[] = { ENOMEM, 0 };
static const int process_errors[] = { EAGAIN, ENOMEM, 0 };
static const int fd_errors[] = { EMFILE, EBADF, EINTR, 0 };
static const int lock_errors[] = { ENOLCK, EINTR, EIO, 0 };
static const int close_errors[] = { EIO, EINTR, ENOSPC, 0 };
static const int self_errors[] = { ENOMEM, EPERM, EINVAL, ENOSYS, 0 };
static const int exec_errors[] = { EACCES, ENOENT, ENOMEM, ETXTBSY, EIO, ENOEXEC, E2BIG, 0 };
/* Not of a kernel that lacks the call, which is another host. */
static const int asked_errors[] = { ENOMEM, EINTR, EINVAL, 0 };
static const int wait_errors[] = { EINTR, 0 };
static const int trace_refusals[] = { EPERM, ESRCH, EIO, 0 };
static const int handle_errors[] = { EMFILE, ENOMEM, ESRCH, EPERM, ENOSYS, 0 };
static const int mount_errors[] = { ENOMEM, EPERM, EINVAL, ENOSYS, EMFILE, EBUSY, ENOSPC, 0 };
static const int enter_errors[] = { ENOMEM, EPERM, EINVAL, ENOSPC, EUSERS, 0 };
static const int other_errors[] = { EIO, ENOSYS, EPERM, ENOMEM, EINTR, 0 };

static const struct {
  const char *name;
  const int *errors;
} calls[] = {
  { "open", open_errors },
  { "openat", open_errors },
  { "openat2", open_errors },
  { "read", read_errors },
  { "pread64", read_errors },
  { "readv", read_errors },
  { "getdents64", read_errors },
  { "write", write_errors },
  { "writev", write_errors },
  { "stat", look_errors },
  { "lstat", look_errors },
  { "fstat", look_errors },
  { "newfstatat", look_errors },
  { "statx", look_errors },
  { "statfs", look_errors },
  { "fstatfs", look_errors },
  { "readlink", look_errors },
  { "readlinkat", look_errors },
  { "access", look_errors },
  { "faccessat", look_errors },
  { "faccessat2", look_errors },
  { "getcwd", look_errors },
  { "lseek", look_errors },
  { "rename", name_errors },
  { "renameat", name_errors },
  { "renameat2", name_errors },
  { "mkdir", name_errors },
  { "mkdirat", name_errors },
  { "unlink", name_errors },
  { "unlinkat", name_errors },
  { "rmdir", name_errors },
  { "fchmod", name_errors },
  { "fchown", name_errors },
  { "utimensat", name_errors },
  { "mmap", memory_errors },
  { "mremap", memory_errors },
  { "brk", memory_errors },
  { "mprotect", memory_errors },
  { "fork", process_errors },
  { "vfork", process_errors },
  { "clone", process_errors },
  { "clone3", process_errors },
  { "pipe2", fd_errors },
  { "pipe", fd_errors },
  { "dup", fd_errors },
  { "dup2", fd_errors },
  { "fcntl", fd_errors },
  { "memfd_create", fd_errors },
  { "poll", wait_errors },
  { "ppoll", wait_errors },
  { "wait4", wait_errors },
  { "waitid", wait_errors },
  { "ptrace", trace_refusals },
  { "pidfd_open", handle_errors },
  { "pidfd_getfd", handle_errors },
  { "mount", mount_errors },
  { "umount2", mount_errors },
  { "open_tree", mount_errors },
  { "move_mount", mount_errors },
  { "fsopen", mount_errors },
  { "fsconfig", mount_errors },
  { "fsmount", mount_errors },
  { "mount_setattr", asked_errors },
  { "unshare", enter_errors },
  { "setns", enter_errors },
  { "flock", lock_errors },
  { "close", close_errors },
  { "close_range", self_errors },
  { "prctl", self_errors },
  { "seccomp", self_errors },
  { "execve", exec_errors },
  { "execveat", exec_errors },
  { "munmap", nothing },
  { "exit", nothing },
  { "exit_group", nothing },
  { "getpid", nothing },
  { "gettid", nothing },
  { "getuid", nothing },
  { "geteuid", nothing },
  { "getgid", nothing },
  { "getegid", nothing },
  { "arch_prctl", nothing },
  { "set_tid_address", nothing },
  { "set_robust_list", nothing },
  { "rseq", nothing },
  { "rt_sigprocmask", nothing },
  { "rt_sigaction", nothing },
  { "rt_sigreturn", nothing },
  { "clock_gettime", nothing },
  { "nanosleep", nothing },
  { "clock_nanosleep", nothing },
  { "kill", nothing },
  { "tgkill", nothing },
  { "getppid", nothing },
};

const char *trace_call_name(long number) {
  static char text[64];
  char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number);
  snprintf(text, sizeof text, "%s", name ? name : "?");
  free(name);
  return text;
}

const int *trace_errors(long number) {
  const char *name = trace_call_name(number);
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    if (strcmp(calls[i].name, name) == 0)
      return calls[i].errors;
  return other_errors;
}

bool trace_fits(long number, bool writes, int error) {
  const int *errors = trace_errors(number);
  if (errors == open_errors && (error == ENOSPC || error == EROFS || error == EDQUOT))
    return writes;
  for (; *errors; errors++)
    if (*errors == error)
      return true;
  return false;
}

struct process {
  pid_t pid;
  bool inside; /* of a call */
  int fails;   /* with what; 0: it does not */
};

struct tracer {
  struct trace *t;
  struct process processes[PROCESSES];
  pid_t main;
  bool started;
};

static struct process *find(struct tracer *tracer, pid_t pid) {
  struct process *unused = NULL;
  for (size_t i = 0; i < PROCESSES; i++) {
    if (tracer->processes[i].pid == pid)
      return &tracer->processes[i];
    if (tracer->processes[i].pid == 0)
      unused = &tracer->processes[i];
  }
  if (!unused)
    give_up("too many processes");
  *unused = (struct process){ .pid = pid };
  return unused;
}

/* The call is not made, and (at its end) gives `result`. */
#if defined __x86_64__
static void skip_call(pid_t pid) {
  if (ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), -1L) < 0)
    give_up("ptrace: orig_rax");
}
static void set_result(pid_t pid, long result) {
  if (ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rax), result) < 0)
    give_up("ptrace: rax");
}
static void halve_length(pid_t pid, uint64_t length) {
  if (ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rdx), length / 2) < 0)
    give_up("ptrace: rdx");
}
#elif defined __aarch64__
static void set_register(pid_t pid, size_t index, uint64_t value) {
  struct user_regs_struct regs;
  struct iovec io = { &regs, sizeof regs };
  if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io) < 0)
    give_up("ptrace: registers");
  regs.regs[index] = value;
  if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &io) < 0)
    give_up("ptrace: registers");
}
static void skip_call(pid_t pid) {
  int number = -1;
  struct iovec io = { &number, sizeof number };
  if (ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &io) < 0)
    give_up("ptrace: system call");
}
static void set_result(pid_t pid, long result) {
  set_register(pid, 0, (uint64_t)result);
}
static void halve_length(pid_t pid, uint64_t length) {
  set_register(pid, 2, length / 2);
}
#else
#error "which registers hold a system call?"
#endif

static bool is_open_for_writing(pid_t pid, const char *name, const uint64_t *args) {
  uint64_t flags = strcmp(name, "open") == 0 ? args[1] : args[2];
  if (strcmp(name, "openat2") == 0)
    flags = (uint64_t)ptrace(PTRACE_PEEKDATA, pid, args[2], 0); /* struct open_how begins with them */
  else if (strcmp(name, "open") != 0 && strcmp(name, "openat") != 0)
    return false;
  return flags & (O_WRONLY | O_RDWR | O_CREAT);
}

static void call_begins(struct tracer *tracer, struct process *p, const struct __ptrace_syscall_info *info) {
  struct trace *t = tracer->t;
  const long number = (long)info->entry.nr;
  uint64_t args[6];
  for (size_t i = 0; i < 6; i++)
    args[i] = info->entry.args[i];
  const bool writes = is_open_for_writing(p->pid, trace_call_name(number), args);
  if (t->calls < sizeof t->numbers / sizeof *t->numbers) {
    t->numbers[t->calls] = number;
    t->args[t->calls] = trace_errors(number) == open_errors ? writes : args[0];
  }
  t->calls++;
  const bool now = t->calls == t->nth;
  switch (t->kind) {
  case TRACE_NOTHING:
    break;
  case TRACE_ERROR:
  case TRACE_STUCK:
    /* Two runs of one command do not always make the same calls. */
    if ((now || (t->kind == TRACE_STUCK && t->calls > t->nth)) && trace_fits(number, writes, t->error)) {
      if (trace_errors(number) != close_errors) /* which closes all the same */
        skip_call(p->pid);
      p->fails = t->error;
    }
    break;
  case TRACE_SHORT:
    if (now)
      halve_length(p->pid, args[2]);
    break;
  case TRACE_KILL:
    if (now)
      kill(p->pid, SIGKILL);
    break;
  }
}

static void call_stop(struct tracer *tracer, pid_t pid) {
  struct __ptrace_syscall_info info;
  struct process *p = find(tracer, pid);
  if (!tracer->started)
    return;
  if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) < 0)
    return; /* it was killed */
  if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
    call_begins(tracer, p, &info);
  } else if (p->fails) {
    set_result(pid, -p->fails);
    p->fails = 0;
  }
}

/* What the program, or a child of it, becomes is left alone. False: it is the tracer's no longer. */
static bool exec_stop(struct tracer *tracer, pid_t pid) {
  if (!tracer->started) {
    tracer->started = true;
    return true;
  }
  tracer->t->became = tracer->t->became || pid == tracer->main;
  if (pid != tracer->main)
    find(tracer, pid)->pid = 0;
  if (ptrace(PTRACE_DETACH, pid, 0, 0) < 0)
    give_up("ptrace: detach");
  return false;
}

static void stopped(struct tracer *tracer, pid_t pid, int status) {
  int signal = WSTOPSIG(status);
  (void)find(tracer, pid);
  if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_EXEC << 8))) {
    if (!exec_stop(tracer, pid))
      return;
    signal = 0;
  } else if (signal == (SIGTRAP | 0x80)) {
    call_stop(tracer, pid);
    signal = 0;
  } else if (signal == SIGTRAP || signal == SIGSTOP) {
    signal = 0; /* events of ours, and the first stop of a child */
  }
  if (ptrace(PTRACE_SYSCALL, pid, 0, signal) < 0 && errno != ESRCH)
    give_up("ptrace: go on");
}

static _Noreturn void become(char *const *argv, int out, int err) {
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0 || ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
    _exit(126);
  raise(SIGSTOP);
  execv(argv[0], argv);
  _exit(127);
}

static char *take(int fd, size_t *ret_len) {
  off_t size = lseek(fd, 0, SEEK_END);
  char *text = calloc((size_t)size + 1, 1);
  if (!text || pread(fd, text, (size_t)size, 0) != size)
    give_up("output");
  *ret_len = (size_t)size;
  close(fd);
  return text;
}

void trace_run(struct trace *t, char *const *argv) {
  static struct tracer tracer;
  int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC), status;
  tracer = (struct tracer){ .t = t };
  tracer.main = fork();
  if (tracer.main == 0)
    become(argv, out, err);
  if (tracer.main < 0 || waitpid(tracer.main, &status, 0) < 0 || !WIFSTOPPED(status) ||
      ptrace(PTRACE_SETOPTIONS, tracer.main, 0,
             PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK |
                 PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE) < 0 ||
      ptrace(PTRACE_SYSCALL, tracer.main, 0, 0) < 0)
    give_up("ptrace");
  alarm(DEADLINE_SECONDS); /* ends us, and with us what we trace */
  for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
    if (WIFSTOPPED(status)) {
      stopped(&tracer, pid, status);
      continue;
    }
    find(&tracer, pid)->pid = 0;
    if (pid == tracer.main)
      t->status = status;
  }
  alarm(0);
  t->out = take(out, &t->out_len);
  t->err = take(err, &t->err_len);
}

void trace_free(struct trace *t) {
  free(t->out);
  free(t->err);
  t->out = t->err = NULL;
}
