/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/model.h"
#include "seccomp/names.h"

#include <stdlib.h>
#include <string.h>

/* Where the decoder stands: the pointer grows and shrinks with the descent. */
struct decoder {
  const struct jsonx_source *src;
  struct str pointer;
  struct error *err;
  uint32_t default_action;
};

/* One rule of one name, before they are gathered by name. */
struct entry {
  const char *name; /* borrowed from the document */
  size_t order;     /* in the document, which qsort would lose */
  bool has_rule;    /* false: equal to the default */
  struct seccomp_rule rule;
};

struct entries {
  struct entry *items;
  size_t len;
  size_t size;
};

static void decoder_free(struct decoder *d) {
  str_free(&d->pointer);
}

static void entries_free(struct entries *e) {
  free(e->items);
}

static void entries_add(struct entries *e, const char *name, const struct seccomp_rule *rule) {
  if (e->len == e->size) {
    e->size = e->size ? e->size * 2 : 512;
    e->items = xrealloc(e->items, e->size, sizeof(*e->items));
  }
  e->items[e->len] = (struct entry){ .name = name, .order = e->len, .has_rule = rule != NULL };
  if (rule)
    e->items[e->len].rule = *rule;
  e->len++;
}

/* Enters a member or an item; decoder_leave() with what this returned goes back. */
static size_t decoder_enter(struct decoder *d, const char *key) {
  size_t mark = d->pointer.len;
  jsonx_pointer_add(&d->pointer, key);
  return mark;
}

static size_t decoder_enter_index(struct decoder *d, size_t index) {
  size_t mark = d->pointer.len;
  jsonx_pointer_add_index(&d->pointer, index);
  return mark;
}

static void decoder_leave(struct decoder *d, size_t mark) {
  d->pointer.len = mark;
  if (d->pointer.data)
    d->pointer.data[mark] = '\0';
}

/* Fails at the place entered. */
#define FAIL(d, code, ...)                                                                                   \
  ((d)->src ? jsonx_error((d)->err, code, (d)->src, decoder_place(d), __VA_ARGS__)                           \
            : (error_set((d)->err, code, 0, __VA_ARGS__), error_wrap((d)->err, "%s", decoder_place(d))))

static const char *decoder_place(const struct decoder *d) {
  return d->pointer.data ? d->pointer.data : "";
}

/* JSON null is absent, as it is for Go. */
static const json_t *member(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  return json_is_null(value) ? NULL : value;
}

static int check_object(struct decoder *d, const json_t *value, const char *const *keys) {
  if (!json_is_object(value))
    return FAIL(d, ERROR_INPUT, "must be an object");
  for (void *i = json_object_iter((json_t *)value); i; i = json_object_iter_next((json_t *)value, i)) {
    const char *key = json_object_iter_key(i);
    if (seccomp_name_index(keys, key) < 0) {
      decoder_enter(d, key);
      return FAIL(d, ERROR_INPUT, "unknown key");
    }
  }
  return 0;
}

/* An optional integer within [0, max]. */
static int get_u64(struct decoder *d, const json_t *object, const char *key, uint64_t max, uint64_t *ret) {
  const json_t *value = member(object, key);
  if (!value)
    return 0;
  size_t mark = decoder_enter(d, key);
  uint64_t number;
  if (!jsonx_u64_get(value, &number) || number > max)
    return FAIL(d, ERROR_INPUT, "must be an integer from 0 to %llu", (unsigned long long)max);
  *ret = number;
  decoder_leave(d, mark);
  return 0;
}

/* NULL: it is no string. A large integer is held as one (io/jsonx.h). */
static const char *text_of(const json_t *value) {
  return jsonx_is_integer(value) ? NULL : json_string_value(value);
}

