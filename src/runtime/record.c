/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/record.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "io/fileio.h"
#include "io/jsonx.h"
#include "io/path.h"
#include "kernel/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORD_LIMIT = 16 << 20 };

bool process_start_known(pid_t pid, uint64_t *ret) {
  char name[64];
  snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
  CLEANUP_FREE char *text = NULL;
  size_t len;
  struct error unread = { 0 };
  *ret = 0;
  if (pid <= 0)
    return true;
  if (file_read(AT_FDCWD, name, RESOLVE_TRUSTED, 4096, &text, &len, NULL, &unread) < 0)
    return unread.sys == ENOENT || unread.sys == ESRCH;
  *ret = kernel_start_parse(text);
  return true;
}

uint64_t process_start(pid_t pid) {
  uint64_t start;
  return process_start_known(pid, &start) ? start : 0;
}

/* The existing part of an absolute path without links; the rest as text. */
static char *real_prefix(const char *path) {
  CLEANUP_FREE char *head = path_normalise(path);
  CLEANUP_STR struct str tail = { 0 };
  for (;;) {
    CLEANUP_FREE char *real = realpath(head, NULL);
    if (real)
      return xasprintf("%s%s", strcmp(real, "/") == 0 && tail.len ? "" : real, tail.data ? tail.data : "");
    char *slash = strrchr(head, '/');
    CLEANUP_FREE char *rest = xasprintf("%s%s", slash, tail.data ? tail.data : "");
    str_free(&tail);
    str_add(&tail, rest);
    if (slash == head)
      return xstrdup(rest);
    *slash = '\0';
  }
}

/* Go's filepath.Clean() of an absolute path: ".." takes away the component before it, be that a link or not.
 */
static char *clean(const char *absolute) {
  char *path = path_normalise(absolute), *end = path;
  for (const char *p = path; *p;) {
    const size_t len = 1 + strcspn(p + 1, "/");
    if (len == 3 && memcmp(p, "/..", len) == 0) {
      while (end > path && *--end != '/')
        ;
    } else {
      memmove(end, p, len);
      end += len;
    }
    p += len;
  }
  if (end == path)
    *end++ = '/';
  *end = '\0';
  return path;
}

static bool is_current(const char *directory) {
  struct stat st, here;
  return stat(directory, &st) == 0 && stat(".", &here) == 0 && st.st_dev == here.st_dev &&
         st.st_ino == here.st_ino;
}

/* Go's os.Getwd(): the shell's word for it, where that is the same directory. */
static char *go_directory(void) {
  const char *said = getenv("PWD");
  return said && *said == '/' && is_current(said) ? xstrdup(said) : realpath(".", NULL);
}

static char *join(const char *directory, const char *path) {
  return *path == '/' ? xstrdup(path) : xasprintf("%s/%s", directory ? directory : "", path);
}

/* runc cleans the text before it follows any link, and takes no root for the current directory. crun leaves
 * all to the kernel, but has gone to the bundle when it makes a container. A record looked for where the
 * runtime does not look is none: what it tells of the container would be passed over. */
static int check_root(const struct command *c, enum runtime_kind kind, const char *root, const char *real,
                      struct error *err) {
  const char *said = command_has(c, "root") ? "--root=" : "XDG_RUNTIME_DIR makes the root ";
  const char *why = NULL, *bundle = command_value(c, "bundle");
  CLEANUP_FREE char *directory = go_directory();
  CLEANUP_FREE char *joined = join(directory, root);
  CLEANUP_FREE char *text = clean(joined);
  CLEANUP_FREE char *cleaned = real_prefix(text);
  if (!*root)
    why = "it is the current directory to runc and none to crun";
  else if (strcmp(cleaned, real) != 0)
    why = "its \"..\" is read as text by runc and behind symbolic links by crun";
  else if (*root != '/' && kind == RUNTIME_CRUN && bundle && !is_current(bundle))
    why = "crun reads it from the bundle here, and later from the current directory";
  return why ? error_set_rule(err, ERROR_USAGE, "OH-CMD-023",
                              "%s%s: %s; write an absolute path without \"..\"", said, root, why)
             : 0;
}

/* As runc has it: one map of all ids onto themselves is the host's. */
static bool in_user_namespace(void) {
  CLEANUP_FREE char *map = NULL;
  size_t len;
  struct error unread = { 0 };
  unsigned inside, outside, count;
  if (file_read(AT_FDCWD, "/proc/self/uid_map", RESOLVE_TRUSTED, 4096, &map, &len, NULL, &unread) < 0)
    return false;
  return sscanf(map, "%u %u %u", &inside, &outside, &count) != 3 || inside || outside || count != UINT32_MAX;
}

/* Where no --root is given. crun goes by XDG_RUNTIME_DIR whoever calls it; of two that have uid 0 runc knows
 * the host's root by its ids, and a user namespace's by what it is called. */
static char *default_root(enum runtime_kind kind) {
  const bool is_crun = kind == RUNTIME_CRUN;
  const char *dir = getenv("XDG_RUNTIME_DIR"), *user = getenv("USER");
  const bool heeded =
      dir && *dir &&
      (is_crun || geteuid() != 0 || (!(user && strcmp(user, "root") == 0) && in_user_namespace()));
  return xasprintf("%s/%s", heeded ? dir : "/run", is_crun ? "crun" : "runc");
}

int record_root(const struct command *c, enum runtime_kind kind, char **ret, struct error *err) {
  const char *said = command_value(c, "root");
  CLEANUP_FREE char *root = said ? xstrdup(said) : default_root(kind);
  CLEANUP_FREE char *here = *root == '/' ? NULL : realpath(".", NULL);
  CLEANUP_FREE char *absolute = join(here, root);
  *ret = real_prefix(absolute);
  return *root != '/' || path_names_parent(root) ? check_root(c, kind, root, *ret, err) : 0;
}

