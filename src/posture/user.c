/* SPDX-License-Identifier: Apache-2.0 */
/* Who the process is: its ids, and the label of an LSM. Root in a user namespace of its own is nobody much.
 */
#include "posture/rows.h"

#include <inttypes.h>

static const char user[] = "user";

/* As the process's own user namespace numbers it; false: it has no number there. */
static bool inside(const struct kernel_idmap *map, uint32_t outside, uint32_t *ret) {
  for (size_t i = 0; i < map->len; i++) {
    const struct kernel_mapping *m = &map->items[i];
    if (outside >= m->outside && outside - m->outside < m->count) {
      *ret = m->inside + (outside - m->outside);
      return true;
    }
  }
  return false;
}

static bool maps_all(const struct kernel_idmap *map) {
  return map->len == 1 && map->items[0].inside == 0 && map->items[0].outside == 0 &&
         map->items[0].count == UINT32_MAX;
}

static void tell_map(const struct posture *p, const char *what, const struct kernel_idmap *map) {
  if (maps_all(map)) {
    posture_fact(p, user, what, xstrdup("the host's ids"));
    return;
  }
  struct str text = { 0 };
  for (size_t i = 0; i < map->len; i++) {
    const struct kernel_mapping *m = &map->items[i];
    str_addf(&text, "%s%" PRIu32 "-%" PRIu32 " are the host's %" PRIu32 "-%" PRIu32, i ? ", " : "", m->inside,
             m->inside + m->count - 1, m->outside, m->outside + m->count - 1);
  }
  if (map->len == 0)
    str_add(&text, "none");
  posture_fact(p, user, what, str_steal(&text));
}

static char *id_text(const struct posture *p, uint32_t id, const struct kernel_idmap *map) {
  uint32_t own;
  if (p->v->unread[KERNEL_IDMAPS] || maps_all(map) || !inside(map, id, &own) || own == id)
    return xasprintf("%" PRIu32, id);
  return xasprintf("%" PRIu32 " (the host's %" PRIu32 ")", own, id);
}

static void tell_user(const struct posture *p) {
  const struct kernel_status *s = &p->v->status;
  posture_fact(p, user, "uid", id_text(p, s->uid[KERNEL_ID_EFFECTIVE], &p->v->uid_map));
  posture_fact(p, user, "gid", id_text(p, s->gid[KERNEL_ID_EFFECTIVE], &p->v->gid_map));
  struct str groups = { 0 };
  for (size_t i = 0; i < s->groups_len; i++) {
    CLEANUP_FREE char *id = id_text(p, s->groups[i], &p->v->gid_map);
    str_addf(&groups, "%s%s", i ? ", " : "", id);
  }
  posture_fact(p, user, "groups", groups.len ? str_steal(&groups) : xstrdup("none"));
}

static void compare_root(const struct posture *p) {
  static const char remedy[] = "run it as another user, or in a user namespace";
  bool root_inside = false;
  bool root_outside = false;
  for (unsigned i = 0; i < KERNEL_IDS; i++) {
    const uint32_t uid = p->v->status.uid[i];
    uint32_t own = uid;
    (void)inside(&p->v->uid_map, uid, &own);
    root_outside |= uid == 0;
    root_inside |= own == 0;
  }
  switch ((enum root_rule)p->policy->user.root) {
  case ROOT_ANY:
    return;
  case ROOT_NEVER:
    if (root_inside || root_outside)
      posture_deviation(p, user, POSTURE_ROOT_USER, "uid", xstrdup("the policy does not let root run"),
                        "run it as another user");
    return;
  case ROOT_REQUIRE_USER_NAMESPACE:
    if (root_outside)
      posture_deviation(p, user, POSTURE_ROOT_USER, "uid",
                        xstrdup("it is the host's root, which the policy does not let run"), remedy);
    return;
  case ROOT_PREFER_USER_NAMESPACE:
    if (root_outside)
      posture_deviation(p, user, POSTURE_ROOT_USER, "uid",
                        xstrdup("it is the host's root, which the policy lets run, and records"), remedy);
    return;
  }
}

static bool in_range(uint32_t id, int64_t min, int64_t max) {
  return (min < 0 || id >= min) && (max < 0 || id <= max);
}

static void compare_range(const struct posture *p, const char *what, uint32_t id,
                          const struct kernel_idmap *map, int64_t min, int64_t max) {
  uint32_t own = id;
  (void)inside(map, id, &own);
  if (own != 0 && !in_range(own, min, max))
    posture_deviation(p, user, POSTURE_IDS, what, xasprintf("%" PRIu32 " is outside the policy's range", own),
                      "run it as a user and in groups of the range that the policy's section user names");
}

static void compare_user(const struct posture *p) {
  const struct kernel_status *s = &p->v->status;
  const struct policy *policy = p->policy;
  compare_root(p);
  compare_range(p, "uid", s->uid[KERNEL_ID_EFFECTIVE], &p->v->uid_map, policy->user.min_uid,
                policy->user.max_uid);
  compare_range(p, "gid", s->gid[KERNEL_ID_EFFECTIVE], &p->v->gid_map, policy->user.min_gid,
                policy->user.max_gid);
  bool zero = false;
  for (size_t i = 0; i < s->groups_len; i++) {
    compare_range(p, "groups", s->groups[i], &p->v->gid_map, policy->user.min_gid, policy->user.max_gid);
    zero |= s->groups[i] == 0;
  }
  if (zero && s->uid[KERNEL_ID_EFFECTIVE] != 0 && policy->user.drop_group_zero)
    posture_deviation(p, user, POSTURE_GROUP_ZERO, "groups",
                      xstrdup("a user that is not root is in the host's group 0"),
                      "take 0 out of its additional groups");
}

void posture_tell_user(const struct posture *p) {
  if (!p->v->unread[KERNEL_STATUS])
    tell_user(p);
  if (posture_has(p, user, KERNEL_IDMAPS)) {
    tell_map(p, "uid map", &p->v->uid_map);
    tell_map(p, "gid map", &p->v->gid_map);
  }
  if (posture_has(p, "lsm", KERNEL_LABEL))
    posture_fact(p, "lsm", "label", xstrdup(*p->v->label ? p->v->label : "none"));
}

void posture_compare_user(const struct posture *p) {
  if (posture_wants(p, p->policy->user.action) && !p->f->sandbox && !p->v->unread[KERNEL_STATUS] &&
      posture_has(p, user, KERNEL_IDMAPS))
    compare_user(p);
}