static int get_string(struct decoder *d, const json_t *object, const char *key, const char **ret) {
  const json_t *value = member(object, key);
  *ret = NULL;
  if (!value)
    return 0;
  size_t mark = decoder_enter(d, key);
  *ret = text_of(value);
  if (!*ret)
    return FAIL(d, ERROR_INPUT, "must be a string");
  decoder_leave(d, mark);
  return 0;
}

/* An optional array; *ret is NULL when absent. */
static int get_array(struct decoder *d, const json_t *object, const char *key, const json_t **ret) {
  *ret = member(object, key);
  if (*ret && !json_is_array(*ret)) {
    decoder_enter(d, key);
    return FAIL(d, ERROR_INPUT, "must be an array");
  }
  return 0;
}

static int get_action(struct decoder *d, const json_t *object, const char *key, const char *errno_key,
                      uint32_t *ret) {
  const char *name;
  if (get_string(d, object, key, &name) < 0)
    return -1;
  if (!name)
    return FAIL(d, ERROR_INPUT, "needs \"%s\"", key);
  if (!seccomp_action_by_oci(name, ret)) {
    decoder_enter(d, key);
    return FAIL(d, ERROR_INPUT, "unknown action \"%s\"", name);
  }
  if (*ret == SECCOMP_RET_TRACE) {
    decoder_enter(d, key);
    return FAIL(d, ERROR_REFUSED, "SCMP_ACT_TRACE hands the decision to any tracer; not accepted");
  }

  uint64_t number = EPERM;
  if (get_u64(d, object, errno_key, UINT32_MAX, &number) < 0)
    return -1;
  if (number > SECCOMP_ERRNO_MAX || (number == 0 && *ret == SECCOMP_RET_ERRNO)) {
    decoder_enter(d, errno_key);
    return FAIL(d, ERROR_REFUSED, "%llu is no errno: the call would seem to succeed; use 1 to %d",
                (unsigned long long)number, SECCOMP_ERRNO_MAX);
  }
  if (*ret == SECCOMP_RET_ERRNO)
    *ret |= (uint32_t)number;
  return 0;
}

static int decode_condition(struct decoder *d, const json_t *value, struct seccomp_condition *ret) {
  static const char *const keys[] = { "index", "value", "valueTwo", "op", NULL };
  uint64_t index = UINT64_MAX;
  const char *op;
  *ret = (struct seccomp_condition){ 0 };
  if (check_object(d, value, keys) < 0 || get_u64(d, value, "index", SECCOMP_ARGS - 1, &index) < 0 ||
      get_u64(d, value, "value", UINT64_MAX, &ret->value) < 0 ||
      get_u64(d, value, "valueTwo", UINT64_MAX, &ret->value_two) < 0 || get_string(d, value, "op", &op) < 0)
    return -1;
  if (index == UINT64_MAX || !op)
    return FAIL(d, ERROR_INPUT, "needs \"index\" and \"op\"");
  int i = seccomp_name_index(seccomp_op_names, op);
  if (i < 0)
    return FAIL(d, ERROR_INPUT, "unknown operator \"%s\"", op);
  ret->index = (unsigned)index;
  ret->op = (enum seccomp_op)i;
  return 0;
}

/* The conditions of one rule, and whether some argument has two of them: then they are alternatives. */
static int decode_conditions(struct decoder *d, const json_t *object, struct seccomp_rule *rule,
                             bool *ret_alternatives) {
  const json_t *args;
  bool seen[SECCOMP_ARGS] = { false };
  *ret_alternatives = false;
  if (get_array(d, object, "args", &args) < 0)
    return -1;
  size_t mark = decoder_enter(d, "args");
  if (json_array_size(args) > SECCOMP_ARGS)
    return FAIL(d, ERROR_INPUT, "more than %d conditions", SECCOMP_ARGS);
  for (size_t i = 0; i < json_array_size(args); i++) {
    size_t item = decoder_enter_index(d, i);
    struct seccomp_condition *c = &rule->conditions[rule->len];
    if (decode_condition(d, json_array_get(args, i), c) < 0)
      return -1;
    if (seen[c->index])
      *ret_alternatives = true;
    seen[c->index] = true;
    rule->len++;
    decoder_leave(d, item);
  }
  decoder_leave(d, mark);
  return 0;
}

