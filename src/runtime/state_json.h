/* SPDX-License-Identifier: Apache-2.0 */
/* state.json as text: the shape of struct state, apart from where it is kept. */
#ifndef HARDEN_STATE_JSON_H
#define HARDEN_STATE_JSON_H

#include "io/jsonx.h"
#include "runtime/state.h"

/* Appends the text. */
void state_encode(const struct state *state, struct str *out);
/* Members that are missing, of another type or of another version are ERROR_INPUT. */
int state_decode(struct state *ret, const struct jsonx_source *src, struct error *err) MUST_CHECK;

#endif
