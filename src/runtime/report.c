/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/report.h"

#include "base/stamp.h"
#include "base/str.h"
#include "io/fileio.h"
#include "io/jsonx.h"

#include <string.h>
#include <unistd.h>

char *report_text(const struct error *err) {
  const char *message = err->message[0] ? err->message : "unknown error";
  return err->rule[0] ? xasprintf("oci-harden: %s (%s)", message, err->rule)
                      : xasprintf("oci-harden: %s", message);
}

char *report_line(const char *text, bool json, time_t now) {
  char stamp[STAMP_SIZE];
  stamp_seconds(stamp, now);
  CLEANUP_STR struct str line = { 0 };
  json_auto_t *message = jsonx_string_new(text);
  if (json) {
    str_add(&line, "{\"level\":\"error\",\"msg\":");
    jsonx_dump(message, &line);
    str_addf(&line, ",\"time\":\"%s\"}\n", stamp);
  } else {
    str_addf(&line, "time=\"%s\" level=error msg=", stamp);
    jsonx_dump(message, &line); /* logrus quotes like this too */
    str_add(&line, "\n");
  }
  return str_steal(&line);
}

/* crun goes to the bundle before it opens its log. */
static bool is_from_bundle(const struct command *c, enum runtime_kind kind) {
  const bool goes = c->verb == VERB_CREATE || c->verb == VERB_RUN;
  return kind == RUNTIME_CRUN && goes && command_value(c, "bundle");
}

char *report_log_path(const struct command *c, enum runtime_kind kind) {
  const char *log = command_value(c, "log");
  if (!log || !*log)
    return NULL;
  if (kind == RUNTIME_CRUN) {
    if (str_starts(log, "journald:") || str_starts(log, "syslog:"))
      return NULL;
    if (str_starts(log, "file:"))
      log += strlen("file:");
  }
  if (strcmp(log, "/dev/stderr") == 0)
    return NULL;
  return *log != '/' && is_from_bundle(c, kind) ? xasprintf("%s/%s", command_value(c, "bundle"), log)
                                                : xstrdup(log);
}

int report_failure(const struct command *c, enum runtime_kind kind, const struct error *err) {
  CLEANUP_FREE char *text = report_text(err);
  CLEANUP_FREE char *path = report_log_path(c, kind);
  if (path) {
    const char *format = command_value(c, "log-format");
    CLEANUP_FREE char *line = report_line(text, format && strcmp(format, "json") == 0, time(NULL));
    struct error ignored = { 0 };
    if (file_append(path, line, strlen(line), &ignored) < 0)
      ignored.code = ERROR_NONE; /* stderr has it */
  }
  CLEANUP_FREE char *line = xasprintf("%s\n", text);
  if (write_all(STDERR_FILENO, line, strlen(line)) < 0)
    return c->verb == VERB_EXEC ? 255 : 1;
  return c->verb == VERB_EXEC ? 255 : 1;
}
