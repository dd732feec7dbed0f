/* SPDX-License-Identifier: Apache-2.0 */
/* The real runtime: found in the configuration, opened once, judged on the fd, executed on that fd. */
#ifndef HARDEN_TARGET_H
#define HARDEN_TARGET_H

#include "base/error.h"
#include "policy/config.h"

struct target {
  int fd; /* O_PATH; -1: none */
  enum runtime_kind kind;
  const char *path; /* borrowed from the configuration; also its argv[0], by which crun picks a handler */
};

/* The first runtime of the configuration that exists. ERROR_POLICY when none does, when it is not executable,
 * when others than root (or, without root, ourselves) own it or may write to it, and when it is this program.
 */
int target_open(struct target *ret, const struct config *config, struct error *err) MUST_CHECK;
void target_close(struct target *t);
/* The same file, by the mounts of the namespace that we have entered since: from those of another a runtime
 * cannot bind its own program, and copies all of it (runc: 9 MB, 3 ms). It stays as it is where the path
 * leads to another file now. */
void target_reopen(struct target *t);

/* Returns only on failure. The environment is passed on as it is. */
int target_exec(const struct target *t, char *const argv[], struct error *err) MUST_CHECK;

#endif
