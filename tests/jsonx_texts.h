/* SPDX-License-Identifier: Apache-2.0 */
/* Texts for the strict reader, that it takes or refuses: what its tests share. */
#ifndef HARDEN_TESTS_JSONX_TEXTS_H
#define HARDEN_TESTS_JSONX_TEXTS_H

#include "io/jsonx.h"

#include <criterion/criterion.h>
#include <string.h>

static inline struct jsonx_source source(const char *text) {
  return (struct jsonx_source){ "c.json", text, strlen(text) };
}

static inline json_t *parse_mem(const char *text, size_t len) {
  struct jsonx_source src = { "c.json", text, len };
  struct error err = { 0 };
  json_t *value = NULL;
  int rc = jsonx_parse(&src, JSONX_LIMIT_DEFAULT, &value, &err);
  cr_assert(rc == 0, "%s", err.message);
  cr_assert_not_null(value);
  return value;
}

static inline json_t *parse(const char *text) {
  return parse_mem(text, strlen(text));
}

static inline void refused_mem(const char *text, size_t len, const char *message) {
  struct jsonx_source src = { "c.json", text, len };
  struct error err = { 0 };
  json_t *value = NULL;
  cr_expect(jsonx_parse(&src, JSONX_LIMIT_DEFAULT, &value, &err) == -1, "taken: %s", text);
  cr_expect_null(value);
  cr_expect_eq(err.code, ERROR_INPUT);
  cr_expect_str_eq(err.message, message);
  json_decref(value);
}

struct refusal {
  const char *text;
  const char *message;
};

static inline void refused(const struct refusal *cases, size_t n) {
  for (size_t i = 0; i < n; i++)
    refused_mem(cases[i].text, strlen(cases[i].text), cases[i].message);
}

static inline char *dump(const json_t *value) {
  struct str out = { 0 };
  jsonx_dump(value, &out);
  return str_steal(&out);
}

/* parse, dump: the bytes that come out. */
static inline void becomes(const char *text, const char *bytes) {
  json_auto_t *value = parse(text);
  CLEANUP_FREE char *out = dump(value);
  cr_expect_str_eq(out, bytes);
}

#endif
