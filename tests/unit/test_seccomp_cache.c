/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/cache.h"
#include "seccomp/simulate.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[] = "/tmp/harden-cache-XXXXXX";
static char *dir;
static struct seccomp_cache cache;

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
  (void)st, (void)flag, (void)ftw;
  return remove(path);
}

static void setup(void) {
  cr_assert_not_null(mkdtemp(top));
  dir = xasprintf("%s/a/cache", top); /* made when the first entry is stored */
  cache.dir = dir;
}

static void teardown(void) {
  nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
  free(dir);
}

TestSuite(seccomp_cache, .init = setup, .fini = teardown);

static struct sock_filter filter[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
                                       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
static const struct seccomp_program program = { filter, 2 };

static struct seccomp_cache_key key_of(const char *a, const char *b) {
  struct seccomp_cache_key key;
  const struct seccomp_cache_part parts[] = { { a, strlen(a) }, { b, strlen(b) } };
  seccomp_cache_key(&key, parts, 2);
  return key;
}

static void store(const struct seccomp_cache_key *key, const char *text) {
  CLEANUP_STR struct str json = { 0 };
  str_add(&json, text);
  seccomp_cache_store(&cache, key, &json, &program);
}

/* What is there for the key; NULL: nothing. The caller frees. */
static char *load(const struct seccomp_cache_key *key) {
  struct str json = { 0 };
  CLEANUP_SECCOMP_PROGRAM struct seccomp_program loaded = { 0 };
  if (!seccomp_cache_load(&cache, key, &json, &loaded)) {
    cr_assert_null(json.data);
    cr_assert_null(loaded.filter);
    return NULL;
  }
  cr_assert_eq(loaded.len, program.len);
  cr_assert_arr_eq(loaded.filter, filter, sizeof filter);
  return str_steal(&json);
}

static bool holds(const struct seccomp_cache_key *key, const char *text) {
  CLEANUP_FREE char *found = load(key);
  return found && strcmp(found, text) == 0;
}

static bool empty(const struct seccomp_cache_key *key) {
  CLEANUP_FREE char *found = load(key);
  return !found;
}

/* The one entry in the directory; the caller frees. */
static char *entry_path(void) {
  DIR *d = opendir(dir);
  cr_assert_not_null(d);
  char *path = NULL;
  for (const struct dirent *e; (e = readdir(d));)
    if (str_starts(e->d_name, "seccomp-")) {
      cr_assert_null(path);
      path = xasprintf("%s/%s", dir, e->d_name);
    }
  closedir(d);
  cr_assert_not_null(path);
  return path;
}

Test(seccomp_cache, gives_back_what_was_stored) {
  struct seccomp_cache_key key = key_of("engine", "policy");
  cr_assert(empty(&key));
  store(&key, "{\"a\":1}");
  cr_assert(holds(&key, "{\"a\":1}"));
  struct stat st;
  CLEANUP_FREE char *path = entry_path();
  cr_assert_eq(stat(path, &st), 0);
  cr_assert_eq(st.st_mode & 07777, 0600);
  cr_assert_eq(stat(dir, &st), 0);
  cr_assert_eq(st.st_mode & 07777, 0700);
  store(&key, "{\"a\":2}"); /* replaced */
  cr_assert(holds(&key, "{\"a\":2}"));
}

Test(seccomp_cache, keys_tell_parts_apart) {
  struct seccomp_cache_key a = key_of("ab", "c"), b = key_of("a", "bc"), c = key_of("ab", "c");
  cr_assert_neq(memcmp(&a, &b, sizeof a), 0);
  cr_assert_eq(memcmp(&a, &c, sizeof a), 0);
  store(&a, "{}");
  cr_assert(empty(&b));
}

/* Each byte of an entry, one after the other; and each shorter length. */
Test(seccomp_cache, ignores_what_was_tampered_with_and_replaces_it) {
  struct seccomp_cache_key key = key_of("engine", "policy");
  store(&key, "{\"a\":1}");
  CLEANUP_FREE char *path = entry_path();
  int fd = open(path, O_RDWR);
  cr_assert_geq(fd, 0);
  struct stat st;
  cr_assert_eq(fstat(fd, &st), 0);
  for (off_t at = 0; at < st.st_size; at++) {
    unsigned char byte;
    cr_assert_eq(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
    cr_assert(empty(&key), "byte %d", (int)at);
    byte ^= 0x10;
    cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
  }
  cr_assert(holds(&key, "{\"a\":1}"));
  cr_assert_eq(pwrite(fd, "x", 1, st.st_size), 1); /* longer */
  cr_assert(empty(&key));
  for (off_t len = st.st_size - 1; len >= 0; len--) {
    cr_assert_eq(ftruncate(fd, len), 0);
    cr_assert(empty(&key), "length %d", (int)len);
  }
  close(fd);
  store(&key, "{\"a\":3}");
  cr_assert(holds(&key, "{\"a\":3}"));
}

Test(seccomp_cache, trusts_only_plain_files_of_ours) {
  struct seccomp_cache_key key = key_of("engine", "policy"), other = key_of("engine", "other");
  store(&key, "{}");
  CLEANUP_FREE char *path = entry_path();
  static const mode_t modes[] = { 0640, 0604, 0660, 0602, 04600, 0400 };
  for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
    cr_assert_eq(chmod(path, modes[i]), 0);
    cr_assert(empty(&key), "mode %o", modes[i]);
  }
  cr_assert_eq(chmod(path, 0600), 0);
  cr_assert(holds(&key, "{}"));
  if (geteuid() == 0) {
    cr_assert_eq(chown(path, 65534, 0), 0);
    cr_assert(empty(&key));
    cr_assert_eq(chown(path, 0, 0), 0);
    cr_assert_eq(chown(dir, 65534, 0), 0);
    cr_assert(empty(&key));
    cr_assert_eq(chown(dir, 0, 0), 0);
  }
  cr_assert_eq(chmod(dir, 0755), 0);
  cr_assert(empty(&key));
  store(&other, "{}"); /* nothing is written into it either */
  cr_assert_eq(chmod(dir, 0700), 0);
  cr_assert(empty(&other));
  cr_assert(holds(&key, "{}"));
  /* another key's entry under this key's name */
  store(&other, "{\"b\":1}");
  CLEANUP_FREE char *aside = xasprintf("%s/aside", top);
  cr_assert_eq(rename(path, aside), 0);
  CLEANUP_FREE char *others = entry_path();
  cr_assert_eq(rename(others, path), 0);
  cr_assert(empty(&key));
  cr_assert_eq(unlink(path), 0);
  cr_assert_eq(symlink(aside, path), 0);
  cr_assert(empty(&key));
  cr_assert_eq(unlink(path), 0);
  cr_assert_eq(mkfifo(path, 0600), 0); /* and does not wait for a writer */
  cr_assert(empty(&key));
  store(&key, "{\"c\":1}");
  cr_assert(holds(&key, "{\"c\":1}"));
}

Test(seccomp_cache, is_bounded) {
  for (int i = 0; i < SECCOMP_CACHE_ENTRIES + 20; i++) {
    CLEANUP_FREE char *name = xasprintf("%d", i);
    struct seccomp_cache_key key = key_of(name, "");
    store(&key, "{}");
    cr_assert(holds(&key, "{}")); /* the newest is never the one to go */
  }
  DIR *d = opendir(dir);
  size_t entries = 0;
  for (const struct dirent *e; (e = readdir(d));)
    entries += e->d_name[0] != '.';
  closedir(d);
  cr_assert_eq(entries, SECCOMP_CACHE_ENTRIES);
}

/* Eight processes store, load and delete the same few keys. Whatever is found is whole. */
Test(seccomp_cache, is_safe_under_concurrency, .timeout = 60) {
  pid_t pids[8];
  for (int p = 0; p < 8; p++) {
    pids[p] = fork();
    cr_assert_geq(pids[p], 0);
    if (pids[p] == 0) {
      for (int i = 0; i < 150; i++) {
        CLEANUP_FREE char *name = xasprintf("%d", i % 5);
        struct seccomp_cache_key key = key_of(name, "");
        struct str json = { 0 };
        struct seccomp_program loaded = { 0 };
        if (seccomp_cache_load(&cache, &key, &json, &loaded) &&
            (strcmp(json.data, name) != 0 || loaded.len != 2 ||
             memcmp(loaded.filter, filter, sizeof filter) != 0))
          _exit(1);
        str_free(&json);
        seccomp_program_free(&loaded);
        str_add(&json, name);
        seccomp_cache_store(&cache, &key, &json, &program);
        str_free(&json);
        if (i % 10 == p) { /* the whole cache goes, as an administrator or a reboot would do it */
          DIR *d = opendir(dir);
          for (const struct dirent *e; d && (e = readdir(d));)
            unlinkat(dirfd(d), e->d_name, 0);
          if (d)
            closedir(d);
        }
      }
      _exit(0);
    }
  }
  for (int p = 0; p < 8; p++) {
    int status = 0;
    cr_assert_eq(waitpid(pids[p], &status, 0), pids[p]);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "process %d: %#x", p, status);
  }
}

/* Where nothing can be kept, nothing fails. */
Test(seccomp_cache, needs_no_directory) {
  cache.dir = "/proc/no/such/place";
  struct seccomp_cache_key key = key_of("engine", "policy");
  store(&key, "{}");
  cr_assert(empty(&key));
}
