/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict JSON into jansson's values: what Go and C would read differently is refused, with its place.
 *
 * Refused: duplicate keys; keys of one object that fold to the same name under Go's encoding/json rules
 * (ASCII case, U+017F is s, U+212A is k); bytes behind the value; a byte order mark; NUL in a key or string;
 * more than JSONX_DEPTH levels; more bytes than the caller's limit; integers outside [-2^63, 2^64-1]; reals
 * that are no finite double.
 *
 * jansson holds integers to 2^63-1, OCI's are uint64 (RLIM_INFINITY is 2^64-1, and engines write it).
 * Integers above 2^63-1 are held as a string of a private form (see jsonx_u64_new) and written back as
 * integers; an input string of that form is refused.
 */
#ifndef HARDEN_JSONX_H
#define HARDEN_JSONX_H

#include "base/error.h"
#include "base/str.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { JSONX_DEPTH = 128 };
#define JSONX_LIMIT_DEFAULT ((size_t)16 << 20) /* bytes */

/* A text and what to call it in messages. Borrowed for as long as documents made from it report places. */
struct jsonx_source {
  const char *name; /* "config.json" */
  const char *text;
  size_t len;
};

/* Errors are ERROR_INPUT and read "config.json:41:9: /process/args/3: ...": line and column count from 1,
 * columns in bytes; the pointer is left out for the document itself. *ret is a new reference. The root may be
 * any value. Time and memory are linear in the text. */
int jsonx_parse(const struct jsonx_source *src, size_t limit, json_t **ret, struct error *err) MUST_CHECK;

/* The same where some objects are maps: their keys are data, which Go keeps as they are, so that only equal
 * ones are refused there. Asked for the pointer of an object with keys of one fold. */
typedef bool jsonx_is_map(const char *pointer);
int jsonx_parse_with_maps(const struct jsonx_source *src, size_t limit, jsonx_is_map *is_map, json_t **ret,
                          struct error *err) MUST_CHECK;

/* The text of a value. Borrowed. */
struct jsonx_span {
  const char *text; /* NULL: there is none */
  size_t len;
};

/* jsonx_parse_with_maps that also tells the text of the object or array at a pointer without escapes and
 * array items. */
int jsonx_parse_noting(const struct jsonx_source *src, size_t limit, jsonx_is_map *is_map,
                       const char *pointer, struct jsonx_span *ret_span, json_t **ret,
                       struct error *err) MUST_CHECK;

/*
 * jsonx_parse_with_maps for a text that has been verified before (its digest, or who alone can have written
 * it): an object or array at one pointer (a member of objects, of names without escapes) is not built. In the
 * tree it is true, and it comes back as text, of which nothing was looked at but where it ends.
 */
int jsonx_parse_without(const struct jsonx_source *src, jsonx_is_map *is_map, const char *pointer,
                        struct jsonx_span *ret_left_out, json_t **ret, struct error *err) MUST_CHECK;

/*
 * Only the values at some pointers (members of objects, of names without escapes): new references, NULL where
 * there is none; of two with one name the last. Of the rest the grammar alone is checked: for texts that a
 * program wrote for itself. No pointer may lie below another.
 */
int jsonx_pick(const struct jsonx_source *src, const char *const *pointers, size_t len, json_t **ret,
               struct error *err) MUST_CHECK;
/* The same, but of two with one name the first, and nothing is read behind the last that was sought: the text
 * may be the beginning of one. */
int jsonx_pick_first(const struct jsonx_source *src, const char *const *pointers, size_t len, json_t **ret,
                     struct error *err) MUST_CHECK;

/* Canonical bytes: compact, keys in their order, UTF-8 as it was, integers exact. Appends to out. */
void jsonx_dump(const json_t *value, struct str *out);
void jsonx_dump_pretty(const json_t *value, struct str *out); /* two spaces, a newline at the end */

/* Integers above 2^63-1. json_is_string() is true for them: where a string is expected, ask
 * jsonx_is_integer() too. *_get is true for every integer >= 0, in either form. */
json_t *jsonx_u64_new(uint64_t value) MUST_CHECK;
bool jsonx_u64_get(const json_t *value, uint64_t *ret);
/* True for an integer of either form; negative ones too. */
bool jsonx_is_integer(const json_t *value);

