/* SPDX-License-Identifier: Apache-2.0 */
#include "install/programs.h"

#include "install/daemons.h"
#include "install/plan.h"
#include "io/fileio.h"
#include "io/jsonx.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#define WRAPPER "oci-harden"
#define RECORD INSTALL_DIR "/programs.json"

enum { PROGRAM_LIMIT = 64 << 20 };

void programs_free(struct programs *p) {
  free(p->dir);
  free(p->from);
  strlist_free(&p->put);
  strlist_free(&p->todo);
  strlist_free(&p->copy);
  strlist_free(&p->waiting);
}

static const struct jsonx_row rows[] = {
  { .key = "dir", .type = JSONX_STRING, .offset = offsetof(struct programs, dir) },
  { .key = "put", .type = JSONX_STRINGS, .offset = offsetof(struct programs, put) },
  { .key = "waiting", .type = JSONX_STRINGS, .offset = offsetof(struct programs, waiting) },
  { 0 },
};

int programs_load(const struct host *h, struct programs *ret, struct error *err) {
  CLEANUP_HOST_FILE struct host_file file = { 0 };
  json_auto_t *json = NULL;
  if (host_read(h, RECORD, JSONX_LIMIT_DEFAULT, &file, err) < 0)
    return -1;
  const struct jsonx_source src = { RECORD, file.text, file.len };
  return file.text && (jsonx_parse(&src, file.len, &json, err) < 0 ||
                       jsonx_decode(json, &src, "", rows, ret, err) < 0)
             ? -1
             : 0;
}

static int save(const struct host *h, const struct programs *p, struct error *err) {
  const struct stat own = { .st_mode = 0600, .st_uid = geteuid(), .st_gid = getegid() };
  CLEANUP_STR struct str text = { 0 };
  json_auto_t *json = jsonx_encode(rows, p);
  jsonx_dump_pretty(json, &text);
  return host_write(h, RECORD, text.data, text.len, &own, err);
}

int program_check(const struct host *h, const char *path, struct error *err) {
  struct stat st;
  bool there;
  if (host_stat(h, path, &there, &st, err) < 0)
    return -1;
  if (!there)
    return error_set(err, ERROR_REFUSED, 0, "%s is not there", path);
  if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
    return error_set(err, ERROR_REFUSED, 0, "%s is no program: it is not a file that can be executed", path);
  if (!file_owner_is_trusted(st.st_uid) || st.st_mode & (S_IWGRP | S_IWOTH))
    return error_set(
        err, ERROR_REFUSED, 0,
        "%s can be changed by others than root (uid %u, mode %04o), and engines would run it as root; "
        "chown root and chmod 755 it",
        path, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
  return 0;
}

static char *own_dir(void) {
  char path[PATH_MAX];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n <= 0)
    return NULL;
  path[n] = '\0';
  *strrchr(path, '/') = '\0';
  return xstrdup(*path ? path : "/");
}

static int find_dir(const struct host *h, struct programs *p, struct error *err) {
  const char *const dirs[] = { h->is_here ? p->from : NULL, "/usr/local/sbin", "/usr/sbin" };
  for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
    struct stat st;
    bool there;
    if (!dirs[i])
      continue;
    CLEANUP_FREE char *path = xasprintf("%s/" WRAPPER, dirs[i]);
    if (host_stat(h, path, &there, &st, err) < 0)
      return -1;
    if (there) {
      p->dir = xstrdup(dirs[i]);
      return 0;
    }
  }
  return error_set(err, ERROR_REFUSED, 0,
                   "the host has no " WRAPPER
                   " in /usr/local/sbin or /usr/sbin; install it (make install), name its "
                   "directory by --bin-dir, or have it copied by --copy");
}

/* Which of the programs beside hardenctl are not the ones that the host has. */
static int compare(const struct host *h, struct programs *p, struct error *err) {
  static const char *const names[] = { WRAPPER, "oci-harden-hook", "hardenctl" };
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    CLEANUP_FREE char *mine = xasprintf("%s/%s", p->from, names[i]);
    CLEANUP_FREE char *theirs = xasprintf("%s/%s", p->dir, names[i]);
    CLEANUP_HOST_FILE struct host_file have = { 0 };
    CLEANUP_FREE char *text = NULL;
    size_t len;
    if (file_read(AT_FDCWD, mine, RESOLVE_TRUSTED, PROGRAM_LIMIT, &text, &len, NULL, err) < 0 ||
        host_read(h, theirs, PROGRAM_LIMIT, &have, err) < 0)
      return -1;
    if (have.text && have.len == len && memcmp(have.text, text, len) == 0)
      continue;
    if (have.text && !strlist_has(&p->put, theirs))
      return error_set(err, ERROR_REFUSED, 0,
                       "%s is another one, and hardenctl did not put it there; choose another --bin-dir",
                       theirs);
    strlist_add(&p->copy, names[i]);
  }
  return 0;
}

