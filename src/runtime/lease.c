/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/lease.h"

#include "base/cleanup.h"
#include "base/sha256.h"
#include "base/str.h"
#include "io/fileio.h"
#include "io/path.h"
#include "runtime/record.h"
#include "runtime/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEASES ".leases"
#define MAGIC "OHLEASE" /* and its NUL; all zero is a free record */
enum { TABLE_MAX = 64 << 20, COLLECT_FROM = 16 };

struct slot {
  char magic[sizeof MAGIC];
  uint64_t number;
  int64_t creator;
  uint64_t creator_start;
  uint8_t key[SHA256_SIZE];
  char names[LEASE_RECORD - 64]; /* root NUL id NUL */
};
_Static_assert(sizeof(struct slot) == LEASE_RECORD, "a page holds whole records");

struct table {
  int fd;
  char *path;
  struct slot *slots;
  size_t len;
};

static void table_close(struct table *t) {
  cleanup_fd_p(&t->fd);
  free(t->path);
  free(t->slots);
}
#define CLEANUP_TABLE CLEANUP(table_close)

static bool in_use(const struct slot *s) {
  return s->magic[0];
}
static const char *slot_root(const struct slot *s) {
  return s->names;
}
static const char *slot_id(const struct slot *s) {
  return s->names + strlen(s->names) + 1;
}

static bool is_sound(const struct slot *s) {
  if (!in_use(s))
    return true;
  const char *end = memchr(s->names, 0, sizeof s->names - 1);
  return memcmp(s->magic, MAGIC, sizeof s->magic) == 0 && end &&
         memchr(end + 1, 0, sizeof s->names - (size_t)(end + 1 - s->names));
}

/* What a full disk cut off is not a record. */
static int load(struct table *t, struct error *err) {
  CLEANUP_FREE char *bytes = NULL;
  size_t len;
  if (file_read_fd(t->fd, t->path, TABLE_MAX, &bytes, &len, err) < 0)
    return -1;
  t->len = len / sizeof *t->slots;
  t->slots = (struct slot *)(void *)steal_ptr(&bytes);
  for (size_t i = 0; i < t->len; i++)
    if (!is_sound(&t->slots[i]))
      return error_set(err, ERROR_INPUT, 0,
                       "%s: record %zu is none of ours; remove the file when no container runs", t->path, i);
  return 0;
}

