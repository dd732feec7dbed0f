/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of AppArmor and of the profiles that are named. */
#include "facts/look.h"

#include "io/fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { LABEL_LIMIT = 65536 };

static void add_profile(struct facts *f, const char *profiles, const char *name) {
  for (size_t i = 0; i < f->apparmor_profiles_len; i++)
    if (strcmp(f->apparmor_profiles[i].name, name) == 0)
      return;
  f->apparmor_profiles =
      xrealloc(f->apparmor_profiles, f->apparmor_profiles_len + 1, sizeof *f->apparmor_profiles);
  f->apparmor_profiles[f->apparmor_profiles_len++] =
      (struct apparmor_fact){ xstrdup(name), (int)apparmor_mode_of(profiles, name) };
}

/* "unconfined" is every namespace's own, and not in the list. */
static void add_label(struct facts *f, const char *profiles, const char *label) {
  CLEANUP_STRLIST struct strlist names = { 0 };
  if (!label || !*label || !apparmor_label_parse(label, &names))
    return;
  for (size_t i = 0; i < names.len; i++)
    if (strcmp(names.items[i], "unconfined") != 0)
      add_profile(f, profiles, names.items[i]);
}

static char *label_of(pid_t pid) {
  CLEANUP_FREE char *path = xasprintf("/proc/%d/attr/current", (int)pid);
  CLEANUP_FREE char *text = NULL;
  size_t len;
  struct error gone = { 0 };
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_RDONLY, 0, RESOLVE_TRUSTED);
  if (fd < 0 || file_read_fd(fd, path, LABEL_LIMIT, &text, &len, &gone) < 0)
    return NULL;
  text[strcspn(text, "\n")] = '\0';
  (void)apparmor_label_split(text);
  return steal_ptr(&text);
}

static bool asks(const struct policy *p) {
  return p->apparmor.mode != LSM_OFF && policy_action(p, p->apparmor.action) != ACTION_OFF;
}

void look_at_apparmor(struct facts *f, const struct spec *spec, const struct policy *const *policies,
                      size_t policies_len, pid_t init) {
  struct apparmor_host host = { 0 };
  struct error err = { 0 };
  bool asked = false;
  for (size_t i = 0; i < policies_len; i++)
    asked |= asks(policies[i]);
  if (!asked)
    return;
  if (apparmor_look(&host, &err) < 0)
    f->fault = err.sys ? err.sys : EIO;
  CLEANUP_FREE char *profiles = host.profiles;
  f->apparmor = host.state;
  if (host.state != APPARMOR_ON)
    return;
  f->apparmor_label = init > 0 ? label_of(init) : NULL;
  add_label(f, profiles, f->apparmor_label);
  add_label(f, profiles, json_string_value(spec_at(spec, "/process/apparmorProfile")));
  for (size_t i = 0; i < policies_len; i++) {
    CLEANUP_FREE char *name =
        policies[i]->apparmor.profile ? apparmor_kernel_name(policies[i]->apparmor.profile) : NULL;
    if (name)
      add_profile(f, profiles, name);
  }
}

static void set_mode(struct facts *f, const char *name, enum apparmor_mode mode) {
  for (size_t i = 0; i < f->apparmor_profiles_len; i++)
    if (strcmp(f->apparmor_profiles[i].name, name) == 0)
      f->apparmor_profiles[i].mode = (int)mode;
}

/* That the kernel took it is not yet that it is in force: the list tells. */
static int load(const char *cache, const struct builtin *profile, const char *name, enum apparmor_mode *ret,
                struct error *err) {
  struct apparmor_host host;
  if (apparmor_load(cache, profile, err) < 0 || apparmor_look(&host, err) < 0)
    return -1;
  CLEANUP_FREE char *profiles = host.profiles;
  *ret = apparmor_mode_of(profiles, name);
  return 0;
}

void facts_provide_apparmor(struct facts *f, const char *cache, const char *profile, bool may_load) {
  const struct builtin *own = apparmor_builtin(profile);
  CLEANUP_FREE char *name = apparmor_own_name(own);
  enum apparmor_mode mode = APPARMOR_COMPILED;
  struct error err = { 0 };
  if ((may_load ? load(cache, own, name, &mode, &err) : apparmor_compiled("", cache, own, &err)) < 0) {
    free(f->apparmor_why);
    f->apparmor_why = xstrdup(err.message);
    return;
  }
  set_mode(f, name, mode);
}
