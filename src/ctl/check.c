/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl check: a gate. Would these documents meet a policy as they stand? */
#include "base/str.h"
#include "ctl/input.h"
#include "ctl/terminal.h"

#include <string.h>

struct arguments {
  struct judge judge;
  struct strlist paths;
  bool json;
  bool refusals_only;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct arguments *a = state->input;
  switch (key) {
  case 'j':
    a->json = true;
    return 0;
  case 'R':
    a->refusals_only = true;
    return 0;
  case ARGP_KEY_ARG:
    strlist_add(&a->paths, arg);
    return 0;
  default:
    return judge_parse(key, arg, state, &a->judge);
  }
}

/* One document's answer. */
struct answer {
  enum ctl_exit exit;
  size_t refusals, changes, findings;
  char *policies;
  char *unknown; /* what nobody looked at */
  char *error;   /* why there is no answer, or the refusal of a document that no runtime should accept */
};

/* What the wrapper would make of an entry that was journaled in audit mode: the strictest that one of the
 * policies asks for its control. */
enum weight { WEIGHT_FINDING, WEIGHT_CHANGE, WEIGHT_REFUSAL };
static enum weight weight_of(const struct judged *judged, const struct journal_entry *e) {
  const struct control *control = control_find(e->control);
  enum weight weight = WEIGHT_FINDING;
  for (size_t i = 0; control && e->outcome != OUTCOME_FINDING && i < judged->policies_len; i++) {
    switch (judged->asked[i].mode == POLICY_AUDIT ? ACTION_AUDIT
                                                  : control_action(control, &judged->asked[i])) {
    case ACTION_DENY:
      return WEIGHT_REFUSAL;
    case ACTION_HARDEN:
      weight = e->refusal ? WEIGHT_REFUSAL : weight < WEIGHT_CHANGE ? WEIGHT_CHANGE : weight;
      break;
    case ACTION_AUDIT:
    case ACTION_OFF:
      break;
    }
  }
  return weight;
}

static void count(struct answer *answer, const struct judged *judged, bool refusals_only) {
  const struct journal *journal = &judged->harden.spec.journal;
  for (size_t i = 0; i < journal->len; i++) {
    switch (weight_of(judged, &journal->entries[i])) {
    case WEIGHT_FINDING:
      answer->findings++;
      break;
    case WEIGHT_CHANGE:
      answer->changes++;
      break;
    case WEIGHT_REFUSAL:
      answer->refusals++;
      break;
    }
  }
  if (answer->refusals || (!refusals_only && (answer->changes || answer->findings)))
    answer->exit = CTL_FINDINGS;
}

static void print_entry(const struct document *d, const struct judged *judged, const struct journal_entry *e,
                        bool colour) {
  static const char *const words[] = { "finding", "change", "refuse" };
  static const enum colour colours[] = { COLOUR_BLUE, COLOUR_YELLOW, COLOUR_RED };
  enum weight weight = weight_of(judged, e);
  const struct jsonx_source src = { d->name, d->text, d->len };
  const char *pointer = spec_source_pointer(d->kind, e->pointer);
  unsigned line, column;
  jsonx_locate(&src, pointer, false, &line, &column);
  terminal_print(colour, colours[weight], "  %-8s", words[weight]);
  terminal_print(colour, COLOUR_NONE, "%s %u:%u %s: %s\n", e->rule, line, column, pointer, e->reason);
}

static void print_text(const struct document *d, const struct judged *judged, const struct answer *answer,
                       bool colour) {
  terminal_print(colour, COLOUR_BOLD, "%s", d->name);
  if (answer->error) {
    terminal_print(colour, COLOUR_RED, ": %s: %s\n", answer->exit == CTL_ERROR ? "error" : "refuse",
                   answer->error);
    return;
  }
  terminal_print(colour, answer->exit == CTL_OK ? COLOUR_GREEN : COLOUR_NONE,
                 ": policy %s: %zu to refuse, %zu to change, %zu findings\n", answer->policies,
                 answer->refusals, answer->changes, answer->findings);
  const struct journal *journal = &judged->harden.spec.journal;
  for (size_t i = 0; i < journal->len; i++)
    print_entry(d, judged, &journal->entries[i], colour);
  if (answer->unknown)
    terminal_print(colour, COLOUR_DIM, "  %s\n", answer->unknown);
}

