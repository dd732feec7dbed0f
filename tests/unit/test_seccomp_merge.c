/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/merge.h"

#include "seccomp_oracle.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <glob.h>
#include <stdarg.h>

#define POINTER "/linux/seccomp"
#define ALLOWLIST                                                                                            \
  "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1,\"architectures\":[\"SCMP_ARCH_X86_64\","      \
  "\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\",\"SCMP_ARCH_AARCH64\",\"SCMP_ARCH_ARM\"]"
#define DENYLIST "\"defaultAction\":\"SCMP_ACT_ALLOW\""

static json_t *parse(const char *text) {
  struct jsonx_source src = { "test", text, strlen(text) };
  struct error err = { 0 };
  json_t *value = NULL;
  cr_assert(jsonx_parse(&src, JSONX_LIMIT_DEFAULT, &value, &err) == 0, "%s: %s", err.message, text);
  return value;
}

static void decode_json(const json_t *section, struct seccomp_profile *ret) {
  struct error err = { 0 };
  cr_assert(seccomp_profile_decode(section, NULL, POINTER, SECCOMP_ACCEPT_PERMISSIVE, ret, &err) == 0, "%s",
            err.message);
}

static void decode(const char *text, struct seccomp_profile *ret) {
  json_t *value = parse(text);
  decode_json(value, ret);
  json_decref(value);
}

static const struct seccomp_merge_options everything = { .runtime = RUNTIME_CRUN, .engine_listener = true };

/* The first rule of a call: "SCMP_ACT_ALLOW", "default", ... */
static uint32_t plain(const struct seccomp_profile *profile, const char *name) {
  const struct seccomp_call *call = seccomp_profile_find(profile, name);
  cr_assert(call != NULL, "%s is not in the result", name);
  cr_assert(call->len <= 1 && (call->len == 0 || call->rules[0].len == 0), "%s has conditions", name);
  return call->len ? call->rules[0].action : profile->default_action;
}

static void merge_texts(const char *a, const char *b, const struct seccomp_merge_options *options,
                        struct seccomp_profile *ret, struct seccomp_merge_report *report) {
  struct seccomp_profile x CLEANUP_SECCOMP_PROFILE = { 0 }, y CLEANUP_SECCOMP_PROFILE = { 0 };
  decode(a, &x);
  decode(b, &y);
  seccomp_profile_merge(&x, &y, options, ret, report);
  struct oracle o = { .a = &x, .b = &y, .random = 88172645463325252u };
  cr_expect(oracle_merge(&o, options, 2000), "%s", o.fault);
}

static uint64_t args_of(const struct seccomp_profile *p, const char *name, uint64_t first, uint64_t third) {
  const uint64_t args[SECCOMP_ARGS] = { first, 0, third };
  return seccomp_profile_eval_name(p, seccomp_abi_native(), name, args);
}

Test(seccomp_merge, the_stricter_action_and_all_names) {
  struct seccomp_profile m CLEANUP_SECCOMP_PROFILE = { 0 };
  merge_texts("{" ALLOWLIST ",\"syscalls\":[{\"names\":[\"read\",\"write\",\"kill\",\"epoll_pwait2\"],"
              "\"action\":\"SCMP_ACT_ALLOW\"},"
              "{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_KILL\"},{\"names\":[\"acct\"],\"action\":\"SCMP_"
              "ACT_ERRNO\"}]}",
              "{" ALLOWLIST
              ",\"syscalls\":[{\"names\":[\"read\",\"mount\",\"brand_new\"],\"action\":\"SCMP_ACT_ALLOW\"},"
              "{\"names\":[\"write\"],\"action\":\"SCMP_ACT_LOG\"},{\"names\":[\"kill\"],\"action\":\"SCMP_"
              "ACT_TRAP\"}]}",
              &everything, &m, NULL);
  cr_expect_eq(plain(&m, "read"), SECCOMP_RET_ALLOW);
  cr_expect_eq(plain(&m, "write"), SECCOMP_RET_LOG);
  cr_expect_eq(plain(&m, "kill"), SECCOMP_RET_TRAP);
  cr_expect_eq(plain(&m, "mount"), SECCOMP_RET_KILL_THREAD);
  cr_expect_eq(plain(&m, "epoll_pwait2"), SECCOMP_RET_ERRNO | EPERM, "kept: the border of runc's stub");
  cr_expect_eq(plain(&m, "acct"), SECCOMP_RET_ERRNO | EPERM);
  cr_expect_eq(plain(&m, "brand_new"), SECCOMP_RET_ERRNO | EPERM);
  cr_expect_eq(m.calls_len, 7);
}

