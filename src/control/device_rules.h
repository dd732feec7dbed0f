/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device cgroup rules as sets: a list of rules, read in order, the last that matches decides, nothing allowed
 * before the first. Where runtimes differ (runc lets a rule for all types ignore its numbers and access, crun
 * does not) the reading is the one that allows less.
 */
#ifndef HARDEN_CONTROL_DEVICE_RULES_H
#define HARDEN_CONTROL_DEVICE_RULES_H

#include "base/error.h"
#include "base/str.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEVICE_RULES_MAX = 256 }; /* of an input; comparing lists is quadratic in their numbers */
enum device_access { DEVICE_READ = 1, DEVICE_WRITE = 2, DEVICE_MKNOD = 4, DEVICE_ALL = 7 };

struct device_rule {
  bool allow;
  char type;            /* 'a' (b and c), 'b', 'c' */
  int64_t major, minor; /* -1: any */
  unsigned access;      /* enum device_access */
};

struct device_rules {
  struct device_rule *items;
  size_t len;
};
void device_rules_free(struct device_rules *r);
#define CLEANUP_DEVICE_RULES CLEANUP(device_rules_free)

/* A policy's "c 1:3 rwm"; false: not readable. */
bool device_rule_parse(const char *text, struct device_rule *ret);
/* New reference; what is any is left out. */
json_t *device_rule_encode(const struct device_rule *r) MUST_CHECK;

/* All of an array (NULL: none), or -1 when one is not readable or there are more than `max`; ret is then as
 * if empty. */
int device_rules_read(const json_t *array, size_t max, struct device_rules *ret) MUST_CHECK;
/* A policy's list. What is not readable allows nothing. */
void device_rules_parse(const struct strlist *list, struct device_rules *ret);

/* Is the rule about every device and access, however it is read? */
bool device_rule_is_whole(const struct device_rule *r);
/* Does the rule forbid everything in runc's reading? */
bool device_rule_denies_all(const struct device_rule *r);
/* What both allow, false when that is nothing. */
bool device_rule_meet(const struct device_rule *a, const struct device_rule *b, struct device_rule *ret);
/* Is everything that the rule allows inside the union of the list's entries, access by access? */
bool device_rule_inside(const struct device_rule *r, const struct device_rules *list);

/* Does the list allow this access (one bit) to this device ('b' or 'c')? */
bool device_rules_allow(const struct device_rules *rules, char type, int64_t major, int64_t minor,
                        unsigned access);
/* Is everything that `part` allows allowed by `whole`? Tried at every number that either names, and at one
 * that neither does. *ret_example is a device that is not, as "c 1:3 r". The caller frees. */
bool device_rules_subset(const struct device_rules *part, const struct device_rules *whole,
                         char **ret_example);

#endif
