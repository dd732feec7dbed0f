/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SELinux level of a container, and the files that get it. The level is the engine's pair of categories
 * where it gives one, which is then ours to know of, else one that nobody else on the node has. All
 * containers of a pod have the sandbox's.
 */
#include "base/cleanup.h"
#include "control/selinux.h"
#include "lsm/context.h"
#include "lsm/relabel.h"
#include "runtime/call.h"
#include "runtime/lease.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static const struct lease_kind pairs = { .name = "mcs",
                                         .what = "pairs of SELinux categories",
                                         .count = SELINUX_PAIRS };

/* Is a level given, or the engine's judged, rather than recorded? */
static bool gives(const struct policy *p) {
  const enum action action = policy_action(p, p->selinux.action);
  return (action == ACTION_HARDEN || action == ACTION_DENY) && p->selinux.mode != LSM_OFF;
}

static bool in_force(const struct call *c) {
  for (size_t i = 0; i < c->policies_len; i++)
    if (gives(&c->policies[i]))
      return true;
  return false;
}

/* Not the lowest free: files of a container that is gone keep its label for a while. */
static int random_pair(uint64_t *ret, struct error *err) {
  if (getrandom(ret, sizeof *ret, 0) != sizeof *ret)
    return error_set(err, ERROR_SYSTEM, errno, "getrandom");
  *ret %= SELINUX_PAIRS;
  return 0;
}

static struct lease_holder holder_of(const struct call *c) {
  return (struct lease_holder){ c->root, c->command.id, annotations_sandbox_id(c->annotations) };
}

int call_level_held(void *call, const char *level, bool *ret, struct error *err) {
  const struct call *c = call;
  const struct lease_holder holder = holder_of(c);
  uint64_t pair;
  *ret = false;
  return selinux_level_is_pair(level, &pair)
             ? lease_is_others(c->config.state_dir, &pairs, &holder, pair, ret, err)
             : 0;
}

int call_level(void *call, const char *engine, char **ret, bool *ret_shared, struct error *err) {
  struct call *c = call;
  const struct lease_holder holder = holder_of(c);
  struct lease lease = { 0 };
  uint64_t pair;
  *ret_shared = false;
  if (!in_force(c)) {
    *ret = engine ? xstrdup(engine) : selinux_level_of_pair(0);
    return 0;
  }
  if (engine && selinux_level_is_pair(engine, &pair)) {
    if (lease_claim(c->config.state_dir, &pairs, &holder, pair, &lease, err) < 0)
      return -1;
  } else if (random_pair(&pair, err) < 0 ||
             lease_take(c->config.state_dir, &pairs, &holder, pair, &lease, err) < 0) {
    return -1;
  }
  c->leased = c->leased || lease.made;
  *ret_shared = lease.shared;
  *ret = engine ? xstrdup(engine) : selinux_level_of_pair(lease.number);
  return 0;
}

void call_level_undo(struct call *c, struct error *err) {
  struct error also = { 0 };
  if (c->leased && lease_free(c->config.state_dir, pairs.name, c->root, c->command.id, false, &also) < 0)
    error_wrap(err, "%s; and before that", also.message);
}

static int label_volumes(const struct selinux_volumes *volumes, struct error *err) {
  for (size_t i = 0; i < volumes->len; i++) {
    const char *path = volumes->items[i].source->real;
    unsigned changed;
    if (volumes->items[i].verdict != VOLUME_LABELLED ||
        relabel_tree(path, volumes->label, &changed, err) == 0)
      continue;
    snprintf(err->rule, sizeof err->rule, SELINUX_RULE_FILES);
    return error_wrap(err, "the volume %s is not labelled for the container", path);
  }
  return 0;
}

int call_label_volumes(struct call *c, struct error *err) {
  for (size_t i = 0; i < c->policies_len; i++) {
    CLEANUP_SELINUX_VOLUMES struct selinux_volumes volumes = { 0 };
    if (gives(&c->policies[i]))
      selinux_volumes_read(&volumes, c->harden.spec.root, &c->policies[i], &c->harden.facts);
    if (label_volumes(&volumes, err) < 0)
      return -1;
  }
  return 0;
}
