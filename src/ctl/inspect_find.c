/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/str.h"
#include "ctl/inspect.h"
#include "io/path.h"
#include "runtime/command.h"
#include "runtime/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

enum {
  PID_DIGITS = 7
}; /* of the kernel's highest pid, 4194304; an id of docker's may be all digits, but longer */

/* Where engines and people keep their containers: the runtimes' defaults, containerd, docker; of users too.
 */
static const char *const usual_roots[] = {
  "/run/runc",        "/run/crun",        "/run/containerd/runc/*",        "/run/docker/runtime-*/*",
  "/run/user/*/runc", "/run/user/*/crun", "/run/user/*/containerd/runc/*", "/run/user/*/docker/runtime-*/*",
};

/* Adds ROOT/ID once for each directory of root that is named `name`, or begins with it. */
static void search_root(const char *root, const char *name, bool whole, struct strlist *found) {
  CLEANUP_DIR DIR *dir = opendir(root);
  for (const struct dirent *entry; dir && (entry = readdir(dir));) {
    struct error ignored = { 0 };
    if (whole ? strcmp(entry->d_name, name) != 0 : !str_starts(entry->d_name, name))
      continue;
    CLEANUP_FREE char *path = xasprintf("%s/%s", root, entry->d_name);
    CLEANUP_RECORD struct record record = { 0 };
    enum runtime_kind kind;
    if (command_check_id(entry->d_name, &ignored) < 0 || strlist_has(found, path))
      continue;
    if (record_read_any(&record, root, entry->d_name, &kind, &ignored) == 0 && record.exists)
      strlist_add(found, path);
  }
}

/* The roots that our own state tells of. A directory there is a root's name escaped: one of the states in it
 * is asked. */
static void add_state_roots(const char *state_dir, struct strlist *roots) {
  glob_t states;
  size_t asked = 0; /* bytes of the path of the directory that has answered */
  CLEANUP_FREE char *pattern = xasprintf("%s/*/*", state_dir);
  if (glob(pattern, 0, NULL, &states) != 0)
    return;
  for (size_t i = 0; i < states.gl_pathc; i++) {
    const char *path = states.gl_pathv[i];
    struct error ignored = { 0 };
    CLEANUP_STATE struct state state = { 0 };
    bool there = false;
    if (asked > 0 && strncmp(path, states.gl_pathv[i - 1], asked) == 0)
      continue;
    asked = 0;
    CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, RESOLVE_LEAF);
    if (fd < 0 || state_check(fd, path, &ignored) < 0 || state_load(fd, &state, &there, &ignored) < 0 ||
        !there)
      continue;
    asked = (size_t)(strrchr(path, '/') - path) + 1;
    strlist_add_once(roots, state.root);
  }
  globfree(&states);
}

static void add_usual_roots(struct strlist *roots) {
  for (size_t i = 0; i < ARRAY_SIZE(usual_roots); i++) {
    glob_t found;
    if (glob(usual_roots[i], GLOB_ONLYDIR, NULL, &found) != 0)
      continue;
    for (size_t k = 0; k < found.gl_pathc; k++) {
      CLEANUP_FREE char *real = realpath(found.gl_pathv[k], NULL);
      if (real && !strlist_has(roots, real))
        strlist_add(roots, real);
    }
    globfree(&found);
  }
}

static int choose(const char *name, const struct strlist *roots, struct strlist *found, struct error *err) {
  for (size_t i = 0; i < roots->len; i++)
    search_root(roots->items[i], name, true, found);
  for (size_t i = 0; found->len == 0 && i < roots->len; i++)
    search_root(roots->items[i], name, false, found);
  if (found->len == 1)
    return 0;
  CLEANUP_STR struct str list = { 0 };
  const struct strlist *said = found->len ? found : roots;
  for (size_t i = 0; i < said->len; i++)
    str_addf(&list, "%s%s", i ? ", " : "", said->items[i]);
  if (found->len == 0)
    return error_set(err, ERROR_USAGE, 0, "no container '%s' in %s; --root names another root", name,
                     list.len ? list.data : "any root that is known");
  return error_set(err, ERROR_USAGE, 0, "'%s' may be any of %s; name one as ROOT/ID", name, list.data);
}

static int find_container(struct subject *s, const char *name, const char *root, const struct config *config,
                          struct error *err) {
  CLEANUP_STRLIST struct strlist roots = { 0 };
  CLEANUP_STRLIST struct strlist found = { 0 };
  const char *slash = strrchr(name, '/');
  CLEANUP_FREE char *dir = root ? xstrdup(root) : slash ? xasprintf("%.*s", (int)(slash - name), name) : NULL;
  if (dir) {
    CLEANUP_FREE char *real = realpath(dir, NULL);
    if (!real)
      return error_set(err, ERROR_USAGE, errno, "no root %s", dir);
    strlist_add(&roots, real);
  } else {
    add_state_roots(config->state_dir, &roots);
    add_usual_roots(&roots);
  }
  if (!root && slash)
    name = slash + 1;
  if (command_check_id(name, err) < 0 || choose(name, &roots, &found, err) < 0)
    return -1;
  char *last = strrchr(found.items[0], '/');
  s->id = xstrdup(last + 1);
  s->root = xasprintf("%.*s", (int)(last - found.items[0]), found.items[0]);
  return 0;
}

static int load_state(struct subject *s, const struct config *config, struct error *err) {
  CLEANUP_FD int fd = -1;
  if (state_open(config->state_dir, s->root, s->id, false, &fd, err) < 0)
    return -1;
  return state_load(fd, &s->state, &s->has_state, err);
}

static bool is_pid(const char *name) {
  const size_t digits = strspn(name, "0123456789");
  return digits > 0 && digits <= PID_DIGITS && !name[digits];
}

int subject_find(struct subject *ret, const char *name, const char *root, const struct config *config,
                 struct error *err) {
  *ret = (struct subject){ 0 };
  if (!root && is_pid(name)) {
    ret->pid = (pid_t)strtol(name, NULL, 10);
    return 0;
  }
  if (find_container(ret, name, root, config, err) < 0 || load_state(ret, config, err) < 0)
    return -1;
  CLEANUP_RECORD struct record record;
  if (record_read_any(&record, ret->root, ret->id, &ret->kind, err) < 0)
    return -1;
  if (!record.alive)
    return error_set(err, ERROR_USAGE, 0, "container %s/%s has no process: it was stopped", ret->root,
                     ret->id);
  ret->pid = record.pid;
  ret->start = record.start;
  ret->created = record.created;
  ret->bundle = xstrdup(record.bundle);
  return 0;
}

void subject_free(struct subject *s) {
  free(s->id);
  free(s->root);
  free(s->bundle);
  state_free(&s->state);
  *s = (struct subject){ 0 };
}
