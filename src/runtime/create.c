/* SPDX-License-Identifier: Apache-2.0 */
/* create, run and restore: a container comes to be from a bundle. */
#include "base/cleanup.h"
#include "base/sha256.h"
#include "base/stamp.h"
#include "io/path.h"
#include "runtime/call.h"
#include "runtime/fds.h"
#include "runtime/guard.h"
#include "runtime/leftover.h"
#include "runtime/ownhook.h"
#include "runtime/record.h"
#include "spec/namespace.h"

#include <errno.h>
#include <string.h>
#include <time.h>

_Static_assert((int)SHA256_HEX == (int)STATE_DIGEST_SIZE, "hexadecimal and NUL");

/* What options and environment ask for and no document holds. */
static int judge_options(struct call *c, struct error *err) {
  const char *manager = command_value(&c->command, "cgroup-manager");
  const bool no_cgroup = manager && strcmp(manager, "disabled") == 0;
  const char *notify = getenv("NOTIFY_SOCKET");
  if (call_judge_fds(c, err) < 0)
    return -1;
  for (size_t i = 0; i < c->policies_len; i++) {
    const struct policy *p = &c->policies[i];
    if (command_has(&c->command, "no-pivot") && !p->process.no_pivot &&
        call_judge(c, p, p->process.action, "process", "OH-CMD-012",
                   "--no-pivot leaves the host's root reachable behind the container's",
                   "leave it out, or set process.noPivot in the policy", err) < 0)
      return -1;
    if (command_has(&c->command, "no-new-keyring") && p->process.keyring &&
        call_judge(c, p, p->process.action, "process", "OH-CMD-013",
                   "--no-new-keyring shares the caller's session keyring with the container",
                   "leave it out, or unset process.keyring in the policy", err) < 0)
      return -1;
    if (no_cgroup && call_judge(c, p, p->resources.action, "resources", "OH-CMD-015",
                                "--cgroup-manager=disabled makes no cgroup, so no limit would hold",
                                "use cgroupfs or systemd", err) < 0)
      return -1;
    /* crun where the variable says, writable; the proof would find the mount after create. */
    if (notify && *notify &&
        call_judge(
            c, p, p->mounts.action, "mounts", "OH-CMD-024",
            "by NOTIFY_SOCKET the runtime mounts a directory of the host that the config does not name",
            "call it without that variable (podman: --sdnotify=conmon)", err) < 0)
      return -1;
    /* The memory image brings its own capabilities, filter and label; nothing of them can be judged. */
    if (c->command.verb == VERB_RESTORE && p->restore != PERMIT_ALLOW && p->mode == POLICY_ENFORCE)
      return error_set_rule(
          err, ERROR_REFUSED, "OH-CMD-017",
          "restore takes capabilities and filters from the image, and policy %s forbids it; make "
          "the container anew, or set restore to allow in the policy",
          p->name);
  }
  return 0;
}

/* A config that names the views of a container is of no use for another: its engine asks for a container once
 * more from a bundle that we have rewritten. */
static bool names_views(const struct call *c) {
  const char *root = json_string_value(spec_at(&c->harden.spec, "/root/path"));
  return root && path_is_below(root, c->config.map_dir);
}

static void note_digest(struct call *c) {
  sha256_hex(c->bundle.text, c->bundle.src.len, c->before);
  memcpy(c->after, c->before, sizeof c->after);
}

static int take_kept(struct call *c, size_t limit, struct error *err) {
  bool done;
  harden_free(&c->harden);
  if (bundle_take_kept(&c->bundle, limit, &done, err) < 0)
    return -1;
  if (!done)
    return error_set_rule(
        err, ERROR_REFUSED, "OH-RUN-009",
        "bundle %s: its config is of another container, whose ID-mapped root it names, and %s is gone; "
        "make the bundle anew",
        c->bundle.path, c->bundle.backup);
  note_digest(c);
  return harden_parse(&c->harden, SPEC_CONFIG, &c->bundle.src, limit, err);
}

static int parse(struct call *c, struct error *err) {
  const size_t limit = (size_t)c->config.config_limit;
  if (bundle_open(&c->bundle, command_value(&c->command, "bundle"), command_value(&c->command, "config"),
                  limit, err) < 0)
    return -1;
  c->bundle_path = xstrdup(c->bundle.path);
  note_digest(c);
  if (harden_parse(&c->harden, SPEC_CONFIG, &c->bundle.src, limit, err) < 0 ||
      (names_views(c) && take_kept(c, limit, err) < 0))
    return -1;
  /* Controls may take annotations out. */
  c->annotations = spec_snapshot(&c->harden.spec, "/annotations");
  c->sandbox = c->annotations && annotations_are_sandbox(c->annotations, c->command.id);
  return 0;
}

