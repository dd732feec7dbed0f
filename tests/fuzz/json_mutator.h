/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LLVMFuzzerCustomMutator for inputs of two parts: one line of JSON that chooses policies and facts, and
 * behind it the document. Bytes alone would exercise the parser; this changes trees: values are swapped with
 * those of the fixtures at the same place, members are doubled, folded, taken away, numbers become extreme.
 * Sometimes bytes change all the same.
 */
#ifndef HARDEN_TESTS_FUZZ_JSON_MUTATOR_H
#define HARDEN_TESTS_FUZZ_JSON_MUTATOR_H

#include "io/fileio.h"
#include "io/jsonx.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

/* A string that begins so is written as what follows, without quotes: numbers that jansson cannot hold. */
#define MUTATOR_RAW "\001raw:"

struct mutator {
  uint64_t random;
  json_t **donors; /* the fixtures of the target's kind */
  size_t donors_len;
  bool spares_filters; /* leaves seccomp sections as they are, mostly */
  json_t *document;
};
static struct mutator mutator;

static uint64_t mutator_random(uint64_t below) {
  mutator.random ^= mutator.random << 13;
  mutator.random ^= mutator.random >> 7;
  mutator.random ^= mutator.random << 17;
  return below ? (mutator.random >> 11) % below : 0;
}

/* With integers above 2^63-1 in jsonx's form; where only jansson takes the text, as jansson has it. */
static json_t *mutator_read(const char *text, size_t len) {
  const struct jsonx_source src = { "input", text, len };
  struct error ignored = { 0 };
  json_t *value = json_loadb(text, len, JSON_DECODE_ANY, NULL);
  return value || jsonx_parse(&src, SIZE_MAX, &value, &ignored) == 0 ? value : NULL;
}

static json_t *mutator_read_file(const char *path) {
  struct error err = { 0 };
  CLEANUP_FREE char *text = NULL;
  size_t len = 0;
  if (file_read(AT_FDCWD, path, RESOLVE_TRUSTED, JSONX_LIMIT_DEFAULT, &text, &len, NULL, &err) < 0)
    return NULL;
  return mutator_read(text, len);
}

/* What is at `pointer` in the fixtures whose name ends in `suffix`, and not in `other` (NULL: none). */
static void mutator_load(const char *suffix, const char *other, const char *pointer) {
  DIR *engines = opendir("tests/fixtures");
  for (struct dirent *engine; engines && (engine = readdir(engines));) {
    CLEANUP_FREE char *dir = xasprintf("tests/fixtures/%s", engine->d_name);
    DIR *files = engine->d_name[0] == '.' ? NULL : opendir(dir);
    for (struct dirent *file; files && (file = readdir(files));) {
      CLEANUP_FREE char *path = xasprintf("%s/%s", dir, file->d_name);
      const bool wanted = str_ends(path, suffix) && !(other && str_ends(path, other));
      json_auto_t *whole = wanted ? mutator_read_file(path) : NULL;
      json_t *donor = json_incref(jsonx_at(whole, pointer));
      if (!donor)
        continue;
      /* 3,000 variables would make every child of this one slow. */
      json_t *env = json_object_get(json_object_get(donor, "process"), "env");
      while (json_array_size(env) > 40)
        json_array_remove(env, json_array_size(env) - 1);
      mutator.donors = xrealloc(mutator.donors, mutator.donors_len + 1, sizeof *mutator.donors);
      mutator.donors[mutator.donors_len++] = donor;
    }
    if (files)
      closedir(files);
  }
  if (engines)
    closedir(engines);
  if (mutator.donors_len == 0) {
    fprintf(stderr, "no fixtures: run this from the top of the tree\n");
    abort();
  }
}

/* Where a value hangs. */
struct mutator_spot {
  json_t *parent; /* NULL: the document itself */
  const char *key;
  size_t index;
  struct mutator_spot *above;
};

static json_t *mutator_value(const struct mutator_spot *s) {
  if (!s->parent)
    return mutator.document;
  return json_is_object(s->parent) ? json_object_get(s->parent, s->key) : json_array_get(s->parent, s->index);
}

static size_t mutator_children(const json_t *value) {
  return json_is_object(value) ? json_object_size(value) : json_array_size(value);
}

