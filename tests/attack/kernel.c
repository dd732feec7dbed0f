/* SPDX-License-Identifier: Apache-2.0 */
/* System calls into parts of the kernel that belong to the host, or that privilege bugs are found in. What
 * would change the host is asked for with an argument that the kernel refuses after its check of privilege.
 */
#include "primitives.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fanotify.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>
#ifdef __x86_64__
#include <asm/ldt.h>
#include <sys/io.h>
#endif

static struct result call(long nr, long a, long b, long c, long d, long e, int past1, int past2) {
  return judge_past(syscall(nr, a, b, c, d, e, 0L), past1, past2);
}

static struct result uring_setup(const struct primitive *self) {
  unsigned char params[120] = { 0 };
  (void)self;
  return call(NR_io_uring_setup, 1, (long)params, 0, 0, 0, 0, 0);
}
static struct result uring_use(const struct primitive *self) {
  return call(self->a, -1, 0, 0, 0, 0, EBADF, EINVAL);
}

static struct result bpf_map(const struct primitive *self) {
  union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };
  (void)self;
  return call(SYS_bpf, BPF_MAP_CREATE, (long)&attr, sizeof attr, 0, 0, 0, 0);
}
static struct result bpf_program(const struct primitive *self) {
  static const struct bpf_insn program[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
                                             { .code = BPF_JMP | BPF_EXIT } };
  union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
                          .insn_cnt = 2,
                          .insns = (uintptr_t)program,
                          .license = (uintptr_t) "GPL" };
  (void)self;
  return call(SYS_bpf, BPF_PROG_LOAD, (long)&attr, sizeof attr, 0, 0, 0, 0);
}
static struct result bpf_others(const struct primitive *self) {
  union bpf_attr attr = { .start_id = 0 };
  (void)self;
  return call(SYS_bpf, BPF_PROG_GET_NEXT_ID, (long)&attr, sizeof attr, 0, 0, ENOENT, 0);
}

static struct result perf(const struct primitive *self) {
  struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
                                  .size = sizeof attr,
                                  .config = PERF_COUNT_SW_CPU_CLOCK,
                                  .exclude_kernel = 1,
                                  .disabled = 1 };
  return call(SYS_perf_event_open, (long)&attr, self->a, self->b, -1, 0, 0, 0);
}

static struct result user_faults(const struct primitive *self) {
  return call(SYS_userfaultfd, O_CLOEXEC | self->a, 0, 0, 0, 0, 0, 0);
}

static struct result key_session(const struct primitive *self) {
  return call(SYS_keyctl, self->a, -3 /* the session's */, 0, 0, 0, ENOKEY, 0);
}
static struct result key_add(const struct primitive *self) {
  (void)self;
  return call(SYS_add_key, (long)"user", (long)"attack", (long)"x", 1, -2 /* the process's */, 0, 0);
}
static struct result key_request(const struct primitive *self) {
  (void)self;
  return call(SYS_request_key, (long)"user", (long)"attack-none", 0, 0, 0, ENOKEY, 0);
}

/* Watches of every file of a file system, and by name only. */
static struct result watch(const struct primitive *self) {
  return call(SYS_fanotify_init, self->a, O_RDONLY, 0, 0, 0, 0, 0);
}
static struct result watch_mark(const struct primitive *self) {
  (void)self;
  return call(SYS_fanotify_mark, -1, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, (long)"/", EBADF, EINVAL);
}

