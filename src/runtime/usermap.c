/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/usermap.h"

#include "base/cleanup.h"
#include "control/user_namespace.h"
#include "io/path.h"
#include "kernel/namespace.h"
#include "runtime/call.h"
#include "runtime/record.h"
#include "runtime/usermap_ids.h"
#include "runtime/usermap_make.h"
#include "spec/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>

static void forget_entered(struct usermap *m) {
  strlist_clear(&m->entered_types);
  for (size_t i = 0; i < ENTERED_TYPES; i++)
    free(steal_ptr(&m->entered[i]));
}

void usermap_free(struct usermap *m) {
  free(m->why);
  free(m->place);
  free(m->path);
  free(m->pid);
  mapped_rootfs_free(&m->rootfs);
  stage_free(&m->stage);
  strlist_free(&m->unmapped);
  cleanup_fd_p(&m->network);
  strlist_free(&m->sysctls);
  strlist_free(&m->sysctls_were);
  forget_entered(m);
  *m = (struct usermap)USERMAP_NONE;
}

static char *place_of(const struct config *config, const char *root, const char *id) {
  CLEANUP_FREE char *name = state_root_name(root);
  return xasprintf("%s/%s/%s", config->map_dir, name, id);
}

void usermap_forget(const struct config *config, const char *root, const char *id) {
  CLEANUP_FREE char *place = place_of(config, root, id);
  stage_remove_place(place);
}

/* What a policy of mode audit asks for is only described. */
static bool asks(const struct policy *p, bool *ret_in_force) {
  const enum action action = policy_action(p, p->user_namespace.action);
  if (action == ACTION_OFF || p->user_namespace.mode == USER_NAMESPACE_OFF)
    return false;
  *ret_in_force = *ret_in_force || action != ACTION_AUDIT;
  return true;
}

/* runc only: crun joins a user namespace last. In a pod's user namespace the pod's own namespaces can be
 * joined; the network is the engine's. */
static void choose_entered(struct usermap *m, const json_t *config, enum runtime_kind runtime) {
  forget_entered(m);
  for (size_t i = 0; i < ENTERED_TYPES; i++) {
    const char *path = spec_namespace_path(config, entered_types[i]);
    if (!path || runtime != RUNTIME_RUNC || (m->path && i != ENTERED_NETWORK))
      continue;
    struct kernel_namespace is = { 0 };
    struct error later = { 0 }; /* who enters it says why it cannot */
    (void)!kernel_namespace_at(path, &is, &later);
    m->entered[i] = xstrdup(path);
    strlist_add_new(&m->entered_types, xasprintf("%s:%llu", entered_types[i], (unsigned long long)is.inode));
  }
}

/* The pod whose container this is, by the engine's word; NULL: none. Of two words that contradict each other
 * the first, where annotations_sandbox_id takes neither: this one is believed only of a sandbox whose
 * namespaces the container joins. */
static const char *pod_of(const struct call *c) {
  static const char *const keys[] = { "io.kubernetes.cri.sandbox-id", "io.kubernetes.cri-o.SandboxID" };
  const char *pod = NULL;
  for (size_t i = 0; !pod && i < ARRAY_SIZE(keys); i++)
    pod = json_string_value(json_object_get(c->annotations, keys[i]));
  return pod;
}

/* A user may write annotations, but not choose the namespaces that the engine joins: a container of the pod
 * is in one of its sandbox. */
static bool joins(const json_t *config, pid_t sandbox) {
  CLEANUP_FREE char *dir = xasprintf("/proc/%d/ns/", (int)sandbox);
  for (size_t i = 0; i < ENTERED_TYPES; i++) {
    const char *path = spec_namespace_path(config, entered_types[i]);
    if (path && str_starts(path, dir))
      return true;
  }
  return false;
}

