/* SPDX-License-Identifier: Apache-2.0 */
/* config.json, hardened as for create. */
#include "pipeline.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  pipeline_start(".json", ".process.json", "");
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  pipeline_run(SPEC_CONFIG, data, size);
  return 0;
}
