/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/record.h"

#include "base/cleanup.h"
#include "tempdir.h"
#include "words.h"

#include <criterion/criterion.h>
#include <stdlib.h>
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
  const int result = record_root(&c, kind, "/run/oci-harden", &root, &err);
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