static void add_rules(struct entries *entries, const char *name, const struct seccomp_rule *rule,
                      bool alternatives, uint32_t default_action) {
  if (rule->action == default_action) {
    entries_add(entries, name, NULL);
    return;
  }
  if (!alternatives) {
    entries_add(entries, name, rule);
    return;
  }
  for (unsigned i = 0; i < rule->len; i++) {
    struct seccomp_rule one = { .action = rule->action, .len = 1, .conditions = { rule->conditions[i] } };
    entries_add(entries, name, &one);
  }
}

static bool name_is_known(const char *name) {
  return seccomp_abi_number(seccomp_abi_native(), name) != SECCOMP_NR_UNKNOWN;
}

static int decode_syscall(struct decoder *d, const json_t *value, struct entries *entries) {
  static const char *const keys[] = { "names", "action", "errnoRet", "args", NULL };
  struct seccomp_rule rule = { 0 };
  bool alternatives;
  const json_t *names;
  if (check_object(d, value, keys) < 0 || get_array(d, value, "names", &names) < 0 ||
      get_action(d, value, "action", "errnoRet", &rule.action) < 0 ||
      decode_conditions(d, value, &rule, &alternatives) < 0)
    return -1;
  size_t mark = decoder_enter(d, "names");
  if (json_array_size(names) == 0)
    return FAIL(d, ERROR_INPUT, "must name a system call");
  for (size_t i = 0; i < json_array_size(names); i++) {
    const char *name = text_of(json_array_get(names, i));
    size_t item = decoder_enter_index(d, i);
    if (!name || !*name)
      return FAIL(d, ERROR_INPUT, "must be the name of a system call");
    if (seccomp_action_permissive(d->default_action) && !name_is_known(name))
      return FAIL(d, ERROR_REFUSED, "unknown system call \"%s\": the rule would be skipped, the call allowed",
                  name);
    add_rules(entries, name, &rule, alternatives, d->default_action);
    decoder_leave(d, item);
  }
  decoder_leave(d, mark);
  return 0;
}

static int compare_entries(const void *a, const void *b) {
  const struct entry *x = a, *y = b;
  int order = strcmp(x->name, y->name);
  return order ? order : (x->order > y->order) - (x->order < y->order);
}

static void gather_calls(struct entries *entries, struct seccomp_profile *profile) {
  if (entries->len)
    qsort(entries->items, entries->len, sizeof(*entries->items), compare_entries);
  profile->calls = xcalloc(entries->len + 1, sizeof(*profile->calls));
  for (size_t i = 0, end; i < entries->len; i = end) {
    const char *name = entries->items[i].name;
    struct seccomp_call *call = &profile->calls[profile->calls_len++];
    call->name = xstrdup(name);
    for (end = i; end < entries->len && strcmp(entries->items[end].name, name) == 0; end++)
      ;
    call->rules = xcalloc(end - i, sizeof(*call->rules));
    for (size_t j = i; j < end; j++)
      if (entries->items[j].has_rule)
        call->rules[call->len++] = entries->items[j].rule;
  }
}

static int decode_abis(struct decoder *d, const json_t *section, struct seccomp_profile *profile) {
  const json_t *names;
  if (get_array(d, section, "architectures", &names) < 0)
    return -1;
  profile->abis = xcalloc(json_array_size(names) + 1, sizeof(const struct seccomp_abi *));
  profile->abis[profile->abis_len++] = seccomp_abi_native();
  size_t mark = decoder_enter(d, "architectures");
  for (size_t i = 0; i < json_array_size(names); i++) {
    const char *name = text_of(json_array_get(names, i));
    const struct seccomp_abi *abi = name ? seccomp_abi_by_oci(name) : NULL;
    size_t item = decoder_enter_index(d, i);
    if (!abi)
      return FAIL(d, ERROR_INPUT, "unknown architecture%s%s", name ? " " : "", name ? name : "");
    if (!seccomp_profile_has_abi(profile, abi))
      profile->abis[profile->abis_len++] = abi;
    decoder_leave(d, item);
  }
  decoder_leave(d, mark);
  return 0;
}

