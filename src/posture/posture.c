/* SPDX-License-Identifier: Apache-2.0 */
#include "posture/rows.h"

const struct posture_rule posture_rules[] = {
  [POSTURE_CAPABILITIES] = { "OH-INS-001", "a process holds, or can gain, a capability that the policy does "
                                           "not allow" },
  [POSTURE_NO_NEW_PRIVILEGES] = { "OH-INS-002", "files can give the process privileges" },
  [POSTURE_NO_FILTER] = { "OH-INS-003", "no seccomp filter runs" },
  [POSTURE_CALLS] = { "OH-INS-004", "the filter lets system calls through that the policy's refuses" },
  [POSTURE_ARGUMENTS] = { "OH-INS-005", "the filter lets a system call through with arguments with which the "
                                        "policy's refuses it" },
  [POSTURE_ABI] = { "OH-INS-006", "system calls come through by another ABI than the machine's own" },
  [POSTURE_ROOT_USER] = { "OH-INS-007", "the process is root where the policy has another wish" },
  [POSTURE_IDS] = { "OH-INS-008", "a uid or gid is outside the policy's range" },
  [POSTURE_GROUP_ZERO] = { "OH-INS-009", "a user that is not root is in group 0" },
  [POSTURE_NAMESPACE] = { "OH-INS-010", "a namespace that the policy wants private is the host's" },
  [POSTURE_ROOTFS_HOST] = { "OH-INS-011", "the root directory is the host's" },
  [POSTURE_ROOTFS_WRITABLE] = { "OH-INS-012", "the root file system is writable" },
  [POSTURE_ROOTFS_SHARED] = { "OH-INS-013", "mounts made in the container reach others" },
  [POSTURE_SOURCE] = { "OH-INS-014", "a sensitive path of the host is mounted" },
  [POSTURE_FLAGS] = { "OH-INS-015", "a mount lacks flags that the policy wants" },
  [POSTURE_TYPE] = { "OH-INS-016", "a file system of a type that the policy does not allow is mounted" },
  [POSTURE_MASK] = { "OH-INS-017", "files of the kernel are not masked" },
  [POSTURE_READONLY] = { "OH-INS-018", "files of the kernel are writable" },
  [POSTURE_NODE] = { "OH-INS-019", "there is a device node that the policy does not list" },
  [POSTURE_DEVICE_CGROUP] = { "OH-INS-020",
                              "the device cgroup allows a device that the policy does not list" },
  [POSTURE_LIMIT] = { "OH-INS-021", "the cgroup has no limit, or a higher one than the policy's" },
  [POSTURE_RLIMIT] = { "OH-INS-022", "an rlimit is above the policy's ceiling" },
  [POSTURE_OOM] = { "OH-INS-023", "the process is spared when memory runs out" },
  [POSTURE_FD] = { "OH-INS-024", "an open file is a directory outside the container" },
  [POSTURE_CWD] = { "OH-INS-025", "the working directory is outside the container" },
  [POSTURE_UNREAD] = { "OH-INS-026", "what the policy speaks of could not be read" },
  [POSTURE_LABEL] = { "OH-INS-027",
                      "the process has no SELinux label that keeps it apart, or nothing enforces it" },
  [POSTURE_PROFILE] = { "OH-INS-028",
                        "no AppArmor profile that the policy has or keeps confines the process" },
  { NULL, NULL },
};

static struct posture_row *add(struct posture_rows *rows, const struct posture_row *row) {
  rows->items = xrealloc(rows->items, rows->len + 1, sizeof *rows->items);
  rows->items[rows->len] = *row;
  return &rows->items[rows->len++];
}

void posture_rows_add(struct posture_rows *rows, const char *control, const char *rule, const char *what,
                      const char *value, const char *remedy) {
  const struct posture_row row = { control, rule, xstrdup(what), xstrdup(value), remedy, { 0 } };
  (void)add(rows, &row);
}

