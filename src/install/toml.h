/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOML 1.0 as text: where each table, key and value stands, so that an edit leaves every other byte as it is.
 * A library that reads values and writes them anew would lose comments, order and spelling of a file that
 * people keep; and what it guessed at, an engine's own reader may have read otherwise.
 *
 * Strict: what is not TOML 1.0 is refused with its place, and so is what readers disagree on: NUL in a key,
 * integers beyond 64 bits, a byte order mark, a dotted key into a table that another header implied, more
 * than TOML_DEPTH levels.
 */
#ifndef HARDEN_INSTALL_TOML_H
#define HARDEN_INSTALL_TOML_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum { TOML_DEPTH = 64 };
#define TOML_LIMIT ((size_t)1 << 20) /* bytes of a file */

enum toml_kind { TOML_TABLE, TOML_ARRAY, TOML_STRING, TOML_INTEGER, TOML_FLOAT, TOML_BOOL, TOML_DATE };

/* How a table or an array came to be; a value is always TOML_BY_VALUE. */
enum toml_origin {
  TOML_BY_VALUE,  /* key = value: inline tables too */
  TOML_BY_HEADER, /* [a.b]; an array, and each of its items: [[a.b]] */
  TOML_IMPLIED,   /* a, of [a.b] */
  TOML_BY_DOTS,   /* a, of a.b = value */
};

struct toml_node {
  char *key; /* NULL: the root, or an array's item */
  size_t key_len;
  enum toml_kind kind;
  enum toml_origin origin;
  bool skip; /* for toml_same: set by the caller */
  /* Offsets. A value's bytes are [start, end), and the line or lines of `key = value` with its comment and
   * newline [line, line_end). Of a table by header: its header's line is [line, line_end), and what belongs
   * directly to it ends at `end`, behind the newline of its last key (or of the header, without one). The
   * root is a table by header whose header is empty. Of one that is implied or made by dots: `line` is the
   * first that names it. */
  size_t start, end, line, line_end;
  size_t section; /* which header, or which inline table, it was made under */
  struct toml_node *parent, *first, *last, *next;
};

struct toml {
  const char *name, *text; /* borrowed; name is for messages */
  size_t len;
  struct toml_node *root;
};

/* name and text must outlive *ret. Errors are ERROR_INPUT: "config.toml:3:9: ...", columns in bytes from 1.
 */
int toml_parse(const char *name, const char *text, size_t len, struct toml *ret,
               struct error *err) MUST_CHECK;
void toml_free(struct toml *t);
#define CLEANUP_TOML CLEANUP(toml_free)

/* The member of a table; NULL: absent, or `table` is NULL or none. */
struct toml_node *toml_get(const struct toml_node *table, const char *key);
/* The same along keys, which end with NULL. */
struct toml_node *toml_at(const struct toml *t, const char *const *keys);
/* A string's value; NULL when the node is NULL or no string. The caller frees. */
char *toml_string(const struct toml *t, const struct toml_node *node) MUST_CHECK;
/* Appends a key as it is written: bare where it can be, else in quotes. */
void toml_add_key(struct str *out, const char *key);
/* Appends a basic string. */
void toml_add_string(struct str *out, const char *value);
/* "a.b.\"c d\"" of a node. The caller frees. */
char *toml_path(const struct toml_node *node) MUST_CHECK;

/* Do two documents say the same, but for nodes whose `skip` is set? An implied table counts when something in
 * it does. Values are compared as they are written. */
bool toml_same(const struct toml *a, const struct toml *b);

/* "NAME:LINE:COLUMN: fmt" of an offset. */
int toml_error(struct error *err, enum error_code code, const struct toml *t, size_t offset, const char *fmt,
               ...) PRINTF_LIKE(5, 6);
#define toml_error(...) error_minus_one(toml_error(__VA_ARGS__)) /* as error_set is */

#endif
