/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bind sources whose files get a label of the container's, where a policy asks for that: what the control
 * selinux says of them, and what the wrapper then does (lsm/relabel.h). Pure.
 */
#ifndef HARDEN_CONTROL_SELINUX_H
#define HARDEN_CONTROL_SELINUX_H

#include "facts/facts.h"

enum volume_verdict {
  VOLUME_LEFT, /* nothing is asked, or the container reaches it: its engine or its owner has labelled it */
  VOLUME_LABELLED,
  VOLUME_HOSTS,    /* the host needs its label, so the container will not reach it */
  VOLUME_ANOTHERS, /* it is labelled for another pod, or for one alone where all are to reach it */
};

struct selinux_volume {
  size_t mount; /* index in /mounts */
  enum volume_verdict verdict;
  const struct source_fact *source; /* borrowed from the facts */
  const char *why;                  /* of HOSTS and ANOTHERS, the end of a sentence; static */
};

struct selinux_volumes {
  char *label; /* what the files get; NULL where there are none */
  struct selinux_volume *items;
  size_t len;
};

/* Those that are not LEFT, each source once. `root`: the config, before or after the control. */
void selinux_volumes_read(struct selinux_volumes *ret, const json_t *root, const struct policy *policy,
                          const struct facts *facts);
void selinux_volumes_free(struct selinux_volumes *v);
#define CLEANUP_SELINUX_VOLUMES CLEANUP(selinux_volumes_free)

#define SELINUX_RULE_FILES "OH-SEL-017" /* what the wrapper refuses when it cannot label them all */

/* The control's own part. */
int selinux_apply_volumes(struct spec *spec, const struct policy *policy, const struct facts *facts,
                          struct error *err) MUST_CHECK;

#endif
