/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/model.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>

#define POINTER "/linux/seccomp"
#define SECTION(rules) "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[" rules "]}"
#define READ "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}"

static int decode(const char *text, unsigned accept, struct seccomp_profile *ret, struct error *err) {
  struct jsonx_source src = { "config.json", text, strlen(text) };
  json_t *value = NULL;
  cr_assert(jsonx_parse(&src, JSONX_LIMIT_DEFAULT, &value, err) == 0, "%s: %s", err->message, text);
  int rc = seccomp_profile_decode(value, NULL, POINTER, accept, ret, err);
  json_decref(value);
  return rc;
}

static void decode_good(const char *text, struct seccomp_profile *ret) {
  struct error err = { 0 };
  cr_assert(decode(text, SECCOMP_ACCEPT_PERMISSIVE, ret, &err) == 0, "%s", err.message);
}

static void expect_refusal(const char *text, enum error_code code, const char *words) {
  struct seccomp_profile p CLEANUP_SECCOMP_PROFILE = { 0 };
  struct error err = { 0 };
  cr_assert(decode(text, 0, &p, &err) < 0, "accepted: %s", text);
  cr_expect_eq(err.code, code, "%s: %s", text, err.message);
  cr_expect(strstr(err.message, words) != NULL, "\"%s\" lacks \"%s\"", err.message, words);
  cr_expect(p.calls == NULL && p.abis == NULL, "written in spite of the error");
}

static uint32_t eval(const struct seccomp_profile *p, const char *name, uint64_t first, uint64_t second) {
  const uint64_t args[SECCOMP_ARGS] = { first, second };
  return seccomp_profile_eval_name(p, seccomp_abi_native(), name, args);
}

Test(seccomp_model, malformed) {
  expect_refusal("[]", ERROR_INPUT, POINTER ": must be an object");
  expect_refusal("{}", ERROR_INPUT, "defaultAction");
  expect_refusal("{\"defaultAction\":\"SCMP_ACT_ERRNO\"}", ERROR_INPUT, "/syscalls");
  expect_refusal(SECTION(""), ERROR_INPUT, "/syscalls");
  expect_refusal("{\"defaultAction\":\"ERRNO\",\"syscalls\":[" READ "]}", ERROR_INPUT, "/defaultAction");
  expect_refusal("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"extra\":1,\"syscalls\":[" READ "]}", ERROR_INPUT,
                 "/extra");
  expect_refusal(
      "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_Z80\"],\"syscalls\":[" READ "]}",
      ERROR_INPUT, "/architectures/0");
  expect_refusal("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"flags\":[\"FAST\"],\"syscalls\":[" READ "]}",
                 ERROR_INPUT, "/flags/0");
  expect_refusal("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"listenerPath\":1,\"syscalls\":[" READ "]}",
                 ERROR_INPUT, "/listenerPath");
  expect_refusal(SECTION("{\"action\":\"SCMP_ACT_ALLOW\"}"), ERROR_INPUT, "/syscalls/0/names");
  expect_refusal(SECTION("{\"names\":[],\"action\":\"SCMP_ACT_ALLOW\"}"), ERROR_INPUT, "/names");
  expect_refusal(SECTION("{\"names\":[\"\"],\"action\":\"SCMP_ACT_ALLOW\"}"), ERROR_INPUT, "/names/0");
  expect_refusal(SECTION("{\"names\":[18446744073709551615],\"action\":\"SCMP_ACT_ALLOW\"}"), ERROR_INPUT,
                 "/names/0");
  expect_refusal(SECTION("{\"names\":[\"read\"],\"action\":18446744073709551615}"), ERROR_INPUT, "/action");
  expect_refusal(SECTION("{\"names\":[\"read\"]}"), ERROR_INPUT, "action");
  expect_refusal(SECTION("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"priority\":1}"), ERROR_INPUT,
                 "/syscalls/0/priority");
}

#define WITH_ARGS(args) SECTION("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" args "]}")
#define EQ(index) "{\"index\":" index ",\"value\":1,\"op\":\"SCMP_CMP_EQ\"}"

