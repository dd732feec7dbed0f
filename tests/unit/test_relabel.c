/* SPDX-License-Identifier: Apache-2.0 */
/* Where no SELinux is switched on the kernel keeps security.selinux as any other attribute of root's. */
#include "base/cleanup.h"
#include "lsm/relabel.h"

#include "tempdir.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define OLD "system_u:object_r:var_t:s0"
#define NEW "system_u:object_r:container_file_t:s0:c1,c2"

static char *dir;

static char *below(const char *name) {
  return xasprintf("%s/tree%s", dir, name);
}

static void set_label(const char *path, const char *label) {
  cr_assert(lsetxattr(path, "security.selinux", label, strlen(label) + 1, 0) == 0, "%s", path);
}

static void expect_label(const char *name, const char *label) {
  CLEANUP_FREE char *path = below(name);
  char text[256] = "none";
  (void)!lgetxattr(path, "security.selinux", text, sizeof text - 1);
  cr_expect(strcmp(text, label) == 0, "%s: %s", name, text);
}

static void put(const char *name) {
  CLEANUP_FREE char *path = below(name);
  const int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  cr_assert(fd >= 0);
  close(fd);
  set_label(path, OLD);
}

static void put_dir(const char *name) {
  CLEANUP_FREE char *path = below(name);
  cr_assert(mkdir(path, 0700) == 0);
  set_label(path, OLD);
}

static void setup(void) {
  cr_assert(geteuid() == 0, "run as root");
  dir = tempdir_make("oh-relabel");
  put_dir("");
  put_dir("/d");
  put("/d/file");
}

static void teardown(void) {
  tempdir_remove(dir);
}

static int relabel(unsigned *ret_changed, struct error *err) {
  CLEANUP_FREE char *path = below("");
  return relabel_tree(path, NEW, ret_changed, err);
}

static void expect_refused(const char *text) {
  struct error err = { 0 };
  unsigned changed;
  cr_expect(relabel(&changed, &err) < 0);
  cr_expect(strstr(err.message, text), "%s", err.message);
  expect_label("", OLD);
  expect_label("/d", OLD);
  expect_label("/d/file", OLD);
}

TestSuite(relabel_as_root, .init = setup, .fini = teardown);

Test(relabel_as_root, everything_below_has_the_label_once) {
  CLEANUP_FREE char *fifo = below("/fifo");
  struct error err = { 0 };
  unsigned changed;
  cr_assert(mkfifo(fifo, 0600) == 0);
  cr_assert(relabel(&changed, &err) == 0, "%s", err.message);
  cr_expect(changed == 4, "%u", changed);
  expect_label("", NEW);
  expect_label("/d", NEW);
  expect_label("/d/file", NEW);
  expect_label("/fifo", NEW);
  cr_assert(relabel(&changed, &err) == 0 && changed == 0);
}

Test(relabel_as_root, one_file) {
  CLEANUP_FREE char *path = below("/d/file");
  struct error err = { 0 };
  unsigned changed;
  cr_assert(relabel_tree(path, NEW, &changed, &err) == 0 && changed == 1, "%s", err.message);
  expect_label("/d/file", NEW);
  expect_label("/d", OLD);
}

Test(relabel_as_root, a_link_is_labelled_and_not_followed) {
  CLEANUP_FREE char *outside = xasprintf("%s/outside", dir), *inner = xasprintf("%s/outside/f", dir);
  CLEANUP_FREE char *link = below("/link"), *file_link = below("/file-link");
  struct error err = { 0 };
  unsigned changed;
  cr_assert(mkdir(outside, 0700) == 0 && mknod(inner, S_IFREG | 0600, 0) == 0);
  set_label(outside, OLD);
  set_label(inner, OLD);
  cr_assert(symlink(outside, link) == 0 && symlink(inner, file_link) == 0);
  cr_assert(relabel(&changed, &err) == 0, "%s", err.message);
  expect_label("/link", NEW);
  expect_label("/file-link", NEW);
  expect_label("/../outside", OLD);
  expect_label("/../outside/f", OLD);
}

Test(relabel_as_root, a_path_with_a_link_is_refused) {
  CLEANUP_FREE char *link = xasprintf("%s/link", dir), *tree = below(""),
                    *through = xasprintf("%s/link/d", dir);
  struct error err = { 0 };
  unsigned changed;
  cr_assert(symlink(tree, link) == 0);
  cr_expect(relabel_tree(link, NEW, &changed, &err) < 0 && err.sys == ELOOP, "%s", err.message);
  err = (struct error){ 0 };
  cr_expect(relabel_tree(through, NEW, &changed, &err) < 0 && err.sys == ELOOP, "%s", err.message);
  expect_label("", OLD);
  expect_label("/d", OLD);
}

Test(relabel_as_root, a_file_with_a_name_outside_is_refused_before_anything_is_changed) {
  CLEANUP_FREE char *outside = xasprintf("%s/outside", dir), *name = below("/d/other");
  cr_assert(mknod(outside, S_IFREG | 0600, 0) == 0);
  set_label(outside, OLD);
  cr_assert(link(outside, name) == 0);
  expect_refused("has 2 names");
  expect_label("/../outside", OLD);
  /* One that has the label already is fine. */
  set_label(outside, NEW);
  struct error err = { 0 };
  unsigned changed;
  cr_expect(relabel(&changed, &err) == 0 && changed == 3, "%s", err.message);
}

Test(relabel_as_root, what_is_mounted_below_and_devices_keep_their_labels) {
  CLEANUP_FREE char *mounted = below("/mounted"), *device = below("/null");
  struct error err = { 0 };
  unsigned changed;
  cr_assert(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
  cr_assert(mkdir(mounted, 0700) == 0 && mount("none", mounted, "tmpfs", 0, NULL) == 0);
  put("/mounted/file");
  cr_assert(mknod(device, S_IFCHR | 0600, makedev(1, 3)) == 0);
  set_label(device, OLD);
  const int rc = relabel(&changed, &err);
  expect_label("/mounted/file", OLD);
  expect_label("/null", OLD);
  cr_assert(umount2(mounted, MNT_DETACH) == 0);
  cr_expect(rc == 0, "%s", err.message);
  expect_label("/d/file", NEW);
}

Test(relabel_as_root, a_tree_that_is_too_deep_is_refused) {
  struct str path = { 0 };
  str_add(&path, "/d");
  for (int i = 0; i < RELABEL_DEPTH_MAX; i++) {
    str_add(&path, "/d");
    put_dir(path.data);
  }
  expect_refused("deeper than");
  str_free(&path);
}