static void print_json(const struct document *d, const struct journal *journal, const struct answer *answer) {
  static const char *const results[] = { "pass", "findings", "error" };
  json_auto_t *line = json_object();
  jsonx_set_new(line, "document", jsonx_string_new(d->name));
  jsonx_set_new(line, "result", jsonx_string_new(results[answer->exit]));
  if (answer->policies)
    jsonx_set_new(line, "policy", jsonx_string_new(answer->policies));
  if (answer->error)
    jsonx_set_new(line, "error", jsonx_string_new(answer->error));
  if (answer->unknown)
    jsonx_set_new(line, "not_judged", jsonx_string_new(answer->unknown));
  jsonx_set_new(line, "journal", journal_encode(journal));
  CLEANUP_STR struct str text = { 0 };
  jsonx_dump(line, &text);
  printf("%s\n", text.data);
}

static enum ctl_exit check_one(const struct arguments *a, const struct config *config, const char *path,
                               bool colour) {
  CLEANUP_DOCUMENT struct document d = { .bundle_fd = -1 };
  CLEANUP_JUDGED struct judged judged = { 0 };
  struct answer answer = { 0 };
  struct error err = { 0 };
  if (document_open(&d, path, (size_t)config->config_limit, &err) < 0 ||
      judge_run(&a->judge, config, &d, &judged, &err) < 0) {
    answer.exit = is_refusal(&err) ? CTL_FINDINGS : CTL_ERROR;
    answer.error = *err.rule ? xasprintf("%s (%s)", err.message, err.rule) : xstrdup(err.message);
    if (!d.name)
      d.name = xstrdup(path);
  } else {
    count(&answer, &judged, a->refusals_only);
    answer.unknown = judged_unknown(&judged);
  }
  answer.policies = judged_policy_names(&judged);
  if (a->json)
    print_json(&d, &judged.harden.spec.journal, &answer);
  else
    print_text(&d, &judged, &answer, colour);
  free(answer.policies);
  free(answer.unknown);
  free(answer.error);
  return answer.exit;
}

static int run(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct arguments a = { .judge.audit = true };
  ctl_parse(self, argc, argv, parse, &a);
  CLEANUP_STRLIST struct strlist paths = a.paths;
  CLEANUP_CONFIG struct config config = { 0 };
  if (ctl_load_config(&config, err) < 0)
    return -1;
  if (paths.len == 0)
    strlist_add(&paths, "-");
  enum ctl_exit worst = CTL_OK;
  bool colour = terminal_has_colour(stdout);
  for (size_t i = 0; i < paths.len; i++) {
    enum ctl_exit one = check_one(&a, &config, paths.items[i], colour);
    worst = one > worst ? one : worst;
  }
  return worst;
}

const struct ctl_command ctl_check = {
  .name = "check",
  .args = "[BUNDLE|FILE...]",
  .summary = "say whether documents meet a policy as they stand",
  .details =
      "Judges each config.json (or process file) and lists all that the policy would refuse or change, and "
      "what is worth "
      "knowing, with rule id and place. Without arguments standard input is read. Exit status 0: nothing; 1: "
      "findings; 2: a "
      "document could not be judged. With --json each document is one JSON object on a line of its own.",
  .options =
      (const struct argp_option[]){
          JUDGE_OPTIONS,
          { "json", 'j', NULL, 0, "one JSON object a line for each document", 0 },
          { "refusals-only", 'R', NULL, 0,
            "exit 1 only for what would be refused, not for what would be changed", 0 },
          { 0 },
      },
  .run = run,
};
