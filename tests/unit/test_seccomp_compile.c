/* SPDX-License-Identifier: Apache-2.0 */
#include "io/fileio.h"
#include "io/jsonx.h"
#include "seccomp/compile.h"
#include "seccomp/profile_file.h"
#include "seccomp/simulate.h"
#include "seccomp_helper.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void decode(const char *json, struct seccomp_profile *ret) {
  struct error err = { 0 };
  json_auto_t *section = NULL;
  const struct jsonx_source src = { "test", json, strlen(json) };
  cr_assert_eq(jsonx_parse(&src, JSONX_LIMIT_DEFAULT, &section, &err), 0, "%s", err.message);
  cr_assert_eq(seccomp_profile_decode(section, NULL, "", 0, ret, &err), 0, "%s", err.message);
}

static void fixture(const char *path, struct seccomp_profile *ret) {
  struct error err = { 0 };
  CLEANUP_FREE char *text = NULL;
  json_auto_t *root = NULL;
  struct jsonx_source src = { .name = path };
  cr_assert_eq(file_read(AT_FDCWD, path, RESOLVE_TRUSTED, JSONX_LIMIT_DEFAULT, &text, &src.len, NULL, &err),
               0);
  src.text = text;
  cr_assert_eq(jsonx_parse(&src, JSONX_LIMIT_DEFAULT, &root, &err), 0, "%s", err.message);
  const json_t *section = jsonx_at(root, "/linux/seccomp");
  cr_assert_eq(seccomp_profile_decode(section, NULL, "/linux/seccomp", 0, ret, &err), 0, "%s", err.message);
}

static uint32_t judge(const struct seccomp_program *p, const char *name, uint64_t a0) {
  const struct seccomp_abi *native = seccomp_abi_native();
  struct seccomp_data data = { .nr = seccomp_abi_number(native, name),
                               .arch = native->audit,
                               .args = { a0 } };
  return bpf_run(p->filter, p->len, &data);
}

static const char small[] =
    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"syscalls\":["
    "{\"names\":[\"getpid\",\"no_such_call\"],\"action\":\"SCMP_ACT_ALLOW\"},"
    "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":4294967295,"
    "\"valueTwo\":1,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}";

Test(seccomp_compile, gives_what_the_rules_say) {
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile profile = { 0 };
  struct error err = { 0 };
  decode(small, &profile);
  for (int tree = 0; tree < 2; tree++) {
    struct seccomp_compilation job = { .profile = &profile, .abis = &profile, .tree = tree };
    cr_assert_eq(seccomp_compile(&job, 1, &seccomp_compile_limits, &err), 0, "%s", err.message);
    cr_assert_eq(bpf_validate(job.program.filter, job.program.len, &err), 0);
    cr_assert_eq(judge(&job.program, "getpid", 0), SECCOMP_RET_ALLOW);
    cr_assert_eq(judge(&job.program, "getppid", 0), SECCOMP_RET_ERRNO | ENOSYS);
    cr_assert_eq(judge(&job.program, "socket", 1), SECCOMP_RET_ALLOW);
    cr_assert_eq(judge(&job.program, "socket", 40), SECCOMP_RET_ERRNO | ENOSYS);
    /* the kernel takes 32 bits of it, and so does the rule */
    cr_assert_eq(judge(&job.program, "socket", (UINT64_C(1) << 32) + 1), SECCOMP_RET_ALLOW);
    seccomp_program_free(&job.program);
  }
}

