/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classic BPF as seccomp(2) runs it: the kernel's admission check, an interpreter, and an exploration that
 * tells which actions a system call can meet whatever its arguments are.
 */
#ifndef HARDEN_SECCOMP_SIMULATE_H
#define HARDEN_SECCOMP_SIMULATE_H

#include "base/error.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BPF_PROGRAM_MAX = 4096 }; /* instructions; BPF_MAXINSNS */

/* The bit that x32 system calls carry in their number, under the arch of x86-64. */
#define BPF_X32_BIT 0x40000000u

/* Would the kernel take it (seccomp_check_filter and bpf_check_classic)? No: ERROR_INPUT with the offset.
 * Programs that pass only jump forward, so that each of them ends. */
int bpf_validate(const struct sock_filter *program, size_t len, struct error *err) MUST_CHECK;

/* What a validated program returns: SECCOMP_RET_* with its data. */
uint32_t bpf_run(const struct sock_filter *program, size_t len, const struct seccomp_data *data);

/* The same in two steps, for many arguments of one call: up to the first load of anything but nr and arch,
 * and from there. */
struct bpf_entry {
  size_t pc;
  uint32_t a, x, mem[BPF_MEMWORDS];
};
void bpf_enter(const struct sock_filter *program, size_t len, uint32_t arch, uint32_t nr,
               struct bpf_entry *ret);
uint32_t bpf_resume(const struct sock_filter *program, size_t len, const struct bpf_entry *entry,
                    const struct seccomp_data *data);

/* The kernel's precedence as a small number: 0 for ALLOW, up to 7 for KILL_PROCESS, as which the kernel
 * treats actions that it does not know. */
unsigned bpf_strictness(uint32_t verdict);

/* Sets of actions: bit n is the action of strictness n. */
#define BPF_SET(action) (1u << bpf_strictness(action))
#define BPF_SET_ALL 0xffu
/* Those after which the call may be carried out: ALLOW, LOG, TRACE and USER_NOTIF. */
#define BPF_SET_RUNS 0x0fu

/*
 * Every action that a validated program can return for this system call, with unknown arguments and
 * instruction pointer. Follows each branch that the conditions passed so far do not exclude. Never misses an
 * action; may name one too many where conditions exclude each other in a way it does not see. A program that
 * takes too many branches gives BPF_SET_ALL.
 */
unsigned bpf_reach(const struct sock_filter *program, size_t len, uint32_t arch, uint32_t nr);

/* The same for the numbers first .. last at once. */
unsigned bpf_reach_numbers(const struct sock_filter *program, size_t len, uint32_t arch, uint32_t first,
                           uint32_t last);

/* A comparison that decides over a call: of a word of struct seccomp_data, under a mask, with a constant. */
struct bpf_comparison {
  unsigned word; /* its offset / 4 */
  uint32_t mask, constant;
};
/* Those that the exploration meets, each once. Returns how many there are; no more than `max` are written. */
size_t bpf_comparisons(const struct sock_filter *program, size_t len, uint32_t arch, uint32_t nr,
                       struct bpf_comparison *ret, size_t max);

/* Counts the system calls first .. first+count-1 that may be carried out; marks them in ret_reached (NULL:
 * not wanted), which has `count` entries. */
size_t bpf_reachable(const struct sock_filter *program, size_t len, uint32_t arch, uint32_t first,
                     size_t count, bool *ret_reached);

#endif
