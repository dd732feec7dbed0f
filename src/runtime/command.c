/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/command.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

/* What a token that starts with '-' turned out to be. */
enum token { TOKEN_FLAG, TOKEN_ERROR, TOKEN_NO_VALUE };

static bool same_name(const struct flag_row *row, const char *name, size_t len) {
  return row->name && strlen(row->name) == len && memcmp(row->name, name, len) == 0;
}

static const struct flag_row *find_name(const struct flag_row *rows, const char *name, size_t len) {
  for (; rows->name || rows->letter; rows++)
    if (same_name(rows, name, len))
      return rows;
  return NULL;
}

static const struct flag_row *find_letter(const struct flag_row *rows, char letter) {
  for (; rows->name || rows->letter; rows++)
    if (rows->letter == letter)
      return rows;
  return NULL;
}

static const struct verb_row *find_verb(const char *name) {
  for (const struct verb_row *row = verb_table; row->name; row++)
    if (strcmp(row->name, name) == 0)
      return row;
  return NULL;
}

/* Would urfave's reordering or a person take this for an option of the verb? */
static bool looks_like_flag(const struct flag_row *rows, const char *text) {
  if (text[0] != '-' || text[1] == '\0')
    return false;
  const char *name = text + (text[1] == '-' ? 2 : 1);
  size_t len = strcspn(name, "=");
  return find_name(rows, name, len) || (len == 1 && find_letter(rows, name[0]));
}

static int add_option(struct command *c, const struct flag_row *flag, const char *value, bool by_letter,
                      struct error *err) {
  for (size_t i = 0; i < c->len; i++)
    if (c->options[i].flag == flag && c->options[i].by_letter != by_letter)
      return error_set_rule(
          err, ERROR_USAGE, "OH-CMD-005",
          "--%s is given by its name and as -%c: runc refuses that and crun does not; write --%s", flag->name,
          flag->letter, flag->name);
  c->options = xgrow(c->options, c->len, sizeof *c->options);
  c->options[c->len++] = (struct command_option){ flag, value, by_letter };
  return 0;
}

/* "-x": a letter of the table; "-name": a long name behind one dash, which runc takes for --name and crun for
 * a cluster of letters. Where crun has no such first letter it refuses the line, so only one reading is left:
 * containerd itself writes `-no-subreaper`. */
static const struct flag_row *short_flag(const struct flag_row *rows, const char *text, size_t len,
                                         bool *ret_by_letter, struct error *err) {
  if (len == 1) {
    *ret_by_letter = true;
    const struct flag_row *flag = find_letter(rows, text[0]);
    if (!flag)
      error_set_rule(err, ERROR_USAGE, "OH-CMD-001", "unknown option -%c", text[0]);
    else if (text[1] == '=')
      error_set_rule(err, ERROR_USAGE, "OH-CMD-004",
                     "-%s: the value is \"%s\" to runc and \"%s\" to crun; write --%s%s", text, text + 2,
                     text + 1, flag->name ? flag->name : "", text + 1);
    return flag && text[1] != '=' ? flag : NULL;
  }
  const struct flag_row *flag = find_name(rows, text, len), *letter = find_letter(rows, text[0]);
  if (flag && !letter)
    return flag;
  if (letter && letter->name)
    error_set_rule(err, ERROR_USAGE, "OH-CMD-002",
                   "-%s is read differently by runc (--%.*s) and crun (-%c with more behind it); write --%s",
                   text, (int)len, text, text[0], flag ? flag->name : letter->name);
  else
    error_set_rule(err, ERROR_USAGE, "OH-CMD-001", "unknown option -%s", text);
  return NULL;
}

static enum token parse_token(struct command *c, const struct flag_row *rows, char **args, size_t *i,
                              struct error *err) {
  const char *text = args[*i] + 1;
  bool by_letter = false;
  const struct flag_row *flag;
  if (*text == '-') {
    text++;
    flag = find_name(rows, text, strcspn(text, "="));
    if (!flag) {
      error_set_rule(
          err, ERROR_USAGE, "OH-CMD-001",
          "unknown option %s; names cannot be shortened, and a newer runtime's own options are refused "
          "until they are known",
          args[*i]);
      return TOKEN_ERROR;
    }
  } else {
    flag = short_flag(rows, text, strcspn(text, "="), &by_letter, err);
    if (!flag)
      return TOKEN_ERROR;
  }
  const char *equals = strchr(text, '=');
  const char *value = equals ? equals + 1 : NULL;
  if (flag->kind == FLAG_BOOL || flag->kind == FLAG_HELP) {
    if (value) {
      error_set_rule(err, ERROR_USAGE, "OH-CMD-003",
                     "%s: runc reads a truth value there and crun refuses it; write --%s or leave it out",
                     args[*i], flag->name ? flag->name : "version");
      return TOKEN_ERROR;
    }
  } else if (!value) {
    value = args[*i + 1];
    if (!value)
      return TOKEN_NO_VALUE;
    if (looks_like_flag(rows, value)) {
      error_set_rule(err, ERROR_USAGE, "OH-CMD-009",
                     "the value of --%s is itself an option, %s; write --%s=%s", flag->name, value,
                     flag->name, value);
      return TOKEN_ERROR;
    }
    (*i)++;
  }
  (*i)++;
  return add_option(c, flag, value, by_letter, err) < 0 ? TOKEN_ERROR : TOKEN_FLAG;
}

