/* SPDX-License-Identifier: Apache-2.0 */
/* A runtime that prints what it inherited but for its argv: what the kernel keeps of a process across execve.
 */
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

static void copy(const char *path, const char *const *fields) {
  char line[4096];
  FILE *f = fopen(path, "re");
  if (!f)
    return;
  while (fgets(line, sizeof line, f)) {
    for (size_t i = 0; fields && fields[i]; i++)
      if (strncmp(line, fields[i], strlen(fields[i])) == 0)
        fputs(line, stdout);
    if (!fields)
      fputs(line, stdout);
  }
  fclose(f);
}

int main(void) {
  static const char *const fields[] = { "Umask:",     "PPid:",         "Uid:", "Gid:",        "Groups:",
                                        "SigBlk:",    "SigIgn:",       "Cap",  "NoNewPrivs:", "Seccomp",
                                        "TracerPid:", "Cpus_allowed:", NULL };
  char cwd[4096];
  int death = -1, reaper = -1;
  struct itimerval timer;
  copy("/proc/self/status", fields);
  copy("/proc/self/limits", NULL);
  copy("/proc/self/oom_score_adj", NULL);
  copy("/proc/self/cgroup", NULL);
  printf("cwd %s\n", getcwd(cwd, sizeof cwd));
  printf("session %d group %d\n", getsid(0), getpgid(0));
  prctl(PR_GET_PDEATHSIG, &death);
  prctl(PR_GET_CHILD_SUBREAPER, &reaper);
  getitimer(ITIMER_REAL, &timer);
  printf("pdeathsig %d reaper %d keepcaps %d securebits %d slack %d thp %d timer %ld\n", death, reaper,
         prctl(PR_GET_KEEPCAPS), prctl(PR_GET_SECUREBITS), prctl(PR_GET_TIMERSLACK),
         prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), (long)timer.it_value.tv_sec);
  printf("nice %d scheduler %d personality %d\n", getpriority(PRIO_PROCESS, 0), sched_getscheduler(0),
         personality(0xffffffff));
  for (char **e = environ; *e; e++)
    puts(*e);
  DIR *dir = opendir("/proc/self/fd");
  for (struct dirent *entry; dir && (entry = readdir(dir));) {
    char name[512], target[4096];
    ssize_t n;
    snprintf(name, sizeof name, "/proc/self/fd/%s", entry->d_name);
    if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir) &&
        (n = readlink(name, target, sizeof target)) > 0)
      printf("fd %s %.*s\n", entry->d_name, (int)n, target);
  }
  return 0;
}
