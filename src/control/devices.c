/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices: the cgroup's rules are cut down to what the policy lists, nodes that are not on the list are not
 * made. The few that every runtime allows and makes by itself (null, zero, full, random, urandom, tty, ptmx,
 * pts) are not ours to take away: runc appends them behind the config's rules.
 */
#include "control/common.h"
#include "control/device_rules.h"
#include "io/path.h"

#include <string.h>
#include <sys/stat.h>

enum devices_rule {
  RULE_CGROUP,
  RULE_NODE,
  RULE_UNREADABLE,
  RULE_PLACE,
  RULE_BOUND,
  RULE_KIND,
  RULE_CONSOLE
};

const struct control_rule devices_rules[] = {
  [RULE_CGROUP] = { "OH-DEV-001", "the device cgroup allows only what the policy lists" },
  [RULE_NODE] = { "OH-DEV-002", "only nodes that the policy lists are made" },
  [RULE_UNREADABLE] = { "OH-DEV-003", "the device cgroup's rules are few and can be read" },
  [RULE_PLACE] = { "OH-DEV-004", "a node's path is plain, and one of a well-known name is that device" },
  [RULE_BOUND] = { "OH-DEV-005",
                   "in a user namespace, where runtimes bind what the host has by a node's path, "
                   "that is the node's device" },
  [RULE_KIND] = { "OH-DEV-006",
                  "a node's type is one that every runtime knows, and its mode is of that type" },
  [RULE_CONSOLE] = { "OH-DEV-007", "no node is the host's console; a container's own is a terminal that the "
                                   "runtime makes" },
  { NULL, NULL },
};

static const char rules_pointer[] = "/linux/resources/devices";
static const char nodes_pointer[] = "/linux/devices";

/* Where the last rule that forbids everything stands; what is before it decides nothing. */
static bool last_denial(const struct device_rules *rules, size_t *ret) {
  for (size_t i = rules->len; i-- > 0;)
    if (!rules->items[i].allow && device_rule_is_whole(&rules->items[i])) {
      *ret = i;
      return true;
    }
  return false;
}

/* runc takes this for every device, crun for those of the numbers. */
static bool ambiguous(const struct device_rule *rule) {
  return rule->allow && rule->type == 'a' && !device_rule_is_whole(rule);
}

static bool rules_fine(const struct device_rules *rules, const struct device_rules *allowed) {
  size_t start;
  if (!last_denial(rules, &start))
    return false;
  for (size_t i = start; i < rules->len; i++)
    if (rules->items[i].allow &&
        (ambiguous(&rules->items[i]) || !device_rule_inside(&rules->items[i], allowed)))
      return false;
  return true;
}

static void append_rule(json_t *out, const struct device_rule *rule) {
  if (ambiguous(rule)) {
    struct device_rule one = *rule;
    for (const char *type = "bc"; *type; type++) {
      one.type = *type;
      append_rule(out, &one);
    }
    return;
  }
  json_auto_t *object = device_rule_encode(rule);
  size_t len = json_array_size(out);
  if (len == 0 || !json_equal(json_array_get(out, len - 1), object))
    jsonx_append_new(out, json_incref(object));
}

/* Everything is forbidden, then each rule in its order: an allowance as far as the policy goes with it, a
 * denial as it was. So the result is exactly what both allow. */
static json_t *cut_down(const struct device_rules *rules, const struct device_rules *allowed) {
  static const struct device_rule none = { .type = 'a', .major = -1, .minor = -1, .access = DEVICE_ALL };
  json_t *out = json_array();
  if (!out)
    die_out_of_memory();
  append_rule(out, &none);
  size_t start = 0;
  if (last_denial(rules, &start))
    start++;
  for (size_t i = start; i < rules->len; i++) {
    const struct device_rule *rule = &rules->items[i];
    struct device_rule both;
    if (!rule->allow)
      append_rule(out, device_rule_denies_all(rule) ? &none : rule);
    for (size_t k = 0; rule->allow && k < allowed->len; k++)
      if (device_rule_meet(rule, &allowed->items[k], &both))
        append_rule(out, &both);
  }
  return out;
}

