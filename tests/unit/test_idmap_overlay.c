/* SPDX-License-Identifier: Apache-2.0 */
/* What an overlay is made of, from lines that kernels wrote for containerd, docker and podman, and from
 * hostile ones. */
#include "idmap/mapping.h"
#include "idmap/overlay.h"
#include "io/path.h"
#include "tempdir.h"

#include <criterion/criterion.h>
#include <string.h>

static void parse(const char *options, struct overlay *ret) {
  struct error err = { 0 };
  cr_assert_eq(overlay_parse(options, ret, &err), 0, "%s: %s", options, err.message);
}

static void refused(const char *options, const char *why) {
  struct error err = { 0 };
  struct overlay o = { 0 };
  cr_expect_eq(overlay_parse(options, &o, &err), -1, "%s was taken", options);
  cr_expect_eq(err.code, ERROR_INPUT, "%s", options);
  cr_expect(strstr(err.message, why), "%s: %s", options, err.message);
  cr_expect_eq(o.lower.len, 0);
}

static void expect_lower(const struct overlay *o, const char *const *names) {
  size_t len = 0;
  for (; names[len]; len++) {
    cr_assert_lt(len, o->lower.len, "no layer %s", names[len]);
    cr_expect_str_eq(o->lower.items[len], names[len]);
  }
  cr_expect_eq(o->lower.len, len);
}

#define LOWER(...)                                                                                           \
  (const char *const[]) {                                                                                    \
    __VA_ARGS__, NULL                                                                                        \
  }

/* Linux 6.18 wrote this for: mount -o 'lowerdir=a\,b:c\:d:e f:e\\x,upperdir=u\,p,workdir=wk'. */
Test(overlay, names_are_escaped_twice) {
  CLEANUP_OVERLAY struct overlay o;
  parse("rw,lowerdir=a\\134\\054b:c\\134:d:e\\040f:e\\134\\134x,upperdir=u\\134\\054p,workdir=wk,uuid=on",
        &o);
  expect_lower(&o, LOWER("a,b", "c:d", "e f", "e\\x"));
  cr_expect_str_eq(o.upper, "u,p");
  cr_expect_str_eq(o.work, "wk");
  cr_expect_eq(o.kept.len, 1);
  cr_expect_str_eq(o.kept.items[0], "uuid=on");
  cr_expect(!o.readonly && !o.is_volatile && o.data == 0);
}

Test(overlay, names_given_by_the_newer_calls_are_escaped_once) {
  CLEANUP_OVERLAY struct overlay o;
  parse("rw,lowerdir+=/a\\054b,lowerdir+=/c:d\\134e,datadir+=/data,upperdir=/u,workdir=/w", &o);
  expect_lower(&o, LOWER("/a,b", "/c:d\\e", "/data"));
  cr_expect_eq(o.data, 1);
}

Test(overlay, options_that_make_the_same_overlay_are_kept) {
  CLEANUP_OVERLAY struct overlay o;
  parse("rw,seclabel,context=\"system_u:object_r:container_file_t:s0:c1,c2\",lowerdir=/l,upperdir=/"
        "u,workdir=/w,"
        "redirect_dir=on,uuid=null,index=on,metacopy=on,xino=off,nfs_export=on,volatile,userxattr",
        &o);
  const char *const kept[] = { "context=\"system_u:object_r:container_file_t:s0:c1,c2\"",
                               "redirect_dir=on",
                               "uuid=null",
                               "index=on",
                               "metacopy=on",
                               "xino=off",
                               "nfs_export=on",
                               "volatile",
                               "userxattr" };
  cr_assert_eq(o.kept.len, ARRAY_SIZE(kept));
  for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
    cr_expect_str_eq(o.kept.items[i], kept[i]);
  cr_expect(o.is_volatile);
}

Test(overlay, volatile_has_two_spellings) {
  CLEANUP_OVERLAY struct overlay o;
  parse("rw,lowerdir=g:e\\040f,upperdir=up,workdir=wk,redirect_dir=on,uuid=on,metacopy=on,fsync=volatile",
        &o);
  cr_expect(o.is_volatile);
}

