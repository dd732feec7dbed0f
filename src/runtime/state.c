/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/state.h"

#include "base/cleanup.h"
#include "base/sha256.h"
#include "base/str.h"
#include "io/fileio.h"
#include "io/jsonx.h"
#include "runtime/command.h"
#include "runtime/record.h"
#include "runtime/state_json.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define STATE_FILE "state.json"
enum { RACES_MAX = 100, LIMIT = 64 << 20 };

char *state_root_name(const char *root) {
  CLEANUP_STR struct str name = { 0 };
  if (strcmp(root, "/") == 0)
    str_add(&name, "-");
  for (const unsigned char *p = (const unsigned char *)root + (*root == '/' && root[1]); *p; p++) {
    if (*p == '/')
      str_add(&name, "-");
    else if (isalnum(*p) || (*p == '.' && name.len > 0))
      str_add_mem(&name, p, 1);
    else
      str_addf(&name, "_%02x", *p);
  }
  if (name.len > NAME_MAX || name.len == 0) {
    char hex[SHA256_HEX];
    sha256_hex(root, strlen(root), hex);
    return xasprintf("_sha256_%s", hex); /* "_sh" is no escape */
  }
  return str_steal(&name);
}

static char *container_dir(const char *state_dir, const char *root, const char *id) {
  CLEANUP_FREE char *name = state_root_name(root);
  return xasprintf("%s/%s/%s", state_dir, name, id);
}

