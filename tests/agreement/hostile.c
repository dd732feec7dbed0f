/* SPDX-License-Identifier: Apache-2.0 */
#include "agreement/hostile.h"

#include "io/jsonx.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* What is changed, and what an attacker would like to stand there. */
static const struct target {
  const char *parent, *key, *value;
} targets[] = {
  { "", "process", "{\"args\":[\"/inside\",\"other\"],\"cwd\":\"/tmp\"}" },
  { "", "hostname", "\"other\"" },
  { "", "root", "{\"path\":\"rootfs\",\"readonly\":false}" },
  { "", "mounts", "[]" },
  { "", "linux", "{\"namespaces\":[]}" },
  { "", "annotations", "{\"a\":\"b\"}" },
  { "", "ociVersion", "\"1.0.0\"" },
  { "/process", "noNewPrivileges", "false" },
  { "/process", "args", "[\"/inside\",\"evil\"]" },
  { "/process", "env", "[\"PATH=/evil\"]" },
  { "/process", "cwd", "\"/tmp\"" },
  { "/process", "user", "{\"uid\":0,\"gid\":0}" },
  { "/process", "capabilities", "{\"bounding\":[\"CAP_SYS_ADMIN\"],\"effective\":[\"CAP_SYS_ADMIN\"]}" },
  { "/process", "rlimits", "[{\"type\":\"RLIMIT_NOFILE\",\"hard\":9999,\"soft\":9999}]" },
  { "/process", "terminal", "false" },
  { "/process", "oomScoreAdj", "0" },
  { "/process/user", "uid", "0" },
  { "/process/user", "gid", "0" },
  { "/process/user", "additionalGids", "[0,1]" },
  { "/process/user", "umask", "0" },
  { "/process/capabilities", "bounding", "[\"CAP_SYS_ADMIN\",\"CAP_NET_RAW\"]" },
  { "/process/capabilities", "effective", "[\"CAP_SYS_ADMIN\"]" },
  { "/process/capabilities", "permitted", "[\"CAP_SYS_ADMIN\"]" },
  { "/process/capabilities", "ambient", "[\"CAP_NET_RAW\"]" },
  { "/process/rlimits/0", "hard", "999999" },
  { "/process/rlimits/0", "soft", "999999" },
  { "/process/rlimits/0", "type", "\"RLIMIT_CORE\"" },
  { "/root", "readonly", "false" },
  { "/root", "path", "\"rootfs\"" },
  { "/mounts/0", "destination", "\"/proc\"" },
  { "/mounts/0", "options", "[]" },
  { "/mounts/1", "type", "\"tmpfs\"" },
  { "/mounts/1", "options", "[\"nosuid\",\"suid\",\"exec\",\"mode=777\"]" },
  { "/linux", "seccomp", "null" },
  { "/linux", "maskedPaths", "[]" },
  { "/linux", "readonlyPaths", "[]" },
  { "/linux", "namespaces", "[{\"type\":\"pid\"},{\"type\":\"mount\"}]" },
  { "/linux", "resources", "{}" },
  { "/linux/seccomp", "defaultAction", "\"SCMP_ACT_ALLOW\"" },
  { "/linux/seccomp", "syscalls", "[]" },
};

static const char *const odd_values[] = {
  "null",
  "0",
  "-0",
  "-1",
  "1.0",
  "1e3",
  "1E3",
  "1e-3",
  "0.5",
  "1e400",
  "00",
  "+1",
  "0x10",
  "1.",
  ".5",
  "NaN",
  "4294967295",
  "4294967296",
  "18446744073709551615",
  "18446744073709551616",
  "9223372036854775808",
  "-9223372036854775809",
  "1000000000000000000000000000000",
  "true",
  "false",
  "\"\"",
  "\"0\"",
  "\"1000\"",
  "\"true\"",
  "[]",
  "{}",
  "[null]",
  "[[]]",
  "[{}]",
  "{\"\":0}",
  "[0]",
  "[\"\"]",
  "{\"0\":\"CAP_SYS_ADMIN\"}",
};

