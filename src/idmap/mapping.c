/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap/mapping.h"

#include "base/cleanup.h"
#include "idmap/mountapi.h"
#include "io/path.h"
#include "kernel/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>

int mapping_clone(const char *path, bool recursive, const struct idmap *map, uint64_t set,
                  uint64_t propagation, int *ret_source) {
  const struct mount_attr attr = { .attr_set = set | MOUNT_ATTR_IDMAP,
                                   .propagation = propagation,
                                   .userns_fd = (uint64_t)map->userns };
  CLEANUP_FD int fd = mountapi_clone(AT_FDCWD, path, recursive);
  *ret_source = -1;
  if (fd >= 0 && mountapi_set(fd, recursive, &attr) == 0)
    return steal_fd(&fd);
  *ret_source = steal_fd(&fd);
  return -1;
}

/* An id without a place in the map is seen as the overflow id, which says nothing. */
static bool owner_holds(uint32_t disk, uint32_t seen, const struct kernel_idmap *map) {
  uint32_t wanted;
  return !idmap_outside(map, disk, &wanted) || seen == wanted;
}

bool mapping_holds(const struct stat *disk, const struct stat *seen, const struct idmap *map) {
  return owner_holds(disk->st_uid, seen->st_uid, map->uids) &&
         owner_holds(disk->st_gid, seen->st_gid, map->gids);
}

static bool is_closed(const char *path) {
  struct stat st;
  if (stat(path, &st) < 0)
    return false;
  return S_ISDIR(st.st_mode) && st.st_uid == 0 && !(st.st_mode & S_IXOTH) &&
         (st.st_gid == 0 || !(st.st_mode & S_IXGRP));
}

bool mapping_exposed(const char *path) {
  CLEANUP_FREE char *above = path_normalise(path);
  struct statvfs fs;
  if (statvfs(path, &fs) == 0 && fs.f_flag & ST_NOSUID)
    return false;
  for (char *slash;; *slash = '\0') {
    if (is_closed(*above ? above : "/"))
      return false;
    slash = strrchr(above, '/');
    if (!slash)
      return true;
  }
}

/* The fifth field; NULL: there are not as many. */
static const char *place_of(const char *line, size_t *ret_len) {
  for (int field = 1; field < 5; field++) {
    line += strcspn(line, " \n");
    if (*line++ != ' ')
      return NULL;
  }
  *ret_len = strcspn(line, " \n");
  return line;
}

void mapping_below(const char *mountinfo, const char *dir, struct strlist *ret) {
  for (const char *line = mountinfo, *end; (end = strchr(line, '\n')); line = end + 1) {
    size_t len;
    const char *field = place_of(line, &len);
    if (!field)
      continue;
    CLEANUP_FREE char *place = xasprintf("%.*s", (int)len, field);
    kernel_mounts_unescape(place);
    if (path_is_below(place, dir) && strcmp(place, dir) != 0 && !strlist_has(ret, place))
      strlist_add(ret, place);
  }
}