int state_check(int fd, const char *path, struct error *err) {
  struct stat st;
  if (fstat(fd, &st) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "state %s", path);
  if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
    return error_set_rule(
        err, ERROR_POLICY, "OH-STA-001",
        "state %s is not trusted: owner %u, mode %04o; remove it, or chown and chmod 700 it", path,
        (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
  return 0;
}

/* The container's directory, then the root's, where nothing is in them; others may be faster. */
static void remove_if_empty(const char *dir) {
  CLEANUP_FREE char *path = xstrdup(dir);
  if (rmdir(path) < 0 && errno != ENOENT)
    return;
  *strrchr(path, '/') = '\0';
  (void)rmdir(path);
}

static int open_dir(const char *path, bool make, int *ret_fd, struct error *err) {
  /* A delete may remove the root's directory between our mkdir and our open. */
  for (int race = 0; race < RACES_MAX; race++) {
    if (make && path_make_dirs(path, 0700, err) < 0) {
      if (err->sys == ENOENT)
        continue;
      return error_wrap(err, "state");
    }
    CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, RESOLVE_LEAF);
    if (fd >= 0) {
      if (state_check(fd, path, err) < 0)
        return -1;
      *ret_fd = steal_fd(&fd);
      return 0;
    }
    if (errno != ENOENT)
      return error_set(err, ERROR_SYSTEM, errno, "state %s", path);
    if (!make)
      return 0;
  }
  return error_set(err, ERROR_SYSTEM, EAGAIN, "state %s", path);
}

int state_open(const char *state_dir, const char *root, const char *id, bool make, int *ret_fd,
               struct error *err) {
  CLEANUP_FREE char *path = container_dir(state_dir, root, id);
  *ret_fd = -1;
  int result = open_dir(path, make, ret_fd, err);
  if (result < 0 && make)
    remove_if_empty(path);
  return result;
}

static int lock_dir(const char *path, const char *id, bool make, int *ret_fd, struct error *err) {
  for (int race = 0; race < RACES_MAX; race++) {
    CLEANUP_FD int fd = -1;
    if (open_dir(path, make, &fd, err) < 0)
      return -1;
    if (fd < 0)
      return 0;
    int locked;
    do
      locked = flock(fd, LOCK_EX);
    while (locked < 0 && errno == EINTR);
    struct stat st;
    if (locked < 0 || fstat(fd, &st) < 0)
      return error_set(err, ERROR_SYSTEM, errno, "cannot lock the state of %s", id);
    if (st.st_nlink == 0)
      continue; /* who held the lock removed the directory */
    *ret_fd = steal_fd(&fd);
    return 0;
  }
  return error_set(err, ERROR_SYSTEM, EAGAIN, "cannot lock the state of %s", id);
}

int state_lock(const char *state_dir, const char *root, const char *id, bool make, int *ret_fd,
               struct error *err) {
  CLEANUP_FREE char *path = container_dir(state_dir, root, id);
  *ret_fd = -1;
  int result = lock_dir(path, id, make, ret_fd, err);
  if (result < 0 && make)
    remove_if_empty(path);
  return result;
}

int state_save(int fd, const struct state *state, struct error *err) {
  CLEANUP_STR struct str bytes = { 0 };
  state_encode(state, &bytes);
  if (file_replace(fd, STATE_FILE, bytes.data, bytes.len, NULL, err) < 0)
    return error_wrap(err, "state of %s", state->id);
  return 0;
}

int state_load(int fd, struct state *ret, bool *ret_found, struct error *err) {
  *ret = (struct state){ 0 };
  *ret_found = false;
  if (fd < 0)
    return 0;
  if (faccessat(fd, STATE_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? 0 : error_set(err, ERROR_SYSTEM, errno, "state");
  CLEANUP_FREE char *text = NULL;
  size_t len;
  if (file_read(fd, STATE_FILE, RESOLVE_INSIDE, LIMIT, &text, &len, NULL, err) < 0)
    return error_wrap(err, "state");
  const struct jsonx_source src = { STATE_FILE, text, len };
  if (state_decode(ret, &src, err) < 0)
    return error_wrap(err, "the container's state cannot be used; delete the container and make it anew");
  *ret_found = true;
  return 0;
}

static DIR *list(int fd) {
  CLEANUP_FD int copy = path_open(fd, ".", O_RDONLY | O_DIRECTORY, 0, RESOLVE_INSIDE);
  DIR *dir = copy < 0 ? NULL : fdopendir(copy);
  if (dir)
    (void)steal_fd(&copy);
  return dir;
}

bool state_is_orphan(const char *name) {
  const char *digits = strchr(name, '-');
  char *end;
  if (!digits || !isdigit((unsigned char)digits[1]))
    return false;
  long pid = strtol(digits + 1, &end, 10);
  if (*end != '-' || pid <= 0 || pid > INT_MAX)
    return false;
  uint64_t start = strtoull(end + 1, &end, 10);
  uint64_t now;
  return strcmp(end, ".json") == 0 && process_start_known((pid_t)pid, &now) && now != start;
}

static void remove_files(int fd, bool orphans_only) {
  CLEANUP_DIR DIR *dir = list(fd);
  for (struct dirent *entry; dir && (entry = readdir(dir));)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
        (!orphans_only || state_is_orphan(entry->d_name)))
      unlinkat(fd, entry->d_name, 0);
}

int state_private_file(const char *state_dir, const char *root, const char *id, const char *kind,
                       const void *data, size_t len, char **ret_path, struct error *err) {
  CLEANUP_FD int fd = -1;
  if (state_lock(state_dir, root, id, true, &fd, err) < 0)
    return -1;
  remove_files(fd, true);
  uint64_t start;
  if (!process_start_known(getpid(), &start))
    return error_set(err, ERROR_SYSTEM, 0, "state of %s: our own start time cannot be read", id);
  CLEANUP_FREE char *name = xasprintf("%s-%d-%llu.json", kind, (int)getpid(), (unsigned long long)start);
  CLEANUP_FREE char *dir = container_dir(state_dir, root, id);
  *ret_path = xasprintf("%s/%s", dir, name);
  if (file_replace(fd, name, data, len, NULL, err) < 0)
    return error_wrap(err, "state of %s", id);
  return 0;
}

void state_tidy(const char *state_dir, const char *root, const char *id) {
  CLEANUP_FREE char *dir = container_dir(state_dir, root, id);
  remove_if_empty(dir);
}

int state_remove(const char *state_dir, const char *root, const char *id, struct error *err) {
  CLEANUP_FD int fd = -1;
  if (state_lock(state_dir, root, id, false, &fd, err) < 0)
    return -1;
  CLEANUP_FREE char *path = container_dir(state_dir, root, id);
  if (fd >= 0) {
    remove_files(fd, false);
    if (rmdir(path) < 0 && errno != ENOENT)
      return error_set(err, ERROR_SYSTEM, errno, "state %s", path);
  }
  *strrchr(path, '/') = '\0';
  if (rmdir(path) < 0 && errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT)
    return error_set(err, ERROR_SYSTEM, errno, "state %s", path);
  return 0;
}
