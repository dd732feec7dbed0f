/* SPDX-License-Identifier: Apache-2.0 */
/* The resource limits of a process (/proc/PID/limits). */
#ifndef HARDEN_KERNEL_LIMITS_H
#define HARDEN_KERNEL_LIMITS_H

#include "kernel/process.h"

struct kernel_limit {
  uint64_t soft, hard; /* UINT64_MAX: unlimited */
};
enum { KERNEL_LIMITS = 16 };
extern const char *const kernel_limit_names[KERNEL_LIMITS]; /* by RLIMIT_*; as in OCI: "RLIMIT_CPU" */

/* By RLIMIT_*. A line that is missing or not of its form: ERROR_INPUT. */
int kernel_limits_parse(const char *text, struct kernel_limit ret[KERNEL_LIMITS],
                        struct error *err) MUST_CHECK;
int kernel_limits_read(const struct kernel_process *p, struct kernel_limit ret[KERNEL_LIMITS],
                       struct error *err) MUST_CHECK;

#endif
