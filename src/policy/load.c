/* SPDX-License-Identifier: Apache-2.0 */
#include "io/fileio.h"
#include "policy/decode.h"
#include "policy/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* One text of an `extends` chain. */
struct layer {
  char *name; /* NULL: a text of no name */
  bool builtin;
  const struct policy_packed *packed; /* the whole chain from here on; NULL: to be read */
  char *label;                        /* what messages call it */
  char *data;                         /* NULL when the text is borrowed */
  struct jsonx_source src;
  json_t *root;
};

struct chain {
  struct layer layers[POLICY_DEPTH]; /* the child first */
  size_t len;
};

static void chain_free(struct chain *chain) {
  for (size_t i = 0; i < chain->len; i++) {
    free(chain->layers[i].name);
    free(chain->layers[i].label);
    free(chain->layers[i].data);
    json_decref(chain->layers[i].root);
  }
  chain->len = 0;
}

/* Who can write the directory can take an override away and so bring a looser built-in back. */
static int check_directory(int fd, const char *dir, struct error *err) {
  struct stat st;
  if (fstat(fd, &st) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot stat %s", dir);
  if (!file_owner_is_trusted(st.st_uid))
    return error_set(err, ERROR_POLICY, 0, "%s is not trusted: it belongs to uid %u; chown it to root", dir,
                     (unsigned)st.st_uid);
  if (st.st_mode & (S_IWGRP | S_IWOTH))
    return error_set(err, ERROR_POLICY, 0, "%s is not trusted: mode %04o lets others write it; chmod go-w it",
                     dir, (unsigned)(st.st_mode & 07777));
  return 0;
}

/* *ret_found is false when there is no such file; a link to nowhere is a file that cannot be read. */
static int has_file(const char *dir, const char *file, bool *ret_found, struct error *err) {
  CLEANUP_FD int fd = path_open(AT_FDCWD, dir, O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  if (fd < 0 && errno == ENOENT) {
    *ret_found = false;
    return 0;
  }
  if (fd < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot open the policy directory %s", dir);
  if (check_directory(fd, dir, err) < 0)
    return -1;
  struct stat st;
  *ret_found = fstatat(fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0;
  if (!*ret_found && errno != ENOENT)
    return error_set(err, ERROR_SYSTEM, errno, "cannot look for %s/%s", dir, file);
  return 0;
}

static int layer_from_file(struct layer *layer, const char *dir, bool *ret_found, struct error *err) {
  CLEANUP_FREE char *file = xasprintf("%s.json", layer->name);
  if (has_file(dir, file, ret_found, err) < 0)
    return -1;
  if (!*ret_found)
    return 0;
  layer->label = xasprintf("%s/%s", dir, file);
  if (file_read_trusted(layer->label, POLICY_SIZE_MAX, &layer->data, &layer->src.len, err) < 0) {
    if (err->code == ERROR_INPUT)
      err->code = ERROR_POLICY;
    return -1;
  }
  layer->src.name = layer->label;
  layer->src.text = layer->data;
  return 0;
}

static const struct policy_packed *packed_find(const char *name) {
  for (const struct policy_packed *p = policies_packed; p->name; p++)
    if (strcmp(p->name, name) == 0)
      return p;
  return NULL;
}

static int layer_from_builtin(struct layer *layer, const char *dir, struct error *err) {
  const struct builtin *b = builtin_find(builtin_policies, layer->name);
  if (!b) {
    CLEANUP_STR struct str known = { 0 };
    for (b = builtin_policies; b->name; b++)
      str_addf(&known, "%s%s", known.len ? ", " : "", b->name);
    return error_set(err, ERROR_POLICY, 0, "there is no policy \"%s\"%s%s; built in are: %s", layer->name,
                     dir ? " in " : "", dir ? dir : "", known.len ? known.data : "none");
  }
  layer->builtin = true;
  layer->packed = packed_find(layer->name);
  layer->label = xasprintf("built-in/%s.json", layer->name);
  layer->src = (struct jsonx_source){ layer->label, b->text, b->len };
  return 0;
}

static int layer_find(struct layer *layer, const char *dir, bool only_builtin, struct error *err) {
  bool found = false;
  if (dir && !only_builtin && layer_from_file(layer, dir, &found, err) < 0)
    return -1;
  return found ? 0 : layer_from_builtin(layer, dir, err);
}

/* Appends the policy of that name; `child` (NULL: none) is the text that extends it. */
static int chain_add(struct chain *chain, const char *dir, const char *name, struct error *err) {
  const struct layer *child = chain->len ? &chain->layers[chain->len - 1] : NULL;
  if (!policy_name_is_valid(name))
    return error_set(err, ERROR_POLICY, 0,
                     "\"%s\" is no policy's name: use lower case letters, digits, '.', '_' and '-'", name);
  if (chain->len == POLICY_DEPTH)
    return jsonx_error(err, ERROR_POLICY, &child->src, "/extends", "is the %dth level; %d are the most",
                       POLICY_DEPTH + 1, POLICY_DEPTH);
  bool own_name = child && child->name && strcmp(child->name, name) == 0;
  struct layer *layer = &chain->layers[chain->len++];
  *layer = (struct layer){ .name = xstrdup(name) };
  if (layer_find(layer, dir, child && (child->builtin || own_name), err) < 0) {
    if (child)
      error_wrap(err, "%s: /extends", child->src.name);
    return -1;
  }
  for (const struct layer *l = chain->layers; l < layer; l++)
    if (l->name && strcmp(l->name, name) == 0 && l->builtin == layer->builtin)
      return jsonx_error(err, ERROR_POLICY, &child->src, "/extends",
                         "closes a circle: \"%s\" extends, in the end, itself", name);
  return 0;
}

/* Follows `extends` from the last layer on. */
static int chain_follow(struct chain *chain, const char *dir, struct error *err) {
  for (;;) {
    struct layer *last = &chain->layers[chain->len - 1];
    if (last->packed)
      return 0;
    if (policy_parse(&last->src, &last->root, err) < 0)
      return -1;
    const json_t *extends = json_object_get(last->root, "extends");
    if (!extends || json_is_null(extends))
      return 0;
    if (!json_is_string(extends) || jsonx_is_integer(extends))
      return jsonx_error(err, ERROR_POLICY, &last->src, "/extends", "must be a string");
    if (chain_add(chain, dir, json_string_value(extends), err) < 0)
      return -1;
  }
}

/* From the root of the chain to the child. */
static int chain_decode(const struct chain *chain, struct policy *ret, struct error *err) {
  CLEANUP_POLICY struct policy policy = { 0 };
  policy_init(&policy);
  for (size_t i = chain->len; i-- > 0;) {
    const struct layer *layer = &chain->layers[i];
    if (layer->packed) {
      policy_unpack(layer->packed, &policy);
      continue;
    }
    if (policy_decode_root(&policy, layer->root, &layer->src, err) < 0)
      return -1;
    if (layer->name && policy.name && strcmp(layer->name, policy.name) != 0)
      return jsonx_error(err, ERROR_POLICY, &layer->src, "/name",
                         "is \"%s\", but the file's name makes it \"%s\"", policy.name, layer->name);
    if (!policy.name)
      policy.name = xstrdup(layer->name);
  }
  policy.packed = chain->layers[0].packed;
  *ret = policy;
  memset(&policy, 0, sizeof policy);
  return 0;
}

int policy_load(const char *dir, const char *name, struct policy *ret, struct error *err) {
  CLEANUP(chain_free) struct chain chain = { 0 };
  if (chain_add(&chain, dir, name, err) < 0 || chain_follow(&chain, dir, err) < 0)
    return -1;
  return chain_decode(&chain, ret, err);
}

int policy_load_text(const char *dir, const struct jsonx_source *src, struct policy *ret, struct error *err) {
  CLEANUP(chain_free) struct chain chain = { .layers = { { .src = *src } }, .len = 1 };
  if (chain_follow(&chain, dir, err) < 0)
    return -1;
  return chain_decode(&chain, ret, err);
}