/* As texts, within quotes. */
static const char *const odd_texts[] = {
  "\\u0041\\u00e9", "\\ud83d\\ude00", "\\ud800",
  "\\udc00\\ud800", "a\\u0000b",      "\\u0000",
  "a\\nb",          "a\\tb",          "\\/",
  "a\\x",           "\\u12",          "\xff\xfe",
  "\xc0\xaf",       "\xed\xa0\x80",   "\xf5\x80\x80\x80",
  "\xe2\x82",       "a\x01z",         "a\tb",
  "\xef\xbb\xbf",   "\xe2\x80\xae",   "\\u202e",
  "\\uFEFF",        "\xc5\xbf",       "\xe2\x84\xaa",
  "a\x7f",
};

struct maker {
  uint64_t random;
  const struct target *target;
  const char *extra; /* a member's text that goes in front of or behind the target's; NULL: none */
  bool behind;
  const char *replaced; /* the target's value becomes this text; NULL: it stays */
  const char *renamed;  /* the target's key in quotes becomes this; NULL: it stays */
  bool spaced;          /* with all the white space that is allowed */
};

static uint64_t draw(struct maker *m, uint64_t below) {
  m->random = m->random * 6364136223846793005u + 1442695040888963407u;
  return (m->random >> 33) % below;
}

static void add_space(const struct maker *m, struct str *out) {
  if (m->spaced)
    str_add(out, " \r\n\t");
}

static void write_value(struct maker *m, const json_t *value, const char *pointer, struct str *out);

static void write_member(struct maker *m, const char *key, const json_t *value, const char *pointer,
                         struct str *out) {
  const bool is_target = strcmp(pointer, m->target->parent) == 0 && strcmp(key, m->target->key) == 0;
  json_auto_t *name = json_string(key);
  CLEANUP_FREE char *below = jsonx_pointer(pointer, key);
  if (is_target && m->extra && !m->behind)
    str_addf(out, "%s,", m->extra);
  if (is_target && m->renamed)
    str_add(out, m->renamed);
  else
    jsonx_dump(name, out);
  add_space(m, out);
  str_add(out, ":");
  if (is_target && m->replaced)
    str_add(out, m->replaced);
  else
    write_value(m, value, below, out);
  if (is_target && m->extra && m->behind)
    str_addf(out, ",%s", m->extra);
}

static void write_value(struct maker *m, const json_t *value, const char *pointer, struct str *out) {
  const char *key, *separator = "";
  size_t i;
  json_t *item;
  add_space(m, out);
  if (json_is_object(value)) {
    str_add(out, "{");
    json_object_foreach((json_t *)value, key, item) {
      str_add(out, separator);
      add_space(m, out);
      write_member(m, key, item, pointer, out);
      separator = ",";
    }
    str_add(out, "}");
  } else if (json_is_array(value)) {
    str_add(out, "[");
    json_array_foreach(value, i, item) {
      CLEANUP_FREE char *below = xasprintf("%s/%zu", pointer, i);
      str_add(out, separator);
      write_value(m, item, below, out);
      separator = ",";
    }
    str_add(out, "]");
  } else {
    jsonx_dump(value, out);
  }
  add_space(m, out);
}

/* The key in quotes, in another case, with the letters that Go folds, or with escapes (which change nothing).
 */
static char *other_key(struct maker *m, const char *key, unsigned how) {
  CLEANUP_STR struct str out = { 0 };
  const size_t at = (size_t)draw(m, strlen(key));
  str_add(&out, "\"");
  for (size_t i = 0; key[i]; i++) {
    const int c = (unsigned char)key[i];
    if (how == 0 || (how == 1 && i == at))
      str_addf(&out, "%c", islower(c) ? toupper(c) : tolower(c));
    else if (how == 2 && (c == 's' || c == 'k'))
      str_add(&out, c == 's' ? "\xc5\xbf" : "\xe2\x84\xaa");
    else if (how == 3 && (c == 's' || c == 'k'))
      str_add(&out, c == 's' ? "\\u017f" : "\\u212A");
    else if (how == 4 && i == at)
      str_addf(&out, "\\u%04x", (unsigned)c);
    else
      str_addf(&out, "%c", c);
  }
  if (how == 5)
    str_add(&out, "\\u0000");
  if (how == 6)
    str_add(&out, " ");
  str_add(&out, "\"");
  return str_steal(&out);
}
enum { KEY_FORMS = 7 };

