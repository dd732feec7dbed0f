/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that no two pods of the node may have at once: SELinux category pairs, blocks of user ids. A table
 * for each kind of number, STATE_DIR/.leases/KIND, with one record for each container that holds one.
 *
 * The table is an array of records of LEASE_RECORD bytes, not a document that is replaced as a whole: with a
 * thousand containers a create reads half a megabyte and writes one record, instead of writing them all. A
 * record lies within one page, so a writer that is killed has written all of it or nothing. Readers and
 * writers hold flock(2) on the table, which is never removed or replaced, and the kernel ends the lock of who
 * was killed. No fsync: after a power loss containers are made anew.
 *
 * A number belongs to a key, which is the pod's; it is free when the last container of that key has given it
 * back. A record is stale when its creator is gone and the runtime has no ROOT/ID. Stale ones are taken back
 * when all numbers are given, when the table would grow past a power of two, and by lease_scan: looking at
 * all of them at each create would cost more than the rest.
 */
#ifndef HARDEN_LEASE_H
#define HARDEN_LEASE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { LEASE_RECORD = 512 };

struct lease_kind {
  const char *name; /* the table's file name: [a-z0-9]+ */
  const char *what; /* for messages, plural: "category pairs" */
  uint64_t count;   /* numbers are 0 ... count - 1; at most LEASE_COUNT_MAX */
  /* Is the number not for us? Asked of candidates only. NULL: all are. */
  bool (*excluded)(uint64_t number, void *arg);
  void *arg;
};
enum { LEASE_COUNT_MAX = 1 << 24 };

/* Who holds one; all borrowed. */
struct lease_holder {
  const char *root, *id; /* the runtime's root and the container's id */
  const char *key;       /* who shares it within that root: the pod's sandbox; NULL: nobody */
};

struct lease {
  uint64_t number;
  bool made;   /* by this call: what a failure later takes back with lease_free */
  bool shared; /* containers of another key hold the number too; only a claimed one can be */
};

/*
 * A number for the container, which this process is about to make: what it has already; else that of its key;
 * else the first free one from `first` (modulo count) on. ERROR_REFUSED (OH-STA-004) when none is left.
 */
int lease_take(const char *state_dir, const struct lease_kind *kind, const struct lease_holder *holder,
               uint64_t first, struct lease *ret, struct error *err) MUST_CHECK;
/* The same for a number that somebody else has chosen, below count or not; ret->number is another one where
 * the container has that already. */
int lease_claim(const char *state_dir, const struct lease_kind *kind, const struct lease_holder *holder,
                uint64_t number, struct lease *ret, struct error *err) MUST_CHECK;
/* Has a container of another key than the holder's the number? */
int lease_is_others(const char *state_dir, const struct lease_kind *kind, const struct lease_holder *holder,
                    uint64_t number, bool *ret, struct error *err) MUST_CHECK;
/* Gives it back; none is fine. `lives`: the container is still there, and this process ends it; the number is
 * free when both are gone. */
int lease_free(const char *state_dir, const char *kind, const char *root, const char *id, bool lives,
               struct error *err) MUST_CHECK;
/* Of every kind. *ret_any: there are tables, in which it may have held some. */
int lease_free_all(const char *state_dir, const char *root, const char *id, bool lives, bool *ret_any,
                   struct error *err) MUST_CHECK;

/* Hands each record of all tables to `found`, the stale ones after they were removed if `remove`. */
struct lease_record {
  const char *kind, *root, *id;
  uint64_t number;
  bool stale;
};
int lease_scan(const char *state_dir, bool remove, void (*found)(const struct lease_record *r, void *arg),
               void *arg, struct error *err) MUST_CHECK;

#endif
