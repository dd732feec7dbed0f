/* SPDX-License-Identifier: Apache-2.0 */
/* Objects into structs and back, by tables of rows; the same tables make the JSON Schema. */
#include "io/jsonx.h"
#include "io/jsonx_scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
  SHOWN = 80,      /* bytes of a value or key that a message shows */
  NAME_LIMIT = 40, /* longer names get no suggestions */
  NEAR = 2,        /* edits */
};

struct place {
  const struct jsonx_source *src;
  const char *pointer;
};

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

/* Edits (insert, remove, replace, swap of neighbours) between two names of at most NAME_LIMIT bytes. */
static size_t distance(const char *a, const char *b) {
  size_t n = strlen(a), m = strlen(b);
  size_t cost[NAME_LIMIT + 1][NAME_LIMIT + 1];
  for (size_t i = 0; i <= n; i++) {
    for (size_t j = 0; j <= m; j++) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      cost[i][j] =
          least(least(cost[i - 1][j], cost[i][j - 1]) + 1, cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[n][m];
}

struct suggestion {
  const char *name;
  size_t edits;
};

/* Keeps the nearer of two; case does not count as an edit. */
static void consider(struct suggestion *best, const char *given, const char *known) {
  if (strlen(given) > NAME_LIMIT || strlen(known) > NAME_LIMIT)
    return;
  CLEANUP_FREE char *a = jsonx_fold(given);
  CLEANUP_FREE char *b = jsonx_fold(known);
  size_t edits = distance(a, b);
  if (edits > NEAR || edits >= strlen(known) || (best->name && edits >= best->edits))
    return;
  *best = (struct suggestion){ known, edits };
}

static void add_suggestion(struct str *out, const struct suggestion *best) {
  if (best->name)
    str_addf(out, ", did you mean \"%s\"?", best->name);
  else
    str_add(out, ";");
}

static int refuse_key(const struct place *at, const char *key, const struct jsonx_row *rows,
                      struct error *err) {
  CLEANUP_FREE char *pointer = jsonx_pointer(at->pointer, key);
  CLEANUP_STR struct str text = { 0 };
  struct suggestion best = { 0 };
  for (const struct jsonx_row *row = rows; row->key; row++)
    consider(&best, key, row->key);
  str_addf(&text, "unknown key \"%.*s\"", SHOWN, key);
  add_suggestion(&text, &best);
  str_add(&text, rows->key ? " known keys: " : " no keys are known here");
  for (const struct jsonx_row *row = rows; row->key; row++)
    str_addf(&text, "%s%s", row == rows ? "" : ", ", row->key);
  return jsonx_error_key(err, ERROR_INPUT, at->src, pointer, "%s", text.data);
}

static int refuse_name(const struct place *at, const char *name, const char *const *names,
                       struct error *err) {
  CLEANUP_STR struct str text = { 0 };
  struct suggestion best = { 0 };
  for (size_t i = 0; names[i]; i++)
    consider(&best, name, names[i]);
  str_addf(&text, "\"%.*s\" is not one of the values", SHOWN, name);
  add_suggestion(&text, &best);
  str_add(&text, " values: ");
  for (size_t i = 0; names[i]; i++)
    str_addf(&text, "%s\"%s\"", i ? ", " : "", names[i]);
  return jsonx_error(err, ERROR_INPUT, at->src, at->pointer, "%s", text.data);
}

/* What a value is, in words; small ones with the value itself. */
static void describe(const json_t *value, struct str *out) {
  CLEANUP_STR struct str bytes = { 0 };
  const char *kind = "null";
  switch (json_typeof(value)) {
  case JSON_OBJECT:
    str_add(out, "an object");
    return;
  case JSON_ARRAY:
    str_add(out, "an array");
    return;
  case JSON_NULL:
    str_add(out, "null");
    return;
  case JSON_TRUE:
  case JSON_FALSE:
    kind = "the boolean";
    break;
  case JSON_INTEGER:
    kind = "the integer";
    break;
  case JSON_REAL:
    kind = "the real number";
    break;
  case JSON_STRING:
    kind = jsonx_is_integer(value) ? "the integer" : "the string";
    break;
  }
  jsonx_dump(value, &bytes);
  str_addf(out, "%s %.*s%s", kind, SHOWN, bytes.data, bytes.len > SHOWN ? "..." : "");
}

static int refuse_type(const struct place *at, const char *expected, const json_t *found, struct error *err) {
  CLEANUP_STR struct str text = { 0 };
  describe(found, &text);
  return jsonx_error(err, ERROR_INPUT, at->src, at->pointer, "expected %s, found %s", expected, text.data);
}

/* The text of a string value; NULL for all else, also for integers that are held as strings. */
static const char *string_of(const json_t *value) {
  return json_is_string(value) && !jsonx_is_integer(value) ? json_string_value(value) : NULL;
}

static int name_index(const char *const *names, const char *name) {
  for (int i = 0; names[i]; i++)
    if (strcmp(names[i], name) == 0)
      return i;
  return -1;
}

/* Rows that give no bounds at all take every integer. */
static bool has_bounds(const struct jsonx_row *row) {
  return row->min != 0 || row->max != 0;
}

static int decode_int(const json_t *value, const struct place *at, const struct jsonx_row *row, int64_t *ret,
                      struct error *err) {
  int64_t min = has_bounds(row) ? row->min : INT64_MIN;
  int64_t max = has_bounds(row) ? row->max : INT64_MAX;
  if (json_is_integer(value) && json_integer_value(value) >= min && json_integer_value(value) <= max) {
    *ret = json_integer_value(value);
    return 0;
  }
  CLEANUP_FREE char *expected = xasprintf("an integer from %" PRId64 " to %" PRId64, min, max);
  return refuse_type(at, expected, value, err);
}

static int refuse_item(const json_t *item, const struct place *list, size_t index,
                       const struct jsonx_row *row, struct error *err) {
  CLEANUP_STR struct str pointer = { 0 };
  str_add(&pointer, list->pointer);
  jsonx_pointer_add_index(&pointer, index);
  const struct place at = { list->src, pointer.data };
  const char *text = string_of(item);
  if (!text)
    return refuse_type(&at, "a string", item, err);
  if (row->names && name_index(row->names, text) < 0)
    return refuse_name(&at, text, row->names, err);
  return jsonx_error(err, ERROR_INPUT, at.src, at.pointer, "\"%.*s\" is in the list twice", SHOWN, text);
}

static int decode_strings(const json_t *value, const struct place *at, const struct jsonx_row *row,
                          struct strlist *ret, struct error *err) {
  if (!json_is_array(value))
    return refuse_type(at, "an array of strings", value, err);
  CLEANUP_STRLIST struct strlist list = { 0 };
  json_auto_t *seen = json_object();
  size_t index;
  json_t *item;
  json_array_foreach(value, index, item) {
    const char *text = string_of(item);
    if (!text || (row->names && name_index(row->names, text) < 0) || json_object_get(seen, text))
      return refuse_item(item, at, index, row, err);
    if (json_object_set_new_nocheck(seen, text, json_true()) != 0)
      die_out_of_memory();
    strlist_add(&list, text);
  }
  strlist_clear(ret);
  *ret = list;
  list = (struct strlist){ 0 };
  return 0;
}

static int decode_enum(const json_t *value, const struct place *at, const struct jsonx_row *row, int *ret,
                       struct error *err) {
  const char *text = string_of(value);
  if (!text)
    return refuse_type(at, "a string", value, err);
  int index = name_index(row->names, text);
  if (index < 0)
    return refuse_name(at, text, row->names, err);
  *ret = index;
  return 0;
}

static int decode_string(const json_t *value, const struct place *at, char **ret, struct error *err) {
  const char *text = string_of(value);
  if (!text && !json_is_null(value))
    return refuse_type(at, "a string or null", value, err);
  free(*ret);
  *ret = xstrdup(text);
  return 0;
}

static int decode_row(const json_t *value, const struct place *at, const struct jsonx_row *row, void *member,
                      struct error *err) {
  switch (row->type) {
  case JSONX_BOOL:
    if (!json_is_boolean(value))
      return refuse_type(at, "true or false", value, err);
    *(bool *)member = json_is_true(value);
    return 0;
  case JSONX_INT:
    return decode_int(value, at, row, member, err);
  case JSONX_STRING:
    return decode_string(value, at, member, err);
  case JSONX_STRINGS:
    return decode_strings(value, at, row, member, err);
  case JSONX_ENUM:
    return decode_enum(value, at, row, member, err);
  case JSONX_OBJECT:
    return jsonx_decode(value, at->src, at->pointer, row->rows, member, err);
  case JSONX_CUSTOM:
    return row->decode(value, at->src, at->pointer, member, err);
  }
  return error_set(err, ERROR_INTERNAL, 0, "row \"%s\" has no type", row->key);
}

int jsonx_decode(const json_t *object, const struct jsonx_source *src, const char *pointer,
                 const struct jsonx_row *rows, void *target, struct error *err) {
  const struct place at = { src, pointer };
  if (!json_is_object(object))
    return refuse_type(&at, "an object", object, err);
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)object, key, value) {
    const struct jsonx_row *row = rows;
    while (row->key && strcmp(row->key, key) != 0)
      row++;
    if (!row->key)
      return refuse_key(&at, key, rows, err);
    CLEANUP_FREE char *below = jsonx_pointer(pointer, key);
    if (decode_row(value, &(struct place){ src, below }, row, (char *)target + row->offset, err) != 0)
      return -1;
  }
  return 0;
}

