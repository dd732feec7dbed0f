/* SPDX-License-Identifier: Apache-2.0 */
/* What the control user-namespace and its table of when to map know of a config. */
#ifndef HARDEN_CONTROL_USER_NAMESPACE_AGAINST_H
#define HARDEN_CONTROL_USER_NAMESPACE_AGAINST_H

#include "control/user_namespace.h"
#include "spec/namespace.h"

#define UNS_SYSCTL "/linux/sysctl"
#define UNS_ROOT "/root/path"

/* The path of one that the wrapper enters for the runtime; NULL: none. */
const char *uns_entered(const char *type, const struct user_namespace_offer *offer);
/* Is the namespace owned by another user namespace than the offered one? Of those of a process whose user
 * namespace is joined only the network comes from elsewhere: the engine makes it before the sandbox. */
bool uns_is_foreign(const json_t *root, const char *type, const struct user_namespace_offer *offer);
/* Is it one of the devices that each runtime gives each container by itself? */
bool uns_device_is_usual(const char *path);
/* The first id of the process that is not below `size`; *ret_pointer tells where. */
bool uns_has_unmapped(const json_t *root, uint64_t size, const char **ret_pointer, uint64_t *ret);

#endif
