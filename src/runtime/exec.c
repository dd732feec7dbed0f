/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec: engines build the process file from their own stored spec, so a hardened container's exec'd process
 * would get the engine's full set. The runtime gets a private, hardened copy instead, whatever form the call
 * had; the engine's file, which lies in /tmp with some, is read once and never again.
 */
#include "base/cleanup.h"
#include "io/fileio.h"
#include "io/path.h"
#include "kernel/cgroup.h"
#include "runtime/call.h"
#include "runtime/process.h"
#include "runtime/record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* --cgroup is relative to the container's cgroup; ".." leaves it. To runc it is [CONTROLLERS:]PATH, to crun a
 * path with colons in it. Where a controller of version 1 has no such group, crun leaves the process in its
 * own. */
static int judge_cgroup(struct call *c, struct error *err) {
  const bool crun = c->target.kind == RUNTIME_CRUN;
  for (size_t i = c->command.globals; i < c->command.len; i++) {
    const struct command_option *o = &c->command.options[i];
    if (strcmp(o->flag->name, "cgroup") != 0 || !*o->value)
      continue;
    if (crun && !kernel_cgroup_is_v2(KERNEL_CGROUP_MOUNT))
      return error_set_rule(err, ERROR_REFUSED, "OH-CMD-014",
                            "exec: --cgroup=%s: crun runs a process that it cannot put there outside of the "
                            "container's cgroup; leave the option out",
                            o->value);
    const char *colon = crun ? NULL : strchr(o->value, ':');
    if (path_names_parent(colon ? colon + 1 : o->value))
      return error_set_rule(err, ERROR_REFUSED, "OH-CMD-014",
                            "exec: --cgroup=%s leaves the container's cgroup; name one below it", o->value);
  }
  return 0;
}

static bool is_regular(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* May be a pipe, and through a /dev/fd link: opened as the runtime would, read once. */
static int read_file(struct call *c, const char *path, char **ret_text, size_t *ret_len, struct error *err) {
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_RDONLY | O_NOCTTY, 0, RESOLVE_TRUSTED);
  if (fd < 0)
    return error_set(err, ERROR_SYSTEM, errno, "exec: process file %s", path);
  return file_read_fd(fd, path, (size_t)c->config.config_limit, ret_text, ret_len, err);
}

/* The container's own process, as the runtime reads it: crun keeps a copy of config.json, runc goes to the
 * bundle. */
static int read_base(struct call *c, json_t **ret, struct error *err) {
  const bool crun = c->target.kind == RUNTIME_CRUN;
  CLEANUP_RECORD struct record record = { 0 };
  CLEANUP_FREE char *text = NULL;
  CLEANUP_SPEC struct spec spec = { 0 };
  struct jsonx_source src = { 0 };
  const size_t limit = (size_t)c->config.config_limit;
  *ret = NULL;
  if (record_read(&record, c->root, c->command.id, c->target.kind, err) < 0)
    return error_wrap(err, "exec");
  if (!record.exists)
    return 0; /* the runtime says so in its own words */
  CLEANUP_FREE char *path = crun ? xasprintf("%s/%s/config.json", c->root, c->command.id)
                                 : xasprintf("%s/config.json", record.bundle    ? record.bundle
                                                               : c->bundle_path ? c->bundle_path
                                                                                : "");
  src.name = path;
  if (file_read(AT_FDCWD, path, RESOLVE_LEAF, limit, &text, &src.len, NULL, err) < 0)
    return error_wrap(err, "exec: the container's config cannot be read");
  src.text = text;
  if (spec_parse(&spec, SPEC_CONFIG, &src, limit, err) < 0)
    return error_wrap(err, "exec");
  *ret = jsonx_copy(spec_at(&spec, "/process"));
  return 0;
}

static int build(struct call *c, char **ret_text, size_t *ret_len, struct error *err) {
  json_auto_t *base = NULL;
  json_auto_t *process = NULL;
  CLEANUP_STR struct str bytes = { 0 };
  if (read_base(c, &base, err) < 0 || process_build(&c->command, base, &process, err) < 0)
    return -1;
  jsonx_dump(process, &bytes);
  *ret_len = bytes.len;
  *ret_text = str_steal(&bytes);
  return 0;
}

