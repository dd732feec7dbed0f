/* SPDX-License-Identifier: Apache-2.0 */
#include "argv_models.h"
#include "words.h"

#include <criterion/criterion.h>

static uint64_t seed = 20260101;

static unsigned pick(unsigned below) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (unsigned)((seed >> 11) % below);
}

static const struct flag_row *pick_flag(const struct flag_row *rows) {
  size_t n = 0;
  while (rows[n].name || rows[n].letter)
    n++;
  return &rows[pick((unsigned)n)];
}

static void add_noise(struct str *s) {
  static const char *const noise[] = { "abc",  "--",        "-",      "''",     "-x",        "--help",
                                       "-h",   "--version", "-1",     "create", "--bundle",  "=",
                                       "--=x", "---b",      "delete", "B",      "-b=",       "exec",
                                       "-dt",  "a b",       "-?",     "-v",     "--process", "-p" };
  str_addf(s, " %s", noise[pick(ARRAY_SIZE(noise))]);
}

static void add_flag(struct str *s, const struct flag_row *rows) {
  const struct flag_row *flag = pick_flag(rows);
  const bool letter = flag->letter && (!flag->name || pick(3) == 0);
  const bool valued = flag->kind == FLAG_VALUE || flag->kind == FLAG_LIST;
  if (letter)
    str_addf(s, " -%c", flag->letter);
  else
    str_addf(s, " %s%.*s", pick(5) ? "--" : "-", (int)(pick(8) ? strlen(flag->name) : 3), flag->name);
  if (pick(valued ? 3 : 12) == 0)
    str_addf(s, "=%s", pick(4) ? "V" : pick(2) ? "false" : "");
  else if (valued && pick(10))
    str_add(s, pick(6) ? " V" : " --pid-file");
}

static void make_line(struct str *s) {
  const struct verb_row *verb = &verb_table[pick(8)];
  for (unsigned n = pick(3); n > 0; n--)
    add_flag(s, global_flags);
  if (pick(30) == 0)
    add_noise(s);
  str_addf(s, " %s", verb->name);
  for (unsigned n = pick(5); n > 0; n--)
    pick(12) ? add_flag(s, verb->flags) : add_noise(s);
  if (pick(12))
    str_add(s, " abc");
  for (unsigned n = pick(4) ? 0 : pick(3); n > 0; n--)
    pick(2) ? add_flag(s, verb->flags) : add_noise(s);
  if (verb->takes_command)
    str_add(s, " sh -c id");
}

/* What is accepted means the same to both runtimes, as it was written and as it is emitted. */
Test(argv_models, accepted_lines_have_one_reading, .timeout = 60) {
  enum { LINES = 200000 };
  size_t accepted = 0;
  for (size_t i = 0; i < LINES; i++) {
    CLEANUP_STR struct str line = { 0 };
    make_line(&line);
    CLEANUP_FREE char *wrong = argv_disagreement(words(line.data));
    cr_assert_null(wrong, "%s: %s", line.data, wrong);
    CLEANUP_COMMAND struct command c = { 0 };
    struct error err = { 0 };
    accepted += command_parse(&c, words(line.data), &err) == 0 && c.verb != VERB_PASS;
  }
  cr_expect_gt(accepted, LINES / 10, "only %zu lines were accepted: the property says little", accepted);
}

/* The models must see what the wrapper refuses, or they prove nothing. */
Test(argv_models, the_models_disagree_where_the_runtimes_do) {
  static const struct {
    const char *line;
    bool runc, crun; /* reads it without error */
    bool same;
  } cases[] = {
    { "create -bundle X abc", true, false, false },   { "create -b=X abc", true, true, false },
    { "create -bX abc", false, true, false },         { "create --bund X abc", false, true, false },
    { "create abc --bundle X", true, false, false },  { "create --bundle A -b B abc", false, true, false },
    { "run --detach=false abc", true, false, false }, { "create --bundle X abc", true, true, true },
    { "exec abc sh --bundle X", true, true, true },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct reading runc = { 0 }, crun = { 0 };
    read_as_runc(&runc, words(cases[i].line));
    read_as_crun(&crun, words(cases[i].line));
    cr_expect_eq(!runc.error, cases[i].runc, "runc: %s: %s", cases[i].line, runc.text.data);
    cr_expect_eq(!crun.error, cases[i].crun, "crun: %s: %s", cases[i].line, crun.text.data);
    if (cases[i].runc && cases[i].crun)
      cr_expect_eq(strcmp(runc.text.data, crun.text.data) == 0, cases[i].same, "%s | %s", runc.text.data,
                   crun.text.data);
    str_free(&runc.text);
    str_free(&crun.text);
  }
}
