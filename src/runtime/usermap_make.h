/* SPDX-License-Identifier: Apache-2.0 */
/* What the making of a user namespace (usermap_make.c) shares with usermap.c, and with the sysctls of a
 * joined network (usermap_sysctl.c). */
#ifndef HARDEN_USERMAP_MAKE_H
#define HARDEN_USERMAP_MAKE_H

#include "runtime/usermap.h"

/* Opens the namespace that the container joins, by the runtime or by us. *ret is -1 where it joins none. */
int usermap_namespace_open(const struct call *c, const char *type, int *ret, struct error *err) MUST_CHECK;

/* What the control has taken out of the config because the network is another's is written there; and where
 * the container may bind ports below 1024, they are opened. */
int usermap_set_sysctls(struct call *c, struct error *err) MUST_CHECK;
/* As they were before; nothing where none was changed. */
int usermap_restore_sysctls(struct usermap *m, struct error *err) MUST_CHECK;

#endif
