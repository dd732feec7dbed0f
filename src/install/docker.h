/* SPDX-License-Identifier: Apache-2.0 */
/* dockerd's daemon.json, for struct engine. */
#ifndef HARDEN_INSTALL_DOCKER_H
#define HARDEN_INSTALL_DOCKER_H

#include "install/engine.h"
#include "install/host.h"

int docker_find(const struct host *h, const char *given, char **ret_file, struct error *err) MUST_CHECK;
int docker_users(const struct host *h, const struct config_text *in, const struct handlers *handlers,
                 struct strlist *ret_notes, struct error *err) MUST_CHECK;
int docker_apply(const struct config_text *in, const struct handlers *h, struct str *ret,
                 struct changes *ret_changes, struct strlist *ret_notes, struct error *err) MUST_CHECK;
int docker_take_back(const struct config_text *in, const struct handlers *h, const struct changes *changes,
                     struct str *ret, struct strlist *ret_notes, struct error *err) MUST_CHECK;

#endif
