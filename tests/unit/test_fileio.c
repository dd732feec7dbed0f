/* SPDX-License-Identifier: Apache-2.0 */
#include "io/fileio.h"
#include "tempdir.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static char *top;
static int dir = -1;

static void setup(void) {
  top = tempdir_make("test_fileio");
  dir = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
  cr_assert(dir >= 0);
}

static void teardown(void) {
  close(dir);
  tempdir_remove(top);
}

TestSuite(fileio, .init = setup, .fini = teardown, .timeout = 20);

static void put(int at, const char *name, const char *text, mode_t mode) {
  int fd = openat(at, name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  cr_assert(fd >= 0);
  cr_assert(write_all(fd, text, strlen(text)) == 0);
  cr_assert(fchmod(fd, mode) == 0);
  close(fd);
}

static void expect_content(int at, const char *name, const char *text) {
  CLEANUP_FREE char *data = NULL;
  size_t len = 0;
  struct error err = { 0 };
  cr_assert(file_read(at, name, RESOLVE_INSIDE, 1 << 20, &data, &len, NULL, &err) == 0, "%s", err.message);
  cr_expect(len == strlen(text) && strcmp(data, text) == 0, "%s holds %s", name, data);
}

static size_t count_entries(int at) {
  int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *d = fdopendir(fd);
  cr_assert(d != NULL);
  size_t n = 0;
  for (const struct dirent *e; (e = readdir(d));)
    n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
  closedir(d);
  return n;
}

static int try_read(const char *name, enum resolve how, size_t limit, struct error *err) {
  CLEANUP_FREE char *data = NULL;
  size_t len = 0;
  *err = (struct error){ 0 };
  return file_read(dir, name, how, limit, &data, &len, NULL, err);
}

Test(fileio, read_limit_is_exact) {
  put(dir, "f", "12345", 0600);
  struct error err;
  cr_expect(try_read("f", RESOLVE_INSIDE, 5, &err) == 0);
  cr_expect(try_read("f", RESOLVE_INSIDE, 4, &err) == -1);
  cr_expect(err.code == ERROR_INPUT && strstr(err.message, "4 bytes") && strstr(err.message, "f is larger"),
            "%s", err.message);
  put(dir, "empty", "", 0600);
  expect_content(dir, "empty", "");
}

Test(fileio, read_gives_stat_of_what_was_read) {
  put(dir, "f", "x", 0640);
  CLEANUP_FREE char *data = NULL;
  size_t len = 0;
  struct stat st, want;
  struct error err = { 0 };
  cr_assert(file_read(dir, "f", RESOLVE_LEAF, 10, &data, &len, &st, &err) == 0);
  cr_assert(fstatat(dir, "f", &want, 0) == 0);
  cr_expect(st.st_ino == want.st_ino && (st.st_mode & 07777) == 0640);
}

/* Blocks for ever without O_NONBLOCK. */
Test(fileio, read_refuses_what_is_no_file) {
  struct error err;
  cr_assert(mkfifoat(dir, "fifo", 0600) == 0);
  cr_expect(try_read("fifo", RESOLVE_INSIDE, 10, &err) == -1 && err.code == ERROR_INPUT, "%s", err.message);
  cr_assert(mkdirat(dir, "sub", 0700) == 0);
  cr_expect(try_read("sub", RESOLVE_INSIDE, 10, &err) == -1 && err.code == ERROR_INPUT, "%s", err.message);
  cr_expect(try_read("/dev/null", RESOLVE_TRUSTED, 10, &err) == -1 && err.code == ERROR_INPUT);

  struct sockaddr_un addr = { .sun_family = AF_UNIX };
  snprintf(addr.sun_path, sizeof addr.sun_path, "%s/sock", top);
  int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  cr_assert(bind(sock, (struct sockaddr *)&addr, sizeof addr) == 0);
  cr_expect(try_read("sock", RESOLVE_INSIDE, 10, &err) == -1 && err.code == ERROR_INPUT, "%s", err.message);
  close(sock);

  cr_expect(try_read("gone", RESOLVE_INSIDE, 10, &err) == -1);
  cr_expect(err.code == ERROR_SYSTEM && err.sys == ENOENT);
  put(dir, "f", "x", 0600);
  cr_assert(symlinkat("f", dir, "link") == 0);
  cr_expect(try_read("link", RESOLVE_LEAF, 10, &err) == -1 && err.sys == ELOOP);
  cr_expect(try_read("link", RESOLVE_TRUSTED, 10, &err) == 0);
}

Test(fileio, read_fd_of_a_pipe_that_comes_in_pieces) {
  int p[2];
  cr_assert(pipe(p) == 0);
  enum { TOTAL = 300000 };
  pid_t child = fork();
  if (child == 0) {
    close(p[0]);
    char piece[1000];
    memset(piece, 'z', sizeof piece);
    for (int i = 0; i < TOTAL / 1000; i++)
      if (write_all(p[1], piece, sizeof piece) < 0)
        _exit(1);
    _exit(0);
  }
  close(p[1]);
  CLEANUP_FREE char *data = NULL;
  size_t len = 0;
  struct error err = { 0 };
  cr_expect(file_read_fd(p[0], "pipe", TOTAL, &data, &len, &err) == 0, "%s", err.message);
  cr_expect(len == TOTAL && strlen(data) == TOTAL);
  close(p[0]);
  waitpid(child, NULL, 0);
  cr_expect(file_read_fd(-1, "nothing", 10, &data, &len, &err) == -1 && err.sys == EBADF);
}

static int try_trusted(const char *name, struct error *err) {
  CLEANUP_FREE char *path = xasprintf("%s/%s", top, name);
  CLEANUP_FREE char *data = NULL;
  size_t len = 0;
  *err = (struct error){ 0 };
  return file_read_trusted(path, 100, &data, &len, err);
}

Test(fileio, trusted) {
  struct error err;
  put(dir, "f", "ok", 0644);
  cr_expect(try_trusted("f", &err) == 0, "%s", err.message);
  static const mode_t bad[] = { 0664, 0646, 0666, 0620, 0602 };
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    put(dir, "f", "ok", bad[i]);
    cr_expect(try_trusted("f", &err) == -1 && err.code == ERROR_POLICY, "%o", bad[i]);
    cr_expect(strstr(err.message, "go-w") != NULL, "%s", err.message);
  }
  cr_assert(mkfifoat(dir, "fifo", 0600) == 0);
  cr_expect(try_trusted("fifo", &err) == -1 && err.code == ERROR_POLICY);
  cr_assert(symlinkat("g", dir, "link") == 0);
  put(dir, "g", "ok", 0600);
  cr_expect(try_trusted("link", &err) == 0);
  cr_expect(try_trusted("gone", &err) == -1 && err.code == ERROR_SYSTEM && err.sys == ENOENT);
  if (geteuid() != 0)
    return;
  cr_assert(fchownat(dir, "g", 12345, 0, 0) == 0);
  cr_expect(try_trusted("g", &err) == -1 && err.code == ERROR_POLICY);
  cr_expect(strstr(err.message, "12345") != NULL, "%s", err.message);
}

