/* SPDX-License-Identifier: Apache-2.0 */
/* The OCI state that a runtime writes to its hooks' standard input, and the hook's own arguments. */
#ifndef HARDEN_HOOKS_STATE_H
#define HARDEN_HOOKS_STATE_H

#include "base/error.h"
#include "harden/hook.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { STATE_SIZE_MAX = 1 << 20 }; /* bytes: annotations are in it */

/* Strict JSON; of the members only what the hook needs is looked at: id, bundle, status, pid. ERROR_INPUT.
 * The texts of *ret are the document's, which is the caller's. */
int state_parse(const char *text, size_t len, struct hook_call *ret, json_t **ret_document,
                struct error *err) MUST_CHECK;

/* [--config FILE] [--policy NAME], each also as --name=value. ERROR_USAGE. *ret_version: --version was asked
 * for. */
int arguments_parse(char **argv, struct hook_call *ret, bool *ret_version, struct error *err) MUST_CHECK;

#endif
