/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/scalar.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool one_of(const char *text, const char *const *words) {
  for (; *words; words++)
    if (strcmp(text, *words) == 0)
      return true;
  return false;
}

/* Go's strconv.ParseInt(text, 0, 64) after "_" was taken out: 0x, 0o, 0b, and 0 for octal. */
static bool integer(const char *text, int64_t *ret) {
  char digits[72];
  size_t len = 0;
  for (const char *p = text; *p; p++) {
    if (*p == '_')
      continue;
    if (len == sizeof digits - 1)
      return false;
    digits[len++] = *p;
  }
  digits[len] = '\0';
  const char *p = digits + (*digits == '-' || *digits == '+');
  int base = 10;
  if (p[0] == '0' && p[1])
    base = tolower(p[1]) == 'x' ? 16 : tolower(p[1]) == 'b' ? 2 : 8;
  if (base == 16 || base == 2 || (base == 8 && tolower(p[1]) == 'o'))
    p += 2;
  if (!isxdigit((unsigned char)*p))
    return false;
  char *end;
  errno = 0;
  unsigned long long value = strtoull(p, &end, base);
  bool negative = *digits == '-';
  if (*end || errno || value > (unsigned long long)INT64_MAX + (negative ? 1 : 0))
    return false;
  *ret = negative ? (int64_t)-value : (int64_t)value;
  return true;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? and YAML's words. */
static bool is_float(const char *text) {
  static const char *const words[] = { ".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF", "+.inf",
                                       "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", NULL };
  if (one_of(text, words))
    return true;
  const char *p = text + (*text == '-' || *text == '+');
  size_t before = strspn(p, "0123456789");
  p += before;
  size_t behind = 0;
  if (*p == '.') {
    behind = strspn(p + 1, "0123456789");
    p += 1 + behind;
  }
  if (before + behind == 0)
    return false;
  if (*p == 'e' || *p == 'E') {
    p++;
    p += *p == '-' || *p == '+';
    size_t exponent = strspn(p, "0123456789");
    if (exponent == 0)
      return false;
    p += exponent;
  }
  return *p == '\0';
}

void scalar_resolve(struct node *node) {
  static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
  static const char *const trues[] = { "y",    "Y",    "yes", "Yes", "YES", "true",
                                       "True", "TRUE", "on",  "On",  "ON",  NULL };
  static const char *const falses[] = { "n",     "N",     "no",  "No",  "NO",  "false",
                                        "False", "FALSE", "off", "Off", "OFF", NULL };
  if (one_of(node->text, nulls)) {
    node->kind = NODE_NULL;
  } else if (one_of(node->text, trues)) {
    node->kind = NODE_BOOL;
    node->truth = true;
  } else if (one_of(node->text, falses)) {
    node->kind = NODE_BOOL;
  } else if (integer(node->text, &node->number)) {
    node->kind = NODE_INT;
  } else if (is_float(node->text)) {
    node->kind = NODE_FLOAT;
  }
}

bool scalar_number(const char *text, int64_t *ret) {
  if (!*text || text[strspn(text, "0123456789")])
    return false;
  errno = 0;
  long long value = strtoll(text, NULL, 10);
  if (errno)
    return false;
  *ret = value;
  return true;
}

/* Decimal digits with at most one point; NULL when there are none. Not strtod, which reads "inf" and "0x1".
 */
static const char *decimal(const char *text, long double *ret) {
  bool point = false, any = false;
  long double value = 0, place = 1;
  const char *p = text;
  for (; isdigit((unsigned char)*p) || (*p == '.' && !point); p++) {
    if (*p == '.') {
      point = true;
      continue;
    }
    any = true;
    value = value * 10 + (*p - '0');
    place *= point ? 10 : 1;
  }
  *ret = value / place;
  return any ? p : NULL;
}

static bool rounded(long double value, int64_t *ret) {
  if (!(value <= 9.2e18L))
    return false;
  *ret = (int64_t)ceill(value);
  return true;
}

bool scalar_quantity(const char *text, int64_t *ret_milli) {
  static const struct {
    const char *suffix;
    long double factor;
  } units[] = {
    { "", 1e3L },
    { "n", 1e-6L },
    { "u", 1e-3L },
    { "m", 1 },
    { "k", 1e6L },
    { "M", 1e9L },
    { "G", 1e12L },
    { "T", 1e15L },
    { "P", 1e18L },
    { "E", 1e21L },
    { "Ki", 1e3L * 0x1p10L },
    { "Mi", 1e3L * 0x1p20L },
    { "Gi", 1e3L * 0x1p30L },
    { "Ti", 1e3L * 0x1p40L },
    { "Pi", 1e3L * 0x1p50L },
    { "Ei", 1e3L * 0x1p60L },
  };
  long double value;
  const char *unit = decimal(text + (*text == '+'), &value);
  if (!unit)
    return false;
  if ((*unit == 'e' || *unit == 'E') && unit[1]) {
    bool negative = unit[1] == '-';
    int64_t exponent;
    if (!scalar_number(unit + 1 + (negative || unit[1] == '+'), &exponent) || exponent > 30)
      return false;
    for (; exponent > 0; exponent--)
      value = negative ? value / 10 : value * 10;
    unit = "";
  }
  for (size_t i = 0; i < ARRAY_SIZE(units); i++)
    if (strcmp(unit, units[i].suffix) == 0)
      return rounded(value * units[i].factor, ret_milli);
  return false;
}

bool scalar_size(const char *text, int64_t *ret_bytes) {
  static const char units[] = "bkmgtp";
  long double value;
  const char *unit = decimal(text, &value);
  if (!unit)
    return false;
  unit += strspn(unit, " ");
  if (*unit) {
    const char *found = strchr(units, tolower((unsigned char)*unit));
    if (!found)
      return false;
    for (const char *u = units; u < found; u++)
      value *= 1024;
    unit++;
    if (found != units && tolower((unsigned char)unit[0]) == 'i' && tolower((unsigned char)unit[1]) == 'b')
      unit += 2;
    else if (found != units && tolower((unsigned char)*unit) == 'b')
      unit++;
    if (*unit)
      return false;
  }
  return rounded(value, ret_bytes);
}
