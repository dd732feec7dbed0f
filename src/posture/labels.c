/* SPDX-License-Identifier: Apache-2.0 */
/* The label that SELinux has on the process. */
#include "lsm/context.h"
#include "posture/rows.h"

#include <string.h>

static const char selinux[] = "selinux";

static void deviate(const struct posture *p, char *value, const char *remedy) {
  posture_deviation(p, selinux, POSTURE_LABEL, "label", value, remedy);
}

static void compare_host(const struct posture *p) {
  const bool active = p->f->selinux != SELINUX_ABSENT;
  const bool wants = p->policy->selinux.mode == LSM_REQUIRE || (active && !p->policy->selinux.unenforced);
  if (wants)
    deviate(p, xasprintf("SELinux is %s, and denies nothing", selinux_state_names[p->f->selinux]),
            "hardenctl selinux status tells what keeps it from enforcing");
}

static void compare_label(const struct posture *p) {
  static const char remedy[] = "let the engine, or the wrapper, give it a label (see selinux.md)";
  CLEANUP_SELINUX_CONTEXT struct selinux_context c;
  uint64_t pair;
  if (!selinux_context_parse(&c, p->v->label))
    deviate(p, xasprintf("\"%s\" is no context", p->v->label), remedy);
  else if (strcmp(c.type, policy_selinux_type(p->policy)) != 0 &&
           !strlist_has(&p->policy->selinux.keep, c.type))
    deviate(p, xasprintf("the type %s is not one of the policy's", c.type), remedy);
  else if (!selinux_level_is_pair(c.level, &pair))
    deviate(p,
            xasprintf("the level %s is not one pair of categories: it is not kept apart from other pods",
                      c.level),
            remedy);
}

/* The label itself is told with the user. */
void posture_tell_labels(const struct posture *p) {
  if (p->f->selinux != SELINUX_UNKNOWN && p->f->selinux != SELINUX_ABSENT)
    posture_fact(p, selinux, "host", xstrdup(selinux_state_names[p->f->selinux]));
}

void posture_compare_labels(const struct posture *p) {
  if (!posture_wants(p, p->policy->selinux.action) || p->policy->selinux.mode == LSM_OFF ||
      p->f->selinux == SELINUX_UNKNOWN)
    return;
  if (p->f->selinux != SELINUX_ENFORCING)
    compare_host(p);
  else if (posture_has(p, selinux, KERNEL_LABEL))
    compare_label(p);
}
