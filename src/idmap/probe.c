/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap/probe.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "idmap/mapping.h"
#include "idmap/mountapi.h"
#include "idmap/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct probe {
  struct kernel_idmap ids;
  struct idmap map;
};
#define PROBE_NONE                                                                                           \
  {                                                                                                          \
    .map = {.userns = -1 }                                                                                   \
  }

static void probe_free(struct probe *p) {
  cleanup_fd_p(&p->map.userns);
}

static int probe_init(struct probe *p, uint32_t first, uint32_t count, struct refusal *why,
                      struct error *err) {
  struct error told = { 0 };
  idmap_block(first, count, &p->ids);
  p->map.uids = p->map.gids = &p->ids;
  return idmap_userns_make(&p->ids, &p->ids, &p->map.userns, &told) < 0 ? refuse_userns(why, err, &told) : 0;
}

void probe_userns(uint32_t first, uint32_t count, struct probe_answer *ret) {
  CLEANUP(probe_free) struct probe p = PROBE_NONE;
  *ret = (struct probe_answer){ 0 };
  (void)probe_init(&p, first, count, &ret->why, &ret->err);
}

void probe_volume(const char *path, uint32_t first, uint32_t count, struct probe_answer *ret) {
  CLEANUP(probe_free) struct probe p = PROBE_NONE;
  CLEANUP_FD int source = -1;
  *ret = (struct probe_answer){ 0 };
  if (probe_init(&p, first, count, &ret->why, &ret->err) < 0)
    return;
  CLEANUP_FD int tree = mapping_clone(path, false, &p.map, 0, MS_PRIVATE, &source);
  if (tree < 0)
    refuse(&ret->why, &ret->err, source < 0 ? REFUSAL_SYSTEM : REFUSAL_NONE, REFUSAL_OF_VOLUME, path, source,
           errno);
}

/* Storage: in a child, whose mounts nobody sees */

struct site {
  const struct probe *probe;
  const char *dir, *place;
};

static int make_layers(const struct site *s, struct error *err) {
  static const char *const names[] = { "1", "2", "upper", "work", "rootfs" };
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    CLEANUP_FREE char *path = xasprintf("%s/%s", s->dir, names[i]);
    if (mkdir(path, 0755) < 0)
      return error_set(err, ERROR_SYSTEM, errno, "%s", path);
  }
  CLEANUP_FREE char *rootfs = xasprintf("%s/rootfs", s->dir);
  if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
      chdir(s->dir) < 0 ||
      mount("overlay", rootfs, "overlay", 0, "lowerdir=2:1,upperdir=upper,workdir=work") < 0)
    return error_set(err, ERROR_SYSTEM, errno, "cannot mount an overlay at %s", rootfs);
  return 0;
}

static bool takes_map(const struct site *s) {
  CLEANUP_FREE char *rootfs = xasprintf("%s/rootfs", s->dir);
  CLEANUP_FD int source = -1;
  CLEANUP_FD int tree = mapping_clone(rootfs, false, &s->probe->map, 0, MS_PRIVATE, &source);
  return tree >= 0;
}

/* As the container's root, as far as files go. */
static int make_file(const struct site *s, const struct mapped_rootfs *r, const char *name) {
  CLEANUP_FREE char *made = xasprintf("%s/%s", r->path, name), *disk = xasprintf("%s/upper/%s", s->dir, name);
  const uint32_t id = s->probe->ids.items[0].outside;
  struct stat st;
  setfsgid(id);
  setfsuid(id);
  CLEANUP_FD int fd = open(made, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  const int sys = errno;
  setfsuid(0);
  setfsgid(0);
  errno = sys;
  if (fd < 0 || stat(disk, &st) < 0)
    return -1;
  errno = EOVERFLOW;
  return st.st_uid == 0 && st.st_gid == 0 ? 0 : -1;
}

static void try_mode(const struct site *s, enum rootfs_mode mode, struct probe_answer *answer) {
  CLEANUP_STAGE struct stage stage = STAGE_NONE;
  CLEANUP_MAPPED_ROOTFS struct mapped_rootfs r = { 0 };
  CLEANUP_FREE char *rootfs = xasprintf("%s/rootfs", s->dir);
  const struct rootfs_wish wish = { .path = rootfs, .mode = mode, .map = &s->probe->map };
  struct error ignored = { 0 };
  if (stage_enter(&stage, s->place, &answer->why, &answer->err) < 0)
    return;
  if (rootfs_map(&r, &stage, &wish, &answer->why, &answer->err) == 0) {
    if (make_file(s, &r, mode == ROOTFS_PRIVATE ? "private" : "replace") < 0)
      refuse(&answer->why, &answer->err, REFUSAL_SYSTEM, REFUSAL_OF_ROOTFS, rootfs, -1, errno);
    if (rootfs_undo(&r, &stage, &ignored) < 0)
      refuse_broken(&answer->why, &answer->err, &ignored);
  }
  if (stage_leave(&stage, &ignored) < 0)
    refuse_broken(&answer->why, &answer->err, &ignored);
}

struct told {
  struct probe_storage storage;
  struct error err; /* ERROR_NONE: storage is filled */
};

static _Noreturn void child(int socket, const struct site *s) {
  struct told *told = xcalloc(1, sizeof *told);
  if (make_layers(s, &told->err) == 0) {
    told->storage.direct = takes_map(s);
    try_mode(s, ROOTFS_PRIVATE, &told->storage.private);
    try_mode(s, ROOTFS_REPLACE, &told->storage.replace);
  }
  _exit(send(socket, told, sizeof *told, MSG_NOSIGNAL) == (ssize_t)sizeof *told ? 0 : 1);
}

static int ask_child(const struct site *s, struct told *told, struct error *err) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "user namespace: cannot be tried in %s", s->dir);
  CLEANUP_FD int own = ends[0], childs = ends[1];
  const pid_t pid = fork();
  if (pid == 0) {
    close(own);
    child(childs, s);
  }
  close(steal_fd(&childs));
  const ssize_t n = pid < 0 ? -1 : recv(own, told, sizeof *told, 0);
  const int sys = errno;
  while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
    ;
  if (n != (ssize_t)sizeof *told)
    return error_set(err, ERROR_SYSTEM, n < 0 ? sys : ECHILD, "user namespace: cannot be tried in %s",
                     s->dir);
  return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
  (void)st, (void)type, (void)ftw;
  (void)remove(path);
  return 0;
}

int probe_storage(const char *dir, const char *place, uint32_t first, uint32_t count,
                  struct probe_storage *ret, struct error *err) {
  CLEANUP(probe_free) struct probe p = PROBE_NONE;
  CLEANUP_FREE char *own = xasprintf("%s/oci-harden-probe.XXXXXX", dir);
  CLEANUP_FREE struct told *told = xcalloc(1, sizeof *told);
  struct refusal why;
  if (probe_init(&p, first, count, &why, err) < 0)
    return -1;
  if (!mkdtemp(own))
    return error_set(err, ERROR_SYSTEM, errno, "user namespace: cannot be tried in %s", dir);
  const struct site site = { .probe = &p, .dir = own, .place = place };
  const int rc = ask_child(&site, told, err);
  nftw(own, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
  if (rc < 0)
    return -1;
  *ret = told->storage;
  ret->exposed = mapping_exposed(dir);
  if (told->err.code != ERROR_NONE)
    *err = told->err;
  return told->err.code != ERROR_NONE ? error_wrap(err, "user namespace") : 0;
}
