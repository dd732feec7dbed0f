/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/mounts.h"

#include "base/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* One line, taken apart at single spaces: a field may be empty (a mount made with an empty source). */
struct fields {
  char *next; /* NULL: no more */
};

static char *take(struct fields *f) {
  char *field = f->next;
  if (!field)
    return NULL;
  char *space = strchr(field, ' ');
  if (space)
    *space = '\0';
  f->next = space ? space + 1 : NULL;
  return field;
}

static bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

static unsigned digit(char c) {
  return (unsigned char)c & 7;
}

/* In place. */
static char *unescape(char *text) {
  char *to = text;
  for (const char *from = text; *from; to++) {
    if (from[0] == '\\' && is_octal(from[1]) && is_octal(from[2]) && is_octal(from[3])) {
      *to = (char)(digit(from[1]) << 6 | digit(from[2]) << 3 | digit(from[3]));
      from += 4;
    } else {
      *to = *from++;
    }
  }
  *to = '\0';
  return text;
}

static bool number(const char *text, uint64_t *ret) {
  char *end;
  if (!text || *text < '0' || *text > '9')
    return false;
  errno = 0;
  *ret = strtoull(text, &end, 10);
  return !errno && !*end;
}

static bool device(char *text, unsigned *ret_major, unsigned *ret_minor) {
  char *colon = text ? strchr(text, ':') : NULL;
  uint64_t major, minor;
  if (!colon)
    return false;
  *colon = '\0';
  if (!number(text, &major) || !number(colon + 1, &minor) || major > UINT_MAX || minor > UINT_MAX)
    return false;
  *ret_major = (unsigned)major;
  *ret_minor = (unsigned)minor;
  return true;
}

static bool has_word(const char *list, const char *word) {
  const size_t len = strlen(word);
  for (const char *p = list; p; p = strchr(p, ','), p = p ? p + 1 : NULL)
    if (strncmp(p, word, len) == 0 && (p[len] == ',' || p[len] == '\0'))
      return true;
  return false;
}

static unsigned read_flags(const char *list) {
  static const struct {
    const char *word;
    unsigned flag;
  } words[] = {
    { "ro", MS_RDONLY }, { "nosuid", MS_NOSUID }, { "nodev", MS_NODEV }, { "noexec", MS_NOEXEC }
  };
  unsigned flags = 0;
  for (size_t i = 0; i < ARRAY_SIZE(words); i++)
    if (has_word(list, words[i].word))
      flags |= words[i].flag;
  return flags;
}

/* 36 35 98:0 /root /place rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=continue */
static bool parse_line(char *line, struct kernel_mount *m) {
  struct fields f = { line };
  if (!number(take(&f), &m->id) || !number(take(&f), &m->parent) || !device(take(&f), &m->major, &m->minor))
    return false;
  char *root = take(&f), *place = take(&f);
  const char *flags = take(&f);
  if (!root || !place || *place != '/' || !flags)
    return false;
  for (const char *optional;;) {
    optional = take(&f);
    if (!optional)
      return false;
    if (strcmp(optional, "-") == 0)
      break;
    m->shared = m->shared || str_starts(optional, "shared:");
    m->slave = m->slave || str_starts(optional, "master:");
  }
  char *type = take(&f), *source = take(&f), *options = take(&f);
  if (!type || !source || !options || f.next)
    return false;
  m->flags = read_flags(flags);
  m->readonly = has_word(options, "ro");
  m->root = xstrdup(unescape(root));
  m->place = xstrdup(unescape(place));
  m->type = xstrdup(unescape(type));
  m->source = xstrdup(unescape(source));
  m->options = xstrdup(unescape(options));
  return true;
}

static void free_mount(struct kernel_mount *m) {
  free(m->root);
  free(m->place);
  free(m->type);
  free(m->source);
  free(m->options);
}

static int parse_lines(char *text, struct kernel_mounts *mounts, struct error *err) {
  size_t room = 0;
  for (char *line = text, *end; *line; line = end + 1) {
    struct kernel_mount m = { 0 };
    end = strchr(line, '\n');
    if (!end)
      return error_set(err, ERROR_INPUT, 0, "mountinfo: line %zu has no end", mounts->len + 1);
    *end = '\0';
    if (!parse_line(line, &m)) {
      free_mount(&m);
      return error_set(err, ERROR_INPUT, 0, "mountinfo: line %zu is not as the kernel writes it",
                       mounts->len + 1);
    }
    if (mounts->len == room) {
      room = room ? 2 * room : 64;
      mounts->items = xrealloc(mounts->items, room, sizeof *mounts->items);
    }
    mounts->items[mounts->len++] = m;
  }
  return 0;
}

int kernel_mounts_parse(const char *text, struct kernel_mounts *ret, struct error *err) {
  CLEANUP_FREE char *copy = xstrdup(text);
  *ret = (struct kernel_mounts){ 0 };
  if (parse_lines(copy, ret, err) == 0)
    return 0;
  kernel_mounts_free(ret);
  return -1;
}

int kernel_mounts_read(const struct kernel_process *p, struct kernel_mounts *ret, struct error *err) {
  CLEANUP_FREE char *text = NULL;
  size_t len;
  *ret = (struct kernel_mounts){ 0 };
  if (kernel_process_text(p, "mountinfo", KERNEL_MOUNTS_SIZE_MAX, &text, &len, err) < 0)
    return -1;
  return kernel_mounts_parse(text, ret, err);
}

void kernel_mounts_free(struct kernel_mounts *m) {
  for (size_t i = 0; i < m->len; i++)
    free_mount(&m->items[i]);
  free(m->items);
  *m = (struct kernel_mounts){ 0 };
}

const struct kernel_mount *kernel_mounts_by_id(const struct kernel_mounts *m, uint64_t id) {
  for (size_t i = 0; i < m->len; i++)
    if (m->items[i].id == id)
      return &m->items[i];
  return NULL;
}

const struct kernel_mount *kernel_mounts_at(const struct kernel_mounts *m, const char *place) {
  for (size_t i = m->len; i-- > 0;)
    if (strcmp(m->items[i].place, place) == 0)
      return &m->items[i];
  return NULL;
}
