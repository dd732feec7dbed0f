/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Schema (draft 2020-12) of row tables: what jsonx_decode takes, for editors. */
#include "io/jsonx.h"

#include <stdlib.h>
#include <string.h>

static void set_text(json_t *object, const char *key, const char *text) {
  jsonx_set_new(object, key, jsonx_string_new(text));
}

static json_t *names_new(const char *const *names) {
  json_t *array = json_array();
  for (size_t i = 0; names[i]; i++)
    jsonx_append_new(array, jsonx_string_new(names[i]));
  return array;
}

static json_t *items_schema(const struct jsonx_row *row) {
  json_t *items = json_object();
  set_text(items, "type", "string");
  if (row->names)
    jsonx_set_new(items, "enum", names_new(row->names));
  if (row->pattern)
    set_text(items, "pattern", row->pattern);
  return items;
}

static void add_integer(json_t *schema, const struct jsonx_row *row) {
  set_text(schema, "type", "integer");
  if (row->min == 0 && row->max == 0)
    return;
  jsonx_set_new(schema, "minimum", json_integer(row->min));
  jsonx_set_new(schema, "maximum", json_integer(row->max));
}

static void add_string(json_t *schema, const struct jsonx_row *row) {
  json_t *types = json_array();
  jsonx_append_new(types, jsonx_string_new("string"));
  jsonx_append_new(types, jsonx_string_new("null"));
  jsonx_set_new(schema, "type", types);
  if (row->pattern)
    set_text(schema, "pattern", row->pattern);
}

/* The fragment is part of the program: one that is no object is a defect of the table. */
static void add_fragment(json_t *schema, const char *fragment) {
  json_auto_t *members = fragment ? json_loads(fragment, JSON_REJECT_DUPLICATES, NULL) : json_object();
  if (json_object_update_missing(schema, members) != 0)
    abort();
}

static json_t *row_schema(const struct jsonx_row *row) {
  json_t *schema = json_object();
  if (row->doc)
    set_text(schema, "description", row->doc);
  switch (row->type) {
  case JSONX_BOOL:
    set_text(schema, "type", "boolean");
    break;
  case JSONX_INT:
    add_integer(schema, row);
    break;
  case JSONX_STRING:
    add_string(schema, row);
    break;
  case JSONX_STRINGS:
    set_text(schema, "type", "array");
    jsonx_set_new(schema, "items", items_schema(row));
    jsonx_set_new(schema, "uniqueItems", json_true());
    break;
  case JSONX_ENUM:
    jsonx_set_new(schema, "enum", names_new(row->names));
    break;
  case JSONX_OBJECT: {
    json_auto_t *nested = jsonx_schema(row->rows);
    if (json_object_update_missing(schema, nested) != 0)
      abort();
    break;
  }
  case JSONX_CUSTOM:
    add_fragment(schema, row->schema);
    break;
  }
  return schema;
}

json_t *jsonx_schema(const struct jsonx_row *rows) {
  json_t *schema = json_object();
  json_t *properties = json_object();
  set_text(schema, "type", "object");
  for (const struct jsonx_row *row = rows; row->key; row++)
    jsonx_set_new(properties, row->key, row_schema(row));
  jsonx_set_new(schema, "properties", properties);
  jsonx_set_new(schema, "additionalProperties", json_false());
  return schema;
}
