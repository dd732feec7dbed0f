/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl apparmor compile | load | status | show */
#include "ctl/apparmor.h"

#include "ctl/command.h"
#include "ctl/doctor.h"
#include "io/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct arguments {
  const char *root, *features, *profile;
  bool if_missing;
};
#define ROOT_OPTION                                                                                          \
  { "root", 'R', "DIR", 0, "the root directory of another host: an image, or a node's in a container", 0 }

static error_t parse_none(int key, char *arg, struct argp_state *state) {
  (void)arg;
  if (key == ARGP_KEY_ARG)
    argp_usage(state);
  return key == ARGP_KEY_ARG ? 0 : ARGP_ERR_UNKNOWN;
}

static error_t parse_root(int key, char *arg, struct argp_state *state) {
  struct arguments *a = state->input;
  if (key == 'R') {
    a->root = arg;
    return 0;
  }
  return parse_none(key, arg, state);
}

static int must_be_on(const char *root, struct error *err) {
  struct apparmor_host host;
  if (apparmor_look_at(root, &host, err) < 0)
    return -1;
  free(host.profiles);
  return host.state == APPARMOR_ON ? 0
                                   : error_set(err, ERROR_SYSTEM, 0, "%s%sAppArmor %s", root,
                                               *root ? ": " : "", apparmor_state_text(host.state));
}

void ctl_apparmor_place_free(struct apparmor_place *p) {
  free(p->root);
  free(p->cache);
}

