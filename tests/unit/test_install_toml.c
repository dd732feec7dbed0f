/* SPDX-License-Identifier: Apache-2.0 */
#include "install/toml.h"

#include <criterion/criterion.h>
#include <string.h>

static struct toml parsed(const char *text) {
  struct toml t = { 0 };
  struct error err = { 0 };
  cr_assert_eq(toml_parse("f", text, strlen(text), &t, &err), 0, "%s", err.message);
  return t;
}

#define AT(t, ...) toml_at((t), (const char *const[]){ __VA_ARGS__, NULL })

static void span_is(const struct toml *t, const struct toml_node *node, const char *expected) {
  cr_assert_not_null(node);
  cr_assert_eq(node->end - node->start, strlen(expected));
  cr_assert_eq(memcmp(t->text + node->start, expected, strlen(expected)), 0);
}

static void lines_are(const struct toml *t, size_t from, size_t to, const char *expected) {
  cr_assert_eq(to - from, strlen(expected), "%zu..%zu", from, to);
  cr_assert_eq(memcmp(t->text + from, expected, to - from), 0);
}

Test(install_toml, knows_where_everything_stands) {
  CLEANUP_TOML struct toml t = parsed("# top\n"
                                      "a = 1 # one\n"
                                      "\n"
                                      "  [x.\"y z\"]  # head\n"
                                      "k = [ 1,\n  2 ]\n"
                                      "s = 'v'\n"
                                      "\n"
                                      "# of the next\n"
                                      "[x]\n"
                                      "d.e = \"\\u00e9\"");
  const struct toml_node *a = AT(&t, "a"), *y = AT(&t, "x", "y z"), *x = AT(&t, "x");
  span_is(&t, a, "1");
  lines_are(&t, a->line, a->line_end, "a = 1 # one\n");
  span_is(&t, AT(&t, "x", "y z", "k"), "[ 1,\n  2 ]");
  cr_assert_eq(y->origin, TOML_BY_HEADER);
  lines_are(&t, y->line, y->line_end, "  [x.\"y z\"]  # head\n");
  lines_are(&t, y->line, y->end, "  [x.\"y z\"]  # head\nk = [ 1,\n  2 ]\ns = 'v'\n");
  cr_assert_eq(x->origin, TOML_BY_HEADER, "first implied, then made");
  cr_assert_eq(AT(&t, "x", "d")->origin, TOML_BY_DOTS);
  CLEANUP_FREE char *e = toml_string(&t, AT(&t, "x", "d", "e"));
  cr_assert_str_eq(e, "\xc3\xa9");
  CLEANUP_FREE char *path = toml_path(AT(&t, "x", "y z", "s"));
  cr_assert_str_eq(path, "x.\"y z\".s");
  cr_assert_null(AT(&t, "x", "nothing"));
  cr_assert_null(toml_string(&t, a));
}

Test(install_toml, a_section_ends_behind_its_last_key) {
  CLEANUP_TOML struct toml t = parsed("[a]\n[b]\nx = 1\n# tail\n\n[c]");
  lines_are(&t, AT(&t, "a")->line, AT(&t, "a")->end, "[a]\n");
  lines_are(&t, AT(&t, "b")->line, AT(&t, "b")->end, "[b]\nx = 1\n");
  lines_are(&t, AT(&t, "c")->line, AT(&t, "c")->end, "[c]");
}

static const struct {
  const char *text, *message;
} refused[] = {
  { "a = 1\na = 2\n", "f:2:1: a is already there" },
  { "[a]\n[a]\n", "f:2:2: a is already there" },
  { "a = {}\n[a.b]\n", "f:2:2: a is already there" },
  { "a.b = 1\n[a]\n", "f:2:2: a is already there" },
  { "[a]\nb.c = 1\n[a.b]\n", "f:3:2: a.b is already there" },
  { "[a.b]\n[a]\nb.c = 1\n", "f:3:1: a.b is already there" },
  { "a = []\n[[a]]\n", "f:2:3: a is already there" },
  { "[[a]]\n[a]\n", "f:2:2: a is already there" },
  { "a = { b = 1 }\na.c = 2\n", "f:2:1: a is already there" },
  { "a = { b = 1, b.c = 2 }\n", "f:1:14: a.b is already there" },
  { "a = { b = 1, }\n", "f:1:14: expected a key" },
  { "a = 1 b = 2\n", "f:1:7: expected the end of the line" },
  { "a =\n", "f:1:4: expected a value" },
  { "a = 01\n", "f:1:5: expected a value" },
  { "a = 1__0\n", "f:1:5: expected a value" },
  { "a = 9223372036854775808\n", "f:1:5: expected a value: a string in quotes, a number of 64 bits" },
  { "a = 2023-02-29\n", "f:1:5: expected a value" },
  { "a = \"\\q\"\n", "f:1:7: unknown escape" },
  { "a = \"\\ud800\"\n", "f:1:8: not a Unicode character" },
  { "a = \"x\ny\"\n", "f:1:7: a string that is not closed" },
  { "a = '''x", "f:1:9: a string that is not closed" },
  { "a = \"\x01\"\n", "f:1:6: a control character" },
  { "a = 1\r", "f:1:6: expected the end of the line" },
  { "# \xff\n", "f:1:3: bytes that are not UTF-8" },
  { "\xef\xbb\xbf"
    "a = 1\n",
    "f:1:1: expected a key" },
  { "\"\\u0000\" = 1\n", "f:1:1: NUL in a key" },
  { "\"\"\"a\"\"\" = 1\n", "f:1:1: a key cannot be a string of several lines" },
  { "[a\n", "f:1:3: expected ']'" },
  { "[[a]\n", "f:1:4: expected ']'" },
  { "[]\n", "f:1:2: expected a key" },
};

