/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/command.h"
#include "runtime/selfopt.h"
#include "words.h"

#include <criterion/criterion.h>
#include <string.h>

static void check_emitted(const char *line, const char *expected) {
  CLEANUP_COMMAND struct command c = { 0 };
  CLEANUP_STRLIST struct strlist out = { 0 };
  CLEANUP_STR struct str joined = { 0 };
  struct error err = { 0 };
  cr_assert_eq(command_parse(&c, words(line), &err), 0, "%s: %s", line, err.message);
  cr_assert_neq(c.verb, VERB_PASS, "%s", line);
  command_emit(&c, "rt", &out);
  for (size_t i = 0; i < out.len; i++)
    str_addf(&joined, "%s%s", i ? " " : "", out.items[i]);
  cr_expect_str_eq(joined.data, expected);
}

static void check_refused(const char *line, const char *rule) {
  CLEANUP_COMMAND struct command c = { 0 };
  struct error err = { 0 };
  cr_assert_eq(command_parse(&c, words(line), &err), -1, "%s was accepted", line);
  cr_expect_eq(err.code, ERROR_USAGE, "%s", line);
  cr_expect_str_eq(err.rule, rule, "%s: %s, not %s: %s", line, err.rule, rule, err.message);
}

static void check_passes(const char *line) {
  CLEANUP_COMMAND struct command c = { 0 };
  struct error err = { 0 };
  cr_assert_eq(command_parse(&c, words(line), &err), 0, "%s: %s", line, err.message);
  cr_expect_eq(c.verb, VERB_PASS, "%s", line);
}

Test(command, engines_lines_are_emitted_in_the_one_form) {
  check_emitted(
      "--root /r --log /b/log.json --log-format json create --bundle /b --pid-file /b/init.pid abc",
      "rt --root=/r --log=/b/log.json --log-format=json create --bundle=/b --pid-file=/b/init.pid abc");
  check_emitted(
      "--systemd-cgroup --log-format=json --log /x create -b /b --no-pivot --no-new-keyring --preserve-fds 2 "
      "a",
      "rt --systemd-cgroup --log-format=json --log=/x create --bundle=/b --no-pivot --no-new-keyring "
      "--preserve-fds=2 a");
  check_emitted("exec --process /tmp/p --console-socket /s --detach --pid-file /b/e.pid abc",
                "rt exec --process=/tmp/p --console-socket=/s --detach --pid-file=/b/e.pid abc");
  check_emitted("exec -e A=1 -e B=2 -t -u 0:0 abc sh -c id --cap x",
                "rt exec --env=A=1 --env=B=2 --tty --user=0:0 abc sh -c id --cap x");
  check_emitted("update --resources - abc", "rt update --resources=- abc");
  check_emitted("update --resources=- abc", "rt update --resources=- abc");
  check_emitted("--root R start abc", "rt --root=R start abc");
  check_emitted("--cgroup-manager cgroupfs run --config f.json abc",
                "rt --cgroup-manager=cgroupfs run --config=f.json abc");
}

Test(command, containerds_single_dash_is_understood) {
  check_emitted(
      "restore --image-path I --work-path W --detach --pid-file F -no-subreaper --bundle B abc",
      "rt restore --image-path=I --work-path=W --detach --pid-file=F --no-subreaper --bundle=B abc");
  check_emitted("-root /r create abc", "rt --root=/r create abc");
}

Test(command, the_last_of_repeated_values_counts) {
  check_emitted("--root /a --root /b create --bundle A --bundle B abc", "rt --root=/b create --bundle=B abc");
  check_emitted("--debug --debug run -d -d abc", "rt --debug run --detach abc");
}

Test(command, values_may_look_like_anything_in_the_joined_form) {
  check_emitted("create --bundle=--pid-file abc", "rt create --bundle=--pid-file abc");
  check_emitted("create --pid-file= abc", "rt create --pid-file= abc");
  check_emitted("update --memory-swap -1 abc", "rt update --memory-swap=-1 abc");
}

Test(command, a_double_dash_ends_options) {
  check_emitted("create --bundle B -- abc", "rt create --bundle=B abc");
  check_emitted("exec --tty abc -- -x", "rt exec --tty abc -- -x");
}

Test(command, forms_that_the_runtimes_disagree_on_are_refused) {
  check_refused("create -bundle X abc", "OH-CMD-002");
  check_refused("create -bX abc", "OH-CMD-002");
  check_refused("run -db X abc", "OH-CMD-002");
  check_refused("exec -process X abc", "OH-CMD-002");
  check_refused("create -b=X abc", "OH-CMD-004");
  check_refused("exec -t=false abc sh", "OH-CMD-004");
  check_refused("run --detach=false abc", "OH-CMD-003");
  check_refused("exec --no-new-privs=false abc sh", "OH-CMD-003");
  check_refused("exec --tty=1 abc sh", "OH-CMD-003");
  check_refused("create --bundle A -b B abc", "OH-CMD-005");
  check_refused("exec -e A=1 --env B=1 abc sh", "OH-CMD-005");
  check_refused("create abc --bundle X", "OH-CMD-006");
  check_refused("start abc -x", "OH-CMD-006");
  check_refused("create abc def", "OH-CMD-007");
  check_refused("create --bund X abc", "OH-CMD-001");
  check_refused("create -x abc", "OH-CMD-001");
  check_refused("create --root R abc", "OH-CMD-001");
  check_refused("create --bundle --pid-file F abc", "OH-CMD-009");
}