/* The parser is given paths: links of the other host's are resolved as that would. */
static int cache_below(const char *root, char **ret, struct error *err) {
  CLEANUP_FREE char *cache = NULL;
  CLEANUP_FD int fd = path_open(AT_FDCWD, root, O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  bool unused;
  if (fd < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot open the root directory %s", root);
  if (path_resolve_in_root(fd, APPARMOR_CACHE, &cache, &unused, err) < 0)
    return error_wrap(err, "%s", root);
  *ret = xasprintf("%s%s", root, cache);
  return 0;
}

int ctl_apparmor_place(const char *root, struct apparmor_place *ret, struct error *err) {
  CLEANUP_FREE char *real = realpath(root ? root : "/", NULL);
  if (!real)
    return error_set(err, ERROR_SYSTEM, errno, "cannot open the root directory %s", root);
  if (strcmp(real, "/") == 0) {
    ret->root = xstrdup("");
    ret->cache = xstrdup(APPARMOR_CACHE);
    return 0;
  }
  if (cache_below(real, &ret->cache, err) < 0)
    return -1;
  ret->root = steal_ptr(&real);
  return 0;
}

static int all_compiled(const struct apparmor_place *place, struct error *err) {
  for (const struct builtin *b = builtin_apparmor_profiles; b->name; b++)
    if (apparmor_compiled(place->root, place->cache, b, err) < 0)
      return -1;
  return 0;
}

/* --- compile --- */

static error_t parse_compile(int key, char *arg, struct argp_state *state) {
  struct arguments *a = state->input;
  switch (key) {
  case 'f':
    a->features = arg;
    return 0;
  case 'm':
    a->if_missing = true;
    return 0;
  default:
    return parse_root(key, arg, state);
  }
}

static int run_compile(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct arguments a = { 0 };
  struct error missing = { 0 };
  CLEANUP_APPARMOR_PLACE struct apparmor_place place = { 0 };
  ctl_parse(self, argc, argv, parse_compile, &a);
  if (a.features && a.if_missing)
    return error_set(err, ERROR_USAGE, 0, "--if-missing is about the running kernel, not about --features");
  if (ctl_apparmor_place(a.root, &place, err) < 0)
    return -1;
  if (!a.features && must_be_on(place.root, err) < 0)
    return error_wrap(err, "no features to compile for (--features)");
  if (a.if_missing && all_compiled(&place, &missing) == 0)
    return CTL_OK;
  if (ctl_apparmor_make(&place, a.features, err) < 0)
    return -1;
  /* In a directory that others may write the wrapper would not find them. */
  return !a.features && all_compiled(&place, err) < 0 ? -1 : CTL_OK;
}

const struct ctl_command ctl_apparmor_compile = {
  .name = "apparmor compile",
  .summary = "compile our AppArmor profiles for this kernel",
  .details =
      "Runs apparmor_parser on the built-in profiles with the features of the running kernel, and keeps the "
      "result in " APPARMOR_CACHE ", from where the wrapper loads one when a container first needs it. To be "
      "run after the installation, and after another kernel was booted; prints the files that it has "
      "written. With --root the features are those that the securityfs mounted there shows, and the "
      "files are that host's.",
  .options =
      (const struct argp_option[]){
          { "features", 'f', "FILE", 0,
            "compile for these features instead, as another kernel's " APPARMOR_FS "/features has them", 0 },
          { "if-missing", 'm', NULL, 0, "do nothing when all are compiled for this kernel already", 0 },
          ROOT_OPTION,
          { 0 },
      },
  .run = run_compile,
};

/* --- load --- */

static int run_load(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  ctl_parse(self, argc, argv, parse_none, NULL);
  if (must_be_on("", err) < 0)
    return -1;
  for (const struct builtin *b = builtin_apparmor_profiles; b->name; b++) {
    CLEANUP_FREE char *name = apparmor_own_name(b);
    if (apparmor_load(APPARMOR_CACHE, b, err) < 0)
      return -1;
    printf("%s\n", name);
  }
  return CTL_OK;
}

const struct ctl_command ctl_apparmor_load = {
  .name = "apparmor load",
  .summary = "load our compiled AppArmor profiles into the kernel",
  .details =
      "Loads all of them, replacing those of the same name, and prints their names. Not needed for "
      "containers of "
      "the wrapper's, which loads what it needs: for engines whose containers ask for one by its name.",
  .run = run_load,
};

/* --- status --- */

static bool tell(const struct apparmor_place *place, const struct builtin *b, const char *profiles) {
  CLEANUP_FREE char *name = apparmor_own_name(b);
  const enum apparmor_mode mode = apparmor_mode_of(profiles, name);
  struct error err = { 0 };
  const bool compiled = apparmor_compiled(place->root, place->cache, b, &err) == 0;
  printf("%-10s  %s: %s, %s\n", b->name, name, compiled ? "compiled" : err.message,
         mode == APPARMOR_NOT_LOADED ? "not loaded" : apparmor_mode_names[mode]);
  return apparmor_mode_enforces(mode) || (mode == APPARMOR_NOT_LOADED && compiled);
}

static int run_status(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct arguments a = { 0 };
  struct apparmor_host host;
  CLEANUP_APPARMOR_PLACE struct apparmor_place place = { 0 };
  CLEANUP_FREE char *id = NULL;
  bool fine = true;
  ctl_parse(self, argc, argv, parse_root, &a);
  if (ctl_apparmor_place(a.root, &place, err) < 0 || apparmor_look_at(place.root, &host, err) < 0)
    return -1;
  CLEANUP_FREE char *profiles = host.profiles;
  printf("AppArmor %s\n", apparmor_state_text(host.state));
  if (host.state != APPARMOR_ON)
    return CTL_FINDINGS;
  if (apparmor_features_id(place.root, &id, err) < 0)
    return -1;
  const char *parser = ctl_apparmor_parser();
  printf("%-10s  %s\n%-10s  %s/%s\n", "parser", parser ? parser : "none", "cache", place.cache, id);
  for (const struct builtin *b = builtin_apparmor_profiles; b->name; b++)
    fine = tell(&place, b, profiles) && fine;
  return fine ? CTL_OK : CTL_FINDINGS;
}

const struct ctl_command ctl_apparmor_status = {
  .name = "apparmor status",
  .summary = "tell whether AppArmor is on, and of each of our profiles whether it is there",
  .details = "For each profile its name in the kernel, whether it is compiled for this kernel, and its mode. "
             "Exit status "
             "1: AppArmor is off, or one is neither loaded nor compiled, or not enforced.",
  .options = (const struct argp_option[]){ ROOT_OPTION, { 0 } },
  .run = run_status,
};

/* --- install, status --- */

char *ctl_apparmor_missing(const char *root) {
  struct apparmor_host host;
  struct error ignored = { 0 };
  CLEANUP_APPARMOR_PLACE struct apparmor_place place = { 0 };
  bool missing = false;
  if (geteuid() != 0 || ctl_apparmor_place(root, &place, &ignored) < 0 ||
      apparmor_look_at(place.root, &host, &ignored) < 0)
    return NULL;
  CLEANUP_FREE char *profiles = host.profiles;
  for (const struct builtin *b = builtin_apparmor_profiles; host.state == APPARMOR_ON && b->name; b++) {
    CLEANUP_FREE char *name = apparmor_own_name(b);
    missing = missing || (!apparmor_mode_enforces(apparmor_mode_of(profiles, name)) &&
                          apparmor_compiled(place.root, place.cache, b, &ignored) < 0);
  }
  return missing
             ? xasprintf("AppArmor is on, and profiles of ours are not compiled for this kernel: containers "
                         "that need one are refused; run hardenctl apparmor compile%s%s%s",
                         *place.root ? " --root " : "", place.root,
                         ctl_apparmor_parser() ? "" : ", after the package apparmor was installed")
             : NULL;
}

/* --- doctor --- */

static void examine(struct doctor *d, const struct builtin *b, const char *profiles) {
  CLEANUP_FREE char *name = apparmor_own_name(b);
  const enum apparmor_mode mode = apparmor_mode_of(profiles, name);
  struct error err = { 0 };
  if (mode != APPARMOR_NOT_LOADED && !apparmor_mode_enforces(mode))
    doctor_say(d, HEALTH_FAIL, "AppArmor", "hardenctl apparmor load",
               "the profile %s is in %s mode: containers that need it are refused", name,
               apparmor_mode_names[mode]);
  else if (apparmor_compiled("", APPARMOR_CACHE, b, &err) < 0)
    doctor_say(d, mode == APPARMOR_NOT_LOADED ? HEALTH_FAIL : HEALTH_WARN, "AppArmor",
               "hardenctl apparmor compile", "%s: %s", name, err.message);
  else
    doctor_say(d, HEALTH_OK, "AppArmor", NULL, "%s: %s", name,
               mode == APPARMOR_NOT_LOADED ? "compiled, loaded when first needed"
                                           : apparmor_mode_names[mode]);
}

void doctor_apparmor(struct doctor *d) {
  struct apparmor_host host;
  struct error err = { 0 };
  if (apparmor_look(&host, &err) < 0) {
    doctor_say(d, HEALTH_FAIL, "AppArmor", NULL, "%s", err.message);
    return;
  }
  CLEANUP_FREE char *profiles = host.profiles;
  if (host.state == APPARMOR_HIDDEN)
    doctor_say(d, geteuid() == 0 ? HEALTH_FAIL : HEALTH_WARN, "AppArmor",
               "mount -t securityfs securityfs /sys/kernel/security",
               "it is on, and its profiles cannot be seen");
  else if (host.state != APPARMOR_ON)
    doctor_say(d, HEALTH_OK, "AppArmor", NULL,
               "%s: policies that prefer a profile run without, and record it",
               apparmor_state_text(host.state));
  for (const struct builtin *b = builtin_apparmor_profiles; host.state == APPARMOR_ON && b->name; b++)
    examine(d, b, profiles);
}

/* --- show --- */

static error_t parse_show(int key, char *arg, struct argp_state *state) {
  struct arguments *a = state->input;
  if (key == ARGP_KEY_ARG && !a->profile) {
    a->profile = arg;
    return 0;
  }
  if (key == ARGP_KEY_NO_ARGS)
    argp_usage(state);
  return parse_none(key, arg, state);
}

static int run_show(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct arguments a = { 0 };
  CLEANUP_STR struct str text = { 0 };
  ctl_parse(self, argc, argv, parse_show, &a);
  const struct builtin *b = apparmor_builtin(a.profile);
  if (!b)
    return error_set(err, ERROR_USAGE, 0,
                     "there is no AppArmor profile '%s'; there are baseline, restricted, strict", a.profile);
  ctl_apparmor_text(b, false, &text);
  fputs(text.data, stdout);
  return CTL_OK;
}

const struct ctl_command ctl_apparmor_show = {
  .name = "apparmor show",
  .args = "PROFILE",
  .summary = "print one of our AppArmor profiles",
  .details = "Prints the text of baseline, restricted or strict as apparmor_parser takes it, for reading, or "
             "to make a "
             "profile of one's own from: give that another name, load it, and name it in the policy's "
             "section apparmor.",
  .run = run_show,
};
