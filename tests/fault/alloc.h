/* SPDX-License-Identifier: Apache-2.0 */
/* What walk and the allocator that fails share: a page, mapped from this descriptor. */
#ifndef HARDEN_TESTS_FAULT_ALLOC_H
#define HARDEN_TESTS_FAULT_ALLOC_H

#include <stdint.h>

enum { ALLOC_FD = 100 };

struct alloc_page {
  uint64_t fails; /* the allocation that fails, from 1; 0: none */
  uint64_t count; /* so far, over all processes */
};

#endif
