/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results of seccomp_plan_make on disk. An entry's name is the SHA-256 of everything that it was made from,
 * so that an entry never goes stale, only unused. A cache that cannot be used is no error: the plan is made
 * anew. Entries are replaced by rename; any number of processes may read, write and delete at once.
 */
#ifndef HARDEN_SECCOMP_CACHE_H
#define HARDEN_SECCOMP_CACHE_H

#include "base/str.h"
#include "seccomp/compile.h"
#include "seccomp/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  SECCOMP_DIGEST = 32,
  SECCOMP_CACHE_ENTRIES = 128,       /* beyond it, the oldest go */
  SECCOMP_CACHE_ENTRY_MAX = 4 << 20, /* bytes */
};

struct seccomp_cache_key {
  uint8_t digest[SECCOMP_DIGEST];
};

/* Each part is hashed with its length, so that no two lists of parts run into one. */
struct seccomp_cache_part {
  const void *data;
  size_t len;
};
/* Adds our format's version, libseccomp's version and the architecture by itself. */
void seccomp_cache_key(struct seccomp_cache_key *ret, const struct seccomp_cache_part *parts, size_t len);

/* True: *ret_json and *ret_program are what was stored under the key (the caller frees). An entry counts only
 * if it is a regular file of ours, mode 0600, with the digests of its inputs and its content, in a directory
 * of ours, mode 0700. */
bool seccomp_cache_load(const struct seccomp_cache *cache, const struct seccomp_cache_key *key,
                        struct str *ret_json, struct seccomp_program *ret_program);

/* Best effort. Makes the directory when there is none. */
void seccomp_cache_store(const struct seccomp_cache *cache, const struct seccomp_cache_key *key,
                         const struct str *json, const struct seccomp_program *program);

#endif
