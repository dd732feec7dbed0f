/* SPDX-License-Identifier: Apache-2.0 */
/* What the strict reader takes, what it refuses, and where it says that the fault is. */
#include "jsonx_texts.h"
#include "testfile.h"

#include <glob.h>

Test(jsonx, takes_every_kind_of_value) {
  becomes(" \t\r\n{ \"a\" : [ 1 , -2 , 0.5 , true , false , null , \"x\" , { } , [ ] ] } \n",
          "{\"a\":[1,-2,0.5,true,false,null,\"x\",{},[]]}");
  becomes("1", "1");
  becomes("\"x\"", "\"x\"");
  becomes("null", "null");
  becomes("{\"\":1}", "{\"\":1}");
}

Test(jsonx, keeps_the_order_of_keys) {
  becomes("{\"z\":1,\"a\":2,\"m\":{\"y\":1,\"b\":2},\"0\":3}",
          "{\"z\":1,\"a\":2,\"m\":{\"y\":1,\"b\":2},\"0\":3}");
}

Test(jsonx, reads_and_writes_escapes) {
  becomes("[\"\\u0061\\/\\\"\\\\\\b\\f\\n\\r\\t\\u001f\\u007F\\u00e9\\ud83d\\ude00\\uffff\"]",
          "[\"a/\\\"\\\\\\b\\f\\n\\r\\t\\u001f\x7f\u00e9\U0001F600\uffff\"]");
  becomes("{\"\\u0061\\n\":\"\xf4\x8f\xbf\xbf\"}", "{\"a\\n\":\"\xf4\x8f\xbf\xbf\"}");
}

Test(jsonx, keeps_numbers) {
  becomes("[0,-0,9223372036854775807,-9223372036854775808,999999999999999999,-999999999999999999]",
          "[0,0,9223372036854775807,-9223372036854775808,999999999999999999,-999999999999999999]");
  becomes("[1.0,1e3,1E+3,-0.0,0.1,1e-400,1.7976931348623157e308,5e-324,3.141592653589793]",
          "[1.0,1000.0,1000.0,-0.0,0.1,0.0,1.7976931348623157e308,4.94065645841247e-324,3.141592653589793]");
}

Test(jsonx, tells_reals_from_integers) {
  json_auto_t *value = parse("[1.0,1e3,1]");
  cr_expect(json_is_real(json_array_get(value, 0)));
  cr_expect(json_is_real(json_array_get(value, 1)));
  cr_expect(json_is_integer(json_array_get(value, 2)));
}

Test(jsonx, refuses_numbers_that_do_not_fit) {
  const struct refusal cases[] = {
    { "{\"a\":18446744073709551616}",
      "c.json:1:6: /a: the number 18446744073709551616 is outside of what 64 bits hold" },
    { "[1,\n 99999999999999999999999]",
      "c.json:2:2: /1: the number 99999999999999999999999 is outside of what 64 bits hold" },
    { "[-9223372036854775809]",
      "c.json:1:2: /0: the number -9223372036854775809 is outside of what 64 bits hold" },
    { "[18446744073709551615,-18446744073709551615]",
      "c.json:1:23: /1: the number -18446744073709551615 is outside of what 64 bits hold" },
    { "1e400", "c.json:1:1: the number 1e400 is outside of what 64 bits hold" },
    { "[-1.5E999]", "c.json:1:2: /0: the number -1.5E999 is outside of what 64 bits hold" },
  };
  refused(cases, ARRAY_SIZE(cases));
}

Test(jsonx, refuses_a_number_of_many_digits_in_short) {
  char text[5000];
  memset(text, '7', sizeof text);
  refused_mem(text, sizeof text,
              "c.json:1:1: the number "
              "77777777777777777777777777777777777777777777777777777777777777777777777777777777"
              "... is outside of what 64 bits hold");
}

