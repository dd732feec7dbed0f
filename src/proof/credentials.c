/* SPDX-License-Identifier: Apache-2.0 */
/* Who the process is and what it may do. */
#include "io/jsonx.h"
#include "kernel/caps.h"
#include "lsm/apparmor.h"
#include "lsm/selinux.h"
#include "proof/rows.h"

#include <string.h>

/* What the config does not name the runtimes take for empty; a name that we do not know promises nothing. */
static uint64_t promised_set(const json_t *sets, const char *name) {
  const json_t *list = json_object_get(sets, name);
  uint64_t set = 0;
  for (size_t i = 0; i < json_array_size(list); i++) {
    const int number = kernel_cap_number(json_string_value(json_array_get(list, i)));
    if (number >= 0)
      set |= UINT64_C(1) << number;
  }
  return set;
}

/* What the program's exec may have given it: of the bounding set, to root, and by the file's own
 * capabilities. */
static uint64_t promised_now(const struct proof_promise *p, const json_t *sets, size_t set) {
  uint64_t promised = promised_set(sets, kernel_caps_names[set]);
  if (p->executed && (set == KERNEL_CAPS_PERMITTED || set == KERNEL_CAPS_EFFECTIVE))
    promised |= promised_set(sets, kernel_caps_names[KERNEL_CAPS_BOUNDING]);
  return promised;
}

enum proof_outcome proof_capabilities(const struct proof_promise *p, const struct proof_view *v,
                                      struct str *why) {
  const json_t *sets = jsonx_at(p->config, "/process/capabilities");
  if (proof_unread(v, KERNEL_STATUS, why))
    return PROOF_UNREAD;
  for (size_t i = 0; i < KERNEL_CAPS; i++) {
    const uint64_t beyond = v->kernel.status.caps[i] & ~promised_now(p, sets, i);
    CLEANUP_STR struct str names = { 0 };
    if (!beyond)
      continue;
    kernel_caps_text(beyond, &names);
    proof_say(why, "the %s set was promised without %s, which the kernel has in it", kernel_caps_names[i],
              names.data);
  }
  return proof_outcome_of(why);
}

enum proof_outcome proof_no_new_privileges(const struct proof_promise *p, const struct proof_view *v,
                                           struct str *why) {
  if (!json_is_true(jsonx_at(p->config, "/process/noNewPrivileges")))
    return PROOF_HELD;
  if (proof_unread(v, KERNEL_STATUS, why))
    return PROOF_UNREAD;
  if (!v->kernel.status.no_new_privs)
    proof_say(why, "no_new_privs was promised, and the kernel has it off");
  return proof_outcome_of(why);
}

/* The id as we see it. In our own user namespace an id is itself, and the kernel shows the map to the one
 * above. False: it is not mapped. */
static bool seen_as(const struct proof_view *v, const struct kernel_idmap *map, uint64_t id, uint64_t *ret) {
  *ret = id;
  if (kernel_namespace_same(&v->kernel.namespaces[KERNEL_NS_USER], &v->host[KERNEL_NS_USER]))
    return true;
  for (size_t i = 0; i < map->len; i++) {
    const struct kernel_mapping *m = &map->items[i];
    if (id >= m->inside && id - m->inside < m->count) {
      *ret = m->outside + (id - m->inside);
      return true;
    }
  }
  return false;
}

static bool unread_ids(const struct proof_view *v, struct str *why) {
  return proof_unread(v, KERNEL_STATUS, why) || proof_unread(v, KERNEL_NAMESPACE, why) ||
         proof_unread(v, KERNEL_IDMAPS, why);
}

/* An absent user is 0, in runc and crun. */
static uint64_t number_at(const json_t *config, const char *pointer) {
  uint64_t number = 0;
  jsonx_u64_get(jsonx_at(config, pointer), &number);
  return number;
}

