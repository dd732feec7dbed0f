/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/tree.h"

#include "manifest/scalar.h"

#include <string.h>
#include <yaml.h>

/* A name for a node, in one document. */
struct anchor {
  char *name;
  const struct node *node;
  bool open; /* its end has not been read */
};

struct reader {
  const struct jsonx_source *src;
  yaml_parser_t parser;
  struct anchor *anchors;
  size_t anchors_len;
  size_t nodes; /* made so far */
};

static void event_free(yaml_event_t *event) {
  yaml_event_delete(event);
}
#define CLEANUP_EVENT CLEANUP(event_free)

static void node_free(struct node *node) {
  if (!node)
    return;
  for (size_t i = 0; i < node->len; i++)
    node_free(node->children[i]);
  free(node->children);
  free(node->text);
  free(node->key);
  free(node);
}
static void node_free_p(struct node **node) {
  node_free(*node);
}
#define CLEANUP_NODE CLEANUP(node_free_p)

static int fail(const struct reader *r, const yaml_mark_t *mark, struct error *err, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
static int fail(const struct reader *r, const yaml_mark_t *mark, struct error *err, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  CLEANUP_FREE char *text = xvasprintf(fmt, args);
  va_end(args);
  return error_set(err, ERROR_INPUT, 0, "%s:%zu:%zu: %s", r->src->name, mark->line + 1, mark->column + 1,
                   text);
}

static int too_deep(const struct reader *r, const yaml_mark_t *mark, struct error *err) {
  return fail(r, mark, err, "more than %d levels", TREE_DEPTH);
}

/* Whoever translates looks each of a pod's volumes up by its name. */
static int check_room(const struct reader *r, const struct node *parent, const yaml_event_t *event,
                      struct error *err) {
  return parent->len < TREE_ITEMS
             ? 0
             : fail(r, &event->start_mark, err, "more than %d items in one list or map", TREE_ITEMS);
}

static int next(struct reader *r, yaml_event_t *event, struct error *err) {
  if (yaml_parser_parse(&r->parser, event))
    return 0;
  if (r->parser.error == YAML_MEMORY_ERROR)
    die_out_of_memory();
  return fail(r, &r->parser.problem_mark, err, "%s%s%s",
              r->parser.problem ? r->parser.problem : "this is no YAML", r->parser.context ? " " : "",
              r->parser.context ? r->parser.context : "");
}

/* --- nodes --- */

static struct node *node_new(struct reader *r, enum node_kind kind, const yaml_mark_t *start,
                             const yaml_mark_t *end, struct error *err) {
  if (++r->nodes > TREE_NODES) {
    (void)fail(r, start, err, "more than %d nodes, aliases counted as often as they are used", TREE_NODES);
    return NULL;
  }
  struct node *node = xcalloc(1, sizeof *node);
  node->kind = kind;
  node->place = (struct node_place){ (unsigned)start->line + 1, (unsigned)start->column + 1,
                                     (unsigned)end->line + 1, (unsigned)end->column + 1 };
  return node;
}

/* Room doubles at powers of two. */
static void append(struct node *parent, struct node *child) {
  if ((parent->len & (parent->len - 1)) == 0)
    parent->children = xrealloc(parent->children, parent->len ? parent->len * 2 : 1, sizeof(void *));
  child->parent = parent;
  child->index = parent->len;
  parent->children[parent->len++] = child;
}

/* An alias is a copy, so that every node has one parent and one path. */
static struct node *copy(struct reader *r, const struct node *from, unsigned depth, const yaml_mark_t *at,
                         struct error *err) {
  if (depth > TREE_DEPTH) {
    (void)too_deep(r, at, err);
    return NULL;
  }
  CLEANUP_NODE struct node *node = node_new(r, from->kind, at, at, err);
  if (!node)
    return NULL;
  node->place = from->place;
  node->text = xstrdup(from->text);
  node->key = xstrdup(from->key);
  node->number = from->number;
  node->truth = from->truth;
  for (size_t i = 0; i < from->len; i++) {
    struct node *child = copy(r, from->children[i], depth + 1, at, err);
    if (!child)
      return NULL;
    append(node, child);
  }
  return steal_ptr(&node);
}

/* --- anchors --- */

static int anchor_add(struct reader *r, const yaml_event_t *event, const yaml_char_t *name,
                      const struct node *node, struct error *err) {
  if (!name)
    return 0;
  if (r->anchors_len == TREE_NAMES)
    return fail(r, &event->start_mark, err, "more than %d anchors in a document", TREE_NAMES);
  const bool open = node->kind == NODE_LIST || node->kind == NODE_MAP;
  r->anchors = xrealloc(r->anchors, r->anchors_len + 1, sizeof *r->anchors);
  r->anchors[r->anchors_len++] = (struct anchor){ xstrdup((const char *)name), node, open };
  return 0;
}

static void anchor_close(struct reader *r, const struct node *node) {
  for (size_t i = r->anchors_len; i-- > 0;)
    if (r->anchors[i].node == node)
      r->anchors[i].open = false;
}

static void anchors_clear(struct reader *r) {
  for (size_t i = 0; i < r->anchors_len; i++)
    free(r->anchors[i].name);
  free(steal_ptr(&r->anchors));
  r->anchors_len = 0;
}

static struct node *alias(struct reader *r, const yaml_event_t *event, unsigned depth, struct error *err) {
  const char *name = (const char *)event->data.alias.anchor;
  for (size_t i = r->anchors_len; i-- > 0;) {
    if (strcmp(r->anchors[i].name, name) != 0)
      continue;
    if (!r->anchors[i].open)
      return copy(r, r->anchors[i].node, depth, &event->start_mark, err);
    (void)fail(r, &event->start_mark, err, "the alias *%s stands inside its own anchor", name);
    return NULL;
  }
  (void)fail(r, &event->start_mark, err, "there is no anchor &%s before this alias", name);
  return NULL;
}

/* --- maps and lists --- */

static int check_tag(const struct reader *r, const yaml_event_t *event, const yaml_char_t *tag,
                     struct error *err) {
  static const char *const known[] = { YAML_STR_TAG,  YAML_INT_TAG, YAML_BOOL_TAG, YAML_FLOAT_TAG,
                                       YAML_NULL_TAG, YAML_MAP_TAG, YAML_SEQ_TAG,  "!" };
  for (size_t i = 0; tag && i < ARRAY_SIZE(known); i++)
    if (strcmp((const char *)tag, known[i]) == 0)
      return 0;
  return tag ? fail(r, &event->start_mark, err, "the tag %s is not known here", (const char *)tag) : 0;
}

static struct node *member(const struct node *map, const char *key) {
  for (size_t i = 0; i < map->len; i++)
    if (strcmp(map->children[i]->key, key) == 0)
      return map->children[i];
  return NULL;
}

static struct node *read_node(struct reader *r, const yaml_event_t *event, unsigned depth, struct error *err);

static struct node *read_scalar(struct reader *r, const yaml_event_t *event, struct error *err) {
  struct node *node = node_new(r, NODE_STRING, &event->start_mark, &event->end_mark, err);
  if (!node)
    return NULL;
  const char *tag = (const char *)event->data.scalar.tag;
  node->text = xstrdup((const char *)event->data.scalar.value);
  bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  if (tag ? strcmp(tag, YAML_STR_TAG) != 0 && strcmp(tag, "!") != 0 : plain)
    scalar_resolve(node);
  /* A NUL is legal as "\0" and ends a C string too early. */
  if (strlen(node->text) != event->data.scalar.length) {
    (void)fail(r, &event->start_mark, err, "a NUL in a string");
    node_free(node);
    return NULL;
  }
  return node;
}

static int read_list(struct reader *r, struct node *list, unsigned depth, struct error *err) {
  for (;;) {
    CLEANUP_EVENT yaml_event_t event = { 0 };
    if (next(r, &event, err) < 0)
      return -1;
    if (event.type == YAML_SEQUENCE_END_EVENT)
      return 0;
    if (check_room(r, list, &event, err) < 0)
      return -1;
    struct node *item = read_node(r, &event, depth + 1, err);
    if (!item)
      return -1;
    append(list, item);
  }
}

static bool same_key(const void *a, const void *b) {
  return strcmp((*(struct node *const *)a)->key, (*(struct node *const *)b)->key) == 0;
}
static int by_key(const void *a, const void *b) {
  return strcmp((*(struct node *const *)a)->key, (*(struct node *const *)b)->key);
}

/* All at once, after the map was read: a map of many keys must not cost their square. */
static int check_keys(const struct reader *r, const struct node *map, struct error *err) {
  if (map->len < 2)
    return 0;
  CLEANUP_FREE struct node **sorted = xcalloc(map->len, sizeof(void *));
  memcpy(sorted, map->children, map->len * sizeof(void *));
  qsort(sorted, map->len, sizeof(void *), by_key);
  for (size_t i = 1; i < map->len; i++) {
    if (!same_key(&sorted[i - 1], &sorted[i]))
      continue;
    const struct node *second = sorted[i - 1]->index > sorted[i]->index ? sorted[i - 1] : sorted[i];
    return error_set(err, ERROR_INPUT, 0, "%s:%u:%u: the key \"%s\" is there twice", r->src->name,
                     second->place.line, second->place.column, second->key);
  }
  return 0;
}

/* The value of a map's merge key. */
struct merged {
  struct node *value; /* NULL: there is none */
  size_t before;      /* so many members stand before it */
};
static void merged_free(struct merged *merged) {
  node_free(merged->value);
}

/* `<<: *a` and `<<: [*a, *b]`: members that the map does not have itself, of the first that has them. What
 * stands before the merge key and in it too, go-yaml 2 takes from the merge key, later readers from the map.
 */
static int merge(struct reader *r, struct node *map, const struct node *from, size_t before, unsigned depth,
                 const yaml_mark_t *at, struct error *err) {
  if (from->kind == NODE_LIST) {
    for (size_t i = 0; i < from->len; i++) {
      if (from->children[i]->kind == NODE_LIST)
        return fail(r, at, err, "a merge key takes a map, or a list of maps");
      if (merge(r, map, from->children[i], before, depth, at, err) < 0)
        return -1;
    }
    return 0;
  }
  if (from->kind != NODE_MAP)
    return fail(r, at, err, "a merge key takes a map, or a list of maps");
  if (from->len > TREE_NAMES)
    return fail(r, at, err, "a merge key of more than %d members", TREE_NAMES);
  if (map->len > TREE_NAMES)
    return fail(r, at, err, "a merge key into a map of more than %d members", TREE_NAMES);
  for (size_t i = 0; i < from->len; i++) {
    const struct node *own = member(map, from->children[i]->key);
    if (own && own->index < before)
      return error_set(
          err, ERROR_INPUT, 0,
          "%s:%u:%u: the key \"%s\" stands before a merge key that has it too: which one counts is "
          "read differently; put the merge key first",
          r->src->name, own->place.line, own->place.column, own->key);
    if (own)
      continue;
    struct node *taken = copy(r, from->children[i], depth, at, err);
    if (!taken)
      return -1;
    append(map, taken);
  }
  return 0;
}

/* `<<` as it is, and nothing else: by a tag a quoted one becomes a merge key as well, and a plain one may be
 * none. */
static int is_merge_key(const struct reader *r, const yaml_event_t *key, bool *ret, struct error *err) {
  enum { PLAIN = 2, QUOTED = 4 };
  const size_t written = key->end_mark.index - key->start_mark.index; /* with tag and anchor */
  *ret = false;
  if (strcmp((const char *)key->data.scalar.value, "<<") != 0)
    return 0;
  const bool plain = key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  *ret = plain;
  return written == (plain ? PLAIN : QUOTED)
             ? 0
             : fail(r, &key->start_mark, err, "whether this is a merge key is read differently: write <<");
}

/* One key and its value; the value of a merge key is handed back instead of appended. */
static int read_member(struct reader *r, struct node *map, const yaml_event_t *key, unsigned depth,
                       struct merged *ret_merged, struct error *err) {
  if (key->type != YAML_SCALAR_EVENT)
    return fail(r, &key->start_mark, err, "a key must be a plain word or a string");
  const char *name = (const char *)key->data.scalar.value;
  if (strlen(name) != key->data.scalar.length)
    return fail(r, &key->start_mark, err, "a NUL in a key");
  bool is_merge;
  if (check_tag(r, key, key->data.scalar.tag, err) < 0 || is_merge_key(r, key, &is_merge, err) < 0)
    return -1;
  CLEANUP_EVENT yaml_event_t event = { 0 };
  if (next(r, &event, err) < 0)
    return -1;
  struct node *value = read_node(r, &event, depth + 1, err);
  if (!value)
    return -1;
  if (is_merge) {
    if (ret_merged->value) {
      node_free(value);
      return fail(r, &key->start_mark, err, "the key \"<<\" is there twice");
    }
    *ret_merged = (struct merged){ value, map->len };
    return 0;
  }
  free(value->key);
  value->key = xstrdup(name);
  value->place.line = (unsigned)key->start_mark.line + 1;
  value->place.column = (unsigned)key->start_mark.column + 1;
  if (value->kind == NODE_LIST || value->kind == NODE_MAP || event.type == YAML_ALIAS_EVENT) {
    value->place.end_line = (unsigned)key->end_mark.line + 1;
    value->place.end_column = (unsigned)key->end_mark.column + 1;
  }
  append(map, value);
  return 0;
}

static int read_map(struct reader *r, struct node *map, unsigned depth, struct error *err) {
  struct merged merged CLEANUP(merged_free) = { 0 };
  for (;;) {
    CLEANUP_EVENT yaml_event_t event = { 0 };
    if (next(r, &event, err) < 0)
      return -1;
    if (event.type == YAML_MAPPING_END_EVENT) {
      if (check_keys(r, map, err) < 0)
        return -1;
      return merged.value ? merge(r, map, merged.value, merged.before, depth + 1, &event.start_mark, err) : 0;
    }
    if (check_room(r, map, &event, err) < 0 || read_member(r, map, &event, depth, &merged, err) < 0)
      return -1;
  }
}

/* The node that begins with this event. */
static struct node *read_node(struct reader *r, const yaml_event_t *event, unsigned depth,
                              struct error *err) {
  if (event->type == YAML_ALIAS_EVENT)
    return alias(r, event, depth, err);
  if (depth > TREE_DEPTH) {
    (void)too_deep(r, &event->start_mark, err);
    return NULL;
  }
  if (event->type == YAML_SCALAR_EVENT) {
    if (check_tag(r, event, event->data.scalar.tag, err) < 0)
      return NULL;
    CLEANUP_NODE struct node *scalar = read_scalar(r, event, err);
    if (!scalar || anchor_add(r, event, event->data.scalar.anchor, scalar, err) < 0)
      return NULL;
    return steal_ptr(&scalar);
  }
  bool is_map = event->type == YAML_MAPPING_START_EVENT;
  const yaml_char_t *tag = is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
  if (check_tag(r, event, tag, err) < 0)
    return NULL;
  CLEANUP_NODE struct node *node =
      node_new(r, is_map ? NODE_MAP : NODE_LIST, &event->start_mark, &event->end_mark, err);
  if (!node)
    return NULL;
  const yaml_char_t *anchor = is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
  if (anchor_add(r, event, anchor, node, err) < 0 ||
      (is_map ? read_map(r, node, depth, err) : read_list(r, node, depth, err)) < 0)
    return NULL;
  if (anchor)
    anchor_close(r, node);
  return steal_ptr(&node);
}

/* --- documents --- */

static int read_documents(struct reader *r, struct tree *tree, struct error *err) {
  for (;;) {
    CLEANUP_EVENT yaml_event_t event = { 0 };
    if (next(r, &event, err) < 0)
      return -1;
    switch ((int)event.type) {
    case YAML_STREAM_END_EVENT:
      return 0;
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_START_EVENT:
      continue;
    case YAML_DOCUMENT_END_EVENT:
      anchors_clear(r);
      continue;
    default:
      break;
    }
    CLEANUP_NODE struct node *document = read_node(r, &event, 0, err);
    if (!document)
      return -1;
    if (document->kind == NODE_NULL)
      continue;
    tree->documents = xrealloc(tree->documents, tree->len + 1, sizeof(void *));
    tree->documents[tree->len++] = steal_ptr(&document);
  }
}

int tree_read(struct tree *ret, const struct jsonx_source *src, struct error *err) {
  struct reader r = { .src = src };
  CLEANUP_TREE struct tree tree = { 0 };
  if (!yaml_parser_initialize(&r.parser))
    die_out_of_memory();
  yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
  size_t mark = src->len >= 3 && memcmp(src->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* a byte order mark */
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)src->text + mark, src->len - mark);
  int result = read_documents(&r, &tree, err);
  anchors_clear(&r);
  yaml_parser_delete(&r.parser);
  if (result < 0)
    return -1;
  *ret = tree;
  tree = (struct tree){ 0 };
  return 0;
}