Test(seccomp_compile, leaves_out_architectures_that_the_result_has_not) {
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile docker = { 0 };
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile native = { 0 };
  struct error err = { 0 };
  fixture("tests/fixtures/docker/default.json", &docker);
  decode(small, &native);
  struct seccomp_compilation jobs[] = { { .profile = &docker, .abis = &docker },
                                        { .profile = &docker, .abis = &native },
                                        { .profile = &docker, .abis = &native, .tree = true } };
  cr_assert_eq(seccomp_compile(jobs, 3, &seccomp_compile_limits, &err), 0, "%s", err.message);
#ifdef __x86_64__
  cr_assert_gt(bpf_reachable(jobs[0].program.filter, jobs[0].program.len, AUDIT_ARCH_I386, 0, 600, NULL),
               300);
  for (int i = 1; i < 3; i++)
    cr_assert_eq(
        bpf_reach_numbers(jobs[i].program.filter, jobs[i].program.len, AUDIT_ARCH_I386, 0, UINT32_MAX),
        BPF_SET(SECCOMP_RET_KILL_THREAD));
#endif
  for (int i = 0; i < 3; i++) {
    cr_assert_eq(judge(&jobs[i].program, "personality", 8), SECCOMP_RET_ALLOW);
    cr_assert_eq(judge(&jobs[i].program, "personality", 9), SECCOMP_RET_ERRNO | EPERM);
    cr_assert_eq(judge(&jobs[i].program, "clone3", 9), SECCOMP_RET_ERRNO | ENOSYS);
    seccomp_program_free(&jobs[i].program);
  }
}

static long ms_since(const struct timespec *begin) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - begin->tv_sec) * 1000 + (now.tv_nsec - begin->tv_nsec) / 1000000;
}

/* Conditions that share nothing: the library's tree grows with every one, and it walks all of it for the
 * next. */
static void hard(struct seccomp_profile *ret) {
  CLEANUP_STR struct str text = { 0 };
  str_add(&text, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[");
  for (int i = 0; i < 400; i++) {
    str_addf(&text, "%s{\"names\":[\"ioctl\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[", i ? "," : "");
    for (int k = 0; k < 6; k++)
      str_addf(&text, "%s{\"index\":%d,\"value\":%d,\"valueTwo\":%d,\"op\":\"SCMP_CMP_MASKED_EQ\"}",
               k ? "," : "", k, (i * 7919 + k * 104729) % 65521 | 1, 1);
    str_add(&text, "]}");
  }
  str_add(&text, "]}");
  decode(text.data, ret);
}

Test(seccomp_compile, ends_at_its_time_limit_and_leaves_no_child, .timeout = 60) {
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile profile = { 0 };
  const struct seccomp_limits limits = { 20, 30000 };
  hard(&profile);
  struct timespec begin;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int i = 0; i < 5; i++) {
    struct error err = { 0 };
    struct seccomp_compilation jobs[3] = { { .profile = &profile, .abis = &profile },
                                           { .profile = &profile, .abis = &profile },
                                           { .profile = &profile, .abis = &profile } };
    signal(SIGPROF, i ? SIG_DFL : SIG_IGN); /* as an engine may hand it on */
    cr_assert_eq(seccomp_compile(jobs, 3, &limits, &err), -1);
    cr_assert_eq(err.code, ERROR_REFUSED, "%s", err.message);
    cr_assert(strstr(err.message, "does not compile this filter within 20 ms"), "%s", err.message);
    for (int k = 0; k < 3; k++)
      cr_assert_null(jobs[k].program.filter);
    cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1);
    cr_assert_eq(errno, ECHILD);
  }
  cr_assert_lt(ms_since(&begin), 30000);
}

/* A node that lets the compiler wait is not the filter's fault. */
Test(seccomp_compile, tells_a_busy_node_from_a_hard_filter, .timeout = 20) {
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile profile = { 0 };
  struct error err = { 0 };
  decode(small, &profile);
  struct seccomp_compilation job = { .profile = &profile, .abis = &profile };
  cr_assert_eq(seccomp_compile(&job, 1, &(struct seccomp_limits){ 3000, 0 }, &err), -1);
  cr_assert_eq(err.code, ERROR_SYSTEM);
  cr_assert(strstr(err.message, "processor time"), "%s", err.message);
  cr_assert_null(job.program.filter);
  cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1);
}

