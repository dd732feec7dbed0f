/* SPDX-License-Identifier: Apache-2.0 */
/* What a program of ours says of itself, read from its file (harden/version.h). */
#ifndef HARDEN_CTL_VERSION_H
#define HARDEN_CTL_VERSION_H

#include "base/error.h"

#include <jansson.h>

/* *ret: { "name", "version", "commit", "libraries": { NAME: VERSION } }, whose types are as said. A new
 * reference. A file without the note is ERROR_INPUT. Nothing of the file is executed or mapped. */
int version_read(const char *path, json_t **ret, struct error *err) MUST_CHECK;

/* This program's file, and the directory that it is in; the caller frees. */
int version_own_path(char **ret_path, char **ret_dir, struct error *err) MUST_CHECK;

/* The programs that are installed together, without "hardenctl"; ends with NULL. */
extern const char *const version_companions[];

#endif
