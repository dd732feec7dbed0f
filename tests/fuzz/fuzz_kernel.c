/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The readers of /proc's texts, which a container shapes (names of mounts, of processes, of groups). The
 * first line names the reader, the rest is its text. What is taken must be what is there: fields have bounds,
 * and a mount that is written again as the kernel writes one is read the same.
 */
#include "kernel/cgroup.h"
#include "kernel/fds.h"
#include "kernel/limits.h"
#include "kernel/mounts.h"
#include "kernel/namespace.h"
#include "kernel/process.h"
#include "kernel/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds, const char *what) {
  if (holds)
    return;
  fprintf(stderr, "fuzz_kernel: %s\n", what);
  abort();
}

/* As the kernel escapes a path in mountinfo. */
static void add_escaped(struct str *out, const char *text) {
  for (const char *p = text; *p; p++)
    if (strchr(" \t\n\\#", *p))
      str_addf(out, "\\%03o", (unsigned char)*p);
    else
      str_add_mem(out, p, 1);
}

static void add_mount(struct str *out, const struct kernel_mount *m) {
  str_addf(out, "%" PRIu64 " %" PRIu64 " %u:%u ", m->id, m->parent, m->major, m->minor);
  add_escaped(out, m->root);
  str_add(out, " ");
  add_escaped(out, m->place);
  str_addf(out, " rw%s%s - ", m->shared ? " shared:1" : "", m->slave ? " master:2" : "");
  add_escaped(out, m->type);
  str_add(out, " ");
  add_escaped(out, m->source);
  str_add(out, " ");
  add_escaped(out, m->options);
  str_add(out, "\n");
}

static void mountinfo(const char *text, struct error *err) {
  struct kernel_mounts CLEANUP(kernel_mounts_free) mounts = { 0 }, again = { 0 };
  CLEANUP_STR struct str written = { 0 };
  if (kernel_mounts_parse(text, &mounts, err) < 0)
    return;
  for (size_t i = 0; i < mounts.len; i++) {
    expect(kernel_mounts_by_id(&mounts, mounts.items[i].id), "a mount is not found by its id");
    add_mount(&written, &mounts.items[i]);
  }
  if (mounts.len == 0)
    return;
  expect(kernel_mounts_parse(written.data, &again, err) == 0, "what was written is not read");
  expect(again.len == mounts.len, "there are more or less mounts when written");
  for (size_t i = 0; i < mounts.len; i++) {
    const struct kernel_mount *a = &mounts.items[i], *b = &again.items[i];
    expect(a->id == b->id && a->parent == b->parent && a->shared == b->shared && a->slave == b->slave &&
               strcmp(a->place, b->place) == 0 && strcmp(a->root, b->root) == 0 &&
               strcmp(a->type, b->type) == 0 && strcmp(a->source, b->source) == 0,
           "a mount reads differently when written");
  }
}

static void cgroups(const char *text, struct error *err) {
  CLEANUP_KERNEL_CGROUPS struct kernel_cgroups groups = { 0 };
  if (kernel_cgroups_parse(text, &groups, err) < 0)
    return;
  for (size_t i = 0; i < groups.len; i++)
    expect(groups.items[i].controllers && groups.items[i].path && groups.items[i].path[0] == '/',
           "a group without a path");
  (void)kernel_cgroups_find(&groups, "memory");
}

static void status(const char *text, struct error *err) {
  struct kernel_status CLEANUP(kernel_status_free) s = { 0 };
  if (kernel_status_parse(text, &s, err) == 0)
    expect(s.seccomp >= 0 && s.seccomp_filters >= -1, "a number below all");
}

static void limits(const char *text, struct error *err) {
  struct kernel_limit all[KERNEL_LIMITS];
  if (kernel_limits_parse(text, all, err) < 0)
    return;
}

static void fdinfo(const char *text, struct error *err) {
  struct kernel_fd fd = { 0 };
  if (kernel_fdinfo_parse(text, &fd, err) < 0)
    return;
}

static void idmap(const char *text, struct error *err) {
  struct kernel_idmap map = { 0 };
  if (kernel_idmap_parse(text, &map, err) < 0)
    return;
}

static void stat_start(const char *text, struct error *err) {
  (void)err;
  (void)kernel_start_parse(text);
}

static const struct {
  const char *name;
  void (*read)(const char *text, struct error *err);
} readers[] = {
  { "mountinfo\n", mountinfo }, { "cgroup\n", cgroups }, { "status\n", status },   { "limits\n", limits },
  { "fdinfo\n", fdinfo },       { "uid_map\n", idmap },  { "stat\n", stat_start },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  CLEANUP_FREE char *text = xcalloc(size + 1, 1);
  memcpy(text, data, size);
  for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
    struct error err = { 0 };
    if (!str_starts(text, readers[i].name))
      continue;
    /* Its own block, so that the sanitizer sees its end. */
    CLEANUP_FREE char *rest = xstrdup(text + strlen(readers[i].name));
    readers[i].read(rest, &err);
    expect(err.code == ERROR_NONE || (err.code == ERROR_INPUT && err.message[0]), "an error of another kind");
  }
  return 0;
}
