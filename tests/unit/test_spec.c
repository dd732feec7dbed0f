/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "io/fileio.h"
#include "spec/spec.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>

static const char base[] = "{\n"
                           "  \"ociVersion\": \"1.0.2\",\n"
                           "  \"process\": {\"args\": [\"sh\"], \"cwd\": \"/\",\n"
                           "    \"env\": [\"TOKEN=hush\"], \"noNewPrivileges\": false},\n"
                           "  \"mounts\": [{\"destination\": \"/proc\"},\n"
                           "    {\"destination\": \"/dev\"}],\n"
                           "  \"linux\": {\"seccomp\": null, \"x.vendor\": {\"Kept\": [1, 2.5, \"\"]}}\n"
                           "}\n";

static const struct jsonx_source *source(const char *text) {
  static struct jsonx_source src;
  src = (struct jsonx_source){ "config.json", text, strlen(text) };
  return &src;
}

static void parse(struct spec *spec, enum spec_kind kind, const char *text) {
  struct error err = { 0 };
  cr_assert(spec_parse(spec, kind, source(text), JSONX_LIMIT_DEFAULT, &err) == 0, "%s", err.message);
}

static const struct reason why = { "OH-TST-001", "the test wants it" };

static bool dumps_as(const struct spec *spec, const char *want) {
  CLEANUP_STR struct str out = { 0 };
  spec_dump(spec, &out);
  bool same = strcmp(out.data, want) == 0;
  if (!same)
    cr_log_error("dump is %s", out.data);
  return same;
}

static const struct journal_entry *last(const struct spec *spec) {
  cr_assert(spec->journal.len > 0);
  return &spec->journal.entries[spec->journal.len - 1];
}

#define SMALL "{\"ociVersion\":\"1.0.0\"}"

Test(spec, reads_null_as_absent) {
  CLEANUP_SPEC struct spec spec = { 0 };
  parse(&spec, SPEC_CONFIG, base);
  cr_expect(spec_at(&spec, "/linux/seccomp") == NULL);
  cr_expect(spec_at(&spec, "/linux/nothing") == NULL);
  cr_expect(json_is_false(spec_at(&spec, "/process/noNewPrivileges")));
}

/* runc and crun keep both keys of a map; of two members Go knows one. */
Test(spec, keys_that_differ_in_case) {
  static const struct {
    enum spec_kind kind;
    const char *text;
    const char *problem; /* NULL: fine */
  } cases[] = {
    { SPEC_CONFIG, "{\"ociVersion\":\"1.0.0\",\"annotations\":{\"a/Team\":\"x\",\"a/team\":\"y\"}}", NULL },
    { SPEC_CONFIG, "{\"ociVersion\":\"1.0.0\",\"annotations\":{\"Path\":\"x\",\"path\":\"y\"}}", NULL },
    { SPEC_CONFIG, "{\"ociVersion\":\"1.0.0\",\"linux\":{\"sysctl\":{\"a.B\":\"x\",\"a.b\":\"y\"}}}", NULL },
    { SPEC_CONFIG,
      "{\"ociVersion\":\"1.0.0\",\"linux\":{\"resources\":{\"unified\":{\"A\":\"x\",\"a\":\"y\"}}}}", NULL },
    { SPEC_CONFIG, "{\"ociVersion\":\"1.0.0\",\"linux\":{\"netDevices\":{\"E\":{},\"e\":{}}}}", NULL },
    { SPEC_RESOURCES, "{\"unified\":{\"A\":\"x\",\"a\":\"y\"}}", NULL },
    { SPEC_CONFIG, "{\"ociVersion\":\"1.0.0\",\"annotations\":{\"a\":\"x\",\"a\":\"y\"}}", "there twice" },
    { SPEC_CONFIG, "{\"ociVersion\":\"1.0.0\",\"annotations\":{},\"Annotations\":{}}", "one key to Go" },
    { SPEC_CONFIG, "{\"ociVersion\":\"1.0.0\",\"linux\":{\"x\":{\"A\":1,\"a\":2}}}", "one key to Go" },
    { SPEC_RESOURCES, "{\"pids\":{\"limit\":1,\"Limit\":2}}", "one key to Go" },
    { SPEC_PROCESS, "{\"cwd\":\"/\",\"user\":{\"uid\":1,\"UID\":0}}", "one key to Go" },
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CLEANUP_SPEC struct spec spec = { 0 };
    struct error err = { 0 };
    int rc = spec_parse(&spec, cases[i].kind, source(cases[i].text), JSONX_LIMIT_DEFAULT, &err);
    if (cases[i].problem)
      cr_expect(rc < 0 && strstr(err.message, cases[i].problem), "%s: %s", cases[i].text, err.message);
    else
      cr_expect(rc == 0 && dumps_as(&spec, cases[i].text), "%s: %s", cases[i].text, err.message);
  }
}

