/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two seccomp sections in one text: [engine, policy, options]. Both decoded, intersected, and the result
 * judged by what the three mean. Whatever the sections are, the intersection must be as strict as both.
 */
#include "seccomp_oracle.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPTION_NATIVE_ONLY = 1, OPTION_RUNC = 2, OPTION_LISTENER = 4, OPTION_COARSE = 8 };

static void judge(const json_t *pair) {
  struct seccomp_profile a CLEANUP_SECCOMP_PROFILE = { 0 }, b CLEANUP_SECCOMP_PROFILE = { 0 };
  struct strlist every CLEANUP_STRLIST = { 0 };
  struct error err = { 0 };
  uint64_t bits = 0;
  if (seccomp_profile_decode(json_array_get(pair, 0), NULL, "/0", SECCOMP_ACCEPT_PERMISSIVE, &a, &err) < 0 ||
      seccomp_profile_decode(json_array_get(pair, 1), NULL, "/1", SECCOMP_ACCEPT_PERMISSIVE, &b, &err) < 0)
    return;
  jsonx_u64_get(json_array_get(pair, 2), &bits);
  strlist_add(&every, "*");
  struct seccomp_merge_options options = {
    .native_only = bits & OPTION_NATIVE_ONLY,
    .runtime = bits & OPTION_RUNC ? RUNTIME_RUNC : RUNTIME_CRUN,
    .engine_listener = bits & OPTION_LISTENER,
    .coarse = bits & OPTION_COARSE ? &every : NULL,
  };
  struct oracle o = { .a = &a, .b = &b, .random = 0x9e3779b97f4a7c15u };
  if (!oracle_merge(&o, &options, 2000)) {
    fprintf(stderr, "%s\n", o.fault);
    abort();
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct jsonx_source src = { "input", (const char *)data, size };
  struct error err = { 0 };
  json_auto_t *pair = NULL;
  if (jsonx_parse(&src, 1 << 16, &pair, &err) == 0 && json_is_array(pair))
    judge(pair);
  return 0;
}