/* The record of a runtime holds its whole configuration, of which three values are wanted; often only those
 * that name the process, with which it begins. */
enum { PID, START, BUNDLE, VALUES, PROCESS_VALUES = BUNDLE };
enum { BEGINNING = 1024 }; /* bytes */

static void forget(json_t *values[VALUES]) {
  for (size_t i = 0; i < VALUES; i++) {
    json_decref(values[i]);
    values[i] = NULL;
  }
}

/* The process by the first bytes; false, and nothing is taken: it is not in them. */
static bool pick_process(int dirfd, const char *name, const char *const *pointers, json_t *ret[VALUES]) {
  char text[BEGINNING];
  struct error ignored = { 0 };
  CLEANUP_FD int fd = path_open(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, RESOLVE_INSIDE);
  const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
  const struct jsonx_source src = { name, text, n > 0 ? (size_t)n : 0 };
  if (n > 0 && jsonx_pick_first(&src, pointers, PROCESS_VALUES, ret, &ignored) == 0 && ret[PID] && ret[START])
    return true;
  forget(ret);
  return false;
}

/* Nothing when there is none, or only the half of one. */
static int read_values(int dirfd, const char *name, const char *const pointers[VALUES], json_t *ret[VALUES],
                       struct error *err) {
  CLEANUP_FREE char *text = NULL;
  struct jsonx_source src = { .name = name };
  struct error unread = { 0 };
  if (file_read(dirfd, name, RESOLVE_INSIDE, RECORD_LIMIT, &text, &src.len, NULL, &unread) == 0) {
    src.text = text;
    if (jsonx_pick(&src, pointers, VALUES, ret, &unread) < 0)
      ret[PID] = NULL;
  } else if (unread.code == ERROR_SYSTEM && unread.sys != ENOENT) {
    *err = unread;
    return error_wrap(err, "the runtime's record");
  }
  return 0;
}

/* crun has the bundle as a string, runc among its labels. */
static char *bundle_of(const json_t *value) {
  json_t *label;
  size_t i;
  json_array_foreach(value, i, label) {
    const char *text = json_string_value(label);
    if (text && str_starts(text, "bundle="))
      return xstrdup(text + strlen("bundle="));
  }
  return xstrdup(json_string_value(value));
}

static int read_record(struct record *r, int dirfd, enum runtime_kind kind, bool process_only, pid_t *ret_pid,
                       uint64_t *ret_start, struct error *err) {
  static const char *const runc[VALUES] = { "/init_process_pid", "/init_process_start", "/config/labels" };
  static const char *const crun[VALUES] = { "/pid", "/process-start-time", "/bundle" };
  const bool is_crun = kind == RUNTIME_CRUN;
  const char *name = is_crun ? "status" : "state.json";
  const char *const *pointers = is_crun ? crun : runc;
  json_t *values[VALUES] = { NULL };
  if (!(process_only && pick_process(dirfd, name, pointers, values)) &&
      read_values(dirfd, name, pointers, values, err) < 0)
    return -1;
  *ret_pid = (pid_t)json_integer_value(values[PID]);
  *ret_start = (uint64_t)json_integer_value(values[START]);
  r->bundle = bundle_of(values[BUNDLE]);
  forget(values);
  return 0;
}

static int read_some(struct record *ret, const char *root, const char *id, enum runtime_kind kind,
                     bool process_only, struct error *err) {
  *ret = (struct record){ 0 };
  CLEANUP_FREE char *dir = xasprintf("%s/%s", root, id);
  CLEANUP_FD int dirfd = path_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  if (dirfd < 0 && (errno == ENOENT || errno == ENOTDIR))
    return 0;
  if (dirfd < 0)
    return error_set(err, ERROR_SYSTEM, errno, "the runtime's record %s", dir);
  ret->exists = true;
  /* Both remove it when the container is started. */
  ret->created = faccessat(dirfd, "exec.fifo", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  if (!ret->created && errno != ENOENT)
    return error_set(err, ERROR_SYSTEM, errno, "the runtime's record %s", dir);
  pid_t pid = 0;
  uint64_t start = 0;
  if (read_record(ret, dirfd, kind, process_only, &pid, &start, err) < 0)
    return -1;
  ret->readable = pid > 0;
  uint64_t now;
  if (!process_start_known(pid, &now))
    return error_set(err, ERROR_SYSTEM, 0, "whether process %d lives cannot be told", (int)pid);
  ret->alive = now != 0 && (start == 0 || now == start);
  ret->pid = ret->alive ? pid : 0;
  ret->start = ret->alive ? now : 0;
  return 0;
}

int record_read(struct record *ret, const char *root, const char *id, enum runtime_kind kind,
                struct error *err) {
  return read_some(ret, root, id, kind, false, err);
}

int record_read_process(struct record *ret, const char *root, const char *id, enum runtime_kind kind,
                        struct error *err) {
  return read_some(ret, root, id, kind, true, err);
}

int record_read_any(struct record *ret, const char *root, const char *id, enum runtime_kind *ret_kind,
                    struct error *err) {
  static const char *const files[] = { [RUNTIME_RUNC] = "state.json", [RUNTIME_CRUN] = "status" };
  *ret = (struct record){ 0 };
  for (enum runtime_kind kind = RUNTIME_RUNC; kind <= RUNTIME_CRUN; kind++) {
    CLEANUP_FREE char *path = xasprintf("%s/%s/%s", root, id, files[kind]);
    if (access(path, F_OK) < 0)
      continue;
    *ret_kind = kind;
    return record_read(ret, root, id, kind, err);
  }
  return 0;
}

void record_free(struct record *r) {
  free(r->bundle);
  *r = (struct record){ 0 };
}
