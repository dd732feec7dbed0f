/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding by rows, its messages, the way back, and the schema. */
#include "io/jsonx.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <string.h>

enum colour { RED, GREEN };

struct inner {
  int64_t depth;
  bool on;
};

struct outer {
  bool enabled;
  int64_t count, any;
  char *name;
  struct strlist list, flags;
  int colour;
  struct inner inner;
  size_t length;
};

static const char *const colours[] = { "red", "green", NULL };
static const char *const flags[] = { "nosuid", "nodev", NULL };

/* A custom row: the length of an array. */
static int decode_length(const json_t *value, const struct jsonx_source *src, const char *pointer,
                         void *member, struct error *err) {
  if (!json_is_array(value))
    return jsonx_error(err, ERROR_INPUT, src, pointer, "not an array");
  *(size_t *)member = json_array_size(value);
  return 0;
}

static json_t *encode_length(const void *member) {
  return jsonx_u64_new(*(const size_t *)member);
}

static const struct jsonx_row inner_rows[] = {
  { .key = "depth",
    .type = JSONX_INT,
    .offset = offsetof(struct inner, depth),
    .min = -1,
    .max = 10,
    .doc = "How deep." },
  { .key = "on", .type = JSONX_BOOL, .offset = offsetof(struct inner, on), .doc = "Whether." },
  { 0 },
};

static const struct jsonx_row rows[] = {
  { .key = "enabled",
    .type = JSONX_BOOL,
    .offset = offsetof(struct outer, enabled),
    .doc = "Whether it is on." },
  { .key = "count", .type = JSONX_INT, .offset = offsetof(struct outer, count), .min = 1, .max = 65535 },
  { .key = "any", .type = JSONX_INT, .offset = offsetof(struct outer, any) },
  { .key = "name", .type = JSONX_STRING, .offset = offsetof(struct outer, name), .pattern = "^[a-z]+$" },
  { .key = "list", .type = JSONX_STRINGS, .offset = offsetof(struct outer, list), .pattern = "^/" },
  { .key = "flags", .type = JSONX_STRINGS, .offset = offsetof(struct outer, flags), .names = flags },
  { .key = "colour", .type = JSONX_ENUM, .offset = offsetof(struct outer, colour), .names = colours },
  { .key = "inner",
    .type = JSONX_OBJECT,
    .offset = offsetof(struct outer, inner),
    .rows = inner_rows,
    .doc = "In." },
  { .key = "length",
    .type = JSONX_CUSTOM,
    .offset = offsetof(struct outer, length),
    .decode = decode_length,
    .encode = encode_length,
    .schema = "{\"type\":\"array\",\"description\":\"Not this one.\"}",
    .doc = "Any items." },
  { 0 },
};

static void outer_free(struct outer *o) {
  free(o->name);
  strlist_clear(&o->list);
  strlist_clear(&o->flags);
}

static int decode(const char *text, struct outer *target, struct error *err) {
  struct jsonx_source src = { "p.json", text, strlen(text) };
  json_auto_t *value = NULL;
  cr_assert_eq(jsonx_parse(&src, 10000, &value, err), 0, "%s", err->message);
  return jsonx_decode(value, &src, "", rows, target, err);
}

Test(jsonx_rows, decodes_every_type) {
  CLEANUP(outer_free) struct outer o = { 0 };
  struct error err = { 0 };
  const char *text =
      "{\"enabled\":true,\"count\":65535,\"any\":-9223372036854775808,\"name\":\"x\",\"list\":[\"b\",\"a\"],"
      "\"flags\":[\"nodev\"],\"colour\":\"green\",\"inner\":{\"depth\":-1,\"on\":true},\"length\":[1,2,3]}";
  cr_assert_eq(decode(text, &o, &err), 0, "%s", err.message);
  cr_expect(o.enabled);
  cr_expect_eq(o.count, 65535);
  cr_expect_eq(o.any, INT64_MIN);
  cr_expect_str_eq(o.name, "x");
  cr_expect_eq(o.list.len, 2);
  cr_expect_str_eq(o.list.items[0], "b");
  cr_expect_str_eq(o.list.items[1], "a");
  cr_expect_eq(o.flags.len, 1);
  cr_expect_eq(o.colour, GREEN);
  cr_expect_eq(o.inner.depth, -1);
  cr_expect(o.inner.on);
  cr_expect_eq(o.length, 3);
}

