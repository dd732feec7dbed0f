/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intersection of two profiles: for every call at least as strict as either, and as lenient as that
 * allows where it can be said in a shape that libseccomp compiles rightly.
 *
 * libseccomp's tree of argument comparisons has been seen to allow what no rule allows. Shapes that held in
 * exhaustive trials, and the only ones written here, with one action besides the default for a call: rules of
 * EQ and MASKED_EQ; a single rule; rules of one condition each with constants below 2^31. What
 * fits none of them, or takes more than 40 rules, becomes the strictest action for the whole call. The
 * result is to be compiled and interpreted against both inputs all the same (plan.h).
 */
#ifndef HARDEN_SECCOMP_MERGE_H
#define HARDEN_SECCOMP_MERGE_H

#include "base/str.h"
#include "policy/config.h"
#include "seccomp/model.h"

struct seccomp_merge_options {
  bool native_only;          /* no compat ABI, whatever both sides say. x32 is never in a result */
  enum runtime_kind runtime; /* runc refuses NOTIFY as the default and for write: there it becomes ERRNO */
  bool engine_listener; /* the engine's NOTIFY and listenerPath may stay, unless the policy has its own */
  const struct strlist
      *low; /* names that grant small arguments alone, where they judge any: for a try before ... */
  const struct strlist *coarse; /* names that get one action whatever their arguments, "*" for all: for a
                                   second try when a compiled filter proved weaker. NULL: none */
};

/* How close the result is to the exact intersection. */
struct seccomp_merge_report {
  size_t exact;            /* names for which it is: the same action (of ERRNO: whichever number) */
  struct strlist stricter; /* names that had to become stricter than that */
};
void seccomp_merge_report_free(struct seccomp_merge_report *report);
#define CLEANUP_SECCOMP_MERGE_REPORT CLEANUP(seccomp_merge_report_free)

/*
 * Where one side has no profile both pointers are the other's; the listener then counts as the engine's.
 * Cannot fail. Deterministic, and merge(merge(a, b), b) encodes as merge(a, b) does. `report` may be NULL.
 * Where both give ERRNO, an errno that a rule names wins over a default's, and then the policy's over the
 * engine's. Flags: LOG if either asks for it, SPEC_ALLOW only if both do, WAIT_KILLABLE_RECV with its
 * listener. NOTIFY without a listener of its own side becomes ERRNO(EPERM). Only ABIs that this host's kernel
 * can run are named. Where one of them reaches socket or IPC calls through socketcall(2) or ipc(2), that call
 * gets the strictest action of the family, since libseccomp cannot see its arguments. If both sides are deny
 * lists the result is one: see seccomp_action_permissive(ret->default_action).
 */
void seccomp_profile_merge(const struct seccomp_profile *engine, const struct seccomp_profile *policy,
                           const struct seccomp_merge_options *options, struct seccomp_profile *ret,
                           struct seccomp_merge_report *report);

#endif
