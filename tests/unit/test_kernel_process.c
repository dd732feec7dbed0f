/* SPDX-License-Identifier: Apache-2.0 */
/* The readers on processes that the test makes, compared with what the test did to them. */
#include "kernel/view.h"

#include "seccomp/simulate.h"
#include "tempdir.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

/* A child that did `prepare` and sleeps in read(2); what comes over its pipe lets it end with 42. */
struct child {
  pid_t pid;
  int in, out; /* the test's ends: a byte in lets it go on, a byte out says that it is ready */
};

static struct child start(void (*prepare)(void *), void *data) {
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
static void finish(struct child *c) {
  int status;
  cr_assert_eq(write(c->in, "x", 1), 1);
  cr_assert_eq(waitpid(c->pid, &status, 0), c->pid);
  cr_assert(WIFEXITED(status), "status %#x", (unsigned)status);
  cr_assert_eq(WEXITSTATUS(status), 42);
  close(c->in);
  close(c->out);
}

static void read_view(struct kernel_view *ret, pid_t pid, unsigned parts) {
  struct error err = { 0 };
  cr_assert_eq(kernel_view_read(ret, pid, 0, parts, &err), 0, "%s", err.message);
  for (enum kernel_part part = 0; part < KERNEL_PARTS; part++)
    if (parts & KERNEL_PART(part))
      cr_assert_null(ret->unread[part], "%s: %s", kernel_part_names[part], ret->unread[part]);
    else
      cr_assert_not_null(ret->unread[part], "%s", kernel_part_names[part]);
}

/* identity */

Test(kernel_process, a_start_time_tells_two_processes_of_one_pid_apart) {
  struct error err = { 0 };
  struct child c = start(NULL, NULL);
  CLEANUP_KERNEL_PROCESS struct kernel_process p;
  cr_assert_eq(kernel_process_open(&p, c.pid, 0, &err), 0, "%s", err.message);
  CLEANUP_KERNEL_PROCESS struct kernel_process other;
  cr_expect_eq(kernel_process_open(&other, c.pid, p.start + 1, &err), -1);
  cr_expect_eq(err.sys, ESRCH);
  cr_expect_eq(other.dir, -1);
  CLEANUP_KERNEL_PROCESS struct kernel_process same;
  cr_expect_eq(kernel_process_open(&same, c.pid, p.start, &err), 0);
  cr_expect(kernel_process_alive(&p));
  finish(&c);
}

Test(kernel_process, one_that_ended_is_not_read_by_whoever_has_its_number) {
  struct error err = { 0 };
  struct child c = start(NULL, NULL);
  CLEANUP_KERNEL_PROCESS struct kernel_process p;
  CLEANUP_FREE char *text = NULL;
  size_t len;
  cr_assert_eq(kernel_process_open(&p, c.pid, 0, &err), 0);
  finish(&c);
  cr_expect_not(kernel_process_alive(&p));
  /* The number is given to another process: the old handle does not follow. */
  const int last = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
  char number[32];
  snprintf(number, sizeof number, "%d", (int)c.pid - 1);
  pid_t next = -1;
  for (int tries = 0; tries < 20 && next != c.pid; tries++) {
    if (last >= 0 && write(last, number, strlen(number)) > 0) {
      next = fork();
      if (next == 0) {
        pause();
        _exit(0);
      }
      if (next != c.pid) {
        kill(next, SIGKILL);
        waitpid(next, NULL, 0);
      }
    }
  }
  cr_expect_eq(kernel_process_text(&p, "status", 1 << 20, &text, &len, &err), -1);
  cr_expect_eq(err.sys, ESRCH);
  cr_expect(kernel_process_kill(&p, 0)); /* it has ended already, and nobody else is killed */
  if (next == c.pid) {
    cr_expect_eq(waitpid(next, NULL, WNOHANG), 0, "the new one was killed");
    CLEANUP_KERNEL_PROCESS struct kernel_process stale;
    struct error reused = { 0 };
    /* Within one clock tick two processes have one start time; the pidfd still tells them apart. */
    if (kernel_process_open(&stale, c.pid, 0, &reused) == 0 && stale.start != p.start)
      cr_expect_eq(kernel_process_open(&stale, c.pid, p.start, &reused), -1);
    kill(next, SIGKILL);
    waitpid(next, NULL, 0);
  }
  if (last >= 0)
    close(last);
}

Test(kernel_process, zombies_and_nobody_are_no_process) {
  struct error err = { 0 };
  CLEANUP_KERNEL_PROCESS struct kernel_process p;
  const pid_t pid = fork();
  if (pid == 0)
    _exit(0);
  siginfo_t info;
  cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
  cr_expect_eq(kernel_process_open(&p, pid, 0, &err), -1);
  cr_expect_eq(err.sys, ESRCH);
  waitpid(pid, NULL, 0);
  cr_expect_eq(kernel_process_open(&p, 0, 0, &err), -1);
  cr_expect_eq(kernel_process_open(&p, -1, 0, &err), -1);
  struct kernel_view v;
  cr_expect_eq(kernel_view_read(&v, pid, 0, KERNEL_ALL, &err), -1);
}

Test(kernel_process, kill_ends_it_and_waits) {
  struct error err = { 0 };
  struct child c = start(NULL, NULL);
  CLEANUP_KERNEL_PROCESS struct kernel_process p;
  int status;
  cr_assert_eq(kernel_process_open(&p, c.pid, 0, &err), 0);
  cr_expect(kernel_process_kill(&p, 5000));
  cr_assert_eq(waitpid(c.pid, &status, 0), c.pid);
  cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* what it is */

static void change_process(void *dir) {
  const struct rlimit files = { 100, 200 };
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  setrlimit(RLIMIT_NOFILE, &files);
  prctl(PR_CAPBSET_DROP, 21, 0, 0, 0);
  if (chdir(dir) < 0 || open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0 ||
      open(dir, O_RDONLY | O_DIRECTORY) < 0)
    _exit(3);
  const int oom = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (oom < 0 || write(oom, "321", 3) != 3)
    _exit(4);
  close(oom);
}

static bool has_directory(const struct kernel_fds *fds, const struct stat *st, bool cloexec) {
  for (size_t i = 0; i < fds->len; i++)
    if (fds->items[i].st.st_ino == st->st_ino && fds->items[i].st.st_dev == st->st_dev &&
        fds->items[i].cloexec == cloexec)
      return S_ISDIR(fds->items[i].st.st_mode);
  return false;
}

Test(kernel_process, a_view_shows_what_was_done) {
  char *dir = tempdir_make("oh-kernel");
  struct stat st;
  cr_assert_eq(stat(dir, &st), 0);
  struct child c = start(change_process, dir);
  CLEANUP_KERNEL_VIEW struct kernel_view v;
  read_view(&v, c.pid, KERNEL_ALL);
  cr_expect(v.status.no_new_privs);
  cr_expect_eq(v.status.uid[KERNEL_ID_EFFECTIVE], geteuid());
  cr_expect_eq(v.status.caps[KERNEL_CAPS_BOUNDING] & (UINT64_C(1) << 21), 0);
  cr_expect_neq(v.status.caps[KERNEL_CAPS_BOUNDING], 0);
  cr_expect_eq(v.rlimits[RLIMIT_NOFILE].soft, 100);
  cr_expect_eq(v.rlimits[RLIMIT_NOFILE].hard, 200);
  cr_expect_eq(v.oom_score_adj, 321);
  cr_expect_str_eq(v.cwd, dir);
  cr_expect_eq(v.cwd_place.inode, st.st_ino);
  cr_expect(has_directory(&v.fds, &st, true));
  cr_expect(has_directory(&v.fds, &st, false));
  bool has = false;
  struct error err = { 0 };
  cr_expect_eq(kernel_fds_have(&v.process, &st, &has, &err), 0);
  cr_expect(has);
  st.st_ino++;
  cr_expect_eq(kernel_fds_have(&v.process, &st, &has, &err), 0);
  cr_expect_not(has);
  cr_expect_gt(v.mounts.len, 0);
  cr_expect_not_null(kernel_mounts_by_id(&v.mounts, v.cwd_place.mount));
  cr_expect_gt(v.cgroups.len, 0);
  struct kernel_namespace own[KERNEL_NAMESPACES];
  cr_assert_eq(kernel_namespaces_own(own, &err), 0);
  for (size_t i = 0; i < KERNEL_NAMESPACES; i++)
    cr_expect(kernel_namespace_same(&own[i], &v.namespaces[i]), "%s", kernel_ns_names[i]);
  finish(&c);
  tempdir_remove(dir);
}

static void unshare_all(void *data) {
  (void)data;
  if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) < 0)
    _exit(3);
}

