/* SPDX-License-Identifier: Apache-2.0 */
/* YAML as a tree: what scalars mean, where nodes stand, and what is refused. */
#include "manifest/scalar.h"
#include "manifest/tree.h"

#include <criterion/criterion.h>
#include <string.h>

static int parse(const char *text, struct tree *tree, struct error *err) {
  const struct jsonx_source src = { "f.yaml", text, strlen(text) };
  return tree_read(tree, &src, err);
}

static void refused(const char *text, const char *message) {
  CLEANUP_TREE struct tree tree = { 0 };
  struct error err = { 0 };
  cr_expect_eq(parse(text, &tree, &err), -1, "%s was read", text);
  cr_expect_eq(err.code, ERROR_INPUT);
  cr_expect(str_starts(err.message, message), "%s: %s, not %s", text, err.message, message);
  cr_expect_eq(tree.len, 0);
}

static void scalar(const char *text, enum node_kind kind, int64_t number) {
  CLEANUP_TREE struct tree tree = { 0 };
  CLEANUP_FREE char *document = xasprintf("k: %s\n", text);
  struct error err = { 0 };
  cr_assert_eq(parse(document, &tree, &err), 0, "%s", err.message);
  const struct node *node = tree.documents[0]->children[0];
  cr_expect_eq(node->kind, kind, "%s is %s", text, node_kind_name(node->kind));
  if (kind == NODE_INT)
    cr_expect_eq(node->number, number, "%s is %ld", text, (long)node->number);
  if (kind == NODE_BOOL)
    cr_expect_eq(node->truth, number != 0, "%s", text);
}

Test(tree, booleans_are_those_of_yaml_1_1) {
  static const char *const trues[] = {
    "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"
  };
  static const char *const falses[] = { "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off" };
  static const char *const strings[] = { "yEs",  "'yes'", "\"true\"", "!!str yes", "! on",
                                         "tRUE", "0755x", "_",        "|\n  true" };
  for (size_t i = 0; i < ARRAY_SIZE(trues); i++)
    scalar(trues[i], NODE_BOOL, 1);
  for (size_t i = 0; i < ARRAY_SIZE(falses); i++)
    scalar(falses[i], NODE_BOOL, 0);
  for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
    scalar(strings[i], NODE_STRING, 0);
}

Test(tree, numbers_are_gos) {
  scalar("0", NODE_INT, 0);
  scalar("1000", NODE_INT, 1000);
  scalar("-7", NODE_INT, -7);
  scalar("+7", NODE_INT, 7);
  scalar("0644", NODE_INT, 420);
  scalar("0o644", NODE_INT, 420);
  scalar("0x1F", NODE_INT, 31);
  scalar("0b101", NODE_INT, 5);
  scalar("1_000", NODE_INT, 1000);
  scalar("9223372036854775807", NODE_INT, INT64_MAX);
  scalar("-9223372036854775808", NODE_INT, INT64_MIN);
  scalar("9223372036854775808", NODE_FLOAT, 0);
  scalar("089", NODE_FLOAT, 0); /* no octal number, and Go falls back to a float */
  scalar("1.5", NODE_FLOAT, 0);
  scalar(".5e3", NODE_FLOAT, 0);
  scalar(".inf", NODE_FLOAT, 0);
  scalar("inf", NODE_STRING, 0);
  scalar("1:30", NODE_STRING, 0);
  scalar("0x", NODE_STRING, 0);
  scalar("~", NODE_NULL, 0);
  scalar("", NODE_NULL, 0);
  scalar("Null", NODE_NULL, 0);
  scalar("''", NODE_STRING, 0);
}

static void place(const struct tree *tree, size_t document, const char *keys, unsigned line, unsigned column,
                  const char *path) {
  const struct node *node = tree->documents[document];
  for (const char *p = keys; *p; p++)
    node = node->children[*p - '0'];
  CLEANUP_FREE char *got = node_path(node);
  cr_expect_str_eq(got, path);
  cr_expect(node->place.line == line && node->place.column == column, "%s: %u:%u, not %u:%u", path,
            node->place.line, node->place.column, line, column);
}

Test(tree, every_node_has_its_place) {
  static const char text[] = "# a comment\n"
                             "spec:\n"
                             "  containers:\n"
                             "  - name: a\n"
                             "    env: [{name: \xc3\xa9, value: x}]\n"
                             "--- \n"
                             "\n"
                             "---\n"
                             "{\"a.b/c\": {\"d\": [1, 2]}}\n";
  CLEANUP_TREE struct tree tree = { 0 };
  struct error err = { 0 };
  cr_assert_eq(parse(text, &tree, &err), 0, "%s", err.message);
  cr_assert_eq(tree.len, 2, "an empty document is none");
  place(&tree, 0, "", 2, 1, "");
  place(&tree, 0, "0", 2, 1, "spec");
  place(&tree, 0, "00", 3, 3, "spec.containers");
  place(&tree, 0, "000", 4, 5, "spec.containers[0]");
  place(&tree, 0, "0000", 4, 5, "spec.containers[0].name");
  place(&tree, 0, "000100", 5, 12, "spec.containers[0].env[0].name");
  place(&tree, 0, "000101", 5, 21, "spec.containers[0].env[0].value"); /* characters, not bytes */
  place(&tree, 1, "0", 9, 2, "[\"a.b/c\"]");
  place(&tree, 1, "001", 9, 21, "[\"a.b/c\"].d[1]");
  cr_expect_eq(tree.documents[0]->children[0]->children[0]->children[0]->children[0]->place.end_column, 12);
}

