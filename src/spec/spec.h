/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document that is being hardened, and the journal of every change to it.
 *
 * A spec is an OCI config.json, or the process file of an exec held as {"process": {...}} so that every
 * pointer reads the same in both. Controls read it through spec_at() and change it through spec_set() and
 * spec_remove() only; each call says why, and lands in the journal whether the policy's action lets it change
 * the document or not.
 */
#ifndef HARDEN_SPEC_H
#define HARDEN_SPEC_H

#include "base/error.h"
#include "io/jsonx.h"

#include <stdbool.h>
#include <stddef.h>

enum spec_kind {
  SPEC_CONFIG,    /* config.json */
  SPEC_PROCESS,   /* exec's process file, wrapped */
  SPEC_RESOURCES, /* update's resources, wrapped as {"linux": {"resources": {...}}} */
};

/* What a control's findings do; the policy gives one to each control. */
enum action {
  ACTION_HARDEN, /* change the document; refuse what cannot be changed */
  ACTION_DENY,   /* refuse when a change would be needed */
  ACTION_AUDIT,  /* journal only */
  ACTION_OFF,    /* the control is not called */
};

enum outcome {
  OUTCOME_CHANGED, /* the document was changed */
  OUTCOME_AUDITED, /* it would have been changed, or refused */
  OUTCOME_FINDING, /* worth knowing; no change was asked for */
  OUTCOME_REFUSED, /* the reason why there is no container */
};

struct journal_entry {
  const char *control; /* "capabilities"; static */
  const char *rule;    /* "OH-CAP-001"; static */
  enum outcome outcome;
  bool refusal;   /* REFUSED, or AUDITED where ACTION_HARDEN would have refused */
  char *pointer;  /* RFC 6901, in the (wrapped) document */
  json_t *before; /* NULL: was absent, or is an environment, of which nothing is remembered */
  json_t *after;  /* NULL: removed, or nothing was to be changed */
  char *reason;   /* one sentence, lower case, no full stop; never an environment value */
};

struct journal {
  struct journal_entry *entries;
  size_t len;
};

/* Why a control touches something. */
struct reason {
  const char *rule; /* static */
  const char *text; /* copied */
};

struct spec {
  enum spec_kind kind;
  json_t *root;                   /* owned; replaced by an edit when somebody else has a reference */
  const struct jsonx_source *src; /* borrowed, for places in messages; may be NULL */
  struct jsonx_span seccomp;      /* of a config: what /linux/seccomp was read from */
  struct journal journal;
  const char *control; /* whose turn it is; set by spec_begin */
  enum action action;
};

/* jsonx_parse() of an OCI document, or of what holds its annotations at "/annotations": nothing but JSON is
 * checked. Keys of annotations, sysctl, unified and their like may differ in case only. */
int spec_read_json(const struct jsonx_source *src, size_t limit, json_t **ret, struct error *err) MUST_CHECK;
/* The same of a text that we have verified before, without an object or array: jsonx_parse_without. */
int spec_read_json_without(const struct jsonx_source *src, const char *pointer,
                           struct jsonx_span *ret_left_out, json_t **ret, struct error *err) MUST_CHECK;

/* Parses and wraps. Refuses, besides what jsonx_parse refuses: a root that is no object; a missing or
 * unsupported ociVersion (config only: major must be 1); a key that folds to the name of an OCI key without
 * being it, outside the free maps (annotations, sysctl, unified), since Go would take it for the OCI key;
 * wrong JSON types of the OCI members that controls read (so that controls may rely on: /process an object,
 * /mounts an array of objects with string destination, ...). src is borrowed for the life of the spec. */
int spec_parse(struct spec *spec, enum spec_kind kind, const struct jsonx_source *src, size_t limit,
               struct error *err) MUST_CHECK;
/* Of a value, the text that it has been read from by jsonx_parse. Borrowed. */
struct spec_known {
  const char *pointer; /* of an object or array; without escapes and array items */
  struct jsonx_span text;
  json_t *value;
};
/* spec_parse of a config. Where it has, at the pointer, those very bytes, they are not read a second time:
 * the value is shared, and checked as all else. */
int spec_parse_known(struct spec *spec, const struct jsonx_source *src, size_t limit,
                     const struct spec_known *known, struct error *err) MUST_CHECK;
void spec_free(struct spec *spec);
#define CLEANUP_SPEC CLEANUP(spec_free)

/* Appends the canonical bytes of the (unwrapped) document. */
void spec_dump(const struct spec *spec, struct str *out);

/* The pointer as the author of the unwrapped document would write it; points into `pointer`. */
const char *spec_source_pointer(enum spec_kind kind, const char *pointer);

/* Opens a control's turn: later calls are journaled under its name and follow its action. */
void spec_begin(struct spec *spec, const char *control, enum action action);

/* Borrowed; NULL when absent. JSON null counts as absent, as it does for runc. */
json_t *spec_at(const struct spec *spec, const char *pointer);
/* The same as a new reference: what is there now, and stays so while edits go on. Not to be written to. */
json_t *spec_snapshot(const struct spec *spec, const char *pointer) MUST_CHECK;
/* Where the value at pointer equals `value` (borrowed), `value` takes its place: who compares the two from
 * now on compares addresses. */
void spec_share(struct spec *spec, const char *pointer, json_t *value);

/*
 * Sets the value at pointer (takes `value`), making missing objects on the way; "-" as the last token appends
 * to an array, and makes the array when absent. Equal to what is there: nothing happens, nothing is
 * journaled. ACTION_HARDEN changes and journals; ACTION_DENY refuses (ERROR_REFUSED with place, rule and
 * reason); ACTION_AUDIT journals. Returns 0, or -1 with err set.
 */
int spec_set(struct spec *spec, const char *pointer, json_t *value, struct reason why,
             struct error *err) MUST_CHECK;
/* The same for removing an object's key or an array's item. Absent: nothing happens. */
int spec_remove(struct spec *spec, const char *pointer, struct reason why, struct error *err) MUST_CHECK;

/* What no rewrite can mend. ACTION_AUDIT: journaled, 0; else ERROR_REFUSED "config.json:L:C: pointer: text"
 * and -1. */
int spec_refuse(struct spec *spec, const char *pointer, struct reason why, struct error *err) MUST_CHECK;
/* Journals a finding; never fails. */
void spec_finding(struct spec *spec, const char *pointer, struct reason why);

void journal_add(struct journal *j, const char *control, const char *rule, enum outcome outcome,
                 const char *pointer, json_t *before, json_t *after,
                 const char *reason); /* copies; references values */
void journal_free(struct journal *j);
/* An array of {control, rule, outcome, pointer, before, after, reason}. New reference. */
json_t *journal_encode(const struct journal *j) MUST_CHECK;

const char *action_name(enum action a);
const char *outcome_name(enum outcome o);
extern const char *const action_names[]; /* "harden", "deny", "audit", "off", NULL; index is enum action */

#endif