/* Options up to the first operand. */
static enum token parse_flags(struct command *c, const struct flag_row *rows, char **args, size_t *i,
                              struct error *err) {
  while (args[*i] && args[*i][0] == '-' && args[*i][1] != '\0') {
    if (strcmp(args[*i], "--") == 0) {
      (*i)++;
      return TOKEN_FLAG;
    }
    enum token token = parse_token(c, rows, args, i, err);
    if (token != TOKEN_FLAG)
      return token;
  }
  return TOKEN_FLAG;
}

static bool wants_help(const struct command *c) {
  for (size_t i = 0; i < c->len; i++)
    if (c->options[i].flag->kind == FLAG_HELP)
      return true;
  return false;
}

static int pass(struct command *c) {
  c->verb = VERB_PASS;
  c->row = NULL;
  c->id = NULL;
  return 0;
}

/* A line whose global options we cannot read is the runtime's to refuse, unless it may start something. */
static bool names_mediated(char **args) {
  for (; *args; args++) {
    const struct verb_row *row = find_verb(*args);
    if (row && row->verb != VERB_DELETE)
      return true;
  }
  return false;
}

/* delete passes as it is. What of it matters to us is read leniently: options may stand behind the id, as
 * runc allows; whatever is odd leaves the id NULL, and what we keep is then left to `hardenctl gc`. */
static void parse_delete(struct command *c, char **args, size_t i) {
  struct error ignored = { 0 };
  const char *id = NULL;
  for (;;) {
    if (parse_flags(c, c->row->flags, args, &i, &ignored) != TOKEN_FLAG)
      return;
    if (!args[i])
      break;
    if (id)
      return;
    id = args[i++];
  }
  if (id && !wants_help(c) && !command_has(c, "regex") && command_check_id(id, &ignored) == 0)
    c->id = id;
}

static int parse_operands(struct command *c, char **args, struct error *err) {
  const char *id = args[0];
  /* No operand, or an exec without a command: each runtime has its own words for it, and starts nothing. */
  if (!id || wants_help(c))
    return pass(c);
  if (c->verb == VERB_EXEC && !args[1] && !command_has(c, "process"))
    return pass(c);
  if (command_check_id(id, err) < 0)
    return -1;
  c->id = id;
  for (c->args = args + 1; c->args[c->args_len]; c->args_len++) {
    const char *arg = c->args[c->args_len];
    if (c->row->takes_command)
      continue;
    if (arg[0] == '-')
      return error_set_rule(
          err, ERROR_USAGE, "OH-CMD-006",
          "%s stands behind the container id: runc reads it as an option and crun does not; put "
          "options before the id",
          arg);
    return error_set_rule(err, ERROR_USAGE, "OH-CMD-007", "%s takes one container id, and \"%s\" follows it",
                          c->row->name, arg);
  }
  return 0;
}

int command_parse(struct command *ret, char **args, struct error *err) {
  *ret = (struct command){ .verb = VERB_PASS };
  size_t i = 0;
  enum token token = parse_flags(ret, global_flags, args, &i, err);
  ret->globals = ret->len;
  if (token == TOKEN_ERROR)
    return names_mediated(args + i) ? -1 : pass(ret);
  if (token == TOKEN_NO_VALUE || !args[i] || wants_help(ret))
    return pass(ret);
  ret->row = find_verb(args[i++]);
  if (!ret->row)
    return pass(ret);
  ret->verb = ret->row->verb;
  if (ret->verb == VERB_DELETE) {
    parse_delete(ret, args, i);
    return 0;
  }
  if (ret->verb == VERB_MOUNTS) { /* mounts add|remove ID FILE */
    struct error ignored = { 0 };
    if (args[i] && args[i + 1] && command_check_id(args[i + 1], &ignored) == 0)
      ret->id = args[i + 1];
    return 0;
  }
  token = parse_flags(ret, ret->row->flags, args, &i, err);
  if (token == TOKEN_ERROR)
    return error_wrap(err, "%s", ret->row->name);
  if (token ==
      TOKEN_NO_VALUE) /* podman probes `restore --lsm-mount-context`; both runtimes refuse such lines */
    return pass(ret);
  if (parse_operands(ret, args + i, err) < 0)
    return error_wrap(err, "%s", ret->row->name);
  return 0;
}

void command_free(struct command *c) {
  free(c->options);
  strlist_free(&c->owned);
  *c = (struct command){ 0 };
}