/* The same condition with two actions: the runtimes fail on it at create. */
Test(seccomp_compile, reports_what_the_library_refuses) {
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile profile = { 0 };
  struct error err = { 0 };
  decode("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
         "{\"names\":[\"getpid\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":1,\"op\":"
         "\"SCMP_CMP_EQ\"}]},"
         "{\"names\":[\"getpid\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[{\"index\":0,\"value\":1,\"op\":"
         "\"SCMP_CMP_EQ\"}]}]}",
         &profile);
  struct seccomp_compilation job = { .profile = &profile, .abis = &profile };
  cr_assert_eq(seccomp_compile(&job, 1, &seccomp_compile_limits, &err), -1);
  cr_assert_eq(err.code, ERROR_REFUSED);
  cr_assert(strstr(err.message, "libseccomp refuses this filter"), "%s", err.message);
}

/* As podman's without CAP_AUDIT_WRITE: both runtimes take it. */
Test(seccomp_compile, a_multiplexer_goes_before_what_it_stands_for) {
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile profile = { 0 };
  struct error err = { 0 };
  decode("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"architectures\":[\"SCMP_AR"
         "CH_X86_64\",\"SCMP_ARCH_X86\"],\"syscalls\":[{\"names\":[\"read\",\"write\",\"exit_group\",\"s"
         "ocketcall\"],\"action\":\"SCMP_ACT_ALLOW\"},{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ER"
         "RNO\",\"errnoRet\":22,\"args\":[{\"index\":0,\"value\":16,\"op\":\"SCMP_CMP_EQ\"},{\"index\":2,"
         "\"value\":9,\"op\":\"SCMP_CMP_EQ\"}]},{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"a"
         "rgs\":[{\"index\":2,\"value\":9,\"op\":\"SCMP_CMP_NE\"}]},{\"names\":[\"socket\"],\"action\":\"S"
         "CMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":16,\"op\":\"SCMP_CMP_NE\"}]}]}",
         &profile);
  struct seccomp_compilation job = { .profile = &profile, .abis = &profile };
  cr_assert_eq(seccomp_compile(&job, 1, &seccomp_compile_limits, &err), 0, "%s", err.message);
  seccomp_program_free(&job.program);
}

/* Engines may hand on an ignored SIGCHLD, under which children cannot be waited for. */
Test(seccomp_compile, works_with_sigchld_ignored) {
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile profile = { 0 };
  struct error err = { 0 };
  decode(small, &profile);
  struct seccomp_compilation job = { .profile = &profile, .abis = &profile };
  signal(SIGCHLD, SIG_IGN);
  cr_assert_eq(seccomp_compile(&job, 1, &seccomp_compile_limits, &err), 0, "%s", err.message);
  struct sigaction after;
  sigaction(SIGCHLD, NULL, &after);
  cr_assert_eq(after.sa_handler, SIG_IGN);
  seccomp_program_free(&job.program);
}

Test(seccomp_compile, stub_answers_above_the_border_only) {
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile profile = { 0 };
  struct error err = { 0 };
  decode("{\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\",\"syscalls\":[{\"names\":[\"getpid\",\"socket\"],"
         "\"action\":\"SCMP_ACT_ALLOW\"}]}",
         &profile);
  struct seccomp_compilation job = { .profile = &profile, .abis = &profile };
  cr_assert_eq(seccomp_compile(&job, 1, &seccomp_compile_limits, &err), 0, "%s", err.message);
  struct seccomp_program stubbed = { 0 };
  seccomp_program_add_stub(&job.program, &profile, &stubbed);
  cr_assert_eq(bpf_validate(stubbed.filter, stubbed.len, &err), 0, "%s", err.message);
  int64_t border = seccomp_profile_border(&profile, seccomp_abi_native());
  int pid = seccomp_abi_number(seccomp_abi_native(), "getpid");
  int sock = seccomp_abi_number(seccomp_abi_native(), "socket");
  cr_assert_eq(border, pid > sock ? pid : sock);
  for (int64_t nr = 0; nr < border + 20; nr++) {
    struct seccomp_data data = { .nr = (int)nr, .arch = seccomp_abi_native()->audit };
    uint32_t expected = nr > border               ? SECCOMP_RET_ERRNO | ENOSYS
                        : nr == pid || nr == sock ? SECCOMP_RET_ALLOW
                                                  : SECCOMP_RET_KILL_PROCESS;
    cr_assert_eq(bpf_run(stubbed.filter, stubbed.len, &data), expected, "%d", (int)nr);
  }
  struct seccomp_data foreign = { .nr = 10000, .arch = AUDIT_ARCH_S390X };
  cr_assert_eq(bpf_run(stubbed.filter, stubbed.len, &foreign), SECCOMP_RET_KILL_THREAD);
  seccomp_program_free(&stubbed);
  seccomp_program_free(&job.program);
}

