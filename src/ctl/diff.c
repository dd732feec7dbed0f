/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl diff: what a policy would change in a document, and why, from the journal */
#include "base/str.h"
#include "ctl/input.h"
#include "ctl/terminal.h"

#include <string.h>

struct arguments {
  struct judge judge;
  const char *path;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct arguments *a = state->input;
  if (key != ARGP_KEY_ARG)
    return judge_parse(key, arg, state, &a->judge);
  if (a->path)
    argp_usage(state);
  a->path = arg;
  return 0;
}

/* Arrays item by item, so that one capability taken from forty is one line. Anything else whole. */
static void print_array(bool colour, const json_t *before, const json_t *after) {
  json_t *item;
  size_t i, k;
  for (int side = 0; side < 2; side++) {
    const json_t *ours = side ? after : before;
    const json_t *other = side ? before : after;
    json_array_foreach(ours, i, item) {
      bool shared = false;
      json_t *candidate;
      json_array_foreach(other, k, candidate)
        shared = shared || json_equal(item, candidate);
      if (shared)
        continue;
      CLEANUP_STR struct str text = { 0 };
      jsonx_dump(item, &text);
      terminal_print(colour, side ? COLOUR_GREEN : COLOUR_RED, "  %c %s\n", side ? '+' : '-', text.data);
    }
  }
}

static void print_value(bool colour, char sign, const json_t *value) {
  if (!value)
    return;
  CLEANUP_STR struct str text = { 0 };
  jsonx_dump(value, &text);
  enum { WIDTH = 2000 }; /* a seccomp section is 10 KB in one line */
  if (text.len > WIDTH)
    memcpy(text.data + WIDTH, "...", 4);
  terminal_print(colour, sign == '+' ? COLOUR_GREEN : COLOUR_RED, "  %c %s\n", sign, text.data);
}

static void print_entry(bool colour, const struct journal_entry *e) {
  terminal_print(colour, COLOUR_BOLD, "%s", e->pointer);
  terminal_print(colour, COLOUR_DIM, "  %s, %s: %s\n", e->control, e->rule, e->reason);
  if (e->outcome == OUTCOME_FINDING)
    return;
  if (json_is_array(e->before) && json_is_array(e->after)) {
    print_array(colour, e->before, e->after);
    return;
  }
  print_value(colour, '-', e->before);
  print_value(colour, '+', e->after);
}

static int run(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct arguments a = { 0 };
  ctl_parse(self, argc, argv, parse, &a);
  CLEANUP_CONFIG struct config config = { 0 };
  CLEANUP_DOCUMENT struct document document = { .bundle_fd = -1 };
  CLEANUP_JUDGED struct judged judged = { 0 };
  if (ctl_load_config(&config, err) < 0)
    return -1;
  bool colour = terminal_has_colour(stdout);
  int result = document_open(&document, a.path ? a.path : "-", (size_t)config.config_limit, err);
  if (result == 0)
    result = judge_run(&a.judge, &config, &document, &judged, err);
  if (result < 0 && !is_refusal(err))
    return -1;
  const struct journal *journal = &judged.harden.spec.journal;
  for (size_t i = 0; i < journal->len; i++) {
    if (journal->entries[i].outcome != OUTCOME_REFUSED)
      print_entry(colour, &journal->entries[i]);
  }
  if (result < 0) {
    terminal_print(colour, COLOUR_RED, "refused: %s%s%s%s\n", err->message, *err->rule ? " (" : "", err->rule,
                   *err->rule ? ")" : "");
    return CTL_FINDINGS;
  }
  CLEANUP_FREE char *unknown = judged_unknown(&judged);
  if (unknown)
    fprintf(stderr, "hardenctl: %s\n", unknown);
  return judged.harden.changed ? CTL_FINDINGS : CTL_OK;
}

const struct ctl_command ctl_diff = {
  .name = "diff",
  .args = "[BUNDLE|FILE]",
  .summary = "show what a policy would change in a document, and why",
  .details =
      "Prints each change with its pointer, control, rule and reason; '-' is what is there, '+' what the "
      "runtime would "
      "get. Exit status 0: nothing would change; 1: something would, or the document is refused; 2: error.",
  .options = (const struct argp_option[]){ JUDGE_OPTIONS, { 0 } },
  .run = run,
};
