/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl policy list | show | validate | schema */
#include "policy/policy.h"
#include "base/str.h"
#include "ctl/command.h"
#include "io/fileio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

static void print_json(json_t *value) {
  CLEANUP_STR struct str text = { 0 };
  jsonx_dump_pretty(value, &text);
  fputs(text.data, stdout);
}

/* --- list --- */

static int by_text(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in the directory, without ".json", sorted. An absent directory holds none. */
static int names_in(const char *dir, struct strlist *ret, struct error *err) {
  DIR *d = opendir(dir);
  if (!d)
    return errno == ENOENT ? 0 : error_set(err, ERROR_SYSTEM, errno, "%s", dir);
  for (struct dirent *entry; (entry = readdir(d));) {
    if (!str_ends(entry->d_name, ".json"))
      continue;
    CLEANUP_FREE char *name = xstrdup(entry->d_name);
    name[strlen(name) - strlen(".json")] = '\0';
    if (policy_name_is_valid(name))
      strlist_add(ret, name);
  }
  closedir(d);
  if (ret->len)
    qsort(ret->items, ret->len, sizeof *ret->items, by_text);
  return 0;
}

static int list_one(const struct config *config, const char *name, bool in_dir) {
  CLEANUP_POLICY struct policy policy = { 0 };
  struct error err = { 0 };
  const char *from = !in_dir                                ? "built-in"
                     : builtin_find(builtin_policies, name) ? "replaces the built-in"
                                                            : config->policy_dir;
  if (policy_load(config->policy_dir, name, &policy, &err) < 0) {
    printf("%-16s %-22s INVALID: %s\n", name, from, err.message);
    return CTL_FINDINGS;
  }
  const char *mark = strcmp(name, config->default_policy) == 0 ? "* " : "";
  printf("%-16s %-22s %s%s\n", name, from, mark, policy.description ? policy.description : "");
  return CTL_OK;
}

static error_t parse_no_args(int key, char *arg, struct argp_state *state) {
  (void)arg;
  if (key != ARGP_KEY_ARG)
    return ARGP_ERR_UNKNOWN;
  argp_usage(state);
  return 0;
}

static int run_list(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  ctl_parse(self, argc, argv, parse_no_args, NULL);
  CLEANUP_CONFIG struct config config = { 0 };
  CLEANUP_STRLIST struct strlist names = { 0 };
  if (ctl_load_config(&config, err) < 0 || names_in(config.policy_dir, &names, err) < 0)
    return -1;
  int code = CTL_OK;
  for (const struct builtin *b = builtin_policies; b->name; b++) {
    if (!strlist_has(&names, b->name) && list_one(&config, b->name, false) != CTL_OK)
      code = CTL_FINDINGS;
  }
  for (size_t i = 0; i < names.len; i++) {
    if (list_one(&config, names.items[i], true) != CTL_OK)
      code = CTL_FINDINGS;
  }
  return code;
}

const struct ctl_command ctl_policy_list = {
  .name = "policy list",
  .summary = "list the policies of this node",
  .details = "Prints the built-in policies and the files in the policy directory, where each comes from, and "
             "what it is for; "
             "'*' marks the default. A file that cannot be used is marked INVALID with the reason, and the "
             "exit status is 1.",
  .run = run_list,
};

/* --- show --- */

static error_t parse_name(int key, char *arg, struct argp_state *state) {
  const char **name = state->input;
  switch (key) {
  case ARGP_KEY_ARG:
    if (*name)
      argp_usage(state);
    *name = arg;
    return 0;
  case ARGP_KEY_NO_ARGS:
    argp_usage(state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static int run_show(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  const char *name = NULL;
  ctl_parse(self, argc, argv, parse_name, &name);
  CLEANUP_CONFIG struct config config = { 0 };
  CLEANUP_POLICY struct policy policy = { 0 };
  if (ctl_load_config(&config, err) < 0 || ctl_load_policy(&config, name, &policy, err) < 0)
    return -1;
  json_auto_t *encoded = policy_encode(&policy);
  print_json(encoded);
  return CTL_OK;
}

const struct ctl_command ctl_policy_show = {
  .name = "policy show",
  .args = "NAME|FILE",
  .summary = "print a policy with everything it inherits",
  .details = "Prints the policy as JSON, every value after `extends` has been followed. The output is itself "
             "a valid policy.",
  .run = run_show,
};

/* --- validate --- */

struct files {
  char **items;
  int len;
};

static error_t parse_files(int key, char *arg, struct argp_state *state) {
  struct files *files = state->input;
  (void)arg;
  switch (key) {
  case ARGP_KEY_ARG:
    files->items = state->argv + state->next - 1;
    files->len = state->argc - state->next + 1;
    state->next = state->argc;
    return 0;
  case ARGP_KEY_NO_ARGS:
    argp_usage(state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static int run_validate(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct files files = { 0 };
  ctl_parse(self, argc, argv, parse_files, &files);
  CLEANUP_CONFIG struct config config = { 0 };
  if (ctl_load_config(&config, err) < 0)
    return -1;
  int code = CTL_OK;
  for (int i = 0; i < files.len; i++) {
    CLEANUP_POLICY struct policy policy = { 0 };
    struct error why = { 0 };
    if (ctl_load_policy(&config, files.items[i], &policy, &why) < 0) {
      printf("%s: invalid: %s\n", files.items[i], why.message);
      code = why.code == ERROR_SYSTEM ? CTL_ERROR : CTL_FINDINGS;
    } else {
      printf("%s: valid\n", files.items[i]);
    }
  }
  return code;
}

const struct ctl_command ctl_policy_validate = {
  .name = "policy validate",
  .args = "NAME|FILE...",
  .summary = "check policy files before they are installed",
  .details = "Reads each policy as the wrapper would and prints the first error of each with line, column "
             "and remedy. "
             "Exit status 1 when one is invalid.",
  .run = run_validate,
};

/* --- schema --- */

static error_t parse_config_flag(int key, char *arg, struct argp_state *state) {
  bool *of_config = state->input;
  if (key == 'c') {
    *of_config = true;
    return 0;
  }
  return parse_no_args(key, arg, state);
}

static int run_schema(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  (void)err;
  bool of_config = false;
  ctl_parse(self, argc, argv, parse_config_flag, &of_config);
  json_auto_t *schema = of_config ? config_schema() : policy_schema();
  print_json(schema);
  return CTL_OK;
}

const struct ctl_command ctl_policy_schema = {
  .name = "policy schema",
  .summary = "print the JSON Schema of policy files",
  .details =
      "The schema (draft 2020-12) is made from the tables that the decoder uses, so the two cannot disagree.",
  .options =
      (const struct argp_option[]){
          { "of-config", 'c', NULL, 0, "the schema of config.json instead", 0 },
          { 0 },
      },
  .run = run_schema,
};
