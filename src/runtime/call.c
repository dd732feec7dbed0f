/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/call.h"

#include "base/cleanup.h"
#include "runtime/event.h"
#include "runtime/fds.h"
#include "runtime/loss.h"
#include "runtime/record.h"
#include "runtime/report.h"

#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

void call_init(struct call *c) {
  *c = (struct call){ .target = { .fd = -1 },
                      .map = USERMAP_NONE,
                      .bundle = BUNDLE_NONE,
                      .state_lock = -1,
                      .view = PROOF_VIEW_NONE };
}

void call_free(struct call *c) {
  command_free(&c->command);
  config_free(&c->config);
  target_close(&c->target);
  free(c->root);
  for (size_t i = 0; i < c->policies_len; i++)
    policy_free(&c->policies[i]);
  free(c->bundle_path);
  json_decref(c->annotations);
  state_free(&c->state);
  usermap_free(&c->map);
  bundle_close(&c->bundle);
  harden_free(&c->harden);
  free(c->hook);
  strlist_free(&c->hook_args);
  proof_free(&c->proof);
  cleanup_fd_p(&c->state_lock);
  free(c->private_file);
  proof_view_free(&c->view);
  json_decref(c->promised);
  call_init(c);
}

/* Only what every verb needs: the configuration knows the runtime. */
static int prepare(struct call *c, char **argv, struct error *err) {
  if (selfopt_parse(&c->self, argv, err) < 0)
    return -1;
  int parsed = command_parse(&c->command, c->self.args, err);
  struct error unread = { 0 };
  c->configured = config_load(c->self.config, &c->config, parsed < 0 ? &unread : err) == 0;
  if (parsed < 0 || !c->configured)
    return -1;
  return target_open(&c->target, &c->config, err);
}

static int run(struct call *c, char **argv, struct error *err) {
  if (prepare(c, argv, err) < 0)
    return -1;
  const enum verb verb = c->command.verb;
  if (verb == VERB_PASS)
    return call_pass(c, err);
  if (record_root(&c->command, c->target.kind, &c->root, err) < 0)
    return verb == VERB_DELETE ? call_pass(c, err) : error_wrap(err, "%s", c->command.row->name);
  if (verb != VERB_DELETE && command_check_runtime(&c->command, c->target.kind, err) < 0)
    return -1;
  switch (verb) {
  case VERB_CREATE:
  case VERB_RUN:
  case VERB_RESTORE:
    return call_create(c, err);
  case VERB_EXEC:
    return call_exec(c, err);
  case VERB_UPDATE:
    return call_update(c, err);
  case VERB_MOUNTS:
    return call_mounts(c, err);
  case VERB_DELETE:
    return call_delete(c, err);
  case VERB_START:
    return call_prove(c, err);
  case VERB_PASS:
    break;
  }
  return call_pass(c, err);
}

int call_run(struct call *c, char **argv, struct error *err) {
  if (run(c, argv, err) < 0)
    call_undo(c, err);
  return -1;
}

void call_undo(struct call *c, struct error *err) {
  struct error also = { 0 };
  cleanup_fd_p(&c->state_lock);
  c->state_lock = -1;
  if (bundle_revert(&c->bundle, &also) < 0)
    error_wrap(err, "%s; and before that", also.message);
  also = (struct error){ 0 };
  if (usermap_undo(c, &also) < 0)
    error_wrap(err, "%s; and before that", also.message);
  also = (struct error){ 0 };
  if (c->state_saved && state_remove(c->config.state_dir, c->root, c->command.id, &also) < 0)
    error_wrap(err, "%s; and before that", also.message);
  call_level_undo(c, err);
  if (c->private_file)
    (void)unlink(c->private_file);
  if (c->state_made)
    state_tidy(c->config.state_dir, c->root, c->command.id);
}

