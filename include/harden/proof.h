/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof: what was promised, a hardened config.json and the policies behind it, against what the kernel
 * says of the process that the runtime made of it. One table of named promises; each is compared by a pure
 * function, after everything was read.
 *
 *   promise (borrowed) + process -> proof_read -> view -> proof_compare -> one finding for each row
 *
 * Used by the wrapper between create and start, by the OCI hook, and by hardenctl.
 *
 * When is what final? Measured with runc 1.1.5 and 1.3.6, crun 1.8.1 and 1.28, in a created container (its
 * init waits for start): capabilities, no_new_privs, ids and groups, namespaces, mounts, masks, cgroup, cwd,
 * rlimits and oom_score_adj are, in the leader of its threads. The seccomp filter is under runc. crun
 * installs it before that only without no_new_privs; with it, the filter lies ready in an open file
 * (ROOT/ID/seccomp.bpf) and is loaded after start: then that file is judged. An LSM's label holds from the
 * next execve on; SELinux shows which that will be, AppArmor shows every reader of attr/exec his own, so that
 * a start under a profile is compared once more at the program's first instruction (proof_is_at_exec).
 *
 * Of a container that is made by `run` nobody sees that moment, so that it is compared where it stands at its
 * program's first instruction (promise.executed): there all of it is final in every runtime.
 */
#ifndef HARDEN_PROOF_H
#define HARDEN_PROOF_H

#include "base/error.h"
#include "base/str.h"
#include "control/control.h"
#include "io/jsonx.h"
#include "kernel/view.h"
#include "lsm/selinux.h"
#include "policy/config.h"
#include "policy/policy.h"
#include "seccomp/plan.h"

#include <jansson.h>

/* A user namespace that the wrapper has given: what the config's text does not say. Borrowed. */
struct proof_map {
  uint32_t base;           /* the host's id of the container's root; 0: it has none of ours */
  const char *place;       /* the directory of its views, of which the host sees nothing */
  struct strlist unmapped; /* destinations of sources that are shown as they are */
  struct strlist entered;  /* "network:4026532281": a namespace that the wrapper entered, and no config names,
                              by its inode */
};

/* All borrowed. */
struct proof_promise {
  const json_t *config;      /* config.json as it was written, parsed */
  struct jsonx_span seccomp; /* its /linux/seccomp, where that is not built; text NULL: it is in config */
  const char *bundle;        /* the directory that its relative paths are relative to; NULL: unknown */
  enum runtime_kind runtime;
  const struct policy *const *policies; /* whose floors were installed, and whose sections are in force */
  size_t policies_len;
  const struct seccomp_cache *cache; /* where a filter that was judged is remembered; NULL: nowhere */
  unsigned preserved_fds;            /* how many, from 3 on, the engine hands to the container */
  /* Which directory the root was when the wrapper made the container: podman's mount of it is seen by
   * `create` alone, an ID-mapped one by the container alone. Inode 0: unknown. */
  struct {
    dev_t device;
    ino_t inode;
  } rootfs;
  struct proof_map map;
  const char *hook; /* our own, which mounts nothing; NULL: there is none */
  bool executed;    /* the process stands at the container's program (kernel/trap.h), not before its start */
  bool waiting;     /* the process waits for its start; neither: the container runs */
  bool floorless;   /* the wrapper did not start this runtime: nobody installed the policies' floors */
};

/* What is at one path of the promise. */
struct proof_place {
  char *path; /* as the config has it */
  struct kernel_place is;
};
struct proof_places {
  struct proof_place *items;
  size_t len;
};

/* Everything that the comparison reads. For one that is made by hand: kernel_view_init(). */
struct proof_view {
  struct kernel_view kernel;
  struct kernel_namespace host[KERNEL_NAMESPACES]; /* the reader's own */
  struct kernel_namespace *joined; /* of each of /linux/namespaces: what its path is; inode 0: none */
  bool privileged;                 /* the reader is root in the initial user namespace */
  bool sets_floors;                /* the reader may install filters, and so did at create */
  int own_filters;                 /* how many seccomp filters the reader itself has; -1: unknown */
  struct kernel_place root;        /* the process's own */
  struct kernel_place rootfs;      /* what was promised: promise.rootfs, else the config's /root/path */
  struct kernel_place cwd_promised;
  struct kernel_owners owners;  /* where ids are mapped by us */
  enum selinux_state selinux;   /* of the host; UNKNOWN: no label was promised, or it cannot be told */
  struct proof_places mounts;   /* of each of /mounts, in its order */
  struct proof_places masked;   /* of each of /linux/maskedPaths */
  struct proof_places readonly; /* of each of /linux/readonlyPaths */
  struct kernel_filter pending; /* crun: the filter that lies ready; len 0: none */
};

#define PROOF_VIEW_NONE                                                                                      \
  {                                                                                                          \
    .kernel = {.process = KERNEL_PROCESS_NONE, .root = -1 }                                                  \
  }

/* Are we root in the initial user namespace, for whom nothing is out of sight? */
bool proof_is_privileged(void);

/* Fails only when the process is not there; what could not be read is so marked. pid, start: as for
 * kernel_process_open. */
int proof_read(struct proof_view *ret, const struct proof_promise *promise, pid_t pid, uint64_t start,
               struct error *err) MUST_CHECK;
/* The same of a process that is held already, for longer than the view. */
int proof_look(struct proof_view *ret, const struct proof_promise *promise,
               const struct kernel_process *process, struct error *err) MUST_CHECK;
void proof_view_free(struct proof_view *v);
#define CLEANUP_PROOF_VIEW CLEANUP(proof_view_free)

enum proof_outcome {
  PROOF_HELD,
  PROOF_BROKEN, /* the kernel says otherwise */
  PROOF_UNREAD, /* the kernel does not say, at least not to us */
};
extern const char *const proof_outcome_names[]; /* "held", "broken", "unread" */

struct proof_row {
  const char *id;      /* "OH-PRF-010"; stable for ever */
  const char *control; /* whose promise it is: a control's and policy section's name */
  const char *promise; /* one sentence */
  /* PROOF_HELD, or another with what was promised and what the kernel says in *why. */
  enum proof_outcome (*check)(const struct proof_promise *p, const struct proof_view *v, struct str *why);
};
extern const struct proof_row proof_rows[]; /* ends with id NULL */

/* Why there may be nothing to compare. */
enum proof_lack { PROOF_NO_PROCESS, PROOF_NO_CONFIG, PROOF_NO_STATE };
extern const struct control_rule proof_lacks[]; /* by enum proof_lack; ends with id NULL */

struct proof_finding {
  const struct proof_row *row;
  enum proof_outcome outcome;
  bool in_force; /* a policy's section says that a breach stops the container */
  char *text;    /* "promised ..., the kernel says ..."; NULL: held */
};

struct proof {
  struct proof_finding *items; /* one for each row, in the table's order */
  size_t len;
};

/* Pure but for the seccomp cache. */
void proof_compare(struct proof *ret, const struct proof_promise *promise, const struct proof_view *view);
/* Only the rows of what proof_is_at_exec. */
void proof_compare_at_exec(struct proof *ret, const struct proof_promise *promise,
                           const struct proof_view *view);
void proof_free(struct proof *p);
#define CLEANUP_PROOF CLEANUP(proof_free)

/* Is something promised that shows at the program's first instruction only? */
bool proof_is_at_exec(const struct proof_promise *promise);

/* Is there a reason not to start? A promise in force that is broken, or, for a privileged reader, unread, but
 * for what even such a one may not be able to read. */
const struct proof_finding *proof_veto(const struct proof *p, const struct proof_view *view);

#endif
