/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SELinux contexts as text: "user:role:type:level". The level of a container is one sensitivity and two
 * categories ("s0:c12,c740"): a process reaches what has a part of its categories, so two different pairs do
 * not reach each other, while one category, three, or a range would reach into others' pairs. Pure.
 */
#ifndef HARDEN_LSM_CONTEXT_H
#define HARDEN_LSM_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

/* The parts point into `text`; level is "" when there is none. */
struct selinux_context {
  char *text;
  const char *user, *role, *type, *level;
};
/* False, and empty, when it is no context. */
bool selinux_context_parse(struct selinux_context *ret, const char *text);
void selinux_context_free(struct selinux_context *c);
#define CLEANUP_SELINUX_CONTEXT CLEANUP(selinux_context_free)

/* "user:role:type:level". The caller frees. */
char *selinux_context_text(const char *user, const char *role, const char *type, const char *level)
    __attribute__((warn_unused_result));
/* The same context at another level; NULL when it is no context. The caller frees. */
char *selinux_context_at(const char *context, const char *level) __attribute__((warn_unused_result));

/* What a policy gives at this level: the engine's context where there is one, else one of the type. NULL when
 * the engine's is no context. The caller frees. */
char *selinux_context_wanted(const char *engine, const char *role, const char *type, const char *level)
    __attribute__((warn_unused_result));
/* The value of a mount option such as context="..."; NULL: the option is none of these. The caller frees. */
char *selinux_context_of_option(const char *option) __attribute__((warn_unused_result));

/* The roles of a container's processes and files. */
#define SELINUX_ROLE "system_r"
#define SELINUX_FILE_ROLE "object_r"

enum { SELINUX_CATEGORIES = 1024, SELINUX_PAIRS = SELINUX_CATEGORIES * (SELINUX_CATEGORIES - 1) / 2 };
/* Is the level one sensitivity and two different categories below SELINUX_CATEGORIES? *ret_number is theirs,
 * below SELINUX_PAIRS, whatever the order. */
bool selinux_level_is_pair(const char *level, uint64_t *ret_number);
/* "s0:c12,c740", as the kernel writes it. The caller frees. */
char *selinux_level_of_pair(uint64_t number) __attribute__((warn_unused_result));

#endif