Test(command, help_that_is_taken_back_is_refused) {
  check_refused("create --help --help=false abc", "OH-CMD-003");
  check_refused("--help --help=false create abc", "OH-CMD-003");
  check_refused("--version=false create abc", "OH-CMD-003");
}

Test(command, unknown_global_options_are_refused_before_a_verb_that_starts) {
  check_refused("--new-thing create abc", "OH-CMD-001");
  check_refused("--roo X exec abc sh", "OH-CMD-001");
  check_refused("--new-thing mounts add abc", "OH-CMD-001");
  check_passes("--new-thing state abc");
  check_passes("--new-thing delete abc");
}

Test(command, ids_are_runcs) {
  check_refused("create ..", "OH-CMD-008");
  check_refused("create .", "OH-CMD-008");
  check_refused("create a/b", "OH-CMD-008");
  check_refused("create a:b", "OH-CMD-008");
  check_refused("create ''", "OH-CMD-008");
  check_refused("create -- -abc", "OH-CMD-008");
  check_emitted("create a_b-c.d+e,f", "rt create a_b-c.d+e,f");
  char line[400] = "create ";
  memset(line + 7, 'a', 255);
  struct error err = { 0 };
  CLEANUP_COMMAND struct command c = { 0 };
  cr_expect_eq(command_parse(&c, words(line), &err), 0);
  line[7 + 255] = 'a';
  check_refused(line, "OH-CMD-008");
}

Test(command, what_no_runtime_starts_passes) {
  check_passes("");
  check_passes("--version");
  check_passes("--help");
  check_passes("-v");
  check_passes("--root R state abc");
  check_passes("features");
  check_passes("kill abc KILL");
  check_passes("events --stats abc");
  check_passes("checkpoint --help");
  check_passes("create --help");
  check_passes("create");
  check_passes("create --bundle B");
  check_passes("exec abc");
  check_passes("exec --tty abc");
  check_passes("restore --lsm-mount-context");
  check_passes("nonsense create abc");
  check_passes("--root");
}

Test(command, delete_is_read_leniently) {
  static const struct {
    const char *line, *id;
    bool force;
  } cases[] = {
    { "delete abc", "abc", false },
    { "delete --force abc", "abc", true },
    { "delete abc --force", "abc", true },
    { "delete abc -f", "abc", true },
    { "delete --regex a.*", NULL, false },
    { "delete abc def", NULL, false },
    { "delete --frobnicate abc", NULL, false },
    { "delete --help abc", NULL, false },
    { "delete", NULL, false },
    { "delete ../abc", NULL, false },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    CLEANUP_COMMAND struct command c = { 0 };
    struct error err = { 0 };
    cr_assert_eq(command_parse(&c, words(cases[i].line), &err), 0, "%s", cases[i].line);
    cr_expect_eq(c.verb, VERB_DELETE);
    cr_expect((c.id == NULL) == (cases[i].id == NULL) && (!c.id || strcmp(c.id, cases[i].id) == 0), "%s: %s",
              cases[i].line, c.id ? c.id : "none");
    if (c.id)
      cr_expect_eq(command_has(&c, "force"), cases[i].force, "%s", cases[i].line);
  }
}

Test(command, mounts_knows_its_container) {
  CLEANUP_COMMAND struct command c = { 0 };
  struct error err = { 0 };
  cr_assert_eq(command_parse(&c, words("--root R mounts add abc file"), &err), 0);
  cr_expect_eq(c.verb, VERB_MOUNTS);
  cr_expect_str_eq(c.id, "abc");
}

Test(command, a_failed_parse_still_knows_the_log_and_the_verb) {
  CLEANUP_COMMAND struct command c = { 0 };
  struct error err = { 0 };
  cr_assert_eq(command_parse(&c, words("--log /l --log-format json exec -process X abc"), &err), -1);
  cr_expect_str_eq(command_value(&c, "log"), "/l");
  cr_expect_str_eq(command_value(&c, "log-format"), "json");
  cr_expect_eq(c.verb, VERB_EXEC);
}

Test(command, set_replaces_and_drop_removes) {
  CLEANUP_COMMAND struct command c = { 0 };
  CLEANUP_STRLIST struct strlist out = { 0 };
  struct error err = { 0 };
  cr_assert_eq(command_parse(&c, words("--root R exec -p A --cap X --cap Y --detach abc"), &err), 0);
  command_drop(&c, "cap");
  command_set(&c, "process", "/private");
  cr_expect_not(command_has(&c, "cap"));
  command_emit(&c, "rt", &out);
  static const char *const expected[] = { "rt", "--root=R", "exec", "--detach", "--process=/private", "abc" };
  cr_assert_eq(out.len, ARRAY_SIZE(expected));
  for (size_t i = 0; i < out.len; i++)
    cr_expect_str_eq(out.items[i], expected[i]);
}

