/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/ownhook.h"

#include "base/cleanup.h"
#include "io/fileio.h"
#include "io/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define PROGRAM "oci-harden-hook"

char *ownhook_path(const struct config *config) {
  char self[PATH_MAX];
  if (config->hook)
    return xstrdup(config->hook);
  const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  self[n > 0 ? n : 0] = '\0';
  const char *slash = strrchr(self, '/');
  return slash ? xasprintf("%.*s/" PROGRAM, (int)(slash - self), self) : xstrdup("/" PROGRAM);
}

int ownhook_check(const char *path, struct error *err) {
  static const char remedy[] = "install it beside the wrapper, or name it by \"hook\" in config.json";
  struct stat st;
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_PATH, 0, RESOLVE_TRUSTED);
  if (fd < 0 || fstat(fd, &st) < 0) {
    const int reason = errno;
    return error_set_rule(err, ERROR_POLICY, "OH-RUN-007",
                          "the hook that run needs for the proof is not there: %s: %s; %s", path,
                          strerror(reason), remedy);
  }
  if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
    return error_set_rule(err, ERROR_POLICY, "OH-RUN-007", "hook %s is not an executable file; %s", path,
                          remedy);
  if (!file_owner_is_trusted(st.st_uid) || (st.st_mode & (S_IWGRP | S_IWOTH)))
    return error_set_rule(err, ERROR_POLICY, "OH-RUN-008",
                          "hook %s is not trusted: owner %u, mode %04o; chown it to root, chmod go-w it",
                          path, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
  return 0;
}

void ownhook_args(const char *config, struct strlist *argv) {
  strlist_add(argv, PROGRAM);
  CLEANUP_FREE char *real = config ? realpath(config, NULL) : NULL;
  if (!config)
    return;
  strlist_add(argv, "--config");
  strlist_add(argv, real ? real : config);
}
