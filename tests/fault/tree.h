/* SPDX-License-Identifier: Apache-2.0 */
/* The regular files below a directory, kept, compared and put back. Links are not followed and not kept; of
 * sockets it is known that they are there. */
#ifndef HARDEN_TESTS_FAULT_TREE_H
#define HARDEN_TESTS_FAULT_TREE_H

#include <stdbool.h>
#include <stddef.h>

struct tree_file {
  char *name; /* below the directory; a directory's ends in '/' */
  char *data;
  size_t len;
};

struct tree {
  const char *dir;
  bool deep; /* directories and sockets too, and what is in them */
  struct tree_file *files;
  size_t len;
};

/* End the program when they cannot do it. */
void tree_read(struct tree *t, const char *dir, bool deep);
void tree_restore(const struct tree *t); /* what is not in it goes */
void tree_free(struct tree *t);

const struct tree_file *tree_find(const struct tree *t, const char *name);
/* NULL: the same; else the name of what differs, is missing or new. Hidden ones are not looked at. */
const char *tree_difference(const struct tree *a, const struct tree *b);

#endif
