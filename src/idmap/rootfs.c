/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap/rootfs.h"

#include "base/cleanup.h"
#include "idmap/mapping.h"
#include "idmap/mountapi.h"
#include "idmap/remount.h"
#include "io/path.h"
#include "kernel/place.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

/* Beside the upper directory. */
#define OWN_WORK "oci-harden.work"

enum {
  OPTIONS_MAX = 4095, /* mount(2) takes one page, its NUL included */
  OVERFLOW_ID = 65534,
};

void mapped_rootfs_free(struct mapped_rootfs *r) {
  free(r->path);
  free(r->type);
  free(r->upper);
  free(r->work);
  free(r->engines);
  overlay_free(&r->overlay);
  *r = (struct mapped_rootfs){ 0 };
}

static uint64_t final_attrs(const struct rootfs_wish *wish) {
  return MOUNT_ATTR_NODEV | (wish->nosuid ? MOUNT_ATTR_NOSUID : 0);
}

/* The mount on the stage, once its owner shows that it is what was meant. */
static int attach(struct mapped_rootfs *r, const struct stage *stage, int tree,
                  const struct rootfs_wish *wish, struct refusal *why, struct error *err) {
  CLEANUP_FREE char *path = xasprintf("%s/rootfs", stage->place);
  struct stat st;
  if (fstat(tree, &st) < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_ROOTFS, wish->path, -1, errno);
  if (!mapping_holds(&r->was, &st, wish->map))
    return refuse(why, err, REFUSAL_LAYOUT, REFUSAL_OF_ROOTFS, wish->path, tree, 0);
  if (mountapi_attach(tree, AT_FDCWD, path) < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_STAGE, path, -1, errno);
  r->path = steal_ptr(&path);
  return 0;
}

/* What is there. A mount inside it would be left out of its clone. */

static int look(struct mapped_rootfs *r, const struct stage *stage, const struct rootfs_wish *wish,
                struct refusal *why, struct error *err) {
  CLEANUP_STRLIST struct strlist below = { 0 };
  struct error told = { 0 };
  struct kernel_place place;
  CLEANUP_FD int fd = path_open(AT_FDCWD, wish->path, O_PATH | O_DIRECTORY, 0, RESOLVE_LEAF);
  r->engines = xstrdup(wish->path);
  if (fd < 0 || fstat(fd, &r->was) < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_ROOTFS, wish->path, -1, errno);
  if (!idmap_outside(wish->map->uids, r->was.st_uid, &r->mapped_uid))
    r->mapped_uid = OVERFLOW_ID;
  mapping_below(stage->mountinfo, wish->path, &below);
  if (below.len) {
    error_set(&told, ERROR_INPUT, 0, "%s is mounted in it", below.items[0]);
    return refuse_layout(why, err, wish->path, fd, &told);
  }
  kernel_place_of_fd(fd, false, &place);
  if (!place.is_mount || place.mount == 0)
    return 0;
  if (overlay_find(stage->mountinfo, place.mount, &r->type, &r->overlay, &told) < 0)
    return refuse_layout(why, err, wish->path, fd, &told);
  return 0;
}

/* Overlay */

struct build {
  struct mapped_rootfs *r;
  const struct stage *stage;
  const struct rootfs_wish *wish;
  char *scratch; /* where the layers are mounted */
  char *parent;  /* that holds the upper and the work directory */
  struct str options;
  uint32_t uid, gid;
};

static void build_free(struct build *b) {
  free(b->scratch);
  free(b->parent);
  str_free(&b->options);
}

static int add_layer(struct build *b, size_t n, struct refusal *why, struct error *err) {
  const struct overlay *o = &b->r->overlay;
  CLEANUP_FREE char *path = overlay_path(o, o->lower.items[n]), *to = xasprintf("%s/%zu", b->scratch, n);
  CLEANUP_FD int source = -1;
  CLEANUP_FD int tree =
      mapping_clone(path, false, b->wish->map, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, MS_PRIVATE, &source);
  if (tree < 0)
    return refuse_layer(why, err, (unsigned)n, path, source, errno);
  if (mkdir(to, 0700) < 0 || mountapi_attach(tree, AT_FDCWD, to) < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_STAGE, to, -1, errno);
  if (n > 0)
    str_add(&b->options, n >= o->lower.len - o->data ? "::" : ":");
  str_addf(&b->options, "%s%zu", n > 0 ? "" : "lowerdir=", n);
  return 0;
}

