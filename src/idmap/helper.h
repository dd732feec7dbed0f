/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process of our own for a few system calls. With CLONE_VM it shares our memory, as posix_spawn's does:
 * none is copied, neither when it starts nor, page by page, when either writes. What else it has is its own:
 * descriptors, working directory, credentials. It must not allocate then, nor change what the caller reads
 * meanwhile; errno is the caller's too.
 */
#ifndef HARDEN_IDMAP_HELPER_H
#define HARDEN_IDMAP_HELPER_H

#include "base/cleanup.h"
#include "base/error.h"

#include <sys/types.h>

struct helper {
  pid_t pid;   /* 0: none */
  void *stack; /* owned */
};

/* run(arg) in a process that ends with it. flags: of clone(2); with CLONE_VFORK it has ended, or was killed,
 * when this returns. No signal tells of its end, which a program may ignore or count. -1 with errno. */
int helper_start(struct helper *h, int (*run)(void *arg), void *arg, int flags) MUST_CHECK;
/* Waits for its end. None is fine. */
void helper_wait(struct helper *h);
#define CLEANUP_HELPER CLEANUP(helper_wait)

#endif
