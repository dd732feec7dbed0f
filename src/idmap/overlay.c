/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap/overlay.h"

#include "base/cleanup.h"
#include "io/path.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void overlay_free(struct overlay *o) {
  strlist_free(&o->lower);
  strlist_free(&o->kept);
  free(o->upper);
  free(o->work);
  free(o->base);
  *o = (struct overlay){ 0 };
}

static int malformed(struct error *err, const char *what) {
  return error_set(err, ERROR_INPUT, 0, "%s", what);
}

/* In place: "\:" is ':'. A backslash at the end stays, as in the kernel. */
static void undo_backslashes(char *text) {
  char *to = text;
  for (const char *from = text; *from; from++) {
    if (from[0] == '\\' && from[1])
      from++;
    *to++ = *from;
  }
  *to = '\0';
}

/* The next part of *at, which is cut off at `separator`; a backslash takes the meaning of what is behind it.
 * NULL: no more. */
static char *next_name(char **at) {
  char *start = *at, *p = start;
  if (!start)
    return NULL;
  for (; *p && *p != ':'; p++)
    if (p[0] == '\\' && p[1])
      p++;
  *at = *p ? p + 1 : NULL;
  *p = '\0';
  return start;
}

/* "a:b::c": a and b are layers, c holds data only, as does everything behind it. */
static int take_lower(struct overlay *o, char *value, struct error *err) {
  bool data = false, empty = false;
  for (char *name, *at = value; (name = next_name(&at));) {
    if (!*name) {
      if (empty || !o->lower.len || !at)
        return malformed(err, "lowerdir has an empty name");
      empty = data = true;
      continue;
    }
    if (data && !empty)
      return malformed(err, "lowerdir has a layer below one of data only");
    empty = false;
    undo_backslashes(name);
    strlist_add(&o->lower, name);
    o->data += data;
  }
  return 0;
}

static int take_dir(char **to, char *value, struct error *err) {
  if (*to || !*value)
    return malformed(err, "upperdir or workdir is empty, or there twice");
  undo_backslashes(value);
  *to = xstrdup(value);
  return 0;
}

static int take_added(struct overlay *o, const char *value, bool data, struct error *err) {
  if (!*value || (!data && o->data))
    return malformed(err, "lowerdir+ is empty, or below a layer of data only");
  strlist_add(&o->lower, value);
  o->data += data;
  return 0;
}

static int take_lowerdir(struct overlay *o, char *value, struct error *err) {
  return o->lower.len ? malformed(err, "lowerdir is there twice") : take_lower(o, value, err);
}
static int take_lower_added(struct overlay *o, char *value, struct error *err) {
  return take_added(o, value, false, err);
}
static int take_data_added(struct overlay *o, char *value, struct error *err) {
  return take_added(o, value, true, err);
}
static int take_upper(struct overlay *o, char *value, struct error *err) {
  return take_dir(&o->upper, value, err);
}
static int take_work(struct overlay *o, char *value, struct error *err) {
  return take_dir(&o->work, value, err);
}

/* What the security module adds, and what is the mount's: not given again. */
static int take_option(struct overlay *o, char *option, struct error *err) {
  static const struct {
    const char *name;
    int (*take)(struct overlay *o, char *value, struct error *err);
  } dirs[] = {
    { "lowerdir=", take_lowerdir }, { "lowerdir+=", take_lower_added }, { "datadir+=", take_data_added },
    { "upperdir=", take_upper },    { "workdir=", take_work },
  };
  kernel_mounts_unescape(option);
  for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
    if (str_starts(option, dirs[i].name))
      return dirs[i].take(o, option + strlen(dirs[i].name), err);
  o->readonly = o->readonly || strcmp(option, "ro") == 0;
  if (!*option || strcmp(option, "rw") == 0 || strcmp(option, "ro") == 0 || strcmp(option, "seclabel") == 0)
    return 0;
  if (strchr(option, ',') && !strchr(option, '"'))
    return malformed(err, "an option that is not known has a comma in it");
  o->is_volatile = o->is_volatile || strcmp(option, "volatile") == 0 || strcmp(option, "fsync=volatile") == 0;
  strlist_add(&o->kept, option);
  return 0;
}

/* Cuts *at off at a comma; one in a security context, which alone is quoted, parts its categories. */
static char *next_option(char **at) {
  char *start = *at;
  if (!start)
    return NULL;
  char *context = strstr(start, "context=\"");
  char *p = start + strcspn(start, ",");
  if (context && context < p) {
    char *quote = strchr(context + strlen("context=\""), '"');
    p = quote ? quote + strcspn(quote, ",") : context + strlen(context);
  }
  *at = *p ? p + 1 : NULL;
  *p = '\0';
  return start;
}

static int parse_into(struct overlay *o, char *options, struct error *err) {
  for (char *option, *at = options; (option = next_option(&at));)
    if (take_option(o, option, err) < 0)
      return -1;
  if (!o->lower.len || o->lower.len == o->data)
    return malformed(err, "there is no lowerdir");
  if (o->lower.len > OVERLAY_LAYERS_MAX)
    return malformed(err, "there are more layers than the kernel takes");
  if (!o->upper != !o->work)
    return malformed(err, "there is one of upperdir and workdir only");
  return 0;
}

int overlay_parse(const char *options, struct overlay *ret, struct error *err) {
  CLEANUP_OVERLAY struct overlay o = { 0 };
  CLEANUP_FREE char *copy = xstrdup(options);
  *ret = o;
  if (parse_into(&o, copy, err) < 0)
    return -1;
  *ret = o;
  o = (struct overlay){ 0 };
  return 0;
}

