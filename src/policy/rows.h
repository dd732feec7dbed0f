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

/* The struct's values in the order of the rows, without their keys: numbers as eight bytes in the machine's
 * order, strings NUL-terminated, behind the number 1, or 0 for NULL, lists behind their length. For data that
 * is made and read by one build: nothing is checked. */
void rows_pack(const struct jsonx_row *rows, const void *base, struct str *out);
/* Into a struct whose members own nothing; returns what is behind the values. */
const char *rows_unpack(const struct jsonx_row *rows, void *base, const char *packed);

/*
 * The item "..." of a list stands for the items that the struct held before it was decoded over. rows_lend
 * moves the lists for which `object` has that item to the same places of *to; after decoding, rows_inherit
 * puts their items where "..." is, each item once.
 */
#define ROWS_INHERITED "..."
void rows_lend(const struct jsonx_row *rows, const json_t *object, void *base, void *to);
void rows_inherit(const struct jsonx_row *rows, void *base, const void *lent);

#endif
