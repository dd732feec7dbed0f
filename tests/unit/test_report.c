/* SPDX-License-Identifier: Apache-2.0 */
#include "io/fileio.h"
#include "runtime/report.h"
#include "words.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

static void parse(struct command *c, const char *line) {
  struct error err = { 0 };
  cr_assert_eq(command_parse(c, words(line), &err), 0, "%s", err.message);
}

Test(report, the_text_names_us_and_the_rule) {
  struct error err = { 0 };
  error_set_rule(&err, ERROR_REFUSED, "OH-CAP-001", "config.json:1:2: /process: no");
  CLEANUP_FREE char *text = report_text(&err);
  cr_expect_str_eq(text, "oci-harden: config.json:1:2: /process: no (OH-CAP-001)");
  struct error bare = { 0 };
  error_set(&bare, ERROR_SYSTEM, 0, "broken");
  CLEANUP_FREE char *short_text = report_text(&bare);
  cr_expect_str_eq(short_text, "oci-harden: broken");
}

Test(report, json_lines_are_what_containerd_reads) {
  CLEANUP_FREE char *line = report_line("a \"quoted\" \xff \xc3\xa9", true, 1000000000);
  size_t len = strlen(line);
  cr_assert_eq(line[len - 1], '\n');
  cr_expect_null(memchr(line, '\n', len - 1));
  json_auto_t *json = json_loads(line, 0, NULL);
  cr_assert_not_null(json, "%s", line);
  cr_expect_str_eq(json_string_value(json_object_get(json, "level")), "error");
  cr_expect_str_eq(json_string_value(json_object_get(json, "time")), "2001-09-09T01:46:40Z");
  cr_expect_str_eq(json_string_value(json_object_get(json, "msg")), "a \"quoted\" \xef\xbf\xbd \xc3\xa9");
}

Test(report, text_lines_are_logruses) {
  CLEANUP_FREE char *line = report_line("say \"no\"", false, 1000000000);
  cr_expect_str_eq(line, "time=\"2001-09-09T01:46:40Z\" level=error msg=\"say \\\"no\\\"\"\n");
}

Test(report, where_the_log_is) {
  static const struct {
    const char *log;
    enum runtime_kind kind;
    const char *path;
  } cases[] = {
    { "/x/log.json", RUNTIME_RUNC, "/x/log.json" },
    { "/dev/stderr", RUNTIME_RUNC, NULL },
    { "", RUNTIME_RUNC, NULL },
    { "file:/x", RUNTIME_CRUN, "/x" },
    { "file:/x", RUNTIME_RUNC, "file:/x" },
    { "journald:abc", RUNTIME_CRUN, NULL },
    { "syslog:abc", RUNTIME_CRUN, NULL },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    CLEANUP_COMMAND struct command c = { 0 };
    CLEANUP_FREE char *line = xasprintf("--log %s state x", *cases[i].log ? cases[i].log : "''");
    parse(&c, line);
    CLEANUP_FREE char *path = report_log_path(&c, cases[i].kind);
    cr_expect((!path && !cases[i].path) || (path && cases[i].path && strcmp(path, cases[i].path) == 0),
              "%s: %s", cases[i].log, path ? path : "none");
  }
}

Test(report, crun_opens_a_relative_log_in_the_bundle) {
  static const struct {
    const char *line;
    enum runtime_kind kind;
    const char *path;
  } cases[] = {
    { "--log log create --bundle /b c", RUNTIME_CRUN, "/b/log" },
    { "--log file:log run -b b c", RUNTIME_CRUN, "b/log" },
    { "--log /log create --bundle /b c", RUNTIME_CRUN, "/log" },
    { "--log log create c", RUNTIME_CRUN, "log" },
    { "--log log start c", RUNTIME_CRUN, "log" },
    { "--log log create --bundle /b c", RUNTIME_RUNC, "log" },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    CLEANUP_COMMAND struct command c = { 0 };
    parse(&c, cases[i].line);
    CLEANUP_FREE char *path = report_log_path(&c, cases[i].kind);
    cr_expect_str_eq(path, cases[i].path, "%s", cases[i].line);
  }
}

static int report(const char *line, const char *message) {
  CLEANUP_COMMAND struct command c = { 0 };
  struct error err = { 0 };
  parse(&c, line);
  error_set(&err, ERROR_REFUSED, 0, "%s", message);
  return report_failure(&c, RUNTIME_RUNC, &err);
}

Test(report, appends_one_line_and_says_the_same_on_stderr, .init = cr_redirect_stderr) {
  char dir[] = "/tmp/oh-report.XXXXXX";
  cr_assert_not_null(mkdtemp(dir));
  CLEANUP_FREE char *log = xasprintf("%s/log.json", dir);
  CLEANUP_FREE char *create = xasprintf("--log %s --log-format json create abc", log);
  CLEANUP_FREE char *exec = xasprintf("--log %s --log-format json exec abc sh", log);
  cr_expect_eq(report(create, "first"), 1);
  cr_expect_eq(report(exec, "second"), 255);
  CLEANUP_FREE char *text = NULL;
  size_t len;
  struct error err = { 0 };
  cr_assert_eq(file_read(AT_FDCWD, log, RESOLVE_TRUSTED, 4096, &text, &len, NULL, &err), 0, "%s",
               err.message);
  char *second = strchr(text, '\n') + 1;
  cr_expect_not_null(strstr(text, "\"msg\":\"oci-harden: first\""));
  cr_expect_not_null(strstr(second, "\"msg\":\"oci-harden: second\""));
  cr_expect_eq(strchr(second, '\n') + 1, text + len);
  cr_expect_stderr_eq_str("oci-harden: first\noci-harden: second\n");
  unlink(log);
  rmdir(dir);
}

Test(report, a_log_that_cannot_be_written_leaves_stderr, .init = cr_redirect_stderr) {
  cr_expect_eq(report("--log /nonexistent/dir/log create abc", "why"), 1);
  cr_expect_stderr_eq_str("oci-harden: why\n");
}

Test(report, what_the_input_says_is_shown_harmlessly) {
  struct error err = { 0 };
  error_set(&err, ERROR_INPUT, 0, "name \"%s\"", "a\n\x1b[31m\xff\xc2\x9b\xc3\xa9");
  cr_expect_str_eq(err.message, "name \"a??[31m???\xc3\xa9\"");
  error_wrap(&err, "%s", "b\xfe");
  cr_expect_str_eq(err.message, "b?: name \"a??[31m???\xc3\xa9\"");
  /* Where a text is cut, half a character may stand before the dots. */
  char longer[2 * sizeof err.message];
  for (size_t i = 0; i < sizeof longer; i++)
    longer[i] = i % 2 ? '\xa9' : '\xc3';
  longer[sizeof longer - 1] = '\0';
  error_set(&err, ERROR_INPUT, 0, "x%s", longer);
  const size_t len = strlen(err.message);
  cr_expect_str_eq(err.message + len - 3, "...");
  for (size_t at = 0, n; at < len; at += n)
    cr_assert((n = str_utf8_length(err.message + at, len - at)) > 0, "at %zu", at);
}
