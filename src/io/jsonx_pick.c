/* SPDX-License-Identifier: Apache-2.0 */
/* Some values of a text, the rest of which is read over. */
#include "io/jsonx.h"
#include "io/jsonx_scan.h"

#include <string.h>

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

static int pick(const struct jsonx_source *src, const char *const *pointers, size_t len, bool first,
                json_t **ret, struct error *err) {
  struct jsonx_scan scan;
  size_t left = len;
  jsonx_scan_init(&scan, src);
  for (;;) {
    const struct jsonx_token token = jsonx_scan_next(&scan);
    if (token.kind == JSONX_TOKEN_PROBLEM)
      return jsonx_error_at(err, ERROR_INPUT, src, token.start, "", scan.problem);
    if (token.kind == JSONX_TOKEN_END)
      return 0;
    for (size_t i = 0; token.kind == JSONX_TOKEN_KEY && i < len; i++) {
      size_t start = 0, end = 0;
      if (!jsonx_scan_is_at(&scan, token.path, pointers[i]))
        continue;
      left -= !ret[i];
      const bool whole = skip_value(&scan, &start, &end);
      if (first && (!whole || end == src->len)) /* a number may go on */
        return jsonx_error_at(err, ERROR_INPUT, src, src->len, "", "the text ends too early");
      if (whole && take(src, start, end, &ret[i], err) < 0)
        return -1;
      if (first && left == 0)
        return 0;
      break;
    }
  }
}

static int pick_all(const struct jsonx_source *src, const char *const *pointers, size_t len, bool first,
                    json_t **ret, struct error *err) {
  for (size_t i = 0; i < len; i++)
    ret[i] = NULL;
  if (pick(src, pointers, len, first, ret, err) == 0)
    return 0;
  for (size_t i = 0; i < len; i++) {
    json_decref(ret[i]);
    ret[i] = NULL;
  }
  return -1;
}

int jsonx_pick(const struct jsonx_source *src, const char *const *pointers, size_t len, json_t **ret,
               struct error *err) {
  return pick_all(src, pointers, len, false, ret, err);
}

int jsonx_pick_first(const struct jsonx_source *src, const char *const *pointers, size_t len, json_t **ret,
                     struct error *err) {
  return pick_all(src, pointers, len, true, ret, err);
}
