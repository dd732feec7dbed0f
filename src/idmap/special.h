/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container in a user namespace cannot be given as its config says it: file systems of namespaces that
 * are not its own, device nodes, standard input and output.
 */
#ifndef HARDEN_IDMAP_SPECIAL_H
#define HARDEN_IDMAP_SPECIAL_H

#include "idmap/stage.h"
#include "idmap/userns.h"

#include <sys/stat.h>

/* sysfs shows a network namespace, mqueue an IPC namespace; a user namespace that does not own it may not
 * mount it (runc: EPERM; crun then binds the host's /sys, writable). They are mounted here instead, from
 * within the namespace in `ns` (-1: the host's), read-only sysfs, nosuid, nodev, noexec. *ret_path is to be
 * bound (recursively or not); the caller frees. That we cannot leave the namespace again is why->broken. */
int special_sysfs(struct stage *stage, int ns, char **ret_path, struct refusal *why,
                  struct error *err) MUST_CHECK;
int special_mqueue(struct stage *stage, int ns, char **ret_path, struct refusal *why,
                   struct error *err) MUST_CHECK;

/* An entry of linux.devices. A user namespace may make no device nodes, so runtimes bind the host's path,
 * which may have another name or be closed to the container's root. ids are the container's. */
struct special_node {
  mode_t mode; /* S_IFCHR, S_IFBLK or S_IFIFO, and permissions */
  dev_t device;
  uint32_t uid, gid;
  const char *label; /* SELinux's, as a runtime labels /dev; NULL or empty: the tmpfs's. Borrowed */
};
/* Makes one on a tmpfs of the stage. *ret_path is to be bound; the caller frees. An id that the container
 * does not have is REFUSAL_IDS. */
int special_device(struct stage *stage, const struct special_node *node, const struct idmap *map,
                   char **ret_path, struct refusal *why, struct error *err) MUST_CHECK;

/* Before the exec, of create and of exec; no stage needed. */

/* Pipes among our standard input and output become the container root's, so that it can open /dev/stdout.
 * Terminals, files and sockets are left alone. */
int special_own_pipes(const struct idmap *map, struct refusal *why, struct error *err) MUST_CHECK;
/* Where the host's null device is standard input or output, one of nobody's takes its place: crun gives what
 * it finds there to the container's root, which may then chmod it, for the whole host. Wanted even where ids
 * are not mapped by us. */
int special_own_null(struct refusal *why, struct error *err) MUST_CHECK;

#endif
