/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that the comparison needs is read here, and nothing is judged. */
#include "base/cleanup.h"
#include "io/fileio.h"
#include "io/jsonx.h"
#include "io/path.h"
#include "proof/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>

enum { STATUS_LIMIT = 1 << 20 };
#define INITIAL_USER_NAMESPACE 0xEFFFFFFDU /* its inode: PROC_USER_INIT_INO, since Linux 3.8 */

static void look_at_places(struct kernel_places *places, const json_t *list, const char *key, bool contents,
                           struct proof_places *ret) {
  if (json_array_size(list) == 0)
    return;
  ret->items = xcalloc(json_array_size(list), sizeof *ret->items);
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *item = json_array_get(list, i);
    const char *path = json_string_value(key ? json_object_get(item, key) : item);
    struct proof_place *place = &ret->items[ret->len++];
    place->path = xstrdup(path ? path : "");
    if (path && *path && places->root >= 0)
      kernel_places_look(places, path, contents, &place->is);
    else
      place->is.error = EINVAL;
  }
}

static void look_at_joined(const json_t *list, struct proof_view *v) {
  v->joined = xcalloc(json_array_size(list) + 1, sizeof *v->joined);
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *path = json_string_value(json_object_get(json_array_get(list, i), "path"));
    struct error gone = { 0 };
    if (path && *path && kernel_namespace_at(path, &v->joined[i], &gone) < 0)
      v->joined[i].inode = 0;
  }
}

/* Where the runtime took it from. A directory of an overlay may get another number while nobody has it open,
 * so that the path is asked too, where the host sees what the container has. */
