/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/bundle.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "io/fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_STEP_MS = 5, LOCK_LIMIT_MS = 30000 };

/* config.json and config.engine.json, spec and spec.engine */
static void set_names(struct bundle *b, const char *name) {
  const size_t stem = strlen(name) - (str_ends(name, ".json") ? strlen(".json") : 0);
  b->name = xstrdup(name);
  b->backup = xasprintf("%.*s.engine%s", (int)stem, name, name + stem);
}

/* flock(2) goes with the open file: a wrapper that dies lets go, and exec closes the fd. Somebody else's lock
 * on the directory must not hold a node's containers for ever. */
static int lock(int fd, const char *path, struct error *err) {
  for (int waited = 0;; waited += LOCK_STEP_MS) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
      return 0;
    if (errno != EWOULDBLOCK && errno != EINTR)
      return error_set(err, ERROR_SYSTEM, errno, "cannot lock %s", path);
    if (waited >= LOCK_LIMIT_MS)
      return error_set_rule(err, ERROR_SYSTEM, "OH-RUN-006",
                            "%s is locked by another process for %d seconds; find it with lsof or fuser",
                            path, LOCK_LIMIT_MS / 1000);
    nanosleep(&(struct timespec){ .tv_nsec = LOCK_STEP_MS * 1000000L }, NULL);
  }
}

/* crun takes a relative --config from the current directory, but the plain name config.json from the bundle.
 */
static int open_config_dir(struct bundle *b, const char *config, struct error *err) {
  if (!config || strcmp(config, "config.json") == 0) {
    set_names(b, "config.json");
    b->file = xasprintf("%s/config.json", b->path);
    b->dir = path_open(b->fd, ".", O_RDONLY | O_DIRECTORY, 0, RESOLVE_INSIDE);
    return b->dir < 0 ? error_set(err, ERROR_SYSTEM, errno, "bundle %s", b->path) : 0;
  }
  CLEANUP_FREE char *real = realpath(config, NULL);
  if (!real)
    return error_set(err, ERROR_SYSTEM, errno, "config file %s", config);
  b->file = xstrdup(real);
  char *slash = strrchr(real, '/');
  set_names(b, slash + 1);
  *slash = '\0';
  b->dir = path_open(AT_FDCWD, *real ? real : "/", O_RDONLY | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  return b->dir < 0 ? error_set(err, ERROR_SYSTEM, errno, "directory of %s", config) : 0;
}

int bundle_open(struct bundle *ret, const char *path, const char *config, size_t limit, struct error *err) {
  CLEANUP_BUNDLE struct bundle b = BUNDLE_NONE;
  const char *name = path && *path ? path : ".";
  b.path = realpath(name, NULL);
  if (b.path)
    b.fd = path_open(AT_FDCWD, b.path, O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  if (b.fd < 0)
    return error_set(err, ERROR_SYSTEM, errno, "bundle %s", name);
  if (open_config_dir(&b, config, err) < 0 || lock(b.dir, b.path, err) < 0)
    return -1;
  if (file_read(b.dir, b.name, RESOLVE_INSIDE, limit, &b.text, &b.src.len, &b.st, err) < 0)
    return error_wrap(err, "bundle %s", b.path);
  b.src.text = b.text;
  b.src.name = b.name;
  *ret = b;
  b = (struct bundle)BUNDLE_NONE;
  return 0;
}

static bool same_time(const struct timespec *a, const struct timespec *b) {
  return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* A second run over the same bundle must keep the engine's text, not our own earlier output. Our output and
 * the backup are given the same modification time, which an engine's rewrite changes. */
static bool is_our_output(const struct bundle *b) {
  struct stat backup;
  return fstatat(b->dir, b->backup, &backup, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(backup.st_mode) &&
         backup.st_uid == geteuid() && same_time(&backup.st_mtim, &b->st.st_mtim);
}

int bundle_take_kept(struct bundle *b, size_t limit, bool *ret_done, struct error *err) {
  CLEANUP_FREE char *text = NULL;
  size_t len;
  struct stat backup;
  *ret_done = fstatat(b->dir, b->backup, &backup, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(backup.st_mode) &&
              backup.st_uid == geteuid();
  if (!*ret_done)
    return 0;
  if (file_read(b->dir, b->backup, RESOLVE_INSIDE, limit, &text, &len, NULL, err) < 0)
    return error_wrap(err, "bundle %s", b->path);
  free(b->text);
  b->text = steal_ptr(&text);
  b->src.text = b->text;
  b->src.len = len;
  return 0;
}

static void tie_times(const struct bundle *b) {
  struct stat st;
  if (fstatat(b->dir, b->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return;
  const struct timespec times[] = { st.st_mtim, st.st_mtim };
  if (utimensat(b->dir, b->backup, times, AT_SYMLINK_NOFOLLOW) < 0)
    return; /* the next run takes our output for the engine's: the record suffers, nothing else */
}

int bundle_replace(struct bundle *b, const void *data, size_t len, struct error *err) {
  if (!is_our_output(b)) {
    if (file_replace(b->dir, b->backup, b->text, b->src.len, NULL, err) < 0)
      return error_wrap(err, "bundle %s: the engine's config cannot be kept as %s", b->path, b->backup);
    b->kept = true;
  }
  if (file_replace(b->dir, b->name, data, len, &b->st, err) < 0)
    return error_wrap(err, "bundle %s", b->path);
  b->replaced = true;
  tie_times(b);
  return 0;
}

int bundle_revert(struct bundle *b, struct error *err) {
  if (b->replaced && file_replace(b->dir, b->name, b->text, b->src.len, &b->st, err) < 0)
    return error_wrap(err, "bundle %s: the engine's text is in %s", b->path, b->backup);
  b->replaced = false;
  if (b->kept && unlinkat(b->dir, b->backup, 0) < 0 && errno != ENOENT)
    return error_set(err, ERROR_SYSTEM, errno, "bundle %s: %s stays", b->path, b->backup);
  b->kept = false;
  return 0;
}

void bundle_close(struct bundle *b) {
  cleanup_fd_p(&b->fd);
  cleanup_fd_p(&b->dir);
  free(b->path);
  free(b->file);
  free(b->name);
  free(b->backup);
  free(b->text);
  *b = (struct bundle)BUNDLE_NONE;
}
