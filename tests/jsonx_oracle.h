/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold of the strict reader for every text, shared by the property tests and the fuzzer.
 * jansson's own reader is the second opinion: ours takes nothing that jansson refuses, save integers above
 * 2^63-1, and refuses nothing that jansson takes, save what jsonx.h lists.
 */
#ifndef HARDEN_TESTS_JSONX_ORACLE_H
#define HARDEN_TESTS_JSONX_ORACLE_H

#include "io/jsonx.h"

#include <stdio.h>
#include <string.h>

/* Offset of a place; SIZE_MAX when there is no such place. */
static inline size_t oracle_offset(const struct jsonx_source *src, unsigned line, unsigned column) {
  size_t at = 0;
  if (line == 0 || column == 0)
    return SIZE_MAX;
  for (; line > 1; line--) {
    const char *newline = memchr(src->text + at, '\n', src->len - at);
    if (!newline)
      return SIZE_MAX;
    at = (size_t)(newline - src->text) + 1;
  }
  at += column - 1;
  return at <= src->len ? at : SIZE_MAX;
}

/* What is at the place of pointer must read as the value itself. */
static inline const char *oracle_place(const struct jsonx_source *src, const char *pointer,
                                       const json_t *value) {
  unsigned line, column;
  jsonx_locate(src, pointer, false, &line, &column);
  size_t at = oracle_offset(src, line, column);
  if (at >= src->len)
    return "a value has no place";
  json_auto_t *there =
      json_loadb(src->text + at, src->len - at, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, NULL);
  if (there && !json_equal(there, value))
    return "another value is at the place";
  uint64_t ignored;
  if (!there && !jsonx_u64_get(value, &ignored) && !json_is_object(value) && !json_is_array(value))
    return "no value is at the place";
  return NULL;
}

/* Follows the pointers of the first values of each level, at most *budget of them. */
static inline const char *oracle_places(const struct jsonx_source *src, const json_t *value,
                                        const char *pointer, unsigned *budget) {
  if (*budget == 0)
    return NULL;
  --*budget;
  const char *complaint = oracle_place(src, pointer, value);
  const char *key;
  size_t index;
  json_t *child;
  json_object_foreach((json_t *)value, key, child) {
    CLEANUP_FREE char *below = jsonx_pointer(pointer, key);
    unsigned line, column;
    jsonx_locate(src, below, true, &line, &column);
    size_t at = oracle_offset(src, line, column);
    if (at >= src->len || src->text[at] != '"')
      return "a key has no place";
    if (!complaint)
      complaint = oracle_places(src, child, below, budget);
  }
  json_array_foreach(value, index, child) {
    CLEANUP_STR struct str below = { 0 };
    str_add(&below, pointer);
    jsonx_pointer_add_index(&below, index);
    if (!complaint)
      complaint = oracle_places(src, child, below.data, budget);
  }
  return complaint;
}

static inline const char *oracle_taken(const struct jsonx_source *src, const json_t *value) {
  CLEANUP_STR struct str bytes = { 0 };
  CLEANUP_STR struct str pretty = { 0 };
  CLEANUP_STR struct str second = { 0 };
  struct error err = { 0 };
  jsonx_dump(value, &bytes);
  jsonx_dump_pretty(value, &pretty);
  json_auto_t *again = NULL;
  json_auto_t *from_pretty = NULL;
  if (jsonx_parse(&(struct jsonx_source){ "dump", bytes.data, bytes.len }, SIZE_MAX, &again, &err) != 0 ||
      jsonx_parse(&(struct jsonx_source){ "pretty", pretty.data, pretty.len }, SIZE_MAX, &from_pretty,
                  &err) != 0)
    return "what was written is refused";
  if (!json_equal(value, again) || !json_equal(value, from_pretty))
    return "what was written reads differently";
  jsonx_dump(again, &second);
  if (second.len != bytes.len || memcmp(second.data, bytes.data, bytes.len) != 0)
    return "what was written is not written again";
  json_error_t why;
  json_auto_t *other = json_loadb(src->text, src->len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
  if (other && !json_equal(value, other))
    return "jansson reads another value";
  if (!other && json_error_code(&why) != json_error_numeric_overflow)
    return "jansson refuses what was taken";
  unsigned budget = 64;
  return oracle_places(src, value, "", &budget);
}

static inline const char *oracle_refused(const struct jsonx_source *src, const struct error *err) {
  static const char *const ours[] = { "are one key to Go", "form in which large integers are held",
                                      "more levels of arrays and objects", NULL };
  char name[64];
  unsigned line = 0, column = 0;
  if (err->code != ERROR_INPUT || sscanf(err->message, "%63[^:]:%u:%u: ", name, &line, &column) != 3)
    return "a refusal has no place";
  if (oracle_offset(src, line, column) == SIZE_MAX)
    return "a refusal has a place outside of the text";
  /* jansson 2.14 overlooks a NUL byte behind a number. */
  if (memchr(src->text, '\0', src->len))
    return NULL;
  json_auto_t *other = json_loadb(src->text, src->len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
  if (!other)
    return NULL;
  for (size_t i = 0; ours[i]; i++)
    if (strstr(err->message, ours[i]))
      return NULL;
  return "jansson takes what was refused";
}

/* NULL, or what does not hold. */
static inline const char *oracle(const char *text, size_t len) {
  const struct jsonx_source src = { "text", text, len };
  struct error err = { 0 };
  json_auto_t *value = NULL;
  if (jsonx_parse(&src, SIZE_MAX, &value, &err) == 0)
    return value ? oracle_taken(&src, value) : "taken without a value";
  return value ? "refused with a value" : oracle_refused(&src, &err);
}

#endif
