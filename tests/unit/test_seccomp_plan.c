/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/merge.h"
#include "seccomp/plan.h"
#include "seccomp/profile_file.h"
#include "seccomp_helper.h"

#include <errno.h>
#include <ftw.h>
#include <linux/audit.h>
#include <sys/stat.h>

static struct policy policy;
static char top[] = "/tmp/harden-plan-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
  (void)st, (void)flag, (void)ftw;
  return remove(path);
}

static void setup(void) {
  cr_assert_not_null(mkdtemp(top));
  policy_init(&policy);
  policy.seccomp.action = ACTION_HARDEN;
  policy.seccomp.native_only = true;
}

static void teardown(void) {
  policy_free(&policy);
  nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(seccomp_plan, .init = setup, .fini = teardown);

static void use_profile(const char *name) {
  free(policy.seccomp.profile);
  policy.seccomp.profile = xstrdup(name);
}

static void plan(struct seccomp_plan *ret, const json_t *engine, enum runtime_kind runtime,
                 const struct seccomp_cache *cache) {
  struct error err = { 0 };
  cr_assert_eq(seccomp_plan_make(ret, engine, (struct jsonx_span){ 0 }, &policy, runtime, cache, &err), 0,
               "%s", err.message);
}

static struct error refusal(const json_t *engine) {
  struct error err = { 0 };
  struct seccomp_plan p;
  cr_assert_eq(seccomp_plan_make(&p, engine, (struct jsonx_span){ 0 }, &policy, RUNTIME_RUNC, NULL, &err),
               -1);
  cr_assert_null(p.merged);
  cr_assert_null(p.program);
  return err;
}

static uint32_t judge(const struct seccomp_plan *p, const char *name, uint64_t a0) {
  return judge_native(p->program, p->program_len, name, a0);
}

Test(seccomp_plan, neither_side_has_a_filter) {
  CLEANUP_SECCOMP_PLAN struct seccomp_plan p = { 0 };
  plan(&p, NULL, RUNTIME_RUNC, NULL);
  cr_assert_null(p.merged);
  cr_assert_null(p.program);
  use_profile(""); /* how a policy file says none */
  plan(&p, NULL, RUNTIME_RUNC, NULL);
  cr_assert_null(p.merged);
  json_auto_t *null = json_null();
  plan(&p, null, RUNTIME_RUNC, NULL);
  cr_assert_null(p.merged);
}

Test(seccomp_plan, policys_profile_where_the_engine_has_none) {
  CLEANUP_SECCOMP_PLAN struct seccomp_plan p = { 0 };
  use_profile("restricted");
  plan(&p, NULL, RUNTIME_RUNC, NULL);
  cr_assert_eq(judge(&p, "read", 0), SECCOMP_RET_ALLOW);
  cr_assert_eq(judge(&p, "clone3", 0), SECCOMP_RET_ERRNO | ENOSYS);
  cr_assert_eq(judge(&p, "ptrace", 0), SECCOMP_RET_ERRNO | EPERM);
  const json_t *archs = json_object_get(p.merged, "architectures");
  cr_assert_eq(json_array_size(archs), 1);
  cr_assert_str_eq(json_string_value(json_array_get(archs, 0)), seccomp_abi_native()->oci);
}

/* ENOSYS by default: runc then has nothing to put before the filter. */
Test(seccomp_plan, our_profiles_alike_for_runc_and_crun) {
  static const char *const profiles[] = { "baseline", "restricted", "strict" };
  for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
    CLEANUP_SECCOMP_PLAN struct seccomp_plan runc = { 0 };
    CLEANUP_SECCOMP_PLAN struct seccomp_plan crun = { 0 };
    use_profile(profiles[i]);
    plan(&runc, NULL, RUNTIME_RUNC, NULL);
    plan(&crun, NULL, RUNTIME_CRUN, NULL);
    cr_expect_eq(json_integer_value(json_object_get(runc.merged, "defaultErrnoRet")), ENOSYS, "%s",
                 profiles[i]);
    cr_expect(json_equal(runc.merged, crun.merged), "%s", profiles[i]);
    cr_expect_eq(judge(&runc, "add_key", 0), SECCOMP_RET_ERRNO | ENOSYS, "%s", profiles[i]);
    cr_expect_eq(judge(&runc, "mount", 0), SECCOMP_RET_ERRNO | EPERM, "%s", profiles[i]);
  }
}