Test(jsonx_rows, leaves_what_is_absent_and_replaces_the_rest) {
  CLEANUP(outer_free) struct outer o = { .enabled = true, .count = 7, .colour = GREEN, .inner = { 5, true } };
  struct error err = { 0 };
  o.name = xstrdup("old");
  strlist_add(&o.list, "old");
  strlist_add(&o.flags, "nodev");
  cr_assert_eq(decode("{}", &o, &err), 0);
  cr_expect_str_eq(o.name, "old");
  cr_assert_eq(decode("{\"name\":\"new\",\"list\":[],\"inner\":{\"on\":false}}", &o, &err), 0);
  cr_expect_str_eq(o.name, "new");
  cr_expect_eq(o.list.len, 0);
  cr_expect_eq(o.flags.len, 1);
  cr_expect_eq(o.inner.depth, 5);
  cr_expect_not(o.inner.on);
  cr_expect(o.enabled && o.count == 7 && o.colour == GREEN);
  cr_assert_eq(decode("{\"name\":null}", &o, &err), 0);
  cr_expect_null(o.name);
}

Test(jsonx_rows, says_what_is_wrong_and_where) {
  const struct {
    const char *text, *message;
  } cases[] = {
    { "[1]", "p.json:1:1: expected an object, found an array" },
    { "{\"enabled\":1}", "p.json:1:12: /enabled: expected true or false, found the integer 1" },
    { "{\"enabled\":null}", "p.json:1:12: /enabled: expected true or false, found null" },
    { "{\"enabled\":\"true\"}", "p.json:1:12: /enabled: expected true or false, found the string \"true\"" },
    { "{\"count\":0}", "p.json:1:10: /count: expected an integer from 1 to 65535, found the integer 0" },
    { "{\"count\":65536}",
      "p.json:1:10: /count: expected an integer from 1 to 65535, found the integer 65536" },
    { "{\"count\":1.0}",
      "p.json:1:10: /count: expected an integer from 1 to 65535, found the real number 1.0" },
    { "{\"count\":18446744073709551615}",
      "p.json:1:10: /count: expected an integer from 1 to 65535, found the integer 18446744073709551615" },
    { "{\"any\":18446744073709551615}", "p.json:1:8: /any: expected an integer from -9223372036854775808 to "
                                        "9223372036854775807, found the integer 18446744073709551615" },
    { "{\"name\":18446744073709551615}",
      "p.json:1:9: /name: expected a string or null, found the integer 18446744073709551615" },
    { "{\"name\":{}}", "p.json:1:9: /name: expected a string or null, found an object" },
    { "{\"list\":\"a\"}", "p.json:1:9: /list: expected an array of strings, found the string \"a\"" },
    { "{\"list\":null}", "p.json:1:9: /list: expected an array of strings, found null" },
    { "{\"list\":[\"a\",\n true]}", "p.json:2:2: /list/1: expected a string, found the boolean true" },
    { "{\"list\":[\"a\",\"b\",\"\\u0061\"]}", "p.json:1:18: /list/2: \"a\" is in the list twice" },
    { "{\"list\":[18446744073709551615]}",
      "p.json:1:10: /list/0: expected a string, found the integer 18446744073709551615" },
    { "{\"flags\":[\"nosiud\"]}", "p.json:1:11: /flags/0: \"nosiud\" is not one of the values, did you mean "
                                  "\"nosuid\"? values: \"nosuid\", \"nodev\"" },
    { "{\"colour\":\"blue\"}",
      "p.json:1:11: /colour: \"blue\" is not one of the values; values: \"red\", \"green\"" },
    { "{\"colour\":0}", "p.json:1:11: /colour: expected a string, found the integer 0" },
    { "{\"inner\":[]}", "p.json:1:10: /inner: expected an object, found an array" },
    { "{\"inner\":{\"depth\":11}}",
      "p.json:1:19: /inner/depth: expected an integer from -1 to 10, found the integer 11" },
    { "{\"inner\":{\"on\":true,\n\"dpeth\":1}}",
      "p.json:2:1: /inner/dpeth: unknown key \"dpeth\", did you mean \"depth\"? known keys: depth, on" },
    { "{\"inner\":{\"a/b\":1}}", "p.json:1:11: /inner/a~1b: unknown key \"a/b\"; known keys: depth, on" },
    { "{\"inner\":{\"xy\":1}}", "p.json:1:11: /inner/xy: unknown key \"xy\"; known keys: depth, on" },
    { "{\"inner\":{\"no\":1}}",
      "p.json:1:11: /inner/no: unknown key \"no\", did you mean \"on\"? known keys: depth, on" },
    { "{\"ENABLED\":true}",
      "p.json:1:2: /ENABLED: unknown key \"ENABLED\", did you mean \"enabled\"? known keys: "
      "enabled, count, any, name, list, flags, colour, inner, length" },
    { "{\"length\":1}", "p.json:1:11: /length: not an array" },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    CLEANUP(outer_free) struct outer o = { 0 };
    struct error err = { 0 };
    cr_expect_eq(decode(cases[i].text, &o, &err), -1, "%s", cases[i].text);
    cr_expect_eq(err.code, ERROR_INPUT);
    cr_expect_str_eq(err.message, cases[i].message);
  }
}

