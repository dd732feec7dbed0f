/* SPDX-License-Identifier: Apache-2.0 */
#include "install/edit.h"

#include "io/jsonx.h"

#include <string.h>

void changes_free(struct changes *c) {
  for (size_t i = 0; i < c->len; i++) {
    free(c->items[i].where);
    free(c->items[i].before);
    free(c->items[i].after);
  }
  free(c->items);
  *c = (struct changes){ 0 };
}

void changes_add(struct changes *c, const char *where, const char *before, const char *after) {
  c->items = xrealloc(c->items, c->len + 1, sizeof *c->items);
  c->items[c->len++] = (struct change){ xstrdup(where), xstrdup(before), xstrdup(after) };
}

bool changes_equal(const struct changes *a, const struct changes *b) {
  bool equal = a->len == b->len;
  for (size_t i = 0; equal && i < a->len; i++)
    equal = str_same_or_null(a->items[i].where, b->items[i].where) &&
            str_same_or_null(a->items[i].before, b->items[i].before) &&
            str_same_or_null(a->items[i].after, b->items[i].after);
  return equal;
}

bool changes_are_in(const struct changes *c, const char *text) {
  for (size_t i = 0; i < c->len; i++)
    if (!strstr(text, c->items[i].after))
      return false;
  return true;
}

static const struct jsonx_row rows[] = {
  { .key = "where", .type = JSONX_STRING, .offset = offsetof(struct change, where) },
  { .key = "before", .type = JSONX_STRING, .offset = offsetof(struct change, before) },
  { .key = "after", .type = JSONX_STRING, .offset = offsetof(struct change, after) },
  { 0 },
};

json_t *changes_encode(const struct changes *c) {
  json_t *list = json_array();
  for (size_t i = 0; i < c->len; i++)
    jsonx_append_new(list, jsonx_encode(rows, &c->items[i]));
  return list;
}

int changes_decode(const json_t *value, struct changes *ret, struct error *err) {
  size_t i;
  const json_t *item;
  json_array_foreach(value, i, item) {
    changes_add(ret, NULL, NULL, NULL);
    struct change *c = &ret->items[i];
    if (jsonx_decode(item, NULL, "/changes", rows, c, err) < 0)
      return -1;
    if (!c->where || !c->after)
      return error_set(err, ERROR_INPUT, 0, "/changes/%zu: `where` or `after` is missing", i);
  }
  return 0;
}

void text_splice(struct str *text, size_t start, size_t end, const char *by) {
  struct str out = { 0 };
  str_add_mem(&out, text->data, start);
  str_add(&out, by);
  str_add_mem(&out, text->data ? text->data + end : NULL, text->len - end);
  str_free(text);
  *text = out;
}

bool text_cut(struct str *text, const char *part) {
  const size_t n = strlen(part);
  for (size_t at = n && text->len >= n ? text->len - n + 1 : 0; at-- > 0;) {
    if (memcmp(text->data + at, part, n) != 0)
      continue;
    text_splice(text, at, at + n, "");
    return true;
  }
  return false;
}

const char *text_newline(const char *text) {
  const char *newline = strchr(text, '\n');
  return newline && newline > text && newline[-1] == '\r' ? "\r\n" : "\n";
}
