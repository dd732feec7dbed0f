/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl check: a gate. Would these documents, or the containers of these manifests, meet a policy as they
 * stand? */
#include "ctl/check.h"

#include "base/str.h"
#include "ctl/terminal.h"

#include <errno.h>
#include <string.h>

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF };
static const char *const formats[] = { "text", "json", "sarif" };

struct arguments {
  struct judge judge;
  struct strlist paths;
  enum format format;
  bool refusals_only;
};

static int parse_format(const char *arg, struct argp_state *state, enum format *ret) {
  for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
    if (strcmp(arg, formats[i]) == 0) {
      *ret = (enum format)i;
      return 0;
    }
  }
  argp_error(state, "--format is text, json or sarif, not '%s'", arg);
  return EINVAL;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct arguments *a = state->input;
  switch (key) {
  case 'j':
    a->format = FORMAT_JSON;
    return 0;
  case 'F':
    return parse_format(arg, state, &a->format);
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

/* A run over all files. */
struct check {
  const struct arguments *arguments;
  const struct config *config;
  struct check_sarif sarif;
  enum ctl_exit worst;
  bool colour;
};

static void report(struct check *check, struct check_answer *answer) {
  switch (check->arguments->format) {
  case FORMAT_TEXT:
    check_print_text(answer, check->colour);
    break;
  case FORMAT_JSON:
    check_print_json(answer);
    break;
  case FORMAT_SARIF:
    check_sarif_add(&check->sarif, answer);
    break;
  }
  check->worst = answer->exit > check->worst ? answer->exit : check->worst;
  check_answer_free(answer);
}

/* --- one answer --- */

/* The strictest that one of the policies asks for an entry's control. */
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

/* One reason at one place is one finding, however many members of the config it became. */
static bool is_known(const struct check_answer *answer, const struct check_finding *finding) {
  for (size_t i = 0; i < answer->len; i++)
    if (answer->list[i].rule == finding->rule && strcmp(answer->list[i].where, finding->where) == 0 &&
        strcmp(answer->list[i].reason, finding->reason) == 0)
      return true;
  return false;
}

static void add(struct check_answer *answer, struct check_finding finding) {
  size_t *counts[] = { &answer->findings, &answer->changes, &answer->refusals };
  (*counts[finding.weight])++;
  answer->list = xrealloc(answer->list, answer->len + 1, sizeof *answer->list);
  answer->list[answer->len++] = finding;
}

/* Where in the config an entry has its place in the manifest: of a namespace the type, not the list. Of those
 * that are missing the network alone is refused at the list, and none of users is found there. */
static char *pointer_of(const struct journal_entry *e) {
  const char *type = json_string_value(json_object_get(e->after, "type"));
  if (strcmp(e->pointer, "/linux/namespaces/-") == 0 && type)
    return jsonx_pointer("/linux/namespaces", type);
  if (strcmp(e->pointer, "/linux/namespaces") == 0)
    return jsonx_pointer("/linux/namespaces", strcmp(e->control, "user-namespace") == 0 ? "user" : "network");
  return xstrdup(e->pointer);
}

/* That a container has no user namespace, which the wrapper can give it: on the node it looks, here nobody
 * did. */
static bool is_nodes(const struct judged *judged, const struct journal_entry *e, enum weight weight) {
  return weight == WEIGHT_FINDING && strcmp(e->rule, "OH-UNS-005") == 0 && !judged->facts.host_known;
}

static void add_note(struct check_answer *answer, struct manifest_place *place, const char *text) {
  answer->notes = xrealloc(answer->notes, answer->notes_len + 1, sizeof *answer->notes);
  struct check_note *note = &answer->notes[answer->notes_len++];
  note->where = steal_ptr(&place->path);
  note->at = place->at;
  note->text = xstrdup(text);
}

/* What the engine adds is no business of the author's, as long as the wrapper can mend it. */
static void add_entry(struct check_answer *answer, const struct judged *judged, const struct document *d,
                      const struct manifest_container *container, const struct journal_entry *e) {
  struct check_finding finding = { .weight = weight_of(judged, e), .control = e->control, .rule = e->rule };
  if (!container) {
    const struct jsonx_source src = { d->name, d->text, d->len };
    const char *pointer = spec_source_pointer(d->kind, e->pointer);
    jsonx_locate(&src, pointer, false, &finding.at.line, &finding.at.column);
    finding.where = xstrdup(pointer);
    finding.reason = xstrdup(e->reason);
    add(answer, finding);
    return;
  }
  CLEANUP_PLACE struct manifest_place place = { 0 };
  CLEANUP_FREE char *pointer = pointer_of(e);
  manifest_locate(container, pointer, &place);
  if (is_nodes(judged, e, finding.weight)) {
    add_note(answer, &place, e->reason);
    return;
  }
  if (place.engines && finding.weight != WEIGHT_REFUSAL) {
    answer->engines++;
    return;
  }
  finding.where = steal_ptr(&place.path);
  finding.at = place.at;
  finding.reason = e->reason;
  if (is_known(answer, &finding)) {
    free(finding.where);
    return;
  }
  finding.reason = xstrdup(e->reason);
  add(answer, finding);
}

/* SARIF's columns are of one kind: characters, as YAML's are. */
static void count_characters(const struct document *d, struct node_place *at) {
  const char *line = d->text;
  for (unsigned i = 1; line && i < at->line; i++) {
    line = strchr(line, '\n');
    line = line ? line + 1 : NULL;
  }
  unsigned characters = 1;
  for (unsigned i = 0; line && i + 1 < at->column && line[i]; i++)
    characters += ((unsigned char)line[i] & 0xc0) != 0x80;
  at->column = at->column ? characters : 0;
}

static void fail(struct check_answer *answer, enum ctl_exit exit, const struct error *err) {
  answer->exit = exit;
  answer->error = *err->rule ? xasprintf("%s (%s)", err->message, err->rule) : xstrdup(err->message);
  answer->error_rule = *err->rule ? xstrdup(err->rule) : NULL;
}

static void judge(const struct check *check, const struct document *d,
                  const struct manifest_container *container, struct check_answer *answer) {
  CLEANUP_JUDGED struct judged judged = { 0 };
  struct error err = { 0 };
  int result = judge_run(&check->arguments->judge, check->config, d, &judged, &err);
  const struct journal *journal = &judged.harden.spec.journal;
  answer->policies = judged_policy_names(&judged);
  answer->journal = journal_encode(journal);
  /* A refusal that is in the journal has a place in the manifest, which its message cannot know. */
  bool placed = container && is_refusal(&err) && journal->len > 0 &&
                journal->entries[journal->len - 1].outcome == OUTCOME_REFUSED;
  if (result < 0 && !placed) {
    fail(answer, is_refusal(&err) ? CTL_FINDINGS : CTL_ERROR, &err);
    return;
  }
  for (size_t i = 0; i < journal->len; i++)
    add_entry(answer, &judged, d, container, &journal->entries[i]);
  for (size_t i = 0; !container && check->arguments->format == FORMAT_SARIF && i < answer->len; i++)
    count_characters(d, &answer->list[i].at);
  if (answer->refusals || (!check->arguments->refusals_only && (answer->changes || answer->findings)))
    answer->exit = CTL_FINDINGS;
  if (!container)
    answer->unknown = judged_unknown(&judged);
}

/* --- files --- */

static void check_document(struct check *check, struct document *d, const char *path) {
  struct check_answer answer = { 0 };
  struct error err = { 0 };
  if (document_recognise(d, (size_t)check->config->config_limit, &err) < 0)
    fail(&answer, is_refusal(&err) ? CTL_FINDINGS : CTL_ERROR, &err);
  else
    judge(check, d, NULL, &answer);
  answer.file = xstrdup(d->name ? d->name : path);
  report(check, &answer);
}

static void add_notes(const struct manifest_container *container, struct check_answer *answer) {
  for (size_t i = 0; i < container->notes_len; i++) {
    CLEANUP_PLACE struct manifest_place place = { 0 };
    manifest_locate_note(&container->notes[i], &place);
    add_note(answer, &place, container->notes[i].text);
  }
}

static void check_container(struct check *check, const char *file, enum manifest_kind kind,
                            const struct manifest_container *container) {
  CLEANUP_STR struct str text = { 0 };
  jsonx_dump(container->config, &text);
  CLEANUP_DOCUMENT struct document d = {
    .name = xasprintf("%s: %s: as the engine would write it", file, container->name),
    .len = text.len,
    .bundle_fd = -1,
    .kind = SPEC_CONFIG,
    .host_namespaces = &container->host_namespaces,
  };
  d.text = str_steal(&text);
  struct check_answer answer = { .file = xstrdup(file), .container = xstrdup(container->name), .kind = kind };
  judge(check, &d, container, &answer);
  add_notes(container, &answer);
  answer.unknown =
      xstrdup("not judged: the image (links in paths, its own USER and command) and the node (real paths of "
              "mount sources, security modules)");
  report(check, &answer);
}

static void check_manifest(struct check *check, const struct document *d) {
  const struct jsonx_source src = { d->name, d->text, d->len };
  CLEANUP_MANIFEST struct manifest manifest = { 0 };
  struct error err = { 0 };
  int result =
      check->arguments->judge.bundle
          ? error_set(&err, ERROR_USAGE, 0, "%s: a manifest has no bundle: leave out --bundle", d->name)
          : manifest_read(&manifest, &src, &err);
  if (result < 0) {
    struct check_answer answer = { .file = xstrdup(d->name), .kind = manifest.kind };
    fail(&answer, CTL_ERROR, &err);
    report(check, &answer);
    return;
  }
  for (size_t i = 0; i < manifest.len; i++)
    check_container(check, d->name, manifest.kind, &manifest.containers[i]);
  for (size_t i = 0; i < manifest.skipped.len; i++) {
    struct check_answer answer = { .file = xstrdup(d->name), .kind = manifest.kind, .passed_over = true };
    answer.container = xstrdup(manifest.skipped.items[i]);
    report(check, &answer);
  }
}

/* A text that begins like JSON and is no manifest is an OCI document's, as far as its errors go. */
static bool is_manifest(const struct document *d) {
  const struct jsonx_source src = { d->name, d->text, d->len };
  size_t start = strspn(d->text, " \t\r\n");
  if (d->bundle_fd >= 0 || start >= d->len)
    return false;
  return !strchr("{[", d->text[start]) || manifest_kind_of(&src) != MANIFEST_NONE;
}

static void check_file(struct check *check, const char *path) {
  CLEANUP_DOCUMENT struct document d = { .bundle_fd = -1 };
  struct error err = { 0 };
  if (document_read(&d, path, (size_t)check->config->config_limit, &err) < 0) {
    struct check_answer answer = { .file = xstrdup(d.name ? d.name : path) };
    fail(&answer, is_refusal(&err) ? CTL_FINDINGS : CTL_ERROR, &err);
    report(check, &answer);
  } else if (is_manifest(&d)) {
    check_manifest(check, &d);
  } else {
    check_document(check, &d, path);
  }
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
  struct check check = { .arguments = &a, .config = &config, .colour = terminal_has_colour(stdout) };
  if (a.format == FORMAT_SARIF)
    check_sarif_begin(&check.sarif);
  for (size_t i = 0; i < paths.len; i++)
    check_file(&check, paths.items[i]);
  if (a.format == FORMAT_SARIF)
    check_sarif_print(&check.sarif, argc, argv, check.worst);
  return check.worst;
}

const struct ctl_command ctl_check = {
  .name = "check",
  .args = "[BUNDLE|FILE...]",
  .summary = "say whether documents meet a policy as they stand",
  .details =
      "Judges each config.json or process file, and each container of a Kubernetes manifest or of a "
      "docker-compose file, "
      "as the engine would translate it; what a file is is told by its content. Lists all that the policy "
      "would "
      "refuse or "
      "change, and what is worth knowing, with rule id and place. What a manifest's author cannot ask for "
      "otherwise, and the "
      "wrapper mends, is counted and not listed. What image or node decide is noted. Without arguments "
      "standard "
      "input is "
      "read. Exit status 0: nothing; 1: findings; 2: a document could not be judged.",
  .options =
      (const struct argp_option[]){
          JUDGE_OPTIONS,
          { "format", 'F', "text|json|sarif", 0,
            "text (the default); one JSON object a line for each document or container; or one SARIF 2.1.0 "
            "log",
            0 },
          { "json", 'j', NULL, 0, "the same as --format=json", 0 },
          { "refusals-only", 'R', NULL, 0,
            "exit 1 only for what would be refused, not for what would be changed", 0 },
          { 0 },
      },
  .run = run,
};
