/* SPDX-License-Identifier: Apache-2.0 */
/* For the files of this folder only: the checks that the table names, and what they share. */
#ifndef HARDEN_PROOF_ROWS_H
#define HARDEN_PROOF_ROWS_H

#include "harden/proof.h"

typedef enum proof_outcome proof_check(const struct proof_promise *p, const struct proof_view *v,
                                       struct str *why);

proof_check proof_capabilities, proof_no_new_privileges, proof_user, proof_groups, proof_host_root,
    proof_apparmor, proof_selinux;                   /* credentials.c */
proof_check proof_cwd, proof_oom_score, proof_files; /* process.c */
proof_check proof_filter, proof_floor;               /* filters.c */
proof_check proof_namespaces, proof_idmaps;          /* namespaces.c */
proof_check proof_map, proof_owners, proof_views;    /* user_namespace.c */
proof_check proof_root, proof_root_readonly, proof_propagation, proof_mounts, proof_no_other_mounts,
    proof_masked, proof_readonly;        /* mounts.c, paths.c */
proof_check proof_cgroup, proof_rlimits; /* resources.c */

/* Appends a sentence to *why, behind "; " when there is one; after some it only counts. */
void proof_say(struct str *why, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* HELD when nothing was said, else BROKEN. */
enum proof_outcome proof_outcome_of(const struct str *why);
/* True, and said, when the part could not be read. */
bool proof_unread(const struct proof_view *v, enum kernel_part part, struct str *why);

/* Which limits of its cgroup the config promises: of enum kernel_group_limit. */
unsigned proof_limits(const struct proof_promise *p);

/* In a created container of crun's with no_new_privs, whose filter is loaded after start. */
bool proof_filter_is_pending(const struct proof_promise *p);

/* The filter that lies ready in an open file of crun's init; len 0: none. The caller frees the program. */
void proof_read_pending(const struct kernel_view *v, struct kernel_filter *ret);

#endif
