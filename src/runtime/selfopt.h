/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of the command line is ours: --policy NAME and --config FILE before the runtime's own options, and the
 * policy that a symbolic link's name selects (oci-harden-NAME). dockerd's runtimeArgs and a person's shell
 * put options there; containerd's BinaryName takes none, hence the links.
 */
#ifndef HARDEN_SELFOPT_H
#define HARDEN_SELFOPT_H

#include "base/error.h"

#define SELFOPT_PROGRAM "oci-harden"

struct selfopt {
  const char *name;   /* basename of argv[0] */
  const char *policy; /* --policy, else the name's; NULL: none asked for */
  const char *config; /* --config; NULL: the default place */
  char **args;        /* what is the runtime's, without argv[0] */
};

/* Borrows from argv. ERROR_USAGE for an option without its value. */
int selfopt_parse(struct selfopt *ret, char **argv, struct error *err) MUST_CHECK;

#endif
