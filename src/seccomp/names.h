/* SPDX-License-Identifier: Apache-2.0 */
/* OCI's words for actions, operators and flags; shared by the model's decoder and encoder. */
#ifndef HARDEN_SECCOMP_NAMES_H
#define HARDEN_SECCOMP_NAMES_H

#include <errno.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

extern const char *const seccomp_op_names[];   /* by enum seccomp_op; ends with NULL */
extern const char *const seccomp_flag_names[]; /* bit 0 first; ends with NULL */

/* Index of name in a NULL-terminated list, -1 if it is not there. */
int seccomp_name_index(const char *const *names, const char *name);

/* The SECCOMP_RET_* word with an empty low half. False: no such action. */
bool seccomp_action_by_oci(const char *name, uint32_t *ret);

#endif
