/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sysctls: only names of the safe list. A runtime turns '.' into '/' and writes below /proc/sys, so a name is
 * judged in the form with dots only, and one with an empty component ("net..", "net/../kernel") is no name.
 */
#include "control/sysctl.h"
#include "control/common.h"
#include "control/user_namespace.h"
#include "spec/namespace.h"

#include <inttypes.h>
#include <string.h>

enum sysctl_rule { RULE_LIST, RULE_NAME, RULE_HOST };

const struct control_rule sysctl_rules[] = {
  [RULE_LIST] = { "OH-SYS-001", "only the sysctls of the safe list are set" },
  [RULE_NAME] = { "OH-SYS-002", "a sysctl's name is a name, not a way through the file system" },
  [RULE_HOST] = { "OH-SYS-003", "a sysctl is set in the container's own namespace, never the host's" },
  { NULL, NULL },
};

static const char map_pointer[] = "/linux/sysctl";

char *sysctl_dotted(const char *key) {
  char *name = xstrdup(key);
  char previous = '.';
  for (char *p = name; *p; p++) {
    if (*p == '/')
      *p = '.';
    bool plain = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-:@", *p);
    if ((*p == '.' && previous == '.') || (*p != '.' && !plain)) {
      free(name);
      return NULL;
    }
    previous = *p;
  }
  if (previous == '.') {
    free(name);
    return NULL;
  }
  return name;
}

const char *sysctl_namespace(const char *name) {
  static const struct {
    const char *prefix, *type;
  } rows[] = {
    { "net.", "network" },          { "fs.mqueue.", "ipc" },      { "kernel.msg", "ipc" },
    { "kernel.sem", "ipc" },        { "kernel.shm", "ipc" },      { "kernel.auto_msgmni", "ipc" },
    { "kernel.domainname", "uts" }, { "kernel.hostname", "uts" },
  };
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
    if (str_starts(name, rows[i].prefix))
      return rows[i].type;
  return NULL;
}

/* Does the container have a namespace of the type that is not the host's? */
static bool own_namespace(const json_t *root, const char *type, const struct facts *facts) {
  const char *entered = user_namespace_entered(root, type, facts);
  const char *path = entered ? entered : spec_namespace_path(root, type);
  return path ? !strlist_has(&facts->host_namespace_paths, path) : spec_namespace(root, type) != NULL;
}

static int judge_name(struct spec *spec, const struct policy *policy, const struct facts *facts,
                      const char *key, struct error *err) {
  CLEANUP_FREE char *pointer = jsonx_pointer(map_pointer, key);
  CLEANUP_FREE char *name = sysctl_dotted(key);
  if (!name)
    return spec_remove(spec, pointer,
                       (struct reason){ sysctl_rules[RULE_NAME].id, "this is no sysctl's name" }, err);
  if (!strlist_matches(&policy->sysctl.allow, name))
    return spec_remove(spec, pointer,
                       (struct reason){ sysctl_rules[RULE_LIST].id, "the sysctl is not one of sysctl.allow" },
                       err);
  const char *type = sysctl_namespace(name);
  if (type && own_namespace(spec->root, type, facts))
    return 0;
  CLEANUP_FREE char *text =
      type ? xasprintf("the host's %s namespace would be changed, since it is shared", type)
           : xstrdup("the sysctl is in no namespace: it would change the whole host");
  return spec_refuse(spec, pointer, (struct reason){ sysctl_rules[RULE_HOST].id, text }, err);
}

int sysctl_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                 struct error *err) {
  json_auto_t *map = jsonx_copy(spec_at(spec, map_pointer));
  const char *key;
  json_t *value;
  json_object_foreach(map, key, value) {
    if (judge_name(spec, policy, facts, key, err))
      return -1;
  }
  return 0;
}

static int holds(const char *key, const json_t *after, const struct policy *policy, const struct facts *facts,
                 struct error *err) {
  CLEANUP_FREE char *name = sysctl_dotted(key);
  if (!name || !strlist_matches(&policy->sysctl.allow, name))
    return control_broken(err, map_pointer, "\"%s\" is not allowed", key);
  const char *type = sysctl_namespace(name);
  if (!type || !own_namespace(after, type, facts))
    return control_broken(err, map_pointer, "\"%s\" would be set on the host", key);
  return 0;
}

/* Whoever sets them. */
int sysctl_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                  const struct facts *facts, struct error *err) {
  (void)kind;
  const char *key;
  json_t *value;
  json_t *sysctls = control_at(after, map_pointer);
  json_object_foreach(sysctls, key, value) {
    if (holds(key, after, policy, facts, err))
      return -1;
  }
  json_object_foreach((json_t *)facts->sysctls_outside, key, value) {
    if (holds(key, after, policy, facts, err))
      return -1;
  }
  return 0;
}

bool sysctl_range(const json_t *value, uint64_t ret[2]) {
  const char *text = json_string_value(value);
  char rest;
  return text && sscanf(text, "%" SCNu64 " %" SCNu64 " %c", &ret[0], &ret[1], &rest) == 2;
}

/* Fewer groups may ping. */
static bool is_narrower(const char *key, const json_t *old, const json_t *new) {
  CLEANUP_FREE char *name = sysctl_dotted(key);
  uint64_t was[2], is[2];
  return name && strcmp(name, SYSCTL_PING) == 0 && sysctl_range(old, was) && sysctl_range(new, is) &&
         is[0] >= was[0] && is[1] <= was[1];
}

int sysctl_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                      const struct facts *facts, struct error *err) {
  (void)kind;
  const json_t *was = control_at(before, map_pointer);
  const char *key;
  json_t *value;
  json_t *sysctls = control_at(after, map_pointer);
  json_object_foreach(sysctls, key, value) {
    const json_t *old = json_object_get(was, key);
    if (!old || (!json_equal(old, value) && !is_narrower(key, old, value)))
      return control_broken(err, map_pointer, "\"%s\" was not set so", key);
  }
  json_object_foreach((json_t *)facts->sysctls_outside, key, value) {
    const json_t *old = json_object_get(was, key);
    if (!old || !json_equal(old, value))
      return control_broken(err, map_pointer, "\"%s\" is to be set outside, and was not set so", key);
  }
  return 0;
}
