/* SPDX-License-Identifier: Apache-2.0 */
#include "install/containerd_edit.h"

#include <string.h>

#define RUNC_TYPE "io.containerd.runc.v2"
#define HEAD "# oci-harden: by `hardenctl install`; `hardenctl uninstall` takes it out."

void containerd_edit_free(struct edit *e) {
  toml_free(&e->toml);
  toml_free(&e->base);
  str_free(&e->text);
}

int containerd_version(const struct toml *t, long *ret, struct error *err) {
  const struct toml_node *node = toml_get(t->root, "version");
  *ret = 1;
  if (!node)
    return 0;
  CLEANUP_FREE char *text = xcalloc(node->end - node->start + 1, 1);
  memcpy(text, t->text + node->start, node->end - node->start);
  if (node->kind == TOML_INTEGER && strlen(text) == 1 && *text >= '1' && *text <= '4') {
    *ret = *text - '0';
    return 0;
  }
  return toml_error(
      err, ERROR_INPUT, t, node->start,
      "version = %s is none that this hardenctl knows (1, 2, 3, 4); `containerd config migrate` "
      "writes another",
      text);
}

/* Version 4 has changed nothing of the CRI's. */
static const char *plugin_of(long version) {
  static const char *const names[] = { "cri", "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime" };
  return names[version > 3 ? 2 : version - 1];
}

const struct toml_node *containerd_plugin(const struct toml *t, long version) {
  return toml_get(toml_get(t->root, "plugins"), plugin_of(version));
}

const struct toml_node *containerd_cri_is_off(const struct toml *t) {
  static const char *const names[] = { "cri", "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime" };
  const struct toml_node *list = toml_get(t->root, "disabled_plugins");
  for (const struct toml_node *item = list ? list->first : NULL; item; item = item->next) {
    CLEANUP_FREE char *value = toml_string(t, item);
    for (size_t i = 0; value && i < ARRAY_SIZE(names); i++)
      if (strcmp(value, names[i]) == 0)
        return item;
  }
  return NULL;
}

/* --- reading --- */

/* A table that headers of ours can go below: one that is not closed (inline), nor made by dotted keys, which
 * some readers of TOML close too. */
static int must_be_open(const struct toml *t, const struct toml_node *node, struct error *err) {
  CLEANUP_FREE char *path = toml_path(node);
  if (node->kind != TOML_TABLE)
    return toml_error(err, ERROR_INPUT, t, node->start, "%s is no table", path);
  if (node->origin == TOML_BY_VALUE)
    return toml_error(err, ERROR_INPUT, t, node->start,
                      "%s is an inline table, to which nothing can be added; write it as [%s], a key a line",
                      path, path);
  if (node->origin == TOML_BY_DOTS)
    return toml_error(
        err, ERROR_INPUT, t, node->start,
        "%s is made by dotted keys, which would have to be split; write it as [%s], a key a line", path,
        path);
  return 0;
}

/* Parsed, with the tables that lead to the runtimes. */
static int read_parts(const struct config_text *in, struct toml *ret, struct toml_node *ret_parts[4],
                      long *ret_version, struct error *err) {
  if (!in->text)
    return error_set(err, ERROR_REFUSED, 0, "%s, which imports what is installed here, is not there",
                     in->name);
  if (toml_parse(in->name, in->text, in->len, ret, err) < 0 || containerd_version(ret, ret_version, err) < 0)
    return -1;
  const char *const keys[] = { "plugins", plugin_of(*ret_version), "containerd", "runtimes" };
  struct toml_node *node = ret->root;
  for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
    node = ret_parts[i] = toml_get(node, keys[i]);
  return 0;
}

int containerd_edit_begin(struct edit *e, const struct config_text *in, struct error *err) {
  const bool below = in->others_len > 0;
  long version = 2, base = 0;
  if (below && read_parts(&in->others[0], &e->base, e->base_parts, &base, err) < 0)
    return -1;
  const char *made = base == 4 ? "version = 4\n" : base == 3 ? "version = 3\n" : "version = 2\n";
  const struct config_text now = { .name = in->name,
                                   .text = in->text ? in->text : made,
                                   .len = in->text ? in->len : strlen(made) };
  str_add_mem(&e->text, now.text, now.len);
  e->newline = text_newline(now.text);
  if (read_parts(&now, &e->toml, e->parts, &version, err) < 0)
    return -1;
  if (below && version != base)
    return error_set(err, ERROR_REFUSED, 0, "%s is of version %ld, and %s, which imports it, of %ld",
                     in->name, version, in->others[0].name, base);
  e->plugin = plugin_of(version);
  for (size_t i = 0; i < ARRAY_SIZE(e->parts); i++)
    if (e->parts[i] && must_be_open(&e->toml, e->parts[i], err) < 0)
      return -1;
  e->model = below ? &e->base : &e->toml;
  e->model_parts = below ? e->base_parts : e->parts;
  return 0;
}

