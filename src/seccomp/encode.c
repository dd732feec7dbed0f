/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/model.h"

#include "seccomp/names.h"

#include <stdlib.h>
#include <string.h>

static json_t *object_new(void) {
  json_t *object = json_object();
  if (!object)
    die_out_of_memory();
  return object;
}

static json_t *array_new(void) {
  json_t *array = json_array();
  if (!array)
    die_out_of_memory();
  return array;
}

static void set_action(json_t *object, const char *key, const char *errno_key, uint32_t action) {
  jsonx_set_new(object, key, jsonx_string_new(seccomp_action_oci(action)));
  if ((action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
    jsonx_set_new(object, errno_key, jsonx_u64_new(action & SECCOMP_RET_DATA));
}

static json_t *encode_condition(const struct seccomp_condition *c) {
  json_t *object = object_new();
  jsonx_set_new(object, "index", jsonx_u64_new(c->index));
  jsonx_set_new(object, "value", jsonx_u64_new(c->value));
  if (c->op == SECCOMP_OP_MASKED_EQ)
    jsonx_set_new(object, "valueTwo", jsonx_u64_new(c->value_two));
  jsonx_set_new(object, "op", jsonx_string_new(seccomp_op_names[c->op]));
  return object;
}

static json_t *encode_entry(uint32_t action) {
  json_t *object = object_new();
  jsonx_set_new(object, "names", array_new());
  set_action(object, "action", "errnoRet", action);
  return object;
}

static json_t *encode_rule(const char *name, const struct seccomp_rule *rule) {
  json_t *object = encode_entry(rule->action);
  jsonx_append_new(json_object_get(object, "names"), jsonx_string_new(name));
  if (rule->len == 0)
    return object;
  json_t *args = array_new();
  for (unsigned i = 0; i < rule->len; i++)
    jsonx_append_new(args, encode_condition(&rule->conditions[i]));
  jsonx_set_new(object, "args", args);
  return object;
}

/* The one action that the call gets whatever its arguments. */
static bool plain_action(const struct seccomp_profile *profile, const struct seccomp_call *call,
                         uint32_t *ret) {
  if (call->len > 1 || (call->len == 1 && call->rules[0].len > 0))
    return false;
  *ret = call->len ? call->rules[0].action : profile->default_action;
  return true;
}

static int compare_actions(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  int order = seccomp_action_compare(y, x); /* strictest first */
  return order ? order : (x > y) - (x < y);
}

struct numbered {
  int number;
  const char *name; /* borrowed */
};

static int compare_numbered(const void *a, const void *b) {
  const struct numbered *x = a, *y = b;
  int order = (x->number < y->number) - (x->number > y->number); /* highest first */
  return order ? order : strcmp(x->name, y->name);
}

/*
 * The names that have the action unconditionally. libseccomp keeps rules in a list that is sorted by number,
 * and walks it from its start for each that is added: in this order that takes half the time.
 */
static void encode_names(const struct seccomp_profile *profile, uint32_t action, json_t *names) {
  const struct seccomp_abi *native = seccomp_abi_native();
  struct numbered *items CLEANUP_FREE = xcalloc(profile->calls_len, sizeof(*items));
  size_t n = 0;
  for (size_t i = 0; i < profile->calls_len; i++) {
    const char *name = profile->calls[i].name;
    uint32_t its;
    if (plain_action(profile, &profile->calls[i], &its) && its == action)
      items[n++] = (struct numbered){ seccomp_abi_number(native, name), name };
  }
  qsort(items, n, sizeof(*items), compare_numbered);
  for (size_t i = 0; i < n; i++)
    jsonx_append_new(names, jsonx_string_new(items[i].name));
}

/* One entry for every action with the names that have it unconditionally. */
static void encode_plain(const struct seccomp_profile *profile, json_t *syscalls) {
  uint32_t *plain CLEANUP_FREE = xcalloc(profile->calls_len + 1, sizeof(*plain));
  size_t n = 0;
  for (size_t i = 0; i < profile->calls_len; i++)
    if (plain_action(profile, &profile->calls[i], &plain[n]))
      n++;
  qsort(plain, n, sizeof(*plain), compare_actions);
  for (size_t i = 0; i < n; i++) {
    if (i > 0 && plain[i] == plain[i - 1])
      continue;
    json_t *entry = encode_entry(plain[i]);
    encode_names(profile, plain[i], json_object_get(entry, "names"));
    jsonx_append_new(syscalls, entry);
  }
}

json_t *seccomp_profile_encode(const struct seccomp_profile *profile) {
  json_t *section = object_new();
  set_action(section, "defaultAction", "defaultErrnoRet", profile->default_action);

  json_t *abis = array_new();
  for (size_t i = 0; i < profile->abis_len; i++)
    jsonx_append_new(abis, jsonx_string_new(profile->abis[i]->oci));
  jsonx_set_new(section, "architectures", abis);

  json_t *flags = array_new();
  for (int i = 0; seccomp_flag_names[i]; i++)
    if (profile->flags & 1u << i)
      jsonx_append_new(flags, jsonx_string_new(seccomp_flag_names[i]));
  jsonx_set_new(section, "flags", flags);

  if (profile->listener_path)
    jsonx_set_new(section, "listenerPath", jsonx_string_new(profile->listener_path));
  if (profile->listener_metadata)
    jsonx_set_new(section, "listenerMetadata", jsonx_string_new(profile->listener_metadata));

  json_t *syscalls = array_new();
  encode_plain(profile, syscalls);
  for (size_t i = 0; i < profile->calls_len; i++) {
    const struct seccomp_call *call = &profile->calls[i];
    uint32_t action;
    if (plain_action(profile, call, &action))
      continue;
    for (size_t j = 0; j < call->len; j++)
      jsonx_append_new(syscalls, encode_rule(call->name, &call->rules[j]));
  }
  jsonx_set_new(section, "syscalls", syscalls);
  return section;
}
