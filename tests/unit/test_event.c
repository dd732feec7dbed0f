/* SPDX-License-Identifier: Apache-2.0 */
#include "io/fileio.h"
#include "io/jsonx.h"
#include "runtime/event.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static json_t *build(const struct event *e) {
  const struct timespec now = { .tv_sec = 1000000000, .tv_nsec = 123456789 };
  return event_build(e, &now, 42);
}

static const char *text(const json_t *event, const char *key) {
  const char *value = json_string_value(json_object_get(event, key));
  return value ? value : "";
}

static const char *first(const json_t *event, const char *key) {
  const char *value = json_string_value(json_array_get(json_object_get(event, key), 0));
  return value ? value : "";
}

Test(event, engines_are_told_apart) {
  static const struct {
    const char *root, *annotations, *engine;
  } cases[] = {
    { "/run/containerd/runc/k8s.io", "{\"io.kubernetes.cri.container-type\":\"container\"}",
      "containerd-cri" },
    { "/run/containerd/runc/k8s.io", "{}", "containerd-cri" },
    { "/run/containerd/runc/default", "{}", "containerd" },
    { "/run/containerd/runc/moby", "{}", "docker" },
    { "/var/run/docker/runtime-runc/moby", "{}", "docker" },
    { "/run/runc", "{\"io.container.manager\":\"libpod\"}", "podman" },
    { "/run/runc", "{\"io.podman.annotations.init\":\"FALSE\"}", "podman" },
    { "/run/runc", "{\"io.container.manager\":\"cri-o\",\"io.kubernetes.cri-o.Name\":\"x\"}", "cri-o" },
    { "/run/runc", "{}", "unknown" },
    { NULL, "null", "unknown" },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    json_auto_t *a = json_loads(cases[i].annotations, JSON_DECODE_ANY, NULL);
    cr_expect_str_eq(event_engine(cases[i].root, a), cases[i].engine, "case %zu", i);
  }
}

Test(event, says_who_what_and_why) {
  json_auto_t *annotations = json_pack(
      "{s:s, s:s, s:s, s:s}", "io.kubernetes.cri.sandbox-namespace", "shop", "io.kubernetes.cri.sandbox-name",
      "web-0", "io.kubernetes.cri.container-name", "web", "io.kubernetes.cri.image-name", "nginx:1");
  struct error err = { 0 };
  struct journal journal = { 0 };
  CLEANUP_POLICY struct policy policy;
  cr_assert_eq(policy_load("/nonexistent", "restricted", &policy, &err), 0);
  json_auto_t *before = json_true();
  journal_add(&journal, "no-new-privileges", "OH-NNP-001", OUTCOME_CHANGED, "/process/noNewPrivileges", NULL,
              before, "set");
  error_set_rule(&err, ERROR_REFUSED, "OH-CMD-011", "why not");
  const struct event e = {
    .verb = "create",
    .id = "abc",
    .root = "/run/containerd/runc/k8s.io",
    .bundle = "/b",
    .runtime = "/usr/sbin/runc",
    .policies = &policy,
    .policies_len = 1,
    .journal = &journal,
    .before = "aa",
    .after = "bb",
    .annotations = annotations,
    .refusal = &err,
  };
  json_auto_t *event = build(&e);
  journal_free(&journal);
  cr_expect_str_eq(text(event, "@timestamp"), "2001-09-09T01:46:40.123Z");
  cr_expect_str_eq(text(event, "event.kind"), "alert");
  cr_expect_str_eq(text(event, "event.action"), "container-create");
  cr_expect_str_eq(text(event, "event.outcome"), "failure");
  cr_expect_str_eq(text(event, "event.reason"), "why not");
  cr_expect_str_eq(first(event, "event.type"), "denied");
  cr_expect_str_eq(first(event, "rule.id"), "OH-CMD-011");
  cr_expect_str_eq(text(event, "container.id"), "abc");
  cr_expect_str_eq(text(event, "container.image.name"), "nginx:1");
  cr_expect_str_eq(text(event, "orchestrator.namespace"), "shop");
  cr_expect_str_eq(text(event, "orchestrator.resource.name"), "web-0");
  cr_expect_eq(json_integer_value(json_object_get(event, "process.pid")), 42);
  cr_expect_str_neq(first(event, "threat.technique.id"), "");
  const json_t *own = json_object_get(event, "oci_harden");
  cr_expect_str_eq(first(own, "policy"), "restricted");
  cr_expect_str_eq(text(own, "engine"), "containerd-cri");
  cr_expect_eq(json_array_size(json_object_get(own, "journal")), 1);
  cr_expect_str_eq(text(json_object_get(own, "digest"), "after"), "bb");
}

