/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root file system: read-only, with memory where ordinary programs must write. The memory is given only
 * where a writable root is taken away: a container whose engine made the root read-only gets no writable
 * place that it did not have.
 */
#include "control/common.h"
#include "control/mount_view.h"
#include "io/path.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum rootfs_rule {
  RULE_READONLY,
  RULE_TMPFS,
  RULE_NO_TMPFS,
  RULE_PROPAGATION,
  RULE_REAL,
  RULE_HOST,
  RULE_WORD,
  RULE_BUNDLE,
};

const struct control_rule rootfs_rules[] = {
  [RULE_READONLY] = { "OH-RFS-001", "the root file system is read-only" },
  [RULE_TMPFS] = { "OH-RFS-002", "where the root was writable, the usual writable places get memory" },
  [RULE_NO_TMPFS] = { "OH-RFS-003",
                      "a writable place that is masked, or not what it seems in the rootfs, gets no memory" },
  [RULE_PROPAGATION] = { "OH-RFS-004", "no mount event of the container reaches the host" },
  [RULE_REAL] = { "OH-RFS-005", "/proc, /sys and /dev of the rootfs are real directories" },
  [RULE_HOST] = { "OH-RFS-006", "the root is not the host's own, nor a directory of its programs or state" },
  [RULE_WORD] = { "OH-RFS-007", "rootfsPropagation is a word that every runtime reads alike" },
  [RULE_BUNDLE] = { "OH-RFS-008",
                    "the root does not hold the container's own bundle, by whose config.json it is judged" },
  { NULL, NULL },
};

static struct reason why(enum rootfs_rule rule, const char *text) {
  return (struct reason){ rootfs_rules[rule].id, text };
}

/* CVE-2019-19921, CVE-2023-27561, CVE-2026-41579: a link or file in place of these makes the runtime mount
 * and write somewhere else, on the host even. */
static int require_real(struct spec *spec, const struct facts *facts, struct error *err) {
  if (!facts->rootfs_known)
    return 0;
  const struct {
    const char *path;
    enum inode_kind kind;
  } dirs[] = { { "/proc", facts->root_proc }, { "/sys", facts->root_sys }, { "/dev", facts->root_dev } };
  for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
    if (dirs[i].kind == INODE_DIRECTORY || dirs[i].kind == INODE_ABSENT)
      continue;
    CLEANUP_FREE char *text = xasprintf("%s of the rootfs is %s, and not a directory", dirs[i].path,
                                        dirs[i].kind == INODE_SYMLINK ? "a symbolic link" : "something else");
    if (spec_refuse(spec, "/root/path", why(RULE_REAL, text), err))
      return -1;
  }
  return 0;
}

static int harden_propagation(struct spec *spec, const struct policy *policy, struct error *err) {
  static const char pointer[] = "/linux/rootfsPropagation";
  static const char *const words[] = {
    "private", "rprivate", "slave", "rslave", "unbindable", "runbindable"
  };
  const char *value = json_string_value(spec_at(spec, pointer));
  if (!value)
    return 0;
  for (size_t i = 0; i < ARRAY_SIZE(words); i++)
    if (strcmp(words[i], value) == 0)
      return 0;
  if (strcmp(value, "shared") != 0 && strcmp(value, "rshared") != 0) {
    CLEANUP_FREE char *text = xasprintf("\"%s\" is no propagation", value);
    return spec_refuse(spec, pointer, why(RULE_WORD, text), err);
  }
  if (!policy->rootfs.private_propagation)
    return 0;
  return spec_set(spec, pointer, jsonx_string_new("rslave"),
                  why(RULE_PROPAGATION, "mount events of the container must not reach the host"), err);
}

/*
 * runc gives the tmpfs the mode of the directory it covers, where there is one; crun the one asked for.
 * tmpcopyup only where something is to be copied: runc then mounts three times and waits for the kernel's
 * grace period at each of them, which takes longer than all the rest of the hardening.
 */