static bool is_option(const struct command_option *o, const char *name) {
  return o->flag->name && strcmp(o->flag->name, name) == 0;
}

const char *command_value(const struct command *c, const char *name) {
  for (size_t i = c->len; i-- > 0;)
    if (is_option(&c->options[i], name))
      return c->options[i].value;
  return NULL;
}

bool command_has(const struct command *c, const char *name) {
  for (size_t i = 0; i < c->len; i++)
    if (is_option(&c->options[i], name))
      return true;
  return false;
}

void command_drop(struct command *c, const char *name) {
  size_t kept = c->globals;
  for (size_t i = c->globals; i < c->len; i++)
    if (!is_option(&c->options[i], name))
      c->options[kept++] = c->options[i];
  c->len = kept;
}

void command_set(struct command *c, const char *name, const char *value) {
  const struct flag_row *flag = find_name(c->row->flags, name, strlen(name));
  command_drop(c, name);
  strlist_add(&c->owned, value);
  c->options = xgrow(c->options, c->len, sizeof *c->options);
  c->options[c->len++] = (struct command_option){ flag, c->owned.items[c->owned.len - 1], false };
}

int command_preserve_fds(const struct command *c, int *ret, struct error *err) {
  const char *text = command_value(c, "preserve-fds");
  *ret = 0;
  if (!text)
    return 0;
  char *end;
  long n = strtol(text, &end, 10);
  if (!isdigit((unsigned char)*text) || *end || n > 4096)
    return error_set_rule(err, ERROR_USAGE, "OH-CMD-019", "--preserve-fds=%s: not a number from 0 to 4096",
                          text);
  *ret = (int)n;
  return 0;
}

int command_check_runtime(const struct command *c, enum runtime_kind kind, struct error *err) {
  if (kind == RUNTIME_RUNC && command_has(c, "config"))
    return error_set_rule(
        err, ERROR_USAGE, "OH-CMD-010",
        "%s: --config is crun's option and the runtime is runc; put the file into the bundle as "
        "config.json",
        c->row->name);
  /* crun before June 2025 reads the value of --rootless as the value of --root. */
  if (kind == RUNTIME_CRUN && command_has(c, "rootless"))
    return error_set_rule(err, ERROR_USAGE, "OH-CMD-010",
                          "%s: --rootless is taken for --root by some versions of crun; leave it out",
                          c->row->name);
  return 0;
}

/* A repeated valued option: the last one counts for both runtimes, so only that one is emitted. */
static bool is_overridden(const struct command *c, size_t at) {
  if (c->options[at].flag->kind == FLAG_LIST)
    return false;
  for (size_t i = at + 1; i < c->len; i++)
    if (c->options[i].flag == c->options[at].flag)
      return true;
  return false;
}

static void emit_options(const struct command *c, size_t from, size_t to, struct strlist *out) {
  for (size_t i = from; i < to; i++) {
    const struct command_option *o = &c->options[i];
    if (is_overridden(c, i))
      continue;
    if (o->value)
      strlist_add_new(out, xasprintf("--%s=%s", o->flag->name, o->value));
    else
      strlist_add_new(out, xasprintf("--%s", o->flag->name));
  }
}

void command_emit(const struct command *c, const char *argv0, struct strlist *out) {
  strlist_add(out, argv0);
  emit_options(c, 0, c->globals, out);
  strlist_add(out, c->row->name);
  emit_options(c, c->globals, c->len, out);
  strlist_add(out, c->id);
  for (size_t i = 0; i < c->args_len; i++)
    strlist_add(out, c->args[i]);
}

void command_emit_delete(const struct command *c, const char *argv0, struct strlist *out) {
  static const char *const kept[] = { "root", "systemd-cgroup", "rootless", "criu", "cgroup-manager" };
  strlist_add(out, argv0);
  for (size_t i = 0; i < c->globals; i++)
    for (size_t k = 0; k < ARRAY_SIZE(kept); k++)
      if (is_option(&c->options[i], kept[k]))
        emit_options(c, i, i + 1, out);
  strlist_add(out, "delete");
  strlist_add(out, "--force");
  strlist_add(out, c->id);
}

const struct verb_row *verb_find(enum verb verb) {
  const struct verb_row *row = verb_table;
  while (row->name && row->verb != verb)
    row++;
  return row->name ? row : NULL;
}

int command_check_id(const char *id, struct error *err) {
  bool good = *id && *id != '-' && strlen(id) <= NAME_MAX && strcmp(id, ".") != 0 && strcmp(id, "..") != 0;
  for (const char *p = id; good && *p; p++)
    good = isalnum((unsigned char)*p) || strchr("_+,-.", *p);
  if (good)
    return 0;
  return error_set_rule(
      err, ERROR_USAGE, "OH-CMD-008",
      "\"%.300s\" is no container id: letters, digits and _+,-. are allowed, not \".\", \"..\" or a "
      "leading '-', at most 255 bytes",
      id);
}
