/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts: what a container sees of the host, and where. runc accepts binds onto /sys, /dev/null or
 * /proc/sys, a destination of "../../etc" and a read-only bind of "/"; here they are refused. Flags are
 * added to what is left. No mount is taken away or moved: an engine's mount may be what hides a file.
 *
 * The rules of destinations are about places, links followed: what /var/run/x is, is decided by the rootfs.
 */
#include "control/mounts.h"
#include "control/common.h"
#include "control/mount_view.h"
#include "io/path.h"

#include <string.h>

enum mounts_rule {
  RULE_FLAGS,
  RULE_SHARED,
  RULE_DESTINATION,
  RULE_RESOLVED,
  RULE_PROC,
  RULE_SYS,
  RULE_DEV,
  RULE_SOURCE,
  RULE_UNKNOWN_SOURCE,
  RULE_TYPE,
  RULE_REMOUNT,
  RULE_READONLY,
  RULE_NO_DEV,
  RULE_REDIRECTED,
  RULE_ROOT,
  RULE_IDS,
  RULE_LINK,
};

const struct control_rule mounts_rules[] = {
  [RULE_FLAGS] = { "OH-MNT-001",
                   "a mount carries nosuid, nodev and noexec as the policy says, and no word that "
                   "takes them back" },
  [RULE_SHARED] = { "OH-MNT-002", "no mount event of the container reaches the host" },
  [RULE_DESTINATION] = { "OH-MNT-003",
                         "a destination is absolute, without \"..\", and can be looked up in the "
                         "rootfs" },
  [RULE_RESOLVED] = { "OH-MNT-004", "a destination is written as what it is in the rootfs, links followed" },
  [RULE_PROC] = { "OH-MNT-005", "nothing is mounted on or under /proc but proc itself and lxcfs's files; "
                                "proc is mounted nowhere "
                                "else, where no mask would cover it" },
  [RULE_SYS] = { "OH-MNT-006", "nothing is mounted on or under /sys but sysfs and the cgroup file system, "
                               "and these nowhere else" },
  [RULE_DEV] = { "OH-MNT-007", "nothing is mounted over /dev or the names in it that the runtime makes" },
  [RULE_SOURCE] = { "OH-MNT-008", "no sensitive path of the host is a bind's source" },
  [RULE_UNKNOWN_SOURCE] = { "OH-MNT-009", "a bind's source can be looked at before the container exists" },
  [RULE_TYPE] = { "OH-MNT-010", "a mount's file system type is one that the policy allows" },
  [RULE_REMOUNT] = { "OH-MNT-011", "no entry changes the options of a mount that is there" },
  [RULE_READONLY] = { "OH-MNT-012", "sysfs and the cgroup file system are read-only" },
  [RULE_NO_DEV] = { "OH-MNT-013", "/dev is a fresh tmpfs without a copy of the image's, and with a terminal "
                                  "/dev/pts a fresh devpts" },
  [RULE_REDIRECTED] = { "OH-MNT-014", "no destination is led elsewhere by a link inside an earlier bind" },
  [RULE_ROOT] = { "OH-MNT-015", "nothing is mounted over the root" },
  [RULE_IDS] = { "OH-MNT-016", "no id mapping of a mount makes anybody but the container's root the owner of "
                               "root's files" },
  [RULE_LINK] = { "OH-MNT-017",
                  "no mount puts a symbolic link into the container where its target was judged" },
  { NULL, NULL },
};

struct turn {
  struct spec *spec;
  const struct policy *policy;
  const struct facts *facts;
  struct error *err;
};

static int refuse(const struct turn *t, size_t index, const char *key, enum mounts_rule rule, char *text) {
  CLEANUP_FREE char *owned = text;
  CLEANUP_FREE char *pointer = xasprintf("/mounts/%zu%s", index, key);
  return spec_refuse(t->spec, pointer, (struct reason){ mounts_rules[rule].id, owned }, t->err);
}

static bool is_type(const struct mount_view *v, const char *type) {
  return strcmp(v->type, type) == 0;
}

