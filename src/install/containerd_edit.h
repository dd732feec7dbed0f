/* SPDX-License-Identifier: Apache-2.0 */
/* A config.toml of containerd's that is being changed; private to src/install/containerd*.c. */
#ifndef HARDEN_INSTALL_CONTAINERD_EDIT_H
#define HARDEN_INSTALL_CONTAINERD_EDIT_H

#include "install/containerd.h"
#include "install/engine.h"

#define CONTAINERD_DEFAULT "default_runtime_name"
/* What changes are called that are no key's. */
#define CONTAINERD_NEWLINE "(newline)"
#define CONTAINERD_HEAD "(comment)"

struct edit {
  struct toml toml;
  /* Of a drop-in: the file that imports it, which another program makes anew. */
  struct toml base;
  struct toml_node *base_parts[4];
  /* Where runc's entry stands, that ours are to be like: in this file, or in the base. */
  const struct toml *model;
  struct toml_node *const *model_parts;
  const char *plugin;         /* the CRI plugin's key, by the file's version */
  struct toml_node *parts[4]; /* plugins, the plugin, containerd, runtimes; NULL where absent */
  struct str text;            /* at first that of `toml`, whose offsets are the old text's */
  const char *newline;
};
#define CLEANUP_EDIT CLEANUP(containerd_edit_free)
void containerd_edit_free(struct edit *e);
/* Refuses a file in which the tables that lead to the runtimes are closed. in->text NULL: a file that is to
 * be made. */
int containerd_edit_begin(struct edit *e, const struct config_text *in, struct error *err) MUST_CHECK;

/* The text `with` ours says the same as the one without, but for ours. */
int containerd_verify(const struct edit *e, const char *without, const char *with, const struct handlers *h,
                      struct error *err) MUST_CHECK;

#endif
