/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of cgroups, of both versions, from files as the kernel has them. */
#include "kernel/cgroup.h"
#include "tempdir.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static void put(const char *dir, const char *name, const char *text) {
  CLEANUP_FREE char *path = xasprintf("%s/%s", dir, name);
  for (char *slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
    *slash = '\0';
    cr_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
  }
  free(tempdir_put(dir, name, text));
}

Test(kernel_limits, limits_of_version_1) {
  char *dir = tempdir_make("oh-cgroup");
  struct error err = { 0 };
  struct kernel_cgroup_limits l;
  CLEANUP_KERNEL_CGROUPS struct kernel_cgroups c = { 0 };
  cr_assert_eq(kernel_cgroups_parse("3:pids:/a/b\n2:memory:/a/b\n1:cpu:/a/b\n0::/\n", &c, &err), 0);
  put(dir, "pids/a/b/pids.max", "100\n");
  put(dir, "memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
  put(dir, "memory/a/b/memory.memsw.limit_in_bytes", "1048576\n");
  put(dir, "cpu/a/b/cpu.cfs_quota_us", "-1\n");
  put(dir, "cpu/a/b/cpu.cfs_period_us", "100000\n");
  cr_assert_eq(kernel_cgroup_limits_read(&c, dir, KERNEL_LIMIT_ALL, &l, &err), 0, "%s", err.message);
  cr_expect_not(l.unified);
  cr_expect_eq(l.pids, 100);
  cr_expect_eq(l.memory, KERNEL_UNLIMITED);
  cr_expect_eq(l.swap, 1048576);
  cr_expect_eq(l.quota, KERNEL_UNLIMITED);
  cr_expect_eq(l.period, 100000);
  /* Without swap accounting, and with what is no limit. */
  CLEANUP_FREE char *swap = xasprintf("%s/memory/a/b/memory.memsw.limit_in_bytes", dir);
  cr_assert_eq(unlink(swap), 0);
  put(dir, "memory/a/b/cgroup.procs", "");
  cr_assert_eq(kernel_cgroup_limits_read(&c, dir, KERNEL_LIMIT_ALL, &l, &err), 0, "%s", err.message);
  cr_expect_eq(l.swap, -1);
  static const char *const bad[] = { "", "x\n", "-2\n", "1 2\n", "12", "99999999999999999999\n" };
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    put(dir, "pids/a/b/pids.max", bad[i]);
    cr_expect_eq(kernel_cgroup_limits_read(&c, dir, KERNEL_LIMIT_ALL, &l, &err), -1, "\"%s\"", bad[i]);
    cr_expect_eq(err.code, ERROR_INPUT, "\"%s\"", bad[i]);
  }
  tempdir_remove(dir);
}

Test(kernel_limits, a_group_is_frozen_where_the_kernel_says_so) {
  char *dir = tempdir_make("oh-cgroup");
  struct error err = { 0 };
  CLEANUP_KERNEL_CGROUPS struct kernel_cgroups c = { 0 };
  cr_assert_eq(kernel_cgroups_parse("7:freezer:/a/b\n3:pids:/c\n0::/\n", &c, &err), 0);
  cr_expect_not(kernel_cgroup_is_frozen(&c, dir));
  put(dir, "freezer/c/freezer.state", "FROZEN\n");
  cr_expect_not(kernel_cgroup_is_frozen(&c, dir));
  static const struct {
    const char *text;
    bool frozen;
  } states[] = { { "THAWED\n", false }, { "FREEZING\n", true }, { "FROZEN\n", true } };
  for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
    put(dir, "freezer/a/b/freezer.state", states[i].text);
    cr_expect_eq(kernel_cgroup_is_frozen(&c, dir), states[i].frozen, "%s", states[i].text);
  }
  tempdir_remove(dir);
}

Test(kernel_limits, limits_of_a_group_that_is_not_there_are_unknown) {
  char *dir = tempdir_make("oh-cgroup");
  struct error err = { 0 };
  struct kernel_cgroup_limits l;
  CLEANUP_KERNEL_CGROUPS struct kernel_cgroups c = { 0 };
  cr_assert_eq(kernel_cgroups_parse("3:pids:/../b\n", &c, &err), 0);
  put(dir, "pids/pids.max", "1\n");
  put(dir, "b/pids.max", "1\n");
  cr_expect_eq(kernel_cgroup_limits_read(&c, dir, KERNEL_LIMIT_ALL, &l, &err), -1);
  cr_expect_eq(err.code, ERROR_SYSTEM);
  tempdir_remove(dir);
}
