/* SPDX-License-Identifier: Apache-2.0 */
/* What of containerd's config.toml its files (imports) are looked through for. */
#ifndef HARDEN_INSTALL_CONTAINERD_H
#define HARDEN_INSTALL_CONTAINERD_H

#include "install/host.h"
#include "install/toml.h"

/* The file's version: 1 when it has none. ERROR_INPUT for one that is not known. */
int containerd_version(const struct toml *t, long *ret, struct error *err) MUST_CHECK;
/* The CRI plugin's table; NULL: there is none. Borrowed. */
const struct toml_node *containerd_plugin(const struct toml *t, long version);
/* The item of disabled_plugins that turns the CRI off; NULL: it is on. Borrowed. */
const struct toml_node *containerd_cri_is_off(const struct toml *t);
/* The file to change, for struct engine. Refuses where the CRI is off, and files that are made anew by
 * others. */
int containerd_find(const struct host *h, const char *given, char **ret_file, struct error *err) MUST_CHECK;

#endif
