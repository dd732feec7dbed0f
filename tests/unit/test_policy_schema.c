/* SPDX-License-Identifier: Apache-2.0 */
/* docs/ holds the schemas as files for editors and CI: this says when they are stale, and with
 * HARDEN_GENERATE=1 (`make generate`) writes them. */
#include "io/fileio.h"
#include "policy/config.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>

static char *pretty(json_t *schema) {
  struct str text = { 0 };
  jsonx_dump_pretty(schema, &text);
  json_decref(schema);
  return str_steal(&text);
}

static void generate(const char *path, const char *text) {
  int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
  cr_assert(fd >= 0, "%s", path);
  cr_assert(write_all(fd, text, strlen(text)) == 0);
  close(fd);
}

static void expect_fresh(const char *path, json_t *schema) {
  CLEANUP_FREE char *text = pretty(schema);
  if (getenv("HARDEN_GENERATE"))
    generate(path, text);
  CLEANUP_FREE char *data = NULL;
  size_t len = 0;
  struct error err = { 0 };
  cr_assert(file_read(AT_FDCWD, path, RESOLVE_TRUSTED, 1 << 20, &data, &len, NULL, &err) == 0, "%s",
            err.message);
  cr_expect(strcmp(data, text) == 0, "%s is stale: run `make generate` and commit it", path);
}

Test(policy_schema, policy) {
  expect_fresh("docs/policy.schema.json", policy_schema());
}

Test(policy_schema, config) {
  expect_fresh("docs/config.schema.json", config_schema());
}

Test(policy_schema, heads) {
  json_auto_t *schema = policy_schema();
  cr_expect_str_eq(json_string_value(jsonx_at(schema, "/$schema")),
                   "https://json-schema.org/draft/2020-12/schema");
  cr_expect_not_null(jsonx_at(schema, "/$id"));
  cr_expect_not_null(jsonx_at(schema, "/title"));
  cr_expect_not_null(jsonx_at(schema, "/description"));
  cr_expect_not_null(jsonx_at(schema, "/examples/0"));
  cr_expect(json_is_false(jsonx_at(schema, "/additionalProperties")));
  cr_expect_not_null(jsonx_at(schema, "/properties/$schema"));
  json_auto_t *config = config_schema();
  cr_expect_not_null(jsonx_at(config, "/properties/rules/items/properties/podNamespace"));
  cr_expect_not_null(jsonx_at(config, "/properties/runtimes/items/oneOf/1/properties/type"));
}

/* The example that the schema gives must be one that the decoder takes. */
Test(policy_schema, example_loads) {
  json_auto_t *schema = policy_schema();
  CLEANUP_STR struct str text = { 0 };
  jsonx_dump(jsonx_at(schema, "/examples/0"), &text);
  const struct jsonx_source src = { "example", text.data, text.len };
  struct error err = { 0 };
  CLEANUP_POLICY struct policy p = { 0 };
  cr_assert(policy_load_text(NULL, &src, &p, &err) == 0, "%s", err.message);
  cr_expect_gt(p.rootfs.tmpfs.len, 2);
}
