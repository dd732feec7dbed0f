/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl gc: removes what containers that are gone left below the state directory */
#include "ctl/command.h"
#include "ctl/terminal.h"
#include "io/jsonx.h"
#include "runtime/leftover.h"

struct gc {
  bool dry_run, json, colour;
  size_t unknown;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct gc *g = state->input;
  (void)arg;
  switch (key) {
  case 'n':
    g->dry_run = true;
    return 0;
  case 'j':
    g->json = true;
    return 0;
  case ARGP_KEY_ARG:
    argp_usage(state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static void print(const struct leftover *l, void *arg) {
  static const char *const kinds[] = { "container", "file", "directory", "lease", "unknown" };
  struct gc *g = arg;
  const bool unknown = l->kind == LEFTOVER_UNKNOWN;
  g->unknown += unknown;
  const char *done = unknown ? "kept" : g->dry_run ? "would remove" : "removed";
  if (!g->json) {
    terminal_print(g->colour, unknown ? COLOUR_YELLOW : COLOUR_NONE, "%s %s %s%s%s\n", done, kinds[l->kind],
                   l->path, l->why ? ": " : "", l->why ? l->why : "");
    return;
  }
  json_auto_t *line = json_object();
  jsonx_set_new(line, "action", jsonx_string_new(done));
  jsonx_set_new(line, "kind", jsonx_string_new(kinds[l->kind]));
  jsonx_set_new(line, "path", jsonx_string_new(l->path));
  if (l->why)
    jsonx_set_new(line, "why", jsonx_string_new(l->why));
  CLEANUP_STR struct str out = { 0 };
  jsonx_dump(line, &out);
  printf("%s\n", out.data);
}

static int run(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct gc g = { 0 };
  ctl_parse(self, argc, argv, parse, &g);
  g.colour = !g.json && terminal_has_colour(stdout);
  CLEANUP_CONFIG struct config config = { 0 };
  if (ctl_load_config(&config, err) < 0 || leftover_scan(config.state_dir, !g.dry_run, print, &g, err) < 0)
    return -1;
  return g.unknown ? CTL_FINDINGS : CTL_OK;
}

const struct ctl_command ctl_gc = {
  .name = "gc",
  .summary = "remove what containers that are gone left behind",
  .details =
      "Looks through the state directory and removes, a line for each: the state of containers that "
      "their runtime no longer knows, private copies for processes that are gone, empty directories, and "
      "numbers "
      "(SELinux category pairs) that containers which are gone still hold. "
      "What another process is using is left alone, and so is what cannot be read or is not ours alone: it "
      "is printed, and the exit status is 1. The wrapper's own delete leaves nothing; this is for what was "
      "killed, or deleted behind its back.",
  .options =
      (const struct argp_option[]){
          { "dry-run", 'n', NULL, 0, "print, but remove nothing", 0 },
          { "json", 'j', NULL, 0, "one JSON object a line", 0 },
          { 0 },
      },
  .run = run,
};
