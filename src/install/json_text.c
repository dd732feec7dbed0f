/* SPDX-License-Identifier: Apache-2.0 */
#include "install/json_text.h"

#include "install/edit.h"
#include "io/jsonx_scan.h"

#include <string.h>

void json_members_free(struct json_members *m) {
  for (size_t i = 0; i < m->len; i++)
    free(m->items[i].key);
  free(m->items);
  *m = (struct json_members){ 0 };
}

const struct json_member *json_member_find(const struct json_members *m, const char *key) {
  for (size_t i = 0; i < m->len; i++)
    if (strcmp(m->items[i].key, key) == 0)
      return &m->items[i];
  return NULL;
}

static char *key_text(const struct str *text, size_t start, size_t end) {
  CLEANUP_STR struct str key = { 0 };
  jsonx_scan_unescape(text->data, start, end, &key);
  return str_steal(&key);
}

/* Reads the members of the object whose opening brace was the last token; `path` frames lead to it. */
static void read_members(struct jsonx_scan *scan, const struct str *text, size_t path,
                         struct json_members *ret) {
  for (;;) {
    const struct jsonx_token token = jsonx_scan_next(scan);
    if (token.kind == JSONX_TOKEN_END || token.kind == JSONX_TOKEN_PROBLEM)
      return;
    if (token.path == path && token.kind == JSONX_TOKEN_CLOSE) {
      ret->close = token.start;
      return;
    }
    if (token.path != path + 1)
      continue;
    if (token.kind == JSONX_TOKEN_KEY) {
      ret->items = xrealloc(ret->items, ret->len + 1, sizeof *ret->items);
      ret->items[ret->len++] =
          (struct json_member){ .key = key_text(text, token.start, token.end), .key_start = token.start };
      continue;
    }
    struct json_member *last = &ret->items[ret->len - 1];
    if (token.kind != JSONX_TOKEN_CLOSE)
      last->start = token.start;
    last->end = token.end;
  }
}

bool json_members_of(const struct str *text, const char *key, struct json_members *ret) {
  const struct jsonx_source src = { "", text->data, text->len };
  struct jsonx_scan scan;
  bool wanted = !key;
  jsonx_scan_init(&scan, &src);
  for (;;) {
    const struct jsonx_token token = jsonx_scan_next(&scan);
    if (token.kind == JSONX_TOKEN_END || token.kind == JSONX_TOKEN_PROBLEM)
      return false;
    if (token.path > 1 || (token.path == 0 && token.kind == JSONX_TOKEN_CLOSE))
      continue;
    if (wanted) {
      if (token.kind != JSONX_TOKEN_OPEN || text->data[token.start] != '{')
        return false;
      ret->open = token.start;
      read_members(&scan, text, token.path, ret);
      return true;
    }
    if (token.kind == JSONX_TOKEN_KEY) {
      CLEANUP_FREE char *have = key_text(text, token.start, token.end);
      wanted = strcmp(have, key) == 0;
    }
  }
}

/* Where the line that holds `at` begins, and how it is indented; false: something else stands before it
 * there. */
static bool indent_of(const struct str *text, size_t at, size_t *ret_start) {
  size_t start = at;
  while (start > 0 && (text->data[start - 1] == ' ' || text->data[start - 1] == '\t'))
    start--;
  *ret_start = start;
  return start > 0 && text->data[start - 1] == '\n';
}

void json_member_add(struct str *text, const struct json_members *m, const char *member,
                     char **ret_inserted) {
  CLEANUP_STR struct str in = { 0 };
  const char *newline = text_newline(text->data);
  const struct json_member *last = m->len ? &m->items[m->len - 1] : NULL;
  size_t start, at = last ? last->end : m->open + 1;
  if (last && indent_of(text, last->key_start, &start)) {
    str_addf(&in, ",%s", newline);
    str_add_mem(&in, text->data + start, last->key_start - start);
    str_add(&in, member);
  } else if (last) {
    str_addf(&in, ", %s", member);
  } else {
    size_t line = m->open;
    while (line > 0 && text->data[line - 1] != '\n')
      line--;
    const char *indent = text->data + line;
    const int blanks = (int)strspn(indent, " \t");
    str_addf(&in, "%s%.*s  %s%s%.*s", newline, blanks, indent, member, newline, blanks, indent);
  }
  text_splice(text, at, at, in.data);
  *ret_inserted = str_steal(&in);
}

void json_member_cut(struct str *text, const struct json_members *m, const struct json_member *member) {
  const size_t i = (size_t)(member - m->items);
  if (i > 0)
    text_splice(text, m->items[i - 1].end, member->end, "");
  else if (m->len > 1)
    text_splice(text, member->key_start, m->items[1].key_start, "");
  else
    text_splice(text, m->open + 1, m->close, "");
}
