/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/manifest.h"

#include "manifest/compose.h"
#include "manifest/pod.h"

#include <string.h>

/* --- what it is --- */

static enum manifest_kind kind_of(const struct tree *tree) {
  const struct node *first = tree->len ? tree->documents[0] : NULL;
  if (node_get(first, "ociVersion"))
    return MANIFEST_NONE;
  if (node_get(first, "apiVersion") || node_get(first, "kind"))
    return MANIFEST_KUBERNETES;
  const struct node *services = node_get(first, "services");
  return services && services->kind == NODE_MAP ? MANIFEST_COMPOSE : MANIFEST_NONE;
}

/* An OCI document, which is an object of JSON with one of these, is read by the strict reader alone: it is
 * that one whose errors its author should see. */
enum manifest_kind manifest_kind_of(const struct jsonx_source *src) {
  struct error err = { 0 };
  CLEANUP_TREE struct tree tree = { 0 };
  return tree_read(&tree, src, &err) < 0 ? MANIFEST_NONE : kind_of(&tree);
}

int manifest_read(struct manifest *ret, const struct jsonx_source *src, struct error *err) {
  struct translation t = { .src = src, .err = err };
  if (tree_read(&ret->tree, src, err) < 0)
    return -1;
  ret->kind = kind_of(&ret->tree);
  switch (ret->kind) {
  case MANIFEST_NONE:
    break;
  case MANIFEST_KUBERNETES:
    return kubernetes_translate(&t, ret);
  case MANIFEST_COMPOSE:
    return compose_translate(&t, ret);
  }
  return error_set(
      err, ERROR_INPUT, 0,
      "%s: neither an OCI config or process file, nor a manifest of Kubernetes (apiVersion, kind), "
      "nor a compose file (services)",
      src->name);
}

/* --- containers --- */

void manifest_add(struct translation *t, struct manifest *manifest, char *name, const struct node *node) {
  manifest->containers = xrealloc(manifest->containers, manifest->len + 1, sizeof *manifest->containers);
  manifest->containers[manifest->len] = (struct manifest_container){ .name = name, .node = node };
  t->container = &manifest->containers[manifest->len++];
}

static void container_free(struct manifest_container *c) {
  free(c->name);
  json_decref(c->config);
  for (size_t i = 0; i < c->origins_len; i++)
    free(c->origins[i].pointer);
  free(c->origins);
  for (size_t i = 0; i < c->notes_len; i++)
    free(c->notes[i].text);
  free(c->notes);
  strlist_free(&c->host_namespaces);
}

void manifest_free(struct manifest *manifest) {
  for (size_t i = 0; i < manifest->len; i++)
    container_free(&manifest->containers[i]);
  free(manifest->containers);
  tree_free(&manifest->tree);
  strlist_free(&manifest->skipped);
  *manifest = (struct manifest){ 0 };
}

/* --- places --- */

static void place(const struct node *node, const char *missing, struct manifest_place *ret) {
  CLEANUP_FREE char *there = node_path(node);
  ret->path = xasprintf("%s%s%s", there, *there && *missing ? "." : "", missing);
  ret->at = node->place;
}

/* Of two for one pointer the later one. */
static const struct manifest_origin *find(const struct manifest_container *c, const char *pointer,
                                          size_t len) {
  for (size_t i = c->origins_len; i-- > 0;)
    if (strncmp(c->origins[i].pointer, pointer, len) == 0 && !c->origins[i].pointer[len])
      return &c->origins[i];
  return NULL;
}

void manifest_locate(const struct manifest_container *c, const char *pointer, struct manifest_place *ret) {
  for (size_t len = strlen(pointer); len > 0;) {
    const struct manifest_origin *origin = find(c, pointer, len);
    if (origin && origin->node) {
      *ret = (struct manifest_place){ 0 };
      place(origin->node, origin->missing, ret);
      return;
    }
    if (origin)
      break;
    do
      len--;
    while (len > 0 && pointer[len] != '/');
  }
  *ret = (struct manifest_place){ .engines = true };
  place(c->node, "", ret);
}

void manifest_locate_note(const struct manifest_note *note, struct manifest_place *ret) {
  *ret = (struct manifest_place){ 0 };
  place(note->node, note->missing, ret);
}

void manifest_place_free(struct manifest_place *place) {
  free(place->path);
  *place = (struct manifest_place){ 0 };
}
