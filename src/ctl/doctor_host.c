/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: the kernel, policies and directories */
#include "base/str.h"
#include "ctl/doctor.h"
#include "io/fileio.h"
#include "kernel/cgroup.h"
#include "runtime/leftover.h"
#include "runtime/loss.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The first line of a small file, without its newline; NULL when it cannot be read. The caller frees. */
static char *line_of(const char *path) {
  CLEANUP_FREE char *text = NULL;
  size_t len;
  struct error ignored = { 0 };
  if (file_read(AT_FDCWD, path, RESOLVE_TRUSTED, 1 << 16, &text, &len, NULL, &ignored) < 0)
    return NULL;
  text[strcspn(text, "\n")] = '\0';
  return steal_ptr(&text);
}

static void kernel_calls(struct doctor *d) {
  struct utsname u;
  if (uname(&u) < 0)
    memset(&u, 0, sizeof u);
  CLEANUP_FD int fd = path_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  if (fd >= 0)
    doctor_say(d, HEALTH_OK, "kernel", NULL, "Linux %s, openat2 works", u.release);
  else
    doctor_say(d, HEALTH_FAIL, "kernel", "use Linux 5.6 or later", "openat2 fails: %s", strerror(errno));
  /* EBADF is the answer of a kernel that knows the call. */
  if (syscall(SYS_mount_setattr, -1, "", 0, NULL, 0) < 0 && errno == ENOSYS)
    doctor_say(d, HEALTH_WARN, "kernel", "use Linux 5.12 or later",
               "no mount_setattr: submounts of recursive binds keep their own flags");
}

static void kernel_seccomp(struct doctor *d) {
  CLEANUP_FREE char *actions = line_of("/proc/sys/kernel/seccomp/actions_avail");
  if (!actions)
    doctor_say(d, HEALTH_FAIL, "seccomp", "use a kernel with CONFIG_SECCOMP_FILTER",
               "this kernel has no seccomp filters");
  else if (!strstr(actions, "kill_process") || !strstr(actions, "errno"))
    doctor_say(d, HEALTH_FAIL, "seccomp", "use Linux 4.14 or later", "actions missing; there are: %s",
               actions);
  else
    doctor_say(d, HEALTH_OK, "seccomp", NULL, "actions: %s", actions);
}

static void kernel_rest(struct doctor *d) {
  const bool v2 = kernel_cgroup_is_v2(KERNEL_CGROUP_MOUNT);
  const bool hybrid = !v2 && kernel_cgroup_is_v2(KERNEL_CGROUP_MOUNT "/unified");
  if (hybrid)
    doctor_say(d, HEALTH_WARN, "cgroups", "boot with systemd.unified_cgroup_hierarchy=1",
               "hybrid layout (v1 with v2 at /sys/fs/cgroup/unified), which crun refuses");
  else
    doctor_say(d, HEALTH_OK, "cgroups", NULL, "%s", v2 ? "v2" : "v1");
  CLEANUP_FREE char *max = line_of("/proc/sys/user/max_user_namespaces");
  if (!max || strcmp(max, "0") == 0)
    doctor_say(d, HEALTH_WARN, "user namespaces", "sysctl user.max_user_namespaces=15000",
               "this kernel makes none, so root in a container is root on the host");
  else
    doctor_say(d, HEALTH_OK, "user namespaces", NULL, "allowed (at most %s)", max);
  CLEANUP_FREE char *lsm = line_of("/sys/kernel/security/lsm");
  doctor_say(d, HEALTH_OK, "LSM", NULL, "%s", lsm ? lsm : "list not readable (securityfs is not mounted)");
}

void doctor_kernel(struct doctor *d) {
  if (geteuid() != 0)
    doctor_say(d, HEALTH_WARN, "user", "run as the user that the engine runs as",
               "not root: this examines uid %u's view", (unsigned)geteuid());
  kernel_calls(d);
  kernel_seccomp(d);
  kernel_rest(d);
}

static void policy(struct doctor *d, const struct config *config, const char *name, const char *used_by) {
  CLEANUP_POLICY struct policy p = { 0 };
  struct error err = { 0 };
  if (policy_load(config->policy_dir, name, &p, &err) < 0) {
    doctor_say(d, HEALTH_FAIL, "policy", "mend or remove it; containers that it is chosen for are refused",
               "%s (%s): %s", name, used_by, err.message);
    return;
  }
  if (p.mode == POLICY_AUDIT)
    doctor_say(d, HEALTH_WARN, "policy", "set \"mode\": \"enforce\" once the events are quiet",
               "%s (%s) is in audit mode: it changes and refuses nothing", name, used_by);
  else
    doctor_say(d, HEALTH_OK, "policy", NULL, "%s (%s)", name, used_by);
}

