/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/leftover.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "idmap/stage.h"
#include "io/fileio.h"
#include "io/path.h"
#include "runtime/command.h"
#include "runtime/lease.h"
#include "runtime/record.h"
#include "runtime/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct scan {
  bool remove;
  const char *root; /* the runtime's; NULL: not known. What it knows is not examined */
  void (*found)(const struct leftover *, void *);
  void *arg;
};

static void tell(const struct scan *s, enum leftover_kind kind, const char *path, const char *why) {
  const struct leftover l = { kind, path, why };
  s->found(&l, s->arg);
}

/* The order matters: a runtime makes its directory before it ends, so one that is gone and left none never
 * will. */
static bool is_gone(const struct state *state) {
  uint64_t start;
  if (!process_start_known(state->creator, &start) || start == state->creator_start)
    return false;
  CLEANUP_FREE char *path = xasprintf("%s/%s", state->root, state->id);
  return access(path, F_OK) < 0 && errno == ENOENT;
}

static int remove_dir(const struct scan *s, enum leftover_kind kind, const char *path, struct error *err) {
  if (s->remove && rmdir(path) < 0)
    return errno == ENOTEMPTY || errno == ENOENT ? 0 : error_set(err, ERROR_SYSTEM, errno, "state %s", path);
  tell(s, kind, path, NULL);
  return 0;
}

/* A half-written file: its writer held the lock that is ours now. */
static bool is_temporary(const char *name) {
  return name[0] == '.';
}

/* Files of the container in `fd`: all, or those of processes that are gone. Counts what stays. */
static int remove_files(const struct scan *s, int fd, const char *path, bool all, size_t *ret_kept,
                        struct error *err) {
  *ret_kept = 0;
  CLEANUP_DIR DIR *dir = opendir(path);
  for (struct dirent *entry; dir && (entry = readdir(dir));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
      continue;
    if (!all && !is_temporary(entry->d_name) && !state_is_orphan(entry->d_name)) {
      ++*ret_kept;
      continue;
    }
    if (s->remove && unlinkat(fd, entry->d_name, 0) < 0 && errno != ENOENT)
      return error_set(err, ERROR_SYSTEM, errno, "state %s/%s", path, entry->d_name);
    CLEANUP_FREE char *file = xasprintf("%s/%s", path, entry->d_name);
    if (!all)
      tell(s, LEFTOVER_FILE, file, NULL);
  }
  return 0;
}

/* Under the container's lock, so that nobody is about to write what is examined. */
static int scan_locked(const struct scan *s, int fd, const char *path, struct error *err) {
  CLEANUP_STATE struct state state = { 0 };
  struct error why = { 0 };
  bool found = false;
  size_t kept;
  if (state_check(fd, path, &why) < 0 || state_load(fd, &state, &found, &why) < 0) {
    tell(s, LEFTOVER_UNKNOWN, path, why.message);
    return 0;
  }
  const bool gone = found && is_gone(&state);
  if (gone && s->remove && state.map.place)
    stage_remove_place(state.map.place);
  if (remove_files(s, fd, path, gone, &kept, err) < 0)
    return -1;
  if (gone)
    return remove_dir(s, LEFTOVER_GONE, path, err);
  return kept ? 0 : remove_dir(s, LEFTOVER_EMPTY, path, err);
}

static bool is_known(const struct scan *s, const char *path) {
  CLEANUP_FREE char *directory = s->root ? xasprintf("%s%s", s->root, strrchr(path, '/')) : NULL;
  return directory && access(directory, F_OK) == 0;
}

static int scan_container(const struct scan *s, const char *path, struct error *err) {
  if (is_known(s, path))
    return 0;
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, RESOLVE_LEAF);
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) {
    if (errno != ENOENT)
      tell(s, LEFTOVER_UNKNOWN, path, "it is no directory");
    return 0;
  }
  if (fd < 0)
    return error_set(err, ERROR_SYSTEM, errno, "state %s", path);
  if (flock(fd, LOCK_EX | LOCK_NB) < 0)
    return 0;
  return scan_locked(s, fd, path, err);
}

static int scan_tree(const struct scan *s, const char *path, struct error *err,
                     int (*each)(const struct scan *s, const char *path, struct error *err)) {
  CLEANUP_DIR DIR *dir = opendir(path);
  if (!dir)
    return errno == ENOENT || errno == ENOTDIR ? 0 : error_set(err, ERROR_SYSTEM, errno, "state %s", path);
  for (struct dirent *entry; (entry = readdir(dir));) {
    CLEANUP_FREE char *child = xasprintf("%s/%s", path, entry->d_name);
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && each(s, child, err) < 0)
      return -1;
  }
  return 0;
}

/* Names that begin with a dot are the node's own: the cache, the leases, the note of lost events. A
 * container's may. */
static int scan_root(const struct scan *s, const char *path, struct error *err) {
  if (strrchr(path, '/')[1] == '.')
    return 0;
  if (scan_tree(s, path, err, scan_container) < 0)
    return -1;
  /* Goes when it is empty. A create that wanted to make a container in it makes it anew. */
  if (s->remove && rmdir(path) < 0 && errno != ENOTEMPTY && errno != ENOENT && errno != ENOTDIR)
    return error_set(err, ERROR_SYSTEM, errno, "state %s", path);
  return 0;
}

static void tell_lease(const struct lease_record *r, void *arg) {
  if (!r->stale)
    return;
  CLEANUP_FREE char *path = xasprintf("%s/%llu", r->kind, (unsigned long long)r->number);
  tell(arg, LEFTOVER_LEASE, path, NULL);
}

int leftover_scan(const char *state_dir, bool remove, void (*found)(const struct leftover *l, void *arg),
                  void *arg, struct error *err) {
  struct scan s = { remove, NULL, found, arg };
  if (scan_tree(&s, state_dir, err, scan_root) < 0)
    return -1;
  return lease_scan(state_dir, remove, tell_lease, &s, err);
}

static void ignore(const struct leftover *l, void *arg) {
  (void)l;
  (void)arg;
}

void leftover_collect(const char *state_dir, const char *root) {
  const struct scan s = { true, root, ignore, NULL };
  struct error ignored = { 0 };
  CLEANUP_FREE char *name = state_root_name(root);
  CLEANUP_FREE char *path = xasprintf("%s/%s", state_dir, name);
  if (scan_tree(&s, path, &ignored, scan_container) < 0)
    return; /* the rest is for the next */
}

/* A directory has a link for each one in it; 0 and 1 where the file system does not count them. */
static nlink_t links(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? st.st_nlink : 0;
}

bool leftover_likely(const char *state_dir, const char *root) {
  CLEANUP_FREE char *name = state_root_name(root);
  CLEANUP_FREE char *path = xasprintf("%s/%s", state_dir, name);
  const nlink_t ours = links(path);
  return ours > 2 && ours > links(root);
}
