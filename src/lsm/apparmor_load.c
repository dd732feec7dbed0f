/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the cache into the kernel, by libapparmor. What is loaded confines the containers to come, so a file
 * that others could have written is not even read.
 */
#include "base/sha256.h"
#include "io/fileio.h"
#include "lsm/apparmor.h"
#include "policy/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/apparmor.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#define REMEDY "run hardenctl apparmor compile"

static void features_drop(aa_features **features) {
  aa_features_unref(*features);
}

static void interface_drop(aa_kernel_interface **interface) {
  aa_kernel_interface_unref(*interface);
}

int apparmor_features_id(const char *root, char **ret, struct error *err) {
  CLEANUP_FREE char *path = xasprintf("%s" APPARMOR_FS "/features", root);
  CLEANUP(features_drop) aa_features *features = NULL;
  if (aa_features_new(&features, -1, path) < 0 || !(*ret = aa_features_id(features)))
    return error_set(err, ERROR_SYSTEM, errno, "the features of AppArmor in %s", path);
  return 0;
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

char *apparmor_kernel_link(void) {
  struct utsname u;
  char digest[SHA256_HEX];
  if (uname(&u) < 0)
    memset(&u, 0, sizeof u);
  CLEANUP_FREE char *build = xasprintf("%s %s %s", u.release, u.version, u.machine);
  sha256_hex(build, strlen(build), digest);
  return xasprintf("kernel-%s", digest);
}

/* The features are some 350 system calls to read: what `compile` found them to be is remembered by the
 * kernel's build. Of a build that was never compiled for, they are read. */
static int directory_of(const char *root, int top, char **ret, struct error *err) {
  CLEANUP_FREE char *link = apparmor_kernel_link();
  char id[NAME_MAX + 1];
  const ssize_t n = readlinkat(top, link, id, sizeof id);
  if (n <= 0 || (size_t)n == sizeof id)
    return apparmor_features_id(root, ret, err);
  id[n] = '\0';
  *ret = xstrdup(id);
  return 0;
}

/* What is compiled for this kernel: its directory and the file in it. */
static int open_compiled(const char *root, const char *cache, const char *name, int *ret_dir, int *ret,
                         struct error *err) {
  CLEANUP_FD int top = -1;
  CLEANUP_FREE char *id = NULL;
  if (open_checked(AT_FDCWD, cache, cache, S_IFDIR, &top, err) < 0 || directory_of(root, top, &id, err) < 0)
    return -1;
  CLEANUP_FREE char *sub = xasprintf("%s/%s", cache, id);
  CLEANUP_FREE char *path = xasprintf("%s/%s", sub, name);
  if (open_checked(top, id, sub, S_IFDIR, ret_dir, err) < 0)
    return -1;
  return open_checked(*ret_dir, name, path, S_IFREG, ret, err);
}

int apparmor_compiled(const char *root, const char *cache, const struct builtin *profile, struct error *err) {
  CLEANUP_FREE char *name = apparmor_own_name(profile);
  CLEANUP_FD int dir = -1;
  CLEANUP_FD int fd = -1;
  return open_compiled(root, cache, name, &dir, &fd, err);
}

int apparmor_load(const char *cache, const struct builtin *profile, struct error *err) {
  CLEANUP(features_drop) aa_features *features = NULL;
  CLEANUP(interface_drop) aa_kernel_interface *interface = NULL;
  CLEANUP_FREE char *name = apparmor_own_name(profile);
  CLEANUP_FREE char *path = xasprintf("%s: " APPARMOR_FEATURES, cache);
  CLEANUP_FD int dir = -1;
  CLEANUP_FD int fd = -1;
  CLEANUP_FD int known = -1;
  if (open_compiled("", cache, name, &dir, &fd, err) < 0 ||
      open_checked(dir, APPARMOR_FEATURES, path, S_IFREG, &known, err) < 0)
    return -1;
  if (aa_features_new_from_file(&features, known) < 0 ||
      aa_kernel_interface_new(&interface, features, APPARMOR_FS) < 0 ||
      aa_kernel_interface_replace_policy_from_fd(interface, fd) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "the kernel does not take the profile %s from %s; " REMEDY,
                     name, cache);
  return 0;
}
