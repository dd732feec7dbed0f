/* SPDX-License-Identifier: Apache-2.0 */
/* Our own hook as a `run` writes it into its config: which program, with which words. */
#ifndef HARDEN_OWNHOOK_H
#define HARDEN_OWNHOOK_H

#include "base/error.h"
#include "base/str.h"
#include "policy/config.h"

/* The configured one, else oci-harden-hook beside the program that runs. The caller frees. */
char *ownhook_path(const struct config *config) MUST_CHECK;

/* An executable that only root could have written (or ourselves, without root), judged on the opened file;
 * else ERROR_POLICY. */
int ownhook_check(const char *path, struct error *err) MUST_CHECK;

/* argv: of the hook, which must find the configuration that the wrapper was given. Appends. */
void ownhook_args(const char *config, struct strlist *argv);

#endif
