/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile files: an OCI seccomp section written for people. The members of the section that a file may have
 * are defaultAction, defaultErrnoRet, architectures, and flags, with the OCI's meaning; instead of "syscalls"
 * it has "groups", each of which is one rule with a name and a reason:
 *
 *   { "name", "reason", "action", "errnoRet", "names": [...], "args": [...] }
 *
 * Stricter than the OCI: a name that libseccomp does not know, a name that an unconditional group and another
 * one both list, and a group without a reason are errors.
 */
#ifndef HARDEN_SECCOMP_PROFILE_FILE_H
#define HARDEN_SECCOMP_PROFILE_FILE_H

#include "base/error.h"
#include "io/jsonx.h"

#include <jansson.h>

/* Turns a file's text into an OCI section (a new reference): each group becomes the item of "syscalls" with
 * the same index. Errors are ERROR_POLICY with the place in the file. */
int seccomp_profile_file_parse(const struct jsonx_source *src, json_t **ret, struct error *err) MUST_CHECK;

/* The text of what a policy calls its profile: the name of a built-in one, or the absolute path of a file
 * that is trusted (owner, mode). */
struct seccomp_profile_text {
  struct jsonx_source src; /* points into the members below or into the program */
  char *name, *data;
  const char *digest; /* of a built-in's text, hexadecimal; NULL: of a file, not known */
};
int seccomp_profile_text_load(const char *profile, struct seccomp_profile_text *ret,
                              struct error *err) MUST_CHECK;
void seccomp_profile_text_free(struct seccomp_profile_text *text);
#define CLEANUP_SECCOMP_PROFILE_TEXT CLEANUP(seccomp_profile_text_free)

/* Both at once. */
int seccomp_profile_file_load(const char *profile, json_t **ret, struct error *err) MUST_CHECK;

#endif
