/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities, identities, priorities: what the credentials of a process let it take. */
#include "primitives.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/xattr.h>
#include <unistd.h>

struct caps {
  struct __user_cap_header_struct header;
  struct __user_cap_data_struct data[2];
};

static int get_caps(struct caps *caps) {
  *caps = (struct caps){ .header = { .version = _LINUX_CAPABILITY_VERSION_3 } };
  return (int)syscall(SYS_capget, &caps->header, caps->data);
}
static int set_caps(struct caps *caps) {
  return (int)syscall(SYS_capset, &caps->header, caps->data);
}

static struct result raise_capability(const struct primitive *self) {
  struct caps caps;
  if (get_caps(&caps) != 0)
    return judge(-1);
  caps.data[self->a / 32].permitted |= 1U << (self->a % 32);
  caps.data[self->a / 32].effective |= 1U << (self->a % 32);
  return judge(set_caps(&caps));
}

/* An inheritable capability survives execution of a file that asks for it: CVE-2022-29162 gave them for
 * nothing. */
static struct result raise_ambient(const struct primitive *self) {
  struct caps caps;
  if (get_caps(&caps) != 0)
    return judge(-1);
  caps.data[0].inheritable |= 1U << self->a;
  if (set_caps(&caps) != 0)
    return judge(-1);
  return judge(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, self->a, 0, 0));
}

static struct result inheritable_given(const struct primitive *self) {
  struct caps caps;
  (void)self;
  if (get_caps(&caps) != 0)
    return judge(-1);
  return caps.data[0].inheritable | caps.data[1].inheritable ? reached("") : denied(0, "none given");
}

static struct result set_securebits(const struct primitive *self) {
  (void)self;
  return judge(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0));
}

static struct result execute_setuid(const struct primitive *self) {
  return judge_run(spawn(-1, self->path, self->a ? "--is-gid" : "--is-uid", "4242"));
}

/* By the file's capabilities where it can be had without being root, else by root's own rule. */
static struct result execute_filecap(const struct primitive *self) {
  struct caps caps;
  if (self->a && getuid() == 0 && setresuid(OTHER_ID, OTHER_ID, OTHER_ID) != 0 && errno != EPERM)
    return judge(-1);
  if (get_caps(&caps) != 0)
    return judge(-1);
  memset(caps.data, 0, sizeof caps.data);
  if (set_caps(&caps) != 0)
    return judge(-1);
  return judge_run(spawn(-1, self->path, "--permitted", NULL));
}

static struct result become_uid(const struct primitive *self) {
  (void)self;
  return judge(syscall(SYS_setuid, OTHER_ID));
}
static struct result become_gid(const struct primitive *self) {
  (void)self;
  return judge(syscall(SYS_setgid, OTHER_ID));
}
static struct result set_groups(const struct primitive *self) {
  gid_t groups[] = { OTHER_ID };
  (void)self;
  return judge(setgroups(1, groups));
}

static int own_file(char path[PATH_ROOM]) {
  const char *dir = writable_dir();
  return make_in(dir ? dir : "/tmp", path);
}

static struct result give_file_away(const struct primitive *self) {
  char path[PATH_ROOM];
  struct result result;
  (void)self;
  int fd = own_file(path);
  if (fd < 0)
    return judge(-1);
  result = judge(fchown(fd, OTHER_ID, OTHER_ID));
  unlink(path);
  return result;
}

static struct result set_xattr(const struct primitive *self) {
  static const struct vfs_cap_data cap = { .magic_etc = VFS_CAP_REVISION_2,
                                           .data = { { 1 << CAP_NET_RAW, 0 } } };
  char path[PATH_ROOM];
  struct result result;
  int fd = own_file(path);
  if (fd < 0)
    return judge(-1);
  result = judge(fsetxattr(fd, self->path, &cap, XATTR_CAPS_SZ_2, 0));
  unlink(path);
  return result;
}

static struct result open_path(const struct primitive *self) {
  return judge(open(self->path, (int)self->a | O_CLOEXEC));
}
static struct result change_mode(const struct primitive *self) {
  return judge(chmod(self->path, 0700)); /* as it is */
}
static struct result change_root(const struct primitive *self) {
  return judge(chroot(self->path));
}