Test(kernel_process, namespaces_are_told_apart) {
  static const bool differs[KERNEL_NAMESPACES] = {
    [KERNEL_NS_MOUNT] = true, [KERNEL_NS_UTS] = true, [KERNEL_NS_IPC] = true, [KERNEL_NS_NETWORK] = true
  };
  struct error err = { 0 };
  struct child c = start(unshare_all, NULL);
  CLEANUP_KERNEL_VIEW struct kernel_view v;
  struct kernel_namespace own[KERNEL_NAMESPACES];
  struct kernel_namespace joined;
  read_view(&v, c.pid, KERNEL_PART(KERNEL_NAMESPACE));
  cr_assert_eq(kernel_namespaces_own(own, &err), 0);
  for (size_t i = 0; i < KERNEL_NAMESPACES; i++)
    cr_expect_eq(kernel_namespace_same(&own[i], &v.namespaces[i]), !differs[i], "%s", kernel_ns_names[i]);
  CLEANUP_FREE char *path = xasprintf("/proc/%d/ns/net", (int)c.pid);
  cr_assert_eq(kernel_namespace_at(path, &joined, &err), 0, "%s", err.message);
  cr_expect(kernel_namespace_same(&joined, &v.namespaces[KERNEL_NS_NETWORK]));
  cr_expect_eq(kernel_namespace_at("/etc/passwd", &joined, &err), -1);
  cr_expect_eq(kernel_namespace_at("/nowhere", &joined, &err), -1);
  finish(&c);
}