/* An ephemeral container joins the pid namespace of the one that it is to look into. */
static void look_at_pid(struct usermap *m, const json_t *config) {
  struct kernel_namespace pods, owner;
  struct error not_told = { 0 }; /* it is none of the pod's then */
  const char *path = spec_namespace_path(config, "pid");
  if (path && kernel_namespace_at(m->path, &pods, &not_told) == 0 &&
      kernel_namespace_owner(path, &owner, &not_told) == 0 && kernel_namespace_same(&pods, &owner))
    m->pid = xstrdup(path);
}

/* *ret_known: there is such a pod, whose user namespace the container joins, or c->map.why says why not. */
static int join_pod(struct call *c, const char *pod, bool *ret_known, uint32_t *ret_base, struct error *err) {
  CLEANUP_STATE struct state state = { 0 };
  CLEANUP_RECORD struct record record = { 0 };
  CLEANUP_FD int fd = -1;
  bool found = false;
  *ret_known = false;
  *ret_base = 0;
  if (strchr(pod, '/'))
    return 0;
  if (state_open(c->config.state_dir, c->root, pod, false, &fd, err) < 0 ||
      state_load(fd, &state, &found, err) < 0 || record_read(&record, c->root, pod, c->target.kind, err) < 0)
    return error_wrap(err, "its pod's sandbox cannot be looked at");
  *ret_known = found || record.exists;
  if (!*ret_known)
    return 0;
  if (!found || !state.map.base)
    c->map.why = xstrdup("its pod's sandbox has none of ours");
  else if (!record.alive || !joins(c->harden.spec.root, record.pid))
    c->map.why = xstrdup("it joins no namespace of its pod's sandbox");
  if (c->map.why)
    return 0;
  *ret_base = state.map.base;
  c->map.path = xasprintf("/proc/%d/ns/user", (int)record.pid);
  look_at_pid(&c->map, c->harden.spec.root);
  return 0;
}

static int take_ids(struct call *c, const char *pod, struct error *err) {
  struct usermap *m = &c->map;
  uint32_t wanted = 0;
  bool known = c->sandbox;
  if (pod && !c->sandbox && join_pod(c, pod, &known, &wanted, err) < 0)
    return -1;
  if (m->why)
    return 0;
  /* Whatever is joined as a pod's sandbox is one, also where nothing marks it. */
  const struct lease_holder holder = { c->root, c->command.id, pod && known ? pod : c->command.id };
  if (usermap_ids_take(&c->config, &holder, &m->base, &m->leased, err) < 0) {
    if (err->code != ERROR_REFUSED)
      return -1;
    m->why = xstrdup(err->message);
    *err = (struct error){ 0 };
  } else if (wanted && wanted != m->base) {
    m->why = xasprintf("its pod's ids are %u and up, and %u were leased", wanted, m->base);
    return usermap_drop(c, err);
  }
  return 0;
}

/* m->asked: a policy wants one for such a container. True: one that is in force does. Root of a rootless
 * engine is in a user namespace already, and has no ids to give. */
static bool is_wanted(struct usermap *m, const json_t *document, const struct policy *const *policies,
                      size_t policies_len) {
  const bool has = spec_namespace(document, "user");
  bool in_force = false;
  for (size_t i = 0; i < policies_len && i < HARDEN_POLICIES_MAX && !has; i++)
    m->asked = asks(policies[i], &in_force) || m->asked;
  m->asked = m->asked && proof_is_privileged();
  return m->asked && in_force;
}

static void offer_sample(struct usermap *m, const struct config *config, const json_t *document,
                         enum runtime_kind runtime) {
  m->base = (uint32_t)config->id_range.start;
  m->place = xasprintf("%s/ROOT/ID", config->map_dir);
  choose_entered(m, document, runtime);
}

void usermap_sample(struct usermap *m, const struct config *config, const json_t *document,
                    const struct policy *const *policies, size_t policies_len, enum runtime_kind runtime) {
  (void)is_wanted(m, document, policies, policies_len);
  if (m->asked)
    offer_sample(m, config, document, runtime);
}

