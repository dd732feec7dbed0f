/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/usermap_ids.h"

#include "base/cleanup.h"
#include "io/fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

enum { SUBIDS_SIZE_MAX = 1 << 20 };

/* Ids that are somebody else's: first .. first + count - 1. */
struct taken {
  struct span {
    uint64_t first, count;
  } * items;
  size_t len;
  int64_t start; /* of our range */
};

static void taken_free(struct taken *t) {
  free(t->items);
}

static void add(struct taken *t, uint64_t first, uint64_t count) {
  t->items = xrealloc(t->items, t->len + 1, sizeof *t->items);
  t->items[t->len++] = (struct span){ first, count };
}

/* subuid(5): NAME:FIRST:COUNT. A line that is none gives nothing to anybody. */
static void add_line(struct taken *t, const char *line) {
  uint64_t first, count;
  const char *colon = strchr(line, ':');
  if (colon && sscanf(colon, ":%" SCNu64 ":%" SCNu64, &first, &count) == 2)
    add(t, first, count);
}

static int add_file(struct taken *t, const char *path, struct error *err) {
  CLEANUP_FREE char *text = NULL;
  char *rest = NULL;
  size_t len;
  if (file_read(AT_FDCWD, path, RESOLVE_TRUSTED, SUBIDS_SIZE_MAX, &text, &len, NULL, err) < 0) {
    if (err->sys != ENOENT)
      return -1;
    *err = (struct error){ 0 };
    return 0;
  }
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
    add_line(t, line);
  return 0;
}

static bool is_taken(uint64_t number, void *arg) {
  const struct taken *t = arg;
  const uint64_t first = (uint64_t)t->start + number * ID_BLOCK;
  for (size_t i = 0; i < t->len; i++) {
    const struct span *s = &t->items[i];
    if (s->first < first + ID_BLOCK && (s->first >= first || s->count > first - s->first))
      return s->count > 0;
  }
  return false;
}

static int find_taken(struct taken *t, const struct config *config, struct error *err) {
  enum { KUBELET_PODS = 110 }; /* from 65536 on, a block for each */
  t->start = config->id_range.start;
  add(t, ID_BLOCK, (uint64_t)KUBELET_PODS * ID_BLOCK);
  return add_file(t, "/etc/subuid", err) < 0 || add_file(t, "/etc/subgid", err) < 0 ? -1 : 0;
}

int usermap_ids_take(const struct config *config, const struct lease_holder *holder, uint32_t *ret_base,
                     bool *ret_leased, struct error *err) {
  CLEANUP(taken_free) struct taken taken = { 0 };
  const struct lease_kind kind = {
    .name = USERMAP_IDS,
    .what = "blocks of user ids",
    .count = (uint64_t)config->id_range.count / ID_BLOCK,
    .excluded = is_taken,
    .arg = &taken,
  };
  struct lease lease;
  if (find_taken(&taken, config, err) < 0 || lease_take(config->state_dir, &kind, holder, 0, &lease, err) < 0)
    return -1;
  *ret_base = (uint32_t)((uint64_t)config->id_range.start + lease.number * ID_BLOCK);
  *ret_leased = lease.made;
  return 0;
}

int usermap_ids_count(const struct config *config, uint64_t *ret_all, uint64_t *ret_usable,
                      struct error *err) {
  CLEANUP(taken_free) struct taken taken = { 0 };
  if (find_taken(&taken, config, err) < 0)
    return -1;
  *ret_all = (uint64_t)config->id_range.count / ID_BLOCK;
  *ret_usable = 0;
  for (uint64_t number = 0; number < *ret_all; number++)
    *ret_usable += !is_taken(number, &taken);
  return 0;
}
