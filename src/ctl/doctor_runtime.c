/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: the runtimes, their permissions and versions */
#include "base/cleanup.h"
#include "base/str.h"
#include "ctl/doctor.h"
#include "io/fileio.h"
#include "runtime/ownhook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Versions from `since` and below `fixed` have it. Sources: the projects' own advisories. */
struct advisory {
  enum runtime_kind kind;
  const char *name;
  unsigned since[3], fixed[3];
  const char *what;
};
static const struct advisory advisories[] = {
  { RUNTIME_RUNC,
    "CVE-2024-21626",
    { 0, 0, 0 },
    { 1, 1, 12 },
    "a leaked descriptor of the host's /sys/fs/cgroup opens the host" },
  { RUNTIME_RUNC,
    "CVE-2025-31133, CVE-2025-52565, CVE-2025-52881",
    { 0, 0, 0 },
    { 1, 2, 8 },
    "masks and /dev/console can be turned into writes to the host's /proc" },
  { RUNTIME_RUNC,
    "CVE-2025-31133, CVE-2025-52565, CVE-2025-52881",
    { 1, 3, 0 },
    { 1, 3, 3 },
    "masks and /dev/console can be turned into writes to the host's /proc" },
  { RUNTIME_CRUN,
    "CVE-2025-24965",
    { 0, 0, 0 },
    { 1, 20, 0 },
    "the krun handler writes through a link in the rootfs" },
};

/* What PATH --version prints first, which has 10 s for it. NULL: it could not be run. The caller frees. */
static char *version_line(const char *path) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0)
    return NULL;
  CLEANUP_FD int out = ends[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  char *const argv[] = { (char *)path, (char *)"--version", NULL };
  char *const envp[] = { NULL };
  pid_t pid;
  int failed = posix_spawn(&pid, path, &actions, NULL, argv, envp);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (failed)
    return NULL;
  CLEANUP_FREE char *text = NULL;
  size_t len;
  struct error ignored = { 0 };
  struct pollfd ready = { .fd = out, .events = POLLIN };
  if (poll(&ready, 1, 10000) == 0)
    kill(pid, SIGKILL);
  int result = file_read_fd(out, path, 1 << 16, &text, &len, &ignored);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  if (result < 0 || status != 0)
    return NULL;
  text[strcspn(text, "\n")] = '\0';
  return steal_ptr(&text);
}

static bool older(const unsigned *have, const unsigned *fixed) {
  for (int i = 0; i < 3; i++) {
    if (have[i] != fixed[i])
      return have[i] < fixed[i];
  }
  return false;
}

static void advise(struct doctor *d, const struct runtime_choice *r, const char *line) {
  unsigned have[3] = { 0 };
  const char *digits = line + strcspn(line, "0123456789");
  if (sscanf(digits, "%u.%u.%u", &have[0], &have[1], &have[2]) < 2) {
    doctor_say(d, HEALTH_WARN, "runtime", "use a release of runc or crun", "%s: no version in \"%s\"",
               r->path, line);
    return;
  }
  for (size_t i = 0; i < ARRAY_SIZE(advisories); i++) {
    if ((int)advisories[i].kind != r->kind || !older(have, advisories[i].fixed) ||
        older(have, advisories[i].since))
      continue;
    CLEANUP_FREE char *remedy =
        xasprintf("upgrade to %u.%u.%u, or make sure that the distribution's package has the fix",
                  advisories[i].fixed[0], advisories[i].fixed[1], advisories[i].fixed[2]);
    doctor_say(d, HEALTH_WARN, "runtime", remedy, "%s %u.%u.%u: %s: %s", r->path, have[0], have[1], have[2],
               advisories[i].name, advisories[i].what);
  }
}

static void runtime(struct doctor *d, const struct runtime_choice *r, bool used) {
  struct stat st;
  if (stat(r->path, &st) < 0) {
    if (errno != ENOENT)
      doctor_say(d, HEALTH_FAIL, "runtime", "make it readable for root", "%s: %s", r->path, strerror(errno));
    return;
  }
  if (st.st_uid != 0 || (st.st_mode & 022)) {
    CLEANUP_FREE char *remedy = xasprintf("chown root %s; chmod go-w %s", r->path, r->path);
    doctor_say(d, HEALTH_FAIL, "runtime", remedy, "%s: others than root can write it", r->path);
    return;
  }
  CLEANUP_FREE char *line = version_line(r->path);
  if (!line) {
    doctor_say(d, used ? HEALTH_FAIL : HEALTH_WARN, "runtime", "install it anew", "%s --version fails",
               r->path);
    return;
  }
  doctor_say(d, HEALTH_OK, "runtime", NULL, "%s: %s%s", r->path, line, used ? " (this one is used)" : "");
  if (used)
    advise(d, r, line);
}

void doctor_runtimes(struct doctor *d, const struct config *config) {
  bool found = false;
  for (size_t i = 0; i < config->runtimes_len; i++) {
    bool exists = access(config->runtimes[i].path, F_OK) == 0;
    runtime(d, &config->runtimes[i], exists && !found);
    found = found || exists;
  }
  if (!found)
    doctor_say(d, HEALTH_FAIL, "runtime",
               "install runc or crun, or name one under \"runtimes\" in config.json",
               "none of the configured runtimes exists");
}

void doctor_hook(struct doctor *d, const struct config *config) {
  CLEANUP_FREE char *path = ownhook_path(config);
  struct error err = { 0 };
  if (ownhook_check(path, &err) == 0)
    doctor_say(d, HEALTH_OK, "hook", NULL, "%s", path);
  else
    doctor_say(d, HEALTH_FAIL, "hook", "the verb run is refused until then", "%s", err.message);
}
