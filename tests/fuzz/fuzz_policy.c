/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as a policy and as config.json: no crash, and what was accepted says the same when written and read
 * again. */
#include "policy/config.h"
#include "policy/policy.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *encoded(const struct policy *p) {
  json_auto_t *value = policy_encode(p);
  struct str out = { 0 };
  jsonx_dump(value, &out);
  return str_steal(&out);
}

static void expect_same(const struct policy *p) {
  CLEANUP_POLICY struct policy copy = { 0 };
  policy_copy(&copy, p);
  CLEANUP_FREE char *text = encoded(&copy);
  const struct jsonx_source src = { "encoded", text, strlen(text) };
  CLEANUP_POLICY struct policy again;
  policy_init(&again);
  struct error err = { 0 };
  if (policy_decode(&again, &src, &err) < 0)
    abort();
  CLEANUP_FREE char *second = encoded(&again);
  if (strcmp(text, second) != 0)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  CLEANUP_FREE char *text = xcalloc(size + 1, 1);
  memcpy(text, data, size);
  const struct jsonx_source src = { "fuzz", text, size };
  struct error err = { 0 };
  CLEANUP_POLICY struct policy p = { 0 };
  if (policy_load_text(NULL, &src, &p, &err) == 0)
    expect_same(&p);
  else if (err.code != ERROR_POLICY || !err.message[0])
    abort();
  CLEANUP_CONFIG struct config c = { 0 };
  err = (struct error){ 0 };
  if (config_decode(&src, &c, &err) < 0 && (err.code != ERROR_POLICY || !err.message[0]))
    abort();
  return 0;
}
