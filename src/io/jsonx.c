/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict reader: builds jansson's values from the tokens of jsonx_scan.c, and refuses what is JSON and
 * yet read differently by the next program in line. jansson's own reader would take three times as long for a
 * large config, holds no integer above 2^63-1, and knows no pointer of what it refuses; the tests and the
 * fuzzer hold this one to its verdicts.
 */
#include "io/jsonx.h"
#include "io/jsonx_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Objects of up to so many keys have all pairs compared; in larger ones folded keys go through a hash table.
 */
enum { FOLD_PAIRS = 16 };
enum { SURE_DIGITS = 18 }; /* an integer of so many digits fits */
enum { SHOWN = 80 };       /* bytes of a number or key that a message shows */

/* The folded form of the character at *p (its first byte, when it folds to itself); moves *p behind it. */
static unsigned char fold_step(const unsigned char **p) {
  const unsigned char *c = *p;
  if (c[0] == 0xc5 && c[1] == 0xbf) { /* U+017F, long s */
    *p += 2;
    return 's';
  }
  if (c[0] == 0xe2 && c[1] == 0x84 && c[2] == 0xaa) { /* U+212A, Kelvin sign */
    *p += 3;
    return 'k';
  }
  *p += 1;
  return c[0] >= 'A' && c[0] <= 'Z' ? c[0] | 0x20 : c[0];
}

char *jsonx_fold(const char *key) {
  const unsigned char *from = (const unsigned char *)key;
  char *folded = xcalloc(strlen(key) + 1, 1);
  for (char *to = folded; *from; to++)
    *to = (char)fold_step(&from);
  return folded;
}

static bool same_fold(const char *a, const char *b) {
  const unsigned char *p = (const unsigned char *)a;
  const unsigned char *q = (const unsigned char *)b;
  while (*p && *q)
    if (fold_step(&p) != fold_step(&q))
      return false;
  return *p == *q;
}

struct reader {
  const struct jsonx_source *src;
  jsonx_is_map *is_map;   /* NULL: there are none */
  const char *without;    /* the pointer of what is left out; NULL: nothing */
  const char *noted;      /* that of an object or array whose text is to be told; NULL: none */
  struct jsonx_span span; /* of either */
  struct jsonx_scan scan;
  json_t *open[JSONX_DEPTH]; /* borrowed from root */
  json_t *root;
};

/* A key as a message shows it: what folds to ASCII looks like ASCII, so its code is shown. */
static char *shown_key(const char *key) {
  struct str out = { 0 };
  for (const unsigned char *p = (const unsigned char *)key; *p;) {
    const unsigned char *from = p;
    unsigned char folded = fold_step(&p);
    if (p - from > 1)
      str_add(&out, folded == 's' ? "\\u017f" : "\\u212a");
    else
      str_add_mem(&out, from, 1);
  }
  return str_steal(&out);
}

static int refuse_token(const struct reader *r, const struct jsonx_token *token, const char *problem,
                        struct error *err) {
  CLEANUP_STR struct str pointer = { 0 };
  jsonx_scan_pointer(&r->scan, token->path, &pointer);
  return jsonx_error_at(err, ERROR_INPUT, r->src, token->start, pointer.data ? pointer.data : "", problem);
}

/* Two keys of the object that `path` leads to, which has just been read. 0: they are a map's, and so two. */
static int judge_pair(const struct reader *r, size_t path, const char *first, const char *second,
                      struct error *err) {
  CLEANUP_STR struct str parent = { 0 };
  jsonx_scan_pointer(&r->scan, path, &parent);
  const char *base = parent.data ? parent.data : "";
  if (r->is_map && r->is_map(base))
    return 0;
  CLEANUP_FREE char *first_pointer = jsonx_pointer(base, first);
  CLEANUP_FREE char *second_pointer = jsonx_pointer(base, second);
  CLEANUP_FREE char *first_shown = shown_key(first);
  CLEANUP_FREE char *second_shown = shown_key(second);
  unsigned line, column;
  jsonx_locate(r->src, first_pointer, true, &line, &column);
  return jsonx_error_key(
      err, ERROR_INPUT, r->src, second_pointer,
      "the keys \"%.*s\" (line %u, column %u) and \"%.*s\" are one key to Go, which ignores case", SHOWN,
      first_shown, line, column, SHOWN, second_shown);
}

static int check_pairs(const struct reader *r, json_t *object, size_t path, struct error *err) {
  const char *keys[FOLD_PAIRS];
  size_t n = 0;
  const char *key;
  json_t *value;
  json_object_foreach(object, key, value) {
    for (size_t i = 0; i < n; i++)
      if (same_fold(keys[i], key))
        return judge_pair(r, path, keys[i], key, err);
    keys[n++] = key;
  }
  return 0;
}

