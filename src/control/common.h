/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the files of this folder only: the functions that table.c's rows name, and the readers that several
 * controls share. All of it is pure.
 */
#ifndef HARDEN_CONTROL_COMMON_H
#define HARDEN_CONTROL_COMMON_H

#include "control/control.h"

/* What the file of a control defines; the contracts are those of struct control's members. */
#define CONTROL_DECLARE(name)                                                                                \
  int name##_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,                \
                   struct error *err);                                                                       \
  int name##_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,                   \
                    const struct facts *facts, struct error *err);                                           \
  int name##_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,                      \
                        const struct facts *facts, struct error *err);                                       \
  extern const struct control_rule name##_rules[]

CONTROL_DECLARE(capabilities);
CONTROL_DECLARE(no_new_privileges);
CONTROL_DECLARE(seccomp);
CONTROL_DECLARE(apparmor);
CONTROL_DECLARE(selinux);
CONTROL_DECLARE(user);
CONTROL_DECLARE(user_namespace);
CONTROL_DECLARE(process);
CONTROL_DECLARE(environment);
CONTROL_DECLARE(hooks);
CONTROL_DECLARE(annotations);
CONTROL_DECLARE(namespaces);
CONTROL_DECLARE(rootfs);
CONTROL_DECLARE(mounts);
CONTROL_DECLARE(paths);
CONTROL_DECLARE(devices);
CONTROL_DECLARE(sysctl);
CONTROL_DECLARE(resources);

/* What is at the pointer; NULL when absent or null, which a runtime takes for absent. Borrowed. */
json_t *control_at(const json_t *root, const char *pointer);
/* The string at the pointer, NULL when there is none. Borrowed. */
const char *control_text(const json_t *root, const char *pointer);
/* Is every string of `part` one of `whole`? NULL is empty. */
bool control_subset(const json_t *part, const json_t *whole);

/* ERROR_INTERNAL "pointer: text"; for verify and not_weaker. Returns -1. */
int control_broken(struct error *err, const char *pointer, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Text only, both absolute and not yet normalised: is path the directory or below it? A relative one is not.
 */
bool control_path_below(const char *path, const char *dir);
bool control_path_same(const char *a, const char *b);
/* Does any component equal ".."? */
bool control_path_climbs(const char *path);

#endif