static json_t *new_object(void) {
  json_t *object = json_object();
  if (!object)
    die_out_of_memory();
  return object;
}

static json_t *strings_new(const char *const *items, size_t len) {
  json_t *array = json_array();
  if (!array)
    die_out_of_memory();
  for (size_t i = 0; i < len; i++)
    jsonx_append_new(array, jsonx_string_new(items[i]));
  return array;
}

static json_t *encode_row(const struct jsonx_row *row, const void *member) {
  switch (row->type) {
  case JSONX_BOOL:
    return json_boolean(*(const bool *)member);
  case JSONX_INT:
    return json_integer(*(const int64_t *)member);
  case JSONX_STRING: {
    const char *text = *(char *const *)member;
    return text ? jsonx_string_new(text) : json_null();
  }
  case JSONX_STRINGS: {
    const struct strlist *list = member;
    return strings_new((const char *const *)list->items, list->len);
  }
  case JSONX_ENUM:
    return jsonx_string_new(row->names[*(const int *)member]);
  case JSONX_OBJECT:
    return jsonx_encode(row->rows, member);
  case JSONX_CUSTOM:
    return row->encode(member);
  }
  return NULL;
}

json_t *jsonx_encode(const struct jsonx_row *rows, const void *source) {
  json_t *object = new_object();
  for (const struct jsonx_row *row = rows; row->key; row++)
    if (row->type != JSONX_CUSTOM || row->encode)
      jsonx_set_new(object, row->key, encode_row(row, (const char *)source + row->offset));
  return object;
}
