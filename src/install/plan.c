/* SPDX-License-Identifier: Apache-2.0 */
#include "install/plan.h"

#include "base/stamp.h"
#include "install/toml.h"
#include "io/path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

void plan_free(struct plan *p) {
  free(p->file);
  free(p->after);
  free(p->original);
  host_file_free(&p->now);
  installed_free(&p->next);
  strlist_free(&p->notes);
}

const struct engine *engine_find(const char *name) {
  for (const struct engine *e = engines; e->name; e++)
    if (strcmp(e->name, name) == 0)
      return e;
  return NULL;
}

int engine_is_present(const struct host *h, const struct engine *engine, bool *ret, struct error *err) {
  static const char *const dirs[] = { "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin",
                                      "/opt/bin" };
  struct stat unused;
  *ret = false;
  for (size_t i = 0; i < ARRAY_SIZE(dirs) && !*ret; i++) {
    CLEANUP_FREE char *path = xasprintf("%s/%s", dirs[i], engine->present);
    if (host_stat(h, path, ret, &unused, err) < 0)
      return -1;
  }
  for (const char *const *file = engine->present_by; file && *file && !*ret; file++)
    if (host_stat(h, *file, ret, &unused, err) < 0)
      return -1;
  return 0;
}

static bool digest_is(const char *text, size_t len, const char *digest) {
  char have[SHA256_HEX];
  if (!text || !digest)
    return !text && !digest;
  sha256_hex(text, len, have);
  return strcmp(have, digest) == 0;
}

/* The text without anything of ours: what was kept, when nobody has changed the file since; else the file
 * less what we put in. */
static int without_us(const struct host *h, struct plan *p, const struct installed *was, struct error *err) {
  if (!p->known || digest_is(p->now.text, p->now.len, was->before)) {
    p->original = xstrdup(p->now.text);
    return 0;
  }
  if (digest_is(p->now.text, p->now.len, was->after)) {
    CLEANUP_HOST_FILE struct host_file kept = { 0 };
    if (installed_original(h, was, &kept, err) < 0)
      return -1;
    p->original = steal_ptr(&kept.text);
    return 0;
  }
  if (!p->now.text) {
    strlist_add_new(&p->notes, xasprintf("%s was removed since: it stays so", was->file));
    return 0;
  }
  const struct config_text in = { .name = p->file, .text = p->now.text, .len = p->now.len };
  CLEANUP_STR struct str text = { 0 };
  if (p->engine->take_back(&in, &was->handlers, &was->changes, &text, &p->notes, err) < 0)
    return -1;
  strlist_add_new(&p->notes, xasprintf("%s was edited since: only what is ours is taken out", was->file));
  p->original = str_steal(&text);
  return 0;
}

static int begin(const struct host *h, const struct engine *engine, const char *file, struct plan *p,
                 struct installed *ret_was, struct error *err) {
  p->engine = engine;
  if (installed_load(h, engine->name, ret_was, &p->known, err) < 0)
    return -1;
  if (!p->known)
    return engine->find(h, file ? file : engine->file, &p->file, err);
  if (file && strcmp(file, ret_was->file) != 0)
    return error_set(err, ERROR_USAGE, 0, "%s is registered in %s, not in %s: uninstall it there first",
                     engine->name, ret_was->file, file);
  p->file = xstrdup(ret_was->file);
  return 0;
}

static int read_file(const struct host *h, struct plan *p, const struct installed *was, struct error *err) {
  if (host_read(h, p->file, TOML_LIMIT, &p->now, err) < 0)
    return -1;
  if (p->now.text && memchr(p->now.text, '\0', p->now.len))
    return error_set(err, ERROR_INPUT, 0, "%s is no text: it has NUL bytes", p->file);
  return without_us(h, p, was, err);
}

/* The topmost directory that is not there. */
static int missing_dir(const struct host *h, const char *file, char **ret, struct error *err) {
  CLEANUP_FREE char *dir = xstrdup(file);
  for (char *slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    struct stat unused;
    bool there;
    *slash = '\0';
    if (host_stat(h, dir, &there, &unused, err) < 0)
      return -1;
    if (!there) {
      *ret = xstrdup(dir);
      return 0;
    }
    *slash = '/';
  }
  return 0;
}