Test(spec, set_harden) {
  CLEANUP_SPEC struct spec spec = { 0 };
  struct error err = { 0 };
  parse(&spec, SPEC_CONFIG, base);
  spec_begin(&spec, "test", ACTION_HARDEN);
  cr_assert(spec_set(&spec, "/process/noNewPrivileges", json_true(), why, &err) == 0, "%s", err.message);
  cr_expect(json_is_true(spec_at(&spec, "/process/noNewPrivileges")));
  const struct journal_entry *e = last(&spec);
  cr_expect(spec.journal.len == 1 && e->outcome == OUTCOME_CHANGED);
  cr_expect(strcmp(e->control, "test") == 0 && strcmp(e->rule, "OH-TST-001") == 0);
  cr_expect(strcmp(e->pointer, "/process/noNewPrivileges") == 0 && strcmp(e->reason, why.text) == 0);
  cr_expect(json_is_false(e->before) && json_is_true(e->after));

  /* Equal: nothing happens. */
  cr_assert(spec_set(&spec, "/process/noNewPrivileges", json_true(), why, &err) == 0);
  cr_expect(spec.journal.len == 1);

  /* null was absent. */
  cr_assert(spec_set(&spec, "/linux/seccomp", json_pack("{s:s}", "defaultAction", "x"), why, &err) == 0);
  cr_expect(last(&spec)->before == NULL);
  cr_expect(spec_at(&spec, "/linux/seccomp/defaultAction") != NULL);
}

Test(spec, set_makes_what_is_missing) {
  CLEANUP_SPEC struct spec spec = { 0 };
  struct error err = { 0 };
  parse(&spec, SPEC_CONFIG, SMALL);
  spec_begin(&spec, "test", ACTION_HARDEN);
  cr_assert(spec_set(&spec, "/linux/resources/pids/limit", json_integer(5), why, &err) == 0);
  cr_assert(spec_set(&spec, "/annotations/a~1b~0c", json_string("x"), why, &err) == 0);
  cr_assert(spec_set(&spec, "/linux/namespaces/-", json_pack("{s:s}", "type", "pid"), why, &err) == 0);
  cr_expect(strcmp(last(&spec)->pointer, "/linux/namespaces/0") == 0, "%s", last(&spec)->pointer);
  cr_assert(spec_set(&spec, "/linux/namespaces/-", json_pack("{s:s}", "type", "ipc"), why, &err) == 0);
  cr_expect(strcmp(last(&spec)->pointer, "/linux/namespaces/1") == 0 && last(&spec)->before == NULL);
  cr_assert(spec_set(&spec, "/linux/namespaces/0/path", json_string("/x"), why, &err) == 0);
  cr_expect(dumps_as(&spec, "{\"ociVersion\":\"1.0.0\",\"linux\":{\"resources\":{\"pids\":{\"limit\":5}},"
                            "\"namespaces\":[{\"type\":\"pid\",\"path\":\"/x\"},{\"type\":\"ipc\"}]},"
                            "\"annotations\":{\"a/b~c\":\"x\"}}"));
}

