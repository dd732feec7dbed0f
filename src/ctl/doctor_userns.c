/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: user namespaces, by trying what the wrapper would do here. What cannot be is worth as much as the
 * policies in use ask for it. */
#include "base/cleanup.h"
#include "base/str.h"
#include "ctl/doctor.h"
#include "idmap/probe.h"
#include "idmap/rootfs.h"
#include "io/path.h"
#include "runtime/state.h"
#include "runtime/usermap_ids.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

static const char subject[] = "user namespaces";
static const char give_up[] = "mend what is said, or set user-namespace.mode to off in the policy";

/* What the policies in use want. */
struct wanted {
  enum health without; /* what it is worth that a container can have none */
  bool by_engine, private, replace;
};

static void want(struct wanted *w, const struct config *config, const char *name) {
  CLEANUP_POLICY struct policy p = { 0 };
  struct error ignored = { 0 }; /* doctor_policies() tells */
  if (policy_load(config->policy_dir, name, &p, &ignored) < 0)
    return;
  const enum action action = policy_action(&p, p.user_namespace.action);
  if (action == ACTION_OFF || p.user_namespace.mode == USER_NAMESPACE_OFF)
    return;
  const bool required = p.user_namespace.mode == USER_NAMESPACE_REQUIRE && action != ACTION_AUDIT;
  if (required || w->without == HEALTH_OK)
    w->without = required ? HEALTH_FAIL : HEALTH_WARN;
  switch ((enum user_namespace_root)p.user_namespace.rootfs) {
  case USER_NAMESPACE_ROOT_ENGINE:
    w->by_engine = true;
    break;
  case USER_NAMESPACE_ROOT_PRIVATE:
    w->private = true;
    break;
  case USER_NAMESPACE_ROOT_REPLACE:
    w->replace = true;
    break;
  }
}

static struct wanted wanted_by(const struct config *config) {
  struct wanted w = { 0 };
  want(&w, config, config->default_policy);
  for (size_t i = 0; i < config->rules_len; i++)
    want(&w, config, config->rules[i].policy);
  w.by_engine = w.by_engine || !(w.private || w.replace);
  return w;
}

/* What a probe was answered, `what` in front of it. The message has the remedy too, as one without a doctor
 * needs it. */
#define PREFIX "user namespace: "
static void say_refused(struct doctor *d, enum health health, const char *what,
                        const struct probe_answer *answer) {
  const char *remedy = refusal_remedy(&answer->why);
  const char *text = answer->err.message;
  if (str_starts(text, PREFIX))
    text += strlen(PREFIX);
  const size_t len = strlen(text), tail = strlen(remedy) + strlen("; ");
  const bool told = *remedy && len > tail && strcmp(text + len - strlen(remedy), remedy) == 0;
  doctor_say(d, health, subject,
             health == HEALTH_OK ? NULL
             : *remedy           ? remedy
                                 : give_up,
             "%s: %.*s%s", what, (int)(told ? len - tail : len), text,
             health == HEALTH_OK ? "; no policy in use asks for it" : "");
}

static bool tell_range(struct doctor *d, const struct config *config, const struct wanted *w) {
  struct probe_answer answer;
  struct error err = { 0 };
  uint64_t blocks, usable;
  probe_userns((uint32_t)config->id_range.start, ID_BLOCK, &answer);
  if (answer.why.kind != REFUSAL_NONE) {
    say_refused(d, w->without, "the kernel makes none for a container", &answer);
    return false;
  }
  if (usermap_ids_count(config, &blocks, &usable, &err) < 0)
    doctor_say(d, w->without, subject, w->without == HEALTH_OK ? NULL : give_up, "%s", err.message);
  else if (usable == 0)
    doctor_say(d, w->without, subject,
               w->without == HEALTH_OK ? NULL : "set \"idRange\" in config.json to ids that are nobody's",
               "all of idRange, which is %" PRIu64 " blocks of ids, is given away in /etc/subuid or "
               "/etc/subgid",
               blocks);
  else
    doctor_say(d, HEALTH_OK, subject, NULL,
               "the kernel makes them; ids are %" PRIu64 " blocks from %" PRId64 " on", usable,
               config->id_range.start);
  return true;
}

/* Where engines keep their images, and how the wrapper maps what they mount (see usermap_make). */
static const struct storage {
  const char *dir;
  enum rootfs_mode mode;
  bool none; /* no engine's, only tried for want of one */
} storages[] = {
  { "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs", ROOTFS_REPLACE, false },
  { "/var/lib/rancher/k3s/agent/containerd/io.containerd.snapshotter.v1.overlayfs", ROOTFS_REPLACE, false },
  { "/var/lib/rancher/rke2/agent/containerd/io.containerd.snapshotter.v1.overlayfs", ROOTFS_REPLACE, false },
  { "/var/lib/docker", ROOTFS_PRIVATE, false },
  { "/var/lib/containers/storage", ROOTFS_PRIVATE, false },
}, elsewhere = { "/var/lib", ROOTFS_PRIVATE, true };