static void mutator_child(json_t *value, size_t index, struct mutator_spot *ret) {
  *ret = (struct mutator_spot){ .parent = value, .index = index };
  if (!json_is_object(value))
    return;
  void *iter = json_object_iter(value);
  while (index-- > 0)
    iter = json_object_iter_next(value, iter);
  ret->key = json_object_iter_key(iter);
}

/* Down from the root, each level an even choice, so that a long list of calls does not get all the attention.
 */
static struct mutator_spot *mutator_descend(struct mutator_spot path[64], json_t *root) {
  struct mutator_spot *at = path;
  *at = (struct mutator_spot){ 0 };
  for (json_t *value = root; at < path + 62 && mutator_children(value) > 0; value = mutator_value(at)) {
    if (at > path && mutator_random(4) == 0)
      break;
    mutator_child(value, mutator_random(mutator_children(value)), at + 1);
    /* A new filter takes a compiler's time; fuzz_seccomp has it. */
    if (mutator.spares_filters && at[1].key && strcmp(at[1].key, "seccomp") == 0 && mutator_random(32) > 0)
      break;
    at[1].above = at;
    at++;
  }
  return at;
}

/* Takes `value`; NULL removes. */
static void mutator_put(const struct mutator_spot *s, json_t *value) {
  if (!s->parent && value) {
    json_decref(mutator.document);
    mutator.document = value;
  } else if (!s->parent) {
    return;
  } else if (json_is_object(s->parent)) {
    CLEANUP_FREE char *key = xstrdup(s->key);
    if (value)
      json_object_set_new_nocheck(s->parent, key, value);
    else
      json_object_del(s->parent, key);
  } else if (value) {
    json_array_set_new(s->parent, s->index, value);
  } else {
    json_array_remove(s->parent, s->index);
  }
}

/* What a fixture has at the same place, arrays at any index. NULL: nothing. Borrowed. */
static json_t *mutator_same_place(json_t *donor, const struct mutator_spot *s) {
  if (!s->parent)
    return donor;
  json_t *parent = mutator_same_place(donor, s->above);
  return json_is_object(parent) && s->key ? json_object_get(parent, s->key)
                                          : json_array_get(parent, mutator_random(json_array_size(parent)));
}

static json_t *mutator_donor(void) {
  return mutator.donors[mutator_random(mutator.donors_len)];
}

static json_t *mutator_scalar(void) {
  static const char *const numbers[] = { "0",
                                         "-0",
                                         "1",
                                         "-1",
                                         "1.0",
                                         "1e3",
                                         "1E400",
                                         "-1e-400",
                                         "0.1",
                                         "4294967295",
                                         "4294967296",
                                         "2147483647",
                                         "-2147483648",
                                         "2147483648",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "9223372036854775808",
                                         "18446744073709551615",
                                         "18446744073709551616",
                                         "1024",
                                         "65534",
                                         "420",
                                         "511",
                                         "2048" };
  static const char *const texts[] = { "",
                                       "/",
                                       ".",
                                       "..",
                                       "/..",
                                       "//",
                                       "/proc",
                                       "/proc/self/fd/7",
                                       "/proc/1/ns/net",
                                       "/sys",
                                       "/dev",
                                       "/dev/null",
                                       "/etc",
                                       "/run",
                                       "/var/run",
                                       "/tmp",
                                       "/data/../proc",
                                       "ro",
                                       "rw",
                                       "rro",
                                       "bind",
                                       "rbind",
                                       "suid",
                                       "exec",
                                       "dev",
                                       "nosuid",
                                       "nodev",
                                       "noexec",
                                       "shared",
                                       "rshared",
                                       "private",
                                       "tmpcopyup",
                                       "idmap",
                                       "mode=755",
                                       "size=1k",
                                       "tmpfs",
                                       "proc",
                                       "sysfs",
                                       "devpts",
                                       "cgroup",
                                       "mqueue",
                                       "overlay",
                                       "none",
                                       "CAP_SYS_ADMIN",
                                       "CAP_NET_BIND_SERVICE",
                                       "cap_sys_admin",
                                       "SYS_ADMIN",
                                       "ALL",
                                       "SCMP_ACT_ALLOW",
                                       "SCMP_ACT_ERRNO",
                                       "SCMP_ACT_KILL",
                                       "SCMP_ACT_TRACE",
                                       "SCMP_ACT_LOG",
                                       "SCMP_ACT_NOTIFY",
                                       "SCMP_CMP_EQ",
                                       "SCMP_CMP_MASKED_EQ",
                                       "SCMP_ARCH_X86_64",
                                       "SCMP_ARCH_X86",
                                       "SCMP_ARCH_X32",
                                       "clone",
                                       "unshare",
                                       "socket",
                                       "mount",
                                       "read",
                                       "pid",
                                       "network",
                                       "user",
                                       "mount",
                                       "cgroup",
                                       "ipc",
                                       "uts",
                                       "time",
                                       "a",
                                       "c",
                                       "b",
                                       "u",
                                       "rwm",
                                       "RLIMIT_NOFILE",
                                       "RLIMIT_CORE",
                                       "unconfined",
                                       "net.ipv4.ip_forward",
                                       "kernel.core_pattern",
                                       "PASSWORD=x",
                                       "PATH=/bin",
                                       "LD_PRELOAD=/x",
                                       "harden",
                                       "deny",
                                       "audit",
                                       "off",
                                       "restricted",
                                       "strict",
                                       "baseline",
                                       "privileged",
                                       "*",
                                       "...",
                                       "run.oci.seccomp_bpf_data",
                                       "SCHED_FIFO" };
  size_t kind = mutator_random(8);
  if (kind < 3) {
    CLEANUP_FREE char *raw = xasprintf("%s%s", MUTATOR_RAW, numbers[mutator_random(ARRAY_SIZE(numbers))]);
    return json_string(raw);
  }
  if (kind < 6)
    return json_string(texts[mutator_random(ARRAY_SIZE(texts))]);
  return kind == 6           ? json_boolean(mutator_random(2))
         : mutator_random(3) ? json_array()
         : mutator_random(2) ? json_object()
                             : json_null();
}

