/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user namespace for a container that comes without one. What is written here are places (facts->offer)
 * that the wrapper fills afterwards: an ID-mapped view of the root and of every source, and views of the file
 * systems that only the owner of a joined namespace may mount. One that the engine made is left as it is.
 */
#include "control/common.h"
#include "control/mount_view.h"
#include "control/sysctl.h"
#include "control/user_namespace_against.h"

#include <inttypes.h>
#include <string.h>

enum {
  RULE_MAP,
  RULE_VIEW,
  RULE_FLAGS,
  RULE_SYSCTL,
  RULE_NONE,
  RULE_REQUIRE,
  RULE_UNMAPPED,
  RULE_ENTERED,
  RULE_EXPOSED
};
const struct control_rule user_namespace_rules[] = {
  [RULE_MAP] = { "OH-UNS-001", "a container that comes without a user namespace gets one, whose ids are an "
                               "unprivileged range of the host's" },
  [RULE_VIEW] = { "OH-UNS-002", "its root and bind sources become ID-mapped views of the engine's" },
  [RULE_FLAGS] = { "OH-UNS-003", "a bind of a view repeats the flags that the view has" },
  [RULE_SYSCTL] = { "OH-UNS-004", "a sysctl is within the mapped ids, or the wrapper sets it where the "
                                  "container may not" },
  [RULE_NONE] = { "OH-UNS-005", "that a container has no user namespace is recorded, with the reason" },
  [RULE_REQUIRE] = { "OH-UNS-006", "a container that can have no user namespace is refused where the policy "
                                   "requires one" },
  [RULE_UNMAPPED] = { "OH-UNS-007", "an exec's user and groups are mapped" },
  [RULE_ENTERED] = { "OH-UNS-008", "a joined namespace of another owner is entered by the wrapper" },
  [RULE_EXPOSED] = { "OH-UNS-009",
                     "it is recorded where a set-user-ID program that the container's root makes is "
                     "within reach of the host's users, for whom it is root's" },
  { NULL, NULL },
};

#define UIDS "/linux/uidMappings"
#define GIDS "/linux/gidMappings"

static const struct reason view_reason = { "OH-UNS-002",
                                           "what the container sees must belong to its own ids" };

static json_t *mappings(const struct user_namespace_offer *offer) {
  json_t *list = json_array(), *item = json_object();
  if (!list || !item)
    die_out_of_memory();
  jsonx_set_new(item, "containerID", jsonx_u64_new(0));
  jsonx_set_new(item, "hostID", jsonx_u64_new(offer->base));
  jsonx_set_new(item, "size", jsonx_u64_new(offer->size));
  jsonx_append_new(list, item);
  return list;
}

static bool is_offered_map(const json_t *list, const struct user_namespace_offer *offer) {
  uint64_t inside, outside, size;
  const json_t *item = json_array_get(list, 0);
  return offer->size && json_array_size(list) == 1 &&
         jsonx_u64_get(json_object_get(item, "containerID"), &inside) && inside == 0 &&
         jsonx_u64_get(json_object_get(item, "hostID"), &outside) && outside == offer->base &&
         jsonx_u64_get(json_object_get(item, "size"), &size) && size == offer->size;
}

bool user_namespace_is_ours(const json_t *root, const struct facts *facts) {
  const char *path = control_text(root, UNS_ROOT);
  return is_offered_map(control_at(root, UIDS), &facts->offer) ||
         is_offered_map(control_at(root, GIDS), &facts->offer) ||
         (path && facts->offer.root && strcmp(path, facts->offer.root) == 0);
}

const char *user_namespace_entered(const json_t *root, const char *type, const struct facts *facts) {
  return user_namespace_is_ours(root, facts) ? uns_entered(type, &facts->offer) : NULL;
}

/* What becomes of a mount, in parts: NULL where it stays as it is. The caller owns them. */
struct change {
  json_t *whole, *source, *options;
  struct reason why;
};

static void change_free(struct change *c) {
  json_decref(c->whole);
  json_decref(c->source);
  json_decref(c->options);
}

