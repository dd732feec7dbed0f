/* SPDX-License-Identifier: Apache-2.0 */
#include "install/toml.h"

#include "install/toml_scan.h"

#include <ctype.h>
#include <string.h>

struct parser {
  struct toml_scan scan;
  struct toml_node *table; /* of the last header */
  size_t section, sections;
  unsigned depth;
};

/* A key with its parts: "a.b.c". */
struct dotted {
  struct strlist parts;
  size_t at; /* its offset */
};
static void dotted_free(struct dotted *d) {
  strlist_free(&d->parts);
}

/* --- nodes --- */

/* Takes key. */
static struct toml_node *add(struct toml_node *parent, char *key, enum toml_kind kind,
                             enum toml_origin origin) {
  struct toml_node *node = xcalloc(1, sizeof *node);
  *node = (struct toml_node){ .key = key, .key_len = key ? strlen(key) : 0, .kind = kind, .origin = origin };
  node->parent = parent;
  if (parent && parent->last)
    parent->last->next = node;
  else if (parent)
    parent->first = node;
  if (parent)
    parent->last = node;
  return node;
}

/* Depth is bounded by TOML_DEPTH for values only: headers nest as deep as they are long. */
static void free_nodes(struct toml_node *root) {
  struct toml_node *node = root;
  while (node) {
    if (node->first) {
      struct toml_node *child = node->first;
      node->first = child->next;
      node = child;
      continue;
    }
    struct toml_node *parent = node == root ? NULL : node->parent;
    free(node->key);
    free(node);
    node = parent;
  }
}

void toml_free(struct toml *t) {
  free_nodes(t->root);
  t->root = NULL;
}

struct toml_node *toml_get(const struct toml_node *table, const char *key) {
  if (!table || table->kind != TOML_TABLE)
    return NULL;
  const size_t n = strlen(key);
  for (struct toml_node *child = table->first; child; child = child->next)
    if (child->key_len == n && memcmp(child->key, key, n) == 0)
      return child;
  return NULL;
}

struct toml_node *toml_at(const struct toml *t, const char *const *keys) {
  struct toml_node *node = t->root;
  for (; node && *keys; keys++)
    node = toml_get(node, *keys);
  return node;
}

/* --- keys --- */

static int parse_dotted(struct parser *p, struct dotted *ret) {
  struct toml_scan *s = &p->scan;
  ret->at = s->pos;
  for (;;) {
    CLEANUP_STR struct str part = { 0 };
    if (toml_scan_key(s, &part) < 0)
      return -1;
    strlist_add_new(&ret->parts, str_steal(&part));
    if (ret->parts.len > TOML_DEPTH)
      return toml_scan_error(s, "a key of too many parts");
    toml_skip_blank(s);
    if (toml_peek(s) != '.')
      return 0;
    s->pos++;
    toml_skip_blank(s);
  }
}

static int is_twice(struct parser *p, const struct dotted *key, const struct toml_node *there) {
  CLEANUP_FREE char *path = toml_path(there);
  return toml_error(p->scan.err, ERROR_INPUT, p->scan.toml, key->at, "%s is already there", path);
}

/* Where the last part of a `key = value` belongs; its tables are made. */
static int open_dotted(struct parser *p, struct toml_node *table, const struct dotted *key,
                       struct toml_node **ret) {
  for (size_t i = 0; i + 1 < key->parts.len; i++) {
    struct toml_node *next = toml_get(table, key->parts.items[i]);
    if (!next) {
      next = add(table, xstrdup(key->parts.items[i]), TOML_TABLE, TOML_BY_DOTS);
      next->section = p->section;
      next->line = next->start = key->at;
    }
    if (next->kind != TOML_TABLE || next->origin != TOML_BY_DOTS || next->section != p->section)
      return is_twice(p, key, next);
    table = next;
  }
  *ret = table;
  return 0;
}

/* --- values --- */

static int parse_value(struct parser *p, struct toml_node *parent, char *key, struct toml_node **ret);

static int parse_array(struct parser *p, struct toml_node *array) {
  struct toml_scan *s = &p->scan;
  s->pos++;
  for (;;) {
    struct toml_node *item;
    if (toml_scan_gap(s) < 0)
      return -1;
    if (toml_peek(s) == ']')
      break;
    if (parse_value(p, array, NULL, &item) < 0 || toml_scan_gap(s) < 0)
      return -1;
    if (toml_peek(s) == ',')
      s->pos++;
    else if (toml_peek(s) != ']')
      return toml_scan_error(s, "expected ',' or ']'");
  }
  s->pos++;
  return 0;
}

/* key = value; the caller has blanks and the line's end. */
static int parse_pair(struct parser *p, struct toml_node *table, struct toml_node **ret) {
  struct toml_scan *s = &p->scan;
  CLEANUP(dotted_free) struct dotted key = { 0 };
  if (parse_dotted(p, &key) < 0 || open_dotted(p, table, &key, &table) < 0)
    return -1;
  if (toml_peek(s) != '=')
    return toml_scan_error(s, "expected '='");
  s->pos++;
  toml_skip_blank(s);
  const char *last = key.parts.items[key.parts.len - 1];
  const struct toml_node *there = toml_get(table, last);
  if (there)
    return is_twice(p, &key, there);
  return parse_value(p, table, xstrdup(last), ret);
}