Test(seccomp_plan, engines_filter_where_the_policy_has_none) {
  CLEANUP_SECCOMP_PLAN struct seccomp_plan p = { 0 };
  json_auto_t *docker = section_of_fixture("tests/fixtures/docker/default.json");
  plan(&p, docker, RUNTIME_RUNC, NULL);
  cr_assert_eq(judge(&p, "ptrace", 0), SECCOMP_RET_ALLOW);
  cr_assert_eq(judge(&p, "mount", 0) & SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ERRNO);
#ifdef __x86_64__
  cr_assert_eq(bpf_reach_numbers(p.program, p.program_len, AUDIT_ARCH_I386, 0, UINT32_MAX),
               BPF_SET(SECCOMP_RET_KILL_THREAD));
#endif
}

static const char *const fixtures[] = {
  "tests/fixtures/docker/default.json", "tests/fixtures/docker-28/default.json",
  "tests/fixtures/docker/cap-all.json", "tests/fixtures/podman/default.json",
  "tests/fixtures/ctr/seccomp.json",    "tests/fixtures/cri/seccomp-runtimedefault.json"
};

/* Real sections with each of our profiles: as strict as both where it is simple to say, and the second time
 * nothing changes. */
Test(seccomp_plan, intersects_what_engines_write, .timeout = 60) {
  static const char *const profiles[] = { "baseline", "restricted", "strict" };
  for (size_t f = 0; f < ARRAY_SIZE(fixtures); f++) {
    json_auto_t *engine = section_of_fixture(fixtures[f]);
    cr_assert_not_null(engine, "%s", fixtures[f]);
    for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
      CLEANUP_SECCOMP_PLAN struct seccomp_plan p = { 0 };
      CLEANUP_SECCOMP_PLAN struct seccomp_plan again = { 0 };
      use_profile(profiles[i]);
      plan(&p, engine, i % 2 ? RUNTIME_CRUN : RUNTIME_RUNC, NULL);
      cr_assert_eq(judge(&p, "clone3", 0), SECCOMP_RET_ERRNO | ENOSYS);
      cr_assert_eq(judge(&p, "getpid", 0), SECCOMP_RET_ALLOW);
      cr_assert_eq(judge(&p, "ptrace", 0) == SECCOMP_RET_ALLOW, i == 0, "%s %s", fixtures[f], profiles[i]);
      cr_assert_neq(judge(&p, "socket", 40), SECCOMP_RET_ALLOW);
      cr_assert_neq(judge(&p, "io_uring_setup", 0), SECCOMP_RET_ALLOW);
      plan(&again, p.merged, i % 2 ? RUNTIME_CRUN : RUNTIME_RUNC, NULL);
      cr_assert(json_equal(p.merged, again.merged), "%s %s", fixtures[f], profiles[i]);
      cr_assert_eq(json_array_size(json_object_get(p.merged, "flags")), 0); /* which runc 1.1 refuses */
    }
  }
}

Test(seccomp_plan, off_and_audit_leave_the_section_alone) {
  json_auto_t *docker = section_of_fixture("tests/fixtures/docker/default.json");
  use_profile("strict");
  for (int i = 0; i < 3; i++) {
    CLEANUP_SECCOMP_PLAN struct seccomp_plan p = { 0 };
    policy.seccomp.action = i == 0 ? ACTION_OFF : i == 1 ? ACTION_AUDIT : ACTION_HARDEN;
    policy.mode = i == 2 ? POLICY_AUDIT : POLICY_ENFORCE;
    plan(&p, docker, RUNTIME_RUNC, NULL);
    cr_assert(json_equal(p.merged, docker));
    cr_assert_null(p.program);
  }
}

