/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/check.h"
#include "ctl/terminal.h"

#include "base/str.h"

void check_answer_free(struct check_answer *answer) {
  free(answer->file);
  free(answer->container);
  free(answer->policies);
  free(answer->unknown);
  free(answer->error);
  free(answer->error_rule);
  for (size_t i = 0; i < answer->len; i++) {
    free(answer->list[i].where);
    free(answer->list[i].reason);
  }
  free(answer->list);
  for (size_t i = 0; i < answer->notes_len; i++) {
    free(answer->notes[i].where);
    free(answer->notes[i].text);
  }
  free(answer->notes);
  json_decref(answer->journal);
  *answer = (struct check_answer){ 0 };
}

const char *check_weight_name(enum weight weight) {
  static const char *const words[] = { "finding", "change", "refuse" };
  return words[weight];
}

void check_print_text(const struct check_answer *answer, bool colour) {
  static const enum colour colours[] = { COLOUR_BLUE, COLOUR_YELLOW, COLOUR_RED };
  terminal_print(colour, COLOUR_BOLD, "%s%s%s", answer->file, answer->container ? ": " : "",
                 answer->container ? answer->container : "");
  if (answer->passed_over) {
    terminal_print(colour, COLOUR_DIM, ": not judged: nothing is known of containers in it\n");
    return;
  }
  if (answer->error) {
    terminal_print(colour, COLOUR_RED, ": %s: %s\n", answer->exit == CTL_ERROR ? "error" : "refuse",
                   answer->error);
    return;
  }
  terminal_print(colour, answer->exit == CTL_OK ? COLOUR_GREEN : COLOUR_NONE,
                 ": policy %s: %zu to refuse, %zu to change, %zu findings", answer->policies,
                 answer->refusals, answer->changes, answer->findings);
  if (answer->engines)
    terminal_print(colour, COLOUR_DIM, " (and %zu to change of what the engine adds)", answer->engines);
  terminal_print(colour, COLOUR_NONE, "\n");
  for (size_t i = 0; i < answer->len; i++) {
    const struct check_finding *f = &answer->list[i];
    terminal_print(colour, colours[f->weight], "  %-8s", check_weight_name(f->weight));
    terminal_print(colour, COLOUR_NONE, "%s %u:%u %s: %s\n", f->rule, f->at.line, f->at.column, f->where,
                   f->reason);
  }
  for (size_t i = 0; i < answer->notes_len; i++)
    terminal_print(colour, COLOUR_DIM, "  note    %u:%u %s: %s\n", answer->notes[i].at.line,
                   answer->notes[i].at.column, answer->notes[i].where, answer->notes[i].text);
  if (answer->unknown)
    terminal_print(colour, COLOUR_DIM, "  %s\n", answer->unknown);
}

static json_t *place(const struct node_place *at, const char *where) {
  json_t *new = json_object();
  jsonx_set_new(new, "line", json_integer(at->line));
  jsonx_set_new(new, "column", json_integer(at->column));
  jsonx_set_new(new, "path", jsonx_string_new(where));
  return new;
}

static json_t *findings(const struct check_answer *answer) {
  json_t *list = json_array();
  for (size_t i = 0; i < answer->len; i++) {
    const struct check_finding *f = &answer->list[i];
    json_t *new = place(&f->at, f->where);
    jsonx_set_new(new, "control", jsonx_string_new(f->control));
    jsonx_set_new(new, "rule", jsonx_string_new(f->rule));
    jsonx_set_new(new, "weight", jsonx_string_new(check_weight_name(f->weight)));
    jsonx_set_new(new, "reason", jsonx_string_new(f->reason));
    jsonx_append_new(list, new);
  }
  return list;
}

static json_t *notes(const struct check_answer *answer) {
  json_t *list = json_array();
  for (size_t i = 0; i < answer->notes_len; i++) {
    json_t *new = place(&answer->notes[i].at, answer->notes[i].where);
    jsonx_set_new(new, "note", jsonx_string_new(answer->notes[i].text));
    jsonx_append_new(list, new);
  }
  return list;
}

void check_print_json(const struct check_answer *answer) {
  static const char *const results[] = { "pass", "findings", "error" };
  json_auto_t *line = json_object();
  jsonx_set_new(line, "document", jsonx_string_new(answer->file));
  if (answer->container)
    jsonx_set_new(line, "container", jsonx_string_new(answer->container));
  jsonx_set_new(line, "result", jsonx_string_new(answer->passed_over ? "not judged" : results[answer->exit]));
  if (answer->policies)
    jsonx_set_new(line, "policy", jsonx_string_new(answer->policies));
  if (answer->error)
    jsonx_set_new(line, "error", jsonx_string_new(answer->error));
  if (answer->unknown)
    jsonx_set_new(line, "not_judged", jsonx_string_new(answer->unknown));
  if (answer->container && !answer->passed_over) {
    jsonx_set_new(line, "findings", findings(answer));
    jsonx_set_new(line, "notes", notes(answer));
  }
  if (answer->journal)
    jsonx_set_new(line, "journal", jsonx_copy(answer->journal));
  CLEANUP_STR struct str text = { 0 };
  jsonx_dump(line, &text);
  printf("%s\n", text.data);
}
