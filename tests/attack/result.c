/* SPDX-License-Identifier: Apache-2.0 */
#include "primitives.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct result make(enum verdict verdict, int error, const char *detail) {
  struct result r = { .verdict = verdict, .error = error };
  snprintf(r.detail, sizeof r.detail, "%s", detail);
  return r;
}

struct result reached(const char *detail) {
  return make(REACHED, 0, detail);
}
struct result denied(int error, const char *detail) {
  return make(DENIED, error, detail);
}
struct result absent(const char *detail) {
  return make(ABSENT, 0, detail);
}
struct result odd(const char *detail) {
  return make(ODD, 0, detail);
}

struct result judge_past(long rc, int a, int b) {
  int error = errno;
  if (rc >= 0)
    return reached("");
  if (error == a || error == b)
    return make(REACHED, error, "past the check");
  switch (error) {
  /* A filter says ENOSYS too; the column of the unconfined container tells which it is. */
  case ENOSYS:
  case EPERM:
  case EACCES:
  case EROFS:
    return denied(error, "");
  case ENOENT:
  case ENODEV:
  case ENOPROTOOPT:
  case ENXIO:
  case ENOTSUP:
  case EAFNOSUPPORT:
  case EPROTONOSUPPORT:
  case ESOCKTNOSUPPORT:
    return make(ABSENT, error, "");
  default:
    return make(ODD, error, "");
  }
}

struct result judge(long rc) {
  return judge_past(rc, 0, 0);
}

int spawn(int fd, const char *path, const char *first, const char *second) {
  char *argv[] = { (char *)"probe", (char *)first, (char *)second, NULL };
  char *env[] = { NULL };
  int status = 0, failed[2];
  if (pipe2(failed, O_CLOEXEC) != 0)
    return -1;
  pid_t pid = fork();
  if (pid == 0) {
    int error;
    if (fd >= 0)
      syscall(SYS_execveat, fd, path, argv, env, AT_EMPTY_PATH);
    else
      execve(path, argv, env);
    error = errno;
    if (write(failed[1], &error, sizeof error) < 0)
      _exit(3);
    _exit(2);
  }
  int saved = errno;
  close(failed[1]);
  if (pid > 0) {
    int error;
    ssize_t n = read(failed[0], &error, sizeof error);
    waitpid(pid, &status, 0);
    saved = n == (ssize_t)sizeof error ? error : 0;
  }
  close(failed[0]);
  errno = saved;
  if (saved != 0)
    return -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Without loadable modules there is nothing to be careful about. */
static FILE *open_unless_fixed(const char *path) {
  return access("/proc/modules", F_OK) == 0 ? fopen(path, "re") : NULL;
}

bool has_protocol(const char *name) {
  char line[256];
  bool found = false;
  FILE *f = open_unless_fixed("/proc/net/protocols");
  if (!f)
    return true;
  while (!found && fgets(line, sizeof line, f))
    found = strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ';
  fclose(f);
  return found;
}

bool has_netlink(int protocol) {
  char line[256];
  bool found = false;
  FILE *f = open_unless_fixed("/proc/net/netlink");
  if (!f)
    return true;
  while (!found && fgets(line, sizeof line, f)) {
    char *end, *number = strchr(line, ' ');
    found = number && strtol(number, &end, 10) == protocol && end != number;
  }
  fclose(f);
  return found;
}

bool has_filesystem(const char *type) {
  char line[64];
  bool found = false;
  FILE *f = fopen("/proc/filesystems", "re");
  while (f && !found && fgets(line, sizeof line, f)) {
    char *name = strchr(line, '\t');
    found = name && strncmp(name + 1, type, strlen(type)) == 0 && name[1 + strlen(type)] == '\n';
  }
  if (f)
    fclose(f);
  return found;
}

struct result judge_run(int status) {
  if (status < 0)
    return judge(-1);
  if (status == 128 + SIGSYS)
    return denied(0, "SIGSYS");
  return status == 42 ? reached("") : denied(0, "no gain");
}

int make_in(const char *dir, char ret_path[PATH_ROOM]) {
  snprintf(ret_path, PATH_ROOM, "%s/attack-made-%d", dir, getpid());
  return open(ret_path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0700);
}

pid_t idle_child(void) {
  pid_t pid = fork();
  if (pid == 0)
    for (;;)
      pause();
  return pid;
}

void reap(pid_t child) {
  int saved = errno;
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  errno = saved;
}

const char *writable_dir(void) {
  static const char *const places[] = { "/tmp", "/dev/shm", "/run", "/" };
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (access(places[i], W_OK) == 0)
      return places[i];
  return NULL;
}
