/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of /proc: what real kernels wrote, and what a container could make them write. */
#include "kernel/cgroup.h"
#include "kernel/fds.h"
#include "kernel/limits.h"
#include "kernel/mounts.h"
#include "kernel/namespace.h"
#include "kernel/process.h"
#include "kernel/status.h"
#include "testfile.h"

#include <criterion/criterion.h>
#include <sys/resource.h>

#define SAMPLES "tests/fixtures/proc/"

static char *sample(const char *name) {
  CLEANUP_FREE char *path = xasprintf(SAMPLES "%s", name);
  char *text = testfile_read(path);
  cr_assert_not_null(text, "%s", path);
  return text;
}

/* The text with its first `from` replaced; the caller frees. */
static char *with(const char *text, const char *from, const char *to) {
  const char *at = strstr(text, from);
  cr_assert_not_null(at, "%s", from);
  return xasprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

/* stat */

Test(kernel_parse, start_counts_behind_the_last_parenthesis) {
  CLEANUP_FREE char *plain = sample("runc-init.stat");
  cr_assert_eq(kernel_start_parse(plain), 1231594);
  CLEANUP_FREE char *hostile = with(plain, "(runc:[2:INIT])", "(a) S 1 (b) Z 1 2)");
  cr_assert_eq(kernel_start_parse(hostile), 1231594);
  CLEANUP_FREE char *newline = with(plain, "(runc:[2:INIT])", "(a\n1 (b) S 1)");
  cr_assert_eq(kernel_start_parse(newline), 1231594);
}

Test(kernel_parse, start_of_what_is_no_process) {
  CLEANUP_FREE char *plain = sample("runc-init.stat");
  CLEANUP_FREE char *zombie = with(plain, ") S ", ") Z ");
  cr_assert_eq(kernel_start_parse(zombie), 0);
  cr_assert_eq(kernel_start_parse(""), 0);
  cr_assert_eq(kernel_start_parse("1 (a) S 1 2 3"), 0);
  cr_assert_eq(kernel_start_parse("1 (a"), 0);
}

/* status */

static void read_status(const char *text, struct kernel_status *ret) {
  struct error err = { 0 };
  cr_assert_eq(kernel_status_parse(text, ret, &err), 0, "%s", err.message);
}

static void bad_status(const char *text) {
  struct error err = { 0 };
  struct kernel_status s = { 0 };
  cr_assert_eq(kernel_status_parse(text, &s, &err), -1, "%s", text);
  cr_assert_eq(err.code, ERROR_INPUT);
}

Test(kernel_parse, status_of_a_created_container) {
  CLEANUP_FREE char *text = sample("runc-init.status");
  CLEANUP_KERNEL_STATUS struct kernel_status s = { 0 };
  read_status(text, &s);
  cr_assert_eq(s.caps[KERNEL_CAPS_INHERITABLE], 0);
  cr_assert_eq(s.caps[KERNEL_CAPS_PERMITTED], 0x400);
  cr_assert_eq(s.caps[KERNEL_CAPS_EFFECTIVE], 0x400);
  cr_assert_eq(s.caps[KERNEL_CAPS_BOUNDING], 0x400);
  cr_assert_eq(s.caps[KERNEL_CAPS_AMBIENT], 0);
  cr_assert(s.no_new_privs);
  cr_assert_eq(s.seccomp, 2);
  cr_assert_eq(s.seccomp_filters, 2);
  cr_assert_eq(s.threads, 5);
  cr_assert_eq(s.uid[KERNEL_ID_EFFECTIVE], 1000);
  cr_assert_eq(s.gid[KERNEL_ID_FS], 1001);
  cr_assert_eq(s.groups_len, 2);
  cr_assert_eq(s.groups[0], 10);
  cr_assert_eq(s.groups[1], 60000);
}

Test(kernel_parse, status_without_a_count_of_filters) {
  CLEANUP_FREE char *text = sample("runc-init.status");
  CLEANUP_FREE char *old = with(text, "Seccomp_filters:\t2\n", "");
  CLEANUP_KERNEL_STATUS struct kernel_status s = { 0 };
  read_status(old, &s);
  cr_assert_eq(s.seccomp_filters, -1);
}

Test(kernel_parse, status_names_cannot_forge_lines) {
  CLEANUP_FREE char *text = sample("runc-init.status");
  /* The kernel writes the newline of a name as two characters. */
  CLEANUP_FREE char *name = with(text, "runc:[2:INIT]", "\\nNoNewPrivs:\\t0\\nUid:");
  CLEANUP_KERNEL_STATUS struct kernel_status s = { 0 };
  read_status(name, &s);
  cr_assert(s.no_new_privs);
  CLEANUP_FREE char *forged = with(text, "runc:[2:INIT]", "x\nNoNewPrivs:\t1");
  bad_status(forged);
}

Test(kernel_parse, status_that_is_not_whole) {
  static const char *const changes[][2] = {
    { "CapEff:\t0000000000000400", "CapEff:\t" },
    { "CapEff:\t0000000000000400", "CapEff:\t00000000000004000000000000000400" },
    { "CapEff:\t0000000000000400", "CapEff:\t0000000000000400 1" },
    { "CapBnd:\t0000000000000400\n", "" },
    { "NoNewPrivs:\t1", "NoNewPrivs:\t2" },
    { "NoNewPrivs:\t1", "NoNewPrivs:\t-1" },
    { "Uid:\t1000\t1000\t1000\t1000", "Uid:\t1000\t1000\t1000" },
    { "Uid:\t1000\t1000\t1000\t1000", "Uid:\t1000\t1000\t1000\t4294967296" },
    { "Groups:\t10 60000", "Groups:\t10 x" },
  };
  CLEANUP_FREE char *text = sample("runc-init.status");
  for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
    CLEANUP_FREE char *bad = with(text, changes[i][0], changes[i][1]);
    bad_status(bad);
  }
  /* Cut off anywhere before its last line that counts. */
  const size_t whole = (size_t)(strstr(text, "Seccomp_filters:") - text);
  for (size_t len = 0; len < whole; len++) {
    CLEANUP_FREE char *cut = xasprintf("%.*s", (int)len, text);
    bad_status(cut);
  }
}

