/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/leftover.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "io/fileio.h"
#include "io/path.h"
#include "runtime/lease.h"
#include "runtime/record.h"
#include "runtime/state.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[] = "/tmp/oh-leftover.XXXXXX";
static char *dir, *root;

static void setup(void) {
  struct error err = { 0 };
  cr_assert_not_null(mkdtemp(top));
  dir = xasprintf("%s/oci-harden", top);
  root = xasprintf("%s/root", top);
  cr_assert_eq(path_make_dirs(root, 0700, &err), 0);
}

static void teardown(void) {
  CLEANUP_FREE char *command = xasprintf("rm -rf %s", top);
  cr_assert_eq(system(command), 0);
  free(dir);
  free(root);
}

TestSuite(leftover, .init = setup, .fini = teardown);

/* A container's directory, with a state unless `creator_start` is 0. Returns the locked fd. */
static int container(const char *id, uint64_t creator_start) {
  int fd;
  struct error err = { 0 };
  cr_assert_eq(state_lock(dir, root, id, true, &fd, &err), 0, "%s", err.message);
  if (!creator_start)
    return fd;
  CLEANUP_STATE struct state s = {
    .id = xstrdup(id),
    .root = xstrdup(root),
    .bundle = xstrdup("/b"),
    .created = xstrdup("2026-01-02T03:04:05Z"),
    .runtime = xstrdup("/usr/sbin/runc"),
    .policies_len = 1,
    .creator = getpid(),
    .creator_start = creator_start,
  };
  memset(s.before, 'a', sizeof s.before - 1);
  memset(s.after, 'b', sizeof s.after - 1);
  cr_assert_eq(policy_load("/nonexistent", "restricted", &s.policies[0], &err), 0, "%s", err.message);
  cr_assert_eq(state_save(fd, &s, &err), 0, "%s", err.message);
  return fd;
}

static bool exists(const char *id) {
  CLEANUP_FD int fd = -1;
  struct error err = { 0 };
  cr_assert_eq(state_open(dir, root, id, false, &fd, &err), 0, "%s", err.message);
  return fd >= 0;
}

static void known(const char *id) {
  CLEANUP_FREE char *path = xasprintf("%s/%s", root, id);
  cr_assert_eq(mkdir(path, 0700), 0);
}

static void touch(int fd, const char *name) {
  CLEANUP_FD int file = openat(fd, name, O_WRONLY | O_CREAT, 0600);
  cr_assert_geq(file, 0);
}

/* A start that no living process of this pid has. */
enum { DEAD = 1 };

static void containers(void) {
  close(container("gone", DEAD));
  close(container(".gone", DEAD));
  close(container("known", DEAD));
  known("known");
  close(container("living", process_start(getpid())));
  close(container("empty", 0));
}

Test(leftover, collection_spares_the_living_the_known_and_what_is_in_use) {
  containers();
  int held = container("held", 0);
  cr_expect(leftover_likely(dir, root));
  leftover_collect(dir, root);
  cr_expect_not(exists("gone"));
  cr_expect_not(exists(".gone"));
  cr_expect_not(exists("empty"));
  cr_expect(exists("known"));
  cr_expect(exists("living"));
  cr_expect(exists("held"));
  close(held);
}

Test(leftover, an_exec_that_raced_a_delete_leaves_a_file_that_is_collected) {
  CLEANUP_FREE char *dead = xasprintf("exec-%d-%d.json", (int)getpid(), DEAD);
  CLEANUP_FREE char *ours =
      xasprintf("exec-%d-%llu.json", (int)getpid(), (unsigned long long)process_start(getpid()));
  int fd = container("raced", 0);
  touch(fd, dead);
  close(fd);
  fd = container("racing", 0);
  touch(fd, ours);
  close(fd);
  leftover_collect(dir, root);
  cr_expect_not(exists("raced"));
  cr_expect(exists("racing"));
}

Test(leftover, is_likely_only_where_the_runtime_has_fewer) {
  cr_expect_not(leftover_likely(dir, root), "no state at all");
  close(container("a", DEAD));
  cr_expect(leftover_likely(dir, root));
  known("a");
  cr_expect_not(leftover_likely(dir, root));
  close(container("b", DEAD));
  cr_expect(leftover_likely(dir, root));
  known("b");
  known("not-of-ours");
  cr_expect_not(leftover_likely(dir, root));
}

struct seen {
  size_t kinds[LEFTOVER_UNKNOWN + 1];
  char *unknown;
};

static void see(const struct leftover *l, void *arg) {
  struct seen *s = arg;
  s->kinds[l->kind]++;
  if (l->kind == LEFTOVER_UNKNOWN)
    s->unknown = xstrdup(l->path);
}

