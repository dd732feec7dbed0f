/* SPDX-License-Identifier: Apache-2.0 */
/* What hardenctl's install, uninstall and status have in common. */
#ifndef HARDEN_CTL_INSTALL_H
#define HARDEN_CTL_INSTALL_H

#include "ctl/command.h"
#include "install/plan.h"

#include <stdbool.h>

struct install_options {
  const char *engine; /* "all" */
  const char *root;
  bool dry_run, restart;
};
#define INSTALL_OPTIONS                                                                                      \
  { "engine", 'e', "NAME|all", 0, "containerd, docker, podman or crio (default: all that are there)", 0 }, { \
    "root", 'R', "DIR", 0, "the root directory of another host: an image, or a node's in a container", 0     \
  }
#define CHANGE_OPTIONS                                                                                       \
  { "dry-run", 'n', NULL, 0, "print what would be changed, and change nothing", 0 }, {                       \
    "restart", 'r', NULL, 0, "have systemd restart, or reload, what must know of it", 0                      \
  }
error_t install_parse(int key, char *arg, struct argp_state *state, struct install_options *o);

/* Calls `each` for the engine that was named, or for all that are on the host, in the order of the table.
 * With all, one that refuses is said to be left out, and one that fails does not keep the others from their
 * turn. Returns the worst of the answers. */
int install_for_each(const struct host *h, const struct install_options *o,
                     int (*each)(const struct host *h, const struct engine *engine, void *arg,
                                 struct error *err),
                     void *arg, struct error *err);
/* The configuration of the host, its directories as this machine sees them. */
int install_config(const struct install_options *o, struct config *ret, struct error *err) MUST_CHECK;

void install_print_plan(const struct plan *p); /* the diff, and the notes */
/* A note of what the host lacks, beside the registration, for containers not to be refused. */
void install_print_missing(const struct install_options *o);
/* What systemd restarts so that the engine reads `file`. Borrowed. */
const char *install_unit(const struct engine *engine, const char *file);
/* After a change: says what must be restarted, or does it. `removed`: what was there must be forgotten, which
 * a dockerd that is told to reload does not do. */
int install_reload(const struct host *h, const struct install_options *o, const struct engine *engine,
                   const char *file, bool removed, struct error *err);

/* Containers of the wrapper's that are still there, "ROOT ID" each, and users that have some: they need it
 * for exec, stop and delete. `manager` NULL: all, else those of that engine (struct engine). */
int install_needed_by(const struct host *h, const struct config *config, const char *manager,
                      struct strlist *ret, struct error *err) MUST_CHECK;

#endif
