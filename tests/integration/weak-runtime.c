/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A runtime that does not keep a promise: on create it hands the real runtime ($WEAK_RUNTIME) another bundle,
 * whose config.json is the given one changed by the jq program $WEAK_JQ, and with $WEAK_FD set an open
 * directory. Every other verb passes as it is. The bundle that was named stays as it was.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 64 };

static int run(const char *script, const char *arg) {
  int status = -1;
  const pid_t child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", script, arg, (char *)NULL);
    _exit(127);
  }
  return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

int main(int argc, char **argv) {
  static const char option[] = "--bundle=";
  static const char script[] =
      "mkdir -p \"$0.weak\" && jq --arg b \"$0\" "
      "\"(.root.path |= if startswith(\\\"/\\\") then . else \\$b + \\\"/\\\" + . end) | $WEAK_JQ\" "
      "\"$0/config.json\" >\"$0.weak/config.json\"";
  char *runtime = getenv("WEAK_RUNTIME");
  char *args[ARGS_MAX] = { NULL };
  char bundle[4096], preserve[] = "--preserve-fds=1";
  int n = 0;
  if (!runtime || argc + 2 > ARGS_MAX)
    return 2;
  for (int i = 0; i < argc; i++) {
    args[n++] = argv[i];
    if (strcmp(argv[i], "create") == 0 && getenv("WEAK_FD")) {
      const int fd = open("/etc", O_RDONLY | O_DIRECTORY); /* NOLINT(android-cloexec-open): it is to leak */
      if (fd < 0 || (fd != 3 && dup2(fd, 3) < 0))
        return 2;
      args[n++] = preserve;
    }
    if (strncmp(argv[i], option, strlen(option)) == 0 && getenv("WEAK_JQ")) {
      if (run(script, argv[i] + strlen(option)) != 0)
        return 2;
      snprintf(bundle, sizeof bundle, "%s.weak", argv[i]);
      args[n - 1] = bundle;
    }
  }
  args[0] = runtime;
  execv(runtime, args);
  return 127;
}