/* places */

/* A root of its own, in which places have masks, and a link that would lead out of it. */
static void make_root(void *dir) {
  const char *base = dir;
  if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    _exit(3);
  if (mount("t", base, "tmpfs", 0, NULL) < 0 || chdir(base) < 0 || mkdir("masked", 0755) < 0 ||
      mkdir("full", 0755) < 0 || mkdir("writable", 0755) < 0 || mkdir("dev", 0755) < 0)
    _exit(4);
  if (mount("t", "masked", "tmpfs", MS_RDONLY, NULL) < 0 || mount("t", "writable", "tmpfs", 0, NULL) < 0 ||
      mount("t", "full", "tmpfs", 0, NULL) < 0 || mkdir("full/entry", 0755) < 0 ||
      mount("t", "full", "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) < 0)
    _exit(5);
  if (mknod("dev/null", S_IFCHR | 0666, makedev(1, 3)) < 0 ||
      mknod("dev/zero", S_IFCHR | 0666, makedev(1, 5)) < 0 || symlink("/../../dev/null", "link") < 0 ||
      symlink("loop", "loop") < 0 || mkfifo("fifo", 0600) < 0)
    _exit(6);
  if (chroot(base) < 0)
    _exit(7);
}

Test(kernel_process, places_are_seen_as_the_process_sees_them) {
  char *dir = tempdir_make("oh-kernel");
  struct child c = start(make_root, dir);
  CLEANUP_KERNEL_VIEW struct kernel_view v;
  struct kernel_place place, null;
  read_view(&v, c.pid, KERNEL_PART(KERNEL_ROOT) | KERNEL_PART(KERNEL_MOUNTS));
  static const struct {
    const char *path;
    bool mask;
    int error;
  } cases[] = {
    { "/masked", true, 0 },
    { "/full", false, 0 },
    { "/writable", false, 0 },
    { "/dev", false, 0 },
    { "/dev/null", true, 0 },
    { "/link", true, 0 },
    { "/dev/zero", false, 0 },
    { "/absent", false, ENOENT },
    { "/loop", false, ELOOP },
    { "/fifo", false, 0 },
    { "/dev/null/x", false, ENOTDIR },
    { "/..//../masked", true, 0 },
  };
  /* One by one, by name in their directories, and those again. */
  CLEANUP_KERNEL_PLACES struct kernel_places blind = { .root = v.root };
  CLEANUP_KERNEL_PLACES struct kernel_places places = { .root = v.root, .mounts = &v.mounts };
  for (size_t i = 0; i < 4 * ARRAY_SIZE(cases); i++) {
    const char *path = cases[i / 4].path;
    struct kernel_place alone;
    kernel_place_look(v.root, path, true, &alone);
    if (i % 4 == 0)
      place = alone;
    else
      kernel_places_look(i % 4 == 1 ? &blind : &places, path, true, &place);
    cr_expect_eq(place.error, cases[i / 4].error, "%s: %s", path, strerror(place.error));
    cr_expect_eq(kernel_place_is_mask(&place), cases[i / 4].mask, "%s", path);
    cr_expect(place.error || kernel_place_same(&place, &alone), "%s", path);
    cr_expect(place.mount == alone.mount && place.is_mount == alone.is_mount &&
                  place.readonly == alone.readonly && place.empty == alone.empty && place.rdev == alone.rdev,
              "%s", path);
  }
  kernel_place_look(v.root, "/masked", false, &place);
  cr_expect(place.is_mount && place.readonly && place.type == TMPFS_MAGIC);
  const struct kernel_mount *m = kernel_mounts_by_id(&v.mounts, place.mount);
  cr_assert_not_null(m);
  cr_expect_eq(m->flags & MS_RDONLY, MS_RDONLY);
  cr_expect_str_eq(m->place, "/masked");
  cr_expect_not(kernel_place_is_mask(&place)); /* nobody looked inside */
  kernel_place_look(v.root, "/dev", false, &place);
  cr_expect_not(place.is_mount);
  kernel_place_look(v.root, "/dev/null", false, &null);
  kernel_place_look(v.root, "/link", false, &place);
  cr_expect(kernel_place_same(&place, &null));
  kernel_place_look(v.root, "/dev/zero", false, &place);
  cr_expect_not(kernel_place_same(&place, &null));
  finish(&c);
  tempdir_remove(dir);
}

/* seccomp filters */

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

Test(kernel_process, filters_come_out_as_they_went_in_and_the_process_goes_on) {
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

Test(kernel_process, no_filters_and_too_many) {
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

Test(kernel_process, signals_that_come_meanwhile_arrive) {
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

Test(kernel_process, a_stopped_process_stays_stopped) {
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

Test(kernel_process, one_that_another_traces_is_left_to_him) {
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

/* cgroup limits, of both versions, from files as the kernel has them */

static void put(const char *dir, const char *name, const char *text) {
  CLEANUP_FREE char *path = xasprintf("%s/%s", dir, name);
  for (char *slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
    *slash = '\0';
    cr_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
  }
  free(tempdir_put(dir, name, text));
}

Test(kernel_process, limits_of_version_1) {
  char *dir = tempdir_make("oh-cgroup");
  struct error err = { 0 };
  struct kernel_cgroup_limits l;
  CLEANUP_KERNEL_CGROUPS struct kernel_cgroups c = { 0 };
  cr_assert_eq(kernel_cgroups_parse("3:pids:/a/b\n2:memory:/a/b\n1:cpu:/a/b\n0::/\n", &c, &err), 0);
  put(dir, "pids/a/b/pids.max", "100\n");
  put(dir, "memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
  put(dir, "memory/a/b/memory.memsw.limit_in_bytes", "1048576\n");
  put(dir, "cpu/a/b/cpu.cfs_quota_us", "-1\n");
  put(dir, "cpu/a/b/cpu.cfs_period_us", "100000\n");
  cr_assert_eq(kernel_cgroup_limits_read(&c, dir, KERNEL_LIMIT_ALL, &l, &err), 0, "%s", err.message);
  cr_expect_not(l.unified);
  cr_expect_eq(l.pids, 100);
  cr_expect_eq(l.memory, KERNEL_UNLIMITED);
  cr_expect_eq(l.swap, 1048576);
  cr_expect_eq(l.quota, KERNEL_UNLIMITED);
  cr_expect_eq(l.period, 100000);
  /* Without swap accounting, and with what is no limit. */
  CLEANUP_FREE char *swap = xasprintf("%s/memory/a/b/memory.memsw.limit_in_bytes", dir);
  cr_assert_eq(unlink(swap), 0);
  put(dir, "memory/a/b/cgroup.procs", "");
  cr_assert_eq(kernel_cgroup_limits_read(&c, dir, KERNEL_LIMIT_ALL, &l, &err), 0, "%s", err.message);
  cr_expect_eq(l.swap, -1);
  static const char *const bad[] = { "", "x\n", "-2\n", "1 2\n", "12", "99999999999999999999\n" };
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    put(dir, "pids/a/b/pids.max", bad[i]);
    cr_expect_eq(kernel_cgroup_limits_read(&c, dir, KERNEL_LIMIT_ALL, &l, &err), -1, "\"%s\"", bad[i]);
    cr_expect_eq(err.code, ERROR_INPUT, "\"%s\"", bad[i]);
  }
  tempdir_remove(dir);
}

Test(kernel_process, limits_of_a_group_that_is_not_there_are_unknown) {
  char *dir = tempdir_make("oh-cgroup");
  struct error err = { 0 };
  struct kernel_cgroup_limits l;
  CLEANUP_KERNEL_CGROUPS struct kernel_cgroups c = { 0 };
  cr_assert_eq(kernel_cgroups_parse("3:pids:/../b\n", &c, &err), 0);
  put(dir, "pids/pids.max", "1\n");
  put(dir, "b/pids.max", "1\n");
  cr_expect_eq(kernel_cgroup_limits_read(&c, dir, KERNEL_LIMIT_ALL, &l, &err), -1);
  cr_expect_eq(err.code, ERROR_SYSTEM);
  tempdir_remove(dir);
}
