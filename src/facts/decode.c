/* SPDX-License-Identifier: Apache-2.0 */
/* Facts from JSON: golden cases, `hardenctl harden --facts`. Absent keys are unknown, false or empty.
 * What the runtime part lends (seccomp, container_annotations) is no part of it. */
#include "facts/facts.h"

#include <stddef.h>
#include <string.h>

static const char *const kind_names[] = {
  "unknown", "absent", "directory", "symlink", "file", "other", NULL
};
static const char *const runtime_names[] = { "runc", "crun", NULL };

static const struct jsonx_row source_rows[] = {
  { .key = "source", .type = JSONX_STRING, .offset = offsetof(struct source_fact, source) },
  { .key = "real", .type = JSONX_STRING, .offset = offsetof(struct source_fact, real) },
  { .key = "sensitive", .type = JSONX_STRING, .offset = offsetof(struct source_fact, sensitive) },
  { .key = "kind", .type = JSONX_ENUM, .offset = offsetof(struct source_fact, kind), .names = kind_names },
  { .key = "options", .type = JSONX_STRINGS, .offset = offsetof(struct source_fact, options) },
  { .key = "label", .type = JSONX_STRING, .offset = offsetof(struct source_fact, label) },
  { .key = "reached", .type = JSONX_BOOL, .offset = offsetof(struct source_fact, reached) },
  { .key = "held", .type = JSONX_BOOL, .offset = offsetof(struct source_fact, held) },
  { .key = "clone", .type = JSONX_STRING, .offset = offsetof(struct source_fact, clone) },
  { 0 },
};

static const struct jsonx_row destination_rows[] = {
  { .key = "destination", .type = JSONX_STRING, .offset = offsetof(struct destination_fact, destination) },
  { .key = "resolved", .type = JSONX_STRING, .offset = offsetof(struct destination_fact, resolved) },
  { .key = "exists", .type = JSONX_BOOL, .offset = offsetof(struct destination_fact, exists) },
  { .key = "empty", .type = JSONX_BOOL, .offset = offsetof(struct destination_fact, empty) },
  { .key = "why", .type = JSONX_STRING, .offset = offsetof(struct destination_fact, why) },
  { 0 },
};

static int wrong(struct error *err, const struct jsonx_source *src, const char *pointer,
                 const char *expected) {
  return jsonx_error(err, ERROR_INPUT, src, pointer, "expected %s", expected);
}

/* The rows below that are no plain member get the whole struct facts. */
static int decode_sources(const json_t *value, const struct jsonx_source *src, const char *pointer,
                          void *member, struct error *err) {
  struct facts *f = member;
  if (!json_is_array(value))
    return wrong(err, src, pointer, "an array");
  f->sources = xcalloc(json_array_size(value), sizeof *f->sources);
  size_t i;
  json_t *item;
  json_array_foreach(value, i, item) {
    CLEANUP_FREE char *at = xasprintf("%s/%zu", pointer, i);
    struct source_fact *fact = &f->sources[f->sources_len++];
    if (jsonx_decode(item, src, at, source_rows, fact, err) < 0)
      return -1;
    if (!fact->source)
      return wrong(err, src, at, "the key \"source\"");
  }
  return 0;
}

static int decode_destinations(const json_t *value, const struct jsonx_source *src, const char *pointer,
                               void *member, struct error *err) {
  struct facts *f = member;
  if (!json_is_array(value))
    return wrong(err, src, pointer, "an array");
  f->destinations = xcalloc(json_array_size(value), sizeof *f->destinations);
  size_t i;
  json_t *item;
  json_array_foreach(value, i, item) {
    CLEANUP_FREE char *at = xasprintf("%s/%zu", pointer, i);
    struct destination_fact *fact = &f->destinations[f->destinations_len++];
    if (jsonx_decode(item, src, at, destination_rows, fact, err) < 0)
      return -1;
    if (!fact->destination)
      return wrong(err, src, at, "the key \"destination\"");
  }
  return 0;
}