Test(overlay, without_an_upper_directory_it_is_readonly) {
  CLEANUP_OVERLAY struct overlay o;
  parse("ro,lowerdir=/a:/b", &o);
  expect_lower(&o, LOWER("/a", "/b"));
  cr_expect(o.readonly && !o.upper && !o.work);
  cr_expect_eq(o.kept.len, 0);
}

Test(overlay, layers_of_data_only) {
  CLEANUP_OVERLAY struct overlay o;
  parse("ro,lowerdir=/a:/b::/c::/d", &o);
  expect_lower(&o, LOWER("/a", "/b", "/c", "/d"));
  cr_expect_eq(o.data, 2);
  CLEANUP_FREE char *options = overlay_options(&o);
  cr_expect_str_eq(options, "lowerdir=/a:/b::/c::/d");
}

Test(overlay, what_is_no_overlay) {
  refused("", "no lowerdir");
  refused("rw", "no lowerdir");
  refused("rw,lowerdir=", "empty name");
  refused("rw,lowerdir=/a:", "empty name");
  refused("rw,lowerdir=:/a", "empty name");
  refused("rw,lowerdir=::/a", "empty name");
  refused("rw,lowerdir=/a:::/b", "empty name");
  refused("rw,lowerdir=/a::/b:/c", "data only");
  refused("rw,lowerdir=/a,lowerdir=/b", "twice");
  refused("rw,datadir+=/a", "no lowerdir");
  refused("rw,lowerdir+=", "empty");
  refused("rw,lowerdir+=/a,datadir+=/b,lowerdir+=/c", "data only");
  refused("rw,lowerdir=/a,upperdir=/u", "one of");
  refused("rw,lowerdir=/a,workdir=/w", "one of");
  refused("rw,lowerdir=/a,upperdir=/u,upperdir=/v,workdir=/w", "twice");
  refused("rw,lowerdir=/a,upperdir=,workdir=/w", "empty");
  refused("rw,lowerdir=/a,unknown=x\\054index=off", "comma");
}

Test(overlay, more_layers_than_the_kernel_takes) {
  CLEANUP_STR struct str text = { 0 };
  str_add(&text, "ro,lowerdir=/0");
  for (int i = 1; i < OVERLAY_LAYERS_MAX; i++)
    str_addf(&text, ":/%d", i);
  CLEANUP_OVERLAY struct overlay o;
  parse(text.data, &o);
  cr_expect_eq(o.lower.len, OVERLAY_LAYERS_MAX);
  str_add(&text, ":/more");
  refused(text.data, "more layers");
}

/* mountinfo */

static const char mountinfo[] = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n"
                                "68 27 0:39 / /rootfs rw,nodev,relatime shared:4 - overlay overlay "
                                "rw,lowerdir=/below,upperdir=/x/fs,workdir=/x/work\n"
                                "668 68 0:40 / /rootfs rw,nosuid,relatime - overlay a\\040b "
                                "rw,lowerdir=/top\\040one,upperdir=/y/fs,workdir=/y/work\n"
                                "70 27 0:41 / /t rw - tmpfs lowerdir=/no rw,size=4k\n";

Test(overlay, is_found_by_the_mounts_id) {
  CLEANUP_OVERLAY struct overlay o = { 0 };
  CLEANUP_FREE char *type = NULL;
  struct error err = { 0 };
  cr_assert_eq(overlay_find(mountinfo, 668, &type, &o, &err), 0, "%s", err.message);
  cr_expect_str_eq(type, "overlay");
  expect_lower(&o, LOWER("/top one"));
  cr_expect_eq(o.flags, MS_NOSUID);
}

Test(overlay, what_is_mounted_is_told_where_it_is_none) {
  CLEANUP_OVERLAY struct overlay o = { 0 };
  CLEANUP_FREE char *type = NULL;
  struct error err = { 0 };
  cr_assert_eq(overlay_find(mountinfo, 70, &type, &o, &err), 0, "%s", err.message);
  cr_expect_str_eq(type, "tmpfs");
  cr_expect_eq(o.lower.len, 0);
}