/* What the process file now says. The terminal of a call that had a file stays an option: conmon passes both.
 */
static void replace_options(struct command *command, const char *path) {
  static const char *const said[] = { "cwd",      "env",           "user",         "additional-gids",
                                      "apparmor", "process-label", "no-new-privs", "cap" };
  if (!command_has(command, "process"))
    command_drop(command, "tty");
  for (size_t i = 0; i < ARRAY_SIZE(said); i++)
    command_drop(command, said[i]);
  command_set(command, "process", path);
  command->args_len = 0;
}

/* What the spec now holds becomes the file that the runtime reads. */
static int substitute_file(struct call *c, struct error *err) {
  if (call_private_file(c, "exec", err) < 0)
    return -1;
  replace_options(&c->command, c->private_file);
  return 0;
}

/* crun gives the process the score that it has itself, whatever the file says. Upwards takes no privilege. */
static int raise_oom_score(const struct call *c, struct error *err) {
  static const char path[] = "/proc/self/oom_score_adj";
  const struct facts *facts = &c->harden.facts;
  const json_t *score = spec_at(&c->harden.spec, "/process/oomScoreAdj");
  if (!score || !facts->oom_score_known || json_integer_value(score) <= facts->oom_score_adj)
    return 0;
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_WRONLY, 0, RESOLVE_TRUSTED);
  CLEANUP_FREE char *text = xasprintf("%lld", (long long)json_integer_value(score));
  return fd >= 0 && write_all(fd, text, strlen(text)) == 0 ? 0
                                                           : error_set(err, ERROR_SYSTEM, errno, "%s", path);
}

static int harden_process(struct call *c, bool substitute, struct error *err) {
  const char *file = command_value(&c->command, "process");
  const size_t limit = (size_t)c->config.config_limit;
  CLEANUP_FREE char *text = NULL;
  struct jsonx_source src = { .name = file ? file : "exec" };
  if ((file ? read_file(c, file, &text, &src.len, err) : build(c, &text, &src.len, err)) < 0)
    return -1;
  src.text = text;
  const struct journal judged = c->harden.spec.journal; /* before there was a document */
  if (harden_parse(&c->harden, SPEC_PROCESS, &src, limit, err) < 0)
    return -1;
  c->harden.spec.journal = judged;
  if (call_harden(c, -1, err) < 0)
    return -1;
  if (!substitute)
    return 0;
  return raise_oom_score(c, err) < 0 ? -1 : substitute_file(c, err);
}

/* A container that was given a user namespace: its root owns what it is handed, and the runtime finds itself
 * where it may not go from inside. */
static int follow_map(struct call *c, struct error *err) {
  if (usermap_own_pipes(c->state.map.base, err) < 0)
    return -1;
  return c->init && c->state.map.entered.len ? usermap_enter_again(&c->state.map.entered, c->init, err) : 0;
}

/* The container's first process, and whether it waits for its start. */
static int find_init(struct call *c, struct error *err) {
  CLEANUP_RECORD struct record record = { 0 };
  if (record_read_process(&record, c->root, c->command.id, c->target.kind, err) < 0)
    return error_wrap(err, "exec");
  c->init = record.pid;
  return call_prove_before_exec(c, &record, err);
}

int call_exec(struct call *c, struct error *err) {
  if (call_known_policies(c, err) < 0 || find_init(c, err) < 0 || call_judge_fds(c, err) < 0)
    return -1;
  const char *file = command_value(&c->command, "process");
  const bool enforces = call_enforces(c, SPEC_PROCESS);
  if (enforces && judge_cgroup(c, err) < 0)
    return -1;
  /* With nothing in force the call is only recorded, and a pipe is the runtime's to read. */
  if ((enforces || (file && is_regular(file))) && harden_process(c, enforces, err) < 0)
    return -1;
  if (call_event(c, err) < 0 || (c->state.map.base && follow_map(c, err) < 0) ||
      (c->user_namespace && usermap_own_null(c->target.kind, err) < 0))
    return -1;
  return call_start(c, err);
}