/* What the journal says was written stays what was written then. */
Test(spec, journal_does_not_change_with_the_document) {
  CLEANUP_SPEC struct spec spec = { 0 };
  struct error err = { 0 };
  parse(&spec, SPEC_CONFIG, base);
  spec_begin(&spec, "test", ACTION_HARDEN);
  cr_assert(spec_set(&spec, "/linux/sysctl", json_pack("{s:s}", "a", "1"), why, &err) == 0);
  cr_assert(spec_set(&spec, "/linux/sysctl/a", json_string("2"), why, &err) == 0);
  cr_expect(strcmp(json_string_value(json_object_get(spec.journal.entries[0].after, "a")), "1") == 0);
  spec_begin(&spec, "other", ACTION_AUDIT);
  cr_assert(spec_remove(&spec, "/mounts/0", why, &err) == 0);
  spec_begin(&spec, "test", ACTION_HARDEN);
  cr_assert(spec_set(&spec, "/mounts/0/destination", json_string("/x"), why, &err) == 0);
  cr_expect(strcmp(json_string_value(json_object_get(spec.journal.entries[2].before, "destination")),
                   "/proc") == 0);
}

/* At any depth, before and after the first edit, under arrays too; what no edit touches stays shared. */
Test(spec, snapshots_do_not_change_with_the_document) {
  CLEANUP_SPEC struct spec spec = { 0 };
  struct error err = { 0 };
  parse(&spec, SPEC_CONFIG, base);
  spec_begin(&spec, "test", ACTION_HARDEN);
  json_auto_t *all = spec_snapshot(&spec, "");
  json_auto_t *untouched = jsonx_copy(all);
  cr_assert(spec_set(&spec, "/mounts/1/destination", json_string("/x"), why, &err) == 0);
  cr_assert(spec_set(&spec, "/process/args/-", json_string("-c"), why, &err) == 0);
  json_auto_t *mounts = spec_snapshot(&spec, "/mounts");
  json_auto_t *mounts_copy = jsonx_copy(mounts);
  cr_assert(spec_remove(&spec, "/mounts/0", why, &err) == 0);
  cr_assert(spec_set(&spec, "/mounts/0/type", json_string("bind"), why, &err) == 0);
  cr_assert(spec_remove(&spec, "/linux/x.vendor/Kept/0", why, &err) == 0);
  cr_assert(spec_remove(&spec, "/ociVersion", why, &err) == 0);
  cr_expect(json_equal(all, untouched));
  cr_expect(json_equal(mounts, mounts_copy));
  cr_expect_eq(jsonx_at(all, "/process/env"), spec_at(&spec, "/process/env"));
  cr_expect(dumps_as(&spec,
                     "{\"process\":{\"args\":[\"sh\",\"-c\"],\"cwd\":\"/\",\"env\":[\"TOKEN=hush\"],"
                     "\"noNewPrivileges\":false},\"mounts\":[{\"destination\":\"/x\",\"type\":\"bind\"}],"
                     "\"linux\":{\"seccomp\":null,\"x.vendor\":{\"Kept\":[2.5,\"\"]}}}"));
  cr_expect_null(spec_snapshot(&spec, "/linux/seccomp"));
}

Test(spec, remove_harden) {
  CLEANUP_SPEC struct spec spec = { 0 };
  struct error err = { 0 };
  parse(&spec, SPEC_CONFIG, base);
  spec_begin(&spec, "test", ACTION_HARDEN);
  cr_assert(spec_remove(&spec, "/mounts/0", why, &err) == 0, "%s", err.message);
  cr_expect(last(&spec)->outcome == OUTCOME_CHANGED && last(&spec)->after == NULL);
  cr_expect(json_is_object(last(&spec)->before));
  cr_expect(strcmp(json_string_value(spec_at(&spec, "/mounts/0/destination")), "/dev") == 0);
  cr_assert(spec_remove(&spec, "/process", why, &err) == 0);
  cr_assert(spec_remove(&spec, "/linux", why, &err) == 0);
  cr_expect(spec.journal.len == 3);
  static const char *const absent[] = { "/linux", "/linux/seccomp", "/mounts/1", "/mounts/-",
                                        "/process/args/0" };
  for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
    cr_expect(spec_remove(&spec, absent[i], why, &err) == 0);
  cr_expect(spec.journal.len == 3);
  cr_expect(dumps_as(&spec, "{\"ociVersion\":\"1.0.2\",\"mounts\":[{\"destination\":\"/dev\"}]}"));
}