Test(overlay, a_mount_that_is_not_there) {
  struct overlay o;
  char *type = NULL;
  struct error err = { 0 };
  cr_expect_eq(overlay_find(mountinfo, 66, &type, &o, &err), -1);
  cr_expect_eq(overlay_find("68 27 0:39 / /rootfs rw - overlay\n", 68, &type, &o, &err), -1);
  cr_expect_eq(overlay_find("68 27 0:39 / /r rw - overlay o rw,lowerdir=/a", 68, &type, &o, &err), -1);
  cr_expect_null(type);
}

/* Relative names */

static void make_dirs(const char *top, const char *const *names) {
  for (; *names; names++) {
    struct error err = { 0 };
    CLEANUP_FREE char *path = xasprintf("%s/%s", top, *names);
    cr_assert_eq(path_make_dirs(path, 0700, &err), 0, "%s", err.message);
  }
}

static void settle(struct overlay *o, const char *options, const char *place) {
  struct error err = { 0 };
  parse(options, o);
  cr_assert_eq(overlay_settle(o, place, &err), 0, "%s", err.message);
}

/* containerd: lowerdir=12/fs:11/fs,upperdir=/.../snapshots/13/fs,workdir=/.../snapshots/13/work */
Test(overlay, relative_to_what_holds_the_snapshots) {
  char *top = tempdir_make("overlay");
  make_dirs(top, LOWER("snapshots/11/fs", "snapshots/12/fs", "snapshots/13/fs/12/fs", "snapshots/13/work",
                       "run/rootfs"));
  CLEANUP_OVERLAY struct overlay o;
  CLEANUP_FREE char *place = xasprintf("%s/run/rootfs", top), *base = xasprintf("%s/snapshots", top);
  CLEANUP_FREE char *options = xasprintf(
      "rw,lowerdir=12/fs:11/fs,upperdir=%s/snapshots/13/fs,workdir=%s/snapshots/13/work,index=off", top, top);
  settle(&o, options, place);
  cr_expect_str_eq(o.base, base);
  CLEANUP_FREE char *first = overlay_path(&o, o.lower.items[0]), *wanted = xasprintf("%s/12/fs", base);
  cr_expect_str_eq(first, wanted);
  tempdir_remove(top);
}

/* docker: lowerdir=l/A:l/B,upperdir=ID/diff,workdir=ID/work at .../overlay2/ID/merged */
Test(overlay, relative_to_what_holds_the_mount_point) {
  char *top = tempdir_make("overlay");
  make_dirs(top, LOWER("overlay2/l/A", "overlay2/l/B", "overlay2/ID/diff", "overlay2/ID/work",
                       "overlay2/ID/merged"));
  CLEANUP_OVERLAY struct overlay o;
  CLEANUP_FREE char *place = xasprintf("%s/overlay2/ID/merged", top), *base = xasprintf("%s/overlay2", top);
  settle(&o, "rw,lowerdir=l/A:l/B,upperdir=ID/diff,workdir=ID/work", place);
  cr_expect_str_eq(o.base, base);
  tempdir_remove(top);
}

Test(overlay, relative_to_nothing_that_is_there) {
  char *top = tempdir_make("overlay");
  make_dirs(top, LOWER("l/A", "ID/diff", "ID/work", "merged"));
  CLEANUP_OVERLAY struct overlay o;
  CLEANUP_FREE char *place = xasprintf("%s/merged", top);
  struct error err = { 0 };
  parse("rw,lowerdir=l/A:l/B,upperdir=ID/diff,workdir=ID/work", &o);
  cr_expect_eq(overlay_settle(&o, place, &err), -1);
  cr_expect_eq(err.code, ERROR_INPUT);
  cr_expect_null(o.base);
  tempdir_remove(top);
}

Test(overlay, absolute_names_have_no_base_to_find) {
  CLEANUP_OVERLAY struct overlay o;
  settle(&o, "rw,lowerdir=/no/such,upperdir=/no/u,workdir=/no/w", "/no/place");
  cr_expect_str_eq(o.base, "/");
}

