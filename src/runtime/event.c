/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/event.h"

#include "base/cleanup.h"
#include "base/stamp.h"
#include "base/str.h"
#include "control/control.h"
#include "io/fileio.h"
#include "io/jsonx.h"
#include "io/path.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char *annotation(const json_t *annotations, const char *const *keys) {
  for (; *keys; keys++) {
    const char *value = json_string_value(json_object_get(annotations, *keys));
    if (value && *value)
      return value;
  }
  return NULL;
}

static bool has_prefix(const json_t *annotations, const char *prefix) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)annotations, key, value) {
    if (str_starts(key, prefix))
      return true;
  }
  return false;
}

const char *event_engine(const char *root, const json_t *annotations) {
  const char *manager = annotation(annotations, (const char *const[]){ "io.container.manager", NULL });
  if (manager && strcmp(manager, "libpod") == 0)
    return "podman";
  if ((manager && strcmp(manager, "cri-o") == 0) || has_prefix(annotations, "io.kubernetes.cri-o."))
    return "cri-o";
  if (has_prefix(annotations, "io.podman."))
    return "podman";
  if (has_prefix(annotations, "io.kubernetes.cri."))
    return "containerd-cri";
  if (!root)
    return "unknown";
  if (str_ends(root, "/moby"))
    return "docker";
  if (strstr(root, "/containerd/runc/"))
    return str_ends(root, "/k8s.io") ? "containerd-cri" : "containerd";
  return "unknown";
}

static void set_text(json_t *o, const char *key, const char *text) {
  if (text && *text)
    jsonx_set_new(o, key, jsonx_string_new(text));
}

static json_t *new_array(void) {
  json_t *array = json_array();
  if (!array)
    die_out_of_memory();
  return array;
}

static json_t *new_object(void) {
  json_t *object = json_object();
  if (!object)
    die_out_of_memory();
  return object;
}

static void add_once(json_t *array, const char *text) {
  if (text && *text && !jsonx_has(array, text))
    jsonx_append_new(array, jsonx_string_new(text));
}

/* A seccomp profile in full, twice, in each line would drown what the line is for. */
static void shorten(json_t *entry, const char *key) {
  const json_t *value = json_object_get(entry, key);
  CLEANUP_STR struct str bytes = { 0 };
  if (!json_is_object(value) && !json_is_array(value) && !json_is_string(value))
    return;
  jsonx_dump(value, &bytes);
  if (bytes.len > EVENT_VALUE_MAX) {
    json_t *size = new_object();
    jsonx_set_new(size, "omitted_bytes", json_integer((json_int_t)bytes.len));
    jsonx_set_new(entry, key, size);
  }
}

static json_t *journal(const struct event *e) {
  json_t *entries = e->journal ? journal_encode(e->journal) : new_array();
  size_t i;
  json_t *entry;
  json_array_foreach(entries, i, entry) {
    shorten(entry, "before");
    shorten(entry, "after");
  }
  return entries;
}

/* The ids of the rules that decided, and the techniques of their controls. A refusal's own rule comes first.
 */
static void add_rules(json_t *event, const struct event *e) {
  json_t *rules = new_array(), *techniques = new_array();
  if (e->refusal)
    add_once(rules, e->refusal->rule);
  for (size_t i = 0; e->journal && i < e->journal->len; i++) {
    const struct journal_entry *entry = &e->journal->entries[i];
    const struct control *control = control_find(entry->control);
    add_once(rules, entry->rule);
    add_once(techniques, control ? control->technique : NULL);
  }
  if (json_array_size(rules) > 0)
    jsonx_set_new(event, "rule.id", json_incref(rules));
  if (json_array_size(techniques) > 0) {
    jsonx_set_new(event, "threat.framework", jsonx_string_new("MITRE ATT&CK"));
    jsonx_set_new(event, "threat.technique.id", json_incref(techniques));
  }
  json_decref(rules);
  json_decref(techniques);
}

static void add_identity(json_t *event, const struct event *e) {
  const json_t *a = e->annotations;
  set_text(event, "container.id", e->id);
  set_text(
      event, "container.name",
      annotation(a, (const char *const[]){ "io.kubernetes.cri.container-name", "io.kubernetes.container.name",
                                           "io.podman.annotations.name", NULL }));
  set_text(
      event, "container.image.name",
      annotation(a, (const char *const[]){ "io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName",
                                           "io.podman.annotations.image", NULL }));
  const char *pod = annotation(
      a, (const char *const[]){ "io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name", NULL });
  set_text(event, "orchestrator.namespace",
           annotation(a, (const char *const[]){ "io.kubernetes.cri.sandbox-namespace",
                                                "io.kubernetes.pod.namespace", NULL }));
  set_text(event, "orchestrator.resource.name", pod);
  if (pod) {
    set_text(event, "orchestrator.type", "kubernetes");
    set_text(event, "orchestrator.resource.type", "pod");
  }
}

