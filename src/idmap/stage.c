/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap/stage.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "io/fileio.h"
#include "io/path.h"
#include "kernel/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum { PLACE_MODE = 0711 };

void stage_free(struct stage *s) {
  free(s->place);
  free(s->cwd);
  free(s->mountinfo);
  cleanup_fd_p(&s->host);
  cleanup_fd_p(&s->own);
  *s = (struct stage)STAGE_NONE;
}

void stage_remove_place(const char *place) {
  CLEANUP_FREE char *rootfs = xasprintf("%s/rootfs", place);
  rmdir(rootfs);
  rmdir(place);
}

static int open_namespace(void) {
  return path_open(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY, 0, RESOLVE_TRUSTED);
}

/* Can a user that is nobody on the host come to the place? */
static int check_reach(const char *place, struct refusal *why, struct error *err) {
  CLEANUP_FREE char *path = xstrdup(place);
  for (char *slash = path; (slash = strchr(slash + 1, '/'));) {
    struct stat st;
    *slash = '\0';
    if (stat(path, &st) < 0)
      return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_STAGE, path, -1, errno);
    if (!(st.st_mode & S_IXOTH))
      return refuse(why, err, REFUSAL_CLOSED, REFUSAL_OF_STAGE, path, -1, 0);
    *slash = '/';
  }
  return 0;
}

static int make_place(const char *place, struct refusal *why, struct error *err) {
  CLEANUP_FREE char *rootfs = xasprintf("%s/rootfs", place);
  if (!path_is_clean(place))
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_STAGE, place, -1, EINVAL);
  if (path_make_dirs(rootfs, PLACE_MODE, err) < 0) {
    *why = (struct refusal){ .kind = REFUSAL_SYSTEM, .part = REFUSAL_OF_STAGE, .sys = err->sys };
    return -1;
  }
  return check_reach(place, why, err);
}

static int read_mountinfo(struct stage *s, struct refusal *why, struct error *err) {
  struct error told = { 0 };
  size_t len;
  if (file_read(AT_FDCWD, "/proc/self/mountinfo", RESOLVE_TRUSTED, KERNEL_MOUNTS_SIZE_MAX, &s->mountinfo,
                &len, NULL, &told) == 0)
    return 0;
  refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_NAMESPACE, "/proc/self/mountinfo", -1, told.sys);
  return -1;
}

/* In a namespace that is ours alone: nothing that is mounted here may reach the host, what the host mounts or
 * unmounts still reaches us. */
static int mount_tmpfs(const struct stage *s, struct refusal *why, struct error *err) {
  CLEANUP_FREE char *rootfs = xasprintf("%s/rootfs", s->place);
  if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
    return refuse(why, err, REFUSAL_NONE, REFUSAL_OF_NAMESPACE, "/", -1, errno);
  /* Directories and empty files only. */
  if (mount("oci-harden", s->place, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0711,size=256k") < 0 ||
      mkdir(rootfs, 0700) < 0 || chmod(rootfs, PLACE_MODE) < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_STAGE, s->place, -1, errno);
  return 0;
}

static int enter(struct stage *s, struct refusal *why, struct error *err) {
  s->host = open_namespace();
  s->cwd = getcwd(NULL, 0);
  /* Outside our root, "(unreachable)/..." is all that is told. */
  if (s->host < 0 || !s->cwd || s->cwd[0] != '/')
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_NAMESPACE, "/proc/self/cwd", -1, errno);
  if (unshare(CLONE_NEWNS) < 0)
    return refuse(why, err, REFUSAL_NONE, REFUSAL_OF_NAMESPACE, NULL, -1, errno);
  s->own = open_namespace();
  if (s->own < 0)
    return refuse(why, err, REFUSAL_SYSTEM, REFUSAL_OF_NAMESPACE, "/proc/self/ns/mnt", -1, errno);
  return read_mountinfo(s, why, err) < 0 ? -1 : mount_tmpfs(s, why, err);
}

int stage_enter(struct stage *s, const char *place, struct refusal *why, struct error *err) {
  CLEANUP_STAGE struct stage new = STAGE_NONE;
  struct error back = { 0 };
  *s = new;
  new.place = xstrdup(place);
  if (make_place(place, why, err) < 0) {
    stage_remove_place(place);
    return -1;
  }
  if (enter(&new, why, err) < 0)
    return stage_leave(&new, &back) < 0 ? refuse_broken(why, err, &back) : -1;
  *s = new;
  new = (struct stage)STAGE_NONE;
  return 0;
}

int stage_leave(struct stage *s, struct error *err) {
  int rc = 0;
  if (s->host >= 0 && s->cwd && (setns(s->host, CLONE_NEWNS) < 0 || chdir(s->cwd) < 0))
    rc = error_set(err, ERROR_SYSTEM, errno, "user namespace: cannot go back to the host's mounts, in %s",
                   s->cwd);
  if (rc == 0 && s->place)
    stage_remove_place(s->place);
  stage_free(s);
  return rc;
}

char *stage_make(const struct stage *s, const char *name, bool directory) {
  CLEANUP_FREE char *path = xasprintf("%s/%s", s->place, name);
  for (char *slash = path + strlen(s->place); (slash = strchr(slash + 1, '/'));) {
    *slash = '\0';
    /* Whatever the umask. */
    if (mkdir(path, 0700) == 0 ? chmod(path, PLACE_MODE) < 0 : errno != EEXIST)
      return NULL;
    *slash = '/';
  }
  if (directory) {
    if (mkdir(path, 0700) < 0 || chmod(path, PLACE_MODE) < 0)
      return NULL;
  } else {
    CLEANUP_FD int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
      return NULL;
  }
  return steal_ptr(&path);
}
