/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML (and so JSON) as a tree in which every node knows its place in the file.
 *
 * The events are libyaml's. What is a boolean, a number, or null is decided as by go-yaml 2, which
 * Kubernetes' tools read with (sigs.k8s.io/yaml): YAML 1.1's words, so that a plain `yes`, `on` or `y` is a
 * boolean there and a string for readers of YAML 1.2. The text as it was written is kept, for those
 * (docker-compose).
 *
 * Refused, with file:line:column: what libyaml cannot read; equal keys of one map, of which readers take the
 * first, the last, or neither, a member that stands before a merge key (`<<`) with the same one among them;
 * keys that are no scalars; tags other than YAML's own, and any on a merge key; an alias inside its own
 * anchor; more than TREE_DEPTH levels, TREE_ITEMS items of one list or map, or TREE_NODES nodes, aliases and
 * merge keys counted as often as they are used; more than TREE_NAMES anchors of a document, or members
 * of a merge key or of a map that has one, since each is compared with all others.
 */
#ifndef HARDEN_MANIFEST_TREE_H
#define HARDEN_MANIFEST_TREE_H

#include "base/error.h"
#include "io/jsonx.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TREE_DEPTH = 100, TREE_NODES = 1000000, TREE_ITEMS = 10000, TREE_NAMES = 1000 };

enum node_kind { NODE_NULL, NODE_BOOL, NODE_INT, NODE_FLOAT, NODE_STRING, NODE_LIST, NODE_MAP };

/* Columns count characters. */
struct node_place {
  unsigned line, column;         /* from 1; of the key, for a member of a map */
  unsigned end_line, end_column; /* behind the value, or of a list or map behind its key or first character */
};

struct node {
  enum node_kind kind;
  char *text; /* a scalar's, never NULL there; escapes resolved */
  int64_t number;
  bool truth;
  char *key;    /* as a member of a map, else NULL */
  size_t index; /* among its siblings */
  struct node_place place;
  const struct node *parent; /* NULL for a document */
  struct node **children;
  size_t len;
};

/* The documents of a file, without the empty ones. Zero-initialise. */
struct tree {
  struct node **documents;
  size_t len;
};

/* Errors are ERROR_INPUT. The tree keeps nothing of the source. */
int tree_read(struct tree *ret, const struct jsonx_source *src, struct error *err) MUST_CHECK;
void tree_free(struct tree *tree);
#define CLEANUP_TREE CLEANUP(tree_free)

/* The member of a map; NULL for anything else, and for null, which counts as absent. */
const struct node *node_get(const struct node *map, const char *key);
/* How many members or items; 0 for NULL. Here, so that analysers see that there is no child of NULL. */
static inline size_t node_len(const struct node *node) {
  return node ? node->len : 0;
}
/* "spec.containers[0].securityContext", as kubectl and jq write it; the caller frees. "" for a document. */
char *node_path(const struct node *node) MUST_CHECK;
/* "a map", "a boolean" ... for messages. */
const char *node_kind_name(enum node_kind kind);

#endif