static json_t *make_tmpfs(const char *place, int64_t size, bool copy_up) {
  CLEANUP_FREE char *bytes = xasprintf("size=%" PRId64, size);
  const char *mode = str_ends(place, "/tmp") || strcmp(place, "/dev/shm") == 0 ? "mode=1777" : "mode=0755";
  const char *const options[] = { "nosuid", "nodev", "noexec", bytes, mode, "tmpcopyup" };
  json_t *list = json_array();
  json_t *mount = json_object();
  if (!list || !mount)
    die_out_of_memory();
  for (size_t i = 0; i < ARRAY_SIZE(options) - !copy_up; i++)
    jsonx_append_new(list, jsonx_string_new(options[i]));
  jsonx_set_new(mount, "destination", jsonx_string_new(place));
  jsonx_set_new(mount, "type", jsonx_string_new("tmpfs"));
  jsonx_set_new(mount, "source", jsonx_string_new("tmpfs"));
  jsonx_set_new(mount, "options", list);
  return mount;
}

/* Did make_tmpfs make it? */
static bool is_own(const json_t *mount, int64_t *ret_size, bool *ret_copy_up) {
  const json_t *options = json_object_get(mount, "options");
  const char *place = json_string_value(json_object_get(mount, "destination"));
  const char *size = json_string_value(json_array_get(options, 3));
  if (!place || !size || !str_starts(size, "size="))
    return false;
  *ret_size = strtoll(size + strlen("size="), NULL, 10);
  *ret_copy_up = json_array_size(options) == 6;
  json_auto_t *own = make_tmpfs(place, *ret_size, *ret_copy_up);
  return json_equal(own, mount);
}

/* Is nothing there that the image brought? */
static bool is_empty(const struct facts *facts, const char *place) {
  const struct destination_fact *there = facts_destination(facts, place);
  return there && there->empty;
}

/* Does a masked or read-only path hold the place? A path is compared as it is written and as it is resolved.
 * (Most are of /proc and /sys, where no place is.) */
static bool path_holds(const char *path, const char *place, const struct facts *facts) {
  if (control_path_below(place, path))
    return true;
  if (path_is_below(path, "/proc") || path_is_below(path, "/sys"))
    return false;
  const struct destination_fact *there = facts_destination(facts, path);
  return there && there->resolved && path_is_below(place, there->resolved);
}

/* The path of this policy that closes the place, or NULL. */
static const char *closed_by_policy(const struct policy *policy, const struct facts *facts,
                                    const char *place) {
  const struct strlist *const lists[] = { &policy->paths.masked, &policy->paths.readonly };
  if (policy->paths.action != ACTION_HARDEN)
    return NULL;
  for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
    for (size_t i = 0; i < lists[k]->len; i++)
      if (path_holds(lists[k]->items[i], place, facts))
        return lists[k]->items[i];
  return NULL;
}

/* The path of the config that closes the place, or NULL. */
static const char *closed_by_config(const struct spec *spec, const struct facts *facts, const char *place) {
  static const char *const lists[] = { "/linux/maskedPaths", "/linux/readonlyPaths" };
  for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
    size_t i;
    json_t *item;
    const json_t *paths = spec_at(spec, lists[k]);
    json_array_foreach(paths, i, item) {
      const char *path = json_string_value(item);
      if (path && path_holds(path, place, facts))
        return path;
    }
  }
  return NULL;
}

/* A second policy may want less memory than the first one gave, or none where it masks. */
static int reduce_tmpfs(struct spec *spec, const struct policy *policy, const struct facts *facts,
                        struct error *err) {
  json_auto_t *mounts = spec_snapshot(spec, "/mounts");
  for (size_t i = json_array_size(mounts); i-- > 0;) {
    json_t *mount = json_array_get(mounts, i);
    int64_t size;
    bool copy_up;
    if (!is_own(mount, &size, &copy_up))
      continue;
    const char *place = json_string_value(json_object_get(mount, "destination"));
    if (closed_by_policy(policy, facts, place) && (copy_up || is_empty(facts, place))) {
      CLEANUP_FREE char *at = jsonx_pointer_index("/mounts", i);
      if (spec_remove(spec, at, why(RULE_TMPFS, "this policy masks what the one before it made writable"),
                      err))
        return -1;
      continue;
    }
    if (!policy->rootfs.readonly || size <= policy->rootfs.tmpfs_size)
      continue;
    CLEANUP_FREE char *pointer = xasprintf("/mounts/%zu/options", i);
    json_auto_t *smaller = make_tmpfs(place, policy->rootfs.tmpfs_size, copy_up);
    if (spec_set(spec, pointer, json_incref(json_object_get(smaller, "options")),
                 why(RULE_TMPFS, "this policy gives less memory than the one before it"), err))
      return -1;
  }
  return 0;
}

