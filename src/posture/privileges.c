/* SPDX-License-Identifier: Apache-2.0 */
/* What the process may do by itself: capabilities, and whether it can gain more. */
#include "kernel/caps.h"
#include "posture/rows.h"

static const char capabilities[] = "capabilities";

/* "effective, permitted, bounding": the sets that hold the same as `set`, from there on. */
static char *sets_like(const struct kernel_status *s, unsigned set) {
  struct str names = { 0 };
  for (unsigned i = set; i < KERNEL_CAPS; i++)
    if (s->caps[i] == s->caps[set])
      str_addf(&names, "%s%s", names.len ? ", " : "", kernel_caps_names[i]);
  return str_steal(&names);
}

static bool said_before(const struct kernel_status *s, unsigned set) {
  for (unsigned i = 0; i < set; i++)
    if (s->caps[i] == s->caps[set])
      return true;
  return false;
}

static void name_caps(uint64_t set, struct strlist *out) {
  for (unsigned i = 0; i < 64; i++) {
    if (!(set >> i & 1))
      continue;
    const char *name = kernel_cap_name(i);
    strlist_add_new(out, name ? xstrdup(name) : xasprintf("CAP_%u", i));
  }
}

static void tell_capabilities(const struct posture *p) {
  const struct kernel_status *s = &p->v->status;
  const bool mapped = !p->v->unread[KERNEL_NAMESPACE] && !posture_shares(p, KERNEL_NS_USER);
  for (unsigned set = 0; set < KERNEL_CAPS; set++) {
    if (said_before(s, set))
      continue;
    CLEANUP_FREE char *names = sets_like(s, set);
    CLEANUP_STR struct str text = { 0 };
    kernel_caps_text(s->caps[set], &text);
    if (s->caps[set] && mapped)
      str_add(&text, " (in a user namespace of its own)");
    struct posture_row *row = posture_fact(p, capabilities, names, str_steal(&text));
    name_caps(s->caps[set], &row->items);
  }
}

static uint64_t allowed_caps(const struct policy *policy) {
  uint64_t set = 0;
  if (strlist_has(&policy->capabilities.allow, "ALL"))
    return UINT64_MAX;
  for (size_t i = 0; i < policy->capabilities.allow.len; i++) {
    const int number = kernel_cap_number(policy->capabilities.allow.items[i]);
    if (number >= 0)
      set |= UINT64_C(1) << number;
  }
  return set;
}

static void compare_capabilities(const struct posture *p) {
  const uint64_t allowed = allowed_caps(p->policy);
  uint64_t beyond = 0;
  CLEANUP_STR struct str sets = { 0 };
  for (unsigned set = 0; set < KERNEL_CAPS; set++) {
    if (!(p->v->status.caps[set] & ~allowed))
      continue;
    beyond |= p->v->status.caps[set] & ~allowed;
    str_addf(&sets, "%s%s", sets.len ? ", " : "", kernel_caps_names[set]);
  }
  if (!beyond)
    return;
  CLEANUP_STR struct str names = { 0 };
  kernel_caps_text(beyond, &names);
  struct posture_row *row = posture_deviation(
      p, capabilities, POSTURE_CAPABILITIES, sets.data, xasprintf("the policy does not allow %s", names.data),
      "drop them, or let the policy's capabilities.allow name those that it needs");
  name_caps(beyond, &row->items);
}

void posture_tell_privileges(const struct posture *p) {
  if (!posture_has(p, capabilities, KERNEL_STATUS))
    return;
  tell_capabilities(p);
  posture_fact(p, "no-new-privileges", "no_new_privs", xstrdup(p->v->status.no_new_privs ? "on" : "off"));
}

void posture_compare_privileges(const struct posture *p) {
  if (!posture_has(p, capabilities, KERNEL_STATUS))
    return;
  if (posture_wants(p, p->policy->capabilities.action))
    compare_capabilities(p);
  if (posture_wants(p, p->policy->no_new_privileges.action) && !p->v->status.no_new_privs)
    posture_deviation(p, "no-new-privileges", POSTURE_NO_NEW_PRIVILEGES, "no_new_privs",
                      xstrdup("it is off: setuid programs and file capabilities give privileges"),
                      "set process.noNewPrivileges (docker: --security-opt no-new-privileges)");
}
