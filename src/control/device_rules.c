/* SPDX-License-Identifier: Apache-2.0 */
#include "control/device_rules.h"

#include "control/common.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool read_access(const char *text, unsigned *ret) {
  unsigned access = 0;
  for (; *text; text++) {
    if (*text == 'r')
      access |= DEVICE_READ;
    else if (*text == 'w')
      access |= DEVICE_WRITE;
    else if (*text == 'm')
      access |= DEVICE_MKNOD;
    else
      return false;
  }
  *ret = access;
  return access != 0;
}

/* Absent and -1 are any number. */
static bool read_number(const json_t *value, int64_t *ret) {
  *ret = -1;
  if (!value || json_is_null(value))
    return true;
  *ret = json_integer_value(value);
  return json_is_integer(value) && *ret >= -1 && *ret <= UINT32_MAX;
}

/* One object of linux.resources.devices; false: not readable. */
static bool device_rule_read(const json_t *object, struct device_rule *ret) {
  const char *type = json_string_value(json_object_get(object, "type"));
  const char *access = json_string_value(json_object_get(object, "access"));
  if (!type || !*type)
    type = "a";
  *ret = (struct device_rule){ .allow = json_is_true(json_object_get(object, "allow")), .type = *type };
  if (strlen(type) != 1 || !strchr("abc", *type) || !access || !read_access(access, &ret->access))
    return false;
  return read_number(json_object_get(object, "major"), &ret->major) &&
         read_number(json_object_get(object, "minor"), &ret->minor);
}

/* Digits or '*', then `end`; the text behind it, or NULL. */
static const char *parse_number(const char *text, char end, int64_t *ret) {
  char *rest;
  if (*text == '*') {
    *ret = -1;
    rest = (char *)text + 1;
  } else {
    if (*text < '0' || *text > '9')
      return NULL;
    *ret = strtoll(text, &rest, 10);
    if (*ret > UINT32_MAX)
      return NULL;
  }
  return *rest == end ? rest + 1 : NULL;
}

bool device_rule_parse(const char *text, struct device_rule *ret) {
  *ret = (struct device_rule){ .allow = true, .type = *text };
  if (!*text || !strchr("abc", *text) || text[1] != ' ')
    return false;
  const char *rest = parse_number(text + 2, ':', &ret->major);
  rest = rest ? parse_number(rest, ' ', &ret->minor) : NULL;
  return rest && read_access(rest, &ret->access);
}

json_t *device_rule_encode(const struct device_rule *r) {
  char type[] = { r->type, '\0' };
  char access[4], *p = access;
  if (r->access & DEVICE_READ)
    *p++ = 'r';
  if (r->access & DEVICE_WRITE)
    *p++ = 'w';
  if (r->access & DEVICE_MKNOD)
    *p++ = 'm';
  *p = '\0';
  json_t *object = json_object();
  if (!object)
    die_out_of_memory();
  jsonx_set_new(object, "allow", json_boolean(r->allow));
  if (r->type != 'a')
    jsonx_set_new(object, "type", jsonx_string_new(type));
  if (r->major >= 0)
    jsonx_set_new(object, "major", json_integer(r->major));
  if (r->minor >= 0)
    jsonx_set_new(object, "minor", json_integer(r->minor));
  jsonx_set_new(object, "access", jsonx_string_new(access));
  return object;
}

int device_rules_read(const json_t *array, size_t max, struct device_rules *ret) {
  *ret = (struct device_rules){ 0 };
  size_t len = json_array_size(array);
  if (len > max)
    return -1;
  ret->items = len ? xcalloc(len, sizeof *ret->items) : NULL;
  for (; ret->len < len; ret->len++) {
    if (device_rule_read(json_array_get(array, ret->len), &ret->items[ret->len]))
      continue;
    device_rules_free(ret);
    return -1;
  }
  return 0;
}

void device_rules_parse(const struct strlist *list, struct device_rules *ret) {
  *ret = (struct device_rules){ 0 };
  ret->items = list->len ? xcalloc(list->len, sizeof *ret->items) : NULL;
  for (size_t i = 0; i < list->len; i++)
    if (device_rule_parse(list->items[i], &ret->items[ret->len]))
      ret->len++;
}

void device_rules_free(struct device_rules *r) {
  free(r->items);
  *r = (struct device_rules){ 0 };
}

bool device_rule_is_whole(const struct device_rule *r) {
  return r->type == 'a' && r->major < 0 && r->minor < 0 && r->access == DEVICE_ALL;
}

bool device_rule_denies_all(const struct device_rule *r) {
  return !r->allow && r->type == 'a';
}

