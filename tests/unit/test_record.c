/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/record.h"

#include "base/cleanup.h"
#include "io/fileio.h"
#include "tempdir.h"
#include "words.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* TOP/x/link leads to TOP/real/sub; we stand in the latter, and the shell says so by the former. */
static char *top;

static char *make(const char *name) {
  char *path = xasprintf("%s/%s", top, name);
  cr_assert_eq(mkdir(path, 0700), 0, "%s", path);
  return path;
}

static void setup(void) {
  static const char *const names[] = { "real", "real/sub", "real/root", "x", "x/root" };
  top = tempdir_make("oh-record");
  for (size_t i = 0; i < ARRAY_SIZE(names); i++)
    free(make(names[i]));
  CLEANUP_FREE char *sub = xasprintf("%s/real/sub", top);
  CLEANUP_FREE char *link = xasprintf("%s/x/link", top);
  cr_assert_eq(symlink(sub, link), 0);
  cr_assert_eq(chdir(link), 0);
  cr_assert_eq(setenv("PWD", sub, 1), 0);
}

static void teardown(void) {
  cr_assert_eq(chdir("/"), 0);
  tempdir_remove(top);
}

TestSuite(record, .init = setup, .fini = teardown);

/* What is found, below TOP; NULL: refused. An @ in the line is TOP. */
static void expect(const char *line, enum runtime_kind kind, const char *found) {
  CLEANUP_COMMAND struct command c = { 0 };
  CLEANUP_FREE char *root = NULL;
  const char *at = strchr(line, '@');
  CLEANUP_FREE char *text = at ? xasprintf("%.*s%s%s", (int)(at - line), line, top, at + 1) : xstrdup(line);
  CLEANUP_FREE char *wanted = xasprintf("%s/%s", top, found ? found : "");
  struct error err = { 0 };
  cr_assert_eq(command_parse(&c, words(text), &err), 0, "%s: %s", text, err.message);
  const int result = record_root(&c, kind, &root, &err);
  cr_expect_eq(result, found ? 0 : -1, "%s: %s", text, err.message);
  if (found)
    cr_expect_str_eq(root, wanted, "%s", text);
  else
    cr_expect_str_eq(err.rule, "OH-CMD-023");
}

#define BOTH(line, found)                                                                                    \
  expect(line, RUNTIME_RUNC, found);                                                                         \
  expect(line, RUNTIME_CRUN, found)

Test(record, a_root_is_one_directory_by_any_of_its_names) {
  BOTH("--root @/x/root start c", "x/root");
  BOTH("--root @/x/link/root start c", "real/sub/root");
  BOTH("--root @//x/./root/ start c", "x/root");
  BOTH("--root @/x/..root start c", "x/..root");
  BOTH("--root @/x/root/../root start c", "x/root");
  BOTH("--root @/none/yet start c", "none/yet");
  BOTH("--root ../root start c", "real/root");
  BOTH("--root root start c", "real/sub/root");
}

Test(record, a_root_that_text_and_kernel_find_apart_is_refused) {
  BOTH("--root @/x/link/../root start c", NULL);
  BOTH("--root @/x/link/.. start c", NULL);
  BOTH("--root @/none/../root start c", NULL);
  BOTH("--root= start c", NULL);
}

Test(record, the_shells_word_counts_where_it_is_true) {
  CLEANUP_FREE char *link = xasprintf("%s/x/link", top);
  cr_assert_eq(setenv("PWD", link, 1), 0);
  BOTH("--root ../root start c", NULL);
  BOTH("--root root start c", "real/sub/root");
  CLEANUP_FREE char *parent = xasprintf("%s/x/link/../sub", top);
  cr_assert_eq(setenv("PWD", parent, 1), 0);
  BOTH("--root root start c", NULL);
  cr_assert_eq(setenv("PWD", "/", 1), 0); /* is another directory */
  BOTH("--root ../root start c", "real/root");
}