Test(seccomp_model, malformed_conditions) {
  expect_refusal(WITH_ARGS(EQ("6")), ERROR_INPUT, "/args/0/index");
  expect_refusal(WITH_ARGS(EQ("-1")), ERROR_INPUT, "/args/0/index");
  expect_refusal(WITH_ARGS("{\"value\":1,\"op\":\"SCMP_CMP_EQ\"}"), ERROR_INPUT, "index");
  expect_refusal(WITH_ARGS("{\"index\":1,\"value\":1}"), ERROR_INPUT, "op");
  expect_refusal(WITH_ARGS("{\"index\":1,\"value\":-1,\"op\":\"SCMP_CMP_EQ\"}"), ERROR_INPUT, "/value");
  expect_refusal(WITH_ARGS("{\"index\":1,\"value\":1.5,\"op\":\"SCMP_CMP_EQ\"}"), ERROR_INPUT, "/value");
  expect_refusal(WITH_ARGS("{\"index\":1,\"value\":1,\"op\":\"==\"}"), ERROR_INPUT, "==");
  expect_refusal(WITH_ARGS(EQ("0") "," EQ("1") "," EQ("2") "," EQ("3") "," EQ("4") "," EQ("5") "," EQ("5")),
                 ERROR_INPUT, "/args");
}

Test(seccomp_model, well_formed_and_not_to_be_trusted) {
  expect_refusal("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":0,\"syscalls\":[" READ "]}",
                 ERROR_REFUSED, "/defaultErrnoRet");
  expect_refusal(SECTION("{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":0}"),
                 ERROR_REFUSED, "/syscalls/0/errnoRet");
  expect_refusal(SECTION("{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":4096}"),
                 ERROR_REFUSED, "4096");
  expect_refusal(SECTION("{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":65536}"),
                 ERROR_REFUSED, "65536");
  expect_refusal(SECTION("{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_TRACE\"}"), ERROR_REFUSED,
                 "SCMP_ACT_TRACE");
  expect_refusal("{\"defaultAction\":\"SCMP_ACT_TRACE\",\"syscalls\":[" READ "]}", ERROR_REFUSED,
                 "SCMP_ACT_TRACE");
  expect_refusal("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[" READ "]}", ERROR_REFUSED,
                 "/defaultAction");
  expect_refusal("{\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[" READ "]}", ERROR_REFUSED,
                 "/defaultAction");
}

Test(seccomp_model, unknown_names) {
  static const char *rule = "{\"names\":[\"frobnicate\"],\"action\":\"SCMP_ACT_KILL\"}";
  struct seccomp_profile p CLEANUP_SECCOMP_PROFILE = { 0 }, q CLEANUP_SECCOMP_PROFILE = { 0 };
  struct error err = { 0 };
  char *open = xasprintf("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[%s]}", rule);
  cr_expect(decode(open, SECCOMP_ACCEPT_PERMISSIVE, &q, &err) < 0, "the runtimes would skip the denial");
  cr_expect_eq(err.code, ERROR_REFUSED);
  cr_expect(strstr(err.message, "/syscalls/0/names/0") && strstr(err.message, "frobnicate"), "%s",
            err.message);
  free(open);
  decode_good(SECTION("{\"names\":[\"frobnicate\"],\"action\":\"SCMP_ACT_ALLOW\"}"), &p);
  cr_expect(seccomp_profile_find(&p, "frobnicate") != NULL);
}

Test(seccomp_model, places_come_with_the_source) {
  static const char *text = "{\n \"defaultAction\": \"SCMP_ACT_ERRNO\",\n \"syscalls\": [" READ ", 7]}";
  struct jsonx_source src = { "config.json", text, strlen(text) };
  struct seccomp_profile p CLEANUP_SECCOMP_PROFILE = { 0 };
  struct error err = { 0 };
  json_t *value = NULL;
  cr_assert(jsonx_parse(&src, JSONX_LIMIT_DEFAULT, &value, &err) == 0);
  cr_expect(seccomp_profile_decode(value, &src, "", 0, &p, &err) < 0);
  cr_expect(strstr(err.message, "config.json:3:") == err.message && strstr(err.message, "/syscalls/1"), "%s",
            err.message);
  json_decref(value);
}

