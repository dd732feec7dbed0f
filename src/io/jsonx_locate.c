/* SPDX-License-Identifier: Apache-2.0 */
/* Places in messages: from a pointer to line and column, by reading the text again. */
#include "io/jsonx.h"
#include "io/jsonx_scan.h"

#include <stdio.h>
#include <string.h>

/* What a hostile key may take of a message; the text behind it must still fit. */
enum { POINTER_SHOWN = 600 };

/* Line and column, from 1, of an offset. */
static void line_column(const struct jsonx_source *src, size_t offset, unsigned *ret_line,
                        unsigned *ret_column) {
  unsigned line = 1;
  size_t line_start = 0;
  if (offset > src->len)
    offset = src->len;
  while (line_start < offset) {
    const char *newline = memchr(src->text + line_start, '\n', offset - line_start);
    if (!newline)
      break;
    line_start = (size_t)(newline - src->text) + 1;
    line++;
  }
  *ret_line = line;
  *ret_column = (unsigned)(offset - line_start) + 1;
}

/* The next token of a pointer, unescaped; false at its end or when it is malformed. */
static bool next_step(const char **pointer, struct str *ret_step) {
  const char *p = *pointer;
  str_free(ret_step);
  if (*p != '/')
    return false;
  p++;
  while (*p && *p != '/') {
    if (*p == '~' && (p[1] == '0' || p[1] == '1')) {
      str_add_mem(ret_step, p[1] == '0' ? "~" : "/", 1);
      p += 2;
      continue;
    }
    size_t plain = 1 + strcspn(p + 1, "~/");
    str_add_mem(ret_step, p, plain);
    p += plain;
  }
  *pointer = p;
  return true;
}

static bool key_is(const struct jsonx_scan *scan, const struct jsonx_frame *frame, const char *wanted) {
  size_t n = frame->key_end - frame->key_start - 2;
  const char *raw = scan->text + frame->key_start + 1;
  if (!memchr(raw, '\\', n))
    return strlen(wanted) == n && memcmp(raw, wanted, n) == 0;
  CLEANUP_STR struct str key = { 0 };
  jsonx_scan_unescape(scan->text, frame->key_start, frame->key_end, &key);
  return strcmp(key.data ? key.data : "", wanted) == 0;
}

static bool index_is(const struct jsonx_frame *frame, const char *wanted) {
  char digits[24];
  snprintf(digits, sizeof digits, "%zu", frame->index);
  return strcmp(digits, wanted) == 0;
}

/*
 * Follows the pointer through the tokens. `matched` frames of the path are the pointer's; the walk ends
 * where the value that they lead to ends, so it never sees another value with the same prefix.
 */
static size_t find(const struct jsonx_source *src, const char *pointer, bool for_key) {
  struct jsonx_scan scan;
  CLEANUP_STR struct str step = { 0 };
  size_t matched = 0;
  size_t place = 0;
  size_t key_place = 0; /* of an array's item: its value's */
  bool more = next_step(&pointer, &step);
  jsonx_scan_init(&scan, src);
  for (;;) {
    struct jsonx_token token = jsonx_scan_next(&scan);
    if (token.kind == JSONX_TOKEN_END || token.kind == JSONX_TOKEN_PROBLEM)
      return place;
    if (token.kind == JSONX_TOKEN_CLOSE) {
      if (token.path == matched)
        return place;
      continue;
    }
    if (more && token.path == matched + 1) {
      const struct jsonx_frame *frame = &scan.frames[matched];
      const char *wanted = step.data ? step.data : "";
      if (frame->object ? token.kind == JSONX_TOKEN_KEY && key_is(&scan, frame, wanted)
                        : index_is(frame, wanted)) {
        matched++;
        key_place = token.start;
        more = next_step(&pointer, &step);
      }
    }
    if (token.path != matched || token.kind == JSONX_TOKEN_KEY)
      continue;
    place = token.start;
    if (!more)
      return for_key && matched ? key_place : place;
    if (token.kind != JSONX_TOKEN_OPEN)
      return place;
  }
}

