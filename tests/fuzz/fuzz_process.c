/* SPDX-License-Identifier: Apache-2.0 */
/* A process file, hardened as for exec. */
#include "pipeline.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  pipeline_start(".process.json", NULL, "");
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  pipeline_run(SPEC_PROCESS, data, size);
  return 0;
}
