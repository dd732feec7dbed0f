/* SPDX-License-Identifier: Apache-2.0 */
#include "install/toml_scan.h"

#include "io/jsonx_scan.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int(toml_scan_error)(const struct toml_scan *s, const char *what) {
  return toml_error(s->err, ERROR_INPUT, s->toml, s->pos, "%s", what);
}

static bool starts(const struct toml_scan *s, const char *word) {
  const size_t n = strlen(word);
  return s->toml->len - s->pos >= n && memcmp(s->toml->text + s->pos, word, n) == 0;
}

void toml_skip_blank(struct toml_scan *s) {
  while (toml_peek(s) == ' ' || toml_peek(s) == '\t')
    s->pos++;
}

/* One character that may stand in a comment or a string: no control character but tab, well-formed UTF-8. */
static int scan_character(struct toml_scan *s) {
  const int c = toml_peek(s);
  const size_t n = str_utf8_length(s->toml->text + s->pos, s->toml->len - s->pos);
  if ((c < 0x20 && c != '\t') || c == 0x7f)
    return toml_scan_error(s, "a control character, which TOML does not allow here");
  if (n == 0)
    return toml_scan_error(s, "bytes that are not UTF-8");
  s->pos += n;
  return 0;
}

static bool at_newline(const struct toml_scan *s) {
  return starts(s, "\n") || starts(s, "\r\n");
}

static void skip_newline(struct toml_scan *s) {
  s->pos += toml_peek(s) == '\r' ? 2 : 1;
}

static int scan_comment(struct toml_scan *s) {
  toml_skip_blank(s);
  if (toml_peek(s) != '#')
    return 0;
  while (s->pos < s->toml->len && !at_newline(s))
    if (scan_character(s) < 0)
      return -1;
  return 0;
}

int toml_scan_line_end(struct toml_scan *s) {
  if (scan_comment(s) < 0)
    return -1;
  if (s->pos == s->toml->len)
    return 0;
  if (!at_newline(s))
    return toml_scan_error(s, "expected the end of the line");
  skip_newline(s);
  return 0;
}

int toml_scan_gap(struct toml_scan *s) {
  for (;;) {
    if (scan_comment(s) < 0)
      return -1;
    if (!at_newline(s))
      return 0;
    skip_newline(s);
  }
}

/* --- strings --- */