/* The line that begins with the id and a space, with its end; NULL: none. */
static const char *find_line(const char *mountinfo, uint64_t id, size_t *ret_len) {
  char prefix[24];
  snprintf(prefix, sizeof prefix, "%" PRIu64 " ", id);
  for (const char *line = mountinfo, *end; (end = strchr(line, '\n')); line = end + 1)
    if (str_starts(line, prefix)) {
      *ret_len = (size_t)(end - line) + 1;
      return line;
    }
  return NULL;
}

int overlay_find(const char *mountinfo, uint64_t id, char **ret_type, struct overlay *ret,
                 struct error *err) {
  CLEANUP(kernel_mounts_free) struct kernel_mounts mounts = { 0 };
  CLEANUP_STR struct str text = { 0 };
  size_t len;
  *ret = (struct overlay){ 0 };
  const char *line = find_line(mountinfo, id, &len);
  if (!line)
    return error_set(err, ERROR_INPUT, 0, "mountinfo: there is no mount %" PRIu64, id);
  str_add_mem(&text, line, len);
  if (kernel_mounts_parse(text.data, &mounts, err) < 0)
    return -1;
  const struct kernel_mount *m = mounts.items;
  if (strcmp(m->type, "overlay") == 0 && strcmp(m->root, "/") != 0)
    return malformed(err, "only a part of the overlay is mounted there");
  if (strcmp(m->type, "overlay") == 0) {
    text.data[len - 1] = '\0';
    if (overlay_parse(strrchr(text.data, ' ') + 1, ret, err) < 0)
      return -1;
    ret->flags = m->flags;
  }
  *ret_type = xstrdup(m->type);
  return 0;
}

/* Relative names */

static bool all_below(const struct overlay *o, const char *base) {
  CLEANUP_FD int dir = path_open(AT_FDCWD, base, O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
  if (dir < 0)
    return false;
  for (size_t i = 0; i < o->lower.len + 2; i++) {
    const char *name = i < o->lower.len ? o->lower.items[i] : i == o->lower.len ? o->upper : o->work;
    if (!name || *name == '/')
      continue;
    CLEANUP_FD int fd = path_open(dir, name, O_PATH | O_DIRECTORY, 0, RESOLVE_TRUSTED);
    if (fd < 0)
      return false;
  }
  return true;
}

static bool any_relative(const struct overlay *o) {
  for (size_t i = 0; i < o->lower.len; i++)
    if (*o->lower.items[i] != '/')
      return true;
  return o->upper && (*o->upper != '/' || *o->work != '/');
}

/* The nearest ancestor of an absolute path that has them all; NULL: none. The caller frees. */
static char *find_base(const struct overlay *o, const char *path) {
  CLEANUP_FREE char *base = path_normalise(path);
  for (char *slash; (slash = strrchr(base, '/')) && base[1];) {
    slash[slash == base] = '\0';
    if (all_below(o, base))
      return steal_ptr(&base);
  }
  return NULL;
}

int overlay_settle(struct overlay *o, const char *place, struct error *err) {
  free(o->base);
  o->base = NULL;
  if (!any_relative(o))
    o->base = xstrdup("/");
  if (!o->base && o->upper && *o->upper == '/')
    o->base = find_base(o, o->upper);
  if (!o->base)
    o->base = find_base(o, place);
  if (!o->base)
    return error_set(err, ERROR_INPUT, 0,
                     "what the lower directory \"%s\" is relative to cannot be told; use absolute names",
                     o->lower.items[0]);
  return 0;
}

char *overlay_path(const struct overlay *o, const char *name) {
  if (*name == '/')
    return path_normalise(name);
  CLEANUP_FREE char *joined = xasprintf("%s/%s", o->base, name);
  return path_normalise(joined);
}

/* Options again */

void overlay_add_escaped(struct str *out, const char *name) {
  for (const char *p = name; *p; p++) {
    if (*p == '\\' || *p == ':' || *p == ',')
      str_add(out, "\\");
    str_add_mem(out, p, 1);
  }
}

void overlay_add_kept(struct str *out, const struct overlay *o) {
  for (size_t i = 0; i < o->kept.len; i++)
    str_addf(out, ",%s", o->kept.items[i]);
}

char *overlay_options(const struct overlay *o) {
  CLEANUP_STR struct str out = { 0 };
  str_add(&out, "lowerdir=");
  for (size_t i = 0; i < o->lower.len; i++) {
    if (i)
      str_add(&out, i >= o->lower.len - o->data ? "::" : ":");
    overlay_add_escaped(&out, o->lower.items[i]);
  }
  if (o->upper) {
    str_add(&out, ",upperdir=");
    overlay_add_escaped(&out, o->upper);
    str_add(&out, ",workdir=");
    overlay_add_escaped(&out, o->work);
  }
  overlay_add_kept(&out, o);
  return str_steal(&out);
}

bool overlay_common_parent(const char *a, const char *b, char **ret_parent, char **ret_a, char **ret_b) {
  size_t common = 0;
  for (size_t i = 0; a[i] && a[i] == b[i]; i++)
    if (a[i] == '/')
      common = i;
  /* Neither below the other: that one would be the parent, and there is no overlay of such. */
  if (common == 0 || path_is_below(a, b) || path_is_below(b, a))
    return false;
  *ret_parent = xasprintf("%.*s", (int)common, a);
  *ret_a = xstrdup(a + common + 1);
  *ret_b = xstrdup(b + common + 1);
  return true;
}
