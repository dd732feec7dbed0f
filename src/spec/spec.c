/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/spec.h"

#include "base/str.h"
#include "spec/shape.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the unwrapped document hangs in the wrapped one. */
static const char *wrapping(enum spec_kind kind) {
  switch (kind) {
  case SPEC_CONFIG:
    return "";
  case SPEC_PROCESS:
    return "/process";
  case SPEC_RESOURCES:
    return "/linux/resources";
  }
  return "";
}

const char *spec_source_pointer(enum spec_kind kind, const char *pointer) {
  const char *prefix = wrapping(kind);
  size_t len = strlen(prefix);
  bool inside = str_starts(pointer, prefix) && (pointer[len] == '/' || pointer[len] == '\0');
  return inside ? pointer + len : pointer;
}

int spec_error(struct error *err, const struct spec *spec, enum error_code code, const char *rule,
               const char *pointer, bool for_key, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  CLEANUP_FREE char *text = xvasprintf(fmt, args);
  va_end(args);
  const char *at = spec_source_pointer(spec->kind, pointer);
  const char *colon = *at ? ": " : "";
  if (!spec->src)
    return error_set_rule(err, code, rule, "%s%s%s", at, colon, text);
  unsigned line = 0;
  unsigned column = 0;
  jsonx_locate(spec->src, at, for_key, &line, &column);
  return error_set_rule(err, code, rule, "%s:%u:%u: %s%s%s", spec->src->name, line, column, at, colon, text);
}

static json_t *new_object(void) {
  json_t *object = json_object();
  if (!object)
    die_out_of_memory();
  return object;
}

static json_t *wrap(enum spec_kind kind, json_t *document) {
  json_t *outer = document;
  json_t *inner;
  switch (kind) {
  case SPEC_CONFIG:
    break;
  case SPEC_PROCESS:
    outer = new_object();
    jsonx_set_new(outer, "process", document);
    break;
  case SPEC_RESOURCES:
    inner = new_object();
    outer = new_object();
    jsonx_set_new(inner, "resources", document);
    jsonx_set_new(outer, "linux", inner);
    break;
  }
  return outer;
}

static int check_document(const struct spec *spec, struct error *err) {
  if (!json_is_object(jsonx_at(spec->root, wrapping(spec->kind))))
    return spec_error(err, spec, ERROR_INPUT, "OH-SPC-001", wrapping(spec->kind), false,
                      "the document must be an object");
  /* First, so that what is checked next is what every runtime reads. */
  if (names_check(spec, err) < 0)
    return -1;
  return shape_check(spec, err);
}

int spec_read_json(const struct jsonx_source *src, size_t limit, json_t **ret, struct error *err) {
  return jsonx_parse_with_maps(src, limit, names_is_free_map, ret, err);
}

int spec_read_json_without(const struct jsonx_source *src, const char *pointer,
                           struct jsonx_span *ret_left_out, json_t **ret, struct error *err) {
  return jsonx_parse_without(src, names_is_free_map, pointer, ret_left_out, ret, err);
}

#define SECCOMP "/linux/seccomp"

/* Takes `parsed`. */
static int take_checked(struct spec *spec, struct spec *parsed, struct error *err) {
  if (check_document(parsed, err) < 0) {
    spec_free(parsed);
    return -1;
  }
  *spec = *parsed;
  return 0;
}

int spec_parse(struct spec *spec, enum spec_kind kind, const struct jsonx_source *src, size_t limit,
               struct error *err) {
  json_t *document = NULL;
  struct spec parsed = { .kind = kind, .src = src };
  if (jsonx_parse_noting(src, limit, names_is_free_map, kind == SPEC_CONFIG ? SECCOMP : NULL, &parsed.seccomp,
                         &document, err) < 0)
    return -1;
  parsed.root = wrap(kind, document);
  return take_checked(spec, &parsed, err);
}

static void put(struct spec *spec, const char *pointer, json_t *value);

int spec_parse_known(struct spec *spec, const struct jsonx_source *src, size_t limit,
                     const struct spec_known *known, struct error *err) {
  struct jsonx_span there;
  struct spec parsed = { .kind = SPEC_CONFIG, .src = src };
  if (src->len > limit || spec_read_json_without(src, known->pointer, &there, &parsed.root, err) < 0 ||
      there.len != known->text.len || memcmp(there.text, known->text.text, there.len) != 0) {
    spec_free(&parsed);
    *err = (struct error){ 0 };
    return spec_parse(spec, SPEC_CONFIG, src, limit, err); /* which says what is wrong, if something is */
  }
  put(&parsed, known->pointer, known->value);
  return take_checked(spec, &parsed, err);
}

void spec_free(struct spec *spec) {
  json_decref(spec->root);
  journal_free(&spec->journal);
  *spec = (struct spec){ 0 };
}

