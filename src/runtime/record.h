/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the runtime itself keeps of a container: runc's ROOT/ID/state.json, crun's ROOT/ID/status. Read for
 * what we have no state of our own for: containers started before us, and whether a delete will succeed.
 */
#ifndef HARDEN_RECORD_H
#define HARDEN_RECORD_H

#include "base/error.h"
#include "policy/config.h"
#include "runtime/command.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct record {
  bool exists;    /* ROOT/ID is there */
  bool alive;     /* the container's first process is */
  bool created;   /* it was not started yet */
  bool readable;  /* its first process is on record; false: nothing is known of whether it lives */
  pid_t pid;      /* the first process; 0: not alive */
  uint64_t start; /* when that one started; see process_start() */
  char *bundle;   /* NULL: unknown */
};

/* The root that the runtime will use, --root or what it takes from XDG_RUNTIME_DIR without one, and that
 * without symbolic links, so that two names of one directory are one root. ERROR_USAGE where the runtimes
 * read it differently, or one of them differently at times. *ret is filled in any case; the caller frees. */
int record_root(const struct command *c, enum runtime_kind kind, char **ret, struct error *err) MUST_CHECK;

/* What is not there, or not written yet, is unknown. ERROR_SYSTEM: it may well be there, and could not be
 * read. */
int record_read(struct record *ret, const char *root, const char *id, enum runtime_kind kind,
                struct error *err) MUST_CHECK;
/* The same without the bundle, which stands at the end of runc's. */
int record_read_process(struct record *ret, const char *root, const char *id, enum runtime_kind kind,
                        struct error *err) MUST_CHECK;
/* The same for a runtime that is told by what it left; exists is false where neither has. */
int record_read_any(struct record *ret, const char *root, const char *id, enum runtime_kind *ret_kind,
                    struct error *err) MUST_CHECK;
void record_free(struct record *r);
#define CLEANUP_RECORD CLEANUP(record_free)

/* When the process started, in clock ticks since boot (proc(5), stat's 22nd field); 0: it is gone, or a
 * zombie. With the pid it names a process once and for all. */
uint64_t process_start(pid_t pid);
/* The same, but false when it could not be told; process_start() is 0 then too. */
bool process_start_known(pid_t pid, uint64_t *ret) MUST_CHECK;

#endif