static int parse_inline(struct parser *p, struct toml_node *table) {
  struct toml_scan *s = &p->scan;
  const size_t outer = p->section;
  p->section = ++p->sections;
  s->pos++;
  toml_skip_blank(s);
  for (bool first = true; toml_peek(s) != '}' || !first; first = false) {
    struct toml_node *pair;
    if (parse_pair(p, table, &pair) < 0)
      return -1;
    toml_skip_blank(s);
    if (toml_peek(s) == '}')
      break;
    if (toml_peek(s) != ',')
      return toml_scan_error(s, "expected ',' or '}'");
    s->pos++;
    toml_skip_blank(s);
  }
  s->pos++;
  p->section = outer;
  return 0;
}

/* Takes key. */
static int parse_value(struct parser *p, struct toml_node *parent, char *key, struct toml_node **ret) {
  struct toml_scan *s = &p->scan;
  const int c = toml_peek(s);
  struct toml_node *node = add(parent, key, TOML_STRING, TOML_BY_VALUE);
  int failed;
  *ret = node;
  node->start = s->pos;
  if (++p->depth > TOML_DEPTH)
    return toml_scan_error(s, "values nested too deep");
  if (c == '[') {
    node->kind = TOML_ARRAY;
    failed = parse_array(p, node);
  } else if (c == '{') {
    node->kind = TOML_TABLE;
    failed = parse_inline(p, node);
  } else if (c == '"' || c == '\'') {
    failed = toml_scan_string(s, NULL);
  } else {
    failed = toml_scan_word(s, &node->kind);
  }
  p->depth--;
  node->end = s->pos;
  return failed;
}

/* --- lines --- */

/* The table that a header's part but the last names; made when it is not there. */
static int open_implied(struct parser *p, struct toml_node **table, const struct dotted *key, size_t i) {
  struct toml_node *next = toml_get(*table, key->parts.items[i]);
  if (!next) {
    next = add(*table, xstrdup(key->parts.items[i]), TOML_TABLE, TOML_IMPLIED);
    next->line = next->start = key->at;
  }
  if (next->kind == TOML_ARRAY && next->origin == TOML_BY_HEADER)
    next = next->last;
  if (next->kind != TOML_TABLE || next->origin == TOML_BY_VALUE)
    return is_twice(p, key, next);
  *table = next;
  return 0;
}

static int define(struct parser *p, struct toml_node *parent, const struct dotted *key, bool array,
                  struct toml_node **ret) {
  const char *last = key->parts.items[key->parts.len - 1];
  struct toml_node *node = toml_get(parent, last);
  if (array) {
    if (!node)
      node = add(parent, xstrdup(last), TOML_ARRAY, TOML_BY_HEADER);
    if (node->kind != TOML_ARRAY || node->origin != TOML_BY_HEADER)
      return is_twice(p, key, node);
    *ret = add(node, NULL, TOML_TABLE, TOML_BY_HEADER);
    return 0;
  }
  if (node && (node->kind != TOML_TABLE || node->origin != TOML_IMPLIED))
    return is_twice(p, key, node);
  if (!node)
    node = add(parent, xstrdup(last), TOML_TABLE, TOML_BY_HEADER);
  node->origin = TOML_BY_HEADER;
  *ret = node;
  return 0;
}

static int parse_header(struct parser *p, struct toml *t, size_t line) {
  struct toml_scan *s = &p->scan;
  CLEANUP(dotted_free) struct dotted key = { 0 };
  s->pos++;
  const bool array = toml_peek(s) == '[';
  s->pos += array;
  toml_skip_blank(s);
  if (parse_dotted(p, &key) < 0)
    return -1;
  if (toml_peek(s) != ']' || (array && (s->pos + 1 >= t->len || t->text[s->pos + 1] != ']')))
    return toml_scan_error(s, "expected ']'");
  s->pos += array ? 2 : 1;
  if (toml_scan_line_end(s) < 0)
    return -1;
  struct toml_node *table = t->root;
  for (size_t i = 0; i + 1 < key.parts.len; i++)
    if (open_implied(p, &table, &key, i) < 0)
      return -1;
  if (define(p, table, &key, array, &p->table) < 0)
    return -1;
  p->section = ++p->sections;
  p->table->section = p->section;
  p->table->start = key.at;
  p->table->line = line;
  p->table->line_end = p->table->end = s->pos;
  return 0;
}

static int parse_line(struct parser *p, struct toml *t) {
  struct toml_scan *s = &p->scan;
  const size_t line = s->pos;
  struct toml_node *pair;
  toml_skip_blank(s);
  const int c = toml_peek(s);
  if (c == '[')
    return parse_header(p, t, line);
  if (c < 0 || c == '#' || c == '\n' || c == '\r')
    return toml_scan_line_end(s);
  if (parse_pair(p, p->table, &pair) < 0 || toml_scan_line_end(s) < 0)
    return -1;
  pair->line = line;
  pair->line_end = p->table->end = s->pos;
  return 0;
}

int toml_parse(const char *name, const char *text, size_t len, struct toml *ret, struct error *err) {
  CLEANUP_TOML struct toml t = { name, text, len, add(NULL, NULL, TOML_TABLE, TOML_BY_HEADER) };
  struct parser p = { .scan = { .toml = &t, .err = err }, .table = t.root };
  if (len > TOML_LIMIT)
    return error_set(err, ERROR_INPUT, 0, "%s is larger than the limit of %zu bytes", name, TOML_LIMIT);
  while (p.scan.pos < len)
    if (parse_line(&p, &t) < 0)
      return -1;
  *ret = t;
  t.root = NULL;
  return 0;
}