/* Our own work directory, next to the upper one; one of a container that was killed is taken over. */
static int make_work(struct build *b, char **ret_work, struct refusal *why, struct error *err) {
  struct mapped_rootfs *r = b->r;
  const char *slash = strrchr(r->upper, '/');
  CLEANUP_FREE char *work = xasprintf("%.*s/" OWN_WORK, (int)(slash - r->upper), r->upper);
  if (mkdir(work, 0700) < 0 && errno != EEXIST)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_UPPER, work, -1, errno);
  r->work = xstrdup(work);
  remount_forget_volatile(work);
  *ret_work = steal_ptr(&work);
  return 0;
}

/* One clone for both: the kernel wants the work directory on the mount of the upper. */
static int add_upper(struct build *b, struct refusal *why, struct error *err) {
  const struct overlay *o = &b->r->overlay;
  CLEANUP_FREE char *work = overlay_path(o, o->work), *to = xasprintf("%s/u", b->scratch);
  CLEANUP_FREE char *upper_rest = NULL, *work_rest = NULL;
  CLEANUP_FD int source = -1;
  b->r->upper = overlay_path(o, o->upper);
  if (b->wish->mode == ROOTFS_PRIVATE) {
    free(steal_ptr(&work));
    if (make_work(b, &work, why, err) < 0)
      return -1;
  }
  if (!path_is_clean(b->r->upper) || !path_is_clean(work) ||
      !overlay_common_parent(b->r->upper, work, &b->parent, &upper_rest, &work_rest))
    return refuse(why, err, REFUSAL_LAYOUT, REFUSAL_OF_UPPER, b->r->upper, -1, 0);
  CLEANUP_FD int tree = mapping_clone(b->parent, false, b->wish->map, MOUNT_ATTR_NODEV, MS_PRIVATE, &source);
  if (tree < 0)
    return refuse(why, err, REFUSAL_NONE, REFUSAL_OF_UPPER, b->parent, source, errno);
  if (mkdir(to, 0700) < 0 || mountapi_attach(tree, AT_FDCWD, to) < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_STAGE, to, -1, errno);
  str_add(&b->options, ",upperdir=u/");
  overlay_add_escaped(&b->options, upper_rest);
  str_add(&b->options, ",workdir=u/");
  overlay_add_escaped(&b->options, work_rest);
  return 0;
}

/* The layers stay mounted for as long as the stage is: to take them away is to wait for RCU, half a
 * millisecond. Nobody but the host's root may come to them. */
static int make_scratch(struct build *b, struct refusal *why, struct error *err) {
  CLEANUP_FREE char *path = stage_make(b->stage, "scratch", true);
  CLEANUP_FREE char *point = NULL;
  if (!path || chmod(path, 0700) < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_STAGE, path ? path : b->stage->place, -1, errno);
  b->scratch = steal_ptr(&path);
  point = xasprintf("%s/m", b->scratch);
  if (mkdir(point, 0700) < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_STAGE, point, -1, errno);
  return 0;
}

/* Before anything is unmounted: could the engine's be mounted again, and is there no reason to expect EBUSY?
 */
static int check_mode(const struct build *b, struct refusal *why, struct error *err) {
  const struct overlay *o = &b->r->overlay;
  if (b->options.len > OPTIONS_MAX)
    return refuse(why, err, REFUSAL_LAYOUT, REFUSAL_OF_OVERLAY, b->wish->path, -1, E2BIG);
  if (b->wish->mode == ROOTFS_PRIVATE)
    return o->upper && strlist_has(&o->kept, "index=on")
               ? refuse(why, err, REFUSAL_BUSY, REFUSAL_OF_OVERLAY, b->wish->path, -1, 0)
               : 0;
  CLEANUP_FREE char *again = overlay_options(o);
  if (strlen(again) > OPTIONS_MAX)
    return refuse(why, err, REFUSAL_LAYOUT, REFUSAL_OF_OVERLAY, b->wish->path, -1, E2BIG);
  return 0;
}

static int stack(struct build *b, struct refusal *why, struct error *err) {
  const struct overlay *o = &b->r->overlay;
  if (make_scratch(b, why, err) < 0)
    return -1;
  for (size_t i = 0; i < o->lower.len; i++)
    if (add_layer(b, i, why, err) < 0)
      return -1;
  if (o->upper && add_upper(b, why, err) < 0)
    return -1;
  overlay_add_kept(&b->options, o);
  return check_mode(b, why, err);
}

