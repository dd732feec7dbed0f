/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/namespace.h"

#include <criterion/criterion.h>

static json_t *config(const char *namespaces) {
  CLEANUP_FREE char *text = xasprintf("{\"linux\": {\"namespaces\": %s}}", namespaces);
  json_t *root = json_loads(text, 0, NULL);
  cr_assert_not_null(root, "%s", text);
  return root;
}

Test(spec_namespace, is_new_joined_or_not_there) {
  json_auto_t *root = config("[{\"type\": \"pid\"}, {\"type\": \"ipc\", \"path\": \"\"},"
                             " {\"type\": \"network\", \"path\": \"/proc/7/ns/net\"}]");
  static const char *const made[] = { "pid", "ipc" };
  for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
    cr_assert_not_null(spec_namespace(root, made[i]));
    cr_assert_null(spec_namespace_path(root, made[i]));
    cr_assert(spec_namespace_is_new(root, made[i]));
  }
  cr_assert_str_eq(spec_namespace_path(root, "network"), "/proc/7/ns/net");
  cr_assert_not(spec_namespace_is_new(root, "network"));
  cr_assert_null(spec_namespace(root, "user"));
  cr_assert_null(spec_namespace_path(root, "user"));
  cr_assert_not(spec_namespace_is_new(root, "user"), "one that is not there is the runtime's own");
}

Test(spec_namespace, what_is_no_entry_is_passed_over) {
  json_auto_t *empty = json_object();
  json_auto_t *odd =
      config("[null, \"user\", {\"path\": \"/x\"}, {\"type\": 1}, {\"type\": \"user\", \"path\": 5}]");
  json_auto_t *object = config("{\"type\": \"user\"}");
  cr_assert_null(spec_namespace(empty, "user"));
  cr_assert_null(spec_namespace(object, "user"));
  cr_assert(spec_namespace_is_new(odd, "user"));
}
