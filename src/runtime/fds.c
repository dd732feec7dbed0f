/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/fds.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The protocol of socket activation; the runtimes hand these fds on, so we must not take them away. */
unsigned fds_listen_count(void) {
  const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
  if (!pid || !count || strtol(pid, NULL, 10) != (long)getpid())
    return 0;
  long n = strtol(count, NULL, 10);
  return n > 0 && n < 4096 ? (unsigned)n : 0;
}

bool fds_listen_is_plain(void) {
  for (int fd = 3; fd < 3 + (int)fds_listen_count(); fd++) {
    struct stat st;
    if (fstat(fd, &st) == 0 && !S_ISSOCK(st.st_mode) && !S_ISFIFO(st.st_mode))
      return false;
  }
  return true;
}

static int named_fd(const char *value) {
  static const char *const places[] = { "/dev/fd/", "/proc/self/fd/" };
  for (size_t i = 0; value && i < ARRAY_SIZE(places); i++)
    if (str_starts(value, places[i])) {
      char *end;
      long fd = strtol(value + strlen(places[i]), &end, 10);
      if (*end == '\0' && fd > 2 && fd < INT_MAX)
        return (int)fd;
    }
  return -1;
}

int fds_seal(const struct command *c, int preserve, struct error *err) {
  const unsigned listen = fds_listen_count();
  unsigned first = 3U + listen + (unsigned)preserve;
  if (listen == 0)
    unsetenv("LISTEN_FDS");
  /* By number: musl has no name for it. */
  if (syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot close inherited file descriptors");
  for (size_t i = 0; i < c->len; i++) {
    int fd = named_fd(c->options[i].value);
    if (fd >= 0 && fcntl(fd, F_SETFD, 0) < 0 && errno != EBADF)
      return error_set(err, ERROR_SYSTEM, errno, "file descriptor %d", fd);
  }
  return 0;
}
