/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of a text that leave the rest of it alone, and that can be taken back. */
#ifndef HARDEN_INSTALL_EDIT_H
#define HARDEN_INSTALL_EDIT_H

#include "base/error.h"
#include "base/str.h"

#include <jansson.h>
#include <stdbool.h>

/* What was done to a file. */
struct change {
  char *where;  /* "plugins.cri.containerd.default_runtime_name", for people; of a value: where to find it */
  char *before; /* a value as it was written; NULL: `after` is text that was put in, and nothing was taken out
                 */
  char *after;
};
struct changes {
  struct change *items;
  size_t len;
};
#define CLEANUP_CHANGES CLEANUP(changes_free)
void changes_free(struct changes *c);
void changes_add(struct changes *c, const char *where, const char *before, const char *after);
/* Was the same done to both? */
bool changes_equal(const struct changes *a, const struct changes *b);
/* Is all that was put in still in the text? */
bool changes_are_in(const struct changes *c, const char *text);
/* For the record: an array of objects. */
json_t *changes_encode(const struct changes *c) MUST_CHECK;
int changes_decode(const json_t *value, struct changes *ret, struct error *err) MUST_CHECK;

/* Replaces the bytes [start, end). */
void text_splice(struct str *text, size_t start, size_t end, const char *by);
/* Takes the last `part` out. False: there is none, and nothing was done. */
bool text_cut(struct str *text, const char *part);
/* "\r\n" when the text's first line ends so, else "\n". Borrowed. */
const char *text_newline(const char *text);

/* Appends a unified diff with three lines of context; nothing when the texts are equal. NULL: there is no
 * file. */
void text_diff(const char *name, const char *before, const char *after, struct str *out);

#endif
