/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/limits.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

enum { LIMITS_LIMIT = 16384, LABEL_WIDTH = 25 };

const char *const kernel_limit_names[KERNEL_LIMITS] = {
  [RLIMIT_CPU] = "RLIMIT_CPU",           [RLIMIT_FSIZE] = "RLIMIT_FSIZE",
  [RLIMIT_DATA] = "RLIMIT_DATA",         [RLIMIT_STACK] = "RLIMIT_STACK",
  [RLIMIT_CORE] = "RLIMIT_CORE",         [RLIMIT_RSS] = "RLIMIT_RSS",
  [RLIMIT_NPROC] = "RLIMIT_NPROC",       [RLIMIT_NOFILE] = "RLIMIT_NOFILE",
  [RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",   [RLIMIT_AS] = "RLIMIT_AS",
  [RLIMIT_LOCKS] = "RLIMIT_LOCKS",       [RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
  [RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE", [RLIMIT_NICE] = "RLIMIT_NICE",
  [RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",     [RLIMIT_RTTIME] = "RLIMIT_RTTIME",
};

static const char *const labels[KERNEL_LIMITS] = {
  [RLIMIT_CPU] = "Max cpu time",
  [RLIMIT_FSIZE] = "Max file size",
  [RLIMIT_DATA] = "Max data size",
  [RLIMIT_STACK] = "Max stack size",
  [RLIMIT_CORE] = "Max core file size",
  [RLIMIT_RSS] = "Max resident set",
  [RLIMIT_NPROC] = "Max processes",
  [RLIMIT_NOFILE] = "Max open files",
  [RLIMIT_MEMLOCK] = "Max locked memory",
  [RLIMIT_AS] = "Max address space",
  [RLIMIT_LOCKS] = "Max file locks",
  [RLIMIT_SIGPENDING] = "Max pending signals",
  [RLIMIT_MSGQUEUE] = "Max msgqueue size",
  [RLIMIT_NICE] = "Max nice priority",
  [RLIMIT_RTPRIO] = "Max realtime priority",
  [RLIMIT_RTTIME] = "Max realtime timeout",
};

static bool take(const char **at, uint64_t *ret) {
  static const char none[] = "unlimited";
  const char *p = *at + strspn(*at, " ");
  if (str_starts(p, none)) {
    *ret = UINT64_MAX;
    *at = p + strlen(none);
    return true;
  }
  char *end;
  errno = 0;
  *ret = strtoull(p, &end, 10);
  if (errno || end == p || *p == '-' || *end != ' ')
    return false;
  *at = end;
  return true;
}

static const char *find(const char *text, const char *label) {
  const size_t len = strlen(label);
  for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
    if (strncmp(line, label, len) == 0 && line[len] == ' ' && strnlen(line, LABEL_WIDTH) == LABEL_WIDTH)
      return line + LABEL_WIDTH;
  return NULL;
}

int kernel_limits_parse(const char *text, struct kernel_limit ret[KERNEL_LIMITS], struct error *err) {
  for (size_t i = 0; i < KERNEL_LIMITS; i++) {
    const char *p = find(text, labels[i]);
    if (!p || !take(&p, &ret[i].soft) || !take(&p, &ret[i].hard))
      return error_set(err, ERROR_INPUT, 0, "limits: the line %s is not as the kernel writes it", labels[i]);
  }
  return 0;
}

int kernel_limits_read(const struct kernel_process *p, struct kernel_limit ret[KERNEL_LIMITS],
                       struct error *err) {
  CLEANUP_FREE char *text = NULL;
  size_t len;
  if (kernel_process_text(p, "limits", LIMITS_LIMIT, &text, &len, err) < 0)
    return -1;
  return kernel_limits_parse(text, ret, err);
}
