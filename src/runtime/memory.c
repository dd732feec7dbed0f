/* SPDX-License-Identifier: Apache-2.0 */
/*
 * malloc for a program that is another one two milliseconds later: memory is handed out in order, and taken
 * back where that is next to nothing to do: the last block, and small ones for others of their size. The rest
 * exec does. The general allocator spent its time on keeping what nobody asked for again, and on pages that
 * were touched one by one.
 *
 * Small blocks come from chunks whose pages the kernel maps all at once. Large ones, texts of configs mostly,
 * are mappings of their own, which do go back. Linked into oci-harden only, which has one thread; not under
 * a sanitizer, which brings its own.
 */
#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
  ALIGN = alignof(max_align_t),
  PAGE = 4096,          /* where it is larger, the kernel rounds up */
  FIRST = 16 << 10,     /* of the program's own pages: verbs that are passed through need no more */
  CHUNK = 64 << 10,     /* the least size of a mapped chunk, which is enough for a start and holds what is
                           not LARGE; later ones are a quarter of all before */
  CHUNK_MAX = 16 << 20, /* at most */
  LARGE = 32 << 10,     /* a block of so many bytes is a mapping of its own */
  KEPT = 8 << 10,       /* blocks below are kept when they are freed */
  LAST = 64 << 10,      /* for what is done and said when there is no more */
  MAPPED = 1,           /* flag in a block's size, which is a multiple of ALIGN less the header */
};

/* In front of each block: the bytes behind it, and the flag. */
typedef size_t header;
_Static_assert(sizeof(header) * 2 == ALIGN, "a header in front of an aligned block");

static alignas(ALIGN) char first[FIRST];
/* Pages that nobody touched cost nothing. */
static alignas(ALIGN) char last[LAST];
static bool last_used;
/* The free rest of the chunk. The next block's header is at `top`, half a unit in front of alignment. */
static char *top = first + sizeof(header), *end = first + FIRST;
static size_t chunks; /* bytes mapped for chunks */

/* Freed blocks by size; each begins with the address of the next. */
static void *kept[KEPT / ALIGN];

static header *header_of(void *block) {
  return (header *)block - 1;
}

static size_t size_of(void *block) {
  return *header_of(block) & ~(size_t)MAPPED;
}

static bool is_mapped(void *block) {
  return *header_of(block) & MAPPED;
}

static bool is_last(void *block) {
  return (char *)block + size_of(block) == top;
}

/* With room for a header in front, so that the next block's is in its place. */
static size_t padded(size_t size) {
  return ((size + sizeof(header) + ALIGN - 1) & ~(size_t)(ALIGN - 1)) - sizeof(header);
}

/* The block that was asked for there is not; those asked for next, to undo and report, come from the
 * program's own last pages. */
static void *out_of_memory(void) {
  if (!last_used) {
    last_used = true;
    top = last + sizeof(header);
    end = last + LAST;
  }
  errno = ENOMEM;
  return NULL;
}

static void *map(size_t size, int flags) {
  return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static size_t mapping_size(size_t size) {
  return (size + ALIGN + PAGE - 1) & ~(size_t)(PAGE - 1);
}

/* A mapping begins with ALIGN bytes, the second half of which is the header. */
static void *block_in(void *mapping, size_t size) {
  if (mapping == MAP_FAILED)
    return out_of_memory();
  void *block = (char *)mapping + ALIGN;
  *header_of(block) = (size - ALIGN) | MAPPED;
  return block;
}

static bool next_chunk(void) {
  size_t size = chunks / 4 & ~(size_t)(PAGE - 1);
  size = size < CHUNK ? CHUNK : size > CHUNK_MAX ? CHUNK_MAX : size;
  char *chunk = map(size, MAP_POPULATE);
  if (chunk == MAP_FAILED)
    return false;
  chunks += size;
  top = chunk + sizeof(header);
  end = chunk + size;
  return true;
}

static void keep(void *block) {
  void **list = &kept[size_of(block) / ALIGN];
  memcpy(block, list, sizeof *list);
  *list = block;
}

/* NULL: none of the size was kept. */
static void *take_kept(size_t size) {
  void **list = &kept[size / ALIGN];
  void *block = *list;
  if (block)
    memcpy(list, block, sizeof *list);
  return block;
}

/* Its memory is zero. */
static void *allocate_large(size_t size) {
  if (size > PTRDIFF_MAX - CHUNK)
    return out_of_memory();
  const size_t mapped = mapping_size(size);
  return block_in(map(mapped, 0), mapped);
}

static inline void *allocate_small(size_t size) {
  size = padded(size);
  void *block = size < KEPT ? take_kept(size) : NULL;
  if (block)
    return block;
  if (sizeof(header) + size > (size_t)(end - top) && !next_chunk())
    return out_of_memory();
  block = top + sizeof(header);
  *header_of(block) = size;
  top += sizeof(header) + size;
  return block;
}

/* These and not malloc() and free() are called here: of those the compiler knows that they change none of our
 * variables, and the analyser that nothing may be done to what is freed. */
static void *allocate(size_t size) {
  return size < LARGE ? allocate_small(size) : allocate_large(size);
}

static void give_back(void *ptr) {
  if (is_mapped(ptr)) {
    int saved = errno;
    (void)munmap((char *)ptr - ALIGN, size_of(ptr) + ALIGN);
    errno = saved;
  } else if (is_last(ptr)) {
    top = (char *)header_of(ptr);
  } else if (size_of(ptr) < KEPT) {
    keep(ptr);
  }
}

void *malloc(size_t size) {
  return allocate(size);
}

void free(void *ptr) {
  if (ptr)
    give_back(ptr);
}

void *calloc(size_t nmemb, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(nmemb, size, &total))
    return out_of_memory();
  if (total >= LARGE)
    return allocate_large(total);
  void *block = allocate_small(total);
  return block ? memset(block, 0, total) : NULL;
}

static void *resize_mapping(void *block, size_t size) {
  const size_t mapped = mapping_size(size);
  return block_in(mremap((char *)block - ALIGN, size_of(block) + ALIGN, mapped, MREMAP_MAYMOVE), mapped);
}

void *realloc(void *ptr, size_t size) {
  if (!ptr)
    return allocate(size);
  const size_t had = size_of(ptr);
  if (size <= had)
    return ptr;
  if (size > PTRDIFF_MAX - CHUNK)
    return out_of_memory();
  if (is_mapped(ptr))
    return resize_mapping(ptr, size);
  const size_t more = padded(size) - had;
  if (is_last(ptr) && size < LARGE && more <= (size_t)(end - top)) {
    *header_of(ptr) += more;
    top += more;
    return ptr;
  }
  void *moved = allocate(size);
  if (!moved)
    return NULL;
  memcpy(moved, ptr, had);
  give_back(ptr);
  return moved;
}

/* Nobody asks for more than malloc gives. */
void *aligned_alloc(size_t alignment, size_t size) {
  return alignment <= ALIGN ? allocate(size) : out_of_memory();
}