/* `ids`: how many of them count. */
static void compare_ids(const char *what, const struct proof_view *v, const struct kernel_idmap *map,
                        uint64_t promised, const uint32_t is[KERNEL_IDS], size_t ids, struct str *why) {
  uint64_t id;
  const bool mapped = seen_as(v, map, promised, &id);
  for (size_t i = 0; i < ids; i++)
    if (!mapped || is[i] != id) {
      proof_say(why, "%s %llu was promised, and the kernel has %u (as seen from the host)", what,
                (unsigned long long)promised, is[i]);
      return;
    }
}

enum proof_outcome proof_user(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  if (unread_ids(v, why))
    return PROOF_UNREAD;
  /* A program with a set-id bit has changed all but the real ones, where the config lets it. */
  const size_t ids = p->executed && !v->kernel.status.no_new_privs ? KERNEL_ID_REAL + 1 : KERNEL_IDS;
  compare_ids("uid", v, &v->kernel.uid_map, number_at(p->config, "/process/user/uid"), v->kernel.status.uid,
              ids, why);
  compare_ids("gid", v, &v->kernel.gid_map, number_at(p->config, "/process/user/gid"), v->kernel.status.gid,
              ids, why);
  return proof_outcome_of(why);
}

static bool wants_another_root(const struct proof_promise *p) {
  const struct control *control = control_find("user");
  for (size_t i = 0; i < p->policies_len; i++) {
    const enum action action = control_action(control, p->policies[i]);
    const int root = p->policies[i]->user.root;
    if ((action == ACTION_HARDEN || action == ACTION_DENY) &&
        (root == ROOT_NEVER || root == ROOT_REQUIRE_USER_NAMESPACE))
      return true;
  }
  return false;
}

/* Of one that it joins the config says nothing, and an exec may start as any id of it. */
enum proof_outcome proof_host_root(const struct proof_promise *p, const struct proof_view *v,
                                   struct str *why) {
  const struct kernel_idmap *map = &v->kernel.uid_map;
  if (!v->privileged || !wants_another_root(p))
    return PROOF_HELD;
  if (proof_unread(v, KERNEL_NAMESPACE, why) || proof_unread(v, KERNEL_IDMAPS, why))
    return PROOF_UNREAD;
  if (kernel_namespace_same(&v->kernel.namespaces[KERNEL_NS_USER], &v->host[KERNEL_NS_USER]))
    return PROOF_HELD;
  for (size_t i = 0; i < map->len; i++)
    if (map->items[i].outside == 0)
      proof_say(why, "ids other than the host's root were promised, and the kernel maps uid %u to it",
                map->items[i].inside);
  return proof_outcome_of(why);
}

static bool promised_group(const struct proof_promise *p, const struct proof_view *v, uint32_t group) {
  const json_t *list = jsonx_at(p->config, "/process/user/additionalGids");
  uint64_t id;
  if (seen_as(v, &v->kernel.gid_map, number_at(p->config, "/process/user/gid"), &id) && id == group)
    return true;
  for (size_t i = 0; i < json_array_size(list); i++) {
    uint64_t promised;
    if (jsonx_u64_get(json_array_get(list, i), &promised) && seen_as(v, &v->kernel.gid_map, promised, &id) &&
        id == group)
      return true;
  }
  return false;
}

/* A rootless runtime may not drop the caller's own groups, which it does not map: they show as the overflow
 * id. */
enum proof_outcome proof_groups(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  enum { OVERFLOW_GID = 65534 };
  if (unread_ids(v, why))
    return PROOF_UNREAD;
  for (size_t i = 0; i < v->kernel.status.groups_len; i++) {
    const uint32_t group = v->kernel.status.groups[i];
    if (!promised_group(p, v, group) && (v->privileged || group != OVERFLOW_GID))
      proof_say(why, "group %u was not promised, and the kernel has it", group);
  }
  return proof_outcome_of(why);
}

