/* SPDX-License-Identifier: Apache-2.0 */
/* Which policies hold for a call, and what they say of its options. */
#include "base/cleanup.h"
#include "io/fileio.h"
#include "runtime/call.h"
#include "runtime/fds.h"
#include "runtime/record.h"
#include "spec/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static int load(struct call *c, const char *name, struct error *err) {
  if (policy_load(c->config.policy_dir, name, &c->policies[c->policies_len], err) < 0)
    return -1;
  c->policies_len++;
  return 0;
}

int call_select(struct call *c, const json_t *annotations, struct error *err) {
  const struct selection selection = { annotations, c->root, c->self.name, c->self.policy };
  CLEANUP_FREE char *policy = NULL;
  CLEANUP_FREE char *extra = NULL;
  if (config_select(&c->config, &selection, &policy, &extra, err) < 0 || load(c, policy, err) < 0)
    return -1;
  return extra ? load(c, extra, err) : 0;
}

/* Our state: the policies as they were applied, whatever the files say now. */
static int known_from_state(struct call *c, struct error *err) {
  CLEANUP_FD int fd = -1;
  if (state_open(c->config.state_dir, c->root, c->command.id, false, &fd, err) < 0 ||
      state_load(fd, &c->state, &c->known, err) < 0)
    return error_wrap(err, "container %s", c->command.id);
  if (!c->known)
    return 0;
  memcpy(c->policies, c->state.policies, sizeof c->policies);
  c->policies_len = c->state.policies_len;
  c->state.policies_len = 0;
  c->annotations = steal_ptr(&c->state.annotations);
  c->bundle_path = steal_ptr(&c->state.bundle);
  c->sandbox = c->state.sandbox;
  c->user_namespace = c->state.user_namespace;
  return 0;
}

/* A container from before us: what the runtime recorded leads to the bundle, whose annotations may select. */
static int known_from_record(struct call *c, struct error *err) {
  CLEANUP_RECORD struct record record = { 0 };
  CLEANUP_FREE char *text = NULL;
  json_auto_t *config = NULL;
  struct jsonx_source src = { .name = "config.json" };
  struct error unread = { 0 };
  if (record_read(&record, c->root, c->command.id, c->target.kind, err) < 0)
    return -1;
  if (!record.bundle)
    return 0;
  c->bundle_path = xstrdup(record.bundle);
  CLEANUP_FREE char *path = xasprintf("%s/config.json", record.bundle);
  if (file_read(AT_FDCWD, path, RESOLVE_LEAF, (size_t)c->config.config_limit, &text, &src.len, NULL,
                &unread) < 0) {
    if (unread.code != ERROR_SYSTEM || unread.sys == ENOENT)
      return 0;
    *err = unread;
    return -1;
  }
  src.text = text;
  if (spec_read_json(&src, src.len, &config, &unread) < 0)
    return 0;
  json_t *annotations = json_object_get(config, "annotations");
  c->annotations = json_is_object(annotations) ? json_incref(annotations) : NULL;
  c->sandbox = c->annotations && annotations_are_sandbox(c->annotations, c->command.id);
  c->user_namespace = spec_namespace(config, "user") != NULL;
  return 0;
}

int call_known_policies(struct call *c, struct error *err) {
  if (known_from_state(c, err) < 0)
    return -1;
  if (c->known)
    return 0;
  if (known_from_record(c, err) < 0)
    return error_wrap(err, "container %s", c->command.id);
  return call_select(c, c->annotations, err);
}

static bool in_force(enum action action) {
  return action == ACTION_HARDEN || action == ACTION_DENY;
}

bool call_enforces(const struct call *c, enum spec_kind kind) {
  for (size_t i = 0; i < c->policies_len; i++)
    for (const struct control *control = controls; control->name; control++)
      if (control_judges(control, kind) && in_force(control_action(control, &c->policies[i])))
        return true;
  return false;
}

int call_judge(struct call *c, const struct policy *policy, int section_action, const char *control,
               const char *rule, const char *why, const char *remedy, struct error *err) {
  const enum action action = policy_action(policy, section_action);
  if (action == ACTION_OFF)
    return 0;
  journal_add(&c->harden.spec.journal, control, rule, in_force(action) ? OUTCOME_REFUSED : OUTCOME_AUDITED,
              "", NULL, NULL, why);
  if (!in_force(action))
    return 0;
  return error_set_rule(err, ERROR_REFUSED, rule, "%s: %s, and policy %s forbids it; %s",
                        c->command.row->name, why, policy->name, remedy);
}

int call_judge_fds(struct call *c, struct error *err) {
  int count;
  if (command_preserve_fds(&c->command, &count, err) < 0)
    return error_wrap(err, "%s", c->command.row->name);
  const bool plain = fds_listen_is_plain();
  for (size_t i = 0; i < c->policies_len; i++) {
    const struct policy *p = &c->policies[i];
    if (p->process.preserve_fds)
      continue;
    if (count > 0 && call_judge(c, p, p->process.action, "process", "OH-CMD-011",
                                "--preserve-fds hands open files of the host to the container",
                                "leave it out, or set process.preserveFds in the policy", err) < 0)
      return -1;
    if (!plain && call_judge(c, p, p->process.action, "process", "OH-CMD-022",
                             "LISTEN_FDS hands the container a descriptor that is neither socket nor pipe",
                             "pass sockets only, or set process.preserveFds in the policy", err) < 0)
      return -1;
  }
  return 0;
}

typedef int harden_flow(struct harden *h, const struct harden_options *options, struct error *err);

static int flow(struct call *c, int bundle_fd, harden_flow *run, bool gives_level, struct error *err) {
  const struct seccomp_cache cache = { c->config.cache_dir };
  const struct harden_hook hook = { c->hook, &c->hook_args, c->guarded };
  struct harden_offer offer;
  struct harden_options options = {
    .policies_len = c->policies_len,
    .runtime = c->target.kind,
    .bundle_fd = bundle_fd,
    .cache = c->config.cache_dir ? &cache : NULL,
    .container_annotations = c->annotations,
    .apparmor_cache = APPARMOR_CACHE,
    .apparmor_load = true,
    .id = c->command.id,
    .runtime_path = c->target.path,
    .level = gives_level ? call_level : NULL,
    .held = call_level_held,
    .level_arg = c,
    .hook = c->hook ? &hook : NULL,
    .init = c->init,
    .sandbox = c->sandbox,
    .user_namespace = c->user_namespace,
    .ids_mapped = c->state.map.base ? ID_BLOCK : 0,
    .offer = usermap_offered(&c->map, &offer),
  };
  for (size_t i = 0; i < c->policies_len; i++)
    options.policies[i] = &c->policies[i];
  return run(&c->harden, &options, err);
}

int call_harden(struct call *c, int bundle_fd, struct error *err) {
  return flow(c, bundle_fd, harden_run, true, err);
}

int call_keeps(struct call *c, int bundle_fd, struct error *err) {
  return flow(c, bundle_fd, harden_judge, false, err);
}