Test(seccomp_plan, deny_demands_the_policys_profile_of_the_engine) {
  json_auto_t *docker = section_of_fixture("tests/fixtures/docker/default.json");
  CLEANUP_SECCOMP_PLAN struct seccomp_plan good = { 0 };
  CLEANUP_SECCOMP_PLAN struct seccomp_plan p = { 0 };
  use_profile("restricted");
  plan(&good, docker, RUNTIME_RUNC, NULL);
  policy.seccomp.action = ACTION_DENY;
  plan(&p, good.merged, RUNTIME_RUNC, NULL); /* strict enough: as it stands */
  cr_assert(json_equal(p.merged, good.merged));
  cr_assert_not_null(p.program);
  struct error err = refusal(docker);
  cr_assert_eq(err.code, ERROR_REFUSED);
  cr_assert(strstr(err.message, "/linux/seccomp") && strstr(err.message, "the policy's profile"), "%s",
            err.message);
  err = refusal(NULL);
  cr_assert_eq(err.code, ERROR_REFUSED);
}

Test(seccomp_plan, refuses_what_is_not_to_be_trusted) {
  static const struct {
    const char *section, *pointer;
  } cases[] = {
    { "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['mkdir'],'action':'SCMP_ACT_ERRNO','errnoRet':"
      "0}]}",
      "/linux/seccomp/syscalls/0" },
    { "{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['mkdir'],'action':'SCMP_ACT_ERRNO'}]}",
      "/linux/seccomp/defaultAction" },
    { "{'defaultAction':'SCMP_ACT_LOG','syscalls':[{'names':['mkdir'],'action':'SCMP_ACT_ERRNO'}]}",
      "/linux/seccomp/defaultAction" },
    { "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['mkdir'],'action':'SCMP_ACT_TRACE'}]}",
      "/linux/seccomp/syscalls/0" },
    { "{'syscalls':[]}", "/linux/seccomp" },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    json_auto_t *section = section_of(cases[i].section);
    struct error err = refusal(section);
    cr_assert(strstr(err.message, cases[i].pointer), "%s", err.message);
  }
}

/* An engine's deny list becomes part of the policy's allow list. */
Test(seccomp_plan, a_deny_list_is_intersected) {
  CLEANUP_SECCOMP_PLAN struct seccomp_plan p = { 0 };
  json_auto_t *section = section_of("{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['mkdir'],'"
                                    "action':'SCMP_ACT_ERRNO','errnoRet':13}]}");
  use_profile("restricted");
  plan(&p, section, RUNTIME_RUNC, NULL);
  cr_assert_eq(judge(&p, "mkdir", 0), SECCOMP_RET_ERRNO | EACCES);
  cr_assert_eq(judge(&p, "mkdirat", 0), SECCOMP_RET_ALLOW);
  cr_assert_eq(judge(&p, "ptrace", 0), SECCOMP_RET_ERRNO | EPERM);
  cr_assert_str_eq(json_string_value(json_object_get(p.merged, "defaultAction")), "SCMP_ACT_ERRNO");
}

/* podman 5.8's, without CAP_AUDIT_WRITE: the exact intersection compiles to more than can be validated. */
Test(seccomp_plan, small_arguments_are_granted_where_the_exact_form_is_too_much) {
  json_auto_t *section = section_of(
      "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38,'architectures':['SCMP_ARCH_X86_64','SCMP_ARCH_"
      "AARCH64'],"
      "'syscalls':[{'names':['read','write','exit_group'],'action':'SCMP_ACT_ALLOW'},"
      "{'names':['socket'],'action':'SCMP_ACT_ERRNO','errnoRet':1,'args':[{'index':0,'value':40,'op':'SCMP_"
      "CMP_EQ'}]},"
      "{'names':['socket'],'action':'SCMP_ACT_ERRNO','errnoRet':22,'args':[{'index':0,'value':16,'op':'SCMP_"
      "CMP_EQ'},"
      "{'index':2,'value':9,'op':'SCMP_CMP_EQ'}]},"
      "{'names':['socket'],'action':'SCMP_ACT_ALLOW','args':[{'index':0,'value':16,'op':'SCMP_CMP_EQ'},"
      "{'index':2,'value':9,'op':'SCMP_CMP_NE'}]},"
      "{'names':['socket'],'action':'SCMP_ACT_ALLOW','args':[{'index':0,'value':16,'op':'SCMP_CMP_NE'}]}]}");
  static const char *const profiles[] = { "baseline", "restricted" };
  for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
    CLEANUP_SECCOMP_PLAN struct seccomp_plan each = { 0 };
    use_profile(profiles[i]);
    plan(&each, section, RUNTIME_RUNC, NULL);
    cr_expect_eq(judge(&each, "socket", 1), SECCOMP_RET_ALLOW, "%s: unix", profiles[i]);
    cr_expect_eq(judge(&each, "socket", 2), SECCOMP_RET_ALLOW, "%s: inet", profiles[i]);
    cr_expect_eq(judge(&each, "socket", 10), SECCOMP_RET_ALLOW, "%s: inet6", profiles[i]);
    cr_expect_eq(judge(&each, "socket", 16), SECCOMP_RET_ALLOW, "%s: netlink route", profiles[i]);
    cr_expect_neq(judge(&each, "socket", 40), SECCOMP_RET_ALLOW, "%s: vsock", profiles[i]);
  }
}

