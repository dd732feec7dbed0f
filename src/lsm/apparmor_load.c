/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the cache into the kernel, by libapparmor. What is loaded confines the containers to come, so a file
 * that others could have written is not even read.
 */
#include "io/fileio.h"
#include "lsm/apparmor.h"
#include "policy/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/apparmor.h>
#include <sys/stat.h>

#define REMEDY "run hardenctl apparmor compile"

static void features_drop(aa_features **features) {
  aa_features_unref(*features);
}

static void interface_drop(aa_kernel_interface **interface) {
  aa_kernel_interface_unref(*interface);
}

static int read_features(aa_features **ret, struct error *err) {
  if (aa_features_new(ret, -1, APPARMOR_FS "/features") < 0)
    return error_set(err, ERROR_SYSTEM, errno, "the features of AppArmor in " APPARMOR_FS);
  return 0;
}

static int id_of(aa_features *features, char **ret, struct error *err) {
  *ret = aa_features_id(features);
  return *ret ? 0 : error_set(err, ERROR_SYSTEM, errno, "the features of AppArmor");
}

int apparmor_features_id(char **ret, struct error *err) {
  CLEANUP(features_drop) aa_features *features = NULL;
  return read_features(&features, err) < 0 ? -1 : id_of(features, ret, err);
}

/* A link of root's own in the path is root's affair; who can write what it leads to is not. */
static int check(int fd, const char *path, mode_t kind, struct error *err) {
  struct stat st;
  if (fstat(fd, &st) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s", path);
  if ((st.st_mode & S_IFMT) != kind || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
    return error_set(
        err, ERROR_POLICY, 0,
        "%s is not trusted: owner %u, mode %04o; it must be root's, and writable by root alone. Remove "
        "it and " REMEDY,
        path, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
  return 0;
}

static int open_checked(int dir, const char *name, const char *path, mode_t kind, int *ret,
                        struct error *err) {
  const enum resolve resolve = dir == AT_FDCWD ? RESOLVE_TRUSTED : RESOLVE_INSIDE;
  const int flags = kind == S_IFDIR ? O_PATH | O_DIRECTORY : O_RDONLY | O_NONBLOCK;
  *ret = path_open(dir, name, flags, 0, resolve);
  if (*ret < 0)
    return error_set(err, ERROR_POLICY, errno, "%s: there is no compiled profile for this kernel; " REMEDY,
                     path);
  return check(*ret, path, kind, err);
}

static int open_compiled(const char *cache, aa_features *features, const char *name, int *ret,
                         struct error *err) {
  char *id = NULL;
  if (id_of(features, &id, err) < 0)
    return -1;
  CLEANUP_FREE char *owned = id;
  CLEANUP_FREE char *sub = xasprintf("%s/%s", cache, id);
  CLEANUP_FREE char *path = xasprintf("%s/%s", sub, name);
  CLEANUP_FD int top = -1;
  CLEANUP_FD int dir = -1;
  if (open_checked(AT_FDCWD, cache, cache, S_IFDIR, &top, err) < 0 ||
      open_checked(top, id, sub, S_IFDIR, &dir, err) < 0)
    return -1;
  return open_checked(dir, name, path, S_IFREG, ret, err);
}

int apparmor_compiled(const char *cache, const struct builtin *profile, struct error *err) {
  CLEANUP(features_drop) aa_features *features = NULL;
  CLEANUP_FREE char *name = apparmor_own_name(profile);
  CLEANUP_FD int fd = -1;
  if (read_features(&features, err) < 0)
    return -1;
  return open_compiled(cache, features, name, &fd, err);
}

int apparmor_load(const char *cache, const struct builtin *profile, struct error *err) {
  CLEANUP(features_drop) aa_features *features = NULL;
  CLEANUP(interface_drop) aa_kernel_interface *interface = NULL;
  CLEANUP_FREE char *name = apparmor_own_name(profile);
  CLEANUP_FD int fd = -1;
  if (read_features(&features, err) < 0 || open_compiled(cache, features, name, &fd, err) < 0)
    return -1;
  if (aa_kernel_interface_new(&interface, features, APPARMOR_FS) < 0 ||
      aa_kernel_interface_replace_policy_from_fd(interface, fd) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "the kernel does not take the profile %s from %s; " REMEDY,
                     name, cache);
  return 0;
}
