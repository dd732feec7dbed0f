/* SPDX-License-Identifier: Apache-2.0 */
/* Our part of containerd's configuration taken out again, whatever became of the rest. */
#include "install/containerd_edit.h"

#include <string.h>

static const char KEY[] = CONTAINERD_DEFAULT;

/* --- verifying --- */

static void skip(struct toml_node *node) {
  if (node)
    node->skip = true;
}

/* The text with ours says the same as the one without, but for ours. */
int containerd_verify(const struct edit *e, const char *without, const char *with, const struct handlers *h,
                      struct error *err) {
  CLEANUP_TOML struct toml a = { 0 };
  CLEANUP_TOML struct toml b = { 0 };
  if (toml_parse("the file without oci-harden", without, strlen(without), &a, err) < 0 ||
      toml_parse("the file with oci-harden", with, strlen(with), &b, err) < 0)
    return -1;
  const char *const keys[] = { "plugins", e->plugin, "containerd", "runtimes", NULL };
  const char *const upper[] = { "plugins", e->plugin, "containerd", NULL };
  const struct toml_node *old = toml_at(&a, keys), *new = toml_at(&b, keys);
  for (size_t i = 0; i < h->len; i++) {
    if (toml_get(old, h->items[i].name))
      return error_set(err, ERROR_INTERNAL, 0, "%s would keep %s", e->toml.name, h->items[i].name);
    skip(toml_get(new, h->items[i].name));
  }
  if (!old || !old->first)
    skip(toml_get(new, "runc"));
  struct toml_node *table = toml_at(&b, upper);
  if (h->chosen && table) {
    skip(toml_get(toml_at(&a, upper), KEY));
    skip(toml_get(table, KEY));
    if (!toml_at(&a, upper) || toml_at(&a, upper)->origin == TOML_IMPLIED)
      table->origin = TOML_IMPLIED;
  }
  if (!toml_same(&a, &b))
    return error_set(err, ERROR_INTERNAL, 0, "the change of %s would touch more than it should",
                     e->toml.name);
  return 0;
}

/* --- taking back --- */

/* Cuts a table with all that is below it, header by header, from the end of the file on. */
static int cut_table(struct edit *e, const struct toml_node *table, struct error *err) {
  size_t from = 0, to = 0;
  for (const struct toml_node *child = table->first; child; child = child->next)
    if (child->kind == TOML_TABLE && child->origin != TOML_BY_VALUE)
      if (cut_table(e, child, err) < 0)
        return -1;
  if (table->origin == TOML_BY_HEADER) {
    from = table->line;
    to = table->end;
  } else if (table->origin == TOML_BY_VALUE && table->line_end) {
    from = table->line;
    to = table->line_end;
  } else if (table->origin == TOML_BY_DOTS) {
    CLEANUP_FREE char *path = toml_path(table);
    return toml_error(err, ERROR_INPUT, &e->toml, table->start,
                      "%s was ours, and somebody wrote it anew by dotted keys; take it out by hand", path);
  }
  /* Blanked, so that the other nodes' offsets hold; the caller takes the blanks out. */
  memset(e->text.data + from, '\0', to - from);
  return 0;
}

static void drop_blanked(struct str *text) {
  size_t n = 0;
  for (size_t i = 0; i < text->len; i++)
    if (text->data[i])
      text->data[n++] = text->data[i];
  text->len = n;
  if (text->data)
    text->data[n] = '\0';
}

static int open_again(struct edit *e, const char *name, const struct str *text, struct error *err) {
  const struct config_text now = { .name = name, .text = text->data ? text->data : "", .len = text->len };
  return containerd_edit_begin(e, &now, err);
}

static void replace(struct str *text, struct edit *by) {
  str_free(text);
  *text = by->text;
  by->text = (struct str){ 0 };
}

/* What the verbatim cut did not find, because it was edited since. */
static int cut_runtime(const char *name, const char *runtime, struct str *text, struct error *err) {
  CLEANUP_EDIT struct edit e = { 0 };
  if (open_again(&e, name, text, err) < 0)
    return -1;
  const struct toml_node *mine = toml_get(e.parts[3], runtime);
  if (!mine)
    return 0;
  if (cut_table(&e, mine, err) < 0)
    return -1;
  drop_blanked(&e.text);
  replace(text, &e);
  return 0;
}

/* From the last that was put in to the first, so that no line of ours is ever joined to another. */
static int cut_all(const char *name, const struct handlers *h, const struct changes *changes,
                   struct str *text, struct error *err) {
  bool last = false;
  for (size_t i = changes->len; i-- > 0;) {
    const struct change *c = &changes->items[i];
    if (c->before)
      continue;
    if (strcmp(c->where, CONTAINERD_NEWLINE) == 0) {
      if (last && str_ends(text->data, c->after))
        text_splice(text, text->len - strlen(c->after), text->len, "");
      continue;
    }
    if (strcmp(c->where, CONTAINERD_HEAD) == 0)
      last = text->data && str_ends(text->data, c->after);
    if (!text_cut(text, c->after) && handlers_find(h, c->where) && cut_runtime(name, c->where, text, err) < 0)
      return -1;
  }
  return 0;
}

static int restore_default(const char *name, const struct handlers *h, const struct changes *changes,
                           struct str *text, struct strlist *notes, struct error *err) {
  if (!h->chosen)
    return 0;
  CLEANUP_EDIT struct edit e = { 0 };
  if (open_again(&e, name, text, err) < 0)
    return -1;
  const struct toml_node *there = toml_get(e.parts[2], KEY);
  CLEANUP_FREE char *value = toml_string(&e.toml, there);
  if (!there)
    return 0;
  if (!value || strcmp(value, h->chosen) != 0) {
    strlist_add_new(notes, xasprintf("%s was set anew since (\"%s\"): it stays", KEY, value ? value : "?"));
    return 0;
  }
  const char *before = NULL;
  for (size_t i = 0; i < changes->len; i++)
    if (changes->items[i].before)
      before = changes->items[i].before;
  if (before)
    text_splice(&e.text, there->start, there->end, before);
  else
    text_splice(&e.text, there->line, there->line_end, "");
  replace(text, &e);
  return 0;
}

int containerd_take_back(const struct config_text *in, const struct handlers *h,
                         const struct changes *changes, struct str *ret, struct strlist *ret_notes,
                         struct error *err) {
  CLEANUP_STR struct str text = { 0 };
  str_add_mem(&text, in->text, in->len);
  CLEANUP_EDIT struct edit e = { 0 };
  if (cut_all(in->name, h, changes, &text, err) < 0 ||
      restore_default(in->name, h, changes, &text, ret_notes, err) < 0 ||
      open_again(&e, in->name, &text, err) < 0 || containerd_verify(&e, text.data, in->text, h, err) < 0)
    return -1;
  str_add_mem(ret, text.data, text.len);
  return 0;
}