Test(tree, a_byte_order_mark_is_no_text) {
  CLEANUP_TREE struct tree tree = { 0 };
  struct error err = { 0 };
  cr_assert_eq(parse("\xef\xbb\xbfkind: Pod\r\nb: 1\r\n", &tree, &err), 0, "%s", err.message);
  place(&tree, 0, "0", 1, 1, "kind");
  place(&tree, 0, "1", 2, 1, "b");
}

Test(tree, aliases_are_copies_and_merge_keys_fill_in) {
  static const char text[] = "base: &b {user: 1, mode: x}\n"
                             "other: &o {mode: y, extra: z}\n"
                             "same: *b\n"
                             "one: {<<: *b, mode: own}\n"
                             "two: {<<: [*b, *o]}\n"
                             "text: {\"<<\": 1}\n";
  CLEANUP_TREE struct tree tree = { 0 };
  struct error err = { 0 };
  cr_assert_eq(parse(text, &tree, &err), 0, "%s", err.message);
  const struct node *root = tree.documents[0];
  cr_expect_eq(node_get(node_get(root, "same"), "user")->number, 1);
  cr_expect_eq(node_get(node_get(root, "same"), "user")->place.line, 1, "where the text stands");
  CLEANUP_FREE char *path = node_path(node_get(node_get(root, "same"), "user"));
  cr_expect_str_eq(path, "same.user");
  cr_expect_str_eq(node_get(node_get(root, "one"), "mode")->text, "own");
  cr_expect_eq(node_get(root, "one")->len, 2);
  cr_expect_str_eq(node_get(node_get(root, "two"), "mode")->text, "x");
  cr_expect_str_eq(node_get(node_get(root, "two"), "extra")->text, "z");
  cr_expect_eq(node_get(node_get(root, "text"), "<<")->number, 1);
}

Test(tree, refuses_with_a_place) {
  refused("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key \"a\" is there twice");
  refused("{a: 1, b: {c: 1, 'c': 2}}", "f.yaml:1:18: the key \"c\" is there twice");
  refused("a: &x [*x]\n", "f.yaml:1:8: the alias *x stands inside its own anchor");
  refused("a: *x\n", "f.yaml:1:4: there is no anchor &x");
  refused("a: &x 1\n---\nb: *x\n", "f.yaml:3:4: there is no anchor &x");
  refused("? [a]\n: 1\n", "f.yaml:1:3: a key must be");
  refused("a: !secret x\n", "f.yaml:1:4: the tag !secret is not known");
  refused("a: !!python/object {}\n", "f.yaml:1:4: the tag");
  refused("a: \"x\\0y\"\n", "f.yaml:1:4: a NUL in a string");
  refused("\"a\\0b\": 1\n", "f.yaml:1:1: a NUL in a key");
  refused("a:\n\t- b\n", "f.yaml:2:1: ");
  refused("a: [1\n", "f.yaml:2:1: ");
  refused("a: \xff\n", "f.yaml:");
  refused("a: {<<: 1}\n", "f.yaml:1:10: a merge key takes a map");
  refused("a: {<<: {b: 1}, <<: {c: 1}}\n", "f.yaml:1:17: the key \"<<\" is there twice");
  refused("a: {c: 0, b: 1, <<: {b: 2}}\n",
          "f.yaml:1:11: the key \"b\" stands before a merge key that has it");
  refused("a: {b: 1, <<: [{c: 2}, {b: 2}]}\n", "f.yaml:1:5: the key \"b\" stands before a merge key");
  refused("a: {! \"<<\": {b: 1}}\n", "f.yaml:1:5: whether this is a merge key is read differently");
  refused("a: {!!str <<: {b: 1}}\n", "f.yaml:1:5: whether this is a merge key is read differently");
  refused("a: {!!merge \"<<\": {b: 1}}\n", "f.yaml:1:5: the tag tag:yaml.org,2002:merge is not known here");
  refused("a: {!!binary Yg==: 1}\n", "f.yaml:1:5: the tag tag:yaml.org,2002:binary is not known here");
}

