/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4) by nettle, which takes the processor's instructions for it where there are any. */
#ifndef HARDEN_SHA256_H
#define HARDEN_SHA256_H

#include <nettle/sha2.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = SHA256_DIGEST_SIZE, SHA256_HEX = 2 * SHA256_SIZE + 1 };

struct sha256 {
  struct sha256_ctx context;
};

void sha256_start(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);
void sha256_end(struct sha256 *s, uint8_t ret[static SHA256_SIZE]);

/* All at once, as hexadecimal text. */
void sha256_hex(const void *data, size_t len, char ret[static SHA256_HEX]);

#endif
