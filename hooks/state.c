/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include "base/str.h"
#include "io/jsonx.h"

#include <limits.h>
#include <string.h>

/* runc says creating where crun says created. Between create and start both say created. */
static const struct {
  const char *name;
  enum hook_status status;
} statuses[] = {
  { "creating", HOOK_CREATING },
  { "created", HOOK_CREATING },
  { "running", HOOK_RUNNING },
  { "stopped", HOOK_STOPPED },
};

static int take_status(const json_t *value, const struct jsonx_source *src, enum hook_status *ret,
                       struct error *err) {
  const char *text = json_string_value(value);
  for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
    if (text && strcmp(statuses[i].name, text) == 0) {
      *ret = statuses[i].status;
      return 0;
    }
  return jsonx_error(err, ERROR_INPUT, src, "/status", "must be creating, created, running or stopped");
}

/* pid 1 is the host's init, or the hook is not told the host's numbers. */
static int take_pid(const json_t *value, const struct jsonx_source *src, struct hook_call *ret,
                    struct error *err) {
  const json_int_t pid = json_integer_value(value);
  if (ret->status == HOOK_STOPPED)
    return 0;
  if (!json_is_integer(value) || pid < 2 || pid > INT_MAX)
    return jsonx_error(
        err, ERROR_INPUT, src, "/pid",
        "is no container's process; register the hook for createRuntime: other stages do not see it");
  ret->pid = (pid_t)pid;
  return 0;
}

static int take(const json_t *document, const struct jsonx_source *src, struct hook_call *ret,
                struct error *err) {
  ret->id = json_string_value(json_object_get(document, "id"));
  ret->bundle = json_string_value(json_object_get(document, "bundle"));
  if (!ret->id)
    return jsonx_error(err, ERROR_INPUT, src, "/id", "must be a string");
  if (!ret->bundle || ret->bundle[0] != '/')
    return jsonx_error(err, ERROR_INPUT, src, "/bundle", "must be an absolute path");
  if (take_status(json_object_get(document, "status"), src, &ret->status, err) < 0)
    return -1;
  return take_pid(json_object_get(document, "pid"), src, ret, err);
}

int state_parse(const char *text, size_t len, struct hook_call *ret, json_t **ret_document,
                struct error *err) {
  const struct jsonx_source src = { "state", text, len };
  json_auto_t *document = NULL;
  if (jsonx_parse(&src, STATE_SIZE_MAX, &document, err) < 0)
    return error_wrap(err, "standard input is not an OCI state");
  if (!json_is_object(document))
    return error_set(err, ERROR_INPUT, 0, "standard input is not an OCI state: it is no object");
  if (take(document, &src, ret, err) < 0)
    return -1;
  *ret_document = json_incref(document);
  return 0;
}

/* 1: *args is at --name, whose value is in *ret; 0: it is not; -1: it has none. */
static int option(const char *name, char ***args, const char **ret, struct error *err) {
  const size_t len = strlen(name);
  const char *arg = **args;
  if (strncmp(arg, name, len) != 0 || (arg[len] != '=' && arg[len] != '\0'))
    return 0;
  const char *value = arg[len] == '=' ? arg + len + 1 : *++*args;
  if (!value || !*value)
    return error_set(err, ERROR_USAGE, 0, "%s needs a value: %s=VALUE", name, name);
  *ret = value;
  return 1;
}

int arguments_parse(char **argv, struct hook_call *ret, bool *ret_version, struct error *err) {
  *ret_version = false;
  ret->argv = argv;
  for (char **args = argv[0] ? argv + 1 : argv; *args; args++) {
    int taken = option("--config", &args, &ret->config, err);
    if (taken == 0)
      taken = option("--policy", &args, &ret->policy, err);
    if (taken < 0)
      return -1;
    if (taken == 0 && strcmp(*args, "--version") == 0)
      *ret_version = true;
    else if (taken == 0)
      return error_set(err, ERROR_USAGE, 0, "unknown argument %s; there are --config FILE and --policy NAME",
                       *args);
  }
  return 0;
}
