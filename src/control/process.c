/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where and as what the process starts. /proc and /sys are the runtime's and the host's until the last
 * moment: a cwd of /proc/self/fd/7 was the host's directory (CVE-2024-21626), an args[0] of /proc/self/exe
 * was the runtime's own binary (CVE-2019-5736), and both can be reached through a link of the image or
 * through PATH.
 */
#include "control/common.h"

#include <string.h>

#define CWD "/process/cwd"
#define ARG0 "/process/args/0"
#define OOM "/process/oomScoreAdj"

enum { RULE_CWD, RULE_ARG0, RULE_PATH, RULE_TERMINAL, RULE_OOM, RULE_SCHEDULER };
const struct control_rule process_rules[] = {
  [RULE_CWD] = { "OH-PRC-001",
                 "the working directory is absolute, holds no \"..\", and is not in /proc or /sys, "
                 "as written and after following links (CVE-2024-21626)" },
  [RULE_ARG0] = { "OH-PRC-002",
                  "the program is not in /proc, /sys or /dev/fd, as written and after following "
                  "links (CVE-2019-5736)" },
  [RULE_PATH] = { "OH-PRC-003", "PATH does not lead into /proc or /sys when the program is looked up in it" },
  [RULE_TERMINAL] = { "OH-PRC-004",
                      "a terminal needs a fresh tmpfs on /dev and a fresh devpts instance, so that "
                      "the console is not laid over a file of the image (CVE-2025-52565)" },
  [RULE_OOM] = { "OH-PRC-005", "a process is not spared by the kernel when memory runs out" },
  [RULE_SCHEDULER] = { "OH-PRC-006", "real-time and better-than-normal scheduling is taken away" },
  { NULL, NULL },
};

/* Kernel file systems, where a path is not what it seems. /dev/fd and its like are links into /proc that the
 * runtime makes, and that no look at the rootfs finds. */
static const char *const kernel_paths[] = { "/proc",      "/sys",        "/dev/fd",
                                            "/dev/stdin", "/dev/stdout", "/dev/stderr" };

/* The directory through which `path` would reach the kernel; NULL: none. Other mounts of proc or sysfs count.
 */
static const char *through_kernel(const json_t *root, const char *path) {
  const json_t *mounts = control_at(root, "/mounts");
  for (size_t i = 0; i < ARRAY_SIZE(kernel_paths); i++)
    if (control_path_below(path, kernel_paths[i]))
      return kernel_paths[i];
  for (size_t i = 0; i < json_array_size(mounts); i++) {
    const json_t *mount = json_array_get(mounts, i);
    const char *type = json_string_value(json_object_get(mount, "type"));
    const char *destination = json_string_value(json_object_get(mount, "destination"));
    if (!type || !destination || (strcmp(type, "proc") != 0 && strcmp(type, "sysfs") != 0))
      continue;
    CLEANUP_FREE char *absolute = xasprintf("/%s", destination); /* runtimes take a relative one from "/" */
    if (control_path_below(path, absolute))
      return destination;
  }
  return NULL;
}

static int refuse(struct spec *spec, int rule, const char *pointer, const char *text, struct error *err) {
  return spec_refuse(spec, pointer, (struct reason){ process_rules[rule].id, text }, err);
}

/* What is wrong with a path, as a sentence; NULL: nothing. The caller frees. */
static char *judge(const json_t *root, const char *path, const char *resolved) {
  const char *through;
  if (control_path_climbs(path))
    return xasprintf("\"%s\" holds \"..\"", path);
  /* A program's path with a slash in it is relative to the cwd: "proc/self/exe" in "/". */
  const char *cwd = control_text(root, CWD);
  CLEANUP_FREE char *absolute = xasprintf("%s/%s", *path != '/' && cwd ? cwd : "", path);
  if (strchr(path, '/') && (through = through_kernel(root, absolute)))
    return xasprintf("\"%s\" lies in %s", path, through);
  if (resolved && (through = through_kernel(root, resolved)))
    return xasprintf("\"%s\" leads to %s, which lies in %s", path, resolved, through);
  return NULL;
}

