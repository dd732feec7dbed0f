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

static void inherit_list(struct strlist *list, const struct strlist *parent) {
  if (!strlist_has(list, "..."))
    return;
  struct strlist merged = { 0 };
  for (size_t i = 0; i < list->len; i++) {
    if (strcmp(list->items[i], "...") != 0) {
      if (!strlist_has(&merged, list->items[i]))
        strlist_add(&merged, list->items[i]);
      continue;
    }
    for (size_t j = 0; j < parent->len; j++)
      if (!strlist_has(&merged, parent->items[j]))
        strlist_add(&merged, parent->items[j]);
  }
  strlist_free(list);
  *list = merged;
}

void rows_inherit(const struct jsonx_row *rows, void *base, const void *parent) {
  for (const struct jsonx_row *row = rows; row->key; row++) {
    void *member = (char *)base + row->offset;
    const void *theirs = (const char *)parent + row->offset;
    if (row->type == JSONX_STRINGS)
      inherit_list(member, theirs);
    else if (row->type == JSONX_OBJECT)
      rows_inherit(row->rows, member, theirs);
  }
}
