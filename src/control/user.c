/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the process is. Root is uid 0, and any uid that the container's user namespace maps to the host's uid
 * 0: a mapping {containerID 1000, hostID 0} makes 1000 root on the host. An absent user is uid 0 and gid 0.
 */
#include "control/common.h"
#include "control/user_namespace.h"
#include "spec/mapping.h"
#include "spec/namespace.h"

#include <inttypes.h>
#include <string.h>

#define UID "/process/user/uid"
#define GID "/process/user/gid"
#define MAPPINGS "/linux/uidMappings"
#define GROUPS "/process/user/additionalGids"

enum { RULE_NEVER, RULE_REQUIRE, RULE_PREFER, RULE_UID, RULE_GID, RULE_GROUP, RULE_ZERO, RULE_MAPPED };
const struct control_rule user_rules[] = {
  [RULE_NEVER] = { "OH-USR-001", "the root user is refused" },
  [RULE_REQUIRE] = { "OH-USR-002", "the root user is refused outside a user namespace" },
  [RULE_PREFER] = { "OH-USR-003", "the root user outside a user namespace is recorded" },
  [RULE_UID] = { "OH-USR-004", "a uid outside the policy's range is refused" },
  [RULE_GID] = { "OH-USR-005", "a gid outside the policy's range is refused" },
  [RULE_GROUP] = { "OH-USR-006", "an additional group outside the policy's range is refused: without it the "
                                 "container would run and miss its files" },
  [RULE_ZERO] = { "OH-USR-007", "group 0 is taken from the additional groups of a user that is not root" },
  [RULE_MAPPED] = { "OH-USR-008",
                    "a user namespace that maps an id to the host's root is refused where root may "
                    "run only in one of its own, else recorded" },
  { NULL, NULL },
};

/* Absent is 0. False when it is no id. */
static bool id_at(const json_t *root, const char *pointer, uint64_t *ret) {
  const json_t *value = control_at(root, pointer);
  *ret = 0;
  return !value || (jsonx_u64_get(value, ret) && *ret < UINT32_MAX);
}

/* The host's id of a container's one, by the first mapping that covers it; false when none does. */
static bool host_id(const json_t *root, const char *mappings, uint64_t id, uint64_t *ret) {
  const json_t *list = control_at(root, mappings);
  for (size_t i = 0; i < json_array_size(list); i++) {
    const struct spec_mapping m = spec_mapping_of(json_array_get(list, i));
    if (spec_mapping_covers(&m, id, ret))
      return true;
  }
  return false;
}

/* Is the container in a user namespace that is not the host's? */
static bool in_user_namespace(enum spec_kind kind, const json_t *root, const struct facts *facts) {
  if (facts->rootless || (kind == SPEC_PROCESS && facts->user_namespace))
    return true;
  const char *path = spec_namespace_path(root, "user");
  return path ? !strlist_has(&facts->host_namespace_paths, path) : spec_namespace(root, "user") != NULL;
}

/* Would this uid be the host's root? */
static bool is_host_root(enum spec_kind kind, const json_t *root, const struct facts *facts, uint64_t uid) {
  uint64_t outside;
  if (!in_user_namespace(kind, root, facts))
    return uid == 0;
  if (kind == SPEC_PROCESS)
    return facts->has_host_root && uid == (uint64_t)facts->host_root;
  return !facts->rootless && host_id(root, MAPPINGS, uid, &outside) && outside == 0;
}

static bool in_range(uint64_t id, int64_t min, int64_t max) {
  return (min < 0 || id >= (uint64_t)min) && (max < 0 || id <= (uint64_t)max);
}

static int refuse(struct spec *spec, int rule, const char *pointer, const char *text, struct error *err) {
  return spec_refuse(spec, pointer, (struct reason){ user_rules[rule].id, text }, err);
}

/* Why a container that is to have a user namespace can have none; NULL: it can, or is not to have one. */
static char *no_user_namespace(const struct spec *spec, const struct policy *policy,
                               const struct facts *facts, bool *ret_asked) {
  *ret_asked = spec->kind == SPEC_CONFIG && policy->user_namespace.mode != USER_NAMESPACE_OFF &&
               policy_action(policy, policy->user_namespace.action) != ACTION_OFF &&
               !in_user_namespace(spec->kind, spec->root, facts);
  return *ret_asked ? user_namespace_against(spec->root, facts) : NULL;
}

/* What is only recorded has not been given its user namespace, and would have it. */
static bool would_be_mapped(const struct spec *spec, const struct policy *policy, const struct facts *facts) {
  bool asked;
  if (policy_action(policy, policy->user.action) != ACTION_AUDIT)
    return false;
  CLEANUP_FREE char *against = no_user_namespace(spec, policy, facts, &asked);
  return asked && !against;
}