static bool is_runc(const struct edit *e, const struct toml_node *runtime) {
  CLEANUP_FREE char *type = toml_string(e->model, toml_get(runtime, "runtime_type"));
  return runtime && (!type || str_starts(type, "io.containerd.runc."));
}

/* The entry that ours are to be like. *ret NULL: there is none. */
static int find_model(const struct edit *e, const struct toml_node **ret, struct error *err) {
  const struct toml_node *runtimes = e->model_parts[3], *runc = toml_get(runtimes, "runc");
  *ret = runc;
  if (runc && runc->kind != TOML_TABLE)
    return toml_error(err, ERROR_INPUT, e->model, runc->start, "runtimes.runc is no table");
  if (runc && !is_runc(e, runc)) {
    const struct toml_node *type = toml_get(runc, "runtime_type");
    CLEANUP_FREE char *value = toml_string(e->model, type);
    return toml_error(err, ERROR_INPUT, e->model, type->start,
                      "runc's runtime_type is \"%s\", whose options are not those of \"" RUNC_TYPE
                      "\"; change it to that",
                      value);
  }
  if (runc)
    return 0;
  CLEANUP_FREE char *chosen = toml_string(e->model, toml_get(e->model_parts[2], "default_runtime_name"));
  const struct toml_node *node = chosen ? toml_get(runtimes, chosen) : NULL;
  if (node && node->kind == TOML_TABLE && is_runc(e, node))
    *ret = node;
  return 0;
}

/* --- writing --- */

static void add_header(const struct edit *e, struct str *out, const char *indent, const char *runtime,
                       const struct strlist *below) {
  str_addf(out, "%s[plugins.", indent);
  toml_add_key(out, e->plugin);
  str_add(out, ".containerd");
  if (runtime) {
    str_add(out, ".runtimes.");
    toml_add_key(out, runtime);
  }
  for (size_t i = 0; below && i < below->len; i++) {
    str_add(out, ".");
    toml_add_key(out, below->items[i]);
  }
  str_addf(out, "]%s", e->newline);
}

static void add_pair(const struct edit *e, struct str *out, const char *indent, const char *key,
                     const char *value) {
  str_add(out, indent);
  toml_add_key(out, key);
  str_add(out, " = ");
  toml_add_string(out, value);
  str_add(out, e->newline);
}

/* What a pod may ask for: the wrapper reads annotations only if containerd passes them on. */
static const char *const passed_on[] = { "pod_annotations", "container_annotations" };
static const char ANNOTATION[] = "oci-harden.policy";

static bool is_passed_on(const char *key) {
  return strcmp(key, passed_on[0]) == 0 || strcmp(key, passed_on[1]) == 0;
}

/* The model's list, and our annotation. */
static void add_annotations(const struct edit *e, struct str *out, const char *key,
                            const struct toml_node *list) {
  bool there = false;
  str_addf(out, "  %s = [", key);
  for (const struct toml_node *item = list ? list->first : NULL; item; item = item->next) {
    CLEANUP_FREE char *value = toml_string(e->model, item);
    there = there || (value && strcmp(value, ANNOTATION) == 0);
    str_add_mem(out, e->model->text + item->start, item->end - item->start);
    str_add(out, item->next ? ", " : "");
  }
  if (!there)
    str_addf(out, "%s\"%s\"", list && list->first ? ", " : "", ANNOTATION);
  str_addf(out, "]%s", e->newline);
}