void spec_dump(const struct spec *spec, struct str *out) {
  jsonx_dump(jsonx_at(spec->root, wrapping(spec->kind)), out);
}

void spec_begin(struct spec *spec, const char *control, enum action action) {
  spec->control = control;
  spec->action = action;
}

json_t *spec_at(const struct spec *spec, const char *pointer) {
  json_t *value = jsonx_at(spec->root, pointer);
  return json_is_null(value) ? NULL : value;
}

json_t *spec_snapshot(const struct spec *spec, const char *pointer) {
  return json_incref(spec_at(spec, pointer));
}

/*
 * Values are shared with snapshots and with the journal. An edit first makes every container on its way the
 * document's own; what hangs below a copy is shared until an edit goes there.
 */
static bool is_shared(const json_t *value) {
  return (json_is_object(value) || json_is_array(value)) && value->refcount > 1;
}

/* Where an edit takes place: `parent` is an object (`key`) or an array (`index`; its size appends). */
struct place {
  json_t *parent;
  char *key;
  size_t index;
};

static void place_free(struct place *p) {
  free(p->key);
}

/* The next token of an RFC 6901 pointer, unescaped; NULL at the end. The caller frees. */
static char *next_token(const char **pointer) {
  if (**pointer != '/')
    return NULL;
  const char *p = *pointer + 1;
  char *token = xcalloc(strcspn(p, "/") + 1, 1);
  char *to = token;
  for (; *p && *p != '/'; p++) {
    bool escaped = *p == '~' && (p[1] == '0' || p[1] == '1');
    *to++ = !escaped ? *p : *++p == '0' ? '~' : '/';
  }
  *pointer = p;
  return token;
}

/* "-" is behind the last; "01", "+1" and what is out of range are no index. */
static bool parse_index(const char *token, size_t size, size_t *ret) {
  if (strcmp(token, "-") == 0) {
    *ret = size;
    return true;
  }
  size_t digits = strspn(token, "0123456789");
  if (!digits || token[digits] || digits > 9 || (digits > 1 && token[0] == '0'))
    return false;
  *ret = (size_t)strtoul(token, NULL, 10);
  return *ret < size;
}

static json_t *own_item(json_t *array, size_t index) {
  json_t *item = json_array_get(array, index);
  if (!is_shared(item))
    return item;
  item = jsonx_copy_top(item);
  if (json_array_set_new(array, index, item) < 0)
    die_out_of_memory();
  return item;
}

static json_t *own_member(json_t *object, const char *key) {
  json_t *member = json_object_get(object, key);
  if (!is_shared(member))
    return member;
  member = jsonx_copy_top(member);
  jsonx_set_new(object, key, member);
  return member;
}

/* The member `token` of `parent`, unshared, as a container. Absent ones are made when `make`: an array when
 * the token behind is "-", else an object. */
static json_t *descend(json_t *parent, const char *token, const char *rest, bool make) {
  size_t index;
  if (json_is_array(parent))
    return parse_index(token, json_array_size(parent), &index) ? own_item(parent, index) : NULL;
  if (!json_is_object(parent))
    return NULL;
  json_t *member = own_member(parent, token);
  if (!make || (member && !json_is_null(member)))
    return member;
  json_t *made = strcmp(rest, "/-") == 0 ? json_array() : json_object();
  if (!made)
    die_out_of_memory();
  jsonx_set_new(parent, token, made);
  return made;
}

/* False when the pointer leads nowhere. */
static bool find_place(struct spec *spec, const char *pointer, bool make, struct place *ret) {
  if (is_shared(spec->root)) {
    json_t *copy = jsonx_copy_top(spec->root);
    json_decref(spec->root);
    spec->root = copy;
  }
  json_t *parent = spec->root;
  CLEANUP_FREE char *token = next_token(&pointer);
  if (!token)
    return false;
  while (*pointer) {
    parent = descend(parent, token, pointer, make);
    free(token);
    token = next_token(&pointer);
    if (!parent || !token)
      return false;
  }
  if (json_is_array(parent) ? !parse_index(token, json_array_size(parent), &ret->index)
                            : !json_is_object(parent))
    return false;
  ret->parent = parent;
  ret->key = steal_ptr(&token);
  return true;
}

static int bad_pointer(const struct spec *spec, const char *pointer, struct error *err) {
  return error_set(err, ERROR_INTERNAL, 0, "%s: cannot edit at \"%s\": it leads through what is no container",
                   spec->control ? spec->control : "?", pointer);
}

/* An append is journaled with the index that it got. */
static char *edited_pointer(const char *pointer, const struct place *p) {
  if (!json_is_array(p->parent) || !str_ends(pointer, "/-"))
    return xstrdup(pointer);
  return xasprintf("%.*s%zu", (int)(strlen(pointer) - 1), pointer, p->index);
}

