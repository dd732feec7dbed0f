/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/compose.h"

#include "manifest/scalar.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* --- variables --- */

static bool is_name(char c, bool first) {
  return c == '_' || isalpha((unsigned char)c) || (!first && isdigit((unsigned char)c));
}

/* The '}' that closes a "${", other such between them; NULL: there is none. */
static const char *closing(const char *text) {
  unsigned open = 1;
  for (const char *p = text; *p; p++) {
    if (p[0] == '$' && p[1] == '{')
      open++;
    else if (*p == '}' && --open == 0)
      return p;
  }
  return NULL;
}

static bool expand(struct translation *t, const struct node *node, const char *text, size_t len,
                   struct str *out, unsigned depth);

/* What stands between "${" and "}": NAME, and an op with a word. */
static bool expand_braced(struct translation *t, const struct node *node, const char *text, size_t len,
                          struct str *out, unsigned depth) {
  size_t name = 0;
  while (name < len && is_name(text[name], name == 0))
    name++;
  const char *op = text + name;
  size_t rest = len - name;
  if (rest && *op == ':') {
    op++;
    rest--;
  }
  bool operated = op != text + name || rest;
  if (name == 0 || (operated && (rest == 0 || !strchr("-?+", *op))))
    return false;
  if (operated && *op == '-')
    return expand(t, node, op + 1, rest - 1, out, depth + 1);
  if (operated && *op == '+') {
    note(t, (struct field){ node, "" }, "the variable %.*s is not known: judged as not set", (int)name, text);
    return true;
  }
  note(t, (struct field){ node, "" }, "the variable %.*s is not known and has no default: judged as empty",
       (int)name, text);
  return true;
}

static bool expand(struct translation *t, const struct node *node, const char *text, size_t len,
                   struct str *out, unsigned depth) {
  enum { DEPTH = 20 };
  const char *end = text + len;
  if (depth > DEPTH)
    return false;
  for (const char *p = text; p < end;) {
    if (*p != '$' || p + 1 == end) {
      str_add_mem(out, p++, 1);
    } else if (p[1] == '$') {
      str_add(out, "$");
      p += 2;
    } else if (p[1] == '{') {
      const char *close = closing(p + 2);
      if (!close || close >= end || !expand_braced(t, node, p + 2, (size_t)(close - p) - 2, out, depth))
        return false;
      p = close + 1;
    } else {
      const char *name = ++p;
      while (p < end && is_name(*p, p == name))
        p++;
      if (p == name || !expand_braced(t, node, name, (size_t)(p - name), out, depth))
        return false;
    }
  }
  return true;
}

void compose_interpolate(struct translation *t, struct node *node) {
  if (node->text && strchr(node->text, '$')) {
    CLEANUP_STR struct str out = { 0 };
    if (!expand(t, node, node->text, strlen(node->text), &out, 0)) {
      mistake(t, node, "the variables in it cannot be read ($$ stands for a dollar)");
      return;
    }
    free(node->text);
    node->text = str_steal(&out);
    node->kind = NODE_STRING;
  }
  for (size_t i = 0; i < node->len; i++)
    compose_interpolate(t, node->children[i]);
}

/* --- casts --- */

bool compose_bool(struct translation *t, const struct node *node, bool otherwise) {
  static const char *const trues[] = { "true", "1", "t", "y", "yes", "on" };
  static const char *const falses[] = { "false", "0", "f", "n", "no", "off" };
  if (!node)
    return otherwise;
  for (size_t i = 0; node->text && i < ARRAY_SIZE(trues); i++) {
    if (strcasecmp(node->text, trues[i]) == 0)
      return true;
    if (strcasecmp(node->text, falses[i]) == 0)
      return false;
  }
  /* A variable without a value leaves the default. */
  if (!node->text || *node->text)
    mistake(t, node, "a boolean is to stand here");
  return otherwise;
}

bool compose_int(struct translation *t, const struct node *node, int64_t *ret) {
  if (!node || (node->text && !*node->text))
    return false;
  const char *digits = node->text && *node->text == '-' ? node->text + 1 : node->text;
  if (!digits || !scalar_number(digits, ret)) {
    mistake(t, node, "a whole number is to stand here");
    return false;
  }
  if (digits != node->text)
    *ret = -*ret;
  return true;
}

bool compose_bytes(struct translation *t, const struct node *node, int64_t *ret) {
  if (!node || (node->text && !*node->text))
    return false;
  if (node->text && strcmp(node->text, "-1") == 0) {
    *ret = -1;
    return true;
  }
  if (!node->text || !scalar_size(node->text, ret)) {
    mistake(t, node, "a size is to stand here, such as 64m");
    return false;
  }
  return true;
}

bool compose_cpus(struct translation *t, const struct node *node, int64_t *ret_milli) {
  if (!node || (node->text && !*node->text))
    return false;
  if (!node->text || node->text[strspn(node->text, "0123456789.")] ||
      !scalar_quantity(node->text, ret_milli)) {
    mistake(t, node, "a number of processors is to stand here, such as 0.5");
    return false;
  }
  return true;
}

const char *compose_text(struct translation *t, const struct node *node) {
  if (!node)
    return NULL;
  if (!node->text) {
    mistake(t, node, "a string is to stand here, not %s", node_kind_name(node->kind));
    return "";
  }
  return node->text;
}

/* --- lists and maps --- */

const struct node *compose_item(const struct node *list, size_t index) {
  if (!list || list->kind == NODE_MAP)
    return NULL;
  if (list->kind == NODE_LIST)
    return index < list->len ? list->children[index] : NULL;
  return index == 0 ? list : NULL;
}

bool compose_pair(struct translation *t, const struct node *map, size_t index, char **ret_key,
                  char **ret_value, const struct node **ret_node) {
  if (!map || index >= map->len)
    return false;
  const struct node *node = map->children[index];
  const char *text = node->kind == NODE_NULL ? NULL : compose_text(t, node);
  *ret_node = node;
  if (map->kind == NODE_MAP) {
    *ret_key = xstrdup(node->key);
    *ret_value = xstrdup(text);
    return true;
  }
  size_t len = text ? strcspn(text, "=") : 0;
  *ret_key = xasprintf("%.*s", (int)len, text ? text : "");
  *ret_value = text && text[len] ? xstrdup(text + len + 1) : NULL;
  return true;
}