static int judge_destination(const struct turn *t, const struct mount_view *v, size_t index) {
  if (v->place)
    return 0;
  return refuse(t, index, "/destination", v->redirected ? RULE_REDIRECTED : RULE_DESTINATION,
                xasprintf("the mount's destination \"%s\" is refused: %s", v->destination, v->why));
}

static const char *place_of(const struct mount_view *v) {
  return v->place ? v->place : v->text ? v->text : v->destination;
}

static int judge_place(const struct turn *t, const struct mount_view *v, size_t index) {
  const char *place = place_of(v);
  if (strcmp(place, "/") == 0)
    return refuse(t, index, "/destination", RULE_ROOT, xstrdup("a mount over the root is refused"));
  static const struct {
    const char *dir;
    enum mounts_rule rule;
  } guarded[] = { { "/proc", RULE_PROC }, { "/sys", RULE_SYS }, { "/dev", RULE_DEV } };
  if (mount_is_astray(v, place))
    return refuse(
        t, index, "/destination", is_type(v, "proc") ? RULE_PROC : RULE_SYS,
        xasprintf("a %s mount on %s is refused: the masks and read-only paths are for the one in its "
                  "usual place",
                  v->type, place));
  for (size_t i = 0; i < ARRAY_SIZE(guarded); i++)
    if (path_is_below(place, guarded[i].dir) && !mount_fits(v, place, t->facts))
      return refuse(
          t, index, "/destination", guarded[i].rule,
          xasprintf("a %s mount on %s is refused: it could replace what the runtime and the kernel put "
                    "there",
                    *v->type ? v->type : "nameless", place));
  return 0;
}

static int judge_source(const struct turn *t, const struct mount_view *v, size_t index) {
  if (!is_type(v, "bind"))
    return 0;
  if (!v->source)
    return refuse(t, index, "", RULE_UNKNOWN_SOURCE, xstrdup("a bind mount needs a source"));
  const char *why = NULL;
  switch (mount_source_judge(t->facts, t->policy, v->source, &why)) {
  case SOURCE_FINE:
    return 0;
  case SOURCE_SENSITIVE:
    return refuse(
        t, index, "/source", RULE_SOURCE,
        xasprintf("the bind source \"%s\" is refused: on the host it is %s; mounts.allowSources can "
                  "except it",
                  v->source, why));
  case SOURCE_UNKNOWN:
    return refuse(t, index, "/source", RULE_UNKNOWN_SOURCE,
                  xasprintf("the bind source \"%s\" is refused: it could not be looked at", v->source));
  }
  return 0;
}

static int judge_link(const struct turn *t, const struct mount_view *v, size_t index) {
  if (!mount_gives_link(v, t->facts))
    return 0;
  return refuse(
      t, index, "/options", RULE_LINK,
      xasprintf("\"copy-symlink\" and \"src-nofollow\" are refused where the source may be a symbolic "
                "link: later mounts could be led elsewhere by it; name what %s leads to",
                v->source ? v->source : "it"));
}

/* A link of the image's in the place of /dev/null becomes every mask, and what the runtime opens as null. */
static int judge_copy(const struct turn *t, const struct mount_view *v, size_t index) {
  if (!mount_copies_dev(v, place_of(v)))
    return 0;
  return refuse(t, index, "/options", RULE_NO_DEV,
                xstrdup("\"tmpcopyup\" on /dev is refused: the image would say what /dev/null is"));
}

static int judge_ids(const struct turn *t, const struct mount_view *v, size_t index) {
  if (!mount_gives_root(t->spec->root, v))
    return 0;
  return refuse(t, index, "", RULE_IDS,
                xasprintf("by its id mappings a user of the container who is not its root would own root's "
                          "files on %s, and could leave setuid programs there",
                          v->destination));
}

/* The kernel has no file system of these names: runtimes bind where the options say so, whatever the type. */
static bool lacks_bind(const struct mount_view *v) {
  return !v->is.bind && !v->is.remount && (is_type(v, "bind") || is_type(v, "none"));
}

