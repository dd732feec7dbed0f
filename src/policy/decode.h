/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_decode() in two steps, for a loader that reads `extends` before it decodes. Errors are ERROR_POLICY.
 */
#ifndef HARDEN_DECODE_H
#define HARDEN_DECODE_H

#include "policy/policy.h"

/* *ret is a new reference to an object. */
int policy_parse(const struct jsonx_source *src, json_t **ret, struct error *err) MUST_CHECK;
/* Decodes an object that policy_parse gave, and takes "$schema" out of it. */
int policy_decode_root(struct policy *policy, json_t *root, const struct jsonx_source *src,
                       struct error *err) MUST_CHECK;

#endif
