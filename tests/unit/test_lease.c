/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/lease.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "io/fileio.h"
#include "runtime/record.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[] = "/tmp/oh-lease.XXXXXX";
static char *dir, *root, *table;

static void setup(void) {
  cr_assert_not_null(mkdtemp(top));
  dir = xasprintf("%s/run/oci-harden", top);
  root = xasprintf("%s/root", top);
  table = xasprintf("%s/.leases/test", dir);
  cr_assert_eq(mkdir(root, 0700), 0);
}

static void teardown(void) {
  CLEANUP_FREE char *command = xasprintf("rm -rf %s", top);
  cr_assert_eq(system(command), 0);
  free(dir);
  free(root);
  free(table);
}

TestSuite(lease, .init = setup, .fini = teardown);

static bool is_odd(uint64_t n, void *arg) {
  (void)arg;
  return n % 2;
}

static const struct lease_kind kind = { .name = "test", .what = "test numbers", .count = 1000 };
static const struct lease_kind four = {
  .name = "test", .what = "test numbers", .count = 8, .excluded = is_odd
};

static struct lease take(const struct lease_kind *k, const char *id, const char *key, uint64_t first) {
  struct error err = { 0 };
  struct lease l;
  const struct lease_holder h = { root, id, key };
  cr_assert_eq(lease_take(dir, k, &h, first, &l, &err), 0, "%s", err.message);
  return l;
}

static struct lease claim(const char *id, const char *key, uint64_t number) {
  struct error err = { 0 };
  struct lease l;
  const struct lease_holder h = { root, id, key };
  cr_assert_eq(lease_claim(dir, &kind, &h, number, &l, &err), 0, "%s", err.message);
  return l;
}

static void give_back(const char *id, bool lives) {
  struct error err = { 0 };
  bool any;
  cr_assert_eq(lease_free_all(dir, root, id, lives, &any, &err), 0, "%s", err.message);
}

/* In a process that is gone afterwards. */
static void take_and_die(const struct lease_kind *k, const char *id, const char *key, uint64_t first) {
  pid_t pid = fork();
  if (pid == 0) {
    (void)take(k, id, key, first);
    _exit(0);
  }
  int status;
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  cr_assert_eq(status, 0);
}

static void make_container(const char *id, bool present) {
  CLEANUP_FREE char *path = xasprintf("%s/%s", root, id);
  cr_assert_eq(present ? mkdir(path, 0700) : rmdir(path), 0);
}

struct counts {
  size_t all, stale;
};

static void count(const struct lease_record *r, void *arg) {
  struct counts *c = arg;
  cr_expect_str_eq(r->kind, "test");
  cr_expect_str_eq(r->root, root);
  c->all++;
  c->stale += r->stale;
}

static struct counts scan(bool remove) {
  struct error err = { 0 };
  struct counts c = { 0 };
  cr_assert_eq(lease_scan(dir, remove, count, &c, &err), 0, "%s", err.message);
  return c;
}

Test(lease, each_container_has_its_own_number) {
  cr_expect_eq(take(&kind, "a", NULL, 5).number, 5);
  cr_expect_eq(take(&kind, "b", NULL, 5).number, 6);
  cr_expect_eq(take(&kind, "c", NULL, 1004).number, 4);
  cr_expect_eq(take(&kind, "d", NULL, 999).number, 999);
  cr_expect_eq(take(&kind, "e", NULL, 999).number, 0, "the search wraps");
}

Test(lease, asked_again_the_number_is_the_same_and_not_this_calls_to_take_back) {
  struct lease first = take(&kind, "a", NULL, 5);
  struct lease second = take(&kind, "a", NULL, 77);
  cr_expect(first.made);
  cr_expect_eq(second.number, 5);
  cr_expect_not(second.made);
  cr_expect_eq(scan(false).all, 1);
}

Test(lease, a_pod_has_one_number_until_its_last_container_is_gone) {
  cr_expect_eq(take(&kind, "pod", "pod", 5).number, 5);
  cr_expect_eq(take(&kind, "a", "pod", 9).number, 5);
  cr_expect_eq(take(&kind, "pod2", "pod2", 5).number, 6);
  give_back("pod", false);
  cr_expect_eq(take(&kind, "b", NULL, 5).number, 7, "a still has 5");
  cr_expect_eq(take(&kind, "c", "pod", 9).number, 5);
  give_back("a", false);
  give_back("c", false);
  cr_expect_eq(take(&kind, "d", NULL, 5).number, 5);
}

Test(lease, a_key_holds_within_its_root_only_and_is_no_container) {
  struct error err = { 0 };
  struct lease l;
  cr_expect_eq(take(&kind, "a", "pod", 5).number, 5);
  const struct lease_holder elsewhere = { "/elsewhere", "b", "pod" };
  cr_assert_eq(lease_take(dir, &kind, &elsewhere, 5, &l, &err), 0, "%s", err.message);
  cr_expect_eq(l.number, 6);
  cr_expect_eq(take(&kind, "pod", NULL, 5).number, 7, "a container of the key's name is not of the pod");
}

