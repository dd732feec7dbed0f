/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_decode() in two steps, for a loader that reads `extends` before it decodes, and for config.json,
 * which is parsed alike. Errors are ERROR_POLICY.
 */
#ifndef HARDEN_DECODE_H
#define HARDEN_DECODE_H

#include "policy/policy.h"

/* *ret is a new reference to an object, without the key "$schema". */
int policy_parse(const struct jsonx_source *src, json_t **ret, struct error *err) MUST_CHECK;
/* Decodes an object that policy_parse gave. */
int policy_decode_root(struct policy *policy, json_t *root, const struct jsonx_source *src,
                       struct error *err) MUST_CHECK;

/* A JSON Schema of the rows under the $id urn:oci-harden:schema:NAME, which also takes the key "$schema". New
 * reference. */
json_t *schema_new(const struct jsonx_row *rows, const char *name, const char *title,
                   const char *description) MUST_CHECK;

#endif
