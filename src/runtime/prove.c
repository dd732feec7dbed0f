/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start: the proof. Between create and start the runtime's init waits on the container's exec.fifo, and
 * nothing of the image has run. Its process is found in the runtime's own record, which is what the runtime
 * will start from, not in the pid file, which lies where the engine wants it; that it has this very FIFO open
 * ties it to the container, whatever the record says.
 */
#include "base/cleanup.h"
#include "base/sha256.h"
#include "io/fileio.h"
#include "io/path.h"
#include "runtime/call.h"
#include "runtime/guard.h"
#include "runtime/record.h"
#include "runtime/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

static bool enforced(const struct call *c) {
  for (size_t i = 0; i < c->policies_len; i++)
    if (c->policies[i].mode == POLICY_ENFORCE)
      return true;
  return false;
}

/* It was created by the bare runtime, or our state is lost: there is nothing to hold it against. */
static int without_state(struct call *c, struct error *err) {
  const char *rule = proof_lacks[PROOF_NO_STATE].id;
  journal_add(&c->harden.spec.journal, "proof", rule, enforced(c) ? OUTCOME_REFUSED : OUTCOME_FINDING, "",
              NULL, NULL, "the container was not created by oci-harden");
  if (enforced(c))
    return error_set_rule(
        err, ERROR_REFUSED, rule,
        "container %s was not created by oci-harden, so that nothing is known of what it was "
        "promised; delete it and create it anew, or start it with %s itself",
        c->command.id, c->target.path);
  return 0;
}

/* The config as it was verified, or none. Its filter, most of the text, is seldom looked into. The caller
 * frees *ret_text, of which *ret_seccomp is a part. */
static int read_config(const struct call *c, char **ret_text, struct jsonx_span *ret_seccomp, json_t **ret,
                       struct error *err) {
  const char *path = c->state.config;
  char digest[STATE_DIGEST_SIZE];
  struct jsonx_source src = { .name = path };
  if (file_read(AT_FDCWD, path, RESOLVE_LEAF, (size_t)c->config.config_limit, ret_text, &src.len, NULL, err) <
      0)
    return -1;
  src.text = *ret_text;
  sha256_hex(src.text, src.len, digest);
  if (strcmp(digest, c->state.after) != 0)
    return error_set(err, ERROR_REFUSED, 0, "%s was changed after it was verified at create", path);
  return spec_read_json_without(&src, "/linux/seccomp", ret_seccomp, ret, err);
}

