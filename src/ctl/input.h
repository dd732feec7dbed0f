/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hardenctl's harden, check and diff have in common: the documents named on the command line, and
 * judging one of them by policies.
 */
#ifndef HARDEN_CTL_INPUT_H
#define HARDEN_CTL_INPUT_H

#include "ctl/command.h"
#include "harden/harden.h"

/* One document: a bundle directory, a file, or standard input ("-"). Owns its members. */
struct document {
  char *name; /* for messages */
  char *text;
  size_t len;
  int bundle_fd; /* of a bundle that was named as a directory; else -1 */
  enum spec_kind kind;
  /* Of a config that was made from a manifest: paths that are the host's namespaces. Borrowed; NULL: unknown.
   */
  const struct strlist *host_namespaces;
};
#define CLEANUP_DOCUMENT CLEANUP(document_free)

/* A directory is a bundle: its config.json. The bytes alone. */
int document_read(struct document *ret, const char *path, size_t limit, struct error *err) MUST_CHECK;
/* The kind is told by the content: process files have `args` and no `ociVersion`. */
int document_recognise(struct document *d, size_t limit, struct error *err) MUST_CHECK;
/* Both. */
int document_open(struct document *ret, const char *path, size_t limit, struct error *err) MUST_CHECK;
void document_free(struct document *d);

/* The options that say by what to judge; each command's own parser falls back to judge_parse. */
struct judge {
  const char *policies[HARDEN_POLICIES_MAX]; /* --policy, at most two, applied in this order */
  size_t policies_len; /* 0: chosen by the configuration's rules, as the wrapper would */
  const char *facts;   /* --facts FILE */
  const char *bundle;  /* --bundle DIR */
  const char *runtime; /* --runtime runc|crun */
  bool audit;          /* the command wants every finding, not the first refusal */
  bool for_runtime;    /* the output is for a runtime: without what only the wrapper makes */
};
#define JUDGE_OPTIONS                                                                                        \
  { "policy",                                                                                                \
    'p',                                                                                                     \
    "NAME|FILE",                                                                                             \
    0,                                                                                                       \
    "judge by this policy; given twice, both, in this order (default: as config.json's rules select)",       \
    0 },                                                                                                     \
      { "bundle", 'b', "DIR", 0, "look at this bundle's rootfs and at this host", 0 },                       \
      { "facts", 'f', "FILE", 0, "what to take as known of rootfs and host, as JSON", 0 }, {                 \
    "runtime", 'r', "runc|crun", 0, "the runtime it is meant for (default: the configuration's first)", 0    \
  }
error_t judge_parse(int key, char *arg, struct argp_state *state, struct judge *judge);

/* A document judged. h->spec holds the journal also when the return value is -1 (a refusal or an error). */
struct judged {
  struct harden harden;
  struct policy policies[HARDEN_POLICIES_MAX];
  struct policy asked[HARDEN_POLICIES_MAX]; /* as they were loaded, before judge.audit */
  size_t policies_len;
  struct facts facts;
  bool facts_given;
  bool unmapped; /* judge.for_runtime has left out a user namespace */
};
#define CLEANUP_JUDGED CLEANUP(judged_free)
int judge_run(const struct judge *judge, const struct config *config, const struct document *document,
              struct judged *ret, struct error *err) MUST_CHECK;
void judged_free(struct judged *j);
/* The error says that the wrapper would refuse the document, not that the question could not be answered. */
bool is_refusal(const struct error *err);

/* What could not be judged, as one line for stderr; NULL when all could. The caller frees. */
char *judged_unknown(const struct judged *j) MUST_CHECK;
/* "restricted", "baseline+team-a". The caller frees. */
char *judged_policy_names(const struct judged *j) MUST_CHECK;

#endif
