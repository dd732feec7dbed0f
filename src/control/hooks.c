/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks are programs that the runtime runs, most of them with its own privileges: who can write one has the
 * host. An unknown one is refused and not dropped, because a container without it would be another container
 * (docker's, for one, sets up the network).
 */
#include "control/common.h"

#include <string.h>

static const struct {
  const char *name;
  bool in_container; /* run in the container's mount namespace */
} stages[] = {
  { "prestart", false },      { "createRuntime", false }, { "createContainer", true },
  { "startContainer", true }, { "poststart", false },     { "poststop", false },
};

/* What a hook in the container gets, rather than variables that the image or the user chose. */
static const char environment[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

enum { RULE_UNKNOWN, RULE_ENVIRONMENT };
const struct control_rule hooks_rules[] = {
  [RULE_UNKNOWN] = { "OH-HOK-001", "a hook whose path the policy does not list is refused" },
  [RULE_ENVIRONMENT] = { "OH-HOK-002",
                         "a hook that runs inside the container has an explicit environment, so "
                         "that LD_PRELOAD of the image does not reach it (CVE-2025-23266)" },
  { NULL, NULL },
};

/* dockerd 20.10 hands the network namespace over by running itself again: /proc/<pid of dockerd>/exe. The pid
 * is in decimal, so this is never /proc/self. */
static bool is_docker_network(const char *stage, const json_t *hook) {
  const char *path = control_text(hook, "/path"), *command = control_text(hook, "/args/0");
  if (strcmp(stage, "prestart") != 0 || !str_starts(path, "/proc/") || !command)
    return false;
  const char *pid = path + strlen("/proc/");
  size_t digits = strspn(pid, "0123456789");
  return digits > 0 && strcmp(pid + digits, "/exe") == 0 && strcmp(command, "libnetwork-setkey") == 0;
}

/* Does it look like an engine's hook, and name a process that is none of the host's? */
static bool is_impostor(const char *stage, const json_t *hook, const struct facts *facts) {
  const char *path = control_text(hook, "/path");
  return path && is_docker_network(stage, hook) && strlist_has(&facts->bad_hook_paths, path);
}

static bool known(const char *stage, const json_t *hook, const struct policy *policy,
                  const struct facts *facts) {
  const char *path = control_text(hook, "/path");
  return path &&
         (strlist_has(&policy->hooks.allow, path) ||
          (policy->hooks.engine && is_docker_network(stage, hook) && !is_impostor(stage, hook, facts)));
}

static int apply_hook(struct spec *spec, size_t stage, size_t index, const struct policy *policy,
                      const struct facts *facts, struct error *err) {
  CLEANUP_FREE char *pointer = xasprintf("/hooks/%s/%zu", stages[stage].name, index);
  const json_t *hook = spec_at(spec, pointer);
  if (!known(stages[stage].name, hook, policy, facts)) {
    const char *path = control_text(hook, "/path");
    const bool impostor = policy->hooks.engine && is_impostor(stages[stage].name, hook, facts);
    CLEANUP_FREE char *text =
        xasprintf(impostor ? "the hook \"%s\" is not a program of the host's own that only root can write"
                           : "the hook \"%s\" is not in hooks.allow",
                  path ? path : "");
    return spec_refuse(spec, pointer, (struct reason){ hooks_rules[RULE_UNKNOWN].id, text }, err);
  }
  if (!stages[stage].in_container || json_array_size(control_at(hook, "/env")) > 0)
    return 0;
  CLEANUP_FREE char *env = jsonx_pointer(pointer, "env");
  json_t *value = json_array();
  jsonx_append_new(value, jsonx_string_new(environment));
  return spec_set(spec, env, value,
                  (struct reason){ hooks_rules[RULE_ENVIRONMENT].id,
                                   "it would inherit the environment that the image chose" },
                  err);
}

int hooks_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                struct error *err) {
  for (size_t stage = 0; stage < ARRAY_SIZE(stages); stage++) {
    CLEANUP_FREE char *pointer = jsonx_pointer("/hooks", stages[stage].name);
    size_t len = json_array_size(spec_at(spec, pointer));
    for (size_t i = 0; i < len; i++)
      if (apply_hook(spec, stage, i, policy, facts, err))
        return -1;
  }
  return 0;
}

int hooks_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                 const struct facts *facts, struct error *err) {
  (void)kind;
  for (size_t stage = 0; stage < ARRAY_SIZE(stages); stage++) {
    CLEANUP_FREE char *pointer = jsonx_pointer("/hooks", stages[stage].name);
    const json_t *hooks = control_at(after, pointer);
    for (size_t i = 0; i < json_array_size(hooks); i++) {
      const json_t *hook = json_array_get(hooks, i);
      if (!known(stages[stage].name, hook, policy, facts))
        return control_broken(err, pointer, "hook %zu is not one that the policy lists", i);
      if (stages[stage].in_container && !control_text(hook, "/env/0"))
        return control_broken(err, pointer, "hook %zu has no environment of its own", i);
    }
  }
  return 0;
}

/* The same program with the same arguments; an environment may have become explicit. */
static bool same_hook(const json_t *before, const json_t *after) {
  json_auto_t *a = jsonx_copy(before);
  json_auto_t *b = jsonx_copy(after);
  if (!control_text(before, "/env/0")) {
    json_object_del(a, "env");
    json_object_del(b, "env");
  }
  return json_equal(a, b);
}

int hooks_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                     const struct facts *facts, struct error *err) {
  (void)kind, (void)facts;
  for (size_t stage = 0; stage < ARRAY_SIZE(stages); stage++) {
    CLEANUP_FREE char *pointer = jsonx_pointer("/hooks", stages[stage].name);
    const json_t *was = control_at(before, pointer), *is = control_at(after, pointer);
    /* Fewer is weaker too: a hook may be what checks the container. */
    if (json_array_size(was) != json_array_size(is))
      return control_broken(err, pointer, "has another number of hooks");
    for (size_t i = 0; i < json_array_size(was); i++)
      if (!same_hook(json_array_get(was, i), json_array_get(is, i)))
        return control_broken(err, pointer, "hook %zu is another", i);
  }
  return 0;
}