Test(seccomp_plan, speculation_only_where_asked_for_by_name_and_taken) {
  json_auto_t *section =
      section_of("{'defaultAction':'SCMP_ACT_ERRNO','flags':['SECCOMP_FILTER_FLAG_SPEC_ALLOW'],"
                 "'syscalls':[{'names':['read'],'action':'SCMP_ACT_ALLOW'}]}");
  json_auto_t *silent = section_of(
      "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['read'],'action':'SCMP_ACT_ALLOW'}]}");
  for (int i = 0; i < 3; i++) {
    CLEANUP_SECCOMP_PLAN struct seccomp_plan p = { 0 };
    plan(&p, i == 2 ? silent : section, i ? RUNTIME_CRUN : RUNTIME_RUNC, NULL);
    cr_assert_eq(json_array_size(json_object_get(p.merged, "flags")), i == 1);
  }
}

Test(seccomp_plan, a_listener_needs_the_runtime) {
  CLEANUP_SECCOMP_PLAN struct seccomp_plan p = { 0 };
  CLEANUP_SECCOMP_PLAN struct seccomp_plan stripped = { 0 };
  json_auto_t *section = section_of(
      "{'defaultAction':'SCMP_ACT_ERRNO','listenerPath':'/run/x.sock','syscalls':[{'names':['read'],"
      "'action':'SCMP_ACT_ALLOW'},{'names':['mkdir'],'action':'SCMP_ACT_NOTIFY'}]}");
  policy.seccomp.listener = true;
  plan(&p, section, RUNTIME_CRUN, NULL);
  cr_assert_not_null(json_object_get(p.merged, "listenerPath"));
  cr_assert_null(p.program);
  policy.seccomp.listener = false;
  plan(&stripped, section, RUNTIME_CRUN, NULL);
  cr_assert_null(json_object_get(stripped.merged, "listenerPath"));
  cr_assert_eq(judge(&stripped, "mkdir", 0) & SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ERRNO);
}

Test(seccomp_plan, cached_plans_are_the_same_and_inputs_tell_them_apart) {
  CLEANUP_FREE char *dir = xasprintf("%s/cache", top);
  const struct seccomp_cache cache = { dir };
  json_auto_t *docker = section_of_fixture("tests/fixtures/docker/default.json");
  json_auto_t *podman = section_of_fixture("tests/fixtures/podman/default.json");
  use_profile("restricted");
  CLEANUP_SECCOMP_PLAN struct seccomp_plan first = { 0 }, second = { 0 };
  plan(&first, docker, RUNTIME_RUNC, &cache);
  plan(&second, docker, RUNTIME_RUNC, &cache);
  cr_assert_not(first.cached);
  cr_assert(second.cached);
  cr_assert(json_equal(first.merged, second.merged));
  cr_assert_null(second.program, "runc takes none");
  CLEANUP_SECCOMP_PLAN struct seccomp_plan third = { 0 }, fourth = { 0 };
  plan(&third, docker, RUNTIME_CRUN, &cache);
  plan(&fourth, docker, RUNTIME_CRUN, &cache);
  cr_assert_not(third.cached);
  cr_assert(fourth.cached);
  cr_assert_eq(third.program_len, fourth.program_len);
  cr_assert_arr_eq(third.program, fourth.program, third.program_len * sizeof *third.program);
  for (int i = 0; i < 6; i++) {
    CLEANUP_SECCOMP_PLAN struct seccomp_plan p = { 0 };
    use_profile(i == 1 ? "strict" : "restricted");
    policy.seccomp.native_only = i != 2;
    policy.seccomp.listener = i == 3;
    plan(&p, i == 0 ? podman : i == 5 ? NULL : docker, RUNTIME_RUNC, &cache);
    cr_assert_eq(p.cached, i == 4, "%d", i);
  }
}

