/* SPDX-License-Identifier: Apache-2.0 */
#include "install/installed.h"

#include "install/toml.h"
#include "io/jsonx.h"

#include <stddef.h>
#include <string.h>

void installed_free(struct installed *i) {
  free(i->engine);
  free(i->file);
  free(i->made_dir);
  free(i->before);
  free(i->after);
  free(i->at);
  handlers_free(&i->handlers);
  changes_free(&i->changes);
  *i = (struct installed){ 0 };
}

static const struct jsonx_row handler_rows[] = {
  { .key = "name", .type = JSONX_STRING, .offset = offsetof(struct handler, name) },
  { .key = "policy", .type = JSONX_STRING, .offset = offsetof(struct handler, policy) },
  { .key = "path", .type = JSONX_STRING, .offset = offsetof(struct handler, path) },
  { 0 },
};

static int decode_handlers(const json_t *value, const struct jsonx_source *src, const char *pointer,
                           void *member, struct error *err) {
  struct handlers *h = member;
  size_t i;
  const json_t *item;
  json_array_foreach(value, i, item) {
    h->items = xrealloc(h->items, h->len + 1, sizeof *h->items);
    struct handler *made = &h->items[h->len++];
    *made = (struct handler){ 0 };
    if (jsonx_decode(item, src, pointer, handler_rows, made, err) < 0)
      return -1;
    if (!made->name || !made->path)
      return jsonx_error(err, ERROR_INPUT, src, pointer, "a handler without `name` or `path`");
  }
  return 0;
}

static json_t *encode_handlers(const void *member) {
  const struct handlers *h = member;
  json_t *list = json_array();
  for (size_t i = 0; i < h->len; i++)
    jsonx_append_new(list, jsonx_encode(handler_rows, &h->items[i]));
  return list;
}

static int decode_changes(const json_t *value, const struct jsonx_source *src, const char *pointer,
                          void *member, struct error *err) {
  (void)src;
  (void)pointer;
  return changes_decode(value, member, err);
}

static json_t *encode_changes(const void *member) {
  return changes_encode(member);
}

static const struct jsonx_row rows[] = {
  { .key = "engine", .type = JSONX_STRING, .offset = offsetof(struct installed, engine) },
  { .key = "file", .type = JSONX_STRING, .offset = offsetof(struct installed, file) },
  { .key = "madeDir", .type = JSONX_STRING, .offset = offsetof(struct installed, made_dir) },
  { .key = "before", .type = JSONX_STRING, .offset = offsetof(struct installed, before) },
  { .key = "after", .type = JSONX_STRING, .offset = offsetof(struct installed, after) },
  { .key = "at", .type = JSONX_STRING, .offset = offsetof(struct installed, at) },
  { .key = "default", .type = JSONX_STRING, .offset = offsetof(struct installed, handlers.chosen) },
  { .key = "handlers",
    .type = JSONX_CUSTOM,
    .offset = offsetof(struct installed, handlers),
    .decode = decode_handlers,
    .encode = encode_handlers },
  { .key = "changes",
    .type = JSONX_CUSTOM,
    .offset = offsetof(struct installed, changes),
    .decode = decode_changes,
    .encode = encode_changes },
  { 0 },
};

static char *record_path(const char *engine) {
  return xasprintf(INSTALL_DIR "/%s.json", engine);
}

static char *original_path(const char *engine) {
  return xasprintf(INSTALL_DIR "/%s.orig", engine);
}

int installed_load(const struct host *h, const char *engine, struct installed *ret, bool *ret_found,
                   struct error *err) {
  CLEANUP_FREE char *path = record_path(engine);
  CLEANUP_HOST_FILE struct host_file file = { 0 };
  CLEANUP_INSTALLED struct installed i = { 0 };
  json_auto_t *json = NULL;
  if (host_read(h, path, 2 * TOML_LIMIT, &file, err) < 0)
    return -1;
  *ret_found = file.text;
  if (!file.text)
    return 0;
  const struct jsonx_source src = { path, file.text, file.len };
  if (jsonx_parse(&src, file.len, &json, err) < 0 || jsonx_decode(json, &src, "", rows, &i, err) < 0)
    return -1;
  if (!i.engine || !i.file || !i.after || !i.at || strcmp(i.engine, engine) != 0)
    return error_set(err, ERROR_INPUT, 0, "%s is no record of an installation", path);
  *ret = i;
  i = (struct installed){ 0 };
  return 0;
}

int installed_save(const struct host *h, const struct installed *i, const char *original, struct error *err) {
  const struct stat own = { .st_mode = 0600, .st_uid = geteuid(), .st_gid = getegid() };
  CLEANUP_FREE char *path = record_path(i->engine);
  CLEANUP_FREE char *kept = original_path(i->engine);
  CLEANUP_STR struct str text = { 0 };
  json_auto_t *json = jsonx_encode(rows, i);
  jsonx_dump_pretty(json, &text);
  if (original ? host_write(h, kept, original, strlen(original), &own, err) < 0
               : host_remove(h, kept, err) < 0)
    return -1;
  return host_write(h, path, text.data, text.len, &own, err);
}

int installed_remove(const struct host *h, const char *engine, struct error *err) {
  CLEANUP_FREE char *path = record_path(engine);
  CLEANUP_FREE char *kept = original_path(engine);
  return host_remove(h, path, err) < 0 || host_remove(h, kept, err) < 0 ? -1 : 0;
}

int installed_original(const struct host *h, const struct installed *i, struct host_file *ret,
                       struct error *err) {
  CLEANUP_FREE char *kept = original_path(i->engine);
  char digest[SHA256_HEX];
  if (!i->before)
    return 0;
  if (host_read(h, kept, TOML_LIMIT, ret, err) < 0)
    return -1;
  sha256_hex(ret->text ? ret->text : "", ret->len, digest);
  if (!ret->text || strcmp(digest, i->before) != 0)
    return error_set(err, ERROR_INPUT, 0, "%s, the file as it was, is not what was kept there", kept);
  return 0;
}
