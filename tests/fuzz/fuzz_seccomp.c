/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two seccomp sections in one text: [engine, policy, options]. Both decoded, intersected, and the result
 * judged by what the three mean. Whatever the sections are, the intersection must be as strict as both.
 */
#include "seccomp/compile.h"
#include "seccomp/validate.h"

#include "json_mutator.h"
#include "seccomp_oracle.h"

#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPTION_NATIVE_ONLY = 1, OPTION_RUNC = 2, OPTION_LISTENER = 4, OPTION_COARSE = 8, OPTION_COMPILE = 16 };

static void fail(const char *why) {
  fprintf(stderr, "%s\n", why);
  abort();
}

/* With one action for every call there is nothing that libseccomp could get wrong. */
static void judge_compiled(const struct seccomp_profile *a, const struct seccomp_profile *b,
                           struct seccomp_merge_options options, const struct strlist *coarse) {
  struct seccomp_profile merged CLEANUP_SECCOMP_PROFILE = { 0 };
  struct error err = { 0 };
  char *call CLEANUP_FREE = NULL;
  options.coarse = coarse;
  seccomp_profile_merge(a, b, &options, &merged, NULL);
  struct seccomp_compilation job = { .profile = &merged, .abis = &merged };
  if (seccomp_compile(&job, 1, &seccomp_compile_limits, &err) < 0)
    return; /* too long for the kernel, say */
  struct seccomp_validation validation = { .result = &merged,
                                           .programs = { &job.program },
                                           .programs_len = 1,
                                           .inputs = { a, b },
                                           .input_names = { "the first", "the second" },
                                           .inputs_len = 2 };
  if (seccomp_validate(&validation, &call, &err) < 0)
    fail(err.message);
  seccomp_program_free(&job.program);
}

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
  if (!oracle_merge(&o, &options, 2000))
    fail(o.fault);
  if (bits & OPTION_COMPILE)
    judge_compiled(&a, &b, options, &every);
}

/* The mutator's donors: pairs of the engines' own sections. */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  mutator_load(".json", ".process.json", "/linux/seccomp");
  for (size_t i = 0; i < mutator.donors_len; i++)
    mutator.donors[i] = json_pack("[ooi]", mutator.donors[i], json_deep_copy(mutator.donors[i]), 0);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct jsonx_source src = { "input", (const char *)data, size };
  struct error err = { 0 };
  json_auto_t *pair = NULL;
  if (jsonx_parse(&src, 1 << 16, &pair, &err) == 0 && json_is_array(pair))
    judge(pair);
  return 0;
}
