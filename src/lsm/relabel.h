/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives every file of a tree a SELinux label. Whoever may write in the tree, a container of before among
 * them, must not lead us to a file of the host's: each name is opened beneath its own directory, links are
 * labelled and never followed, what is mounted below is left, and a file with a second name, which may be
 * anywhere, is refused. Device nodes keep their labels.
 */
#ifndef HARDEN_LSM_RELABEL_H
#define HARDEN_LSM_RELABEL_H

#include "base/error.h"

enum {
  RELABEL_FILES_MAX = 1 << 18, /* in one tree; about a second */
  RELABEL_DEPTH_MAX = 64,      /* each level holds two descriptors */
};

/*
 * `path`: absolute and without links; one that has any is refused. Nothing is changed where the tree holds
 * what is refused. The top has its label last, so that one with the label is labelled as a whole, also after
 * a kill. *ret_changed: how many files had another label.
 */
int relabel_tree(const char *path, const char *label, unsigned *ret_changed, struct error *err) MUST_CHECK;

#endif