Test(install_toml, what_it_refuses_has_a_place) {
  for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
    struct toml t = { 0 };
    struct error err = { 0 };
    cr_assert_eq(toml_parse("f", refused[i].text, strlen(refused[i].text), &t, &err), -1, "%s",
                 refused[i].text);
    cr_assert_eq(err.code, ERROR_INPUT);
    cr_assert(str_starts(err.message, refused[i].message), "%s: %s", refused[i].text, err.message);
    cr_assert_null(t.root);
  }
}

Test(install_toml, depth_and_size_are_bounded) {
  CLEANUP_STR struct str text = { 0 };
  struct toml t = { 0 };
  struct error err = { 0 };
  str_add(&text, "a = ");
  for (int i = 0; i < 100000; i++)
    str_add(&text, "[");
  cr_assert_eq(toml_parse("f", text.data, text.len, &t, &err), -1);
  cr_assert(strstr(err.message, "nested too deep"));
  str_free(&text);
  for (int i = 0; i < 100000; i++)
    str_add(&text, i ? ".a" : "a");
  str_add(&text, " = 1");
  cr_assert_eq(toml_parse("f", text.data, text.len, &t, &err), -1);
  cr_assert(strstr(err.message, "too many parts"));
  while (text.len <= TOML_LIMIT)
    str_add(&text, "# a comment, which is fine but for its length\n");
  cr_assert_eq(toml_parse("f", text.data, text.len, &t, &err), -1);
  cr_assert(strstr(err.message, "larger than the limit"));
}

static bool are_same(const char *a, const char *b) {
  CLEANUP_TOML struct toml x = parsed(a);
  CLEANUP_TOML struct toml y = parsed(b);
  return toml_same(&x, &y);
}

Test(install_toml, same_is_what_a_reader_would_read) {
  cr_assert(are_same("a = 1\nb.c = 2\n", "# x\nb = { c = 2 }\na   =   1\n"));
  cr_assert(are_same("[a.b]\n[a]\nx = 1\n", "[a]\nx = 1\n[a.b]\n"));
  cr_assert_not(are_same("a = 1\n", "a = 2\n"));
  cr_assert_not(are_same("a = 1\n", "a = 1\nb = 1\n"));
  cr_assert_not(are_same("a = 1\nb = 1\n", "a = 1\n"));
  cr_assert_not(are_same("a = [1, 2]\n", "a = [2, 1]\n"));
  cr_assert_not(are_same("a = [1]\n", "a = [1, 1]\n"));
  cr_assert_not(are_same("a = \"1\"\n", "a = 1\n"));
  cr_assert_not(are_same("", "[a]\n"));
  cr_assert_not(are_same("[[a]]\n", "[[a]]\n[[a]]\n"));
}

Test(install_toml, same_leaves_out_what_is_skipped) {
  CLEANUP_TOML struct toml a = parsed("x = 1\n");
  CLEANUP_TOML struct toml b = parsed("x = 1\n[p.q.mine]\ny = 1\n");
  cr_assert_not(toml_same(&a, &b));
  AT(&b, "p", "q", "mine")->skip = true;
  cr_assert(toml_same(&a, &b), "what only led to it counts no longer");
}

Test(install_toml, what_is_written_is_read) {
  static const char *const values[] = { "plain", "", "a\"b\\c", "tab\tnewline\n", "\x7f", "\xc3\xa9 x.y" };
  for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
    CLEANUP_STR struct str text = { 0 };
    toml_add_key(&text, values[i]);
    str_add(&text, " = ");
    toml_add_string(&text, values[i]);
    CLEANUP_TOML struct toml t = parsed(text.data);
    CLEANUP_FREE char *value = toml_string(&t, toml_get(t.root, values[i]));
    cr_assert_str_eq(value, values[i]);
  }
}
