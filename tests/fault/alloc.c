/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wrapper's allocator, of which one allocation fails: which one is told by tests/fault/walk in a page
 * that it hands down as a file descriptor. Linked in place of memory.c.
 */
#define malloc plain_malloc
#define calloc plain_calloc
#define realloc plain_realloc
#define aligned_alloc plain_aligned_alloc
#include "runtime/memory.c" /* NOLINT(bugprone-suspicious-include): with stdlib.h under the other names */
#undef malloc
#undef calloc
#undef realloc
#undef aligned_alloc

#include "fault/alloc.h"

void *malloc(size_t size);
void *calloc(size_t nmemb, size_t size);
void *realloc(void *ptr, size_t size);
void *aligned_alloc(size_t alignment, size_t size);

static struct alloc_page *page;

static bool fails(void) {
  static bool looked;
  if (!looked) {
    looked = true;
    void *shared = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, ALLOC_FD, 0);
    page = shared == MAP_FAILED ? NULL : shared;
  }
  return page && ++page->count == page->fails;
}

void *malloc(size_t size) {
  return fails() ? out_of_memory() : plain_malloc(size);
}

void *calloc(size_t nmemb, size_t size) {
  return fails() ? out_of_memory() : plain_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size) {
  return fails() ? out_of_memory() : plain_realloc(ptr, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  return fails() ? out_of_memory() : plain_aligned_alloc(alignment, size);
}