/* What a view has that is from outside is locked inside: a remount that leaves one out is EPERM. It has what
 * its source's mount has, and what all its binds are to have; and only the plain words count in a remount. */
static const char *const flag_words[] = { "ro", "nosuid", "nodev", "noexec" };

static unsigned locked_flags(const struct mount_view *v, const struct source_fact *source) {
  unsigned flags = v->is.set;
  for (size_t i = 0; i < source->options.len; i++)
    flags |= mount_flag_named(source->options.items[i]);
  return flags;
}

/* A source that is read-only itself makes the bind so, and then what is mounted below it too. */
static json_t *with_flags(const struct mount_view *v, const struct source_fact *source,
                          const struct facts *facts) {
  const unsigned flags = locked_flags(v, source);
  const bool deep = v->is.recursive && source->kind == INODE_DIRECTORY && facts->mount_setattr;
  const struct mount_wish wish = { .flags = flags, .flags_below = deep ? flags & MOUNT_RO : 0 };
  json_t *out = mount_options_apply(v->options, &wish);
  for (size_t i = 0; i < ARRAY_SIZE(flag_words); i++)
    if (flags & mount_flag_named(flag_words[i]) && !jsonx_has(out, flag_words[i]))
      jsonx_append_new(out, jsonx_string_new(flag_words[i]));
  return out;
}

/* The runtime would have to mount it as the owner of the namespace that it shows. */
static json_t *bind_of(const struct mount_view *v, const char *source) {
  static const char *const options[] = { "bind", "ro", "nosuid", "nodev", "noexec" };
  const bool writable = strcmp(v->type, "mqueue") == 0 && !(v->is.set & MOUNT_RO);
  json_t *mount = json_object(), *words = json_array();
  if (!mount || !words)
    die_out_of_memory();
  jsonx_set_new(mount, "destination", jsonx_string_new(v->destination));
  jsonx_set_new(mount, "type", jsonx_string_new("bind"));
  jsonx_set_new(mount, "source", jsonx_string_new(source));
  for (size_t i = 0; i < ARRAY_SIZE(options); i++)
    if (!(writable && strcmp(options[i], "ro") == 0))
      jsonx_append_new(words, jsonx_string_new(options[i]));
  jsonx_set_new(mount, "options", words);
  return mount;
}

static struct change change_of(const struct mount_view *v, const json_t *root, const struct facts *facts) {
  const struct user_namespace_offer *offer = &facts->offer;
  struct change c = { .why = view_reason };
  if (strcmp(v->type, "bind") == 0) {
    const struct source_fact *fact = facts_source(facts, v->source);
    json_t *options = with_flags(v, fact, facts);
    c.source = jsonx_string_new(fact->clone);
    if (v->options ? json_equal(options, v->options) : json_array_size(options) == 0)
      json_decref(options);
    else
      c.options = options;
  } else if (!v->stands_for && strcmp(v->type, "sysfs") == 0 && uns_is_foreign(root, "network", offer)) {
    c.whole = bind_of(v, offer->sysfs);
  } else if (!v->stands_for && strcmp(v->type, "mqueue") == 0 && uns_is_foreign(root, "ipc", offer)) {
    c.whole = bind_of(v, offer->mqueue);
  }
  return c;
}

static int change_mount(struct spec *spec, size_t index, const struct change *c, struct error *err) {
  CLEANUP_FREE char *mount = jsonx_pointer_index("/mounts", index);
  CLEANUP_FREE char *source = jsonx_pointer(mount, "source");
  CLEANUP_FREE char *options = jsonx_pointer(mount, "options");
  static const struct reason flags = {
    "OH-UNS-003", "the view has these flags, which are locked inside: a remount must repeat them"
  };
  if (c->whole && spec_set(spec, mount, json_incref(c->whole), c->why, err))
    return -1;
  if (c->source && spec_set(spec, source, json_incref(c->source), c->why, err))
    return -1;
  return c->options ? spec_set(spec, options, json_incref(c->options), flags, err) : 0;
}

