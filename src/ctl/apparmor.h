/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl apparmor: the profiles of ours as texts, compiled and in the kernel. */
#ifndef HARDEN_CTL_APPARMOR_H
#define HARDEN_CTL_APPARMOR_H

#include "base/str.h"
#include "lsm/apparmor.h"
#include "policy/policy.h"

/* The whole text, as apparmor_parser takes it; `newer`: with the words that only AppArmor 4 knows. */
void ctl_apparmor_text(const struct builtin *profile, bool newer, struct str *ret);
/* apparmor_parser's path; NULL: there is none. Static. */
const char *ctl_apparmor_parser(void);
/* All of ours for the features (a file or a directory; NULL: the running kernel's), into the cache. Prints
 * what it has written. */
int ctl_apparmor_make(const char *cache, const char *features, struct error *err) MUST_CHECK;
/* What containers would be refused for on this host, and the remedy, a sentence; NULL: nothing, or AppArmor
 * cannot be looked at by this user. The caller frees. */
char *ctl_apparmor_missing(void) MUST_CHECK;

#endif
