/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict reader. jansson decides what is JSON; this file refuses what is JSON and yet read differently
 * by the next program in line. Places of errors are found by a second reading (jsonx_scan.c).
 */
#include "io/jsonx.h"
#include "io/jsonx_scan.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  FOLD_PAIRS =
      16,     /* up to here all pairs of keys are compared; beyond, folded keys go through a hash table */
  SHOWN = 80, /* bytes of a number or key that a message shows */
};

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

/* Where the walk over a parsed document is; each caller's step lives in its frame. */
struct step {
  const struct step *up;
  const char *key; /* NULL: an array's item */
  size_t index;
};

static void add_path(const struct step *step, struct str *pointer) {
  if (!step)
    return;
  add_path(step->up, pointer);
  if (step->key)
    jsonx_pointer_add(pointer, step->key);
  else
    jsonx_pointer_add_index(pointer, step->index);
}

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

static int refuse_pair(const struct jsonx_source *src, const struct step *at, const char *first,
                       const char *second, struct error *err) {
  CLEANUP_STR struct str parent = { 0 };
  add_path(at, &parent);
  const char *base = parent.data ? parent.data : "";
  CLEANUP_FREE char *first_pointer = jsonx_pointer(base, first);
  CLEANUP_FREE char *second_pointer = jsonx_pointer(base, second);
  CLEANUP_FREE char *first_shown = shown_key(first);
  CLEANUP_FREE char *second_shown = shown_key(second);
  unsigned line, column;
  jsonx_locate(src, first_pointer, true, &line, &column);
  return jsonx_error_key(
      err, ERROR_INPUT, src, second_pointer,
      "the keys \"%.*s\" (line %u, column %u) and \"%.*s\" are one key to Go, which ignores case", SHOWN,
      first_shown, line, column, SHOWN, second_shown);
}

static int check_pairs(const struct jsonx_source *src, json_t *object, const struct step *at,
                       struct error *err) {
  const char *keys[FOLD_PAIRS];
  size_t n = 0;
  const char *key;
  json_t *value;
  json_object_foreach(object, key, value) {
    for (size_t i = 0; i < n; i++)
      if (same_fold(keys[i], key))
        return refuse_pair(src, at, keys[i], key, err);
    keys[n++] = key;
  }
  return 0;
}

/* jansson's table is seeded, so that chosen keys cannot make this quadratic. */
static int check_table(const struct jsonx_source *src, json_t *object, const struct step *at,
                       struct error *err) {
  json_auto_t *seen = json_object();
  const char *key;
  json_t *value;
  json_object_foreach(object, key, value) {
    CLEANUP_FREE char *folded = jsonx_fold(key);
    if (json_object_get(seen, folded)) {
      const char *first;
      json_object_foreach(object, first, value) {
        if (same_fold(first, key))
          break;
      }
      return refuse_pair(src, at, first, key, err);
    }
    if (json_object_set_new_nocheck(seen, folded, json_true()) != 0)
      die_out_of_memory();
  }
  return 0;
}

struct walk {
  const struct jsonx_source *src;
  size_t forms; /* strings of the private form */
  bool too_deep;
};

static bool too_deep(struct walk *w, size_t depth) {
  w->too_deep = depth == JSONX_DEPTH;
  return w->too_deep;
}

/* Recursion is bounded by JSONX_DEPTH. */
static int walk_value(struct walk *w, json_t *value, size_t depth, const struct step *at, struct error *err) {
  struct step step = { .up = at };
  json_t *child;
  switch (json_typeof(value)) {
  case JSON_STRING:
    w->forms += jsonx_u64_is_form(json_string_value(value), json_string_length(value), NULL);
    return 0;
  case JSON_ARRAY:
    if (too_deep(w, depth))
      return -1;
    json_array_foreach(value, step.index, child) {
      if (walk_value(w, child, depth + 1, &step, err) != 0)
        return -1;
    }
    return 0;
  case JSON_OBJECT:
    if (too_deep(w, depth))
      return -1;
    if (json_object_size(value) <= FOLD_PAIRS ? check_pairs(w->src, value, at, err)
                                              : check_table(w->src, value, at, err))
      return -1;
    json_object_foreach(value, step.key, child) {
      if (walk_value(w, child, depth + 1, &step, err) != 0)
        return -1;
    }
    return 0;
  case JSON_INTEGER:
  case JSON_REAL:
  case JSON_TRUE:
  case JSON_FALSE:
  case JSON_NULL:
    return 0;
  }
  return 0;
}

