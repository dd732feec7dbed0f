/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/status.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

enum { STATUS_LIMIT = 1 << 20 }; /* 65,536 groups fit */

const char *const kernel_caps_names[KERNEL_CAPS] = {
  [KERNEL_CAPS_INHERITABLE] = "inheritable", [KERNEL_CAPS_PERMITTED] = "permitted",
  [KERNEL_CAPS_EFFECTIVE] = "effective",     [KERNEL_CAPS_BOUNDING] = "bounding",
  [KERNEL_CAPS_AMBIENT] = "ambient",
};

enum line {
  LINE_UID,
  LINE_GID,
  LINE_GROUPS,
  LINE_THREADS,
  LINE_CAPS, /* five of them */
  LINE_NNP = LINE_CAPS + KERNEL_CAPS,
  LINE_SECCOMP,
  LINE_FILTERS,
  LINES
};

static const char *const keys[LINES] = {
  [LINE_UID] = "Uid:",
  [LINE_GID] = "Gid:",
  [LINE_GROUPS] = "Groups:",
  [LINE_THREADS] = "Threads:",
  [LINE_CAPS + KERNEL_CAPS_INHERITABLE] = "CapInh:",
  [LINE_CAPS + KERNEL_CAPS_PERMITTED] = "CapPrm:",
  [LINE_CAPS + KERNEL_CAPS_EFFECTIVE] = "CapEff:",
  [LINE_CAPS + KERNEL_CAPS_BOUNDING] = "CapBnd:",
  [LINE_CAPS + KERNEL_CAPS_AMBIENT] = "CapAmb:",
  [LINE_NNP] = "NoNewPrivs:",
  [LINE_SECCOMP] = "Seccomp:",
  [LINE_FILTERS] = "Seccomp_filters:",
};

/* The next number of a line; false at its end or at anything else. */
static bool next_number(const char **at, int base, uint64_t max, uint64_t *ret) {
  const char *p = *at;
  while (*p == ' ' || *p == '\t')
    p++;
  if (!isxdigit((unsigned char)*p))
    return false;
  char *end;
  errno = 0;
  *ret = strtoull(p, &end, base);
  if (errno || end == p || *ret > max || (*end && !isspace((unsigned char)*end)))
    return false;
  *at = end;
  return true;
}

static bool at_end(const char *p) {
  while (*p == ' ' || *p == '\t')
    p++;
  return *p == '\n';
}

static bool take_numbers(const char *p, int base, uint64_t max, uint64_t *ret, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (!next_number(&p, base, max, &ret[i]))
      return false;
  return at_end(p);
}

static bool take_ids(const char *p, uint32_t ret[KERNEL_IDS]) {
  uint64_t ids[KERNEL_IDS];
  if (!take_numbers(p, 10, UINT32_MAX, ids, KERNEL_IDS))
    return false;
  for (size_t i = 0; i < KERNEL_IDS; i++)
    ret[i] = (uint32_t)ids[i];
  return true;
}

static bool take_groups(const char *p, struct kernel_status *s) {
  uint64_t group;
  while (next_number(&p, 10, UINT32_MAX, &group)) {
    s->groups = xrealloc(s->groups, s->groups_len + 1, sizeof *s->groups);
    s->groups[s->groups_len++] = (uint32_t)group;
  }
  return at_end(p);
}

static bool take_line(enum line line, const char *p, struct kernel_status *s) {
  uint64_t n = 0;
  bool ok;
  switch (line) {
  case LINE_UID:
    return take_ids(p, s->uid);
  case LINE_GID:
    return take_ids(p, s->gid);
  case LINE_GROUPS:
    return take_groups(p, s);
  case LINE_THREADS:
    ok = take_numbers(p, 10, UINT_MAX, &n, 1);
    s->threads = (unsigned)n;
    return ok;
  case LINE_NNP:
    ok = take_numbers(p, 10, 1, &n, 1);
    s->no_new_privs = n;
    return ok;
  case LINE_SECCOMP:
    ok = take_numbers(p, 10, INT_MAX, &n, 1);
    s->seccomp = (int)n;
    return ok;
  case LINE_FILTERS:
    ok = take_numbers(p, 10, INT_MAX, &n, 1);
    s->seccomp_filters = (int)n;
    return ok;
  case LINE_CAPS:
  case LINES:
    break;
  }
  return take_numbers(p, 16, UINT64_MAX, &s->caps[line - LINE_CAPS], 1);
}

/* "Name:" stands first and is the process's own choice; the kernel writes a newline in it as "\n". */
int kernel_status_parse(const char *text, struct kernel_status *ret, struct error *err) {
  CLEANUP_KERNEL_STATUS struct kernel_status s = { .seccomp_filters = -1 };
  bool seen[LINES] = { false };
  for (const char *p = text; *p; p++) {
    for (enum line line = 0; line < LINES; line++) {
      if (!str_starts(p, keys[line]))
        continue;
      if (seen[line] || !take_line(line, p + strlen(keys[line]), &s))
        return error_set(err, ERROR_INPUT, 0, "status: the line %s is not as the kernel writes it",
                         keys[line]);
      seen[line] = true;
    }
    p = strchr(p, '\n');
    if (!p)
      return error_set(err, ERROR_INPUT, 0, "status: the last line has no end");
  }
  for (enum line line = 0; line < LINES; line++)
    if (!seen[line] && line != LINE_FILTERS)
      return error_set(err, ERROR_INPUT, 0, "status: there is no line %s", keys[line]);
  *ret = s;
  s = (struct kernel_status){ 0 };
  return 0;
}

int kernel_status_read(const struct kernel_process *p, struct kernel_status *ret, struct error *err) {
  CLEANUP_FREE char *text = NULL;
  size_t len;
  *ret = (struct kernel_status){ 0 };
  if (kernel_process_text(p, "status", STATUS_LIMIT, &text, &len, err) < 0)
    return -1;
  return kernel_status_parse(text, ret, err);
}

void kernel_status_free(struct kernel_status *s) {
  free(s->groups);
  *s = (struct kernel_status){ 0 };
}
