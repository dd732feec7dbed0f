/* SPDX-License-Identifier: Apache-2.0 */
/* update: new limits for a running container. Options and documents become one document, judged and handed
 * on. */
#include "base/cleanup.h"
#include "io/fileio.h"
#include "runtime/call.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum number { NUMBER_UNSIGNED, NUMBER_SIGNED, NUMBER_BYTES, NUMBER_TEXT, NUMBER_IGNORED };

/* As runc maps its options onto the resources of the specification. */
static const struct {
  const char *option;
  const char *section, *key;
  enum number number;
} update_options[] = {
  { "blkio-weight", "blockIO", "weight", NUMBER_UNSIGNED },
  { "cpu-period", "cpu", "period", NUMBER_UNSIGNED },
  { "cpu-quota", "cpu", "quota", NUMBER_SIGNED },
  { "cpu-burst", "cpu", "burst", NUMBER_UNSIGNED },
  { "cpu-share", "cpu", "shares", NUMBER_UNSIGNED },
  { "cpu-rt-period", "cpu", "realtimePeriod", NUMBER_UNSIGNED },
  { "cpu-rt-runtime", "cpu", "realtimeRuntime", NUMBER_SIGNED },
  { "cpu-idle", "cpu", "idle", NUMBER_SIGNED },
  { "cpuset-cpus", "cpu", "cpus", NUMBER_TEXT },
  { "cpuset-mems", "cpu", "mems", NUMBER_TEXT },
  { "kernel-memory", NULL, NULL, NUMBER_IGNORED },
  { "kernel-memory-tcp", NULL, NULL, NUMBER_IGNORED },
  { "memory", "memory", "limit", NUMBER_BYTES },
  { "memory-reservation", "memory", "reservation", NUMBER_BYTES },
  { "memory-swap", "memory", "swap", NUMBER_BYTES },
  { "pids-limit", "pids", "limit", NUMBER_SIGNED },
};

static int malformed(const char *option, const char *text, struct error *err) {
  return error_set_rule(err, ERROR_USAGE, "OH-CMD-021", "update: --%s: \"%.100s\" is not a number it takes",
                        option, text);
}

/* "512m", "1.5GiB", "-1": units of 1024 in any case, as docker's go-units has them. */
static int parse_bytes(const char *option, const char *text, int64_t *ret, struct error *err) {
  static const char units[] = "bkmgtp";
  if (strcmp(text, "-1") == 0) {
    *ret = -1;
    return 0;
  }
  char *end;
  errno = 0;
  unsigned long long whole = strtoull(text, &end, 10);
  double value = (double)whole;
  if (*end == '.')
    value = strtod(text, &end);
  end += *end == ' ';
  const char *unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
  int power = unit ? (int)(unit - units) : 0;
  const char *rest = unit ? end + 1 : end;
  if (power > 0 && tolower((unsigned char)*rest) == 'i')
    rest++;
  if (power > 0 && tolower((unsigned char)*rest) == 'b')
    rest++;
  value = ldexp(value, 10 * power);
  if (!isdigit((unsigned char)*text) || *rest || errno || value >= 0x1p63)
    return malformed(option, text, err);
  *ret = power == 0 && whole <= INT64_MAX ? (int64_t)whole : (int64_t)value;
  return 0;
}

static int make_value(enum number number, const char *option, const char *text, json_t **ret,
                      struct error *err) {
  char *end = NULL;
  int64_t value = 0;
  uint64_t positive;
  errno = 0;
  switch (number) {
  case NUMBER_TEXT:
    *ret = jsonx_string_new(text);
    return 0;
  case NUMBER_UNSIGNED:
    positive = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || errno)
      return malformed(option, text, err);
    *ret = jsonx_u64_new(positive);
    return 0;
  case NUMBER_SIGNED:
    value = strtoll(text, &end, 10);
    if ((!isdigit((unsigned char)*text) && *text != '-') || end == text || *end || errno)
      return malformed(option, text, err);
    break;
  case NUMBER_BYTES:
    if (parse_bytes(option, text, &value, err) < 0)
      return -1;
    break;
  case NUMBER_IGNORED:
    break;
  }
  *ret = json_integer(value);
  return 0;
}