static void add_utf8(struct str *out, unsigned long c) {
  char b[4];
  size_t n = 0;
  if (c < 0x80) {
    b[n++] = (char)c;
  } else if (c < 0x800) {
    b[n++] = (char)(0xc0 | c >> 6);
    b[n++] = (char)(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    b[n++] = (char)(0xe0 | c >> 12);
    b[n++] = (char)(0x80 | (c >> 6 & 0x3f));
    b[n++] = (char)(0x80 | (c & 0x3f));
  } else {
    b[n++] = (char)(0xf0 | c >> 18);
    b[n++] = (char)(0x80 | (c >> 12 & 0x3f));
    b[n++] = (char)(0x80 | (c >> 6 & 0x3f));
    b[n++] = (char)(0x80 | (c & 0x3f));
  }
  str_add_mem(out, b, n);
}

/* pos is behind "\u" or "\U". */
static int scan_unicode(struct toml_scan *s, size_t digits, struct str *ret) {
  char hex[9] = { 0 };
  for (size_t i = 0; i < digits; i++) {
    const int c = s->pos + i < s->toml->len ? (unsigned char)s->toml->text[s->pos + i] : -1;
    if (c < 0 || !isxdigit(c))
      return toml_scan_error(s, "expected hexadecimal digits");
    hex[i] = (char)c;
  }
  const unsigned long c = strtoul(hex, NULL, 16);
  if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
    return toml_scan_error(s, "not a Unicode character");
  s->pos += digits;
  add_utf8(ret, c);
  return 0;
}

/* "\" at the end of a line: with all white space behind it. False: it is none. */
static bool scan_folded_line(struct toml_scan *s) {
  struct toml_scan ahead = *s;
  toml_skip_blank(&ahead);
  if (!at_newline(&ahead))
    return false;
  while (at_newline(&ahead)) {
    skip_newline(&ahead);
    toml_skip_blank(&ahead);
  }
  s->pos = ahead.pos;
  return true;
}

static int scan_escape(struct toml_scan *s, bool multi, struct str *ret) {
  static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
  s->pos++;
  if (multi && scan_folded_line(s))
    return 0;
  const int c = toml_peek(s);
  const char *found = c > 0 ? strchr(names, c) : NULL;
  if (!found && c != 'u' && c != 'U')
    return toml_scan_error(s, "unknown escape");
  s->pos++;
  if (!found)
    return scan_unicode(s, c == 'u' ? 4 : 8, ret);
  str_add_mem(ret, &values[found - names], 1);
  return 0;
}

/* Behind the opening quotes; `close` are the closing ones. */
static int scan_content(struct toml_scan *s, const char *close, struct str *ret) {
  const bool multi = close[1] != '\0', basic = *close == '"';
  const size_t n = strlen(close);
  for (;;) {
    if (starts(s, close)) {
      /* Up to two quotes may stand before the closing three. */
      for (int extra = 0;
           multi && extra < 2 && s->pos + n < s->toml->len && s->toml->text[s->pos + n] == *close;
           extra++, s->pos++)
        str_add_mem(ret, close, 1);
      s->pos += n;
      return 0;
    }
    if (s->pos == s->toml->len || (!multi && at_newline(s)))
      return toml_scan_error(s, "a string that is not closed");
    const size_t before = s->pos;
    if (basic && toml_peek(s) == '\\') {
      if (scan_escape(s, multi, ret) < 0)
        return -1;
      continue;
    }
    if (at_newline(s))
      skip_newline(s);
    else if (scan_character(s) < 0)
      return -1;
    str_add_mem(ret, s->toml->text + before, s->pos - before);
  }
}

int toml_scan_string(struct toml_scan *s, struct str *ret) {
  CLEANUP_STR struct str unused = { 0 };
  struct str *out = ret ? ret : &unused;
  const bool multi = starts(s, "\"\"\"") || starts(s, "'''");
  const char *close = toml_peek(s) == '"' ? multi ? "\"\"\"" : "\"" : multi ? "'''" : "'";
  s->pos += strlen(close);
  if (multi && at_newline(s))
    skip_newline(s);
  return scan_content(s, close, out);
}

static bool is_bare(int c) {
  return c >= 0 && c < 0x80 && (isalnum(c) || c == '_' || c == '-');
}

int toml_scan_key(struct toml_scan *s, struct str *ret) {
  const size_t start = s->pos;
  const int c = toml_peek(s);
  if (c == '"' || c == '\'') {
    if (starts(s, "\"\"\"") || starts(s, "'''"))
      return toml_scan_error(s, "a key cannot be a string of several lines");
    if (toml_scan_string(s, ret) < 0)
      return -1;
    if (ret->data && memchr(ret->data, '\0', ret->len)) {
      s->pos = start;
      return toml_scan_error(s, "NUL in a key");
    }
    return 0;
  }
  while (is_bare(toml_peek(s)))
    s->pos++;
  if (s->pos == start)
    return toml_scan_error(s, "expected a key");
  str_add_mem(ret, s->toml->text + start, s->pos - start);
  return 0;
}

/* --- numbers, booleans, dates --- */

/* Digits of a base with single underscores between them; their number, 0: none or malformed. */
static size_t digits(const char *p, size_t len, const char *of) {
  size_t i = 0;
  for (; i < len && (p[i] == '_' || (p[i] && strchr(of, p[i]))); i++)
    if (p[i] == '_' &&
        (i == 0 || i + 1 == len || p[i - 1] == '_' || p[i + 1] == '_' || !strchr(of, p[i + 1])))
      return 0;
  return i;
}

static bool fits(const char *p, size_t len, int base) {
  CLEANUP_STR struct str plain = { 0 };
  str_add(&plain, "");
  for (size_t i = 0; i < len; i++)
    if (p[i] != '_')
      str_add_mem(&plain, p + i, 1);
  errno = 0;
  (void)strtoll(plain.data, NULL, base);
  return errno == 0;
}

static const char DECIMAL[] = "0123456789";

/* "0x..", "0o..", "0b.." */
static bool is_based(const char *p, size_t len) {
  static const struct {
    char letter;
    int base;
    const char *of;
  } bases[] = { { 'x', 16, "0123456789abcdefABCDEF" }, { 'o', 8, "01234567" }, { 'b', 2, "01" } };
  for (size_t i = 0; i < ARRAY_SIZE(bases); i++)
    if (len > 2 && p[0] == '0' && p[1] == bases[i].letter)
      return digits(p + 2, len - 2, bases[i].of) == len - 2 && fits(p + 2, len - 2, bases[i].base);
  return false;
}

/* [+-] digits [. digits] [e [+-] digits], no leading zero */
static bool is_number(const char *p, size_t len, enum toml_kind *ret) {
  size_t i = len > 0 && (*p == '+' || *p == '-');
  if (len == i + 3 && (memcmp(p + i, "inf", 3) == 0 || memcmp(p + i, "nan", 3) == 0)) {
    *ret = TOML_FLOAT;
    return true;
  }
  const size_t whole = digits(p + i, len - i, DECIMAL);
  if (whole == 0 || (p[i] == '0' && whole > 1))
    return false;
  i += whole;
  *ret = i == len ? TOML_INTEGER : TOML_FLOAT;
  if (i == len)
    return fits(p, len, 10);
  if (p[i] == '.') {
    const size_t part = digits(p + i + 1, len - i - 1, DECIMAL);
    if (part == 0)
      return false;
    i += 1 + part;
  }
  if (i < len && (p[i] == 'e' || p[i] == 'E')) {
    i++;
    i += i < len && (p[i] == '+' || p[i] == '-');
    const size_t part = digits(p + i, len - i, DECIMAL);
    if (part == 0)
      return false;
    i += part;
  }
  return i == len;
}

/* Two digits at p, in [min, max]. */
static bool two(const char *p, int min, int max) {
  const int value =
      isdigit((unsigned char)p[0]) && isdigit((unsigned char)p[1]) ? (p[0] - '0') * 10 + p[1] - '0' : -1;
  return value >= min && value <= max;
}

/* HH:MM:SS[.fraction]; its length, 0: none */
static size_t time_length(const char *p, size_t len) {
  if (len < 8 || p[2] != ':' || p[5] != ':' || !two(p, 0, 23) || !two(p + 3, 0, 59) || !two(p + 6, 0, 59))
    return 0;
  if (len == 8 || p[8] != '.')
    return 8;
  size_t i = 9;
  while (i < len && isdigit((unsigned char)p[i]))
    i++;
  return i > 9 ? i : 0;
}

static bool is_day(const char *p) {
  static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  if (!two(p, 0, 99) || !two(p + 2, 0, 99) || p[4] != '-' || !two(p + 5, 1, 12) || p[7] != '-')
    return false;
  const int year = atoi((const char[]){ p[0], p[1], p[2], p[3], 0 });
  const int month = (p[5] - '0') * 10 + p[6] - '0';
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return year > 0 && two(p + 8, 1, days[month - 1] + (month == 2 && leap));
}

static bool is_date(const char *p, size_t len) {
  if (len >= 8 && p[2] == ':')
    return time_length(p, len) == len;
  if (len < 10 || !is_day(p))
    return false;
  if (len == 10)
    return true;
  const size_t clock = strchr("Tt ", p[10]) ? time_length(p + 11, len - 11) : 0;
  const char *zone = p + 11 + clock;
  const size_t rest = len - 11 - clock;
  if (clock == 0 || rest == 0)
    return clock > 0;
  if (rest == 1)
    return *zone == 'Z' || *zone == 'z';
  return rest == 6 && (*zone == '+' || *zone == '-') && two(zone + 1, 0, 23) && zone[3] == ':' &&
         two(zone + 4, 0, 59);
}

int toml_scan_word(struct toml_scan *s, enum toml_kind *ret_kind) {
  const char *p = s->toml->text + s->pos;
  const size_t room = s->toml->len - s->pos;
  size_t n = 0;
  while (n < room && (is_bare((unsigned char)p[n]) || p[n] == '+' || p[n] == '.' || p[n] == ':'))
    n++;
  /* A blank may stand between day and time. */
  if (n == 10 && room > 12 && p[10] == ' ' && isdigit((unsigned char)p[11]) && is_day(p)) {
    n++;
    while (n < room && (is_bare((unsigned char)p[n]) || p[n] == '+' || p[n] == '.' || p[n] == ':'))
      n++;
  }
  if ((n == 4 && memcmp(p, "true", 4) == 0) || (n == 5 && memcmp(p, "false", 5) == 0))
    *ret_kind = TOML_BOOL;
  else if (n > 0 && is_based(p, n))
    *ret_kind = TOML_INTEGER;
  else if (n > 0 && is_date(p, n))
    *ret_kind = TOML_DATE;
  else if (n == 0 || !is_number(p, n, ret_kind))
    return toml_scan_error(s,
                           "expected a value: a string in quotes, a number of 64 bits, true, false, a date, "
                           "an array or an inline table");
  s->pos += n;
  return 0;
}
