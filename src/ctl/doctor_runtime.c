/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: the runtimes, their permissions and versions */
#include "base/cleanup.h"
#include "base/str.h"
#include "ctl/doctor.h"
#include "ctl/tool.h"
#include "runtime/ownhook.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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

enum { VERSION_MS = 5000 };

/* What PATH --version prints first. The caller frees. */
static int version_line(const char *path, char **ret, struct error *err) {
  const char *const argv[] = { path, "--version", NULL };
  if (tool_run(&(struct tool){ .argv = argv, .in = -1, .limit_ms = VERSION_MS }, ret, err) < 0)
    return error_wrap(err, "%s --version", path);
  (*ret)[strcspn(*ret, "\n")] = '\0';
  return 0;
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
  CLEANUP_FREE char *line = NULL;
  struct error why = { 0 };
  if (version_line(r->path, &line, &why) < 0) {
    doctor_say(d, used ? HEALTH_FAIL : HEALTH_WARN, "runtime", "try that by hand; install the runtime anew",
               "%s", why.message);
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