bool device_rule_meet(const struct device_rule *a, const struct device_rule *b, struct device_rule *ret) {
  *ret = *a;
  ret->access &= b->access;
  if (ret->type == 'a')
    ret->type = b->type;
  if (ret->major < 0)
    ret->major = b->major;
  if (ret->minor < 0)
    ret->minor = b->minor;
  return ret->access && (b->type == 'a' || b->type == ret->type) &&
         (b->major < 0 || b->major == ret->major) && (b->minor < 0 || b->minor == ret->minor);
}

bool device_rule_inside(const struct device_rule *r, const struct device_rules *list) {
  unsigned left = r->access;
  for (size_t i = 0; i < list->len; i++) {
    const struct device_rule *e = &list->items[i];
    if ((e->type == 'a' || e->type == r->type) && (e->major < 0 || e->major == r->major) &&
        (e->minor < 0 || e->minor == r->minor))
      left &= ~e->access;
  }
  return left == 0;
}

static bool matches(const struct device_rule *r, char type, int64_t major, int64_t minor, unsigned access) {
  if (device_rule_denies_all(r))
    return true;
  return (r->type == 'a' || r->type == type) && (r->major < 0 || r->major == major) &&
         (r->minor < 0 || r->minor == minor) && r->access & access;
}

bool device_rules_allow(const struct device_rules *rules, char type, int64_t major, int64_t minor,
                        unsigned access) {
  for (size_t i = rules->len; i-- > 0;)
    if (matches(&rules->items[i], type, major, minor, access))
      return rules->items[i].allow;
  return false;
}

struct numbers {
  int64_t *items;
  size_t len;
};

static int by_value(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* Every number that the two lists name for majors (or minors), and the least that none names. The caller
 * frees items. */
static struct numbers named(const struct device_rules *a, const struct device_rules *b, bool major) {
  const struct device_rules *lists[] = { a, b };
  struct numbers n = { .items = xcalloc(a->len + b->len + 1, sizeof(int64_t)) };
  for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
    for (size_t i = 0; i < lists[k]->len; i++) {
      int64_t value = major ? lists[k]->items[i].major : lists[k]->items[i].minor;
      if (value >= 0)
        n.items[n.len++] = value;
    }
  qsort(n.items, n.len, sizeof *n.items, by_value);
  size_t kept = 0;
  int64_t other = 0;
  for (size_t i = 0; i < n.len; i++) {
    if (kept && n.items[kept - 1] == n.items[i])
      continue;
    other += n.items[i] == other;
    n.items[kept++] = n.items[i];
  }
  n.items[kept++] = other;
  n.len = kept;
  return n;
}

/* Those rules that say anything of the major. */
static struct device_rules of_major(const struct device_rules *rules, char type, int64_t major) {
  struct device_rules r = { .items = xcalloc(rules->len + 1, sizeof *r.items) };
  for (size_t i = 0; i < rules->len; i++) {
    const struct device_rule *rule = &rules->items[i];
    if (device_rule_denies_all(rule) ||
        ((rule->type == 'a' || rule->type == type) && (rule->major < 0 || rule->major == major)))
      r.items[r.len++] = *rule;
  }
  return r;
}

static bool subset_at(const struct device_rules *part, const struct device_rules *whole, char type,
                      int64_t major, const struct numbers *minors, char **ret_example) {
  CLEANUP_DEVICE_RULES struct device_rules p = of_major(part, type, major);
  CLEANUP_DEVICE_RULES struct device_rules w = of_major(whole, type, major);
  for (size_t k = 0; k < minors->len; k++)
    for (unsigned access = DEVICE_READ; access <= DEVICE_MKNOD; access <<= 1) {
      int64_t minor = minors->items[k];
      if (!device_rules_allow(&p, type, major, minor, access) ||
          device_rules_allow(&w, type, major, minor, access))
        continue;
      *ret_example = xasprintf("%c %" PRId64 ":%" PRId64 " %c", type, major, minor, " rw m"[access]);
      return false;
    }
  return true;
}

bool device_rules_subset(const struct device_rules *part, const struct device_rules *whole,
                         char **ret_example) {
  struct numbers majors = named(part, whole, true), minors = named(part, whole, false);
  bool subset = true;
  for (size_t i = 0; subset && i < majors.len; i++)
    subset = subset_at(part, whole, 'b', majors.items[i], &minors, ret_example) &&
             subset_at(part, whole, 'c', majors.items[i], &minors, ret_example);
  free(majors.items);
  free(minors.items);
  return subset;
}