struct posture_row *posture_fact(const struct posture *p, const char *control, const char *what,
                                 char *value) {
  const struct posture_row row = { .control = control, .what = xstrdup(what), .value = value };
  return add(p->rows, &row);
}

struct posture_row *posture_deviation(const struct posture *p, const char *control,
                                      enum posture_rule_index rule, const char *what, char *value,
                                      const char *remedy) {
  const struct posture_row row = {
    .control = control,
    .rule = posture_rules[rule].id,
    .what = xstrdup(what),
    .value = value,
    .remedy = remedy,
  };
  return add(p->rows, &row);
}

static char *list_text(const struct strlist *list, size_t shown, const char *said) {
  struct str text = { 0 };
  str_add(&text, said);
  for (size_t i = 0; i < list->len && i < shown; i++)
    str_addf(&text, "%s%s", i ? ", " : "", list->items[i]);
  if (list->len > shown)
    str_addf(&text, " and %zu more", list->len - shown);
  return str_steal(&text);
}

void posture_list_fact(const struct posture *p, const char *control, const char *what,
                       const struct strlist *list, const char *none) {
  struct posture_row *row =
      posture_fact(p, control, what, list->len ? list_text(list, POSTURE_SHOWN, "") : xstrdup(none));
  strlist_copy(&row->items, list);
}

void posture_list_deviation(const struct posture *p, const char *control, enum posture_rule_index rule,
                            const char *what, const struct strlist *list, size_t shown, const char *said,
                            const char *remedy) {
  struct posture_row *row = posture_deviation(p, control, rule, what, list_text(list, shown, said), remedy);
  strlist_copy(&row->items, list);
}

bool posture_has(const struct posture *p, const char *control, enum kernel_part part) {
  const char *why = p->v->unread[part];
  if (!why)
    return true;
  CLEANUP_FREE char *text = xasprintf("could not be read: %s", why);
  if (!p->policy)
    posture_fact(p, control, kernel_part_names[part],
                 xstrdup(p->without & KERNEL_PART(part) ? "not looked at" : text));
  else if (!(p->without & KERNEL_PART(part)))
    posture_deviation(p, control, POSTURE_UNREAD, kernel_part_names[part], steal_ptr(&text),
                      "look as root, on the host");
  return false;
}

bool posture_wants(const struct posture *p, int section_action) {
  return policy_action(p->policy, section_action) != ACTION_OFF;
}

#define SUBJECT(name)                                                                                        \
  { posture_tell_##name, posture_compare_##name }
static const struct {
  void (*tell)(const struct posture *p);
  void (*compare)(const struct posture *p);
} subjects[] = {
  SUBJECT(privileges), SUBJECT(filters), SUBJECT(user),    SUBJECT(labels),
  SUBJECT(namespaces), SUBJECT(mounts),  SUBJECT(devices), SUBJECT(limits),
};

void posture_tell(const struct kernel_view *v, const struct posture_facts *f, unsigned without,
                  struct posture_rows *rows) {
  const struct posture p = { .v = v, .f = f, .without = without, .rows = rows };
  for (size_t i = 0; i < ARRAY_SIZE(subjects); i++)
    subjects[i].tell(&p);
}

void posture_compare(const struct kernel_view *v, const struct posture_facts *f, const struct policy *policy,
                     const struct seccomp_program *filter, unsigned without, struct posture_rows *rows) {
  const struct posture p = {
    .v = v, .f = f, .policy = policy, .filter = filter, .without = without, .rows = rows
  };
  for (size_t i = 0; i < ARRAY_SIZE(subjects); i++)
    subjects[i].compare(&p);
}

void posture_rows_free(struct posture_rows *rows) {
  for (size_t i = 0; i < rows->len; i++) {
    free(rows->items[i].what);
    free(rows->items[i].value);
    strlist_free(&rows->items[i].items);
  }
  free(rows->items);
  *rows = (struct posture_rows){ 0 };
}
