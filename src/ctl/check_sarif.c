/* SPDX-License-Identifier: Apache-2.0 */
/* SARIF 2.1.0 (OASIS), which code scanning services read. Validated against the published schema by
 * check.bats. */
#include "ctl/check.h"

#include "base/sha256.h"
#include "base/str.h"

#include <string.h>

#define SCHEMA "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

static json_t *text_object(const char *key, const char *text) {
  json_t *new = json_object();
  jsonx_set_new(new, key, jsonx_string_new(text));
  return new;
}

static json_t *message(const char *text) {
  return text_object("text", text);
}

/* --- rules --- */

static json_t *rule_new(const struct control *control, const struct control_rule *rule) {
  json_t *new = text_object("id", rule->id);
  jsonx_set_new(new, "shortDescription", message(rule->summary));
  jsonx_set_new(new, "fullDescription", message(control->guarantee));
  const char *remedy = check_remedy(control->name, MANIFEST_NONE);
  if (remedy)
    jsonx_set_new(new, "help", message(remedy));
  json_t *tags = json_array();
  jsonx_append_new(tags, jsonx_string_new("security"));
  jsonx_append_new(tags, jsonx_string_new(control->name));
  if (control->technique) {
    CLEANUP_FREE char *technique = xasprintf("external/attack/%s", control->technique);
    jsonx_append_new(tags, jsonx_string_new(technique));
  }
  json_t *properties = json_object();
  jsonx_set_new(properties, "tags", tags);
  jsonx_set_new(new, "properties", properties);
  return new;
}

void check_sarif_begin(struct check_sarif *sarif) {
  *sarif = (struct check_sarif){ json_array(), json_array(), json_array() };
  for (const struct control *c = controls; c->name; c++)
    for (const struct control_rule *r = c->rules; r && r->id; r++)
      jsonx_append_new(sarif->rules, rule_new(c, r));
}

static json_int_t rule_index(const struct check_sarif *sarif, const char *id) {
  size_t i;
  const json_t *rule;
  json_array_foreach(sarif->rules, i, rule)
    if (strcmp(json_string_value(json_object_get(rule, "id")), id) == 0)
      return (json_int_t)i;
  return -1;
}

/* --- places --- */

/* RFC 3986: what is no unreserved character or '/' is escaped. An absolute path is a file URI. */
static char *uri_of(const char *file) {
  struct str uri = { 0 };
  if (strcmp(file, "<stdin>") == 0)
    file = "stdin";
  if (*file == '/')
    str_add(&uri, "file://");
  for (const char *p = file; *p; p++) {
    bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
                 strchr("-._~/", *p);
    str_addf(&uri, plain ? "%c" : "%%%02X", (unsigned char)*p);
  }
  return str_steal(&uri);
}

static json_t *region(const struct node_place *at) {
  json_t *new = json_object();
  jsonx_set_new(new, "startLine", json_integer(at->line));
  jsonx_set_new(new, "startColumn", json_integer(at->column));
  if (at->end_line) {
    jsonx_set_new(new, "endLine", json_integer(at->end_line));
    jsonx_set_new(new, "endColumn", json_integer(at->end_column));
  }
  return new;
}

static void add_logical(json_t *list, const char *name, const char *kind) {
  if (!name || !*name)
    return;
  json_t *new = text_object("fullyQualifiedName", name);
  jsonx_set_new(new, "kind", jsonx_string_new(kind));
  jsonx_append_new(list, new);
}

/* at NULL: the file as a whole. */
static json_t *locations(const struct check_answer *answer, const struct node_place *at, const char *where) {
  CLEANUP_FREE char *uri = uri_of(answer->file);
  json_t *physical = json_object();
  jsonx_set_new(physical, "artifactLocation", text_object("uri", uri));
  if (at && at->line && at->column)
    jsonx_set_new(physical, "region", region(at));
  json_t *logical = json_array();
  add_logical(logical, answer->container, "resource");
  add_logical(logical, where, "member");
  json_t *location = json_object();
  jsonx_set_new(location, "physicalLocation", physical);
  jsonx_set_new(location, "logicalLocations", logical);
  json_t *list = json_array();
  jsonx_append_new(list, location);
  return list;
}

/* --- results --- */

/* One finding is the same in the next run wherever its line has moved to. */
static json_t *fingerprints(const struct check_answer *answer, const struct check_finding *f) {
  char digest[SHA256_HEX];
  CLEANUP_FREE char *text = xasprintf("%s\n%s\n%s\n%s\n%s", f->rule, answer->file,
                                      answer->container ? answer->container : "", f->where, f->reason);
  sha256_hex(text, strlen(text), digest);
  return text_object("finding/v1", digest);
}