Test(seccomp_merge, names_that_repeat_a_default_of_enosys_are_left_out) {
  struct seccomp_profile m CLEANUP_SECCOMP_PROFILE = { 0 };
  struct seccomp_merge_report report CLEANUP_SECCOMP_MERGE_REPORT = { 0 };
  merge_texts(
      "{" ALLOWLIST
      ",\"syscalls\":[{\"names\":[\"read\",\"clone3\",\"epoll_pwait2\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
      "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"syscalls\":[{\"names\":[\"read\"],"
      "\"action\":\"SCMP_ACT_ALLOW\"},{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\"},"
      "{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}]}",
      &everything, &m, &report);
  cr_expect_eq(m.default_action, SECCOMP_RET_ERRNO | ENOSYS);
  cr_expect_eq(plain(&m, "read"), SECCOMP_RET_ALLOW);
  cr_expect_eq(plain(&m, "mount"), SECCOMP_RET_ERRNO | EPERM);
  cr_expect_null(seccomp_profile_find(&m, "clone3"));
  cr_expect_null(seccomp_profile_find(&m, "epoll_pwait2"));
  cr_expect_eq(report.exact, 4, "they were decided all the same");
}

Test(seccomp_merge, where_nothing_is_left_a_section_still_names_a_call) {
  static const char *policy = "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"syscalls\":["
                              "{\"names\":[\"write\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";
  struct seccomp_profile m CLEANUP_SECCOMP_PROFILE = { 0 };
  merge_texts("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"syscalls\":["
              "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
              policy, &everything, &m, NULL);
  cr_expect_eq(m.calls_len, 1);
  cr_expect_eq(m.default_action, SECCOMP_RET_ERRNO | ENOSYS);
  cr_expect_eq(plain(&m, "write"), SECCOMP_RET_ERRNO | ENOSYS);
}

Test(seccomp_merge, errno_that_a_rule_names_wins_then_the_policys) {
  struct seccomp_profile m CLEANUP_SECCOMP_PROFILE = { 0 };
  merge_texts(
      "{" ALLOWLIST
      ",\"syscalls\":[{\"names\":[\"clone3\",\"bpf\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}]}",
      "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":13,\"syscalls\":[{\"names\":[\"read\"],"
      "\"action\":\"SCMP_ACT_ALLOW\"},"
      "{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":22}]}",
      &everything, &m, NULL);
  cr_expect_eq(m.default_action, SECCOMP_RET_ERRNO | EACCES);
  cr_expect_eq(plain(&m, "clone3"), SECCOMP_RET_ERRNO | ENOSYS);
  cr_expect_eq(plain(&m, "bpf"), SECCOMP_RET_ERRNO | EINVAL);
  cr_expect_eq(plain(&m, "read"), SECCOMP_RET_ERRNO | EACCES);
}

Test(seccomp_merge, deny_list_under_an_allow_list_and_two_deny_lists) {
  static const char *deny =
      "{" DENYLIST ",\"syscalls\":[{\"names\":[\"mount\",\"read\"],\"action\":\"SCMP_ACT_ERRNO\"},"
      "{\"names\":[\"ioctl\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":1,\"value\":4294967295,"
      "\"valueTwo\":21522,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}";
  struct seccomp_profile m CLEANUP_SECCOMP_PROFILE = { 0 }, d CLEANUP_SECCOMP_PROFILE = { 0 };
  struct seccomp_merge_report report CLEANUP_SECCOMP_MERGE_REPORT = { 0 };
  merge_texts(deny,
              "{" ALLOWLIST
              ",\"syscalls\":[{\"names\":[\"read\",\"write\",\"close\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
              &everything, &m, &report);
  cr_expect_eq(plain(&m, "read"), SECCOMP_RET_ERRNO | EPERM);
  cr_expect_eq(plain(&m, "write"), SECCOMP_RET_ALLOW);
  cr_expect_eq(m.default_action, SECCOMP_RET_ERRNO | EPERM);
  cr_expect_eq(report.stricter.len, 0);
  merge_texts(deny,
              "{" DENYLIST ",\"syscalls\":[{\"names\":[\"kill\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"}]}",
              &everything, &d, NULL);
  cr_expect(seccomp_action_permissive(d.default_action));
  cr_expect_eq(plain(&d, "kill"), SECCOMP_RET_KILL_PROCESS);
  const uint64_t tiocsti[SECCOMP_ARGS] = { 0, UINT64_C(0x100005412) };
  cr_expect_eq(seccomp_profile_eval_name(&d, seccomp_abi_native(), "ioctl", tiocsti),
               SECCOMP_RET_ERRNO | EPERM);
}

