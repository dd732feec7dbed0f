/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/pod.h"

#include <string.h>

/* Kinds with a pod in them, and where. */
static const struct {
  const char *kind, *template;
} kinds[] = {
  { "Pod", "" },
  { "PodTemplate", "template" },
  { "Deployment", "spec.template" },
  { "StatefulSet", "spec.template" },
  { "DaemonSet", "spec.template" },
  { "ReplicaSet", "spec.template" },
  { "ReplicationController", "spec.template" },
  { "Job", "spec.template" },
  { "CronJob", "spec.jobTemplate.spec.template" },
};

static char *title_of(struct translation *t, const struct node *document, const char *kind) {
  const struct node *metadata = node_get(document, "metadata");
  const char *name = text_of(t, node_get(metadata, "name"), NULL);
  if (!name)
    name = text_of(t, node_get(metadata, "generateName"), "(without a name)");
  return xasprintf("%s %s/%s", kind, text_of(t, node_get(metadata, "namespace"), "default"), name);
}

static void object(struct translation *t, struct manifest *manifest, const struct node *document,
                   unsigned depth) {
  enum { LISTS_MAX = 3 };
  if (document->kind != NODE_MAP) {
    mistake(t, document, "an object of Kubernetes is to stand here, not %s", node_kind_name(document->kind));
    return;
  }
  const char *kind = text_of(t, node_get(document, "kind"), NULL);
  if (!kind) {
    mistake(t, document, "it has no kind");
    return;
  }
  if (str_ends(kind, "List")) {
    const struct node *items = read_list(t, document, "items");
    if (depth == LISTS_MAX)
      mistake(t, document, "more than %d lists in one another", LISTS_MAX);
    for (size_t i = 0; i < node_len(items) && !t->failed; i++)
      object(t, manifest, items->children[i], depth + 1);
    return;
  }
  CLEANUP_FREE char *title = title_of(t, document, kind);
  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
    if (strcmp(kinds[i].kind, kind) != 0)
      continue;
    const struct node *template = node_at(document, kinds[i].template);
    if (template)
      pod_translate(t, manifest, document, template, title);
    else
      mistake(t, document, "a %s without %s", kind, kinds[i].template);
    return;
  }
  strlist_add(&manifest->skipped, title);
}

int kubernetes_translate(struct translation *t, struct manifest *manifest) {
  for (size_t i = 0; i < manifest->tree.len && !t->failed; i++)
    object(t, manifest, manifest->tree.documents[i], 0);
  return t->failed ? -1 : 0;
}