static char *host_root_text(const struct spec *spec, const struct policy *policy, const struct facts *facts) {
  bool asked;
  CLEANUP_FREE char *against = no_user_namespace(spec, policy, facts, &asked);
  return against
             ? xasprintf("this is the host's root: run as another user, for there is no user namespace: %s",
                         against)
             : xstrdup("this is the host's root: run as another user, or in a user namespace");
}

static int apply_root(struct spec *spec, const struct policy *policy, const struct facts *facts, uint64_t uid,
                      struct error *err) {
  const char *pointer = spec_at(spec, UID) ? UID : "/process/user";
  const bool host_root =
      is_host_root(spec->kind, spec->root, facts, uid) && !would_be_mapped(spec, policy, facts);

  switch ((enum root_rule)policy->user.root) {
  case ROOT_ANY:
    return 0;
  case ROOT_NEVER:
    return uid == 0 || host_root ? refuse(spec, RULE_NEVER, pointer, "the policy does not let root run", err)
                                 : 0;
  case ROOT_REQUIRE_USER_NAMESPACE:
    if (host_root) {
      CLEANUP_FREE char *text = host_root_text(spec, policy, facts);
      return refuse(spec, RULE_REQUIRE, pointer, text, err);
    }
    return 0;
  case ROOT_PREFER_USER_NAMESPACE:
    if (host_root)
      spec_finding(spec, pointer,
                   (struct reason){ user_rules[RULE_PREFER].id,
                                    "this is the host's root; another user or a user namespace is safer" });
    return 0;
  }
  return 0;
}

/* The place of a mapping to the host's root, whoever starts as it: an exec may, and what the pod's other
 * containers start. NULL: there is none. */
static char *host_root_mapping(enum spec_kind kind, const json_t *root, const struct facts *facts) {
  const json_t *list = control_at(root, MAPPINGS);
  for (size_t i = 0; kind == SPEC_CONFIG && !facts->rootless && i < json_array_size(list); i++) {
    const struct spec_mapping m = spec_mapping_of(json_array_get(list, i));
    if (m.outside == 0 && m.size > 0 && spec_namespace(root, "user"))
      return xasprintf(MAPPINGS "/%zu", i);
  }
  return NULL;
}

static int apply_mapping(struct spec *spec, const struct policy *policy, const struct facts *facts,
                         struct error *err) {
  CLEANUP_FREE char *pointer = host_root_mapping(spec->kind, spec->root, facts);
  if (!pointer || policy->user.root == ROOT_ANY)
    return 0;
  if (policy->user.root != ROOT_PREFER_USER_NAMESPACE)
    return refuse(spec, RULE_MAPPED, pointer, "this maps an id to the host's root: map it to another", err);
  spec_finding(spec, pointer,
               (struct reason){ user_rules[RULE_MAPPED].id,
                                "this maps an id to the host's root: whoever has it is root of the host" });
  return 0;
}

static int apply_ranges(struct spec *spec, const struct policy *policy, uint64_t uid, uint64_t gid,
                        struct error *err) {
  const json_t *groups = spec_at(spec, GROUPS);
  int64_t min = policy->user.min_gid, max = policy->user.max_gid;

  if (uid != 0 && !in_range(uid, policy->user.min_uid, policy->user.max_uid)) {
    CLEANUP_FREE char *text = xasprintf("uid %" PRIu64 " is outside the policy's range", uid);
    if (refuse(spec, RULE_UID, UID, text, err))
      return -1;
  }
  if (gid != 0 && !in_range(gid, min, max)) {
    CLEANUP_FREE char *text = xasprintf("gid %" PRIu64 " is outside the policy's range", gid);
    if (refuse(spec, RULE_GID, GID, text, err))
      return -1;
  }
  for (size_t i = 0; i < json_array_size(groups); i++) {
    uint64_t group;
    if (!jsonx_u64_get(json_array_get(groups, i), &group) || group == 0 || in_range(group, min, max))
      continue;
    CLEANUP_FREE char *pointer = xasprintf(GROUPS "/%zu", i);
    CLEANUP_FREE char *text = xasprintf("group %" PRIu64 " is outside the policy's range", group);
    if (refuse(spec, RULE_GROUP, pointer, text, err))
      return -1;
  }
  return 0;
}

