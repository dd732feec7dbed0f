/* SPDX-License-Identifier: Apache-2.0 */
#include "io/jsonx.h"
#include "runtime/process.h"
#include "words.h"

#include <criterion/criterion.h>

static const char base_text[] =
    "{\"user\":{\"uid\":1,\"gid\":2},\"args\":[\"init\"],\"env\":[\"A=1\"],\"cwd\":\"/w\",\"terminal\":true,"
    "\"capabilities\":{\"bounding\":[\"CAP_KILL\"]},\"noNewPrivileges\":false,\"unknown\":[1]}";

static int build(const char *line, const char *base, json_t **ret, struct error *err) {
  CLEANUP_COMMAND struct command c = { 0 };
  json_auto_t *process = base ? json_loads(base, 0, NULL) : NULL;
  cr_assert_eq(command_parse(&c, words(line), err), 0, "%s", err->message);
  cr_assert_eq(c.verb, VERB_EXEC);
  return process_build(&c, process, ret, err);
}

static void check(const char *line, const char *base, const char *expected) {
  json_auto_t *process = NULL;
  struct error err = { 0 };
  cr_assert_eq(build(line, base, &process, &err), 0, "%s", err.message);
  json_auto_t *wanted = json_loads(expected, 0, NULL);
  cr_assert_not_null(wanted);
  CLEANUP_STR struct str got = { 0 };
  jsonx_dump(process, &got);
  cr_expect(json_equal(process, wanted), "%s gives %s", line, got.data);
}

Test(process, only_the_command_and_the_terminal_change) {
  check("exec abc sh -c id", base_text,
        "{\"user\":{\"uid\":1,\"gid\":2},\"args\":[\"sh\",\"-c\",\"id\"],\"env\":[\"A=1\"],\"cwd\":\"/"
        "w\",\"terminal\":false,"
        "\"capabilities\":{\"bounding\":[\"CAP_KILL\"]},\"noNewPrivileges\":false,\"unknown\":[1]}");
}

Test(process, every_option_lands_where_runc_puts_it) {
  check("exec --cwd /x --env B=2 --env C=3 --tty --user 5:6 --additional-gids 7 --cap CAP_SYS_ADMIN "
        "--no-new-privs "
        "--apparmor p --process-label l abc sh",
        base_text,
        "{\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[7]},\"args\":[\"sh\"],\"env\":[\"A=1\",\"B=2\","
        "\"C=3\"],"
        "\"cwd\":\"/x\",\"terminal\":true,\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"CAP_SYS_ADMIN\"],"
        "\"effective\":[\"CAP_SYS_ADMIN\"],\"permitted\":[\"CAP_SYS_ADMIN\"]},\"noNewPrivileges\":true,"
        "\"apparmorProfile\":\"p\",\"selinuxLabel\":\"l\",\"unknown\":[1]}");
  check("exec --user 5 abc sh", "{\"user\":{\"uid\":1,\"gid\":2},\"cwd\":\"/\"}",
        "{\"user\":{\"uid\":5,\"gid\":2},\"args\":[\"sh\"],\"cwd\":\"/\",\"terminal\":false}");
}

Test(process, an_unknown_container_has_an_empty_base) {
  check("exec abc sh", NULL, "{\"user\":{},\"args\":[\"sh\"],\"cwd\":\"/\",\"terminal\":false}");
}

Test(process, what_is_no_number_or_no_text_is_refused) {
  static const char *const lines[] = {
    "exec --user root abc sh",          "exec --user 0:wheel abc sh", "exec --user -1 abc sh",
    "exec --user 4294967295 abc sh",    "exec --user : abc sh",       "exec --additional-gids x abc sh",
    "exec --additional-gids=-1 abc sh", "exec abc sh \xff",           "exec --env A=\xff abc sh",
    "exec --cwd /\xc3 abc sh"
  };
  for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
    json_auto_t *process = NULL;
    struct error err = { 0 };
    cr_expect_eq(build(lines[i], base_text, &process, &err), -1, "%s", lines[i]);
    cr_expect_eq(err.code, ERROR_USAGE);
  }
}
