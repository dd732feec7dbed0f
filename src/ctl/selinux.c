/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl selinux status: what SELinux does on this node, what it says of the policies' labels, who holds
 * which level */
#include "ctl/selinux.h"

#include "ctl/command.h"
#include "ctl/terminal.h"
#include "lsm/context.h"
#include "runtime/lease.h"

#include <string.h>

enum { POLICIES_MAX = 64 };

/* The policies that the configuration names, each once, and borrowed as the facts want them. */
struct policies {
  struct policy items[POLICIES_MAX];
  const struct policy *borrowed[POLICIES_MAX];
  size_t len;
};

static void policies_free(struct policies *p) {
  for (size_t i = 0; i < p->len; i++)
    policy_free(&p->items[i]);
}

static int add_policy(struct policies *p, const struct config *config, const char *name, struct error *err) {
  for (size_t i = 0; i < p->len; i++)
    if (strcmp(p->items[i].name, name) == 0)
      return 0;
  if (p->len == POLICIES_MAX)
    return 0;
  if (policy_load(config->policy_dir, name, &p->items[p->len], err) < 0)
    return -1;
  p->borrowed[p->len] = &p->items[p->len];
  p->len++;
  return 0;
}

static int add_policies(struct policies *p, const struct config *config, struct error *err) {
  if (add_policy(p, config, config->default_policy, err) < 0)
    return -1;
  for (size_t i = 0; i < config->rules_len; i++)
    if (add_policy(p, config, config->rules[i].policy, err) < 0)
      return -1;
  return 0;
}

int ctl_selinux_look(const struct config *config, struct facts *ret, struct error *err) {
  static const char text[] = "{\"ociVersion\":\"1.0.2\",\"process\":{}}";
  static const struct jsonx_source src = { "nothing", text, sizeof text - 1 };
  __attribute__((cleanup(policies_free))) struct policies policies = { .len = 0 };
  CLEANUP_SPEC struct spec spec = { 0 };
  CLEANUP_FACTS struct facts f = { 0 };
  const struct facts_selinux how = { .runtime = config->runtimes_len ? config->runtimes[0].path : NULL };
  if (add_policies(&policies, config, err) < 0 ||
      spec_parse(&spec, SPEC_CONFIG, &src, JSONX_LIMIT_DEFAULT, err) < 0 ||
      facts_probe_selinux(&f, &spec, policies.borrowed, policies.len, &how, err) < 0)
    return -1;
  *ret = f;
  f = (struct facts){ 0 };
  return 0;
}

static bool is_process(const struct selinux_fact *l) {
  return strstr(l->context, ":" SELINUX_ROLE ":") != NULL;
}

const char *ctl_selinux_fault(const struct selinux_fact *l) {
  if (!l->canonical)
    return "the loaded policy does not know it";
  if (!is_process(l))
    return NULL;
  if (l->permissive)
    return "its type is permissive";
  if (!l->transition)
    return "the runtime may not start a process with it";
  return l->nnp_transition ? NULL : "the kernel does not give it under no_new_privs";
}

/* "system_u:system_r:container_t": the level is a sample. The caller frees. */
static char *without_level(const char *context) {
  CLEANUP_SELINUX_CONTEXT struct selinux_context c;
  return selinux_context_parse(&c, context) ? xasprintf("%s:%s:%s", c.user, c.role, c.type)
                                            : xstrdup(context);
}

static char *level_of(uint64_t number) {
  return number < SELINUX_PAIRS ? selinux_level_of_pair(number)
                                : xasprintf("%llu", (unsigned long long)number);
}

static void add_lease(const struct lease_record *r, void *arg) {
  if (strcmp(r->kind, "mcs") != 0)
    return;
  json_t *lease = json_object();
  CLEANUP_FREE char *level = level_of(r->number);
  jsonx_set_new(lease, "level", jsonx_string_new(level));
  jsonx_set_new(lease, "root", jsonx_string_new(r->root));
  jsonx_set_new(lease, "id", jsonx_string_new(r->id));
  jsonx_set_new(lease, "stale", json_boolean(r->stale));
  jsonx_append_new(arg, lease);
}