Test(fileio, replace_new_and_old) {
  struct error err = { 0 };
  cr_assert(file_replace(dir, "config.json", "one", 3, NULL, &err) == 0, "%s", err.message);
  expect_content(dir, "config.json", "one");
  struct stat st;
  cr_assert(fstatat(dir, "config.json", &st, 0) == 0);
  cr_expect((st.st_mode & 07777) == 0600);

  struct stat like = st;
  like.st_mode = S_IFREG | 04644;
  if (geteuid() == 0)
    like.st_uid = 1234, like.st_gid = 4321;
  mode_t old = umask(0777);
  cr_assert(file_replace(dir, "config.json", "three", 5, &like, &err) == 0, "%s", err.message);
  umask(old);
  struct stat now;
  cr_assert(fstatat(dir, "config.json", &now, 0) == 0);
  cr_expect((now.st_mode & 07777) == 0644 && now.st_uid == like.st_uid && now.st_gid == like.st_gid);
  cr_expect(now.st_ino != st.st_ino, "written in place");
  expect_content(dir, "config.json", "three");
  cr_expect(count_entries(dir) == 1);
}

/* Whoever holds the old file open, or a link to it, keeps the old bytes: nothing is written in place. */
Test(fileio, replace_does_not_write_through_links) {
  struct error err = { 0 };
  put(dir, "old", "old", 0600);
  cr_assert(linkat(dir, "old", dir, "config.json", 0) == 0);
  cr_assert(file_replace(dir, "config.json", "new", 3, NULL, &err) == 0);
  expect_content(dir, "old", "old");
  expect_content(dir, "config.json", "new");
  cr_assert(symlinkat("old", dir, "soft") == 0);
  cr_assert(file_replace(dir, "soft", "new", 3, NULL, &err) == 0);
  expect_content(dir, "old", "old");
  expect_content(dir, "soft", "new");
}

Test(fileio, replace_refuses_names) {
  static const char *const names[] = { "", ".", "..", "a/b", "/etc/x", "../x" };
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    struct error err = { 0 };
    cr_expect(file_replace(dir, names[i], "x", 1, NULL, &err) == -1 && err.code == ERROR_INTERNAL, "%s",
              names[i]);
  }
  cr_expect(count_entries(dir) == 0);
}

