/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a few values of a document, and all of it but one. */
#include "io/jsonx.h"

#include <criterion/criterion.h>
#include <string.h>

Test(jsonx_pick, pick_takes_what_is_asked_for_and_no_more) {
  static const char *const pointers[] = { "/a", "/b/c", "/b/cc", "/none", "/l" };
  static const char text[] =
      "{\"x\":{\"a\":1,\"b\":{\"c\":2}},\"b\":{\"cc\":[{\"c\":9},3],\"c\":\"\\u0041\",\"d\":{\"c\":4}},"
      "\"a\":{\"b\":{\"c\":5}},\"l\":[{\"a\":6}],\"A\":7,\"l\":18446744073709551615}";
  const struct jsonx_source src = { "t", text, strlen(text) };
  json_t *values[ARRAY_SIZE(pointers)];
  struct error err = { 0 };
  cr_assert_eq(jsonx_pick(&src, pointers, ARRAY_SIZE(pointers), values, &err), 0, "%s", err.message);
  static const char *const wanted[] = { "{\"b\":{\"c\":5}}", "\"A\"", "[{\"c\":9},3]", NULL,
                                        "18446744073709551615" };
  for (size_t i = 0; i < ARRAY_SIZE(pointers); i++) {
    CLEANUP_STR struct str is = { 0 };
    if (values[i])
      jsonx_dump(values[i], &is);
    cr_expect_eq(values[i] == NULL, wanted[i] == NULL, "%s", pointers[i]);
    if (values[i] && wanted[i])
      cr_expect_str_eq(is.data, wanted[i], "%s", pointers[i]);
    json_decref(values[i]);
  }
}

Test(jsonx_pick, pick_of_what_is_no_json_is_nothing) {
  static const char *const pointers[] = { "/a" };
  static const char *const texts[] = { "",           "{\"a\":1",   "{\"a\":}", "{\"a\":1}x",
                                       "{\"a\":01}", "{\"a\":[1}", "[1,]" };
  for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
    const struct jsonx_source src = { "t", texts[i], strlen(texts[i]) };
    json_t *value = NULL;
    struct error err = { 0 };
    cr_expect_eq(jsonx_pick(&src, pointers, 1, &value, &err), -1, "%s", texts[i]);
    cr_expect_null(value);
    cr_expect_eq(err.code, ERROR_INPUT);
  }
  const struct jsonx_source scalar = { "t", "1", 1 };
  json_t *value = NULL;
  struct error err = { 0 };
  cr_expect_eq(jsonx_pick(&scalar, pointers, 1, &value, &err), 0);
  cr_expect_null(value);
}

Test(jsonx_pick, pick_first_reads_no_further) {
  static const char *const pointers[] = { "/b", "/a" };
  static const struct {
    const char *text;
    int result;
    bool has[2];
  } cases[] = {
    { "{\"a\":12,\"b\":\"x\",\"c\":[1,", 0, { true, true } },
    { "{\"a\":12,\"b\":\"x\"}", 0, { true, true } },
    { "{\"a\":12,\"a\":{\"b\":1},\"b\":3,!", 0, { true, true } },
    { "{\"c\":{\"a\":1},\"b\":1}", 0, { true, false } },
    { "{\"b\":\"x\",\"a\":12", -1, { false, false } }, /* 120 perhaps */
    { "{\"b\":\"x\",\"a\":", -1, { false, false } },
    { "{\"b\":\"x\"", -1, { false, false } },
    { "", -1, { false, false } },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    const struct jsonx_source src = { "t", cases[i].text, strlen(cases[i].text) };
    json_t *values[2];
    struct error err = { 0 };
    cr_expect_eq(jsonx_pick_first(&src, pointers, 2, values, &err), cases[i].result, "%s", cases[i].text);
    for (size_t k = 0; k < 2; k++) {
      cr_expect_eq(values[k] != NULL, cases[i].has[k], "%s", cases[i].text);
      json_decref(values[k]);
    }
  }
}