static char *text_value(struct maker *m) {
  const char *text = odd_texts[draw(m, ARRAY_SIZE(odd_texts))];
  switch (draw(m, 3)) {
  case 0:
    return xasprintf("\"%s\"", text);
  case 1:
    return xasprintf("[\"/inside\",\"%s\"]", text);
  default:
    return xasprintf("[\"PATH=/\",\"A=%s\",\"A=2\"]", text);
  }
}

/* What stands around the document. */
static const char *wrap(struct maker *m, struct str *out) {
  static const char *const tails[] = {
    "{}", "\n{\"process\":null}", "x", ",", "]", "//", "/**/", "null", "\"\"", "\n \t\r"
  };
  const size_t kind = draw(m, 14);
  if (kind < 10) {
    str_add(out, tails[kind]);
    return "bytes behind";
  }
  if (kind == 10) {
    str_add_mem(out, "\0{}", 3);
    return "NUL behind";
  }
  CLEANUP_STR struct str whole = { 0 };
  if (kind == 11)
    str_add(&whole, "\xef\xbb\xbf");
  else if (kind == 12)
    str_add_mem(&whole, "\xff\xfe", 2);
  else
    str_add(&whole, "[");
  str_add_mem(&whole, out->data, out->len);
  if (kind == 13)
    str_add(&whole, "]");
  str_free(out);
  str_add_mem(out, whole.data, whole.len);
  return kind == 13 ? "an array around" : "a byte order mark";
}

static char *deep(struct maker *m) {
  static const size_t depths[] = { 20, 100, 127, 129, 600, 20000 };
  const size_t depth = depths[draw(m, ARRAY_SIZE(depths))];
  CLEANUP_STR struct str out = { 0 };
  str_add(&out, "\"x-deep\":");
  for (size_t i = 0; i < depth; i++)
    str_add(&out, "[");
  for (size_t i = 0; i < depth; i++)
    str_add(&out, "]");
  return str_steal(&out);
}

static char *huge(struct maker *m) {
  CLEANUP_STR struct str out = { 0 };
  if (draw(m, 2) == 0) {
    str_add(&out, "[\"PATH=/\",\"A=");
    for (size_t i = 0; i < 3000; i++)
      str_add(&out, "0123456789abcdef0123456789abcdef");
    str_add(&out, "\"]");
  } else {
    str_add(&out, "[\"PATH=/\"");
    for (size_t i = 0; i < 5000; i++)
      str_addf(&out, ",\"V%zu=%zu\"", i, i);
    str_add(&out, "]");
  }
  return str_steal(&out);
}

const char *hostile_make(const json_t *base, uint64_t seed, struct str *out) {
  struct maker m = { .random = seed * 0x9e3779b97f4a7c15u + 1, .target = &targets[0] };
  CLEANUP_FREE char *key = NULL;
  CLEANUP_FREE char *text = NULL;
  const char *what;
  (void)draw(&m, 2);
  m.target = &targets[draw(&m, ARRAY_SIZE(targets))];
  m.behind = draw(&m, 2);
  m.spaced = draw(&m, 4) == 0;
  switch (seed % 9) {
  case 0:
    key = other_key(&m, m.target->key, (unsigned)draw(&m, KEY_FORMS));
    m.extra = text = xasprintf("%s:%s", key, m.target->value);
    what = "a second key of nearly the same name";
    break;
  case 1:
    m.extra = text = xasprintf("\"%s\":%s", m.target->key, m.target->value);
    what = "a second key of the same name";
    break;
  case 2:
    m.renamed = key = other_key(&m, m.target->key, (unsigned)draw(&m, KEY_FORMS));
    what = "the key in another form";
    break;
  case 3:
  case 4:
    m.replaced = odd_values[draw(&m, ARRAY_SIZE(odd_values))];
    what = "a value of another type or size";
    break;
  case 5:
    m.replaced = text = text_value(&m);
    what = "an odd text";
    break;
  case 6:
    m.replaced = m.target->value;
    what = "what an attacker would ask for";
    break;
  case 7:
    m.target = draw(&m, 2) ? &targets[9] : m.target; /* env */
    m.extra = draw(&m, 2) ? (text = deep(&m)) : NULL;
    m.replaced = m.extra ? NULL : (text = huge(&m));
    what = m.extra ? "depth" : "size";
    break;
  default:
    what = NULL;
  }
  write_value(&m, base, "", out);
  return what ? what : wrap(&m, out);
}
