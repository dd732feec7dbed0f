/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device nodes of a container in a user namespace. The kernel lets nobody make one there, so that runtimes
 * bind what the host has by the node's path, whatever that is: a node "/etc/shadow" with the numbers of
 * /dev/null is the host's /etc/shadow.
 */
#include "facts/look.h"

#include "spec/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static json_int_t number(const json_t *node, const char *key) {
  return json_integer_value(json_object_get(node, key));
}

static bool is_node(const struct stat *st, const json_t *node) {
  const char *type = json_string_value(json_object_get(node, "type"));
  if (!type || (!S_ISCHR(st->st_mode) && !S_ISBLK(st->st_mode)))
    return false;
  const char *const same = S_ISBLK(st->st_mode) ? "b" : "cu";
  return strlen(type) == 1 && strchr(same, *type) && major(st->st_rdev) == number(node, "major") &&
         minor(st->st_rdev) == number(node, "minor");
}

/* Only in /dev, and not where everybody may write: elsewhere it could be exchanged after this look. What is
 * in /dev/pts is somebody's terminal, whose number is also that of the container's. */
static bool is_host_place(const char *path) {
  return path_is_clean(path) && str_starts(path, "/dev/") && !path_is_below(path, "/dev/shm") &&
         !path_is_below(path, "/dev/mqueue") && !path_is_below(path, "/dev/pts");
}

/* Would the runtime bind that very device, or have nothing to bind? */
static bool is_harmless(struct facts *f, const json_t *node, const char *path) {
  if (!is_host_place(path))
    return false;
  CLEANUP_FD int dev = path_open(AT_FDCWD, "/dev", O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  CLEANUP_FD int there = dev < 0 ? -1 : path_open(dev, path + strlen("/dev/"), O_PATH, 0, RESOLVE_INSIDE);
  struct stat st;
  if (there < 0 || fstat(there, &st) < 0) {
    const bool absent = errno == ENOENT;
    look_failed(f);
    return absent;
  }
  return is_node(&st, node);
}

void look_at_devices(struct facts *f, const struct spec *spec) {
  size_t i;
  json_t *node;
  if (!f->rootless && !spec_namespace(spec->root, "user"))
    return;
  const json_t *nodes = spec_at(spec, "/linux/devices");
  json_array_foreach(nodes, i, node) {
    const char *path = json_string_value(json_object_get(node, "path"));
    if (path && !is_harmless(f, node, path) && !strlist_has(&f->bad_device_paths, path))
      strlist_add(&f->bad_device_paths, path);
  }
}
