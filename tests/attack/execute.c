/* SPDX-License-Identifier: Apache-2.0 */
/* Running what the container was not given: programs made in writable places, and in memory. */
#include "primitives.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int copy_program(int to) {
  struct stat st;
  int from = open("/attack/probe", O_RDONLY | O_CLOEXEC);
  if (from < 0 || fstat(from, &st) != 0)
    return -1;
  for (off_t at = 0; at < st.st_size;) {
    ssize_t n = sendfile(to, from, &at, (size_t)(st.st_size - at));
    if (n <= 0)
      return -1;
  }
  return close(from);
}

static struct result execute_from(const struct primitive *self) {
  char path[PATH_ROOM];
  struct result result;
  int fd = make_in(self->path, path);
  if (fd < 0)
    return judge(-1);
  if (copy_program(fd) != 0 || close(fd) != 0)
    result = judge(-1);
  else
    result = judge_run(spawn(-1, path, "--exit", NULL));
  unlink(path);
  return result;
}

/* noexec holds for mappings too, or the loader would run what execve may not. */
static struct result map_from(const struct primitive *self) {
  char path[PATH_ROOM];
  struct result result;
  int fd = make_in(self->path, path);
  if (fd < 0)
    return judge(-1);
  void *map =
      ftruncate(fd, 4096) == 0 ? mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) : MAP_FAILED;
  result = judge(map == MAP_FAILED ? -1 : 0);
  unlink(path);
  return result;
}

static int memory_program(void) {
  int fd = (int)syscall(SYS_memfd_create, "attack", 0);
  return fd >= 0 && copy_program(fd) != 0 ? -1 : fd;
}
static struct result memory_file(const struct primitive *self) {
  (void)self;
  return judge(syscall(SYS_memfd_create, "attack", MFD_CLOEXEC));
}
static struct result execute_memory(const struct primitive *self) {
  char path[64];
  int fd = memory_program();
  if (fd < 0)
    return judge(-1);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return judge_run(self->a ? spawn(fd, "", "--exit", NULL) : spawn(-1, path, "--exit", NULL));
}
static struct result execute_by_fd(const struct primitive *self) {
  (void)self;
  int fd = open("/attack/probe", O_RDONLY);
  return fd < 0 ? judge(-1) : judge_run(spawn(fd, "", "--exit", NULL));
}

const struct primitive execute_primitives[] = {
  { .name = "exec-from-root", .attempt = execute_from, .path = "" },
  { .name = "exec-from-tmp", .attempt = execute_from, .path = "/tmp" },
  { .name = "exec-from-run", .attempt = execute_from, .path = "/run" },
  { .name = "exec-from-var-tmp", .attempt = execute_from, .path = "/var/tmp" },
  { .name = "exec-from-dev", .attempt = execute_from, .path = "/dev" },
  { .name = "exec-from-dev-shm", .attempt = execute_from, .path = "/dev/shm" },
  { .name = "map-exec-from-tmp", .attempt = map_from, .path = "/tmp" },
  { .name = "map-exec-from-dev-shm", .attempt = map_from, .path = "/dev/shm" },
  { .name = "memfd-create", .attempt = memory_file },
  { .name = "memfd-execveat", .attempt = execute_memory, .a = 1 },
  { .name = "memfd-execve", .attempt = execute_memory },
  { .name = "execveat", .attempt = execute_by_fd },
  { .name = NULL },
};