/* How many promises came out which way; the journal has those that were not held. */
static json_t *proof_counts(const struct proof *proof) {
  json_t *counts = new_object();
  for (enum proof_outcome outcome = PROOF_HELD; outcome <= PROOF_UNREAD; outcome++) {
    json_int_t n = 0;
    for (size_t i = 0; i < proof->len; i++)
      n += proof->items[i].outcome == outcome;
    jsonx_set_new(counts, proof_outcome_names[outcome], json_integer(n));
  }
  return counts;
}

static json_t *own_fields(const struct event *e) {
  json_t *own = new_object(), *policies = new_array();
  size_t auditing = 0;
  for (size_t i = 0; i < e->policies_len; i++) {
    jsonx_append_new(policies, jsonx_string_new(e->policies[i].name));
    auditing += e->policies[i].mode == POLICY_AUDIT;
  }
  jsonx_set_new(own, "policy", policies);
  set_text(own, "mode", auditing > 0 && auditing == e->policies_len ? "audit" : "enforce");
  set_text(own, "verb", e->verb);
  set_text(own, "engine", event_engine(e->root, e->annotations));
  set_text(own, "runtime", e->runtime);
  set_text(own, "root", e->root);
  set_text(own, "bundle", e->bundle);
  jsonx_set_new(own, "sandbox", json_boolean(e->sandbox));
  json_t *digest = new_object();
  set_text(digest, "before", e->before);
  set_text(digest, "after", e->after);
  jsonx_set_new(own, "digest", digest);
  jsonx_set_new(own, "journal", journal(e));
  if (e->proof && e->proof->len)
    jsonx_set_new(own, "proof", proof_counts(e->proof));
  if (e->refusal)
    set_text(own, "error", error_code_name(e->refusal->code));
  return own;
}

static void add_event_fields(json_t *event, const struct event *e) {
  const char *type = e->refusal ? "denied" : e->verb && strcmp(e->verb, "update") == 0 ? "change" : "start";
  CLEANUP_FREE char *action = xasprintf("container-%s", e->verb ? e->verb : "unknown");
  json_t *types = new_array(), *categories = new_array();
  jsonx_append_new(types, jsonx_string_new(type));
  jsonx_append_new(categories, jsonx_string_new("process"));
  set_text(event, "event.kind", e->refusal ? "alert" : "event");
  jsonx_set_new(event, "event.category", categories);
  jsonx_set_new(event, "event.type", types);
  set_text(event, "event.action", action);
  set_text(event, "event.outcome", e->refusal ? "failure" : "success");
  set_text(event, "event.module", "oci-harden");
  if (e->refusal)
    set_text(event, "event.reason", e->refusal->message);
}

json_t *event_build(const struct event *e, const struct timespec *now, pid_t pid) {
  char stamp[STAMP_SIZE];
  stamp_millis(stamp, now);
  json_t *event = new_object();
  set_text(event, "@timestamp", stamp);
  set_text(event, "ecs.version", "8.11.0");
  add_event_fields(event, e);
  add_rules(event, e);
  add_identity(event, e);
  jsonx_set_new(event, "process.pid", json_integer(pid));
  jsonx_set_new(event, "oci_harden", own_fields(e));
  return event;
}

static int append(const char *path, const struct str *line, struct error *err) {
  if (file_append(path, line->data, line->len, err) == 0)
    return 0;
  const char *slash = strrchr(path, '/');
  if (err->sys != ENOENT || !slash || slash == path)
    return -1;
  CLEANUP_FREE char *dir = xasprintf("%.*s", (int)(slash - path), path);
  *err = (struct error){ 0 };
  return path_make_dirs(dir, 0700, err) < 0 ? -1 : file_append(path, line->data, line->len, err);
}

int event_write(const struct event *e, const char *path, struct error *err) {
  if (!path || !*path)
    return 0;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  json_auto_t *event = event_build(e, &now, getpid());
  CLEANUP_STR struct str line = { 0 };
  jsonx_dump(event, &line);
  str_add(&line, "\n");
  return append(path, &line, err);
}