static int decode_flags(struct decoder *d, const json_t *section, struct seccomp_profile *profile) {
  const json_t *flags;
  if (get_array(d, section, "flags", &flags) < 0)
    return -1;
  size_t mark = decoder_enter(d, "flags");
  for (size_t i = 0; i < json_array_size(flags); i++) {
    const char *name = text_of(json_array_get(flags, i));
    int index = name ? seccomp_name_index(seccomp_flag_names, name) : -1;
    size_t item = decoder_enter_index(d, i);
    if (index < 0)
      return FAIL(d, ERROR_INPUT, "unknown flag%s%s", name ? " " : "", name ? name : "");
    profile->flags |= 1u << index;
    decoder_leave(d, item);
  }
  decoder_leave(d, mark);
  return 0;
}

static int decode_default(struct decoder *d, const json_t *section, unsigned accept,
                          struct seccomp_profile *profile) {
  if (get_action(d, section, "defaultAction", "defaultErrnoRet", &profile->default_action) < 0)
    return -1;
  d->default_action = profile->default_action;
  if (seccomp_action_permissive(profile->default_action) && !(accept & SECCOMP_ACCEPT_PERMISSIVE)) {
    decoder_enter(d, "defaultAction");
    return FAIL(d, ERROR_REFUSED, "%s lets every call through that no rule names",
                seccomp_action_oci(profile->default_action));
  }
  return 0;
}

static int decode_section(struct decoder *d, const json_t *section, unsigned accept,
                          struct seccomp_profile *profile, struct entries *entries) {
  static const char *const keys[] = { "defaultAction", "defaultErrnoRet",  "architectures", "flags",
                                      "listenerPath",  "listenerMetadata", "syscalls",      NULL };
  const char *path, *metadata;
  const json_t *syscalls;
  if (check_object(d, section, keys) < 0 || decode_default(d, section, accept, profile) < 0 ||
      decode_abis(d, section, profile) < 0 || decode_flags(d, section, profile) < 0 ||
      get_string(d, section, "listenerPath", &path) < 0 ||
      get_string(d, section, "listenerMetadata", &metadata) < 0 ||
      get_array(d, section, "syscalls", &syscalls) < 0)
    return -1;
  profile->listener_path = xstrdup(path);
  profile->listener_metadata = xstrdup(metadata);
  size_t mark = decoder_enter(d, "syscalls");
  if (json_array_size(syscalls) == 0)
    return FAIL(d, ERROR_INPUT, "a filter without rules says nothing");
  for (size_t i = 0; i < json_array_size(syscalls); i++) {
    size_t item = decoder_enter_index(d, i);
    if (decode_syscall(d, json_array_get(syscalls, i), entries) < 0)
      return -1;
    decoder_leave(d, item);
  }
  decoder_leave(d, mark);
  return 0;
}

int seccomp_profile_decode(const json_t *section, const struct jsonx_source *src, const char *pointer,
                           unsigned accept, struct seccomp_profile *ret, struct error *err) {
  struct decoder d CLEANUP(decoder_free) = { .src = src, .err = err };
  struct seccomp_profile profile CLEANUP_SECCOMP_PROFILE = { 0 };
  struct entries entries CLEANUP(entries_free) = { 0 };
  str_add(&d.pointer, pointer);
  if (decode_section(&d, section, accept, &profile, &entries) < 0)
    return -1;
  gather_calls(&entries, &profile);
  *ret = profile;
  profile = (struct seccomp_profile){ 0 };
  return 0;
}