static void expect_unchanged(const struct spec *spec) {
  struct error err = { 0 };
  json_auto_t *again = NULL;
  cr_assert(jsonx_parse(source(base), JSONX_LIMIT_DEFAULT, &again, &err) == 0);
  cr_expect(json_equal(spec->root, again), "the document was changed");
}

Test(spec, deny_refuses_with_place_rule_and_reason) {
  CLEANUP_SPEC struct spec spec = { 0 };
  parse(&spec, SPEC_CONFIG, base);
  spec_begin(&spec, "test", ACTION_DENY);
  struct error err = { 0 };
  cr_expect(spec_set(&spec, "/process/noNewPrivileges", json_true(), why, &err) == -1);
  cr_expect(err.code == ERROR_REFUSED && strcmp(err.rule, "OH-TST-001") == 0);
  cr_expect(strcmp(err.message, "config.json:4:47: /process/noNewPrivileges: the test wants it") == 0, "%s",
            err.message);
  cr_expect(last(&spec)->outcome == OUTCOME_REFUSED && json_is_true(last(&spec)->after));

  err = (struct error){ 0 };
  cr_expect(spec_remove(&spec, "/mounts/1", why, &err) == -1);
  cr_expect(strcmp(err.message, "config.json:6:5: /mounts/1: the test wants it") == 0, "%s", err.message);

  /* Absent: the place of what would hold it. */
  cr_expect(spec_set(&spec, "/process/apparmorProfile", json_string("x"), why, &err) == -1);
  cr_expect(strcmp(err.message, "config.json:3:14: /process/apparmorProfile: the test wants it") == 0, "%s",
            err.message);
  expect_unchanged(&spec);

  size_t before = spec.journal.len;
  cr_expect(spec_set(&spec, "/process/noNewPrivileges", json_false(), why, &err) == 0, "equal is no change");
  cr_expect(spec_remove(&spec, "/linux/seccomp", why, &err) == 0);
  cr_expect(spec.journal.len == before);
}

Test(spec, audit_changes_nothing) {
  CLEANUP_SPEC struct spec spec = { 0 };
  struct error err = { 0 };
  parse(&spec, SPEC_CONFIG, base);
  spec_begin(&spec, "test", ACTION_AUDIT);
  cr_expect(spec_set(&spec, "/process/noNewPrivileges", json_true(), why, &err) == 0);
  cr_expect(spec_set(&spec, "/a/b/c", json_true(), why, &err) == 0);
  cr_expect(spec_set(&spec, "/mounts/-", json_object(), why, &err) == 0);
  cr_expect(spec_remove(&spec, "/mounts/0", why, &err) == 0);
  cr_expect(spec_refuse(&spec, "/linux", why, &err) == 0);
  cr_expect(spec.journal.len == 5);
  for (size_t i = 0; i < spec.journal.len; i++)
    cr_expect(spec.journal.entries[i].outcome == OUTCOME_AUDITED);
  cr_expect(strcmp(spec.journal.entries[2].pointer, "/mounts/-") == 0);
  expect_unchanged(&spec);
}