static int harden_rules(struct spec *spec, const struct device_rules *allowed, struct error *err) {
  CLEANUP_DEVICE_RULES struct device_rules rules = { 0 };
  if (device_rules_read(spec_at(spec, rules_pointer), DEVICE_RULES_MAX, &rules)) {
    CLEANUP_FREE char *text = xasprintf(
        "the rules cannot be read: each needs a type of a, b or c, numbers and an access of r, w and m, "
        "and there may be %d",
        DEVICE_RULES_MAX);
    return spec_refuse(spec, rules_pointer, (struct reason){ devices_rules[RULE_UNREADABLE].id, text }, err);
  }
  if (rules_fine(&rules, allowed))
    return 0;
  return spec_set(spec, rules_pointer, cut_down(&rules, allowed),
                  (struct reason){ devices_rules[RULE_CGROUP].id,
                                   "only the devices of devices.allow may be opened or made" },
                  err);
}

/* The type bits of the node's mode; 0: of no type that there is. */
static mode_t node_kind(const json_t *node) {
  const char *type = json_string_value(json_object_get(node, "type"));
  if (!type || strlen(type) != 1)
    return 0;
  return *type == 'b' ? S_IFBLK : *type == 'p' ? S_IFIFO : *type == 'c' || *type == 'u' ? S_IFCHR : 0;
}

/* NULL: fine. crun goes by the type's first letter, and puts its bits beside those of the mode: with 040000 a
 * character device is the block device of the same numbers. */
static const char *kind_wrong(const json_t *node) {
  const mode_t kind = node_kind(node);
  const json_int_t mode = json_integer_value(json_object_get(node, "fileMode"));
  if (!kind)
    return "the node's type is none of b, c, u and p";
  const json_int_t said = mode & ~(json_int_t)07777; /* podman repeats the type */
  return said == 0 || said == (json_int_t)kind ? NULL : "the node's fileMode makes it a node of another type";
}

/* The device that a node is, as a rule for any access. False: a FIFO, which is no device. */
static bool node_device(const json_t *node, struct device_rule *ret) {
  const char *type = json_string_value(json_object_get(node, "type"));
  if (type && strcmp(type, "p") == 0)
    return false;
  *ret = (struct device_rule){ .allow = true,
                               .type = type && strcmp(type, "b") == 0 ? 'b' : 'c',
                               .major = json_integer_value(json_object_get(node, "major")),
                               .minor = json_integer_value(json_object_get(node, "minor")) };
  return true;
}

static bool node_allowed(const json_t *node, const struct device_rules *allowed) {
  struct device_rule device;
  if (!node_device(node, &device))
    return true;
  return device_rules_allow(allowed, device.type, device.major, device.minor, DEVICE_READ) ||
         device_rules_allow(allowed, device.type, device.major, device.minor, DEVICE_WRITE);
}

/* What a runtime makes by these names, and binds elsewhere: a masked path is /dev/null. */
static const struct {
  const char *path;
  int64_t major, minor;
} well_known[] = {
  { "/dev/null", 1, 3 },    { "/dev/zero", 1, 5 }, { "/dev/full", 1, 7 },    { "/dev/random", 1, 8 },
  { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },  { "/dev/console", 5, 1 }, { "/dev/ptmx", 5, 2 },
};

/* NULL: fine. */
static const char *place_wrong(const json_t *node) {
  const char *path = json_string_value(json_object_get(node, "path"));
  struct device_rule device;
  if (!path || !path_is_clean(path))
    return "the node's path is not absolute and plain";
  bool is_device = node_device(node, &device);
  for (size_t i = 0; i < ARRAY_SIZE(well_known); i++)
    if (strcmp(well_known[i].path, path) == 0 &&
        !(is_device && device.type == 'c' && device.major == well_known[i].major &&
          device.minor == well_known[i].minor))
      return "the node has a well-known name and is another device";
  return NULL;
}

/* Its numbers are in the lists because runtimes allow every container to open it. */
static bool is_console(const json_t *node) {
  struct device_rule device;
  return node_device(node, &device) && device.type == 'c' && device.major == 5 && device.minor == 1;
}

struct wrong {
  enum devices_rule rule;
  const char *member, *text; /* no text: fine */
};

static struct wrong node_wrong(const json_t *node, const struct facts *facts) {
  const char *path = json_string_value(json_object_get(node, "path"));
  struct wrong wrong = { RULE_KIND, node_kind(node) ? "fileMode" : "type", kind_wrong(node) };
  if (!wrong.text)
    wrong = (struct wrong){ RULE_PLACE, "path", place_wrong(node) };
  if (!wrong.text && is_console(node))
    wrong = (struct wrong){ RULE_CONSOLE, "minor",
                            "this device is the host's console; leave it out, and ask for a terminal" };
  if (!wrong.text && strlist_has(&facts->bad_device_paths, path))
    wrong =
        (struct wrong){ RULE_BOUND, "path",
                        "in a user namespace runtimes bind what the host has by the node's path, which is "
                        "not this device; give it the path below /dev that it has on the host" };
  return wrong;
}

