/* SPDX-License-Identifier: Apache-2.0 */
/* Pointers: making, following, and finding their place in a text. */
#include "io/jsonx.h"

#include <criterion/criterion.h>
#include <string.h>

static struct jsonx_source source(const char *text) {
  return (struct jsonx_source){ "c.json", text, strlen(text) };
}

static void at(const char *text, const char *pointer, bool for_key, unsigned line, unsigned column) {
  struct jsonx_source src = source(text);
  unsigned got_line = 99, got_column = 99;
  jsonx_locate(&src, pointer, for_key, &got_line, &got_column);
  cr_expect(got_line == line && got_column == column, "%s of %s: %u:%u, not %u:%u", pointer, text, got_line,
            got_column, line, column);
}

static const char config[] = "{\n"
                             "  \"ociVersion\": \"1.0\",\n"
                             "  \"process\": { \"args\": [\"a\", \"b\"],\n"
                             "    \"env\": [], \"a/b~c\": { \"\": [[1], {\"x\" : null}] } },\n"
                             "  \"processes\": true }\n";

Test(jsonx_locate, finds_values_and_keys) {
  at(config, "", false, 1, 1);
  at(config, "", true, 1, 1);
  at(config, "/ociVersion", false, 2, 17);
  at(config, "/ociVersion", true, 2, 3);
  at(config, "/process", false, 3, 14);
  at(config, "/process/args", true, 3, 16);
  at(config, "/process/args/0", false, 3, 25);
  at(config, "/process/args/1", false, 3, 30);
  at(config, "/process/args/1", true, 3, 30);
  at(config, "/process/env", false, 4, 12);
  at(config, "/process/a~1b~0c//0/0", false, 4, 33);
  at(config, "/process/a~1b~0c//1/x", false, 4, 44);
  at(config, "/process/a~1b~0c//1/x", true, 4, 38);
  at(config, "/processes", false, 5, 16);
}

Test(jsonx_locate, falls_back_to_what_encloses) {
  at(config, "/none", false, 1, 1);
  at(config, "/none/below", true, 1, 1);
  at(config, "/process/user/uid", false, 3, 14);
  at(config, "/process/args/2", false, 3, 24);
  at(config, "/process/args/00", false, 3, 24);
  at(config, "/process/args/x", false, 3, 24);
  at(config, "/process/args/0/0", false, 3, 25);
  at(config, "/process/env/0", false, 4, 12);
  at(config, "/ociVersion/x", true, 2, 17);
  at(config, "ociVersion", false, 1, 1);
}

Test(jsonx_locate, knows_escaped_keys) {
  const char *text = "{\"pro\\u0063\":0,\"pro\\u0063ess\":{\"\\/\":1,\"\\ud83d\\ude00\":2}}";
  at(text, "/process", true, 1, 16);
  at(text, "/process/~1", false, 1, 37);
  at(text, "/process/\U0001F600", true, 1, 39);
}

Test(jsonx_locate, is_not_misled_by_the_same_key_elsewhere) {
  const char *text = "{\"a\":{\"b\":{\"c\":1}},\"b\":{\"a\":2,\"c\":3},\"c\":[{\"b\":4}]}";
  at(text, "/b", false, 1, 24);
  at(text, "/b/c", false, 1, 35);
  at(text, "/c", true, 1, 38);
  at(text, "/c/0/b", false, 1, 48);
  at(text, "/a/c", false, 1, 6);
}

Test(jsonx_locate, finds_places_before_a_fault) {
  at("{\"a\":1,\"b\":[2,}", "/b/0", false, 1, 13);
  at("{\"a\":1,\"b\":[2,}", "/b/7", false, 1, 12);
  at("", "/a", false, 0, 0);
  at("nonsense", "", false, 0, 0);
  struct jsonx_source nothing = { "c.json", NULL, 0 };
  unsigned line = 9, column = 9;
  jsonx_locate(&nothing, "/a", false, &line, &column);
  cr_expect(line == 0 && column == 0);
}

Test(jsonx_locate, counts_columns_in_bytes) {
  at("{\"\u00e9\":1,\r\n\"b\":2}", "/b", false, 2, 5);
  at("{\"\u00e9\":1,\"b\":2}", "/b", false, 1, 13);
}

Test(jsonx_locate, makes_errors) {
  struct jsonx_source src = source(config);
  struct error err = { 0 };
  cr_expect_eq(
      jsonx_error(&err, ERROR_REFUSED, &src, "/process/args/1", "unknown capability \"%s\"", "CAP_X"), -1);
  cr_expect_eq(err.code, ERROR_REFUSED);
  cr_expect_str_eq(err.message, "c.json:3:30: /process/args/1: unknown capability \"CAP_X\"");
  jsonx_error(&err, ERROR_INPUT, &src, "", "no");
  cr_expect_str_eq(err.message, "c.json:1:1: no");
  jsonx_error(&err, ERROR_INPUT, NULL, "/a", "no");
  cr_expect_str_eq(err.message, "/a: no");
  struct jsonx_source empty = source("");
  jsonx_error(&err, ERROR_INPUT, &empty, "/a", "no");
  cr_expect_str_eq(err.message, "c.json: /a: no");
}

