/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef error_set
#undef error_set_rule
#undef error_wrap

/* Marks a cut text and removes what could forge a second log line. */
static void finish(struct error *err, int wanted) {
  if (wanted >= (int)sizeof err->message)
    memcpy(err->message + sizeof err->message - 4, "...", 4);
  str_disarm(err->message, strlen(err->message));
}

static void format(struct error *err, enum error_code code, int sys, const char *fmt, va_list args) {
  err->code = code;
  err->sys = sys;
  err->rule[0] = '\0';
  int n = vsnprintf(err->message, sizeof err->message, fmt, args);
  if (sys && n >= 0 && n < (int)sizeof err->message)
    n += snprintf(err->message + n, sizeof err->message - (size_t)n, ": %s", strerror(sys));
  finish(err, n);
}

int error_set(struct error *err, enum error_code code, int sys, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  format(err, code, sys, fmt, args);
  va_end(args);
  return -1;
}

int error_set_rule(struct error *err, enum error_code code, const char *rule, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  format(err, code, 0, fmt, args);
  va_end(args);
  snprintf(err->rule, sizeof err->rule, "%s", rule);
  return -1;
}

int error_wrap(struct error *err, const char *fmt, ...) {
  char old[sizeof err->message];
  memcpy(old, err->message, sizeof old);
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(err->message, sizeof err->message, fmt, args);
  va_end(args);
  if (n >= 0 && n < (int)sizeof err->message)
    n += snprintf(err->message + n, sizeof err->message - (size_t)n, ": %s", old);
  finish(err, n);
  return -1;
}

const char *error_code_name(enum error_code code) {
  switch (code) {
  case ERROR_NONE:
    return "none";
  case ERROR_USAGE:
    return "usage";
  case ERROR_INPUT:
    return "input";
  case ERROR_REFUSED:
    return "refused";
  case ERROR_POLICY:
    return "policy";
  case ERROR_SYSTEM:
    return "system";
  case ERROR_INTERNAL:
    return "internal";
  }
  return "unknown";
}