Test(jsonx, refuses_bad_syntax_with_its_place) {
  const struct refusal cases[] = {
    { "", "c.json:1:1: the text ends too early" },
    { " \n ", "c.json:2:2: the text ends too early" },
    { "{", "c.json:1:2: the text ends too early" },
    { "{\"a\"", "c.json:1:5: /a: the text ends too early" },
    { "{\"a\":", "c.json:1:6: /a: the text ends too early" },
    { "{\"a\":1", "c.json:1:7: the text ends too early" },
    { "{\"a\":1,", "c.json:1:8: the text ends too early" },
    { "[", "c.json:1:2: /0: the text ends too early" },
    { "[[1],[2", "c.json:1:8: /1: the text ends too early" },
    { "{a:1}", "c.json:1:2: expected a key in double quotes" },
    { "{'a':1}", "c.json:1:2: expected a key in double quotes" },
    { "{\"a\":1,}", "c.json:1:8: expected a key in double quotes" },
    { "{\"a\" 1}", "c.json:1:6: /a: expected ':' behind the key" },
    { "{\"a\":1 \"b\":2}", "c.json:1:8: expected ',' or '}'" },
    { "{\"x\":{\"a\":1]}", "c.json:1:12: /x: expected ',' or '}'" },
    { "[1 2]", "c.json:1:4: expected ',' or ']'" },
    { "[1,]", "c.json:1:4: /1: not a JSON value" },
    { "[,1]", "c.json:1:2: /0: not a JSON value" },
    { "{\"process\":{\"args\":[\"a\",\n  tru]}}", "c.json:2:3: /process/args/1: not a JSON value" },
    { "[True]", "c.json:1:2: /0: not a JSON value" },
    { "[nullx]", "c.json:1:2: /0: not a JSON value" },
    { "[NaN]", "c.json:1:2: /0: not a JSON value" },
    { "[+1]", "c.json:1:2: /0: not a JSON value" },
    { "[.5]", "c.json:1:2: /0: not a JSON value" },
    { "[-]", "c.json:1:2: /0: not a number" },
    { "[1.]", "c.json:1:2: /0: not a number" },
    { "[1e]", "c.json:1:2: /0: not a number" },
    { "[01]", "c.json:1:2: /0: a number with a leading zero" },
    { "[-00]", "c.json:1:2: /0: a number with a leading zero" },
    { "[0x1]", "c.json:1:3: expected ',' or ']'" },
    { "[1]// c", "c.json:1:4: text behind the end of the document" },
    { "/**/[1]", "c.json:1:1: not a JSON value" },
    { "{} {}", "c.json:1:4: text behind the end of the document" },
    { "{}]", "c.json:1:3: text behind the end of the document" },
    { "1 2", "c.json:1:3: text behind the end of the document" },
    { "\"a", "c.json:1:1: the string has no end" },
    { "[\"a\\", "c.json:1:5: /0: the text ends too early" },
  };
  refused(cases, ARRAY_SIZE(cases));
}