Test(seccomp_model, defaults_and_aliases) {
  struct seccomp_profile p CLEANUP_SECCOMP_PROFILE = { 0 };
  decode_good(
      "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"flags\":null,\"listenerPath\":null,\"architectures\":null,"
      "\"syscalls\":[{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_KILL\",\"errnoRet\":null,\"args\":null},"
      "{\"names\":[\"chroot\",\"chroot\"],\"action\":\"SCMP_ACT_ERRNO\"},"
      "{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38},"
      "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"errnoRet\":0}]}",
      &p);
  cr_expect_eq(p.default_action, SECCOMP_RET_ERRNO | EPERM);
  cr_expect_eq(p.abis_len, 1);
  cr_expect_eq(p.abis[0], seccomp_abi_native());
  cr_expect_eq(p.flags, 0);
  cr_expect_eq(eval(&p, "mount", 0, 0), SECCOMP_RET_KILL_THREAD);
  cr_expect_eq(eval(&p, "bpf", 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
  cr_expect_eq(eval(&p, "read", 0, 0), SECCOMP_RET_ALLOW);
  cr_expect_eq(eval(&p, "swapon", 0, 0), SECCOMP_RET_ERRNO | EPERM);
  cr_expect_eq(seccomp_profile_find(&p, "chroot")->len, 0, "equal to the default: the name alone is kept");
}

Test(seccomp_model, operators) {
  static const struct {
    enum seccomp_op op;
    uint64_t value, two, argument;
    bool wide, narrow; /* holds in a 64-bit ABI, in a 32-bit one */
  } cases[] = {
    { SECCOMP_OP_NE, 5, 0, 5, false, false },
    { SECCOMP_OP_NE, 5, 0, UINT64_C(0x100000005), true, false },
    { SECCOMP_OP_EQ, UINT64_MAX, 0, UINT64_MAX, true, true },
    { SECCOMP_OP_EQ, UINT64_C(0x100000005), 0, 5, false, true },
    { SECCOMP_OP_LT, 5, 0, 4, true, true },
    { SECCOMP_OP_LT, 5, 0, 5, false, false },
    { SECCOMP_OP_LT, UINT64_C(1) << 32, 0, 5, true, false },
    { SECCOMP_OP_LE, 5, 0, 5, true, true },
    { SECCOMP_OP_LE, 5, 0, 6, false, false },
    { SECCOMP_OP_GE, UINT64_C(1) << 63, 0, UINT64_C(1) << 63, true, true },
    { SECCOMP_OP_GE, UINT64_C(1) << 63, 0, INT64_MAX, false, true },
    { SECCOMP_OP_GT, 5, 0, 5, false, false },
    { SECCOMP_OP_GT, 5, 0, 6, true, true },
    { SECCOMP_OP_MASKED_EQ, 0xf0, 0x10, 0x1f, true, true },
    { SECCOMP_OP_MASKED_EQ, 0xf0, 0x10, 0x2f, false, false },
    { SECCOMP_OP_MASKED_EQ, 0xf0, 0x1f, 0x10, true,
      true }, /* bits of the datum beyond the mask are ignored */
    { SECCOMP_OP_MASKED_EQ, UINT32_MAX, 40, UINT64_C(0x100000028), true, true },
    { SECCOMP_OP_MASKED_EQ, UINT64_C(1) << 32, 0, UINT64_C(1) << 32, false, true },
  };
  const struct seccomp_abi *wide = seccomp_abi_by_oci("SCMP_ARCH_AARCH64"),
                           *narrow = seccomp_abi_by_oci("SCMP_ARCH_ARM");
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct seccomp_condition c = { 0, cases[i].op, cases[i].value, cases[i].two };
    cr_expect_eq(seccomp_condition_holds(&c, wide, cases[i].argument), cases[i].wide, "case %zu", i);
    cr_expect_eq(seccomp_condition_holds(&c, narrow, cases[i].argument), cases[i].narrow, "case %zu, 32 bits",
                 i);
  }
}

/* `value` is the mask and `valueTwo` the datum; constants use all 64 bits. */
Test(seccomp_model, masks_and_large_constants_in_json) {
  struct seccomp_profile p CLEANUP_SECCOMP_PROFILE = { 0 };
  decode_good(SECTION("{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":"
                      "2114060288,\"valueTwo\":0,\"op\":\"SCMP_CMP_MASKED_EQ\"}]},"
                      "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":1,\"value\":"
                      "18446744073709551615,\"op\":\"SCMP_CMP_EQ\"}]}"),
              &p);
  cr_expect_eq(eval(&p, "clone", 0x11, 0), SECCOMP_RET_ALLOW);
  cr_expect_eq(eval(&p, "clone", 0x10000000, 0), SECCOMP_RET_ERRNO | EPERM);
  cr_expect_eq(eval(&p, "read", 0, UINT64_MAX), SECCOMP_RET_ALLOW);
  cr_expect_eq(eval(&p, "read", 0, INT64_MAX), SECCOMP_RET_ERRNO | EPERM);
}

/* runc and crun turn all conditions of a rule into alternatives when two of them are on one argument. */
Test(seccomp_model, one_argument_twice_is_an_or) {
  struct seccomp_profile p CLEANUP_SECCOMP_PROFILE = { 0 };
  decode_good(SECTION("{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
                      "{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},{\"index\":0,\"value\":2,\"op\":"
                      "\"SCMP_CMP_EQ\"},{\"index\":1,\"value\":7,\"op\":\"SCMP_CMP_EQ\"}]},"
                      "{\"names\":[\"bind\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
                      "{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},{\"index\":1,\"value\":7,\"op\":"
                      "\"SCMP_CMP_EQ\"}]}"),
              &p);
  cr_expect_eq(eval(&p, "socket", 1, 0), SECCOMP_RET_ALLOW);
  cr_expect_eq(eval(&p, "socket", 2, 0), SECCOMP_RET_ALLOW);
  cr_expect_eq(eval(&p, "socket", 3, 7), SECCOMP_RET_ALLOW);
  cr_expect_eq(eval(&p, "socket", 3, 0), SECCOMP_RET_ERRNO | EPERM);
  cr_expect_eq(eval(&p, "bind", 1, 0), SECCOMP_RET_ERRNO | EPERM);
  cr_expect_eq(eval(&p, "bind", 1, 7), SECCOMP_RET_ALLOW);
}

Test(seccomp_model, the_strictest_rule_that_matches) {
  struct seccomp_profile p CLEANUP_SECCOMP_PROFILE = { 0 };
  decode_good(SECTION("{\"names\":[\"ioctl\"],\"action\":\"SCMP_ACT_ALLOW\"},"
                      "{\"names\":[\"ioctl\"],\"action\":\"SCMP_ACT_TRAP\",\"args\":[{\"index\":1,\"value\":"
                      "10,\"op\":\"SCMP_CMP_LT\"}]},"
                      "{\"names\":[\"ioctl\"],\"action\":\"SCMP_ACT_KILL_PROCESS\",\"args\":[{\"index\":1,"
                      "\"value\":3,\"op\":\"SCMP_CMP_EQ\"}]}"),
              &p);
  cr_expect_eq(eval(&p, "ioctl", 0, 3), SECCOMP_RET_KILL_PROCESS);
  cr_expect_eq(eval(&p, "ioctl", 0, 4), SECCOMP_RET_TRAP);
  cr_expect_eq(eval(&p, "ioctl", 0, 10), SECCOMP_RET_ALLOW);
}

Test(seccomp_model, order_of_actions) {
  static const uint32_t order[] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,
                                    SECCOMP_RET_ERRNO | 1,    SECCOMP_RET_USER_NOTIF,  SECCOMP_RET_TRACE,
                                    SECCOMP_RET_LOG,          SECCOMP_RET_ALLOW };
  for (size_t i = 0; i < ARRAY_SIZE(order); i++)
    for (size_t j = 0; j < ARRAY_SIZE(order); j++)
      cr_expect_eq(seccomp_action_stricter(order[i], order[j]), i < j, "%zu %zu", i, j);
  cr_expect_eq(seccomp_action_compare(SECCOMP_RET_ERRNO | 1, SECCOMP_RET_ERRNO | 38), 0);
  cr_expect(seccomp_action_permissive(SECCOMP_RET_LOG) && !seccomp_action_permissive(SECCOMP_RET_USER_NOTIF));
}