/* mountinfo */

static void read_mounts(const char *text, struct kernel_mounts *ret) {
  struct error err = { 0 };
  cr_assert_eq(kernel_mounts_parse(text, ret, &err), 0, "%s", err.message);
}

static void bad_mounts(const char *text) {
  struct error err = { 0 };
  CLEANUP_KERNEL_MOUNTS struct kernel_mounts m = { 0 };
  cr_assert_eq(kernel_mounts_parse(text, &m, &err), -1, "%s", text);
  cr_assert_eq(err.code, ERROR_INPUT);
  cr_assert_eq(m.len, 0);
}

Test(kernel_parse, mounts_of_a_created_container) {
  CLEANUP_FREE char *text = sample("runc-init.mountinfo");
  CLEANUP_KERNEL_MOUNTS struct kernel_mounts m = { 0 };
  read_mounts(text, &m);
  cr_assert_eq(m.len, 52);
  const struct kernel_mount *root = kernel_mounts_at(&m, "/");
  cr_assert_eq(root->flags, MS_RDONLY);
  cr_assert(!root->readonly && !root->shared && !root->slave);
  cr_assert_str_eq(root->type, "ext4");
  const struct kernel_mount *tmp = kernel_mounts_at(&m, "/tmp");
  cr_assert_eq(tmp->flags, MS_NOSUID | MS_NODEV | MS_NOEXEC);
  cr_assert_str_eq(tmp->options, "rw,size=262144k");
  cr_assert_eq(kernel_mounts_by_id(&m, tmp->id), tmp);
  cr_assert_eq(tmp->parent, root->id);
  const struct kernel_mount *mask = kernel_mounts_at(&m, "/proc/kallsyms");
  cr_assert_str_eq(mask->root, "/null");
  cr_assert_null(kernel_mounts_at(&m, "/nowhere"));
  cr_assert_null(kernel_mounts_by_id(&m, 1));
}

