/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that are there twice, or are one to a reader that ignores case. */
#include "jsonx_texts.h"

Test(jsonx_keys, refuses_duplicate_keys) {
  const struct refusal cases[] = {
    { "{\"a\":1,\n \"a\":2}", "c.json:2:2: /a: the key \"a\" is there twice, first at line 1, column 2" },
    { "{\"process\":1,\"pro\\u0063ess\":2}",
      "c.json:1:14: /process: the key \"process\" is there twice, first at line 1, column 2" },
    { "{\"a\":[{\"b\":{},\"c\":1,\"b\":{}}]}",
      "c.json:1:21: /a/0/b: the key \"b\" is there twice, first at line 1, column 8" },
    { "{\"\":1,\"\":2}", "c.json:1:7: /: the key \"\" is there twice, first at line 1, column 2" },
    { "{\"\\/\":1,\"/\":2}", "c.json:1:9: /~1: the key \"/\" is there twice, first at line 1, column 2" },
  };
  refused(cases, ARRAY_SIZE(cases));
  becomes("[{\"a\":1},{\"a\":2}]", "[{\"a\":1},{\"a\":2}]");
}

#define ONE_KEY "are one key to Go, which ignores case"

Test(jsonx_keys, refuses_keys_that_fold_to_one_name) {
  const struct refusal cases[] = {
    { "{\"args\":1,\"Args\":2}",
      "c.json:1:11: /Args: the keys \"args\" (line 1, column 2) and \"Args\" " ONE_KEY },
    { "{\"ARGS\":1,\n\"x\":0,\"args\":2}",
      "c.json:2:7: /args: the keys \"ARGS\" (line 1, column 2) and \"args\" " ONE_KEY },
    { "{\"process\":{},\"proce\\u017fs\":{}}",
      "c.json:1:15: /proce\u017fs: the keys \"process\" (line 1, column 2) and \"proce\\u017fs\" " ONE_KEY },
    { "{\"\u212Aey\":1,\"key\":2}",
      "c.json:1:12: /key: the keys \"\\u212aey\" (line 1, column 2) and \"key\" " ONE_KEY },
    { "{\"K\":1,\"\u212A\":2}",
      "c.json:1:8: /\u212A: the keys \"K\" (line 1, column 2) and \"\\u212a\" " ONE_KEY },
    { "{\"S\":1,\"\\u017F\":2}",
      "c.json:1:8: /\u017F: the keys \"S\" (line 1, column 2) and \"\\u017f\" " ONE_KEY },
    { "{\"a\":[0,{\"x\":{\"b/\":1,\"\\u0042/\":2}}]}",
      "c.json:1:22: /a/1/x/B~1: the keys \"b/\" (line 1, column 15) and \"B/\" " ONE_KEY },
  };
  refused(cases, ARRAY_SIZE(cases));
}

Test(jsonx_keys, takes_keys_that_only_look_alike) {
  /* Beyond ASCII, Go folds these two characters only into names that are ASCII. */
  becomes(
      "{\"\u00e9\":1,\"\u00c9\":2,\"[\":3,\"{\":4,\"@\":5,\"`\":6,\"a\":7,\"ab\":8,\"\u0131\":9,\"i\":10}",
      "{\"\u00e9\":1,\"\u00c9\":2,\"[\":3,\"{\":4,\"@\":5,\"`\":6,\"a\":7,\"ab\":8,\"\u0131\":9,\"i\":10}");
}

/* An object of n members "Key0".."key<n-1>", in turns capital and not, then `last`. */
static char *big_object(size_t n, const char *last) {
  struct str text = { 0 };
  str_add(&text, "{");
  for (size_t i = 0; i < n; i++)
    str_addf(&text, "\"%cey%zu\":%zu,", i % 2 ? 'k' : 'K', i, i);
  str_addf(&text, "%s}", last);
  return str_steal(&text);
}

