/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap/volumes.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "idmap/mapping.h"
#include "idmap/mountapi.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>

void mapped_volume_free(struct mapped_volume *v) {
  for (size_t i = 0; i < v->below_len; i++)
    free(v->below[i].path);
  free(v->below);
  free(v->path);
  *v = (struct mapped_volume){ 0 };
}

static unsigned flags_of(const struct statvfs *fs) {
  return (fs->f_flag & ST_RDONLY ? MS_RDONLY : 0) | (fs->f_flag & ST_NOSUID ? MS_NOSUID : 0) |
         (fs->f_flag & ST_NODEV ? MS_NODEV : 0) | (fs->f_flag & ST_NOEXEC ? MS_NOEXEC : 0);
}

/* Which of the mounts below the source does not take the map? Each is asked alone. */
static int find_refusing(const struct stage *stage, const struct volume_wish *wish, const struct idmap *map,
                         int sys, struct refusal *why, struct error *err) {
  CLEANUP_STRLIST struct strlist below = { 0 };
  CLEANUP_FREE char *real = realpath(wish->source, NULL);
  if (real)
    mapping_below(stage->mountinfo, real, &below);
  for (size_t i = 0; i < below.len; i++) {
    CLEANUP_FD int source = -1;
    CLEANUP_FD int tree = mapping_clone(below.items[i], false, map, 0, MS_PRIVATE, &source);
    if (tree < 0)
      return refuse(why, err, REFUSAL_NONE, REFUSAL_OF_VOLUME, below.items[i], source, errno);
  }
  return refuse(why, err, REFUSAL_NONE, REFUSAL_OF_VOLUME, wish->source, -1, sys);
}

static int clone_mapped(const struct stage *stage, const struct volume_wish *wish, const struct idmap *map,
                        int *ret_tree, struct refusal *why, struct error *err) {
  CLEANUP_FD int source = -1, again = -1;
  const uint64_t propagation = wish->slave ? MS_SLAVE : MS_PRIVATE;
  CLEANUP_FD int tree = mapping_clone(wish->source, wish->recursive, map, 0, propagation, &source);
  const int sys = errno;
  if (tree >= 0) {
    *ret_tree = steal_fd(&tree);
    return 0;
  }
  if (source < 0 || !wish->recursive)
    return refuse(why, err, source < 0 ? REFUSAL_SYSTEM : REFUSAL_NONE, REFUSAL_OF_VOLUME, wish->source,
                  source, sys);
  CLEANUP_FD int alone = mapping_clone(wish->source, false, map, 0, MS_PRIVATE, &again);
  if (alone < 0)
    return refuse(why, err, REFUSAL_NONE, REFUSAL_OF_VOLUME, wish->source, source, errno);
  return find_refusing(stage, wish, map, sys, why, err);
}

static int clone_plain(const struct volume_wish *wish, int *ret_tree, struct refusal *why,
                       struct error *err) {
  const struct mount_attr attr = { .propagation = wish->slave ? MS_SLAVE : MS_PRIVATE };
  CLEANUP_FD int tree = mountapi_clone(AT_FDCWD, wish->source, wish->recursive);
  if (tree < 0 || mountapi_set(tree, wish->recursive, &attr) < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_VOLUME, wish->source, tree, errno);
  *ret_tree = steal_fd(&tree);
  return 0;
}

/* Those that are there on the stage: one may have been mounted over since. */
static void tell_below(struct mapped_volume *v, const struct stage *stage, const char *source) {
  CLEANUP_STRLIST struct strlist below = { 0 };
  CLEANUP_FREE char *real = realpath(source, NULL);
  if (real)
    mapping_below(stage->mountinfo, real, &below);
  if (below.len)
    v->below = xcalloc(below.len, sizeof *v->below);
  for (size_t i = 0; i < below.len; i++) {
    struct statvfs fs;
    CLEANUP_FREE char *path = xasprintf("%s%s", v->path, below.items[i] + (real[1] ? strlen(real) : 0));
    if (statvfs(path, &fs) == 0)
      v->below[v->below_len++] = (struct volume_below){ .path = steal_ptr(&path), .flags = flags_of(&fs) };
  }
}

int volume_map(struct mapped_volume *ret, struct stage *stage, const struct volume_wish *wish,
               const struct idmap *map, struct refusal *why, struct error *err) {
  CLEANUP_FREE char *name = xasprintf("volumes/%u", stage->volumes), *path = NULL;
  CLEANUP_FD int tree = -1;
  struct statvfs fs;
  struct stat disk, seen;
  *ret = (struct mapped_volume){ 0 };
  if ((wish->unmapped ? clone_plain(wish, &tree, why, err)
                      : clone_mapped(stage, wish, map, &tree, why, err)) < 0)
    return -1;
  if (fstatvfs(tree, &fs) < 0 || fstat(tree, &seen) < 0 || stat(wish->source, &disk) < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_VOLUME, wish->source, tree, errno);
  if (disk.st_ino != seen.st_ino || disk.st_dev != seen.st_dev ||
      (!wish->unmapped && !mapping_holds(&disk, &seen, map)))
    return refuse(why, err, REFUSAL_LAYOUT, REFUSAL_OF_VOLUME, wish->source, tree, 0);
  path = stage_make(stage, name, S_ISDIR(seen.st_mode));
  if (!path || mountapi_attach(tree, AT_FDCWD, path) < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_STAGE, stage->place, -1, errno);
  stage->volumes++;
  *ret = (struct mapped_volume){ .path = steal_ptr(&path),
                                 .flags = flags_of(&fs),
                                 .mapped = !wish->unmapped,
                                 .exposed = !wish->unmapped && mapping_exposed(wish->source) };
  if (wish->recursive)
    tell_below(ret, stage, wish->source);
  return 0;
}
