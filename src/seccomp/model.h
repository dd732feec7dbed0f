/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OCI linux.seccomp section as a value, and what it means.
 *
 * Meaning: the strictest rule that matches, else the default. The runtimes and libseccomp resolve
 * overlapping rules by their internal order; the strictest is what holds whichever way that turns out.
 * As in runc and crun: a rule that names one argument twice is the OR of its conditions; a rule equal to the
 * default is no rule; MASKED_EQ takes the mask from `value` and the datum from `valueTwo`; a 32-bit ABI sees
 * constants truncated; the native ABI is always part of the filter, any other only by name, and a call of an
 * ABI that is not gets KILL_THREAD.
 *
 * No system calls here: names are looked up in libseccomp's tables.
 */
#ifndef HARDEN_SECCOMP_MODEL_H
#define HARDEN_SECCOMP_MODEL_H

#include "base/error.h"
#include "io/jsonx.h"
#include "seccomp/arch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Actions are the kernel's SECCOMP_RET_* words, with the errno (or trace message) in the low half. Order of
 * strictness is the kernel's precedence: KILL_PROCESS > KILL_THREAD > TRAP > ERRNO > USER_NOTIF > TRACE > LOG
 * > ALLOW. Two ERRNO are equally strict whatever their numbers, for the call does not happen; errno 0 would
 * be a lie of success and never gets past the decoder.
 */
int seccomp_action_compare(uint32_t a, uint32_t b); /* > 0: a is stricter; 0: equally strict */
bool seccomp_action_stricter(uint32_t a, uint32_t b);
/* "SCMP_ACT_ERRNO"; the number in the low half has no part in it. Never NULL. */
const char *seccomp_action_oci(uint32_t action);
/* Calls may go through unseen by anyone who could deny them: ALLOW and LOG. */
bool seccomp_action_permissive(uint32_t action);

enum { SECCOMP_ARGS = 6, SECCOMP_ERRNO_MAX = 4095 };

enum seccomp_op {
  SECCOMP_OP_NE,
  SECCOMP_OP_LT,
  SECCOMP_OP_LE,
  SECCOMP_OP_EQ,
  SECCOMP_OP_GE,
  SECCOMP_OP_GT,
  SECCOMP_OP_MASKED_EQ, /* (argument & value) == (value_two & value) */
};

struct seccomp_condition {
  unsigned index; /* of the argument, < SECCOMP_ARGS */
  enum seccomp_op op;
  uint64_t value;
  uint64_t value_two;
};

/* All conditions hold; none: always. No index occurs twice. */
struct seccomp_rule {
  uint32_t action;
  unsigned len;
  struct seccomp_condition conditions[SECCOMP_ARGS];
};

/* One name and its rules. A name without rules has a meaning too: runc takes the highest number it was told
 * of as the border of its ENOSYS stub. */
struct seccomp_call {
  char *name;
  struct seccomp_rule *rules; /* in the document's order; none equal to the default */
  size_t len;
};

enum seccomp_flag {
  SECCOMP_PROFILE_TSYNC = 1,
  SECCOMP_PROFILE_LOG = 2,
  SECCOMP_PROFILE_SPEC_ALLOW = 4,
  SECCOMP_PROFILE_WAIT_KILLABLE_RECV = 8,
};

struct seccomp_profile {
  uint32_t default_action;
  const struct seccomp_abi **abis; /* as named, native among them always, each once; native first */
  size_t abis_len;
  unsigned flags;             /* enum seccomp_flag, those that are named: absent is none */
  char *listener_path;        /* NULL: none */
  char *listener_metadata;    /* NULL: none */
  struct seccomp_call *calls; /* sorted by name, no name twice */
  size_t calls_len;
};

enum seccomp_accept {
  SECCOMP_ACCEPT_PERMISSIVE = 1, /* a default of ALLOW or LOG: a deny list that is to be intersected */
};

/*
 * Decodes a section. `src` may be NULL; `pointer` ("/linux/seccomp") is where it stands, for messages.
 * ERROR_INPUT: not of the OCI shape (types, unknown keys, no defaultAction, no syscalls, argument index above
 * 5, more than 6 conditions). ERROR_REFUSED: of the shape, and not to be trusted: errno 0 or above 4095,
 * SCMP_ACT_TRACE (nothing of ours traces; without a tracer's consent it is an escape), a permissive default
 * where it is not accepted, and under one a name that libseccomp does not know, since the runtimes would skip
 * that rule and let the call through. Without an error *ret owns its members.
 */
int seccomp_profile_decode(const json_t *section, const struct jsonx_source *src, const char *pointer,
                           unsigned accept, struct seccomp_profile *ret, struct error *err) MUST_CHECK;
void seccomp_profile_free(struct seccomp_profile *profile);
#define CLEANUP_SECCOMP_PROFILE CLEANUP(seccomp_profile_free)

/* The section in its one canonical form: decoding it gives the same profile, encoding that the same bytes.
 * Always with "architectures" (without, runc 1.1 leaves its ENOSYS stub out) and "flags" (without, runc 1.2
 * takes SPEC_ALLOW). New reference. */
json_t *seccomp_profile_encode(const struct seccomp_profile *profile) MUST_CHECK;

/* Drops the names that say what the default says, where that is ENOSYS: runc's stub answers the same above
 * the highest number left, so nothing changes but what the runtime reads, stores and hands on for each name.
 * One name stays in any case: a section without any is refused. */
void seccomp_profile_drop_implied(struct seccomp_profile *profile);

/* Borrowed; NULL: the name is not in the profile. */
const struct seccomp_call *seccomp_profile_find(const struct seccomp_profile *profile, const char *name);
bool seccomp_profile_has_abi(const struct seccomp_profile *profile, const struct seccomp_abi *abi);

/*
 * What the profile does to a call: a SECCOMP_RET_* word. `number` is seccomp_data.nr: with the x32 bit under
 * x86-64 it is judged as x32; a number without a name gets the default. The _name form judges a call that
 * `abi` has (for a member of a multiplexer: the direct call); through a multiplexer ("socketcall") the rules
 * of the member that the first argument selects count too, as libseccomp compiles them.
 */
uint32_t seccomp_profile_eval(const struct seccomp_profile *profile, const struct seccomp_abi *abi,
                              int number, const uint64_t args[SECCOMP_ARGS]);
uint32_t seccomp_profile_eval_name(const struct seccomp_profile *profile, const struct seccomp_abi *abi,
                                   const char *name, const uint64_t args[SECCOMP_ARGS]);

/* The same for a call that was looked up (NULL: the profile does not name it), that is no multiplexer, under
 * an ABI that the profile has. */
uint32_t seccomp_profile_eval_call(const struct seccomp_profile *profile, const struct seccomp_abi *abi,
                                   const struct seccomp_call *call, const uint64_t args[SECCOMP_ARGS]);

bool seccomp_condition_holds(const struct seccomp_condition *condition, const struct seccomp_abi *abi,
                             uint64_t argument);

/* Values of an argument around a condition's border, on both sides of it and of every truncation to 32 bits;
 * some may be equal. Returns how many were written. */
enum { SECCOMP_POINTS_MAX = 160 };
size_t seccomp_condition_points(const struct seccomp_condition *condition, uint64_t ret[SECCOMP_POINTS_MAX]);

#endif
