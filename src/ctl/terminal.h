/* SPDX-License-Identifier: Apache-2.0 */
/* Colours, only where they are wanted: a terminal, no NO_COLOR, TERM not "dumb". */
#ifndef HARDEN_CTL_TERMINAL_H
#define HARDEN_CTL_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

enum colour { COLOUR_NONE, COLOUR_RED, COLOUR_GREEN, COLOUR_YELLOW, COLOUR_BLUE, COLOUR_DIM, COLOUR_BOLD };

bool terminal_has_colour(FILE *out);
/* printf to stdout in a colour, when `on`. Control characters are printed as '?', a newline too but for the
 * one that ends fmt: what is printed may come from a config or an event, and must neither steer a terminal
 * nor look like a line of ours. */
void terminal_print(bool on, enum colour colour, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
