/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/usermap_make.h"

#include "base/cleanup.h"
#include "control/sysctl.h"
#include "io/fileio.h"
#include "runtime/call.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the network namespace that is joined; in a process of its own, which never comes back. */
static int write_sysctl(int ns, const char *name, const char *value, struct error *err) {
  CLEANUP_FREE char *path = xasprintf("/proc/sys/%s", name);
  int status;
  for (char *p = path + strlen("/proc/sys/"); *p; p++)
    if (*p == '.')
      *p = '/';
  const pid_t child = fork();
  if (child == 0) {
    const int fd = setns(ns, CLONE_NEWNET) < 0 ? -1 : open(path, O_WRONLY | O_CLOEXEC);
    _exit(fd >= 0 && write_all(fd, value, strlen(value)) == 0 ? 0 : errno ? errno : EIO);
  }
  while (child > 0 && waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return error_set(err, ERROR_SYSTEM, errno, "sysctl %s", name);
  if (child < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
    return error_set(err, ERROR_SYSTEM,
                     child < 0           ? errno
                     : WIFEXITED(status) ? WEXITSTATUS(status)
                                         : EIO,
                     "sysctl %s cannot be set in the joined network", name);
  return 0;
}

static bool may_bind(const json_t *config) {
  const json_t *set = jsonx_at(config, "/process/capabilities/bounding");
  for (size_t i = 0; i < json_array_size(set); i++)
    if (strcmp(json_string_value(json_array_get(set, i)), "CAP_NET_BIND_SERVICE") == 0)
      return true;
  return false;
}

/* Ids as the host counts them. */
static char *on_host(uint32_t base, const uint64_t range[2]) {
  const uint64_t last = ID_BLOCK - 1;
  return xasprintf("%u\t%u", base + (uint32_t)(range[0] < last ? range[0] : last),
                   base + (uint32_t)(range[1] < last ? range[1] : last));
}

/* What the control has taken out of the config is set from outside. */
static int set_sysctl(const struct call *c, int ns, const struct journal_entry *e, bool *ret_port,
                      struct error *err) {
  CLEANUP_FREE char *name = sysctl_dotted(strrchr(e->pointer, '/') + 1);
  CLEANUP_FREE char *value = NULL;
  uint64_t range[2];
  if (!name || !json_is_string(e->before))
    return error_set(err, ERROR_INPUT, 0, "%s: no sysctl", e->pointer);
  *ret_port = *ret_port || strcmp(name, SYSCTL_PORT) == 0;
  value = strcmp(name, SYSCTL_PING) == 0 && sysctl_range(e->before, range) && range[0] <= range[1]
              ? on_host(c->map.base, range)
              : xstrdup(json_string_value(e->before));
  return write_sysctl(ns, name, value, err);
}

/* A network that another user namespace owns gives no port below 1024 for CAP_NET_BIND_SERVICE. */
static int open_ports(struct call *c, int ns, struct error *err) {
  if (write_sysctl(ns, SYSCTL_PORT, "0", err) < 0)
    return -1;
  journal_add(
      &c->harden.spec.journal, "user-namespace", "OH-UNS-004", OUTCOME_FINDING, "/linux/sysctl", NULL, NULL,
      "ports below 1024 are opened to all of the joined network: the capability does not reach there");
  return 0;
}

int usermap_set_sysctls(struct call *c, struct error *err) {
  CLEANUP_FD int ns = -1;
  bool port = false;
  if (usermap_namespace_open(c, "network", &ns, err) < 0)
    return -1;
  const struct journal *journal = &c->harden.spec.journal;
  for (size_t i = 0; ns >= 0 && i < journal->len; i++) {
    const struct journal_entry *e = &journal->entries[i];
    if (e->outcome == OUTCOME_CHANGED && !e->after && strcmp(e->rule, "OH-UNS-004") == 0 &&
        set_sysctl(c, ns, e, &port, err) < 0)
      return -1;
  }
  return ns >= 0 && !port && may_bind(c->harden.spec.root) ? open_ports(c, ns, err) : 0;
}
