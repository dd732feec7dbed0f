/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"

#include <sha2.h>
#include <stdbool.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#include <sys/platform/x86.h>

static const uint32_t constants[64] = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* The instructions keep the state as ABEF and CDGH. Each step makes four rounds; `w` holds the sixteen last
 * words of the message schedule. */
__attribute__((target("sha,sse4.1"))) static void transform_sha(uint32_t state[8], const uint8_t *data,
                                                                size_t blocks) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)&state[0]), 0xb1);
  __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)&state[4]), 0x1b);
  __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
  __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
  for (; blocks > 0; blocks--, data += SHA256_BLOCK) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w[4];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
      __m128i *now = &w[i & 3], *last = &w[(i + 3) & 3];
      if (i < 4)
        *now = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)data + i), big_endian);
      else
        *now = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(*now, w[(i + 1) & 3]),
                                                  _mm_alignr_epi8(*last, w[(i + 2) & 3], 4)),
                                    *last);
      __m128i k = _mm_loadu_si128((const __m128i *)(const void *)&constants[4 * i]);
      __m128i sum = _mm_add_epi32(*now, k);
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
  __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128((__m128i *)(void *)&state[0], _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128((__m128i *)(void *)&state[4], _mm_alignr_epi8(dchg, feba, 8));
}

/* What the C library found out at the start: asking the processor again is slow in a virtual machine. */
static bool has_instructions(void) {
  return CPU_FEATURE_ACTIVE(SHA) && CPU_FEATURE_ACTIVE(SSE4_1);
}
#else
static void transform_sha(uint32_t state[8], const uint8_t *data, size_t blocks) {
  (void)state, (void)data, (void)blocks;
}

static bool has_instructions(void) {
  return false;
}
#endif

static void transform(uint32_t state[8], const uint8_t *data, size_t blocks) {
  if (has_instructions()) {
    transform_sha(state, data, blocks);
    return;
  }
  for (; blocks > 0; blocks--, data += SHA256_BLOCK)
    SHA256Transform(state, data);
}

void sha256_init(struct sha256 *s) {
  static const uint32_t initial[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
  memcpy(s->state, initial, sizeof initial);
  s->len = 0;
}

void sha256_add(struct sha256 *s, const void *data, size_t len) {
  const uint8_t *p = data;
  size_t used = s->len % SHA256_BLOCK;
  if (len == 0)
    return;
  s->len += len;
  if (used > 0) {
    size_t room = SHA256_BLOCK - used, n = len < room ? len : room;
    memcpy(s->block + used, p, n);
    if (n < room)
      return;
    transform(s->state, s->block, 1);
    p += n;
    len -= n;
  }
  transform(s->state, p, len / SHA256_BLOCK);
  memcpy(s->block, p + len / SHA256_BLOCK * SHA256_BLOCK, len % SHA256_BLOCK);
}

void sha256_end(struct sha256 *s, uint8_t ret[static SHA256_SIZE]) {
  static const uint8_t padding[SHA256_BLOCK] = { 0x80 };
  const uint64_t bits = s->len * 8;
  const size_t used = s->len % SHA256_BLOCK;
  uint8_t length[8];
  for (size_t i = 0; i < sizeof length; i++)
    length[i] = (uint8_t)(bits >> (56 - 8 * i));
  sha256_add(s, padding, (used < 56 ? 56 : 56 + SHA256_BLOCK) - used);
  sha256_add(s, length, sizeof length);
  for (size_t i = 0; i < SHA256_SIZE; i++)
    ret[i] = (uint8_t)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_hex(const void *data, size_t len, char ret[static SHA256_HEX]) {
  static const char digits[] = "0123456789abcdef";
  struct sha256 s;
  uint8_t digest[SHA256_SIZE];
  sha256_init(&s);
  sha256_add(&s, data, len);
  sha256_end(&s, digest);
  for (size_t i = 0; i < SHA256_SIZE; i++) {
    ret[2 * i] = digits[digest[i] >> 4];
    ret[2 * i + 1] = digits[digest[i] & 15];
  }
  ret[2 * SHA256_SIZE] = '\0';
}
