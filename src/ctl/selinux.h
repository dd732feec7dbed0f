/* SPDX-License-Identifier: Apache-2.0 */
/* What `hardenctl selinux status` and doctor share. */
#ifndef HARDEN_CTL_SELINUX_H
#define HARDEN_CTL_SELINUX_H

#include "facts/facts.h"
#include "policy/config.h"

/* What the kernel says of the labels that the configuration's policies give, at a sample level. */
int ctl_selinux_look(const struct config *config, struct facts *ret, struct error *err) MUST_CHECK;
/* Why the label cannot be had, or confines nothing; NULL: it can. Static. */
const char *ctl_selinux_fault(const struct selinux_fact *label);

#endif