/* `after` NULL removes. */
static int edit(struct spec *spec, const char *pointer, json_t *before, json_t *after, struct reason why,
                struct error *err) {
  CLEANUP(place_free) struct place p = { 0 };
  if (!find_place(spec, pointer, after != NULL, &p))
    return bad_pointer(spec, pointer, err);
  CLEANUP_FREE char *edited = edited_pointer(pointer, &p);
  journal_add(&spec->journal, spec->control, why.rule, OUTCOME_CHANGED, edited, before, after, why.text);
  if (json_is_object(p.parent)) {
    if (after)
      jsonx_set_new(p.parent, p.key, json_incref(after));
    else
      (void)json_object_del(p.parent, p.key); /* present: the caller looked */
    return 0;
  }
  if (after && p.index == json_array_size(p.parent))
    jsonx_append_new(p.parent, json_incref(after));
  else if (after ? json_array_set_new(p.parent, p.index, json_incref(after)) < 0
                 : json_array_remove(p.parent, p.index) < 0)
    return bad_pointer(spec, pointer, err);
  return 0;
}

static int refuse(struct spec *spec, const char *pointer, json_t *before, json_t *after, struct reason why,
                  struct error *err) {
  journal_add(&spec->journal, spec->control, why.rule, OUTCOME_REFUSED, pointer, before, after, why.text);
  spec->journal.entries[spec->journal.len - 1].refusal = true;
  return spec_error(err, spec, ERROR_REFUSED, why.rule, pointer, false, "%s", why.text);
}

/* Whether an edit that is not made could be: a wrong pointer is a defect under every action. */
static bool reachable(json_t *value, const char *pointer) {
  while (*pointer) {
    CLEANUP_FREE char *token = next_token(&pointer);
    size_t index;
    if (!token || (!json_is_object(value) && !json_is_array(value)))
      return false;
    if (json_is_object(value))
      value = json_object_get(value, token);
    else if (!parse_index(token, json_array_size(value), &index))
      return false;
    else if (index == json_array_size(value))
      return !*pointer;
    else
      value = json_array_get(value, index);
    if (!value || json_is_null(value))
      return true;
  }
  return true;
}

static int follow_action(struct spec *spec, const char *pointer, json_t *after, struct reason why,
                         struct error *err) {
  json_auto_t *before = spec_snapshot(spec, pointer);
  if (!*pointer || !reachable(spec->root, pointer))
    return bad_pointer(spec, pointer, err);
  switch (spec->action) {
  case ACTION_HARDEN:
    return edit(spec, pointer, before, after, why, err);
  case ACTION_DENY:
    return refuse(spec, pointer, before, after, why, err);
  case ACTION_AUDIT:
    journal_add(&spec->journal, spec->control, why.rule, OUTCOME_AUDITED, pointer, before, after, why.text);
    return 0;
  case ACTION_OFF:
    break;
  }
  return error_set(err, ERROR_INTERNAL, 0, "%s: edits \"%s\" although it is off",
                   spec->control ? spec->control : "?", pointer);
}

static void put(struct spec *spec, const char *pointer, json_t *value) {
  CLEANUP(place_free) struct place p = { 0 };
  if (find_place(spec, pointer, false, &p) && json_is_object(p.parent))
    jsonx_set_new(p.parent, p.key, json_incref(value));
}

void spec_share(struct spec *spec, const char *pointer, json_t *value) {
  const json_t *there = spec_at(spec, pointer);
  if (there && there != value && json_equal(there, value))
    put(spec, pointer, value);
}

int spec_set(struct spec *spec, const char *pointer, json_t *value, struct reason why, struct error *err) {
  json_auto_t *after = value;
  const json_t *before = spec_at(spec, pointer);
  if (!after || json_is_null(after))
    return error_set(err, ERROR_INTERNAL, 0, "%s: sets \"%s\" to nothing",
                     spec->control ? spec->control : "?", pointer);
  if (before && json_equal(before, after))
    return 0;
  return follow_action(spec, pointer, after, why, err);
}

int spec_remove(struct spec *spec, const char *pointer, struct reason why, struct error *err) {
  if (!spec_at(spec, pointer))
    return 0;
  return follow_action(spec, pointer, NULL, why, err);
}

int spec_refuse(struct spec *spec, const char *pointer, struct reason why, struct error *err) {
  json_auto_t *before = spec_snapshot(spec, pointer);
  if (spec->action != ACTION_AUDIT)
    return refuse(spec, pointer, before, NULL, why, err);
  journal_add(&spec->journal, spec->control, why.rule, OUTCOME_AUDITED, pointer, before, NULL, why.text);
  spec->journal.entries[spec->journal.len - 1].refusal = true;
  return 0;
}

void spec_finding(struct spec *spec, const char *pointer, struct reason why) {
  json_auto_t *before = spec_snapshot(spec, pointer);
  journal_add(&spec->journal, spec->control, why.rule, OUTCOME_FINDING, pointer, before, NULL, why.text);
}
