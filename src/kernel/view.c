/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/view.h"

#include "base/cleanup.h"
#include "io/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

enum { LABEL_LIMIT = 65536, NUMBER_LIMIT = 64 };

const char *const kernel_part_names[KERNEL_PARTS] = {
  [KERNEL_STATUS] = "status",       [KERNEL_NAMESPACE] = "namespaces",
  [KERNEL_IDMAPS] = "id maps",      [KERNEL_MOUNTS] = "mounts",
  [KERNEL_ROOT] = "root directory", [KERNEL_CWD] = "working directory",
  [KERNEL_EXE] = "program",         [KERNEL_FDS] = "open files",
  [KERNEL_CGROUPS] = "cgroups",     [KERNEL_GROUP_LIMITS] = "cgroup limits",
  [KERNEL_LABEL] = "LSM label",     [KERNEL_OOM_SCORE] = "oom_score_adj",
  [KERNEL_RLIMITS] = "rlimits",     [KERNEL_FILTERS] = "seccomp filters",
};

static int read_idmaps(struct kernel_view *v, struct error *err) {
  if (kernel_idmap_read(&v->process, "uid_map", &v->uid_map, err) < 0)
    return -1;
  return kernel_idmap_read(&v->process, "gid_map", &v->gid_map, err);
}

