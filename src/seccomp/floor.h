/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor: a small filter that the wrapper puts on itself before it execs the runtime. The container
 * inherits it below whatever filter the runtime installs, and when the runtime installs none. The kernel
 * takes the stricter of the two verdicts, so that a floor cannot weaken anything.
 */
#ifndef HARDEN_SECCOMP_FLOOR_H
#define HARDEN_SECCOMP_FLOOR_H

#include "base/error.h"
#include "base/str.h"

#include <linux/filter.h>
#include <stddef.h>

/*
 * The program: EPERM for each name on the native ABI and on those that its kernel may run beside it, by
 * their own numbers and through socketcall(2) and ipc(2) where they exist; ALLOW for all else. An unknown
 * name, and one that the runtime needs for itself, is ERROR_POLICY. *ret (the caller frees) passes
 * bpf_validate. No names: NULL and 0.
 */
int seccomp_floor_build(const struct strlist *names, struct sock_filter **ret, size_t *ret_len,
                        struct error *err) MUST_CHECK;

#endif