static void expect_untouched_after_failure(int at, int sys, const char *data, size_t len,
                                           const struct stat *like) {
  size_t entries = count_entries(at);
  struct error err = { 0 };
  cr_expect(file_replace(at, "config.json", data, len, like, &err) == -1);
  cr_expect(err.code == ERROR_SYSTEM && err.sys == sys, "%s", err.message);
  expect_content(at, "config.json", "old");
  cr_expect(count_entries(at) == entries, "something was left behind");
}

Test(fileio, replace_on_a_full_file_system) {
  cr_assert(mkdirat(dir, "small", 0700) == 0);
  CLEANUP_FREE char *path = xasprintf("%s/small", top);
  if (mount("tmpfs", path, "tmpfs", 0, "size=64k") < 0)
    cr_skip_test("cannot mount a tmpfs");
  int at = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  put(at, "config.json", "old", 0600);
  CLEANUP_FREE char *big = xcalloc(1, 100000);
  expect_untouched_after_failure(at, ENOSPC, big, 100000, NULL);
  close(at);
  cr_expect(umount(path) == 0);
}

Test(fileio, replace_in_a_read_only_mount) {
  cr_assert(mkdirat(dir, "ro", 0700) == 0);
  CLEANUP_FREE char *path = xasprintf("%s/ro", top);
  if (mount("tmpfs", path, "tmpfs", 0, "size=64k") < 0)
    cr_skip_test("cannot mount a tmpfs");
  int at = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  put(at, "config.json", "old", 0600);
  cr_assert(mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
  expect_untouched_after_failure(at, EROFS, "new", 3, NULL);
  close(at);
  cr_expect(umount(path) == 0);
}

Test(fileio, replace_without_permission_or_room) {
  put(dir, "config.json", "old", 0600);
  cr_assert(mkdirat(dir, "target", 0700) == 0);
  struct error err = { 0 };
  cr_expect(file_replace(dir, "target", "x", 1, NULL, &err) == -1 && err.sys == EISDIR, "%s", err.message);
  cr_expect(count_entries(dir) == 2);

  pid_t child = fork();
  if (child == 0) { /* limits and ids of its own */
    struct rlimit limit = { 1000, 1000 };
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
      _exit(2);
    char data[2000] = { 0 };
    _exit(file_replace(dir, "config.json", data, sizeof data, NULL, &err) == -1 && err.sys == EFBIG ? 0 : 1);
  }
  int status = -1;
  cr_assert(waitpid(child, &status, 0) == child);
  cr_expect(status == 0);
  expect_content(dir, "config.json", "old");
  cr_expect(count_entries(dir) == 2);
  if (geteuid() != 0)
    return;
  child = fork();
  if (child == 0) { /* may not write the directory, then may not give the file away */
    if (setgid(65534) < 0 || setuid(65534) < 0)
      _exit(2);
    _exit(file_replace(dir, "config.json", "x", 1, NULL, &err) == -1 && err.sys == EACCES ? 0 : 1);
  }
  cr_assert(waitpid(child, &status, 0) == child);
  cr_expect(status == 0);
  cr_assert(fchownat(dir, "target", 65534, 65534, 0) == 0);
  int at = openat(dir, "target", O_PATH | O_DIRECTORY | O_CLOEXEC);
  put(at, "config.json", "old", 0644);
  struct stat like;
  cr_assert(fstatat(at, "config.json", &like, 0) == 0 && like.st_uid == 0);
  child = fork();
  if (child == 0) {
    if (fchdir(at) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
      _exit(2);
    _exit(file_replace(AT_FDCWD, "config.json", "x", 1, &like, &err) == -1 && err.sys == EPERM ? 0 : 1);
  }
  cr_assert(waitpid(child, &status, 0) == child);
  cr_expect(status == 0);
  expect_content(at, "config.json", "old");
  cr_expect(count_entries(at) == 1);
  close(at);
}

Test(fileio, replace_removes_what_dead_writers_left) {
  pid_t dead = fork();
  if (dead == 0)
    _exit(0);
  cr_assert(waitpid(dead, NULL, 0) == dead);
  CLEANUP_FREE char *gone = xasprintf(".config.json.oci-harden.%d.0011", (int)dead);
  CLEANUP_FREE char *alive = xasprintf(".config.json.oci-harden.%d.0011", (int)getppid());
  CLEANUP_FREE char *other = xasprintf(".other.json.oci-harden.%d.0011", (int)dead);
  static const char *const strange[] = { ".config.json.oci-harden.", ".config.json.oci-harden.-1.x",
                                         ".config.json.oci-harden.99999999999999999999.x",
                                         ".config.json.oci-harden.x", ".config.json.oci-harden.12345" };
  put(dir, gone, "secret", 0600);
  put(dir, alive, "", 0600);
  put(dir, other, "", 0600);
  for (size_t i = 0; i < ARRAY_SIZE(strange); i++)
    put(dir, strange[i], "", 0600);
  struct error err = { 0 };
  cr_assert(file_replace(dir, "config.json", "new", 3, NULL, &err) == 0);
  cr_expect(faccessat(dir, gone, F_OK, 0) < 0 && errno == ENOENT);
  cr_expect(faccessat(dir, alive, F_OK, 0) == 0, "a living writer's file was removed");
  cr_expect(faccessat(dir, other, F_OK, 0) == 0);
  cr_expect(count_entries(dir) == 3 + ARRAY_SIZE(strange));
}

/* A writer of another user is alive although we may not signal it. */
Test(fileio, replace_leaves_other_users_writers_alone) {
  if (geteuid() != 0)
    cr_skip_test("needs root");
  CLEANUP_FREE char *other = xasprintf(".config.json.oci-harden.%d.0011", (int)getppid());
  put(dir, other, "", 0600);
  cr_assert(fchownat(dir, ".", 65534, 65534, 0) == 0);
  pid_t child = fork();
  if (child == 0) {
    struct error err = { 0 };
    if (setgid(65534) < 0 || setuid(65534) < 0)
      _exit(2);
    _exit(file_replace(dir, "config.json", "new", 3, NULL, &err) == 0 ? 0 : 1);
  }
  int status = -1;
  cr_assert(waitpid(child, &status, 0) == child && status == 0);
  cr_expect(faccessat(dir, other, F_OK, 0) == 0);
}

/* A reader never sees anything but one whole version. */
Test(fileio, replace_is_atomic_for_readers) {
  enum { SIZE = 50000, ROUNDS = 300 };
  CLEANUP_FREE char *data = xcalloc(1, SIZE);
  memset(data, 'a', SIZE);
  struct error err = { 0 };
  cr_assert(file_replace(dir, "f", data, SIZE, NULL, &err) == 0);
  pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < ROUNDS; i++) {
      memset(data, 'a' + i % 26, SIZE);
      if (file_replace(dir, "f", data, SIZE, NULL, &err) < 0)
        _exit(1);
    }
    _exit(0);
  }
  int status = -1;
  while (waitpid(child, &status, WNOHANG) == 0) {
    CLEANUP_FREE char *seen = NULL;
    size_t len = 0;
    cr_assert(file_read(dir, "f", RESOLVE_INSIDE, SIZE, &seen, &len, NULL, &err) == 0, "%s", err.message);
    cr_assert(len == SIZE && seen[0] == seen[SIZE - 1] && seen[0] == seen[SIZE / 2]);
  }
  cr_expect(status == 0);
}

