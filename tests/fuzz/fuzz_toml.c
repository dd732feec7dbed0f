/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as containerd's config.toml and as dockerd's daemon.json. What takes our runtimes gives them back
 * byte for byte, also when it was edited in between.
 */
#include "install/containerd.h"
#include "install/docker.h"
#include "install/engine.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds, const char *what) {
  if (holds)
    return;
  fprintf(stderr, "fuzz_toml: %s\n", what);
  abort();
}

/* Every node lies within the text, below its parent, and its name can be written and read again. */
static void walk(const struct toml *t, const struct toml_node *node) {
  expect(node->start <= node->end || node->origin == TOML_IMPLIED || node->origin == TOML_BY_DOTS ||
             node->kind == TOML_ARRAY,
         "a node that ends before it begins");
  expect(node->end <= t->len && node->line_end <= t->len, "a node behind the end");
  CLEANUP_FREE char *value = toml_string(t, node);
  expect(!value == (node->kind != TOML_STRING), "a string without a value");
  for (const struct toml_node *child = node->first; child; child = child->next) {
    expect(child->parent == node, "a lost child");
    if (child->key)
      expect(toml_get(node, child->key) == child, "a key that does not lead to its value");
    walk(t, child);
  }
}

struct way {
  int (*apply)(const struct config_text *in, const struct handlers *h, struct str *ret,
               struct changes *ret_changes, struct strlist *ret_notes, struct error *err);
  int (*take_back)(const struct config_text *in, const struct handlers *h, const struct changes *changes,
                   struct str *ret, struct strlist *ret_notes, struct error *err);
};
static const struct way ways[] = { { containerd_apply, containerd_take_back },
                                   { docker_apply, docker_take_back } };

static void apply(const struct way *way, const struct config_text *in, const struct handlers *h) {
  CLEANUP_CHANGES struct changes changes = { 0 };
  CLEANUP_STRLIST struct strlist notes = { 0 };
  CLEANUP_STR struct str with = { 0 };
  CLEANUP_STR struct str back = { 0 };
  CLEANUP_STR struct str again = { 0 };
  struct error err = { 0 };
  if (way->apply(in, h, &with, &changes, &notes, &err) < 0) {
    expect(err.code == ERROR_INPUT || err.code == ERROR_REFUSED, err.message);
    return;
  }
  const struct config_text now = { .name = "config.toml", .text = with.data, .len = with.len };
  expect(way->take_back(&now, h, &changes, &back, &notes, &err) == 0, err.message);
  expect(back.len == in->len && memcmp(back.data, in->text, in->len) == 0, "another text came back");
  /* Somebody sets a key of ours: the verbatim cut fails, and the tables are found by their names. */
  char *mine = strstr(with.data, "/opt/x");
  expect(mine, "ours are not there");
  mine[strlen("/opt/")] = 'y';
  expect(way->take_back(&now, h, &changes, &again, &notes, &err) == 0 || err.code == ERROR_INPUT,
         err.message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  CLEANUP_FREE char *text = xcalloc(size + 1, 1);
  memcpy(text, data, size);
  const struct config_text in = { .name = "config.toml", .text = text, .len = size };
  CLEANUP_TOML struct toml t = { 0 };
  struct error err = { 0 };
  if (toml_parse(in.name, text, size, &t, &err) == 0) {
    walk(&t, t.root);
    expect(toml_same(&t, &t), "a document that is not itself");
  } else {
    expect(err.code == ERROR_INPUT, "a failure of another kind");
  }
  for (int make_default = 0; make_default < 2; make_default++) {
    CLEANUP_HANDLERS struct handlers h = { 0 };
    handlers_put(&h, "hardened", NULL, "/opt/x");
    handlers_put(&h, "hardened-strict", "strict", "/opt/x");
    h.chosen = make_default ? xstrdup("hardened") : NULL;
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
      apply(&ways[i], &in, &h);
  }
  return 0;
}
