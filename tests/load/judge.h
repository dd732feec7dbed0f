/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says of one container's processes, found by its cgroup. */
#ifndef LOAD_JUDGE_H
#define LOAD_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { JUDGE_PIDS = 256, JUDGE_WAIT_MS = 10000 };

struct status {
  bool no_new_privs;
  unsigned long long bounding;
  int filters;
};

/* Of a /proc/PID/status; false: it is not one. */
bool status_parse(const char *text, struct status *ret);
/* As `restricted` promises: only CAP_NET_BIND_SERVICE is left, and so many filters. */
bool status_is_hardened(const struct status *s, int filters);

enum judged {
  JUDGED_GONE,       /* no process is left */
  JUDGED_CREATED,    /* held by the runtime, hardened already */
  JUDGED_RUNNING,    /* the image's program runs, hardened */
  JUDGED_PREPARING,  /* the runtime is still at it */
  JUDGED_UNHARDENED, /* the image's program runs, and without what was promised */
};

/* At this moment. *ret_pid is that of the worst process. The one that executes anything but the runtime is
 * the image's. */
enum judged judge(const char *group, pid_t *ret_pid);
/* Until it is more than JUDGED_PREPARING, at most JUDGE_WAIT_MS. */
enum judged judge_settled(const char *group, pid_t *ret_pid);

/* The container's groups of every hierarchy, with and without processes. */
size_t group_count(const char *group);
size_t group_pids(const char *group, pid_t ret[JUDGE_PIDS]);
/* What a runtime that was killed left: its processes, then its groups. `group` may hold a pattern, but not
 * here. */
void group_remove(const char *group);

#endif
