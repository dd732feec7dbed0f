/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of containerd's files is to be changed. Files are merged in the order in which they are imported,
 * each over those before. containerd 1.x exchanges a plugin's whole table when another file has one, 2.x
 * merges the two: in both the last file that has the CRI plugin's table is the one whose word holds, and a
 * change there loses nothing.
 */
#include "install/containerd.h"

#include "install/plan.h"

#include <string.h>

enum { FILES_MAX = 64 };

static const char CONF_D[] = "/etc/containerd/conf.d/*.toml";

static int read_imports(const struct host *h, const struct toml *t, struct strlist *pending,
                        struct error *err) {
  const struct toml_node *list = toml_get(t->root, "imports");
  for (const struct toml_node *item = list ? list->first : NULL; item; item = item->next) {
    CLEANUP_FREE char *value = toml_string(t, item);
    const char *slash = strrchr(t->name, '/');
    if (!value)
      return toml_error(err, ERROR_INPUT, t, item->start, "an import that is no string");
    if (*value != '/' && strchr(value, '*'))
      return toml_error(
          err, ERROR_INPUT, t, item->start,
          "\"%s\" is looked for beside this file by containerd 2, and in its working directory by "
          "containerd 1; write it as an absolute path",
          value);
    CLEANUP_FREE char *path =
        *value == '/' ? xstrdup(value) : xasprintf("%.*s/%s", (int)(slash - t->name), t->name, value);
    if (!strchr(path, '*'))
      strlist_add(pending, path);
    else if (host_glob(h, path, pending, err) < 0)
      return -1;
  }
  return 0;
}

/* Files that programs write anew at each start say so, and what is changed in them is gone then. *ret is that
 * line, NULL: there is none. */
static char *generated_by(const char *text) {
  const char *mark = strstr(text, "DO NOT EDIT");
  const char *line = text + strspn(text, "\r\n");
  for (; mark && *line == '#' && line <= mark; line += *line == '\n') {
    const size_t n = strcspn(line, "\n");
    if (mark < line + n)
      return xasprintf("%.*s", (int)n, line);
    line += n;
  }
  return NULL;
}

static char *dir_of(const char *path) {
  return xasprintf("%.*s", (int)(strrchr(path, '/') - path), path);
}

/*
 * k3s and rke2 make their containerd's file from a template. Since 2026, with a containerd that merges what
 * it imports key by key, that imports a directory where others may put theirs; before, only the template of
 * their own can be added to, which is no TOML.
 */
static int drop_in_for(const struct toml *t, const char *says, char **ret_file, struct error *err) {
  CLEANUP_FREE char *dir = dir_of(t->name);
  CLEANUP_FREE char *glob = xasprintf("%s" CONTAINERD_DROPINS "/*.toml", dir);
  const struct toml_node *list = toml_get(t->root, "imports");
  long version;
  if (containerd_version(t, &version, err) < 0)
    return -1;
  for (const struct toml_node *item = list ? list->first : NULL; version > 2 && item; item = item->next) {
    CLEANUP_FREE char *value = toml_string(t, item);
    if (value && strcmp(value, glob) == 0) {
      *ret_file = xasprintf("%s" CONTAINERD_DROPINS CONTAINERD_DROPIN, dir);
      return 0;
    }
  }
  if (strstr(says, ".tmpl"))
    return error_set(
        err, ERROR_REFUSED, 0,
        "%s is made anew by another program, which says \"%s\": write %s/%s: a line {{ template "
        "\"base\" . }}, and below it what `hardenctl install --engine containerd --dry-run --file COPY` "
        "adds to a copy without that line",
        t->name, says, dir, version > 2 ? "config-v3.toml.tmpl" : "config.toml.tmpl");
  return error_set(
      err, ERROR_REFUSED, 0,
      "%s is made anew by another program, which says \"%s\": give that program's template, or a file "
      "that it imports, by --file",
      t->name, says);
}

