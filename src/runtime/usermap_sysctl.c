/* SPDX-License-Identifier: Apache-2.0 */
/* Sysctls of a network that the container joins: it may not write them, so we do, and put back what was there
 * when there comes to be no container. */
#include "runtime/usermap_make.h"

#include "base/cleanup.h"
#include "control/sysctl.h"
#include "io/fileio.h"
#include "runtime/call.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* In memory that the writing process shares with us. */
enum { WAS_SIZE = 128 };
struct writing {
  size_t at; /* which one failed */
  struct {
    bool changed;
    char was[WAS_SIZE]; /* without the newline */
  } items[];
};

static char *file_of(const char *name) {
  char *path = xasprintf("/proc/sys/%s", name);
  for (char *p = path + strlen("/proc/sys/"); *p; p++)
    if (*p == '.')
      *p = '/';
  return path;
}

static int write_one(const char *name, const char *value, bool *ret_changed, char was[WAS_SIZE]) {
  CLEANUP_FREE char *path = file_of(name);
  CLEANUP_FD int fd = open(path, O_RDWR | O_CLOEXEC);
  const ssize_t n = fd < 0 ? -1 : pread(fd, was, WAS_SIZE, 0);
  if (n < 0)
    return -1;
  if (n == WAS_SIZE) {
    errno = EOVERFLOW;
    return -1;
  }
  was[n] = '\0';
  was[strcspn(was, "\n")] = '\0';
  if (strcmp(was, value) == 0)
    return 0;
  if (write_all(fd, value, strlen(value)) < 0)
    return -1;
  *ret_changed = true;
  return 0;
}

/* A process of its own, which never comes back from the network that it enters. */
static _Noreturn void write_there(int ns, const struct strlist *names, const struct strlist *values,
                                  struct writing *w) {
  if (setns(ns, CLONE_NEWNET) < 0)
    _exit(errno);
  for (; w->at < names->len; w->at++)
    if (write_one(names->items[w->at], values->items[w->at], &w->items[w->at].changed, w->items[w->at].was) <
        0)
      _exit(errno ? errno : EIO);
  _exit(0);
}

/* 0, or the errno that it failed with. */
static int wait_writing(pid_t child) {
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return errno;
  return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

/* What was changed is in *was by its name, also when one of them fails. */
static int write_all_of(int ns, const struct strlist *names, const struct strlist *values,
                        struct strlist *ret_changed, struct strlist *ret_was, struct error *err) {
  const size_t size = sizeof(struct writing) + names->len * sizeof(((struct writing *)NULL)->items[0]);
  struct writing *w = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (w == MAP_FAILED)
    return error_set(err, ERROR_SYSTEM, errno, "sysctls of the joined network");
  const pid_t child = fork();
  if (child == 0)
    write_there(ns, names, values, w);
  const int failed = child < 0 ? errno : wait_writing(child);
  for (size_t i = 0; i < names->len; i++)
    if (w->items[i].changed) {
      strlist_add(ret_changed, names->items[i]);
      strlist_add(ret_was, w->items[i].was);
    }
  const size_t at = w->at < names->len ? w->at : names->len - 1;
  munmap(w, size);
  const bool is_fact = failed == ENOENT || failed == EINVAL || failed == EPERM || failed == EACCES;
  return failed ? error_set(err, is_fact ? ERROR_REFUSED : ERROR_SYSTEM, failed,
                            "sysctl %s cannot be set in the joined network", names->items[at])
                : 0;
}

/* Ids as the host counts them. */
static char *on_host(uint32_t base, const uint64_t range[2]) {
  const uint64_t last = ID_BLOCK - 1;
  return xasprintf("%u\t%u", base + (uint32_t)(range[0] < last ? range[0] : last),
                   base + (uint32_t)(range[1] < last ? range[1] : last));
}

/* What the controls have left to us. */
static int list_sysctls(const struct call *c, struct strlist *names, struct strlist *values,
                        struct error *err) {
  const char *key;
  json_t *value;
  json_object_foreach(c->harden.outside, key, value) {
    char *name = sysctl_dotted(key);
    uint64_t range[2];
    if (!name || !json_is_string(value)) {
      free(name);
      return error_set(err, ERROR_INPUT, 0, "%s: no sysctl", key);
    }
    const bool groups = strcmp(name, SYSCTL_PING) == 0 && sysctl_range(value, range) && range[0] <= range[1];
    strlist_add_new(names, name);
    strlist_add_new(values, groups ? on_host(c->map.base, range) : xstrdup(json_string_value(value)));
  }
  return 0;
}

int usermap_set_sysctls(struct call *c, struct error *err) {
  CLEANUP_STRLIST struct strlist names = { 0 }, values = { 0 };
  struct usermap *m = &c->map;
  if (usermap_namespace_open(c, "network", &m->network, err) < 0)
    return -1;
  if (m->network < 0)
    return 0;
  if (list_sysctls(c, &names, &values, err) < 0)
    return -1;
  /* A network that another user namespace owns gives no port below 1024 for the capability. */
  const bool opens =
      !strlist_has(&names, SYSCTL_PORT) &&
      jsonx_has(jsonx_at(c->harden.spec.root, "/process/capabilities/bounding"), "CAP_NET_BIND_SERVICE");
  if (opens) {
    strlist_add(&names, SYSCTL_PORT);
    strlist_add(&values, "0");
  }
  if (names.len && write_all_of(m->network, &names, &values, &m->sysctls, &m->sysctls_were, err) < 0)
    return -1;
  if (opens)
    journal_add(
        &c->harden.spec.journal, "user-namespace", "OH-UNS-004", OUTCOME_FINDING, "/linux/sysctl", NULL, NULL,
        "ports below 1024 are opened to all of the joined network: the capability does not reach there");
  return 0;
}

int usermap_restore_sysctls(struct usermap *m, struct error *err) {
  CLEANUP_STRLIST struct strlist names = { 0 }, values = { 0 }, changed = { 0 }, were = { 0 };
  for (size_t i = m->sysctls.len; i-- > 0;) { /* one may be there under two names */
    strlist_add(&names, m->sysctls.items[i]);
    strlist_add(&values, m->sysctls_were.items[i]);
  }
  strlist_free(&m->sysctls);
  strlist_free(&m->sysctls_were);
  const int rc = names.len ? write_all_of(m->network, &names, &values, &changed, &were, err) : 0;
  cleanup_fd_p(&m->network);
  m->network = -1;
  return rc;
}