static int change_mounts(struct spec *spec, const struct facts *facts, struct error *err) {
  json_auto_t *mounts = spec_snapshot(spec, "/mounts");
  CLEANUP_MOUNT_LIST struct mount_list l;
  mount_list_read(&l, mounts, facts);
  for (size_t i = 0; i < l.len; i++) {
    CLEANUP(change_free) struct change c = change_of(&l.items[i], spec->root, facts);
    if (change_mount(spec, i, &c, err))
      return -1;
  }
  return 0;
}

static bool is_foreign_sysctl(const json_t *root, const char *key, const struct facts *facts) {
  CLEANUP_FREE char *name = sysctl_dotted(key);
  const char *type = name ? sysctl_namespace(name) : NULL;
  return type && uns_is_foreign(root, type, &facts->offer);
}

/* What a sysctl of the container's own becomes; NULL: it stays as it is. The caller frees. */
static char *clamped(const char *key, const json_t *value, uint64_t size) {
  CLEANUP_FREE char *name = sysctl_dotted(key);
  uint64_t range[2];
  if (!name || strcmp(name, SYSCTL_PING) != 0 || !sysctl_range(value, range) || range[1] < size)
    return NULL;
  return xasprintf("%" PRIu64 "\t%" PRIu64, range[0] < size ? range[0] : size - 1, size - 1);
}

static int change_sysctls(struct spec *spec, const struct facts *facts, struct error *err) {
  static const struct reason inside = { "OH-UNS-004", "ids beyond those that are mapped are refused" };
  json_auto_t *map = jsonx_copy(spec_at(spec, UNS_SYSCTL));
  const char *key;
  json_t *value;
  json_object_foreach(map, key, value) {
    CLEANUP_FREE char *pointer = jsonx_pointer(UNS_SYSCTL, key);
    CLEANUP_FREE char *now =
        is_foreign_sysctl(spec->root, key, facts) ? NULL : clamped(key, value, facts->offer.size);
    if (now && spec_set(spec, pointer, jsonx_string_new(now), inside, err))
      return -1;
  }
  return 0;
}

int user_namespace_leave_out(struct spec *spec, const struct facts *facts, struct error *err) {
  static const struct reason outside = { "OH-UNS-004",
                                         "the namespace is not its own to change: the wrapper sets it" };
  json_auto_t *map = jsonx_copy(spec_at(spec, UNS_SYSCTL));
  const char *key;
  json_t *value;
  json_object_foreach(map, key, value) {
    CLEANUP_FREE char *pointer = jsonx_pointer(UNS_SYSCTL, key);
    if (is_foreign_sysctl(spec->root, key, facts) && spec_remove(spec, pointer, outside, err))
      return -1;
  }
  return 0;
}

static int add_namespace(struct spec *spec, const struct facts *facts, struct error *err) {
  static const struct reason why = {
    "OH-UNS-001", "root of the container is to be nobody on the host, and its ids no one's"
  };
  if (spec_namespace(spec->root, "user"))
    return 0;
  json_t *entry = json_object();
  if (!entry)
    die_out_of_memory();
  jsonx_set_new(entry, "type", jsonx_string_new("user"));
  if (facts->offer.path)
    jsonx_set_new(entry, "path", jsonx_string_new(facts->offer.path));
  if (spec_set(spec, SPEC_NAMESPACES "/-", entry, why, err) ||
      spec_set(spec, UIDS, mappings(&facts->offer), why, err))
    return -1;
  return spec_set(spec, GIDS, mappings(&facts->offer), why, err);
}

static int remove_entered(struct spec *spec, const struct facts *facts, struct error *err) {
  static const struct reason why = {
    "OH-UNS-008", "the runtime would join the user namespace first, and may not enter this one then"
  };
  for (size_t i = 0; i < ENTERED_TYPES; i++) {
    const json_t *entry = spec_namespace(spec->root, entered_types[i]),
                 *list = spec_at(spec, SPEC_NAMESPACES);
    for (size_t k = 0; facts->offer.entered[i] && k < json_array_size(list); k++) {
      CLEANUP_FREE char *pointer = jsonx_pointer_index(SPEC_NAMESPACES, k);
      if (json_array_get(list, k) != entry)
        continue;
      if (spec_remove(spec, pointer, why, err))
        return -1;
      break;
    }
  }
  return 0;
}

