/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What spec_parse asks of a document beyond JSON. Internal to src/spec.
 */
#ifndef HARDEN_SPEC_SHAPE_H
#define HARDEN_SPEC_SHAPE_H

#include "base/error.h"
#include "spec/spec.h"

#include <stdbool.h>

/* Types, ranges, required members and uniqueness of the OCI members that controls read; null counts as
 * absent, unknown keys stay. OH-SPC-002, 004 to 009. */
int shape_check(const struct spec *spec, struct error *err) MUST_CHECK;

/* Its parts that are about single values: the version; and, of what has its types, what is unique, what is
 * a plain name, and what is one path to both runtimes. */
int values_check_version(const struct spec *spec, struct error *err) MUST_CHECK;
int values_check(const struct spec *spec, struct error *err) MUST_CHECK;

/* OH-SPC-003: no key that Go would read as an OCI key although it is spelt differently. */
int names_check(const struct spec *spec, struct error *err) MUST_CHECK;
/* Is the object there one whose keys are data? */
bool names_is_free_map(const char *pointer);
/* The OCI key that Go reads `key` as; NULL: none. */
const char *names_find(const char *key);
/* For tests: the table, sorted without regard to case. */
extern const char *const oci_names[];
extern const size_t oci_names_len;

/* "config.json:41:9: /process/args: fmt", the pointer as it reads in the source (without the wrapping). Place
 * of the key instead of the value when for_key. Returns -1. */
int spec_error(struct error *err, const struct spec *spec, enum error_code code, const char *rule,
               const char *pointer, bool for_key, const char *fmt, ...) PRINTF_LIKE(7, 8);

#endif
