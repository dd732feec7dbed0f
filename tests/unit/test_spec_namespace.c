/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/mapping.h"
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

Test(spec_namespace, a_mapping_covers_what_is_in_it) {
  json_auto_t *entry = json_pack("{s:i,s:i,s:i}", "containerID", 10, "hostID", 1000, "size", 5);
  json_auto_t *last =
      json_pack("{s:I,s:i,s:i}", "containerID", (json_int_t)UINT32_MAX, "hostID", 7, "size", 1);
  const struct spec_mapping m = spec_mapping_of(entry), end = spec_mapping_of(last),
                            none = spec_mapping_of(NULL);
  uint64_t to = 1;
  cr_expect(spec_mapping_covers(&m, 10, &to));
  cr_expect_eq(to, 1000);
  cr_expect(spec_mapping_covers(&m, 14, &to));
  cr_expect_eq(to, 1004);
  cr_expect_not(spec_mapping_covers(&m, 9, &to));
  cr_expect_not(spec_mapping_covers(&m, 15, &to));
  cr_expect_not(spec_mapping_covers(&none, 0, &to));
  cr_expect(spec_mapping_covers(&end, UINT32_MAX, &to));
  cr_expect_eq(to, 7);
}
