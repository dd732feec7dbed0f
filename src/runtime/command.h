/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtimes' command line. One table (verbs.c) drives parsing, re-emission, completion and man pages.
 *
 * runc (urfave/cli v1, Go's flag package) and crun (argp, getopt_long) read some command lines differently:
 * what one takes for `--bundle X` is `-b undle` to the other. A wrapper that reads as one of them and execs
 * the other can be walked around. So verbs that start or change a process are parsed here, forms that the two
 * disagree on are refused, and the runtime gets argv re-emitted in the one form that both read alike
 * (`--name=value`). Every other verb reaches the runtime byte for byte.
 */
#ifndef HARDEN_COMMAND_H
#define HARDEN_COMMAND_H

#include "base/error.h"
#include "base/str.h"
#include "policy/config.h"

#include <stdbool.h>
#include <stddef.h>

enum verb {
  VERB_PASS, /* byte for byte: verbs that we do not mediate, help, and lines that no runtime accepts */
  VERB_CREATE,
  VERB_RUN,
  VERB_EXEC,
  VERB_RESTORE,
  VERB_START,
  VERB_UPDATE,
  VERB_MOUNTS, /* crun: changes the mounts of a running container */
  VERB_DELETE, /* passes byte for byte; read only for what of ours it ends */
};

enum flag_kind {
  FLAG_BOOL,
  FLAG_VALUE,
  FLAG_LIST, /* may be repeated */
  FLAG_HELP, /* the runtime prints something and ends */
};

struct flag_row {
  const char *name; /* long name; NULL: only the letter */
  char letter;      /* 0: none */
  enum flag_kind kind;
  const char *doc;
};

struct verb_row {
  const char *name;
  enum verb verb;
  const struct flag_row *flags; /* ends with name NULL and letter 0 */
  bool takes_command;           /* operands behind the id are a command */
  const char *doc;
};

extern const struct flag_row global_flags[];
extern const struct verb_row verb_table[];        /* ends with name NULL */
const struct verb_row *verb_find(enum verb verb); /* the first of them; NULL: of VERB_PASS */

struct command_option {
  const struct flag_row *flag;
  const char *value; /* NULL: bool. Borrowed from argv, or one of command.owned */
  bool by_letter;
};

/* argv as understood. Borrows from the caller's argv. */
struct command {
  enum verb verb;
  const struct verb_row *row;     /* NULL for VERB_PASS */
  struct command_option *options; /* global ones first */
  size_t len, globals;
  const char *id; /* NULL for VERB_PASS; of a delete only when it could be read */
  char **args;    /* behind the id */
  size_t args_len;
  struct strlist owned; /* values set by command_set */
};

/*
 * args: what follows our own options, without argv[0]; NULL-terminated. *ret is filled as far as was read
 * even on failure, so that --log and --root are known for the report. ERROR_USAGE with the rule, what the two
 * runtimes make of the form, and how to write it.
 */
int command_parse(struct command *ret, char **args, struct error *err) MUST_CHECK;
void command_free(struct command *c);
#define CLEANUP_COMMAND CLEANUP(command_free)

/* Last value given, NULL when absent. For a bool: command_has. */
const char *command_value(const struct command *c, const char *name);
bool command_has(const struct command *c, const char *name);
/* Replaces every occurrence of a verb's option by one with a copy of value. */
void command_set(struct command *c, const char *name, const char *value);
void command_drop(struct command *c, const char *name);
/* A number of --preserve-fds; 0 when absent. */
int command_preserve_fds(const struct command *c, int *ret, struct error *err) MUST_CHECK;

/* What the chosen runtime does not have, or reads to its own effect: --config on runc, --rootless on crun. */
int command_check_runtime(const struct command *c, enum runtime_kind kind, struct error *err) MUST_CHECK;

/* argv for the runtime in the form that both read alike. Appends. */
void command_emit(const struct command *c, const char *argv0, struct strlist *out);

/* argv for `delete --force` of the same container: with the options that say where it is and how its cgroup
 * is managed, without those for the log. Appends. */
void command_emit_delete(const struct command *c, const char *argv0, struct strlist *out);

/* runc's rule for a container id, applied to crun too: [A-Za-z0-9_+,.-]+, not "." or "..", no leading '-'. */
int command_check_id(const char *id, struct error *err) MUST_CHECK;

#endif
