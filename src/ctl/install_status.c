/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl status: where we are registered, and whether that is still so */
#include "base/str.h"
#include "ctl/install.h"
#include "ctl/terminal.h"
#include "install/daemons.h"
#include "install/programs.h"

#include <string.h>

struct status {
  struct install_options o;
  bool json, colour, needed;
  bool registered; /* with an engine, any */
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct status *s = state->input;
  switch (key) {
  case 'j':
    s->json = true;
    return 0;
  case 'N':
    s->needed = true;
    return 0;
  default:
    return install_parse(key, arg, state, &s->o);
  }
}

/* What is wrong with a registration, a sentence each. */
static void examine_file(const struct host *h, const struct engine *engine, const struct installed *i,
                         struct strlist *problems) {
  static const struct handlers none = { 0 };
  CLEANUP_PLAN struct plan plan = { 0 };
  struct error why = { 0 };
  char digest[SHA256_HEX] = "";
  if (plan_install(h, engine, NULL, &none, &plan, &why) < 0) {
    strlist_add_new(problems, xasprintf("what is there is not understood any longer: %s", why.message));
    return;
  }
  if (plan.now.text)
    sha256_hex(plan.now.text, plan.now.len, digest);
  if (!plan.now.text)
    strlist_add_new(problems, xasprintf("%s is gone; hardenctl install makes it anew", i->file));
  else if (plan.changed && strcmp(digest, i->after) == 0)
    strlist_add_new(
        problems,
        xasprintf("what %s would be told is another thing now; hardenctl install does it", engine->name));
  else if (plan.changed)
    strlist_add_new(
        problems,
        xasprintf("%s was edited since, and ours is not as it was; hardenctl install mends it", i->file));
}

static void examine_programs(const struct host *h, const struct installed *i, struct strlist *problems) {
  for (size_t k = 0; k < i->handlers.len; k++) {
    struct error why = { 0 };
    if (program_check(h, i->handlers.items[k].path, &why) < 0)
      strlist_add_new(problems, xasprintf("runtime %s: %s", i->handlers.items[k].name, why.message));
  }
}

/* A daemon that was started before the change. One that reloads by a signal may have done so since: nobody
 * can see. */
static int examine_daemon(const struct host *h, const struct engine *engine, const struct installed *i,
                          struct strlist *problems, struct error *err) {
  pid_t pid = 0;
  if (!engine->daemon || !h->is_here || engine->reload != RELOAD_RESTART)
    return 0;
  if (daemon_older(engine->daemon, i->file, i->at, &pid, err) < 0)
    return -1;
  if (pid)
    strlist_add_new(problems,
                    xasprintf("a restart is pending: %s (pid %d) was started before the change; systemctl "
                              "restart %s",
                              engine->daemon, (int)pid, install_unit(engine, i->file)));
  return 0;
}

static void print_json(const struct engine *engine, const struct installed *i, bool found,
                       const struct strlist *problems) {
  CLEANUP_STR struct str text = { 0 };
  json_auto_t *line = json_object();
  json_t *handlers = json_array(), *list = json_array();
  jsonx_set_new(line, "engine", jsonx_string_new(engine->name));
  jsonx_set_new(line, "registered", json_boolean(found));
  jsonx_set_new(line, "file", found ? jsonx_string_new(i->file) : json_null());
  for (size_t k = 0; k < i->handlers.len; k++) {
    const struct handler *one = &i->handlers.items[k];
    json_t *item = json_object();
    jsonx_set_new(item, "name", jsonx_string_new(one->name));
    jsonx_set_new(item, "policy", one->policy ? jsonx_string_new(one->policy) : json_null());
    jsonx_set_new(item, "path", jsonx_string_new(one->path));
    jsonx_append_new(handlers, item);
  }
  jsonx_set_new(line, "runtimes", handlers);
  jsonx_set_new(line, "default", i->handlers.chosen ? jsonx_string_new(i->handlers.chosen) : json_null());
  jsonx_set_new(line, "since", found ? jsonx_string_new(i->at) : json_null());
  for (size_t k = 0; k < problems->len; k++)
    jsonx_append_new(list, jsonx_string_new(problems->items[k]));
  jsonx_set_new(line, "problems", list);
  jsonx_dump(line, &text);
  printf("%s\n", text.data);
}