Test(record, crun_reads_a_relative_root_from_the_bundle) {
  expect("--root root create --bundle @ c", RUNTIME_CRUN, NULL);
  expect("--root root create --bundle @ c", RUNTIME_RUNC, "real/sub/root");
  expect("--root root create c", RUNTIME_CRUN, "real/sub/root");
  expect("--root root create --bundle . c", RUNTIME_CRUN, "real/sub/root");
  expect("--root root create --bundle @/x/link c", RUNTIME_CRUN, "real/sub/root");
}

Test(record, without_a_root_it_is_where_the_runtime_goes_by_its_environment) {
  CLEANUP_FREE char *dir = xasprintf("%s/x", top), *parent = xasprintf("%s/x/link/..", top);
  const char *const ours[] = { "/run/runc", "/run/crun" };
  CLEANUP_COMMAND struct command c = { 0 };
  struct error err = { 0 };
  cr_assert_eq(command_parse(&c, words("start c"), &err), 0);
  for (enum runtime_kind kind = RUNTIME_RUNC; kind <= RUNTIME_CRUN; kind++)
    for (int i = 0; i < 2; i++) {
      CLEANUP_FREE char *root = NULL;
      cr_assert_eq(i ? setenv("XDG_RUNTIME_DIR", "", 1) : unsetenv("XDG_RUNTIME_DIR"), 0);
      cr_assert_eq(record_root(&c, kind, &root, &err), 0);
      cr_expect_str_eq(root, ours[kind == RUNTIME_CRUN]);
    }
  cr_assert_eq(setenv("XDG_RUNTIME_DIR", dir, 1), 0);
  cr_assert_eq(setenv("USER", "root", 1), 0);
  expect("start c", RUNTIME_CRUN, "x/crun");
  BOTH("--root @/x/root start c", "x/root");
  cr_assert_eq(setenv("XDG_RUNTIME_DIR", parent, 1), 0);
  expect("start c", RUNTIME_CRUN, NULL);
  cr_assert_eq(setenv("XDG_RUNTIME_DIR", "x", 1), 0);
  expect("create --bundle @ c", RUNTIME_CRUN, NULL);
}

/* In a user namespace, as its root: a process of one thread may make one. */
static char *root_inside(const struct command *c) {
  int ends[2];
  char text[64] = { 0 };
  cr_assert_eq(pipe(ends), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    struct error err = { 0 };
    char *root = NULL;
    const bool told = unshare(CLONE_NEWUSER) == 0 &&
                      file_append("/proc/self/uid_map", "0 0 1", 5, &err) == 0 && geteuid() == 0 &&
                      record_root(c, RUNTIME_RUNC, &root, &err) == 0 &&
                      write_all(ends[1], root, strlen(root)) == 0;
    _exit(!told);
  }
  int status = -1;
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  cr_assert_eq(status, 0);
  cr_assert_gt(read(ends[0], text, sizeof text - 1), 0);
  close(ends[0]);
  close(ends[1]);
  return xstrdup(text);
}

/* Of two that have uid 0 runc knows a user namespace's by its ids, and where it is called root not even that.
 */
Test(record_as_root, runc_heeds_it_in_a_user_namespace) {
  CLEANUP_COMMAND struct command c = { 0 };
  struct error err = { 0 };
  cr_assert_eq(command_parse(&c, words("start c"), &err), 0);
  cr_assert_eq(setenv("XDG_RUNTIME_DIR", "/tmp", 1), 0);
  static const char *const names[] = { "alice", "root" };
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    CLEANUP_FREE char *root = NULL;
    cr_assert_eq(setenv("USER", names[i], 1), 0);
    CLEANUP_FREE char *inside = root_inside(&c);
    cr_expect_str_eq(inside, i ? "/run/runc" : "/tmp/runc");
    cr_assert_eq(record_root(&c, RUNTIME_RUNC, &root, &err), 0);
    cr_expect_str_eq(root, "/run/runc");
  }
}