static int apply_exec(struct spec *spec, const struct facts *facts, struct error *err) {
  const char *pointer;
  uint64_t id;
  if (facts->ids_mapped <= 0 || !uns_has_unmapped(spec->root, (uint64_t)facts->ids_mapped, &pointer, &id))
    return 0;
  CLEANUP_FREE char *text =
      xasprintf("the id %" PRIu64 " is beyond the %" PRId64 " of the container", id, facts->ids_mapped);
  return spec_refuse(spec, pointer, (struct reason){ user_namespace_rules[RULE_UNMAPPED].id, text }, err);
}

int user_namespace_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                         struct error *err) {
  if (spec->kind == SPEC_PROCESS)
    return apply_exec(spec, facts, err);
  const bool required = policy->user_namespace.mode == USER_NAMESPACE_REQUIRE;
  if (policy->user_namespace.mode == USER_NAMESPACE_OFF || facts->rootless ||
      (spec_namespace(spec->root, "user") && !user_namespace_is_ours(spec->root, facts)))
    return 0;
  CLEANUP_FREE char *against = user_namespace_against(spec->root, facts);
  if (against) {
    CLEANUP_FREE char *text = xasprintf(USER_NAMESPACE_NONE "%s", against);
    const struct reason why = { user_namespace_rules[required ? RULE_REQUIRE : RULE_NONE].id, text };
    if (required)
      return spec_refuse(spec, SPEC_NAMESPACES, why, err);
    spec_finding(spec, SPEC_NAMESPACES, why);
    return 0;
  }
  if (add_namespace(spec, facts, err) ||
      spec_set(spec, UNS_ROOT, jsonx_string_new(facts->offer.root), view_reason, err) ||
      change_mounts(spec, facts, err) || remove_entered(spec, facts, err) || change_sysctls(spec, facts, err))
    return -1;
  /* What is only described never becomes ours. */
  return spec->action == ACTION_AUDIT ? user_namespace_leave_out(spec, facts, err) : 0;
}

/* Every part of the promise, seen in the output alone. */
static int ours_holds(const json_t *after, const struct facts *facts, struct error *err) {
  const struct user_namespace_offer *offer = &facts->offer;
  const json_t *entry = spec_namespace(after, "user");
  const char *path = spec_namespace_path(after, "user"), *root = control_text(after, UNS_ROOT);
  if (!entry || (path == NULL) != (offer->path == NULL) || (path && strcmp(path, offer->path) != 0))
    return control_broken(err, SPEC_NAMESPACES, "it is not the offered user namespace");
  if (!is_offered_map(control_at(after, UIDS), offer) || !is_offered_map(control_at(after, GIDS), offer))
    return control_broken(err, UIDS, "ids are not mapped as offered");
  for (size_t i = 0; i < ENTERED_TYPES; i++)
    if (offer->entered[i] && spec_namespace(after, entered_types[i]))
      return control_broken(err, SPEC_NAMESPACES, "the runtime is to join the %s namespace",
                            entered_types[i]);
  if (offer->base < ID_BLOCK || offer->size > UINT32_MAX - offer->base)
    return control_broken(err, UIDS, "privileged ids of the host are mapped");
  if (!root || strcmp(root, offer->root) != 0)
    return control_broken(err, UNS_ROOT, "the root is not the ID-mapped one");
  CLEANUP_FREE char *against = user_namespace_against(after, facts);
  return against ? control_broken(err, SPEC_NAMESPACES, "there cannot be one: %s", against) : 0;
}

