/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memcpy, memmove, memcmp and strlen for the programs that use musl. Its own begin each copy with "rep movs",
 * which takes some forty cycles to get going, and go by bytes; a create makes ten thousand copies and as many
 * measurements, most of ten bytes.
 *
 * What is read is read before anything of it can be written: a block of up to two vectors as a whole, a
 * longer one's last vector first and then a vector at a time from the end that `to` does not reach into.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
  uint64_t words[2];
} vector;

/* The first and the last TYPE of n bytes, which overlap where n is less than two of them. */
#define COPY_ENDS(type)                                                                                      \
  do {                                                                                                       \
    type head, tail;                                                                                         \
    __builtin_memcpy(&head, from, sizeof head);                                                              \
    __builtin_memcpy(&tail, from + n - sizeof tail, sizeof tail);                                            \
    __builtin_memcpy(to, &head, sizeof head);                                                                \
    __builtin_memcpy(to + n - sizeof tail, &tail, sizeof tail);                                              \
  } while (0)

static void copy_short(char *to, const char *from, size_t n) {
  if (n >= sizeof(vector))
    COPY_ENDS(vector);
  else if (n >= sizeof(uint64_t))
    COPY_ENDS(uint64_t);
  else if (n >= sizeof(uint32_t))
    COPY_ENDS(uint32_t);
  else if (n >= sizeof(uint16_t))
    COPY_ENDS(uint16_t);
  else if (n > 0)
    *to = *from;
}

static void copy_vector(char *to, const char *from) {
  vector v;
  __builtin_memcpy(&v, from, sizeof v);
  __builtin_memcpy(to, &v, sizeof v);
}

/* Not made into calls of the functions that they implement. */
#define LOOPS_STAY __attribute__((optimize("no-tree-loop-distribute-patterns")))

LOOPS_STAY static void copy_up(char *to, const char *from, size_t n) {
  vector last;
  __builtin_memcpy(&last, from + n - sizeof last, sizeof last);
  for (size_t i = 0; i < n - sizeof last; i += sizeof last)
    copy_vector(to + i, from + i);
  __builtin_memcpy(to + n - sizeof last, &last, sizeof last);
}

LOOPS_STAY static void copy_down(char *to, const char *from, size_t n) {
  vector first;
  __builtin_memcpy(&first, from, sizeof first);
  for (size_t i = n; i > sizeof first; i -= sizeof first)
    copy_vector(to + i - sizeof first, from + i - sizeof first);
  __builtin_memcpy(to, &first, sizeof first);
}

/* gcc would make a memmove of what cannot overlap a memcpy: neither calls the other. */
static inline void *copy(void *to, const void *from, size_t n) {
  if (n <= 2 * sizeof(vector))
    copy_short(to, from, n);
  else if ((uintptr_t)to - (uintptr_t)from >= n)
    copy_up(to, from, n);
  else
    copy_down(to, from, n);
  return to;
}

void *memmove(void *dest, const void *src, size_t n) {
  return copy(dest, src, n);
}

void *memcpy(void *restrict dest, const void *restrict src, size_t n) {
  return copy(dest, src, n);
}

static uint64_t eight(const void *p) {
  uint64_t x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}

static uint32_t four(const void *p) {
  uint32_t x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}

int memcmp(const void *s1, const void *s2, size_t n) {
  const unsigned char *a = s1, *b = s2;
  size_t i = 0;
  while (n - i >= sizeof(uint64_t) && eight(a + i) == eight(b + i))
    i += sizeof(uint64_t);
  /* The rest with what is in front of it, which is the same in both. */
  if (n >= sizeof(uint64_t) && n - i < sizeof(uint64_t) &&
      eight(a + n - sizeof(uint64_t)) == eight(b + n - sizeof(uint64_t)))
    return 0;
  if (n - i >= sizeof(uint32_t) && four(a + i) == four(b + i))
    i += sizeof(uint32_t);
  for (; i < n; i++)
    if (a[i] != b[i])
      return a[i] - b[i];
  return 0;
}

typedef uint64_t __attribute__((may_alias)) word;

/* Its first byte the lowest. */
static uint64_t in_order(word x) {
  return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(x) : x;
}

/* By words in place, none of which lies in two pages, though beyond either end of the string. */
__attribute__((no_sanitize("address"))) size_t strlen(const char *s) {
  const uint64_t each = UINT64_C(0x0101010101010101);
  const size_t before = (uintptr_t)s % sizeof(word);
  const word *p = (const word *)(const void *)(s - before);
  /* What is in front of the string is not its end. */
  uint64_t x = in_order(*p) | ((UINT64_C(1) << 8 * before) - 1);
  uint64_t zero; /* marks the first NUL, and perhaps bytes behind it */
  while (!(zero = (x - each) & ~x & each * 0x80))
    x = in_order(*++p);
  return (size_t)((const char *)p - s) + (size_t)__builtin_ctzll(zero) / 8;
}
