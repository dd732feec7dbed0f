/* SPDX-License-Identifier: Apache-2.0 */
#include "install/dropin.h"
#include "install/toml.h"

#include <criterion/criterion.h>
#include <string.h>

typedef int apply_fn(const struct config_text *in, const struct handlers *h, struct str *ret,
                     struct changes *ret_changes, struct strlist *ret_notes, struct error *err);

static const char CRIO_OTHER[] = "[crio.runtime]\n"
                                 "default_runtime = \"crun\"\n"
                                 "[crio.runtime.runtimes.crun]\n"
                                 "runtime_path = \"/usr/bin/crun\"\n"
                                 "runtime_root = \"/run/crun\"\n"
                                 "platform_runtime_paths = {}\n"
                                 "monitor_path = \"/usr/libexec/crio/conmon\"\n"
                                 "allowed_annotations = [\n  \"io.containers.trace-syscall\",\n]\n";

static int apply(apply_fn *fn, const char *own, const char *other, bool make_default, struct str *ret,
                 struct changes *changes, struct error *err) {
  const struct config_text others[] = { { .name = "other.conf", .text = other, .len = strlen(other) } };
  const struct config_text in = {
    .name = "99-oci-harden.conf", .text = own, .len = own ? strlen(own) : 0, .others = others, .others_len = 1
  };
  CLEANUP_HANDLERS struct handlers h = { 0 };
  CLEANUP_STRLIST struct strlist notes = { 0 };
  handlers_put(&h, "hardened", "restricted", "/opt/oci-harden-restricted");
  handlers_put(&h, "hardened.x", NULL, "/opt/oci-harden");
  h.chosen = make_default ? xstrdup("hardened") : NULL;
  return fn(&in, &h, ret, changes, &notes, err);
}

static void is(const char *text, const char *expected, const char *const *keys) {
  CLEANUP_TOML struct toml t = { 0 };
  struct error err = { 0 };
  cr_assert_eq(toml_parse("t", text, strlen(text), &t, &err), 0, "%s", err.message);
  const struct toml_node *node = toml_at(&t, keys);
  cr_assert_eq(!node, !expected, "%s", text);
  if (!node)
    return;
  CLEANUP_FREE char *value = xasprintf("%.*s", (int)(node->end - node->start), text + node->start);
  cr_assert_str_eq(value, expected);
}
#define IS(text, expected, ...) is((text), (expected), (const char *const[]){ __VA_ARGS__, NULL })

Test(install_dropin, podman_is_told_of_all_that_log_json) {
  CLEANUP_STR struct str out = { 0 };
  CLEANUP_CHANGES struct changes changes = { 0 };
  struct error err = { 0 };
  cr_assert_eq(apply(podman_apply, NULL,
                     "[engine]\nruntime_supports_json = [\"mine\", \"crun\", {append=true}]\n", true, &out,
                     &changes, &err),
               0, "%s", err.message);
  IS(out.data, "\"hardened\"", "engine", "runtime");
  IS(out.data, "[\"/opt/oci-harden-restricted\"]", "engine", "runtimes", "hardened");
  IS(out.data, "[\"/opt/oci-harden\"]", "engine", "runtimes", "hardened.x");
  CLEANUP_FREE char *line = xstrdup(strstr(out.data, "runtime_supports_json"));
  *strchr(line, '\n') = '\0';
  cr_assert(strstr(line, "\"runc\"") && strstr(line, "\"mine\"") &&
                strstr(line, "\"hardened\", \"hardened.x\"]"),
            "%s", line);
}

Test(install_dropin, crio_ours_are_like_the_default) {
  CLEANUP_STR struct str out = { 0 };
  CLEANUP_CHANGES struct changes changes = { 0 };
  struct error err = { 0 };
  cr_assert_eq(apply(crio_apply, NULL, CRIO_OTHER, true, &out, &changes, &err), 0, "%s", err.message);
  IS(out.data, "\"hardened\"", "crio", "runtime", "default_runtime");
  IS(out.data, "\"/opt/oci-harden-restricted\"", "crio", "runtime", "runtimes", "hardened", "runtime_path");
  IS(out.data, "\"oci\"", "crio", "runtime", "runtimes", "hardened", "runtime_type");
  IS(out.data, "\"/run/crun\"", "crio", "runtime", "runtimes", "hardened.x", "runtime_root");
  IS(out.data, "\"/usr/libexec/crio/conmon\"", "crio", "runtime", "runtimes", "hardened", "monitor_path");
  IS(out.data, "[\n  \"io.containers.trace-syscall\",\n]", "crio", "runtime", "runtimes", "hardened",
     "allowed_annotations");
  IS(out.data, NULL, "crio", "runtime", "runtimes", "hardened", "platform_runtime_paths");
  str_free(&out);
  cr_assert_eq(apply(crio_apply, NULL, "", false, &out, &changes, &err), 0, "%s", err.message);
  IS(out.data, "\"/run/runc\"", "crio", "runtime", "runtimes", "hardened", "runtime_root");
  IS(out.data, NULL, "crio", "runtime", "default_runtime");
}

Test(install_dropin, names_that_are_taken_are_refused) {
  CLEANUP_STR struct str out = { 0 };
  CLEANUP_CHANGES struct changes changes = { 0 };
  struct error err = { 0 };
  cr_assert_eq(
      apply(podman_apply, NULL, "[engine.runtimes]\nhardened = [\"/x\"]\n", false, &out, &changes, &err), -1);
  cr_assert(str_starts(err.message, "other.conf:2:12: a runtime hardened is there already"), "%s",
            err.message);
  cr_assert_eq(apply(crio_apply, NULL, "[crio.runtime.runtimes.hardened]\n", false, &out, &changes, &err),
               -1);
  cr_assert_eq(apply(crio_apply, NULL, "[crio\n", false, &out, &changes, &err), -1);
  cr_assert(str_starts(err.message, "other.conf:1:6: "), "%s", err.message);
}

Test(install_dropin, what_is_not_ours_in_the_file_stays) {
  CLEANUP_STR struct str out = { 0 };
  CLEANUP_STR struct str back = { 0 };
  CLEANUP_CHANGES struct changes changes = { 0 };
  CLEANUP_STRLIST struct strlist notes = { 0 };
  static const struct handlers none = { 0 };
  struct error err = { 0 };
  cr_assert_eq(apply(crio_apply, "[crio.image]\nx = 1\n", "", false, &out, &changes, &err), 0);
  str_add(&out, "[crio.more]\n");
  struct config_text in = { .name = "f", .text = out.data, .len = out.len };
  cr_assert_eq(dropin_take_back(&in, &none, &changes, &back, &notes, &err), 0, "%s", err.message);
  cr_assert_str_eq(back.data, "[crio.image]\nx = 1\n[crio.more]\n");
  char *mine = strstr(out.data, "/opt/");
  mine[1] = 'O';
  cr_assert_eq(dropin_take_back(&in, &none, &changes, &back, &notes, &err), -1);
  cr_assert(strstr(err.message, "was edited since"), "%s", err.message);
}
