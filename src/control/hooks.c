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

enum { RULE_UNKNOWN, RULE_ENVIRONMENT, RULE_OWN, RULE_LOADED };
const struct control_rule hooks_rules[] = {
  [RULE_UNKNOWN] = { "OH-HOK-001", "a hook whose path the policy does not list is refused" },
  [RULE_ENVIRONMENT] = { "OH-HOK-002",
                         "a hook that runs inside the container has an explicit environment, so "
                         "that LD_PRELOAD of the image does not reach it (CVE-2025-23266)" },
  [RULE_OWN] = { "OH-HOK-003",
                 "a container made by run gets our own hook, which has the created process compared "
                 "with what was promised before its program runs" },
  [RULE_LOADED] = { "OH-HOK-004", "a hook's environment has no variable that loads code into the program "
                                  "that the policy lists" },
  { NULL, NULL },
};

/* "/run/docker", and nothing that another program or a shell could take for more than a path. */
static bool is_plain_path(const char *path) {
  return *path == '/' &&
         path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")] == '\0';
}

/* libnetwork-setkey [-exec-root=PATH] CONTAINER CONTROLLER, the ids in hexadecimal. */
static bool are_docker_network_args(const json_t *args) {
  static const char option[] = "-exec-root=";
  const size_t len = json_array_size(args);
  const char *command = json_string_value(json_array_get(args, 0));
  const char *root = json_string_value(json_array_get(args, 1));
  const bool has_option = root && str_starts(root, option);
  if (len != 3 + (size_t)has_option || (has_option && !is_plain_path(root + strlen(option))))
    return false;
  for (size_t i = len - 2; i < len; i++) {
    const char *id = json_string_value(json_array_get(args, i));
    if (!id || !*id || id[strspn(id, "0123456789abcdef")])
      return false;
  }
  return command && strcmp(command, "libnetwork-setkey") == 0;
}

/*
 * dockerd 20.10 hands the network namespace over by running itself again: /proc/<pid of dockerd>/exe. The pid
 * is in decimal, so this is never /proc/self. Arguments and environment are exactly dockerd's: with its own,
 * or an LD_PRELOAD, the same program does anything.
 */
static bool is_docker_network(const char *stage, const json_t *hook) {
  const char *path = control_text(hook, "/path");
  if (strcmp(stage, "prestart") != 0 || !str_starts(path, "/proc/"))
    return false;
  const char *pid = path + strlen("/proc/");
  size_t digits = strspn(pid, "0123456789");
  return digits > 0 && strcmp(pid + digits, "/exe") == 0 &&
         are_docker_network_args(control_at(hook, "/args")) && json_array_size(control_at(hook, "/env")) == 0;
}

/* Does it look like an engine's hook, and name a process that is none of the host's? */
static bool is_impostor(const char *stage, const json_t *hook, const struct facts *facts) {
  const char *path = control_text(hook, "/path");
  return path && is_docker_network(stage, hook) && strlist_has(&facts->bad_hook_paths, path);
}

/* Where our own hook stands: at its container's making, and at its end. */
static bool is_own_stage(const char *stage) {
  return strcmp(stage, "createRuntime") == 0 || strcmp(stage, "poststop") == 0;
}

/* The one form of it that we write and know: without environment, and with an end to its time in seconds, so
 * that none of our defects can hang a runtime. */
static json_t *own_hook(const struct facts *facts) {
  enum { TIMEOUT = 60 };
  json_t *hook = json_object(), *args = json_array();
  for (size_t i = 0; i < facts->hook_args.len; i++)
    jsonx_append_new(args, jsonx_string_new(facts->hook_args.items[i]));
  jsonx_set_new(hook, "path", jsonx_string_new(facts->hook));
  jsonx_set_new(hook, "args", args);
  jsonx_set_new(hook, "timeout", json_integer(TIMEOUT));
  return hook;
}

static bool is_own(const char *stage, const json_t *hook, const struct facts *facts) {
  if (!facts->hook || !is_own_stage(stage))
    return false;
  json_auto_t *own = own_hook(facts);
  return json_equal(own, hook);
}

static bool has_own(const char *stage, const json_t *hooks, const struct facts *facts) {
  for (size_t i = 0; i < json_array_size(hooks); i++)
    if (is_own(stage, json_array_get(hooks, i), facts))
      return true;
  return false;
}