static struct result quota(const struct primitive *self) {
  (void)self;
  return call(SYS_quotactl, (long)0x80000100 /* Q_SYNC of all */, 0, 0, 0, 0, 0, 0);
}
static struct result quota_fd(const struct primitive *self) {
  char buffer[256];
  (void)self;
  int fd = open("/attack", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return call(NR_quotactl_fd, fd, (long)0x80000400 /* Q_GETFMT */, 0, (long)buffer, 0, ESRCH, EINVAL);
}

static struct result module_init(const struct primitive *self) {
  (void)self;
  return call(SYS_init_module, (long)"", 0, (long)"", 0, 0, ENOEXEC, 0);
}
static struct result module_file(const struct primitive *self) {
  (void)self;
  return call(SYS_finit_module, -1, (long)"", 0, 0, 0, EBADF, 0);
}
static struct result module_delete(const struct primitive *self) {
  (void)self;
  int rc = (int)syscall(SYS_delete_module, "attack_no_such_module", O_NONBLOCK);
  return judge_past(rc, ENOENT, 0);
}
static struct result kexec(const struct primitive *self) {
  (void)self;
  return call(SYS_kexec_load, 0, 1000 /* segments: too many */, 0, 0, 0, EINVAL, 0);
}
static struct result kexec_file(const struct primitive *self) {
  (void)self;
#ifdef SYS_kexec_file_load
  return call(SYS_kexec_file_load, -1, -1, 0, 0, (long)0xffff0000 /* no such flags */, EINVAL, 0);
#else
  return absent("not on this architecture");
#endif
}
static struct result restart(const struct primitive *self) {
  (void)self;
  return call(SYS_reboot, 1, 2, 0, 0, 0, EINVAL, 0); /* magic numbers that are none */
}
static struct result swap_on(const struct primitive *self) {
  (void)self;
  return judge_past(swapon("/attack/no-such-file", 0), ENOENT, 0);
}
static struct result swap_off(const struct primitive *self) {
  (void)self;
  return judge_past(swapoff("/attack/no-such-file"), ENOENT, 0);
}
static struct result accounting(const struct primitive *self) {
  (void)self;
  return judge_past(acct("/attack/no-such-file"), ENOENT, 0);
}

/* Both set the clock; the time given is none, which is found out after the filter, though before the check of
 * privilege. */
static struct result clock_set(const struct primitive *self) {
  struct timespec none = { .tv_nsec = -1 };
  (void)self;
  return judge_past(syscall(SYS_clock_settime, CLOCK_REALTIME, &none), EINVAL, 0);
}
static struct result day_set(const struct primitive *self) {
  struct timeval none = { .tv_usec = -1 };
  (void)self;
  return judge_past(syscall(SYS_settimeofday, &none, NULL), EINVAL, 0);
}
static struct result clock_adjust(const struct primitive *self) {
  struct timex none = { .modes = ADJ_SETOFFSET, .time = { .tv_usec = 2000000000 } };
  return judge_past(
      self->a ? syscall(SYS_clock_adjtime, CLOCK_REALTIME, &none) : syscall(SYS_adjtimex, &none), EINVAL, 0);
}

static struct result kernel_log(const struct primitive *self) {
  char buffer[64];
  return judge(syscall(SYS_syslog, self->a, buffer, sizeof buffer));
}
static struct result filesystem_types(const struct primitive *self) {
  (void)self;
#ifdef SYS_sysfs
  return call(SYS_sysfs, 3, 0, 0, 0, 0, 0, 0);
#else
  return absent("not on this architecture");
#endif
}
static struct result device_statistics(const struct primitive *self) {
  char buffer[64];
  struct stat st;
  (void)self;
#ifdef SYS_ustat
  if (stat("/attack", &st) != 0)
    return judge(-1);
  return call(SYS_ustat, (long)st.st_dev, (long)buffer, 0, 0, 0, EINVAL, 0);
#else
  (void)buffer;
  (void)st;
  return absent("not on this architecture");
#endif
}
/* Each primitive runs in a session of its own without a terminal: there is nothing to hang up. */
static struct result hang_up(const struct primitive *self) {
  (void)self;
  return judge(syscall(SYS_vhangup));
}

static struct result ports(const struct primitive *self) {
#ifdef __x86_64__
  return judge(self->a ? iopl(3) : ioperm(0x80, 1, 1));
#else
  (void)self;
  return absent("x86 only");
#endif
}
static struct result local_descriptors(const struct primitive *self) {
  (void)self;
#ifdef __x86_64__
  struct user_desc none = { .read_exec_only = 1, .seg_not_present = 1 };
  return call(SYS_modify_ldt, 0x11, (long)&none, sizeof none, 0, 0, 0, 0);
#else
  return absent("x86 only");
#endif
}

/* Calls newer than the engines' profiles. */
static struct result security_modules(const struct primitive *self) {
  uint64_t ids[16];
  uint32_t size = sizeof ids;
  (void)self;
  return judge(syscall(NR_lsm_list_modules, ids, &size, 0));
}
static struct result page_cache(const struct primitive *self) {
  uint64_t range[2] = { 0, 4096 }, stats[8];
  (void)self;
  int fd = open("/attack/probe", O_RDONLY | O_CLOEXEC);
  return judge(syscall(NR_cachestat, fd, range, stats, 0));
}
static struct result new_xattr(const struct primitive *self) {
  (void)self;
  return call(NR_setxattrat, -1, (long)"", 0x1000, (long)"user.x", 0, EBADF, EINVAL);
}
static struct result new_file_attr(const struct primitive *self) {
  (void)self;
  return call(NR_file_setattr, -1, (long)"", 0, 0, 0, EINVAL, EBADF);
}
static struct result asynchronous(const struct primitive *self) {
  unsigned long context = 0;
  (void)self;
  return call(SYS_io_setup, 1, (long)&context, 0, 0, 0, 0, 0);
}

/* A message that lies in the kernel's heap until it is taken out, in a queue that goes with its IPC namespace
 * at the latest. */
static struct result message(const struct primitive *self) {
  struct {
    long type;
    char text[64];
  } bytes = { .type = 1 };
  (void)self;
  int queue = msgget(IPC_PRIVATE, 0600);
  if (queue < 0)
    return judge(-1);
  long rc = msgsnd(queue, &bytes, sizeof bytes.text, IPC_NOWAIT);
  const int error = errno;
  msgctl(queue, IPC_RMID, NULL);
  errno = error;
  return judge(rc);
}
static struct result message_posix(const struct primitive *self) {
  (void)self;
  long fd = syscall(SYS_mq_open, "attack", O_CREAT | O_RDWR, 0600, NULL);
  const int error = errno;
  /* Where a security module denies the opening, the queue has been made. */
  syscall(SYS_mq_unlink, "attack");
  errno = error;
  return judge(fd);
}

/* A terminal of our own: what is pushed into its input, another's shell would read. */
static struct result terminal(const struct primitive *self) {
  int number, unlock = 0, discipline = 0;
  char path[32];
  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) != 0 || ioctl(master, TIOCGPTN, &number) != 0)
    return judge(-1);
  snprintf(path, sizeof path, "/dev/pts/%d", number);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return judge(-1);
  ioctl(fd, TIOCSCTTY, 0);
  if (self->a == TIOCSETD)
    return judge(ioctl(fd, TIOCSETD, &discipline));
  int rc = ioctl(fd, TIOCSTI, "x");
  return rc != 0 && errno == EIO ? denied(EIO, "dev.tty.legacy_tiocsti") : judge(rc);
}

