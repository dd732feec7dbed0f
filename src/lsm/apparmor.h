/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AppArmor on this host: whether it is on, which profiles the kernel has, and how ours get there.
 *
 * Our profiles have names that end in a digest of their text, oci-harden-restricted-1a2b3c4d: what the kernel
 * lists under such a name is that text, so that one look at the list tells both that a profile is there and
 * that it is not an older one. A container keeps the profile that it was started with; the next one gets the
 * new.
 *
 *   profiles/apparmor/ -> `hardenctl apparmor compile`: apparmor_parser, once for each kernel's set of
 * features
 *                      -> APPARMOR_CACHE/FEATURES/NAME -> apparmor_load(): at the first container that needs
 * it
 */
#ifndef HARDEN_LSM_APPARMOR_H
#define HARDEN_LSM_APPARMOR_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>

struct builtin; /* policy/policy.h */

#define APPARMOR_FS "/sys/kernel/security/apparmor"
#define APPARMOR_CACHE "/var/cache/oci-harden/apparmor"

enum apparmor_state {
  APPARMOR_UNKNOWN,  /* nobody looked */
  APPARMOR_ABSENT,   /* the kernel was built without it */
  APPARMOR_DISABLED, /* it was not switched on at boot */
  APPARMOR_HIDDEN,   /* it is on, and its list of profiles is out of our sight */
  APPARMOR_ON,
};
extern const char *const apparmor_state_names[]; /* "unknown", "absent", ...; ends with NULL */
/* As the end of a sentence: "AppArmor ...". */
const char *apparmor_state_text(enum apparmor_state state);

enum apparmor_mode {
  APPARMOR_NOT_LOADED,
  APPARMOR_ENFORCE,
  APPARMOR_KILL, /* enforces, by killing */
  APPARMOR_COMPLAIN,
  APPARMOR_UNCONFINED,
  APPARMOR_OTHER,    /* a mode that we do not know */
  APPARMOR_COMPILED, /* ours, not loaded: the wrapper would load it from the cache */
};
extern const char *const apparmor_mode_names[]; /* "not-loaded", "enforce", ...; ends with NULL */

/* What the host says. `profiles` is the kernel's list, a line "NAME (MODE)" each; NULL unless it is on. */
struct apparmor_host {
  enum apparmor_state state;
  char *profiles; /* the caller frees */
};
/* On a host without AppArmor two system calls. Fails where the look says nothing of AppArmor (no memory, no
 * descriptors left): that is no absence. */
int apparmor_look(struct apparmor_host *ret, struct error *err) MUST_CHECK;
/* Of the host whose root is mounted at `root`, by its own sysfs and securityfs there; "": this one. Its
 * kernel is ours. */
int apparmor_look_at(const char *root, struct apparmor_host *ret, struct error *err) MUST_CHECK;

/* --- pure --- */

enum apparmor_mode apparmor_mode_of(const char *profiles, const char *name);
/* Does a process in a profile of this mode run confined? */
bool apparmor_mode_enforces(enum apparmor_mode mode);

/* One of ours by the name that policies use ("restricted"); NULL: there is none. */
const struct builtin *apparmor_builtin(const char *name);
/* "oci-harden-restricted-1a2b3c4d". The caller frees. */
char *apparmor_own_name(const struct builtin *profile) MUST_CHECK;
/* The name in the kernel of what a policy calls `profile`: one of ours, or any other as it is. The caller
 * frees. */
char *apparmor_kernel_name(const char *profile) MUST_CHECK;
/* How strict one of ours is, of any version, by its name in the kernel: each denies all that those of a lower
 * number deny. 0: it is not ours. */
unsigned apparmor_own_rank(const char *kernel_name);

/*
 * What a config may ask for: the names of profiles, joined by "//&" where several confine at once. False, and
 * *ret empty: it names a child of a profile, another namespace, or is no name at all.
 */
bool apparmor_label_parse(const char *label, struct strlist *ret);
/* The kernel's form, "NAME (MODE)", cut in two: text becomes the name, and the mode is returned. */
enum apparmor_mode apparmor_label_split(char *text);

/* --- loading (apparmor_load.c) --- */

/* In each of the cache's directories: the features that it was compiled for. */
#define APPARMOR_FEATURES "features"
/* The name of the link in the cache that leads to the directory of the running kernel's build. The caller
 * frees. */
char *apparmor_kernel_link(void) MUST_CHECK;
/* A digest of the running kernel's features, as the cache's directories are named, by the securityfs below
 * `root` as above. The caller frees. */
int apparmor_features_id(const char *root, char **ret, struct error *err) MUST_CHECK;
/* Is it in the cache for this kernel, in a file and in directories that only root may write? An error tells
 * what is wrong, and the remedy. */
int apparmor_compiled(const char *root, const char *cache, const struct builtin *profile,
                      struct error *err) MUST_CHECK;
/* Loads it from there, replacing one of its name. Atomic: any number of processes may do so at once. */
int apparmor_load(const char *cache, const struct builtin *profile, struct error *err) MUST_CHECK;

#endif