/* podman's rules for socket when CAP_AUDIT_WRITE is dropped. */
Test(seccomp_merge, two_arguments_survive_an_unconditional_allow) {
  struct seccomp_profile m CLEANUP_SECCOMP_PROFILE = { 0 };
  struct seccomp_merge_report report CLEANUP_SECCOMP_MERGE_REPORT = { 0 };
  merge_texts("{" ALLOWLIST ",\"syscalls\":["
              "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":22,\"args\":[{\"index\":0,"
              "\"value\":16,\"op\":\"SCMP_CMP_EQ\"},{\"index\":2,\"value\":9,\"op\":\"SCMP_CMP_EQ\"}]},"
              "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":2,\"value\":9,"
              "\"op\":\"SCMP_CMP_NE\"}]},"
              "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":16,"
              "\"op\":\"SCMP_CMP_NE\"}]},"
              "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":2,\"value\":9,"
              "\"op\":\"SCMP_CMP_NE\"}]}]}",
              "{" ALLOWLIST ",\"syscalls\":[{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
              &(struct seccomp_merge_options){ .native_only = true }, &m, &report);
  cr_expect_eq(report.stricter.len, 0);
  cr_expect_eq(seccomp_profile_find(&m, "socket")->len, 2);
  cr_expect_eq(args_of(&m, "socket", 16, 9), SECCOMP_RET_ERRNO | EPERM);
  cr_expect_eq(args_of(&m, "socket", 16, 0), SECCOMP_RET_ALLOW);
  cr_expect_eq(args_of(&m, "socket", 2, 9), SECCOMP_RET_ALLOW);
}

/* podman's, without CAP_AUDIT_WRITE: no exact form with the families of a policy is short enough. */
Test(seccomp_merge, not_one_protocol_leaves_the_others) {
  struct seccomp_profile m CLEANUP_SECCOMP_PROFILE = { 0 };
  struct seccomp_merge_report report;
  merge_texts(
      "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"architectures\":[\"SCMP_ARCH_X86_64\","
      "\"SCMP_ARCH_X86\",\"SCMP_ARCH_AARCH64\",\"SCMP_ARCH_ARM\"],\"syscalls\":["
      "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":22,\"args\":["
      "{\"index\":0,\"value\":16,\"op\":\"SCMP_CMP_EQ\"},{\"index\":2,\"value\":9,\"op\":\"SCMP_CMP_EQ\"}]},"
      "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":2,\"value\":9,\"op\":"
      "\"SCMP_CMP_NE\"}]},"
      "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":16,\"op\":"
      "\"SCMP_CMP_NE\"}]},"
      "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":2,\"value\":9,\"op\":"
      "\"SCMP_CMP_NE\"}]}]}",
      "{" ALLOWLIST ",\"syscalls\":["
      "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"op\":\"SCMP_CMP_MASKED_"
      "EQ\",\"value\":4294967295,\"valueTwo\":2}]},"
      "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"op\":\"SCMP_CMP_MASKED_"
      "EQ\",\"value\":4294967295,\"valueTwo\":16}]}]}",
      &everything, &m, &report);
  cr_expect_eq(args_of(&m, "socket", 2, 0), SECCOMP_RET_ALLOW);
  cr_expect_eq(args_of(&m, "socket", 2, 9), SECCOMP_RET_ALLOW);
  for (uint64_t protocol = 0; protocol < 300; protocol++)
    cr_expect_eq(args_of(&m, "socket", 16, protocol) == SECCOMP_RET_ALLOW, protocol != 9, "%d",
                 (int)protocol);
  cr_expect_eq(args_of(&m, "socket", 16, UINT16_MAX), SECCOMP_RET_ALLOW);
  cr_expect_neq(args_of(&m, "socket", 38, 0), SECCOMP_RET_ALLOW);
  cr_expect(strlist_has(&report.stricter, "socket"));
  seccomp_merge_report_free(&report);
}

