/* SPDX-License-Identifier: Apache-2.0 */
/* A command line as text, for tests. */
#ifndef HARDEN_TEST_WORDS_H
#define HARDEN_TEST_WORDS_H

#include <stdio.h>
#include <string.h>

enum { WORDS = 32 };

/* Splits at spaces; "''" is an empty word. */
static inline char **words(const char *line) {
  static char text[1024];
  static char *list[WORDS + 1];
  size_t n = 0;
  snprintf(text, sizeof text, "%s", line);
  for (char *save = NULL, *word = strtok_r(text, " ", &save); word && n < WORDS;
       word = strtok_r(NULL, " ", &save))
    list[n++] = strcmp(word, "''") == 0 ? word + 2 : word;
  list[n] = NULL;
  return list;
}

#endif
