/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl install | uninstall: an engine told of our runtimes, and made to forget them */
#include "ctl/install.h"

#include "base/str.h"
#include "install/programs.h"

#include <string.h>

enum { POLICIES_MAX = 16 };

struct install {
  struct install_options o;
  const char *name, *file, *bin_dir;
  const char *policies[POLICIES_MAX];
  size_t policies_len;
  bool make_default, copy;
  struct programs programs;
  struct handlers wanted;
  struct config config;
};

static void install_free(struct install *a) {
  programs_free(&a->programs);
  handlers_free(&a->wanted);
  config_free(&a->config);
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct install *a = state->input;
  switch (key) {
  case 'N':
    a->name = arg;
    return 0;
  case 'p':
    if (a->policies_len == POLICIES_MAX)
      argp_error(state, "at most %d policies", POLICIES_MAX);
    a->policies[a->policies_len++] = arg;
    return 0;
  case 'd':
    a->make_default = true;
    return 0;
  case 'f':
    a->file = arg;
    return 0;
  case 'b':
    a->bin_dir = arg;
    return 0;
  case 'c':
    a->copy = true;
    return 0;
  default:
    return install_parse(key, arg, state, &a->o);
  }
}

/* One policy: NAME. Several: NAME-POLICY for each. */
static int want(const struct host *h, struct install *a, struct error *err) {
  const char *base = a->name ? a->name : "hardened";
  const size_t n = a->policies_len ? a->policies_len : 1;
  for (size_t i = 0; i < n; i++) {
    const char *policy = a->policies_len ? a->policies[i] : NULL;
    CLEANUP_FREE char *name = n > 1 ? xasprintf("%s-%s", base, policy) : xstrdup(base);
    CLEANUP_FREE char *path = NULL;
    CLEANUP_POLICY struct policy loaded = { 0 };
    if (handler_name_check(name, err) < 0 ||
        (policy && policy_load(a->config.policy_dir, policy, &loaded, err) < 0) ||
        programs_of_policy(h, &a->programs, policy, &path, err) < 0)
      return -1;
    handlers_put(&a->wanted, name, policy, path);
  }
  if (a->make_default)
    a->wanted.chosen = xstrdup(a->wanted.items[0].name);
  return 0;
}

static char *names_of(const struct handlers *h) {
  struct str text = { 0 };
  for (size_t i = 0; i < h->len; i++)
    str_addf(&text, "%s%s", i ? ", " : "", h->items[i].name);
  return str_steal(&text);
}

static int install_one(const struct host *h, const struct engine *engine, void *arg, struct error *err) {
  struct install *a = arg;
  CLEANUP_PLAN struct plan plan = { 0 };
  if (plan_install(h, engine, a->file, &a->wanted, &plan, err) < 0)
    return -1;
  CLEANUP_FREE char *names = names_of(&a->wanted);
  install_print_plan(&plan);
  if (!plan.changed)
    printf("%s: %s: registered already in %s\n", engine->name, names, plan.file);
  if (a->o.dry_run)
    return CTL_OK;
  if (programs_put(h, &a->programs, err) < 0 || plan_do(h, &plan, err) < 0)
    return -1;
  if (!plan.changed)
    return CTL_OK;
  printf("%s: %s: registered in %s%s\n", engine->name, names, plan.file,
         a->make_default ? ", as the default runtime" : "");
  if (plan.original)
    printf("%s: the file as it was: " INSTALL_DIR "/%s.orig\n", engine->name, engine->name);
  return install_reload(h, &a->o, engine, plan.file, false, err) < 0 ? -1 : CTL_OK;
}

