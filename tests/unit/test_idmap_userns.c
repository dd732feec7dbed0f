/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of ids, and namespaces that hold them with no process in them. */
#include "base/cleanup.h"
#include "idmap/userns.h"
#include "kernel/fds.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

Test(userns, ids_outside) {
  struct kernel_idmap map;
  uint32_t id;
  idmap_block(100000, 65536, &map);
  cr_expect(idmap_outside(&map, 0, &id) && id == 100000);
  cr_expect(idmap_outside(&map, 65535, &id) && id == 165535);
  cr_expect(!idmap_outside(&map, 65536, &id));
  cr_expect(!idmap_outside(&map, UINT32_MAX, &id));
  map.len = 0;
  cr_expect(!idmap_outside(&map, 0, &id));
}

Test(userns, the_same_ids_in_other_pieces) {
  const struct kernel_idmap whole = { .items = { { 0, 1000, 10 }, { 20, 5000, 5 } }, .len = 2 };
  const struct kernel_idmap parts = { .items = { { 20, 5000, 5 }, { 5, 1005, 5 }, { 0, 1000, 5 } },
                                      .len = 3 };
  const struct kernel_idmap fewer = { .items = { { 0, 1000, 10 } }, .len = 1 };
  const struct kernel_idmap moved = { .items = { { 0, 1000, 10 }, { 20, 5001, 5 } }, .len = 2 };
  cr_expect(idmap_same(&whole, &whole));
  cr_expect(idmap_same(&whole, &parts));
  cr_expect(idmap_same(&parts, &whole));
  cr_expect(!idmap_same(&whole, &fewer));
  cr_expect(!idmap_same(&fewer, &whole));
  cr_expect(!idmap_same(&whole, &moved));
}

static int make(uint32_t uid, uint32_t gid, uint32_t count, struct error *err) {
  struct kernel_idmap uids, gids;
  int fd = -1;
  idmap_block(uid, count, &uids);
  idmap_block(gid, count, &gids);
  return idmap_userns_make(&uids, &gids, &fd, err) < 0 ? -1 : fd;
}

Test(userns_as_root, has_the_maps_and_leaves_no_process) {
  struct error err = { 0 };
  struct kernel_idmap uids, gids;
  uint32_t id;
  CLEANUP_FD int fd = make(100000, 300000, 65536, &err);
  cr_assert(fd >= 0, "%s", err.message);
  cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  cr_expect_eq(waitpid(-1, NULL, __WALL | WNOHANG), -1);
  cr_expect_eq(errno, ECHILD);
  cr_assert_eq(idmap_userns_read(fd, &uids, &gids, &err), 0, "%s", err.message);
  cr_expect(idmap_outside(&uids, 1, &id) && id == 100001);
  cr_expect(idmap_outside(&gids, 1, &id) && id == 300001);
  cr_expect_eq(uids.len, 1);
  cr_expect_eq(waitpid(-1, NULL, __WALL | WNOHANG), -1);
}

Test(userns_as_root, a_program_that_ignores_its_children) {
  struct error err = { 0 };
  signal(SIGCHLD, SIG_IGN);
  CLEANUP_FD int fd = make(100000, 100000, 10, &err);
  cr_expect(fd >= 0, "%s", err.message);
}

Test(userns, maps_that_the_kernel_does_not_take) {
  struct error err = { 0 };
  struct kernel_idmap uids = { .items = { { 0, 1000, 10 }, { 5, 2000, 10 } }, .len = 2 }, gids;
  int fd = -1;
  idmap_block(1000, 10, &gids);
  cr_expect_eq(idmap_userns_make(&uids, &gids, &fd, &err), -1);
  cr_expect_eq(err.sys, EINVAL);
  cr_expect_eq(fd, -1);
  cr_expect(strstr(err.message, "uid_map \"0 1000 10\?5 2000 10\""), "%s", err.message);
  cr_expect_eq(waitpid(-1, NULL, __WALL | WNOHANG), -1);
}

Test(userns, what_is_none) {
  struct error err = { 0 };
  int fd = -1;
  cr_expect_eq(idmap_userns_open("/proc/self/ns/net", &fd, &err), -1);
  cr_expect_eq(err.code, ERROR_INPUT);
  cr_expect_eq(idmap_userns_open("/dev/null", &fd, &err), -1);
  cr_expect_eq(err.code, ERROR_INPUT);
  cr_expect_eq(idmap_userns_open("/proc/self/ns/none", &fd, &err), -1);
  cr_expect_eq(err.sys, ENOENT);
  cr_assert_eq(idmap_userns_open("/proc/self/ns/user", &fd, &err), 0, "%s", err.message);
  close(fd);
  struct kernel_idmap uids, gids;
  CLEANUP_FD int net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  cr_expect_eq(idmap_userns_read(net, &uids, &gids, &err), -1);
}