static json_t *result_new(const struct check_sarif *sarif, const char *rule, const char *level,
                          const char *text, json_t *where) {
  json_t *new = text_object("ruleId", rule);
  json_int_t index = rule_index(sarif, rule);
  if (index >= 0)
    jsonx_set_new(new, "ruleIndex", json_integer(index));
  jsonx_set_new(new, "level", jsonx_string_new(level));
  jsonx_set_new(new, "message", message(text));
  jsonx_set_new(new, "locations", where);
  return new;
}

static void add_finding(struct check_sarif *sarif, const struct check_answer *answer,
                        const struct check_finding *f) {
  static const char *const levels[] = { "warning", "warning", "error" };
  static const char *const would[] = { "", "would be changed: ", "would be refused: " };
  const char *remedy = check_remedy(f->control, answer->kind);
  CLEANUP_FREE char *text =
      xasprintf("%s%s%s%s%s%s", answer->policies ? answer->policies : "", answer->policies ? ": " : "",
                would[f->weight], f->reason, remedy ? "; remedy: " : "", remedy ? remedy : "");
  json_t *result = result_new(sarif, f->rule, levels[f->weight], text, locations(answer, &f->at, f->where));
  jsonx_set_new(result, "partialFingerprints", fingerprints(answer, f));
  jsonx_append_new(sarif->results, result);
}

static void add_notification(struct check_sarif *sarif, const struct check_answer *answer, const char *level,
                             const char *text, const struct node_place *at, const char *where) {
  json_t *new = text_object("level", level);
  jsonx_set_new(new, "message", message(text));
  jsonx_set_new(new, "locations", locations(answer, at, where));
  jsonx_append_new(sarif->notifications, new);
}

void check_sarif_add(struct check_sarif *sarif, const struct check_answer *answer) {
  if (answer->passed_over)
    add_notification(sarif, answer, "note", "not judged: nothing is known of containers in it", NULL, NULL);
  if (answer->error && answer->exit == CTL_FINDINGS)
    jsonx_append_new(sarif->results, result_new(sarif, answer->error_rule ? answer->error_rule : "OH-SPC",
                                                "error", answer->error, locations(answer, NULL, NULL)));
  else if (answer->error)
    add_notification(sarif, answer, "error", answer->error, NULL, NULL);
  for (size_t i = 0; i < answer->len; i++)
    add_finding(sarif, answer, &answer->list[i]);
  for (size_t i = 0; i < answer->notes_len; i++)
    add_notification(sarif, answer, "note", answer->notes[i].text, &answer->notes[i].at,
                     answer->notes[i].where);
  if (answer->unknown)
    add_notification(sarif, answer, "note", answer->unknown, NULL, NULL);
}

/* --- the log --- */

static json_t *invocation(const struct check_sarif *sarif, int argc, char *const *argv, enum ctl_exit exit) {
  json_t *new = json_object();
  jsonx_set_new(new, "executionSuccessful", json_boolean(exit != CTL_ERROR));
  jsonx_set_new(new, "exitCode", json_integer(exit));
  json_t *arguments = json_array();
  for (int i = 1; i < argc; i++)
    jsonx_append_new(arguments, jsonx_string_new(argv[i]));
  jsonx_set_new(new, "arguments", arguments);
  jsonx_set_new(new, "toolExecutionNotifications", json_incref(sarif->notifications));
  return new;
}

static json_t *run_new(const struct check_sarif *sarif, int argc, char *const *argv, enum ctl_exit exit) {
  json_t *driver = text_object("name", "hardenctl");
  jsonx_set_new(driver, "fullName", jsonx_string_new("hardenctl check of oci-harden " HARDEN_VERSION));
  jsonx_set_new(driver, "version", jsonx_string_new(HARDEN_VERSION));
  jsonx_set_new(driver, "semanticVersion", jsonx_string_new(HARDEN_VERSION));
  jsonx_set_new(driver, "rules", json_incref(sarif->rules));
  json_t *tool = json_object();
  jsonx_set_new(tool, "driver", driver);
  json_t *invocations = json_array();
  jsonx_append_new(invocations, invocation(sarif, argc, argv, exit));
  json_t *new = json_object();
  jsonx_set_new(new, "tool", tool);
  jsonx_set_new(new, "invocations", invocations);
  jsonx_set_new(new, "columnKind", jsonx_string_new("unicodeCodePoints"));
  jsonx_set_new(new, "results", json_incref(sarif->results));
  return new;
}

void check_sarif_print(struct check_sarif *sarif, int argc, char *const *argv, enum ctl_exit exit) {
  json_auto_t *log = text_object("$schema", SCHEMA);
  jsonx_set_new(log, "version", jsonx_string_new("2.1.0"));
  json_t *runs = json_array();
  jsonx_append_new(runs, run_new(sarif, argc, argv, exit));
  jsonx_set_new(log, "runs", runs);
  CLEANUP_STR struct str text = { 0 };
  jsonx_dump_pretty(log, &text);
  fputs(text.data, stdout);
  json_decref(sarif->results);
  json_decref(sarif->notifications);
  json_decref(sarif->rules);
  *sarif = (struct check_sarif){ 0 };
}
