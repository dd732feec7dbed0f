/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes: the strict reader, its writer, its places, and jansson as the second opinion. */
#include "jsonx_oracle.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *complaint = oracle((const char *)data, size);
  if (complaint) {
    fprintf(stderr, "fuzz_json: %s\n", complaint);
    abort();
  }
  return 0;
}
