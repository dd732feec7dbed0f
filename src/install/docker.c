/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dockerd's daemon.json. The runtime is one of our links, not the program with runtimeArgs: those make
 * dockerd write a shell script, which every call of the runtime would go through.
 */
#include "install/docker.h"

#include "install/daemons.h"
#include "install/json_text.h"
#include "install/toml.h"
#include "io/jsonx.h"

#include <string.h>

static const char RUNTIMES[] = "runtimes", DEFAULT[] = "default-runtime", EMPTY[] = "{}\n",
                  FILE_[] = "(file)";

/* Names of labels, registries and options are data. */
static bool is_map(const char *pointer) {
  return *pointer != '\0';
}

static int parse(const char *name, const struct str *text, json_t **ret, struct error *err) {
  const struct jsonx_source src = { name, text->data, text->len };
  if (jsonx_parse_with_maps(&src, TOML_LIMIT, is_map, ret, err) < 0)
    return -1;
  if (!json_is_object(*ret))
    return jsonx_error(err, ERROR_INPUT, &src, "", "dockerd wants an object here");
  const json_t *runtimes = json_object_get(*ret, RUNTIMES), *chosen = json_object_get(*ret, DEFAULT);
  if (runtimes && !json_is_object(runtimes))
    return jsonx_error(err, ERROR_INPUT, &src, "/runtimes", "dockerd wants an object here");
  if (chosen && !json_is_string(chosen))
    return jsonx_error(err, ERROR_INPUT, &src, "/default-runtime", "dockerd wants a string here");
  return 0;
}

static char *member_of(const struct handler *h) {
  CLEANUP_STR struct str path = { 0 };
  json_auto_t *value = jsonx_string_new(h->path);
  jsonx_dump(value, &path);
  return xasprintf("\"%s\": { \"path\": %s }", h->name, path.data);
}

static void add(struct str *text, const char *object, const char *where, const char *member,
                struct changes *changes) {
  CLEANUP_JSON_MEMBERS struct json_members members = { 0 };
  CLEANUP_FREE char *inserted = NULL;
  if (!json_members_of(text, object, &members))
    return; /* parse() has seen that it is one */
  json_member_add(text, &members, member, &inserted);
  changes_add(changes, where, NULL, inserted);
}

static void set_default(struct str *text, const char *name, struct changes *changes) {
  CLEANUP_JSON_MEMBERS struct json_members members = { 0 };
  (void)json_members_of(text, NULL, &members);
  const struct json_member *there = json_member_find(&members, DEFAULT);
  if (!there) {
    CLEANUP_FREE char *member = xasprintf("\"%s\": \"%s\"", DEFAULT, name);
    add(text, NULL, DEFAULT, member, changes);
    return;
  }
  CLEANUP_FREE char *after = xasprintf("\"%s\"", name);
  CLEANUP_STR struct str before = { 0 };
  str_add_mem(&before, text->data + there->start, there->end - there->start);
  text_splice(text, there->start, there->end, after);
  changes_add(changes, DEFAULT, before.data, after);
}

/* The document less what is ours. `without` may have the default that was there before. */
static json_t *stripped(const json_t *document, const struct handlers *h, bool made_runtimes) {
  json_t *copy = jsonx_copy(document);
  json_t *runtimes = json_object_get(copy, RUNTIMES);
  for (size_t i = 0; i < h->len; i++)
    json_object_del(runtimes, h->items[i].name);
  if (made_runtimes && runtimes && json_object_size(runtimes) == 0)
    json_object_del(copy, RUNTIMES);
  if (h->chosen)
    json_object_del(copy, DEFAULT);
  return copy;
}

static int verify(const char *name, const struct str *without, const struct str *with,
                  const struct handlers *h, struct error *err) {
  json_auto_t *a = NULL;
  json_auto_t *b = NULL;
  if (parse(name, without, &a, err) < 0 || parse(name, with, &b, err) < 0)
    return -1;
  const bool made = !json_object_get(a, RUNTIMES);
  for (size_t i = 0; i < h->len; i++)
    if (json_object_get(json_object_get(a, RUNTIMES), h->items[i].name))
      return error_set(err, ERROR_INTERNAL, 0, "%s would keep %s", name, h->items[i].name);
  json_auto_t *x = stripped(a, h, made);
  json_auto_t *y = stripped(b, h, made);
  return json_equal(x, y)
             ? 0
             : error_set(err, ERROR_INTERNAL, 0, "the change of %s would touch more than it should", name);
}

