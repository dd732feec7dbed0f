/* SPDX-License-Identifier: Apache-2.0 */
#include "install/edit.h"
#include "tempdir.h"
#include "testfile.h"

#include <criterion/criterion.h>
#include <string.h>

Test(install_edit, a_diff_reads_as_diff_writes_it) {
  CLEANUP_STR struct str out = { 0 };
  text_diff("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\nx", "1\n2\nthree\n4\n5\n6\n7\n8\n9\n10\n", &out);
  cr_assert_str_eq(out.data,
                   "--- f\n+++ f\n@@ -1,10 +1,10 @@\n 1\n 2\n-3\n+three\n 4\n 5\n 6\n 7\n 8\n 9\n-x\n"
                   "\\ No newline at end of file\n+10\n");
  str_free(&out);
  text_diff("f", "same\n", "same\n", &out);
  cr_assert_eq(out.len, 0);
  text_diff("f", NULL, "new\n", &out);
  cr_assert_str_eq(out.data, "--- /dev/null\n+++ f\n@@ -0,0 +1 @@\n+new\n");
  str_free(&out);
  text_diff("f", "old\n", NULL, &out);
  cr_assert_str_eq(out.data, "--- f\n+++ /dev/null\n@@ -1 +0,0 @@\n-old\n");
}

/* patch(1) makes the second text of the first. */
Test(install_edit, any_diff_applies) {
  char *dir = tempdir_make("oh-diff");
  unsigned seed = 7;
  for (int round = 0; round < 60; round++) {
    CLEANUP_STR struct str a = { 0 };
    CLEANUP_STR struct str b = { 0 };
    CLEANUP_STR struct str diff = { 0 };
    const int lines = rand_r(&seed) % 40 + 1;
    for (int i = 0; i < lines; i++) {
      const int what = rand_r(&seed) % 8, which = rand_r(&seed) % 5;
      if (what != 0)
        str_addf(&a, "line %d\n", which);
      if (what != 1)
        str_addf(&b, what == 2 ? "other %d\n" : "line %d\n", which);
    }
    if (!a.data || !b.data)
      continue;
    text_diff("f", a.data, b.data, &diff);
    CLEANUP_FREE char *file = tempdir_put(dir, "f", a.data);
    CLEANUP_FREE char *patch = tempdir_put(dir, "d", diff.data ? diff.data : "");
    CLEANUP_FREE char *command = xasprintf("cd %s && { [ ! -s d ] || patch -s f d; }", dir);
    cr_assert_eq(system(command), 0, "%s", diff.data);
    CLEANUP_FREE char *made = testfile_read(file);
    cr_assert_str_eq(made, b.data, "%s", diff.data);
  }
  tempdir_remove(dir);
}

Test(install_edit, the_last_is_cut) {
  CLEANUP_STR struct str text = { 0 };
  cr_assert_not(text_cut(&text, "a"));
  str_add(&text, "a b a");
  cr_assert_not(text_cut(&text, "c"));
  cr_assert_not(text_cut(&text, ""));
  cr_assert(text_cut(&text, "a"));
  cr_assert_str_eq(text.data, "a b ");
  cr_assert(text_cut(&text, "a b "));
  cr_assert_str_eq(text.data, "");
}
