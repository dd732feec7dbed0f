/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define NET_BIND_SERVICE (1ULL << 10)
enum { STEP_MS = 5, FILTERS = 2 }; /* the floor and the container's own */

static bool field(const char *text, const char *name, int base, unsigned long long *ret) {
  const char *line = strstr(text, name);
  if (!line)
    return false;
  *ret = strtoull(line + strlen(name), NULL, base);
  return true;
}

bool status_parse(const char *text, struct status *ret) {
  unsigned long long nnp;
  unsigned long long filters;
  if (!field(text, "\nNoNewPrivs:\t", 10, &nnp) || !field(text, "\nCapBnd:\t", 16, &ret->bounding) ||
      !field(text, "\nSeccomp_filters:\t", 10, &filters))
    return false;
  ret->no_new_privs = nnp == 1;
  ret->filters = (int)filters;
  return true;
}

bool status_is_hardened(const struct status *s, int filters) {
  return s->no_new_privs && (s->bounding & ~NET_BIND_SERVICE) == 0 && s->filters >= filters;
}

/* crun writes where the v2 hierarchy would be also when nothing is mounted there. */
static bool is_group(const char *path) {
  struct statfs fs;
  return statfs(path, &fs) == 0 && (fs.f_type == CGROUP_SUPER_MAGIC || fs.f_type == CGROUP2_SUPER_MAGIC);
}

static void groups(const char *group, const char *file, glob_t *ret) {
  char pattern[PATH_MAX];
  *ret = (glob_t){ 0 };
  (void)snprintf(pattern, sizeof pattern, "/sys/fs/cgroup/*%s/%s", group, file); /* v1 */
  (void)glob(pattern, 0, NULL, ret);
  (void)snprintf(pattern, sizeof pattern, "/sys/fs/cgroup%s/%s", group, file); /* v2 */
  (void)glob(pattern, GLOB_APPEND, NULL, ret);
}

size_t group_count(const char *group) {
  glob_t found;
  size_t n = 0;
  groups(group, "cgroup.procs", &found);
  for (size_t i = 0; i < found.gl_pathc; i++)
    n += is_group(found.gl_pathv[i]);
  globfree(&found);
  return n;
}

/* Of every hierarchy: a runtime enters one after the other. */
size_t group_pids(const char *group, pid_t ret[JUDGE_PIDS]) {
  size_t n = 0;
  glob_t found;
  groups(group, "cgroup.procs", &found);
  for (size_t i = 0; i < found.gl_pathc; i++) {
    FILE *f = !is_group(found.gl_pathv[i]) ? NULL : fopen(found.gl_pathv[i], "re");
    int pid;
    while (f && n < JUDGE_PIDS && fscanf(f, "%d", &pid) == 1) {
      size_t known = 0;
      while (known < n && ret[known] != pid)
        known++;
      ret[known] = pid;
      n += known == n;
    }
    if (f)
      fclose(f);
  }
  globfree(&found);
  return n;
}

static bool read_status(pid_t pid, struct status *ret) {
  char name[64];
  char text[8192];
  (void)snprintf(name, sizeof name, "/proc/%d/status", pid);
  const int fd = open(name, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  const ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0)
    return false;
  text[n] = '\0';
  return !strstr(text, "\nState:\tZ") && !strstr(text, "\nState:\tX") && status_parse(text, ret);
}

/* The program first, then what it may do: a process only ever becomes more restricted. */
static enum judged judge_process(pid_t pid) {
  char name[64];
  char exe[PATH_MAX] = "";
  struct status s;
  (void)snprintf(name, sizeof name, "/proc/%d/exe", pid);
  if (readlink(name, exe, sizeof exe - 1) < 0 || !read_status(pid, &s))
    return JUDGED_GONE;
  if (strcmp(exe, "/bin/busybox") == 0)
    return status_is_hardened(&s, FILTERS) ? JUDGED_RUNNING : JUDGED_UNHARDENED;
  return status_is_hardened(&s, 1) ? JUDGED_CREATED : JUDGED_PREPARING;
}

enum judged judge(const char *group, pid_t *ret_pid) {
  pid_t pids[JUDGE_PIDS];
  enum judged worst = JUDGED_GONE;
  const size_t n = group_pids(group, pids);
  *ret_pid = 0;
  for (size_t i = 0; i < n; i++) {
    const enum judged j = judge_process(pids[i]);
    if (j > worst) {
      worst = j;
      *ret_pid = pids[i];
    }
  }
  return worst;
}

enum judged judge_settled(const char *group, pid_t *ret_pid) {
  enum judged j;
  for (int waited = 0; (j = judge(group, ret_pid)) == JUDGED_PREPARING && waited < JUDGE_WAIT_MS;
       waited += STEP_MS)
    nanosleep(&(struct timespec){ .tv_nsec = STEP_MS * 1000000L }, NULL);
  return j;
}

void group_remove(const char *group) {
  pid_t pids[JUDGE_PIDS];
  size_t n;
  for (int waited = 0; (n = group_pids(group, pids)) > 0 && waited < JUDGE_WAIT_MS; waited += STEP_MS) {
    for (size_t i = 0; i < n; i++)
      if (pids[i] > 0)
        kill(pids[i], SIGKILL);
    nanosleep(&(struct timespec){ .tv_nsec = STEP_MS * 1000000L }, NULL);
  }
  glob_t found;
  groups(group, "", &found);
  for (size_t i = 0; i < found.gl_pathc; i++)
    (void)rmdir(found.gl_pathv[i]);
  globfree(&found);
}
