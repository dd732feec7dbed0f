/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that hardenctl runs: what they say is heard, and none of them can hold it up. */
#include "ctl/tool.h"

#include "base/str.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { SOON_MS = 3000 };

static int shell(const char *script, struct tool t, char **ret_said, struct error *err) {
  const char *const argv[] = { "/bin/sh", "-c", script, NULL };
  t.argv = argv;
  t.in = -1;
  t.limit_ms = t.limit_ms ? t.limit_ms : 60000;
  return tool_run(&t, ret_said, err);
}

static void says(const char *script, struct tool t, const char *what) {
  CLEANUP_FREE char *said = NULL;
  struct error err = { 0 };
  cr_assert_eq(shell(script, t, &said, &err), 0, "%s: %s", script, err.message);
  cr_expect_str_eq(said, what, "%s", script);
}

/* Fails soon, with this error. */
static void fails(const char *script, struct tool t, const char *message) {
  CLEANUP_FREE char *said = NULL;
  struct error err = { 0 };
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  cr_assert_lt(shell(script, t, &said, &err), 0, "%s", script);
  clock_gettime(CLOCK_MONOTONIC, &end);
  cr_expect_str_eq(err.message, message, "%s", script);
  cr_expect_lt((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000, SOON_MS, "%s",
               script);
}

Test(tool, what_it_writes_is_what_it_says) {
  says("echo one; echo two >&2; echo three", (struct tool){ .errors_too = true }, "one\ntwo\nthree\n");
  says("echo one; echo two >&2; echo three", (struct tool){ 0 }, "one\nthree\n");
  says("exit 0", (struct tool){ 0 }, "");
}

Test(tool, its_environment_is_the_one_given) {
  char *const some[] = { (char *)"GIVEN=1", NULL };
  cr_assert_eq(setenv("OURS", "1", 1), 0);
  says("echo \"$OURS-$GIVEN\"", (struct tool){ 0 }, "-\n");
  says("echo \"$OURS-$GIVEN\"", (struct tool){ .envp = some }, "-1\n");
}

Test(tool, it_reads_what_it_is_given_and_nothing_of_ours) {
  const char *const cat[] = { "cat", NULL };
  CLEANUP_FREE char *said = NULL;
  struct error err = { 0 };
  int ends[2];
  cr_assert_eq(pipe(ends), 0);
  cr_assert_eq(dup2(ends[0], 0), 0); /* an input that never ends */
  says("cat", (struct tool){ 0 }, "");
  CLEANUP_FD int file = open("tests/unit/test_tool.c", O_RDONLY | O_CLOEXEC);
  cr_assert_geq(file, 0);
  const struct tool t = { .argv = cat, .in = file, .limit_ms = 60000 };
  cr_assert_eq(tool_run(&t, &said, &err), 0, "%s", err.message);
  cr_expect(str_starts(said, "/* SPDX"));
}

Test(tool, failures_are_told) {
  const char *const none[] = { "/nonexistent/tool", NULL };
  const struct tool t = { .argv = none, .in = -1, .limit_ms = 60000 };
  char *said = NULL;
  struct error err = { 0 };
  fails("echo why; exit 3", (struct tool){ 0 }, "exit status 3: why");
  fails("exit 3", (struct tool){ 0 }, "exit status 3");
  fails("kill -TERM $$", (struct tool){ 0 }, "signal 15");
  cr_assert_lt(tool_run(&t, &said, &err), 0);
  cr_expect_str_eq(err.message, "exit status 127: No such file or directory");
}

Test(tool, one_that_does_not_end_is_killed_with_its_children) {
  const char script[] = "trap '' TERM; sleep 987 & echo $$ $! >&2; wait; sleep 987";
  CLEANUP_FREE char *said = NULL;
  CLEANUP_FREE char *full = NULL;
  struct error err = { 0 };
  char path[] = "/tmp/test-tool.XXXXXX";
  int pids[2] = { 0 };
  CLEANUP_FD int fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  full = xasprintf("exec 2>%s; %s", path, script);
  fails(full, (struct tool){ .limit_ms = 300 }, "it has not ended within 0.3 s");
  FILE *f = fopen(path, "re");
  cr_assert_eq(fscanf(f, "%d %d", &pids[0], &pids[1]), 2);
  fclose(f);
  unlink(path);
  for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
    CLEANUP_FREE char *status = xasprintf("grep -qs '^State:.[RSDT]' /proc/%d/status && sleep 0.2 && "
                                          "grep -qs '^State:.[RSDT]' /proc/%d/status && echo lives",
                                          pids[i], pids[i]);
    (void)shell(status, (struct tool){ 0 }, &said, &err);
    cr_expect_null(said, "%d lives", pids[i]);
  }
}

Test(tool, one_that_closed_its_output_is_not_waited_for_longer) {
  fails("exec >&- 2>&-; sleep 987", (struct tool){ .errors_too = true, .limit_ms = 300 },
        "it has not ended within 0.3 s");
}

Test(tool, a_child_that_holds_the_output_holds_up_nobody) {
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  says("sleep 987 & echo one", (struct tool){ 0 }, "one\n");
  says("setsid sleep 4 & echo one", (struct tool){ 0 }, "one\n");
  clock_gettime(CLOCK_MONOTONIC, &end);
  cr_expect_lt(end.tv_sec - begin.tv_sec, SOON_MS / 1000);
}

Test(tool, one_that_says_too_much_is_ended) {
  fails("while :; do echo again and again; done", (struct tool){ .limit_ms = 60000 },
        "it says more than 65536 bytes");
}