static void look_at_rootfs(const struct proof_promise *p, const struct kernel_place *root,
                           struct kernel_place *ret) {
  const char *path = json_string_value(jsonx_at(p->config, "/root/path"));
  const struct kernel_place made = { .dev = p->rootfs.device, .inode = p->rootfs.inode };
  *ret = (struct kernel_place){ .error = ENOENT };
  if (p->map.base || (made.inode && kernel_place_same(&made, root))) {
    *ret = made;
    return;
  }
  if (!path || !p->bundle)
    return;
  CLEANUP_FREE char *full = *path == '/' ? xstrdup(path) : xasprintf("%s/%s", p->bundle, path);
  CLEANUP_FD int fd = path_open(AT_FDCWD, full, O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  if (fd < 0)
    ret->error = errno;
  else
    kernel_place_of_fd(fd, false, ret);
}

static bool is_privileged(const struct kernel_namespace own[KERNEL_NAMESPACES]) {
  return geteuid() == 0 && own[KERNEL_NS_USER].inode == INITIAL_USER_NAMESPACE;
}

/* What cannot be told is told to be so: more is looked at then, not less. */
bool proof_is_privileged(void) {
  struct kernel_namespace own[KERNEL_NAMESPACES];
  struct error unknown = { 0 };
  return geteuid() == 0 && (kernel_namespaces_own(own, &unknown) < 0 || is_privileged(own));
}

/* prctl(2) says at once that there is no filter; how many there are is in the file. */
static void look_at_self(struct proof_view *v) {
  enum { SYS_ADMIN = 21 };
  CLEANUP_FREE char *text = NULL;
  CLEANUP_KERNEL_STATUS struct kernel_status s = { 0 };
  size_t len;
  struct error ignored = { 0 };
  v->privileged = is_privileged(v->host);
  v->sets_floors = geteuid() == 0;
  v->own_filters = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0 ? 0 : -1;
  if (v->sets_floors && v->own_filters == 0)
    return;
  if (file_read(AT_FDCWD, "/proc/self/status", RESOLVE_TRUSTED, STATUS_LIMIT, &text, &len, NULL, &ignored) <
          0 ||
      kernel_status_parse(text, &s, &ignored) < 0)
    return;
  v->own_filters = s.seccomp_filters;
  v->sets_floors = v->sets_floors || (s.caps[KERNEL_CAPS_EFFECTIVE] >> SYS_ADMIN & 1);
}

/* Where no label was promised it does not matter. */
static void look_at_selinux(const struct proof_promise *p, struct proof_view *v) {
  CLEANUP_SELINUX_HOST struct selinux_host host = { 0 };
  const char *label = json_string_value(jsonx_at(p->config, "/process/selinuxLabel"));
  struct error ignored = { 0 };
  if (label && *label && selinux_look(&host, &ignored) == 0)
    v->selinux = host.state;
}

static void look(const struct proof_promise *p, struct proof_view *v) {
  const char *cwd = json_string_value(jsonx_at(p->config, "/process/cwd"));
  look_at_self(v);
  look_at_joined(jsonx_at(p->config, "/linux/namespaces"), v);
  if (p->map.base)
    kernel_owners_read(&v->kernel.process, &v->owners);
  v->cwd_promised.error = ENOENT;
  if (v->kernel.root >= 0) {
    kernel_place_of_fd(v->kernel.root, false, &v->root);
    if (cwd)
      kernel_place_look(v->kernel.root, cwd, false, &v->cwd_promised);
  }
  look_at_rootfs(p, &v->root, &v->rootfs);
  CLEANUP_KERNEL_PLACES struct kernel_places places = { .root = v->kernel.root };
  if (!v->kernel.unread[KERNEL_MOUNTS])
    places.mounts = &v->kernel.mounts;
  look_at_places(&places, jsonx_at(p->config, "/mounts"), "destination", false, &v->mounts);
  look_at_places(&places, jsonx_at(p->config, "/linux/maskedPaths"), NULL, true, &v->masked);
  look_at_places(&places, jsonx_at(p->config, "/linux/readonlyPaths"), NULL, true, &v->readonly);
  look_at_selinux(p, v);
  if (proof_filter_is_pending(p))
    proof_read_pending(&v->kernel, &v->pending);
}

static int complete(const struct proof_promise *p, struct proof_view *v, struct proof_view *ret,
                    struct error *err) {
  if (kernel_namespaces_own(v->host, err) < 0)
    return -1;
  look(p, v);
  if (!kernel_process_alive(&v->kernel.process))
    return error_set(err, ERROR_SYSTEM, ESRCH, "process %d ended while it was looked at",
                     (int)v->kernel.process.pid);
  *ret = *v;
  *v = (struct proof_view)PROOF_VIEW_NONE;
  return 0;
}

int proof_look(struct proof_view *ret, const struct proof_promise *promise,
               const struct kernel_process *process, struct error *err) {
  CLEANUP_PROOF_VIEW struct proof_view v = PROOF_VIEW_NONE;
  *ret = (struct proof_view)PROOF_VIEW_NONE;
  return kernel_view_look(&v.kernel, process, KERNEL_ALL, proof_limits(promise), err) < 0
             ? -1
             : complete(promise, &v, ret, err);
}

int proof_read(struct proof_view *ret, const struct proof_promise *promise, pid_t pid, uint64_t start,
               struct error *err) {
  CLEANUP_PROOF_VIEW struct proof_view v = PROOF_VIEW_NONE;
  *ret = (struct proof_view)PROOF_VIEW_NONE;
  return kernel_view_read(&v.kernel, pid, start, KERNEL_ALL, err) < 0 ? -1 : complete(promise, &v, ret, err);
}

static void free_places(struct proof_places *places) {
  for (size_t i = 0; i < places->len; i++)
    free(places->items[i].path);
  free(places->items);
}

void proof_view_free(struct proof_view *v) {
  kernel_view_free(&v->kernel);
  free(v->joined);
  free_places(&v->mounts);
  free_places(&v->masked);
  free_places(&v->readonly);
  free(v->pending.program);
  *v = (struct proof_view)PROOF_VIEW_NONE;
}
