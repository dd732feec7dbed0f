/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap/remount.h"

#include "base/cleanup.h"
#include "idmap/helper.h"
#include "idmap/mountapi.h"
#include "io/path.h"
#include "kernel/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/securebits.h>
#include <sched.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>

enum {
  TRIES = 50, /* an unshared copy of the mount table, in a process that is about to exec, pins an overlay for
                 a moment */
  TRIES_BACK = 1000,
  PAUSE_MS = 2,
};

enum step { STEP_DONE, STEP_NAMESPACE, STEP_UNMOUNT, STEP_IDENTITY, STEP_MOUNT, STEP_READONLY, STEP_PLACE };

/* How it went, as the child tells it. */
struct outcome {
  enum step step; /* that failed */
  int sys;
  bool put_back;     /* the engine's mount is as it was, where the step failed */
  struct error undo; /* of the putting back, if that failed */
};

static void pause_a_moment(void) {
  const struct timespec moment = { .tv_nsec = PAUSE_MS * 1000000L };
  nanosleep(&moment, NULL);
}

void remount_forget_volatile(const char *work) {
  static const char *const names[] = { "work/incompat/volatile/dirty", "work/incompat/volatile",
                                       "work/incompat" };
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    CLEANUP_FREE char *path = xasprintf("%s/%s", work, names[i]);
    if (unlink(path) < 0)
      rmdir(path);
  }
}

static void forget_volatile(const struct overlay *o) {
  if (!o->is_volatile || !o->work)
    return;
  CLEANUP_FREE char *work = overlay_path(o, o->work);
  remount_forget_volatile(work);
}

/* Putting back */

static int mount_engines(const struct mapped_rootfs *r) {
  const struct overlay *o = &r->overlay;
  CLEANUP_FREE char *options = overlay_options(o);
  const unsigned long flags = o->flags | (o->readonly ? MS_RDONLY : 0);
  forget_volatile(o);
  if (chdir(o->base) < 0)
    return -1;
  for (int i = 0; i < TRIES_BACK; i++) {
    if (mount("overlay", r->engines, "overlay", flags, options) == 0)
      return 0;
    if (errno != EBUSY)
      return -1;
    pause_a_moment();
  }
  return -1;
}

enum there { THERE_NOTHING, THERE_ENGINES, THERE_MAPPED, THERE_UNKNOWN };

/* What is mounted at the engine's place, told by its owner: that on disk, or what the map makes of it, which
 * is never the same. Below both may be a mount that is neither. */
static enum there look_there(const struct mapped_rootfs *r) {
  struct kernel_place place;
  struct stat st;
  CLEANUP_FD int fd = path_open(AT_FDCWD, r->engines, O_PATH | O_DIRECTORY, 0, RESOLVE_LEAF);
  if (fd < 0 || fstat(fd, &st) < 0)
    return THERE_UNKNOWN;
  kernel_place_of_fd(fd, false, &place);
  if (!place.is_mount || place.type != OVERLAYFS_SUPER_MAGIC)
    return THERE_NOTHING;
  if (st.st_uid == r->was.st_uid && st.st_dev == r->was.st_dev)
    return THERE_ENGINES;
  return st.st_uid == r->mapped_uid ? THERE_MAPPED : THERE_NOTHING;
}

