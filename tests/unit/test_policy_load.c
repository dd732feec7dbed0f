/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"
#include "tempdir.h"

static char *dir;

static void setup(void) {
  dir = tempdir_make("test_policy_load");
}

static void teardown(void) {
  tempdir_remove(dir);
}

TestSuite(policy_load, .init = setup, .fini = teardown);
TestSuite(policy_load_as_root, .init = setup, .fini = teardown);

static void put(const char *name, const char *text) {
  free(tempdir_put(dir, name, text));
}

/* The error of a load that must fail. */
static struct error refused(const char *name) {
  struct error err = { 0 };
  struct policy p;
  cr_assert(policy_load(dir, name, &p, &err) < 0, "%s was accepted", name);
  return err;
}

static void load(struct policy *p, const char *name) {
  struct error err = { 0 };
  cr_assert(policy_load(dir, name, p, &err) == 0, "%s", err.message);
}

static void expect_error(const char *name, enum error_code code, const char *says) {
  struct error err = refused(name);
  cr_expect_eq(err.code, code, "%s", err.message);
  cr_expect(strstr(err.message, says) != NULL, "\"%s\" does not say \"%s\"", err.message, says);
}

Test(policy_load, builtins_need_no_directory) {
  CLEANUP_POLICY struct policy p = { 0 };
  struct error err = { 0 };
  cr_assert(policy_load("/nonexistent/policies", "restricted", &p, &err) == 0, "%s", err.message);
  cr_expect_str_eq(p.name, "restricted");
  cr_expect_eq(p.no_new_privileges.action, ACTION_HARDEN);
}

Test(policy_load, a_file_extends_a_file_extends_a_builtin) {
  put("web.json", "{\"extends\": \"team\", \"rootfs\": {\"tmpfs\": [\"...\", \"/srv/cache\"]}}");
  put("team.json", "{\"name\": \"team\", \"extends\": \"restricted\", \"resources\": {\"pidsMax\": 99}}");
  CLEANUP_POLICY struct policy p = { 0 };
  load(&p, "web");
  cr_expect_str_eq(p.name, "web");
  cr_expect_str_eq(p.extends, "team");
  cr_expect_null(p.description);
  cr_expect_eq(p.resources.pids_max, 99);
  cr_expect(strlist_has(&p.rootfs.tmpfs, "/srv/cache") && strlist_has(&p.rootfs.tmpfs, "/tmp"));
  cr_expect(p.rootfs.readonly);
}

Test(policy_load, a_file_replaces_the_builtin_of_its_name) {
  put("restricted.json", "{\"resources\": {\"pidsMax\": 5}}");
  CLEANUP_POLICY struct policy p = { 0 };
  load(&p, "restricted");
  cr_expect_eq(p.resources.pids_max, 5);
  cr_expect_eq(p.no_new_privileges.action, ACTION_OFF);
}

Test(policy_load, a_file_may_extend_the_builtin_of_its_name) {
  put("restricted.json", "{\"extends\": \"restricted\", \"resources\": {\"pidsMax\": 5}}");
  CLEANUP_POLICY struct policy p = { 0 };
  load(&p, "restricted");
  cr_expect_eq(p.resources.pids_max, 5);
  cr_expect_eq(p.no_new_privileges.action, ACTION_HARDEN);
}

/* Whoever loosens restricted for his node does not loosen what is for hostile code. */
Test(policy_load, builtins_extend_builtins) {
  put("restricted.json", "{\"mode\": \"audit\"}");
  CLEANUP_POLICY struct policy p = { 0 };
  load(&p, "strict");
  cr_expect_eq(p.mode, POLICY_ENFORCE);
  cr_expect_eq(p.no_new_privileges.action, ACTION_HARDEN);
}

Test(policy_load, a_file_extends_a_replaced_builtin) {
  put("restricted.json", "{\"extends\": \"restricted\", \"resources\": {\"pidsMax\": 5}}");
  put("web.json", "{\"extends\": \"restricted\"}");
  CLEANUP_POLICY struct policy p = { 0 };
  load(&p, "web");
  cr_expect_eq(p.resources.pids_max, 5);
}