Test(seccomp_model, the_same_bytes_after_decoding_again) {
  static const char *text =
      "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"architectures\":[\"SCMP_ARCH_X86\","
      "\"SCMP_ARCH_X32\",\"SCMP_ARCH_X86\"],"
      "\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],\"listenerPath\":\"/run/"
      "l\",\"listenerMetadata\":\"m\",\"syscalls\":["
      "{\"names\":[\"write\",\"read\"],\"action\":\"SCMP_ACT_ALLOW\"},{\"names\":[\"kill\"],\"action\":"
      "\"SCMP_ACT_ERRNO\",\"errnoRet\":38},"
      "{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_NOTIFY\"},{\"names\":[\"close\"],\"action\":\"SCMP_ACT_"
      "ALLOW\"},"
      "{\"names\":[\"ioctl\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":1,\"value\":"
      "18446744073709551615,\"valueTwo\":9223372036854775808,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}";
  struct seccomp_profile p CLEANUP_SECCOMP_PROFILE = { 0 }, q CLEANUP_SECCOMP_PROFILE = { 0 };
  struct str first CLEANUP_STR = { 0 }, second CLEANUP_STR = { 0 };
  decode_good(text, &p);
  json_t *encoded = seccomp_profile_encode(&p);
  jsonx_dump(encoded, &first);
  json_decref(encoded);
  decode_good(first.data, &q);
  encoded = seccomp_profile_encode(&q);
  jsonx_dump(encoded, &second);
  json_decref(encoded);
  cr_expect_str_eq(first.data, second.data);
  cr_expect(strstr(first.data, "\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"]") != NULL);
  cr_expect(strstr(first.data, "{\"names\":[\"kill\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}") !=
                NULL,
            "%s", first.data);
  cr_expect(strstr(first.data, "18446744073709551615") && strstr(first.data, "9223372036854775808"), "%s",
            first.data);
}

Test(seccomp_model, names_of_one_action_stand_together_highest_number_first) {
  struct seccomp_profile p CLEANUP_SECCOMP_PROFILE = { 0 };
  decode_good("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
              "{\"names\":[\"brand_new\",\"write\",\"read\"],\"action\":\"SCMP_ACT_ALLOW\"},"
              "{\"names\":[\"another_new\",\"close\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
              &p);
  json_auto_t *encoded = seccomp_profile_encode(&p);
  const json_t *names = jsonx_at(encoded, "/syscalls/0/names");
  cr_assert_eq(json_array_size(names), 5);
  for (size_t i = 1; i < 3; i++)
    cr_expect_gt(seccomp_abi_number(seccomp_abi_native(), json_string_value(json_array_get(names, i - 1))),
                 seccomp_abi_number(seccomp_abi_native(), json_string_value(json_array_get(names, i))));
  cr_expect_str_eq(json_string_value(json_array_get(names, 3)), "another_new", "without a number: by name");
  cr_expect_str_eq(json_string_value(json_array_get(names, 4)), "brand_new");
}

Test(seccomp_model, points_lie_on_both_sides_of_every_border) {
  static const struct seccomp_condition conditions[] = {
    { 0, SECCOMP_OP_NE, 0, 0 },
    { 0, SECCOMP_OP_EQ, UINT64_MAX, 0 },
    { 0, SECCOMP_OP_LT, 40, 0 },
    { 0, SECCOMP_OP_LE, 1u << 31, 0 },
    { 0, SECCOMP_OP_GE, UINT64_C(1) << 32, 0 },
    { 0, SECCOMP_OP_GT, 0, 0 },
    { 0, SECCOMP_OP_MASKED_EQ, 0x7e020000, 0 },
    { 0, SECCOMP_OP_MASKED_EQ, UINT32_MAX, 16 },
  };
  const struct seccomp_abi *wide = seccomp_abi_by_oci("SCMP_ARCH_X86_64");
  for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
    uint64_t points[SECCOMP_POINTS_MAX];
    size_t n = seccomp_condition_points(&conditions[i], points), holding = 0;
    cr_assert(n <= SECCOMP_POINTS_MAX);
    for (size_t j = 0; j < n; j++)
      holding += seccomp_condition_holds(&conditions[i], wide, points[j]);
    cr_expect(holding > 0 && holding < n, "condition %zu: %zu of %zu", i, holding, n);
  }
}

