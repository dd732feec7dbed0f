/* SPDX-License-Identifier: Apache-2.0 */
/* What sysctls are, for the controls that change them. */
#ifndef HARDEN_CONTROL_SYSCTL_H
#define HARDEN_CONTROL_SYSCTL_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The groups that may send pings without a capability, and the lowest port for which none is needed. */
#define SYSCTL_PING "net.ipv4.ping_group_range"
#define SYSCTL_PORT "net.ipv4.ip_unprivileged_port_start"

/* "net/ipv4/tcp_wmem" as "net.ipv4.tcp_wmem". NULL: no name. The caller frees. */
char *sysctl_dotted(const char *key) MUST_CHECK;
/* The type of the namespace whose sysctl this is; NULL: the whole kernel's. */
const char *sysctl_namespace(const char *name);
/* The two numbers of a range. */
bool sysctl_range(const json_t *value, uint64_t ret[2]) MUST_CHECK;

#endif