static bool is_blank(const struct config_text *in) {
  return !in->text || in->text[strspn(in->text, " \t\r\n")] == '\0';
}

static int must_be_free(const struct config_text *in, const struct str *text, const json_t *document,
                        const struct handlers *h, struct error *err) {
  const struct jsonx_source src = { in->name, text->data, text->len };
  for (size_t i = 0; i < h->len; i++) {
    CLEANUP_FREE char *pointer = jsonx_pointer("/runtimes", h->items[i].name);
    if (jsonx_at(document, pointer))
      return jsonx_error(
          err, ERROR_REFUSED, &src, pointer,
          "is there already, and hardenctl did not make it; take it out, or choose another --name");
  }
  return 0;
}

int docker_apply(const struct config_text *in, const struct handlers *h, struct str *ret,
                 struct changes *ret_changes, struct strlist *ret_notes, struct error *err) {
  CLEANUP_STR struct str before = { 0 };
  CLEANUP_STR struct str text = { 0 };
  json_auto_t *document = NULL;
  (void)ret_notes;
  str_add_mem(&before, in->text, in->len);
  if (is_blank(in)) {
    str_add(&before, EMPTY);
    changes_add(ret_changes, FILE_, NULL, EMPTY);
  }
  if (parse(in->name, &before, &document, err) < 0 || must_be_free(in, &before, document, h, err) < 0)
    return -1;
  str_add_mem(&text, before.data, before.len);
  const bool made = !json_object_get(document, RUNTIMES);
  if (made)
    add(&text, NULL, RUNTIMES, "\"runtimes\": {}", ret_changes);
  for (size_t i = 0; i < h->len; i++) {
    CLEANUP_FREE char *member = member_of(&h->items[i]);
    add(&text, RUNTIMES, h->items[i].name, member, ret_changes);
  }
  if (h->chosen)
    set_default(&text, h->chosen, ret_changes);
  if (verify(in->name, &before, &text, h, err) < 0)
    return -1;
  str_add_mem(ret, text.data, text.len);
  return 0;
}

/* --- taking back --- */

/* What the verbatim cut did not find. */
static void cut_member(struct str *text, const char *object, const char *key) {
  CLEANUP_JSON_MEMBERS struct json_members members = { 0 };
  if (!json_members_of(text, object, &members))
    return;
  const struct json_member *there = json_member_find(&members, key);
  if (there)
    json_member_cut(text, &members, there);
}

static void restore_default(struct str *text, const char *chosen, const char *before, struct strlist *notes) {
  CLEANUP_JSON_MEMBERS struct json_members members = { 0 };
  (void)json_members_of(text, NULL, &members);
  const struct json_member *there = json_member_find(&members, DEFAULT);
  if (!there)
    return;
  CLEANUP_FREE char *ours = xasprintf("\"%s\"", chosen);
  CLEANUP_FREE char *value = xasprintf("%.*s", (int)(there->end - there->start), text->data + there->start);
  if (strcmp(value, ours) != 0)
    strlist_add_new(notes, xasprintf("%s was set anew since (%s): it stays", DEFAULT, value));
  else if (before)
    text_splice(text, there->start, there->end, before);
  else
    json_member_cut(text, &members, there);
}

static bool is_valid(const char *name, const struct str *text) {
  struct error ignored = { 0 };
  json_auto_t *document = NULL;
  return parse(name, text, &document, &ignored) == 0;
}