/* A profile's text is part of the key, not its name alone. */
Test(seccomp_plan, an_edited_profile_file_is_seen) {
  CLEANUP_FREE char *dir = xasprintf("%s/cache", top);
  CLEANUP_FREE char *path = xasprintf("%s/profile.json", top);
  const struct seccomp_cache cache = { dir };
  for (int i = 0; i < 2; i++) {
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    fprintf(f,
            "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"groups\":[{\"name\":\"g\",\"reason\":\"r\",\"action\":"
            "\"SCMP_ACT_ALLOW\",\"names\":[\"%s\"]}]}",
            i ? "getppid" : "getpid");
    fclose(f);
    cr_assert_eq(chmod(path, 0600), 0);
    use_profile(path);
    CLEANUP_SECCOMP_PLAN struct seccomp_plan p = { 0 };
    plan(&p, NULL, RUNTIME_RUNC, &cache);
    cr_assert_not(p.cached);
    cr_assert_eq(judge(&p, i ? "getppid" : "getpid", 0), SECCOMP_RET_ALLOW);
    cr_assert_neq(judge(&p, i ? "getpid" : "getppid", 0), SECCOMP_RET_ALLOW);
  }
  cr_assert_eq(chmod(path, 0666), 0);
  cr_assert_eq(refusal(NULL).code, ERROR_POLICY);
  use_profile("no-such-profile");
  cr_assert_eq(refusal(NULL).code, ERROR_POLICY);
}

Test(seccomp_plan, base64_is_the_programs_bytes) {
  struct sock_filter filter[2] = { { 0x1122, 0x33, 0x44, 0x55667788 }, { 0, 0, 0, 0xff } };
  struct seccomp_plan p = { .program = filter, .program_len = 1 };
  CLEANUP_FREE char *one = seccomp_plan_base64(&p);
  p.program_len = 2;
  CLEANUP_FREE char *two = seccomp_plan_base64(&p);
  if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
    cr_assert_str_eq(one, "IhEzRIh3ZlU=");
    cr_assert_str_eq(two, "IhEzRIh3ZlUAAAAA/wAAAA==");
  }
  p.program = NULL;
  CLEANUP_FREE char *none = seccomp_plan_base64(&p);
  cr_assert_str_eq(none, "");
}

static struct error parse_error(const char *text) {
  struct error err = { 0 };
  json_t *section = NULL;
  const struct jsonx_source src = { "p.json", text, strlen(text) };
  cr_assert_eq(seccomp_profile_file_parse(&src, &section, &err), -1, "%s", text);
  cr_assert_null(section);
  cr_assert_eq(err.code, ERROR_POLICY);
  return err;
}

Test(seccomp_plan, profile_files_are_strict) {
#define GROUP(more) "{\"name\":\"g\",\"reason\":\"r\",\"action\":\"SCMP_ACT_ALLOW\"," more "}"
#define PROFILE(groups) "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"groups\":[" groups "]}"
  static const struct {
    const char *text, *says;
  } cases[] = {
    { "[]", "object" },
    { "{}", "defaultAction" },
    { "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"groups\":[],\"typo\":1}", "typo" },
    { "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":0,\"groups\":[]}", "defaultErrnoRet" },
    { PROFILE("1"), "/groups/0" },
    { PROFILE("{\"name\":\"g\",\"action\":\"SCMP_ACT_ALLOW\",\"names\":[\"read\"]}"), "reason" },
    { PROFILE(GROUP("\"names\":[]")), "names" },
    { PROFILE(GROUP("\"names\":[\"read\",\"no_such_call\"]")), "no_such_call" },
    { PROFILE(GROUP("\"names\":[\"read\"]") "," GROUP("\"names\":[\"write\",\"read\"]")),
      "/groups/1/names/1" },
    { PROFILE(GROUP("\"names\":[\"read\"],\"args\":{}")), "args" },
    { PROFILE(GROUP("\"names\":[\"read\"],\"when\":1")), "when" },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct error err = parse_error(cases[i].text);
    cr_assert(strstr(err.message, cases[i].says) && str_starts(err.message, "p.json:1:"), "%s", err.message);
  }
}