static int finish(struct build *b, struct refusal *why, struct error *err) {
  const struct mount_attr attr = { .attr_set = final_attrs(b->wish), .propagation = MS_PRIVATE };
  CLEANUP_FREE char *point = xasprintf("%s/m", b->scratch);
  CLEANUP_FD int tree = path_open(AT_FDCWD, point, O_PATH | O_DIRECTORY, 0, RESOLVE_LEAF);
  if (tree < 0 || mountapi_set(tree, false, &attr) < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_OVERLAY, b->wish->path, -1, errno);
  return attach(b->r, b->stage, tree, b->wish, why, err);
}

static int map_overlay(struct mapped_rootfs *r, const struct stage *stage, const struct rootfs_wish *wish,
                       struct refusal *why, struct error *err) {
  CLEANUP(build_free) struct build b = { .r = r, .stage = stage, .wish = wish };
  struct error told = { 0 };
  if (!idmap_outside(wish->map->uids, 0, &b.uid) || !idmap_outside(wish->map->gids, 0, &b.gid))
    return refuse(why, err, REFUSAL_IDS, REFUSAL_OF_OVERLAY, wish->path, -1, 0);
  if (overlay_settle(&r->overlay, wish->path, &told) < 0)
    return refuse_layout(why, err, wish->path, -1, &told);
  if (stack(&b, why, err) < 0)
    return -1;
  const struct remount remount = {
    .stage = stage,
    .scratch = b.scratch,
    .options = b.options.data,
    .flags = r->overlay.flags | (r->overlay.readonly ? MS_RDONLY : 0),
    .uid = b.uid,
    .gid = b.gid,
    .attrs = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID,
    .replace = wish->mode == ROOTFS_REPLACE,
    .rootfs = r,
  };
  if (remount_run(&remount, why, err) < 0)
    return -1;
  r->layers = r->overlay.lower.len;
  r->replaced = remount.replace;
  r->exposed = r->upper && mapping_exposed(b.parent);
  return finish(&b, why, err);
}

static int map_plain(struct mapped_rootfs *r, const struct stage *stage, const struct rootfs_wish *wish,
                     struct refusal *why, struct error *err) {
  CLEANUP_FD int source = -1;
  CLEANUP_FD int tree = mapping_clone(wish->path, false, wish->map, final_attrs(wish), MS_PRIVATE, &source);
  if (tree < 0)
    return refuse(why, err, REFUSAL_NONE, REFUSAL_OF_ROOTFS, wish->path, source, errno);
  r->exposed = mapping_exposed(wish->path);
  return attach(r, stage, tree, wish, why, err);
}

/* No kernel maps an overlay as such, up to 6.18 (see probe.h). To ask it each time would cost a millisecond:
 * a detached clone that goes away waits for RCU. */
static int map_any(struct mapped_rootfs *r, const struct stage *stage, const struct rootfs_wish *wish,
                   struct refusal *why, struct error *err) {
  if (look(r, stage, wish, why, err) < 0)
    return -1;
  return r->type && strcmp(r->type, "overlay") == 0 ? map_overlay(r, stage, wish, why, err)
                                                    : map_plain(r, stage, wish, why, err);
}

int rootfs_map(struct mapped_rootfs *ret, const struct stage *stage, const struct rootfs_wish *wish,
               struct refusal *why, struct error *err) {
  CLEANUP_MAPPED_ROOTFS struct mapped_rootfs r = { 0 };
  struct error back = { 0 };
  *ret = r;
  if (map_any(&r, stage, wish, why, err) == 0) {
    *ret = r;
    r = (struct mapped_rootfs){ 0 };
    return 0;
  }
  return !why->broken && rootfs_undo(&r, stage, &back) < 0 ? refuse_broken(why, err, &back) : -1;
}

/* Whatever overlayfs made in it: two directories, empty. */
static void remove_work(const char *work) {
  static const char *const names[] = { "/work", "/index", "" };
  remount_forget_volatile(work);
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    CLEANUP_FREE char *path = xasprintf("%s%s", work, names[i]);
    rmdir(path);
  }
}

int rootfs_undo(struct mapped_rootfs *r, const struct stage *stage, struct error *err) {
  int rc = 0;
  if (r->replaced)
    rc = remount_put_back(r, stage, err);
  else if (setns(stage->own, CLONE_NEWNS) == 0)
    umount2(stage->place, MNT_DETACH | UMOUNT_NOFOLLOW);
  if (r->work)
    remove_work(r->work);
  if (rc == 0)
    r->replaced = false;
  return rc;
}
