/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/cgroup.h"

#include "base/cleanup.h"
#include "io/fileio.h"
#include "io/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/statfs.h>

enum { CGROUP_LIMIT = 1 << 20, VALUE_LIMIT = 4096 };

/* Version 1 has no word for "no limit" of memory: it shows LONG_MAX in whole pages. */
#define UNLIMITED_FROM (INT64_C(1) << 62)

static void add(struct kernel_cgroups *c, const char *controllers, const char *path) {
  c->items = xrealloc(c->items, c->len + 1, sizeof *c->items);
  c->items[c->len++] = (struct kernel_cgroup){ xstrdup(controllers), xstrdup(path) };
}

/* 4:memory:/a/b. A path may hold colons; a newline in it the kernel escapes. */
int kernel_cgroups_parse(const char *text, struct kernel_cgroups *ret, struct error *err) {
  CLEANUP_KERNEL_CGROUPS struct kernel_cgroups groups = { 0 };
  CLEANUP_FREE char *copy = xstrdup(text);
  for (char *line = copy, *end; *line; line = end + 1) {
    end = strchr(line, '\n');
    char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;
    if (!end || !second || second > end || second[1] != '/')
      return error_set(err, ERROR_INPUT, 0, "cgroup: line %zu is not as the kernel writes it",
                       groups.len + 1);
    *end = '\0';
    *second = '\0';
    add(&groups, first + 1, second + 1);
  }
  *ret = groups;
  groups = (struct kernel_cgroups){ 0 };
  return 0;
}

int kernel_cgroups_read(const struct kernel_process *p, struct kernel_cgroups *ret, struct error *err) {
  CLEANUP_FREE char *text = NULL;
  size_t len;
  *ret = (struct kernel_cgroups){ 0 };
  if (kernel_process_text(p, "cgroup", CGROUP_LIMIT, &text, &len, err) < 0)
    return -1;
  return kernel_cgroups_parse(text, ret, err);
}

void kernel_cgroups_free(struct kernel_cgroups *c) {
  for (size_t i = 0; i < c->len; i++) {
    free(c->items[i].controllers);
    free(c->items[i].path);
  }
  free(c->items);
  *c = (struct kernel_cgroups){ 0 };
}

static bool names(const char *list, const char *controller) {
  const size_t len = strlen(controller);
  for (const char *p = list; p; p = strchr(p, ','), p = p ? p + 1 : NULL)
    if (strncmp(p, controller, len) == 0 && (p[len] == ',' || p[len] == '\0'))
      return true;
  return false;
}

const struct kernel_cgroup *kernel_cgroups_find(const struct kernel_cgroups *c, const char *controller) {
  const struct kernel_cgroup *unified = NULL;
  for (size_t i = 0; i < c->len; i++) {
    if (!*c->items[i].controllers)
      unified = &c->items[i];
    else if (names(c->items[i].controllers, controller))
      return &c->items[i];
  }
  return unified;
}