Test(jsonx, refuses_bad_strings_with_their_place) {
  const struct refusal cases[] = {
    { "[\"a\nb\"]", "c.json:1:4: /0: control character in a string: it must be escaped" },
    { "[\"\x1f\"]", "c.json:1:3: /0: control character in a string: it must be escaped" },
    { "[\"\\x41\"]", "c.json:1:3: /0: no such escape in a string" },
    { "[\"\\u12g4\"]", "c.json:1:3: /0: \\u needs four hexadecimal digits" },
    { "[\"\\u12", "c.json:1:3: /0: \\u needs four hexadecimal digits" },
    { "[\"a\\u0000\"]", "c.json:1:4: /0: \\u0000 in a string: C reads it as the string's end" },
    { "{\"a\\u0000b\":1}", "c.json:1:4: \\u0000 in a string: C reads it as the string's end" },
    { "{\"k\":\"\\ud800\"}", "c.json:1:7: /k: half of a surrogate pair" },
    { "{\"k\":\"\\ud800\\u0041\"}", "c.json:1:7: /k: half of a surrogate pair" },
    { "{\"k\":\"\\ud800\\ud800\"}", "c.json:1:7: /k: half of a surrogate pair" },
    { "{\"k\":\"\\ud800\\ue000\"}", "c.json:1:7: /k: half of a surrogate pair" },
    { "{\"k\":\"\\udc00\\udc00\"}", "c.json:1:7: /k: half of a surrogate pair" },
    { "{\"k\":\"x\\udc00\"}", "c.json:1:8: /k: half of a surrogate pair" },
    { "[\"\xff\"]", "c.json:1:3: /0: not UTF-8" },
    { "[\"\xc0\xaf\"]", "c.json:1:3: /0: not UTF-8" },         /* overlong */
    { "[\"\xe0\x80\xaf\"]", "c.json:1:3: /0: not UTF-8" },     /* overlong */
    { "[\"\xf0\x80\x80\xaf\"]", "c.json:1:3: /0: not UTF-8" }, /* overlong */
    { "[\"\xed\xa0\x80\"]", "c.json:1:3: /0: not UTF-8" },     /* a surrogate */
    { "[\"\xf4\x90\x80\x80\"]", "c.json:1:3: /0: not UTF-8" }, /* above U+10FFFF */
    { "[\"\xf5\x80\x80\x80\"]", "c.json:1:3: /0: not UTF-8" },
    { "[\"a\xe2\x82\"]", "c.json:1:4: /0: not UTF-8" }, /* cut */
    { "[\"\x80\"]", "c.json:1:3: /0: not UTF-8" },
    { "{\"\xff\":1}", "c.json:1:3: not UTF-8" },
    { "\xef\xbb\xbf{}", "c.json:1:1: byte order mark" },
    { "[\xef\xbb\xbf]", "c.json:1:2: /0: byte order mark" },
    { "\xff\xfe{", "c.json:1:1: not a JSON value" },
  };
  refused(cases, ARRAY_SIZE(cases));
}

Test(jsonx, refuses_nul_bytes) {
  refused_mem("[\"a\0b\"]", 7, "c.json:1:4: /0: NUL byte in a string");
  refused_mem("{\"a\0\":1}", 8, "c.json:1:4: NUL byte in a string");
  refused_mem("{}\0", 3, "c.json:1:3: text behind the end of the document");
  refused_mem("\0{}", 3, "c.json:1:1: not a JSON value");
  refused_mem("[1\0]", 4, "c.json:1:3: expected ',' or ']'");
}

Test(jsonx, reads_no_byte_behind_its_length) {
  json_auto_t *value = parse_mem("123456", 3);
  cr_expect_eq(json_integer_value(value), 123);
  refused_mem("[1]", 2, "c.json:1:3: the text ends too early");
  refused_mem("true", 3, "c.json:1:1: not a JSON value");
  refused_mem("\"\\u0041\"", 6, "c.json:1:2: \\u needs four hexadecimal digits");
  struct jsonx_source nothing = { "c.json", NULL, 0 };
  struct error err = { 0 };
  json_t *none = NULL;
  cr_expect(jsonx_parse(&nothing, 10, &none, &err) == -1);
  cr_expect_str_eq(err.message, "c.json:1:1: the text ends too early");
}

Test(jsonx, refuses_more_bytes_than_the_limit) {
  struct jsonx_source src = source("[1,2]");
  struct error err = { 0 };
  json_t *value = NULL;
  cr_assert(jsonx_parse(&src, 4, &value, &err) == -1);
  cr_expect_str_eq(err.message, "c.json: has 5 bytes, more than the 4 that are allowed");
  cr_assert(jsonx_parse(&src, 5, &value, &err) == 0);
  json_decref(value);
}

static char *nested(size_t levels, const char *open, const char *inner, const char *close) {
  struct str text = { 0 };
  for (size_t i = 0; i < levels; i++)
    str_add(&text, open);
  str_add(&text, inner);
  for (size_t i = 0; i < levels; i++)
    str_add(&text, close);
  return str_steal(&text);
}

Test(jsonx, takes_no_more_than_the_deepest_level) {
  CLEANUP_FREE char *arrays = nested(JSONX_DEPTH, "[", "1", "]");
  CLEANUP_FREE char *objects = nested(JSONX_DEPTH - 1, "{\"a\":", "[]", "}");
  becomes(arrays, arrays);
  becomes(objects, objects);
}