Test(overlay, the_parent_of_upper_and_work) {
  CLEANUP_FREE char *parent = NULL, *a = NULL, *b = NULL;
  cr_assert(overlay_common_parent("/s/13/fs", "/s/13/work", &parent, &a, &b));
  cr_expect_str_eq(parent, "/s/13");
  cr_expect_str_eq(a, "fs");
  cr_expect_str_eq(b, "work");
  CLEANUP_FREE char *parent2 = NULL, *a2 = NULL, *b2 = NULL;
  cr_assert(overlay_common_parent("/s/up/diff", "/s/upper/work", &parent2, &a2, &b2));
  cr_expect_str_eq(parent2, "/s");
  cr_expect_str_eq(a2, "up/diff");
  char *none;
  cr_expect(!overlay_common_parent("/a/u", "/b/w", &none, &none, &none));
  cr_expect(!overlay_common_parent("/a/u", "/a/u", &none, &none, &none));
  cr_expect(!overlay_common_parent("/a/u", "/a/u/work", &none, &none, &none));
}

/* What the kernel would print for any names is read as these names again, and so is what we would mount with.
 */

static void add_octal(struct str *out, const char *text) {
  for (const char *p = text; *p; p++)
    if (strchr(",= \t\n\\", *p))
      str_addf(out, "\\%03o", (unsigned char)*p);
    else
      str_add_mem(out, p, 1);
}

static char *draw_name(unsigned *seed) {
  static const char letters[] = "ab/:,\\ =\t\n\"#.7\xc3";
  CLEANUP_STR struct str out = { 0 };
  const int len = 1 + rand_r(seed) % 12;
  for (int i = 0; i < len; i++)
    str_add_mem(&out, &letters[rand_r(seed) % (int)(sizeof letters - 1)], 1);
  return str_steal(&out);
}

static void as_kernel(struct str *out, const struct overlay *o) {
  CLEANUP_STR struct str lower = { 0 }, upper = { 0 }, work = { 0 };
  for (size_t i = 0; i < o->lower.len; i++) {
    if (i)
      str_add(&lower, i >= o->lower.len - o->data ? "::" : ":");
    overlay_add_escaped(&lower, o->lower.items[i]);
  }
  overlay_add_escaped(&upper, o->upper);
  overlay_add_escaped(&work, o->work);
  str_add(out, "rw,lowerdir=");
  add_octal(out, lower.data);
  str_add(out, ",upperdir=");
  add_octal(out, upper.data);
  str_add(out, ",workdir=");
  add_octal(out, work.data);
  str_add(out, ",index=off");
}

Test(overlay, any_names_come_back) {
  unsigned seed = 5;
  for (int round = 0; round < 3000; round++) {
    CLEANUP_OVERLAY struct overlay o = { 0 }, is;
    for (int i = 1 + rand_r(&seed) % 4; i > 0; i--)
      strlist_add_new(&o.lower, draw_name(&seed));
    o.data = (size_t)rand_r(&seed) % o.lower.len;
    o.upper = draw_name(&seed);
    o.work = draw_name(&seed);
    CLEANUP_STR struct str text = { 0 };
    as_kernel(&text, &o);
    parse(text.data, &is);
    cr_assert_eq(is.lower.len, o.lower.len, "%s", text.data);
    for (size_t i = 0; i < o.lower.len; i++)
      cr_assert_str_eq(is.lower.items[i], o.lower.items[i]);
    cr_assert_eq(is.data, o.data);
    cr_assert_str_eq(is.upper, o.upper);
    cr_assert_str_eq(is.work, o.work);
  }
}