/* A pointer that cannot be edited is a defect, whatever the action; nothing is made on the way. */
Test(spec, wrong_pointers_are_internal_errors) {
  static const char *const wrong[] = {
    "",          "linux",          "/process/cwd/x", "/mounts/7",  "/mounts/01",
    "/mounts/x", "/mounts/2/type", "/mounts/-/type", "/mounts/-1", "/mounts/0/destination/y/z"
  };
  static const enum action actions[] = { ACTION_HARDEN, ACTION_DENY, ACTION_AUDIT };
  for (size_t i = 0; i < ARRAY_SIZE(wrong) * ARRAY_SIZE(actions); i++) {
    CLEANUP_SPEC struct spec spec = { 0 };
    struct error err = { 0 };
    parse(&spec, SPEC_CONFIG, base);
    spec_begin(&spec, "test", actions[i % ARRAY_SIZE(actions)]);
    const char *pointer = wrong[i / ARRAY_SIZE(actions)];
    cr_expect(spec_set(&spec, pointer, json_true(), why, &err) == -1, "%s", pointer);
    cr_expect(err.code == ERROR_INTERNAL, "%s: %s", pointer, err.message);
    cr_expect(spec.journal.len == 0);
    expect_unchanged(&spec);
  }
}

Test(spec, off_and_nothing_are_internal_errors) {
  CLEANUP_SPEC struct spec spec = { 0 };
  struct error err = { 0 };
  parse(&spec, SPEC_CONFIG, base);
  spec_begin(&spec, "test", ACTION_OFF);
  cr_expect(spec_set(&spec, "/hostname", json_string("x"), why, &err) == -1 && err.code == ERROR_INTERNAL);
  spec_begin(&spec, "test", ACTION_HARDEN);
  cr_expect(spec_set(&spec, "/hostname", json_null(), why, &err) == -1 && err.code == ERROR_INTERNAL);
  cr_expect(spec_set(&spec, "/hostname", NULL, why, &err) == -1 && err.code == ERROR_INTERNAL);
  expect_unchanged(&spec);
}

Test(spec, refuse_and_finding) {
  CLEANUP_SPEC struct spec spec = { 0 };
  parse(&spec, SPEC_CONFIG, base);
  static const enum action actions[] = { ACTION_HARDEN, ACTION_DENY };
  for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
    struct error err = { 0 };
    spec_begin(&spec, "test", actions[i]);
    cr_expect(spec_refuse(&spec, "/mounts/0/destination", why, &err) == -1);
    cr_expect(err.code == ERROR_REFUSED && strcmp(err.rule, "OH-TST-001") == 0);
    cr_expect(strcmp(err.message, "config.json:5:30: /mounts/0/destination: the test wants it") == 0, "%s",
              err.message);
    cr_expect(last(&spec)->outcome == OUTCOME_REFUSED);
  }
  spec_finding(&spec, "/mounts/0", why);
  cr_expect(last(&spec)->outcome == OUTCOME_FINDING && json_is_object(last(&spec)->before));
  expect_unchanged(&spec);
}

Test(spec, wrapped_documents_lose_the_wrapping_in_messages) {
  CLEANUP_SPEC struct spec process = { 0 };
  struct error err = { 0 };
  parse(&process, SPEC_PROCESS, "{\"cwd\": \"/\",\n \"noNewPrivileges\": false, \"X\": 1}");
  cr_expect(json_is_false(spec_at(&process, "/process/noNewPrivileges")));
  spec_begin(&process, "test", ACTION_DENY);
  cr_expect(spec_set(&process, "/process/noNewPrivileges", json_true(), why, &err) == -1);
  cr_expect(strcmp(err.message, "config.json:2:21: /noNewPrivileges: the test wants it") == 0, "%s",
            err.message);
  cr_expect(spec_refuse(&process, "/process", why, &err) == -1);
  cr_expect(strcmp(err.message, "config.json:1:1: the test wants it") == 0, "%s", err.message);
  spec_begin(&process, "test", ACTION_HARDEN);
  cr_expect(spec_set(&process, "/process/noNewPrivileges", json_true(), why, &err) == 0);
  cr_expect(strcmp(last(&process)->pointer, "/process/noNewPrivileges") == 0);
  cr_expect(dumps_as(&process, "{\"cwd\":\"/\",\"noNewPrivileges\":true,\"X\":1}"));

  CLEANUP_SPEC struct spec resources = { 0 };
  parse(&resources, SPEC_RESOURCES, "{\"pids\":\n{\"limit\": -1}}");
  cr_expect(spec_at(&resources, "/linux/resources/pids/limit") != NULL);
  spec_begin(&resources, "test", ACTION_DENY);
  cr_expect(spec_set(&resources, "/linux/resources/pids/limit", json_integer(1), why, &err) == -1);
  cr_expect(strcmp(err.message, "config.json:2:11: /pids/limit: the test wants it") == 0, "%s", err.message);
  cr_expect(dumps_as(&resources, "{\"pids\":{\"limit\":-1}}"));
}

