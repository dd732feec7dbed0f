/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hardenctl's commands: one table from which the command line, --help, the man page and the completion are
 * made.
 */
#ifndef HARDEN_CTL_COMMAND_H
#define HARDEN_CTL_COMMAND_H

#include "base/error.h"
#include "policy/config.h"

#include <argp.h>
#include <stdio.h>

enum ctl_exit {
  CTL_OK = 0,
  CTL_FINDINGS = 1, /* the answer is no: findings, a refusal, an invalid policy */
  CTL_ERROR = 2,    /* the question could not be answered */
};

struct ctl_command {
  const char *name;                  /* "check", "policy list": one word or two */
  const char *args;                  /* "[BUNDLE|FILE...]"; NULL: none */
  const char *summary;               /* one line, lower case, no full stop */
  const char *details;               /* sentences for --help and the man page */
  const struct argp_option *options; /* NULL: none but --help */
  /* argv[0] is "hardenctl NAME". Returns an enum ctl_exit, or -1 with err set, which main reports. */
  int (*run)(const struct ctl_command *self, int argc, char **argv, struct error *err);
};

/* In the order of the manual; ends with NULL. */
extern const struct ctl_command *const ctl_commands[];

extern const struct ctl_command ctl_harden, ctl_check, ctl_diff, ctl_policy_list, ctl_policy_show,
    ctl_policy_validate, ctl_policy_schema, ctl_seccomp_show, ctl_seccomp_simulate, ctl_seccomp_merge,
    ctl_apparmor_compile, ctl_apparmor_load, ctl_apparmor_status, ctl_apparmor_show, ctl_selinux_status,
    ctl_install, ctl_uninstall, ctl_status, ctl_inspect, ctl_doctor, ctl_gc, ctl_events, ctl_version,
    ctl_generate;

/* Options that stand before the command, the same for all; written by main before a command runs. */
struct ctl_globals {
  const char *config_path; /* --config; NULL: the default place */
};
extern struct ctl_globals ctl_globals;
extern const struct argp_option ctl_global_options[];

/* Parses a command's own arguments; `parser` sees its options and ARGP_KEY_ARG. Prints --help itself and
 * exits; a wrong use prints a line on stderr and exits CTL_ERROR. */
void ctl_parse(const struct ctl_command *self, int argc, char **argv, argp_parser_t parser, void *input);

/* The configuration that --config or the default names. */
int ctl_load_config(struct config *ret, struct error *err) MUST_CHECK;
/* A policy by name from the configuration's directory or the built-ins; a name with a '/' or ending in
 * ".json" is a file, which need not be root's, since nothing but this tool's answer depends on it. */
int ctl_load_policy(const struct config *config, const char *name, struct policy *ret,
                    struct error *err) MUST_CHECK;

#endif
