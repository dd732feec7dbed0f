/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle on disk, and the facts of configs that are told by a part of their text. */
#ifndef HARDEN_TESTS_FACTS_BUNDLE_H
#define HARDEN_TESTS_FACTS_BUNDLE_H

#include "base/str.h"
#include "facts/facts.h"
#include "tempdir.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* A bundle: TOP/bundle with rootfs/ inside, TOP/host for what lies outside. */
static char *top;
static int top_fd = -1;
static int bundle = -1;

static inline void dir(const char *name) {
  cr_assert(mkdirat(top_fd, name, 0755) == 0, "%s: %s", name, strerror(errno));
}

static inline void file(const char *name) {
  int fd = openat(top_fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  cr_assert(fd >= 0);
  close(fd);
}

static inline void link_to(const char *target, const char *name) {
  cr_assert(symlinkat(target, top_fd, name) == 0);
}

static inline void bundle_make(void) {
  top = tempdir_make("test_facts");
  top_fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
  dir("bundle");
  dir("bundle/rootfs");
  dir("host");
  bundle = openat(top_fd, "bundle", O_PATH | O_DIRECTORY | O_CLOEXEC);
  cr_assert(bundle >= 0);
}

static inline void bundle_remove(void) {
  close(bundle);
  close(top_fd);
  tempdir_remove(top);
}

/* Every "%" in the text becomes TOP. */
static inline char *expand(const char *text) {
  CLEANUP_STR struct str out = { 0 };
  for (; *text; text++) {
    if (*text == '%')
      str_add(&out, top);
    else
      str_add_mem(&out, text, 1);
  }
  return str_steal(&out);
}

static inline int probe_with(struct facts *f, const char *members, const struct policy *policy,
                             struct error *err) {
  CLEANUP_FREE char *expanded = expand(members);
  CLEANUP_FREE char *text = xasprintf("{\"ociVersion\":\"1.0.2\",%s}", expanded);
  const struct jsonx_source src = { "config.json", text, strlen(text) };
  CLEANUP_SPEC struct spec spec = { 0 };
  cr_assert(spec_parse(&spec, SPEC_CONFIG, &src, JSONX_LIMIT_DEFAULT, err) == 0, "%s", err->message);
  return facts_probe(f, &spec, bundle, &policy, policy ? 1 : 0, RUNTIME_CRUN, err);
}

static inline void probe(struct facts *f, const char *members, const struct policy *policy) {
  struct error err = { 0 };
  cr_assert(probe_with(f, members, policy, &err) == 0, "%s", err.message);
}

#define ROOT "\"root\":{\"path\":\"rootfs\"}"

#endif
