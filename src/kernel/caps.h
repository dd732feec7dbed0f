/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities by number, as in linux/capability.h. */
#ifndef HARDEN_KERNEL_CAPS_H
#define HARDEN_KERNEL_CAPS_H

#include "base/str.h"

#include <stdint.h>

/* NULL: no such name is known. */
const char *kernel_cap_name(unsigned number);
/* -1: unknown. NULL: -1. */
int kernel_cap_number(const char *name);

/* Appends "CAP_CHOWN, CAP_41" for the bits of a set; "none" for 0. */
void kernel_caps_text(uint64_t set, struct str *out);

#endif
