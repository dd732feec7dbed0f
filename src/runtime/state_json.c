/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/state_json.h"

#include "base/cleanup.h"
#include "spec/spec.h"

#include <string.h>

enum { VERSION = 1 };

/* Every value of each policy, so that a later verb has the policy as it was applied, whatever built-ins and
 * files say by then. What a built-in one says was written when the program was built. */
static void add_policies(const struct state *s, struct str *out) {
  str_add(out, "\"policies\":[");
  for (size_t i = 0; i < s->policies_len; i++) {
    const struct policy *policy = &s->policies[i];
    if (i > 0)
      str_add(out, ",");
    if (policy->packed) {
      str_add(out, policy->packed->json);
    } else {
      json_auto_t *values = policy_encode(policy);
      jsonx_dump(values, out);
    }
  }
  str_add(out, "]");
}

static json_t *encode_list(const struct strlist *list) {
  json_t *array = json_array();
  if (!array)
    die_out_of_memory();
  for (size_t i = 0; i < list->len; i++)
    jsonx_append_new(array, jsonx_string_new(list->items[i]));
  return array;
}

static json_t *encode_map(const struct state *s) {
  json_t *map = json_object();
  if (!map)
    die_out_of_memory();
  jsonx_set_new(map, "base", json_integer(s->map.base));
  jsonx_set_new(map, "place", jsonx_string_new(s->map.place));
  jsonx_set_new(map, "entered", encode_list(&s->map.entered));
  jsonx_set_new(map, "unmapped", encode_list(&s->map.unmapped));
  return map;
}

static json_t *encode_rootfs(const struct state *s) {
  json_t *rootfs = json_object();
  if (!rootfs)
    die_out_of_memory();
  jsonx_set_new(rootfs, "device", jsonx_u64_new(s->rootfs.device));
  jsonx_set_new(rootfs, "inode", jsonx_u64_new(s->rootfs.inode));
  return rootfs;
}

static json_t *encode_members(const struct state *s) {
  json_t *document = json_object();
  if (!document)
    die_out_of_memory();
  jsonx_set_new(document, "version", json_integer(VERSION));
  jsonx_set_new(document, "id", jsonx_string_new(s->id));
  jsonx_set_new(document, "root", jsonx_string_new(s->root));
  jsonx_set_new(document, "bundle", jsonx_string_new(s->bundle));
  if (s->config)
    jsonx_set_new(document, "config", jsonx_string_new(s->config));
  if (s->rootfs.inode)
    jsonx_set_new(document, "rootfs", encode_rootfs(s));
  if (s->pid_file)
    jsonx_set_new(document, "pidFile", jsonx_string_new(s->pid_file));
  jsonx_set_new(document, "created", jsonx_string_new(s->created));
  jsonx_set_new(document, "runtime", jsonx_string_new(s->runtime));
  jsonx_set_new(document, "before", jsonx_string_new(s->before));
  jsonx_set_new(document, "after", jsonx_string_new(s->after));
  if (s->annotations)
    jsonx_set_new(document, "annotations", jsonx_copy(s->annotations));
  jsonx_set_new(document, "handedFds", json_integer(s->handed_fds));
  jsonx_set_new(document, "sandbox", json_boolean(s->sandbox));
  jsonx_set_new(document, "userNamespace", json_boolean(s->user_namespace));
  if (s->no_user_namespace)
    jsonx_set_new(document, "noUserNamespace", jsonx_string_new(s->no_user_namespace));
  if (s->map.base)
    jsonx_set_new(document, "map", encode_map(s));
  jsonx_set_new(document, "creator", json_integer(s->creator));
  jsonx_set_new(document, "creatorStart", jsonx_u64_new(s->creator_start));
  return document;
}

void state_encode(const struct state *s, struct str *out) {
  json_auto_t *members = encode_members(s);
  jsonx_dump(members, out);
  out->len--; /* the brace */
  str_add(out, ",");
  add_policies(s, out);
  str_add(out, "}\n");
}

static int take_string(const json_t *document, const char *key, char **ret) {
  const char *text = json_string_value(json_object_get(document, key));
  *ret = xstrdup(text);
  return text ? 0 : -1;
}

static int take_digest(const json_t *document, const char *key, char *ret) {
  const char *text = json_string_value(json_object_get(document, key));
  if (!text || strlen(text) != STATE_DIGEST_SIZE - 1)
    return -1;
  memcpy(ret, text, STATE_DIGEST_SIZE);
  return 0;
}

static int take_bool(const json_t *document, const char *key, bool *ret) {
  const json_t *value = json_object_get(document, key);
  *ret = json_is_true(value);
  return json_is_boolean(value) ? 0 : -1;
}

/* The built-in ones as add_policies() wrote them. False, and nothing is taken: there are others. */
static bool take_packed(struct state *s, const struct jsonx_span *list) {
  const struct policy_packed *found[STATE_POLICIES_MAX];
  size_t n = 0;
  size_t at = 0; /* the bracket or comma in front of one */
  do {
    found[n] = at + 1 < list->len ? policy_packed_at(list->text + at + 1, list->len - at - 1) : NULL;
    if (!found[n])
      return false;
    at += 1 + strlen(found[n++]->json);
  } while (n < STATE_POLICIES_MAX && at < list->len && list->text[at] == ',');
  if (at + 1 != list->len)
    return false;
  for (; s->policies_len < n; s->policies_len++)
    policy_unpack(found[s->policies_len], &s->policies[s->policies_len]);
  return true;
}