Test(jsonx_pick, parse_without_leaves_one_value_as_text) {
  static const char left_out[] = "{\"k\":[\"}]\\\"{\",{\"c\":0}],\"c\":{}}";
  static const struct {
    const char *before, *behind, *tree;
  } cases[] = {
    { "{\"b\":1,\"a\":{\"x\":[{\"c\":2}],\"c\": ", " ,\"d\":3},\"c\":[4]}",
      "{\"b\":1,\"a\":{\"x\":[{\"c\":2}],\"c\":true,\"d\":3},\"c\":[4]}" },
    { "{\"a\":{\"c\":", "}}", "{\"a\":{\"c\":true}}" },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    CLEANUP_FREE char *text = xasprintf("%s%s%s", cases[i].before, left_out, cases[i].behind);
    const struct jsonx_source src = { "t", text, strlen(text) };
    CLEANUP_STR struct str is = { 0 };
    struct jsonx_span span;
    struct error err = { 0 };
    json_auto_t *tree = NULL;
    cr_assert_eq(jsonx_parse_without(&src, NULL, "/a/c", &span, &tree, &err), 0, "%s", err.message);
    jsonx_dump(tree, &is);
    cr_expect_str_eq(is.data, cases[i].tree);
    cr_expect_eq(span.len, strlen(left_out));
    cr_expect_eq(strncmp(span.text, left_out, span.len), 0);
  }
}

Test(jsonx_pick, parse_tells_the_text_of_one_value) {
  static const struct {
    const char *text, *noted; /* NULL: none */
  } cases[] = {
    { "{\"b\":{\"c\":{}},\"a\":{\"x\":[{\"c\":{}}], \"c\" : {\"k\":[\"}]\", {\"c\":[]} ],\"c\":{}} }}",
      "{\"k\":[\"}]\", {\"c\":[]} ],\"c\":{}}" },
    { "{\"a\":{\"c\":[ 1 ]},\"z\":{\"c\":{}}}", "[ 1 ]" },
    { "{\"a\":{\"c\":1,\"d\":{\"c\":{}}}}", NULL },
    { "{\"a\":[{\"c\":{}}]}", NULL },
    { "[]", NULL },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    const struct jsonx_source src = { "t", cases[i].text, strlen(cases[i].text) };
    struct jsonx_span span = { "x", 1 };
    struct error err = { 0 };
    json_auto_t *tree = NULL;
    cr_assert_eq(jsonx_parse_noting(&src, src.len, NULL, "/a/c", &span, &tree, &err), 0, "%s", err.message);
    cr_expect_eq(!span.text, !cases[i].noted, "%s", cases[i].text);
    if (!cases[i].noted || !span.text)
      continue;
    cr_expect_eq(span.len, strlen(cases[i].noted), "%s", cases[i].text);
    cr_expect_eq(strncmp(span.text, cases[i].noted, span.len), 0, "%s", cases[i].text);
  }
}

Test(jsonx_pick, parse_without_is_as_strict_for_the_rest) {
  static const struct {
    const char *text;
    int result;
  } cases[] = {
    { "{\"a\":{\"c\":5}}", 0 },
    { "{\"a\":{\"c\":\"{\"}}", 0 }, /* no object or array: built */
    { "{\"a\":[]}", 0 },
    { "{\"a\":{\"c\":{}},\"a\":1}", -1 },
    { "{\"a\":{\"c\":{},\"C\":1}}", -1 },
    { "{\"a\":{\"c\":{},\"c\":[]}}", -1 },
    { "{\"a\":{\"c\":{\"}\"}}", -1 },
    { "{\"a\":{\"c\":[[1]}}", -1 },
    { "{\"a\":{\"c\":{}}", -1 },
    { "{\"a\":{\"c\":{}01}}", -1 },
    { "{\"a\":{\"c\":\"{", -1 },
    { "{\"a\":{\"c\":", -1 },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    const struct jsonx_source src = { "t", cases[i].text, strlen(cases[i].text) };
    struct jsonx_span span = { 0 };
    struct error err = { 0 };
    json_auto_t *tree = NULL;
    cr_expect_eq(jsonx_parse_without(&src, NULL, "/a/c", &span, &tree, &err), cases[i].result, "%s",
                 cases[i].text);
    cr_expect(cases[i].result < 0 || !span.text, "%s", cases[i].text);
  }
}