Test(lease, what_is_excluded_is_not_given_and_an_end_is_said) {
  struct error err = { 0 };
  struct lease l;
  const char *const ids[] = { "a", "b", "c", "d" };
  for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
    cr_expect_eq(take(&four, ids[i], NULL, 3).number % 2, 0);
  const struct lease_holder h = { root, "e", NULL };
  cr_assert_eq(lease_take(dir, &four, &h, 0, &l, &err), -1);
  cr_expect_eq(err.code, ERROR_REFUSED);
  cr_expect_str_eq(err.rule, "OH-STA-004");
  cr_expect_not_null(strstr(err.message, "none of the node's 8 test numbers is left"), "%s", err.message);
  give_back("c", false);
  cr_expect_eq(take(&four, "e", NULL, 0).number % 2, 0);
}

Test(lease, stale_is_who_died_and_left_no_container) {
  take_and_die(&four, "a", NULL, 0);
  take_and_die(&four, "b", NULL, 0);
  make_container("b", true);
  (void)take(&four, "c", NULL, 0);
  (void)take(&four, "d", NULL, 0);
  struct counts c = scan(false);
  cr_expect_eq(c.all, 4);
  cr_expect_eq(c.stale, 1);
  cr_expect_eq(take(&four, "e", NULL, 4).number, 0, "a's, which is the only one to be had");
  make_container("b", false);
  c = scan(true);
  cr_expect_eq(c.stale, 1);
  cr_expect_eq(scan(false).all, 3);
}

Test(lease, a_container_made_anew_is_another) {
  take_and_die(&kind, "a", NULL, 5);
  cr_expect(take(&kind, "a", NULL, 9).made);
  cr_expect_eq(scan(false).all, 1);
}

Test(lease, a_container_that_is_being_ended_keeps_it_until_then) {
  take_and_die(&kind, "a", NULL, 5);
  make_container("a", true);
  give_back("a", true);
  cr_expect_eq(take(&kind, "b", NULL, 5).number, 6);
  make_container("a", false);
  cr_expect_eq(scan(true).stale, 0, "this process is still at it");
  give_back("a", false);
  cr_expect_eq(take(&kind, "c", NULL, 5).number, 5);
}

Test(lease, a_claim_is_recorded_and_told_from_a_shared_one) {
  cr_expect_eq(claim("a", "pod", 7).number, 7);
  cr_expect_not(claim("b", "pod", 7).shared);
  cr_expect(claim("c", NULL, 7).shared);
  cr_expect_eq(take(&kind, "d", NULL, 7).number, 8);
  cr_expect_eq(take(&kind, "e", "pod", 50).number, 7);
  cr_expect_eq(claim("d", NULL, 20).number, 8, "it has one");
  cr_expect_eq(claim("f", NULL, UINT64_MAX).number, UINT64_MAX);
  (void)take(&kind, "g", NULL, 0);
}

Test(lease, the_table_shrinks_and_its_places_are_used_again) {
  struct stat st;
  for (int i = 0; i < 40; i++) {
    CLEANUP_FREE char *id = xasprintf("c%d", i);
    (void)take(&kind, id, NULL, 0);
  }
  cr_assert_eq(stat(table, &st), 0);
  cr_expect_eq(st.st_size, 40 * LEASE_RECORD);
  cr_expect_eq(st.st_mode & 0777, 0600);
  give_back("c3", false);
  cr_expect_eq(take(&kind, "again", NULL, 0).number, 3);
  for (int i = 0; i < 40; i++) {
    CLEANUP_FREE char *id = xasprintf("c%d", i);
    give_back(id, false);
  }
  give_back("again", false);
  cr_assert_eq(stat(table, &st), 0);
  cr_expect_eq(st.st_size, 0);
}

Test(lease, the_dead_do_not_make_it_grow) {
  struct stat st;
  for (int i = 0; i < 100; i++) {
    CLEANUP_FREE char *id = xasprintf("c%d", i);
    take_and_die(&kind, id, NULL, 0);
  }
  cr_assert_eq(stat(table, &st), 0);
  cr_expect_leq(st.st_size, 17 * LEASE_RECORD);
}

