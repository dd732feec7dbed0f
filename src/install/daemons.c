/* SPDX-License-Identifier: Apache-2.0 */
#include "install/daemons.h"

#include "kernel/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CMDLINE_MAX = 1 << 20 };

/* The file that a command line of NUL-terminated words names; NULL: none. Borrowed. */
static const char *config_of(const char *words, size_t len) {
  static const char *const options[] = { "--config", "--config-file", "-c" };
  for (const char *word = words; word < words + len; word += strlen(word) + 1) {
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
      const size_t n = strlen(options[i]);
      const char *next = word + strlen(word) + 1;
      if (strncmp(word, options[i], n) == 0 && word[n] == '=')
        return word + n + 1;
      if (strcmp(word, options[i]) == 0 && next < words + len)
        return next;
    }
  }
  return NULL;
}

/* The file itself, or one that it imports from a directory below its own. */
static bool reads(const char *config, const char *file) {
  const char *slash = strrchr(config, '/');
  const size_t n = slash ? (size_t)(slash - config) + 1 : 0;
  return strcmp(config, file) == 0 || (n > 1 && strncmp(config, file, n) == 0 && strchr(file + n, '/'));
}

/* One of a container, of a node within this node, names files of its own. What cannot be seen is taken for
 * one of this host. */
static bool has_our_root(const struct kernel_process *p) {
  struct stat its, ours;
  return fstatat(p->dir, "root", &its, 0) < 0 || stat("/", &ours) < 0 ||
         (its.st_dev == ours.st_dev && its.st_ino == ours.st_ino);
}

static bool is_it(const struct kernel_process *p, const char *name, const char *file,
                  struct strlist *ret_words) {
  CLEANUP_FREE char *comm = NULL;
  CLEANUP_FREE char *words = NULL;
  struct error ignored = { 0 };
  size_t len;
  if (kernel_process_text(p, "comm", CMDLINE_MAX, &comm, &len, &ignored) < 0 ||
      strncmp(comm, name, strlen(name)) != 0 || strcmp(comm + strlen(name), "\n") != 0 || !has_our_root(p) ||
      kernel_process_text(p, "cmdline", CMDLINE_MAX, &words, &len, &ignored) < 0)
    return false;
  const char *config = config_of(words, len);
  if (config && !reads(config, file))
    return false;
  for (const char *word = words; word < words + len; word += strlen(word) + 1)
    strlist_add(ret_words, word);
  return true;
}

static int64_t millis(const struct timespec *t) {
  return (int64_t)t->tv_sec * 1000 + t->tv_nsec / 1000000;
}

/* At the end of the tick that the kernel tells: a daemon that was made in it has read its file after it. */
static int64_t started(uint64_t ticks) {
  struct timespec now, up;
  if (clock_gettime(CLOCK_REALTIME, &now) < 0 || clock_gettime(CLOCK_BOOTTIME, &up) < 0)
    return 0;
  return millis(&now) - millis(&up) + (int64_t)((ticks + 1) * 1000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

int daemon_find(const char *name, const char *file, pid_t *ret, int64_t *ret_since, struct strlist *ret_words,
                struct error *err) {
  CLEANUP_DIR DIR *proc = opendir("/proc");
  *ret = 0;
  if (!proc)
    return error_set(err, ERROR_SYSTEM, errno, "cannot read /proc");
  for (const struct dirent *entry; *ret == 0 && (entry = readdir(proc));) {
    CLEANUP_KERNEL_PROCESS struct kernel_process p = KERNEL_PROCESS_NONE;
    struct error ignored = { 0 };
    if (!isdigit((unsigned char)*entry->d_name) ||
        kernel_process_open(&p, (pid_t)strtol(entry->d_name, NULL, 10), 0, &ignored) < 0 ||
        !is_it(&p, name, file, ret_words))
      continue;
    *ret = p.pid;
    *ret_since = started(p.start);
  }
  return 0;
}

int daemon_older(const char *name, const char *file, const char *at, pid_t *ret, struct error *err) {
  CLEANUP_STRLIST struct strlist words = { 0 };
  struct tm when = { 0 };
  int64_t since = 0;
  const char *rest = strptime(at, "%Y-%m-%dT%H:%M:%S.", &when);
  if (!rest)
    return error_set(err, ERROR_INPUT, 0, "\"%s\" is no time", at);
  if (daemon_find(name, file, ret, &since, &words, err) < 0)
    return -1;
  if (*ret && since >= (int64_t)timegm(&when) * 1000 + strtol(rest, NULL, 10))
    *ret = 0;
  return 0;
}
