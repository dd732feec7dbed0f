/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"

void sha256_start(struct sha256 *s) {
  sha256_init(&s->context);
}

void sha256_add(struct sha256 *s, const void *data, size_t len) {
  sha256_update(&s->context, len, data);
}

void sha256_end(struct sha256 *s, uint8_t ret[static SHA256_SIZE]) {
  sha256_digest(&s->context, SHA256_SIZE, ret);
}

void sha256_hex(const void *data, size_t len, char ret[static SHA256_HEX]) {
  static const char digits[] = "0123456789abcdef";
  struct sha256 s;
  uint8_t digest[SHA256_SIZE];
  sha256_start(&s);
  sha256_add(&s, data, len);
  sha256_end(&s, digest);
  for (size_t i = 0; i < SHA256_SIZE; i++) {
    ret[2 * i] = digits[digest[i] >> 4];
    ret[2 * i + 1] = digits[digest[i] & 15];
  }
  ret[2 * (size_t)SHA256_SIZE] = '\0';
}