/* To what it is. */
static struct result set_hostname(const struct primitive *self) {
  char name[256];
  if ((self->a ? getdomainname(name, sizeof name) : gethostname(name, sizeof name)) != 0)
    return judge(-1);
  size_t length = strnlen(name, sizeof name);
  return judge(self->a ? setdomainname(name, length) : sethostname(name, length));
}

static struct result nice_down(const struct primitive *self) {
  (void)self;
  return judge(setpriority(PRIO_PROCESS, 0, -20));
}
static struct result real_time(const struct primitive *self) {
  struct sched_param param = { .sched_priority = 1 };
  (void)self;
  return judge(sched_setscheduler(0, SCHED_FIFO, &param));
}
static struct result deadline(const struct primitive *self) {
  struct {
    __u32 size, policy;
    __u64 flags;
    __s32 nice;
    __u32 priority;
    __u64 runtime, deadline, period;
  } attr = { .size = 48, .policy = 6, .runtime = 100000, .deadline = 1000000000, .period = 1000000000 };
  (void)self;
  return judge(syscall(SYS_sched_setattr, 0, &attr, 0));
}
static struct result io_real_time(const struct primitive *self) {
  (void)self;
  return judge(syscall(SYS_ioprio_set, 1, 0, 1 << 13 | 0));
}
static struct result wake_alarm(const struct primitive *self) {
  (void)self;
  return judge(timerfd_create(CLOCK_BOOTTIME_ALARM, TFD_CLOEXEC));
}
static struct result execution_domain(const struct primitive *self) {
  return judge(syscall(SYS_personality, self->a));
}

const struct primitive privilege_primitives[] = {
  { .name = "raise-sys-admin", .attempt = raise_capability, .a = CAP_SYS_ADMIN },
  { .name = "raise-net-admin", .attempt = raise_capability, .a = CAP_NET_ADMIN },
  { .name = "raise-bpf", .attempt = raise_capability, .a = CAP_BPF },
  { .name = "ambient-net-raw", .attempt = raise_ambient, .a = CAP_NET_RAW },
  { .name = "inheritable-given", .attempt = inheritable_given },
  { .name = "securebits", .attempt = set_securebits },
  { .name = "setuid-exec", .attempt = execute_setuid, .path = "/attack/setuid" },
  { .name = "setgid-exec", .attempt = execute_setuid, .path = "/attack/setgid", .a = 1 },
  { .name = "filecap-exec", .attempt = execute_filecap, .path = "/attack/filecap", .a = 1 },
  { .name = "root-exec", .attempt = execute_filecap, .path = "/attack/probe" },
  { .name = "setuid", .attempt = become_uid },
  { .name = "setgid", .attempt = become_gid },
  { .name = "setgroups", .attempt = set_groups },
  { .name = "chown", .attempt = give_file_away },
  { .name = "file-capability", .attempt = set_xattr, .path = "security.capability" },
  { .name = "trusted-xattr", .attempt = set_xattr, .path = "trusted.attack" },
  { .name = "read-others-file", .attempt = open_path, .path = "/attack/private/file", .a = O_RDONLY },
  { .name = "chmod-others-file", .attempt = change_mode, .path = "/attack/private" },
  { .name = "chroot", .attempt = change_root, .path = "/attack" },
  { .name = "sethostname", .attempt = set_hostname },
  { .name = "setdomainname", .attempt = set_hostname, .a = 1 },
  { .name = "nice", .attempt = nice_down },
  { .name = "sched-fifo", .attempt = real_time },
  { .name = "sched-deadline", .attempt = deadline },
  { .name = "ioprio-real-time", .attempt = io_real_time },
  { .name = "wake-alarm", .attempt = wake_alarm },
  { .name = "personality-no-aslr", .attempt = execution_domain, .a = 0x0040000 },
  { .name = "personality-read-exec", .attempt = execution_domain, .a = 0x0400000 },
  { .name = NULL },
};
