/* SPDX-License-Identifier: Apache-2.0 */
/* The hook: whose container is it, and what is to be done at this stage. */
#include "harden/hook.h"

#include "base/cleanup.h"
#include "base/sha256.h"
#include "io/fileio.h"
#include "io/path.h"
#include "runtime/guard.h"
#include "runtime/ownhook.h"
#include "runtime/record.h"
#include "runtime/report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* crun gives its hooks the null device for stderr, and says nothing but their exit code: its own is where the
 * engine looks. */
static void find_stderr(void) {
  struct stat st;
  if (fstat(STDERR_FILENO, &st) < 0 || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
    guard_take_stderr(getppid());
}

/* The state of a container by this name, below one runtime's root. */
static bool load(const struct call *c, const char *root_name, int *ret_fd, struct state *ret) {
  CLEANUP_FREE char *path = xasprintf("%s/%s/%s", c->config.state_dir, root_name, c->command.id);
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, RESOLVE_LEAF);
  CLEANUP_STATE struct state state = { 0 };
  bool found = false;
  struct error ignored = { 0 };
  if (fd < 0 || state_check(fd, path, &ignored) < 0 || state_load(fd, &state, &found, &ignored) < 0 ||
      !found || strcmp(state.id, c->command.id) != 0)
    return false;
  *ret_fd = steal_fd(&fd);
  *ret = state;
  state = (struct state){ 0 };
  return true;
}

typedef bool state_look(const struct call *c, int fd, const struct state *state, int *ret_fd);

/* Each of them until `each` says true. The runtime's root is no part of what hooks are told. */
static bool find_state(const struct call *c, state_look *each, int *ret_fd) {
  CLEANUP_DIR DIR *dir = opendir(c->config.state_dir);
  for (struct dirent *entry; dir && (entry = readdir(dir));) {
    CLEANUP_FD int fd = -1;
    CLEANUP_STATE struct state state = { 0 };
    if (entry->d_name[0] != '.' && load(c, entry->d_name, &fd, &state) && each(c, fd, &state, ret_fd))
      return true;
  }
  return false;
}

/* The wrapper that wrote the state has become the runtime, whose child a hook is. Only crun's `run --detach`
 * is left by its forefathers before: there it is the bundle, and a runtime that lives. */
static bool is_of_our_parent(const struct call *c, int fd, const struct state *state, int *ret_fd) {
  if (state->creator_start != process_start(state->creator) ||
      (state->creator != getppid() && strcmp(state->bundle, c->bundle_path) != 0))
    return false;
  *ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  return *ret_fd >= 0;
}

static enum runtime_kind kind_of(const struct config *config, const char *path) {
  for (size_t i = 0; i < config->runtimes_len; i++)
    if (strcmp(config->runtimes[i].path, path) == 0)
      return (enum runtime_kind)config->runtimes[i].kind;
  const char *slash = strrchr(path, '/');
  return str_starts(slash ? slash + 1 : path, "crun") ? RUNTIME_CRUN : RUNTIME_RUNC;
}

/* poststop: what we keep of it goes, if it really is gone: one below another root may have the same name. */
static bool forget(const struct call *c, int fd, const struct state *state, int *ret_fd) {
  CLEANUP_RECORD struct record record = { 0 };
  struct error ignored = { 0 };
  (void)fd, (void)ret_fd;
  enum runtime_kind kind;
  if (strcmp(state->bundle, c->bundle_path) != 0 ||
      record_read_any(&record, state->root, state->id, &kind, &ignored) < 0)
    return false;
  const bool lives = record.alive || (record.exists && !record.readable);
  if (!lives && state_remove(c->config.state_dir, state->root, state->id, &ignored) < 0)
    return false; /* for hardenctl gc: a container's end must not fail */
  return false;
}

/* Is a number that we are told one of our /proc's? Not inside a container's pid namespace. */
static bool sees_the_host(void) {
  char self[32];
  const ssize_t n = readlink("/proc/self", self, sizeof self - 1);
  self[n > 0 ? n : 0] = '\0';
  return strtol(self, NULL, 10) == getpid();
}

/* The bare runtime's container: the process that it names, if that has mounts of its own. Which one it is, is
 * the runtime's word: crun's `run --detach` leaves it without a parent to know it by. What has the host's
 * mounts is left alone. */
static int identify(const struct hook_call *h, struct kernel_process *ret, struct error *err) {
  struct kernel_namespace own[KERNEL_NAMESPACES], is[KERNEL_NAMESPACES];
  if (!sees_the_host())
    return error_set(err, ERROR_INPUT, 0,
                     "this stage runs in the container's namespaces; register the hook for createRuntime");
  if (kernel_process_open(ret, h->pid, 0, err) < 0 || kernel_namespaces_own(own, err) < 0 ||
      kernel_namespaces_read(ret, is, err) < 0)
    return -1;
  if (kernel_namespace_same(&own[KERNEL_NS_MOUNT], &is[KERNEL_NS_MOUNT]))
    return error_set(err, ERROR_REFUSED, 0, "process %d has the host's mounts: it is no container's",
                     (int)h->pid);
  return 0;
}

