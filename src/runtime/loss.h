/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What could not be written to the event log is counted beside the state, which is on another file system
 * more often than not, so that `hardenctl doctor` can tell that the record has a hole.
 */
#ifndef HARDEN_LOSS_H
#define HARDEN_LOSS_H

#include "base/error.h"

enum { LOSS_FILE_MAX = 64 << 10 }; /* bytes; no line is added to a longer one */

/* Adds a line: the time, and why. Best effort: where this fails too there is no place left to say so. */
void loss_note(const char *state_dir, const struct error *why);

/* STATE/.events-lost; the caller frees. */
char *loss_path(const char *state_dir) MUST_CHECK;

#endif
