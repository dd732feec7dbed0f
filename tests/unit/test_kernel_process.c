/* SPDX-License-Identifier: Apache-2.0 */
/* The readers on processes that the test makes, compared with what the test did to them. */
#include "kernel_child.h"
#include "tempdir.h"

#include <errno.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>

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

Test(kernel_process_as_root, a_view_shows_what_was_done) {
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

static void hold_procs(void *data) {
  (void)data;
  if (open("/proc", O_PATH | O_CLOEXEC) < 0 || open("/proc/thread-self/fd", O_RDONLY | O_CLOEXEC) < 0 ||
      open("/proc/sys", O_RDONLY | O_CLOEXEC) < 0 || open("/etc", O_PATH | O_CLOEXEC) < 0)
    _exit(3);
}

/* A process in a pid namespace of its own, that holds what is mounted on its parent's /proc. */
static void hold_foreign_proc(void *data) {
  if (unshare(CLONE_NEWPID) < 0)
    _exit(3);
  const pid_t pid = fork();
  if (pid == 0) {
    hold_procs(data);
    return;
  }
  int status = 0;
  _exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 4);
}

static const struct kernel_fd *fd_to(const struct kernel_fds *fds, const char *end) {
  for (size_t i = 0; i < fds->len; i++)
    if (str_ends(fds->items[i].target, end))
      return &fds->items[i];
  return NULL;
}

static pid_t only_child(pid_t parent) {
  CLEANUP_FREE char *path = xasprintf("/proc/%d/task/%d/children", (int)parent, (int)parent);
  char text[32] = "";
  CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
  cr_assert_gt(read(fd, text, sizeof text - 1), 0);
  return (pid_t)atoi(text);
}

Test(kernel_process, whose_proc_file_system_is_open) {
  struct child own = start(hold_procs, NULL);
  CLEANUP_KERNEL_VIEW struct kernel_view v;
  read_view(&v, own.pid, KERNEL_PART(KERNEL_FDS));
  const struct kernel_fd *root = fd_to(&v.fds, "/proc"), *self = fd_to(&v.fds, "/fd"),
                         *sys = fd_to(&v.fds, "/proc/sys"), *other = fd_to(&v.fds, "/etc");
  cr_assert(root && self && sys && other);
  cr_expect(root->o_path && root->proc_root && root->own_proc);
  cr_expect(!self->o_path && !self->proc_root && self->own_proc);
  cr_expect(!sys->proc_root && sys->own_proc);
  cr_expect(!other->proc_root && !other->own_proc);
  finish(&own);

  if (geteuid() != 0)
    return;
  struct child parent = start(hold_foreign_proc, NULL);
  CLEANUP_KERNEL_VIEW struct kernel_view inner;
  read_view(&inner, only_child(parent.pid), KERNEL_PART(KERNEL_FDS));
  const struct kernel_fd *foreign = fd_to(&inner.fds, "/proc");
  cr_assert_not_null(foreign);
  cr_expect(foreign->proc_root && !foreign->own_proc);
  finish(&parent);
}

static void unshare_all(void *data) {
  (void)data;
  if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) < 0)
    _exit(3);
}

Test(kernel_process_as_root, namespaces_are_told_apart) {
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

Test(kernel_process_as_root, places_are_seen_as_the_process_sees_them) {
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
