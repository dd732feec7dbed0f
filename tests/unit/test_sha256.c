/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"

#include <criterion/criterion.h>
#include <string.h>

/* FIPS 180-2, appendix B, and the empty message. */
Test(sha256, knows_the_standards_examples) {
  char hex[SHA256_HEX];
  sha256_hex("", 0, hex);
  cr_expect_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  sha256_hex("abc", 3, hex);
  cr_expect_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  sha256_hex(two_blocks, strlen(two_blocks), hex);
  cr_expect_str_eq(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  static char million[1000000];
  memset(million, 'a', sizeof million);
  sha256_hex(million, sizeof million, hex);
  cr_expect_str_eq(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Every length over some blocks, in one piece and in two. */
Test(sha256, pieces_make_the_whole) {
  uint8_t data[300];
  for (size_t i = 0; i < sizeof data; i++)
    data[i] = (uint8_t)(i * 167 + 13);
  for (size_t len = 0; len <= sizeof data; len++) {
    uint8_t whole[SHA256_SIZE], pieces[SHA256_SIZE];
    struct sha256 s;
    sha256_start(&s);
    sha256_add(&s, data, len);
    sha256_end(&s, whole);
    for (size_t cut = 0; cut <= len; cut += 7) {
      sha256_start(&s);
      sha256_add(&s, data, cut);
      sha256_add(&s, data + cut, len - cut);
      sha256_end(&s, pieces);
      cr_assert_arr_eq(pieces, whole, sizeof whole, "%zu bytes, cut at %zu", len, cut);
    }
  }
}