Test(spec, places_survive_earlier_edits) {
  CLEANUP_SPEC struct spec spec = { 0 };
  struct error err = { 0 };
  parse(&spec, SPEC_CONFIG, base);
  spec_begin(&spec, "test", ACTION_HARDEN);
  cr_assert(spec_set(&spec, "/mounts/-", json_pack("{s:s}", "destination", "/n"), why, &err) == 0);
  cr_expect(spec_refuse(&spec, "/mounts/2/destination", why, &err) == -1);
  cr_expect(strcmp(err.message, "config.json:5:13: /mounts/2/destination: the test wants it") == 0, "%s",
            err.message);
}

Test(spec, works_without_a_source) {
  CLEANUP_SPEC struct spec spec = { .root = json_object(), .kind = SPEC_CONFIG };
  struct error err = { 0 };
  spec_begin(&spec, "test", ACTION_HARDEN);
  cr_expect(spec_refuse(&spec, "/x", why, &err) == -1);
  cr_expect(strcmp(err.message, "/x: the test wants it") == 0, "%s", err.message);
}

static char *slurp(const char *path, size_t *len) {
  char *data = NULL;
  struct error err = { 0 };
  cr_assert(file_read(AT_FDCWD, path, RESOLVE_TRUSTED, JSONX_LIMIT_DEFAULT, &data, len, NULL, &err) == 0,
            "%s", err.message);
  return data;
}

Test(spec, shares_what_is_equal_and_only_that) {
  CLEANUP_SPEC struct spec spec = { 0 };
  json_auto_t *same = json_pack("[ss]", "read", "write");
  json_auto_t *other = json_pack("[s]", "read");
  static const char text[] = "{\"ociVersion\":\"1.0.2\",\"x\":{\"y\":[\"read\",\"write\"]}}";
  parse(&spec, SPEC_CONFIG, text);
  spec_share(&spec, "/x/y", other);
  spec_share(&spec, "/x/z", same);
  spec_share(&spec, "/x/y", NULL);
  cr_expect(dumps_as(&spec, text));
  cr_expect_neq(spec_at(&spec, "/x/y"), same);
  spec_share(&spec, "/x/y", same);
  cr_expect_eq(spec_at(&spec, "/x/y"), same);
  cr_expect(dumps_as(&spec, text));
}

/* One byte of difference, and all of it is read: here "allow" with the case that Go does not tell apart. */
Test(spec, takes_known_bytes_for_the_known_value) {
  static const char filter[] = "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}";
  static const struct {
    const char *filter;
    bool shared;
    int result;
  } cases[] = {
    { filter, true, 0 },
    { "{\"defaultAction\":\"SCMP_ACT_ERRNO\"}", false, 0 },
    { "{\"defaultAction\": \"SCMP_ACT_ALLOW\"}", false, 0 },
    { "{\"defaultaction\":\"SCMP_ACT_ALLOW\"}", false, -1 },
    { "{\"defaultAction\":\"SCMP_ACT_ALLOW\"", false, -1 },
    { "null", false, 0 },
  };
  json_auto_t *value = json_pack("{ss}", "defaultAction", "SCMP_ACT_ALLOW");
  const struct spec_known known = { "/linux/seccomp", { filter, strlen(filter) }, value };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    CLEANUP_SPEC struct spec spec = { 0 };
    struct error err = { 0 };
    CLEANUP_FREE char *text =
        xasprintf("{\"ociVersion\":\"1.0.2\",\"linux\":{\"seccomp\":%s},\"x\":{}}", cases[i].filter);
    const struct jsonx_source src = { "config.json", text, strlen(text) };
    cr_expect_eq(spec_parse_known(&spec, &src, src.len, &known, &err), cases[i].result, "%s", text);
    if (cases[i].result < 0)
      continue;
    cr_expect_eq(spec_at(&spec, "/linux/seccomp") == value, cases[i].shared, "%s", text);
    cr_expect(cases[i].shared || strchr(cases[i].filter, ' ') || dumps_as(&spec, text));
  }
}

