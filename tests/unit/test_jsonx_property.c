/* SPDX-License-Identifier: Apache-2.0 */
/* Random values and damaged texts, from a fixed seed. */
#include "jsonx_oracle.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t state = 20240229;

/* xorshift64* */
static uint64_t next(void) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * UINT64_C(2685821657736338717);
}

static size_t below(size_t n) {
  return (size_t)(next() >> 33) % n;
}

static json_t *random_string(void) {
  static const char *const pieces[] = { "a",        "B",          "/",       "~",
                                        "\"",       "\\",         "\n",      "\x01",
                                        "\x7f",     "\u00e9",     "\u017f",  "\u212a",
                                        "\ufffd",   "\U0001F600", "\\u0000", "\xef\xbb\xbf",
                                        "ffffffff", " ",          "{",       "process" };
  CLEANUP_STR struct str text = { 0 };
  for (size_t n = below(6); n > 0; n--)
    str_add(&text, pieces[below(ARRAY_SIZE(pieces))]);
  return jsonx_string_new(text.data ? text.data : "");
}

static json_t *random_real(void) {
  for (;;) {
    double real;
    uint64_t bits = next();
    memcpy(&real, &bits, sizeof real);
    if (below(2))
      real = (double)(int64_t)bits / 1000;
    if (isfinite(real))
      return json_real(real);
  }
}

static json_t *random_scalar(void) {
  switch (below(7)) {
  case 0:
    return random_string();
  case 1:
    return random_real();
  case 2:
    return json_integer((json_int_t)next());
  case 3:
    return jsonx_u64_new(next() | UINT64_C(1) << 63);
  case 4:
    return json_boolean(below(2));
  case 5:
    return json_integer((json_int_t)below(1000));
  default:
    return json_null();
  }
}

/* Adds a member unless its key folds to the name of another. */
static void add_member(json_t *object, json_t *value) {
  json_auto_t *key = random_string();
  CLEANUP_FREE char *folded = jsonx_fold(json_string_value(key));
  const char *other;
  json_t *ignored;
  bool known = false;
  json_object_foreach(object, other, ignored) {
    CLEANUP_FREE char *other_folded = jsonx_fold(other);
    known = known || strcmp(folded, other_folded) == 0;
  }
  if (known)
    json_decref(value);
  else
    jsonx_set_new(object, json_string_value(key), value);
}

static json_t *random_value(size_t depth) {
  if (depth == 0 || below(4) == 0)
    return random_scalar();
  bool is_object = below(2);
  json_t *container = is_object ? json_object() : json_array();
  for (size_t n = below(is_object && depth == 2 ? 40 : 6); n > 0; n--) {
    json_t *child = random_value(depth - 1);
    if (is_object)
      add_member(container, child);
    else
      jsonx_append_new(container, child);
  }
  return container;
}

static void check(const char *text, size_t len) {
  const char *complaint = oracle(text, len);
  cr_expect_null(complaint, "%s: %.*s", complaint, (int)len, text);
}

Test(jsonx_property, random_values_read_back) {
  for (int i = 0; i < 3000; i++) {
    json_auto_t *value = random_value(below(6));
    CLEANUP_STR struct str out = { 0 };
    if (i % 2)
      jsonx_dump_pretty(value, &out);
    else
      jsonx_dump(value, &out);
    struct jsonx_source src = { "random", out.data, out.len };
    struct error err = { 0 };
    json_auto_t *again = NULL;
    cr_assert_eq(jsonx_parse(&src, SIZE_MAX, &again, &err), 0, "%s in %s", err.message, out.data);
    cr_expect(json_equal(value, again), "%s", out.data);
    check(out.data, out.len);
  }
}