static int read_root(struct kernel_view *v, struct error *err) {
  v->root = path_open(v->process.dir, "root", O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  return v->root < 0 ? error_set(err, ERROR_SYSTEM, errno, "/proc/%d/root", (int)v->process.pid) : 0;
}

static int read_cwd(struct kernel_view *v, struct error *err) {
  CLEANUP_FD int fd = path_open(v->process.dir, "cwd", O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  if (fd < 0)
    return error_set(err, ERROR_SYSTEM, errno, "/proc/%d/cwd", (int)v->process.pid);
  kernel_place_of_fd(fd, false, &v->cwd_place);
  return kernel_process_link(&v->process, "cwd", &v->cwd, err);
}

/* EINVAL: no LSM that has labels is on. SELinux ends its label with a NUL, AppArmor with a newline. */
static int read_label(struct kernel_view *v, const char *name, char **ret, struct error *err) {
  CLEANUP_FREE char *text = NULL;
  size_t len;
  struct error unread = { 0 };
  if (kernel_process_text(&v->process, name, LABEL_LIMIT, &text, &len, &unread) < 0) {
    if (unread.sys != EINVAL && unread.sys != ENOENT) {
      *err = unread;
      return -1;
    }
    text = xstrdup("");
  }
  text[strcspn(text, "\n")] = '\0';
  *ret = steal_ptr(&text);
  return 0;
}

static int read_labels(struct kernel_view *v, struct error *err) {
  if (read_label(v, "attr/current", &v->label, err) < 0)
    return -1;
  return read_label(v, "attr/exec", &v->label_on_exec, err);
}

/* Without groups there are no limits, and groups that could not be read are not none. */
static int read_group_limits(struct kernel_view *v, unsigned limits, struct error *err) {
  if (v->unread[KERNEL_CGROUPS])
    return error_set(err, ERROR_INPUT, 0, "%s", v->unread[KERNEL_CGROUPS]);
  return kernel_cgroup_limits_read(&v->cgroups, KERNEL_CGROUP_MOUNT, limits, &v->group_limits, err);
}

static int read_oom_score(struct kernel_view *v, struct error *err) {
  CLEANUP_FREE char *text = NULL;
  size_t len;
  if (kernel_process_text(&v->process, "oom_score_adj", NUMBER_LIMIT, &text, &len, err) < 0)
    return -1;
  char *end;
  errno = 0;
  const long n = strtol(text, &end, 10);
  if (errno || end == text || *end != '\n' || n < INT_MIN || n > INT_MAX)
    return error_set(err, ERROR_INPUT, 0, "oom_score_adj is no number");
  v->oom_score_adj = (int)n;
  return 0;
}

/* How the parts are read. */
struct reading {
  unsigned limits;               /* of enum kernel_group_limit */
  enum kernel_filters_hold hold; /* of the process, for its filters */
  struct error refused;          /* where it is not held */
};

static int read_filters(struct kernel_view *v, const struct reading *r, struct error *err) {
  if (r->hold != KERNEL_FILTERS_FREE)
    return kernel_filters_take(&v->process, r->hold, &v->filters, err);
  *err = r->refused;
  return -1;
}

static int read_part(struct kernel_view *v, enum kernel_part part, const struct reading *r,
                     struct error *err) {
  const struct kernel_process *p = &v->process;
  switch (part) {
  case KERNEL_STATUS:
    return kernel_status_read(p, &v->status, err);
  case KERNEL_NAMESPACE:
    return kernel_namespaces_read(p, v->namespaces, err);
  case KERNEL_IDMAPS:
    return read_idmaps(v, err);
  case KERNEL_MOUNTS:
    return kernel_mounts_read(p, &v->mounts, err);
  case KERNEL_ROOT:
    return read_root(v, err);
  case KERNEL_CWD:
    return read_cwd(v, err);
  case KERNEL_EXE:
    return kernel_process_link(p, "exe", &v->exe, err);
  case KERNEL_FDS:
    return kernel_fds_read(p, &v->fds, err);
  case KERNEL_CGROUPS:
    return kernel_cgroups_read(p, &v->cgroups, err);
  case KERNEL_GROUP_LIMITS:
    return read_group_limits(v, r->limits, err);
  case KERNEL_LABEL:
    return read_labels(v, err);
  case KERNEL_OOM_SCORE:
    return read_oom_score(v, err);
  case KERNEL_RLIMITS:
    return kernel_limits_read(p, v->rlimits, err);
  case KERNEL_FILTERS:
    return read_filters(v, r, err);
  case KERNEL_PARTS:
    break;
  }
  return 0;
}

static const struct kernel_view none = { .process = KERNEL_PROCESS_NONE, .root = -1 };

void kernel_view_init(struct kernel_view *v) {
  *v = none;
  for (enum kernel_part part = 0; part < KERNEL_PARTS; part++)
    v->unread[part] = xstrdup("not asked for");
}

/* The filters come last, which gives the process the time that it takes to stop. */
static void read_parts(struct kernel_view *v, unsigned parts, unsigned limits) {
  struct reading r = { .limits = limits, .hold = KERNEL_FILTERS_FREE };
  const bool filters = parts & KERNEL_PART(KERNEL_FILTERS);
  if (filters && kernel_filters_stop(&v->process, &r.hold, &r.refused) < 0)
    r.hold = KERNEL_FILTERS_FREE;
  if (parts & KERNEL_PART(KERNEL_GROUP_LIMITS))
    parts |= KERNEL_PART(KERNEL_CGROUPS);
  for (enum kernel_part part = 0; part < KERNEL_PARTS; part++) {
    struct error why = { 0 };
    if (!(parts & KERNEL_PART(part)))
      continue;
    free(v->unread[part]);
    v->unread[part] = read_part(v, part, &r, &why) < 0 ? xstrdup(why.message) : NULL;
    v->unread_errno[part] = why.sys;
  }
}

static int look(struct kernel_view *v, unsigned parts, unsigned limits, struct kernel_view *ret,
                struct error *err) {
  read_parts(v, parts, limits);
  if (!kernel_process_alive(&v->process))
    return error_set(err, ERROR_SYSTEM, ESRCH, "process %d ended while it was looked at",
                     (int)v->process.pid);
  *ret = *v;
  *v = none;
  return 0;
}

int kernel_view_look(struct kernel_view *ret, const struct kernel_process *process, unsigned parts,
                     unsigned limits, struct error *err) {
  CLEANUP_KERNEL_VIEW struct kernel_view v;
  kernel_view_init(&v);
  *ret = none;
  v.process = *process;
  v.lent = true;
  return look(&v, parts, limits, ret, err);
}

int kernel_view_read(struct kernel_view *ret, pid_t pid, uint64_t start, unsigned parts, struct error *err) {
  CLEANUP_KERNEL_VIEW struct kernel_view v;
  kernel_view_init(&v);
  *ret = none;
  if (kernel_process_open(&v.process, pid, start, err) < 0)
    return -1;
  return look(&v, parts, KERNEL_LIMIT_ALL, ret, err);
}

void kernel_view_free(struct kernel_view *v) {
  if (!v->lent)
    kernel_process_close(&v->process);
  for (enum kernel_part part = 0; part < KERNEL_PARTS; part++)
    free(v->unread[part]);
  kernel_status_free(&v->status);
  kernel_mounts_free(&v->mounts);
  cleanup_fd_p(&v->root);
  free(v->cwd);
  free(v->exe);
  kernel_fds_free(&v->fds);
  kernel_cgroups_free(&v->cgroups);
  free(v->label);
  free(v->label_on_exec);
  kernel_filters_free(&v->filters);
  *v = none;
}
