/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/terminal.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool terminal_has_colour(FILE *out) {
  const char *term = getenv("TERM");
  const char *none = getenv("NO_COLOR");
  return isatty(fileno(out)) && term && strcmp(term, "dumb") != 0 && !(none && *none);
}

static const char *code_of(enum colour colour) {
  switch (colour) {
  case COLOUR_NONE:
    return "";
  case COLOUR_RED:
    return "\033[31m";
  case COLOUR_GREEN:
    return "\033[32m";
  case COLOUR_YELLOW:
    return "\033[33m";
  case COLOUR_BLUE:
    return "\033[34m";
  case COLOUR_DIM:
    return "\033[2m";
  case COLOUR_BOLD:
    return "\033[1m";
  }
  return "";
}

void terminal_print(bool on, enum colour colour, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  CLEANUP_FREE char *text = xvasprintf(fmt, args);
  va_end(args);
  /* Names come from containers, and none of them begins a line. */
  str_disarm(text, strlen(text) - str_ends(fmt, "\n"));
  bool coloured = on && colour != COLOUR_NONE;
  printf("%s%s%s", coloured ? code_of(colour) : "", text, coloured ? "\033[0m" : "");
}