/* Each policy holds every value after inheritance, so it is decoded over the empty one. */
static int take_policies(struct state *s, const struct jsonx_span *part, struct error *err) {
  const struct jsonx_source src = { "state.json#/policies", part->text, part->len };
  json_auto_t *list = NULL;
  if (take_packed(s, part))
    return 0;
  if (part->text && jsonx_parse(&src, src.len, &list, err) < 0)
    return -1;
  if (json_array_size(list) == 0 || json_array_size(list) > STATE_POLICIES_MAX)
    return error_set_rule(err, ERROR_INPUT, "OH-STA-002", "state.json: /policies: one or two are expected");
  for (size_t i = 0; i < json_array_size(list); i++) {
    CLEANUP_STR struct str text = { 0 };
    jsonx_dump(json_array_get(list, i), &text);
    const struct jsonx_source one = { "state.json#/policies", text.data, text.len };
    policy_init(&s->policies[i]);
    s->policies_len++;
    if (policy_decode(&s->policies[i], &one, err) < 0)
      return -1;
  }
  return 0;
}

static void take_list(const json_t *map, const char *key, struct strlist *ret) {
  const json_t *array = json_object_get(map, key);
  for (size_t i = 0; i < json_array_size(array); i++)
    if (json_is_string(json_array_get(array, i)))
      strlist_add(ret, json_string_value(json_array_get(array, i)));
}

static int take_map(struct state *s, const json_t *map) {
  uint64_t base;
  if (!map)
    return 0;
  take_list(map, "entered", &s->map.entered);
  take_list(map, "unmapped", &s->map.unmapped);
  if (take_string(map, "place", &s->map.place) < 0 || !jsonx_u64_get(json_object_get(map, "base"), &base) ||
      base == 0 || base > UINT32_MAX)
    return -1;
  s->map.base = (uint32_t)base;
  return 0;
}

static void take_rootfs(struct state *s, const json_t *rootfs) {
  uint64_t device, inode;
  if (!jsonx_u64_get(json_object_get(rootfs, "device"), &device) ||
      !jsonx_u64_get(json_object_get(rootfs, "inode"), &inode))
    return;
  s->rootfs.device = (dev_t)device;
  s->rootfs.inode = (ino_t)inode;
}

/* Those that an older state lacks: a node is upgraded while containers run. */
static void take_later_members(struct state *s, const json_t *document) {
  const char *config = json_string_value(json_object_get(document, "config"));
  const json_int_t handed = json_integer_value(json_object_get(document, "handedFds"));
  s->config = config ? xstrdup(config) : xasprintf("%s/config.json", s->bundle ? s->bundle : "");
  s->no_user_namespace = xstrdup(json_string_value(json_object_get(document, "noUserNamespace")));
  take_rootfs(s, json_object_get(document, "rootfs"));
  s->handed_fds = handed > 0 && handed <= STATE_HANDED_FDS_MAX ? (unsigned)handed : 0;
}

static int take_members(struct state *s, const json_t *document, struct error *err) {
  const json_t *pid_file = json_object_get(document, "pidFile"),
               *creator = json_object_get(document, "creator");
  int bad = json_integer_value(json_object_get(document, "version")) != VERSION;
  bad |= take_string(document, "id", &s->id);
  bad |= take_string(document, "root", &s->root);
  bad |= take_string(document, "bundle", &s->bundle);
  bad |= take_string(document, "created", &s->created);
  bad |= take_string(document, "runtime", &s->runtime);
  bad |= take_digest(document, "before", s->before);
  bad |= take_digest(document, "after", s->after);
  bad |= take_bool(document, "sandbox", &s->sandbox);
  bad |= take_bool(document, "userNamespace", &s->user_namespace);
  bad |= !jsonx_u64_get(json_object_get(document, "creatorStart"), &s->creator_start);
  bad |= take_map(s, json_object_get(document, "map"));
  bad |= !json_is_integer(creator);
  s->creator = (pid_t)json_integer_value(creator);
  s->pid_file = xstrdup(json_string_value(pid_file));
  take_later_members(s, document);
  s->annotations = jsonx_copy(json_object_get(document, "annotations"));
  if (bad)
    return error_set_rule(err, ERROR_INPUT, "OH-STA-002",
                          "state.json lacks a member, or is of another version");
  return 0;
}

int state_decode(struct state *ret, const struct jsonx_source *src, struct error *err) {
  json_auto_t *document = NULL;
  CLEANUP_STATE struct state s = { 0 };
  struct jsonx_span policies;
  if (spec_read_json_without(src, "/policies", &policies, &document, err) < 0 ||
      take_members(&s, document, err) < 0 || take_policies(&s, &policies, err) < 0)
    return -1;
  *ret = s;
  s = (struct state){ 0 };
  return 0;
}

void state_free(struct state *s) {
  free(s->id);
  free(s->root);
  free(s->bundle);
  free(s->config);
  free(s->pid_file);
  free(s->created);
  free(s->runtime);
  json_decref(s->annotations);
  free(s->no_user_namespace);
  free(s->map.place);
  strlist_free(&s->map.entered);
  strlist_free(&s->map.unmapped);
  for (size_t i = 0; i < s->policies_len; i++)
    policy_free(&s->policies[i]);
  *s = (struct state){ 0 };
}