Test(seccomp_merge, too_many_cells_become_one_action) {
  struct seccomp_profile m CLEANUP_SECCOMP_PROFILE = { 0 };
  struct seccomp_merge_report report CLEANUP_SECCOMP_MERGE_REPORT = { 0 };
  merge_texts(
      "{" ALLOWLIST
      ",\"syscalls\":[{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":"
      "77777,\"op\":\"SCMP_CMP_NE\"},{\"index\":1,\"value\":99999,\"op\":\"SCMP_CMP_NE\"}]},"
      "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":2,\"value\":77777,\"op\":"
      "\"SCMP_CMP_NE\"},{\"index\":1,\"value\":99999,\"op\":\"SCMP_CMP_NE\"}]}]}",
      "{" ALLOWLIST ",\"syscalls\":[{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\"}]}", &everything,
      &m, &report);
  cr_expect_eq(plain(&m, "socket"), SECCOMP_RET_ERRNO | EPERM);
  cr_expect(strlist_has(&report.stricter, "socket"));
}

Test(seccomp_merge, coarse_names_lose_their_conditions) {
  static const char *profile =
      "{" ALLOWLIST ",\"syscalls\":[{\"names\":[\"personality\",\"ioctl\"],\"action\":\"SCMP_ACT_ALLOW\","
      "\"args\":[{\"index\":0,\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]}]}";
  struct seccomp_profile m CLEANUP_SECCOMP_PROFILE = { 0 }, all CLEANUP_SECCOMP_PROFILE = { 0 };
  struct strlist names CLEANUP_STRLIST = { 0 }, star CLEANUP_STRLIST = { 0 };
  strlist_add(&names, "ioctl");
  strlist_add(&star, "*");
  merge_texts(profile, profile, &(struct seccomp_merge_options){ .native_only = true, .coarse = &names }, &m,
              NULL);
  cr_expect_eq(plain(&m, "ioctl"), SECCOMP_RET_ERRNO | EPERM);
  cr_expect_eq(seccomp_profile_find(&m, "personality")->rules[0].len, 1);
  merge_texts(profile, profile, &(struct seccomp_merge_options){ .native_only = true, .coarse = &star }, &all,
              NULL);
  cr_expect_eq(plain(&all, "personality"), SECCOMP_RET_ERRNO | EPERM);
}

#if defined(__x86_64__)
Test(seccomp_merge, truncation_under_a_32_bit_abi) {
  static const char *wide =
      "{" ALLOWLIST ",\"syscalls\":[{\"names\":[\"ioctl\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{"
      "\"index\":1,\"value\":4294967297,\"op\":\"SCMP_CMP_EQ\"}]}]}";
  struct seccomp_profile both CLEANUP_SECCOMP_PROFILE = { 0 }, native CLEANUP_SECCOMP_PROFILE = { 0 };
  merge_texts(wide, wide, &everything, &both, NULL);
  cr_expect_eq(plain(&both, "ioctl"), SECCOMP_RET_ERRNO | EPERM);
  merge_texts(wide, wide, &(struct seccomp_merge_options){ .native_only = true }, &native, NULL);
  cr_expect_eq(seccomp_profile_find(&native, "ioctl")->rules[0].len, 1);
}

Test(seccomp_merge, architectures) {
  static const char *three =
      "{" ALLOWLIST ",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";
  static const char *none = "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],"
                            "\"action\":\"SCMP_ACT_ALLOW\"}]}";
  struct seccomp_profile m CLEANUP_SECCOMP_PROFILE = { 0 }, n CLEANUP_SECCOMP_PROFILE = { 0 },
                           o CLEANUP_SECCOMP_PROFILE = { 0 };
  merge_texts(three, three, &everything, &m, NULL);
  cr_expect_eq(m.abis_len, 2, "x86-64 and x86; no x32, nothing foreign");
  cr_expect_str_eq(m.abis[0]->oci, "SCMP_ARCH_X86_64");
  cr_expect_str_eq(m.abis[1]->oci, "SCMP_ARCH_X86");
  merge_texts(three, three, &(struct seccomp_merge_options){ .native_only = true }, &n, NULL);
  cr_expect_eq(n.abis_len, 1);
  merge_texts(three, none, &everything, &o, NULL);
  cr_expect_eq(o.abis_len, 1, "the other side runs no 32-bit call");
}