/* Is the place inside (or the same as) what something else mounts? Then whoever mounts there has decided. */
static bool taken(const struct mount_list *l, const char *place) {
  for (size_t i = 0; i < l->len; i++)
    if (l->items[i].place && path_is_below(place, l->items[i].place))
      return true;
  return false;
}

/* The places that get memory: resolved, outermost first, none inside another. */
static void choose_places(struct spec *spec, const struct policy *policy, const struct facts *facts,
                          const struct mount_list *l, struct strlist *ret) {
  for (size_t i = 0; i < policy->rootfs.tmpfs.len; i++) {
    const char *path = policy->rootfs.tmpfs.items[i], *unknown;
    CLEANUP_FREE char *place = mount_place(facts, path, &unknown);
    if (place && taken(l, place))
      continue;
    if (!place || strcmp(place, "/") == 0 || path_is_below(place, "/proc") || path_is_below(place, "/sys") ||
        path_is_below(place, "/dev")) {
      CLEANUP_FREE char *text =
          xasprintf("%s stays read-only: in the rootfs it %s%s", path,
                    place ? "leads to " : "cannot be looked up: ", place ? place : unknown);
      spec_finding(spec, "/root", why(RULE_NO_TMPFS, text));
      continue;
    }
    const char *closed = closed_by_config(spec, facts, place);
    if (!closed)
      closed = closed_by_policy(policy, facts, place);
    if (closed) {
      CLEANUP_FREE char *text = xasprintf("%s stays read-only: %s is masked or read-only", path, closed);
      spec_finding(spec, "/root", why(RULE_NO_TMPFS, text));
      continue;
    }
    strlist_add_new(ret, steal_ptr(&place));
  }
}

/* Is the place inside another of the list, or the same as an earlier one (/var/run and /run)? */
static bool covered(const struct strlist *places, size_t index) {
  for (size_t i = 0; i < places->len; i++)
    if (i != index && path_is_below(places->items[index], places->items[i]) &&
        (i < index || strcmp(places->items[index], places->items[i]) != 0))
      return true;
  return false;
}

/* Before the first mount that lies below it, since the other way round it would hide that mount. */
static size_t position(const struct mount_list *l, const char *place) {
  for (size_t i = 0; i < l->len; i++) {
    const char *other = l->items[i].place ? l->items[i].place : l->items[i].text;
    if (other && path_is_below(other, place))
      return i;
  }
  return l->len;
}

static int add_tmpfs(struct spec *spec, const struct policy *policy, const struct facts *facts,
                     struct error *err) {
  json_auto_t *original = spec_snapshot(spec, "/mounts");
  json_auto_t *mounts = original ? jsonx_copy_top(original) : json_array();
  if (!mounts)
    die_out_of_memory();
  CLEANUP_MOUNT_LIST struct mount_list engine;
  mount_list_read(&engine, original, facts);
  CLEANUP_STRLIST struct strlist places = { 0 };
  choose_places(spec, policy, facts, &engine, &places);
  CLEANUP_FREE size_t *at = xcalloc(places.len, sizeof *at); /* positions among the engine's mounts */
  size_t added = 0;
  CLEANUP_STR struct str names = { 0 };
  for (size_t i = 0; i < places.len; i++) {
    if (covered(&places, i))
      continue;
    const char *place = places.items[i];
    json_t *mount = make_tmpfs(place, policy->rootfs.tmpfs_size, !is_empty(facts, place));
    /* None of those that were added lies below another, so that only the engine's decide. */
    at[added] = position(&engine, place);
    size_t shift = 0;
    for (size_t k = 0; k < added; k++)
      shift += at[k] <= at[added];
    if (json_array_insert_new(mounts, at[added++] + shift, mount))
      die_out_of_memory();
    str_addf(&names, "%s%s", names.len ? ", " : "", place);
  }
  if (names.len == 0)
    return 0;
  CLEANUP_FREE char *text =
      xasprintf("programs must write somewhere, and the root is made read-only: memory on %s", names.data);
  return spec_set(spec, "/mounts", json_incref(mounts), why(RULE_TMPFS, text), err);
}