#if defined(__x86_64__)
Test(seccomp_model, abis_by_number) {
  struct seccomp_profile p CLEANUP_SECCOMP_PROFILE = { 0 }, all CLEANUP_SECCOMP_PROFILE = { 0 };
  const struct seccomp_abi *x86_64 = seccomp_abi_native(), *x86 = seccomp_abi_by_oci("SCMP_ARCH_X86"),
                           *arm = seccomp_abi_by_oci("SCMP_ARCH_ARM");
  const uint64_t args[SECCOMP_ARGS] = { 0 };
  decode_good(SECTION(READ), &p);
  cr_expect_eq(seccomp_profile_eval(&p, x86_64, 0, args), SECCOMP_RET_ALLOW);
  cr_expect_eq(seccomp_profile_eval(&p, x86_64, 1, args), SECCOMP_RET_ERRNO | EPERM);
  cr_expect_eq(seccomp_profile_eval(&p, x86_64, 99999, args), SECCOMP_RET_ERRNO | EPERM);
  cr_expect_eq(seccomp_profile_eval(&p, x86_64, -1, args), SECCOMP_RET_ERRNO | EPERM);
  cr_expect_eq(seccomp_profile_eval(&p, x86_64, 0x40000000, args), SECCOMP_RET_KILL_THREAD,
               "x32 is not in the profile");
  cr_expect_eq(seccomp_profile_eval(&p, x86, 3, args), SECCOMP_RET_KILL_THREAD);
  decode_good("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],"
              "\"syscalls\":[" READ "]}",
              &all);
  cr_expect_eq(seccomp_profile_eval(&all, x86_64, 0x40000000, args), SECCOMP_RET_ALLOW);
  cr_expect_eq(seccomp_profile_eval(&all, x86, 3, args), SECCOMP_RET_ALLOW);
  cr_expect_eq(seccomp_profile_eval(&all, arm, 3, args), SECCOMP_RET_KILL_THREAD);
}

