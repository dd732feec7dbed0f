/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A control: one thing that a container may do, and the three functions that govern it. The table in table.c
 * is the only list of them. Controls are pure: no system call, no environment, no clock; what they need to
 * know is in facts.
 */
#ifndef HARDEN_CONTROL_H
#define HARDEN_CONTROL_H

#include "base/error.h"
#include "facts/facts.h"
#include "policy/policy.h"
#include "spec/spec.h"

#include <stdbool.h>
#include <stddef.h>

/* One decision a control can take; the id is stable for ever and appears in errors, events and docs. */
struct control_rule {
  const char *id;      /* "OH-CAP-001" */
  const char *summary; /* one sentence */
};

struct control {
  const char *name;     /* also the policy section's */
  size_t action_offset; /* of the section's `action` in struct policy */
  bool on_exec;         /* judges SPEC_PROCESS documents too */
  bool on_update;       /* judges SPEC_RESOURCES documents too */

  /* Makes the document keep the policy through spec_set/remove/refuse/finding. Idempotent. */
  int (*apply)(struct spec *spec, const struct policy *policy, const struct facts *facts, struct error *err);

  /* Written from the promise, not from apply: does `after` (re-parsed output bytes, wrapped as in struct
   * spec) keep the policy? Called only for ACTION_HARDEN and ACTION_DENY. -1 with ERROR_INTERNAL and the
   * pointer in the message when not. */
  int (*verify)(enum spec_kind kind, const json_t *after, const struct policy *policy,
                const struct facts *facts, struct error *err);

  /* The order of strictness, whatever the policy: is `after` at least as strict as `before`? Called always,
   * also for ACTION_OFF. -1 with ERROR_INTERNAL when not. */
  int (*not_weaker)(enum spec_kind kind, const json_t *before, const json_t *after, const struct facts *facts,
                    struct error *err);

  /* MITRE ATT&CK technique and one sentence of the guarantee, for events, docs and `hardenctl policy show`.
   */
  const char *technique;
  const char *guarantee;
  const struct control_rule *rules; /* every id that it journals or refuses with; ends with id NULL */
};

extern const struct control controls[]; /* in order of application; ends with name NULL */
const struct control *control_find(const char *name);
enum action control_action(const struct control *c, const struct policy *p);
bool control_judges(const struct control *c, enum spec_kind kind);

/*
 * The pipeline without I/O. harden_apply runs every control of the policy over the spec; harden_verify judges
 * bytes: every control's verify, every control's not_weaker, then the invariants that span controls
 * (invariant.c). `before` is the parsed input, `after` the re-parsed output, both wrapped.
 */
int harden_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                 struct error *err) MUST_CHECK;
/* Once, after the last policy: what the wrapper does instead of the runtime is taken out of the document,
 * which every control has judged by then. *ret_outside: sysctls, as in /linux/sysctl; NULL: none. New
 * reference. */
int harden_finish(struct spec *spec, const struct facts *facts, json_t **ret_outside,
                  struct error *err) MUST_CHECK;
int harden_verify(enum spec_kind kind, const json_t *before, const json_t *after, const struct policy *policy,
                  const struct facts *facts, struct error *err) MUST_CHECK;
/* Does a config keep what the policy promises, whoever wrote it? The controls' verify alone. */
int harden_keeps(const json_t *config, const struct policy *policy, const struct facts *facts,
                 struct error *err) MUST_CHECK;
/* Adds our own hook (facts->hook) where it is not there; journaled, whatever the policy's actions. */
int hooks_add_own(struct spec *spec, const struct facts *facts, struct error *err) MUST_CHECK;
/* The profile of ours ("restricted") that the control apparmor would set and that is not loaded; NULL: none.
 */
const char *apparmor_wants(const struct spec *spec, const struct policy *policy, const struct facts *facts);
int invariants_verify(enum spec_kind kind, const json_t *before, const json_t *after,
                      const struct policy *policy, const struct facts *facts, struct error *err) MUST_CHECK;

#endif