static int save(struct call *c, struct error *err) {
  char created[STAMP_SIZE];
  int preserved;
  uint64_t start;
  if (command_preserve_fds(&c->command, &preserved, err) < 0)
    return -1;
  if (!process_start_known(getpid(), &start))
    return error_set(err, ERROR_SYSTEM, 0, "state of %s: our own start time cannot be read", c->command.id);
  stamp_seconds(created, time(NULL));
  c->state.handed_fds = (unsigned)preserved + fds_listen_count();
  const bool mapped = usermap_is_given(c);
  c->state.rootfs.device = mapped ? c->map.device : c->harden.facts.root_device;
  c->state.rootfs.inode = mapped ? c->map.inode : c->harden.facts.root_inode;
  struct state state = {
    .id = (char *)c->command.id,
    .root = c->root,
    .bundle = c->bundle.path,
    .config = c->bundle.file,
    .pid_file = (char *)command_value(&c->command, "pid-file"),
    .created = created,
    .runtime = (char *)c->target.path,
    .policies_len = c->policies_len,
    .annotations = c->annotations,
    .handed_fds = c->state.handed_fds,
    .sandbox = c->sandbox,
    .rootfs = { c->state.rootfs.device, c->state.rootfs.inode },
    .user_namespace = spec_namespace(c->harden.spec.root, "user") != NULL,
    .creator = getpid(),
    .creator_start = start,
  };
  state.no_user_namespace = (char *)usermap_why_none(c);
  if (mapped) {
    state.map.base = c->map.base;
    state.map.place = c->map.place;
    state.map.entered = c->map.entered_types;
    state.map.unmapped = c->map.unmapped;
  }
  memcpy(state.policies, c->policies, sizeof state.policies); /* everything in it is borrowed */
  memcpy(state.before, c->before, sizeof state.before);
  memcpy(state.after, c->after, sizeof state.after);
  return state_save(c->state_lock, &state, err);
}

/*
 * The state of a container that exists stays as it is: the runtime will refuse the second of that name. Nor
 * may two creations of one name, neither of which the runtime knows yet, write over each other.
 */
static int keep_state(struct call *c, bool *ret_exists, struct error *err) {
  CLEANUP_STATE struct state old = { 0 };
  CLEANUP_RECORD struct record record = { 0 };
  struct error ignored = { 0 };
  bool found = false;
  uint64_t start;
  c->state_made = true;
  if (state_lock(c->config.state_dir, c->root, c->command.id, true, &c->state_lock, err) < 0)
    return -1;
  if (record_read(&record, c->root, c->command.id, c->target.kind, err) < 0)
    return -1;
  *ret_exists = record.exists;
  if (record.exists)
    return 0;
  if (state_load(c->state_lock, &old, &found, &ignored) == 0 && found &&
      (!process_start_known(old.creator, &start) || start == old.creator_start) && old.creator != getpid())
    return error_set_rule(err, ERROR_REFUSED, "OH-STA-003", "container %s is being created by process %d",
                          c->command.id, (int)old.creator);
  c->state_saved = true; /* also when it fails half-way: it is ours to remove */
  return save(c, err);
}

/* From the bundle's text to the bytes that go back. */
static int harden(struct call *c, struct error *err) {
  if (call_harden(c, c->bundle.fd, err) < 0)
    return -1;
  if (c->harden.changed)
    sha256_hex(c->harden.bytes.data, c->harden.bytes.len, c->after);
  return usermap_is_given(c) ? 0 : usermap_drop(c, err);
}

/* What the kernel refuses is known only now, and the config says otherwise: once more, without it. The state
 * names the place before there is anything at it, so that whoever finds it after a crash can tidy up. */
static int make_map(struct call *c, struct error *err) {
  bool again;
  if (!usermap_is_given(c))
    return 0;
  if (usermap_make(c, &again, err) < 0)
    return -1;
  if (again) {
    harden_free(&c->harden);
    memcpy(c->after, c->before, sizeof c->after);
    if (harden_parse(&c->harden, SPEC_CONFIG, &c->bundle.src, (size_t)c->config.config_limit, err) < 0 ||
        harden(c, err) < 0)
      return -1;
  } else {
    target_reopen(&c->target);
  }
  return save(c, err);
}

static int commit(struct call *c, struct error *err) {
  bool exists;
  if (keep_state(c, &exists, err) < 0 ||
      (!exists && (make_map(c, err) < 0 || call_label_volumes(c, err) < 0)))
    return -1;
  cleanup_fd_p(&c->state_lock);
  c->state_lock = -1;
  if (c->harden.changed && bundle_replace(&c->bundle, c->harden.bytes.data, c->harden.bytes.len, err) < 0)
    return -1;
  if (call_event(c, err) < 0 || (c->guarded && guard_start(c, err) < 0) ||
      (usermap_is_given(c) && !exists && usermap_enter(&c->map, err) < 0) ||
      (spec_namespace(c->harden.spec.root, "user") && usermap_own_null(c->target.kind, err) < 0))
    return -1;
  return call_start(c, err);
}

/* No bundle, no container: where nothing is in force, the runtime says so in its own words. */
static int without_bundle(struct call *c, struct error *err) {
  struct error other = { 0 };
  if (err->sys != ENOENT || c->bundle.dir >= 0 || call_select(c, NULL, &other) < 0 ||
      call_enforces(c, SPEC_CONFIG))
    return -1;
  return call_start(c, err);
}

/* A create has none of its own, but its bundle may have been a run's before. */
static int find_hook(struct call *c, struct error *err) {
  c->guarded = guard_is_needed(c);
  c->hook = ownhook_path(&c->config);
  ownhook_args(c->self.config, &c->hook_args);
  return c->guarded ? ownhook_check(c->hook, err) : 0;
}

int call_create(struct call *c, struct error *err) {
  if (parse(c, err) < 0)
    return without_bundle(c, err);
  if (call_select(c, c->annotations, err) < 0 || judge_options(c, err) < 0 || find_hook(c, err) < 0 ||
      usermap_want(c, err) < 0 || harden(c, err) < 0)
    return -1;
  if (c->command.verb == VERB_RUN || leftover_likely(c->config.state_dir, c->root))
    leftover_collect(c->config.state_dir, c->root);
  return commit(c, err);
}