static int mount_holds(const struct mount_view *v, const json_t *root, const struct facts *facts,
                       const char *pointer, struct error *err) {
  const char *source = control_text(v->mount, "/source");
  const struct source_fact *fact = source ? facts_source(facts, source) : NULL;
  if (strcmp(v->type, "bind") == 0) {
    if (!fact || !fact->clone || strcmp(source, fact->clone) != 0)
      return control_broken(err, pointer, "the source is not the ID-mapped one");
    const unsigned locked = locked_flags(v, fact);
    if (v->is.contested & locked)
      return control_broken(err, pointer, "a flag that is locked is to be taken off");
    for (size_t i = 0; i < ARRAY_SIZE(flag_words); i++)
      if (locked & mount_flag_named(flag_words[i]) && !jsonx_has(v->options, flag_words[i]))
        return control_broken(err, pointer, "%s is locked, and not among its options", flag_words[i]);
  }
  if (!v->stands_for && ((strcmp(v->type, "sysfs") == 0 && uns_is_foreign(root, "network", &facts->offer)) ||
                         (strcmp(v->type, "mqueue") == 0 && uns_is_foreign(root, "ipc", &facts->offer))))
    return control_broken(err, pointer, "the container may not mount it");
  return 0;
}

static int surroundings_hold(const json_t *after, const struct facts *facts, struct error *err) {
  CLEANUP_MOUNT_LIST struct mount_list l;
  const char *key;
  json_t *value;
  mount_list_read(&l, control_at(after, "/mounts"), facts);
  for (size_t i = 0; i < l.len; i++) {
    CLEANUP_FREE char *pointer = jsonx_pointer_index("/mounts", i);
    if (mount_holds(&l.items[i], after, facts, pointer, err))
      return -1;
  }
  json_t *sysctls = control_at(after, UNS_SYSCTL);
  json_object_foreach(sysctls, key, value) {
    CLEANUP_FREE char *name = sysctl_dotted(key);
    const char *type = name ? sysctl_namespace(name) : NULL;
    uint64_t range[2];
    if (!type || uns_is_foreign(after, type, &facts->offer) ||
        (strcmp(name, SYSCTL_PING) == 0 && (!sysctl_range(value, range) || range[1] >= facts->offer.size)))
      return control_broken(err, UNS_SYSCTL, "\"%s\" cannot be set so from inside", key);
  }
  return 0;
}

int user_namespace_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                          const struct facts *facts, struct error *err) {
  const char *pointer;
  uint64_t id;
  if (kind == SPEC_PROCESS)
    return facts->ids_mapped > 0 && uns_has_unmapped(after, (uint64_t)facts->ids_mapped, &pointer, &id)
               ? control_broken(err, pointer, "%" PRIu64 " is not mapped", id)
               : 0;
  if (policy->user_namespace.mode == USER_NAMESPACE_OFF || facts->rootless)
    return 0;
  if (user_namespace_is_ours(after, facts))
    return ours_holds(after, facts, err) || surroundings_hold(after, facts, err) ? -1 : 0;
  if (policy->user_namespace.mode == USER_NAMESPACE_REQUIRE && !spec_namespace(after, "user"))
    return control_broken(err, SPEC_NAMESPACES, "there is no user namespace");
  return 0;
}

int user_namespace_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                              const struct facts *facts, struct error *err) {
  static const char *const maps[] = { UIDS, GIDS };
  if (kind != SPEC_CONFIG)
    return 0;
  const bool had = spec_namespace(before, "user") != NULL, has = spec_namespace(after, "user") != NULL;
  if (had && !has)
    return control_broken(err, SPEC_NAMESPACES, "the user namespace is gone");
  for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
    const json_t *was = control_at(before, maps[i]), *is = control_at(after, maps[i]);
    if (was == is || (was && is && json_equal(was, is)))
      continue;
    if (had || !has || !is_offered_map(is, &facts->offer) || facts->offer.base < ID_BLOCK)
      return control_broken(err, maps[i], "other ids are mapped than before");
  }
  const char *was = control_text(before, UNS_ROOT), *is = control_text(after, UNS_ROOT);
  if (is && !(was && strcmp(was, is) == 0) &&
      !(has && is_offered_map(control_at(after, UIDS), &facts->offer) && facts->offer.root &&
        strcmp(is, facts->offer.root) == 0))
    return control_broken(err, UNS_ROOT, "is another root");
  return 0;
}
