/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toml-dump FILE...: what the TOML reader makes of each file, as a line of JSON: {"ok": {...}} or {"error":
 * "..."}. Values are {"kind": ..., "text": as written, "value": of a string}, for
 * tests/integration/toml-oracle to compare.
 */
#include "install/toml.h"
#include "io/fileio.h"
#include "io/jsonx.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static json_t *dump(const struct toml *t, const struct toml_node *node) {
  static const char *const kinds[] = { "table", "array", "string", "integer", "float", "bool", "date" };
  json_t *out = node->kind == TOML_ARRAY ? json_array() : json_object();
  if (node->kind == TOML_TABLE || node->kind == TOML_ARRAY) {
    for (const struct toml_node *child = node->first; child; child = child->next) {
      if (node->kind == TOML_ARRAY)
        jsonx_append_new(out, dump(t, child));
      else
        jsonx_set_new(out, child->key, dump(t, child));
    }
    return out;
  }
  json_t *tagged = out;
  CLEANUP_FREE char *text = xcalloc(node->end - node->start + 1, 1);
  memcpy(text, t->text + node->start, node->end - node->start);
  jsonx_set_new(tagged, "\x01kind", jsonx_string_new(kinds[node->kind]));
  jsonx_set_new(tagged, "text", jsonx_string_new(text));
  if (node->kind == TOML_STRING) {
    CLEANUP_FREE char *value = toml_string(t, node);
    jsonx_set_new(tagged, "value", jsonx_string_new(value));
  }
  return out;
}

static int one(const char *path) {
  CLEANUP_FREE char *text = NULL;
  CLEANUP_TOML struct toml t = { 0 };
  CLEANUP_STR struct str line = { 0 };
  json_auto_t *answer = json_object();
  struct error err = { 0 };
  size_t len;
  if (file_read(AT_FDCWD, path, RESOLVE_TRUSTED, TOML_LIMIT, &text, &len, NULL, &err) < 0) {
    fprintf(stderr, "toml-dump: %s\n", err.message);
    return -1;
  }
  if (toml_parse(path, text, len, &t, &err) < 0)
    jsonx_set_new(answer, "error", jsonx_string_new(err.message));
  else
    jsonx_set_new(answer, "ok", dump(&t, t.root));
  jsonx_dump(answer, &line);
  puts(line.data);
  return 0;
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    if (one(argv[i]) < 0)
      return 1;
  return 0;
}
