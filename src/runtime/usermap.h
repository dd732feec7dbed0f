/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user namespace of a container that comes without one: its block of the host's ids, and what the control
 * user-namespace has written into its config, made.
 *
 *   usermap_want   is there one to be given? A block of ids is leased for it
 *   harden         writes it into the config, or does not
 *   usermap_make   makes it; a refusal of the kernel is why the config is hardened anew without it
 *   exec           the runtime runs in the stage's mount namespace; killed at any point, nobody leaves a
 * mount
 *
 * A pod decides once: its containers join the user namespace of its sandbox, or have none.
 */
#ifndef HARDEN_USERMAP_H
#define HARDEN_USERMAP_H

#include "harden/harden.h"
#include "harden/proof.h"
#include "idmap/rootfs.h"
#include "idmap/stage.h"
#include "runtime/state.h"

struct call;

struct usermap {
  bool asked;                   /* a policy wants one, and the container comes without */
  char *why;                    /* why none can be given; NULL: one can, or nobody asked */
  uint32_t base;                /* of its ids on the host; 0: none */
  bool leased;                  /* by this call: a failure gives it back */
  char *place;                  /* directory of its views */
  char *entered[ENTERED_TYPES]; /* paths of namespaces that the runtime must find itself in */
  struct strlist entered_types; /* the same as struct proof_map has it */
  char *path;                   /* of the user namespace of its pod; NULL: a new one */
  char *pid; /* of the pid namespace that it joins, of another container of the pod; NULL: none such */

  struct stage stage; /* entered: the runtime runs there */
  struct mapped_rootfs rootfs;
  dev_t device; /* of its root directory */
  ino_t inode;
  struct strlist unmapped; /* destinations */

  int network; /* joined, in which these sysctls were written; -1: none */
  struct strlist sysctls, sysctls_were;
};
#define USERMAP_NONE                                                                                         \
  { .stage = STAGE_NONE, .network = -1 }

/* Nothing is looked at where no policy wants one. */
int usermap_want(struct call *c, struct error *err) MUST_CHECK;
/* The same with nothing leased, for who only wants to know what would be: the first block, and a place of no
 * container. */
void usermap_sample(struct usermap *m, const struct config *config, const json_t *document,
                    const struct policy *const *policies, size_t policies_len, enum runtime_kind runtime);
/* For harden_options: NULL where nobody asked. Fills and returns *offer, which borrows. */
const struct harden_offer *usermap_offered(const struct usermap *m, struct harden_offer *offer);
/* Does the hardened config have it? */
bool usermap_is_given(const struct call *c) MUST_CHECK;

/* Why it has not, by the journal, though a policy wants it; NULL: it has, or none does. Borrowed. */
const char *usermap_why_none(const struct call *c);

/* *ret_again: it cannot be made, nothing is changed, and c->map.why says why: to be hardened anew, which
 * offers nothing then. Otherwise -1 is for the caller to fail with: so is what was short, or went wrong,
 * which says nothing of what the container can have. */
int usermap_make(struct call *c, bool *ret_again, struct error *err) MUST_CHECK;

/* Gives the ids back, where the config has not come to need them. */
int usermap_drop(struct call *c, struct error *err) MUST_CHECK;
/* Takes back the views, the engine's own mount in its place, the sysctls, and the ids. */
int usermap_undo(struct call *c, struct error *err) MUST_CHECK;
void usermap_free(struct usermap *m);

/* The namespaces that this process, and the runtime that it becomes, is to be in: of a config, or, for an
 * exec, of the container's first process. The last step before exec. */
int usermap_enter(const struct usermap *m, struct error *err) MUST_CHECK;
int usermap_enter_again(const struct strlist *types, pid_t init, struct error *err) MUST_CHECK;

/* create and exec: the container's root owns the pipes that it gets as standard input and output. */
int usermap_own_pipes(uint32_t base, struct error *err) MUST_CHECK;

/* In any user namespace, the engine's own too: crun gives the null device that it gets there to the
 * container's root. */
int usermap_own_null(enum runtime_kind runtime, struct error *err) MUST_CHECK;

/* What a container was promised, by its state; borrows. */
struct proof_map usermap_promised(const struct state *state);

/* The empty directories of a container that is gone. */
void usermap_forget(const struct config *config, const char *root, const char *id);

#endif
