/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "io/path.h"
#include "tempdir.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char *top;
static int root = -1;

static void touch(const char *name) {
  int fd = openat(root, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  cr_assert(fd >= 0);
  close(fd);
}

static void setup(void) {
  top = tempdir_make("test_path");
  root = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
  cr_assert(root >= 0);
}

static void teardown(void) {
  close(root);
  tempdir_remove(top);
}

TestSuite(path, .init = setup, .fini = teardown);

/* A root file system with the links that images have, and those an attacker makes. */
static void make_rootfs(void) {
  cr_assert(mkdirat(root, "run", 0755) == 0);
  cr_assert(mkdirat(root, "run/lock", 0755) == 0);
  cr_assert(mkdirat(root, "var", 0755) == 0);
  cr_assert(mkdirat(root, "etc", 0755) == 0);
  touch("etc/hosts");
  cr_assert(symlinkat("../run", root, "var/run") == 0);
  cr_assert(symlinkat("/run", root, "var/abs") == 0);
  cr_assert(symlinkat("abs/lock", root, "var/twice") == 0);
  cr_assert(symlinkat("../../../../../../../../etc", root, "var/up") == 0);
  cr_assert(symlinkat("loop2", root, "loop1") == 0);
  cr_assert(symlinkat("loop1", root, "loop2") == 0);
  cr_assert(symlinkat("/nowhere/at/all", root, "dangling") == 0);
  cr_assert(symlinkat("/nowhere/../etc", root, "sly") == 0);
  cr_assert(symlinkat("/proc/self/root/etc", root, "magic") == 0);
  cr_assert(symlinkat("/etc/hosts", root, "file") == 0);
}

struct resolve_case {
  const char *path, *resolved; /* resolved NULL: refused */
  bool exists;
};

Test(path, resolve_in_root) {
  make_rootfs();
  static const struct resolve_case cases[] = {
    { "/", "/", true },
    { "/run", "/run", true },
    { "//run/./lock/", "/run/lock", true },
    { "run/lock", "/run/lock", true },
    { "/var/run", "/run", true },
    { "/var/run/lock", "/run/lock", true },
    { "/var/run/new/dir", "/run/new/dir", false },
    { "/var/abs/lock", "/run/lock", true },
    { "/var/twice", "/run/lock", true },
    { "/var/twice/x", "/run/lock/x", false },
    { "/var/up", "/etc", true },
    { "/var/up/hosts", "/etc/hosts", true },
    { "/etc/hosts", "/etc/hosts", true },
    { "/file", "/etc/hosts", true },
    { "/new", "/new", false },
    { "/new/er/still", "/new/er/still", false },
    { "/dangling", "/nowhere/at/all", false },
    { "/dangling/x", "/nowhere/at/all/x", false },
    { "/magic", "/proc/self/root/etc", false },
    { "/..", NULL, false },
    { "../etc", NULL, false },
    { "/run/../etc", NULL, false },
    { "/new/../etc", NULL, false },
    { "/sly", NULL, false },
    { "/loop1", NULL, false },
    { "/loop1/x", NULL, false },
    { "/etc/hosts/x", NULL, false },
    { "/file/x", NULL, false },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    CLEANUP_FREE char *resolved = NULL;
    bool exists = !cases[i].exists;
    struct error err = { 0 };
    int rc = path_resolve_in_root(root, cases[i].path, &resolved, &exists, &err);
    if (!cases[i].resolved) {
      cr_expect(rc == -1, "%s was not refused but is %s", cases[i].path, resolved);
      cr_expect(err.code == ERROR_REFUSED, "%s: %s", cases[i].path, err.message);
      cr_expect(strstr(err.message, cases[i].path) != NULL, "%s", err.message);
      continue;
    }
    cr_assert(rc == 0, "%s: %s", cases[i].path, err.message);
    cr_expect(strcmp(resolved, cases[i].resolved) == 0, "%s: %s", cases[i].path, resolved);
    cr_expect(exists == cases[i].exists, "%s", cases[i].path);
  }
}

Test(path, resolve_bounds_links_and_length) {
  char name[16], target[16];
  touch("l0");
  for (int i = 1; i <= 45; i++) {
    snprintf(name, sizeof name, "l%d", i);
    snprintf(target, sizeof target, "l%d", i - 1);
    cr_assert(symlinkat(target, root, name) == 0);
  }
  CLEANUP_FREE char *resolved = NULL;
  bool exists = false;
  struct error err = { 0 };
  cr_assert(path_resolve_in_root(root, "/l40", &resolved, &exists, &err) == 0, "%s", err.message);
  cr_expect(strcmp(resolved, "/l0") == 0 && exists);
  char *no = NULL;
  cr_expect(path_resolve_in_root(root, "/l41", &no, &exists, &err) == -1);
  cr_expect(err.code == ERROR_REFUSED);
  char longest[PATH_MAX + 10];
  memset(longest, 'a', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  longest[0] = '/';
  cr_expect(path_resolve_in_root(root, longest, &no, &exists, &err) == -1);
  cr_expect(err.code == ERROR_REFUSED);
}

static int opens(const char *path, enum resolve how) {
  int fd = path_open(root, path, O_RDONLY, 0, how);
  if (fd < 0)
    return errno;
  int flags = fcntl(fd, F_GETFD);
  close(fd);
  return flags & FD_CLOEXEC ? 0 : -1;
}

Test(path, open_sets) {
  make_rootfs();
  cr_expect(opens("var/run", RESOLVE_TRUSTED) == 0);
  cr_expect(opens("/etc", RESOLVE_TRUSTED) == 0); /* the host's */

  cr_expect(opens("var/run/lock", RESOLVE_LEAF) == 0);
  cr_expect(opens("file", RESOLVE_LEAF) == ELOOP);
  cr_expect(opens("/proc/self/fd/0", RESOLVE_LEAF) == ELOOP);
  cr_expect(opens("/proc/self/root/etc", RESOLVE_LEAF) == ELOOP);

  cr_expect(opens("run/lock", RESOLVE_INSIDE) == 0);
  cr_expect(opens("run/../etc", RESOLVE_INSIDE) == 0);
  cr_expect(opens("var/run/lock", RESOLVE_INSIDE) == ELOOP);
  cr_expect(opens("../", RESOLVE_INSIDE) == EXDEV);
  cr_expect(opens("/etc", RESOLVE_INSIDE) == EXDEV);

  cr_expect(opens("/var/run/lock", RESOLVE_ROOTFS) == 0);
  cr_expect(opens("/file", RESOLVE_ROOTFS) == 0);
  cr_expect(opens("/../../etc/hosts", RESOLVE_ROOTFS) == 0);
  cr_expect(opens("/etc/passwd", RESOLVE_ROOTFS) == ENOENT); /* the host has one */
  cr_expect(opens("/magic", RESOLVE_ROOTFS) == ENOENT);
}

Test(path, open_creates_with_mode) {
  mode_t old = umask(0);
  int fd = path_open(root, "made", O_WRONLY | O_CREAT | O_EXCL, 0640, RESOLVE_INSIDE);
  umask(old);
  cr_assert(fd >= 0);
  struct stat st;
  cr_assert(fstat(fd, &st) == 0);
  cr_expect((st.st_mode & 07777) == 0640);
  close(fd);
}

Test(path, is_clean) {
  static const char *const clean[] = { "/", "/a", "/a/b", "/a/", "/...", "/a/.b", "/..a", "/a.." };
  static const char *const dirty[] = { "",     "a",      "a/b", "//",    "/a//b", "/.",
                                       "/a/.", "/a/./b", "/..", "/a/..", "/../a", "./a" };
  for (size_t i = 0; i < ARRAY_SIZE(clean); i++)
    cr_expect(path_is_clean(clean[i]), "%s", clean[i]);
  for (size_t i = 0; i < ARRAY_SIZE(dirty); i++)
    cr_expect(!path_is_clean(dirty[i]), "%s", dirty[i]);
}

Test(path, normalise) {
  static const char *const cases[][2] = {
    { "/", "/" },
    { "//", "/" },
    { "/.", "/" },
    { "/a/", "/a" },
    { "//a///b/.//c/.", "/a/b/c" },
    { "/a/../b", "/a/../b" },
    { "/..", "/.." },
    { "/.a/b./...", "/.a/b./..." },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    CLEANUP_FREE char *out = path_normalise(cases[i][0]);
    cr_expect(strcmp(out, cases[i][1]) == 0, "%s: %s", cases[i][0], out);
  }
}

Test(path, is_below) {
  cr_expect(path_is_below("/a", "/a"));
  cr_expect(path_is_below("/a/b", "/a"));
  cr_expect(path_is_below("/a", "/"));
  cr_expect(path_is_below("/", "/"));
  cr_expect(!path_is_below("/ab", "/a"));
  cr_expect(!path_is_below("/", "/a"));
  cr_expect(!path_is_below("/a", "/a/b"));
}

Test(path, make_dirs) {
  CLEANUP_FREE char *path = xasprintf("%s/one//two/three/", top);
  struct error err = { 0 };
  mode_t old = umask(077);
  cr_assert(path_make_dirs(path, 0751, &err) == 0, "%s", err.message);
  umask(old);
  static const char *const made[] = { "one", "one/two", "one/two/three" };
  for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
    struct stat st;
    cr_assert(fstatat(root, made[i], &st, AT_SYMLINK_NOFOLLOW) == 0);
    cr_expect((st.st_mode & 07777) == 0751, "%s is %o", made[i], st.st_mode & 07777);
  }
  struct stat before, after;
  cr_assert(fstatat(root, ".", &before, 0) == 0);
  cr_assert(path_make_dirs(path, 0700, &err) == 0); /* there already: nothing changes */
  cr_assert(fstatat(root, "one", &after, 0) == 0);
  cr_expect((after.st_mode & 07777) == 0751);
  cr_assert(fstatat(root, ".", &after, 0) == 0);
  cr_expect(after.st_mode == before.st_mode);

  touch("plain");
  CLEANUP_FREE char *through = xasprintf("%s/plain/x", top);
  cr_expect(path_make_dirs(through, 0700, &err) == -1);
  cr_expect(err.code == ERROR_SYSTEM && err.sys == ENOTDIR && strstr(err.message, "/plain"), "%s",
            err.message);
  CLEANUP_FREE char *file = xasprintf("%s/plain", top);
  cr_expect(path_make_dirs(file, 0700, &err) == -1);
  cr_expect(path_make_dirs("relative", 0700, &err) == -1);
  cr_expect(err.code == ERROR_INTERNAL);
}