static void damage(struct str *text) {
  static const char *const pieces[] = { "\"",
                                        "\\",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        ",",
                                        ":",
                                        "\n",
                                        "0",
                                        "-",
                                        "1e",
                                        ".5",
                                        "\\u00",
                                        "\\ud83d",
                                        "\xff",
                                        "\xc3",
                                        "null",
                                        "18446744073709551615",
                                        "\x7f" };
  size_t at = below(text->len + 1);
  CLEANUP_STR struct str tail = { 0 };
  switch (below(4)) {
  case 0: /* cut */
    text->len = at;
    text->data[at] = '\0';
    return;
  case 1: /* another byte */
    if (at < text->len)
      text->data[at] = (char)next();
    return;
  case 2: /* fewer bytes */
    str_add_mem(&tail, text->data + at, text->len - at);
    text->len = at - below(at < 4 ? at + 1 : 4);
    str_add_mem(text, tail.data ? tail.data : "", tail.len);
    return;
  default: /* more bytes */
    str_add_mem(&tail, text->data + at, text->len - at);
    text->len = at;
    str_add(text, pieces[below(ARRAY_SIZE(pieces))]);
    str_add_mem(text, tail.data ? tail.data : "", tail.len);
  }
}

Test(jsonx_property, damaged_texts_are_judged_as_jansson_does) {
  unsigned refused = 0;
  for (int i = 0; i < 20000; i++) {
    json_auto_t *value = random_value(below(4));
    CLEANUP_STR struct str out = { 0 };
    jsonx_dump(value, &out);
    for (size_t n = 1 + below(2); n > 0; n--)
      damage(&out);
    struct jsonx_source src = { "damaged", out.data, out.len };
    struct error err = { 0 };
    json_auto_t *taken = NULL;
    refused += jsonx_parse(&src, SIZE_MAX, &taken, &err) != 0;
    check(out.data, out.len);
  }
  cr_expect(refused > 5000 && refused < 20000, "%u refused", refused);
}

static long allocations_left;

static void *failing_malloc(size_t size) {
  return allocations_left-- > 0 ? malloc(size) : NULL;
}

/* In a child whose jansson gets `n` allocations: 0 when that was enough. */
static int run_with_allocations(long n) {
  static const char text[] =
      "{\"a\":[1,0.5,18446744073709551615,\"x\\n\",-9223372036854775808],\"\\u0062\":{\"c\":null},"
      "\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"9\":1,\"10\":1,\"11\":1,"
      "\"12\":1,\"13\":1,\"14\":1,\"15\":1,\"Aa\":1,\"Bb\":1}";
  struct jsonx_source src = { "text", text, sizeof text - 1 };
  struct str out = { 0 };
  struct error err = { 0 };
  json_t *value = NULL;
  pid_t pid = fork();
  cr_assert_geq(pid, 0);
  if (pid == 0) {
    close(STDERR_FILENO);
    allocations_left = n;
    json_set_alloc_funcs(failing_malloc, free);
    if (jsonx_parse(&src, SIZE_MAX, &value, &err) != 0)
      _exit(2);
    json_t *copy = jsonx_copy(value);
    jsonx_dump(copy, &out);
    json_set_alloc_funcs(malloc, free);
    json_t *again = NULL;
    _exit(jsonx_parse(&(struct jsonx_source){ "out", out.data, out.len }, SIZE_MAX, &again, &err) != 0 ||
                  !json_equal(value, again)
              ? 3
              : 0);
  }
  int status;
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  cr_assert(WIFEXITED(status), "%ld allocations: signal %d", n, WTERMSIG(status));
  return WEXITSTATUS(status);
}

/* Without memory a document is neither refused nor cut short: the program ends. */
Test(jsonx_property, ends_at_every_allocation_that_fails) {
  long n = 0;
  while (n < 1000 && run_with_allocations(n) == 1)
    n++;
  cr_expect_gt(n, 50);
  cr_expect_lt(n, 1000);
  cr_expect_eq(run_with_allocations(n), 0, "%ld allocations: %d", n, run_with_allocations(n));
}
