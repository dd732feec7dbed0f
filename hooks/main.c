/* SPDX-License-Identifier: Apache-2.0 */
/* oci-harden-hook: called by a runtime with the container's state on standard input. Silent when all is well.
 */
#include "state.h"

#include "base/cleanup.h"
#include "harden/version.h"
#include "io/fileio.h"

#include <unistd.h>

static int run(char **argv) {
  struct hook_call call = { 0 };
  struct error err = { 0 };
  CLEANUP_FREE char *text = NULL;
  json_auto_t *document = NULL;
  size_t len;
  bool version;
  if (arguments_parse(argv, &call, &version, &err) < 0)
    return hook_fail(&err);
  if (version)
    return printf("oci-harden-hook %s\n", version_text) < 0 || fflush(stdout) != 0;
  if (file_read_fd(STDIN_FILENO, "standard input", STATE_SIZE_MAX, &text, &len, &err) < 0 ||
      state_parse(text, len, &call, &document, &err) < 0)
    return hook_fail(&err);
  return hook_handle(&call);
}

int main(int argc, char **argv) {
  (void)argc;
  return run(argv);
}
