/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap/userns.h"

#include "base/cleanup.h"
#include "idmap/helper.h"
#include "io/fileio.h"
#include "io/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

void idmap_block(uint32_t first, uint32_t count, struct kernel_idmap *ret) {
  ret->items[0] = (struct kernel_mapping){ .inside = 0, .outside = first, .count = count };
  ret->len = 1;
}

bool idmap_outside(const struct kernel_idmap *map, uint32_t inside, uint32_t *ret) {
  for (size_t i = 0; i < map->len; i++) {
    const struct kernel_mapping *m = &map->items[i];
    if (inside < m->inside || inside - m->inside >= m->count)
      continue;
    *ret = m->outside + (inside - m->inside);
    return true;
  }
  return false;
}

/* Is every id of `a` in `b`, and as the same one of the host? By steps, each as long as both maps go on. */
static bool within(const struct kernel_idmap *a, const struct kernel_idmap *b) {
  for (size_t i = 0; i < a->len; i++) {
    const struct kernel_mapping *m = &a->items[i];
    for (uint32_t done = 0; done < m->count;) {
      const struct kernel_mapping *found = NULL;
      for (size_t j = 0; j < b->len && !found; j++)
        if (m->inside + done >= b->items[j].inside &&
            m->inside + done - b->items[j].inside < b->items[j].count)
          found = &b->items[j];
      if (!found || found->outside + (m->inside + done - found->inside) != m->outside + done)
        return false;
      const uint32_t left = found->count - (m->inside + done - found->inside);
      done += left < m->count - done ? left : m->count - done;
    }
  }
  return true;
}

bool idmap_same(const struct kernel_idmap *a, const struct kernel_idmap *b) {
  return within(a, b) && within(b, a);
}

/*
 * A child that waits until it is let go: it holds what it is in for us to look at. It ends with us, for
 * nobody else has our end of the socket.
 */
struct holder {
  struct helper helper;
  int socket; /* whose closing lets it go; -1 */
  struct hold {
    int own;  /* its end of the socket */
    int join; /* a user namespace, or -1 */
  } hold;
};
#define HOLDER_NONE                                                                                          \
  { .socket = -1 }

/* Closing alone would not wake one that has not come to close its copy of our end. */
static void let_go(struct holder *h) {
  if (h->socket >= 0) {
    shutdown(h->socket, SHUT_RDWR);
    close(h->socket);
  }
  helper_wait(&h->helper);
  *h = (struct holder)HOLDER_NONE;
}

/* Of a namespace to join it says how that went: 0 or an errno. */
static int hold(void *arg) {
  const struct hold *h = arg;
  char byte;
  if (h->join >= 0) {
    const int how = setns(h->join, CLONE_NEWUSER) < 0 ? errno : 0;
    if (send(h->own, &how, sizeof how, MSG_NOSIGNAL) != (ssize_t)sizeof how)
      return 1;
  }
  /* With the parent's end of the socket go its locks, which would stay as long as we do. */
  if (h->own > 0)
    syscall(SYS_close_range, 0, h->own - 1, 0);
  syscall(SYS_close_range, h->own + 1, ~0U, 0);
  while (read(h->own, &byte, 1) < 0 && errno == EINTR)
    ;
  return 0;
}

/* flags: of clone(2). Returns -1 with errno. */
static int start_holder(struct holder *h, int flags, int join) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    return -1;
  CLEANUP_FD int child_end = ends[1];
  h->socket = ends[0];
  h->hold = (struct hold){ ends[1], join };
  return helper_start(&h->helper, hold, &h->hold, flags);
}

/* What it said; it may not have got that far when start_holder() returns. -1 with errno. */
static int joined(const struct holder *h) {
  int how = 0;
  ssize_t n;
  do
    n = read(h->socket, &how, sizeof how);
  while (n < 0 && errno == EINTR);
  if (n >= 0)
    errno = n == (ssize_t)sizeof how ? how : ECHILD;
  return n == (ssize_t)sizeof how && how == 0 ? 0 : -1;
}

