/* SPDX-License-Identifier: Apache-2.0 */
/* Any argv, one word a line: what the wrapper accepts must have one reading. */
#include "argv_models.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *words[MODEL_WORDS / 2] = { 0 };
  size_t n = 0;
  if (size == 0 || size > 4096 || memchr(data, '\0', size))
    return 0;
  CLEANUP_FREE char *text = xasprintf("%.*s", (int)size, (const char *)data);
  for (char *p = text; p && n < ARRAY_SIZE(words) - 1;) {
    words[n++] = p;
    p = strchr(p, '\n');
    if (p)
      *p++ = '\0';
  }
  CLEANUP_FREE char *wrong = argv_disagreement(words);
  if (wrong) {
    fprintf(stderr, "fuzz_argv: %s\n", wrong);
    abort();
  }
  return 0;
}