static int harden_nodes(struct spec *spec, const struct device_rules *allowed, const struct facts *facts,
                        struct error *err) {
  const json_t *nodes = spec_at(spec, nodes_pointer);
  json_auto_t *kept = json_array();
  if (!kept)
    die_out_of_memory();
  const char *first = NULL;
  for (size_t i = 0; i < json_array_size(nodes); i++) {
    json_t *node = json_array_get(nodes, i);
    if (!node_allowed(node, allowed)) {
      const char *path = json_string_value(json_object_get(node, "path"));
      first = first ? first : path ? path : "?";
      continue;
    }
    const struct wrong wrong = node_wrong(node, facts);
    CLEANUP_FREE char *pointer = xasprintf("%s/%zu/%s", nodes_pointer, i, wrong.member);
    if (wrong.text &&
        spec_refuse(spec, pointer, (struct reason){ devices_rules[wrong.rule].id, wrong.text }, err))
      return -1;
    jsonx_append_new(kept, json_incref(node));
  }
  if (!first)
    return 0;
  size_t removed = json_array_size(nodes) - json_array_size(kept);
  CLEANUP_FREE char *text =
      removed == 1 ? xasprintf("the device %s is not one of devices.allow", first)
                   : xasprintf("the device %s and %zu more are not in devices.allow", first, removed - 1);
  struct reason why = { devices_rules[RULE_NODE].id, text };
  if (json_array_size(kept) == 0)
    return spec_remove(spec, nodes_pointer, why, err);
  return spec_set(spec, nodes_pointer, json_incref(kept), why, err);
}

int devices_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                  struct error *err) {
  CLEANUP_DEVICE_RULES struct device_rules allowed;
  device_rules_parse(&policy->devices.allow, &allowed);
  if (harden_rules(spec, &allowed, err))
    return -1;
  return harden_nodes(spec, &allowed, facts, err);
}

int devices_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                   const struct facts *facts, struct error *err) {
  (void)kind;
  CLEANUP_DEVICE_RULES struct device_rules allowed, rules = { 0 };
  device_rules_parse(&policy->devices.allow, &allowed);
  const json_t *list = control_at(after, rules_pointer);
  size_t denial;
  if (device_rules_read(list, SIZE_MAX, &rules) || !last_denial(&rules, &denial))
    return control_broken(err, rules_pointer, "nothing forbids every device first");
  for (size_t i = denial; i < rules.len; i++)
    if (ambiguous(&rules.items[i]))
      return control_broken(err, rules_pointer, "runtimes differ in what rule %zu allows", i);
  CLEANUP_FREE char *example = NULL;
  if (!device_rules_subset(&rules, &allowed, &example))
    return control_broken(err, rules_pointer, "\"%s\" is allowed", example);
  const json_t *nodes = control_at(after, nodes_pointer);
  for (size_t i = 0; i < json_array_size(nodes); i++) {
    const json_t *node = json_array_get(nodes, i);
    if (!node_allowed(node, &allowed) || node_wrong(node, facts).text)
      return control_broken(err, nodes_pointer, "node %zu is not to be made", i);
  }
  return 0;
}

int devices_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                       const struct facts *facts, struct error *err) {
  (void)kind, (void)facts;
  const json_t *b = control_at(before, rules_pointer), *a = control_at(after, rules_pointer);
  if (b != a && !(a && b && json_equal(b, a))) {
    CLEANUP_DEVICE_RULES struct device_rules was = { 0 }, is = { 0 };
    CLEANUP_FREE char *example = NULL;
    if (!a || device_rules_read(b, DEVICE_RULES_MAX, &was) || device_rules_read(a, SIZE_MAX, &is))
      return control_broken(err, rules_pointer, "cannot be compared");
    if (!device_rules_subset(&is, &was, &example))
      return control_broken(err, rules_pointer, "\"%s\" was not allowed", example);
  }
  const json_t *had = control_at(before, nodes_pointer), *has = control_at(after, nodes_pointer);
  size_t k = 0; /* they keep their order */
  for (size_t i = 0; i < json_array_size(has); i++, k++) {
    while (k < json_array_size(had) && !json_equal(json_array_get(had, k), json_array_get(has, i)))
      k++;
    if (k >= json_array_size(had))
      return control_broken(err, nodes_pointer, "node %zu was not there", i);
  }
  return 0;
}