Test(policy_load, circles) {
  put("own.json", "{\"extends\": \"own\"}");
  expect_error("own", ERROR_POLICY, "there is no policy \"own\"");
  put("a.json", "{\"extends\": \"b\"}");
  put("b.json", "{\"extends\": \"c\"}");
  put("c.json", "{\n \"extends\": \"a\"}");
  expect_error("a", ERROR_POLICY, "c.json:2:13: /extends: closes a circle");
}

Test(policy_load, depth) {
  for (int i = 1; i <= POLICY_DEPTH; i++) {
    CLEANUP_FREE char *name = xasprintf("p%d.json", i);
    CLEANUP_FREE char *text = i == POLICY_DEPTH ? xstrdup("{}") : xasprintf("{\"extends\": \"p%d\"}", i + 1);
    put(name, text);
  }
  CLEANUP_POLICY struct policy p = { 0 };
  load(&p, "p1");
  put("p0.json", "{\"extends\": \"p1\"}");
  expect_error("p0", ERROR_POLICY, "p7.json:1:13: /extends: ");
}

Test(policy_load, unknown_names_list_the_known) {
  expect_error("nobody", ERROR_POLICY, "there is no policy \"nobody\"");
  expect_error("nobody", ERROR_POLICY, "restricted");
  put("web.json", "{\"extends\": \"nobody\"}");
  expect_error("web", ERROR_POLICY, "web.json: /extends: there is no policy \"nobody\"");
  put("bad.json", "{\"extends\": 7}");
  expect_error("bad", ERROR_POLICY, "bad.json:1:13: /extends: ");
  put("null.json", "{\"extends\": null, \"mode\": \"audit\"}");
  CLEANUP_POLICY struct policy p = { 0 };
  load(&p, "null");
  cr_expect_eq(p.mode, POLICY_AUDIT);
}

Test(policy_load, names_are_no_paths) {
  CLEANUP_FREE char *outside = xasprintf("%s/sub", dir);
  cr_assert(mkdir(outside, 0700) == 0);
  put("x.json", "{}");
  struct error err = { 0 };
  struct policy p;
  static const char *const names[] = { "../x", "/etc/passwd", "", ".", "x/../x", "X" };
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    cr_assert(policy_load(outside, names[i], &p, &err) < 0, "%s", names[i]);
    cr_expect_eq(err.code, ERROR_POLICY);
    cr_expect(strstr(err.message, "is no policy's name") != NULL, "%s", err.message);
  }
}

Test(policy_load, the_files_name_is_the_name) {
  put("a.json", "{\"name\": \"b\"}");
  expect_error("a", ERROR_POLICY, "a.json:1:10: /name: is \"b\"");
}

Test(policy_load, errors_of_a_parent_name_the_parent) {
  put("a.json", "{\"extends\": \"b\"}");
  put("b.json", "{\n\"mod\": 1}");
  expect_error("a", ERROR_POLICY, "b.json:2:1: /mod: unknown key");
}

static void allow_write(const char *name, mode_t mode) {
  CLEANUP_FREE char *path = xasprintf("%s/%s", dir, name);
  cr_assert(chmod(path, mode) == 0);
}

Test(policy_load, files_that_others_can_write) {
  put("restricted.json", "{}");
  static const mode_t modes[] = { 0666, 0620, 0602 };
  for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
    allow_write("restricted.json", modes[i]);
    expect_error("restricted", ERROR_POLICY, "not trusted");
  }
  allow_write("restricted.json", 0644);
  CLEANUP_POLICY struct policy p = { 0 };
  load(&p, "restricted");
}

Test(policy_load_as_root, files_of_others) {
  cr_assert(geteuid() == 0, "run as root");
  put("restricted.json", "{}");
  CLEANUP_FREE char *path = xasprintf("%s/restricted.json", dir);
  cr_assert(chown(path, 65534, 65534) == 0);
  expect_error("restricted", ERROR_POLICY, "belongs to uid 65534");
}