static int run_install(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  CLEANUP(install_free) struct install a = { 0 };
  CLEANUP_HOST struct host host = { .fd = -1, .lock_fd = -1 };
  ctl_parse(self, argc, argv, parse, &a);
  if (a.file && (!a.o.engine || strcmp(a.o.engine, "all") == 0))
    return error_set(err, ERROR_USAGE, 0, "--file needs --engine: it is one engine's");
  if (host_open(&host, a.o.root, !a.o.dry_run, err) < 0 || install_config(&a.o, &a.config, err) < 0 ||
      programs_look(&host, a.bin_dir, a.copy, &a.programs, err) < 0 || want(&host, &a, err) < 0)
    return -1;
  for (size_t i = 0; i < a.programs.copy.len; i++)
    printf("copy: %s/%s\n", a.programs.dir, a.programs.copy.items[i]);
  for (size_t i = 0; i < a.programs.todo.len; i++)
    printf("link: %s -> oci-harden\n", a.programs.todo.items[i]);
  const int code = install_for_each(&host, &a.o, install_one, &a, err);
  if (code == CTL_OK && !a.o.dry_run)
    install_print_missing(&a.o);
  return code;
}

const struct ctl_command ctl_install = {
  .name = "install",
  .summary = "register oci-harden as a runtime with the engines of this host",
  .details =
      "Finds each engine's configuration, prints the change as a diff, and makes it: a file of its "
      "own where the engine "
      "merges several (podman, CRI-O), an edit that leaves every other byte as it is where it does "
      "not (containerd, "
      "docker). The runtime is called NAME; with several policies there is one for each, NAME-POLICY. "
      "What the engine "
      "says of runc (SystemdCgroup and the rest) is said of ours too. Doing it twice is doing it "
      "once. What it does "
      "not understand it refuses, and changes nothing. The files as they were, and what was done, are "
      "kept in "
      "/var/lib/oci-harden/install. The engines heed it after a restart, or, docker, a reload. The "
      "containerd of "
      "k3s and rke2 is found where there is no other (else --file names its config.toml): that file, which "
      "they make anew, is left alone, and a file of its own written into the config-v3.toml.d beside it. "
      "Where AppArmor is on and "
      "profiles of ours were not compiled for this kernel it ends with a note that says so.",
  .options =
      (const struct argp_option[]){
          INSTALL_OPTIONS,
          { "name", 'N', "NAME", 0, "what the runtime is called (default: hardened)", 0 },
          { "policy", 'p', "POLICY", 0,
            "the policy of its containers; several give a runtime each (default: as config.json's rules "
            "select)",
            0 },
          { "default", 'd', NULL, 0, "make it, or the first, the engine's default runtime", 0 },
          CHANGE_OPTIONS,
          { "file", 'f', "FILE", 0, "the engine's configuration, instead of its usual place", 0 },
          { "bin-dir", 'b', "DIR", 0,
            "where oci-harden is on the host (default: beside hardenctl, or /usr/local/sbin, or /usr/sbin)",
            0 },
          { "copy", 'c', NULL, 0,
            "copy the programs that are beside this hardenctl to the host's --bin-dir (/usr/local/sbin)", 0 },
          { 0 },
      },
  .run = run_install,
};

/* --- uninstall --- */

/* Without the entry podman and CRI-O could neither stop nor remove what still runs: it stays, and nothing new
 * gets it unasked. */
static int keep_names(const struct host *h, struct install *a, const struct plan *plan,
                      const struct strlist *needed, struct error *err) {
  CLEANUP_FREE char *names = names_of(&plan->next.handlers);
  if (plan->changed)
    install_print_plan(plan);
  for (size_t i = 0; i < needed->len; i++)
    printf("kept: needed by %s\n", needed->items[i]);
  printf("%s: %s: kept registered until those are gone; then run hardenctl uninstall again\n",
         plan->engine->name, names);
  if (a->o.dry_run || !plan->changed)
    return CTL_FINDINGS;
  return plan_do(h, plan, err) < 0 || install_reload(h, &a->o, plan->engine, plan->file, false, err) < 0
             ? -1
             : CTL_FINDINGS;
}