static json_t *describe_labels(const struct facts *f) {
  json_t *labels = json_array();
  for (size_t i = 0; i < f->selinux.labels_len; i++) {
    const struct selinux_fact *l = &f->selinux.labels[i];
    const char *fault = ctl_selinux_fault(l);
    CLEANUP_FREE char *context = without_level(l->context);
    json_t *label = json_object();
    jsonx_set_new(label, "context", jsonx_string_new(context));
    jsonx_set_new(label, "usable", json_boolean(!fault));
    if (fault)
      jsonx_set_new(label, "why", jsonx_string_new(fault));
    jsonx_append_new(labels, label);
  }
  return labels;
}

static void print_text(const json_t *answer, bool colour) {
  size_t i;
  json_t *item;
  terminal_print(colour, COLOUR_NONE, "SELinux: %s\n", json_string_value(json_object_get(answer, "state")));
  if (json_is_false(json_object_get(answer, "config")))
    terminal_print(colour, COLOUR_YELLOW, "no /etc/selinux/config: engines take SELinux for off\n");
  json_array_foreach(json_object_get(answer, "labels"), i, item) {
    const char *why = json_string_value(json_object_get(item, "why"));
    terminal_print(colour, why ? COLOUR_YELLOW : COLOUR_NONE, "label %s: %s\n",
                   json_string_value(json_object_get(item, "context")), why ? why : "usable");
  }
  json_array_foreach(json_object_get(answer, "leases"), i, item) {
    terminal_print(
        colour, COLOUR_NONE, "level %s: %s of %s%s\n", json_string_value(json_object_get(item, "level")),
        json_string_value(json_object_get(item, "id")), json_string_value(json_object_get(item, "root")),
        json_is_true(json_object_get(item, "stale")) ? ", which is gone: hardenctl gc" : "");
  }
}

static bool is_fine(const struct facts *f) {
  if (f->selinux.state == SELINUX_ABSENT || f->selinux.state == SELINUX_UNKNOWN)
    return true;
  for (size_t i = 0; i < f->selinux.labels_len; i++)
    if (ctl_selinux_fault(&f->selinux.labels[i]))
      return false;
  return f->selinux.state == SELINUX_ENFORCING && !f->selinux.config_missing;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  (void)arg;
  switch (key) {
  case 'j':
    *(bool *)state->input = true;
    return 0;
  case ARGP_KEY_ARG:
    argp_usage(state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static int run(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  bool json = false;
  ctl_parse(self, argc, argv, parse, &json);
  CLEANUP_CONFIG struct config config = { 0 };
  CLEANUP_FACTS struct facts f = { 0 };
  json_auto_t *answer = json_object();
  json_t *leases = json_array();
  jsonx_set_new(answer, "leases", leases);
  if (ctl_load_config(&config, err) < 0 || ctl_selinux_look(&config, &f, err) < 0 ||
      lease_scan(config.state_dir, false, add_lease, leases, err) < 0)
    return -1;
  jsonx_set_new(answer, "state", jsonx_string_new(selinux_state_names[f.selinux.state]));
  jsonx_set_new(answer, "labels", describe_labels(&f));
  if (f.selinux.state >= SELINUX_NO_POLICY)
    jsonx_set_new(answer, "config", json_boolean(!f.selinux.config_missing));
  if (json) {
    CLEANUP_STR struct str out = { 0 };
    jsonx_dump(answer, &out);
    printf("%s\n", out.data);
  } else {
    print_text(answer, terminal_has_colour(stdout));
  }
  return is_fine(&f) ? CTL_OK : CTL_FINDINGS;
}

const struct ctl_command ctl_selinux_status = {
  .name = "selinux status",
  .summary = "what SELinux does on this node, and which container has which level",
  .details = "Prints whether the kernel enforces SELinux, whether the labels that the configured policies "
             "give can be "
             "had from the loaded SELinux policy, and the pairs of categories that containers hold. "
             "unknown: no policy of the configuration looks at SELinux. Exit status 1 when SELinux is "
             "switched on and "
             "does not enforce, or a label cannot be had; for a container to have one see selinux.md.",
  .options =
      (const struct argp_option[]){
          { "json", 'j', NULL, 0, "one JSON object", 0 },
          { 0 },
      },
  .run = run,
};
