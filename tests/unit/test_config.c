/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/config.h"
#include "tempdir.h"

#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static char *dir;

static void setup(void) {
  dir = tempdir_make("test_config");
}

static void teardown(void) {
  tempdir_remove(dir);
}

TestSuite(config, .init = setup, .fini = teardown);
TestSuite(config_as_root, .init = setup, .fini = teardown);

static int decode(const char *text, struct config *c, struct error *err) {
  const struct jsonx_source src = { "config.json", text, strlen(text) };
  return config_decode(&src, c, err);
}

static void must_decode(const char *text, struct config *c) {
  struct error err = { 0 };
  cr_assert(decode(text, c, &err) == 0, "%s: %s", text, err.message);
}

Test(config_as_root, defaults) {
  cr_assert(geteuid() == 0, "run as root");
  CLEANUP_CONFIG struct config c = { 0 };
  must_decode("{}", &c);
  cr_expect_str_eq(c.default_policy, "restricted");
  cr_expect_str_eq(c.policy_dir, "/etc/oci-harden/policies");
  cr_expect_str_eq(c.state_dir, "/run/oci-harden");
  cr_expect_str_eq(c.cache_dir, "/run/oci-harden/.cache");
  cr_expect_str_eq(c.events, "/var/log/oci-harden/events.json");
  cr_expect_str_eq(c.policy_annotation, "oci-harden.policy");
  cr_expect_eq(c.config_limit, 16 << 20);
  cr_expect_eq(c.rules_len, 0);
  cr_assert_gt(c.runtimes_len, 4);
  cr_expect_str_eq(c.runtimes[0].path, "/usr/bin/runc");
  cr_expect_eq(c.runtimes[0].kind, RUNTIME_RUNC);
  cr_expect_str_eq(c.runtimes[1].path, "/usr/sbin/runc");
  bool crun = false;
  for (size_t i = 0; i < c.runtimes_len; i++) {
    cr_expect(!crun || c.runtimes[i].kind == RUNTIME_CRUN, "runc's places come before crun's");
    crun = crun || c.runtimes[i].kind == RUNTIME_CRUN;
  }
  cr_expect(crun);
}

Test(config, nulls_and_the_cache_follow_the_defaults) {
  CLEANUP_CONFIG struct config c = { 0 };
  must_decode("{\"$schema\": \"x\", \"stateDir\": \"/srv/state\", \"defaultPolicy\": null, \"events\": \"\"}",
              &c);
  cr_expect_str_eq(c.cache_dir, "/srv/state/.cache");
  cr_expect_str_eq(c.default_policy, "restricted");
  cr_expect_str_eq(c.events, "");
}

Test(config, runtimes) {
  CLEANUP_CONFIG struct config c = { 0 };
  must_decode("{\"runtimes\": [\"/opt/bin/crun-1.21\", \"/opt/bin/youki\", {\"path\": \"/opt/my\", \"type\": "
              "\"crun\"}, {\"path\": \"/opt/crun\", \"type\": \"runc\"}, {\"path\": \"/opt/crun\"}]}",
              &c);
  static const int kinds[] = { RUNTIME_CRUN, RUNTIME_RUNC, RUNTIME_CRUN, RUNTIME_RUNC, RUNTIME_CRUN };
  cr_assert_eq(c.runtimes_len, ARRAY_SIZE(kinds));
  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
    cr_expect_eq(c.runtimes[i].kind, kinds[i], "%s", c.runtimes[i].path);
  cr_expect_str_eq(c.runtimes[2].path, "/opt/my");
}

Test(config, rules) {
  CLEANUP_CONFIG struct config c = { 0 };
  must_decode(
      "{\"rules\": [{\"policy\": \"a\", \"podNamespace\": \"n\", \"pod\": \"p\", \"container\": \"c\", "
      "\"image\": \"i\", \"containerType\": \"sandbox\", \"root\": \"r\", \"name\": \"x\"}, {\"policy\": "
      "\"b\"}]}",
      &c);
  cr_assert_eq(c.rules_len, 2);
  const struct rule *r = &c.rules[0];
  cr_expect_str_eq(r->policy, "a");
  cr_expect_str_eq(r->pod_namespace, "n");
  cr_expect_str_eq(r->pod, "p");
  cr_expect_str_eq(r->container, "c");
  cr_expect_str_eq(r->image, "i");
  cr_expect_str_eq(r->container_type, "sandbox");
  cr_expect_str_eq(r->root, "r");
  cr_expect_str_eq(r->name, "x");
  cr_expect_null(c.rules[1].pod);
}