/* Its pid is nobody else's as long as we have not waited for it. */
static int open_holder(const struct holder *h, struct kernel_process *ret, struct error *err) {
  CLEANUP_FREE char *path = xasprintf("/proc/%d", (int)h->helper.pid);
  ret->pid = h->helper.pid;
  ret->dir = path_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, RESOLVE_LEAF);
  return ret->dir < 0 ? error_set(err, ERROR_SYSTEM, errno, "user namespace: %s", path) : 0;
}

static int write_map(const struct kernel_process *p, const char *name, const struct kernel_idmap *map,
                     struct error *err) {
  CLEANUP_STR struct str text = { 0 };
  for (size_t i = 0; i < map->len; i++)
    str_addf(&text, "%u %u %u\n", map->items[i].inside, map->items[i].outside, map->items[i].count);
  CLEANUP_FD int fd = path_open(p->dir, name, O_WRONLY, 0, RESOLVE_INSIDE);
  /* The kernel takes a map in one write only. */
  const ssize_t n = fd < 0 ? -1 : write(fd, text.data, text.len);
  if (n >= 0)
    errno = EIO;
  if (n != (ssize_t)text.len)
    return error_set(err, ERROR_SYSTEM, errno, "user namespace: cannot write its %s \"%.*s\"", name,
                     (int)(text.len ? text.len - 1 : 0), text.len ? text.data : "");
  return 0;
}

static int check_map(const struct kernel_process *p, const char *name, const struct kernel_idmap *map,
                     struct error *err) {
  struct kernel_idmap is;
  if (kernel_idmap_read(p, name, &is, err) < 0)
    return -1;
  if (!idmap_same(&is, map))
    return error_set(err, ERROR_INTERNAL, 0, "user namespace: its %s is not what was written", name);
  return 0;
}

static int open_namespace(int dir, const char *path, int *ret_fd, struct error *err) {
  CLEANUP_FD int fd = path_open(dir, path, O_RDONLY, 0, RESOLVE_TRUSTED);
  if (fd < 0)
    return error_set(err, ERROR_SYSTEM, errno, "user namespace: %s", path);
  if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWUSER)
    return error_set(err, ERROR_INPUT, 0, "user namespace: %s is none", path);
  *ret_fd = steal_fd(&fd);
  return 0;
}

int idmap_userns_make(const struct kernel_idmap *uids, const struct kernel_idmap *gids, int *ret_fd,
                      struct error *err) {
  CLEANUP(let_go) struct holder holder = HOLDER_NONE;
  CLEANUP_KERNEL_PROCESS struct kernel_process p = KERNEL_PROCESS_NONE;
  CLEANUP_FD int fd = -1;
  if (start_holder(&holder, CLONE_NEWUSER | CLONE_VM, -1) < 0)
    return error_set(err, ERROR_REFUSED, errno, "user namespace: cannot make one");
  if (open_holder(&holder, &p, err) < 0 || write_map(&p, "uid_map", uids, err) < 0 ||
      write_map(&p, "gid_map", gids, err) < 0 || check_map(&p, "uid_map", uids, err) < 0 ||
      check_map(&p, "gid_map", gids, err) < 0 || open_namespace(p.dir, "ns/user", &fd, err) < 0)
    return -1;
  *ret_fd = steal_fd(&fd);
  return 0;
}

int idmap_userns_open(const char *path, int *ret_fd, struct error *err) {
  return open_namespace(AT_FDCWD, path, ret_fd, err);
}

int idmap_userns_read(int fd, struct kernel_idmap *ret_uids, struct kernel_idmap *ret_gids,
                      struct error *err) {
  CLEANUP(let_go) struct holder holder = HOLDER_NONE;
  CLEANUP_KERNEL_PROCESS struct kernel_process p = KERNEL_PROCESS_NONE;
  /* Not in our memory: whoever joins takes from it that it may be looked at. */
  if (start_holder(&holder, 0, fd) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "user namespace: cannot start a process");
  if (joined(&holder) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "user namespace: cannot join it");
  if (open_holder(&holder, &p, err) < 0 || kernel_idmap_read(&p, "uid_map", ret_uids, err) < 0)
    return -1;
  return kernel_idmap_read(&p, "gid_map", ret_gids, err);
}
