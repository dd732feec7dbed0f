/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answers of hardenctl check, and how they are printed: as text, as lines of JSON, as SARIF.
 */
#ifndef HARDEN_CTL_CHECK_H
#define HARDEN_CTL_CHECK_H

#include "ctl/input.h"
#include "manifest/manifest.h"

/* What the wrapper would make of an entry that was journaled in audit mode. */
enum weight { WEIGHT_FINDING, WEIGHT_CHANGE, WEIGHT_REFUSAL };

/* One thing to say, with its place in the file. Columns of JSON count bytes, those of YAML characters. */
struct check_finding {
  enum weight weight;
  const char *control, *rule; /* static */
  char *where;                /* a pointer into an OCI document, a path into a manifest */
  struct node_place at;
  char *reason;
};

/* What could not be judged, or was assumed. */
struct check_note {
  char *where;
  struct node_place at;
  char *text;
};

/* One document's answer, or that of one container in a manifest. Owns its members. */
struct check_answer {
  char *file;
  char *container; /* NULL: an OCI document */
  enum manifest_kind kind;
  enum ctl_exit exit;
  size_t refusals, changes, findings;
  size_t engines; /* changes to what the engine adds by itself, which are not among the others */
  char *policies;
  char *unknown; /* what nobody looked at */
  char *error;   /* why there is no answer, or the refusal of a document that no runtime should accept */
  char *error_rule;
  bool passed_over; /* a manifest's documents without containers: there is nothing to judge */
  struct check_finding *list;
  size_t len;
  struct check_note *notes;
  size_t notes_len;
  json_t *journal;
};
void check_answer_free(struct check_answer *answer);

const char *check_weight_name(enum weight weight); /* "finding", "change", "refuse" */

void check_print_text(const struct check_answer *answer, bool colour);
void check_print_json(const struct check_answer *answer);

/* SARIF is one document for all answers: the results and notifications are gathered, then printed. */
struct check_sarif {
  json_t *results, *notifications, *rules;
};
void check_sarif_begin(struct check_sarif *sarif);
void check_sarif_add(struct check_sarif *sarif, const struct check_answer *answer);
/* Frees what was gathered. */
void check_sarif_print(struct check_sarif *sarif, int argc, char *const *argv, enum ctl_exit exit);

/* What an author can do about a control's finding: by the words of the kind of file. Static. */
const char *check_remedy(const char *control, enum manifest_kind kind);

#endif
