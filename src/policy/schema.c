/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/decode.h"

static void set_text(json_t *object, const char *key, const char *text) {
  jsonx_set_new(object, key, jsonx_string_new(text));
}

json_t *schema_new(const struct jsonx_row *rows, const char *name, const char *title,
                   const char *description) {
  json_auto_t *body = jsonx_schema(rows);
  CLEANUP_FREE char *id = xasprintf("urn:oci-harden:schema:%s", name);
  json_t *schema = json_object();
  if (!schema)
    die_out_of_memory();
  set_text(schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
  set_text(schema, "$id", id);
  set_text(schema, "title", title);
  set_text(schema, "description", description);
  if (json_object_update(schema, body) < 0)
    die_out_of_memory();
  jsonx_set_new(json_object_get(schema, "properties"), "$schema", json_pack("{ss}", "type", "string"));
  return schema;
}

json_t *policy_schema(void) {
  json_t *schema =
      schema_new(policy_rows, "policy", "oci-harden policy",
                 "What a node's owner asks of every container. Absent keys inherit from the policy "
                 "that `extends` names; in a list \"...\" stands for the items inherited.");
  jsonx_set_new(schema, "examples",
                json_pack("[{ss,ss,s{s[ss]}}]", "name", "web", "extends", "restricted", "rootfs", "tmpfs",
                          "...", "/usr/local/apache2/logs"));
  return schema;
}