static int uninstall_one(const struct host *h, const struct engine *engine, void *arg, struct error *err) {
  struct install *a = arg;
  CLEANUP_PLAN struct plan plan = { 0 };
  CLEANUP_STRLIST struct strlist needed = { 0 };
  if ((engine->manager && install_needed_by(h, &a->config, engine->manager, &needed, err) < 0) ||
      plan_uninstall(h, engine, a->name, needed.len > 0, &plan, err) < 0)
    return -1;
  if (plan.next.handlers.len > 0 && needed.len > 0)
    return keep_names(h, a, &plan, &needed, err);
  if (!plan.changed) {
    printf("%s: nothing of ours is registered%s%s\n", engine->name, a->name ? " as " : "",
           a->name ? a->name : "");
    return CTL_OK;
  }
  install_print_plan(&plan);
  if (a->o.dry_run)
    return CTL_OK;
  const bool all = plan.next.handlers.len == 0;
  if ((all && programs_wait(h, engine->name, plan.next.at, plan.file, err) < 0) || plan_do(h, &plan, err) < 0)
    return -1;
  printf("%s: %s is %s\n", engine->name, plan.file, plan.after ? "as it would be without" : "gone again");
  return install_reload(h, &a->o, engine, plan.file, true, err) < 0 ? -1 : CTL_OK;
}

/* Programs and links of ours go with the last registration, when no container needs them any longer. */
static int remove_programs(const struct host *h, struct install *a, struct error *err) {
  CLEANUP_STRLIST struct strlist needed = { 0 };
  if (programs_load(h, &a->programs, err) < 0)
    return -1;
  for (const struct engine *e = engines; e->name; e++) {
    CLEANUP_INSTALLED struct installed there = { 0 };
    bool found;
    if (installed_load(h, e->name, &there, &found, err) < 0)
      return -1;
    if (found)
      return CTL_OK;
  }
  if (a->programs.put.len == 0)
    return CTL_OK;
  if (install_needed_by(h, &a->config, NULL, &needed, err) < 0 ||
      programs_waited_for(h, &a->programs, &needed, err) < 0)
    return -1;
  for (size_t i = 0; i < needed.len; i++)
    printf("kept: needed by %s\n", needed.items[i]);
  for (size_t i = 0; i < a->programs.put.len; i++)
    printf("%s: %s\n", needed.len ? "kept" : "remove", a->programs.put.items[i]);
  if (needed.len == 0)
    return a->o.dry_run || programs_remove(h, &a->programs, err) == 0 ? CTL_OK : -1;
  printf("kept until those are gone; then run hardenctl uninstall again\n");
  return CTL_FINDINGS;
}

static int run_uninstall(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  CLEANUP(install_free) struct install a = { 0 };
  CLEANUP_HOST struct host host = { .fd = -1, .lock_fd = -1 };
  ctl_parse(self, argc, argv, parse, &a);
  if (host_open(&host, a.o.root, !a.o.dry_run, err) < 0 || install_config(&a.o, &a.config, err) < 0)
    return -1;
  const int code = install_for_each(&host, &a.o, uninstall_one, &a, err);
  if (code < 0)
    return -1;
  const int kept = remove_programs(&host, &a, err);
  if (!a.o.dry_run)
    host_tidy(&host);
  return kept < 0 || kept > code ? kept : code;
}

const struct ctl_command ctl_uninstall = {
  .name = "uninstall",
  .summary = "take oci-harden out of the engines' configurations again",
  .details =
      "Puts back what was there before install: byte for byte when nobody has changed the file since, "
      "else only what "
      "is ours is taken out, and the default runtime is what it was. Programs and links that install "
      "made go with the "
      "last registration, but not while containers that need them for exec, stop and delete are still "
      "there: those "
      "are named, and the exit status is 1. podman and CRI-O look a container's runtime up by its name for "
      "each "
      "call: while they have such containers the name stays registered, and is only no longer the default.",
  .options =
      (const struct argp_option[]){
          INSTALL_OPTIONS,
          { "name", 'N', "NAME", 0, "only the runtime of this name (default: all of ours)", 0 },
          CHANGE_OPTIONS,
          { 0 },
      },
  .run = run_uninstall,
};
