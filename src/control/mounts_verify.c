/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The promises of mounts, read from the output alone. What may be where and which sources are sensitive is
 * asked of the same tables; how the options came to be is not.
 */
#include "control/common.h"
#include "control/mounts.h"
#include "io/path.h"

#include <stdlib.h>
#include <string.h>

static bool asks(const struct policy *policy, const char *word, const struct mount_view *v) {
  return mount_is_kernel(v) || strlist_has(&policy->mounts.enforce, word) ||
         (strcmp(word, "noexec") == 0 && strlist_matches(&policy->mounts.noexec, v->place));
}

static int flags_hold(const struct mount_view *v, const struct policy *policy, const struct facts *facts,
                      const char *pointer, struct error *err) {
  static const char *const words[] = { "nosuid", "nodev", "noexec" };
  bool devices = strcmp(v->type, "devpts") == 0 || strcmp(v->place, "/dev") == 0;
  unsigned repeat;
  bool plain = mount_is_plain(v, facts, &repeat);
  bool deep = v->is.recursive && policy->mounts.recursive && facts->mount_setattr && !plain;
  for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
    unsigned flag = mount_flag_named(words[i]);
    if (!asks(policy, words[i], v) || (devices && flag == MOUNT_NODEV))
      continue;
    if (!(v->is.set & flag) || v->is.contested & flag)
      return control_broken(err, pointer, "%s does not hold", words[i]);
    if (deep && !(v->is.set_below & flag))
      return control_broken(err, pointer, "%s does not hold below the mount", words[i]);
  }
  if (deep && v->is.set & MOUNT_RO && !(v->is.set_below & MOUNT_RO))
    return control_broken(err, pointer, "read-only does not hold below the mount");
  bool kernel = strcmp(v->type, "sysfs") == 0 || str_starts(v->type, "cgroup");
  if (kernel && (!(v->is.set & MOUNT_RO) || v->is.contested & MOUNT_RO))
    return control_broken(err, pointer, "a %s mount is writable", v->type);
  return 0;
}

static int mount_holds(const json_t *after, const struct mount_view *v, const struct policy *policy,
                       const struct facts *facts, const char *pointer, struct error *err) {
  if (!v->place || strcmp(v->place, v->destination) != 0)
    return control_broken(err, pointer, "the destination \"%s\" is not a place in the rootfs",
                          v->destination);
  if (v->is.remount)
    return control_broken(err, pointer, "a remount");
  if (strcmp(v->place, "/") == 0)
    return control_broken(err, pointer, "covers the root");
  if ((path_is_below(v->place, "/proc") || path_is_below(v->place, "/sys") ||
       path_is_below(v->place, "/dev")) &&
      !mount_fits(v, v->place, facts))
    return control_broken(err, pointer, "a %s mount on %s", v->type, v->place);
  if (mount_is_astray(v, v->place))
    return control_broken(err, pointer, "%s on %s is not masked", v->type, v->place);
  if (!strlist_has(&policy->mounts.allow_types, v->type))
    return control_broken(err, pointer, "type \"%s\"", v->type);
  if (v->is.propagation == PROPAGATION_SHARED || v->is.propagation_below == PROPAGATION_SHARED)
    return control_broken(err, pointer, "mount events reach the host");
  if (mount_gives_root(after, v))
    return control_broken(err, pointer,
                          "its id mappings make another than the container's root own root's files");
  if (mount_copies_dev(v, v->place))
    return control_broken(err, pointer, "the image's /dev is copied");
  if (mount_gives_link(v, facts))
    return control_broken(err, pointer, "a symbolic link is put into the container");
  const char *why;
  if (strcmp(v->type, "bind") == 0 &&
      (!v->source || mount_source_judge(facts, policy, v->source, &why) != SOURCE_FINE))
    return control_broken(err, pointer, "the bind's source is not to be given");
  return flags_hold(v, policy, facts, pointer, err);
}

int mounts_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                  const struct facts *facts, struct error *err) {
  (void)kind;
  CLEANUP_MOUNT_LIST struct mount_list l;
  mount_list_read(&l, control_at(after, "/mounts"), facts);
  for (size_t i = 0; i < l.len; i++) {
    CLEANUP_FREE char *pointer = jsonx_pointer_index("/mounts", i);
    if (mount_holds(after, &l.items[i], policy, facts, pointer, err))
      return -1;
  }
  if (!mount_list_has(&l, "/dev", "tmpfs"))
    return control_broken(err, "/mounts", "no fresh /dev");
  if (json_is_true(control_at(after, "/process/terminal")) && !mount_list_has(&l, "/dev/pts", "devpts"))
    return control_broken(err, "/mounts", "no fresh /dev/pts for the terminal");
  return 0;
}

static bool is_judged_apart(const char *key) {
  static const char *const keys[] = { "destination", "options", "source", "type" };
  for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
    if (strcmp(keys[i], key) == 0)
      return true;
  return false;
}

static bool same_text(const json_t *before, const json_t *after, const char *key) {
  const json_t *was = json_object_get(before, key), *is = json_object_get(after, key);
  return was == is || (was && is && json_equal(was, is));
}

