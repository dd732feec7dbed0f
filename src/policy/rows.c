/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rows.h"

#include <string.h>

static void free_member(const struct jsonx_row *row, void *member) {
  switch (row->type) {
  case JSONX_STRING:
    free(*(char **)member);
    *(char **)member = NULL;
    return;
  case JSONX_STRINGS:
    strlist_free(member);
    return;
  case JSONX_OBJECT:
    rows_free(row->rows, member);
    return;
  case JSONX_BOOL:
  case JSONX_INT:
  case JSONX_ENUM:
  case JSONX_CUSTOM:
    return;
  }
}

void rows_free(const struct jsonx_row *rows, void *base) {
  for (const struct jsonx_row *row = rows; row->key; row++)
    free_member(row, (char *)base + row->offset);
}

static void copy_member(const struct jsonx_row *row, void *to, const void *from) {
  switch (row->type) {
  case JSONX_BOOL:
    *(bool *)to = *(const bool *)from;
    return;
  case JSONX_INT:
    *(int64_t *)to = *(const int64_t *)from;
    return;
  case JSONX_ENUM:
    *(int *)to = *(const int *)from;
    return;
  case JSONX_STRING:
    *(char **)to = xstrdup(*(char *const *)from);
    return;
  case JSONX_STRINGS:
    strlist_copy(to, from);
    return;
  case JSONX_OBJECT:
    rows_copy(row->rows, to, from);
    return;
  case JSONX_CUSTOM:
    return;
  }
}

void rows_copy(const struct jsonx_row *rows, void *to, const void *from) {
  for (const struct jsonx_row *row = rows; row->key; row++)
    copy_member(row, (char *)to + row->offset, (const char *)from + row->offset);
}

static void pack_number(struct str *out, int64_t number) {
  str_add_mem(out, &number, sizeof number);
}

static void pack_string(struct str *out, const char *text) {
  str_add_mem(out, text, strlen(text) + 1);
}

static void pack_list(struct str *out, const struct strlist *list) {
  pack_number(out, (int64_t)list->len);
  for (size_t i = 0; i < list->len; i++)
    pack_string(out, list->items[i]);
}

static void pack_member(const struct jsonx_row *row, const void *member, struct str *out) {
  switch (row->type) {
  case JSONX_BOOL:
    pack_number(out, *(const bool *)member);
    return;
  case JSONX_INT:
    pack_number(out, *(const int64_t *)member);
    return;
  case JSONX_ENUM:
    pack_number(out, *(const int *)member);
    return;
  case JSONX_STRING:
    pack_number(out, *(char *const *)member != NULL);
    if (*(char *const *)member)
      pack_string(out, *(char *const *)member);
    return;
  case JSONX_STRINGS:
    pack_list(out, member);
    return;
  case JSONX_OBJECT:
    rows_pack(row->rows, member, out);
    return;
  case JSONX_CUSTOM:
    return;
  }
}

void rows_pack(const struct jsonx_row *rows, const void *base, struct str *out) {
  for (const struct jsonx_row *row = rows; row->key; row++)
    pack_member(row, (const char *)base + row->offset, out);
}

static int64_t unpack_number(const char **packed) {
  int64_t number;
  memcpy(&number, *packed, sizeof number);
  *packed += sizeof number;
  return number;
}

static char *unpack_string(const char **packed) {
  const char *text = *packed;
  *packed += strlen(text) + 1;
  return xstrdup(text);
}

static void unpack_member(const struct jsonx_row *row, void *member, const char **packed) {
  switch (row->type) {
  case JSONX_BOOL:
    *(bool *)member = unpack_number(packed) != 0;
    return;
  case JSONX_INT:
    *(int64_t *)member = unpack_number(packed);
    return;
  case JSONX_ENUM:
    *(int *)member = (int)unpack_number(packed);
    return;
  case JSONX_STRING:
    *(char **)member = unpack_number(packed) ? unpack_string(packed) : NULL;
    return;
  case JSONX_STRINGS:
    for (int64_t n = unpack_number(packed); n > 0; n--)
      strlist_add_new(member, unpack_string(packed));
    return;
  case JSONX_OBJECT:
    *packed = rows_unpack(row->rows, member, *packed);
    return;
  case JSONX_CUSTOM:
    return;
  }
}

const char *rows_unpack(const struct jsonx_row *rows, void *base, const char *packed) {
  for (const struct jsonx_row *row = rows; row->key; row++)
    unpack_member(row, (char *)base + row->offset, &packed);
  return packed;
}

static bool asks_for_parent(const json_t *list) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *item = json_string_value(json_array_get(list, i));
    if (item && strcmp(item, ROWS_INHERITED) == 0)
      return true;
  }
  return false;
}

void rows_lend(const struct jsonx_row *rows, const json_t *object, void *base, void *to) {
  for (const struct jsonx_row *row = rows; row->key; row++) {
    const json_t *value = json_object_get(object, row->key);
    void *from = (char *)base + row->offset, *place = (char *)to + row->offset;
    if (row->type == JSONX_OBJECT) {
      rows_lend(row->rows, value, from, place);
    } else if (row->type == JSONX_STRINGS && asks_for_parent(value)) {
      *(struct strlist *)place = *(struct strlist *)from;
      *(struct strlist *)from = (struct strlist){ 0 };
    }
  }
}

static void inherit_list(struct strlist *list, const struct strlist *parent) {
  if (!strlist_has(list, ROWS_INHERITED))
    return;
  struct strlist merged = { 0 };
  for (size_t i = 0; i < list->len; i++) {
    if (strcmp(list->items[i], ROWS_INHERITED) != 0) {
      strlist_add_once(&merged, list->items[i]);
      continue;
    }
    for (size_t j = 0; j < parent->len; j++)
      strlist_add_once(&merged, parent->items[j]);
  }
  strlist_free(list);
  *list = merged;
}

void rows_inherit(const struct jsonx_row *rows, void *base, const void *lent) {
  for (const struct jsonx_row *row = rows; row->key; row++) {
    void *member = (char *)base + row->offset;
    const void *theirs = (const char *)lent + row->offset;
    if (row->type == JSONX_STRINGS)
      inherit_list(member, theirs);
    else if (row->type == JSONX_OBJECT)
      rows_inherit(row->rows, member, theirs);
  }
}