Test(jsonx, refuses_more_levels) {
  CLEANUP_FREE char *arrays = nested(JSONX_DEPTH + 1, "[", "", "]");
  CLEANUP_FREE char *open_only = nested(100000, "[", "", "");
  CLEANUP_FREE char *objects = nested(JSONX_DEPTH, "{\"a\":", "{}", "}");
  CLEANUP_FREE char *array_path = nested(JSONX_DEPTH, "/0", "", "");
  CLEANUP_FREE char *object_path = nested(JSONX_DEPTH, "/a", "", "");
  const char *why = "more levels of arrays and objects than are allowed";
  CLEANUP_FREE char *array_message = xasprintf("c.json:1:%d: %s: %s", JSONX_DEPTH + 1, array_path, why);
  CLEANUP_FREE char *object_message = xasprintf("c.json:1:%d: %s: %s", JSONX_DEPTH * 5 + 1, object_path, why);
  refused_mem(arrays, strlen(arrays), array_message);
  refused_mem(open_only, strlen(open_only), array_message);
  refused_mem(objects, strlen(objects), object_message);
}

Test(jsonx, holds_integers_above_the_signed_range) {
  const char *text = "{\"soft\":18446744073709551615,\"a\":[9223372036854775808,10000000000000000000,"
                     "9223372036854775807]}";
  becomes(text, text);
  json_auto_t *value = parse(text);
  uint64_t got = 0;
  cr_expect(jsonx_u64_get(jsonx_at(value, "/soft"), &got));
  cr_expect_eq(got, UINT64_MAX);
  cr_expect(jsonx_u64_get(jsonx_at(value, "/a/0"), &got));
  cr_expect_eq(got, UINT64_C(1) << 63);
  cr_expect(jsonx_u64_get(jsonx_at(value, "/a/2"), &got));
  cr_expect_eq(got, INT64_MAX);
  cr_expect(jsonx_is_integer(jsonx_at(value, "/a/1")));
  json_auto_t *again = jsonx_u64_new(UINT64_MAX);
  cr_expect(json_equal(again, jsonx_at(value, "/soft")));
}

Test(jsonx, makes_integers_of_either_form) {
  const uint64_t values[] = { 0,         1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_C(9999999999999999999),
                              UINT64_MAX };
  for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
    json_auto_t *value = jsonx_u64_new(values[i]);
    uint64_t got = ~values[i];
    cr_expect(jsonx_u64_get(value, &got));
    cr_expect_eq(got, values[i]);
    cr_expect(jsonx_is_integer(value));
    cr_expect_eq(json_is_integer(value), values[i] <= INT64_MAX);
    struct str pretty = { 0 };
    jsonx_dump_pretty(value, &pretty);
    CLEANUP_FREE char *digits = xasprintf("%ju\n", (uintmax_t)values[i]);
    cr_expect_str_eq(pretty.data, digits);
    str_free(&pretty);
  }
}

Test(jsonx, takes_nothing_else_for_an_integer) {
  json_auto_t *value =
      parse("[-1,1.0,\"1\",null,true,[],{},\"\\u007f8000\",\"\\u007f7fffffffffffffff\","
            "\"\\u007fFFFFFFFFFFFFFFFF\",\"xffffffffffffffff\",\"\\u007f\\u007fffffffffffffffff\"]");
  uint64_t got = 5;
  cr_expect(jsonx_is_integer(json_array_get(value, 0)));
  for (size_t i = 0; i < json_array_size(value); i++) {
    cr_expect_not(jsonx_u64_get(json_array_get(value, i), &got));
    cr_expect(i == 0 || !jsonx_is_integer(json_array_get(value, i)));
  }
  cr_expect_not(jsonx_u64_get(NULL, &got));
  cr_expect_not(jsonx_is_integer(NULL));
  cr_expect_eq(got, 5);
}