int rootfs_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                 struct error *err) {
  if (facts->root_is_host &&
      spec_refuse(
          spec, "/root/path",
          why(RULE_HOST, "the container's root would be the host's, or a directory of its programs or state"),
          err))
    return -1;
  if (facts->root_holds_bundle &&
      spec_refuse(spec, "/root/path",
                  why(RULE_BUNDLE,
                      "the container's root would be its own bundle, or hold it: config.json would be "
                      "the container's to change; give the root a directory of its own"),
                  err))
    return -1;
  if (require_real(spec, facts, err) || harden_propagation(spec, policy, err))
    return -1;
  if (json_is_true(spec_at(spec, "/root/readonly")))
    return reduce_tmpfs(spec, policy, facts, err);
  if (!policy->rootfs.readonly)
    return 0;
  if (!spec_at(spec, "/root"))
    return spec_refuse(spec, "/root", why(RULE_READONLY, "there is no root that could be made read-only"),
                       err);
  /* A pause process writes nothing. */
  if (!facts->sandbox && add_tmpfs(spec, policy, facts, err))
    return -1;
  return spec_set(spec, "/root/readonly", json_true(),
                  why(RULE_READONLY, "nothing that a container runs may change its image"), err);
}

int rootfs_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                  const struct facts *facts, struct error *err) {
  (void)kind;
  if (facts->root_is_host)
    return control_broken(err, "/root/path", "is the host's root");
  if (facts->root_holds_bundle)
    return control_broken(err, "/root/path", "holds the bundle");
  const enum inode_kind kinds[] = { facts->root_proc, facts->root_sys, facts->root_dev };
  for (size_t i = 0; facts->rootfs_known && i < ARRAY_SIZE(kinds); i++)
    if (kinds[i] != INODE_DIRECTORY && kinds[i] != INODE_ABSENT)
      return control_broken(err, "/root/path", "/proc, /sys or /dev is no directory");
  if (policy->rootfs.readonly && !json_is_true(control_at(after, "/root/readonly")))
    return control_broken(err, "/root/readonly", "is not true");
  const json_t *mounts = control_at(after, "/mounts");
  for (size_t i = 0; policy->rootfs.readonly && i < json_array_size(mounts); i++) {
    int64_t size;
    bool copy_up;
    if (is_own(json_array_get(mounts, i), &size, &copy_up) && size > policy->rootfs.tmpfs_size)
      return control_broken(err, "/mounts", "mount %zu gives more memory than the policy", i);
  }
  const char *propagation = control_text(after, "/linux/rootfsPropagation");
  if (policy->rootfs.private_propagation && propagation && str_ends(propagation, "shared"))
    return control_broken(err, "/linux/rootfsPropagation", "mount events reach the host");
  return 0;
}

/* Absent is what both runtimes make private enough: their own default is rslave or rprivate. */
static int propagation_rank(const json_t *doc) {
  const char *word = control_text(doc, "/linux/rootfsPropagation");
  if (!word)
    return 1;
  return str_ends(word, "shared") ? 0 : str_ends(word, "slave") ? 1 : 2;
}

int rootfs_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                      const struct facts *facts, struct error *err) {
  (void)kind;
  bool was_readonly = json_is_true(control_at(before, "/root/readonly"));
  if (was_readonly && !json_is_true(control_at(after, "/root/readonly")))
    return control_broken(err, "/root/readonly", "was true and is no more");
  const json_t *path = control_at(before, "/root/path"), *now = control_at(after, "/root/path");
  const char *offered = facts->offer.root, *is = json_string_value(now);
  if (path && !(now && json_equal(path, now)) && !(offered && is && strcmp(is, offered) == 0))
    return control_broken(err, "/root/path", "is another root");
  if (was_readonly &&
      json_array_size(control_at(after, "/mounts")) > json_array_size(control_at(before, "/mounts")))
    return control_broken(err, "/mounts", "a read-only root got another writable place");
  if (propagation_rank(after) < propagation_rank(before))
    return control_broken(err, "/linux/rootfsPropagation", "more mount events travel than before");
  return 0;
}