Test(kernel_parse, mounts_with_hostile_names) {
  CLEANUP_KERNEL_MOUNTS struct kernel_mounts m = { 0 };
  read_mounts(
      "20 1 0:5 / / rw - ext4 /dev/x rw\n"
      "21 20 0:6 /a\\134040b /with\\040space\\011tab\\012newline\\134 ro,noexecx,nosuid shared:1 master:2 "
      "propagate_from:3 - fuse.\\043x  ro,foo=a\\040b\n"
      "22 20 0:7 net:[4026532261] /run/ns rw unbindable - nsfs nsfs rw\n"
      "23 20 0:8 / /- rw - tmpfs - rw\n"
      "24 20 0:9 / /99\\09 rw - tmpfs \\ rw\n",
      &m);
  cr_assert_eq(m.len, 5);
  const struct kernel_mount *x = &m.items[1];
  cr_assert_str_eq(x->root, "/a\\040b");
  cr_assert_str_eq(x->place, "/with space\ttab\nnewline\\");
  cr_assert_eq(x->flags, MS_RDONLY | MS_NOSUID);
  cr_assert(x->shared && x->slave && x->readonly);
  cr_assert_str_eq(x->type, "fuse.#x");
  cr_assert_str_eq(x->source, "");
  cr_assert_str_eq(x->options, "ro,foo=a b");
  cr_assert_str_eq(m.items[2].root, "net:[4026532261]");
  cr_assert_str_eq(m.items[3].place, "/-");
  cr_assert_str_eq(m.items[4].place, "/99\\09");
  cr_assert_str_eq(m.items[4].source, "\\");
}

Test(kernel_parse, mounts_later_hide_earlier) {
  CLEANUP_KERNEL_MOUNTS struct kernel_mounts m = { 0 };
  read_mounts("20 1 0:5 / / rw - ext4 a rw\n21 20 0:6 / /x ro - tmpfs b rw\n22 21 0:7 / /x rw - tmpfs c rw\n",
              &m);
  cr_assert_eq(kernel_mounts_at(&m, "/x")->id, 22);
}

Test(kernel_parse, mounts_that_are_not_whole) {
  static const char *const bad[] = {
    "20 1 0:5 / / rw - ext4 /dev/x rw",          "20 1 0:5 / / rw ext4 /dev/x rw\n",
    "20 1 0:5 / / rw - ext4 /dev/x\n",           "20 1 0:5 / / rw - ext4 /dev/x rw more\n",
    "x 1 0:5 / / rw - ext4 /dev/x rw\n",         "-20 1 0:5 / / rw - ext4 /dev/x rw\n",
    "20 1 05 / / rw - ext4 /dev/x rw\n",         "20 1 0:99999999999 / / rw - ext4 /dev/x rw\n",
    "20 1 0:5 / relative rw - ext4 /dev/x rw\n", "99999999999999999999 1 0:5 / / rw - ext4 /dev/x rw\n",
    "20 1 0:5 / / rw - ext4 /dev/x rw\n\n",      "\n",
  };
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
    bad_mounts(bad[i]);
  CLEANUP_FREE char *text = sample("runc-init.mountinfo");
  for (size_t len = strlen(text) - 1; len > strlen(text) - 400; len--)
    if (text[len - 1] != '\n') {
      CLEANUP_FREE char *cut = xasprintf("%.*s", (int)len, text);
      bad_mounts(cut);
    }
}

Test(kernel_parse, mounts_of_any_length) {
  CLEANUP_STR struct str text = { 0 };
  for (int i = 1; i <= 3000; i++)
    str_addf(&text, "%d 1 0:5 / /m%0*d rw - tmpfs t rw\n", i, i % 10 == 0 ? 3000 : 1, i);
  CLEANUP_KERNEL_MOUNTS struct kernel_mounts m = { 0 };
  read_mounts(text.data, &m);
  cr_assert_eq(m.len, 3000);
  cr_assert_eq(strlen(m.items[2999].place), 3002);
}

/* id maps */

Test(kernel_parse, idmaps) {
  struct error err = { 0 };
  struct kernel_idmap map;
  cr_assert_eq(kernel_idmap_parse("         0     100000      65536\n     65536 1 1\n", &map, &err), 0);
  cr_assert_eq(map.len, 2);
  cr_assert_eq(map.items[0].outside, 100000);
  cr_assert_eq(map.items[1].inside, 65536);
  cr_assert_eq(map.items[1].count, 1);
  cr_assert_eq(kernel_idmap_parse("", &map, &err), 0);
  cr_assert_eq(map.len, 0);
  static const char *const bad[] = { "0 0", "0 0 1", "a 0 1\n", "0 0 1 2\n", "\n", "0 0 1\n\n" };
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
    cr_assert_eq(kernel_idmap_parse(bad[i], &map, &err), -1, "%s", bad[i]);
  CLEANUP_STR struct str many = { 0 };
  for (int i = 0; i < KERNEL_MAPPINGS_MAX; i++)
    str_addf(&many, "%d %d 1\n", i, i);
  cr_assert_eq(kernel_idmap_parse(many.data, &map, &err), 0);
  str_add(&many, "1000 1000 1\n");
  cr_assert_eq(kernel_idmap_parse(many.data, &map, &err), -1);
}

