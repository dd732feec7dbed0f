/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/translation.h"

#include "manifest/scalar.h"

#include <string.h>

/* --- places --- */

struct field field_at(const struct node *node, const char *path) {
  struct field field = { node, path };
  while (field.node && *field.missing) {
    size_t len = strcspn(field.missing, ".");
    CLEANUP_FREE char *key = xasprintf("%.*s", (int)len, field.missing);
    const struct node *next = node_get(field.node, key);
    if (!next)
      break;
    field.node = next;
    field.missing += len + (field.missing[len] == '.');
  }
  return field;
}

bool field_found(struct field field) {
  return field.node && !*field.missing;
}

const struct node *node_at(const struct node *node, const char *path) {
  struct field field = field_at(node, path);
  return field_found(field) ? field.node : NULL;
}

struct field field_or(struct field first, struct field otherwise) {
  return field_found(first) || !otherwise.node ? first : otherwise;
}

/* --- reading --- */

void mistake(struct translation *t, const struct node *node, const char *fmt, ...) {
  if (t->failed)
    return;
  va_list args;
  va_start(args, fmt);
  CLEANUP_FREE char *text = xvasprintf(fmt, args);
  va_end(args);
  CLEANUP_FREE char *path = node_path(node);
  t->failed = true;
  (void)error_set(t->err, ERROR_INPUT, 0, "%s:%u:%u: %s%s%s", t->src->name, node->place.line,
                  node->place.column, path, *path ? ": " : "", text);
}

static const struct node *expect(struct translation *t, const struct node *node, enum node_kind kind) {
  if (!node || node->kind == kind)
    return node;
  mistake(t, node, "%s is to stand here, not %s%s", node_kind_name(kind), node_kind_name(node->kind),
          kind == NODE_STRING && node->kind == NODE_BOOL ? " (quote it: YAML 1.1 takes it for one)" : "");
  return NULL;
}

bool bool_of(struct translation *t, const struct node *node, bool otherwise) {
  node = expect(t, node, NODE_BOOL);
  return node ? node->truth : otherwise;
}

int64_t int_of(struct translation *t, const struct node *node, int64_t otherwise) {
  node = expect(t, node, NODE_INT);
  return node ? node->number : otherwise;
}

bool is_id(int64_t number) {
  return number >= 0 && number < UINT32_MAX;
}

int64_t id_of(struct translation *t, const struct node *node, int64_t otherwise) {
  node = expect(t, node, NODE_INT);
  if (!node)
    return otherwise;
  if (!is_id(node->number))
    mistake(t, node, "no number of a user or group");
  return is_id(node->number) ? node->number : otherwise;
}

const char *text_of(struct translation *t, const struct node *node, const char *otherwise) {
  node = expect(t, node, NODE_STRING);
  return node ? node->text : otherwise;
}

int64_t quantity_of(struct translation *t, const struct node *node) {
  int64_t milli = 0;
  if (node && (!node->text || !scalar_quantity(node->text, &milli)))
    mistake(t, node, "a quantity is to stand here, such as 500m or 64Mi");
  return milli;
}

const struct node *read_list(struct translation *t, const struct node *map, const char *key) {
  return expect(t, node_get(map, key), NODE_LIST);
}

const struct node *read_map(struct translation *t, const struct node *map, const char *key) {
  return expect(t, node_get(map, key), NODE_MAP);
}

/* --- writing --- */

void put_origin(struct translation *t, const char *pointer, struct field from) {
  struct manifest_container *c = t->container;
  if ((c->origins_len & (c->origins_len - 1)) == 0)
    c->origins = xrealloc(c->origins, c->origins_len ? c->origins_len * 2 : 1, sizeof *c->origins);
  c->origins[c->origins_len++] = (struct manifest_origin){ xstrdup(pointer), from.node, from.missing };
}

/* "~1" and "~0" of a pointer's token; in place. */
static void unescape(char *token) {
  char *to = token;
  for (const char *from = token; *from; from++) {
    bool escape = *from == '~' && (from[1] == '0' || from[1] == '1');
    *to++ = escape ? (from[1] == '1' ? '/' : '~') : *from;
    from += escape;
  }
  *to = '\0';
}

/* The object that a pointer's last token is a member of, and the token. The caller frees that. */
static json_t *parent_of(json_t *root, const char *pointer, char **ret_key) {
  const char *token = pointer + 1;
  for (;;) {
    size_t len = strcspn(token, "/");
    CLEANUP_FREE char *key = xasprintf("%.*s", (int)len, token);
    unescape(key);
    if (!token[len]) {
      *ret_key = steal_ptr(&key);
      return root;
    }
    json_t *next = json_object_get(root, key);
    if (!next) {
      next = json_object();
      jsonx_set_new(root, key, next);
    }
    root = next;
    token += len + 1;
  }
}

void put(struct translation *t, const char *pointer, json_t *value, struct field from) {
  CLEANUP_FREE char *key = NULL;
  json_t *parent = parent_of(t->container->config, pointer, &key);
  jsonx_set_new(parent, key, value);
  put_origin(t, pointer, from);
}

void put_item(struct translation *t, const char *pointer, json_t *value, struct field from) {
  CLEANUP_FREE char *key = NULL;
  json_t *parent = parent_of(t->container->config, pointer, &key);
  json_t *array = json_object_get(parent, key);
  if (!array) {
    array = json_array();
    jsonx_set_new(parent, key, array);
  }
  CLEANUP_FREE char *place = jsonx_pointer_index(pointer, json_array_size(array));
  jsonx_append_new(array, value);
  put_origin(t, place, from);
}

void note(struct translation *t, struct field from, const char *fmt, ...) {
  struct manifest_container *c = t->container;
  va_list args;
  va_start(args, fmt);
  char *text = xvasprintf(fmt, args);
  va_end(args);
  c->notes = xrealloc(c->notes, c->notes_len + 1, sizeof *c->notes);
  c->notes[c->notes_len++] =
      (struct manifest_note){ from.node ? from.node : c->node, from.node ? from.missing : "", text };
}

/* --- parts of a config --- */

json_t *strings(const char *const *items, size_t len) {
  json_t *array = json_array();
  for (size_t i = 0; i < len; i++)
    jsonx_append_new(array, jsonx_string_new(items[i]));
  return array;
}

json_t *mount_new(const char *destination, const char *type, const char *source, const char *options) {
  json_t *mount = json_object();
  jsonx_set_new(mount, "destination", jsonx_string_new(destination));
  jsonx_set_new(mount, "type", jsonx_string_new(type));
  jsonx_set_new(mount, "source", jsonx_string_new(source));
  json_t *list = json_array();
  while (*options) {
    size_t len = strcspn(options, ",");
    CLEANUP_FREE char *option = xasprintf("%.*s", (int)len, options);
    if (len)
      jsonx_append_new(list, jsonx_string_new(option));
    options += len + (options[len] == ',');
  }
  jsonx_set_new(mount, "options", list);
  return mount;
}

json_t *device_rule(bool allow, const char *type, int major, int minor, const char *access) {
  json_t *rule = json_object();
  jsonx_set_new(rule, "allow", json_boolean(allow));
  if (type) {
    jsonx_set_new(rule, "type", jsonx_string_new(type));
    jsonx_set_new(rule, "major", json_integer(major));
    jsonx_set_new(rule, "minor", json_integer(minor));
  }
  jsonx_set_new(rule, "access", jsonx_string_new(access));
  return rule;
}