Test(event, success_is_no_alert) {
  const struct event e = { .verb = "exec", .id = "abc" };
  json_auto_t *event = build(&e);
  cr_expect_str_eq(text(event, "event.kind"), "event");
  cr_expect_str_eq(text(event, "event.outcome"), "success");
  cr_expect_str_eq(first(event, "event.type"), "start");
  cr_expect_null(json_object_get(event, "rule.id"));
}

Test(event, environment_values_never_appear) {
  struct journal journal = { 0 };
  json_auto_t *value = json_string("PASSWORD=hunter2");
  journal_add(&journal, "environment", "OH-ENV-001", OUTCOME_FINDING, "/process/env/0", value, value,
              "PASSWORD looks like a secret");
  const struct event e = { .verb = "create", .journal = &journal };
  json_auto_t *event = build(&e);
  journal_free(&journal);
  CLEANUP_STR struct str line = { 0 };
  jsonx_dump(event, &line);
  cr_expect_null(strstr(line.data, "hunter2"));
  cr_expect_not_null(strstr(line.data, "OH-ENV-001"));
}

Test(event, large_values_are_left_out) {
  struct journal journal = { 0 };
  char big[4096];
  memset(big, 'x', sizeof big - 1);
  big[sizeof big - 1] = '\0';
  json_auto_t *value = json_pack("[s]", big);
  journal_add(&journal, "seccomp", "OH-SEC-001", OUTCOME_CHANGED, "/linux/seccomp", value, NULL, "merged");
  const struct event e = { .verb = "create", .journal = &journal };
  json_auto_t *event = build(&e);
  journal_free(&journal);
  const json_t *entry = json_array_get(json_object_get(json_object_get(event, "oci_harden"), "journal"), 0);
  cr_expect_eq(json_integer_value(json_object_get(json_object_get(entry, "before"), "omitted_bytes")),
               (json_int_t)sizeof big - 1 + 4);
}

Test(event, is_one_line_appended_and_its_directory_is_made) {
  char dir[] = "/tmp/oh-event.XXXXXX";
  cr_assert_not_null(mkdtemp(dir));
  CLEANUP_FREE char *path = xasprintf("%s/log/oci-harden/events.json", dir);
  const struct event e = { .verb = "create", .id = "abc", .bundle = "/with\nnewline" };
  struct error err = { 0 };
  cr_assert_eq(event_write(&e, path, &err), 0, "%s", err.message);
  cr_assert_eq(event_write(&e, path, &err), 0, "%s", err.message);
  CLEANUP_FREE char *data = NULL;
  size_t len, lines = 0;
  cr_assert_eq(file_read(AT_FDCWD, path, RESOLVE_LEAF, 1 << 20, &data, &len, NULL, &err), 0);
  for (const char *p = data; (p = strchr(p, '\n')); p++)
    lines++;
  cr_expect_eq(lines, 2);
  struct stat st;
  cr_assert_eq(stat(path, &st), 0);
  cr_expect_eq(st.st_mode & 07777, 0600);
  CLEANUP_FREE char *command = xasprintf("rm -rf %s", dir);
  cr_assert_eq(system(command), 0);
}

Test(event, a_log_that_cannot_be_written_is_an_error_and_none_is_not) {
  const struct event e = { .verb = "create" };
  struct error err = { 0 };
  cr_expect_eq(event_write(&e, "/proc/nonexistent/events.json", &err), -1);
  cr_expect_eq(event_write(&e, "", &err), 0);
  cr_expect_eq(event_write(&e, NULL, &err), 0);
}
