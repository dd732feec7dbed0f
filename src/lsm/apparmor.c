/* SPDX-License-Identifier: Apache-2.0 */
#include "lsm/apparmor.h"

#include "io/fileio.h"
#include "policy/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { PROFILES_LIMIT = 16 << 20 }; /* of the list, in bytes */
#define OWN_PREFIX "oci-harden-"
enum { OWN_DIGITS = 8 }; /* of the digest */

const char *const apparmor_state_names[] = {
  [APPARMOR_UNKNOWN] = "unknown", [APPARMOR_ABSENT] = "absent", [APPARMOR_DISABLED] = "disabled",
  [APPARMOR_HIDDEN] = "hidden",   [APPARMOR_ON] = "on",         NULL,
};

const char *const apparmor_mode_names[] = {
  [APPARMOR_NOT_LOADED] = "not-loaded",
  [APPARMOR_ENFORCE] = "enforce",
  [APPARMOR_KILL] = "kill",
  [APPARMOR_COMPLAIN] = "complain",
  [APPARMOR_UNCONFINED] = "unconfined",
  [APPARMOR_OTHER] = "other",
  [APPARMOR_COMPILED] = "compiled",
  NULL,
};

const char *apparmor_state_text(enum apparmor_state state) {
  switch (state) {
  case APPARMOR_UNKNOWN:
    return "was not looked for";
  case APPARMOR_ABSENT:
    return "is not in this kernel";
  case APPARMOR_DISABLED:
    return "was not switched on when this kernel was booted (apparmor=1, or lsm=...,apparmor)";
  case APPARMOR_HIDDEN:
    return "is on, but its list of profiles cannot be read (mount -t securityfs securityfs "
           "/sys/kernel/security)";
  case APPARMOR_ON:
    return "is on";
  }
  return "";
}

/* Without the list: the module's parameter, which every kernel built with AppArmor has. */
static int look_at_parameter(const char *root, struct apparmor_host *ret, struct error *err) {
  CLEANUP_FREE char *path = xasprintf("%s/sys/module/apparmor/parameters/enabled", root);
  CLEANUP_FREE char *text = NULL;
  size_t len;
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_RDONLY, 0, RESOLVE_TRUSTED);
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
    ret->state = APPARMOR_ABSENT;
    return 0;
  }
  if (fd < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s", path);
  if (file_read_fd(fd, path, 16, &text, &len, err) < 0)
    return -1;
  ret->state = text[0] == 'Y' ? APPARMOR_HIDDEN : APPARMOR_DISABLED;
  return 0;
}

int apparmor_look(struct apparmor_host *ret, struct error *err) {
  return apparmor_look_at("", ret, err);
}

int apparmor_look_at(const char *root, struct apparmor_host *ret, struct error *err) {
  CLEANUP_FREE char *path = xasprintf("%s" APPARMOR_FS "/profiles", root);
  size_t len;
  *ret = (struct apparmor_host){ 0 };
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_RDONLY, 0, RESOLVE_TRUSTED);
  if (fd >= 0) {
    ret->state = APPARMOR_ON;
    return file_read_fd(fd, path, PROFILES_LIMIT, &ret->profiles, &len, err);
  }
  /* EACCES: the list is root's, of the initial user namespace. */
  if (errno != ENOENT && errno != ENOTDIR && errno != EACCES && errno != EPERM)
    return error_set(err, ERROR_SYSTEM, errno, "%s", path);
  return look_at_parameter(root, ret, err);
}

static enum apparmor_mode mode_named(const char *text, size_t len) {
  for (enum apparmor_mode m = APPARMOR_ENFORCE; m < APPARMOR_OTHER; m++)
    if (strlen(apparmor_mode_names[m]) == len && memcmp(apparmor_mode_names[m], text, len) == 0)
      return m;
  return APPARMOR_OTHER;
}

enum apparmor_mode apparmor_mode_of(const char *profiles, const char *name) {
  const size_t len = strlen(name);
  for (const char *line = profiles; line && *line;) {
    const size_t size = strcspn(line, "\n");
    if (size > len + 3 && memcmp(line, name, len) == 0 && memcmp(line + len, " (", 2) == 0 &&
        !memchr(line + len + 2, ' ', size - len - 2) && line[size - 1] == ')')
      return mode_named(line + len + 2, size - len - 3);
    line += size + (line[size] == '\n');
  }
  return APPARMOR_NOT_LOADED;
}

bool apparmor_mode_enforces(enum apparmor_mode mode) {
  return mode == APPARMOR_ENFORCE || mode == APPARMOR_KILL || mode == APPARMOR_COMPILED;
}

const struct builtin *apparmor_builtin(const char *name) {
  return builtin_find(builtin_apparmor_profiles, name);
}

char *apparmor_own_name(const struct builtin *profile) {
  return xasprintf(OWN_PREFIX "%s-%.*s", profile->name, OWN_DIGITS, profile->digest);
}

char *apparmor_kernel_name(const char *profile) {
  const struct builtin *own = apparmor_builtin(profile);
  return own ? apparmor_own_name(own) : xstrdup(profile);
}

/* In the order of the table, in which each file continues the one before. */
unsigned apparmor_own_rank(const char *kernel_name) {
  unsigned rank = 1;
  if (!str_starts(kernel_name, OWN_PREFIX))
    return 0;
  const char *variant = kernel_name + strlen(OWN_PREFIX);
  for (const struct builtin *b = builtin_apparmor_profiles; b->name; b++, rank++) {
    const size_t len = strlen(b->name);
    if (strncmp(variant, b->name, len) == 0 && variant[len] == '-' &&
        strspn(variant + len + 1, "0123456789abcdef") == OWN_DIGITS && !variant[len + 1 + OWN_DIGITS])
      return rank;
  }
  return 0;
}

/* ':' begins a namespace and '&' a stack; what the kernel's parser skips or ends at is no part of a name. */
static bool is_name(const char *name) {
  if (!*name || *name == ':' || strstr(name, "//") || strchr(name, '&'))
    return false;
  for (const char *p = name; *p; p++)
    if ((unsigned char)*p <= ' ' || *p == 0x7f)
      return false;
  return true;
}

bool apparmor_label_parse(const char *label, struct strlist *ret) {
  static const char joint[] = "//&";
  for (const char *at = label; at;) {
    const char *end = strstr(at, joint);
    CLEANUP_STR struct str name = { 0 };
    str_add_mem(&name, at, end ? (size_t)(end - at) : strlen(at));
    if (!name.len || !is_name(name.data)) {
      strlist_clear(ret);
      return false;
    }
    strlist_add_once(ret, name.data);
    at = end ? end + strlen(joint) : NULL;
  }
  return true;
}

enum apparmor_mode apparmor_label_split(char *text) {
  char *open = strrchr(text, '(');
  const size_t len = strlen(text);
  if (strcmp(text, "unconfined") == 0)
    return APPARMOR_UNCONFINED;
  if (!open || open - text < 2 || open[-1] != ' ' || text[len - 1] != ')')
    return APPARMOR_OTHER;
  const enum apparmor_mode mode = mode_named(open + 1, (size_t)(text + len - 1 - (open + 1)));
  open[-1] = '\0';
  return mode;
}