/* With socket filtered by its arguments, x86's socketcall would open what they close. */
Test(seccomp_merge, multiplexers_are_as_strict_as_their_family) {
  static const char *moby =
      "{" ALLOWLIST
      ",\"syscalls\":[{\"names\":[\"socketcall\",\"ipc\",\"bind\",\"semop\"],\"action\":\"SCMP_ACT_ALLOW\"},"
      "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":40,\"op\":"
      "\"SCMP_CMP_NE\"}]}]}";
  struct seccomp_profile m CLEANUP_SECCOMP_PROFILE = { 0 }, n CLEANUP_SECCOMP_PROFILE = { 0 };
  merge_texts(moby, moby, &everything, &m, NULL);
  cr_expect_eq(plain(&m, "socketcall"), SECCOMP_RET_ERRNO | ENOSYS,
               "not the default, which would be dropped");
  cr_expect_eq(plain(&m, "ipc"), SECCOMP_RET_ERRNO | ENOSYS);
  merge_texts(moby, moby, &(struct seccomp_merge_options){ .native_only = true }, &n, NULL);
  cr_expect_eq(plain(&n, "socketcall"), SECCOMP_RET_ALLOW, "no such call under x86-64: left as it was");
}
#endif

#define NOTIFY(path)                                                                                         \
  "{" ALLOWLIST path ",\"syscalls\":[{\"names\":[\"mount\",\"write\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}"
#define OPEN(path)                                                                                           \
  "{" ALLOWLIST path ",\"syscalls\":[{\"names\":[\"mount\",\"write\"],\"action\":\"SCMP_ACT_ALLOW\"}]}"
#define PATH(path) ",\"listenerPath\":\"" path "\",\"listenerMetadata\":\"" path "\""

Test(seccomp_merge, one_listener_and_only_of_who_may_have_one) {
  static const struct {
    const char *engine, *policy;
    bool engine_listener;
    enum runtime_kind runtime;
    const char *path;
    uint32_t mount, write;
  } cases[] = {
    { NOTIFY(PATH("/e")), OPEN(""), false, RUNTIME_CRUN, NULL, SECCOMP_RET_ERRNO, SECCOMP_RET_ERRNO },
    { NOTIFY(PATH("/e")), OPEN(""), true, RUNTIME_CRUN, "/e", SECCOMP_RET_USER_NOTIF,
      SECCOMP_RET_USER_NOTIF },
    { NOTIFY(PATH("/e")), OPEN(""), true, RUNTIME_RUNC, "/e", SECCOMP_RET_USER_NOTIF, SECCOMP_RET_ERRNO },
    { NOTIFY(""), OPEN(""), true, RUNTIME_CRUN, NULL, SECCOMP_RET_ERRNO, SECCOMP_RET_ERRNO },
    { OPEN(""), NOTIFY(PATH("/p")), false, RUNTIME_CRUN, "/p", SECCOMP_RET_USER_NOTIF,
      SECCOMP_RET_USER_NOTIF },
    { NOTIFY(PATH("/p")), NOTIFY(PATH("/p")), false, RUNTIME_CRUN, "/p", SECCOMP_RET_USER_NOTIF,
      SECCOMP_RET_USER_NOTIF },
    { NOTIFY(PATH("/e")), NOTIFY(PATH("/p")), true, RUNTIME_CRUN, NULL, SECCOMP_RET_ERRNO,
      SECCOMP_RET_ERRNO },
    { OPEN(""), OPEN(PATH("/p")), true, RUNTIME_CRUN, NULL, SECCOMP_RET_ALLOW, SECCOMP_RET_ALLOW },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct seccomp_profile m CLEANUP_SECCOMP_PROFILE = { 0 };
    struct seccomp_merge_options options = { .engine_listener = cases[i].engine_listener,
                                             .runtime = cases[i].runtime };
    merge_texts(cases[i].engine, cases[i].policy, &options, &m, NULL);
    cr_expect_eq(plain(&m, "mount") & SECCOMP_RET_ACTION_FULL, cases[i].mount, "case %zu", i);
    cr_expect_eq(plain(&m, "write") & SECCOMP_RET_ACTION_FULL, cases[i].write, "case %zu", i);
    cr_assert_eq(m.listener_path == NULL, cases[i].path == NULL, "case %zu", i);
    if (cases[i].path) {
      cr_expect_str_eq(m.listener_path, cases[i].path);
      cr_expect_str_eq(m.listener_metadata, cases[i].path);
    }
  }
}

