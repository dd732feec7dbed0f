/* SPDX-License-Identifier: Apache-2.0 */
/* The table of promises, and what becomes of a row. */
#include "control/control.h"
#include "proof/rows.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

enum { ROWS = 26, TEXT_MAX = 600 }; /* TEXT_MAX: bytes of a text, behind which more of the same is left out */

/* clang-format off */
const struct proof_row proof_rows[] = {
  {"OH-PRF-010", "capabilities", "no capability set holds more than the config's", proof_capabilities},
  {"OH-PRF-011", "no-new-privileges", "no_new_privs is set where the config says so", proof_no_new_privileges},
  {"OH-PRF-012", "seccomp", "no system call of any ABI passes that the config's filter stops", proof_filter},
  {"OH-PRF-013", "seccomp", "the policy's floor lies below the container's filter", proof_floor},
  {"OH-PRF-014", "user", "the process runs as the config's user and group", proof_user},
  {"OH-PRF-015", "user", "it has no supplementary group that the config does not name", proof_groups},
  {"OH-PRF-016", "namespaces", "each namespace of the config is a new one, or the one that the config joins", proof_namespaces},
  {"OH-PRF-017", "namespaces", "ids are mapped as the config says", proof_idmaps},
  {"OH-PRF-018", "rootfs", "the root is the config's directory", proof_root},
  {"OH-PRF-019", "rootfs", "the root is read-only where the config says so", proof_root_readonly},
  {"OH-PRF-020", "rootfs", "no mount propagates to the host unless the config says so", proof_propagation},
  {"OH-PRF-021", "mounts", "every mount of the config is there, of its type, with its flags", proof_mounts},
  {"OH-PRF-022", "mounts", "nothing else is mounted", proof_no_other_mounts},
  {"OH-PRF-023", "paths", "every masked path is the null device or an empty read-only tmpfs", proof_masked},
  {"OH-PRF-024", "paths", "every read-only path is read-only", proof_readonly},
  {"OH-PRF-025", "resources", "the cgroup's limits are not above the config's", proof_cgroup},
  {"OH-PRF-026", "resources", "no rlimit is above the config's", proof_rlimits},
  {"OH-PRF-027", "process", "the working directory is the config's, in the container", proof_cwd},
  {"OH-PRF-028", "process", "oom_score_adj is not below the config's", proof_oom_score},
  {"OH-PRF-029", "process", "no open directory and no other file of the host comes along", proof_files},
  {"OH-PRF-030", "apparmor", "the AppArmor profile is the config's, and enforced", proof_apparmor},
  {"OH-PRF-031", "selinux", "the SELinux label is the config's", proof_selinux},
  {"OH-PRF-032", "user-namespace", "exactly the promised ids of the host are the container's", proof_map},
  {"OH-PRF-033", "user-namespace", "its user namespace owns every namespace that is new, and those that the wrapper entered are the promised ones", proof_owners},
  {"OH-PRF-034", "user-namespace", "its root and what is bound from the host belong to its own ids", proof_views},
  {"OH-PRF-035", "user", "no id of its user namespace is the host's root where the policy wants root to be another's", proof_host_root},
  {NULL, NULL, NULL, NULL},
};
/* clang-format on */
_Static_assert(ARRAY_SIZE(proof_rows) == ROWS + 1, "every row has its finding");

const struct control_rule proof_lacks[] = {
  [PROOF_NO_PROCESS] = { "OH-PRF-001", "the created process is the one on the runtime's record, and waits on "
                                       "the container's FIFO" },
  [PROOF_NO_CONFIG] = { "OH-PRF-002", "the config is still the one that was verified at create" },
  [PROOF_NO_STATE] = { "OH-PRF-003", "the container was created through the wrapper" },
  { NULL, NULL },
};

const char *const proof_outcome_names[] = {
  [PROOF_HELD] = "held", [PROOF_BROKEN] = "broken", [PROOF_UNREAD] = "unread"
};

void proof_say(struct str *why, const char *fmt, ...) {
  static const char more[] = "; and more";
  va_list args;
  if (why->len > TEXT_MAX) {
    if (!str_ends(why->data, more))
      str_add(why, more);
    return;
  }
  va_start(args, fmt);
  CLEANUP_FREE char *text = xvasprintf(fmt, args);
  va_end(args);
  str_add(why, why->len ? "; " : "");
  str_add(why, text);
}

enum proof_outcome proof_outcome_of(const struct str *why) {
  return why->len ? PROOF_BROKEN : PROOF_HELD;
}

bool proof_unread(const struct proof_view *v, enum kernel_part part, struct str *why) {
  if (v->kernel.unread[part])
    proof_say(why, "%s: %s", kernel_part_names[part], v->kernel.unread[part]);
  return v->kernel.unread[part] != NULL;
}

/* A row without a control of ours holds wherever a policy enforces anything. */
static bool in_force(const struct proof_promise *p, const struct proof_row *row) {
  const struct control *control = control_find(row->control);
  for (size_t i = 0; i < p->policies_len; i++) {
    const enum action action =
        control ? control_action(control, p->policies[i]) : policy_action(p->policies[i], ACTION_HARDEN);
    if (action == ACTION_HARDEN || action == ACTION_DENY)
      return true;
  }
  return false;
}

static void compare(struct proof *ret, const struct proof_row *row, const struct proof_promise *promise,
                    const struct proof_view *view) {
  CLEANUP_STR struct str why = { 0 };
  struct proof_finding *f = &ret->items[ret->len++];
  f->row = row;
  f->in_force = in_force(promise, row);
  f->outcome = row->check(promise, view, &why);
  f->text = f->outcome == PROOF_HELD ? NULL : str_steal(&why);
}

void proof_compare(struct proof *ret, const struct proof_promise *promise, const struct proof_view *view) {
  *ret = (struct proof){ .items = xcalloc(ROWS, sizeof *ret->items) };
  for (const struct proof_row *row = proof_rows; row->id; row++)
    compare(ret, row, promise, view);
}

void proof_compare_at_exec(struct proof *ret, const struct proof_promise *promise,
                           const struct proof_view *view) {
  *ret = (struct proof){ .items = xcalloc(ROWS, sizeof *ret->items) };
  for (const struct proof_row *row = proof_rows; row->id; row++)
    if (row->check == proof_apparmor)
      compare(ret, row, promise, view);
}

void proof_free(struct proof *p) {
  for (size_t i = 0; i < p->len; i++)
    free(p->items[i].text);
  free(p->items);
  *p = (struct proof){ 0 };
}

/* The kernel shows filters to nobody who is filtered himself (an engine's SystemCallFilter=), nor where it
 * was built without that: then proof_filter has judged by their number. */
static bool excusable(const struct proof_finding *f, const struct proof_view *v) {
  const int reason = v->kernel.unread_errno[KERNEL_FILTERS];
  return (f->row->check == proof_filter || f->row->check == proof_floor) &&
         ((reason == EACCES && v->own_filters != 0) || reason == EINVAL);
}

const struct proof_finding *proof_veto(const struct proof *p, const struct proof_view *v) {
  for (size_t i = 0; i < p->len; i++) {
    const struct proof_finding *f = &p->items[i];
    if (!f->in_force || f->outcome == PROOF_HELD)
      continue;
    if (f->outcome == PROOF_BROKEN || (v->privileged && !excusable(f, v)))
      return f;
  }
  return NULL;
}
