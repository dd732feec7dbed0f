/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of a JSON text, with their offsets and the path to them; private to jsonx. Its grammar is RFC
 * 8259's, less NUL, a byte order mark, and more than JSONX_DEPTH levels. jsonx_parse makes values of the
 * tokens, jsonx_locate looks for places.
 */
#ifndef HARDEN_JSONX_SCAN_H
#define HARDEN_JSONX_SCAN_H

#include "io/jsonx.h"

enum jsonx_token_kind {
  JSONX_TOKEN_END,
  JSONX_TOKEN_PROBLEM, /* scan.problem says what; there is no token behind it */
  JSONX_TOKEN_OPEN,    /* '{' or '[' */
  JSONX_TOKEN_CLOSE,
  JSONX_TOKEN_KEY,
  JSONX_TOKEN_STRING, /* start and end include the quotes */
  JSONX_TOKEN_NUMBER,
  JSONX_TOKEN_WORD, /* true, false, null */
};

struct jsonx_token {
  enum jsonx_token_kind kind;
  size_t start, end; /* bytes [start, end) of the text */
  size_t path;       /* how many frames lead to it; a key's own frame counts */
};

/* One step of the path: the member or item that is being read. */
struct jsonx_frame {
  bool object;
  size_t key_start, key_end; /* object: the key's string in the text */
  bool key_escaped;
  size_t index; /* array */
};

enum jsonx_expect {
  JSONX_EXPECT_VALUE,
  JSONX_EXPECT_FIRST_ITEM, /* or ']' */
  JSONX_EXPECT_FIRST_KEY,  /* or '}' */
  JSONX_EXPECT_KEY,
  JSONX_EXPECT_COMMA, /* or the container's end */
  JSONX_EXPECT_END,
};

struct jsonx_scan {
  const char *text;
  size_t len;
  size_t pos;
  enum jsonx_expect expect;
  const char *problem; /* static */
  bool escaped;        /* the last string has escapes */
  size_t depth;
  struct jsonx_frame frames[JSONX_DEPTH];
};

void jsonx_scan_init(struct jsonx_scan *scan, const struct jsonx_source *src);
struct jsonx_token jsonx_scan_next(struct jsonx_scan *scan);

/* Do the first `path` frames spell the pointer, of names without escapes? */
bool jsonx_scan_is_at(const struct jsonx_scan *scan, size_t path, const char *pointer);

/* Behind a key: moves over its value by brackets and quotes alone. False, and nothing was moved: it is no
 * object or array, or has no end. */
bool jsonx_scan_over(struct jsonx_scan *scan, struct jsonx_span *ret);

/* Appends the RFC 6901 pointer of the first `path` frames. */
void jsonx_scan_pointer(const struct jsonx_scan *scan, size_t path, struct str *out);

/* Appends the text of the string token [start, end), without quotes and escapes. */
void jsonx_scan_unescape(const char *text, size_t start, size_t end, struct str *out);

/* So many bytes at p are ASCII that stands for itself in a JSON string; there may be more. Eight at a time.
 */
size_t jsonx_plain_length(const char *p, size_t len);

/* The private form of an integer above 2^63-1: DEL and 16 lower-case hexadecimal digits. */
enum { JSONX_U64_SIZE = 18 }; /* with the NUL */
void jsonx_u64_form(uint64_t value, char form[static JSONX_U64_SIZE]);
bool jsonx_u64_is_form(const char *text, size_t len, uint64_t *ret_value); /* ret_value may be NULL */

/* "name:line:col: pointer: text" for an offset; pointer "" is left out. Returns -1. */
int jsonx_error_at(struct error *err, enum error_code code, const struct jsonx_source *src, size_t offset,
                   const char *pointer, const char *text);

/* jsonx_error for the key at pointer. */
int jsonx_error_key(struct error *err, enum error_code code, const struct jsonx_source *src,
                    const char *pointer, const char *fmt, ...) PRINTF_LIKE(5, 6);

#endif
