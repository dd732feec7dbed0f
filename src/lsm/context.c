/* SPDX-License-Identifier: Apache-2.0 */
#include "lsm/context.h"

#include "base/str.h"

#include <ctype.h>
#include <string.h>

/* The part that *next begins with, which ends at a colon or with the text; *next becomes what is behind it.
 */
static const char *next_part(char **next) {
  char *part = *next;
  char *end = part + strcspn(part, ":");
  *next = *end ? end + 1 : end;
  *end = '\0';
  return part;
}

bool selinux_context_parse(struct selinux_context *ret, const char *text) {
  char *next = xstrdup(text);
  *ret = (struct selinux_context){ .text = next };
  ret->user = next_part(&next);
  ret->role = next_part(&next);
  ret->type = next_part(&next);
  ret->level = next;
  if (*ret->user && *ret->role && *ret->type)
    return true;
  selinux_context_free(ret);
  return false;
}

void selinux_context_free(struct selinux_context *c) {
  free(c->text);
  *c = (struct selinux_context){ 0 };
}

char *selinux_context_text(const char *user, const char *role, const char *type, const char *level) {
  return xasprintf("%s:%s:%s:%s", user, role, type, level);
}

char *selinux_context_at(const char *context, const char *level) {
  CLEANUP_SELINUX_CONTEXT struct selinux_context c;
  if (!selinux_context_parse(&c, context))
    return NULL;
  return selinux_context_text(c.user, c.role, c.type, level);
}

char *selinux_context_wanted(const char *engine, const char *role, const char *type, const char *level) {
  return engine ? selinux_context_at(engine, level) : selinux_context_text("system_u", role, type, level);
}

char *selinux_context_of_option(const char *option) {
  static const char *const names[] = { "context=", "fscontext=", "defcontext=", "rootcontext=" };
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    if (!str_starts(option, names[i]))
      continue;
    const char *value = option + strlen(names[i]);
    const size_t len = strlen(value);
    const bool quoted = len >= 2 && value[0] == '"' && value[len - 1] == '"';
    return quoted ? xasprintf("%.*s", (int)(len - 2), value + 1) : xstrdup(value);
  }
  return NULL;
}

/* A letter and a decimal number without leading zeros; returns what is behind it, NULL: it is none. */
static const char *numbered(const char *text, char letter, unsigned long *ret) {
  char *end;
  if (text[0] != letter || !isdigit((unsigned char)text[1]) ||
      (text[1] == '0' && isdigit((unsigned char)text[2])))
    return NULL;
  *ret = strtoul(text + 1, &end, 10);
  return end;
}

bool selinux_level_is_pair(const char *level, uint64_t *ret_number) {
  unsigned long sensitivity, a, b;
  const char *p = numbered(level, 's', &sensitivity);
  if (!p || *p != ':' || !(p = numbered(p + 1, 'c', &a)) || *p != ',' || !(p = numbered(p + 1, 'c', &b)) ||
      *p || a >= SELINUX_CATEGORIES || b >= SELINUX_CATEGORIES || a == b)
    return false;
  const uint64_t low = a < b ? a : b;
  const uint64_t high = a < b ? b : a;
  *ret_number = high * (high - 1) / 2 + low;
  return true;
}

char *selinux_level_of_pair(uint64_t number) {
  uint64_t high = 1;
  while ((high + 1) * high / 2 <= number)
    high++;
  return xasprintf("s0:c%u,c%u", (unsigned)(number - high * (high - 1) / 2), (unsigned)high);
}