/* The first two keys that fold to the same name as `key`. */
static int judge_fold(const struct reader *r, json_t *object, size_t path, const char *key,
                      struct error *err) {
  const char *first = NULL;
  const char *other;
  json_t *value;
  json_object_foreach(object, other, value) {
    if (!same_fold(other, key))
      continue;
    if (first)
      return judge_pair(r, path, first, other, err);
    first = other;
  }
  return error_set(err, ERROR_INTERNAL, 0, "%s: a key was lost", r->src->name);
}

/* Of two keys with one fold at least one is not its own fold; keys in lower case cost a look only. jansson's
 * table is seeded, so that chosen keys cannot make this quadratic. */
static int check_table(const struct reader *r, json_t *object, size_t path, struct error *err) {
  json_auto_t *seen = json_object();
  const char *key;
  json_t *value;
  json_object_foreach(object, key, value) {
    CLEANUP_FREE char *folded = jsonx_fold(key);
    if (strcmp(folded, key) == 0)
      continue;
    if (json_object_get(object, folded) || json_object_get(seen, folded))
      return judge_fold(r, object, path, key, err);
    jsonx_set_new(seen, folded, json_true());
  }
  return 0;
}

static int check_keys(const struct reader *r, json_t *object, size_t path, struct error *err) {
  return json_object_size(object) <= FOLD_PAIRS ? check_pairs(r, object, path, err)
                                                : check_table(r, object, path, err);
}

/* The first key of that name is what its pointer finds. */
static int refuse_duplicate(const struct reader *r, size_t path, struct error *err) {
  const struct jsonx_frame *frame = &r->scan.frames[path - 1];
  CLEANUP_STR struct str pointer = { 0 };
  CLEANUP_STR struct str key = { 0 };
  unsigned line, column;
  jsonx_scan_pointer(&r->scan, path, &pointer);
  jsonx_scan_unescape(r->src->text, frame->key_start, frame->key_end, &key);
  jsonx_locate(r->src, pointer.data, true, &line, &column);
  CLEANUP_FREE char *text = xasprintf("the key \"%.*s\" is there twice, first at line %u, column %u", SHOWN,
                                      key.data ? key.data : "", line, column);
  return jsonx_error_at(err, ERROR_INPUT, r->src, frame->key_start, pointer.data, text);
}

/* What the string token [start, end) says: a part of the text itself, or *room when there are escapes. */
static const char *string_text(const struct reader *r, size_t start, size_t end, bool escaped,
                               struct str *room, size_t *ret_len) {
  *ret_len = end - start - 2;
  if (!escaped)
    return r->src->text + start + 1;
  jsonx_scan_unescape(r->src->text, start, end, room);
  *ret_len = room->len;
  return room->data;
}

/* Puts a value (taken; NULL: out of memory) where the path of its token says. */
static int attach(struct reader *r, size_t path, json_t *value, struct error *err) {
  if (!value)
    die_out_of_memory();
  if (path == 0) {
    r->root = value;
    return 0;
  }
  const struct jsonx_frame *frame = &r->scan.frames[path - 1];
  json_t *parent = r->open[path - 1];
  if (!frame->object) {
    jsonx_append_new(parent, value);
    return 0;
  }
  CLEANUP_STR struct str room = { 0 };
  size_t len;
  const char *key = string_text(r, frame->key_start, frame->key_end, frame->key_escaped, &room, &len);
  size_t before = json_object_size(parent);
  if (json_object_setn_new_nocheck(parent, key, len, value) != 0)
    die_out_of_memory();
  return json_object_size(parent) == before ? refuse_duplicate(r, path, err) : 0;
}

static int read_string(struct reader *r, const struct jsonx_token *token, struct error *err) {
  CLEANUP_STR struct str room = { 0 };
  size_t len;
  const char *text = string_text(r, token->start, token->end, r->scan.escaped, &room, &len);
  if (jsonx_u64_is_form(text, len, NULL))
    return refuse_token(r, token, "a string of the form in which large integers are held", err);
  return attach(r, token->path, json_stringn_nocheck(text, len), err);
}

/* The value of an integer's text; -1 when it does not fit. */
static int integer_new(const char *text, size_t len, json_t **ret) {
  CLEANUP_STR struct str digits = { 0 };
  str_add_mem(&digits, text, len);
  errno = 0;
  if (*text == '-') {
    long long value = strtoll(digits.data, NULL, 10);
    *ret = errno ? NULL : json_integer(value);
    return errno ? -1 : 0;
  }
  unsigned long long value = strtoull(digits.data, NULL, 10);
  *ret = errno ? NULL : jsonx_u64_new(value);
  return errno ? -1 : 0;
}

/* By jansson, which knows about the locale's decimal point. */
static int real_new(const char *text, size_t len, json_t **ret) {
  json_error_t why;
  *ret = json_loadb(text, len, JSON_DECODE_ANY, &why);
  return !*ret && json_error_code(&why) == json_error_numeric_overflow ? -1 : 0;
}

