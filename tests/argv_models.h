/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How runc and crun read a command line, modelled from their libraries: Go's flag package with urfave/cli
 * v1's reordering, and getopt_long as argp calls it. A line that the wrapper accepts must mean to each what
 * it means to us, or be an error to it. Both models know every option of the table, which is more than either
 * runtime does.
 */
#ifndef HARDEN_TEST_ARGV_MODELS_H
#define HARDEN_TEST_ARGV_MODELS_H

#include "runtime/command.h"

#include <getopt.h>
#include <string.h>

enum { MODEL_WORDS = 128, MODEL_OPTIONS = 64 };

/* What was read: the last value of each option (all of a list), the verb, and what follows. */
struct reading {
  bool error;   /* refused, or help printed */
  bool process; /* --process was given */
  struct str text;
};

struct model_option {
  const struct flag_row *flag;
  const char *value;
  bool by_letter;
};

static inline void model_add(struct reading *r, const struct flag_row *rows, const struct model_option *seen,
                             size_t n) {
  for (const struct flag_row *row = rows; row->name || row->letter; row++) {
    const struct model_option *last = NULL;
    for (size_t i = 0; i < n; i++) {
      if (seen[i].flag != row)
        continue;
      last = &seen[i];
      if (row->kind == FLAG_LIST)
        str_addf(&r->text, "%s+=<%s>", row->name, last->value);
    }
    r->process = r->process || (last && row->name && strcmp(row->name, "process") == 0);
    if (last && row->kind == FLAG_VALUE)
      str_addf(&r->text, "%s=<%s>", row->name, last->value);
    if (last && row->kind == FLAG_BOOL)
      str_addf(&r->text, "%s;", row->name);
    if (last && row->kind == FLAG_HELP)
      r->error = true;
  }
}

static inline void model_operands(struct reading *r, const struct verb_row *verb, char **args) {
  size_t n = 0;
  while (args[n])
    n++;
  if (n == 0 || (!verb->takes_command && n != 1) || (verb->takes_command && n == 1 && !r->process))
    r->error = true;
  for (size_t i = 0; i < n; i++)
    str_addf(&r->text, " <%s>", args[i]);
}

static inline const struct verb_row *model_verb(const char *name) {
  for (const struct verb_row *row = verb_table; name && row->name; row++)
    if (strcmp(row->name, name) == 0)
      return row;
  return NULL;
}

/* Go registers "bundle, b" under both names. */
static inline const struct flag_row *go_find(const struct flag_row *rows, const char *name, size_t len) {
  for (; rows->name || rows->letter; rows++)
    if ((rows->name && strlen(rows->name) == len && memcmp(rows->name, name, len) == 0) ||
        (len == 1 && rows->letter == name[0]))
      return rows;
  return NULL;
}

static inline bool go_is_flag(const struct flag_row *rows, const char *arg) {
  if (arg[0] != '-' || !arg[1] || strcmp(arg, "--") == 0)
    return false;
  const char *name = arg + (arg[1] == '-' ? 2 : 1);
  name += arg[1] == '-' && name[0] == '-'; /* what is left of a third dash is taken off too */
  return go_find(rows, name, strcspn(name, "="));
}

static inline void go_reorder(const struct flag_row *rows, char **args) {
  char *first[MODEL_WORDS] = { 0 }, *rest[MODEL_WORDS] = { 0 };
  size_t n = 0, m = 0, i = 0;
  for (bool value = false; args[i]; i++) {
    if (value && !go_is_flag(rows, args[i])) {
      value = false;
      first[n++] = args[i];
    } else if (strcmp(args[i], "--") == 0) {
      break;
    } else if (go_is_flag(rows, args[i])) {
      first[n++] = args[i];
      value = !strchr(args[i], '=');
    } else {
      rest[m++] = args[i];
    }
  }
  for (; args[i]; i++)
    rest[m++] = args[i];
  memcpy(args, first, n * sizeof *args);
  memcpy(args + n, rest, m * sizeof *args);
}