static const struct jsonx_row label_rows[] = {
  { .key = "context", .type = JSONX_STRING, .offset = offsetof(struct selinux_fact, context) },
  { .key = "canonical", .type = JSONX_STRING, .offset = offsetof(struct selinux_fact, canonical) },
  { .key = "transition", .type = JSONX_BOOL, .offset = offsetof(struct selinux_fact, transition) },
  { .key = "nnpTransition", .type = JSONX_BOOL, .offset = offsetof(struct selinux_fact, nnp_transition) },
  { .key = "permissive", .type = JSONX_BOOL, .offset = offsetof(struct selinux_fact, permissive) },
  { .key = "runsRoot", .type = JSONX_BOOL, .offset = offsetof(struct selinux_fact, runs_root) },
  { 0 },
};

static int decode_labels(const json_t *value, const struct jsonx_source *src, const char *pointer,
                         void *member, struct error *err) {
  struct facts *f = member;
  if (!json_is_array(value))
    return wrong(err, src, pointer, "an array");
  f->selinux.labels = xcalloc(json_array_size(value), sizeof *f->selinux.labels);
  size_t i;
  json_t *item;
  json_array_foreach(value, i, item) {
    CLEANUP_FREE char *at = xasprintf("%s/%zu", pointer, i);
    struct selinux_fact *fact = &f->selinux.labels[f->selinux.labels_len++];
    if (jsonx_decode(item, src, at, label_rows, fact, err) < 0)
      return -1;
    if (!fact->context)
      return wrong(err, src, at, "the key \"context\"");
  }
  return 0;
}

static int decode_cap_last(const json_t *value, const struct jsonx_source *src, const char *pointer,
                           void *member, struct error *err) {
  json_int_t last = json_is_integer(value) ? json_integer_value(value) : 0;
  if (last < 1 || last > 63)
    return wrong(err, src, pointer, "an integer from 1 to 63");
  *(int *)member = (int)last;
  return 0;
}

static int decode_rlimits(const json_t *value, const struct jsonx_source *src, const char *pointer,
                          void *member, struct error *err) {
  static const char *const types[RLIMIT_FACTS] = { "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_CORE",
                                                   "RLIMIT_RTPRIO", "RLIMIT_NICE" };
  struct facts *f = member;
  for (size_t i = 0; i < RLIMIT_FACTS; i++) {
    const json_t *entry = json_object_get(value, types[i]);
    struct rlimit_fact fact = { .type = types[i] };
    if (!entry)
      continue;
    if (!jsonx_u64_get(json_object_get(entry, "soft"), &fact.soft) ||
        !jsonx_u64_get(json_object_get(entry, "hard"), &fact.hard))
      return wrong(err, src, pointer, "an object with \"soft\" and \"hard\" for each limit");
    f->rlimits[f->rlimits_len++] = fact;
  }
  return f->rlimits_len == json_object_size(value)
             ? 0
             : wrong(err, src, pointer,
                     "RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_CORE, RLIMIT_RTPRIO or RLIMIT_NICE");
}

static int decode_oom_score(const json_t *value, const struct jsonx_source *src, const char *pointer,
                            void *member, struct error *err) {
  struct facts *f = member;
  json_int_t score = json_is_integer(value) ? json_integer_value(value) : INT64_MAX;
  if (score < -1000 || score > 1000)
    return wrong(err, src, pointer, "an integer from -1000 to 1000");
  f->oom_score_adj = (int)score;
  f->oom_score_known = true;
  return 0;
}

static int decode_id(const json_t *value, const struct jsonx_source *src, const char *pointer, void *member,
                     struct error *err) {
  uint64_t id;
  if (!jsonx_u64_get(value, &id) || id > UINT32_MAX)
    return wrong(err, src, pointer, "an id");
  *(uint32_t *)member = (uint32_t)id;
  return 0;
}

