/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a C table of the built-in policies as they are after inheritance. Runs once, when the program is
 * built. */
#include "policy/policy.h"
#include "policy/rows.h"

#include <stdio.h>

/* None: here the texts are read. */
const struct policy_packed policies_packed[] = { { NULL, NULL, NULL } };

static void print_bytes(const char *label, size_t index, const struct str *bytes) {
  printf("static const char %s_%zu[] = {", label, index);
  for (size_t i = 0; i < bytes->len; i++)
    printf("%s'\\%03o',", i % 16 == 0 ? "\n" : "", (unsigned char)bytes->data[i]);
  printf("\n0};\n");
}

static int print_policy(const char *name, size_t index) {
  CLEANUP_POLICY struct policy policy = { 0 };
  CLEANUP_STR struct str values = { 0 };
  CLEANUP_STR struct str text = { 0 };
  struct error err = { 0 };
  if (policy_load(NULL, name, &policy, &err) < 0) {
    fprintf(stderr, "pack-policies: %s\n", err.message);
    return -1;
  }
  rows_pack(policy_rows, &policy, &values);
  json_auto_t *encoded = policy_encode(&policy);
  jsonx_dump(encoded, &text);
  print_bytes("values", index, &values);
  print_bytes("json", index, &text);
  return 0;
}

int main(void) {
  printf("/* Made by tools/pack-policies.c. */\n#include \"policy/policy.h\"\n\n");
  size_t len = 0;
  for (const struct builtin *b = builtin_policies; b->name; b++)
    if (print_policy(b->name, len++) < 0)
      return 1;
  printf("const struct policy_packed policies_packed[] = {\n");
  for (size_t i = 0; i < len; i++)
    printf("  { \"%s\", values_%zu, json_%zu },\n", builtin_policies[i].name, i, i);
  printf("  { NULL, NULL, NULL },\n};\n");
  return fflush(stdout) == 0 ? 0 : 1;
}
