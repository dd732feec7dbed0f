/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/loss.h"

#include "base/stamp.h"
#include "base/str.h"
#include "io/fileio.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

char *loss_path(const char *state_dir) {
  return xasprintf("%s/.events-lost", state_dir);
}

void loss_note(const char *state_dir, const struct error *why) {
  CLEANUP_FREE char *path = loss_path(state_dir);
  struct stat st;
  if (lstat(path, &st) == 0 && st.st_size > LOSS_FILE_MAX)
    return;
  char now[STAMP_SIZE];
  stamp_seconds(now, time(NULL));
  CLEANUP_FREE char *line = xasprintf("%s %s\n", now, why->message);
  struct error ignored = { 0 };
  if (path_make_dirs(state_dir, 0700, &ignored) < 0 || file_append(path, line, strlen(line), &ignored) < 0)
    return;
}
