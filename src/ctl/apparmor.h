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
/* The host whose root is mounted somewhere on this one. */
struct apparmor_place {
  char *root;  /* "": this host */
  char *cache; /* its APPARMOR_CACHE, as this host sees it */
};
#define CLEANUP_APPARMOR_PLACE CLEANUP(ctl_apparmor_place_free)
void ctl_apparmor_place_free(struct apparmor_place *p);
/* `root` as for `hardenctl install`; NULL: this host. */
int ctl_apparmor_place(const char *root, struct apparmor_place *ret, struct error *err) MUST_CHECK;
/* All of ours for the features (a file or a directory; NULL: the running kernel's), into the cache. Prints
 * what it has written, by the names that the place has for it. */
int ctl_apparmor_make(const struct apparmor_place *place, const char *features, struct error *err) MUST_CHECK;
/* What containers would be refused for on the host, and the remedy, a sentence; NULL: nothing, or AppArmor
 * cannot be looked at by this user. The caller frees. */
char *ctl_apparmor_missing(const char *root) MUST_CHECK;

#endif
