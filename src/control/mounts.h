/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the control mounts allows where, for its own two files: mounts.c changes and mounts_verify.c judges.
 */
#ifndef HARDEN_CONTROL_MOUNTS_H
#define HARDEN_CONTROL_MOUNTS_H

#include "control/mount_view.h"

enum source_verdict { SOURCE_FINE, SOURCE_SENSITIVE, SOURCE_UNKNOWN };
/* *ret_why: the sensitive path, borrowed. Without a host it judges by text. */
enum source_verdict mount_source_judge(const struct facts *facts, const struct policy *policy,
                                       const char *source, const char **ret_why) MUST_CHECK;

/* May this mount be at this place in or on /proc, /sys or /dev? */
bool mount_fits(const struct mount_view *v, const char *place, const struct facts *facts);

/* Is it a view of the whole kernel (proc, sysfs, cgroup) in a place of its own, where nothing of it is masked
 * or read-only? root without any capability writes /proc/sys/kernel/core_pattern. */
bool mount_is_astray(const struct mount_view *v, const char *place);

/* Is it a file system that the kernel fills (proc, sysfs, cgroup, mqueue, devpts)? */
bool mount_is_kernel(const struct mount_view *v);

/* Is it a bind whose flags crun can set in the plain form only? crun before 1.14.4 looks for a directory
 * where it applies a recursive word, and so fails on a file. Nothing is mounted below a file, but the plain
 * form must repeat what the source's own mount has. */
bool mount_is_plain(const struct mount_view *v, const struct facts *facts, unsigned *ret_repeat);

/* The flags this mount is to have under the policy. */
struct mount_wish mount_wish_of(const struct mount_view *v, const char *place, const struct policy *policy,
                                const struct facts *facts);

/* Would the image say what is in /dev? */
bool mount_copies_dev(const struct mount_view *v, const char *place);

/* Would a link be put into the container where the link's target was judged? Later mounts could then be led
 * anywhere by it. */
bool mount_gives_link(const struct mount_view *v, const struct facts *facts);

/* Has it id mappings of its own? And would somebody in the container other than its root be root on its files
 * by them? */
bool mount_has_ids(const struct mount_view *v);
bool mount_gives_root(const json_t *root, const struct mount_view *v);

/* Is there a fresh file system of the type at the place? */
bool mount_list_has(const struct mount_list *l, const char *place, const char *type);

#endif
