/* SPDX-License-Identifier: Apache-2.0 */
/* TOML's nodes as text and as values, and documents compared. */
#include "install/toml.h"
#include "install/toml_scan.h"

#include <stdarg.h>
#include <string.h>

char *toml_string(const struct toml *t, const struct toml_node *node) {
  if (!node || node->kind != TOML_STRING)
    return NULL;
  struct error ignored = { 0 };
  struct toml_scan s = { .toml = t, .pos = node->start, .err = &ignored };
  CLEANUP_STR struct str value = { 0 };
  return toml_scan_string(&s, &value) < 0 ? NULL : str_steal(&value);
}

void toml_add_string(struct str *out, const char *value) {
  str_add(out, "\"");
  for (const char *c = value; *c; c++) {
    if (*c == '"' || *c == '\\')
      str_addf(out, "\\%c", *c);
    else if ((unsigned char)*c < 0x20 || *c == 0x7f)
      str_addf(out, "\\u%04x", (unsigned)(unsigned char)*c);
    else
      str_add_mem(out, c, 1);
  }
  str_add(out, "\"");
}

void toml_add_key(struct str *out, const char *key) {
  static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  if (*key && key[strspn(key, bare)] == '\0')
    str_add(out, key);
  else
    toml_add_string(out, key);
}

static void add_path(struct str *out, const struct toml_node *node) {
  if (node->parent)
    add_path(out, node->parent);
  if (!node->key)
    return;
  if (out->len)
    str_add(out, ".");
  toml_add_key(out, node->key);
}

char *toml_path(const struct toml_node *node) {
  CLEANUP_STR struct str path = { 0 };
  add_path(&path, node);
  return str_steal(&path);
}

int(toml_error)(struct error *err, enum error_code code, const struct toml *t, size_t offset, const char *fmt,
                ...) {
  va_list args;
  va_start(args, fmt);
  CLEANUP_FREE char *text = xvasprintf(fmt, args);
  va_end(args);
  unsigned line = 1;
  size_t start = 0;
  for (size_t i = 0; i < offset && i < t->len; i++) {
    if (t->text[i] == '\n') {
      line++;
      start = i + 1;
    }
  }
  return error_set(err, code, 0, "%s:%u:%zu: %s", t->name, line, offset - start + 1, text);
}

/* --- comparing --- */

static bool counts(const struct toml_node *node) {
  if (node->skip)
    return false;
  if (node->kind != TOML_TABLE || node->origin != TOML_IMPLIED)
    return true;
  for (const struct toml_node *child = node->first; child; child = child->next)
    if (counts(child))
      return true;
  return false;
}

static size_t counted(const struct toml_node *node) {
  size_t n = 0;
  for (const struct toml_node *child = node->first; child; child = child->next)
    n += counts(child);
  return n;
}

static bool same(const struct toml *a, const struct toml_node *x, const struct toml *b,
                 const struct toml_node *y);

static bool same_items(const struct toml *a, const struct toml_node *x, const struct toml *b,
                       const struct toml_node *y) {
  const struct toml_node *i = x->first, *j = y->first;
  for (; i && j; i = i->next, j = j->next)
    if (!same(a, i, b, j))
      return false;
  return !i && !j;
}

static bool same_members(const struct toml *a, const struct toml_node *x, const struct toml *b,
                         const struct toml_node *y) {
  if (counted(x) != counted(y))
    return false;
  for (const struct toml_node *i = x->first; i; i = i->next) {
    if (!counts(i))
      continue;
    const struct toml_node *j = toml_get(y, i->key);
    if (!j || !counts(j) || !same(a, i, b, j))
      return false;
  }
  return true;
}

static bool same(const struct toml *a, const struct toml_node *x, const struct toml *b,
                 const struct toml_node *y) {
  if (x->kind != y->kind)
    return false;
  if (x->kind == TOML_TABLE)
    return same_members(a, x, b, y);
  if (x->kind == TOML_ARRAY)
    return same_items(a, x, b, y);
  return x->end - x->start == y->end - y->start &&
         memcmp(a->text + x->start, b->text + y->start, x->end - x->start) == 0;
}

bool toml_same(const struct toml *a, const struct toml *b) {
  return same(a, a->root, b, b->root);
}
