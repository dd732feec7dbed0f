/* SPDX-License-Identifier: Apache-2.0 */
/* What a process starts with where its document does not say: runtimes hand on what they have, which is ours.
 */
#include "facts/look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct {
  const char *type;
  int resource;
} limits[] = {
  { "RLIMIT_NOFILE", RLIMIT_NOFILE }, { "RLIMIT_NPROC", RLIMIT_NPROC }, { "RLIMIT_CORE", RLIMIT_CORE },
  { "RLIMIT_RTPRIO", RLIMIT_RTPRIO }, { "RLIMIT_NICE", RLIMIT_NICE },
};
_Static_assert(ARRAY_SIZE(limits) == RLIMIT_FACTS, "one fact each");

static int look_at_rlimits(struct facts *f, struct error *err) {
  for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
    struct rlimit now;
    if (getrlimit(limits[i].resource, &now) < 0)
      return error_set(err, ERROR_SYSTEM, errno, "%s of this process", limits[i].type);
    f->rlimits[f->rlimits_len++] = (struct rlimit_fact){ limits[i].type, now.rlim_cur, now.rlim_max };
  }
  return 0;
}

static int look_at_oom_score(struct facts *f, struct error *err) {
  static const char path[] = "/proc/self/oom_score_adj";
  char text[16];
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_RDONLY, 0, RESOLVE_TRUSTED);
  ssize_t n;
  do
    n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s", path);
  text[n] = '\0';
  char *end;
  const long value = strtol(text, &end, 10);
  if (*end != '\n' || value < -1000 || value > 1000)
    return error_set(err, ERROR_SYSTEM, EIO, "%s", path);
  f->oom_score_known = true;
  f->oom_score_adj = (int)value;
  return 0;
}

int look_at_inherited(struct facts *f, struct error *err) {
  return look_at_rlimits(f, err) < 0 || look_at_oom_score(f, err) < 0 ? -1 : 0;
}