Test(fileio, append) {
  CLEANUP_FREE char *path = xasprintf("%s/log", top);
  struct error err = { 0 };
  mode_t old = umask(0);
  cr_assert(file_append(path, "one\n", 4, &err) == 0, "%s", err.message);
  umask(old);
  cr_assert(file_append(path, "two\n", 4, &err) == 0);
  expect_content(dir, "log", "one\ntwo\n");
  struct stat st;
  cr_assert(fstatat(dir, "log", &st, 0) == 0);
  cr_expect((st.st_mode & 07777) == 0600);

  cr_assert(symlinkat("log", dir, "link") == 0);
  CLEANUP_FREE char *link = xasprintf("%s/link", top);
  cr_expect(file_append(link, "x", 1, &err) == -1 && err.sys == ELOOP);
  cr_expect(file_append("/dev/full", "x", 1, &err) == -1 && err.sys == ENOSPC);
  cr_assert(mkfifoat(dir, "fifo", 0600) == 0);
  CLEANUP_FREE char *fifo = xasprintf("%s/fifo", top);
  cr_expect(file_append(fifo, "x", 1, &err) == -1 && err.code == ERROR_SYSTEM);
  expect_content(dir, "log", "one\ntwo\n");
}

Test(fileio, append_counts_a_short_write_as_no_space) {
  pid_t child = fork();
  if (child == 0) {
    struct rlimit limit = { 10, 10 };
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
      _exit(2);
    CLEANUP_FREE char *path = xasprintf("%s/log", top);
    struct error err = { 0 };
    _exit(file_append(path, "0123456789abcdef", 16, &err) == -1 && err.sys == ENOSPC ? 0 : 1);
  }
  int status = -1;
  cr_assert(waitpid(child, &status, 0) == child);
  cr_expect(status == 0);
}
