/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/mounts.h"

#include "base/cleanup.h"

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

char *kernel_mounts_unescape(char *text) {
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
  *ret = 0;
  for (const char *p = text; p && *p; p++)
    if (*p < '0' || *p > '9' || __builtin_mul_overflow(*ret, 10, ret) ||
        __builtin_add_overflow(*ret, (uint64_t)(*p - '0'), ret))
      return false;
  return text && *text;
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

#define IDMAPPED (1U << 31) /* no flag of mount(2)'s */

static unsigned read_flags(const char *list) {
  static const struct {
    const char *word;
    unsigned flag;
  } words[] = {
    { "ro", MS_RDONLY },     { "nosuid", MS_NOSUID },  { "nodev", MS_NODEV },
    { "noexec", MS_NOEXEC }, { "idmapped", IDMAPPED },
  };
  unsigned flags = 0;
  for (const char *p = list;; p++) {
    const size_t len = strcspn(p, ",");
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
      if (strncmp(p, words[i].word, len) == 0 && !words[i].word[len])
        flags |= words[i].flag;
    p += len;
    if (!*p)
      return flags;
  }
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
  m->idmapped = m->flags & IDMAPPED;
  m->flags &= ~IDMAPPED;
  m->readonly = strncmp(options, "ro", 2) == 0 && (options[2] == ',' || !options[2]);
  m->root = kernel_mounts_unescape(root);
  m->place = kernel_mounts_unescape(place);
  m->type = kernel_mounts_unescape(type);
  m->source = kernel_mounts_unescape(source);
  m->options = kernel_mounts_unescape(options);
  return true;
}

static int parse_lines(struct kernel_mounts *mounts, struct error *err) {
  size_t room = 0;
  for (char *line = mounts->text, *end; *line; line = end + 1) {
    struct kernel_mount m = { 0 };
    end = strchr(line, '\n');
    if (!end)
      return error_set(err, ERROR_INPUT, 0, "mountinfo: line %zu has no end", mounts->len + 1);
    *end = '\0';
    if (!parse_line(line, &m))
      return error_set(err, ERROR_INPUT, 0, "mountinfo: line %zu is not as the kernel writes it",
                       mounts->len + 1);
    if (mounts->len == room) {
      room = room ? 2 * room : 64;
      mounts->items = xrealloc(mounts->items, room, sizeof *mounts->items);
    }
    mounts->items[mounts->len++] = m;
  }
  return 0;
}

/* Takes the text. */
static int parse(char *text, struct kernel_mounts *ret, struct error *err) {
  *ret = (struct kernel_mounts){ .text = text };
  if (parse_lines(ret, err) == 0)
    return 0;
  kernel_mounts_free(ret);
  return -1;
}

int kernel_mounts_parse(const char *text, struct kernel_mounts *ret, struct error *err) {
  return parse(xstrdup(text), ret, err);
}

int kernel_mounts_read(const struct kernel_process *p, struct kernel_mounts *ret, struct error *err) {
  char *text = NULL;
  size_t len;
  *ret = (struct kernel_mounts){ 0 };
  if (kernel_process_text(p, "mountinfo", KERNEL_MOUNTS_SIZE_MAX, &text, &len, err) < 0)
    return -1;
  return parse(text, ret, err);
}

void kernel_mounts_free(struct kernel_mounts *m) {
  free(m->items);
  free(m->text);
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

bool kernel_mount_is_blank(const struct kernel_mount *m) {
  return str_ends(m->root, "/.empty-directory");
}