Test(seccomp_merge, flags) {
#define FLAGGED(flags)                                                                                       \
  "{" ALLOWLIST flags ",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}"
  static const char *all =
      FLAGGED(",\"flags\":[\"SECCOMP_FILTER_FLAG_TSYNC\",\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_"
              "SPEC_ALLOW\",\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"]");
  struct seccomp_profile m CLEANUP_SECCOMP_PROFILE = { 0 }, n CLEANUP_SECCOMP_PROFILE = { 0 };
  merge_texts(all, FLAGGED(""), &everything, &m, NULL);
  cr_expect_eq(m.flags, SECCOMP_PROFILE_LOG);
  merge_texts(all, all, &everything, &n, NULL);
  cr_expect_eq(n.flags, SECCOMP_PROFILE_LOG | SECCOMP_PROFILE_SPEC_ALLOW);
}

/* The profiles in the configs that real engines wrote, each once. */
struct profiles {
  struct seccomp_profile items[64];
  size_t len;
};

static void profiles_free(struct profiles *p) {
  for (size_t i = 0; i < p->len; i++)
    seccomp_profile_free(&p->items[i]);
}

static void profiles_add(struct profiles *p, const json_t *section) {
  cr_assert(p->len < ARRAY_SIZE(p->items));
  decode_json(section, &p->items[p->len]);
  for (size_t i = 0; i < p->len; i++)
    if (oracle_same_text(&p->items[i], &p->items[p->len])) {
      seccomp_profile_free(&p->items[p->len]);
      return;
    }
  p->len++;
}

static void profiles_load(struct profiles *p) {
  glob_t files;
  cr_assert(glob("tests/fixtures/*/*.json", 0, NULL, &files) == 0);
  for (size_t i = 0; i < files.gl_pathc; i++) {
    json_t *root = json_load_file(files.gl_pathv[i], 0, NULL);
    json_t *section = json_object_get(json_object_get(root, "linux"), "seccomp");
    if (section)
      profiles_add(p, section);
    json_decref(root);
  }
  globfree(&files);
  cr_assert(p->len >= 8, "the fixtures hold %zu profiles", p->len);
}

Test(seccomp_merge, real_profiles_in_all_orders) {
  struct profiles p CLEANUP(profiles_free) = { 0 };
  profiles_load(&p);
  json_t *deny = parse("{" DENYLIST ",\"syscalls\":[{\"names\":[\"mount\",\"bpf\",\"clone3\"],\"action\":"
                       "\"SCMP_ACT_ERRNO\",\"errnoRet\":38},"
                       "{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,"
                       "\"value\":268435456,\"valueTwo\":268435456,\"op\":\"SCMP_CMP_MASKED_EQ\"}]},"
                       "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,"
                       "\"value\":4294967295,\"valueTwo\":40,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}");
  profiles_add(&p, deny);
  json_decref(deny);
  size_t points = 0, equal = 0;
  for (size_t i = 0; i < p.len; i++)
    for (size_t j = 0; j < p.len; j++) {
      struct oracle o = { .a = &p.items[i], .b = &p.items[j], .random = 0x9e3779b97f4a7c15u + i * 64 + j };
      struct seccomp_merge_options options = { .native_only = j % 2 == 0 };
      cr_assert(oracle_merge(&o, &options, 100000), "profiles %zu and %zu: %s", i, j, o.fault);
      points += o.points;
      equal += o.equal;
    }
  cr_log_info("%zu profiles, %zu points, %zu equal, the rest stricter", p.len, points, equal);
}