/* RFC 6901. NULL when nothing is there; borrowed. */
json_t *jsonx_at(const json_t *root, const char *pointer);
/* Is the text one of the array's strings? NULL array: no. */
bool jsonx_has(const json_t *array, const char *text);
/* Appends "/token" with '~' and '/' escaped. */
void jsonx_pointer_add(struct str *pointer, const char *token);
void jsonx_pointer_add_index(struct str *pointer, size_t index);
char *jsonx_pointer(const char *base,
                    const char *token) MUST_CHECK; /* base "/" token, escaped; the caller frees */
char *jsonx_pointer_index(const char *base, size_t index) MUST_CHECK;

/* Where the value (for_key: its key) at pointer stands in the text: the nearest enclosing value that exists
 * when the pointer itself does not. Lines and columns from 1; 0 when the text cannot be read at all. */
void jsonx_locate(const struct jsonx_source *src, const char *pointer, bool for_key, unsigned *ret_line,
                  unsigned *ret_column);

/* "config.json:41:9: /pointer: fmt" as an error; returns -1. src NULL: "/pointer: fmt". */
int jsonx_error(struct error *err, enum error_code code, const struct jsonx_source *src, const char *pointer,
                const char *fmt, ...) PRINTF_LIKE(5, 6);

/* Go's key folding of a UTF-8 key: ASCII lower case, U+017F to s, U+212A to k, other bytes as they are.
 * The caller frees. */
char *jsonx_fold(const char *key) MUST_CHECK;

/* Helpers that end the program when out of memory. Bytes of text and key that are not UTF-8 (names of files,
 * arguments) become U+FFFD; text never makes an integer of the private form. */
json_t *jsonx_string_new(const char *text) MUST_CHECK;
json_t *jsonx_copy(const json_t *value) MUST_CHECK; /* deep; NULL gives NULL */
/* Members and items are shared. json_copy() leaves out, without a word, those for which it finds no memory.
 */
json_t *jsonx_copy_top(const json_t *value) MUST_CHECK;
void jsonx_set_new(json_t *object, const char *key, json_t *value); /* takes value */
void jsonx_append_new(json_t *array, json_t *value);                /* takes value */

/*
 * Decoding an object into a struct by a table of rows. Unknown keys are errors that name the known ones.
 * Absent keys leave the member as it is, which is how a policy inherits.
 */
enum jsonx_type {
  JSONX_BOOL,    /* bool */
  JSONX_INT,     /* int64_t, within [min, max]; both 0: any */
  JSONX_STRING,  /* char *, replaced (freed and duplicated); JSON null is NULL */
  JSONX_STRINGS, /* struct strlist, replaced; an item that is there twice is an error */
  JSONX_ENUM,    /* int: index into names */
  JSONX_OBJECT,  /* a nested struct at offset, decoded by rows */
  JSONX_CUSTOM,  /* decode() */
};

struct jsonx_row {
  const char *key;
  enum jsonx_type type;
  size_t offset;
  const char *doc;  /* one sentence for the schema and the man page */
  int64_t min, max; /* JSONX_INT */
  const char *const
      *names; /* JSONX_ENUM: NULL-terminated; also the item names allowed in JSONX_STRINGS, NULL: any */
  const struct jsonx_row *rows; /* JSONX_OBJECT: ends with key NULL */
  int (*decode)(const json_t *value, const struct jsonx_source *src, const char *pointer, void *member,
                struct error *err);      /* JSONX_CUSTOM */
  json_t *(*encode)(const void *member); /* JSONX_CUSTOM: for `policy show`; new reference */
  const char *schema;                    /* JSONX_CUSTOM: a JSON Schema fragment, as text */
  const char *pattern;                   /* JSONX_STRING(S): a regular expression for the schema, or NULL */
};

/* Errors are ERROR_INPUT. On failure *target holds some of the values; it can be freed as ever. src is only
 * for places and may be NULL. */
int jsonx_decode(const json_t *object, const struct jsonx_source *src, const char *pointer,
                 const struct jsonx_row *rows, void *target, struct error *err) MUST_CHECK;
/* The reverse: every row as a new object; custom rows without encode() are left out. */
json_t *jsonx_encode(const struct jsonx_row *rows, const void *source) MUST_CHECK;
/* A JSON Schema (draft 2020-12) object of the rows, additionalProperties false. New reference. */
json_t *jsonx_schema(const struct jsonx_row *rows) MUST_CHECK;

#endif
