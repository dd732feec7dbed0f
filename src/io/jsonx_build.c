/* SPDX-License-Identifier: Apache-2.0 */
/* Pointers, integers above 2^63-1, and values that cannot fail to be made. */
#include "io/jsonx.h"
#include "io/jsonx_scan.h"

#include <stdio.h>
#include <string.h>

#define FORM_MARK '\x7f'           /* DEL, which no name or path in use begins with */
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
enum { FORM_DIGITS = 16 };

void jsonx_pointer_add(struct str *pointer, const char *token) {
  str_add_mem(pointer, "/", 1);
  while (*token) {
    size_t plain = 0;
    while (token[plain] && token[plain] != '~' && token[plain] != '/')
      plain++;
    str_add_mem(pointer, token, plain);
    token += plain;
    if (*token)
      str_add(pointer, *token++ == '~' ? "~0" : "~1");
  }
}

void jsonx_pointer_add_index(struct str *pointer, size_t index) {
  char digits[24];
  char *p = digits + sizeof digits;
  do
    *--p = (char)('0' + index % 10);
  while (index /= 10);
  *--p = '/';
  str_add_mem(pointer, p, (size_t)(digits + sizeof digits - p));
}

char *jsonx_pointer_index(const char *base, size_t index) {
  struct str pointer = { 0 };
  str_add(&pointer, base);
  jsonx_pointer_add_index(&pointer, index);
  return str_steal(&pointer);
}

char *jsonx_pointer(const char *base, const char *token) {
  struct str pointer = { 0 };
  str_add(&pointer, base);
  jsonx_pointer_add(&pointer, token);
  return str_steal(&pointer);
}

void jsonx_u64_form(uint64_t value, char form[static JSONX_U64_SIZE]) {
  static const char hex[] = "0123456789abcdef";
  form[0] = FORM_MARK;
  for (size_t i = 0; i < FORM_DIGITS; i++)
    form[1 + i] = hex[value >> (60 - 4 * i) & 0xf];
  form[1 + FORM_DIGITS] = '\0';
}

bool jsonx_u64_is_form(const char *text, size_t len, uint64_t *ret_value) {
  if (len != FORM_DIGITS + 1 || text[0] != FORM_MARK)
    return false;
  uint64_t value = 0;
  for (size_t i = 1; i < len; i++) {
    char c = text[i];
    bool letter = c >= 'a' && c <= 'f';
    if (!letter && (c < '0' || c > '9'))
      return false;
    value = value << 4 | (uint64_t)(letter ? c - 'a' + 10 : c - '0');
  }
  if (value <= INT64_MAX)
    return false;
  if (ret_value)
    *ret_value = value;
  return true;
}

static json_t *made(json_t *value) {
  if (!value)
    die_out_of_memory();
  return value;
}

json_t *jsonx_u64_new(uint64_t value) {
  if (value <= INT64_MAX)
    return made(json_integer((json_int_t)value));
  char form[JSONX_U64_SIZE];
  jsonx_u64_form(value, form);
  return made(json_string_nocheck(form));
}

bool jsonx_u64_get(const json_t *value, uint64_t *ret) {
  if (json_is_integer(value) && json_integer_value(value) >= 0) {
    *ret = (uint64_t)json_integer_value(value);
    return true;
  }
  return json_is_string(value) && jsonx_u64_is_form(json_string_value(value), json_string_length(value), ret);
}

bool jsonx_is_integer(const json_t *value) {
  uint64_t ignored;
  return json_is_integer(value) || jsonx_u64_get(value, &ignored);
}

static size_t ascii_length(const char *text) {
  size_t n = 0;
  while (text[n] && (unsigned char)text[n] < 0x80)
    n++;
  return n;
}

/* Appends text with U+FFFD for every byte that is not UTF-8. */
static void add_utf8(struct str *out, const char *text) {
  for (size_t left = strlen(text); left > 0;) {
    size_t n = ascii_length(text);
    if (n == 0)
      n = str_utf8_length(text, left);
    str_add_mem(out, n ? text : REPLACEMENT, n ? n : strlen(REPLACEMENT));
    n = n ? n : 1;
    text += n;
    left -= n;
  }
}

/* The text itself when it is ASCII, as nearly all are, or *room. */
static const char *as_utf8(const char *text, struct str *room, size_t *ret_len) {
  *ret_len = ascii_length(text);
  if (text[*ret_len] == '\0')
    return text;
  add_utf8(room, text);
  *ret_len = room->len;
  return room->data;
}

json_t *jsonx_string_new(const char *text) {
  CLEANUP_STR struct str room = { 0 };
  size_t len;
  const char *clean = as_utf8(text, &room, &len);
  /* The names of files and the arguments of programs must not turn into integers. */
  if (jsonx_u64_is_form(clean, len, NULL)) {
    str_add(&room, REPLACEMENT);
    str_add(&room, clean + 1);
    return made(json_stringn_nocheck(room.data, room.len));
  }
  return made(json_stringn_nocheck(clean, len));
}

json_t *jsonx_copy(const json_t *value) {
  return value ? made(json_deep_copy(value)) : NULL;
}

json_t *jsonx_copy_top(const json_t *value) {
  json_t *copy = made(json_copy((json_t *)value));
  if (json_object_size(copy) != json_object_size(value) || json_array_size(copy) != json_array_size(value))
    die_out_of_memory();
  return copy;
}

void jsonx_set_new(json_t *object, const char *key, json_t *value) {
  CLEANUP_STR struct str room = { 0 };
  size_t len;
  const char *clean = as_utf8(key, &room, &len);
  if (json_object_setn_new_nocheck(object, clean, len, made(value)) != 0)
    die_out_of_memory();
}

void jsonx_append_new(json_t *array, json_t *value) {
  if (json_array_append_new(array, made(value)) != 0)
    die_out_of_memory();
}