/* A pids limit of 0 and an empty text are "unchanged" to runc, and so left out. */
static bool is_unset(enum number number, const char *option, const char *text) {
  return number == NUMBER_IGNORED || *text == '\0' ||
         (strcmp(text, "0") == 0 &&
          (strcmp(option, "pids-limit") == 0 || strcmp(option, "blkio-weight") == 0));
}

static int build(const struct command *c, char **ret_text, size_t *ret_len, struct error *err) {
  json_auto_t *document = json_object();
  for (size_t i = 0; i < ARRAY_SIZE(update_options); i++) {
    const char *option = update_options[i].option, *section = update_options[i].section;
    const char *text = command_value(c, option);
    json_t *value = NULL;
    if (!text || is_unset(update_options[i].number, option, text))
      continue;
    if (make_value(update_options[i].number, option, text, &value, err) < 0)
      return -1;
    if (!json_object_get(document, section))
      jsonx_set_new(document, section, json_object());
    jsonx_set_new(json_object_get(document, section), update_options[i].key, value);
  }
  CLEANUP_STR struct str bytes = { 0 };
  jsonx_dump(document, &bytes);
  *ret_len = bytes.len;
  *ret_text = str_steal(&bytes);
  return 0;
}

static int read_document(struct call *c, const char *name, char **ret_text, size_t *ret_len,
                         struct error *err) {
  const size_t limit = (size_t)c->config.config_limit;
  if (strcmp(name, "-") == 0)
    return file_read_fd(STDIN_FILENO, "standard input", limit, ret_text, ret_len, err);
  CLEANUP_FD int fd = path_open(AT_FDCWD, name, O_RDONLY | O_NOCTTY, 0, RESOLVE_TRUSTED);
  if (fd < 0)
    return error_set(err, ERROR_SYSTEM, errno, "update: resources %s", name);
  return file_read_fd(fd, name, limit, ret_text, ret_len, err);
}

static int substitute_file(struct call *c, struct error *err) {
  if (call_private_file(c, "update", err) < 0)
    return -1;
  for (size_t i = 0; i < ARRAY_SIZE(update_options); i++)
    command_drop(&c->command, update_options[i].option);
  command_set(&c->command, "resources", c->private_file);
  return 0;
}

static int harden_resources(struct call *c, struct error *err) {
  const char *file = command_value(&c->command, "resources");
  CLEANUP_FREE char *text = NULL;
  const bool has_file = file && *file;
  struct jsonx_source src = { .name = has_file ? file : "update" };
  if ((has_file ? read_document(c, file, &text, &src.len, err) : build(&c->command, &text, &src.len, err)) <
      0)
    return -1;
  src.text = text;
  if (harden_parse(&c->harden, SPEC_RESOURCES, &src, (size_t)c->config.config_limit, err) < 0 ||
      call_harden(c, -1, err) < 0)
    return -1;
  return substitute_file(c, err);
}

int call_update(struct call *c, struct error *err) {
  if (call_known_policies(c, err) < 0 || (call_enforces(c, SPEC_RESOURCES) && harden_resources(c, err) < 0) ||
      call_event(c, err) < 0)
    return -1;
  return call_start(c, err);
}

/* Nothing that we know of a mount survives a change to it behind our back. */
int call_mounts(struct call *c, struct error *err) {
  if (c->command.id ? call_known_policies(c, err) < 0 : call_select(c, NULL, err) < 0)
    return -1;
  for (size_t i = 0; i < c->policies_len; i++)
    if (call_judge(c, &c->policies[i], c->policies[i].mounts.action, "mounts", "OH-CMD-016",
                   "it changes the mounts of a running container",
                   "put the mount into the container's config", err) < 0)
      return -1;
  return call_pass(c, err);
}