/* What is known is checked where it stands all the same, and so is the rest. */
Test(spec, checks_known_values) {
  static const char filter[] = "{\"syscalls\":1}";
  json_auto_t *value = json_pack("{si}", "syscalls", 1);
  const struct spec_known known = { "/linux/seccomp", { filter, strlen(filter) }, value };
  static const char *const texts[] = {
    "{\"ociVersion\":\"1.0.2\",\"linux\":{\"seccomp\":{\"syscalls\":1}}}",
    "{\"ociVersion\":\"1.0.2\",\"linux\":{\"seccomp\":{\"syscalls\":1}},\"Process\":{}}",
    "{\"linux\":{\"seccomp\":{\"syscalls\":1}}}",
  };
  for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
    CLEANUP_SPEC struct spec spec = { 0 };
    struct error err = { 0 };
    const struct jsonx_source src = { "config.json", texts[i], strlen(texts[i]) };
    cr_expect_eq(spec_parse_known(&spec, &src, src.len, &known, &err), -1, "%s", texts[i]);
    cr_expect_neq(err.message[0], '\0');
  }
}

Test(spec, knows_what_the_filter_was_read_from) {
  CLEANUP_SPEC struct spec spec = { 0 };
  static const char text[] =
      "{\"ociVersion\":\"1.0.2\",\"linux\":{\"seccomp\": {\"defaultAction\":\"SCMP_ACT_ALLOW\" } }}";
  parse(&spec, SPEC_CONFIG, text);
  cr_expect_eq(spec.seccomp.text, strstr(text, "{\"default"));
  cr_expect_eq(spec.seccomp.len, strlen("{\"defaultAction\":\"SCMP_ACT_ALLOW\" }"));
}

/* Every config that real engines wrote is accepted and comes out with the same meaning. */
Test(spec, fixtures) {
  glob_t found;
  cr_assert(glob("tests/fixtures/*/*.json", 0, NULL, &found) == 0);
  cr_expect(found.gl_pathc > 80);
  for (size_t i = 0; i < found.gl_pathc; i++) {
    const char *path = found.gl_pathv[i];
    CLEANUP_SPEC struct spec spec = { 0 };
    struct error err = { 0 };
    size_t len = 0;
    CLEANUP_FREE char *text = slurp(path, &len);
    const struct jsonx_source src = { path, text, len };
    enum spec_kind kind = str_ends(path, ".process.json") ? SPEC_PROCESS : SPEC_CONFIG;
    cr_assert(spec_parse(&spec, kind, &src, JSONX_LIMIT_DEFAULT, &err) == 0, "%s", err.message);
    CLEANUP_STR struct str out = { 0 };
    spec_dump(&spec, &out);
    json_auto_t *before = NULL;
    json_auto_t *after = NULL;
    const struct jsonx_source dumped = { "dump", out.data, out.len };
    cr_assert(jsonx_parse(&src, JSONX_LIMIT_DEFAULT, &before, &err) == 0);
    cr_assert(jsonx_parse(&dumped, JSONX_LIMIT_DEFAULT, &after, &err) == 0, "%s", err.message);
    cr_expect(json_equal(before, after), "%s", path);
  }
  globfree(&found);
}
