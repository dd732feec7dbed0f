/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/profile_file.h"

#include "io/fileio.h"
#include "policy/policy.h"
#include "seccomp/model.h"

#include <stddef.h>
#include <string.h>

#define FILE_LIMIT ((size_t)1 << 20) /* bytes */

struct file {
  char *description;
  char *default_action;
  int64_t default_errno; /* -1: not given */
  struct strlist architectures;
  struct strlist flags;
  json_t *groups; /* owned */
};

struct group {
  char *name;
  char *reason;
  char *action;
  int64_t errno_ret; /* -1: not given */
  struct strlist names;
  json_t *args; /* owned */
};

/* Keeps a value for later; the model's decoder judges it. */
static int keep(const json_t *value, const struct jsonx_source *src, const char *pointer, void *member,
                struct error *err) {
  if (!json_is_array(value))
    return jsonx_error(err, ERROR_POLICY, src, pointer, "must be an array");
  json_t **kept = member;
  json_decref(*kept);
  *kept = jsonx_copy(value);
  return 0;
}

#define MEMBER(type, member) offsetof(struct type, member)
static const struct jsonx_row file_rows[] = {
  { .key = "description", .type = JSONX_STRING, .offset = MEMBER(file, description) },
  { .key = "defaultAction", .type = JSONX_STRING, .offset = MEMBER(file, default_action) },
  { .key = "defaultErrnoRet",
    .type = JSONX_INT,
    .offset = MEMBER(file, default_errno),
    .min = 1,
    .max = SECCOMP_ERRNO_MAX },
  { .key = "architectures", .type = JSONX_STRINGS, .offset = MEMBER(file, architectures) },
  { .key = "flags", .type = JSONX_STRINGS, .offset = MEMBER(file, flags) },
  { .key = "groups", .type = JSONX_CUSTOM, .offset = MEMBER(file, groups), .decode = keep },
  { 0 },
};

static const struct jsonx_row group_rows[] = {
  { .key = "name", .type = JSONX_STRING, .offset = MEMBER(group, name) },
  { .key = "reason", .type = JSONX_STRING, .offset = MEMBER(group, reason) },
  { .key = "action", .type = JSONX_STRING, .offset = MEMBER(group, action) },
  { .key = "errnoRet",
    .type = JSONX_INT,
    .offset = MEMBER(group, errno_ret),
    .min = 1,
    .max = SECCOMP_ERRNO_MAX },
  { .key = "names", .type = JSONX_STRINGS, .offset = MEMBER(group, names) },
  { .key = "args", .type = JSONX_CUSTOM, .offset = MEMBER(group, args), .decode = keep },
  { 0 },
};

static void file_clear(struct file *f) {
  free(f->description);
  free(f->default_action);
  strlist_free(&f->architectures);
  strlist_free(&f->flags);
  json_decref(f->groups);
}

static void group_clear(struct group *g) {
  free(g->name);
  free(g->reason);
  free(g->action);
  strlist_free(&g->names);
  json_decref(g->args);
}

static json_t *strings(const struct strlist *l) {
  json_t *array = json_array();
  if (!array)
    die_out_of_memory();
  for (size_t i = 0; i < l->len; i++)
    jsonx_append_new(array, jsonx_string_new(l->items[i]));
  return array;
}

static json_t *object(void) {
  json_t *o = json_object();
  if (!o)
    die_out_of_memory();
  return o;
}

static json_t *integer(int64_t value) {
  json_t *i = json_integer(value);
  if (!i)
    die_out_of_memory();
  return i;
}

/* `seen` maps each name to whether a group without conditions lists it. */
static int check_names(const struct group *g, json_t *seen, const struct jsonx_source *src,
                       const char *pointer, struct error *err) {
  bool conditional = json_array_size(g->args) > 0;
  for (size_t i = 0; i < g->names.len; i++) {
    const char *name = g->names.items[i];
    CLEANUP_FREE char *place = xasprintf("%s/names/%zu", pointer, i);
    if (seccomp_abi_number(seccomp_abi_native(), name) == SECCOMP_NR_UNKNOWN)
      return jsonx_error(err, ERROR_POLICY, src, place, "no system call \"%s\" is known", name);
    const json_t *before = json_object_get(seen, name);
    if (before && !(conditional && json_is_false(before)))
      return jsonx_error(err, ERROR_POLICY, src, place,
                         "\"%s\" is in another group already, and one of the two has no conditions", name);
    jsonx_set_new(seen, name, json_boolean(!conditional));
  }
  return 0;
}

