/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include "base/str.h"
#include "io/fileio.h"

#include <fcntl.h>
#include <string.h>

struct ctl_globals ctl_globals;

const struct argp_option ctl_global_options[] = {
  { "config", 'C', "FILE", 0, "the configuration, instead of " CONFIG_PATH_DEFAULT, 0 },
  { 0 },
};

const struct ctl_command *const ctl_commands[] = {
  &ctl_check,
  &ctl_diff,
  &ctl_harden,
  &ctl_policy_list,
  &ctl_policy_show,
  &ctl_policy_validate,
  &ctl_policy_schema,
  &ctl_seccomp_show,
  &ctl_seccomp_simulate,
  &ctl_seccomp_merge,
  &ctl_apparmor_compile,
  &ctl_apparmor_load,
  &ctl_apparmor_status,
  &ctl_apparmor_show,
  &ctl_selinux_status,
  &ctl_install,
  &ctl_uninstall,
  &ctl_status,
  &ctl_inspect,
  &ctl_doctor,
  &ctl_gc,
  &ctl_events,
  &ctl_version,
  &ctl_generate,
  NULL,
};

void ctl_parse(const struct ctl_command *self, int argc, char **argv, argp_parser_t parser, void *input) {
  static const struct argp_option none[] = { { 0 } };
  CLEANUP_FREE char *doc = xasprintf("%s.\v%s", self->summary, self->details);
  const struct argp argp = {
    self->options ? self->options : none, parser, self->args, doc, NULL, NULL, NULL
  };
  /* argp reports a wrong use by itself, in GNU's words, and leaves with this code. */
  argp_err_exit_status = CTL_ERROR;
  argp_parse(&argp, argc, argv, 0, NULL, input);
}

int ctl_load_config(struct config *ret, struct error *err) {
  return config_load(ctl_globals.config_path, ret, err);
}

int ctl_load_policy(const struct config *config, const char *name, struct policy *ret, struct error *err) {
  if (!strchr(name, '/') && !str_ends(name, ".json"))
    return policy_load(config->policy_dir, name, ret, err);
  CLEANUP_FREE char *text = NULL;
  size_t len;
  if (file_read(AT_FDCWD, name, RESOLVE_TRUSTED, POLICY_SIZE_MAX, &text, &len, NULL, err) < 0)
    return -1;
  const struct jsonx_source src = { name, text, len };
  return policy_load_text(config->policy_dir, &src, ret, err);
}
