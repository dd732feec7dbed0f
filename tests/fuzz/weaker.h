/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nobody may find weaker in an output than in its input, told by what the members say and without any of
 * the controls' own readers: a second opinion for the fuzzers. Documents are wrapped as in struct spec, and
 * have the shape that spec_parse holds them to.
 */
#ifndef HARDEN_TESTS_FUZZ_WEAKER_H
#define HARDEN_TESTS_FUZZ_WEAKER_H

#include "io/jsonx.h"
#include "seccomp/model.h"
#include "seccomp/plan.h"
#include "spec/spec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct weaker {
  const json_t *before, *after;
  char why[512]; /* empty: nothing is weaker */
};

static void weaker_say(struct weaker *w, const char *pointer, const char *what) {
  if (!w->why[0])
    snprintf(w->why, sizeof w->why, "%s: %s", pointer, what);
}

static const json_t *weaker_at(const json_t *root, const char *pointer) {
  const json_t *value = jsonx_at(root, pointer);
  return json_is_null(value) ? NULL : value;
}

static bool weaker_holds(const json_t *array, const json_t *wanted) {
  size_t i;
  json_t *item;
  json_array_foreach(array, i, item) {
    if (json_equal(item, wanted))
      return true;
  }
  return false;
}

/* Every item of the array in `part` is one of `whole`'s. */
static void weaker_subset(struct weaker *w, const char *pointer, const json_t *part, const json_t *whole) {
  size_t i;
  json_t *item;
  json_array_foreach(part, i, item) {
    if (!weaker_holds(whole, item))
      weaker_say(w, pointer, "has what the other does not");
  }
}

static void weaker_added(struct weaker *w, const char *pointer) {
  weaker_subset(w, pointer, weaker_at(w->after, pointer), weaker_at(w->before, pointer));
}

static void weaker_true(struct weaker *w, const char *pointer) {
  if (json_is_true(weaker_at(w->before, pointer)) && !json_is_true(weaker_at(w->after, pointer)))
    weaker_say(w, pointer, "was true");
}

static void weaker_same(struct weaker *w, const char *pointer) {
  const json_t *before = weaker_at(w->before, pointer), *after = weaker_at(w->after, pointer);
  if ((before || after) && !(before && after && json_equal(before, after)))
    weaker_say(w, pointer, "is another");
}

/* Members of a map only go, but for those that `allowed` names. */
static void weaker_map(struct weaker *w, const char *pointer, const char *allowed) {
  const json_t *before = weaker_at(w->before, pointer);
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)weaker_at(w->after, pointer), key, value) {
    const json_t *was = json_object_get(before, key);
    if (strcmp(key, allowed) != 0 && !(was && json_equal(was, value)))
      weaker_say(w, pointer, "has a new member or value");
  }
}

/* A limit that was there (above `none`) is there and not higher. */
static void weaker_limit(struct weaker *w, const char *pointer, int64_t none) {
  const json_t *before = weaker_at(w->before, pointer), *after = weaker_at(w->after, pointer);
  if (!json_is_integer(before) || json_integer_value(before) <= none)
    return;
  if (!json_is_integer(after) || json_integer_value(after) <= none ||
      json_integer_value(after) > json_integer_value(before))
    weaker_say(w, pointer, "the limit is gone or higher");
}

static const json_t *weaker_named(const json_t *array, const char *key, const json_t *value) {
  size_t i;
  json_t *item;
  json_array_foreach(array, i, item) {
    const json_t *has = json_object_get(item, key);
    if (has && json_equal(has, value))
      return item;
  }
  return NULL;
}

static void weaker_namespaces(struct weaker *w) {
  static const char at[] = "/linux/namespaces";
  size_t i;
  json_t *item;
  json_array_foreach(weaker_at(w->before, at), i, item) {
    const json_t *now = weaker_named(weaker_at(w->after, at), "type", json_object_get(item, "type"));
    const char *was = json_string_value(json_object_get(item, "path"));
    const char *path = json_string_value(json_object_get(now, "path"));
    if (!now)
      weaker_say(w, at, "one is gone");
    else if (path && *path && !(was && strcmp(path, was) == 0) &&
             !weaker_holds(weaker_at(w->before, at), now))
      weaker_say(w, at, "one joins another's");
  }
}

static bool weaker_hard(const json_t *limit, uint64_t *ret) {
  return jsonx_u64_get(json_object_get(limit, "hard"), ret);
}

static void weaker_rlimits(struct weaker *w) {
  static const char at[] = "/process/rlimits";
  size_t i;
  json_t *item;
  json_array_foreach(weaker_at(w->before, at), i, item) {
    uint64_t was = 0, is = 0;
    const json_t *now = weaker_named(weaker_at(w->after, at), "type", json_object_get(item, "type"));
    if (!now)
      weaker_say(w, at, "one is gone");
    else if (weaker_hard(item, &was) && (!weaker_hard(now, &is) || is > was))
      weaker_say(w, at, "one is higher");
  }
}

/* Paths stay masked; read-only ones are masked at least. */
static void weaker_paths(struct weaker *w) {
  static const char masked[] = "/linux/maskedPaths", readonly[] = "/linux/readonlyPaths";
  size_t i;
  json_t *item;
  json_array_foreach(weaker_at(w->before, masked), i, item) {
    if (!weaker_holds(weaker_at(w->after, masked), item))
      weaker_say(w, masked, "one is gone");
  }
  json_array_foreach(weaker_at(w->before, readonly), i, item) {
    if (!weaker_holds(weaker_at(w->after, readonly), item) &&
        !weaker_holds(weaker_at(w->after, masked), item))
      weaker_say(w, readonly, "one is gone");
  }
}