/* *ret_drop_in: the file is left alone, and this one is to be changed. */
static int look_at(const struct host *h, const char *path, bool first, struct strlist *pending,
                   bool *ret_has_plugin, char **ret_drop_in, struct error *err) {
  CLEANUP_HOST_FILE struct host_file file = { 0 };
  CLEANUP_TOML struct toml t = { 0 };
  long version;
  *ret_has_plugin = false;
  if (host_read(h, path, TOML_LIMIT, &file, err) < 0)
    return -1;
  if (!file.text)
    return first ? 0 : error_set(err, ERROR_INPUT, 0, "%s is imported, and is not there", path);
  CLEANUP_FREE char *says = first ? generated_by(file.text) : NULL;
  if (toml_parse(path, file.text, file.len, &t, err) < 0 || containerd_version(&t, &version, err) < 0 ||
      (says && drop_in_for(&t, says, ret_drop_in, err) < 0))
    return -1;
  const struct toml_node *off = containerd_cri_is_off(&t);
  if (off)
    return toml_error(
        err, ERROR_REFUSED, &t, off->start,
        "the CRI plugin is disabled: this containerd runs no pods, and would not heed a runtime that is "
        "registered here; take the entry out of disabled_plugins, or register with the engine that "
        "uses this containerd (docker)");
  *ret_has_plugin = containerd_plugin(&t, version);
  return read_imports(h, &t, pending, err);
}

static int must_not_hide_drop_ins(const struct host *h, const char *path, struct error *err) {
  CLEANUP_STRLIST struct strlist found = { 0 };
  if (host_glob(h, CONF_D, &found, err) < 0)
    return -1;
  if (found.len == 0)
    return 0;
  return error_set(
      err, ERROR_REFUSED, 0,
      "there is no %s, and there is %s, which a new file would hide from a containerd that imports it "
      "by itself; make the file first: containerd config default > %s",
      path, found.items[0], path);
}

const char *const containerd_embedded[] = {
  "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
  "/var/lib/rancher/rke2/agent/etc/containerd/config.toml",
  NULL,
};

/* Where nobody says, and the usual file is not there, it is that of the containerd in k3s or rke2. */
static int usual_file(const struct host *h, const char *given, const char **ret, struct error *err) {
  struct stat unused;
  bool there;
  *ret = given;
  if (strcmp(given, "/etc/containerd/config.toml") != 0)
    return 0;
  if (host_stat(h, given, &there, &unused, err) < 0)
    return -1;
  for (const char *const *file = containerd_embedded; !there && *file; file++) {
    if (host_stat(h, *file, &there, &unused, err) < 0)
      return -1;
    if (there)
      *ret = *file;
  }
  return there ? 0 : must_not_hide_drop_ins(h, given, err);
}

int containerd_others(const struct host *h, const char *file, struct strlist *ret, struct error *err) {
  if (!str_ends(file, CONTAINERD_DROPINS CONTAINERD_DROPIN))
    return 0;
  CLEANUP_FREE char *dir = dir_of(file);
  CLEANUP_FREE char *above = dir_of(dir);
  CLEANUP_FREE char *neighbours = xasprintf("%s/*.toml", dir);
  strlist_add_new(ret, xasprintf("%s/config.toml", above));
  return host_glob(h, neighbours, ret, err);
}

int containerd_find(const struct host *h, const char *given, char **ret_file, struct error *err) {
  CLEANUP_STRLIST struct strlist pending = { 0 };
  CLEANUP_FREE char *last = NULL;
  CLEANUP_FREE char *drop_in = NULL;
  if (usual_file(h, given, &given, err) < 0)
    return -1;
  strlist_add(&pending, given);
  for (size_t i = 0; i < pending.len; i++) {
    bool has_plugin, seen = false;
    for (size_t j = 0; j < i; j++)
      seen = seen || strcmp(pending.items[i], pending.items[j]) == 0;
    if (seen)
      continue;
    if (i >= FILES_MAX)
      return error_set(err, ERROR_INPUT, 0, "%s imports more than %d files", pending.items[0], FILES_MAX);
    if (look_at(h, pending.items[i], i == 0, &pending, &has_plugin, &drop_in, err) < 0)
      return -1;
    if (has_plugin || i == 0) {
      free(last);
      last = xstrdup(pending.items[i]);
    }
  }
  *ret_file = drop_in ? steal_ptr(&drop_in) : steal_ptr(&last);
  return 0;
}
