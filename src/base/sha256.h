/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), by the processor's instructions where it has them, else by libmd. */
#ifndef HARDEN_SHA256_H
#define HARDEN_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32, SHA256_BLOCK = 64, SHA256_HEX = 2 * SHA256_SIZE + 1 };

struct sha256 {
  uint32_t state[8];
  uint64_t len; /* bytes so far */
  uint8_t block[SHA256_BLOCK];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);
void sha256_end(struct sha256 *s, uint8_t ret[static SHA256_SIZE]);

/* All at once, as hexadecimal text. */
void sha256_hex(const void *data, size_t len, char ret[static SHA256_HEX]);

#endif
