/* SPDX-License-Identifier: Apache-2.0 */
/*
 * podman and CRI-O, which read a directory of TOML files key by key: a file of our own in it takes nothing
 * from the others. It is named so that it is read behind them.
 */
#ifndef HARDEN_INSTALL_DROPIN_H
#define HARDEN_INSTALL_DROPIN_H

#include "install/engine.h"
#include "install/host.h"

#define PODMAN_DROPIN "/etc/containers/containers.conf.d/99-oci-harden.conf"
#define CRIO_DROPIN "/etc/crio/crio.conf.d/99-oci-harden.conf"

int dropin_find(const struct host *h, const char *given, char **ret_file, struct error *err) MUST_CHECK;
/* in->others: what is read before ours. */
int podman_apply(const struct config_text *in, const struct handlers *h, struct str *ret,
                 struct changes *ret_changes, struct strlist *ret_notes, struct error *err) MUST_CHECK;
/* Says which of podman's containers, none of which runs, had our runtime. */
int podman_users(const struct host *h, const struct config_text *in, const struct handlers *handlers,
                 struct strlist *ret_notes, struct error *err) MUST_CHECK;
int crio_apply(const struct config_text *in, const struct handlers *h, struct str *ret,
               struct changes *ret_changes, struct strlist *ret_notes, struct error *err) MUST_CHECK;
/* Refuses a file in which what is ours was changed. */
int dropin_take_back(const struct config_text *in, const struct handlers *h, const struct changes *changes,
                     struct str *ret, struct strlist *ret_notes, struct error *err) MUST_CHECK;

#endif