#define OFFER(member) offsetof(struct user_namespace_offer, member)
static const struct jsonx_row offer_rows[] = {
  { .key = "why", .type = JSONX_STRING, .offset = OFFER(why) },
  { .key = "base", .type = JSONX_CUSTOM, .offset = OFFER(base), .decode = decode_id },
  { .key = "size", .type = JSONX_CUSTOM, .offset = OFFER(size), .decode = decode_id },
  { .key = "path", .type = JSONX_STRING, .offset = OFFER(path) },
  { .key = "pid", .type = JSONX_STRING, .offset = OFFER(pid) },
  { .key = "root", .type = JSONX_STRING, .offset = OFFER(root) },
  { .key = "enteredNetwork", .type = JSONX_STRING, .offset = OFFER(entered[ENTERED_NETWORK]) },
  { .key = "enteredIpc", .type = JSONX_STRING, .offset = OFFER(entered[ENTERED_IPC]) },
  { .key = "enteredUts", .type = JSONX_STRING, .offset = OFFER(entered[ENTERED_UTS]) },
  { .key = "sysfs", .type = JSONX_STRING, .offset = OFFER(sysfs) },
  { .key = "mqueue", .type = JSONX_STRING, .offset = OFFER(mqueue) },
  { 0 },
};

/* {"docker-default": "enforce"} */
static int decode_apparmor(const json_t *value, const struct jsonx_source *src, const char *pointer,
                           void *member, struct error *err) {
  struct facts *f = member;
  const char *name;
  json_t *item;
  json_object_foreach((json_t *)value, name, item) {
    int mode = -1;
    for (int i = 0; apparmor_mode_names[i]; i++)
      if (json_is_string(item) && strcmp(json_string_value(item), apparmor_mode_names[i]) == 0)
        mode = i;
    if (mode < 0)
      return wrong(err, src, pointer, "an object of modes by the names of profiles");
    f->apparmor_profiles =
        xrealloc(f->apparmor_profiles, f->apparmor_profiles_len + 1, sizeof *f->apparmor_profiles);
    f->apparmor_profiles[f->apparmor_profiles_len++] =
        (struct apparmor_fact){ apparmor_kernel_name(name), mode };
  }
  return 0;
}

