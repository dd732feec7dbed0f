/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/cache.h"

#include "base/sha256.h"
#include "io/fileio.h"
#include "io/path.h"
#include "seccomp/simulate.h"

#include <dirent.h>
#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Changes with the layout below and with whatever merging and validation decide differently. */
static const char format[8] = "OHSECC3";
#define NAME_PREFIX "seccomp-"

struct header {
  char format[8];
  uint8_t inputs[SECCOMP_DIGEST];
  uint8_t content[SECCOMP_DIGEST]; /* of the two lengths and what follows the header */
  uint64_t json_len;               /* bytes */
  uint64_t program_len;            /* instructions */
};

typedef char entry_name[sizeof NAME_PREFIX + 2 * (size_t)SECCOMP_DIGEST];

static void name_of(const struct seccomp_cache_key *key, entry_name ret) {
  static const char hex[] = "0123456789abcdef";
  char *p = stpcpy(ret, NAME_PREFIX);
  for (size_t i = 0; i < SECCOMP_DIGEST; i++) {
    *p++ = hex[key->digest[i] >> 4];
    *p++ = hex[key->digest[i] & 15];
  }
  *p = '\0';
}

void seccomp_cache_key(struct seccomp_cache_key *ret, const struct seccomp_cache_part *parts, size_t len) {
  const struct scmp_version *v = seccomp_version();
  const uint32_t fixed[] = { v ? v->major : 0, v ? v->minor : 0, v ? v->micro : 0, seccomp_arch_native() };
  struct sha256 s;
  sha256_start(&s);
  sha256_add(&s, format, sizeof format);
  sha256_add(&s, fixed, sizeof fixed);
  for (size_t i = 0; i < len; i++) {
    uint64_t size = parts[i].len;
    sha256_add(&s, &size, sizeof size);
    sha256_add(&s, parts[i].data, parts[i].len);
  }
  sha256_end(&s, ret->digest);
}

static void digest_content(const struct header *h, const void *data, size_t len,
                           uint8_t ret[SECCOMP_DIGEST]) {
  struct sha256 s;
  sha256_start(&s);
  sha256_add(&s, &h->json_len, sizeof h->json_len);
  sha256_add(&s, &h->program_len, sizeof h->program_len);
  sha256_add(&s, data, len);
  sha256_end(&s, ret);
}

/* -1: there is none that is to be trusted. */
static int open_dir(const struct seccomp_cache *cache) {
  CLEANUP_FD int fd = path_open(AT_FDCWD, cache->dir, O_RDONLY | O_DIRECTORY, 0, RESOLVE_LEAF);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 07777) != 0700)
    return -1;
  return steal_fd(&fd);
}

static bool stat_trusted(const struct stat *st) {
  return S_ISREG(st->st_mode) && st->st_uid == geteuid() && (st->st_mode & 07777) == 0600;
}

static bool take(const char *data, size_t len, const struct seccomp_cache_key *key, struct str *ret_json,
                 struct seccomp_program *ret_program) {
  struct header h;
  uint8_t content[SECCOMP_DIGEST];
  if (len < sizeof h)
    return false;
  memcpy(&h, data, sizeof h);
  data += sizeof h;
  len -= sizeof h;
  if (memcmp(h.format, format, sizeof format) != 0 || memcmp(h.inputs, key->digest, SECCOMP_DIGEST) != 0 ||
      h.program_len > BPF_PROGRAM_MAX || h.json_len > SECCOMP_CACHE_ENTRY_MAX ||
      h.json_len + h.program_len * sizeof(struct sock_filter) != len)
    return false;
  digest_content(&h, data, len, content);
  if (memcmp(h.content, content, SECCOMP_DIGEST) != 0)
    return false;
  struct seccomp_program program = { 0 };
  if (h.program_len) {
    struct error ignored = { 0 };
    program.len = h.program_len;
    program.filter = xcalloc(program.len, sizeof *program.filter);
    memcpy(program.filter, data + h.json_len, program.len * sizeof *program.filter);
    if (bpf_validate(program.filter, program.len, &ignored) < 0) {
      seccomp_program_free(&program);
      return false;
    }
  }
  str_add_mem(ret_json, data, h.json_len);
  *ret_program = program;
  return true;
}

bool seccomp_cache_load(const struct seccomp_cache *cache, const struct seccomp_cache_key *key,
                        struct str *ret_json, struct seccomp_program *ret_program) {
  CLEANUP_FD int dir = open_dir(cache);
  if (dir < 0)
    return false;
  entry_name name;
  name_of(key, name);
  CLEANUP_FREE char *data = NULL;
  size_t len = 0;
  struct stat st;
  struct error ignored = { 0 };
  if (file_read(dir, name, RESOLVE_INSIDE, SECCOMP_CACHE_ENTRY_MAX, &data, &len, &st, &ignored) < 0)
    return false;
  return stat_trusted(&st) && take(data, len, key, ret_json, ret_program);
}

/* Removes the oldest entry; what another process does meanwhile is its own affair. */
static void evict(int dir) {
  int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *d = copy < 0 ? NULL : fdopendir(copy);
  if (!d) {
    if (copy >= 0)
      close(copy);
    return;
  }
  for (;;) {
    size_t entries = 0;
    struct timespec oldest = { 0 };
    CLEANUP_FREE char *victim = NULL;
    rewinddir(d);
    for (const struct dirent *e; (e = readdir(d));) {
      struct stat st;
      if (!str_starts(e->d_name, NAME_PREFIX) || fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        continue;
      bool older = st.st_mtim.tv_sec < oldest.tv_sec ||
                   (st.st_mtim.tv_sec == oldest.tv_sec && st.st_mtim.tv_nsec < oldest.tv_nsec);
      if (entries++ == 0 || older) {
        oldest = st.st_mtim;
        free(victim);
        victim = xstrdup(e->d_name);
      }
    }
    if (entries <= SECCOMP_CACHE_ENTRIES || unlinkat(dir, victim, 0) < 0)
      break;
  }
  closedir(d);
}

void seccomp_cache_store(const struct seccomp_cache *cache, const struct seccomp_cache_key *key,
                         const struct str *json, const struct seccomp_program *program) {
  struct error ignored = { 0 };
  if (path_make_dirs(cache->dir, 0700, &ignored) < 0)
    return;
  CLEANUP_FD int dir = open_dir(cache);
  if (dir < 0)
    return;
  struct header h = { .json_len = json->len, .program_len = program->len };
  memcpy(h.format, format, sizeof format);
  memcpy(h.inputs, key->digest, SECCOMP_DIGEST);
  CLEANUP_STR struct str entry = { 0 };
  str_add_mem(&entry, &h, sizeof h);
  str_add_mem(&entry, json->data, json->len);
  str_add_mem(&entry, program->filter, program->len * sizeof *program->filter);
  if (entry.len > SECCOMP_CACHE_ENTRY_MAX)
    return;
  digest_content(&h, entry.data + sizeof h, entry.len - sizeof h, h.content);
  memcpy(entry.data, &h, sizeof h);
  entry_name name;
  name_of(key, name);
  if (file_replace(dir, name, entry.data, entry.len, NULL, &ignored) == 0)
    evict(dir);
}