/* libseccomp reaches socket through socketcall(1, ...), and drops what was asked of the first argument. */
Test(seccomp_model, multiplexers) {
  struct seccomp_profile p CLEANUP_SECCOMP_PROFILE = { 0 };
  const struct seccomp_abi *x86 = seccomp_abi_by_oci("SCMP_ARCH_X86");
  const uint64_t socket[SECCOMP_ARGS] = { 1 }, bind[SECCOMP_ARGS] = { 2 }, vsock[SECCOMP_ARGS] = { 40 };
  decode_good("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86\"],\"syscalls\":["
              "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":40,"
              "\"op\":\"SCMP_CMP_NE\"}]}]}",
              &p);
  cr_expect_eq(seccomp_profile_eval(&p, x86, 102, socket), SECCOMP_RET_ALLOW);
  cr_expect_eq(seccomp_profile_eval(&p, x86, 102, bind), SECCOMP_RET_ERRNO | EPERM);
  cr_expect_eq(seccomp_profile_eval(&p, x86, 359, vsock), SECCOMP_RET_ERRNO | EPERM);
  cr_expect_eq(seccomp_profile_eval(&p, x86, 359, bind), SECCOMP_RET_ALLOW);
}
#endif

Test(seccomp_model, abi_table) {
  for (const struct seccomp_abi *a = seccomp_abis; a->oci; a++) {
    cr_expect_eq(seccomp_abi_by_oci(a->oci), a, "%s is there twice", a->oci);
    cr_expect_eq(seccomp_abi_by_scmp(a->scmp), a, "%s", a->oci);
    int number = seccomp_abi_number(a, "read");
    char *name CLEANUP_FREE = seccomp_abi_name(a, number);
    cr_expect(number >= 0 && name && strcmp(name, "read") == 0, "%s does not know read", a->oci);
    cr_expect_eq(seccomp_abi_number(a, "frobnicate"), SECCOMP_NR_UNKNOWN);
    for (unsigned i = 0; i < SECCOMP_COMPAT_MAX && a->compat[i]; i++)
      cr_expect(seccomp_abi_by_oci(a->compat[i]) != NULL, "%s", a->compat[i]);
  }
  cr_expect_eq(seccomp_abi_by_oci("SCMP_ARCH_X86_64")->audit, AUDIT_ARCH_X86_64);
  cr_expect_eq(seccomp_abi_by_oci("SCMP_ARCH_X32")->audit, AUDIT_ARCH_X86_64);
  cr_expect_eq(seccomp_abi_by_oci("SCMP_ARCH_X86")->audit, AUDIT_ARCH_I386);
  cr_expect_eq(seccomp_abi_by_oci("SCMP_ARCH_AARCH64")->audit, AUDIT_ARCH_AARCH64);
  cr_expect_eq(seccomp_abi_by_oci("SCMP_ARCH_ARM")->audit, AUDIT_ARCH_ARM);
  cr_expect(seccomp_abi_is_local(seccomp_abi_native()));
  cr_expect_eq(seccomp_abi_by_oci("SCMP_ARCH_PDP11"), NULL);
}
