/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the translators share: reading fields of a manifest, and writing members of a config, so that each
 * member remembers the field that it came from.
 *
 * The first mistake of a manifest (a string where a boolean is to stand) is kept in *err and ends the
 * translation; until its end the readers give defaults, so that translators need not look after every field.
 */
#ifndef HARDEN_MANIFEST_TRANSLATION_H
#define HARDEN_MANIFEST_TRANSLATION_H

#include "base/str.h"
#include "manifest/manifest.h"
#include "manifest/tree.h"

struct translation {
  const struct jsonx_source *src;
  struct manifest_container *container; /* being written; NULL between containers */
  struct error *err;
  bool failed;
};

/* A place of the manifest: a node that is there, and the path behind it that is not ("" or static). */
struct field {
  const struct node *node;
  const char *missing;
};

/* No field: the engine adds it by itself, and no author can change it. */
#define ENGINES ((struct field){ NULL, "" })

/* Walks "securityContext.capabilities.drop" as far as it leads. node may be NULL: so is the field's then. */
struct field field_at(const struct node *node, const char *path);
/* The node when all of the path is there, else NULL. */
const struct node *node_at(const struct node *node, const char *path);
/* The first that is there whole; else the last. Both NULL-safe. */
struct field field_or(struct field first, struct field otherwise);
bool field_found(struct field field);

/* Readers: absent (NULL) gives the default. A wrong kind is a mistake. Text is borrowed from the tree. */
bool bool_of(struct translation *t, const struct node *node, bool otherwise);
int64_t int_of(struct translation *t, const struct node *node, int64_t otherwise);
/* A user's or group's number, 0 to 2^32-2. */
int64_t id_of(struct translation *t, const struct node *node, int64_t otherwise);
bool is_id(int64_t number);
const char *text_of(struct translation *t, const struct node *node, const char *otherwise);
int64_t quantity_of(struct translation *t, const struct node *node); /* in thousandths; 0 when absent */
/* The member when it is of that kind, or null; NULL when absent. */
const struct node *read_list(struct translation *t, const struct node *map, const char *key);
const struct node *read_map(struct translation *t, const struct node *map, const char *key);
void mistake(struct translation *t, const struct node *node, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Sets the member at `pointer` (of objects, made on the way) and remembers its field; takes `value`. */
void put(struct translation *t, const char *pointer, json_t *value, struct field from);
/* Appends to an array that is made when there is none. */
void put_item(struct translation *t, const char *pointer, json_t *value, struct field from);
/* Remembers a field for a pointer that nothing may stand at. */
void put_origin(struct translation *t, const char *pointer, struct field from);

/* What cannot be judged by the manifest alone, or what was assumed. */
void note(struct translation *t, struct field from, const char *fmt, ...) PRINTF_LIKE(3, 4);

json_t *strings(const char *const *items, size_t len) MUST_CHECK;
/* One of the mounts that every container has: options separated by commas. */
json_t *mount_new(const char *destination, const char *type, const char *source,
                  const char *options) MUST_CHECK;
json_t *device_rule(bool allow, const char *type, int major, int minor, const char *access) MUST_CHECK;

#endif