static const struct jsonx_row rows[] = {
  { .key = "hostKnown", .type = JSONX_BOOL, .offset = offsetof(struct facts, host_known) },
  { .key = "rootfsKnown", .type = JSONX_BOOL, .offset = offsetof(struct facts, rootfs_known) },
  { .key = "runtime", .type = JSONX_ENUM, .offset = offsetof(struct facts, runtime), .names = runtime_names },
  { .key = "rootless", .type = JSONX_BOOL, .offset = offsetof(struct facts, rootless) },
  { .key = "sandbox", .type = JSONX_BOOL, .offset = offsetof(struct facts, sandbox) },
  { .key = "cgroupV2", .type = JSONX_BOOL, .offset = offsetof(struct facts, cgroup_v2) },
  { .key = "capLast",
    .type = JSONX_CUSTOM,
    .offset = offsetof(struct facts, cap_last),
    .decode = decode_cap_last },
  { .key = "mountSetattr", .type = JSONX_BOOL, .offset = offsetof(struct facts, mount_setattr) },
  { .key = "rootProc", .type = JSONX_ENUM, .offset = offsetof(struct facts, root_proc), .names = kind_names },
  { .key = "rootSys", .type = JSONX_ENUM, .offset = offsetof(struct facts, root_sys), .names = kind_names },
  { .key = "rootDev", .type = JSONX_ENUM, .offset = offsetof(struct facts, root_dev), .names = kind_names },
  { .key = "rootReal", .type = JSONX_STRING, .offset = offsetof(struct facts, root_real) },
  { .key = "rootIsHost", .type = JSONX_BOOL, .offset = offsetof(struct facts, root_is_host) },
  { .key = "rootHoldsBundle", .type = JSONX_BOOL, .offset = offsetof(struct facts, root_holds_bundle) },
  { .key = "cwdResolved", .type = JSONX_STRING, .offset = offsetof(struct facts, cwd_resolved) },
  { .key = "arg0Resolved", .type = JSONX_STRING, .offset = offsetof(struct facts, arg0_resolved) },
  { .key = "sources", .type = JSONX_CUSTOM, .offset = 0, .decode = decode_sources },
  { .key = "destinations", .type = JSONX_CUSTOM, .offset = 0, .decode = decode_destinations },
  { .key = "hostNamespacePaths",
    .type = JSONX_STRINGS,
    .offset = offsetof(struct facts, host_namespace_paths) },
  { .key = "badNamespacePaths",
    .type = JSONX_STRINGS,
    .offset = offsetof(struct facts, bad_namespace_paths) },
  { .key = "badHookPaths", .type = JSONX_STRINGS, .offset = offsetof(struct facts, bad_hook_paths) },
  { .key = "badDevicePaths", .type = JSONX_STRINGS, .offset = offsetof(struct facts, bad_device_paths) },
  { .key = "rlimits", .type = JSONX_CUSTOM, .offset = 0, .decode = decode_rlimits },
  { .key = "oomScoreAdj", .type = JSONX_CUSTOM, .offset = 0, .decode = decode_oom_score },
  { .key = "selinux",
    .type = JSONX_ENUM,
    .offset = offsetof(struct facts, selinux.state),
    .names = selinux_state_names },
  { .key = "selinuxConfigMissing",
    .type = JSONX_BOOL,
    .offset = offsetof(struct facts, selinux.config_missing) },
  { .key = "selinuxLevel", .type = JSONX_STRING, .offset = offsetof(struct facts, selinux.level) },
  { .key = "selinuxLevelShared", .type = JSONX_BOOL, .offset = offsetof(struct facts, selinux.level_shared) },
  { .key = "selinuxRelabel",
    .type = JSONX_ENUM,
    .offset = offsetof(struct facts, selinux.relabel),
    .names = selinux_relabel_names },
  { .key = "selinuxContainer", .type = JSONX_STRING, .offset = offsetof(struct facts, selinux.container) },
  { .key = "selinuxRoot", .type = JSONX_STRING, .offset = offsetof(struct facts, selinux.root) },
  { .key = "selinuxLabels", .type = JSONX_CUSTOM, .offset = 0, .decode = decode_labels },
  { .key = "hook", .type = JSONX_STRING, .offset = offsetof(struct facts, hook) },
  { .key = "hookArgs", .type = JSONX_STRINGS, .offset = offsetof(struct facts, hook_args) },
  { .key = "hookWanted", .type = JSONX_BOOL, .offset = offsetof(struct facts, hook_wanted) },
  { .key = "apparmor",
    .type = JSONX_ENUM,
    .offset = offsetof(struct facts, apparmor),
    .names = apparmor_state_names },
  { .key = "apparmorProfiles", .type = JSONX_CUSTOM, .offset = 0, .decode = decode_apparmor },
  { .key = "apparmorWhy", .type = JSONX_STRING, .offset = offsetof(struct facts, apparmor_why) },
  { .key = "apparmorLabel", .type = JSONX_STRING, .offset = offsetof(struct facts, apparmor_label) },
  { .key = "userNamespace", .type = JSONX_BOOL, .offset = offsetof(struct facts, user_namespace) },
  { .key = "hasHostRoot", .type = JSONX_BOOL, .offset = offsetof(struct facts, has_host_root) },
  { .key = "hostRoot", .type = JSONX_INT, .offset = offsetof(struct facts, host_root) },
  { .key = "idsMapped", .type = JSONX_INT, .offset = offsetof(struct facts, ids_mapped) },
  { .key = "offer", .type = JSONX_OBJECT, .offset = offsetof(struct facts, offer), .rows = offer_rows },
  { 0 },
};

int facts_decode(struct facts *ret, const struct jsonx_source *src, struct error *err) {
  json_auto_t *value = NULL;
  CLEANUP_FACTS struct facts f = { .cap_last = 40 };
  if (jsonx_parse(src, JSONX_LIMIT_DEFAULT, &value, err) < 0 ||
      jsonx_decode(value, src, "", rows, &f, err) < 0)
    return -1;
  *ret = f;
  f = (struct facts){ 0 };
  return 0;
}