/* The container's directory, in which only the runtime can have written, and the FIFO in it. */
static int find_fifo(const struct call *c, struct stat *ret, struct error *err) {
  CLEANUP_FREE char *dir = xasprintf("%s/%s", c->root, c->command.id);
  struct stat st;
  CLEANUP_FD int fd = path_open(AT_FDCWD, dir, O_PATH | O_DIRECTORY, 0, RESOLVE_LEAF);
  if (fd < 0 || fstat(fd, &st) < 0 || fstatat(fd, "exec.fifo", ret, AT_SYMLINK_NOFOLLOW) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s", dir);
  if (!file_owner_is_trusted(st.st_uid) || (st.st_mode & (S_IWGRP | S_IWOTH)))
    return error_set(err, ERROR_REFUSED, 0, "%s is not trusted: owner %u, mode %04o", dir,
                     (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
  return 0;
}

/* Without root the files of a process that cannot be dumped are not ours to see; the record then is our own.
 */
static int waits_on(struct call *c, const struct kernel_process *p, const struct stat *fifo, bool *ret,
                    struct error *err) {
  if (kernel_fds_have(p, fifo, ret, err) == 0)
    return 0;
  if (geteuid() == 0 || (err->sys != EACCES && err->sys != EPERM))
    return -1;
  journal_add(&c->harden.spec.journal, "proof", proof_lacks[PROOF_NO_PROCESS].id, OUTCOME_FINDING, "", NULL,
              NULL, err->message);
  *err = (struct error){ 0 };
  *ret = true;
  return 0;
}

/* One that is frozen neither stops for its filters to be read nor dies. */
static int check_runs(const struct call *c, const struct kernel_process *p, struct error *err) {
  CLEANUP_KERNEL_CGROUPS struct kernel_cgroups groups = { 0 };
  struct error ignored = { 0 };
  if (kernel_cgroups_read(p, &groups, &ignored) == 0 && kernel_cgroup_is_frozen(&groups, KERNEL_CGROUP_MOUNT))
    return error_set(err, ERROR_REFUSED, 0, "process %d is paused; resume container %s first", (int)p->pid,
                     c->command.id);
  return 0;
}

/* The created process: the one of the record, if it waits on this very FIFO. */
static int identify(struct call *c, const struct record *record, struct kernel_process *ret,
                    struct error *err) {
  CLEANUP_KERNEL_PROCESS struct kernel_process process;
  struct stat fifo;
  bool waits = false;
  if (kernel_process_open(&process, record->pid, record->start, err) < 0 || find_fifo(c, &fifo, err) < 0 ||
      waits_on(c, &process, &fifo, &waits, err) < 0)
    return -1;
  if (!waits)
    return error_set(err, ERROR_REFUSED, 0,
                     "process %d does not wait on %s/%s/exec.fifo; if a start that was killed has let it go, "
                     "the container can only be deleted",
                     (int)record->pid, c->root, c->command.id);
  if (check_runs(c, &process, err) < 0)
    return -1;
  *ret = process;
  process = (struct kernel_process)KERNEL_PROCESS_NONE;
  return 0;
}

/* Each promise that was not seen to hold becomes an entry of the journal. */
static void record_findings(struct call *c, const struct proof_finding *veto) {
  for (size_t i = 0; i < c->proof.len; i++) {
    const struct proof_finding *f = &c->proof.items[i];
    enum outcome outcome = OUTCOME_FINDING;
    if (f->outcome == PROOF_HELD)
      continue;
    if (f->in_force && (f == veto || f->outcome == PROOF_BROKEN))
      outcome = OUTCOME_REFUSED;
    else if (f->outcome == PROOF_BROKEN)
      outcome = OUTCOME_AUDITED;
    journal_add(&c->harden.spec.journal, f->row->control, f->row->id, outcome, "", NULL, NULL, f->text);
  }
}

static int judge(struct call *c, const struct proof_view *view, struct error *err) {
  const struct proof_finding *veto = proof_veto(&c->proof, view);
  record_findings(c, veto);
  if (!veto)
    return 0;
  return error_set_rule(err, ERROR_REFUSED, veto->row->id, "%s: %s", veto->row->promise, veto->text);
}

int call_unprovable(struct call *c, enum proof_lack lack, struct error *err) {
  const char *rule = proof_lacks[lack].id;
  journal_add(&c->harden.spec.journal, "proof", rule, enforced(c) ? OUTCOME_REFUSED : OUTCOME_AUDITED, "",
              NULL, NULL, err->message);
  if (enforced(c)) {
    snprintf(err->rule, sizeof err->rule, "%s", rule);
    err->code = ERROR_REFUSED;
    return -1;
  }
  *err = (struct error){ 0 };
  return 0;
}

int call_compare(struct call *c, struct proof_promise promise, const struct kernel_process *process,
                 struct error *err) {
  const struct seccomp_cache cache = { c->config.cache_dir };
  const struct policy *policies[HARDEN_POLICIES_MAX] = { &c->policies[0], &c->policies[1] };
  promise.bundle = c->bundle_path;
  promise.runtime = c->target.kind;
  promise.policies = policies;
  promise.policies_len = c->policies_len;
  promise.cache = c->config.cache_dir ? &cache : NULL;
  if (proof_look(&c->view, &promise, process, err) < 0)
    return call_unprovable(c, PROOF_NO_PROCESS, err);
  proof_compare(&c->proof, &promise, &c->view);
  return judge(c, &c->view, err);
}

static int prove(struct call *c, const struct kernel_process *init, struct error *err) {
  CLEANUP_FREE char *text = NULL;
  struct jsonx_span seccomp;
  if (read_config(c, &text, &seccomp, &c->promised, err) < 0)
    return call_unprovable(c, PROOF_NO_CONFIG, err);
  const struct proof_promise promise = {
    .config = c->promised,
    .seccomp = seccomp,
    .preserved_fds = c->state.handed_fds,
    .rootfs = { c->state.rootfs.device, c->state.rootfs.inode },
    .map = usermap_promised(&c->state),
    .waiting = true,
  };
  return call_compare(c, promise, init, err);
}

/* The promise as far as it shows at the program's first instruction only. */
static struct proof_promise promise_at_exec(const struct call *c,
                                            const struct policy *policies[HARDEN_POLICIES_MAX]) {
  for (size_t i = 0; i < c->policies_len; i++)
    policies[i] = &c->policies[i];
  return (struct proof_promise){
    .config = c->promised, .policies = policies, .policies_len = c->policies_len, .executed = true
  };
}

int call_prove_exec(struct call *c, const struct kernel_process *process, struct error *err) {
  const struct policy *policies[HARDEN_POLICIES_MAX];
  const struct proof_promise promise = promise_at_exec(c, policies);
  CLEANUP_PROOF_VIEW struct proof_view view = PROOF_VIEW_NONE;
  view.privileged = true;
  if (kernel_view_read(&view.kernel, process->pid, process->start, KERNEL_PART(KERNEL_LABEL), err) < 0)
    return call_unprovable(c, PROOF_NO_PROCESS, err);
  journal_free(&c->harden.spec.journal); /* of the start, which had its event */
  proof_free(&c->proof);
  proof_compare_at_exec(&c->proof, &promise, &view);
  return judge(c, &view, err);
}

/* Leaves somebody who looks at it there. */
static int watch_exec(struct call *c, const struct kernel_process *init, struct error *err) {
  const struct policy *policies[HARDEN_POLICIES_MAX];
  const struct proof_promise promise = promise_at_exec(c, policies);
  if (!c->promised || !proof_is_at_exec(&promise) || !proof_is_privileged())
    return 0;
  return guard_leave(c, init, getpid(), err);
}

/* Nothing of a container that is refused here may stay: an engine that sees its start fail does not always
 * delete it. */
static void end(const struct call *c, const struct kernel_process *init, struct error *err) {
  CLEANUP_FREE char *left = NULL;
  if (!stop_container(c, init, &left))
    error_wrap(err, "%s", left);
}

/* Of a container that has ended, runs, or was never made, the runtime tells in its own words. */
static bool waits_for_start(const struct record *r) {
  return r->created && (r->alive || !r->readable);
}

/* A process that is not known to be the container's is not ours to kill: *ret_init is held only where it is.
 */
static int prove_created(struct call *c, const struct record *record, struct kernel_process *ret_init,
                         struct error *err) {
  *ret_init = (struct kernel_process)KERNEL_PROCESS_NONE;
  if (!c->known)
    return without_state(c, err);
  if (identify(c, record, ret_init, err) < 0)
    return call_unprovable(c, PROOF_NO_PROCESS, err);
  return prove(c, ret_init, err);
}

/* What was compared is of no account: the process was another's to prove. */
static void forget(struct call *c) {
  journal_free(&c->harden.spec.journal);
  proof_free(&c->proof);
  proof_view_free(&c->view);
  json_decref(c->promised);
  c->promised = NULL;
}

/* Two starts may meet. What one finds of a process that the other has let go on meanwhile, or that somebody
 * else traces still, so that its filters could not be read, is no reason to end it. */
static bool is_anothers(struct call *c, const struct kernel_process *init, struct error *err) {
  const char *rule = proof_lacks[PROOF_NO_PROCESS].id;
  struct stat fifo;
  bool waits = false;
  struct error unknown = { 0 };
  const pid_t tracer = kernel_process_tracer(init);
  if (!kernel_process_alive(init))
    return false;
  if (tracer && tracer != getpid()) {
    error_wrap(err, "process %d, which process %d traces, is left as it is", (int)init->pid, (int)tracer);
    return true;
  }
  const bool told = find_fifo(c, &fifo, &unknown) == 0 && waits_on(c, init, &fifo, &waits, &unknown) == 0;
  if (told && waits)
    return false;
  if (!told && unknown.sys != ENOENT) {
    error_wrap(err, "%s; process %d is left as it is", unknown.message, (int)init->pid);
    return true;
  }
  forget(c);
  error_set_rule(err, ERROR_REFUSED, rule, "process %d does not wait any more: somebody else has started it",
                 (int)init->pid);
  return true;
}

/* Until the process is known, a failure leaves the container as it is, which may be started again. */
static int start_proved(struct call *c, struct error *err) {
  CLEANUP_RECORD struct record record = { 0 };
  CLEANUP_KERNEL_PROCESS struct kernel_process init = KERNEL_PROCESS_NONE;
  if (record_read_process(&record, c->root, c->command.id, c->target.kind, err) < 0)
    return -1;
  if (!waits_for_start(&record))
    return call_start(c, err);
  if (call_known_policies(c, err) < 0)
    return -1;
  if (prove_created(c, &record, &init, err) < 0 || call_event(c, err) < 0 ||
      (init.pid && watch_exec(c, &init, err) < 0)) {
    if (init.pid && !is_anothers(c, &init, err))
      end(c, &init, err);
    return -1;
  }
  return call_start(c, err);
}

int call_prove(struct call *c, struct error *err) {
  if (start_proved(c, err) < 0)
    return error_wrap(err, "container %s is not started", c->command.id);
  return 0;
}

/* Has somebody started it? The runtime takes the FIFO away a moment after the process went on from it. */
static bool is_started_meanwhile(struct call *c) {
  enum { LIMIT_MS = 500, STEP_MS = 2 };
  for (int waited = 0; waited < LIMIT_MS; waited += STEP_MS) {
    CLEANUP_RECORD struct record record = { 0 };
    CLEANUP_KERNEL_PROCESS struct kernel_process init = KERNEL_PROCESS_NONE;
    struct error ignored = { 0 };
    if (record_read_process(&record, c->root, c->command.id, c->target.kind, &ignored) < 0)
      return false;
    if (!waits_for_start(&record))
      return true;
    if (identify(c, &record, &init, &ignored) == 0)
      return false;
    nanosleep(&(struct timespec){ .tv_nsec = STEP_MS * 1000000L }, NULL);
  }
  return false;
}

int call_prove_before_exec(struct call *c, const struct record *record, struct error *err) {
  CLEANUP_KERNEL_PROCESS struct kernel_process init = KERNEL_PROCESS_NONE;
  if (!enforced(c) || !waits_for_start(record) || prove_created(c, record, &init, err) == 0)
    return 0;
  if (!c->known || !is_started_meanwhile(c))
    return error_wrap(err, "container %s waits for its start, and nothing is executed in it", c->command.id);
  forget(c);
  *err = (struct error){ 0 };
  return 0;
}
