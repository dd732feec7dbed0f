/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idmapped PLACE ROOTFS [WISH...] -- COMMAND...: puts a root file system, volumes and what else is wished on
 * a stage at PLACE, then becomes the command there, as the wrapper becomes the runtime. What came of it goes
 * to standard output, a line each; what was refused to standard error, with exit 3 (4: and the engine's mount
 * is lost).
 *
 *   first=N count=N          the block of ids (100000, 65536)
 *   mode=replace|private     (private)
 *   nosuid
 *   volume=PATH rvolume=PATH plain=PATH rplain=PATH slave=PATH
 *   sysfs=NETNS mqueue=IPCNS
 *   device=c:MAJOR:MINOR:MODE:UID:GID
 *   pipes null
 *   undo                     everything taken back again, and the command run where it was
 *   storage=DIR try=PATH     no command: what probes say of a directory for images, of a volume
 *   time=N                   no command: N rounds of everything, taken back, and the mean of what the making
 * took
 */
#include "base/cleanup.h"
#include "idmap/probe.h"
#include "idmap/rootfs.h"
#include "idmap/special.h"
#include "idmap/volumes.h"
#include "io/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

struct run {
  char **wishes;
  int wishes_len;
  const char *place;
  struct rootfs_wish rootfs;
  unsigned first, count, rounds;
  bool undo;
  const char *storage, *try;
  struct stage stage;
  struct mapped_rootfs mapped;
  struct kernel_idmap ids;
  struct idmap map;
};

static const char *after(const char *text, const char *prefix) {
  return str_starts(text, prefix) ? text + strlen(prefix) : NULL;
}

static int refused(const struct refusal *why, const struct error *err) {
  fprintf(stderr, "refused kind=%s part=%s layer=%u path=%s fstype=%s errno=%d broken=%d\n%s\n",
          refusal_kind_name(why->kind), refusal_part_name(why->part), why->layer, why->path, why->fstype,
          why->sys, why->broken, err->message);
  return why->broken ? 4 : 3;
}

static int open_namespace(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    perror(path);
  return fd;
}

static void print_flags(unsigned flags) {
  printf("%s%s%s%s", flags & MS_RDONLY ? " ro" : "", flags & MS_NOSUID ? " nosuid" : "",
         flags & MS_NODEV ? " nodev" : "", flags & MS_NOEXEC ? " noexec" : "");
}

static int add_volume(struct run *r, const char *source, const char *kind, struct refusal *why,
                      struct error *err) {
  CLEANUP_MAPPED_VOLUME struct mapped_volume v = { 0 };
  const struct volume_wish wish = { .source = source,
                                    .recursive = kind[0] == 'r',
                                    .slave = kind[0] == 's',
                                    .unmapped = strstr(kind, "plain") != NULL };
  if (volume_map(&v, &r->stage, &wish, &r->map, why, err) < 0)
    return -1;
  if (r->rounds)
    return 0;
  printf("volume %s", v.path);
  print_flags(v.flags);
  printf(" mapped=%d exposed=%d\n", v.mapped, v.exposed);
  for (size_t i = 0; i < v.below_len; i++) {
    printf("below %s", v.below[i].path);
    print_flags(v.below[i].flags);
    printf("\n");
  }
  return 0;
}

static int add_device(struct run *r, const char *text, struct refusal *why, struct error *err) {
  unsigned major, minor, mode, uid, gid;
  char type;
  CLEANUP_FREE char *path = NULL;
  if (sscanf(text, "%c:%u:%u:%o:%u:%u", &type, &major, &minor, &mode, &uid, &gid) != 6)
    return error_set(err, ERROR_USAGE, 0, "device=%s", text);
  const struct special_node node = {
    .mode = (type == 'c' ? S_IFCHR : S_IFBLK) | mode, .device = makedev(major, minor), .uid = uid, .gid = gid
  };
  if (special_device(&r->stage, &node, &r->map, &path, why, err) < 0)
    return -1;
  printf("device %s\n", path);
  return 0;
}

static int add_mount(struct run *r, bool sysfs, const char *ns, struct refusal *why, struct error *err) {
  CLEANUP_FREE char *path = NULL;
  CLEANUP_FD int fd = open_namespace(ns);
  const int rc =
      sysfs ? special_sysfs(&r->stage, fd, &path, why, err) : special_mqueue(&r->stage, fd, &path, why, err);
  if (rc < 0)
    return -1;
  printf("%s %s\n", sysfs ? "sysfs" : "mqueue", path);
  return 0;
}

static int grant(struct run *r, const char *wish, struct refusal *why, struct error *err) {
  static const char *const volumes[] = { "volume", "rvolume", "plain", "rplain", "slave" };
  const char *value = strchr(wish, '=');
  for (size_t i = 0; i < ARRAY_SIZE(volumes); i++)
    if (value && strncmp(wish, volumes[i], (size_t)(value - wish)) == 0 &&
        strlen(volumes[i]) == (size_t)(value - wish))
      return add_volume(r, value + 1, volumes[i], why, err);
  if ((value = after(wish, "sysfs=")) || after(wish, "mqueue="))
    return add_mount(r, value != NULL, strchr(wish, '=') + 1, why, err);
  if ((value = after(wish, "device=")))
    return add_device(r, value, why, err);
  if (strcmp(wish, "pipes") == 0)
    return special_own_pipes(&r->map, why, err);
  if (strcmp(wish, "null") == 0)
    return special_own_null(why, err);
  return 0;
}