static const struct {
  const char *text, *place, *says;
} wrong[] = {
  { "[]", "config.json:1:1: ", "must be an object" },
  { "{\"runtime\": []}", "config.json:1:2: /runtime: ", "did you mean \"runtimes\"" },
  { "{\"runtimes\": []}", "config.json:1:14: /runtimes: ", "at least one" },
  { "{\"runtimes\": \"/usr/bin/runc\"}", "config.json:1:14: /runtimes: ", "list" },
  { "{\"runtimes\": [\"runc\"]}", "config.json:1:15: /runtimes/0: ", "absolute path" },
  { "{\"runtimes\": [7]}", "config.json:1:15: /runtimes/0: ", "expected" },
  { "{\"runtimes\": [{}]}", "config.json:1:15: /runtimes/0: ", "has no \"path\"" },
  { "{\"runtimes\": [{\"path\": \"runc\"}]}", "config.json:1:24: /runtimes/0/path: ", "absolute path" },
  { "{\"runtimes\": [{\"path\": \"/a\", \"type\": \"kata\"}]}",
    "config.json:1:38: /runtimes/0/type: ", "\"crun\"" },
  { "{\"defaultPolicy\": \"../x\"}", "config.json:1:19: /defaultPolicy: ", "lower case" },
  { "{\"policyDir\": \"policies\"}", "config.json:1:15: /policyDir: ", "absolute path" },
  { "{\"stateDir\": \"\"}", "config.json:1:14: /stateDir: ", "absolute path" },
  { "{\"cacheDir\": \"x\"}", "config.json:1:14: /cacheDir: ", "absolute path" },
  { "{\"events\": \"x\"}", "config.json:1:12: /events: ", "or empty" },
  { "{\"policyAnnotation\": \"a b\"}", "config.json:1:22: /policyAnnotation: ", "or empty" },
  { "{\"configLimit\": 1}", "config.json:1:17: /configLimit: ", "integer from 4096" },
  { "{\"rules\": {}}", "config.json:1:11: /rules: ", "list" },
  { "{\"rules\": [{}]}", "config.json:1:12: /rules/0: ", "has no \"policy\"" },
  { "{\"rules\": [1]}", "config.json:1:12: /rules/0: ", "expected an object" },
  { "{\"rules\": [{\"policy\": \"a\"}, {\"policy\": \"A\"}]}",
    "config.json:1:40: /rules/1/policy: ", "lower" },
  { "{\"rules\": [{\"policy\": \"a\", \"containerType\": \"pod\"}]}",
    "config.json:1:45: /rules/0/containerType: ", "\"sandbox\"" },
  { "{\"rules\": [{\"policy\": \"a\", \"namespace\": \"x\"}]}",
    "config.json:1:28: /rules/0/namespace: ", "podNamespace" },
};

Test(config, errors_say_where_and_what) {
  for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
    struct error err = { 0 };
    struct config c;
    cr_assert(decode(wrong[i].text, &c, &err) < 0, "accepted: %s", wrong[i].text);
    cr_expect_eq(err.code, ERROR_POLICY, "%s", err.message);
    cr_expect(str_starts(err.message, wrong[i].place), "%s: %s", wrong[i].text, err.message);
    cr_expect(strstr(err.message, wrong[i].says) != NULL, "%s: %s", wrong[i].text, err.message);
  }
}

Test(config, a_path_that_was_given_must_exist) {
  CLEANUP_FREE char *path = xasprintf("%s/absent.json", dir);
  struct error err = { 0 };
  struct config c;
  cr_assert(config_load(path, &c, &err) < 0);
  cr_expect_eq(err.code, ERROR_SYSTEM);
  cr_expect_eq(err.sys, ENOENT);
}

Test(config_as_root, only_the_owner_may_write_it) {
  CLEANUP_FREE char *path = tempdir_put(dir, "config.json", "{\"defaultPolicy\": \"strict\"}");
  struct error err = { 0 };
  CLEANUP_CONFIG struct config c = { 0 };
  cr_assert(config_load(path, &c, &err) == 0, "%s", err.message);
  cr_expect_str_eq(c.default_policy, "strict");
  struct config d;
  cr_assert(chmod(path, 0666) == 0);
  cr_assert(config_load(path, &d, &err) < 0);
  cr_expect_eq(err.code, ERROR_POLICY);
  cr_assert(chmod(path, 0644) == 0);
  cr_assert(geteuid() == 0, "run as root");
  cr_assert(chown(path, 65534, 65534) == 0);
  cr_assert(config_load(path, &d, &err) < 0);
  cr_expect_eq(err.code, ERROR_POLICY);
  cr_expect(strstr(err.message, "belongs to uid 65534") != NULL, "%s", err.message);
}

Test(config_as_root, without_root_everything_is_below_run_user) {
  cr_assert(geteuid() == 0, "run as root");
  cr_assert(setresuid(65533, 65533, 65533) == 0);
  CLEANUP_CONFIG struct config c = { 0 };
  must_decode("{}", &c);
  cr_expect_str_eq(c.state_dir, "/run/user/65533/oci-harden");
  cr_expect_str_eq(c.cache_dir, "/run/user/65533/oci-harden/.cache");
  cr_expect_str_eq(c.events, "/run/user/65533/oci-harden/events.json");
}

static bool write_map(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  if (fd >= 0)
    close(fd);
  return ok;
}

/* The exit code tells where it stopped. A child, since only a process of one thread may leave its user
 * namespace. */
static int as_root_of_a_users_namespace(void) {
  if (setresgid(65533, 65533, 65533) < 0 || setresuid(65533, 65533, 65533) < 0)
    return 1;
  if (prctl(PR_SET_DUMPABLE, 1) < 0) /* or /proc/self is root's */
    return 2;
  if (unshare(CLONE_NEWUSER) < 0)
    return 3;
  if (!write_map("/proc/self/uid_map", "0 65533 1") || geteuid() != 0)
    return 4;
  static const char text[] = "{}";
  const struct jsonx_source src = { "config.json", text, sizeof text - 1 };
  struct error err = { 0 };
  CLEANUP_CONFIG struct config c = { 0 };
  if (config_decode(&src, &c, &err) < 0)
    return 5;
  return strcmp(c.state_dir, "/run/user/65533/oci-harden") == 0 ? 0 : 6;
}

/* podman without root runs the runtime as uid 0 of a user namespace of the user's. */
Test(config_as_root, root_of_a_users_namespace_is_that_user) {
  cr_assert(geteuid() == 0, "run as root");
  pid_t child = fork();
  cr_assert(child >= 0);
  if (child == 0)
    _exit(as_root_of_a_users_namespace());
  int status;
  cr_assert(waitpid(child, &status, 0) == child);
  cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
}