static int apply_groups(struct spec *spec, struct error *err) {
  const json_t *groups = spec_at(spec, GROUPS);
  json_auto_t *kept = json_array();
  for (size_t i = 0; i < json_array_size(groups); i++) {
    json_t *item = json_array_get(groups, i);
    if (!json_is_integer(item) || json_integer_value(item) != 0)
      jsonx_append_new(kept, json_incref(item));
  }
  if (json_array_size(kept) == json_array_size(groups))
    return 0;
  return spec_set(spec, GROUPS, json_incref(kept),
                  (struct reason){ user_rules[RULE_ZERO].id, "files of group 0 are not for this user" }, err);
}

int user_apply(struct spec *spec, const struct policy *policy, const struct facts *facts, struct error *err) {
  uint64_t uid, gid;
  if (!spec_at(spec, "/process"))
    return apply_mapping(spec, policy, facts, err);
  (void)id_at(spec->root, UID, &uid); /* ids they are: the spec's shape was checked */
  (void)id_at(spec->root, GID, &gid);
  /* The pause process of a pod is the engine's own; which user it is says nothing about the containers, but
   * its user namespace is theirs. */
  if (!facts->sandbox &&
      (apply_root(spec, policy, facts, uid, err) || apply_ranges(spec, policy, uid, gid, err)))
    return -1;
  if (apply_mapping(spec, policy, facts, err))
    return -1;
  return !facts->sandbox && uid != 0 && policy->user.drop_group_zero ? apply_groups(spec, err) : 0;
}

static int verify_groups(const json_t *after, const struct policy *policy, bool root, struct error *err) {
  const json_t *groups = control_at(after, GROUPS);
  for (size_t i = 0; i < json_array_size(groups); i++) {
    uint64_t group = UINT32_MAX;
    if (!jsonx_u64_get(json_array_get(groups, i), &group) || group >= UINT32_MAX)
      return control_broken(err, GROUPS, "item %zu is no gid", i);
    if (group == 0 ? !root && policy->user.drop_group_zero
                   : !in_range(group, policy->user.min_gid, policy->user.max_gid))
      return control_broken(err, GROUPS, "group %" PRIu64 " may not be there", group);
  }
  return 0;
}

int user_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                const struct facts *facts, struct error *err) {
  uint64_t uid, gid;
  CLEANUP_FREE char *mapping = host_root_mapping(kind, after, facts);
  if (mapping && (policy->user.root == ROOT_NEVER || policy->user.root == ROOT_REQUIRE_USER_NAMESPACE))
    return control_broken(err, mapping, "maps an id to the host's root");
  if (!control_at(after, "/process"))
    return 0;
  if (!id_at(after, UID, &uid) || !id_at(after, GID, &gid))
    return control_broken(err, "/process/user", "no ids");
  if (facts->sandbox)
    return 0;
  if (policy->user.root == ROOT_NEVER && uid == 0)
    return control_broken(err, UID, "is root");
  if ((policy->user.root == ROOT_NEVER || policy->user.root == ROOT_REQUIRE_USER_NAMESPACE) &&
      is_host_root(kind, after, facts, uid))
    return control_broken(err, UID, "is the host's root");
  if ((uid != 0 && !in_range(uid, policy->user.min_uid, policy->user.max_uid)) ||
      (gid != 0 && !in_range(gid, policy->user.min_gid, policy->user.max_gid)))
    return control_broken(err, "/process/user", "%" PRIu64 ":%" PRIu64 " is outside the ranges", uid, gid);
  return verify_groups(after, policy, uid == 0, err);
}

/* Nobody becomes another user, unless root becomes nobody's; groups are only taken away. */
int user_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after, const struct facts *facts,
                    struct error *err) {
  static const char *const ids[] = { UID, GID };
  const json_t *was = control_at(before, GROUPS), *is = control_at(after, GROUPS);

  (void)kind, (void)facts;
  for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
    uint64_t a, b;
    bool was_id = id_at(before, ids[i], &a), is_id = id_at(after, ids[i], &b);
    if (was_id && (!is_id || (a != b && a != 0)))
      return control_broken(err, ids[i], "is another");
  }
  for (size_t i = 0; i < json_array_size(is); i++) {
    bool found = false;
    for (size_t j = 0; j < json_array_size(was); j++)
      found |= json_equal(json_array_get(was, j), json_array_get(is, i));
    if (!found)
      return control_broken(err, GROUPS, "has gained a group");
  }
  if (!json_equal(control_at(before, "/process/user/umask"), control_at(after, "/process/user/umask")) &&
      (control_at(before, "/process/user/umask") || control_at(after, "/process/user/umask")))
    return control_broken(err, "/process/user/umask", "is another");
  return 0;
}
