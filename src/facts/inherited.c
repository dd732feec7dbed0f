/* SPDX-License-Identifier: Apache-2.0 */
/* What a process starts with where its document does not say: runtimes hand on what they have, which is ours.
 */
#include "facts/look.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct {
  const char *type;
  int resource;
} limits[] = {
  { "RLIMIT_NOFILE", RLIMIT_NOFILE },
  { "RLIMIT_NPROC", RLIMIT_NPROC },
  { "RLIMIT_CORE", RLIMIT_CORE },
};
_Static_assert(ARRAY_SIZE(limits) == RLIMIT_FACTS, "one fact each");

static void look_at_rlimits(struct facts *f) {
  for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
    struct rlimit now;
    if (getrlimit(limits[i].resource, &now) < 0)
      look_failed(f);
    else
      f->rlimits[f->rlimits_len++] = (struct rlimit_fact){ limits[i].type, now.rlim_cur, now.rlim_max };
  }
}

static void look_at_oom_score(struct facts *f) {
  char text[16];
  CLEANUP_FD int fd = path_open(AT_FDCWD, "/proc/self/oom_score_adj", O_RDONLY, 0, RESOLVE_TRUSTED);
  const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (n < 0)
    look_failed(f);
  if (n <= 0)
    return;
  text[n] = '\0';
  char *end;
  const long value = strtol(text, &end, 10);
  f->oom_score_known = end != text && value >= -1000 && value <= 1000;
  f->oom_score_adj = f->oom_score_known ? (int)value : 0;
}

void look_at_inherited(struct facts *f) {
  look_at_rlimits(f);
  look_at_oom_score(f);
}
