/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void (*when_out_of_memory)(void);

void on_out_of_memory(void (*handler)(void)) {
  when_out_of_memory = handler;
}

void die_out_of_memory(void) {
  void (*handler)(void) = steal_ptr(&when_out_of_memory);
  if (handler)
    handler();
  static const char text[] = "oci-harden: out of memory; no container was started\n";
  ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
  (void)ignored;
  _exit(1);
}

void *xcalloc(size_t n, size_t size) {
  void *p = calloc(n ? n : 1, size ? size : 1);
  if (!p)
    die_out_of_memory();
  return p;
}

void *xrealloc(void *p, size_t n, size_t size) {
  void *q = reallocarray(p, n ? n : 1, size ? size : 1);
  if (!q)
    die_out_of_memory();
  return q;
}

/* A power of two is full; all else has room up to the next. */
void *xgrow(void *p, size_t len, size_t size) {
  return len & (len - 1) ? p : xrealloc(p, len ? 2 * len : 1, size);
}

char *xstrdup(const char *s) {
  if (!s)
    return NULL;
  char *copy = strdup(s);
  if (!copy)
    die_out_of_memory();
  return copy;
}

/* Nearly all texts are short, and vasprintf formats twice to learn the length. */
char *xvasprintf(const char *fmt, va_list args) {
  char room[256];
  va_list again;
  va_copy(again, args);
  int len = vsnprintf(room, sizeof room, fmt, args);
  char *text = NULL;
  if (len >= 0 && (size_t)len < sizeof room)
    text = memcpy(xrealloc(NULL, (size_t)len + 1, 1), room, (size_t)len + 1);
  else if (vasprintf(&text, fmt, again) < 0)
    die_out_of_memory();
  va_end(again);
  return text;
}

char *xasprintf(const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  char *text = xvasprintf(fmt, args);
  va_end(args);
  return text;
}

static void reserve(struct str *s, size_t extra) {
  if (extra > SIZE_MAX / 4 - s->len)
    die_out_of_memory();
  size_t need = s->len + extra + 1;
  if (need <= s->size)
    return;
  size_t size = s->size ? s->size : 64;
  while (size < need)
    size *= 2;
  s->data = xrealloc(s->data, size, 1);
  s->size = size;
}

char *str_grow(struct str *s, size_t len) {
  reserve(s, len);
  return s->data + s->len;
}

void str_add_mem(struct str *s, const void *data, size_t len) {
  reserve(s, len);
  if (len)
    memcpy(s->data + s->len, data, len);
  s->len += len;
  s->data[s->len] = '\0';
}

void str_add(struct str *s, const char *text) {
  str_add_mem(s, text, strlen(text));
}

void str_addf(struct str *s, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  char *text = xvasprintf(fmt, args);
  va_end(args);
  str_add(s, text);
  free(text); /* not by the attribute, which clang's analyzer takes for a leak */
}

void str_free(struct str *s) {
  free(s->data);
  *s = (struct str){ 0 };
}

char *str_steal(struct str *s) {
  reserve(s, 0);
  s->data[s->len] = '\0';
  char *data = s->data;
  *s = (struct str){ 0 };
  return data;
}

/* The array has room for a power of two of items, the NULL behind them among these. */
void strlist_add_new(struct strlist *l, char *text) {
  const size_t used = l->len + 1;
  if ((used & (used - 1)) == 0)
    l->items = xrealloc(l->items, used * 2, sizeof *l->items);
  l->items[l->len++] = text;
  l->items[l->len] = NULL;
}

void strlist_add(struct strlist *l, const char *text) {
  strlist_add_new(l, xstrdup(text));
}

void strlist_clear(struct strlist *l) {
  for (size_t i = 0; i < l->len; i++)
    free(l->items[i]);
  free(l->items);
  *l = (struct strlist){ 0 };
}

void strlist_free(struct strlist *l) {
  strlist_clear(l);
}

void strlist_copy(struct strlist *to, const struct strlist *from) {
  struct strlist copy = { 0 };
  for (size_t i = 0; i < from->len; i++)
    strlist_add(&copy, from->items[i]);
  strlist_clear(to);
  *to = copy;
}

bool strlist_has(const struct strlist *l, const char *text) {
  for (size_t i = 0; i < l->len; i++)
    if (str_same(l->items[i], text))
      return true;
  return false;
}

void strlist_add_once(struct strlist *l, const char *text) {
  if (!strlist_has(l, text))
    strlist_add(l, text);
}

/* Linear in text for each '*': only the last star is ever taken back. */
bool glob_match(const char *glob, const char *text) {
  const char *star = NULL;
  const char *resume = NULL;
  while (*text) {
    if (*glob == '*') {
      star = ++glob;
      resume = text;
      if (*glob == '\0')
        return true;
    } else if (*glob == *text) {
      glob++;
      text++;
    } else if (star) {
      do /* to where what is behind the star can begin */
        resume++;
      while (*resume && *resume != *star);
      glob = star;
      text = resume;
    } else {
      return false;
    }
  }
  while (*glob == '*')
    glob++;
  return *glob == '\0';
}

bool strlist_matches(const struct strlist *globs, const char *text) {
  for (size_t i = 0; i < globs->len; i++)
    if (glob_match(globs->items[i], text))
      return true;
  return false;
}

bool str_starts(const char *text, const char *prefix) {
  while (*prefix)
    if (*text++ != *prefix++)
      return false;
  return true;
}

bool str_ends(const char *text, const char *suffix) {
  size_t n = strlen(text);
  size_t m = strlen(suffix);
  return n >= m && strcmp(text + n - m, suffix) == 0;
}

/* The table of well-formed byte sequences of the Unicode Standard: no overlong forms, no surrogates. */
size_t str_utf8_length(const char *p, size_t len) {
  const unsigned char *u = (const unsigned char *)p;
  if (len == 0)
    return 0;
  if (u[0] < 0x80)
    return 1;
  size_t n = u[0] >= 0xc2 && u[0] <= 0xdf   ? 2
             : u[0] >= 0xe0 && u[0] <= 0xef ? 3
             : u[0] >= 0xf0 && u[0] <= 0xf4 ? 4
                                            : 0;
  if (n == 0 || len < n)
    return 0;
  unsigned char low = u[0] == 0xe0 ? 0xa0 : u[0] == 0xf0 ? 0x90 : 0x80;
  unsigned char high = u[0] == 0xed ? 0x9f : u[0] == 0xf4 ? 0x8f : 0xbf;
  if (u[1] < low || u[1] > high)
    return 0;
  for (size_t i = 2; i < n; i++)
    if (u[i] < 0x80 || u[i] > 0xbf)
      return 0;
  return n;
}

static bool is_control(const unsigned char *p, size_t len) {
  return len == 1 ? (*p < 0x20 && *p != '\t') || *p == 0x7f : len == 2 && p[0] == 0xc2 && p[1] <= 0x9f;
}

void str_disarm(char *text, size_t len) {
  for (size_t at = 0; at < len;) {
    const size_t character = str_utf8_length(text + at, len - at);
    const size_t step = character ? character : 1;
    if (!character || is_control((const unsigned char *)text + at, character))
      memset(text + at, '?', step);
    at += step;
  }
}
