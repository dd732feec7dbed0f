/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl: finds the command, runs it, reports its error. */
#include "base/str.h"
#include "ctl/command.h"
#include "harden/version.h"

#include <stdio.h>
#include <string.h>

static void print_version(FILE *out, struct argp_state *state) {
  (void)state;
  fprintf(out, "hardenctl %s\n", version_text);
}

/* The row whose words argv begins with; *ret_words is how many it took. */
static const struct ctl_command *find(int argc, char **argv, int *ret_words) {
  for (int words = argc < 2 ? argc : 2; words > 0; words--) {
    CLEANUP_FREE char *name = words == 2 ? xasprintf("%s %s", argv[0], argv[1]) : xstrdup(argv[0]);
    for (const struct ctl_command *const *c = ctl_commands; *c; c++) {
      if (strcmp((*c)->name, name) == 0) {
        *ret_words = words;
        return *c;
      }
    }
  }
  return NULL;
}

static bool is_of_group(const struct ctl_command *command, const char *group) {
  return str_starts(command->name, group) && command->name[strlen(group)] == ' ';
}

static void add_commands(struct str *text, const char *group) {
  for (const struct ctl_command *const *c = ctl_commands; *c; c++)
    if (!group || is_of_group(*c, group))
      str_addf(text, "  %-18s %s\n", (*c)->name, (*c)->summary);
}

static char *command_list(void) {
  struct str text = { 0 };
  str_add(&text, "Commands:\n");
  add_commands(&text, NULL);
  str_add(&text,
          "\n`hardenctl COMMAND --help` tells more. Exit status: 0 fine, 1 findings or a refusal, 2 error.");
  return str_steal(&text);
}

/* What was meant by a word that is no command: the first of some commands' two words, or nothing that we
 * know. */
static int not_a_command(int argc, char **argv) {
  CLEANUP_STR struct str group = { 0 };
  add_commands(&group, argv[0]);
  if (!group.len) {
    fprintf(stderr, "hardenctl: unknown command '%s'; `hardenctl --help` lists them\n", argv[0]);
    return CTL_ERROR;
  }
  if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0)) {
    printf(
        "Usage: hardenctl %s COMMAND [ARG...]\n\nCommands:\n%s\n`hardenctl %s COMMAND --help` tells more.\n",
        argv[0], group.data, argv[0]);
    return CTL_OK;
  }
  if (argc > 1)
    fprintf(stderr, "hardenctl: unknown command '%s %s'; `hardenctl %s --help` lists them\n", argv[0],
            argv[1], argv[0]);
  else
    fprintf(stderr, "hardenctl: %s wants a command:\n%s", argv[0], group.data);
  return CTL_ERROR;
}

struct rest {
  int at; /* index of the command's first word in argv */
};

static error_t parse_global(int key, char *arg, struct argp_state *state) {
  struct rest *rest = state->input;
  switch (key) {
  case 'C':
    ctl_globals.config_path = arg;
    return 0;
  case ARGP_KEY_ARG:
    rest->at = state->next - 1;
    state->next = state->argc;
    return 0;
  case ARGP_KEY_NO_ARGS:
    argp_usage(state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

int main(int argc, char **argv) {
  CLEANUP_FREE char *list = command_list();
  CLEANUP_FREE char *doc =
      xasprintf("Asks and answers about OCI containers, policies and this node.\v%s", list);
  const struct argp argp = { ctl_global_options, parse_global, "COMMAND [ARG...]", doc, NULL, NULL, NULL };
  struct rest rest = { 0 };
  argp_program_version_hook = print_version;
  argp_err_exit_status = CTL_ERROR;
  argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &rest);

  int words;
  const struct ctl_command *command = find(argc - rest.at, argv + rest.at, &words);
  if (!command)
    return not_a_command(argc - rest.at, argv + rest.at);
  CLEANUP_FREE char *name = xasprintf("hardenctl %s", command->name);
  char **args = argv + rest.at + words - 1;
  args[0] = name;
  struct error err = { 0 };
  int code = command->run(command, argc - rest.at - words + 1, args, &err);
  if (code < 0) {
    fprintf(stderr, "hardenctl: %s\n", err.message);
    return CTL_ERROR;
  }
  if (fflush(stdout) != 0 || ferror(stdout)) {
    fprintf(stderr, "hardenctl: cannot write the answer\n");
    return CTL_ERROR;
  }
  return code;
}
