/* SPDX-License-Identifier: Apache-2.0 */
/* The label that SELinux has on the process, or AppArmor. */
#include "lsm/apparmor.h"
#include "lsm/context.h"
#include "posture/rows.h"

#include <string.h>

static const char selinux[] = "selinux", apparmor[] = "apparmor";

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

/* Is one of the names enough by the policy? */
static bool is_profile_of(const struct strlist *names, const struct policy *policy) {
  CLEANUP_FREE char *own = policy->apparmor.profile ? apparmor_kernel_name(policy->apparmor.profile) : NULL;
  const unsigned rank = own ? apparmor_own_rank(own) : 0;
  for (size_t i = 0; i < names->len; i++) {
    const char *name = names->items[i];
    if (strlist_matches(&policy->apparmor.keep, name) || (own && strcmp(own, name) == 0) ||
        (rank > 0 && apparmor_own_rank(name) >= rank))
      return true;
  }
  return false;
}

static void compare_profile(const struct posture *p) {
  static const char remedy[] = "let the wrapper start it, or name the profile in the policy's apparmor.keep";
  CLEANUP_FREE char *label = xstrdup(p->v->label);
  CLEANUP_STRLIST struct strlist names = { 0 };
  const enum apparmor_mode mode = apparmor_label_split(label);
  const bool named = apparmor_label_parse(label, &names);
  if (mode == APPARMOR_UNCONFINED && strlist_has(&p->policy->apparmor.keep, "unconfined"))
    return;
  if (!apparmor_mode_enforces(mode))
    posture_deviation(p, apparmor, POSTURE_PROFILE, "profile",
                      xasprintf("\"%s\" denies nothing", p->v->label), remedy);
  else if (!named || !is_profile_of(&names, p->policy))
    posture_deviation(p, apparmor, POSTURE_PROFILE, "profile",
                      xasprintf("%s is neither the policy's nor one that it keeps", label), remedy);
}

/* Before its start a process is still the runtime's, and nobody sees what it will be. */
static void compare_apparmor(const struct posture *p) {
  if (!posture_wants(p, p->policy->apparmor.action) || p->policy->apparmor.mode == LSM_OFF || p->f->created)
    return;
  if (p->f->apparmor == APPARMOR_ON && posture_has(p, apparmor, KERNEL_LABEL))
    compare_profile(p);
  if ((p->f->apparmor == APPARMOR_ABSENT || p->f->apparmor == APPARMOR_DISABLED) &&
      p->policy->apparmor.mode == LSM_REQUIRE)
    posture_deviation(p, apparmor, POSTURE_PROFILE, "host",
                      xasprintf("AppArmor %s, and the policy requires it",
                                apparmor_state_text((enum apparmor_state)p->f->apparmor)),
                      "hardenctl apparmor status tells more");
}

/* The label itself is told with the user. */
void posture_tell_labels(const struct posture *p) {
  if (p->f->selinux != SELINUX_UNKNOWN && p->f->selinux != SELINUX_ABSENT)
    posture_fact(p, selinux, "host", xstrdup(selinux_state_names[p->f->selinux]));
  if (p->f->apparmor == APPARMOR_ON || p->f->apparmor == APPARMOR_HIDDEN)
    posture_fact(p, apparmor, "host", xstrdup(apparmor_state_names[p->f->apparmor]));
}

void posture_compare_labels(const struct posture *p) {
  compare_apparmor(p);
  if (!posture_wants(p, p->policy->selinux.action) || p->policy->selinux.mode == LSM_OFF ||
      p->f->selinux == SELINUX_UNKNOWN)
    return;
  if (p->f->selinux != SELINUX_ENFORCING)
    compare_host(p);
  else if (posture_has(p, selinux, KERNEL_LABEL))
    compare_label(p);
}