const struct primitive kernel_primitives[] = {
  { .name = "io-uring-setup", .attempt = uring_setup },
  { .name = "io-uring-enter", .attempt = uring_use, .a = NR_io_uring_enter },
  { .name = "io-uring-register", .attempt = uring_use, .a = NR_io_uring_register },
  { .name = "bpf-map", .attempt = bpf_map },
  { .name = "bpf-program", .attempt = bpf_program },
  { .name = "bpf-list", .attempt = bpf_others },
  { .name = "perf-self", .attempt = perf, .a = 0, .b = -1 },
  { .name = "perf-cpu", .attempt = perf, .a = -1, .b = 0 },
  { .name = "userfaultfd", .attempt = user_faults },
  { .name = "userfaultfd-user", .attempt = user_faults, .a = 1 },
  { .name = "keyctl-id", .attempt = key_session, .a = 0 },
  { .name = "keyctl-describe", .attempt = key_session, .a = 6 },
  { .name = "add-key", .attempt = key_add },
  { .name = "request-key", .attempt = key_request },
  { .name = "fanotify-content", .attempt = watch, .a = FAN_CLASS_CONTENT },
  { .name = "fanotify-names", .attempt = watch, .a = FAN_CLASS_NOTIF | FAN_REPORT_FID },
  { .name = "fanotify-mark", .attempt = watch_mark },
  { .name = "quotactl", .attempt = quota },
  { .name = "quotactl-fd", .attempt = quota_fd },
  { .name = "init-module", .attempt = module_init },
  { .name = "finit-module", .attempt = module_file },
  { .name = "delete-module", .attempt = module_delete },
  { .name = "kexec-load", .attempt = kexec },
  { .name = "kexec-file-load", .attempt = kexec_file },
  { .name = "reboot", .attempt = restart },
  { .name = "swapon", .attempt = swap_on },
  { .name = "swapoff", .attempt = swap_off },
  { .name = "acct", .attempt = accounting },
  { .name = "clock-settime", .attempt = clock_set },
  { .name = "settimeofday", .attempt = day_set },
  { .name = "adjtimex", .attempt = clock_adjust },
  { .name = "clock-adjtime", .attempt = clock_adjust, .a = 1 },
  { .name = "syslog-read", .attempt = kernel_log, .a = 3 },
  { .name = "syslog-size", .attempt = kernel_log, .a = 10 },
  { .name = "sysfs", .attempt = filesystem_types },
  { .name = "ustat", .attempt = device_statistics },
  { .name = "vhangup", .attempt = hang_up },
  { .name = "iopl", .attempt = ports, .a = 1 },
  { .name = "ioperm", .attempt = ports },
  { .name = "modify-ldt", .attempt = local_descriptors },
  { .name = "lsm-list-modules", .attempt = security_modules },
  { .name = "cachestat", .attempt = page_cache },
  { .name = "setxattrat", .attempt = new_xattr },
  { .name = "file-setattr", .attempt = new_file_attr },
  { .name = "aio", .attempt = asynchronous },
  { .name = "msgsnd", .attempt = message },
  { .name = "mq-open", .attempt = message_posix },
  { .name = "tiocsti", .attempt = terminal, .a = TIOCSTI },
  { .name = "tiocsetd", .attempt = terminal, .a = TIOCSETD },
  { .name = NULL },
};