void doctor_policies(struct doctor *d, const struct config *config) {
  policy(d, config, config->default_policy, "default");
  for (size_t i = 0; i < config->rules_len; i++) {
    CLEANUP_FREE char *used_by = xasprintf("rule %zu", i);
    policy(d, config, config->rules[i].policy, used_by);
  }
}

/* A directory that only its owner may write, or none yet below one where it can be made. */
static void directory(struct doctor *d, const char *subject, const char *path) {
  struct stat st;
  if (stat(path, &st) < 0) {
    if (errno == ENOENT)
      doctor_say(d, HEALTH_OK, subject, NULL, "%s: is made when first needed", path);
    else
      doctor_say(d, HEALTH_FAIL, subject, "make it readable for root", "%s: %s", path, strerror(errno));
    return;
  }
  if (!S_ISDIR(st.st_mode)) {
    doctor_say(d, HEALTH_FAIL, subject, "remove it", "%s is no directory", path);
    return;
  }
  if (st.st_uid != geteuid() || (st.st_mode & 022)) {
    CLEANUP_FREE char *remedy = xasprintf("chown %u %s; chmod 700 %s", (unsigned)geteuid(), path, path);
    doctor_say(d, HEALTH_FAIL, subject, remedy, "%s: owner %u, mode %04o: others could write it", path,
               (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
    return;
  }
  struct statvfs fs;
  if (statvfs(path, &fs) == 0 && fs.f_blocks && fs.f_bavail * fs.f_bsize < (1 << 20))
    doctor_say(d, HEALTH_WARN, subject, "free some space", "%s: less than 1 MiB free", path);
  else
    doctor_say(d, HEALTH_OK, subject, NULL, "%s", path);
}

static void events(struct doctor *d, const char *path) {
  if (!*path) {
    doctor_say(d, HEALTH_WARN, "events", "set \"events\" in config.json", "none are written");
    return;
  }
  struct stat st;
  if (lstat(path, &st) < 0) {
    doctor_say(d, HEALTH_OK, "events", NULL, "%s: %s", path,
               errno == ENOENT ? "is made when first needed" : strerror(errno));
    return;
  }
  if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022)) {
    CLEANUP_FREE char *remedy = xasprintf("chown %u %s; chmod 600 %s", (unsigned)geteuid(), path, path);
    doctor_say(d, HEALTH_FAIL, "events", remedy, "%s: no regular file of ours that only we can write", path);
    return;
  }
  struct statvfs fs;
  if (statvfs(path, &fs) == 0 && fs.f_blocks && fs.f_bavail * fs.f_bsize < (1 << 20))
    doctor_say(d, HEALTH_WARN, "events", "free some space, or rotate the log",
               "%s: less than 1 MiB free: events are lost", path);
  else
    doctor_say(d, HEALTH_OK, "events", NULL, "%s, %lld bytes", path, (long long)st.st_size);
}

/* The wrapper leaves a line for each event that it could not write. */
static void losses(struct doctor *d, const char *state_dir) {
  CLEANUP_FREE char *path = loss_path(state_dir);
  CLEANUP_FREE char *text = NULL;
  size_t len;
  struct error ignored = { 0 };
  if (file_read(AT_FDCWD, path, RESOLVE_LEAF, 2 * LOSS_FILE_MAX, &text, &len, NULL, &ignored) < 0 || len == 0)
    return;
  size_t lines = 0;
  char *last = text;
  for (char *p = text; (p = strchr(p, '\n')); p++) {
    lines++;
    if (p[1])
      last = p + 1;
  }
  last[strcspn(last, "\n")] = '\0';
  CLEANUP_FREE char *remedy = xasprintf("mend what the line says, then remove %s", path);
  doctor_say(d, HEALTH_WARN, "events", remedy, "%zu could not be written, the last one at %s", lines, last);
}

static void count(const struct leftover *l, void *arg) {
  size_t *counts = arg;
  counts[l->kind == LEFTOVER_UNKNOWN]++;
}

static void leftovers(struct doctor *d, const char *state_dir) {
  size_t counts[2] = { 0 };
  struct error err = { 0 };
  if (leftover_scan(state_dir, false, count, counts, &err) < 0)
    doctor_say(d, HEALTH_WARN, "leftovers", "make it readable", "%s", err.message);
  if (counts[0])
    doctor_say(d, HEALTH_WARN, "leftovers", "hardenctl gc", "%zu of containers that are gone, below %s",
               counts[0], state_dir);
  if (counts[1])
    doctor_say(d, HEALTH_WARN, "leftovers", "look at what hardenctl gc prints",
               "%zu below %s cannot be read or are not trusted", counts[1], state_dir);
}

void doctor_directories(struct doctor *d, const struct config *config) {
  directory(d, "policy directory", config->policy_dir);
  directory(d, "state directory", config->state_dir);
  directory(d, "cache directory", config->cache_dir);
  events(d, config->events);
  losses(d, config->state_dir);
  leftovers(d, config->state_dir);
}
