/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"

void sha256_init(struct sha256 *s) {
  SHA256Init(&s->context);
}

void sha256_add(struct sha256 *s, const void *data, size_t len) {
  SHA256Update(&s->context, data, len);
}

void sha256_end(struct sha256 *s, uint8_t ret[static SHA256_SIZE]) {
  SHA256Final(ret, &s->context);
}

void sha256_hex(const void *data, size_t len, char ret[static SHA256_HEX]) {
  SHA256Data(data, len, ret);
}
