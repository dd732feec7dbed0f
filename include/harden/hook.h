/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a runtime tells its hooks, and what ours does then: it has the container's process compared with what
 * was promised (proof.h) at the first instruction of its program, through a trap at its execve(2)
 * (kernel/trap.h). That is where everything is final in every runtime, and nothing of the image has run.
 *
 * What the stages see, measured with runc 1.1.5 and crun 1.8.1:
 *
 *   prestart, createRuntime    host's namespaces, init's pid. Nothing final: full capabilities, no filter, no
 *                              masks. The trap is set here, and a refusal here is the runtime's own error.
 *   createContainer            the container's namespaces: the pid tells nothing (crun 0, runc 1)
 *   startContainer             the container's root: a program of the host is not there
 *   poststart                  crun: behind the program's start, its exit code ignored; runc 1.1: between
 * create and start; runc from 1.2 on: as crun, but the container is killed poststop                   the
 * container is gone: its state goes too
 *
 * There are three callers.
 *   - The wrapper's `run` writes the hook into the config. Its guard (runtime/guard.h) waits for the hook to
 * tell the pid: the kernel shows seccomp filters to nobody who has one himself, as all that run behind the
 *     wrapper's floor do, this hook too, but not the guard.
 *   - `create` behind the wrapper, with a hook that somebody else has registered: start compares, so nothing
 * is to be done.
 *   - A bare runtime: the bundle's config.json is judged by the policy, and the process is guarded by a
 * process that the hook leaves behind, until the trap springs or the container ends.
 */
#ifndef HARDEN_HOOK_H
#define HARDEN_HOOK_H

#include "base/error.h"

#include <sys/types.h>

enum hook_status { HOOK_CREATING, HOOK_RUNNING, HOOK_STOPPED };

/* All borrowed. */
struct hook_call {
  enum hook_status status;
  const char *id, *bundle; /* of the OCI state: an absolute path */
  pid_t pid;               /* 0: there is none */
  const char *config;      /* --config; NULL: the default place */
  const char *policy;      /* --policy; NULL: what the configuration selects */
  char **argv;             /* as the hook was called: the config that is judged may hold that very hook */
};

/* 0, or the exit code of a veto, which has been reported on stderr and recorded as an event. */
int hook_handle(const struct hook_call *h) MUST_CHECK;

/* Reports what was not even understood; gives the exit code. */
int hook_fail(const struct error *err) MUST_CHECK;

#endif