/* Profiles as no engine writes them. */
static uint64_t random_constant(struct oracle *o) {
  static const uint64_t base[] = { 0, 1, 2, 9, 16, 40, 0x7e020000, INT32_MAX, UINT32_MAX, UINT64_MAX };
  uint64_t r = oracle_random(o), value = base[r % ARRAY_SIZE(base)];
  switch (r >> 32 & 7) {
  case 0:
    return value - 1;
  case 1:
    return value + 1;
  case 2:
    return value ^ UINT64_C(1) << 32;
  case 3:
    return oracle_random(o);
  default:
    return value;
  }
}

static json_t *random_rule(struct oracle *o, const char *const *names, size_t names_len, size_t most_args) {
  static const char *const words[] = { "ALLOW", "ALLOW",        "ALLOW", "ERRNO", "ERRNO",
                                       "KILL",  "KILL_PROCESS", "TRAP",  "LOG",   "NOTIFY" };
  static const char *const ops[] = { "NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ", "EQ", "MASKED_EQ" };
  json_t *args = json_array();
  for (size_t n = oracle_random(o) % (most_args + 1); n > 0; n--) {
    char *op = xasprintf("SCMP_CMP_%s", ops[oracle_random(o) % ARRAY_SIZE(ops)]);
    json_array_append_new(args, json_pack("{s:i,s:o,s:o,s:s}", "index", (int)(oracle_random(o) % 3), "value",
                                          jsonx_u64_new(random_constant(o)), "valueTwo",
                                          jsonx_u64_new(random_constant(o)), "op", op));
    free(op);
  }
  char *action = xasprintf("SCMP_ACT_%s", words[oracle_random(o) % ARRAY_SIZE(words)]);
  json_t *rule = json_pack("{s:[s],s:s,s:i,s:o}", "names", names[oracle_random(o) % names_len], "action",
                           action, "errnoRet", (int)(oracle_random(o) % 40 + 1), "args", args);
  free(action);
  return rule;
}

static void random_profile(struct oracle *o, struct seccomp_profile *ret) {
  static const char *const names[] = { "socket", "personality", "socketcall", "semget",
                                       "ipc",    "write",       "clone" };
  static const char *const defaults[] = { "ERRNO",        "ERRNO", "ALLOW", "KILL",
                                          "KILL_PROCESS", "TRAP",  "LOG",   "NOTIFY" };
  json_t *rules = json_array();
  size_t most_args = oracle_random(o) % 4;
  for (size_t n = oracle_random(o) % 12 + 1; n > 0; n--)
    json_array_append_new(rules, random_rule(o, names, ARRAY_SIZE(names), most_args));
  json_t *abis = oracle_random(o) % 2 ? json_pack("[s,s]", "SCMP_ARCH_X86", "SCMP_ARCH_ARM") : json_array();
  char *action = xasprintf("SCMP_ACT_%s", defaults[oracle_random(o) % ARRAY_SIZE(defaults)]);
  json_t *section = json_pack("{s:s,s:i,s:o,s:o}", "defaultAction", action, "defaultErrnoRet",
                              (int)(oracle_random(o) % 2 ? 1 : 38), "architectures", abis, "syscalls", rules);
  if (oracle_random(o) % 4 == 0)
    json_object_set_new(section, "listenerPath", json_string("/run/listener"));
  free(action);
  decode_json(section, ret);
  json_decref(section);
}

Test(seccomp_merge, generated_profiles) {
  struct oracle dice = { .random = 0x2545f4914f6cdd1du };
  size_t points = 0, equal = 0;
  for (int i = 0; i < 1500; i++) {
    struct seccomp_profile a CLEANUP_SECCOMP_PROFILE = { 0 }, b CLEANUP_SECCOMP_PROFILE = { 0 };
    random_profile(&dice, &a);
    random_profile(&dice, &b);
    struct oracle o = { .a = &a, .b = &b, .random = oracle_random(&dice) | 1 };
    struct seccomp_merge_options options = { .native_only = i % 2 == 0,
                                             .runtime = i % 3 ? RUNTIME_RUNC : RUNTIME_CRUN,
                                             .engine_listener = i % 5 == 0 };
    cr_assert(oracle_merge(&o, &options, 600), "pair %d: %s", i, o.fault);
    points += o.points;
    equal += o.equal;
  }
  cr_expect(equal * 2 > points, "%zu of %zu points equal: too strict to be of use", equal, points);
  cr_log_info("%zu points, %zu equal, the rest stricter", points, equal);
}