static void print_text(const struct status *s, const struct engine *engine, const struct installed *i,
                       bool found, const struct strlist *problems) {
  if (!found) {
    printf("%s: nothing of ours is registered\n", engine->name);
    return;
  }
  printf("%s: registered in %s since %s\n", engine->name, i->file, i->at);
  for (size_t k = 0; k < i->handlers.len; k++) {
    const struct handler *one = &i->handlers.items[k];
    const bool chosen = i->handlers.chosen && strcmp(i->handlers.chosen, one->name) == 0;
    printf("  %s: %s, policy %s%s\n", one->name, one->path,
           one->policy ? one->policy : "as the node's rules select", chosen ? ", the default" : "");
  }
  for (size_t k = 0; k < problems->len; k++)
    terminal_print(s->colour, COLOUR_YELLOW, "  problem: %s\n", problems->items[k]);
}

static int status_one(const struct host *h, const struct engine *engine, void *arg, struct error *err) {
  struct status *s = arg;
  CLEANUP_INSTALLED struct installed i = { 0 };
  CLEANUP_STRLIST struct strlist problems = { 0 };
  bool found;
  if (installed_load(h, engine->name, &i, &found, err) < 0)
    return -1;
  s->registered = s->registered || found;
  if (found) {
    examine_programs(h, &i, &problems);
    examine_file(h, engine, &i, &problems);
    if (examine_daemon(h, engine, &i, &problems, err) < 0)
      return -1;
  }
  if (s->json)
    print_json(engine, &i, found, &problems);
  else
    print_text(s, engine, &i, found, &problems);
  return problems.len || (!found && s->o.engine && strcmp(s->o.engine, "all") != 0) ? CTL_FINDINGS : CTL_OK;
}

/* Who could not go on without the programs. */
static int print_needed(const struct host *h, const struct install_options *o, struct error *err) {
  CLEANUP_CONFIG struct config config = { 0 };
  CLEANUP_PROGRAMS struct programs programs = { 0 };
  CLEANUP_STRLIST struct strlist needed = { 0 };
  for (const struct engine *e = engines; e->name; e++) {
    CLEANUP_INSTALLED struct installed i = { 0 };
    bool found;
    if (installed_load(h, e->name, &i, &found, err) < 0)
      return -1;
    if (found)
      strlist_add_new(&needed, xasprintf("%s, as %s says", e->name, i.file));
  }
  if (install_config(o, &config, err) < 0 || install_needed_by(h, &config, NULL, &needed, err) < 0 ||
      programs_load(h, &programs, err) < 0 || programs_waited_for(h, &programs, &needed, err) < 0)
    return -1;
  for (size_t i = 0; i < needed.len; i++)
    printf("needed by %s\n", needed.items[i]);
  return needed.len ? CTL_FINDINGS : CTL_OK;
}

static int run(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct status s = { 0 };
  CLEANUP_HOST struct host host = { .fd = -1, .lock_fd = -1 };
  ctl_parse(self, argc, argv, parse, &s);
  s.colour = !s.json && terminal_has_colour(stdout);
  if (host_open(&host, s.o.root, false, err) < 0)
    return -1;
  if (s.needed)
    return print_needed(&host, &s.o, err);
  const int code = install_for_each(&host, &s.o, status_one, &s, err);
  if (code >= 0 && s.registered && !s.json)
    install_print_missing(&s.o);
  return code;
}

const struct ctl_command ctl_status = {
  .name = "status",
  .summary = "tell where oci-harden is registered, and whether that still holds",
  .details =
      "For each engine the file, the runtimes with their programs and policies, and the default. Problems "
      "are: somebody "
      "edited what is ours, a program is gone or can be changed by others, a daemon was started before the "
      "change and "
      "must be restarted. Exit status 1: there is one, or the engine that was named knows nothing of us. A "
      "note tells of AppArmor "
      "profiles that were not compiled for this kernel.",
  .options =
      (const struct argp_option[]){
          INSTALL_OPTIONS,
          { "json", 'j', NULL, 0, "one JSON object a line", 0 },
          { "needed", 'N', NULL, 0,
            "only who needs the programs: engines, containers, daemons that must be restarted; exit status "
            "0: nobody, "
            "they may be removed",
            0 },
          { 0 },
      },
  .run = run,
};