/* The model's table at `below`, each value as it is written there, but what is ours to say. */
static int copy_table(const struct edit *e, const struct handler *h, const struct toml_node *model,
                      const struct strlist *below, struct str *out, struct error *err) {
  const bool top = below->len == 0, options = below->len == 1 && strcmp(below->items[0], "options") == 0;
  add_header(e, out, top ? "" : "  ", h->name, below);
  const char *indent = top ? "  " : "    ";
  if (top && !toml_get(model, "runtime_type"))
    add_pair(e, out, indent, "runtime_type", RUNC_TYPE);
  for (size_t i = 0; top && i < ARRAY_SIZE(passed_on); i++)
    add_annotations(e, out, passed_on[i], toml_get(model, passed_on[i]));
  if (options)
    add_pair(e, out, indent, "BinaryName", h->path);
  for (const struct toml_node *child = model ? model->first : NULL; child; child = child->next) {
    if (child->kind == TOML_TABLE || (options && strcmp(child->key, "BinaryName") == 0) ||
        (top && is_passed_on(child->key)))
      continue;
    if (child->origin == TOML_BY_HEADER)
      return toml_error(err, ERROR_INPUT, e->model, child->first->start,
                        "an array of tables, which no containerd has here");
    str_add(out, indent);
    toml_add_key(out, child->key);
    str_add(out, " = ");
    str_add_mem(out, e->model->text + child->start, child->end - child->start);
    str_add(out, e->newline);
  }
  for (const struct toml_node *child = model ? model->first : NULL; child; child = child->next) {
    if (child->kind != TOML_TABLE)
      continue;
    CLEANUP_STRLIST struct strlist deeper = { 0 };
    strlist_copy(&deeper, below);
    strlist_add(&deeper, child->key);
    if (copy_table(e, h, child, &deeper, out, err) < 0)
      return -1;
  }
  return 0;
}

static int must_be_free(const struct toml *t, const struct toml_node *runtimes, const char *name,
                        struct error *err) {
  const struct toml_node *there = toml_get(runtimes, name);
  if (!there)
    return 0;
  CLEANUP_FREE char *path = toml_path(there);
  return toml_error(
      err, ERROR_REFUSED, t, there->start,
      "%s is there already, and hardenctl did not make it; take it out, or choose another --name", path);
}

/* What a drop-in says is merged with what its neighbours say. */
static int must_be_free_elsewhere(const struct config_text *in, const struct handlers *h, struct error *err) {
  for (size_t i = 0; i < in->others_len; i++) {
    CLEANUP_TOML struct toml t = { 0 };
    struct toml_node *parts[4];
    long version;
    if (read_parts(&in->others[i], &t, parts, &version, err) < 0)
      return -1;
    for (size_t k = 0; k < h->len; k++)
      if (must_be_free(&t, parts[3], h->items[k].name, err) < 0)
        return -1;
  }
  return 0;
}

static int add_runtime(const struct edit *e, const struct handler *h, const struct toml_node *model,
                       struct str *out, struct error *err) {
  CLEANUP_STRLIST struct strlist below = { 0 };
  if (must_be_free(&e->toml, e->parts[3], h->name, err) < 0)
    return -1;
  if (copy_table(e, h, model, &below, out, err) < 0)
    return -1;
  if (toml_get(model, "options"))
    return 0;
  strlist_add(&below, "options");
  return copy_table(e, h, NULL, &below, out, err);
}

static const char KEY[] = CONTAINERD_DEFAULT;

/* Keys of old, which containerd heeds before default_runtime_name. */
static int must_heed_default(const struct edit *e, struct error *err) {
  const struct toml_node *old = toml_get(e->model_parts[2], "default_runtime");
  CLEANUP_FREE char *type = toml_string(e->model, toml_get(old, "runtime_type"));
  if (!type || !*type)
    return 0;
  return toml_error(
      err, ERROR_REFUSED, e->model, old->start,
      "containerd takes its default runtime from this table of old, whatever %s says; make it an "
      "entry of runtimes, or leave --default out",
      KEY);
}

/* Where the key is: its value is exchanged; where its table is: a line is put behind the header. Else it goes
 * with our tables: *ret_in_block. */
static int set_default(struct edit *e, const char *name, struct changes *changes, bool *ret_in_block,
                       struct error *err) {
  const struct toml_node *table = e->parts[2], *there = toml_get(table, KEY);
  CLEANUP_STR struct str value = { 0 };
  *ret_in_block = false;
  if (must_heed_default(e, err) < 0)
    return -1;
  toml_add_string(&value, name);
  if (there) {
    CLEANUP_STR struct str before = { 0 };
    CLEANUP_FREE char *where = toml_path(there);
    str_add_mem(&before, e->toml.text + there->start, there->end - there->start);
    text_splice(&e->text, there->start, there->end, value.data);
    changes_add(changes, where, before.data, value.data);
    return 0;
  }
  if (!table || table->origin != TOML_BY_HEADER) {
    *ret_in_block = true;
    return 0;
  }
  const char *header = e->toml.text + table->line;
  const bool ends = e->toml.text[table->line_end - 1] == '\n';
  CLEANUP_STR struct str line = { 0 };
  str_add(&line, ends ? "" : e->newline);
  str_add_mem(&line, header, strspn(header, " \t"));
  str_addf(&line, "  %s = %s  %s%s", KEY, value.data, HEAD, ends ? e->newline : "");
  text_splice(&e->text, table->line_end, table->line_end, line.data);
  changes_add(changes, KEY, NULL, line.data);
  return 0;
}