void jsonx_locate(const struct jsonx_source *src, const char *pointer, bool for_key, unsigned *ret_line,
                  unsigned *ret_column) {
  struct jsonx_scan scan;
  jsonx_scan_init(&scan, src);
  if (!src->text || jsonx_scan_next(&scan).kind == JSONX_TOKEN_PROBLEM) {
    *ret_line = *ret_column = 0;
    return;
  }
  line_column(src, find(src, pointer, for_key), ret_line, ret_column);
}

/* "pointer: ", its middle left out when it is long. */
static void add_pointer(struct str *out, const char *pointer) {
  size_t n = strlen(pointer);
  if (n == 0)
    return;
  if (n <= POINTER_SHOWN) {
    str_addf(out, "%s: ", pointer);
    return;
  }
  size_t head = POINTER_SHOWN / 2;
  size_t tail = n - POINTER_SHOWN / 2;
  while (head > 0 && ((unsigned char)pointer[head] & 0xc0) == 0x80)
    head--;
  while (((unsigned char)pointer[tail] & 0xc0) == 0x80)
    tail++;
  str_add_mem(out, pointer, head);
  str_addf(out, "...%s: ", pointer + tail);
}

int jsonx_error_at(struct error *err, enum error_code code, const struct jsonx_source *src, size_t offset,
                   const char *pointer, const char *text) {
  CLEANUP_STR struct str shown = { 0 };
  unsigned line, column;
  line_column(src, offset, &line, &column);
  add_pointer(&shown, pointer);
  return error_set(err, code, 0, "%s:%u:%u: %s%s", src->name, line, column, shown.data ? shown.data : "",
                   text);
}

static int report(struct error *err, enum error_code code, const struct jsonx_source *src,
                  const char *pointer, bool for_key, const char *text) {
  CLEANUP_STR struct str shown = { 0 };
  unsigned line = 0, column = 0;
  if (src)
    jsonx_locate(src, pointer, for_key, &line, &column);
  add_pointer(&shown, pointer);
  const char *where = shown.data ? shown.data : "";
  if (line)
    return error_set(err, code, 0, "%s:%u:%u: %s%s", src->name, line, column, where, text);
  if (src)
    return error_set(err, code, 0, "%s: %s%s", src->name, where, text);
  return error_set(err, code, 0, "%s%s", where, text);
}

int jsonx_error(struct error *err, enum error_code code, const struct jsonx_source *src, const char *pointer,
                const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  CLEANUP_FREE char *text = xvasprintf(fmt, args);
  va_end(args);
  return report(err, code, src, pointer, false, text);
}

int jsonx_error_key(struct error *err, enum error_code code, const struct jsonx_source *src,
                    const char *pointer, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  CLEANUP_FREE char *text = xvasprintf(fmt, args);
  va_end(args);
  return report(err, code, src, pointer, true, text);
}

static json_t *escaped_member(const json_t *object, const char *pointer) {
  CLEANUP_STR struct str key = { 0 };
  next_step(&pointer, &key);
  return json_object_get(object, key.data ? key.data : "");
}

/* Digits only and no leading zero, as RFC 6901 has it. */
static json_t *item_at(const json_t *array, const char *token, size_t len) {
  size_t index = 0;
  if (len == 0 || len > 18 || (token[0] == '0' && len > 1))
    return NULL;
  for (size_t i = 0; i < len; i++) {
    if (token[i] < '0' || token[i] > '9')
      return NULL;
    index = index * 10 + (size_t)(token[i] - '0');
  }
  return json_array_get(array, index);
}

json_t *jsonx_at(const json_t *root, const char *pointer) {
  const json_t *value = root;
  while (value && *pointer == '/') {
    const char *token = pointer + 1;
    bool escaped = false;
    size_t len = 0;
    for (; token[len] && token[len] != '/'; len++)
      escaped |= token[len] == '~';
    if (!json_is_object(value))
      value = item_at(value, token, len);
    else if (escaped)
      value = escaped_member(value, pointer);
    else
      value = json_object_getn(value, token, len);
    pointer = token + len;
  }
  return *pointer ? NULL : (json_t *)value;
}

bool jsonx_has(const json_t *array, const char *text) {
  for (size_t i = 0; i < json_array_size(array); i++) {
    const char *item = json_string_value(json_array_get(array, i));
    if (item && str_same(item, text))
      return true;
  }
  return false;
}
