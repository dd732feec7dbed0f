/* SPDX-License-Identifier: Apache-2.0 */
/* For the files of this folder only: one function for each subject, and what they share. */
#ifndef HARDEN_POSTURE_ROWS_H
#define HARDEN_POSTURE_ROWS_H

#include "posture/posture.h"

enum posture_rule_index {
  POSTURE_CAPABILITIES,
  POSTURE_NO_NEW_PRIVILEGES,
  POSTURE_NO_FILTER,
  POSTURE_CALLS,
  POSTURE_ARGUMENTS,
  POSTURE_ABI,
  POSTURE_ROOT_USER,
  POSTURE_IDS,
  POSTURE_GROUP_ZERO,
  POSTURE_NAMESPACE,
  POSTURE_ROOTFS_HOST,
  POSTURE_ROOTFS_WRITABLE,
  POSTURE_ROOTFS_SHARED,
  POSTURE_SOURCE,
  POSTURE_FLAGS,
  POSTURE_TYPE,
  POSTURE_MASK,
  POSTURE_READONLY,
  POSTURE_NODE,
  POSTURE_DEVICE_CGROUP,
  POSTURE_LIMIT,
  POSTURE_RLIMIT,
  POSTURE_OOM,
  POSTURE_FD,
  POSTURE_CWD,
  POSTURE_UNREAD,
  POSTURE_LABEL,
  POSTURE_PROFILE,
};

/* What a function of a subject works on. `policy` is NULL when telling. */
struct posture {
  const struct kernel_view *v;
  const struct posture_facts *f;
  const struct policy *policy;
  const struct seccomp_program *filter;
  unsigned without;
  struct posture_rows *rows;
};

/* Appends a fact; takes `value`. The row is valid until the next one is added. */
struct posture_row *posture_fact(const struct posture *p, const char *control, const char *what, char *value);
/* Appends a deviation; takes `value`. */
struct posture_row *posture_deviation(const struct posture *p, const char *control,
                                      enum posture_rule_index rule, const char *what, char *value,
                                      const char *remedy);
/* The same of a list, of which the value shows at most `shown`: `said`, then its items. `none`: for an empty
 * one. */
enum { POSTURE_SHOWN = 12 };
void posture_list_fact(const struct posture *p, const char *control, const char *what,
                       const struct strlist *list, const char *none);
void posture_list_deviation(const struct posture *p, const char *control, enum posture_rule_index rule,
                            const char *what, const struct strlist *list, size_t shown, const char *said,
                            const char *remedy);
/* Was the part read? If not: a row says so, where that is worth one. */
bool posture_has(const struct posture *p, const char *control, enum kernel_part part);
/* Is the policy's section to be compared? */
bool posture_wants(const struct posture *p, int section_action);

#define POSTURE_SUBJECT(name)                                                                                \
  void posture_tell_##name(const struct posture *p);                                                         \
  void posture_compare_##name(const struct posture *p)
POSTURE_SUBJECT(privileges); /* capabilities, no_new_privs */
POSTURE_SUBJECT(filters);
POSTURE_SUBJECT(user);   /* and the LSM's label */
POSTURE_SUBJECT(labels); /* whether it is as the policy has it */
POSTURE_SUBJECT(namespaces);
POSTURE_SUBJECT(mounts); /* the root file system, mounts, masks */
POSTURE_SUBJECT(devices);
POSTURE_SUBJECT(limits); /* resources, and the process */

/* Does the process share this namespace with the host? */
bool posture_shares(const struct posture *p, enum kernel_ns ns);
/* Where a mount's directory is on the host; NULL: it is of no file system that the host has mounted. The
 * caller frees. */
char *posture_host_path(const struct posture_facts *f, const struct kernel_mount *m);
/* What was seen at the path; NULL: nobody looked. */
const struct kernel_place *posture_place(const struct posture_facts *f, const char *path);

#endif
