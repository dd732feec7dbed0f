/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <criterion/criterion.h>

/* What a glob means, without a thought for time. */
static bool means(const char *glob, const char *text) {
  if (*glob == '*')
    return means(glob + 1, text) || (*text && means(glob, text + 1));
  return *glob == *text && (*glob == '\0' || means(glob + 1, text + 1));
}

/* The n-th word over the letters. */
static void word(char *ret, size_t n, const char *letters, size_t count) {
  for (; n > 0; n = (n - 1) / count)
    *ret++ = letters[(n - 1) % count];
  *ret = '\0';
}

Test(glob, every_short_glob_on_every_short_text) {
  char glob[16], text[16];
  for (size_t g = 0; g < 1093; g++) /* up to six of three letters */
    for (size_t t = 0; t < 127; t++) {
      word(glob, g, "ab*", 3);
      word(text, t, "ab", 2);
      cr_assert_eq(glob_match(glob, text), means(glob, text), "\"%s\" on \"%s\"", glob, text);
    }
}