int remount_put_back(const struct mapped_rootfs *r, const struct stage *stage, struct error *err) {
  if (setns(stage->own, CLONE_NEWNS) == 0)
    umount2(stage->place, MNT_DETACH | UMOUNT_NOFOLLOW);
  if (setns(stage->host, CLONE_NEWNS) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "user namespace: cannot put the overlay at %s back",
                     r->engines);
  switch (look_there(r)) {
  case THERE_ENGINES:
    return 0;
  case THERE_UNKNOWN:
    return error_set(err, ERROR_SYSTEM, errno, "user namespace: cannot put the overlay at %s back",
                     r->engines);
  case THERE_MAPPED:
    if (umount2(r->engines, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
      return error_set(err, ERROR_SYSTEM, errno, "user namespace: cannot unmount %s", r->engines);
    break;
  case THERE_NOTHING:
    break;
  }
  if (mount_engines(r) < 0)
    return error_set(err, ERROR_SYSTEM, errno,
                     "user namespace: the overlay that the engine mounted at %s cannot be mounted again",
                     r->engines);
  return 0;
}

/* The child */

static int failed(struct outcome *o, enum step step) {
  *o = (struct outcome){ .step = step, .sys = errno, .put_back = true };
  return -1;
}

/*
 * The directories that overlayfs makes in its work directory belong to who mounts it. Through the ID-mapped
 * clone the host's root is nobody, and could not: as such it gets EOVERFLOW, and the overlay comes up
 * read-only. So the container's root it is, for the file system alone, and with the capabilities, which a
 * change of that id takes away if the bit is not set.
 */
static int become(uint32_t uid, uint32_t gid, int bits) {
  if (bits < 0 || prctl(PR_SET_SECUREBITS, bits) < 0)
    return -1;
  setfsgid(gid);
  setfsuid(uid);
  errno = EPERM;
  return (uint32_t)setfsgid((gid_t)-1) == gid && (uint32_t)setfsuid((uid_t)-1) == uid ? 0 : -1;
}

static int mount_tried(const struct remount *r) {
  for (int i = 0; mount("overlay", "m", "overlay", r->flags, r->options) < 0; i++) {
    if (errno != EBUSY || !r->replace || i == TRIES)
      return -1;
    pause_a_moment();
  }
  return 0;
}

static int mount_new(const struct remount *r, struct outcome *o) {
  struct statfs fs;
  const int bits = prctl(PR_GET_SECUREBITS);
  if (chdir(r->scratch) < 0)
    return failed(o, STEP_NAMESPACE);
  int rc =
      bits < 0 || become(r->uid, r->gid, bits | SECBIT_NO_SETUID_FIXUP) < 0 ? failed(o, STEP_IDENTITY) : 0;
  if (rc == 0 && mount_tried(r) < 0)
    rc = failed(o, STEP_MOUNT);
  /* What may be mounted next is the engine's. */
  if (become(0, 0, bits) < 0 && rc == 0)
    rc = failed(o, STEP_IDENTITY);
  if (rc == 0 && statfs("m", &fs) < 0)
    rc = failed(o, STEP_MOUNT);
  if (rc == 0 && fs.f_flags & ST_RDONLY && !(r->flags & MS_RDONLY))
    rc = failed(o, STEP_READONLY);
  return rc;
}

/* In our namespace first: a second mount of the overlay would keep it in use. */
static int unmount_engines(const struct remount *r, struct outcome *o) {
  const char *path = r->rootfs->engines;
  if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 || setns(r->stage->host, CLONE_NEWNS) < 0)
    return failed(o, STEP_NAMESPACE);
  return umount2(path, UMOUNT_NOFOLLOW) < 0 ? failed(o, STEP_UNMOUNT) : 0;
}

static int take_its_place(const struct remount *r, struct outcome *o) {
  const struct mount_attr attr = { .attr_set = r->attrs, .propagation = MS_PRIVATE };
  CLEANUP_FD int tree = mountapi_clone(AT_FDCWD, "m", false);
  if (tree < 0 || mountapi_set(tree, false, &attr) < 0 || setns(r->stage->host, CLONE_NEWNS) < 0 ||
      mountapi_attach(tree, AT_FDCWD, r->rootfs->engines) < 0)
    return failed(o, STEP_PLACE);
  return 0;
}

/* From here to the end the engine's mount is missing, or another one. */
static int replace(const struct remount *r, struct outcome *o) {
  forget_volatile(&r->rootfs->overlay);
  if (setns(r->stage->own, CLONE_NEWNS) < 0)
    return failed(o, STEP_NAMESPACE);
  return mount_new(r, o) < 0 ? -1 : take_its_place(r, o);
}

static void put_back(const struct remount *r, struct outcome *o) {
  o->put_back = remount_put_back(r->rootfs, r->stage, &o->undo) == 0;
}

/* The program's own end puts its bundle back, which is the parent's to do. */
static void end(void) {
  _exit(1);
}

static _Noreturn void child(int socket, const struct remount *r) {
  struct outcome o = { .step = STEP_DONE, .put_back = true };
  /* What is sent to our group or terminal is not to end it between two mounts. */
  setsid();
  on_out_of_memory(end);
  if (unmount_engines(r, &o) == 0 && replace(r, &o) < 0)
    put_back(r, &o);
  /* Nobody there to tell: the caller was killed, and does not start the container. */
  if (send(socket, &o, sizeof o, MSG_NOSIGNAL) != sizeof o && o.step == STEP_DONE)
    put_back(r, &o);
  _exit(0);
}

/* The parent */

static int report(const struct remount *r, const struct outcome *o, struct refusal *why, struct error *err) {
  const char *engines = r->rootfs->engines;
  switch (o->step) {
  case STEP_DONE:
    return 0;
  case STEP_NAMESPACE:
  case STEP_PLACE:
    refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_NAMESPACE, engines, -1, o->sys);
    break;
  case STEP_UNMOUNT:
    refuse(why, err, REFUSAL_NONE, REFUSAL_OF_ROOTFS, engines, -1, o->sys);
    break;
  case STEP_IDENTITY:
    refuse(why, err, REFUSAL_PERMISSION, REFUSAL_OF_OVERLAY, engines, -1, o->sys);
    break;
  case STEP_MOUNT:
    refuse(why, err, REFUSAL_NONE, REFUSAL_OF_OVERLAY, engines, -1, o->sys);
    break;
  case STEP_READONLY:
    refuse(why, err, REFUSAL_READONLY, REFUSAL_OF_OVERLAY, engines, -1, 0);
    break;
  }
  return o->put_back ? -1 : refuse_broken(why, err, &o->undo);
}

