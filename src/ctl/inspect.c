/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl inspect: what a running container can do, by what the kernel says, whoever started it. */
#include "ctl/inspect.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "ctl/command.h"
#include "ctl/terminal.h"
#include "posture/posture.h"

#include <errno.h>
#include <string.h>

enum { POLICIES_MAX = STATE_POLICIES_MAX, STAT_LIMIT = 4096, KERNEL_THREAD = 0x200000 };

struct arguments {
  const char *name;
  const char *root;
  const char *policies[POLICIES_MAX];
  size_t policies_len;
  bool json, quiet, no_filters;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct arguments *a = state->input;
  switch (key) {
  case 'p':
    if (a->policies_len == POLICIES_MAX)
      argp_error(state, "--policy may be given at most %d times", POLICIES_MAX);
    a->policies[a->policies_len++] = arg;
    return 0;
  case 'r':
    a->root = arg;
    return 0;
  case 'F':
    a->no_filters = true;
    return 0;
  case 'j':
    a->json = true;
    return 0;
  case 'q':
    a->quiet = true;
    return 0;
  case ARGP_KEY_ARG:
    if (a->name)
      argp_usage(state);
    a->name = arg;
    return 0;
  case ARGP_KEY_NO_ARGS:
    argp_usage(state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* Everything that is printed. */
struct inspection {
  struct subject subject;
  struct promise promise;
  struct proof_view view; /* but for its `kernel` only where there is a promise */
  struct posture_facts facts;
  struct policy policies[POLICIES_MAX];
  size_t policies_len;
  struct posture_rows told;
  struct posture_rows found[POLICIES_MAX]; /* by each policy */
  struct posture_rows broken;              /* promises */
};

static void inspection_init(struct inspection *in) {
  *in = (struct inspection){ 0 };
  kernel_view_init(&in->view.kernel);
  for (size_t h = 0; h < POSTURE_HOSTS; h++)
    kernel_view_init(&in->facts.hosts[h]);
}

static void inspection_free(struct inspection *in) {
  promise_free(&in->promise);
  subject_free(&in->subject);
  proof_view_free(&in->view);
  posture_rows_free(&in->broken);
  posture_facts_free(&in->facts);
  posture_rows_free(&in->told);
  for (size_t i = 0; i < POLICIES_MAX; i++) {
    policy_free(&in->policies[i]);
    posture_rows_free(&in->found[i]);
  }
}
#define CLEANUP_INSPECTION CLEANUP(inspection_free)

/* --- the policies --- */

/* Those that were named; else those of the container's state, as they were applied to it; else what the rules
 * give to a container of its root. */
static int load_policies(struct inspection *in, const struct arguments *a, const struct config *config,
                         struct error *err) {
  const struct state *state = &in->subject.state;
  for (; in->policies_len < a->policies_len; in->policies_len++)
    if (ctl_load_policy(config, a->policies[in->policies_len], &in->policies[in->policies_len], err) < 0)
      return -1;
  for (; !a->policies_len && in->policies_len < state->policies_len; in->policies_len++)
    policy_copy(&in->policies[in->policies_len], &state->policies[in->policies_len]);
  if (in->policies_len)
    return 0;
  const struct selection selection = { .root = in->subject.root, .name = "oci-harden" };
  CLEANUP_FREE char *policy = NULL;
  CLEANUP_FREE char *extra = NULL;
  if (config_select(config, &selection, &policy, &extra, err) < 0)
    return -1;
  in->policies_len = 1;
  return ctl_load_policy(config, policy, &in->policies[0], err);
}

/* --- looking --- */

static bool is_kernel_thread(const struct kernel_process *p) {
  CLEANUP_FREE char *text = NULL;
  size_t len;
  unsigned flags = 0;
  struct error ignored = { 0 };
  if (kernel_process_text(p, "stat", STAT_LIMIT, &text, &len, &ignored) < 0)
    return false;
  /* The flags are the 9th field; the 2nd, a name in parentheses, may hold anything. */
  const char *rest = strrchr(text, ')');
  return rest && sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1 && (flags & KERNEL_THREAD);
}

static bool is_closed_to_us(const struct kernel_view *v) {
  const int why = v->unread_errno[KERNEL_ROOT];
  return v->unread[KERNEL_ROOT] && v->unread[KERNEL_NAMESPACE] && (why == EACCES || why == EPERM);
}

/* One look for both comparisons, where both are made. */
static int read_view(struct inspection *in, unsigned without, struct error *err) {
  const struct subject *s = &in->subject;
  proof_view_free(&in->view);
  if (in->promise.config && !without)
    return proof_read(&in->view, &in->promise.promise, s->pid, s->start, err);
  return kernel_view_read(&in->view.kernel, s->pid, s->start, KERNEL_ALL & ~without, err);
}

static int look(struct inspection *in, unsigned without, struct error *err) {
  const struct subject *s = &in->subject;
  const struct kernel_view *v = &in->view.kernel;
  const struct policy *policies[POLICIES_MAX];
  if (s->pid == getpid())
    return error_set(err, ERROR_USAGE, 0, "process %d is hardenctl itself", (int)s->pid);
  if (read_view(in, without, err) < 0)
    return err->sys == ESRCH ? error_set(err, ERROR_USAGE, 0, "there is no process %d", (int)s->pid) : -1;
  if (is_kernel_thread(&v->process))
    return error_set(err, ERROR_USAGE, 0, "process %d is a thread of the kernel: nothing confines it",
                     (int)s->pid);
  if (is_closed_to_us(v))
    return error_set(err, ERROR_USAGE, 0,
                     "the kernel does not let us look at process %d (%s); look as root, on the host",
                     (int)s->pid, v->unread[KERNEL_ROOT]);
  for (size_t i = 0; i < in->policies_len; i++)
    policies[i] = &in->policies[i];
  posture_facts_free(&in->facts);
  posture_look(&in->facts, v, policies, in->policies_len);
  in->facts.created = s->created;
  in->facts.sandbox = s->state.sandbox;
  return 0;
}

static int judge(struct inspection *in, unsigned without, struct error *err) {
  posture_tell(&in->view.kernel, &in->facts, without, &in->told);
  for (size_t i = 0; i < in->policies_len; i++) {
    CLEANUP_SECCOMP_PROGRAM struct seccomp_program filter = { 0 };
    if (posture_filter(&in->policies[i], &filter, err) < 0)
      return error_wrap(err, "policy %s", in->policies[i].name);
    posture_compare(&in->view.kernel, &in->facts, &in->policies[i], &filter, without, &in->found[i]);
  }
  promise_tell_map(&in->subject.state, &in->told);
  if (in->promise.config && !without)
    promise_compare(&in->promise, &in->view, &in->told, &in->broken);
  else if (in->subject.has_state)
    posture_rows_add(&in->told, "promises", NULL, "not compared",
                     without ? "filters are not to be read" : in->promise.why_not, NULL);
  return 0;
}

/* --- printing --- */

static size_t count(const struct inspection *in) {
  size_t n = in->broken.len;
  for (size_t i = 0; i < in->policies_len; i++)
    n += in->found[i].len;
  return n;
}

static bool in_no_container(const struct inspection *in) {
  return in->facts.root_is_host;
}

static void print_head(const struct inspection *in, bool colour) {
  const struct subject *s = &in->subject;
  struct str policies = { 0 };
  for (size_t i = 0; i < in->policies_len; i++)
    str_addf(&policies, "%s%s", i ? "+" : "", in->policies[i].name);
  if (s->id) {
    terminal_print(colour, COLOUR_BOLD, "%s", s->id);
    terminal_print(colour, COLOUR_NONE, " in %s, pid %d%s%s", s->root, (int)s->pid,
                   s->created ? ", not started yet" : "", s->has_state ? "" : ", not made by oci-harden");
  } else {
    terminal_print(colour, COLOUR_BOLD, "pid %d", (int)s->pid);
    terminal_print(colour, COLOUR_NONE, "%s", in_no_container(in) ? ", in no container" : "");
  }
  const size_t found = count(in);
  terminal_print(colour, found ? COLOUR_NONE : COLOUR_GREEN, ": policy %s: %zu finding%s\n", policies.data,
                 found, found == 1 ? "" : "s");
  str_free(&policies);
}

static void print_findings(const struct posture_rows *rows, bool colour) {
  for (size_t i = 0; i < rows->len; i++) {
    const struct posture_row *row = &rows->items[i];
    terminal_print(colour, COLOUR_YELLOW, "finding ");
    terminal_print(colour, COLOUR_NONE, "%s %s: %s: %s\n", row->rule, row->control, row->what, row->value);
    terminal_print(colour, COLOUR_DIM, "        remedy: %s\n", row->remedy);
  }
}

static void print_text(const struct inspection *in, const struct arguments *a) {
  const bool colour = terminal_has_colour(stdout);
  print_head(in, colour);
  for (size_t i = 0; !a->quiet && i < in->told.len; i++) {
    const struct posture_row *row = &in->told.items[i];
    const bool again = i > 0 && strcmp(in->told.items[i - 1].control, row->control) == 0;
    terminal_print(colour, COLOUR_DIM, "  %-18s", again ? "" : row->control);
    terminal_print(colour, COLOUR_NONE, " %s: %s\n", row->what, row->value);
  }
  for (size_t p = 0; p < in->policies_len; p++)
    print_findings(&in->found[p], colour);
  print_findings(&in->broken, colour);
}

static json_t *encode_row(const struct posture_row *row, const char *policy) {
  json_t *object = json_object();
  if (row->rule)
    jsonx_set_new(object, "rule", jsonx_string_new(row->rule));
  jsonx_set_new(object, "control", jsonx_string_new(row->control));
  jsonx_set_new(object, "what", jsonx_string_new(row->what));
  jsonx_set_new(object, "value", jsonx_string_new(row->value));
  if (policy)
    jsonx_set_new(object, "policy", jsonx_string_new(policy));
  if (row->remedy)
    jsonx_set_new(object, "remedy", jsonx_string_new(row->remedy));
  if (row->items.len) {
    json_t *items = json_array();
    for (size_t i = 0; i < row->items.len; i++)
      jsonx_append_new(items, jsonx_string_new(row->items.items[i]));
    jsonx_set_new(object, "items", items);
  }
  return object;
}

static void add_rows(json_t *to, const struct posture_rows *rows, const char *policy) {
  for (size_t i = 0; i < rows->len; i++)
    jsonx_append_new(to, encode_row(&rows->items[i], policy));
}

static void print_json(const struct inspection *in) {
  const struct subject *s = &in->subject;
  json_auto_t *line = json_object();
  if (s->id) {
    jsonx_set_new(line, "container", jsonx_string_new(s->id));
    jsonx_set_new(line, "root", jsonx_string_new(s->root));
    jsonx_set_new(line, "hardened", json_boolean(s->has_state));
    jsonx_set_new(line, "created", json_boolean(s->created));
  }
  if (s->bundle)
    jsonx_set_new(line, "bundle", jsonx_string_new(s->bundle));
  jsonx_set_new(line, "pid", json_integer(s->pid));
  jsonx_set_new(line, "result", jsonx_string_new(count(in) ? "findings" : "pass"));
  json_t *names = json_array();
  json_t *found = json_array();
  for (size_t p = 0; p < in->policies_len; p++) {
    jsonx_append_new(names, jsonx_string_new(in->policies[p].name));
    add_rows(found, &in->found[p], in->policies[p].name);
  }
  add_rows(found, &in->broken, NULL);
  json_t *told = json_array();
  add_rows(told, &in->told, NULL);
  jsonx_set_new(line, "policies", names);
  jsonx_set_new(line, "findings", found);
  jsonx_set_new(line, "posture", told);
  CLEANUP_STR struct str text = { 0 };
  jsonx_dump(line, &text);
  printf("%s\n", text.data);
}

static int run(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct arguments a = { 0 };
  ctl_parse(self, argc, argv, parse, &a);
  CLEANUP_CONFIG struct config config = { 0 };
  CLEANUP_INSPECTION struct inspection in;
  inspection_init(&in);
  const unsigned without = a.no_filters ? KERNEL_PART(KERNEL_FILTERS) : 0;
  if (ctl_load_config(&config, err) < 0 || subject_find(&in.subject, a.name, a.root, &config, err) < 0)
    return -1;
  promise_load(&in.promise, &in.subject, (size_t)config.config_limit);
  if (load_policies(&in, &a, &config, err) < 0 || look(&in, without, err) < 0 || judge(&in, without, err) < 0)
    return -1;
  if (a.json)
    print_json(&in);
  else
    print_text(&in, &a);
  return count(&in) ? CTL_FINDINGS : CTL_OK;
}

const struct ctl_command ctl_inspect = {
  .name = "inspect",
  .args = "ID|ROOT/ID|PID",
  .summary = "tell what a running container can do, and where that goes beyond a policy",
  .details =
      "Reads from the kernel what the first process of a container, or any process, can do: "
      "capabilities, the system calls that pass its seccomp filters, paths of the host that it has, "
      "devices, masks, namespaces, limits. Nobody need have hardened it. Then compares that with a policy, "
      "and prints each deviation with its rule and a remedy; of a container that oci-harden made, also what "
      "was promised of it and no longer holds. An ID is a container's, or the beginning of one; it is "
      "looked for in the roots that our own state tells of and in those that runc, crun, containerd and "
      "docker use. A number of up to seven digits is a PID. The policies are those of --policy, else those "
      "that the container's state says it was made with, else the one that the configuration gives to its "
      "root. To read the filters the process is stopped for some microseconds, and gets no signal; "
      "--no-filters leaves that out, and the promises with it. Limits are those of the process's own "
      "cgroup: one above it may hold less. What the device cgroup allows the kernel shows on version 1 "
      "only. Before its start a container is its runtime's own process, on which crun has not installed "
      "the filter yet. Exit status 0: no deviation; 1: findings; 2: nobody could be looked at.",
  .options =
      (const struct argp_option[]){
          { "policy", 'p', "NAME|FILE", 0, "compare with this policy; given twice, with both", 0 },
          { "root", 'r', "DIR", 0, "look for the ID in this root of a runtime only", 0 },
          { "no-filters", 'F', NULL, 0, "do not stop the process to read its seccomp filters", 0 },
          { "json", 'j', NULL, 0, "print one JSON object, with the names of what the text counts", 0 },
          { "quiet", 'q', NULL, 0, "findings only", 0 },
          { 0 },
      },
  .run = run,
};
