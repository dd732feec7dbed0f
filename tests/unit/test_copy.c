/* SPDX-License-Identifier: Apache-2.0 */
/* Under other names, so that they stand beside the C library's, which judges them. */
#include <string.h>
#define memmove own_memmove
#define memcpy own_memcpy
#define memcmp own_memcmp
#define strlen own_strlen
void *own_memmove(void *dest, const void *src, size_t n);
void *own_memcpy(void *restrict dest, const void *restrict src, size_t n);
int own_memcmp(const void *s1, const void *s2, size_t n);
size_t own_strlen(const char *s);
#include "../../src/runtime/copy.c" /* NOLINT(bugprone-suspicious-include) */
#undef memmove
#undef memcpy
#undef memcmp
#undef strlen

#include <criterion/criterion.h>

enum { SIZE = 300 };

static void fill(unsigned char *bytes) {
  for (size_t i = 0; i < SIZE; i++)
    bytes[i] = (unsigned char)(i * 7 + i / 256);
}

Test(copy, every_length_and_overlap_as_memmove) {
  unsigned char ours[SIZE], theirs[SIZE];
  for (size_t n = 0; n <= 100; n++)
    for (size_t from = 0; from < 100; from++)
      for (size_t to = 0; to < 100; to++) {
        fill(ours);
        fill(theirs);
        cr_assert_eq(own_memmove(ours + to, ours + from, n), ours + to);
        memmove(theirs + to, theirs + from, n);
        cr_assert_arr_eq(ours, theirs, SIZE, "%zu bytes from %zu to %zu", n, from, to);
      }
}

Test(copy, memcpy_writes_so_many_bytes) {
  unsigned char from[SIZE], ours[SIZE], theirs[SIZE];
  fill(from);
  for (size_t n = 0; n <= SIZE - 10; n++) {
    memset(ours, 0, SIZE);
    memset(theirs, 0, SIZE);
    cr_assert_eq(own_memcpy(ours + 5, from + 3, n), ours + 5);
    memcpy(theirs + 5, from + 3, n);
    cr_assert_arr_eq(ours, theirs, SIZE, "%zu bytes", n);
  }
}

Test(copy, memcmp_finds_the_first_difference) {
  unsigned char a[SIZE], b[SIZE];
  for (size_t n = 0; n <= 40; n++) {
    fill(a);
    fill(b);
    cr_assert_eq(own_memcmp(a + 1, b + 1, n), 0);
    for (size_t i = 0; i < n; i++)
      for (size_t later = i; later < n; later++) {
        fill(b);
        b[1 + i] ^= 0x80;
        b[1 + later] ^= 0x7f;
        const int wanted = memcmp(a + 1, b + 1, n), found = own_memcmp(a + 1, b + 1, n);
        cr_assert((wanted > 0) == (found > 0) && (wanted < 0) == (found < 0), "%zu, %zu of %zu", i, later, n);
      }
  }
}

/* Bytes of every kind around it, with one that differs from NUL in one bit, at every place in a word. */
Test(copy, strlen_stops_at_the_first_nul) {
  static const char around[] = { 1, '\x80', '\xff', 'a' };
  char text[SIZE];
  for (size_t k = 0; k < sizeof around; k++)
    for (size_t at = 0; at < 20; at++)
      for (size_t n = 0; n <= 40; n++) {
        memset(text, around[k], sizeof text);
        if (at > 0)
          text[at - 1] = '\0';
        text[at + n] = text[at + n + 3] = '\0';
        cr_assert_eq(own_strlen(text + at), n, "%zu from %zu", n, at);
      }
}