Test(jsonx_keys, refuses_folding_keys_in_big_objects) {
  CLEANUP_FREE char *good = big_object(40, "\"x\":1");
  CLEANUP_FREE char *changed_first = big_object(40, "\"key2\":1");
  CLEANUP_FREE char *changed_last = big_object(40, "\"KEY3\":1");
  CLEANUP_FREE char *both_changed = big_object(40, "\"\u212AeY2\":1");
  CLEANUP_FREE char *same = big_object(40, "\"Key2\":1");
  becomes(good, good);
  const struct refusal cases[] = {
    { changed_first, "c.json:1:422: /key2: the keys \"Key2\" (line 1, column 20) and \"key2\" " ONE_KEY },
    { changed_last, "c.json:1:422: /KEY3: the keys \"key3\" (line 1, column 29) and \"KEY3\" " ONE_KEY },
    { both_changed,
      "c.json:1:422: /\u212AeY2: the keys \"Key2\" (line 1, column 20) and \"\\u212aeY2\" " ONE_KEY },
    { same, "c.json:1:422: /Key2: the key \"Key2\" is there twice, first at line 1, column 20" },
  };
  refused(cases, ARRAY_SIZE(cases));
}

static bool is_map(const char *pointer) {
  return strcmp(pointer, "/a/map") == 0;
}

/* 0: taken and the same again. */
static int with_maps(const char *text, struct error *err) {
  json_auto_t *value = NULL;
  CLEANUP_STR struct str out = { 0 };
  struct jsonx_source src = source(text);
  if (jsonx_parse_with_maps(&src, JSONX_LIMIT_DEFAULT, is_map, &value, err) < 0)
    return -1;
  jsonx_dump(value, &out);
  cr_expect_str_eq(out.data, text);
  return 0;
}

Test(jsonx_keys, keys_of_maps_are_data) {
  CLEANUP_FREE char *big = big_object(40, "\"KEY2\":1,\"kEY2\":2");
  CLEANUP_FREE char *big_map = xasprintf("{\"a\":{\"map\":%s}}", big);
  CLEANUP_FREE char *big_other = xasprintf("{\"a\":{\"Map\":%s}}", big);
  struct error err = { 0 };
  cr_expect(with_maps("{\"a\":{\"map\":{\"x\":1,\"X\":2,\"\u212a\":3,\"k\":4}}}", &err) == 0, "%s",
            err.message);
  cr_expect(with_maps(big_map, &err) == 0, "%s", err.message);
  static const char *const folding[] = {
    "{\"a\":{\"map\":{},\"MAP\":{}}}",              /* the map itself is a member */
    "{\"a\":{\"map\":{\"in\":{\"x\":1,\"X\":2}}}}", /* what lies in it is none */
    "{\"a\":{\"mop\":{\"x\":1,\"X\":2}}}",
    "{\"map\":{\"x\":1,\"X\":2}}",
  };
  for (size_t i = 0; i < ARRAY_SIZE(folding); i++) {
    err = (struct error){ 0 };
    cr_expect(with_maps(folding[i], &err) < 0 && strstr(err.message, ONE_KEY), "%s: %s", folding[i],
              err.message);
  }
  cr_expect(with_maps(big_other, &err) < 0);
  err = (struct error){ 0 };
  cr_expect(with_maps("{\"a\":{\"map\":{\"x\":1,\"x\":2}}}", &err) < 0);
  cr_expect(strstr(err.message, "there twice"), "%s", err.message);
}

Test(jsonx_keys, folds_as_go_does) {
  const char *const pairs[][2] = {
    { "", "" },
    { "ociVersion", "ociversion" },
    { "AZaz[`@{", "azaz[`@{" },
    { "\u017F\u212A", "sk" },
    { "\u00c9\u0130", "\u00c9\u0130" },
    { "\xc5", "\xc5" },
    { "\xe2\x84", "\xe2\x84" },
  };
  for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
    CLEANUP_FREE char *folded = jsonx_fold(pairs[i][0]);
    cr_expect_str_eq(folded, pairs[i][1]);
  }
}

/* What a quadratic reader does not finish: 10 MB. The limit is no measurement, only an end. */
Test(jsonx_keys, reads_large_objects, .timeout = 60) {
  CLEANUP_FREE char *keys = big_object(600000, "\"x\":1");
  CLEANUP_FREE char *folding = big_object(600000, "\"kEY0\":1");
  json_auto_t *value = parse(keys);
  cr_expect_eq(json_object_size(value), 600001);
  struct jsonx_source src = source(folding);
  struct error err = { 0 };
  json_t *none = NULL;
  cr_expect(jsonx_parse(&src, JSONX_LIMIT_DEFAULT, &none, &err) == -1);
  cr_expect_not_null(strstr(err.message, "the keys \"Key0\" (line 1, column 2) and \"kEY0\""));
}
