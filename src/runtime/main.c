/* SPDX-License-Identifier: Apache-2.0 */
/* oci-harden: called as a runtime, becomes the runtime. Reached beyond call_run() only when it does not. */
#include "runtime/call.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static struct call call;

/* From wherever it was that memory ran out: what has been done is undone, and the engine told as of any
 * failure. */
static void out_of_memory(void) {
  struct error err = { 0 };
  (void)error_set(&err, ERROR_SYSTEM, ENOMEM, "no container was started");
  call_undo(&call, &err);
  _exit(call_report(&call, &err));
}

/* jansson would open /dev/urandom. The kernel gave us sixteen bytes, of which the C library took the first
 * half for its canaries. */
static void seed_tables(void) {
  const char *random = (const char *)getauxval(AT_RANDOM); /* NOLINT: an address, as a number */
  size_t seed = 0;
  if (random)
    memcpy(&seed, random + 8, sizeof seed);
  json_object_seed(seed); /* 0: jansson looks for one */
}

int main(int argc, char **argv) {
  struct error err = { 0 };
  (void)argc;
  seed_tables();
  call_init(&call);
  on_out_of_memory(out_of_memory);
  if (call_run(&call, argv, &err) == 0)
    return 0; /* not reached: it returns on failure only */
  return call_fail(&call, &err);
}
