/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/process.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "io/jsonx.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

/* Bytes that are no UTF-8 cannot travel in a process file; replaced ones would run something else. */
static int new_text(const char *what, const char *text, json_t **ret, struct error *err) {
  json_t *probe = json_string(text);
  if (!probe)
    return error_set_rule(err, ERROR_USAGE, "OH-CMD-020", "%s is not valid UTF-8; pass it in a file", what);
  json_decref(probe);
  *ret = jsonx_string_new(text);
  return 0;
}

static json_t *child(json_t *object, const char *key, json_t *(*make)(void)) {
  json_t *value = json_object_get(object, key);
  if (value && !json_is_null(value))
    return value;
  value = make();
  if (!value)
    die_out_of_memory();
  jsonx_set_new(object, key, value);
  return value;
}

static int parse_id(const char *option, const char *text, uint32_t *ret, struct error *err) {
  char *end;
  errno = 0;
  unsigned long long n = strtoull(text, &end, 10);
  if (!isdigit((unsigned char)*text) || *end || errno || n >= UINT32_MAX)
    return error_set_rule(err, ERROR_USAGE, "OH-CMD-019", "--%s: \"%.100s\" is no numeric id", option, text);
  *ret = (uint32_t)n;
  return 0;
}

static int set_user(json_t *process, const char *text, struct error *err) {
  CLEANUP_FREE char *uid = xstrdup(text);
  char *gid = strchr(uid, ':');
  uint32_t id = 0;
  json_t *user = child(process, "user", json_object);
  if (gid) {
    *gid++ = '\0';
    if (parse_id("user", gid, &id, err) < 0)
      return -1;
    jsonx_set_new(user, "gid", json_integer(id));
  }
  if (parse_id("user", uid, &id, err) < 0)
    return -1;
  jsonx_set_new(user, "uid", json_integer(id));
  return 0;
}

static int set_text(json_t *process, const char *key, const struct command_option *o, struct error *err) {
  json_t *text = NULL;
  if (!*o->value)
    return 0; /* runc takes an empty value for none */
  if (new_text(o->flag->name, o->value, &text, err) < 0)
    return -1;
  jsonx_set_new(process, key, text);
  return 0;
}

static void add_capability(json_t *process, const char *name) {
  static const char *const sets[] = { "bounding", "effective", "permitted" };
  json_t *capabilities = child(process, "capabilities", json_object);
  for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
    jsonx_append_new(child(capabilities, sets[i], json_array), jsonx_string_new(name));
}

static const struct {
  const char *option, *key;
} text_options[] = {
  { "cwd", "cwd" },
  { "apparmor", "apparmorProfile" },
  { "process-label", "selinuxLabel" },
};

static int apply_option(json_t *process, const struct command_option *o, struct error *err) {
  const char *name = o->flag->name;
  uint32_t id = 0;
  json_t *text = NULL;
  for (size_t i = 0; i < ARRAY_SIZE(text_options); i++)
    if (strcmp(name, text_options[i].option) == 0)
      return set_text(process, text_options[i].key, o, err);
  if (strcmp(name, "user") == 0)
    return *o->value ? set_user(process, o->value, err) : 0;
  if (strcmp(name, "env") == 0) {
    if (new_text("a value of --env", o->value, &text, err) < 0)
      return -1;
    jsonx_append_new(child(process, "env", json_array), text);
  } else if (strcmp(name, "additional-gids") == 0) {
    if (parse_id(name, o->value, &id, err) < 0)
      return -1;
    jsonx_append_new(child(child(process, "user", json_object), "additionalGids", json_array),
                     json_integer(id));
  } else if (strcmp(name, "tty") == 0) {
    jsonx_set_new(process, "terminal", json_true());
  } else if (strcmp(name, "no-new-privs") == 0) {
    jsonx_set_new(process, "noNewPrivileges", json_true());
  } else if (strcmp(name, "cap") == 0) {
    add_capability(process, o->value);
  }
  return 0;
}

int process_build(const struct command *c, const json_t *base, json_t **ret, struct error *err) {
  json_auto_t *process = base ? jsonx_copy(base) : json_object();
  json_t *args = json_array(), *arg = NULL;
  if (!process || !args)
    die_out_of_memory();
  jsonx_set_new(process, "args", args);
  for (size_t i = 0; i < c->args_len; i++) {
    if (new_text("an argument of the command", c->args[i], &arg, err) < 0)
      return error_wrap(err, "exec");
    jsonx_append_new(args, arg);
  }
  jsonx_set_new(process, "terminal", json_false());
  if (!json_object_get(process, "cwd"))
    jsonx_set_new(process, "cwd", jsonx_string_new("/"));
  if (!json_object_get(process, "user"))
    (void)child(process, "user", json_object);
  for (size_t i = c->globals; i < c->len; i++)
    if (apply_option(process, &c->options[i], err) < 0)
      return error_wrap(err, "exec");
  *ret = steal_ptr(&process);
  return 0;
}
