/* SPDX-License-Identifier: Apache-2.0 */
/* The words of TOML; private to src/install/toml*.c. */
#ifndef HARDEN_INSTALL_TOML_SCAN_H
#define HARDEN_INSTALL_TOML_SCAN_H

#include "install/toml.h"

struct toml_scan {
  const struct toml *toml;
  size_t pos;
  struct error *err;
};

/* All of these move `pos` behind what they read, or return -1 with *err set. */
void toml_skip_blank(struct toml_scan *s); /* spaces and tabs */
/* Blanks, a comment, and the newline or the end of the text. */
int toml_scan_line_end(struct toml_scan *s) MUST_CHECK;
/* Blanks, comments and newlines, as an array may have them. */
int toml_scan_gap(struct toml_scan *s) MUST_CHECK;
/* One part of a key, without NUL. */
int toml_scan_key(struct toml_scan *s, struct str *ret) MUST_CHECK;
/* A string of any of the four forms; ret may be NULL. */
int toml_scan_string(struct toml_scan *s, struct str *ret) MUST_CHECK;
/* A number, a boolean or a date. */
int toml_scan_word(struct toml_scan *s, enum toml_kind *ret_kind) MUST_CHECK;

int toml_scan_error(const struct toml_scan *s, const char *what) MUST_CHECK; /* at pos */
#define toml_scan_error(...) error_minus_one(toml_scan_error(__VA_ARGS__))

static inline int toml_peek(const struct toml_scan *s) { /* the next byte; -1 at the end */
  return s->pos < s->toml->len ? (unsigned char)s->toml->text[s->pos] : -1;
}

#endif
