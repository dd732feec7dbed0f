/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON object's members by their places, and edits that leave the rest of the text as it is. */
#ifndef HARDEN_INSTALL_JSON_TEXT_H
#define HARDEN_INSTALL_JSON_TEXT_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct json_member {
  char *key;
  size_t key_start;  /* its quote */
  size_t start, end; /* of its value */
};
struct json_members {
  struct json_member *items;
  size_t len;
  size_t open, close; /* the object's braces */
};
#define CLEANUP_JSON_MEMBERS CLEANUP(json_members_free)
void json_members_free(struct json_members *m);

/* Of the text's object (key NULL), or of its member `key`, which is an object too; false: there is no such
 * object. The text is one that jsonx_parse took. */
bool json_members_of(const struct str *text, const char *key, struct json_members *ret);
const struct json_member *json_member_find(const struct json_members *m, const char *key);

/* Puts `member` ("\"key\": value") behind the last one, on a line of its own if that is on one; *ret_inserted
 * is what was put in. The caller frees. */
void json_member_add(struct str *text, const struct json_members *m, const char *member, char **ret_inserted);
/* Takes a member out, with its comma. */
void json_member_cut(struct str *text, const struct json_members *m, const struct json_member *member);

#endif
