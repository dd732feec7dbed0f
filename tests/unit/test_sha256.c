/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"

#include <criterion/criterion.h>
#include <sha2.h>
#include <string.h>

/* FIPS 180-4, appendix B, and the empty message. */
Test(sha256, knows_the_standards_examples) {
  char hex[SHA256_HEX];
  sha256_hex("", 0, hex);
  cr_expect_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  sha256_hex("abc", 3, hex);
  cr_expect_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* Every length over some blocks, in one piece and in two. */
Test(sha256, agrees_with_libmd) {
  uint8_t data[300];
  for (size_t i = 0; i < sizeof data; i++)
    data[i] = (uint8_t)(i * 167 + 13);
  for (size_t len = 0; len <= sizeof data; len++) {
    uint8_t theirs[SHA256_SIZE], ours[SHA256_SIZE];
    SHA2_CTX ctx;
    SHA256Init(&ctx);
    SHA256Update(&ctx, data, len);
    SHA256Final(theirs, &ctx);
    for (size_t cut = 0; cut <= len; cut += 7) {
      struct sha256 s;
      sha256_init(&s);
      sha256_add(&s, data, cut);
      sha256_add(&s, data + cut, len - cut);
      sha256_end(&s, ours);
      cr_assert_arr_eq(ours, theirs, sizeof ours, "%zu bytes, cut at %zu", len, cut);
    }
  }
}
