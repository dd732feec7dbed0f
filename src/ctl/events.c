/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl events: the event log, filtered; JSON lines as they are, or one short line each for a person */
#include "base/str.h"
#include "ctl/command.h"
#include "ctl/terminal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

struct arguments {
  const char *file;
  const char *container; /* id, or the beginning of one */
  const char *outcome;   /* event.outcome */
  const char *rule;      /* in rule.id or anywhere in the journal */
  const char *policy;
  long last; /* -1: all */
  bool follow, json, pretty;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct arguments *a = state->input;
  char *end;
  switch (key) {
  case 'F':
    a->file = arg;
    return 0;
  case 'c':
    a->container = arg;
    return 0;
  case 'o':
    if (strcmp(arg, "success") != 0 && strcmp(arg, "failure") != 0)
      argp_error(state, "--outcome is success or failure, not '%s'", arg);
    a->outcome = arg;
    return 0;
  case 'R':
    a->rule = arg;
    return 0;
  case 'p':
    a->policy = arg;
    return 0;
  case 'n':
    a->last = strtol(arg, &end, 10);
    if (*end || end == arg || a->last < 0)
      argp_error(state, "--lines takes a number, not '%s'", arg);
    return 0;
  case 'f':
    a->follow = true;
    return 0;
  case 'j':
    a->json = true;
    return 0;
  case ARGP_KEY_ARG:
    argp_usage(state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* A member by its ECS name ("container.id"); "" when absent. */
static const char *text_of(const json_t *event, const char *name) {
  const char *text = json_string_value(json_object_get(event, name));
  return text ? text : "";
}

static const json_t *ours(const json_t *event, const char *name) {
  return json_object_get(json_object_get(event, "oci_harden"), name);
}

static bool wanted(const struct arguments *a, const json_t *event) {
  if (a->container && !str_starts(text_of(event, "container.id"), a->container))
    return false;
  if (a->outcome && strcmp(text_of(event, "event.outcome"), a->outcome) != 0)
    return false;
  if (a->rule && !jsonx_has(json_object_get(event, "rule.id"), a->rule))
    return false;
  return !a->policy || jsonx_has(ours(event, "policy"), a->policy);
}

static void print_pretty(const json_t *event, bool colour) {
  bool failed = strcmp(text_of(event, "event.outcome"), "failure") == 0;
  terminal_print(colour, COLOUR_DIM, "%s ", text_of(event, "@timestamp"));
  terminal_print(colour, failed ? COLOUR_RED : COLOUR_GREEN, "%-7s ", failed ? "refused" : "ok");
  const char *verb = json_string_value(ours(event, "verb"));
  terminal_print(colour, COLOUR_NONE, "%-7s %-14.14s", verb ? verb : "", text_of(event, "container.id"));
  json_t *policy;
  size_t i;
  json_array_foreach(ours(event, "policy"), i, policy)
    terminal_print(colour, COLOUR_NONE, "%s%s", i ? "+" : " ",
                   json_is_string(policy) ? json_string_value(policy) : "?");
  const char *pod = text_of(event, "orchestrator.resource.name");
  if (*pod)
    terminal_print(colour, COLOUR_NONE, " pod=%s/%s", text_of(event, "orchestrator.namespace"), pod);
  size_t entries = json_array_size(ours(event, "journal"));
  if (!failed && entries)
    terminal_print(colour, COLOUR_DIM, " journal=%zu", entries);
  const char *rule = json_string_value(json_array_get(json_object_get(event, "rule.id"), 0));
  if (failed)
    terminal_print(colour, COLOUR_YELLOW, " %s %s", rule ? rule : "", text_of(event, "event.reason"));
  printf("\n");
}

/* A line that is no event is shown as it is, and marked: a log that was tampered with or cut must not look
 * whole. */
static void print_line(const struct arguments *a, const char *line, size_t len, bool colour) {
  const struct jsonx_source src = { "event", line, len };
  struct error err = { 0 };
  json_auto_t *event = NULL;
  if (jsonx_parse(&src, JSONX_LIMIT_DEFAULT, &event, &err) < 0) {
    terminal_print(colour, COLOUR_RED, "unreadable event: %.*s\n", (int)(len < 200 ? len : 200), line);
    return;
  }
  if (!wanted(a, event))
    return;
  if (a->pretty)
    print_pretty(event, colour);
  else
    printf("%.*s\n", (int)(len < INT_MAX ? len : INT_MAX), line);
}

/* How many of the lines to come are to be passed over so that the last `last` wanted ones remain. */
static int count_wanted(const struct arguments *a, FILE *in, long *ret) {
  CLEANUP_FREE char *line = NULL;
  size_t size = 0;
  *ret = 0;
  for (ssize_t n; (n = getline(&line, &size, in)) > 0;) {
    const struct jsonx_source src = { "event", line, (size_t)n };
    struct error ignored = { 0 };
    json_auto_t *event = NULL;
    if (jsonx_parse(&src, JSONX_LIMIT_DEFAULT, &event, &ignored) < 0 || wanted(a, event))
      ++*ret;
  }
  rewind(in);
  return ferror(in) ? -1 : 0;
}

static void print_lines(const struct arguments *a, FILE *in, long skip, bool colour) {
  CLEANUP_FREE char *line = NULL;
  size_t size = 0;
  for (ssize_t n; (n = getline(&line, &size, in)) > 0;) {
    if (line[n - 1] == '\n')
      line[--n] = '\0';
    if (skip > 0) {
      const struct jsonx_source src = { "event", line, (size_t)n };
      struct error ignored = { 0 };
      json_auto_t *event = NULL;
      if (jsonx_parse(&src, JSONX_LIMIT_DEFAULT, &event, &ignored) < 0 || wanted(a, event))
        skip--;
      continue;
    }
    print_line(a, line, (size_t)n, colour);
  }
  clearerr(in);
  fflush(stdout);
}

/* A rotation that copies the log and cuts it: what comes next stands at its beginning. */
static void rewind_if_cut(FILE *in, const struct stat *is) {
  if (is->st_size < ftello(in))
    rewind(in);
}

/* Waits for more, and opens the file anew after it was rotated away. Ends only by a signal or a closed
 * output. */
static int follow(const struct arguments *a, const char *path, FILE **in, bool colour, struct error *err) {
  CLEANUP_FD int watch = inotify_init1(IN_CLOEXEC);
  CLEANUP_FREE char *dir = xstrdup(path);
  char *slash = strrchr(dir, '/');
  if (slash)
    *(slash == dir ? slash + 1 : slash) = '\0';
  if (watch < 0 || inotify_add_watch(watch, path, IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF) < 0 ||
      inotify_add_watch(watch, slash ? dir : ".", IN_CREATE | IN_MOVED_TO) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s: cannot be watched", path);
  for (;;) {
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    if (read(watch, buffer, sizeof buffer) < 0 && errno != EINTR)
      return error_set(err, ERROR_SYSTEM, errno, "%s: cannot be watched", path);
    struct stat old, new;
    if (fstat(fileno(*in), &old) == 0)
      rewind_if_cut(*in, &old);
    print_lines(a, *in, 0, colour);
    if (ferror(stdout))
      return 0;
    if (stat(path, &new) == 0 && fstat(fileno(*in), &old) == 0 &&
        (old.st_ino != new.st_ino || old.st_dev != new.st_dev)) {
      FILE *next = fopen(path, "re");
      if (!next)
        continue;
      fclose(*in);
      *in = next;
      (void)inotify_add_watch(watch, path, IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF);
      print_lines(a, *in, 0, colour);
    }
  }
}

static int run(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct arguments a = { .last = -1 };
  ctl_parse(self, argc, argv, parse, &a);
  CLEANUP_CONFIG struct config config = { 0 };
  if (ctl_load_config(&config, err) < 0)
    return -1;
  const char *path = a.file ? a.file : config.events;
  if (!*path)
    return error_set(err, ERROR_POLICY, 0,
                     "the configuration writes no events (\"events\" is empty); name a file with --file");
  FILE *in = fopen(path, "re");
  if (!in)
    return error_set(err, ERROR_SYSTEM, errno, "%s", path);
  bool colour = terminal_has_colour(stdout);
  a.pretty = !a.json && isatty(STDOUT_FILENO);
  long total = 0;
  int result = a.last < 0 ? 0 : count_wanted(&a, in, &total);
  if (result == 0)
    print_lines(&a, in, a.last < 0 || total < a.last ? 0 : total - a.last, colour);
  if (result == 0 && a.follow)
    result = follow(&a, path, &in, colour, err);
  fclose(in);
  return result < 0 ? -1 : CTL_OK;
}

const struct ctl_command ctl_events = {
  .name = "events",
  .summary = "print the event log, filtered",
  .details = "Prints what the wrapper did and refused. On a terminal each event is one short line; "
             "otherwise, and with --json, the JSON "
             "lines as they were written. With --follow it waits for more, also across log rotation.",
  .options =
      (const struct argp_option[]){
          { "file", 'F', "FILE", 0, "this file instead of the configuration's", 0 },
          { "container", 'c', "ID", 0, "of this container; the beginning of an id will do", 0 },
          { "outcome", 'o', "success|failure", 0, "with this outcome", 0 },
          { "rule", 'R', "ID", 0, "in which this rule decided something, such as OH-CAP-001", 0 },
          { "policy", 'p', "NAME", 0, "under this policy", 0 },
          { "lines", 'n', "N", 0, "the last N only", 0 },
          { "follow", 'f', NULL, 0, "wait for more", 0 },
          { "json", 'j', NULL, 0, "JSON lines on a terminal too", 0 },
          { 0 },
      },
  .run = run,
};