/* Equal in all but destination and options, and of the same source, whatever stands for it. */
static bool same_thing(const struct mount_view *b, const struct mount_view *a) {
  const char *key;
  json_t *value;
  const bool type = same_text(b->mount, a->mount, "type"), source = same_text(b->mount, a->mount, "source");
  const bool is_bind = strcmp(b->type, "bind") == 0;
  if (!(type && source) &&
      !(strcmp(b->type, a->type) == 0 &&
        (is_bind ? type && b->source && a->source && strcmp(b->source, a->source) == 0 : a->stands_for)))
    return false;
  json_object_foreach((json_t *)b->mount, key, value) {
    if (!is_judged_apart(key) && !json_equal(value, json_object_get(a->mount, key)))
      return false;
  }
  json_object_foreach((json_t *)a->mount, key, value) {
    if (!is_judged_apart(key) && !json_object_get(b->mount, key))
      return false;
  }
  return true;
}

static bool same_mount(const struct mount_view *before, const struct mount_view *after) {
  bool placed = before->place && after->place && strcmp(before->place, after->place) == 0;
  return (placed || strcmp(before->destination, after->destination) == 0) && same_thing(before, after);
}

/* The bytes of a tmpfs's "size=N"; -1: another word, or one with a unit. */
static int64_t size_of(const json_t *option) {
  const char *word = json_string_value(option);
  if (!word || !str_starts(word, "size="))
    return -1;
  char *rest;
  int64_t bytes = strtoll(word + strlen("size="), &rest, 10);
  return *rest || bytes <= 0 ? -1 : bytes;
}

/* Equal, but for a size that is smaller. */
static bool rest_stricter(const json_t *before, const json_t *after) {
  if (json_array_size(before) != json_array_size(after))
    return false;
  for (size_t i = 0; i < json_array_size(after); i++) {
    const json_t *was = json_array_get(before, i), *is = json_array_get(after, i);
    if (!json_equal(was, is) && !(size_of(is) >= 0 && size_of(is) <= size_of(was)))
      return false;
  }
  return true;
}

static bool options_stricter(const struct mount_view *before, const struct mount_view *after) {
  const struct mount_options *b = &before->is, *a = &after->is;
  json_auto_t *rest_before = mount_options_rest(before->options);
  json_auto_t *rest_after = mount_options_rest(after->options);
  return a->bind == b->bind && a->recursive == b->recursive && !(b->set & ~a->set) &&
         !(b->set_below & ~a->set_below) && !(a->lifted & ~b->lifted) && a->propagation >= b->propagation &&
         a->propagation_below >= b->propagation_below && rest_stricter(rest_before, rest_after);
}

/* What a control of ours may add: memory that gives nothing, and hides no mount made before it. */
static bool harmless(const struct mount_view *added, const struct mount_list *before, size_t before_count) {
  const unsigned inert = MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC;
  if (strcmp(added->type, "tmpfs") != 0 || (added->is.set & inert) != inert || !added->place)
    return false;
  for (size_t i = 0; i < before_count; i++)
    if (before->items[i].place && path_is_below(before->items[i].place, added->place))
      return false;
  return true;
}

/* Memory over a part of the image that it shows, or that is empty: without it that part shows as it is, and
 * cannot be written. */
static bool dispensable(const struct mount_view *v, const json_t *after, const struct facts *facts) {
  const unsigned inert = MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC;
  if (strcmp(v->type, "tmpfs") != 0 || (v->is.set & inert) != inert ||
      !json_is_true(control_at(after, "/root/readonly")))
    return false;
  const struct destination_fact *there = v->place ? facts_destination(facts, v->place) : NULL;
  return v->is.copy_up || (there && there->empty);
}

int mounts_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                      const struct facts *facts, struct error *err) {
  (void)kind;
  if (json_equal(control_at(before, "/mounts"), control_at(after, "/mounts")))
    return 0;
  CLEANUP_MOUNT_LIST struct mount_list b, a;
  mount_list_read(&b, control_at(before, "/mounts"), facts);
  mount_list_read(&a, control_at(after, "/mounts"), facts);
  size_t seen = 0;
  for (size_t i = 0; i < a.len; i++) {
    CLEANUP_FREE char *pointer = jsonx_pointer_index("/mounts", i);
    while (seen < b.len && !same_mount(&b.items[seen], &a.items[i]) &&
           dispensable(&b.items[seen], after, facts))
      seen++;
    if (seen < b.len && same_mount(&b.items[seen], &a.items[i])) {
      if (!json_equal(b.items[seen].options, a.items[i].options) &&
          !options_stricter(&b.items[seen], &a.items[i]))
        return control_broken(err, pointer, "its options give more than before");
      seen++;
    } else if (!harmless(&a.items[i], &b, seen)) {
      return control_broken(err, pointer, "a mount that was not there");
    }
  }
  while (seen < b.len && dispensable(&b.items[seen], after, facts))
    seen++;
  if (seen < b.len)
    return control_broken(err, "/mounts", "the mount on \"%s\" is gone or moved", b.items[seen].destination);
  return 0;
}