/* "process" as "Process", "proce\u017fs", "PROCESS". */
static char *mutator_folded(const char *key) {
  CLEANUP_STR struct str out = { 0 };
  size_t at = mutator_random(strlen(key) + 1), how = mutator_random(3);
  for (size_t i = 0; key[i]; i++) {
    char c = key[i];
    if ((c == 's' || c == 'k') && how == 0)
      str_add(&out, c == 's' ? "\u017f" : "\u212a");
    else if (how == 1 || i == at)
      str_addf(&out, "%c", isupper((unsigned char)c) ? tolower((unsigned char)c) : toupper((unsigned char)c));
    else
      str_add_mem(&out, &c, 1);
  }
  return str_steal(&out);
}

static void mutator_add_member(json_t *object, const struct mutator_spot *s) {
  json_t *donor = mutator_same_place(mutator_donor(), s);
  struct mutator_spot child;
  if (json_is_object(object) && json_is_object(donor) && json_object_size(donor) > 0) {
    mutator_child(donor, mutator_random(json_object_size(donor)), &child);
    json_object_set_new(object, child.key, json_deep_copy(json_object_get(donor, child.key)));
  } else if (json_is_array(object) && json_array_size(donor) > 0) {
    json_array_insert_new(object, mutator_random(json_array_size(object) + 1),
                          json_deep_copy(json_array_get(donor, mutator_random(json_array_size(donor)))));
  }
}

static void mutator_change_text(const struct mutator_spot *s, const json_t *value) {
  uint8_t bytes[512] = { 0 };
  size_t len = json_string_length(value);
  if (len > sizeof bytes / 2)
    return;
  memcpy(bytes, json_string_value(value), len);
  len = LLVMFuzzerMutate(bytes, len, sizeof bytes);
  json_t *changed = json_stringn((const char *)bytes, len);
  if (changed)
    mutator_put(s, changed);
}