static void tell_storage(struct doctor *d, const struct config *config, const struct wanted *w,
                         const struct storage *s) {
  CLEANUP_FREE struct probe_storage *found = xcalloc(1, sizeof *found);
  CLEANUP_FREE char *place = xasprintf("%s/doctor.%d", config->map_dir, (int)getpid());
  CLEANUP_FREE char *what = xasprintf("%s %s", s->none ? "images, were they in" : "images in", s->dir);
  const bool private = w->private || (w->by_engine && s->mode == ROOTFS_PRIVATE);
  const bool replace = w->replace || (w->by_engine && s->mode == ROOTFS_REPLACE);
  struct error err = { 0 };
  if (probe_storage(s->dir, place, (uint32_t)config->id_range.start, ID_BLOCK, found, &err) < 0) {
    doctor_say(d, w->without, subject,
               w->without == HEALTH_OK ? NULL : "keep images on a file system that overlays take", "%s: %s",
               what, err.message);
    return;
  }
  const bool private_fails = private && found->private.why.kind != REFUSAL_NONE;
  const bool replace_fails = replace && found->replace.why.kind != REFUSAL_NONE;
  if (private_fails || replace_fails)
    say_refused(d, w->without, what, private_fails ? &found->private : &found->replace);
  else
    doctor_say(d, HEALTH_OK, subject, NULL, "%s: overlays are ID-mapped%s", what,
               found->private.why.kind != REFUSAL_NONE   ? ", in the mode replace only"
               : found->replace.why.kind != REFUSAL_NONE ? ", in the mode private only"
                                                         : "");
  if (found->exposed && !s->none && w->without != HEALTH_OK) {
    CLEANUP_FREE char *remedy = xasprintf("chmod o-x %s", s->dir);
    doctor_say(d, HEALTH_WARN, subject, remedy,
               "%s: every user of the host can come to them, and what a container's root makes is root's "
               "there: a set-user-ID program too",
               what);
  }
}

static void tell_storages(struct doctor *d, const struct config *config, const struct wanted *w) {
  bool any = false;
  for (size_t i = 0; i < ARRAY_SIZE(storages); i++) {
    if (access(storages[i].dir, F_OK) < 0)
      continue;
    any = true;
    tell_storage(d, config, w, &storages[i]);
  }
  if (!any)
    tell_storage(d, config, w, &elsewhere);
}

/* One place of each file system that volumes are usually on. */
static void tell_volumes(struct doctor *d, const struct config *config, const struct wanted *w) {
  static const char *const paths[] = {
    "/var/lib/kubelet", "/var/lib/docker/volumes", "/var/lib/containers/storage/volumes", "/srv", "/home",
    "/dev/shm"
  };
  dev_t seen[ARRAY_SIZE(paths)] = { 0 };
  size_t seen_len = 0;
  for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
    struct probe_answer answer;
    struct stat st;
    bool again = false;
    if (stat(paths[i], &st) < 0)
      continue;
    for (size_t k = 0; k < seen_len; k++)
      again = again || seen[k] == st.st_dev;
    if (again)
      continue;
    seen[seen_len++] = st.st_dev;
    CLEANUP_FREE char *what = xasprintf("volumes in %s", paths[i]);
    probe_volume(paths[i], (uint32_t)config->id_range.start, ID_BLOCK, &answer);
    if (answer.why.kind != REFUSAL_NONE)
      say_refused(d, w->without == HEALTH_OK ? HEALTH_OK : HEALTH_WARN, what, &answer);
    else
      doctor_say(d, HEALTH_OK, subject, NULL, "%s: are ID-mapped", what);
  }
}

/* Containers that a policy wanted in one, and that have none. */
static void tell_fallen_back(struct doctor *d, const char *state_dir) {
  glob_t states;
  size_t count = 0;
  CLEANUP_FREE char *pattern = xasprintf("%s/*/*", state_dir), *last = NULL;
  if (glob(pattern, GLOB_ONLYDIR, NULL, &states) != 0)
    return;
  for (size_t i = 0; i < states.gl_pathc; i++) {
    CLEANUP_STATE struct state state = { 0 };
    struct error ignored = { 0 }; /* leftovers are told elsewhere */
    bool there = false;
    CLEANUP_FD int fd = path_open(AT_FDCWD, states.gl_pathv[i], O_RDONLY | O_DIRECTORY, 0, RESOLVE_LEAF);
    if (fd < 0 || state_check(fd, states.gl_pathv[i], &ignored) < 0 ||
        state_load(fd, &state, &there, &ignored) < 0 || !there || !state.no_user_namespace)
      continue;
    count++;
    free(last);
    last = xasprintf("%s/%s: %s", state.root, state.id, state.no_user_namespace);
  }
  globfree(&states);
  if (count)
    doctor_say(d, HEALTH_WARN, subject, "hardenctl inspect tells why of each; mend it and make it anew",
               "%zu container%s that a policy wants in one run%s without, among them %s", count,
               count == 1 ? "" : "s", count == 1 ? "s" : "", last);
}

void doctor_user_namespaces(struct doctor *d, const struct config *config) {
  const struct wanted w = wanted_by(config);
  if (geteuid() != 0)
    return; /* whoever is not root is in one, or makes one, without us */
  if (tell_range(d, config, &w)) {
    tell_storages(d, config, &w);
    tell_volumes(d, config, &w);
  }
  tell_fallen_back(d, config->state_dir);
}