/* Each part is a change of its own, so that one that was edited since does not keep the others from being
 * found. */
static void append(struct edit *e, struct changes *changes, const char *where, const struct str *part) {
  str_add_mem(&e->text, part->data, part->len);
  changes_add(changes, where, NULL, part->data);
}

static void append_head(struct edit *e, struct changes *changes) {
  CLEANUP_STR struct str newline = { 0 };
  CLEANUP_STR struct str part = { 0 };
  const size_t len = e->text.len;
  if (len && e->text.data[len - 1] != '\n') {
    str_add(&newline, e->newline);
    append(e, changes, CONTAINERD_NEWLINE, &newline);
  }
  str_addf(&part, "%s%s%s", len ? e->newline : "", HEAD, e->newline);
  append(e, changes, CONTAINERD_HEAD, &part);
}

static void append_default(struct edit *e, struct changes *changes, const char *name) {
  CLEANUP_STR struct str part = { 0 };
  add_header(e, &part, "", NULL, NULL);
  add_pair(e, &part, "  ", KEY, name);
  append(e, changes, KEY, &part);
}

/* containerd 1.x forgets its own entry for runc as soon as a file has any other. */
static void append_runc(struct edit *e, struct changes *changes) {
  CLEANUP_STR struct str part = { 0 };
  add_header(e, &part, "", "runc", NULL);
  add_pair(e, &part, "  ", "runtime_type", RUNC_TYPE);
  append(e, changes, "runc", &part);
}

static int append_runtimes(struct edit *e, const struct handlers *h, struct changes *changes,
                           struct strlist *notes, struct error *err) {
  const struct toml_node *model;
  if (find_model(e, &model, err) < 0)
    return -1;
  for (size_t i = 0; i < h->len; i++) {
    CLEANUP_STR struct str part = { 0 };
    if (add_runtime(e, &h->items[i], model, &part, err) < 0)
      return -1;
    append(e, changes, h->items[i].name, &part);
  }
  CLEANUP_FREE char *binary = toml_string(e->model, toml_get(toml_get(model, "options"), "BinaryName"));
  if (binary && *binary)
    strlist_add_new(notes,
                    xasprintf("the entry that ours are copied from runs %s; oci-harden runs the first of "
                              "`runtimes` in /etc/oci-harden/config.json, or runc",
                              binary));
  return 0;
}

/* Each of ours would be found by containerd. */
static int verify_handlers(const struct edit *e, const struct handlers *h, struct error *err) {
  CLEANUP_TOML struct toml t = { 0 };
  if (toml_parse("the changed file", e->text.data, e->text.len, &t, err) < 0)
    return -1;
  for (size_t i = 0; i < h->len; i++) {
    const char *const keys[] = { "plugins",        e->plugin, "containerd", "runtimes",
                                 h->items[i].name, "options", "BinaryName", NULL };
    CLEANUP_FREE char *binary = toml_string(&t, toml_at(&t, keys));
    if (!binary || strcmp(binary, h->items[i].path) != 0)
      return error_set(err, ERROR_INTERNAL, 0, "the changed %s would not have %s", e->toml.name,
                       h->items[i].name);
  }
  return 0;
}

int containerd_apply(const struct config_text *in, const struct handlers *h, struct str *ret,
                     struct changes *ret_changes, struct strlist *ret_notes, struct error *err) {
  CLEANUP_EDIT struct edit e = { 0 };
  bool in_block = false;
  if (containerd_edit_begin(&e, in, err) < 0 || must_be_free_elsewhere(in, h, err) < 0 ||
      (h->chosen && set_default(&e, h->chosen, ret_changes, &in_block, err) < 0))
    return -1;
  append_head(&e, ret_changes);
  if (in_block)
    append_default(&e, ret_changes, h->chosen);
  if (in->others_len == 0 && (!e.parts[3] || !e.parts[3]->first))
    append_runc(&e, ret_changes);
  if (append_runtimes(&e, h, ret_changes, ret_notes, err) < 0 || verify_handlers(&e, h, err) < 0 ||
      containerd_verify(&e, e.toml.text, e.text.data, h, err) < 0)
    return -1;
  str_add_mem(ret, e.text.data, e.text.len);
  return 0;
}
