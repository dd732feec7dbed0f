/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "ctl/apparmor.h"
#include "ctl/install.h"
#include "ctl/terminal.h"
#include "ctl/tool.h"
#include "io/fileio.h"
#include "runtime/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

error_t install_parse(int key, char *arg, struct argp_state *state, struct install_options *o) {
  switch (key) {
  case 'e':
    o->engine = arg;
    return 0;
  case 'R':
    o->root = arg;
    return 0;
  case 'n':
    o->dry_run = true;
    return 0;
  case 'r':
    o->restart = true;
    return 0;
  case ARGP_KEY_ARG:
    argp_usage(state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static int find_engine(const struct install_options *o, const struct engine **ret, struct error *err) {
  CLEANUP_STR struct str names = { 0 };
  *ret = NULL;
  if (!o->engine || strcmp(o->engine, "all") == 0)
    return 0;
  *ret = engine_find(o->engine);
  for (const struct engine *e = engines; e->name; e++)
    str_addf(&names, "%s%s", names.len ? ", " : "", e->name);
  return *ret ? 0
              : error_set(err, ERROR_USAGE, 0, "there is no engine '%s'; there are %s, all", o->engine,
                          names.data);
}

int install_for_each(const struct host *h, const struct install_options *o,
                     int (*each)(const struct host *h, const struct engine *engine, void *arg,
                                 struct error *err),
                     void *arg, struct error *err) {
  const struct engine *one;
  int worst = CTL_OK;
  size_t seen = 0;
  if (find_engine(o, &one, err) < 0)
    return -1;
  if (one)
    return each(h, one, arg, err);
  for (const struct engine *e = engines; e->name; e++) {
    CLEANUP_INSTALLED struct installed unused = { 0 };
    bool there, known;
    if (engine_is_present(h, e, &there, err) < 0 || installed_load(h, e->name, &unused, &known, err) < 0)
      return -1;
    if (!there && !known)
      continue;
    seen++;
    struct error why = { 0 };
    int code = each(h, e, arg, &why);
    if (code < 0 && why.code == ERROR_REFUSED) {
      printf("%s: left out: %s\n", e->name, why.message);
      code = CTL_OK;
    } else if (code < 0) {
      fprintf(stderr, "hardenctl: %s: %s\n", e->name, why.message);
      code = CTL_ERROR;
    }
    worst = code > worst ? code : worst;
  }
  return seen ? worst
              : error_set(err, ERROR_REFUSED, 0, "there is no engine on this host; name one by --engine");
}

int install_config(const struct install_options *o, struct config *ret, struct error *err) {
  CLEANUP_FREE char *path = o->root ? xasprintf("%s" CONFIG_PATH_DEFAULT, o->root) : NULL;
  const char *given = ctl_globals.config_path;
  if (!given && path && access(path, F_OK) == 0)
    given = path;
  if (config_load(given, ret, err) < 0)
    return -1;
  for (char **dir = (char *[]){ ret->policy_dir, ret->state_dir, NULL }; o->root && *dir; dir++) {
    char *moved = xasprintf("%s%s", o->root, *dir);
    char **member = *dir == ret->policy_dir ? &ret->policy_dir : &ret->state_dir;
    free(*member);
    *member = moved;
  }
  return 0;
}

void install_print_plan(const struct plan *p) {
  CLEANUP_STR struct str diff = { 0 };
  const bool colour = terminal_has_colour(stdout);
  text_diff(p->file, p->now.text, p->after, &diff);
  for (const char *line = diff.data ? diff.data : ""; *line;) {
    const size_t n = strcspn(line, "\n");
    const size_t shown = n && line[n - 1] == '\r' ? n - 1 : n; /* of a file with such line ends: as it is */
    terminal_print(colour,
                   *line == '-'   ? COLOUR_RED
                   : *line == '+' ? COLOUR_GREEN
                                  : COLOUR_NONE,
                   "%.*s", (int)shown, line);
    fputs(shown < n ? "\r\n" : "\n", stdout);
    line += n + (line[n] == '\n');
  }
  for (size_t i = 0; i < p->notes.len; i++)
    printf("note: %s: %s\n", p->engine->name, p->notes.items[i]);
}

void install_print_missing(const struct install_options *o) {
  CLEANUP_FREE char *missing = ctl_apparmor_missing(o->root);
  if (missing)
    printf("note: %s\n", missing);
}

/* --- restarting --- */

/* What a unit may take for its stop and start is the unit's own affair: this is for a systemd that does not
 * answer. Its job goes on when we no longer wait. */
enum { SYSTEMCTL_MS = 600000 };

static int systemctl(const char *verb, const char *unit, struct error *err) {
  const char *const argv[] = { "systemctl", verb, unit, NULL };
  const struct tool tool = {
    .argv = argv, .envp = environ, .in = -1, .errors_too = true, .limit_ms = SYSTEMCTL_MS
  };
  CLEANUP_FREE char *said = NULL;
  if (tool_run(&tool, &said, err) < 0)
    return error_wrap(err, "systemctl %s %s failed", verb, unit);
  fputs(said, stdout);
  return 0;
}

/* NULL: it is no program that starts a containerd of its own. */
static const char *starter_of(const char *file) {
  return strstr(file, "/k3s/")    ? "k3s (on an agent: k3s-agent)"
         : strstr(file, "/rke2/") ? "rke2-server (on an agent: rke2-agent)"
                                  : NULL;
}

const char *install_unit(const struct engine *engine, const char *file) {
  const char *starter = engine->reload == RELOAD_RESTART ? starter_of(file) : NULL;
  return starter ? starter : engine->unit;
}

int install_reload(const struct host *h, const struct install_options *o, const struct engine *engine,
                   const char *file, bool removed, struct error *err) {
  static const char *const verbs[] = { [RELOAD_RESTART] = "restart", [RELOAD_SIGNAL] = "reload" };
  if (engine->reload == RELOAD_NONE)
    return 0;
  const char *verb = verbs[removed ? RELOAD_RESTART : engine->reload];
  const char *unit = install_unit(engine, file);
  if (unit != engine->unit) {
    printf("%s: takes effect after%s: systemctl restart %s\n", engine->name,
           o->restart ? " this, which is left to you" : "", unit);
    return 0;
  }
  const bool systemd = h->is_here && access("/run/systemd/system", F_OK) == 0;
  if (o->restart && systemd) {
    printf("%s: systemctl %s %s\n", engine->name, verb, engine->unit);
    (void)fflush(stdout);
    return systemctl(verb, engine->unit, err);
  }
  if (o->restart)
    printf("note: %s: no systemd is running here, so that nothing was restarted\n", engine->name);
  printf("%s: takes effect after: systemctl %s %s\n", engine->name, verb, engine->unit);
  return 0;
}

/* --- who needs it --- */

/* What has a state and no longer a directory of its runtime's is a leftover: `hardenctl gc` is for those. */
static int examine(const struct host *h, int root_fd, const char *name, const char *manager,
                   struct strlist *ret, struct error *err) {
  CLEANUP_STATE struct state state = { 0 };
  CLEANUP_FD int fd = path_open(root_fd, name, O_RDONLY | O_DIRECTORY, 0, RESOLVE_INSIDE);
  bool found, there = true;
  struct stat unused;
  if (fd < 0)
    return 0;
  if (state_load(fd, &state, &found, err) < 0)
    return -1;
  const char *whose = json_string_value(json_object_get(state.annotations, "io.container.manager"));
  if (!found || (manager && (!whose || strcmp(whose, manager) != 0)))
    return 0;
  if (state.root) {
    CLEANUP_FREE char *dir = xasprintf("%s/%s", state.root, state.id);
    if (host_stat(h, dir, &there, &unused, err) < 0)
      return -1;
  }
  if (there)
    strlist_add_new(ret, xasprintf("%s %s", state.root ? state.root : "-", state.id));
  return 0;
}

static DIR *open_at(int dirfd, const char *name) {
  CLEANUP_FD int fd = path_open(dirfd, name, O_RDONLY | O_DIRECTORY, 0, RESOLVE_LEAF);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (dir)
    (void)steal_fd(&fd);
  return dir;
}

/* A user's directory is the user's to fill: that there is a container is all that is asked, and its owner
 * all that is said. */
static int users_need(const struct host *h, struct strlist *ret, struct error *err) {
  CLEANUP_STRLIST struct strlist found = { 0 };
  if (host_glob(h, "/run/user/*/oci-harden/[!.]*/[!.]*/state.json", &found, err) < 0)
    return -1;
  for (size_t i = 0; i < found.len; i++) {
    const char *user = found.items[i] + strlen("/run/user/");
    CLEANUP_FREE char *said = xasprintf("containers of user %.*s", (int)strspn(user, "0123456789"), user);
    strlist_add_once(ret, said);
  }
  return 0;
}

int install_needed_by(const struct host *h, const struct config *config, const char *manager,
                      struct strlist *ret, struct error *err) {
  CLEANUP_DIR DIR *top = open_at(AT_FDCWD, config->state_dir);
  if (!top && errno != ENOENT)
    return error_set(err, ERROR_SYSTEM, errno, "cannot read %s", config->state_dir);
  for (const struct dirent *root; top && (root = readdir(top));) {
    CLEANUP_DIR DIR *dir = *root->d_name == '.' ? NULL : open_at(dirfd(top), root->d_name);
    for (const struct dirent *id; dir && (id = readdir(dir));)
      if (strcmp(id->d_name, ".") != 0 && strcmp(id->d_name, "..") != 0 &&
          examine(h, dirfd(dir), id->d_name, manager, ret, err) < 0)
        return error_wrap(err, "%s/%s/%s", config->state_dir, root->d_name, id->d_name);
  }
  /* What has no root is podman's. */
  return manager && strcmp(manager, "libpod") != 0 ? 0 : users_need(h, ret, err);
}