/* fd stays -1 where there is no table and none is to be made. */
static int table_open(struct table *t, const char *state_dir, const char *kind, bool make,
                      struct error *err) {
  t->path = xasprintf("%s/" LEASES "/%s", state_dir, kind);
  const int flags = O_RDWR | O_NONBLOCK | O_NOCTTY | (make ? O_CREAT : 0);
  const mode_t mode = make ? 0600 : 0;
  t->fd = path_open(AT_FDCWD, t->path, flags, mode, RESOLVE_LEAF);
  if (t->fd < 0 && errno == ENOENT && make) {
    CLEANUP_FREE char *dir = xasprintf("%s/" LEASES, state_dir);
    if (path_make_dirs(dir, 0700, err) < 0)
      return error_wrap(err, "state");
    t->fd = path_open(AT_FDCWD, t->path, flags, mode, RESOLVE_LEAF);
  }
  if (t->fd < 0)
    return errno == ENOENT && !make ? 0 : error_set(err, ERROR_SYSTEM, errno, "cannot open %s", t->path);
  if (state_check(t->fd, t->path, err) < 0)
    return -1;
  int locked;
  do
    locked = flock(t->fd, LOCK_EX);
  while (locked < 0 && errno == EINTR);
  if (locked < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot lock %s", t->path);
  return load(t, err);
}

/* A record lies within a page: written whole, or not at all. */
static int store(const struct table *t, size_t i, struct error *err) {
  const off_t at = (off_t)(i * sizeof *t->slots);
  ssize_t n = pwrite(t->fd, &t->slots[i], sizeof *t->slots, at);
  if (n == (ssize_t)sizeof *t->slots)
    return 0;
  return error_set(err, ERROR_SYSTEM, n < 0 ? errno : ENOSPC, "cannot write %s", t->path);
}

static int release(struct table *t, size_t i, struct error *err) {
  t->slots[i] = (struct slot){ 0 };
  return store(t, i, err);
}

/* Free records at the end are given back; that it fails costs only room. */
static void trim(struct table *t) {
  const size_t before = t->len;
  while (t->len > 0 && !in_use(&t->slots[t->len - 1]))
    t->len--;
  if (t->len < before && ftruncate(t->fd, (off_t)(t->len * sizeof *t->slots)) < 0)
    t->len = before;
}

/* Most are in use and answered by the first look. The order after it matters: a runtime makes its directory
 * before it ends, so one that is gone and left none never will. */
static bool is_stale(const struct slot *s) {
  CLEANUP_FREE char *dir = xasprintf("%s/%s", slot_root(s), slot_id(s));
  uint64_t start;
  if (access(dir, F_OK) == 0 || errno != ENOENT)
    return false;
  if (!process_start_known((pid_t)s->creator, &start) || start == s->creator_start)
    return false;
  return access(dir, F_OK) < 0 && errno == ENOENT;
}

static int collect(struct table *t, size_t *ret_freed, struct error *err) {
  *ret_freed = 0;
  for (size_t i = 0; i < t->len; i++) {
    if (!in_use(&t->slots[i]) || !is_stale(&t->slots[i]))
      continue;
    if (release(t, i, err) < 0)
      return -1;
    ++*ret_freed;
  }
  return 0;
}

static int fill(struct slot *ret, const struct lease_holder *h, struct error *err) {
  *ret = (struct slot){ .magic = MAGIC, .creator = getpid() };
  const size_t root = strlen(h->root) + 1;
  const size_t id = strlen(h->id) + 1;
  if (root + id > sizeof ret->names)
    return error_set(err, ERROR_REFUSED, 0, "container %s: its id and its root %s are too long for a lease",
                     h->id, h->root);
  memcpy(ret->names, h->root, root);
  memcpy(ret->names + root, h->id, id);
  struct sha256 digest;
  sha256_start(&digest);
  sha256_add(&digest, h->key ? "pod" : "container", h->key ? 4 : 10);
  sha256_add(&digest, h->root, root);
  sha256_add(&digest, h->key ? h->key : h->id, h->key ? strlen(h->key) : id);
  sha256_end(&digest, ret->key);
  if (!process_start_known(getpid(), &ret->creator_start))
    return error_set(err, ERROR_SYSTEM, 0, "lease of %s: our own start time cannot be read", h->id);
  return 0;
}

static struct slot *find_holder(const struct table *t, const char *root, const char *id) {
  for (size_t i = 0; i < t->len; i++)
    if (in_use(&t->slots[i]) && strcmp(slot_id(&t->slots[i]), id) == 0 &&
        strcmp(slot_root(&t->slots[i]), root) == 0)
      return &t->slots[i];
  return NULL;
}

static bool same_key(const struct slot *a, const struct slot *b) {
  return memcmp(a->key, b->key, sizeof a->key) == 0;
}

static bool find_key(const struct table *t, const struct slot *wanted, uint64_t *ret_number) {
  for (size_t i = 0; i < t->len; i++) {
    if (!in_use(&t->slots[i]) || !same_key(&t->slots[i], wanted))
      continue;
    *ret_number = t->slots[i].number;
    return true;
  }
  return false;
}

/* The first that nobody holds, from `first` on. */
static bool find_free(const struct table *t, const struct lease_kind *kind, uint64_t first,
                      uint64_t *ret_number) {
  CLEANUP_FREE uint8_t *held = xcalloc((size_t)kind->count / 8 + 1, 1);
  for (size_t i = 0; i < t->len; i++)
    if (in_use(&t->slots[i]) && t->slots[i].number < kind->count)
      held[t->slots[i].number / 8] |= (uint8_t)(1U << t->slots[i].number % 8);
  for (uint64_t i = 0; i < kind->count; i++) {
    const uint64_t n = (first % kind->count + i) % kind->count;
    if ((held[n / 8] >> n % 8 & 1) || (kind->excluded && kind->excluded(n, kind->arg)))
      continue;
    *ret_number = n;
    return true;
  }
  return false;
}

static size_t find_room(const struct table *t) {
  size_t i = 0;
  while (i < t->len && in_use(&t->slots[i]))
    i++;
  return i;
}

static bool is_power_of_two(size_t n) {
  return (n & (n - 1)) == 0;
}

/* Writes the record to a free place. */
static int add(struct table *t, const struct slot *s, struct error *err) {
  size_t at = find_room(t);
  size_t freed;
  if (at == t->len && at >= COLLECT_FROM && is_power_of_two(at)) {
    if (collect(t, &freed, err) < 0)
      return -1;
    at = find_room(t);
  }
  if (at == t->len)
    t->slots = xrealloc(t->slots, ++t->len, sizeof *t->slots);
  t->slots[at] = *s;
  return store(t, at, err);
}

static bool others_hold(const struct table *t, const struct slot *s) {
  for (size_t i = 0; i < t->len; i++)
    if (in_use(&t->slots[i]) && t->slots[i].number == s->number && !same_key(&t->slots[i], s) &&
        !is_stale(&t->slots[i]))
      return true;
  return false;
}

static int choose(struct table *t, const struct lease_kind *kind, uint64_t first, struct slot *wanted,
                  struct error *err) {
  size_t freed;
  if (find_key(t, wanted, &wanted->number) || find_free(t, kind, first, &wanted->number))
    return 0;
  if (collect(t, &freed, err) < 0)
    return -1;
  if (freed && find_free(t, kind, first, &wanted->number))
    return 0;
  return error_set_rule(err, ERROR_REFUSED, "OH-STA-004",
                        "none of the node's %llu %s is left; delete containers, or see hardenctl gc",
                        (unsigned long long)kind->count, kind->what);
}

/* `claimed` NULL: any number. */
static int lease(const char *state_dir, const struct lease_kind *kind, const struct lease_holder *holder,
                 uint64_t first, const uint64_t *claimed, struct lease *ret, struct error *err) {
  CLEANUP_TABLE struct table t = { .fd = -1 };
  struct slot wanted;
  if (fill(&wanted, holder, err) < 0 || table_open(&t, state_dir, kind->name, true, err) < 0)
    return -1;
  const struct slot *held = find_holder(&t, holder->root, holder->id);
  /* That of a container that is there, or is being made by another process, is not this call's to change. */
  if (held && !is_stale(held)) {
    *ret = (struct lease){ held->number, false, others_hold(&t, held) };
    return 0;
  }
  if (held && release(&t, (size_t)(held - t.slots), err) < 0)
    return -1;
  if (claimed)
    wanted.number = *claimed;
  else if (choose(&t, kind, first, &wanted, err) < 0)
    return -1;
  *ret = (struct lease){ wanted.number, true, others_hold(&t, &wanted) };
  return add(&t, &wanted, err);
}

int lease_take(const char *state_dir, const struct lease_kind *kind, const struct lease_holder *holder,
               uint64_t first, struct lease *ret, struct error *err) {
  if (kind->count == 0 || kind->count > LEASE_COUNT_MAX)
    return error_set(err, ERROR_INTERNAL, 0, "%llu %s to lease", (unsigned long long)kind->count, kind->what);
  return lease(state_dir, kind, holder, first, NULL, ret, err);
}

int lease_claim(const char *state_dir, const struct lease_kind *kind, const struct lease_holder *holder,
                uint64_t number, struct lease *ret, struct error *err) {
  return lease(state_dir, kind, holder, 0, &number, ret, err);
}

int lease_is_others(const char *state_dir, const struct lease_kind *kind, const struct lease_holder *holder,
                    uint64_t number, bool *ret, struct error *err) {
  CLEANUP_TABLE struct table t = { .fd = -1 };
  struct slot asked;
  *ret = false;
  if (fill(&asked, holder, err) < 0 || table_open(&t, state_dir, kind->name, false, err) < 0)
    return -1;
  asked.number = number;
  *ret = others_hold(&t, &asked);
  return 0;
}

int lease_free(const char *state_dir, const char *kind, const char *root, const char *id, bool lives,
               struct error *err) {
  CLEANUP_TABLE struct table t = { .fd = -1 };
  if (table_open(&t, state_dir, kind, false, err) < 0)
    return -1;
  struct slot *held = find_holder(&t, root, id);
  if (!held)
    return 0;
  const size_t at = (size_t)(held - t.slots);
  if (!lives) {
    if (release(&t, at, err) < 0)
      return -1;
    trim(&t);
    return 0;
  }
  held->creator = getpid();
  if (!process_start_known(getpid(), &held->creator_start))
    return error_set(err, ERROR_SYSTEM, 0, "lease of %s: our own start time cannot be read", id);
  return store(&t, at, err);
}

/* Each table by its kind. */
static int each_table(const char *state_dir, int (*visit)(const char *kind, void *arg, struct error *err),
                      void *arg, struct error *err) {
  CLEANUP_FREE char *path = xasprintf("%s/" LEASES, state_dir);
  CLEANUP_DIR DIR *dir = opendir(path);
  if (!dir)
    return errno == ENOENT ? 0 : error_set(err, ERROR_SYSTEM, errno, "state %s", path);
  for (const struct dirent *entry; (entry = readdir(dir));)
    if (entry->d_name[0] != '.' && visit(entry->d_name, arg, err) < 0)
      return -1;
  return 0;
}

struct ending {
  const char *state_dir, *root, *id;
  bool lives, any;
};

static int end(const char *kind, void *arg, struct error *err) {
  struct ending *e = arg;
  e->any = true;
  return lease_free(e->state_dir, kind, e->root, e->id, e->lives, err);
}

int lease_free_all(const char *state_dir, const char *root, const char *id, bool lives, bool *ret_any,
                   struct error *err) {
  struct ending ending = { state_dir, root, id, lives, false };
  const int done = each_table(state_dir, end, &ending, err);
  *ret_any = ending.any;
  return done;
}

struct scan {
  const char *state_dir;
  bool remove;
  void (*found)(const struct lease_record *r, void *arg);
  void *arg;
};

static int scan_table(const char *kind, void *arg, struct error *err) {
  const struct scan *scan = arg;
  CLEANUP_TABLE struct table t = { .fd = -1 };
  if (table_open(&t, scan->state_dir, kind, false, err) < 0)
    return -1;
  for (size_t i = 0; i < t.len; i++) {
    const struct slot s = t.slots[i];
    if (!in_use(&s))
      continue;
    const struct lease_record r = { kind, slot_root(&s), slot_id(&s), s.number, is_stale(&s) };
    if (r.stale && scan->remove && release(&t, i, err) < 0)
      return -1;
    scan->found(&r, scan->arg);
  }
  if (scan->remove)
    trim(&t);
  return 0;
}

int lease_scan(const char *state_dir, bool remove, void (*found)(const struct lease_record *r, void *arg),
               void *arg, struct error *err) {
  struct scan scan = { state_dir, remove, found, arg };
  return each_table(state_dir, scan_table, &scan, err);
}