struct others {
  struct host_file *files;
  struct config_text *texts;
  struct strlist names;
  size_t len;
};
static void others_free(struct others *o) {
  for (size_t i = 0; i < o->len; i++)
    host_file_free(&o->files[i]);
  free(o->files);
  free(o->texts);
  strlist_free(&o->names);
}

static int read_others(const struct host *h, const struct plan *p, struct others *ret, struct error *err) {
  for (const char *const *glob = p->engine->others; glob && *glob; glob++)
    if (host_glob(h, *glob, &ret->names, err) < 0)
      return -1;
  if (p->engine->others_of && p->engine->others_of(h, p->file, &ret->names, err) < 0)
    return -1;
  ret->files = xcalloc(ret->names.len + 1, sizeof *ret->files);
  ret->texts = xcalloc(ret->names.len + 1, sizeof *ret->texts);
  for (size_t i = 0; i < ret->names.len; i++) {
    const char *name = ret->names.items[i];
    if (strcmp(name, p->file) == 0)
      continue;
    struct host_file *file = &ret->files[ret->len];
    if (host_read(h, name, TOML_LIMIT, file, err) < 0)
      return -1;
    ret->texts[ret->len++] = (struct config_text){ .name = name, .text = file->text, .len = file->len };
  }
  return 0;
}

static void stamp_now(char ret[STAMP_SIZE]) {
  struct timespec now = { 0 };
  clock_gettime(CLOCK_REALTIME, &now);
  stamp_millis(ret, &now);
}

/* The file with these handlers, from the text without any. */
static int finish(const struct host *h, struct plan *p, const struct handlers *handlers, const char *made_dir,
                  struct error *err) {
  CLEANUP(others_free) struct others others = { 0 };
  if (read_others(h, p, &others, err) < 0)
    return -1;
  const struct config_text in = { p->file, p->original, p->original ? strlen(p->original) : 0, others.texts,
                                  others.len };
  CLEANUP_STR struct str text = { 0 };
  char digest[SHA256_HEX], stamp[STAMP_SIZE];
  struct installed *next = &p->next;
  for (size_t i = 0; i < handlers->len; i++)
    handlers_put(&next->handlers, handlers->items[i].name, handlers->items[i].policy,
                 handlers->items[i].path);
  next->handlers.chosen = xstrdup(handlers->chosen);
  if (p->engine->apply(&in, &next->handlers, &text, &next->changes, &p->notes, err) < 0)
    return -1;
  p->after = str_steal(&text);
  next->engine = xstrdup(p->engine->name);
  next->file = xstrdup(p->file);
  next->made_dir = xstrdup(made_dir);
  if (!made_dir && !p->original && missing_dir(h, p->file, &next->made_dir, err) < 0)
    return -1;
  if (p->original) {
    sha256_hex(p->original, strlen(p->original), digest);
    next->before = xstrdup(digest);
  }
  sha256_hex(p->after, strlen(p->after), digest);
  next->after = xstrdup(digest);
  stamp_now(stamp);
  next->at = xstrdup(stamp);
  return 0;
}

int plan_install(const struct host *h, const struct engine *engine, const char *file,
                 const struct handlers *wanted, struct plan *ret, struct error *err) {
  CLEANUP_INSTALLED struct installed was = { 0 };
  CLEANUP_HANDLERS struct handlers all = { 0 };
  if (begin(h, engine, file, ret, &was, err) < 0 || read_file(h, ret, &was, err) < 0)
    return -1;
  for (size_t i = 0; i < was.handlers.len; i++)
    handlers_put(&all, was.handlers.items[i].name, was.handlers.items[i].policy, was.handlers.items[i].path);
  for (size_t i = 0; i < wanted->len; i++)
    handlers_put(&all, wanted->items[i].name, wanted->items[i].policy, wanted->items[i].path);
  all.chosen = xstrdup(wanted->chosen ? wanted->chosen : was.handlers.chosen);
  if (finish(h, ret, &all, was.made_dir, err) < 0)
    return -1;
  /* Edited by others, and ours is there as it would be put in: not even its place is changed. */
  if (ret->known && ret->now.text && changes_equal(&was.changes, &ret->next.changes) &&
      changes_are_in(&was.changes, ret->now.text)) {
    free(ret->after);
    ret->after = xstrdup(ret->now.text);
    strlist_clear(&ret->notes);
  }
  ret->changed = !str_same_or_null(ret->now.text, ret->after);
  return 0;
}