static struct seen scan(bool remove) {
  struct seen s = { 0 };
  struct error err = { 0 };
  cr_assert_eq(leftover_scan(dir, remove, see, &s, &err), 0, "%s", err.message);
  return s;
}

Test(leftover, a_scan_tells_the_same_with_and_without_removing) {
  containers();
  for (int remove = 0; remove < 2; remove++) {
    struct seen s = scan(remove);
    cr_expect_eq(s.kinds[LEFTOVER_GONE], 2);
    cr_expect_eq(s.kinds[LEFTOVER_EMPTY], 1);
    cr_expect_eq(s.kinds[LEFTOVER_FILE], 0);
    cr_expect_eq(s.kinds[LEFTOVER_UNKNOWN], 0);
    cr_expect_eq(exists("gone"), !remove);
    cr_expect_eq(exists("empty"), !remove);
    cr_expect(exists("known"));
    cr_expect(exists("living"));
  }
  struct seen s = scan(true);
  cr_expect_eq(s.kinds[LEFTOVER_GONE] + s.kinds[LEFTOVER_EMPTY], 0);
}

Test(leftover, files_of_dead_processes_go_those_of_the_living_stay) {
  CLEANUP_FREE char *ours =
      xasprintf("exec-%d-%llu.json", (int)getpid(), (unsigned long long)process_start(getpid()));
  CLEANUP_FREE char *dead = xasprintf("exec-%d-%d.json", (int)getpid(), DEAD);
  int fd = container("known", DEAD);
  known("known");
  touch(fd, ours);
  touch(fd, dead);
  touch(fd, ".state.json.oci-harden.1.00000000");
  close(fd);
  cr_expect_eq(scan(true).kinds[LEFTOVER_FILE], 2);
  fd = container("known", 0);
  cr_expect_eq(faccessat(fd, ours, F_OK, 0), 0);
  cr_expect_eq(faccessat(fd, "state.json", F_OK, 0), 0);
  cr_expect_neq(faccessat(fd, dead, F_OK, 0), 0);
  close(fd);
}

Test(leftover, what_is_in_use_is_left_alone) {
  CLEANUP_FD int fd = container("gone", DEAD);
  cr_expect_eq(scan(true).kinds[LEFTOVER_GONE], 0);
  cr_expect(exists("gone"));
}

Test(leftover, what_is_not_understood_is_told_and_kept) {
  struct error err = { 0 };
  int fd = container("broken", 0);
  cr_assert_eq(file_replace(fd, "state.json", "{", 1, NULL, &err), 0);
  close(fd);
  struct seen s = scan(true);
  cr_expect_eq(s.kinds[LEFTOVER_UNKNOWN], 1);
  cr_expect(str_ends(s.unknown, "/broken"), "%s", s.unknown);
  free(s.unknown);
  cr_expect(exists("broken"));
  fd = container("broken", DEAD);
  cr_assert_eq(fchmod(fd, 0777), 0);
  close(fd);
  s = scan(true);
  cr_expect_eq(s.kinds[LEFTOVER_UNKNOWN], 1);
  free(s.unknown);
}

Test(leftover, an_empty_node_is_no_error) {
  cr_expect_eq(scan(true).kinds[LEFTOVER_GONE], 0);
  close(container("gone", DEAD));
  scan(true);
  CLEANUP_FREE char *name = state_root_name(root);
  CLEANUP_FREE char *path = xasprintf("%s/%s", dir, name);
  cr_expect_neq(access(path, F_OK), 0, "the root's directory goes with its last container");
}

Test(leftover, what_the_dead_have_leased_is_one) {
  const struct lease_kind kind = { .name = "test", .what = "numbers", .count = 9 };
  pid_t pid = fork();
  if (pid == 0) {
    struct error err = { 0 };
    struct lease l;
    _exit(lease_take(dir, &kind, &(struct lease_holder){ root, "a", NULL }, 3, &l, &err) != 0);
  }
  int status;
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  cr_assert_eq(status, 0);
  known("a");
  cr_expect_eq(scan(true).kinds[LEFTOVER_LEASE], 0);
  CLEANUP_FREE char *path = xasprintf("%s/a", root);
  cr_assert_eq(rmdir(path), 0);
  cr_expect_eq(scan(false).kinds[LEFTOVER_LEASE], 1);
  cr_expect_eq(scan(true).kinds[LEFTOVER_LEASE], 1);
  cr_expect_eq(scan(true).kinds[LEFTOVER_LEASE], 0);
}
