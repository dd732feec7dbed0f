/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/target.h"

#include "base/cleanup.h"
#include "io/fileio.h"
#include "io/path.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int check(int fd, const char *path, struct error *err) {
  struct stat st, self;
  if (fstat(fd, &st) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "runtime %s", path);
  if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
    return error_set_rule(err, ERROR_POLICY, "OH-RUN-002", "runtime %s is not an executable file", path);
  if (!file_owner_is_trusted(st.st_uid))
    return error_set_rule(err, ERROR_POLICY, "OH-RUN-003",
                          "runtime %s is not trusted: it belongs to uid %u; chown it to root", path,
                          (unsigned)st.st_uid);
  if (st.st_mode & (S_IWGRP | S_IWOTH))
    return error_set_rule(err, ERROR_POLICY, "OH-RUN-003",
                          "runtime %s is not trusted: mode %04o lets others write it; chmod go-w it", path,
                          (unsigned)(st.st_mode & 07777));
  if (stat("/proc/self/exe", &self) == 0 && self.st_dev == st.st_dev && self.st_ino == st.st_ino)
    return error_set_rule(err, ERROR_POLICY, "OH-RUN-004",
                          "runtime %s is oci-harden itself; name the real runtime in \"runtimes\"", path);
  return 0;
}

int target_open(struct target *ret, const struct config *config, struct error *err) {
  *ret = (struct target){ .fd = -1 };
  for (size_t i = 0; i < config->runtimes_len; i++) {
    const struct runtime_choice *choice = &config->runtimes[i];
    CLEANUP_FD int fd = path_open(AT_FDCWD, choice->path, O_PATH, 0, RESOLVE_TRUSTED);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
      continue;
    if (fd < 0)
      return error_set(err, ERROR_SYSTEM, errno, "runtime %s", choice->path);
    if (check(fd, choice->path, err) < 0)
      return -1;
    *ret = (struct target){ steal_fd(&fd), (enum runtime_kind)choice->kind, choice->path };
    return 0;
  }
  return error_set_rule(err, ERROR_POLICY, "OH-RUN-001",
                        "no runtime is installed: %s; install runc or crun, or name yours in \"runtimes\" of "
                        "config.json",
                        config->runtimes_len ? config->runtimes[0].path : "none is configured");
}

void target_reopen(struct target *t) {
  struct stat judged, found;
  CLEANUP_FD int fd = path_open(AT_FDCWD, t->path, O_PATH, 0, RESOLVE_TRUSTED);
  if (fd < 0 || fstat(fd, &found) < 0 || fstat(t->fd, &judged) < 0 || found.st_dev != judged.st_dev ||
      found.st_ino != judged.st_ino)
    return;
  close(t->fd);
  t->fd = steal_fd(&fd);
}

void target_close(struct target *t) {
  if (t->fd > 0)
    close(t->fd);
  t->fd = -1;
}

#ifdef HARDEN_COVERAGE
void __gcov_dump(void); /* gcov writes at exit, and an exec is none */
#else
static void __gcov_dump(void) {
}
#endif

int target_exec(const struct target *t, char *const argv[], struct error *err) {
  /* The fd is close-on-exec: the runtime does not inherit it. The kernel cannot run an interpreter on such an
   * fd, so a script fails with ENOENT here. By number: musl has no name for it. */
  __gcov_dump();
  syscall(SYS_execveat, t->fd, "", argv, environ, AT_EMPTY_PATH);
  if (errno == ENOENT)
    return error_set_rule(err, ERROR_POLICY, "OH-RUN-005",
                          "runtime %s is a script or lacks its loader; name the program itself", t->path);
  return error_set(err, ERROR_SYSTEM, errno, "cannot execute %s", t->path);
}
