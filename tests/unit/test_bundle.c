/* SPDX-License-Identifier: Apache-2.0 */
#include "io/fileio.h"
#include "runtime/bundle.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[] = "/tmp/oh-bundle.XXXXXX";
enum { LIMIT = 1 << 20 };

static void put(const char *name, const char *text) {
  CLEANUP_FREE char *path = xasprintf("%s/%s", dir, name);
  CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  cr_assert(fd >= 0 && write_all(fd, text, strlen(text)) == 0);
}

static void expect(const char *name, const char *text) {
  CLEANUP_FREE char *path = xasprintf("%s/%s", dir, name);
  CLEANUP_FREE char *data = NULL;
  size_t len;
  struct error err = { 0 };
  cr_assert_eq(file_read(AT_FDCWD, path, RESOLVE_LEAF, LIMIT, &data, &len, NULL, &err), 0, "%s", err.message);
  cr_expect_str_eq(data, text);
}

static void setup(void) {
  cr_assert_not_null(mkdtemp(dir));
  put("config.json", "engine");
}

static void teardown(void) {
  CLEANUP_FREE char *command = xasprintf("rm -rf %s", dir);
  cr_assert_eq(system(command), 0);
}

TestSuite(bundle, .init = setup, .fini = teardown);

static void replace(const char *text) {
  CLEANUP_BUNDLE struct bundle b = BUNDLE_NONE;
  struct error err = { 0 };
  cr_assert_eq(bundle_open(&b, dir, NULL, LIMIT, &err), 0, "%s", err.message);
  cr_assert_eq(bundle_replace(&b, text, strlen(text), &err), 0, "%s", err.message);
}

Test(bundle, replacing_keeps_mode_and_the_engines_text) {
  replace("hard");
  expect("config.json", "hard");
  expect("config.engine.json", "engine");
  CLEANUP_FREE char *path = xasprintf("%s/config.json", dir);
  CLEANUP_FREE char *kept = xasprintf("%s/config.engine.json", dir);
  struct stat st;
  cr_assert_eq(stat(path, &st), 0);
  cr_expect_eq(st.st_mode & 07777, 0640);
  cr_assert_eq(stat(kept, &st), 0);
  cr_expect_eq(st.st_mode & 07777, 0600);
}

Test(bundle, a_second_policy_keeps_the_true_original) {
  replace("hard");
  replace("harder");
  expect("config.json", "harder");
  expect("config.engine.json", "engine");
}

Test(bundle, an_engines_rewrite_is_a_new_original) {
  replace("hard");
  nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
  put("config.json", "engine again");
  replace("hard again");
  expect("config.json", "hard again");
  expect("config.engine.json", "engine again");
}

Test(bundle, revert_puts_back_what_was_read) {
  CLEANUP_BUNDLE struct bundle b = BUNDLE_NONE;
  struct error err = { 0 };
  cr_assert_eq(bundle_open(&b, dir, NULL, LIMIT, &err), 0);
  cr_assert_eq(bundle_revert(&b, &err), 0, "nothing to revert is fine");
  cr_assert_eq(bundle_replace(&b, "hard", 4, &err), 0);
  cr_assert_eq(bundle_revert(&b, &err), 0);
  expect("config.json", "engine");
}

Test(bundle, cruns_config_file_is_edited_where_it_is) {
  CLEANUP_BUNDLE struct bundle b = BUNDLE_NONE;
  struct error err = { 0 };
  CLEANUP_FREE char *sub = xasprintf("%s/sub", dir);
  CLEANUP_FREE char *config = xasprintf("%s/sub/spec", dir);
  cr_assert_eq(mkdir(sub, 0755), 0);
  put("sub/spec", "spec");
  cr_assert_eq(bundle_open(&b, dir, config, LIMIT, &err), 0, "%s", err.message);
  cr_expect_str_eq(b.path, dir);
  cr_assert_eq(bundle_replace(&b, "hard", 4, &err), 0, "%s", err.message);
  expect("sub/spec", "hard");
  expect("sub/spec.engine", "spec");
  expect("config.json", "engine");
}

Test(bundle, what_is_no_regular_file_is_refused) {
  CLEANUP_FREE char *path = xasprintf("%s/config.json", dir);
  struct error err = { 0 };
  CLEANUP_BUNDLE struct bundle b = BUNDLE_NONE;
  cr_assert_eq(unlink(path), 0);
  cr_expect_eq(bundle_open(&b, dir, NULL, LIMIT, &err), -1, "none there");
  cr_assert_eq(symlink("/etc/passwd", path), 0);
  cr_expect_eq(bundle_open(&b, dir, NULL, LIMIT, &err), -1, "a link");
  cr_assert_eq(unlink(path), 0);
  cr_assert_eq(mkfifo(path, 0600), 0);
  cr_expect_eq(bundle_open(&b, dir, NULL, LIMIT, &err), -1, "a fifo");
}

Test(bundle, a_missing_bundle_is_named) {
  CLEANUP_BUNDLE struct bundle b = BUNDLE_NONE;
  struct error err = { 0 };
  cr_expect_eq(bundle_open(&b, "/nonexistent/bundle", NULL, LIMIT, &err), -1);
  cr_expect_not_null(strstr(err.message, "/nonexistent/bundle"));
  cr_expect_eq(err.sys, ENOENT);
}

Test(bundle, more_than_the_limit_is_refused) {
  CLEANUP_BUNDLE struct bundle b = BUNDLE_NONE;
  struct error err = { 0 };
  cr_expect_eq(bundle_open(&b, dir, NULL, 3, &err), -1);
  cr_expect_eq(err.code, ERROR_INPUT);
}

Test(bundle, two_wrappers_take_turns, .timeout = 20) {
  enum { PROCESSES = 4, ROUNDS = 25 };
  pid_t children[PROCESSES];
  for (int p = 0; p < PROCESSES; p++) {
    children[p] = fork();
    if (children[p] != 0)
      continue;
    for (int i = 0; i < ROUNDS; i++) {
      struct bundle b = BUNDLE_NONE;
      struct error err = { 0 };
      CLEANUP_FREE char *next = NULL;
      if (bundle_open(&b, dir, NULL, LIMIT, &err) < 0)
        _exit(1);
      next = xasprintf("%sx", b.text);
      if (bundle_replace(&b, next, strlen(next), &err) < 0)
        _exit(2);
      bundle_close(&b);
    }
    _exit(0);
  }
  for (int p = 0; p < PROCESSES; p++) {
    int status;
    waitpid(children[p], &status, 0);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  CLEANUP_BUNDLE struct bundle b = BUNDLE_NONE;
  struct error err = { 0 };
  cr_assert_eq(bundle_open(&b, dir, NULL, LIMIT, &err), 0);
  cr_expect_eq(b.src.len, strlen("engine") + PROCESSES * ROUNDS, "an update was lost: %zu", b.src.len);
  expect("config.engine.json", "engine");
}
