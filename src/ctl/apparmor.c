/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl apparmor compile | load | status | show */
#include "ctl/apparmor.h"

#include "ctl/command.h"
#include "ctl/doctor.h"

#include <stdlib.h>
#include <unistd.h>

struct arguments {
  const char *features, *profile;
};

static error_t parse_none(int key, char *arg, struct argp_state *state) {
  (void)arg;
  if (key == ARGP_KEY_ARG)
    argp_usage(state);
  return key == ARGP_KEY_ARG ? 0 : ARGP_ERR_UNKNOWN;
}

/* NULL: it is on. */
static int must_be_on(char **ret_profiles, struct error *err) {
  struct apparmor_host host;
  if (apparmor_look(&host, err) < 0)
    return -1;
  if (host.state != APPARMOR_ON)
    return error_set(err, ERROR_SYSTEM, 0, "AppArmor %s", apparmor_state_text(host.state));
  *ret_profiles = host.profiles;
  return 0;
}

/* --- compile --- */

static error_t parse_compile(int key, char *arg, struct argp_state *state) {
  struct arguments *a = state->input;
  if (key == 'f') {
    a->features = arg;
    return 0;
  }
  return parse_none(key, arg, state);
}

static int run_compile(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct arguments a = { 0 };
  CLEANUP_FREE char *profiles = NULL;
  ctl_parse(self, argc, argv, parse_compile, &a);
  if (!a.features && must_be_on(&profiles, err) < 0)
    return error_wrap(err, "no features to compile for (--features)");
  return ctl_apparmor_make(APPARMOR_CACHE, a.features, err) < 0 ? -1 : CTL_OK;
}

const struct ctl_command ctl_apparmor_compile = {
  .name = "apparmor compile",
  .summary = "compile our AppArmor profiles for this kernel",
  .details =
      "Runs apparmor_parser on the built-in profiles with the features of the running kernel, and keeps the "
      "result in " APPARMOR_CACHE ", from where the wrapper loads one when a container first needs it. To be "
      "run after the installation, and after another kernel was booted; prints the files that it has "
      "written.",
  .options =
      (const struct argp_option[]){
          { "features", 'f', "FILE", 0,
            "compile for these features instead, as another kernel's " APPARMOR_FS "/features has them", 0 },
          { 0 },
      },
  .run = run_compile,
};

/* --- load --- */

static int run_load(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  CLEANUP_FREE char *profiles = NULL;
  ctl_parse(self, argc, argv, parse_none, NULL);
  if (must_be_on(&profiles, err) < 0)
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

static bool tell(const struct builtin *b, const char *profiles) {
  CLEANUP_FREE char *name = apparmor_own_name(b);
  const enum apparmor_mode mode = apparmor_mode_of(profiles, name);
  struct error err = { 0 };
  const bool compiled = apparmor_compiled(APPARMOR_CACHE, b, &err) == 0;
  printf("%-10s  %s: %s, %s\n", b->name, name, compiled ? "compiled" : err.message,
         mode == APPARMOR_NOT_LOADED ? "not loaded" : apparmor_mode_names[mode]);
  return apparmor_mode_enforces(mode) || (mode == APPARMOR_NOT_LOADED && compiled);
}

static int run_status(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct apparmor_host host;
  CLEANUP_FREE char *id = NULL;
  bool fine = true;
  ctl_parse(self, argc, argv, parse_none, NULL);
  if (apparmor_look(&host, err) < 0)
    return -1;
  CLEANUP_FREE char *profiles = host.profiles;
  printf("AppArmor %s\n", apparmor_state_text(host.state));
  if (host.state != APPARMOR_ON)
    return CTL_FINDINGS;
  if (apparmor_features_id(&id, err) < 0)
    return -1;
  const char *parser = ctl_apparmor_parser();
  printf("%-10s  %s\n%-10s  " APPARMOR_CACHE "/%s\n", "parser", parser ? parser : "none", "cache", id);
  for (const struct builtin *b = builtin_apparmor_profiles; b->name; b++)
    fine = tell(b, profiles) && fine;
  return fine ? CTL_OK : CTL_FINDINGS;
}

const struct ctl_command ctl_apparmor_status = {
  .name = "apparmor status",
  .summary = "tell whether AppArmor is on, and of each of our profiles whether it is there",
  .details = "For each profile its name in the kernel, whether it is compiled for this kernel, and its mode. "
             "Exit status "
             "1: AppArmor is off, or one is neither loaded nor compiled, or not enforced.",
  .run = run_status,
};

/* --- install, status --- */

char *ctl_apparmor_missing(void) {
  struct apparmor_host host;
  struct error ignored = { 0 };
  bool missing = false;
  if (geteuid() != 0 || apparmor_look(&host, &ignored) < 0)
    return NULL;
  CLEANUP_FREE char *profiles = host.profiles;
  for (const struct builtin *b = builtin_apparmor_profiles; host.state == APPARMOR_ON && b->name; b++) {
    CLEANUP_FREE char *name = apparmor_own_name(b);
    missing = missing || (!apparmor_mode_enforces(apparmor_mode_of(profiles, name)) &&
                          apparmor_compiled(APPARMOR_CACHE, b, &ignored) < 0);
  }
  return missing
             ? xasprintf("AppArmor is on, and profiles of ours are not compiled for this kernel: containers "
                         "that need one are refused; run hardenctl apparmor compile%s",
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
  else if (apparmor_compiled(APPARMOR_CACHE, b, &err) < 0)
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