/* One change; verbatim, when what is left is JSON still. */
static void undo(const char *name, const struct change *c, const struct handlers *h, struct str *text,
                 struct strlist *notes) {
  CLEANUP_STR struct str less = { 0 };
  if (strcmp(c->where, DEFAULT) == 0 && c->before) {
    restore_default(text, h->chosen, c->before, notes);
    return;
  }
  str_add_mem(&less, text->data, text->len);
  const bool last = strcmp(c->where, FILE_) == 0;
  if (text_cut(&less, c->after) &&
      (last ? less.data[strspn(less.data, " \t\r\n")] == '\0' : is_valid(name, &less))) {
    str_free(text);
    *text = less;
    less = (struct str){ 0 };
    return;
  }
  if (strcmp(c->where, DEFAULT) == 0) {
    restore_default(text, h->chosen, NULL, notes);
  } else if (strcmp(c->where, RUNTIMES) == 0) {
    CLEANUP_JSON_MEMBERS struct json_members rest = { 0 };
    if (json_members_of(text, RUNTIMES, &rest) && rest.len == 0)
      cut_member(text, NULL, RUNTIMES);
  } else if (handlers_find(h, c->where)) {
    cut_member(text, RUNTIMES, c->where);
  }
}

int docker_take_back(const struct config_text *in, const struct handlers *h, const struct changes *changes,
                     struct str *ret, struct strlist *ret_notes, struct error *err) {
  CLEANUP_STR struct str with = { 0 };
  CLEANUP_STR struct str text = { 0 };
  json_auto_t *document = NULL;
  str_add_mem(&with, in->text, in->len);
  str_add_mem(&text, in->text, in->len);
  if (parse(in->name, &with, &document, err) < 0)
    return -1;
  for (size_t i = changes->len; i-- > 0;)
    undo(in->name, &changes->items[i], h, &text, ret_notes);
  const struct config_text left = { .name = in->name, .text = text.data, .len = text.len };
  CLEANUP_STR struct str without = { 0 };
  str_add_mem(&without, text.data, text.len);
  if (is_blank(&left))
    str_add(&without, EMPTY);
  if (verify(in->name, &without, &with, h, err) < 0)
    return -1;
  str_add_mem(ret, text.data, text.len);
  return 0;
}

/* --- files --- */

/* dockerd does not start when a flag and the file both name runtimes. */
int docker_find(const struct host *h, const char *given, char **ret_file, struct error *err) {
  static const char *const flags[] = { "--add-runtime", "--default-runtime" };
  CLEANUP_STRLIST struct strlist words = { 0 };
  pid_t pid;
  int64_t since;
  if (h->is_here && daemon_find("dockerd", given, &pid, &since, &words, err) < 0)
    return -1;
  for (size_t i = 0; i < words.len; i++)
    for (size_t k = 0; k < ARRAY_SIZE(flags); k++)
      if (str_starts(words.items[i], flags[k]))
        return error_set(
            err, ERROR_REFUSED, 0,
            "dockerd was started with %s, and does not start when %s has runtimes too; move that flag's "
            "value into the file first",
            words.items[i], given);
  *ret_file = xstrdup(given);
  return 0;
}

/* dockerd remembers with each container, running or not, the name of its runtime. */
int docker_users(const struct host *h, const struct config_text *in, const struct handlers *handlers,
                 struct strlist *ret_notes, struct error *err) {
  static const char *const of_daemon[] = { "/data-root" }, *const of_container[] = { "/Runtime" };
  const struct jsonx_source src = { in->name, in->text, in->len };
  CLEANUP_STRLIST struct strlist files = { 0 };
  json_auto_t *root = NULL;
  if (in->text && !is_blank(in) && jsonx_pick(&src, of_daemon, 1, &root, err) < 0)
    return -1;
  CLEANUP_FREE char *glob = xasprintf("%s/containers/*/hostconfig.json",
                                      json_is_string(root) ? json_string_value(root) : "/var/lib/docker");
  if (host_glob(h, glob, &files, err) < 0)
    return -1;
  for (size_t i = 0; i < files.len; i++) {
    CLEANUP_HOST_FILE struct host_file file = { 0 };
    json_auto_t *runtime = NULL;
    if (host_read(h, files.items[i], JSONX_LIMIT_DEFAULT, &file, err) < 0)
      return -1;
    const struct jsonx_source one = { files.items[i], file.text, file.len };
    if (jsonx_pick(&one, of_container, 1, &runtime, err) < 0)
      return -1;
    if (!json_is_string(runtime) || !handlers_find(handlers, json_string_value(runtime)))
      continue;
    const char *id = strstr(files.items[i], "/containers/") + strlen("/containers/");
    strlist_add_new(ret_notes,
                    xasprintf("container %.12s was made with %s, and cannot be started again; make it anew",
                              id, json_string_value(runtime)));
  }
  return 0;
}