static int make(struct run *r, struct refusal *why, struct error *err) {
  int userns;
  *why = (struct refusal){ .kind = REFUSAL_SYSTEM, .part = REFUSAL_OF_NAMESPACE };
  idmap_block(r->first, r->count, &r->ids);
  if (idmap_userns_make(&r->ids, &r->ids, &userns, err) < 0)
    return -1;
  r->map = (struct idmap){ userns, &r->ids, &r->ids };
  r->rootfs.map = &r->map;
  if (stage_enter(&r->stage, r->place, why, err) < 0)
    return -1;
  if (rootfs_map(&r->mapped, &r->stage, &r->rootfs, why, err) < 0)
    return -1;
  for (int i = 0; i < r->wishes_len; i++)
    if (grant(r, r->wishes[i], why, err) < 0)
      return -1;
  return 0;
}

static int unmake(struct run *r, struct error *err) {
  int rc = 0;
  if (r->stage.own >= 0) {
    rc = rootfs_undo(&r->mapped, &r->stage, err);
    if (stage_leave(&r->stage, err) < 0)
      rc = -1;
  }
  mapped_rootfs_free(&r->mapped);
  cleanup_fd_p(&r->map.userns);
  r->map.userns = -1;
  return rc;
}

static int measure(struct run *r, struct refusal *why, struct error *err) {
  double sum = 0;
  for (unsigned i = 0; i < r->rounds; i++) {
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    if (make(r, why, err) < 0)
      return refused(why, err);
    clock_gettime(CLOCK_MONOTONIC, &end);
    sum += (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6;
    if (unmake(r, err) < 0) {
      fprintf(stderr, "%s\n", err->message);
      return 4;
    }
  }
  printf("%.3f ms\n", sum / r->rounds);
  return 0;
}

static void answer(const char *what, const struct probe_answer *a) {
  printf("%s %s %s %s\n", what, refusal_kind_name(a->why.kind), a->why.fstype[0] ? a->why.fstype : "-",
         a->err.message);
}

static int probe(const struct run *r, struct error *err) {
  struct probe_answer volume, userns;
  struct probe_storage *storage = xcalloc(1, sizeof *storage);
  int rc = 0;
  probe_userns(r->first, r->count, &userns);
  answer("userns", &userns);
  if (r->try) {
    probe_volume(r->try, r->first, r->count, &volume);
    answer("volume", &volume);
  }
  if (r->storage && (rc = probe_storage(r->storage, r->place, r->first, r->count, storage, err)) == 0) {
    answer("private", &storage->private);
    answer("replace", &storage->replace);
    printf("direct %d exposed %d\n", storage->direct, storage->exposed);
  }
  if (rc < 0)
    fprintf(stderr, "%s\n", err->message);
  free(storage);
  return rc < 0 ? 1 : 0;
}

static void read_wishes(struct run *r) {
  const char *value;
  for (int i = 0; i < r->wishes_len; i++) {
    const char *wish = r->wishes[i];
    if ((value = after(wish, "first=")))
      r->first = (unsigned)strtoul(value, NULL, 10);
    else if ((value = after(wish, "count=")))
      r->count = (unsigned)strtoul(value, NULL, 10);
    else if ((value = after(wish, "time=")))
      r->rounds = (unsigned)strtoul(value, NULL, 10);
    else if ((value = after(wish, "storage=")))
      r->storage = value;
    else if ((value = after(wish, "try=")))
      r->try = value;
    r->undo = r->undo || strcmp(wish, "undo") == 0;
    r->rootfs.nosuid = r->rootfs.nosuid || strcmp(wish, "nosuid") == 0;
    if (strcmp(wish, "mode=replace") == 0)
      r->rootfs.mode = ROOTFS_REPLACE;
  }
}

int main(int argc, char **argv) {
  struct run r = { .first = 100000, .count = 65536, .stage = STAGE_NONE, .map = { .userns = -1 } };
  struct refusal why = { 0 };
  struct error err = { 0 };
  int dashes = 3;
  while (dashes < argc && strcmp(argv[dashes], "--") != 0)
    dashes++;
  if (argc < 3)
    return 2;
  r.place = argv[1];
  r.rootfs.path = argv[2];
  r.wishes = argv + 3;
  r.wishes_len = dashes - 3;
  read_wishes(&r);
  if (r.storage || r.try)
    return probe(&r, &err);
  if (r.rounds)
    return measure(&r, &why, &err);
  if (make(&r, &why, &err) < 0) {
    const int code = refused(&why, &err);
    return unmake(&r, &err) < 0 ? 4 : code;
  }
  printf("rootfs %s layers=%zu replaced=%d exposed=%d type=%s\n", r.mapped.path, r.mapped.layers,
         r.mapped.replaced, r.mapped.exposed, r.mapped.type ? r.mapped.type : "-");
  if (r.undo && unmake(&r, &err) < 0) {
    fprintf(stderr, "%s\n", err.message);
    return 4;
  }
  fflush(stdout);
  if (dashes + 1 < argc)
    execvp(argv[dashes + 1], argv + dashes + 1);
  perror("exec");
  return 1;
}
