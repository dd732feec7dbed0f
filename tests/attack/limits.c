/* SPDX-License-Identifier: Apache-2.0 */
/* Taking more than a share: processes, memory, files, limits. Each asks for a fixed amount, far below the
 * machine's. */
#include "primitives.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_PROCESSES = 2100 };

/* They wait to be killed. */
static struct result many_processes(const struct primitive *self) {
  static pid_t children[MOST_PROCESSES];
  long made = 0;
  int error = 0;
  while (made < self->a && made < MOST_PROCESSES) {
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;)
        pause();
    }
    if (pid < 0) {
      error = errno;
      break;
    }
    children[made++] = pid;
  }
  for (long i = 0; i < made; i++)
    kill(children[i], SIGKILL);
  for (long i = 0; i < made; i++)
    waitpid(children[i], NULL, 0);
  if (made == self->a)
    return reached("");
  return error == EAGAIN ? denied(error, "") : (errno = error, judge(-1));
}

/* The first to be killed is this process, by its own wish. */
static struct result much_memory(const struct primitive *self) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, "1000", 4) != 4)
    return odd("oom_score_adj");
  close(fd);
  size_t size = (size_t)self->a << 20;
  /* In a file, or shared and in one go: the kernel fills both many times faster than page faults would. */
  int file = (int)syscall(SYS_memfd_create, "attack", MFD_CLOEXEC);
  if (file >= 0)
    return fallocate(file, 0, 0, (off_t)size) == 0 ? reached("")
           : errno == ENOMEM                       ? denied(errno, "")
                                                   : judge(-1);
  char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED)
    return errno == ENOMEM ? denied(errno, "") : judge(-1);
  memory[size - 1] = 1;
  return reached("");
}

static bool read_number(const char *path, unsigned long long *ret) {
  char text[64];
  FILE *f = fopen(path, "re");
  bool got = f && fgets(text, sizeof text, f);
  if (f)
    fclose(f);
  if (got)
    *ret = strncmp(text, "max", 3) == 0 ? ULLONG_MAX : strtoull(text, NULL, 10);
  return got;
}

/* Reading the ceiling: to come near one of gigabytes would hurt the machine. */
static struct result no_ceiling(const struct primitive *self) {
  unsigned long long limit;
  (void)self;
  static const char *const files[] = { "/sys/fs/cgroup/memory.max",
                                       "/sys/fs/cgroup/memory/memory.limit_in_bytes" };
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    if (read_number(files[i], &limit))
      return limit > 1ULL << 40 ? reached("") : denied(0, "a ceiling");
  }
  return absent("no cgroup file system");
}

static struct result fill(const struct primitive *self) {
  char path[PATH_ROOM];
  struct result result;
  int fd = make_in(self->path, path);
  if (fd < 0)
    return judge(-1);
  int rc = fallocate(fd, 0, 0, (off_t)self->a << 20);
  result = rc != 0 && errno == ENOSPC ? denied(errno, "") : judge(rc);
  unlink(path);
  return result;
}

static struct result raise_limit(const struct primitive *self) {
  struct rlimit limit;
  if (getrlimit((__rlimit_resource_t)self->a, &limit) != 0)
    return judge(-1);
  if (limit.rlim_max == RLIM_INFINITY)
    return absent("no limit");
  limit.rlim_max++;
  return judge(setrlimit((__rlimit_resource_t)self->a, &limit));
}

/* A core of any size lands where the host's core_pattern says. */
static struct result dump_core(const struct primitive *self) {
  struct rlimit limit;
  (void)self;
  if (getrlimit(RLIMIT_CORE, &limit) != 0)
    return judge(-1);
  return limit.rlim_max > 0 ? reached("") : denied(0, "the limit is 0");
}

static struct result escape_oom(const struct primitive *self) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  (void)self;
  return fd < 0 ? judge(-1) : judge(write(fd, "-1000", 5));
}

const struct primitive limit_primitives[] = {
  { .name = "processes-600", .attempt = many_processes, .a = 600 },
  { .name = "processes-2100", .attempt = many_processes, .a = MOST_PROCESSES },
  { .name = "memory-1200m", .attempt = much_memory, .a = 1200 },
  { .name = "memory-no-ceiling", .attempt = no_ceiling },
  { .name = "fill-tmp-300m", .attempt = fill, .path = "/tmp", .a = 300 },
  { .name = "raise-nofile", .attempt = raise_limit, .a = RLIMIT_NOFILE },
  { .name = "core-dump", .attempt = dump_core },
  { .name = "oom-score-minimum", .attempt = escape_oom },
  { .name = NULL },
};
