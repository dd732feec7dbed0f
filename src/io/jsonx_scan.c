/* SPDX-License-Identifier: Apache-2.0 */
#include "io/jsonx_scan.h"

#include <string.h>

void jsonx_scan_init(struct jsonx_scan *scan, const struct jsonx_source *src) {
  scan->text = src->text;
  scan->len = src->len;
  scan->pos = 0;
  scan->expect = JSONX_EXPECT_VALUE;
  scan->problem = NULL;
  scan->depth = 0;
}

static int peek(const struct jsonx_scan *scan, size_t at) {
  return at < scan->len ? (unsigned char)scan->text[at] : -1;
}

static bool digit(int c) {
  return c >= '0' && c <= '9';
}

static int hex_value(int c) {
  if (digit(c))
    return c - '0';
  int lower = c | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The number behind "\u", -1 when there are not four hex digits. */
static int hex4(const char *p, size_t len) {
  if (len < 4)
    return -1;
  int value = 0;
  for (int i = 0; i < 4; i++) {
    int digit_value = hex_value((unsigned char)p[i]);
    if (digit_value < 0)
      return -1;
    value = value * 16 + digit_value;
  }
  return value;
}

/* Each of the readers below returns the end of what it read, or sets problem and returns the bad offset. */
static size_t bad(struct jsonx_scan *scan, const char *problem, size_t at) {
  scan->problem = problem;
  return at;
}

static size_t read_escape(struct jsonx_scan *scan, size_t at) {
  int c = peek(scan, at + 1);
  if (c < 0)
    return bad(scan, "the text ends in an escape", scan->len);
  if (c != 0 && strchr("\"\\/bfnrt", c))
    return at + 2;
  if (c != 'u')
    return bad(scan, "no such escape in a string", at);
  int unit = hex4(scan->text + at + 2, scan->len - at - 2);
  if (unit < 0)
    return bad(scan, "\\u needs four hexadecimal digits", at);
  if (unit == 0)
    return bad(scan, "\\u0000 in a string: C reads it as the string's end", at);
  if (unit < 0xd800 || unit > 0xdfff)
    return at + 6;
  bool pair = unit < 0xdc00 && peek(scan, at + 6) == '\\' && peek(scan, at + 7) == 'u';
  int low = pair ? hex4(scan->text + at + 8, scan->len - at - 8) : -1;
  if (low < 0xdc00 || low > 0xdfff)
    return bad(scan, "half of a surrogate pair", at);
  return at + 12;
}

/* What a string holds as it is: how many of eight bytes before the first that it does not.
 * Subtracting sets a byte's high bit where it was less (or held it); a borrow comes from such a byte only,
 * and goes to those behind it. */
static size_t plain_of_eight(const char *p) {
  const uint64_t each = UINT64_C(0x0101010101010101);
  uint64_t x;
  memcpy(&x, p, sizeof x);
  if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
    x = __builtin_bswap64(x);
  uint64_t control = x - each * 0x20;
  uint64_t quote = (x ^ each * '"') - each;
  uint64_t backslash = (x ^ each * '\\') - each;
  uint64_t other = (x | control | quote | backslash) & each * 0x80;
  return other ? (size_t)__builtin_ctzll(other) / 8 : sizeof x;
}

size_t jsonx_plain_length(const char *p, size_t len) {
  enum { EIGHT = sizeof(uint64_t) };
  size_t n = 0;
  while (len - n >= EIGHT) {
    const size_t plain = plain_of_eight(p + n);
    n += plain;
    if (plain < EIGHT)
      return n;
  }
  /* The last ones together with some that have been looked at. */
  return n > 0 && plain_of_eight(p + len - EIGHT) == EIGHT ? len : n;
}

static bool is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static size_t read_string(struct jsonx_scan *scan, size_t at) {
  size_t start = at++;
  scan->escaped = false;
  for (;;) {
    at += jsonx_plain_length(scan->text + at, scan->len - at);
    while (at < scan->len && is_plain((unsigned char)scan->text[at]))
      at++;
    int c = peek(scan, at);
    if (c < 0)
      return bad(scan, "the string has no end", start);
    if (c == '"')
      return at + 1;
    if (c < 0x20)
      return bad(scan, c == 0 ? "NUL byte in a string" : "control character in a string: it must be escaped",
                 at);
    if (c == '\\') {
      scan->escaped = true;
      at = read_escape(scan, at);
      if (scan->problem)
        return at;
      continue;
    }
    size_t n = str_utf8_length(scan->text + at, scan->len - at);
    if (n == 0)
      return bad(scan, "not UTF-8", at);
    at += n;
  }
}

static size_t read_digits(const struct jsonx_scan *scan, size_t at) {
  while (digit(peek(scan, at)))
    at++;
  return at;
}

static size_t read_number(struct jsonx_scan *scan, size_t at) {
  size_t start = at;
  if (peek(scan, at) == '-')
    at++;
  if (!digit(peek(scan, at)))
    return bad(scan, "not a number", start);
  size_t end = read_digits(scan, at);
  if (scan->text[at] == '0' && end > at + 1)
    return bad(scan, "a number with a leading zero", start);
  if (peek(scan, end) == '.') {
    at = end + 1;
    end = read_digits(scan, at);
    if (end == at)
      return bad(scan, "not a number", start);
  }
  if (peek(scan, end) == 'e' || peek(scan, end) == 'E') {
    at = end + 1;
    if (peek(scan, at) == '+' || peek(scan, at) == '-')
      at++;
    end = read_digits(scan, at);
    if (end == at)
      return bad(scan, "not a number", start);
  }
  return end;
}

static size_t read_word(struct jsonx_scan *scan, size_t at) {
  static const char *const words[] = { "true", "false", "null" };
  size_t end = at;
  while ((peek(scan, end) | 0x20) >= 'a' && (peek(scan, end) | 0x20) <= 'z')
    end++;
  for (size_t i = 0; i < ARRAY_SIZE(words); i++)
    if (end - at == strlen(words[i]) && memcmp(scan->text + at, words[i], end - at) == 0)
      return end;
  if (scan->len - at >= 3 && memcmp(scan->text + at, "\xef\xbb\xbf", 3) == 0)
    return bad(scan, "byte order mark", at);
  return bad(scan, "not a JSON value", at);
}

static void value_done(struct jsonx_scan *scan) {
  scan->expect = scan->depth ? JSONX_EXPECT_COMMA : JSONX_EXPECT_END;
}

static struct jsonx_token problem(struct jsonx_scan *scan, const char *text, size_t at, size_t path) {
  scan->problem = at < scan->len ? text : "the text ends too early";
  return (struct jsonx_token){ JSONX_TOKEN_PROBLEM, at, at, path };
}

static struct jsonx_token open_container(struct jsonx_scan *scan, bool object) {
  struct jsonx_token token = { JSONX_TOKEN_OPEN, scan->pos, scan->pos + 1, scan->depth };
  if (scan->depth == JSONX_DEPTH)
    return problem(scan, "more levels of arrays and objects than are allowed", scan->pos, scan->depth);
  scan->frames[scan->depth++] = (struct jsonx_frame){ .object = object };
  scan->expect = object ? JSONX_EXPECT_FIRST_KEY : JSONX_EXPECT_FIRST_ITEM;
  scan->pos++;
  return token;
}

static struct jsonx_token close_container(struct jsonx_scan *scan) {
  scan->depth--;
  value_done(scan);
  scan->pos++;
  return (struct jsonx_token){ JSONX_TOKEN_CLOSE, scan->pos - 1, scan->pos, scan->depth };
}

static struct jsonx_token read_value(struct jsonx_scan *scan) {
  int c = peek(scan, scan->pos);
  if (c < 0)
    return problem(scan, NULL, scan->pos, scan->depth);
  if (c == '{' || c == '[')
    return open_container(scan, c == '{');
  struct jsonx_token token = { JSONX_TOKEN_WORD, scan->pos, scan->pos, scan->depth };
  if (c == '"') {
    token.kind = JSONX_TOKEN_STRING;
    token.end = read_string(scan, scan->pos);
  } else if (c == '-' || digit(c)) {
    token.kind = JSONX_TOKEN_NUMBER;
    token.end = read_number(scan, scan->pos);
  } else {
    token.end = read_word(scan, scan->pos);
  }
  if (scan->problem)
    return problem(scan, scan->problem, token.end, scan->depth);
  scan->pos = token.end;
  value_done(scan);
  return token;
}

static void skip_space(struct jsonx_scan *scan) {
  for (;;) {
    int c = peek(scan, scan->pos);
    if (c > ' ' || (c != ' ' && c != '\t' && c != '\n' && c != '\r'))
      return;
    scan->pos++;
  }
}

/* Reads the key and its colon; the path of a problem here is the object's. */
static struct jsonx_token read_key(struct jsonx_scan *scan) {
  if (peek(scan, scan->pos) != '"')
    return problem(scan, "expected a key in double quotes", scan->pos, scan->depth - 1);
  struct jsonx_token token = { JSONX_TOKEN_KEY, scan->pos, read_string(scan, scan->pos), scan->depth };
  if (scan->problem)
    return problem(scan, scan->problem, token.end, scan->depth - 1);
  struct jsonx_frame *frame = &scan->frames[scan->depth - 1];
  frame->key_start = token.start;
  frame->key_end = token.end;
  frame->key_escaped = scan->escaped;
  scan->pos = token.end;
  skip_space(scan);
  if (peek(scan, scan->pos) != ':')
    return problem(scan, "expected ':' behind the key", scan->pos, scan->depth);
  scan->pos++;
  scan->expect = JSONX_EXPECT_VALUE;
  return token;
}

static struct jsonx_token read_comma(struct jsonx_scan *scan) {
  struct jsonx_frame *frame = &scan->frames[scan->depth - 1];
  int c = peek(scan, scan->pos);
  if (c == (frame->object ? '}' : ']'))
    return close_container(scan);
  if (c != ',')
    return problem(scan, frame->object ? "expected ',' or '}'" : "expected ',' or ']'", scan->pos,
                   scan->depth - 1);
  scan->pos++;
  frame->index++;
  scan->expect = frame->object ? JSONX_EXPECT_KEY : JSONX_EXPECT_VALUE;
  return jsonx_scan_next(scan);
}

struct jsonx_token jsonx_scan_next(struct jsonx_scan *scan) {
  skip_space(scan);
  int c = peek(scan, scan->pos);
  switch (scan->expect) {
  case JSONX_EXPECT_VALUE:
    return read_value(scan);
  case JSONX_EXPECT_FIRST_ITEM:
    return c == ']' ? close_container(scan) : read_value(scan);
  case JSONX_EXPECT_FIRST_KEY:
    return c == '}' ? close_container(scan) : read_key(scan);
  case JSONX_EXPECT_KEY:
    return read_key(scan);
  case JSONX_EXPECT_COMMA:
    return read_comma(scan);
  case JSONX_EXPECT_END:
    break;
  }
  if (c >= 0)
    return problem(scan, "text behind the end of the document", scan->pos, 0);
  return (struct jsonx_token){ JSONX_TOKEN_END, scan->pos, scan->pos, 0 };
}

bool jsonx_scan_is_at(const struct jsonx_scan *scan, size_t path, const char *pointer) {
  const char *p = pointer;
  for (size_t i = 0; i < path; i++) {
    const struct jsonx_frame *frame = &scan->frames[i];
    if (!frame->object || *p != '/')
      return false;
    const size_t len = frame->key_end - frame->key_start - 2;
    if (strncmp(p + 1, scan->text + frame->key_start + 1, len) != 0)
      return false;
    p += 1 + len;
    if (*p && *p != '/')
      return false;
  }
  return *p == '\0';
}

/* The offset behind the string that begins at `at`; the text's length when it has no end. */
static size_t over_string(const struct jsonx_scan *scan, size_t at) {
  for (at++; at < scan->len; at++) {
    at += jsonx_plain_length(scan->text + at, scan->len - at);
    if (at < scan->len && scan->text[at] == '"')
      return at + 1;
    at += at < scan->len && scan->text[at] == '\\';
  }
  return scan->len;
}

bool jsonx_scan_over(struct jsonx_scan *scan, struct jsonx_span *ret) {
  skip_space(scan);
  size_t open = 0;
  size_t at = scan->pos;
  if (peek(scan, at) != '{' && peek(scan, at) != '[')
    return false;
  do {
    const char c = scan->text[at];
    at = c == '"' ? over_string(scan, at) : at + 1;
    open += c == '{' || c == '[';
    open -= c == '}' || c == ']';
  } while (open > 0 && at < scan->len);
  if (open > 0)
    return false;
  *ret = (struct jsonx_span){ scan->text + scan->pos, at - scan->pos };
  scan->pos = at;
  value_done(scan);
  return true;
}

static void add_code_point(struct str *out, unsigned c) {
  char b[4];
  size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
  for (size_t i = n; i-- > 1; c >>= 6)
    b[i] = (char)(0x80 | (c & 0x3f));
  b[0] = (char)(lead[n] | c);
  str_add_mem(out, b, n);
}

static size_t add_escape(struct str *out, const char *p, size_t len) {
  static const char from[] = "bfnrt";
  static const char to[] = "\b\f\n\r\t";
  if (p[1] != 'u') {
    const char *simple = strchr(from, p[1]);
    str_add_mem(out, simple ? &to[simple - from] : &p[1], 1);
    return 2;
  }
  unsigned c = (unsigned)hex4(p + 2, len - 2);
  if (c < 0xd800 || c > 0xdfff) {
    add_code_point(out, c);
    return 6;
  }
  add_code_point(out, 0x10000 + ((c - 0xd800) << 10) + ((unsigned)hex4(p + 8, len - 8) - 0xdc00));
  return 12;
}

void jsonx_scan_unescape(const char *text, size_t start, size_t end, struct str *out) {
  size_t at = start + 1;
  size_t stop = end - 1;
  while (at < stop) {
    const char *escape = memchr(text + at, '\\', stop - at);
    size_t plain = escape ? (size_t)(escape - text) - at : stop - at;
    str_add_mem(out, text + at, plain);
    at += plain;
    if (escape)
      at += add_escape(out, escape, stop - at);
  }
}

void jsonx_scan_pointer(const struct jsonx_scan *scan, size_t path, struct str *out) {
  for (size_t i = 0; i < path; i++) {
    const struct jsonx_frame *frame = &scan->frames[i];
    if (!frame->object) {
      jsonx_pointer_add_index(out, frame->index);
      continue;
    }
    CLEANUP_STR struct str key = { 0 };
    jsonx_scan_unescape(scan->text, frame->key_start, frame->key_end, &key);
    jsonx_pointer_add(out, key.data ? key.data : "");
  }
}
