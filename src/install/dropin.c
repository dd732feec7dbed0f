/* SPDX-License-Identifier: Apache-2.0 */
#include "install/dropin.h"

#include "install/toml.h"

#include <string.h>

#define HEAD "# oci-harden: by `hardenctl install`; `hardenctl uninstall` takes it out.\n"

struct others {
  struct toml *items;
  size_t len;
};
static void others_free(struct others *o) {
  for (size_t i = 0; i < o->len; i++)
    toml_free(&o->items[i]);
  free(o->items);
}
#define CLEANUP_OTHERS CLEANUP(others_free)

static int parse_others(const struct config_text *in, struct others *ret, struct error *err) {
  ret->items = xcalloc(in->others_len + 1, sizeof *ret->items);
  for (size_t i = 0; i < in->others_len; i++) {
    const struct config_text *one = &in->others[i];
    if (toml_parse(one->name, one->text, one->len, &ret->items[i], err) < 0)
      return -1;
    ret->len++;
  }
  return 0;
}

/* The names are free in all that is read before. `keys` lead to the table of runtimes. */
static int must_be_free(const struct others *o, const char *const *keys, const struct handlers *h,
                        struct error *err) {
  for (size_t i = 0; i < o->len; i++) {
    for (size_t k = 0; k < h->len; k++) {
      const struct toml_node *there = toml_get(toml_at(&o->items[i], keys), h->items[k].name);
      if (there)
        return toml_error(
            err, ERROR_REFUSED, &o->items[i], there->start,
            "a runtime %s is there already, and hardenctl did not make it; take it out, or choose "
            "another --name",
            h->items[k].name);
    }
  }
  return 0;
}

/* Appends our part to what others have put into the file, and sees that it can be read. */
static int finish(const struct config_text *in, const struct str *part, const char *const *keys,
                  const struct handlers *h, struct str *ret, struct changes *ret_changes, struct error *err) {
  CLEANUP_TOML struct toml t = { 0 };
  const bool fresh = in->len == 0;
  CLEANUP_FREE char *separated = xasprintf("%s%s",
                                           fresh                           ? ""
                                           : in->text[in->len - 1] == '\n' ? "\n"
                                                                           : "\n\n",
                                           part->data);
  str_add_mem(ret, in->text, in->len);
  str_add(ret, separated);
  changes_add(ret_changes, "(file)", NULL, separated);
  if (toml_parse(in->name, ret->data, ret->len, &t, err) < 0)
    return -1;
  for (size_t i = 0; i < h->len; i++)
    if (!toml_get(toml_at(&t, keys), h->items[i].name))
      return error_set(err, ERROR_INTERNAL, 0, "%s would not have %s", in->name, h->items[i].name);
  return 0;
}

int dropin_find(const struct host *h, const char *given, char **ret_file, struct error *err) {
  (void)h;
  if (!str_ends(given, ".conf"))
    return error_set(err, ERROR_USAGE, 0, "%s does not end in .conf, and would not be read", given);
  *ret_file = xstrdup(given);
  return 0;
}

int dropin_take_back(const struct config_text *in, const struct handlers *h, const struct changes *changes,
                     struct str *ret, struct strlist *ret_notes, struct error *err) {
  CLEANUP_STR struct str text = { 0 };
  (void)h;
  (void)ret_notes;
  str_add_mem(&text, in->text, in->len);
  for (size_t i = 0; i < changes->len; i++)
    if (!text_cut(&text, changes->items[i].after))
      return error_set(
          err, ERROR_REFUSED, 0,
          "%s is ours, and was edited since; move what is yours to a file of its own beside it, and remove "
          "this one",
          in->name);
  str_add_mem(ret, text.data, text.len);
  return 0;
}

/* --- podman --- */

static void add_strings(const struct toml *t, const struct toml_node *list, struct strlist *names) {
  for (const struct toml_node *item = list ? list->first : NULL; item; item = item->next) {
    CLEANUP_FREE char *value = toml_string(t, item);
    if (value && !strlist_has(names, value))
      strlist_add(names, value);
  }
}

/* The list of runtimes that log JSON is exchanged as a whole by the last file that has one, so ours has
 * everybody's: podman's own of several releases, and what the files before say. */
static void add_json_runtimes(const struct others *o, const struct handlers *h, struct str *out) {
  static const char *const own[] = { "crun",  "crun-vm", "crun-wasm", "runc",   "kata",
                                     "runsc", "youki",   "krun",      "ocijail" };
  static const char *const keys[] = { "engine", "runtime_supports_json", NULL };
  CLEANUP_STRLIST struct strlist names = { 0 };
  for (size_t i = 0; i < ARRAY_SIZE(own); i++)
    strlist_add(&names, own[i]);
  for (size_t i = 0; i < o->len; i++)
    add_strings(&o->items[i], toml_at(&o->items[i], keys), &names);
  for (size_t i = 0; i < h->len; i++)
    strlist_add(&names, h->items[i].name);
  str_add(out, "runtime_supports_json = [");
  for (size_t i = 0; i < names.len; i++) {
    str_add(out, i ? ", " : "");
    toml_add_string(out, names.items[i]);
  }
  str_add(out, "]\n");
}