/* Does a policy in force want AppArmor to enforce? */
static bool wants_enforcement(const struct proof_promise *p) {
  for (size_t i = 0; i < p->policies_len; i++) {
    const struct policy *policy = p->policies[i];
    const enum action action = policy_action(policy, policy->apparmor.action);
    if (policy->apparmor.mode != LSM_OFF && (action == ACTION_HARDEN || action == ACTION_DENY))
      return true;
  }
  return false;
}

static bool has_all(const struct strlist *are, const struct strlist *promised) {
  for (size_t i = 0; i < promised->len; i++)
    if (!strlist_has(are, promised->items[i]))
      return false;
  return true;
}

static const char *promised_profile(const struct proof_promise *p) {
  const char *promised = json_string_value(jsonx_at(p->config, "/process/apparmorProfile"));
  return promised && *promised && strcmp(promised, "unconfined") != 0 ? promised : NULL;
}

bool proof_is_at_exec(const struct proof_promise *p) {
  return promised_profile(p) && wants_enforcement(p);
}

/*
 * Before the start nothing of it is to be seen: runc and crun have written what holds from the next execve
 * on, and the kernel gives every reader of another's attr/exec his own. More than the promised may confine:
 * what the runtime itself ran under. The kernel gives one mode for all of a label; "mixed" is none that
 * enforces.
 */
enum proof_outcome proof_apparmor(const struct proof_promise *p, const struct proof_view *v,
                                  struct str *why) {
  const char *promised = promised_profile(p);
  if (!promised || p->waiting)
    return PROOF_HELD;
  if (proof_unread(v, KERNEL_LABEL, why))
    return PROOF_UNREAD;
  CLEANUP_FREE char *label = xstrdup(v->kernel.label);
  CLEANUP_STRLIST struct strlist names = { 0 };
  CLEANUP_STRLIST struct strlist are = { 0 };
  const enum apparmor_mode mode = apparmor_label_split(label);
  if (!apparmor_label_parse(promised, &names) || !apparmor_label_parse(label, &are) || !has_all(&are, &names))
    proof_say(why, "the profile %s was promised, and the kernel has \"%s\"", promised, v->kernel.label);
  else if (!apparmor_mode_enforces(mode) && wants_enforcement(p))
    proof_say(why, "the profile %s was promised to be enforced, and the kernel has \"%s\"", promised,
              v->kernel.label);
  return proof_outcome_of(why);
}

/* Does a policy in force refuse a SELinux that does not enforce? It may have been switched over since create.
 */
static bool wants_enforcing_selinux(const struct proof_promise *p) {
  for (size_t i = 0; i < p->policies_len; i++) {
    const struct policy *policy = p->policies[i];
    const enum action action = policy_action(policy, policy->selinux.action);
    const bool wants = policy->selinux.mode == LSM_REQUIRE ||
                       (policy->selinux.mode == LSM_PREFER && !policy->selinux.unenforced);
    if (wants && (action == ACTION_HARDEN || action == ACTION_DENY))
      return true;
  }
  return false;
}

/* Before the start the label is the runtime's, and the promised one holds from the next execve on, which is
 * the container's program. */
enum proof_outcome proof_selinux(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  const char *promised = json_string_value(jsonx_at(p->config, "/process/selinuxLabel"));
  if (!promised || !*promised)
    return PROOF_HELD;
  if (proof_unread(v, KERNEL_LABEL, why))
    return PROOF_UNREAD;
  const char *is = *v->kernel.label_on_exec ? v->kernel.label_on_exec : v->kernel.label;
  if (strcmp(is, promised) != 0)
    proof_say(why, "the label %s was promised, and the kernel has \"%s\", on exec \"%s\"", promised,
              v->kernel.label, v->kernel.label_on_exec);
  if (v->selinux != SELINUX_ENFORCING && wants_enforcing_selinux(p))
    proof_say(why, "the label %s was promised to be enforced, and SELinux is %s", promised,
              selinux_state_names[v->selinux]);
  return proof_outcome_of(why);
}
