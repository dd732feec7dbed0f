/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that cannot fail, growing strings, lists of strings.
 *
 * Out of memory ends the program with exit 1: by on_out_of_memory's function, or with a line on stderr. That
 * is safe because a bundle is changed by one atomic rename only, and no runtime has been started.
 */
#ifndef HARDEN_STR_H
#define HARDEN_STR_H

#include "base/cleanup.h"
#include "base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

void *xcalloc(size_t n, size_t size) MUST_CHECK;           /* zeroed; the caller frees */
void *xrealloc(void *p, size_t n, size_t size) MUST_CHECK; /* n * size is checked for overflow */
/* Room for one more item behind the `len` that were made room for by this, one at a time. */
void *xgrow(void *p, size_t len, size_t size) MUST_CHECK;
char *xstrdup(const char *s) MUST_CHECK; /* NULL gives NULL */
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2) MUST_CHECK;
char *xvasprintf(const char *fmt, va_list args) PRINTF_LIKE(1, 0) MUST_CHECK;
_Noreturn void die_out_of_memory(void);
/* What is to be done before the line and the exit; it may end the program by itself. Called once: when it
 * runs out of memory too, there is only the line. */
void on_out_of_memory(void (*handler)(void));

/* A growing string. Zero-initialise it; `data` is NUL-terminated, NULL while empty. */
struct str {
  char *data;
  size_t len;
  size_t size;
};
#define CLEANUP_STR CLEANUP(str_free)

void str_add(struct str *s, const char *text);
void str_add_mem(struct str *s, const void *data, size_t len);
char *str_grow(struct str *s, size_t len) MUST_CHECK; /* str_room's, where there is none yet */
/* Where to write `len` bytes and a NUL; the caller then adds to s->len what it wrote. */
MUST_CHECK static inline char *str_room(struct str *s, size_t len) {
  return s->size - s->len > len ? s->data + s->len : str_grow(s, len);
}
void str_addf(struct str *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void str_free(struct str *s);
char *str_steal(struct str *s) MUST_CHECK; /* never NULL: "" when empty; the caller frees */

/* A list of strings that owns its items. `items` has `len` entries and a NULL behind them, or is
 * NULL while empty. */
struct strlist {
  char **items;
  size_t len;
};
#define CLEANUP_STRLIST CLEANUP(strlist_free)

void strlist_add(struct strlist *l, const char *text);
void strlist_add_new(struct strlist *l, char *text);               /* takes text */
void strlist_add_once(struct strlist *l, const char *text);        /* one that it has not */
void strlist_copy(struct strlist *to, const struct strlist *from); /* replaces what `to` held */
void strlist_clear(struct strlist *l);
void strlist_free(struct strlist *l);
bool strlist_has(const struct strlist *l, const char *text);
/* True when an item, read as a glob in which only '*' is special (it matches any text, '/' too),
 * matches the whole of text. */
bool strlist_matches(const struct strlist *globs, const char *text);

/* Equal texts, or both NULL. */
static inline bool str_same_or_null(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Equal texts. Most that are compared differ in their first byte. */
static inline bool str_same(const char *a, const char *b) {
  return *a == *b && strcmp(a, b) == 0;
}

bool glob_match(const char *glob, const char *text);
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);

/* What of UTF-8 begins at p: bytes of one well-formed character, 0 when there is none. */
size_t str_utf8_length(const char *p, size_t len);
/* For a terminal or a line of a log: controls but tab, those from U+0080 on too, and what is no UTF-8 become
 * '?', byte by byte. */
void str_disarm(char *text, size_t len);

#endif