/* Returns what is left, NULL on error. */
static inline char **go_parse(struct reading *r, const struct flag_row *rows, char **args) {
  struct model_option seen[MODEL_WORDS];
  size_t n = 0;
  while (*args && (*args)[0] == '-' && (*args)[1]) {
    if (strcmp(*args, "--") == 0) {
      args++;
      break;
    }
    const char *name = *args + ((*args)[1] == '-' ? 2 : 1);
    size_t len = strcspn(name, "=");
    const struct flag_row *flag = len && name[0] != '-' ? go_find(rows, name, len) : NULL;
    if (!flag || flag->kind == FLAG_HELP)
      return NULL;
    struct model_option option = { flag, name[len] ? name + len + 1 : NULL, len == 1 };
    args++;
    if (flag->kind == FLAG_BOOL) {
      static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
      bool on = !option.value;
      for (size_t i = 0; option.value && i < ARRAY_SIZE(yes); i++)
        on |= strcmp(option.value, yes[i]) == 0;
      if (!on)
        str_addf(&r->text, "%s is off;", flag->name); /* or an error; either way not what we may read */
    } else if (!option.value) {
      option.value = *args;
      if (!*args++)
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
      if (seen[i].flag == flag && seen[i].by_letter != option.by_letter)
        return NULL;
    seen[n++] = option;
  }
  model_add(r, rows, seen, n);
  return args;
}

static inline void read_as_runc(struct reading *r, char **line) {
  char *args[MODEL_WORDS + 1];
  size_t n = 0;
  for (; n < MODEL_WORDS && line[n]; n++)
    args[n] = line[n];
  args[n] = NULL;
  char **rest = go_parse(r, global_flags, args);
  const struct verb_row *verb = rest ? model_verb(rest[0]) : NULL;
  r->error = r->error || !verb;
  if (r->error)
    return;
  str_addf(&r->text, "%s ", verb->name);
  if (!verb->takes_command)
    go_reorder(verb->flags, rest + 1);
  rest = go_parse(r, verb->flags, rest + 1);
  r->error = r->error || !rest;
  if (!r->error)
    model_operands(r, verb, rest);
}

static inline char **argp_parse_model(struct reading *r, const struct flag_row *rows, char **argv) {
  struct option longs[MODEL_OPTIONS] = { 0 };
  char shorts[3 * MODEL_OPTIONS] = "+";
  const struct flag_row *by_value[MODEL_OPTIONS];
  struct model_option seen[MODEL_WORDS];
  size_t n = 0, count = 0, letters = 1;
  int argc = 0, c;
  for (const struct flag_row *row = rows; row->name || row->letter; row++, count++) {
    const bool valued = row->kind == FLAG_VALUE || row->kind == FLAG_LIST;
    by_value[count] = row;
    if (row->name)
      longs[n++] =
          (struct option){ row->name, valued ? required_argument : no_argument, NULL, 1000 + (int)count };
    if (row->letter) {
      shorts[letters++] = row->letter;
      if (valued)
        shorts[letters++] = ':';
    }
  }
  while (argv[argc])
    argc++;
  n = 0;
  opterr = 0;
  optind = 0;
  while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
    const struct flag_row *flag = NULL;
    for (size_t i = 0; i < count; i++)
      if (c == 1000 + (int)i || (by_value[i]->letter && c == by_value[i]->letter))
        flag = by_value[i];
    if (c == '?' || !flag || n == MODEL_WORDS)
      return NULL;
    seen[n++] = (struct model_option){ flag, optarg ? optarg : NULL, false };
  }
  model_add(r, rows, seen, n);
  return argv + optind;
}

static inline void read_as_crun(struct reading *r, char **line) {
  char name[] = "crun", *argv[MODEL_WORDS + 2] = { name };
  for (size_t n = 0; n < MODEL_WORDS && line[n]; n++)
    argv[n + 1] = line[n];
  char **rest = argp_parse_model(r, global_flags, argv);
  const struct verb_row *verb = rest ? model_verb(rest[0]) : NULL;
  r->error = r->error || !verb;
  if (r->error)
    return;
  str_addf(&r->text, "%s ", verb->name);
  rest = argp_parse_model(r, verb->flags, rest); /* the verb is its argv[0] */
  r->error = r->error || !rest;
  if (!r->error)
    model_operands(r, verb, rest);
}

/* What we read, in the models' words. */
static inline void read_as_us(struct reading *r, const struct command *c) {
  struct model_option seen[2 * MODEL_WORDS];
  for (size_t i = 0; i < c->len; i++)
    seen[i] = (struct model_option){ c->options[i].flag, c->options[i].value, false };
  model_add(r, global_flags, seen, c->globals);
  str_addf(&r->text, "%s ", c->row->name);
  model_add(r, c->row->flags, seen + c->globals, c->len - c->globals);
  str_addf(&r->text, " <%s>", c->id);
  for (size_t i = 0; i < c->args_len; i++)
    str_addf(&r->text, " <%s>", c->args[i]);
}

/* NULL when the promise holds for the line; else what is wrong, which the caller frees. */
static inline char *argv_disagreement(char **line) {
  CLEANUP_COMMAND struct command c = { 0 };
  CLEANUP_STRLIST struct strlist emitted = { 0 };
  struct error err = { 0 };
  struct reading us = { 0 };
  char *wrong = NULL;
  if (command_parse(&c, line, &err) < 0)
    return NULL;
  const bool passes = c.verb == VERB_PASS;
  if (c.verb == VERB_DELETE || c.verb == VERB_MOUNTS)
    return NULL;
  if (!passes) {
    command_emit(&c, "rt", &emitted);
    read_as_us(&us, &c);
  }
  for (int form = 0; form < (passes ? 1 : 2) && !wrong; form++)
    for (int model = 0; model < 2 && !wrong; model++) {
      struct reading r = { 0 };
      (model ? read_as_crun : read_as_runc)(&r, form ? emitted.items + 1 : line);
      const char *runtime = model ? "crun" : "runc";
      const bool starts = !r.error && !strstr(r.text.data, "delete ") && !strstr(r.text.data, "mounts ");
      if (passes && starts)
        wrong = xasprintf("it passes unread, and %s reads %s", runtime, r.text.data);
      else if (!passes && form && r.error)
        wrong = xasprintf("%s refuses what we emit", runtime);
      else if (!passes && !r.error && strcmp(r.text.data, us.text.data) != 0)
        wrong = xasprintf("%s reads %s, we read %s", runtime, r.text.data, us.text.data);
      str_free(&r.text);
    }
  str_free(&us.text);
  return wrong;
}

#endif