int programs_look(const struct host *h, const char *dir, bool copy, struct programs *ret, struct error *err) {
  if (programs_load(h, ret, err) < 0)
    return -1;
  ret->from = own_dir();
  if (!dir && copy && !ret->dir)
    dir = "/usr/local/sbin";
  if (dir) {
    free(ret->dir);
    ret->dir = path_normalise(dir);
  }
  if (ret->dir && !path_is_clean(ret->dir))
    return error_set(err, ERROR_USAGE, 0, "--bin-dir %s is not an absolute path without \"..\"", ret->dir);
  if (!ret->dir && find_dir(h, ret, err) < 0)
    return -1;
  if (copy && compare(h, ret, err) < 0)
    return -1;
  CLEANUP_FREE char *path = xasprintf("%s/" WRAPPER, ret->dir);
  return strlist_has(&ret->copy, WRAPPER) ? 0 : program_check(h, path, err);
}

int programs_of_policy(const struct host *h, struct programs *p, const char *policy, char **ret_path,
                       struct error *err) {
  CLEANUP_FREE char *wrapper = xasprintf("%s/" WRAPPER, p->dir);
  CLEANUP_FREE char *link = policy ? xasprintf("%s-%s", wrapper, policy) : xstrdup(wrapper);
  struct stat a, b;
  bool have_wrapper, have_link;
  if (host_stat(h, wrapper, &have_wrapper, &a, err) < 0 || host_stat(h, link, &have_link, &b, err) < 0)
    return -1;
  if (policy && !have_link) {
    strlist_add_once(&p->todo, link);
  } else if (policy && have_wrapper && (a.st_dev != b.st_dev || a.st_ino != b.st_ino)) {
    return error_set(err, ERROR_REFUSED, 0, "%s is there, and is no link to %s; take it away", link, wrapper);
  }
  *ret_path = steal_ptr(&link);
  return 0;
}

/* Remembered first: what is there and not remembered would stay for ever. */
static int remember(const struct host *h, struct programs *p, const char *path, struct error *err) {
  if (strlist_has(&p->put, path))
    return 0;
  strlist_add(&p->put, path);
  return save(h, p, err);
}

static int copy_program(const struct host *h, struct programs *p, const char *name, struct error *err) {
  const struct stat like = { .st_mode = 0755, .st_uid = geteuid(), .st_gid = getegid() };
  CLEANUP_FREE char *mine = xasprintf("%s/%s", p->from, name);
  CLEANUP_FREE char *theirs = xasprintf("%s/%s", p->dir, name);
  CLEANUP_FREE char *text = NULL;
  size_t len;
  return file_read(AT_FDCWD, mine, RESOLVE_TRUSTED, PROGRAM_LIMIT, &text, &len, NULL, err) < 0 ||
                 remember(h, p, theirs, err) < 0 || host_write(h, theirs, text, len, &like, err) < 0
             ? -1
             : 0;
}

int programs_put(const struct host *h, struct programs *p, struct error *err) {
  for (size_t i = 0; i < p->copy.len; i++)
    if (copy_program(h, p, p->copy.items[i], err) < 0)
      return -1;
  for (size_t i = 0; i < p->todo.len; i++) {
    const char *link = p->todo.items[i];
    CLEANUP_FD int dir = path_open(h->fd, p->dir, O_PATH | O_DIRECTORY, 0, RESOLVE_ROOTFS);
    if (remember(h, p, link, err) < 0)
      return -1;
    if (dir < 0 || (symlinkat(WRAPPER, dir, strrchr(link, '/') + 1) < 0 && errno != EEXIST))
      return error_set(err, ERROR_SYSTEM, errno, "cannot make the link %s", link);
  }
  strlist_clear(&p->copy);
  strlist_clear(&p->todo);
  return 0;
}

int programs_wait(const struct host *h, const char *engine, const char *at, const char *file,
                  struct error *err) {
  CLEANUP_PROGRAMS struct programs p = { 0 };
  if (programs_load(h, &p, err) < 0)
    return -1;
  if (p.put.len == 0)
    return 0;
  CLEANUP_STRLIST struct strlist others = { 0 };
  for (size_t i = 0; i < p.waiting.len; i++)
    if (!str_starts(p.waiting.items[i], engine) || p.waiting.items[i][strlen(engine)] != ' ')
      strlist_add(&others, p.waiting.items[i]);
  strlist_add_new(&others, xasprintf("%s %s %s", engine, at, file));
  strlist_copy(&p.waiting, &others);
  return save(h, &p, err);
}

int programs_waited_for(const struct host *h, const struct programs *p, struct strlist *ret,
                        struct error *err) {
  for (size_t i = 0; h->is_here && i < p->waiting.len; i++) {
    CLEANUP_FREE char *name = xstrdup(p->waiting.items[i]);
    char *at = strchr(name, ' '), *file = at ? strchr(at + 1, ' ') : NULL;
    pid_t pid = 0;
    if (!file)
      continue;
    *at++ = *file++ = '\0';
    const struct engine *engine = engine_find(name);
    if (!engine || !engine->daemon)
      continue;
    if (daemon_older(engine->daemon, file, at, &pid, err) < 0)
      return -1;
    if (pid)
      strlist_add_new(ret, xasprintf("%s (pid %d), until it is restarted", engine->daemon, (int)pid));
  }
  return 0;
}

int programs_remove(const struct host *h, const struct programs *p, struct error *err) {
  for (size_t i = 0; i < p->put.len; i++)
    if (host_remove(h, p->put.items[i], err) < 0)
      return -1;
  return host_remove(h, RECORD, err);
}