/* The name that is suggested for an unknown key; "" for none. */
static char *suggested(const char *key) {
  CLEANUP(outer_free) struct outer o = { 0 };
  struct error err = { 0 };
  CLEANUP_FREE char *text = xasprintf("{\"%s\":1}", key);
  cr_expect_eq(decode(text, &o, &err), -1);
  const char *start = strstr(err.message, "did you mean \"");
  if (!start)
    return xstrdup("");
  start += strlen("did you mean \"");
  return xasprintf("%.*s", (int)strcspn(start, "\""), start);
}

Test(jsonx_rows, suggests_only_what_is_near) {
  const char *const pairs[][2] = {
    { "enabed", "enabled" },
    { "enabeld", "enabled" },
    { "nenabled", "enabled" },
    { "enableds!", "enabled" },
    { "enables!!", "" },
    { "ablde", "" },
    { "conut", "count" },
    { "Colour", "colour" },
    { "color", "colour" },
    { "an", "any" },
    { "zz", "" },
    { "", "" },
    { "flag\u017F", "flags" },
    { "lisst", "list" },
  };
  for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
    CLEANUP_FREE char *name = suggested(pairs[i][0]);
    cr_expect_str_eq(name, pairs[i][1]);
  }
  CLEANUP_STR struct str lengthy = { 0 };
  for (int i = 0; i < 200; i++)
    str_add(&lengthy, "enabled");
  CLEANUP_FREE char *none = suggested(lengthy.data);
  cr_expect_str_eq(none, "");
}

Test(jsonx_rows, cuts_long_values_in_messages) {
  CLEANUP(outer_free) struct outer o = { 0 };
  struct error err = { 0 };
  CLEANUP_STR struct str text = { 0 };
  str_add(&text, "{\"colour\":\"");
  for (int i = 0; i < 5000; i++)
    str_add(&text, "x");
  str_add(&text, "\"}");
  cr_expect_eq(decode(text.data, &o, &err), -1);
  cr_expect(str_ends(err.message, "values: \"red\", \"green\""));
  cr_expect_lt(strlen(err.message), 250);
}