Test(policy_load, parents_are_trusted_no_more_than_children) {
  put("a.json", "{\"extends\": \"b\"}");
  put("b.json", "{}");
  allow_write("b.json", 0666);
  expect_error("a", ERROR_POLICY, "not trusted");
}

/* Who writes the directory takes an override away, and a looser built-in holds again. */
Test(policy_load_as_root, directories_that_others_can_write) {
  cr_assert(chmod(dir, 0777) == 0);
  expect_error("restricted", ERROR_POLICY, "not trusted: mode 0777");
  cr_assert(chmod(dir, 01777) == 0);
  expect_error("restricted", ERROR_POLICY, "not trusted");
  cr_assert(chmod(dir, 0755) == 0);
  cr_assert(geteuid() == 0, "run as root");
  cr_assert(chown(dir, 65534, 65534) == 0);
  expect_error("restricted", ERROR_POLICY, "belongs to uid 65534");
}

Test(policy_load, a_linked_directory_is_judged_by_its_target) {
  CLEANUP_FREE char *link = xasprintf("%s/link", dir);
  CLEANUP_FREE char *real = xasprintf("%s/real", dir);
  cr_assert(mkdir(real, 0755) == 0);
  free(tempdir_put(real, "mine.json", "{\"mode\": \"audit\"}"));
  cr_assert(symlink(real, link) == 0);
  struct error err = { 0 };
  CLEANUP_POLICY struct policy p = { 0 };
  cr_assert(policy_load(link, "mine", &p, &err) == 0, "%s", err.message);
  cr_expect_eq(p.mode, POLICY_AUDIT);
  cr_assert(chmod(real, 0777) == 0);
  struct policy q;
  cr_assert(policy_load(link, "mine", &q, &err) < 0);
  cr_expect_eq(err.code, ERROR_POLICY);
}

/* Neither may fall back to the built-in: the override is there, and cannot be read. */
Test(policy_load, what_cannot_be_read_is_not_absent) {
  CLEANUP_FREE char *path = xasprintf("%s/restricted.json", dir);
  cr_assert(symlink("/nonexistent", path) == 0);
  expect_error("restricted", ERROR_SYSTEM, "restricted.json");
  cr_assert(unlink(path) == 0);
  cr_assert(mkdir(path, 0700) == 0);
  expect_error("restricted", ERROR_POLICY, "not a regular file");
  cr_assert(rmdir(path) == 0);
  cr_assert(mkfifo(path, 0600) == 0);
  expect_error("restricted", ERROR_POLICY, "not a regular file");
}

Test(policy_load, a_directory_that_is_a_file) {
  CLEANUP_FREE char *path = tempdir_put(dir, "file", "");
  struct error err = { 0 };
  struct policy p;
  cr_assert(policy_load(path, "restricted", &p, &err) < 0);
  cr_expect_eq(err.code, ERROR_SYSTEM);
}

Test(policy_load, size_is_bounded) {
  CLEANUP_STR struct str text = { 0 };
  str_add(&text, "{\"description\": \"");
  for (size_t i = 0; i < POLICY_SIZE_MAX / 64 + 1; i++)
    str_add(&text, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
  str_add(&text, "\"}");
  put("big.json", text.data);
  expect_error("big", ERROR_POLICY, "limit");
}

Test(policy_load, texts_of_no_directory) {
  put("team.json", "{\"extends\": \"restricted\", \"resources\": {\"pidsMax\": 99}}");
  static const char text[] = "{\"extends\": \"team\", \"resources\": {\"memoryMax\": 5}}";
  const struct jsonx_source src = { "stdin", text, sizeof text - 1 };
  struct error err = { 0 };
  CLEANUP_POLICY struct policy p = { 0 };
  cr_assert(policy_load_text(dir, &src, &p, &err) == 0, "%s", err.message);
  cr_expect_eq(p.resources.pids_max, 99);
  cr_expect_eq(p.resources.memory_max, 5);
  cr_expect_null(p.name);
  struct policy q;
  cr_assert(policy_load_text(NULL, &src, &q, &err) < 0, "without the directory there is no team");
  cr_expect(strstr(err.message, "stdin: /extends: there is no policy \"team\"") != NULL, "%s", err.message);
}