static int add_group(json_t *syscalls, const json_t *item, json_t *seen, const struct jsonx_source *src,
                     const char *pointer, struct error *err) {
  CLEANUP(group_clear) struct group g = { .errno_ret = -1 };
  if (!json_is_object(item))
    return jsonx_error(err, ERROR_POLICY, src, pointer, "must be an object");
  if (jsonx_decode(item, src, pointer, group_rows, &g, err) < 0)
    return -1;
  if (!g.name || !*g.name || !g.reason || !*g.reason || !g.action || g.names.len == 0)
    return jsonx_error(err, ERROR_POLICY, src, pointer,
                       "needs \"name\", \"reason\", \"action\" and \"names\"");
  if (check_names(&g, seen, src, pointer, err) < 0)
    return -1;
  json_t *rule = object();
  jsonx_append_new(syscalls, rule);
  jsonx_set_new(rule, "names", strings(&g.names));
  jsonx_set_new(rule, "action", jsonx_string_new(g.action));
  if (g.errno_ret >= 0)
    jsonx_set_new(rule, "errnoRet", integer(g.errno_ret));
  if (g.args)
    jsonx_set_new(rule, "args", steal_ptr(&g.args));
  return 0;
}

static int make_section(const struct file *f, const struct jsonx_source *src, json_t **ret,
                        struct error *err) {
  if (!f->default_action || !f->groups)
    return jsonx_error(err, ERROR_POLICY, src, "", "needs \"defaultAction\" and \"groups\"");
  json_auto_t *section = object();
  json_auto_t *seen = object();
  jsonx_set_new(section, "defaultAction", jsonx_string_new(f->default_action));
  if (f->default_errno >= 0)
    jsonx_set_new(section, "defaultErrnoRet", integer(f->default_errno));
  jsonx_set_new(section, "architectures", strings(&f->architectures));
  jsonx_set_new(section, "flags", strings(&f->flags));
  json_t *syscalls = strings(&(struct strlist){ 0 });
  jsonx_set_new(section, "syscalls", syscalls);
  for (size_t i = 0; i < json_array_size(f->groups); i++) {
    CLEANUP_FREE char *pointer = xasprintf("/groups/%zu", i);
    if (add_group(syscalls, json_array_get(f->groups, i), seen, src, pointer, err) < 0)
      return -1;
  }
  *ret = steal_ptr(&section);
  return 0;
}

int seccomp_profile_file_parse(const struct jsonx_source *src, json_t **ret, struct error *err) {
  json_auto_t *root = NULL;
  CLEANUP(file_clear) struct file f = { .default_errno = -1 };
  int rc = jsonx_parse(src, FILE_LIMIT, &root, err);
  if (rc == 0 && !json_is_object(root))
    rc = jsonx_error(err, ERROR_POLICY, src, "", "must be an object");
  if (rc == 0)
    rc = jsonx_decode(root, src, "", file_rows, &f, err);
  if (rc == 0)
    rc = make_section(&f, src, ret, err);
  if (rc < 0)
    err->code = ERROR_POLICY; /* the administrator's file, not the engine's */
  return rc;
}

void seccomp_profile_text_free(struct seccomp_profile_text *text) {
  free(text->name);
  free(text->data);
  *text = (struct seccomp_profile_text){ 0 };
}

int seccomp_profile_text_load(const char *profile, struct seccomp_profile_text *ret, struct error *err) {
  const struct builtin *builtin = builtin_find(builtin_seccomp_profiles, profile);
  if (builtin) {
    ret->name = xasprintf("built-in seccomp profile %s", profile);
    ret->src = (struct jsonx_source){ ret->name, builtin->text, builtin->len };
    ret->digest = builtin->digest;
    return 0;
  }
  if (*profile != '/')
    return error_set(err, ERROR_POLICY, 0,
                     "seccomp.profile: \"%s\" is neither a built-in profile nor an absolute path", profile);
  size_t len = 0;
  if (file_read_trusted(profile, FILE_LIMIT, &ret->data, &len, err) < 0)
    return -1;
  ret->name = xstrdup(profile);
  ret->src = (struct jsonx_source){ ret->name, ret->data, len };
  return 0;
}

int seccomp_profile_file_load(const char *profile, json_t **ret, struct error *err) {
  CLEANUP_SECCOMP_PROFILE_TEXT struct seccomp_profile_text text = { 0 };
  if (seccomp_profile_text_load(profile, &text, err) < 0)
    return -1;
  return seccomp_profile_file_parse(&text.src, ret, err);
}
