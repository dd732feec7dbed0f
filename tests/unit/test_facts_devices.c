/* SPDX-License-Identifier: Apache-2.0 */
/* What the host has by the path of a device node, which runtimes bind in a user namespace. */
#include "facts/facts.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>

static bool is_bad(const char *namespace, const char *path, const char *type, const char *numbers) {
  CLEANUP_FREE char *text =
      xasprintf("{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"/tmp\"},\"linux\":{\"namespaces\":[{\"type\":"
                "\"%s\"}],\"devices\":[{\"path\":\"%s\",\"type\":\"%s\"%s}]}}",
                namespace, path, type, numbers);
  const struct jsonx_source src = { "config.json", text, strlen(text) };
  CLEANUP_SPEC struct spec spec = { 0 };
  CLEANUP_FACTS struct facts f = { 0 };
  struct error err = { 0 };
  cr_assert(spec_parse(&spec, SPEC_CONFIG, &src, JSONX_LIMIT_DEFAULT, &err) == 0, "%s", err.message);
  cr_assert(facts_probe(&f, &spec, AT_FDCWD, NULL, 0, RUNTIME_RUNC, &err) == 0, "%s", err.message);
  return strlist_has(&f.bad_device_paths, path);
}

Test(facts_devices, the_host_s_own_is_the_one_that_is_meant) {
  cr_expect(!is_bad("user", "/dev/null", "c", ",\"major\":1,\"minor\":3"));
  cr_expect(!is_bad("user", "/dev/null", "u", ",\"major\":1,\"minor\":3"));
  cr_expect(!is_bad("user", "/dev/absent-from-the-host", "c", ",\"major\":1,\"minor\":3"));
  cr_expect(!is_bad("user", "/dev/absent-from-the-host", "p", ""));
}

Test(facts_devices, anything_else_of_the_host_is_bad) {
  cr_expect(is_bad("user", "/dev/null", "c", ",\"major\":1,\"minor\":5"));
  cr_expect(is_bad("user", "/dev/null", "c", ""));
  cr_expect(is_bad("user", "/dev/null", "b", ",\"major\":1,\"minor\":3"));
  cr_expect(is_bad("user", "/dev/null", "bc", ",\"major\":1,\"minor\":3"));
  cr_expect(is_bad("user", "/dev/null", "p", ""));
  cr_expect(is_bad("user", "/dev/fd", "c", ",\"major\":1,\"minor\":3"), "a link");
  cr_expect(is_bad("user", "/dev/fd/0", "c", ",\"major\":1,\"minor\":3"), "through a link");
  cr_expect(is_bad("user", "/etc/passwd", "c", ",\"major\":1,\"minor\":3"));
  cr_expect(is_bad("user", "/dev/../etc/passwd", "c", ",\"major\":1,\"minor\":3"));
}

Test(facts_devices, a_terminal_of_the_host_is_nobody_else_s) {
  cr_expect(is_bad("user", "/dev/pts/0", "c", ",\"major\":136,\"minor\":0"));
  cr_expect(is_bad("user", "/dev/pts/ptmx", "c", ",\"major\":5,\"minor\":2"));
}

Test(facts_devices, where_others_write_nothing_is_known) {
  cr_expect(is_bad("user", "/dev/shm/absent", "c", ",\"major\":1,\"minor\":3"));
  cr_expect(is_bad("user", "/dev/mqueue/absent", "p", ""));
  cr_expect(is_bad("user", "/absent/x", "c", ",\"major\":1,\"minor\":3"));
}

Test(facts_devices, without_a_user_namespace_nodes_are_made) {
  if (geteuid() != 0)
    return; /* elsewhere runtimes bind whatever the config says */
  cr_expect(!is_bad("pid", "/etc/passwd", "c", ",\"major\":1,\"minor\":3"));
}