/* cgroup */

Test(kernel_parse, cgroups) {
  struct error err = { 0 };
  CLEANUP_KERNEL_CGROUPS struct kernel_cgroups c = { 0 };
  cr_assert_eq(kernel_cgroups_parse("9:name=systemd:/a\n4:cpu,cpuacct:/b:c:d\n0::/../e\n", &c, &err), 0);
  cr_assert_eq(c.len, 3);
  cr_assert_str_eq(kernel_cgroups_find(&c, "cpuacct")->path, "/b:c:d");
  cr_assert_str_eq(kernel_cgroups_find(&c, "pids")->path, "/../e");
  cr_assert_str_eq(kernel_cgroups_find(&c, "cpua")->path, "/../e");
  static const char *const bad[] = { "9:memory", "9:memory:/a", "9:memory\n:/a\n", "9\n", "9:m:a\n", "\n" };
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    CLEANUP_KERNEL_CGROUPS struct kernel_cgroups none = { 0 };
    cr_assert_eq(kernel_cgroups_parse(bad[i], &none, &err), -1, "%s", bad[i]);
    cr_assert_eq(none.len, 0);
  }
}

/* limits */

Test(kernel_parse, limits) {
  CLEANUP_FREE char *text = sample("runc-init.limits");
  struct error err = { 0 };
  struct kernel_limit limits[KERNEL_LIMITS];
  cr_assert_eq(kernel_limits_parse(text, limits, &err), 0, "%s", err.message);
  cr_assert_eq(limits[RLIMIT_NOFILE].soft, 20000);
  cr_assert_eq(limits[RLIMIT_CORE].soft, 0);
  cr_assert_eq(limits[RLIMIT_CORE].hard, UINT64_MAX);
  cr_assert_eq(limits[RLIMIT_RTTIME].hard, UINT64_MAX);
  cr_assert_eq(limits[RLIMIT_NICE].hard, 0);
  cr_assert_str_eq(kernel_limit_names[RLIMIT_NOFILE], "RLIMIT_NOFILE");
  static const char *const changes[][2] = {
    { "Max open files            20000 ", "Max open files            -20000 " },
    { "Max open files            20000 ", "Max open files            2x000 " },
    { "Max open files ", "Max open filez " },
    { "Max realtime timeout      unlimited            unlimited            us", "Max realtime timeout" },
  };
  for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
    CLEANUP_FREE char *bad = with(text, changes[i][0], changes[i][1]);
    cr_assert_eq(kernel_limits_parse(bad, limits, &err), -1, "%s", bad);
  }
}

/* fdinfo */

Test(kernel_parse, fdinfo) {
  struct error err = { 0 };
  struct kernel_fd fd = { 0 };
  cr_assert_eq(kernel_fdinfo_parse("pos:\t0\nflags:\t02100000\nmnt_id:\t15\n", &fd, &err), 0);
  cr_assert(fd.cloexec);
  cr_assert_eq(fd.mount, 15);
  cr_assert_eq(kernel_fdinfo_parse("flags:\t0100002\nmnt_id:\t4294967296\nino:\t3\n", &fd, &err), 0);
  cr_assert(!fd.cloexec);
  cr_assert_eq(fd.mount, UINT64_C(4294967296));
  static const char *const bad[] = {
    "",
    "pos:\t0\n",
    "flags:\t",
    "flags:\t9\nmnt_id:\t15\n",
    "flags:\t0100002",
    "xflags:\t0\nmnt_id:\t15\n",
    "flags:\t0100002\n",
    "flags:\t0100002\nmnt_id:\t\n",
    "flags:\t0100002\nmnt_id:\t1x\n",
  };
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
    cr_assert_eq(kernel_fdinfo_parse(bad[i], &fd, &err), -1, "%s", bad[i]);
}
