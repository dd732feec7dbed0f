/* SPDX-License-Identifier: Apache-2.0 */
/* The writer. jansson's own would write integers above 2^63-1 as the strings they are held as. */
#include "io/jsonx.h"
#include "io/jsonx_scan.h"

#include <inttypes.h>
#include <string.h>

static void dump_value(struct str *out, const json_t *value, bool pretty, size_t level);

static void add_char(struct str *out, char c) {
  if (out->len + 1 < out->size) {
    out->data[out->len++] = c;
    out->data[out->len] = '\0';
  } else {
    str_add_mem(out, &c, 1);
  }
}

static void add_escaped(struct str *out, unsigned char c) {
  static const char from[] = "\"\\\b\f\n\r\t";
  static const char to[] = "\"\\bfnrt";
  const char *simple = c ? strchr(from, c) : NULL;
  if (simple)
    str_add_mem(out, (char[]){ '\\', to[simple - from] }, 2);
  else
    str_addf(out, "\\u%04x", c);
}

/* Most strings need no escape. */
static void add_string(struct str *out, const char *text, size_t len) {
  char *to = str_room(out, len + 2);
  size_t plain = jsonx_plain_length(text, len);
  *to++ = '"';
  memcpy(to, text, plain);
  for (; plain < len; plain++) {
    unsigned char c = (unsigned char)text[plain];
    if (c < 0x20 || c == '"' || c == '\\')
      break;
    to[plain] = (char)c;
  }
  out->len += 1 + plain;
  for (size_t i = plain; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c < 0x20 || c == '"' || c == '\\')
      add_escaped(out, c);
    else
      add_char(out, (char)c);
  }
  add_char(out, '"');
}

/* The fewest digits, from 15 to 17, that read back as the same number; jansson knows about the locale's
 * decimal point. */
static void add_real(struct str *out, const json_t *real) {
  char digits[64];
  size_t n = 0;
  for (unsigned precision = 15; precision <= 17; precision++) {
    n = json_dumpb(real, digits, sizeof digits, JSON_ENCODE_ANY | JSON_REAL_PRECISION(precision));
    if (n == 0 || n > sizeof digits)
      die_out_of_memory();
    json_auto_t *again = json_loadb(digits, n, JSON_DECODE_ANY, NULL);
    if (again && json_real_value(again) == json_real_value(real))
      break;
  }
  str_add_mem(out, digits, n);
}

static void add_integer(struct str *out, const json_t *integer) {
  char digits[24];
  char *p = digits + sizeof digits;
  const json_int_t value = json_integer_value(integer);
  uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
  do
    *--p = (char)('0' + rest % 10);
  while (rest /= 10);
  if (value < 0)
    *--p = '-';
  str_add_mem(out, p, (size_t)(digits + sizeof digits - p));
}

static void add_break(struct str *out, bool pretty, size_t level) {
  if (!pretty)
    return;
  add_char(out, '\n');
  for (size_t i = 0; i < level; i++)
    str_add_mem(out, "  ", 2);
}

static void dump_object(struct str *out, const json_t *object, bool pretty, size_t level) {
  json_t *members = (json_t *)object; /* jansson iterates over objects that are not const */
  bool first = true;
  add_char(out, '{');
  for (void *i = json_object_iter(members); i; i = json_object_iter_next(members, i)) {
    if (!first)
      add_char(out, ',');
    first = false;
    add_break(out, pretty, level + 1);
    add_string(out, json_object_iter_key(i), json_object_iter_key_len(i));
    add_char(out, ':');
    if (pretty)
      add_char(out, ' ');
    dump_value(out, json_object_iter_value(i), pretty, level + 1);
  }
  if (!first)
    add_break(out, pretty, level);
  add_char(out, '}');
}

static void dump_array(struct str *out, const json_t *array, bool pretty, size_t level) {
  size_t n = json_array_size(array);
  add_char(out, '[');
  for (size_t i = 0; i < n; i++) {
    if (i)
      add_char(out, ',');
    add_break(out, pretty, level + 1);
    dump_value(out, json_array_get(array, i), pretty, level + 1);
  }
  if (n)
    add_break(out, pretty, level);
  add_char(out, ']');
}

static void dump_value(struct str *out, const json_t *value, bool pretty, size_t level) {
  uint64_t big;
  switch (json_typeof(value)) {
  case JSON_OBJECT:
    dump_object(out, value, pretty, level);
    return;
  case JSON_ARRAY:
    dump_array(out, value, pretty, level);
    return;
  case JSON_STRING:
    if (jsonx_u64_is_form(json_string_value(value), json_string_length(value), &big))
      str_addf(out, "%" PRIu64, big);
    else
      add_string(out, json_string_value(value), json_string_length(value));
    return;
  case JSON_INTEGER:
    add_integer(out, value);
    return;
  case JSON_REAL:
    add_real(out, value);
    return;
  case JSON_TRUE:
    str_add(out, "true");
    return;
  case JSON_FALSE:
    str_add(out, "false");
    return;
  case JSON_NULL:
    str_add(out, "null");
    return;
  }
}

void jsonx_dump(const json_t *value, struct str *out) {
  dump_value(out, value, false, 0);
}

void jsonx_dump_pretty(const json_t *value, struct str *out) {
  dump_value(out, value, true, 0);
  add_char(out, '\n');
}
