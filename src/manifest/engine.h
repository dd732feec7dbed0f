/* SPDX-License-Identifier: Apache-2.0 */
/* What containerd and dockerd give to every container by themselves. */
#ifndef HARDEN_MANIFEST_ENGINE_H
#define HARDEN_MANIFEST_ENGINE_H

#include "manifest/translation.h"

#include <stdint.h>

#define ENGINE_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The fourteen that every engine gives by default, and all that the kernel has. */
uint64_t engine_default_caps(void);
uint64_t engine_all_caps(void);

/* One set for bounding, and the same for effective and permitted, which docker leaves empty for those who are
 * not root. Unknown names are given as they are, for the control to refuse. */
void engine_put_caps(struct translation *t, uint64_t set, const struct strlist *unknown, bool bounding_alone,
                     struct field from);

enum engine { ENGINE_CONTAINERD, ENGINE_DOCKER };

/* The engine's default filter, which depends on the capabilities, as containerd 1.6 and docker 20.10 write
 * it; other versions differ by a few names. */
json_t *engine_seccomp(enum engine engine, uint64_t caps) MUST_CHECK;

/* proc, /dev and /dev/pts, as both engines mount them. */
void engine_put_mounts(struct translation *t);
/* path NULL: a new one. */
void engine_put_namespace(struct translation *t, const char *type, const char *path, struct field from);

/* For a volume that asks for it; of several, one that is shared decides. */
void engine_put_root_propagation(struct translation *t, const char *how, struct field from);

/* The ten paths that engines have masked since 2016, and the five that are read-only. */
void engine_put_masks(struct translation *t, struct field from);

/* {"uid", "gid", "additionalGids"} with the gid first, as engines write it since CVE-2022-36109. */
void engine_put_user(struct translation *t, int64_t uid, int64_t gid, struct field from);

/* Paths for what only a node can tell: no process has this number. */
#define ENGINE_PROC "/proc/4194304"

#endif
