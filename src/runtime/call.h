/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One invocation, from argv to exec: what was asked, what is known, and the one way that each verb takes.
 *
 *   argv -> selfopt, command -> config -> target
 *     create run restore  bundle -> (ids) -> harden -> state -> (views) -> config.json -> event
 *                         -> (run: guard) -> floor -> exec
 *     exec update         state -> (exec before start: proof) -> private hardened copy -> event
 *                         -> floor -> exec
 *     start               state -> proof -> event -> exec
 *     delete              state removed -> exec
 *     others              exec, byte for byte
 */
#ifndef HARDEN_CALL_H
#define HARDEN_CALL_H

#include "base/error.h"
#include "harden/harden.h"
#include "harden/proof.h"
#include "policy/config.h"
#include "runtime/bundle.h"
#include "runtime/command.h"
#include "runtime/record.h"
#include "runtime/selfopt.h"
#include "runtime/state.h"
#include "runtime/target.h"
#include "runtime/usermap.h"

struct call {
  struct selfopt self;
  struct command command;
  struct config config;
  bool configured; /* config was read */
  struct target target;
  char *root; /* the runtime's, without symbolic links; only for verbs that we mediate */

  struct policy policies[HARDEN_POLICIES_MAX]; /* that hold for the container */
  size_t policies_len;

  /* What is known of the container. */
  char *bundle_path;
  json_t *annotations; /* as the engine wrote them */
  bool sandbox, user_namespace;
  pid_t init; /* exec: the container's first process; 0: unknown */

  struct state state; /* where there is one: without what became members above */
  bool known;         /* there is one */

  struct usermap map; /* create: the user namespace that the container is given */

  struct bundle bundle;
  struct harden harden;
  char before[STATE_DIGEST_SIZE], after[STATE_DIGEST_SIZE];

  /* What a failure takes back. */
  bool state_made, state_saved; /* its directories; the state itself */
  int state_lock;               /* held while the state is written; -1 */
  char *private_file;           /* made for the runtime to read */
  bool leased;                  /* a SELinux level was given to the container */

  /* Our own hook, which a guarded run gets and any config may hold. */
  char *hook;
  struct strlist hook_args;
  bool guarded;

  struct proof proof; /* start, exec before it: what came of it, and of what; left to exec to free */
  struct proof_view view;
  json_t *promised;
  const struct verb_row
      *event_row; /* what an event tells of, when it is not what was asked for; NULL: that */
};

void call_init(struct call *c);
/* Returns only on failure; nothing of the bundle or the state is changed then. */
int call_run(struct call *c, char **argv, struct error *err) MUST_CHECK;
/* Puts bundle and state back; what of that fails goes in front of the message. call_run has done it when it
 * returns.
 */
void call_undo(struct call *c, struct error *err);
/* Records and reports; gives the exit code. */
int call_fail(struct call *c, const struct error *err) MUST_CHECK;
/* Only reports. */
int call_report(const struct call *c, const struct error *err) MUST_CHECK;
void call_free(struct call *c);
#define CLEANUP_CALL CLEANUP(call_free)

/* The verbs. Each returns only on failure. */
int call_create(struct call *c, struct error *err) MUST_CHECK; /* run and restore too */
int call_exec(struct call *c, struct error *err) MUST_CHECK;
int call_prove(struct call *c, struct error *err) MUST_CHECK; /* start */
int call_update(struct call *c, struct error *err) MUST_CHECK;
int call_mounts(struct call *c, struct error *err) MUST_CHECK;
int call_delete(struct call *c, struct error *err) MUST_CHECK;

/* Steps that verbs share. */

/* The policies that the configuration gives a container with these annotations. */
int call_select(struct call *c, const json_t *annotations, struct error *err) MUST_CHECK;
/* The policies of an existing container: from its state; without one, as the configuration has it for what
 * the runtime's own record and the bundle tell. */
int call_known_policies(struct call *c, struct error *err) MUST_CHECK;
/* Is a control that judges such a document in force (not off, not audit)? */
bool call_enforces(const struct call *c, enum spec_kind kind);
/* Judges what the policies may forbid and no document holds: OFF nothing, AUDIT journaled, else refused.
 * `why` goes on "..., and policy NAME forbids it; REMEDY". */
int call_judge(struct call *c, const struct policy *policy, int section_action, const char *control,
               const char *rule, const char *why, const char *remedy, struct error *err) MUST_CHECK;
/* --preserve-fds and LISTEN_FDS, which create and exec share. */
int call_judge_fds(struct call *c, struct error *err) MUST_CHECK;
/* The hardened document as a private file, which is the caller's as c->private_file. */
int call_private_file(struct call *c, const char *kind, struct error *err) MUST_CHECK;
/* Gives the container its SELinux level: struct harden_options's `level`, with the call as its argument. */
int call_level(void *call, const char *engine, char **ret, bool *ret_shared, struct error *err) MUST_CHECK;
/* Is the level another pod's? The same struct's `held`. */
int call_level_held(void *call, const char *level, bool *ret, struct error *err) MUST_CHECK;
/* Labels the files of the bind sources for which the hardened config and the policies ask it. */
int call_label_volumes(struct call *c, struct error *err) MUST_CHECK;
/* Takes back what this call has given; what of that fails goes in front of the message. */
void call_level_undo(struct call *c, struct error *err);
/* harden_run with the call's policies. */
int call_harden(struct call *c, int bundle_fd, struct error *err) MUST_CHECK;
/* Compares the process with the promise, whose config, preserved_fds, executed and floorless the caller
 * fills. What was not seen to hold is journaled; what must not start is ERROR_REFUSED. */
int call_compare(struct call *c, struct proof_promise promise, const struct kernel_process *process,
                 struct error *err) MUST_CHECK;
/* The same of a process that stands at its program's first instruction, for what shows only there, by the
 * config that call_prove has read. */
int call_prove_exec(struct call *c, const struct kernel_process *process, struct error *err) MUST_CHECK;
/* exec: a container that waits for its start is proved before anything of its image runs, as start does,
 * which is left to end what is refused here. Nothing of one that runs is looked at. */
int call_prove_before_exec(struct call *c, const struct record *record, struct error *err) MUST_CHECK;
/* What cannot even be compared, which is in *err, is refused where a policy is in force, else recorded. */
int call_unprovable(struct call *c, enum proof_lack lack, struct error *err) MUST_CHECK;
/* harden_judge with the call's policies: a config that we cannot change. */
int call_keeps(struct call *c, int bundle_fd, struct error *err) MUST_CHECK;
/* Appends the event; a failure counts when a policy says so. */
int call_event(struct call *c, struct error *err) MUST_CHECK;
/* Seals fds, installs the floor, execs what the command has become. */
int call_start(struct call *c, struct error *err) MUST_CHECK;
/* Execs the caller's own bytes. */
int call_pass(struct call *c, struct error *err) MUST_CHECK;

#endif
