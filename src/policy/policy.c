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
  policy->selinux.mode = LSM_OFF;
}

void policy_free(struct policy *policy) {
  rows_free(policy_rows, policy);
  policy->packed = NULL;
}

void policy_copy(struct policy *to, const struct policy *from) {
  rows_copy(policy_rows, to, from);
  to->packed = from->packed;
}

const struct policy_packed *policy_packed_at(const char *text, size_t len) {
  for (const struct policy_packed *p = policies_packed; p->name; p++) {
    const size_t size = strlen(p->json);
    if (size <= len && memcmp(p->json, text, size) == 0)
      return p;
  }
  return NULL;
}

void policy_unpack(const struct policy_packed *packed, struct policy *ret) {
  policy_init(ret);
  rows_unpack(policy_rows, ret, packed->values);
  ret->packed = packed;
}

const char *policy_selinux_type(const struct policy *p) {
  return p->selinux.type ? p->selinux.type : "container_t";
}

const char *policy_selinux_file_type(const struct policy *p) {
  return p->selinux.file_type ? p->selinux.file_type : "container_file_t";
}

enum action policy_action(const struct policy *p, int section_action) {
  if (p->mode == POLICY_AUDIT && section_action != ACTION_OFF)
    return ACTION_AUDIT;
  return (enum action)section_action;
}

json_t *policy_encode(const struct policy *p) {
  return jsonx_encode(policy_rows, p);
}
