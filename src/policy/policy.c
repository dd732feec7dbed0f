/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"

#include "policy/rows.h"

#include <string.h>

enum { TMPFS_SIZE_DEFAULT = 64 << 20 };

static void init_members(const struct jsonx_row *rows, void *base) {
  for (const struct jsonx_row *row = rows; row->key; row++) {
    void *member = (char *)base + row->offset;
    if (row->type == JSONX_OBJECT)
      init_members(row->rows, member);
    else if (row->type == JSONX_INT)
      *(int64_t *)member = row->min;
    else if (row->type == JSONX_ENUM && row->names == action_names)
      *(int *)member = ACTION_OFF;
  }
}

void policy_init(struct policy *policy) {
  memset(policy, 0, sizeof *policy);
  init_members(policy_rows, policy);
  policy->rootfs.tmpfs_size = TMPFS_SIZE_DEFAULT;
}

void policy_free(struct policy *policy) {
  rows_free(policy_rows, policy);
}

void policy_copy(struct policy *to, const struct policy *from) {
  rows_copy(policy_rows, to, from);
}

enum action policy_action(const struct policy *p, int section_action) {
  if (p->mode == POLICY_AUDIT && section_action != ACTION_OFF)
    return ACTION_AUDIT;
  return (enum action)section_action;
}

json_t *policy_encode(const struct policy *p) {
  return jsonx_encode(policy_rows, p);
}

json_t *policy_schema(void) {
  json_auto_t *rows = jsonx_schema(policy_rows);
  json_t *schema = json_object();
  if (!schema)
    die_out_of_memory();
  jsonx_set_new(schema, "$schema", jsonx_string_new("https://json-schema.org/draft/2020-12/schema"));
  jsonx_set_new(schema, "$id", jsonx_string_new("urn:oci-harden:schema:policy"));
  jsonx_set_new(schema, "title", jsonx_string_new("oci-harden policy"));
  jsonx_set_new(schema, "description",
                jsonx_string_new("What a node's owner asks of every container. Absent keys inherit from the "
                                 "policy that `extends` names; in a list \"...\" stands for its items."));
  if (json_object_update(schema, rows) < 0)
    die_out_of_memory();
  jsonx_set_new(json_object_get(schema, "properties"), "$schema", json_pack("{ss}", "type", "string"));
  return schema;
}