static void mutator_change(void) {
  struct mutator_spot path[64], other[64];
  const struct mutator_spot *s = mutator_descend(path, mutator.document), *t;
  json_t *value = mutator_value(s), *donor;
  switch (mutator_random(10)) {
  case 0:
    mutator_put(s, NULL);
    break;
  case 1:
  case 2:
    donor = mutator_same_place(mutator_donor(), s);
    if (donor)
      mutator_put(s, json_deep_copy(donor));
    break;
  case 3:
    mutator_put(s, mutator_scalar());
    break;
  case 4: /* a value from anywhere */
    t = mutator_descend(other, mutator.document);
    mutator_put(s, json_deep_copy(mutator_value(t)));
    break;
  case 5: /* doubled, and one of the two is another's */
    if (json_is_object(s->parent)) {
      CLEANUP_FREE char *key = mutator_folded(s->key);
      json_object_set_new(s->parent, key, json_deep_copy(value));
    } else if (json_is_array(s->parent)) {
      json_array_insert_new(s->parent, mutator_random(json_array_size(s->parent) + 1), json_deep_copy(value));
    }
    break;
  case 6:
  case 7:
    mutator_add_member(json_is_object(value) || json_is_array(value) ? value : s->parent,
                       json_is_object(value) || json_is_array(value) || !s->above ? s : s->above);
    break;
  case 8:
    if (json_is_string(value))
      mutator_change_text(s, value);
    else if (json_is_integer(value))
      mutator_put(s, json_integer((json_int_t)((uint64_t)json_integer_value(value) + mutator_random(5) - 2)));
    else if (json_is_boolean(value))
      mutator_put(s, json_boolean(!json_is_true(value)));
    break;
  default:
    if (json_is_array(value) && json_array_size(value) < 512)
      json_array_append_new(value, mutator_scalar());
    else
      mutator_put(s, mutator_scalar());
  }
}

static void mutator_dump_string(const char *text, size_t len, struct str *out) {
  json_auto_t *value = json_stringn_nocheck(text, len);
  CLEANUP_FREE char *quoted = json_dumps(value, JSON_ENCODE_ANY);
  str_add(out, quoted ? quoted : "\"\"");
}

/* One member in some thousand is written twice. */
static void mutator_dump(const json_t *value, struct str *out) {
  const char *key, *separator = "";
  size_t i;
  json_t *item;
  uint64_t number;
  if (json_is_object(value)) {
    str_add(out, "{");
    json_object_foreach((json_t *)value, key, item) {
      for (size_t times = mutator_random(4000) == 0 ? 2 : 1; times > 0; times--) {
        str_add(out, separator);
        mutator_dump_string(key, strlen(key), out);
        str_add(out, ":");
        mutator_dump(item, out);
        separator = ",";
      }
    }
    str_add(out, "}");
  } else if (json_is_array(value)) {
    str_add(out, "[");
    json_array_foreach(value, i, item) {
      str_add(out, separator);
      mutator_dump(item, out);
      separator = ",";
    }
    str_add(out, "]");
  } else if (json_is_string(value) && str_starts(json_string_value(value), MUTATOR_RAW)) {
    str_add(out, json_string_value(value) + strlen(MUTATOR_RAW));
  } else if (json_is_string(value) && jsonx_u64_get(value, &number)) {
    str_addf(out, "%" PRIu64, number);
  } else if (json_is_string(value)) {
    mutator_dump_string(json_string_value(value), json_string_length(value), out);
  } else {
    CLEANUP_FREE char *text = json_dumps(value, JSON_ENCODE_ANY);
    str_add(out, text ? text : "null");
  }
}

/* Changes the JSON text; false: it is none. */
static bool mutator_text(const char *text, size_t len, struct str *out) {
  mutator.document = mutator_read(text, len);
  if (!mutator.document)
    return false;
  for (size_t n = 1 + mutator_random(4); n > 0; n--)
    mutator_change();
  mutator_dump(mutator.document, out);
  json_decref(mutator.document);
  mutator.document = NULL;
  return true;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed) {
  CLEANUP_STR struct str out = { 0 };
  mutator.random = seed * 0x9e3779b97f4a7c15u | 1;
  const uint8_t *newline = memchr(data, '\n', size);
  const size_t head = newline ? (size_t)(newline - data) + 1 : 0;
  const bool in_head = mutator_random(8) == 0;
  bool done = false;
  if (mutator_random(16) == 0)
    return LLVMFuzzerMutate(data, size, max_size);
  if (in_head && head > 0) {
    done = mutator_text((const char *)data, head - 1, &out);
    str_add(&out, "\n");
    str_add_mem(&out, data + head, size - head);
  } else {
    str_add_mem(&out, data, head);
    done = mutator_text((const char *)data + head, size - head, &out);
  }
  if (!done || out.len > max_size)
    return LLVMFuzzerMutate(data, size, max_size);
  memcpy(data, out.data, out.len);
  return out.len;
}

#endif