/* The child did not get to its end. */
static int child_died(const struct remount *r, struct refusal *why, struct error *err) {
  struct error back = { 0 };
  refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_OVERLAY, r->rootfs->engines, -1, ECHILD);
  if (remount_put_back(r->rootfs, r->stage, &back) == 0)
    return -1;
  return refuse_broken(why, err, &back);
}

static int run_in_place(const struct remount *r, struct refusal *why, struct error *err) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_OVERLAY, r->rootfs->engines, -1, errno);
  CLEANUP_FD int own = ends[0], childs = ends[1];
  struct outcome o;
  ssize_t n;
  const pid_t pid = fork();
  if (pid == 0) {
    close(own);
    child(childs, r);
  }
  if (pid < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_OVERLAY, r->rootfs->engines, -1, errno);
  close(steal_fd(&childs));
  do
    n = recv(own, &o, sizeof o, 0);
  while (n < 0 && errno == EINTR);
  /* Where SIGCHLD is ignored there is nothing to wait for. */
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
    ;
  return n == sizeof o ? report(r, &o, why, err) : child_died(r, why, err);
}

struct beside {
  const struct remount *remount;
  struct outcome outcome;
};

static int mount_beside(void *arg) {
  struct beside *b = arg;
  struct outcome o = { .step = STEP_DONE, .put_back = true };
  (void)mount_new(b->remount, &o);
  b->outcome = o;
  return 0;
}

/* Nothing is missing meanwhile, and nothing to be put back: whoever is killed, the stage goes with the last
 * of its processes. */
static int run_beside(const struct remount *r, struct refusal *why, struct error *err) {
  CLEANUP_HELPER struct helper helper = { 0 };
  struct beside b = { .remount = r, .outcome = { STEP_NAMESPACE, ECHILD, true, { 0 } } };
  /* A process that becomes another user may not be looked at any more, and with it all of its memory. */
  const int dumpable = prctl(PR_GET_DUMPABLE);
  const int started = helper_start(&helper, mount_beside, &b, CLONE_VM | CLONE_VFORK);
  const int sys = errno;
  if (dumpable == 1)
    prctl(PR_SET_DUMPABLE, 1);
  return started < 0 ? refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_OVERLAY, r->rootfs->engines, -1, sys)
                     : report(r, &b.outcome, why, err);
}

int remount_run(const struct remount *r, struct refusal *why, struct error *err) {
  return r->replace ? run_in_place(r, why, err) : run_beside(r, why, err);
}