Test(jsonx_locate, keeps_the_text_behind_a_long_pointer) {
  struct jsonx_source src = source("{}");
  struct error err = { 0 };
  CLEANUP_STR struct str pointer = { 0 };
  str_add(&pointer, "/begin");
  for (int i = 0; i < 5000; i++)
    str_add(&pointer, "\u00e9");
  str_add(&pointer, "/end");
  jsonx_error(&err, ERROR_INPUT, &src, pointer.data, "the reason");
  cr_expect(str_starts(err.message, "c.json:1:1: /begin\u00e9"));
  cr_expect(str_ends(err.message, "\u00e9/end: the reason"));
  cr_expect_not_null(strstr(err.message, "\u00e9...\u00e9"));
}

Test(jsonx_pointer, escapes_tokens) {
  CLEANUP_STR struct str pointer = { 0 };
  jsonx_pointer_add(&pointer, "a/b~c");
  jsonx_pointer_add(&pointer, "");
  jsonx_pointer_add_index(&pointer, 12);
  jsonx_pointer_add(&pointer, "~1");
  cr_expect_str_eq(pointer.data, "/a~1b~0c//12/~01");
  CLEANUP_FREE char *joined = jsonx_pointer("/linux", "net/x");
  cr_expect_str_eq(joined, "/linux/net~1x");
  CLEANUP_FREE char *from_root = jsonx_pointer("", "");
  cr_expect_str_eq(from_root, "/");
}

Test(jsonx_pointer, finds_what_rfc_6901_says) {
  const char *text = "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"m~n\":8,\"~1\":9,\"n\":{\"0\":\"x\"}}";
  struct jsonx_source src = source(text);
  struct error err = { 0 };
  json_auto_t *root = NULL;
  cr_assert_eq(jsonx_parse(&src, 1000, &root, &err), 0);
  cr_expect_eq(jsonx_at(root, ""), root);
  cr_expect_str_eq(json_string_value(jsonx_at(root, "/foo/0")), "bar");
  cr_expect_str_eq(json_string_value(jsonx_at(root, "/foo/1")), "baz");
  cr_expect_eq(json_integer_value(jsonx_at(root, "/a~1b")), 1);
  cr_expect_eq(json_integer_value(jsonx_at(root, "/m~0n")), 8);
  cr_expect_eq(json_integer_value(jsonx_at(root, "/~01")), 9);
  cr_expect_eq(jsonx_at(root, "/"), json_object_get(root, ""));
  cr_expect_str_eq(json_string_value(jsonx_at(root, "/n/0")), "x");
  const char *const absent[] = { "foo",      "/bar",    "/foo/2", "/foo/-",  "/foo/00",
                                 "/foo/01",  "/foo/ 1", "/foo/",  "/foo/0x", "/foo/-1",
                                 "/foo/0/x", "/n/0/",   "/a~1b/", "//x",     "/foo/18446744073709551616",
                                 "/foo/+0" };
  for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
    cr_expect_null(jsonx_at(root, absent[i]), "%s", absent[i]);
  cr_expect_null(jsonx_at(NULL, "/a"));
}

Test(jsonx_build, makes_strings_of_any_bytes) {
  const struct {
    const char *from, *to;
  } cases[] = {
    { "", "" },
    { "plain", "plain" },
    { "\u00e9\U0001F600", "\u00e9\U0001F600" },
    { "a\xff\xfe"
      "b",
      "a\ufffd\ufffdb" },
    { "\xe2\x82", "\ufffd\ufffd" },
    { "\x7f"
      "ffffffffffffffff",
      "\ufffd"
      "ffffffffffffffff" },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    json_auto_t *string = jsonx_string_new(cases[i].from);
    cr_expect_str_eq(json_string_value(string), cases[i].to);
    cr_expect_not(jsonx_is_integer(string));
  }
}

Test(jsonx_build, copies_deeply) {
  json_auto_t *object = json_object();
  jsonx_set_new(object, "a", json_array());
  jsonx_append_new(json_object_get(object, "a"), jsonx_u64_new(UINT64_MAX));
  json_auto_t *copy = jsonx_copy(object);
  cr_expect(json_equal(copy, object));
  jsonx_append_new(json_object_get(object, "a"), json_null());
  cr_expect_eq(json_array_size(jsonx_at(copy, "/a")), 1);
  cr_expect_null(jsonx_copy(NULL));
}

Test(jsonx_build, makes_keys_of_any_bytes) {
  json_auto_t *object = json_object();
  jsonx_set_new(object, "\xff", json_true());
  jsonx_set_new(object, "", json_true());
  CLEANUP_STR struct str out = { 0 };
  jsonx_dump(object, &out);
  cr_expect_str_eq(out.data, "{\"\ufffd\":true,\"\":true}");
}

Test(jsonx_build, ends_the_program_without_memory, .exit_code = 1) {
  json_auto_t *object = json_object();
  jsonx_set_new(object, "a", NULL);
}
