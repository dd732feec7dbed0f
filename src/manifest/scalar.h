/* SPDX-License-Identifier: Apache-2.0 */
/* What a plain scalar means. */
#ifndef HARDEN_MANIFEST_SCALAR_H
#define HARDEN_MANIFEST_SCALAR_H

#include "base/str.h"
#include "manifest/tree.h"

/* Sets kind, number and truth by the text, as go-yaml 2 resolves it (see tree.h). */
void scalar_resolve(struct node *node);

/* Kubernetes' quantities: "100m", "64Mi", "1e3", 0.5. The value times 1000, rounded up as the API does for
 * what is smaller; false when it is none, or is larger than an int64_t. */
bool scalar_quantity(const char *text, int64_t *ret_milli);
/* docker's sizes: "64m", "1.5g", "512kb", bytes without a unit; units are powers of 1024. */
bool scalar_size(const char *text, int64_t *ret_bytes);
/* A whole decimal number >= 0 and nothing else. */
bool scalar_number(const char *text, int64_t *ret);

#endif