/* Bytes at random, many of them of those that mean something: nothing but an answer. */
Test(overlay, anything_is_read_or_refused) {
  static const char *const words[] = {
    "lowerdir=", "lowerdir+=", "datadir+=", "upperdir=", "workdir=", ",", ":",          "::",       "\\",
    "\\134",     "\\054",      "\"",        "/a",        "b",        "=", "context=\"", "volatile", "ro"
  };
  unsigned seed = 7;
  for (int round = 0; round < 20000; round++) {
    CLEANUP_OVERLAY struct overlay o;
    CLEANUP_STR struct str text = { 0 };
    struct error err = { 0 };
    for (int i = rand_r(&seed) % 14; i >= 0; i--)
      str_add(&text, words[(size_t)rand_r(&seed) % ARRAY_SIZE(words)]);
    if (overlay_parse(text.data, &o, &err) < 0) {
      cr_assert_eq(err.code, ERROR_INPUT);
      cr_assert_eq(o.lower.len, 0);
      continue;
    }
    CLEANUP_FREE char *options = overlay_options(&o);
    cr_assert_gt(o.lower.len, o.data, "%s", text.data);
    cr_assert_eq(!o.upper, !o.work);
  }
}

/* Mounts below a directory */

Test(mapping, what_is_mounted_below) {
  static const char text[] = "27 1 254:0 / / rw - ext4 /dev/vda rw\n"
                             "30 27 0:1 / /v rw - tmpfs a rw\n"
                             "31 30 0:2 / /v/a\\040b rw - tmpfs a rw\n"
                             "32 30 0:3 / /v/a\\040b rw - tmpfs a rw\n"
                             "33 31 0:4 / /v/a\\040b/c rw - tmpfs a rw\n"
                             "34 27 0:5 / /vv rw - tmpfs a rw\n"
                             "broken line\n"
                             "35 27 0:6 / /v/unended rw - tmpfs a rw";
  CLEANUP_STRLIST struct strlist below = { 0 }, all = { 0 }, none = { 0 };
  mapping_below(text, "/v", &below);
  cr_assert_eq(below.len, 2);
  cr_expect_str_eq(below.items[0], "/v/a b");
  cr_expect_str_eq(below.items[1], "/v/a b/c");
  mapping_below(text, "/", &all);
  cr_expect_eq(all.len, 4);
  mapping_below(text, "/none", &none);
  cr_expect_eq(none.len, 0);
}

Test(mapping_as_root, who_can_come_to_files) {
  char *top = tempdir_make("mapping");
  struct error err = { 0 };
  CLEANUP_FREE char *deep = xasprintf("%s/a/b", top);
  CLEANUP_FREE char *a = xasprintf("%s/a", top);
  cr_assert_eq(path_make_dirs(deep, 0755, &err), 0, "%s", err.message);
  chmod(top, 0711);
  cr_expect(mapping_exposed(deep));
  chmod(top, 0700);
  cr_expect(!mapping_exposed(deep));
  chmod(top, 0711);
  chmod(deep, 0700);
  cr_expect(!mapping_exposed(deep));
  chmod(deep, 0755);
  /* A group's or a user's own directory is open to them. */
  chmod(a, 0710);
  cr_expect(!mapping_exposed(deep));
  cr_assert_eq(chown(a, 0, 5), 0);
  cr_expect(mapping_exposed(deep));
  chmod(a, 0700);
  cr_expect(!mapping_exposed(deep));
  cr_assert_eq(chown(a, 5, 0), 0);
  cr_expect(mapping_exposed(deep));
  cr_expect(mapping_exposed("/no/such"));
  tempdir_remove(top);
}

Test(mapping, owners_by_the_map) {
  const struct kernel_idmap ids = { .items = { { 0, 1000, 10 } }, .len = 1 };
  const struct idmap map = { .userns = -1, .uids = &ids, .gids = &ids };
  const struct stat disk = { .st_uid = 3, .st_gid = 0 }, right = { .st_uid = 1003, .st_gid = 1000 };
  const struct stat wrong = { .st_uid = 1003, .st_gid = 0 }, far = { .st_uid = 70, .st_gid = 0 };
  cr_expect(mapping_holds(&disk, &right, &map));
  cr_expect(!mapping_holds(&disk, &disk, &map));
  cr_expect(!mapping_holds(&disk, &wrong, &map));
  const struct stat nobody = { .st_uid = 65534, .st_gid = 1000 };
  cr_expect(mapping_holds(&far, &nobody, &map));
}
