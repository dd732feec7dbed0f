/* SPDX-License-Identifier: Apache-2.0 */
/* Documents in which readers of JSON may find different things, made from a plain one; the same for the same
 * seed. */
#ifndef HARDEN_TESTS_AGREEMENT_HOSTILE_H
#define HARDEN_TESTS_AGREEMENT_HOSTILE_H

#include "base/str.h"

#include <jansson.h>
#include <stdint.h>

/* Appends the document (it may hold NUL bytes) and gives a name of what was done. */
const char *hostile_make(const json_t *base, uint64_t seed, struct str *out);

#endif