Test(jsonx_rows, keeps_a_list_that_fails) {
  CLEANUP(outer_free) struct outer o = { 0 };
  struct error err = { 0 };
  strlist_add(&o.list, "old");
  cr_expect_eq(decode("{\"list\":[\"a\",1]}", &o, &err), -1);
  cr_expect_eq(o.list.len, 1);
  cr_expect_str_eq(o.list.items[0], "old");
}

Test(jsonx_rows, works_below_a_pointer_and_without_a_text) {
  const char *text = "{\"x\":[{\"on\":1}]}";
  struct jsonx_source src = { "p.json", text, strlen(text) };
  struct error err = { 0 };
  struct inner inner = { 0 };
  json_auto_t *root = NULL;
  cr_assert_eq(jsonx_parse(&src, 100, &root, &err), 0);
  cr_expect_eq(jsonx_decode(jsonx_at(root, "/x/0"), &src, "/x/0", inner_rows, &inner, &err), -1);
  cr_expect_str_eq(err.message, "p.json:1:13: /x/0/on: expected true or false, found the integer 1");
  cr_expect_eq(jsonx_decode(jsonx_at(root, "/x/0"), NULL, "/x/0", inner_rows, &inner, &err), -1);
  cr_expect_str_eq(err.message, "/x/0/on: expected true or false, found the integer 1");
}

Test(jsonx_rows, encodes_what_decodes) {
  CLEANUP(outer_free) struct outer o = { .colour = GREEN, .count = 3, .inner = { 4, true }, .length = 2 };
  strlist_add(&o.list, "a");
  json_auto_t *value = jsonx_encode(rows, &o);
  CLEANUP_STR struct str out = { 0 };
  jsonx_dump(value, &out);
  cr_expect_str_eq(out.data,
                   "{\"enabled\":false,\"count\":3,\"any\":0,\"name\":null,\"list\":[\"a\"],\"flags\":[],"
                   "\"colour\":\"green\",\"inner\":{\"depth\":4,\"on\":true},\"length\":2}");
  json_object_del(value, "length");
  CLEANUP(outer_free) struct outer again = { 0 };
  struct error err = { 0 };
  cr_expect_eq(jsonx_decode(value, NULL, "", rows, &again, &err), 0, "%s", err.message);
  cr_expect_eq(again.colour, GREEN);
  cr_expect_str_eq(again.list.items[0], "a");
}

Test(jsonx_rows, makes_the_schema) {
  json_auto_t *schema = jsonx_schema(rows);
  static const char expected[] =
      "{\"type\":\"object\",\"properties\":{"
      "\"enabled\":{\"description\":\"Whether it is on.\",\"type\":\"boolean\"},"
      "\"count\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":65535},"
      "\"any\":{\"type\":\"integer\"},"
      "\"name\":{\"type\":[\"string\",\"null\"],\"pattern\":\"^[a-z]+$\"},"
      "\"list\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"pattern\":\"^/\"},\"uniqueItems\":true},"
      "\"flags\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":[\"nosuid\",\"nodev\"]},"
      "\"uniqueItems\":true},"
      "\"colour\":{\"enum\":[\"red\",\"green\"]},"
      "\"inner\":{\"description\":\"In.\",\"type\":\"object\",\"properties\":{"
      "\"depth\":{\"description\":\"How deep.\",\"type\":\"integer\",\"minimum\":-1,\"maximum\":10},"
      "\"on\":{\"description\":\"Whether.\",\"type\":\"boolean\"}},\"additionalProperties\":false},"
      "\"length\":{\"description\":\"Any items.\",\"type\":\"array\"}},\"additionalProperties\":false}";
  CLEANUP_STR struct str out = { 0 };
  jsonx_dump(schema, &out);
  cr_expect_str_eq(out.data, expected);
}