/* The value of one file; NULL: the group has none. */
static int read_value(const struct kernel_cgroups *c, const char *mount, bool unified, const char *controller,
                      const char *file, char **ret, struct error *err) {
  const struct kernel_cgroup *group = kernel_cgroups_find(c, controller);
  CLEANUP_STR struct str path = { 0 };
  size_t len;
  *ret = NULL;
  if (!group || (!unified && !*group->controllers))
    return 0;
  str_add(&path, mount);
  if (!unified)
    str_addf(&path, "/%s", controller);
  CLEANUP_FD int dir = path_open(AT_FDCWD, path.data, O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  if (dir < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s", path.data);
  CLEANUP_FREE char *name = xasprintf("%s/%s", group->path[1] ? group->path + 1 : ".", file);
  struct error unread = { 0 };
  if (file_read(dir, name, RESOLVE_INSIDE, VALUE_LIMIT, ret, &len, NULL, &unread) == 0)
    return 0;
  CLEANUP_FREE char *where = xasprintf("%s/%s", group->path[1] ? group->path + 1 : ".", "cgroup.procs");
  if (unread.sys == ENOENT && faccessat(dir, where, F_OK, 0) == 0)
    return 0; /* the group is there, the controller is not */
  *err = unread;
  return error_wrap(err, "%s", path.data);
}

/* "max", -1 or a number; *at moves behind it. */
static bool take_limit(const char **at, int64_t *ret) {
  if (str_starts(*at, "max")) {
    *ret = KERNEL_UNLIMITED;
    *at += strlen("max");
    return true;
  }
  char *end;
  errno = 0;
  const long long n = strtoll(*at, &end, 10);
  if (errno || end == *at || n < -1)
    return false;
  *ret = n == -1 || n >= UNLIMITED_FROM ? KERNEL_UNLIMITED : n;
  *at = end;
  return true;
}

/* Where the limits are to be read. */
struct place {
  const struct kernel_cgroups *groups;
  const char *mount;
  bool unified;
  unsigned which;
};

/* second NULL: the file holds one number. A limit that is not asked for stays as it is. */
static int take_file(const struct place *p, unsigned limit, const char *controller, const char *file,
                     int64_t *ret, int64_t *second, struct error *err) {
  CLEANUP_FREE char *text = NULL;
  if (!(p->which & limit))
    return 0;
  if (read_value(p->groups, p->mount, p->unified, controller, file, &text, err) < 0)
    return -1;
  if (!text)
    return 0;
  const char *at = text;
  bool ok = take_limit(&at, ret);
  if (ok && second)
    ok = *at++ == ' ' && take_limit(&at, second);
  if (!ok || *at != '\n')
    return error_set(err, ERROR_INPUT, 0, "%s: %s is not as the kernel writes it", controller, file);
  return 0;
}

static int read_unified(const struct place *p, struct kernel_cgroup_limits *l, struct error *err) {
  if (take_file(p, KERNEL_LIMIT_PIDS, "pids", "pids.max", &l->pids, NULL, err) < 0 ||
      take_file(p, KERNEL_LIMIT_MEMORY | KERNEL_LIMIT_SWAP, "memory", "memory.max", &l->memory, NULL, err) <
          0 ||
      take_file(p, KERNEL_LIMIT_SWAP, "memory", "memory.swap.max", &l->swap, NULL, err) < 0 ||
      take_file(p, KERNEL_LIMIT_CPU, "cpu", "cpu.max", &l->quota, &l->period, err) < 0)
    return -1;
  /* Version 2 counts swap alone. */
  if (l->swap >= 0 && l->swap != KERNEL_UNLIMITED)
    l->swap = l->memory == KERNEL_UNLIMITED ? KERNEL_UNLIMITED : l->memory + l->swap;
  return 0;
}

static int read_legacy(const struct place *p, struct kernel_cgroup_limits *l, struct error *err) {
  if (take_file(p, KERNEL_LIMIT_PIDS, "pids", "pids.max", &l->pids, NULL, err) < 0 ||
      take_file(p, KERNEL_LIMIT_MEMORY, "memory", "memory.limit_in_bytes", &l->memory, NULL, err) < 0 ||
      take_file(p, KERNEL_LIMIT_SWAP, "memory", "memory.memsw.limit_in_bytes", &l->swap, NULL, err) < 0 ||
      take_file(p, KERNEL_LIMIT_CPU, "cpu", "cpu.cfs_quota_us", &l->quota, NULL, err) < 0)
    return -1;
  return take_file(p, KERNEL_LIMIT_CPU, "cpu", "cpu.cfs_period_us", &l->period, NULL, err);
}

int kernel_cgroup_limits_read(const struct kernel_cgroups *c, const char *mount, unsigned which,
                              struct kernel_cgroup_limits *ret, struct error *err) {
  struct statfs fs;
  *ret = (struct kernel_cgroup_limits){
    .pids = KERNEL_UNLIMITED, .memory = KERNEL_UNLIMITED, .swap = -1, .quota = KERNEL_UNLIMITED
  };
  if (statfs(mount, &fs) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s", mount);
  ret->unified = fs.f_type == CGROUP2_SUPER_MAGIC;
  const struct place place = { c, mount, ret->unified, which };
  return ret->unified ? read_unified(&place, ret, err) : read_legacy(&place, ret, err);
}

bool kernel_cgroup_is_v2(const char *mount) {
  struct statfs fs;
  return statfs(mount, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

bool kernel_cgroup_is_frozen(const struct kernel_cgroups *c, const char *mount) {
  CLEANUP_FREE char *text = NULL;
  struct error ignored = { 0 };
  const bool unified = kernel_cgroup_is_v2(mount);
  if (read_value(c, mount, unified, "freezer", unified ? "cgroup.events" : "freezer.state", &text, &ignored) <
          0 ||
      !text)
    return false;
  return unified ? strstr(text, "frozen 1\n") != NULL : strcmp(text, "THAWED\n") != 0;
}