int usermap_want(struct call *c, struct error *err) {
  struct usermap *m = &c->map;
  const struct policy *policies[HARDEN_POLICIES_MAX] = { &c->policies[0], &c->policies[1] };
  const json_t *document = c->harden.spec.root;
  if (!is_wanted(m, document, policies, c->policies_len)) {
    if (m->asked) /* by an audit, which describes it */
      offer_sample(m, &c->config, document, c->target.kind);
    return 0;
  }
  if (c->command.verb == VERB_RESTORE) {
    m->why = xstrdup("a checkpoint brings its own ids");
    return 0;
  }
  m->place = place_of(&c->config, c->root, c->command.id);
  if (take_ids(c, pod_of(c), err) < 0)
    return -1;
  if (!m->why)
    choose_entered(m, document, c->target.kind);
  return 0;
}

const struct harden_offer *usermap_offered(const struct usermap *m, struct harden_offer *offer) {
  *offer = (struct harden_offer){ .base = m->why ? 0 : m->base,
                                  .why = m->why,
                                  .place = m->place,
                                  .path = m->path,
                                  .pid = m->pid,
                                  .entered = (const char *const *)m->entered };
  return m->asked ? offer : NULL;
}

const char *usermap_why_none(const struct call *c) {
  const struct journal *j = &c->harden.spec.journal;
  for (size_t i = 0; c->map.asked && i < j->len; i++)
    if (strcmp(j->entries[i].control, "user-namespace") == 0 &&
        str_starts(j->entries[i].reason, USER_NAMESPACE_NONE))
      return j->entries[i].reason + strlen(USER_NAMESPACE_NONE);
  return NULL;
}

static int enter(const char *path, int type, struct error *err) {
  static const int flags[ENTERED_TYPES] = { CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS };
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_RDONLY, 0, RESOLVE_TRUSTED);
  if (fd < 0 || setns(fd, flags[type]) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "the %s namespace %s cannot be entered", entered_types[type],
                     path);
  return 0;
}

int usermap_enter(const struct usermap *m, struct error *err) {
  for (int i = 0; i < ENTERED_TYPES; i++)
    if (m->entered[i] && enter(m->entered[i], i, err) < 0)
      return -1;
  return 0;
}

int usermap_enter_again(const struct strlist *types, pid_t init, struct error *err) {
  static const char *const files[ENTERED_TYPES] = { "net", "ipc", "uts" };
  for (int i = 0; i < ENTERED_TYPES; i++) {
    CLEANUP_FREE char *path = xasprintf("/proc/%d/ns/%s", (int)init, files[i]);
    for (size_t k = 0; k < types->len; k++)
      if (str_starts(types->items[k], entered_types[i]) && enter(path, i, err) < 0)
        return -1;
  }
  return 0;
}

bool usermap_is_given(const struct call *c) {
  return c->map.base && user_namespace_is_ours(c->harden.spec.root, &c->harden.facts);
}

int usermap_namespace_open(const struct call *c, const char *type, int *ret, struct error *err) {
  const char *path = spec_namespace_path(c->harden.spec.root, type);
  for (size_t i = 0; i < ENTERED_TYPES; i++)
    if (c->map.entered[i] && strcmp(entered_types[i], type) == 0)
      path = c->map.entered[i];
  *ret = path ? path_open(AT_FDCWD, path, O_RDONLY, 0, RESOLVE_TRUSTED) : -1;
  return path && *ret < 0 ? error_set(err, ERROR_SYSTEM, errno, "%s", path) : 0;
}

int usermap_drop(struct call *c, struct error *err) {
  if (!c->map.leased)
    return 0;
  c->map.leased = false;
  return lease_free(c->config.state_dir, USERMAP_IDS, c->root, c->command.id, false, err);
}

struct proof_map usermap_promised(const struct state *state) {
  return (struct proof_map){
    .base = state->map.base,
    .place = state->map.place,
    .unmapped = state->map.unmapped,
    .entered = state->map.entered,
  };
}