static struct event describe(const struct call *c, const struct error *refusal) {
  const struct verb_row *row = c->event_row ? c->event_row : c->command.row;
  return (struct event){
    .verb = row ? row->name : NULL,
    .id = c->command.id,
    .root = c->root ? c->root : command_value(&c->command, "root"),
    .bundle = c->bundle_path,
    .runtime = c->target.path,
    .policies = c->policies,
    .policies_len = c->policies_len,
    .journal = &c->harden.spec.journal,
    .before = c->before,
    .after = c->after,
    .annotations = c->annotations,
    .sandbox = c->sandbox,
    .proof = &c->proof,
    .refusal = refusal,
  };
}

int call_event(struct call *c, struct error *err) {
  const struct event event = describe(c, NULL);
  struct error lost = { 0 };
  if (event_write(&event, c->config.events, &lost) == 0)
    return 0;
  loss_note(c->config.state_dir, &lost);
  for (size_t i = 0; i < c->policies_len; i++)
    if (c->policies[i].on_log_failure == LOG_FAILURE_DENY)
      return error_set_rule(
          err, ERROR_REFUSED, "OH-EVT-001",
          "policy %s starts nothing that cannot be recorded: %s; free space, or set onLogFailure to "
          "continue",
          c->policies[i].name, lost.message);
  return 0;
}

int call_fail(struct call *c, const struct error *err) {
  if (c->configured && c->command.row && c->command.verb != VERB_DELETE) {
    const struct event event = describe(c, err);
    struct error lost = { 0 };
    if (event_write(&event, c->config.events, &lost) < 0)
      loss_note(c->config.state_dir, &lost); /* it is refused anyway, and said so */
  }
  return call_report(c, err);
}

int call_report(const struct call *c, const struct error *err) {
  return report_failure(&c->command, c->target.kind, err);
}

static bool may_filter(void) {
  cap_t caps = cap_get_proc();
  cap_flag_value_t value = CAP_CLEAR;
  bool may = caps && cap_get_flag(caps, CAP_SYS_ADMIN, CAP_EFFECTIVE, &value) == 0 && value == CAP_SET;
  cap_free(caps);
  return may;
}

/*
 * The last step before exec, so that it binds us as little as possible. A rootless engine runs us in its user
 * namespace with CAP_SYS_ADMIN there. A person without any privilege has none of the calls that the floor
 * denies, and without CAP_SYS_ADMIN a filter would need no_new_privs, which would leak into the runtime: no
 * floor for them.
 */
static int install_floor(const struct call *c, struct error *err) {
  if (geteuid() != 0 && !may_filter())
    return 0;
  for (size_t i = 0; i < c->policies_len; i++) {
    const struct policy *p = &c->policies[i];
    const enum action action = policy_action(p, p->seccomp.action);
    if ((action == ACTION_HARDEN || action == ACTION_DENY) && seccomp_floor_install(p, err) < 0)
      return error_wrap(err, "policy %s", p->name);
  }
  return 0;
}

int call_private_file(struct call *c, const char *kind, struct error *err) {
  c->state_made = true;
  return state_private_file(c->config.state_dir, c->root, c->command.id, kind, c->harden.bytes.data,
                            c->harden.bytes.len, &c->private_file, err);
}

int call_start(struct call *c, struct error *err) {
  int preserve;
  CLEANUP_STRLIST struct strlist argv = { 0 };
  const bool starts = c->command.verb != VERB_START && c->command.verb != VERB_UPDATE;
  if (starts && (command_preserve_fds(&c->command, &preserve, err) < 0 ||
                 fds_seal(&c->command, preserve, err) < 0 || install_floor(c, err) < 0))
    return -1;
  command_emit(&c->command, c->target.path, &argv);
  return target_exec(&c->target, argv.items, err);
}

int call_pass(struct call *c, struct error *err) {
  size_t n = 0;
  while (c->self.args[n])
    n++;
  CLEANUP_FREE char **argv = xcalloc(n + 2, sizeof *argv);
  argv[0] = (char *)c->target.path;
  memcpy(argv + 1, c->self.args, n * sizeof *argv);
  return target_exec(&c->target, argv, err);
}