static int judge_type(const struct turn *t, const struct mount_view *v, size_t index) {
  if (lacks_bind(v))
    return refuse(
        t, index, "", RULE_TYPE,
        xasprintf("the type \"%s\" is no file system, and the options bind nothing: add \"bind\" or "
                  "\"rbind\"",
                  v->type));
  if (strlist_has(&t->policy->mounts.allow_types, v->type))
    return 0;
  return refuse(t, index, is_type(v, "bind") ? "" : "/type", RULE_TYPE,
                xasprintf("the file system type \"%s\" is not one of mounts.allowTypes", v->type));
}

/* Why the options change, in one sentence; the strongest reason first. */
static struct reason why_options(const struct mount_view *v, const struct mount_wish *wish) {
  if (wish->unshare &&
      (v->is.propagation == PROPAGATION_SHARED || v->is.propagation_below == PROPAGATION_SHARED))
    return (struct reason){ mounts_rules[RULE_SHARED].id,
                            "mount events of the container must not reach the host" };
  if (wish->flags & MOUNT_RO & ~v->is.set)
    return (struct reason){ mounts_rules[RULE_READONLY].id,
                            "sysfs and cgroup files of the host must not be written" };
  return (struct reason){
    mounts_rules[RULE_FLAGS].id,
    "its setuid files, device nodes or programs must give nothing: the mount is to carry the policy's flags, "
    "and no word against them"
  };
}

static int harden_options(const struct turn *t, const struct mount_view *v, size_t index) {
  struct mount_wish wish = mount_wish_of(v, place_of(v), t->policy, t->facts);
  json_auto_t *options = mount_options_apply(v->options, &wish);
  if (!v->options && json_array_size(options) == 0)
    return 0;
  CLEANUP_FREE char *mount = jsonx_pointer_index("/mounts", index);
  CLEANUP_FREE char *pointer = jsonx_pointer(mount, "options");
  return spec_set(t->spec, pointer, json_incref(options), why_options(v, &wish), t->err);
}

static int judge_mount(const struct turn *t, const struct mount_view *v, size_t index) {
  if (v->is.remount && refuse(t, index, "/options", RULE_REMOUNT,
                              xstrdup("\"remount\" would change a mount that is there, and not make one")))
    return -1;
  if (judge_destination(t, v, index) || judge_place(t, v, index) || judge_type(t, v, index) ||
      judge_source(t, v, index) || judge_link(t, v, index) || judge_copy(t, v, index) ||
      judge_ids(t, v, index))
    return -1;
  if (v->place && strcmp(v->place, v->destination) != 0) {
    CLEANUP_FREE char *pointer = xasprintf("/mounts/%zu/destination", index);
    if (spec_set(
            t->spec, pointer, jsonx_string_new(v->place),
            (struct reason){ mounts_rules[RULE_RESOLVED].id,
                             "this is what the destination is in the rootfs, so nobody need follow links" },
            t->err))
      return -1;
  }
  return harden_options(t, v, index);
}

/* CVE-2025-31133, CVE-2025-52565: without a fresh /dev the image says what /dev/null and /dev/pts/0 are, and
 * with them what a masked path and the console become. */
static int require_dev(const struct turn *t, const struct mount_list *l) {
  if (!mount_list_has(l, "/dev", "tmpfs") &&
      spec_refuse(t->spec, "/mounts",
                  (struct reason){ mounts_rules[RULE_NO_DEV].id,
                                   "a tmpfs on /dev is missing: the image would say what /dev/null is" },
                  t->err))
    return -1;
  if (json_is_true(spec_at(t->spec, "/process/terminal")) && !mount_list_has(l, "/dev/pts", "devpts"))
    return spec_refuse(t->spec, "/mounts",
                       (struct reason){ mounts_rules[RULE_NO_DEV].id,
                                        "a devpts on /dev/pts is missing, which a terminal needs" },
                       t->err);
  return 0;
}

int mounts_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                 struct error *err) {
  const struct turn t = { spec, policy, facts, err };
  /* Edits replace what the list borrows from. */
  json_auto_t *mounts = spec_snapshot(spec, "/mounts");
  CLEANUP_MOUNT_LIST struct mount_list l;
  mount_list_read(&l, mounts, facts);
  for (size_t i = 0; i < l.len; i++)
    if (judge_mount(&t, &l.items[i], i))
      return -1;
  return require_dev(&t, &l);
}