/* Is there anything left of a file that was made for us? Comments and the version are ours. */
static bool is_bare(const char *text) {
  for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
    const char *p = line + strspn(line, " \t\r");
    if (*p && *p != '\n' && *p != '#' && !str_starts(p, "version"))
      return false;
  }
  return true;
}

int plan_uninstall(const struct host *h, const struct engine *engine, const char *name, bool needed,
                   struct plan *ret, struct error *err) {
  CLEANUP_INSTALLED struct installed was = { 0 };
  CLEANUP_HANDLERS struct handlers rest = { 0 };
  if (begin(h, engine, NULL, ret, &was, err) < 0)
    return -1;
  if (!ret->known || (name && !handlers_find(&was.handlers, name)))
    return 0;
  if (read_file(h, ret, &was, err) < 0)
    return -1;
  const struct config_text in = { .name = ret->file, .text = ret->now.text, .len = ret->now.len };
  if (engine->users && !name && !needed && engine->users(h, &in, &was.handlers, &ret->notes, err) < 0)
    return -1;
  for (size_t i = 0; (name || needed) && i < was.handlers.len; i++)
    if (needed || strcmp(was.handlers.items[i].name, name) != 0)
      handlers_put(&rest, was.handlers.items[i].name, was.handlers.items[i].policy,
                   was.handlers.items[i].path);
  if (!needed && was.handlers.chosen && handlers_find(&rest, was.handlers.chosen))
    rest.chosen = xstrdup(was.handlers.chosen);
  if (rest.len > 0) {
    if (finish(h, ret, &rest, was.made_dir, err) < 0)
      return -1;
  } else {
    if (!was.before && ret->original && is_bare(ret->original)) {
      free(ret->original);
      ret->original = NULL;
    }
    char stamp[STAMP_SIZE];
    stamp_now(stamp);
    ret->after = xstrdup(ret->original);
    ret->next.made_dir = xstrdup(was.made_dir);
    ret->next.at = xstrdup(stamp);
  }
  ret->changed = !needed || !str_same_or_null(ret->now.text, ret->after);
  return 0;
}

/* What was made for the file, where nothing else is in it. */
static void remove_made(const struct host *h, const char *file, const char *made_dir) {
  CLEANUP_FREE char *dir = xstrdup(file);
  for (char *slash = strrchr(dir, '/'); made_dir && slash && slash > dir; slash = strrchr(dir, '/')) {
    *slash = '\0';
    if (!path_is_below(dir, made_dir) || unlinkat(h->fd, dir + 1, AT_REMOVEDIR) < 0)
      return;
  }
}

int plan_do(const struct host *h, const struct plan *p, struct error *err) {
  const char *path = p->now.path;
  const struct stat *like = p->now.text ? &p->now.st : NULL;
  const bool keep = p->next.handlers.len > 0;
  if (!p->changed)
    return 0;
  if (keep && installed_save(h, &p->next, p->original, err) < 0)
    return -1;
  if (!str_same_or_null(p->now.text, p->after)) {
    if (p->after ? host_write(h, path, p->after, strlen(p->after), like, err) < 0
                 : host_remove(h, path, err) < 0)
      return -1;
    if (!p->after)
      remove_made(h, path, p->next.made_dir);
  }
  return keep ? 0 : installed_remove(h, p->engine->name, err);
}