int hooks_add_own(struct spec *spec, const struct facts *facts, struct error *err) {
  spec_begin(spec, "hooks", ACTION_HARDEN);
  for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
    CLEANUP_FREE char *pointer = jsonx_pointer("/hooks", stages[i].name);
    CLEANUP_FREE char *end = jsonx_pointer(pointer, "-");
    if (!is_own_stage(stages[i].name) || has_own(stages[i].name, spec_at(spec, pointer), facts))
      continue;
    if (spec_set(spec, end, own_hook(facts),
                 (struct reason){ hooks_rules[RULE_OWN].id,
                                  "nobody stands between create and start of a run but a hook" },
                 err))
      return -1;
  }
  return 0;
}

static bool known(const char *stage, const json_t *hook, const struct policy *policy,
                  const struct facts *facts) {
  const char *path = control_text(hook, "/path");
  return path &&
         (is_own(stage, hook, facts) || strlist_has(&policy->hooks.allow, path) ||
          (policy->hooks.engine && is_docker_network(stage, hook) && !is_impostor(stage, hook, facts)));
}

/* The name of a variable by which the dynamic loader, a shell or an interpreter runs something before the
 * program, or in its place; NULL: there is none. Values are nobody's to repeat. The caller frees. */
static char *loads_code(const json_t *hook) {
  static const char *const prefixes[] = {
    "LD_",        "GLIBC_TUNABLES=", "GCONV_PATH=", "BASH_ENV=", "BASH_FUNC_",    "ENV=",
    "SHELLOPTS=", "PYTHON",          "PERL5",       "RUBY",      "NODE_OPTIONS=", "JAVA_TOOL_OPTIONS=",
  };
  const json_t *env = control_at(hook, "/env");
  for (size_t i = 0; i < json_array_size(env); i++) {
    const char *variable = json_string_value(json_array_get(env, i));
    for (size_t k = 0; variable && k < ARRAY_SIZE(prefixes); k++)
      if (str_starts(variable, prefixes[k]))
        return xasprintf("%.*s", (int)strcspn(variable, "="), variable);
  }
  return NULL;
}

static int apply_hook(struct spec *spec, size_t stage, size_t index, const struct policy *policy,
                      const struct facts *facts, struct error *err) {
  CLEANUP_FREE char *pointer = xasprintf("/hooks/%s/%zu", stages[stage].name, index);
  const json_t *hook = spec_at(spec, pointer);
  if (!known(stages[stage].name, hook, policy, facts)) {
    const char *path = control_text(hook, "/path");
    const bool impostor = policy->hooks.engine && is_impostor(stages[stage].name, hook, facts);
    CLEANUP_FREE char *text =
        xasprintf(impostor ? "the hook \"%s\" is not a dockerd of the host's own that only root can write"
                           : "the hook \"%s\" is not in hooks.allow",
                  path ? path : "");
    return spec_refuse(spec, pointer, (struct reason){ hooks_rules[RULE_UNKNOWN].id, text }, err);
  }
  CLEANUP_FREE char *loads = loads_code(hook);
  if (loads) {
    CLEANUP_FREE char *text =
        xasprintf("%s in its environment would have the hook run other code than its program's", loads);
    return spec_refuse(spec, pointer, (struct reason){ hooks_rules[RULE_LOADED].id, text }, err);
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
      CLEANUP_FREE char *loads = loads_code(hook);
      if (loads)
        return control_broken(err, pointer, "hook %zu has %s in its environment", i, loads);
      if (stages[stage].in_container && !control_text(hook, "/env/0"))
        return control_broken(err, pointer, "hook %zu has no environment of its own", i);
    }
    if (facts->hook_wanted && is_own_stage(stages[stage].name) && !has_own(stages[stage].name, hooks, facts))
      return control_broken(err, pointer, "our own hook is not there");
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

/* Fewer is weaker too: a hook may be what checks the container. One more is only ever our own, the last. */
static int compare_stage(const char *stage, const json_t *was, const json_t *is, const struct facts *facts,
                         struct error *err) {
  CLEANUP_FREE char *pointer = jsonx_pointer("/hooks", stage);
  const size_t len = json_array_size(was);
  const bool added =
      json_array_size(is) == len + 1 && facts->hook_wanted && is_own(stage, json_array_get(is, len), facts);
  if (json_array_size(is) != len && !added)
    return control_broken(err, pointer, "has another number of hooks");
  for (size_t i = 0; i < len; i++)
    if (!same_hook(json_array_get(was, i), json_array_get(is, i)))
      return control_broken(err, pointer, "hook %zu is another", i);
  return 0;
}

int hooks_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                     const struct facts *facts, struct error *err) {
  (void)kind;
  for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
    CLEANUP_FREE char *pointer = jsonx_pointer("/hooks", stages[i].name);
    if (compare_stage(stages[i].name, control_at(before, pointer), control_at(after, pointer), facts, err))
      return -1;
  }
  return 0;
}