static void compile_stubbed(const struct seccomp_profile *profile, struct seccomp_program *ret) {
  struct seccomp_program program = { 0 };
  compile_one(profile, false, &program);
  seccomp_program_add_stub(&program, profile, ret);
  seccomp_program_free(&program);
}

/* Names that only repeat a default of ENOSYS may go, for runc's stub and the filter answer alike. */
Test(seccomp_compile, names_that_repeat_the_default_of_enosys_say_nothing) {
  struct error err = { 0 };
  json_auto_t *section = NULL;
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile profile = { 0 };
  struct seccomp_program named = { 0 }, left_out = { 0 };
  cr_assert_eq(seccomp_profile_file_load("restricted", &section, &err), 0, "%s", err.message);
  cr_assert_eq(seccomp_profile_decode(section, NULL, "", 0, &profile, &err), 0, "%s", err.message);
  compile_stubbed(&profile, &named);
  const size_t names = profile.calls_len;
  seccomp_profile_drop_implied(&profile);
  cr_assert_lt(profile.calls_len, names);
  compile_stubbed(&profile, &left_out);
  for (int nr = -1; nr < 1024; nr++) {
    const struct seccomp_data data = { .nr = nr, .arch = seccomp_abi_native()->audit };
    cr_assert_eq(bpf_run(left_out.filter, left_out.len, &data), bpf_run(named.filter, named.len, &data), "%d",
                 nr);
  }
  seccomp_program_free(&named);
  seccomp_program_free(&left_out);
}

/* Of all values of S_IFMT, with permissions, only the two kinds of devices are denied among those that mknod
 * makes. */
static void expect_no_device_nodes(const struct seccomp_program *p) {
  static const struct {
    uint32_t mode;
    bool made;
  } types[] = { { 0, true },        { S_IFREG, true },  { S_IFIFO, true },
                { S_IFSOCK, true }, { S_IFCHR, false }, { S_IFBLK, false } };
  for (size_t i = 0; i < ARRAY_SIZE(types); i++)
    for (unsigned at = 1; at <= 2; at++) {
      const char *name = at == 1 ? "mknod" : "mknodat";
      struct seccomp_data data = { .nr = seccomp_abi_number(seccomp_abi_native(), name),
                                   .arch = seccomp_abi_native()->audit };
      data.args[at] = types[i].mode | 0666 | UINT64_C(1) << 32;
      if (data.nr >= 0)
        cr_expect_eq(bpf_run(p->filter, p->len, &data) == SECCOMP_RET_ALLOW, types[i].made, "%s %#o", name,
                     types[i].mode);
    }
}

static void expect_personalities(const struct seccomp_program *p, bool domains) {
  static const uint32_t harmless[] = { 8, 0x20000, 0x20008 };
  static const uint32_t denied[] = { 0x40000, 0x400000, 0x400008, 4, 0x20004, 0xfffffff7, 0x7fffffff };
  cr_expect_eq(judge(p, "personality", 0), SECCOMP_RET_ALLOW);
  cr_expect_eq(judge(p, "personality", 0xffffffff), SECCOMP_RET_ALLOW);
  for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
    cr_expect_eq(judge(p, "personality", harmless[i]) == SECCOMP_RET_ALLOW, domains, "%#x", harmless[i]);
  for (size_t i = 0; i < ARRAY_SIZE(denied); i++)
    cr_expect_neq(judge(p, "personality", denied[i]), SECCOMP_RET_ALLOW, "%#x", denied[i]);
}