void tree_free(struct tree *tree) {
  for (size_t i = 0; i < tree->len; i++)
    node_free(tree->documents[i]);
  free(tree->documents);
  *tree = (struct tree){ 0 };
}

/* --- reading it --- */

const struct node *node_get(const struct node *map, const char *key) {
  if (!map || map->kind != NODE_MAP)
    return NULL;
  const struct node *found = member(map, key);
  return found && found->kind != NODE_NULL ? found : NULL;
}

static void path_add(const struct node *node, struct str *path) {
  if (!node->parent)
    return;
  path_add(node->parent, path);
  if (!node->key) {
    str_addf(path, "[%zu]", node->index);
    return;
  }
  bool word = *node->key && !node->key[strcspn(node->key, ".[]\"' ")];
  str_addf(path, word ? "%s%s" : "%.0s[\"%s\"]", path->len && word ? "." : "", node->key);
}

char *node_path(const struct node *node) {
  struct str path = { 0 };
  path_add(node, &path);
  return str_steal(&path);
}

const char *node_kind_name(enum node_kind kind) {
  switch (kind) {
  case NODE_NULL:
    return "null";
  case NODE_BOOL:
    return "a boolean";
  case NODE_INT:
    return "an integer";
  case NODE_FLOAT:
    return "a number";
  case NODE_STRING:
    return "a string";
  case NODE_LIST:
    return "a list";
  case NODE_MAP:
    return "a map";
  }
  return "";
}