static int number_new(const char *text, size_t len, json_t **ret) {
  if (memchr(text, '.', len) || memchr(text, 'e', len) || memchr(text, 'E', len))
    return real_new(text, len, ret);
  if (len > SURE_DIGITS)
    return integer_new(text, len, ret);
  json_int_t value = 0;
  for (size_t i = *text == '-'; i < len; i++)
    value = value * 10 + (text[i] - '0');
  *ret = json_integer(*text == '-' ? -value : value);
  return 0;
}

static int read_number(struct reader *r, const struct jsonx_token *token, struct error *err) {
  const char *text = r->src->text + token->start;
  size_t len = token->end - token->start;
  json_t *value;
  if (number_new(text, len, &value) == 0)
    return attach(r, token->path, value, err);
  CLEANUP_FREE char *problem = xasprintf("the number %.*s%s is outside of what 64 bits hold",
                                         (int)(len > SHOWN ? SHOWN : len), text, len > SHOWN ? "..." : "");
  return refuse_token(r, token, problem, err);
}

static int read_open(struct reader *r, const struct jsonx_token *token, struct error *err) {
  json_t *container = r->src->text[token->start] == '{' ? json_object() : json_array();
  r->open[token->path] = container;
  if (r->noted && jsonx_scan_is_at(&r->scan, token->path, r->noted))
    r->span.text = r->src->text + token->start;
  return attach(r, token->path, container, err);
}

static int read_token(struct reader *r, const struct jsonx_token *token, struct error *err) {
  switch (token->kind) {
  case JSONX_TOKEN_PROBLEM:
    return refuse_token(r, token, r->scan.problem, err);
  case JSONX_TOKEN_OPEN:
    return read_open(r, token, err);
  case JSONX_TOKEN_CLOSE: {
    json_t *container = r->open[token->path];
    if (r->noted && jsonx_scan_is_at(&r->scan, token->path, r->noted))
      r->span.len = (size_t)(r->src->text + token->end - r->span.text);
    return json_is_object(container) ? check_keys(r, container, token->path, err) : 0;
  }
  case JSONX_TOKEN_STRING:
    return read_string(r, token, err);
  case JSONX_TOKEN_NUMBER:
    return read_number(r, token, err);
  case JSONX_TOKEN_WORD: {
    char c = r->src->text[token->start];
    return attach(r, token->path, c == 't' ? json_true() : c == 'f' ? json_false() : json_null(), err);
  }
  case JSONX_TOKEN_KEY:
    if (r->without && jsonx_scan_is_at(&r->scan, token->path, r->without) &&
        jsonx_scan_over(&r->scan, &r->span))
      return attach(r, token->path, json_true(), err);
    return 0;
  case JSONX_TOKEN_END:
    return 0;
  }
  return 0;
}

int jsonx_parse(const struct jsonx_source *src, size_t limit, json_t **ret, struct error *err) {
  return jsonx_parse_with_maps(src, limit, NULL, ret, err);
}

static int read_all(struct reader *r, const struct jsonx_source *src, jsonx_is_map *is_map,
                    struct error *err) {
  struct jsonx_token token;
  r->src = src;
  r->is_map = is_map;
  r->span = (struct jsonx_span){ 0 };
  r->root = NULL;
  jsonx_scan_init(&r->scan, src);
  do {
    token = jsonx_scan_next(&r->scan);
    if (read_token(r, &token, err) != 0) {
      json_decref(r->root);
      return -1;
    }
  } while (token.kind != JSONX_TOKEN_END);
  return 0;
}

int jsonx_parse_with_maps(const struct jsonx_source *src, size_t limit, jsonx_is_map *is_map, json_t **ret,
                          struct error *err) {
  return jsonx_parse_noting(src, limit, is_map, NULL, NULL, ret, err);
}

int jsonx_parse_noting(const struct jsonx_source *src, size_t limit, jsonx_is_map *is_map,
                       const char *pointer, struct jsonx_span *ret_span, json_t **ret, struct error *err) {
  struct reader reader; /* what is large in it is filled as it is read */
  reader.without = NULL;
  reader.noted = pointer;
  if (src->len > limit)
    return error_set(err, ERROR_INPUT, 0, "%s: has %zu bytes, more than the %zu that are allowed", src->name,
                     src->len, limit);
  if (read_all(&reader, src, is_map, err) < 0)
    return -1;
  if (ret_span)
    *ret_span = reader.span;
  *ret = reader.root;
  return 0;
}

int jsonx_parse_without(const struct jsonx_source *src, jsonx_is_map *is_map, const char *pointer,
                        struct jsonx_span *ret_left_out, json_t **ret, struct error *err) {
  struct reader reader;
  reader.without = pointer;
  reader.noted = NULL;
  if (read_all(&reader, src, is_map, err) < 0)
    return -1;
  *ret_left_out = reader.span;
  *ret = reader.root;
  return 0;
}