static char *judge_cwd(const json_t *root, const struct facts *facts) {
  const char *cwd = control_text(root, CWD);
  if (!cwd || *cwd != '/')
    return xasprintf("\"%s\" is not absolute", cwd ? cwd : "");
  return judge(root, cwd, facts->cwd_resolved);
}

/* A program without a slash is looked up in PATH. The value is not repeated: it is the environment's. */
static bool path_leads_astray(const json_t *root, size_t *ret_index) {
  const char *program = control_text(root, ARG0);
  const char *cwd = control_text(root, CWD);
  const json_t *env = control_at(root, "/process/env");
  if (!program || strchr(program, '/'))
    return false;
  for (size_t i = 0; i < json_array_size(env); i++) {
    const char *variable = json_string_value(json_array_get(env, i));
    if (!variable || !str_starts(variable, "PATH="))
      continue;
    for (const char *dir = variable + strlen("PATH=");; dir++) {
      CLEANUP_STR struct str one = { 0 };
      str_add_mem(&one, dir, strcspn(dir, ":"));
      CLEANUP_FREE char *absolute =
          xasprintf("%s/%s", *dir != '/' && cwd ? cwd : "", one.len ? one.data : "");
      if ((one.len && control_path_climbs(one.data)) || through_kernel(root, absolute)) {
        *ret_index = i;
        return true;
      }
      dir += one.len;
      if (!*dir)
        break;
    }
  }
  return false;
}

static int apply_paths(struct spec *spec, const struct facts *facts, struct error *err) {
  const char *program = spec_at(spec, ARG0) ? control_text(spec->root, ARG0) : NULL;
  CLEANUP_FREE char *cwd = judge_cwd(spec->root, facts);
  CLEANUP_FREE char *arg0 = program ? judge(spec->root, program, facts->arg0_resolved) : NULL;
  size_t index;

  if (cwd && refuse(spec, RULE_CWD, spec_at(spec, CWD) ? CWD : "/process", cwd, err))
    return -1;
  if (arg0 && refuse(spec, RULE_ARG0, ARG0, arg0, err))
    return -1;
  if (path_leads_astray(spec->root, &index)) {
    CLEANUP_FREE char *pointer = xasprintf("/process/env/%zu", index);
    return refuse(spec, RULE_PATH, pointer, "PATH leads into a kernel file system or upwards", err);
  }
  return 0;
}

/* The last mount on a destination, which is the one that is seen; NULL: none. */
static const json_t *last_mount(const json_t *root, const char *destination) {
  const json_t *mounts = control_at(root, "/mounts");
  for (size_t i = json_array_size(mounts); i-- > 0;) {
    const json_t *mount = json_array_get(mounts, i);
    CLEANUP_FREE char *on = xasprintf("/%s", control_text(mount, "/destination"));
    if (control_path_same(on, destination))
      return mount;
  }
  return NULL;
}

/* What keeps a terminal from being safe; NULL: nothing. */
static const char *judge_terminal(const json_t *root) {
  if (!json_is_true(control_at(root, "/process/terminal")))
    return NULL;
  const json_t *dev = last_mount(root, "/dev"), *pts = last_mount(root, "/dev/pts");
  const char *dev_type = control_text(dev, "/type"), *pts_type = control_text(pts, "/type");
  const json_t *dev_options = control_at(dev, "/options");
  if (!dev_type || strcmp(dev_type, "tmpfs") != 0 || jsonx_has(dev_options, "bind") ||
      jsonx_has(dev_options, "rbind"))
    return "a terminal needs a fresh tmpfs on /dev";
  if (!pts_type || strcmp(pts_type, "devpts") != 0 || !jsonx_has(control_at(pts, "/options"), "newinstance"))
    return "a terminal needs a devpts on /dev/pts with the option newinstance";
  return NULL;
}

/* SCHED_OTHER, SCHED_BATCH and SCHED_IDLE with a nice value of 0 or more are what any process may ask for. */
static bool favoured_scheduler(const json_t *root) {
  static const char *const plain[] = { "SCHED_OTHER", "SCHED_BATCH", "SCHED_IDLE" };
  const json_t *scheduler = control_at(root, "/process/scheduler");
  const char *policy = control_text(scheduler, "/policy");
  if (!scheduler)
    return false;
  for (size_t i = 0; policy && i < ARRAY_SIZE(plain); i++)
    if (strcmp(policy, plain[i]) == 0)
      return json_integer_value(control_at(scheduler, "/nice")) < 0;
  return true;
}