/* What holds at the end of a list of options in which the last word wins. */
static bool weaker_option(const json_t *mount, const char *on, const char *off) {
  bool set = false;
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(mount, "options"), i, item) {
    const char *option = json_string_value(item);
    set = (set || strcmp(option, on) == 0) && strcmp(option, off) != 0;
  }
  return set;
}

/* A mount of the output is one of the input's, with its restrictions, or an empty tmpfs. */
static void weaker_mounts(struct weaker *w) {
  static const char *const pairs[][2] = {
    { "ro", "rw" }, { "nosuid", "suid" }, { "nodev", "dev" }, { "noexec", "exec" }
  };
  size_t i, j;
  json_t *now, *was;
  json_array_foreach(weaker_at(w->after, "/mounts"), i, now) {
    const char *source = json_string_value(json_object_get(now, "source"));
    const char *type = json_string_value(json_object_get(now, "type"));
    bool found = type && strcmp(type, "tmpfs") == 0 && weaker_option(now, "nosuid", "suid") &&
                 weaker_option(now, "nodev", "dev");
    json_array_foreach(weaker_at(w->before, "/mounts"), j, was) {
      const char *other = json_string_value(json_object_get(was, "source"));
      bool same = (source && other) ? strcmp(source, other) == 0 : source == other;
      for (size_t p = 0; same && p < ARRAY_SIZE(pairs); p++)
        same = !weaker_option(was, pairs[p][0], pairs[p][1]) || weaker_option(now, pairs[p][0], pairs[p][1]);
      found |= same;
    }
    if (!found)
      weaker_say(w, "/mounts", "one is new, or lost a restriction");
  }
}

/* Every call that is named anywhere, on every ABI, at random points: the output's verdict is the stricter. */
static void weaker_seccomp_calls(struct weaker *w, const struct seccomp_profile *before,
                                 const struct seccomp_profile *after) {
  uint64_t random = 88172645463325252u;
  for (const struct seccomp_abi *abi = seccomp_abis; abi->oci; abi++) {
    if (!seccomp_abi_is_local(abi) || !seccomp_profile_has_abi(after, abi))
      continue;
    for (size_t i = 0; i < before->calls_len; i++) {
      for (int n = 0; n < 8; n++) {
        uint64_t args[SECCOMP_ARGS];
        for (unsigned a = 0; a < SECCOMP_ARGS; a++) {
          random = random * 6364136223846793005u + 1442695040888963407u;
          args[a] = n & 1 ? random >> 58 : (uint64_t)1 << (random >> 58);
        }
        const char *name = before->calls[i].name;
        if (seccomp_action_compare(seccomp_profile_eval_name(after, abi, name, args),
                                   seccomp_profile_eval_name(before, abi, name, args)) < 0)
          weaker_say(w, "/linux/seccomp", name);
      }
    }
  }
}

static void weaker_seccomp(struct weaker *w) {
  struct seccomp_profile before CLEANUP_SECCOMP_PROFILE = { 0 }, after CLEANUP_SECCOMP_PROFILE = { 0 };
  const json_t *was = weaker_at(w->before, "/linux/seccomp"), *is = weaker_at(w->after, "/linux/seccomp");
  struct error err = { 0 };
  if (!was || seccomp_profile_decode(was, NULL, "", SECCOMP_ACCEPT_PERMISSIVE, &before, &err) < 0)
    return;
  if (!is || seccomp_profile_decode(is, NULL, "", SECCOMP_ACCEPT_PERMISSIVE, &after, &err) < 0)
    weaker_say(w, "/linux/seccomp", is ? err.message : "is gone");
  else
    weaker_seccomp_calls(w, &before, &after);
}

static void weaker_process(struct weaker *w) {
  static const char *const sets[] = { "bounding", "effective", "permitted", "inheritable", "ambient" };
  for (size_t i = 0; weaker_at(w->before, "/process/capabilities") && i < ARRAY_SIZE(sets); i++) {
    CLEANUP_FREE char *pointer = xasprintf("/process/capabilities/%s", sets[i]);
    weaker_added(w, pointer);
  }
  weaker_true(w, "/process/noNewPrivileges");
  weaker_same(w, "/process/args");
  weaker_same(w, "/process/user/uid");
  weaker_same(w, "/process/user/gid");
  weaker_added(w, "/process/user/additionalGids");
  weaker_added(w, "/process/env");
  weaker_rlimits(w);
}

/* NULL, or what is weaker; points into *w. */
static const char *weaker(struct weaker *w) {
  weaker_process(w);
  weaker_true(w, "/root/readonly");
  weaker_same(w, "/root/path");
  weaker_same(w, "/hostname");
  weaker_namespaces(w);
  weaker_paths(w);
  weaker_mounts(w);
  weaker_map(w, "/annotations", SECCOMP_CRUN_ANNOTATION);
  weaker_map(w, "/linux/sysctl", "");
  weaker_map(w, "/linux/resources/unified", "");
  weaker_added(w, "/linux/devices");
  weaker_limit(w, "/linux/resources/pids/limit", 0);
  weaker_limit(w, "/linux/resources/memory/limit", 0);
  static const char *const hooks[] = { "prestart",       "createRuntime", "createContainer",
                                       "startContainer", "poststart",     "poststop" };
  for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
    CLEANUP_FREE char *pointer = xasprintf("/hooks/%s", hooks[i]);
    weaker_added(w, pointer);
  }
  weaker_seccomp(w);
  return w->why[0] ? w->why : NULL;
}

#endif