Test(command, preserve_fds_is_a_number) {
  static const struct {
    const char *line;
    int result, value;
  } cases[] = { { "create abc", 0, 0 },
                { "create --preserve-fds 3 abc", 0, 3 },
                { "create --preserve-fds=-1 abc", -1, 0 },
                { "create --preserve-fds=1x abc", -1, 0 },
                { "create --preserve-fds= abc", -1, 0 },
                { "create --preserve-fds=99999999999999999999 abc", -1, 0 } };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    CLEANUP_COMMAND struct command c = { 0 };
    struct error err = { 0 };
    int n = -1;
    cr_assert_eq(command_parse(&c, words(cases[i].line), &err), 0);
    cr_expect_eq(command_preserve_fds(&c, &n, &err), cases[i].result, "%s", cases[i].line);
    if (cases[i].result == 0)
      cr_expect_eq(n, cases[i].value);
  }
}

Test(command, options_of_the_other_runtime) {
  static const struct {
    const char *line;
    enum runtime_kind kind;
    int result;
  } cases[] = { { "run --config F abc", RUNTIME_RUNC, -1 },
                { "run -f F abc", RUNTIME_RUNC, -1 },
                { "run --config F abc", RUNTIME_CRUN, 0 },
                { "--rootless true run abc", RUNTIME_CRUN, -1 },
                { "--rootless true run abc", RUNTIME_RUNC, 0 } };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    CLEANUP_COMMAND struct command c = { 0 };
    struct error err = { 0 };
    cr_assert_eq(command_parse(&c, words(cases[i].line), &err), 0);
    cr_expect_eq(command_check_runtime(&c, cases[i].kind, &err), cases[i].result, "%s", cases[i].line);
  }
}

/* Every option of the table comes out as it went in, whichever way it was written. */
Test(command, every_option_survives_the_round_trip) {
  for (const struct verb_row *verb = verb_table; verb->name; verb++)
    for (const struct flag_row *flag = verb->flags; flag->name || flag->letter; flag++) {
      if (flag->kind == FLAG_HELP || verb->verb == VERB_DELETE || verb->verb == VERB_MOUNTS)
        continue;
      char line[256], expected[256];
      const bool valued = flag->kind != FLAG_BOOL;
      snprintf(expected, sizeof expected, "rt %s --%s%s abc%s", verb->name, flag->name, valued ? "=V" : "",
               verb->takes_command ? " cmd" : "");
      snprintf(line, sizeof line, "%s --%s%s abc cmd", verb->name, flag->name, valued ? " V" : "");
      if (!verb->takes_command)
        line[strlen(line) - 4] = '\0';
      check_emitted(line, expected);
      if (!flag->letter)
        continue;
      snprintf(line, sizeof line, "%s -%c%s abc cmd", verb->name, flag->letter, valued ? " V" : "");
      if (!verb->takes_command)
        line[strlen(line) - 4] = '\0';
      check_emitted(line, expected);
    }
}

static void check_selfopt(const char *line, const char *policy, const char *config, const char *first) {
  struct selfopt s;
  struct error err = { 0 };
  cr_assert_eq(selfopt_parse(&s, words(line), &err), 0, "%s", line);
  cr_expect((!s.policy && !policy) || (s.policy && policy && strcmp(s.policy, policy) == 0), "%s", line);
  cr_expect((!s.config && !config) || (s.config && config && strcmp(s.config, config) == 0), "%s", line);
  cr_expect((!s.args[0] && !first) || (s.args[0] && first && strcmp(s.args[0], first) == 0), "%s", line);
}

Test(selfopt, ours_end_where_the_runtimes_begin) {
  check_selfopt("/usr/bin/oci-harden state x", NULL, NULL, "state");
  check_selfopt("oci-harden --policy strict --config=/c --root R state x", "strict", "/c", "--root");
  check_selfopt("oci-harden --root R --policy strict create x", NULL, NULL, "--root");
  check_selfopt("/usr/local/bin/oci-harden-restricted create x", "restricted", NULL, "create");
  check_selfopt("oci-harden-restricted --policy strict create x", "strict", NULL, "create");
  check_selfopt("runc --policies x", NULL, NULL, "--policies");
  check_selfopt("oci-harden", NULL, NULL, NULL);
}

Test(selfopt, a_missing_value_is_an_error) {
  static const char *const lines[] = { "oci-harden --policy", "oci-harden --config",
                                       "oci-harden --policy= state" };
  for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
    struct selfopt s;
    struct error err = { 0 };
    cr_expect_eq(selfopt_parse(&s, words(lines[i]), &err), -1, "%s", lines[i]);
    cr_expect_str_eq(err.rule, "OH-CMD-018");
  }
}
