/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the wrapper and the runtime: notes what the wrapper had used of memory and left open, a line a call
 * in the file beside it, then becomes the runtime of its own name. The kernel keeps a process's peak over
 * execve(2) (getrusage(2)), and this program is smaller than the wrapper, so the peak is the wrapper's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int open_fds(void) {
  int n = 0;
  DIR *dir = opendir("/proc/self/fd");
  if (!dir)
    return -1;
  for (struct dirent *entry; (entry = readdir(dir));)
    n += entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir);
  closedir(dir);
  return n;
}

static const char *verb(char **argv) {
  static const char *const verbs[] = { "create", "start", "exec", "delete" };
  for (; *argv; argv++)
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
      if (strcmp(*argv, verbs[i]) == 0)
        return verbs[i];
  return "other";
}

int main(int argc, char **argv) {
  static const char *const places[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                        "/usr/bin",        "/sbin",          "/bin" };
  char self[PATH_MAX] = "";
  char path[PATH_MAX + 32];
  char line[128];
  struct rusage usage;
  (void)argc;
  if (readlink("/proc/self/exe", self, sizeof self - 1) < 0 || getrusage(RUSAGE_SELF, &usage) < 0)
    return 70;
  const int fds = open_fds();
  const char *name = basename(self);
  (void)snprintf(path, sizeof path, "%.*s/through", (int)(name - self - 1), self);
  const int len = snprintf(line, sizeof line, "%s %ld %d\n", verb(argv), usage.ru_maxrss, fds);
  const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, line, (size_t)len) != len)
    return 71;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    (void)snprintf(path, sizeof path, "%s/%s", places[i], name);
    execv(path, argv);
  }
  return 72;
}