static bool favoured_io(const json_t *root) {
  const char *class = control_text(root, "/process/ioPriority/class");
  return class && strcmp(class, "IOPRIO_CLASS_RT") == 0;
}

/* Absent is what the runtime runs with. */
static bool oom_score_below(const json_t *root, const struct facts *facts, int64_t floor) {
  const json_t *oom = control_at(root, OOM);
  return oom ? json_integer_value(oom) < floor : facts->oom_score_known && facts->oom_score_adj < floor;
}

static int apply_priority(struct spec *spec, const struct policy *policy, const struct facts *facts,
                          struct error *err) {
  const struct reason realtime = { process_rules[RULE_SCHEDULER].id,
                                   "the container would come before the host's own processes" };
  if (oom_score_below(spec->root, facts, policy->process.oom_score_adj_min) &&
      spec_set(spec, OOM, json_integer(policy->process.oom_score_adj_min),
               (struct reason){ process_rules[RULE_OOM].id,
                                spec_at(spec, OOM)
                                    ? "below the policy's floor"
                                    : "the engine's own, below the policy's floor, would be inherited" },
               err))
    return -1;
  if (favoured_scheduler(spec->root) && spec_remove(spec, "/process/scheduler", realtime, err))
    return -1;
  return favoured_io(spec->root) ? spec_remove(spec, "/process/ioPriority", realtime, err) : 0;
}

int process_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                  struct error *err) {
  if (!spec_at(spec, "/process"))
    return 0;
  if (apply_paths(spec, facts, err))
    return -1;
  const char *terminal = spec->kind == SPEC_CONFIG ? judge_terminal(spec->root) : NULL;
  if (terminal && refuse(spec, RULE_TERMINAL, "/process/terminal", terminal, err))
    return -1;
  return apply_priority(spec, policy, facts, err);
}

int process_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                   const struct facts *facts, struct error *err) {
  const char *program = control_text(after, ARG0);
  size_t index;
  if (!control_at(after, "/process"))
    return 0;
  CLEANUP_FREE char *cwd = judge_cwd(after, facts);
  CLEANUP_FREE char *arg0 = program ? judge(after, program, facts->arg0_resolved) : NULL;
  if (cwd)
    return control_broken(err, CWD, "%s", cwd);
  if (arg0)
    return control_broken(err, ARG0, "%s", arg0);
  if (path_leads_astray(after, &index))
    return control_broken(err, "/process/env", "PATH leads astray");
  if (kind == SPEC_CONFIG && judge_terminal(after))
    return control_broken(err, "/process/terminal", "%s", judge_terminal(after));
  if (oom_score_below(after, facts, policy->process.oom_score_adj_min))
    return control_broken(err, OOM, "is below the floor");
  if (favoured_scheduler(after) || favoured_io(after))
    return control_broken(err, "/process", "has real-time scheduling");
  return 0;
}

/* Absent or the same; what is there may not have changed. */
static int kept_or_gone(const char *pointer, const json_t *before, const json_t *after, struct error *err) {
  const json_t *is = control_at(after, pointer);
  return !is || json_equal(control_at(before, pointer), is)
             ? 0
             : control_broken(err, pointer, "is new or another");
}

int process_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                       const struct facts *facts, struct error *err) {
  static const char *const unchanged[] = { CWD, "/process/args", "/process/terminal" };
  const json_t *was = control_at(before, OOM), *is = control_at(after, OOM);

  (void)kind;
  for (size_t i = 0; i < ARRAY_SIZE(unchanged); i++) {
    const json_t *a = control_at(before, unchanged[i]), *b = control_at(after, unchanged[i]);
    if (a != b && !json_equal(a, b))
      return control_broken(err, unchanged[i], "is another");
  }
  if (was ? !is || json_integer_value(is) < json_integer_value(was)
          : is && !(facts->oom_score_known && json_integer_value(is) >= facts->oom_score_adj))
    return control_broken(err, OOM, "is lower than it was");
  if (kept_or_gone("/process/scheduler", before, after, err) ||
      kept_or_gone("/process/ioPriority", before, after, err))
    return -1;
  return 0;
}