Test(tree, laughs_and_depths_are_bounded) {
  CLEANUP_STR struct str laughs = { 0 };
  str_add(&laughs, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
  for (int i = 1; i < 9; i++) {
    str_addf(&laughs, "a%d: &a%d [", i, i);
    for (int k = 0; k < 10; k++)
      str_addf(&laughs, "%s*a%d", k ? ", " : "", i - 1);
    str_add(&laughs, "]\n");
  }
  refused(laughs.data, "f.yaml:");
  CLEANUP_STR struct str deep = { 0 };
  for (int i = 0; i < TREE_DEPTH + 2; i++)
    str_add(&deep, "[");
  refused(deep.data, "f.yaml:1:102: more than 100 levels");
  /* An alias must not make a tree deeper than what is freed and walked by recursion. */
  CLEANUP_STR struct str ladder = { 0 };
  str_add(&ladder, "l0: &l0 [[[[[[[[[[1]]]]]]]]]]\n");
  for (int i = 1; i < 200; i++)
    str_addf(&ladder, "l%d: &l%d [[[[[*l%d]]]]]\n", i, i, i - 1);
  refused(ladder.data, "f.yaml:");
}

/* Each takes minutes where every one is compared with every other. */
Test(tree, many_names_are_no_work, .timeout = 30) {
  CLEANUP_STR struct str anchors = { 0 }, merged = { 0 }, into = { 0 }, list = { 0 }, map = { 0 };
  str_add(&anchors, "a:\n");
  str_add(&merged, "a: &a\n");
  str_add(&into, "a: &a {x: 1}\nb:\n  <<: *a\n");
  str_add(&list, "a:\n");
  for (int i = 0; i < TREE_NAMES + 1; i++) {
    str_addf(&anchors, "- &a%d x\n", i);
    str_addf(&merged, "  k%d: 1\n", i);
    str_addf(&into, "  k%d: 1\n", i);
  }
  str_add(&merged, "b: {<<: *a, c: 1}\n");
  for (int i = 0; i < TREE_ITEMS + 1; i++) {
    str_add(&list, "- 1\n");
    str_addf(&map, "k%d: 1\n", i);
  }
  refused(anchors.data, "f.yaml:1002:3: more than 1000 anchors in a document");
  refused(merged.data, "f.yaml:1003:17: a merge key of more than 1000 members");
  refused(into.data, "f.yaml:1005:1: a merge key into a map of more than 1000 members");
  refused(list.data, "f.yaml:10002:3: more than 10000 items in one list or map");
  refused(map.data, "f.yaml:10001:1: more than 10000 items in one list or map");
}

/* A document's anchors are its own, and lists without any are not looked through for them. */
Test(tree, as_many_names_as_that_are_none, .timeout = 30) {
  CLEANUP_STR struct str text = { 0 };
  CLEANUP_TREE struct tree tree = { 0 };
  struct error err = { 0 };
  for (int document = 0; document < 3; document++) {
    str_add(&text, "---\n");
    for (int i = 0; i < TREE_NAMES; i++)
      str_addf(&text, "- &a%d [x]\n", i);
    for (int i = 0; i < 30; i++) {
      str_add(&text, "-\n");
      for (int k = 0; k < 1000; k++)
        str_add(&text, "  - []\n  - *a999\n");
    }
  }
  cr_expect_eq(parse(text.data, &tree, &err), 0, "%s", err.message);
  cr_expect_eq(tree.len, 3);
}

Test(scalar, quantities_and_sizes) {
  static const struct {
    const char *text;
    int64_t milli;
  } good[] = {
    { "1", 1000 },  { "500m", 500 },   { "0.5", 500 },        { "64Mi", 67108864000 },  { "1e3", 1000000 },
    { "2E", -1 },   { "1E2", 100000 }, { "100k", 100000000 }, { "1Gi", 1073741824000 }, { "1n", 1 },
    { "+2", 2000 }, { "1.", 1000 }
  };
  static const char *const bad[] = { "",   "m",   "-1",    "1mi",          "1 Mi", "0x10",
                                     "1e", "inf", "1.2.3", "99999999999E", "1e999" };
  int64_t value;
  for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
    value = -1;
    bool ok = scalar_quantity(good[i].text, &value);
    cr_expect(good[i].milli < 0 ? !ok : ok && value == good[i].milli, "%s: %ld", good[i].text, (long)value);
  }
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
    cr_expect_not(scalar_quantity(bad[i], &value), "%s", bad[i]);
  cr_expect(scalar_size("64m", &value) && value == 67108864);
  cr_expect(scalar_size("1.5g", &value) && value == 1610612736);
  cr_expect(scalar_size("512kb", &value) && value == 524288);
  cr_expect(scalar_size("2GiB", &value) && value == 2147483648);
  cr_expect(scalar_size("100", &value) && value == 100);
  cr_expect(scalar_size("7b", &value) && value == 7);
  cr_expect_not(scalar_size("64mm", &value));
  cr_expect_not(scalar_size("m", &value));
  cr_expect_not(scalar_size("-1", &value));
}
