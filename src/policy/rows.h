/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership of structs that are described by jsonx rows: the table that decodes a struct also frees and
 * copies it, so that a new member cannot be forgotten in one of them. JSONX_CUSTOM members are the caller's
 * affair.
 */
#ifndef HARDEN_ROWS_H
#define HARDEN_ROWS_H

#include "io/jsonx.h"

/* Frees what the rows own in *base and leaves it empty. */
void rows_free(const struct jsonx_row *rows, void *base);
/* Deep copy into a struct whose members own nothing. */
void rows_copy(const struct jsonx_row *rows, void *to, const void *from);
/* In every list of *base the item "..." becomes the items that *parent has there. */
void rows_inherit(const struct jsonx_row *rows, void *base, const void *parent);

#endif
