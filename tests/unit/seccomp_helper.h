/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of src/seccomp share. */
#ifndef HARDEN_TESTS_SECCOMP_HELPER_H
#define HARDEN_TESTS_SECCOMP_HELPER_H

#include "io/fileio.h"
#include "io/jsonx.h"
#include "seccomp/compile.h"
#include "seccomp/model.h"
#include "seccomp/simulate.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>

/* Parses JSON in which ' stands for ". */
static inline json_t *section_of(const char *text) {
  CLEANUP_FREE char *json = xstrdup(text);
  for (char *p = json; *p; p++)
    if (*p == '\'')
      *p = '"';
  struct error err = { 0 };
  json_t *section = NULL;
  const struct jsonx_source src = { "test", json, strlen(json) };
  cr_assert_eq(jsonx_parse(&src, JSONX_LIMIT_DEFAULT, &section, &err), 0, "%s", err.message);
  return section;
}

static inline void profile_of(const char *text, struct seccomp_profile *ret) {
  struct error err = { 0 };
  json_auto_t *section = section_of(text);
  cr_assert_eq(seccomp_profile_decode(section, NULL, "", SECCOMP_ACCEPT_PERMISSIVE, ret, &err), 0, "%s",
               err.message);
}

/* /linux/seccomp of an engine's config.json; a new reference. */
static inline json_t *section_of_fixture(const char *path) {
  struct error err = { 0 };
  CLEANUP_FREE char *text = NULL;
  json_auto_t *root = NULL;
  struct jsonx_source src = { .name = path };
  cr_assert_eq(file_read(AT_FDCWD, path, RESOLVE_TRUSTED, JSONX_LIMIT_DEFAULT, &text, &src.len, NULL, &err),
               0, "%s", err.message);
  src.text = text;
  cr_assert_eq(jsonx_parse(&src, JSONX_LIMIT_DEFAULT, &root, &err), 0, "%s", err.message);
  return json_incref(jsonx_at(root, "/linux/seccomp"));
}

static inline void compile_one(const struct seccomp_profile *profile, bool tree,
                               struct seccomp_program *ret) {
  struct error err = { 0 };
  struct seccomp_compilation job = { .profile = profile, .abis = profile, .tree = tree };
  cr_assert_eq(seccomp_compile(&job, 1, &seccomp_compile_limits, &err), 0, "%s", err.message);
  *ret = job.program;
}

/* What a program does to a call of the native ABI. */
static inline uint32_t judge_native(const struct sock_filter *filter, size_t len, const char *name,
                                    uint64_t a0) {
  const struct seccomp_abi *native = seccomp_abi_native();
  struct seccomp_data data = { .nr = seccomp_abi_number(native, name),
                               .arch = native->audit,
                               .args = { a0 } };
  return bpf_run(filter, len, &data);
}

#endif