/* By its name, as the kind decides how filters are written: crun runs from a copy of itself, whose path tells
 * nothing. *ret_name is the caller's to free. */
static void identify_runtime(struct call *c, char **ret_name) {
  CLEANUP_FREE char *path = xasprintf("/proc/%d/comm", (int)getppid());
  size_t len;
  struct error ignored = { 0 };
  if (file_read(AT_FDCWD, path, RESOLVE_TRUSTED, PATH_MAX, ret_name, &len, NULL, &ignored) < 0)
    *ret_name = xstrdup("");
  (*ret_name)[strcspn(*ret_name, "\n")] = '\0';
  c->target.path = *ret_name;
  c->target.kind = kind_of(&c->config, *ret_name);
}

static int read_config(struct call *c, int bundle, char **ret_text, struct error *err) {
  struct jsonx_source src = { .name = "config.json" };
  const size_t limit = (size_t)c->config.config_limit;
  if (file_read(bundle, "config.json", RESOLVE_INSIDE, limit, ret_text, &src.len, NULL, err) < 0)
    return error_wrap(err, "bundle %s", c->bundle_path);
  src.text = *ret_text;
  sha256_hex(src.text, src.len, c->before);
  memcpy(c->after, c->before, sizeof c->after);
  if (harden_parse(&c->harden, SPEC_CONFIG, &src, limit, err) < 0)
    return -1;
  c->annotations = spec_snapshot(&c->harden.spec, "/annotations");
  c->sandbox = c->annotations && annotations_are_sandbox(c->annotations, c->command.id);
  return call_select(c, c->annotations, err);
}

/* The policies' veto of what the runtime was told to make. */
static int judge_config(struct call *c, const struct hook_call *h, int bundle, struct error *err) {
  CLEANUP_STRLIST struct strlist args = { 0 };
  char self[PATH_MAX];
  const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  self[n > 0 ? n : 0] = '\0';
  for (char **word = h->argv; *word; word++)
    strlist_add(&args, *word);
  c->hook = xstrdup(self);
  strlist_copy(&c->hook_args, &args);
  if (call_keeps(c, bundle, err) == 0)
    return 0;
  if (!err->rule[0])
    snprintf(err->rule, sizeof err->rule, "%s", "OH-HOK-004");
  return error_wrap(err, "container %s is not what the policy asks for", c->command.id);
}

static int bare(struct call *c, const struct hook_call *h, char **ret_runtime, struct error *err) {
  CLEANUP_KERNEL_PROCESS struct kernel_process init = KERNEL_PROCESS_NONE;
  CLEANUP_FREE char *text = NULL;
  CLEANUP_FD int bundle = path_open(AT_FDCWD, h->bundle, O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  if (bundle < 0)
    return error_set(err, ERROR_SYSTEM, errno, "bundle %s", h->bundle);
  identify_runtime(c, ret_runtime);
  if (identify(h, &init, err) < 0 || read_config(c, bundle, &text, err) < 0 ||
      judge_config(c, h, bundle, err) < 0)
    return -1;
  if (h->status == HOOK_CREATING)
    return guard_leave(c, &init, getppid(), err) < 0 ? call_unprovable(c, PROOF_NO_PROCESS, err) : 0;
  if (guard_judge(c, &init, err) == 0)
    return 0;
  kernel_process_kill(&init, 0);
  return -1;
}

static int handle(struct call *c, const struct hook_call *h, char **ret_runtime, struct error *err) {
  bool guarded;
  CLEANUP_FD int state = -1;
  if (config_load(h->config, &c->config, err) < 0 || command_check_id(h->id, err) < 0)
    return -1;
  c->configured = true;
  c->self.policy = h->policy;
  c->command.id = h->id;
  c->event_row = verb_find(VERB_START);
  c->command.row = c->event_row;
  c->bundle_path = xstrdup(h->bundle);
  if (h->status == HOOK_STOPPED) {
    find_state(c, forget, NULL);
    return 0;
  }
  if (find_state(c, is_of_our_parent, &state))
    return guard_tell(state, h->pid, &guarded, err); /* without a guard it is a create: start compares */
  return bare(c, h, ret_runtime, err);
}

int hook_handle(const struct hook_call *h) {
  struct error err = { 0 };
  CLEANUP_FREE char *runtime = NULL; /* what the call has borrowed */
  CLEANUP_CALL struct call c;
  call_init(&c);
  if (handle(&c, h, &runtime, &err) == 0)
    return 0;
  find_stderr();
  return call_fail(&c, &err);
}

int hook_fail(const struct error *err) {
  const struct command none = { 0 };
  find_stderr();
  return report_failure(&none, RUNTIME_RUNC, err);
}
