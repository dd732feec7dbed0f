/* SPDX-License-Identifier: Apache-2.0 */
/* Some values of a text, the rest of which is read over. */
#include "io/jsonx.h"
#include "io/jsonx_scan.h"

#include <string.h>

/* Do the first `path` frames spell the pointer? */
static bool is_at(const struct jsonx_scan *scan, size_t path, const char *pointer) {
  const char *p = pointer;
  for (size_t i = 0; i < path; i++) {
    const struct jsonx_frame *frame = &scan->frames[i];
    if (!frame->object || *p != '/')
      return false;
    const size_t len = frame->key_end - frame->key_start - 2;
    if (strncmp(p + 1, scan->text + frame->key_start + 1, len) != 0)
      return false;
    p += 1 + len;
    if (*p && *p != '/')
      return false;
  }
  return *p == '\0';
}

/* Moves behind the value that comes next. False: there is none. */
static bool skip_value(struct jsonx_scan *scan, size_t *ret_start, size_t *ret_end) {
  size_t open = 0;
  for (;;) {
    const struct jsonx_token token = jsonx_scan_next(scan);
    if (token.kind == JSONX_TOKEN_END || token.kind == JSONX_TOKEN_PROBLEM)
      return false;
    if (open == 0)
      *ret_start = token.start;
    open += token.kind == JSONX_TOKEN_OPEN;
    open -= token.kind == JSONX_TOKEN_CLOSE;
    *ret_end = token.end;
    if (open == 0)
      return true;
  }
}

static int take(const struct jsonx_source *src, size_t start, size_t end, json_t **ret, struct error *err) {
  const struct jsonx_source part = { src->name, src->text + start, end - start };
  json_decref(*ret);
  *ret = NULL;
  return jsonx_parse(&part, part.len, ret, err);
}

static int pick(const struct jsonx_source *src, const char *const *pointers, size_t len, json_t **ret,
                struct error *err) {
  struct jsonx_scan scan;
  jsonx_scan_init(&scan, src);
  for (;;) {
    const struct jsonx_token token = jsonx_scan_next(&scan);
    if (token.kind == JSONX_TOKEN_PROBLEM)
      return jsonx_error_at(err, ERROR_INPUT, src, token.start, "", scan.problem);
    if (token.kind == JSONX_TOKEN_END)
      return 0;
    for (size_t i = 0; token.kind == JSONX_TOKEN_KEY && i < len; i++) {
      size_t start = 0, end = 0;
      if (!is_at(&scan, token.path, pointers[i]))
        continue;
      if (skip_value(&scan, &start, &end) && take(src, start, end, &ret[i], err) < 0)
        return -1;
      break;
    }
  }
}

int jsonx_pick(const struct jsonx_source *src, const char *const *pointers, size_t len, json_t **ret,
               struct error *err) {
  for (size_t i = 0; i < len; i++)
    ret[i] = NULL;
  if (pick(src, pointers, len, ret, err) == 0)
    return 0;
  for (size_t i = 0; i < len; i++) {
    json_decref(ret[i]);
    ret[i] = NULL;
  }
  return -1;
}
