/* SPDX-License-Identifier: Apache-2.0 */
/* The devices that the process can open: nodes that it has, and what its device cgroup lets through. */
#include "posture/rows.h"

static const char devices[] = "devices";

static char *rule_text(const struct device_rule *r) {
  struct str text = { 0 };
  str_addf(&text, "%c ", r->type);
  if (r->major < 0)
    str_add(&text, "*:");
  else
    str_addf(&text, "%lld:", (long long)r->major);
  if (r->minor < 0)
    str_add(&text, "*");
  else
    str_addf(&text, "%lld", (long long)r->minor);
  str_addf(&text, " %s%s%s", r->access & DEVICE_READ ? "r" : "", r->access & DEVICE_WRITE ? "w" : "",
           r->access & DEVICE_MKNOD ? "m" : "");
  return str_steal(&text);
}

static char *node_text(const struct posture_node *n) {
  return xasprintf("%s (%c %u:%u)", n->path, n->block ? 'b' : 'c', n->major, n->minor);
}

void posture_tell_devices(const struct posture *p) {
  CLEANUP_STRLIST struct strlist nodes = { 0 };
  CLEANUP_STRLIST struct strlist rules = { 0 };
  for (size_t i = 0; i < p->f->nodes_len; i++)
    strlist_add_new(&nodes, node_text(&p->f->nodes[i]));
  posture_list_fact(p, devices, "nodes", &nodes,
                    p->f->places_unread || p->f->nodes_cut ? "nobody looked" : "none below /dev");
  if (!p->f->allowed_known) {
    posture_fact(p, devices, "cgroup",
                 xstrdup("the kernel does not tell (cgroup version 2, or a group that cannot be read)"));
    return;
  }
  for (size_t i = 0; i < p->f->allowed.len; i++)
    strlist_add_new(&rules, rule_text(&p->f->allowed.items[i]));
  posture_list_fact(p, devices, "cgroup", &rules, "allows none");
}

static void add_rules(struct device_rules *to, const struct device_rules *from) {
  for (size_t i = 0; i < from->len; i++) {
    to->items = xrealloc(to->items, to->len + 1, sizeof *to->items);
    to->items[to->len++] = from->items[i];
  }
}

/* runc and crun allow these whatever the config says: nodes may be made (which wants CAP_MKNOD), and, until
 * runc 1.2, /dev/net/tun be opened, of which there is no node. */
static void add_runtimes(struct device_rules *to) {
  static const char *const texts[] = { "c *:* m", "b *:* m", "c 10:200 rwm" };
  for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
    struct device_rule rule;
    if (!device_rule_parse(texts[i], &rule))
      continue;
    const struct device_rules one = { &rule, 1 };
    add_rules(to, &one);
  }
}

static void compare_nodes(const struct posture *p, const struct device_rules *allowed) {
  CLEANUP_STRLIST struct strlist beyond = { 0 };
  for (size_t i = 0; i < p->f->nodes_len; i++) {
    const struct posture_node *n = &p->f->nodes[i];
    const char type = n->block ? 'b' : 'c';
    if (!device_rules_allow(allowed, type, n->major, n->minor, DEVICE_READ) &&
        !device_rules_allow(allowed, type, n->major, n->minor, DEVICE_WRITE))
      strlist_add_new(&beyond, node_text(n));
  }
  if (beyond.len > 0)
    posture_list_deviation(p, devices, POSTURE_NODE, "nodes", &beyond, POSTURE_SHOWN,
                           "the policy does not list ",
                           "do not give it the devices, or let the policy's devices.allow name them");
  if (p->f->nodes_cut)
    posture_deviation(p, devices, POSTURE_UNREAD, "nodes",
                      xstrdup("there is more below /dev than is looked at"),
                      "find /proc/PID/root/dev -type b -o -type c, and find out who makes so many files");
}

void posture_compare_devices(const struct posture *p) {
  if (!posture_wants(p, p->policy->devices.action))
    return;
  CLEANUP_DEVICE_RULES struct device_rules allowed = { 0 };
  device_rules_parse(&p->policy->devices.allow, &allowed);
  if (!p->f->places_unread)
    compare_nodes(p, &allowed);
  if (!p->f->allowed_known)
    return;
  add_runtimes(&allowed);
  CLEANUP_FREE char *example = NULL;
  if (!device_rules_subset(&p->f->allowed, &allowed, &example))
    posture_deviation(p, devices, POSTURE_DEVICE_CGROUP, "cgroup",
                      xasprintf("the device cgroup allows what the policy does not, such as %s", example),
                      "run it without --privileged and --device, or let the policy's devices.allow name it");
}