int podman_apply(const struct config_text *in, const struct handlers *h, struct str *ret,
                 struct changes *ret_changes, struct strlist *ret_notes, struct error *err) {
  static const char *const keys[] = { "engine", "runtimes", NULL };
  CLEANUP_OTHERS struct others others = { 0 };
  CLEANUP_STR struct str part = { 0 };
  (void)ret_notes;
  if (parse_others(in, &others, err) < 0 || must_be_free(&others, keys, h, err) < 0)
    return -1;
  str_add(&part, HEAD "[engine]\n");
  if (h->chosen)
    str_addf(&part, "runtime = \"%s\"\n", h->chosen);
  add_json_runtimes(&others, h, &part);
  str_add(&part, "\n[engine.runtimes]\n");
  for (size_t i = 0; i < h->len; i++) {
    toml_add_key(&part, h->items[i].name);
    str_add(&part, " = [");
    toml_add_string(&part, h->items[i].path);
    str_add(&part, "]\n");
  }
  return finish(in, &part, keys, h, ret, ret_changes, err);
}

/* podman's own database says it too, in a form of each release's. What the wrapper leaves beside a bundle's
 * config.json says it of all. */
int podman_users(const struct host *h, const struct config_text *in, const struct handlers *handlers,
                 struct strlist *ret_notes, struct error *err) {
  static const char *const keys[] = { "storage", "graphroot", NULL };
  CLEANUP_HOST_FILE struct host_file file = { 0 };
  CLEANUP_TOML struct toml t = { 0 };
  CLEANUP_STRLIST struct strlist found = { 0 };
  (void)in;
  (void)handlers;
  if (host_read(h, "/etc/containers/storage.conf", TOML_LIMIT, &file, err) < 0 ||
      toml_parse("/etc/containers/storage.conf", file.text ? file.text : "", file.len, &t, err) < 0)
    return -1;
  CLEANUP_FREE char *root = toml_string(&t, toml_at(&t, keys));
  CLEANUP_FREE char *glob = xasprintf("%s/*-containers/*/userdata/config.engine.json",
                                      root && *root == '/' ? root : "/var/lib/containers/storage");
  if (host_glob(h, glob, &found, err) < 0)
    return -1;
  for (size_t i = 0; i < found.len; i++) {
    const char *id = strstr(found.items[i], "-containers/") + strlen("-containers/");
    strlist_add_new(
        ret_notes,
        xasprintf("container %.12s was made with it, and cannot be started again; make it anew", id));
  }
  return 0;
}

/* --- CRI-O --- */

static const char *const crio_runtimes[] = { "crio", "runtime", "runtimes", NULL };

/* The last file's entry of that name, of a runtime that is called as runc is; NULL: none. */
static const struct toml_node *crio_entry(const struct others *o, const char *name,
                                          const struct toml **ret_of) {
  const struct toml_node *found = NULL;
  for (size_t i = 0; name && i < o->len; i++) {
    const struct toml_node *node = toml_get(toml_at(&o->items[i], crio_runtimes), name);
    CLEANUP_FREE char *type = toml_string(&o->items[i], toml_get(node, "runtime_type"));
    if (node && (!type || !*type || strcmp(type, "oci") == 0)) {
      found = node;
      *ret_of = &o->items[i];
    }
  }
  return found;
}

/* The entry that ours are to be like: runc's, or that of the default. */
static const struct toml_node *crio_model(const struct others *o, const struct toml **ret_of) {
  static const char *const keys[] = { "crio", "runtime", "default_runtime", NULL };
  const struct toml_node *model = crio_entry(o, "runc", ret_of);
  for (size_t i = o->len; !model && i-- > 0;) {
    CLEANUP_FREE char *chosen = toml_string(&o->items[i], toml_at(&o->items[i], keys));
    if (chosen)
      return crio_entry(o, chosen, ret_of);
  }
  return model ? model : crio_entry(o, "crun", ret_of);
}

static void crio_add(const struct handler *h, const struct toml *of, const struct toml_node *model,
                     struct str *out) {
  static const char *const ours[] = { "runtime_path", "runtime_type", "platform_runtime_paths",
                                      "runtime_config_path", "inherit_default_runtime" };
  str_add(out, "\n[crio.runtime.runtimes.");
  toml_add_key(out, h->name);
  str_add(out, "]\nruntime_path = ");
  toml_add_string(out, h->path);
  str_add(out, "\nruntime_type = \"oci\"\n");
  if (!toml_get(model, "runtime_root"))
    str_add(out, "runtime_root = \"/run/runc\"\n");
  for (const struct toml_node *child = model ? model->first : NULL; child; child = child->next) {
    bool skip = child->kind == TOML_TABLE;
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
      skip = skip || strcmp(child->key, ours[i]) == 0;
    if (skip)
      continue;
    toml_add_key(out, child->key);
    str_add(out, " = ");
    str_add_mem(out, of->text + child->start, child->end - child->start);
    str_add(out, "\n");
  }
}

int crio_apply(const struct config_text *in, const struct handlers *h, struct str *ret,
               struct changes *ret_changes, struct strlist *ret_notes, struct error *err) {
  CLEANUP_OTHERS struct others others = { 0 };
  CLEANUP_STR struct str part = { 0 };
  const struct toml *of = NULL;
  (void)ret_notes;
  if (parse_others(in, &others, err) < 0 || must_be_free(&others, crio_runtimes, h, err) < 0)
    return -1;
  const struct toml_node *model = crio_model(&others, &of);
  str_add(&part, HEAD);
  if (h->chosen)
    str_addf(&part, "[crio.runtime]\ndefault_runtime = \"%s\"\n", h->chosen);
  for (size_t i = 0; i < h->len; i++)
    crio_add(&h->items[i], of, model, &part);
  return finish(in, &part, crio_runtimes, h, ret, ret_changes, err);
}
