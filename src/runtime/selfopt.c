/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/selfopt.h"

#include "base/str.h"

#include <string.h>

/* 1: args[0] is --name; 0: it is not; -1: it is, and has no value. */
static int take(const char *name, char ***args, const char **ret_value, struct error *err) {
  const char *arg = (*args)[0];
  size_t len = strlen(name);
  if (strncmp(arg, name, len) != 0 || (arg[len] != '=' && arg[len] != '\0'))
    return 0;
  const char *value = arg[len] == '=' ? arg + len + 1 : (*args)[1];
  if (!value || !*value)
    return error_set_rule(err, ERROR_USAGE, "OH-CMD-018", "%s needs a value: %s=VALUE", name, name);
  *args += arg[len] == '=' ? 1 : 2;
  *ret_value = value;
  return 1;
}

int selfopt_parse(struct selfopt *ret, char **argv, struct error *err) {
  static const char prefix[] = SELFOPT_PROGRAM "-";
  const char *path = argv[0] ? argv[0] : SELFOPT_PROGRAM;
  const char *slash = strrchr(path, '/');
  *ret = (struct selfopt){ .name = slash ? slash + 1 : path, .args = argv[0] ? argv + 1 : argv };
  if (str_starts(ret->name, prefix))
    ret->policy = ret->name + sizeof prefix - 1;
  while (ret->args[0]) {
    int taken = take("--policy", &ret->args, &ret->policy, err);
    if (taken == 0)
      taken = take("--config", &ret->args, &ret->config, err);
    if (taken < 0)
      return -1;
    if (taken == 0)
      break;
  }
  return 0;
}