Test(lease, what_is_not_ours_is_not_believed) {
  struct error err = { 0 };
  struct lease l;
  const struct lease_holder h = { root, "b", NULL };
  (void)take(&kind, "a", NULL, 0);
  cr_assert_eq(chmod(table, 0622), 0);
  cr_expect_eq(lease_take(dir, &kind, &h, 0, &l, &err), -1);
  cr_expect_eq(err.code, ERROR_POLICY, "%s", err.message);
  cr_assert_eq(chmod(table, 0600), 0);

  CLEANUP_FD int fd = open(table, O_WRONLY | O_CLOEXEC);
  char bytes[LEASE_RECORD];
  memset(bytes, 'x', sizeof bytes);
  cr_assert_eq(pwrite(fd, bytes, 100, LEASE_RECORD), 100, "what a full disk cut off");
  cr_expect_eq(take(&kind, "b", NULL, 0).number, 1);
  cr_assert_eq(pwrite(fd, bytes, sizeof bytes, 0), (ssize_t)sizeof bytes);
  err = (struct error){ 0 };
  cr_expect_eq(lease_take(dir, &kind, &h, 0, &l, &err), -1);
  cr_expect_eq(err.code, ERROR_INPUT);
  cr_assert_eq(pwrite(fd, "OHLEASE", 8, 0), 8, "names that do not end");
  cr_expect_eq(lease_take(dir, &kind, &h, 0, &l, &err), -1);
}

Test(lease, names_that_do_not_fit_are_refused) {
  struct error err = { 0 };
  struct lease l;
  char id[LEASE_RECORD];
  memset(id, 'x', sizeof id - 1);
  id[sizeof id - 1] = '\0';
  const struct lease_holder h = { root, id, NULL };
  cr_expect_eq(lease_take(dir, &kind, &h, 0, &l, &err), -1);
  cr_expect_eq(err.code, ERROR_REFUSED);
}

Test(lease, nothing_to_free_makes_no_table) {
  give_back("a", false);
  cr_expect_eq(access(dir, F_OK), -1);
  cr_expect_eq(scan(true).all, 0);
}

/*
 * Eight processes take and free; one after the other is killed wherever it is, a thousand in all. Of the 24
 * numbers the living hold eight at most. Who is given a number writes itself down as its owner, and the one
 * before must be dead or have given it back.
 */
enum { WORKERS = 8, KILLS = 1000, NUMBERS = 24 };

struct board {
  _Atomic pid_t owner[NUMBERS];
  _Atomic unsigned long taken;
};

_Noreturn static void work(struct board *board, int self) {
  const struct lease_kind few = { .name = "test", .what = "test numbers", .count = NUMBERS };
  struct error err = { 0 };
  struct lease l;
  for (unsigned n = 0;; n++) {
    CLEANUP_FREE char *id = xasprintf("w%d-%d", self, (int)getpid());
    const struct lease_holder h = { root, id, NULL };
    if (lease_take(dir, &few, &h, (uint64_t)(n * 7) + (uint64_t)self, &l, &err) < 0)
      _exit(2);
    pid_t before = atomic_exchange(&board->owner[l.number], getpid());
    if (before != 0 && process_start(before) != 0)
      _exit(3);
    atomic_fetch_add(&board->taken, 1);
    if (atomic_exchange(&board->owner[l.number], 0) != getpid())
      _exit(4);
    if (lease_free(dir, "test", root, id, false, &err) < 0)
      _exit(5);
  }
}

static pid_t worker(struct board *board, int self) {
  pid_t pid = fork();
  cr_assert_geq(pid, 0);
  if (pid == 0)
    work(board, self);
  return pid;
}

Test(lease, no_two_ever_have_one_number_whoever_is_killed) {
  struct board *board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  cr_assert_neq(board, MAP_FAILED);
  pid_t pids[WORKERS];
  unsigned random = 7;
  for (int i = 0; i < WORKERS; i++)
    pids[i] = worker(board, i);
  for (int i = 0; i < KILLS + WORKERS; i++) {
    const int victim = i < KILLS ? rand_r(&random) % WORKERS : i - KILLS;
    int status;
    usleep((useconds_t)(rand_r(&random) % 2000));
    cr_expect_eq(kill(pids[victim], SIGKILL), 0);
    cr_assert_eq(waitpid(pids[victim], &status, 0), pids[victim]);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "worker ended with %d",
              WEXITSTATUS(status));
    if (i < KILLS)
      pids[victim] = worker(board, victim);
  }
  cr_expect_gt(board->taken, (unsigned long)KILLS);
  struct counts c = scan(true);
  cr_expect_eq(c.all, c.stale);
  cr_expect_eq(scan(true).all, 0);
  munmap(board, sizeof *board);
}

Test(lease, a_number_is_others_when_a_container_of_another_key_has_it) {
  struct error err = { 0 };
  bool others;
  (void)claim("a", "pod", 7);
  static const struct {
    const char *id, *key;
    uint64_t number;
    bool others;
  } cases[] = { { "b", "pod", 7, false },
                { "a", "pod", 7, false },
                { "b", "else", 7, true },
                { "b", NULL, 7, true },
                { "b", "else", 8, false } };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    const struct lease_holder h = { root, cases[i].id, cases[i].key };
    cr_assert_eq(lease_is_others(dir, &kind, &h, cases[i].number, &others, &err), 0, "%s", err.message);
    cr_expect_eq(others, cases[i].others, "%zu", i);
  }
}
