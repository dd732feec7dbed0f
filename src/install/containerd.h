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
/* The directory of drop-ins that k3s and rke2 import, beside their file, and ours in it. */
#define CONTAINERD_DROPINS "/config-v3.toml.d"
#define CONTAINERD_DROPIN "/99-oci-harden.toml"

/* The file to change, for struct engine. Refuses where the CRI is off. A file that another program makes anew
 * (k3s, rke2) is left to it: what is changed is a drop-in, where it imports a directory for that; else it is
 * refused. */
int containerd_find(const struct host *h, const char *given, char **ret_file, struct error *err) MUST_CHECK;
/* Of a drop-in in such a directory: the file that imports it, then the others there. */
int containerd_others(const struct host *h, const char *file, struct strlist *ret,
                      struct error *err) MUST_CHECK;

/* Where k3s and rke2 have their containerd's file; ends with NULL. */
extern const char *const containerd_embedded[];

#endif