/* What a number token is to OCI: Go's int64 and uint64 together, and finite reals. */
enum range { RANGE_FITS, RANGE_BIG, RANGE_OUT };

static enum range number_range(const char *text, const struct jsonx_token *token, uint64_t *ret_big) {
  enum { SURE_DIGITS = 18 };
  const char *start = text + token->start;
  size_t len = token->end - token->start;
  bool real = memchr(start, '.', len) || memchr(start, 'e', len) || memchr(start, 'E', len);
  if (!real && len <= SURE_DIGITS)
    return RANGE_FITS;
  CLEANUP_STR struct str digits = { 0 };
  str_add_mem(&digits, start, len);
  errno = 0;
  if (real)
    return isfinite(strtod(digits.data, NULL)) ? RANGE_FITS : RANGE_OUT;
  if (*start == '-') {
    long long ignored = strtoll(digits.data, NULL, 10);
    (void)ignored;
    return errno ? RANGE_OUT : RANGE_FITS;
  }
  *ret_big = strtoull(digits.data, NULL, 10);
  if (errno)
    return RANGE_OUT;
  return *ret_big > INT64_MAX ? RANGE_BIG : RANGE_FITS;
}

/* A copy of the text in which integers above 2^63-1 have the private form. NULL when there are none. */
static char *rewrite_big(const struct jsonx_source *src, size_t *ret_count) {
  CLEANUP_FREE char *copy = NULL;
  struct jsonx_scan scan;
  jsonx_scan_init(&scan, src);
  *ret_count = 0;
  for (;;) {
    struct jsonx_token token = jsonx_scan_next(&scan);
    if (token.kind == JSONX_TOKEN_END || token.kind == JSONX_TOKEN_PROBLEM)
      return steal_ptr(&copy);
    uint64_t big;
    if (token.kind != JSONX_TOKEN_NUMBER || number_range(src->text, &token, &big) != RANGE_BIG)
      continue;
    if (!copy) {
      copy = xcalloc(src->len, 1);
      memcpy(copy, src->text, src->len);
    }
    char form[JSONX_U64_SIZE];
    size_t len = jsonx_u64_form(big, form);
    copy[token.start] = copy[token.end - 1] = '"';
    memcpy(copy + token.start + 1, form, len);
    ++*ret_count;
  }
}

static int refuse_token(const struct jsonx_source *src, const struct jsonx_scan *scan,
                        const struct jsonx_token *token, const char *problem, struct error *err) {
  CLEANUP_STR struct str pointer = { 0 };
  jsonx_scan_pointer(scan, token->path, &pointer);
  return jsonx_error_at(err, ERROR_INPUT, src, token->start, pointer.data ? pointer.data : "", problem);
}

static int refuse_number(const struct jsonx_source *src, const struct jsonx_scan *scan,
                         const struct jsonx_token *token, struct error *err) {
  size_t n = token->end - token->start;
  CLEANUP_FREE char *text =
      xasprintf("the number %.*s%s is outside of what 64 bits hold", (int)(n > SHOWN ? SHOWN : n),
                src->text + token->start, n > SHOWN ? "..." : "");
  return refuse_token(src, scan, token, text, err);
}