Test(jsonx, refuses_strings_that_would_be_integers) {
  const char *why = "a string of the form in which large integers are held";
  CLEANUP_FREE char *plain = xasprintf("c.json:1:7: /a/0: %s", why);
  CLEANUP_FREE char *beside = xasprintf("c.json:1:23: /1: %s", why);
  const struct refusal cases[] = {
    { "{\"a\":[\"\x7f"
      "8000000000000000\"]}",
      plain },
    { "{\"a\":[\"\\u007fffffffffffffff\\u0066f\"]}", plain },
    { "[18446744073709551615,\"\\u007fffffffffffffffff\"]", beside },
  };
  refused(cases, ARRAY_SIZE(cases));
}

Test(jsonx, writes_pretty) {
  json_auto_t *value = parse("{\"a\":[1,{\"b\":18446744073709551615}],\"c\":{},\"d\":[]}");
  CLEANUP_STR struct str out = { 0 };
  jsonx_dump_pretty(value, &out);
  cr_expect_str_eq(out.data, "{\n  \"a\": [\n    1,\n    {\n      \"b\": 18446744073709551615\n    }\n  ],\n"
                             "  \"c\": {},\n  \"d\": []\n}\n");
}

Test(jsonx, appends_what_it_writes) {
  CLEANUP_STR struct str out = { 0 };
  json_auto_t *value = parse("[1]");
  str_add(&out, "x");
  jsonx_dump(value, &out);
  jsonx_dump(value, &out);
  cr_expect_str_eq(out.data, "x[1][1]");
}

/* jansson's own reader, and its writer for the order of keys, are the oracle; RLIM_INFINITY is beyond it. */
static void expect_as_jansson(const char *path, const char *text, const json_t *value) {
  json_error_t why;
  json_auto_t *other = json_loads(text, 0, &why);
  if (!other) {
    cr_expect_eq(json_error_code(&why), json_error_numeric_overflow, "%s: %s", path, why.text);
    return;
  }
  cr_expect(json_equal(value, other), "%s", path);
  CLEANUP_FREE char *mine = json_dumps(value, JSON_COMPACT);
  CLEANUP_FREE char *theirs = json_dumps(other, JSON_COMPACT);
  cr_expect_str_eq(mine, theirs);
  CLEANUP_FREE char *bytes = dump(value);
  cr_expect_str_eq(bytes, theirs);
}

Test(jsonx, reads_what_engines_write) {
  glob_t files;
  cr_assert_eq(glob("tests/fixtures/*/*.json", 0, NULL, &files), 0);
  cr_assert_geq(files.gl_pathc, 80);
  for (size_t i = 0; i < files.gl_pathc; i++) {
    CLEANUP_FREE char *text = testfile_read(files.gl_pathv[i]);
    json_auto_t *value = parse(text);
    CLEANUP_STR struct str first = { 0 };
    CLEANUP_STR struct str pretty = { 0 };
    jsonx_dump(value, &first);
    jsonx_dump_pretty(value, &pretty);
    json_auto_t *again = parse_mem(first.data, first.len);
    json_auto_t *from_pretty = parse_mem(pretty.data, pretty.len);
    cr_expect(json_equal(value, again), "%s", files.gl_pathv[i]);
    cr_expect(json_equal(value, from_pretty), "%s", files.gl_pathv[i]);
    CLEANUP_FREE char *second = dump(again);
    cr_expect_str_eq(first.data, second);
    expect_as_jansson(files.gl_pathv[i], text, value);
  }
  globfree(&files);
}

/* What a quadratic reader does not finish: 10 MB. The limit is no measurement, only an end. */
Test(jsonx, reads_large_documents, .timeout = 60) {
  CLEANUP_FREE char *deep = nested(JSONX_DEPTH - 1, "[", "0", "]");
  CLEANUP_STR struct str many = { 0 };
  for (size_t i = 0; i < 10000; i++)
    str_addf(&many, "%c%s", i ? ',' : '[', deep);
  str_add(&many, "]");
  json_auto_t *arrays = parse_mem(many.data, many.len);
  cr_expect_eq(json_array_size(arrays), 10000);
}
