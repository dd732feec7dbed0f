/* SPDX-License-Identifier: Apache-2.0 */
/* oci-harden: called as a runtime, becomes the runtime. Reached beyond call_run() only when it does not. */
#include "runtime/call.h"

int main(int argc, char **argv) {
  struct error err = { 0 };
  CLEANUP_CALL struct call call;
  (void)argc;
  call_init(&call);
  if (call_run(&call, argv, &err) == 0)
    return 0; /* not reached: it returns on failure only */
  return call_fail(&call, &err);
}
