/* SPDX-License-Identifier: Apache-2.0 */
#include "install/engine.h"

#include <string.h>

static void handler_free(struct handler *h) {
  free(h->name);
  free(h->policy);
  free(h->path);
}

void handlers_free(struct handlers *h) {
  for (size_t i = 0; i < h->len; i++)
    handler_free(&h->items[i]);
  free(h->items);
  free(h->chosen);
  *h = (struct handlers){ 0 };
}

struct handler *handlers_find(const struct handlers *h, const char *name) {
  for (size_t i = 0; i < h->len; i++)
    if (strcmp(h->items[i].name, name) == 0)
      return &h->items[i];
  return NULL;
}

void handlers_put(struct handlers *h, const char *name, const char *policy, const char *path) {
  struct handler *there = handlers_find(h, name);
  const struct handler made = { xstrdup(name), xstrdup(policy), xstrdup(path) };
  if (there) {
    handler_free(there);
  } else {
    h->items = xrealloc(h->items, h->len + 1, sizeof *h->items);
    there = &h->items[h->len++];
  }
  *there = made;
}

int handler_name_check(const char *name, struct error *err) {
  static const char *const taken[] = { "runc", "crun", "youki", "runsc", "kata", "krun", "nvidia" };
  static const char alnum[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  const size_t n = strlen(name);
  for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
    if (strcmp(name, taken[i]) == 0)
      return error_set(err, ERROR_USAGE, 0, "\"%s\" is the name of another runtime; choose one of its own",
                       name);
  if (n == 0 || n > 63 || !strchr(alnum, name[0]) || !strchr(alnum, name[n - 1]) ||
      strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != n)
    return error_set(
        err, ERROR_USAGE, 0,
        "\"%s\" is no name for a runtime: use at most 63 lower-case letters, digits, '-' and '.', "
        "a letter or digit at both ends",
        name);
  return 0;
}
