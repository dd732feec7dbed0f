/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of the host's ids (config.json's idRange), no two pods the same. */
#ifndef HARDEN_USERMAP_IDS_H
#define HARDEN_USERMAP_IDS_H

#include "policy/config.h"
#include "runtime/lease.h"

#define USERMAP_IDS "ids" /* the name of their table */

/* A block for the holder. *ret_leased: by this call. ERROR_REFUSED: none is left. Blocks that /etc/subuid or
 * /etc/subgid gives to anybody are not for us; nor are those that a kubelet takes where it finds nothing
 * there. */
int usermap_ids_take(const struct config *config, const struct lease_holder *holder, uint32_t *ret_base,
                     bool *ret_leased, struct error *err) MUST_CHECK;
/* How many blocks the range has, and how many of them could be ours. */
int usermap_ids_count(const struct config *config, uint64_t *ret_all, uint64_t *ret_usable,
                      struct error *err) MUST_CHECK;

#endif
