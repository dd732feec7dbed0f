/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nettle asks the processor at each start for its vendor, for AES, and for instructions that compute SHA-256,
 * which are all that we use of it. In a virtual machine each CPUID is a trip to the hypervisor: only the leaf
 * that tells of SHA is asked for. Linked in the place of nettle's, into the programs that use musl.
 */
#include <stdint.h>
#include <string.h>

#ifdef __x86_64__
#include <cpuid.h>

enum { LEAF_FEATURES = 7 };

void _nettle_cpuid(uint32_t leaf, uint32_t ret[4]);

void _nettle_cpuid(uint32_t leaf, uint32_t ret[4]) {
  memset(ret, 0, 4 * sizeof *ret);
  if (leaf == LEAF_FEATURES)
    __cpuid_count(leaf, 0, ret[0], ret[1], ret[2], ret[3]);
}
#endif