/* The first key of that name is what a pointer finds. */
static int refuse_duplicate(const struct jsonx_source *src, const struct jsonx_scan *scan,
                            const struct jsonx_token *token, struct error *err) {
  CLEANUP_STR struct str pointer = { 0 };
  CLEANUP_STR struct str key = { 0 };
  unsigned line, column;
  jsonx_scan_pointer(scan, token->path, &pointer);
  jsonx_scan_unescape(src->text, token->start, token->end, &key);
  jsonx_locate(src, pointer.data, true, &line, &column);
  CLEANUP_FREE char *text = xasprintf("the key \"%.*s\" is there twice, first at line %u, column %u", SHOWN,
                                      key.data ? key.data : "", line, column);
  return jsonx_error_at(err, ERROR_INPUT, src, token->start, pointer.data, text);
}

/* Sets the error for a text that jansson refused: the first problem that the second reading meets. */
static int report_refusal(const struct jsonx_source *src, const json_error_t *why, struct error *err) {
  struct jsonx_scan scan;
  struct jsonx_token token;
  if (why && json_error_code(why) == json_error_out_of_memory)
    die_out_of_memory();
  bool duplicate = why && json_error_code(why) == json_error_duplicate_key;
  size_t position = why && why->position > 0 ? (size_t)why->position : 0;
  jsonx_scan_init(&scan, src);
  do {
    uint64_t ignored;
    token = jsonx_scan_next(&scan);
    if (token.kind == JSONX_TOKEN_PROBLEM)
      return refuse_token(src, &scan, &token, scan.problem, err);
    if (token.kind == JSONX_TOKEN_NUMBER && number_range(src->text, &token, &ignored) == RANGE_OUT)
      return refuse_number(src, &scan, &token, err);
    if (duplicate && token.kind == JSONX_TOKEN_KEY && token.end >= position)
      return refuse_duplicate(src, &scan, &token, err);
  } while (token.kind != JSONX_TOKEN_END);
  /* The two readers differ, which the fuzzer looks for; jansson's word counts. */
  CLEANUP_FREE char *text = xasprintf("not JSON: %s", why ? why->text : "too deep");
  return jsonx_error_at(err, ERROR_INPUT, src, position ? position - 1 : 0, "", text);
}

static int report_form(const struct jsonx_source *src, struct error *err) {
  struct jsonx_scan scan;
  struct jsonx_token token;
  jsonx_scan_init(&scan, src);
  do {
    token = jsonx_scan_next(&scan);
    if (token.kind != JSONX_TOKEN_STRING)
      continue;
    CLEANUP_STR struct str text = { 0 };
    jsonx_scan_unescape(src->text, token.start, token.end, &text);
    if (jsonx_u64_is_form(text.data ? text.data : "", text.len, NULL))
      return refuse_token(src, &scan, &token, "the string is of a form that is kept for large integers", err);
  } while (token.kind != JSONX_TOKEN_END);
  return error_set(err, ERROR_INTERNAL, 0, "%s: large integers were lost", src->name);
}

int jsonx_parse(const struct jsonx_source *src, size_t limit, json_t **ret, struct error *err) {
  static const size_t flags = JSON_DECODE_ANY | JSON_REJECT_DUPLICATES;
  if (limit > INT_MAX) /* jansson counts in int */
    limit = INT_MAX;
  if (src->len > limit)
    return error_set(err, ERROR_INPUT, 0, "%s: has %zu bytes, more than the %zu that are allowed", src->name,
                     src->len, limit);
  json_error_t why;
  size_t rewritten = 0;
  json_auto_t *root = json_loadb(src->text ? src->text : "", src->len, flags, &why);
  if (!root && json_error_code(&why) == json_error_numeric_overflow) {
    CLEANUP_FREE char *copy = rewrite_big(src, &rewritten);
    if (copy)
      root = json_loadb(copy, src->len, flags, &why);
  }
  if (!root)
    return report_refusal(src, &why, err);
  struct walk walk = { .src = src };
  if (walk_value(&walk, root, 0, NULL, err) != 0)
    return walk.too_deep ? report_refusal(src, NULL, err) : -1;
  if (walk.forms != rewritten)
    return report_form(src, err);
  *ret = steal_ptr(&root);
  return 0;
}