/* What the shipped profiles promise, counted on the compiled programs for all arguments. */
Test(seccomp_compile, shipped_profiles_reach_no_more_than_promised) {
  static const struct {
    const char *name;
    size_t least, most;
  } promises[] = { { "baseline", 270, 300 }, { "restricted", 250, 280 }, { "strict", 200, 230 } };
  static const char *const never[] = { "clone3",         "unshare",     "setns",      "mount",
                                       "io_uring_setup", "bpf",         "keyctl",     "perf_event_open",
                                       "add_key",        "init_module", "userfaultfd" };
  static const char *const strict_never[] = { "ptrace", "process_vm_writev", "memfd_create", "execveat",
                                              "chroot" };
  for (size_t i = 0; i < ARRAY_SIZE(promises); i++) {
    struct error err = { 0 };
    json_auto_t *section = NULL;
    CLEANUP_SECCOMP_PROFILE struct seccomp_profile profile = { 0 };
    cr_assert_eq(seccomp_profile_file_load(promises[i].name, &section, &err), 0, "%s", err.message);
    cr_assert_eq(seccomp_profile_decode(section, NULL, "", 0, &profile, &err), 0, "%s", err.message);
    struct seccomp_compilation job = { .profile = &profile, .abis = &profile, .tree = true };
    cr_assert_eq(seccomp_compile(&job, 1, &seccomp_compile_limits, &err), 0, "%s", err.message);
    const struct seccomp_program *p = &job.program;
#ifdef __x86_64__
    unsigned audit = seccomp_abi_native()->audit;
    size_t reached = bpf_reachable(p->filter, p->len, audit, 0, 1024, NULL);
    cr_assert_geq(reached, promises[i].least, "%s: %zu", promises[i].name, reached);
    cr_assert_leq(reached, promises[i].most, "%s: %zu", promises[i].name, reached);
    cr_assert_eq(bpf_reachable(p->filter, p->len, audit, BPF_X32_BIT, 1024, NULL), 0);
    cr_assert_eq(bpf_reach_numbers(p->filter, p->len, AUDIT_ARCH_I386, 0, UINT32_MAX),
                 BPF_SET(SECCOMP_RET_KILL_THREAD));
#endif
    for (size_t k = 0; k < ARRAY_SIZE(never); k++)
      cr_assert_eq(judge(p, never[k], 0) & SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ERRNO, "%s", never[k]);
    for (size_t k = 0; k < ARRAY_SIZE(strict_never) && i == 2; k++)
      cr_assert_eq(judge(p, strict_never[k], 0) & SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ERRNO, "%s",
                   strict_never[k]);
    cr_assert_eq(judge(p, "clone3", 0), SECCOMP_RET_ERRNO | ENOSYS);
    cr_assert_eq(judge(p, "clone", 0x11), SECCOMP_RET_ALLOW);
    cr_assert_neq(judge(p, "clone", 0x10000011), SECCOMP_RET_ALLOW); /* CLONE_NEWUSER */
    cr_assert_eq(judge(p, "socket", 2), SECCOMP_RET_ALLOW);
    cr_assert_neq(judge(p, "socket", 40), SECCOMP_RET_ALLOW); /* AF_VSOCK */
    cr_assert_neq(judge(p, "socket", (UINT64_C(1) << 32) + 40), SECCOMP_RET_ALLOW);
    cr_assert_neq(judge(p, "socket", 38), SECCOMP_RET_ALLOW);         /* AF_ALG */
    cr_assert_eq(judge(p, "socket", 16) == SECCOMP_RET_ALLOW, i < 2); /* AF_NETLINK */
    expect_personalities(p, i < 2);
    if (i > 0)
      expect_no_device_nodes(p);
    seccomp_program_free(&job.program);
  }
}
