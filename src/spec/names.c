/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's encoding/json takes a key for a struct's member when both fold to the same name, and the last one
 * wins; crun's parser compares bytes. {"noNewPrivileges": true, "NoNewPrivileges": false} is two different
 * containers. So a key that is an OCI key but for its case is refused wherever Go looks for members.
 */
#include "spec/shape.h"

#include "base/str.h"

#include <string.h>

/* Every member name of the runtime specification 1.0 to 1.3 on Linux, and the sections of the other
 * platforms. Sorted without regard to case. */
const char *const oci_names[] = {
  "access",
  "action",
  "additionalGids",
  "allow",
  "ambient",
  "annotations",
  "apparmorProfile",
  "architectures",
  "args",
  "blockIO",
  "bounding",
  "burst",
  "capabilities",
  "cgroupsPath",
  "checkBeforeUpdate",
  "class",
  "classID",
  "closID",
  "commandLine",
  "consoleSize",
  "containerID",
  "cpu",
  "cpus",
  "createContainer",
  "createRuntime",
  "cwd",
  "deadline",
  "defaultAction",
  "defaultErrnoRet",
  "destination",
  "devices",
  "disableOOMKiller",
  "domain",
  "domainname",
  "effective",
  "enableCMT",
  "enableMBM",
  "enableMonitoring",
  "env",
  "errnoRet",
  "execCPUAffinity",
  "fileMode",
  "final",
  "flags",
  "freebsd",
  "gid",
  "gidMappings",
  "hard",
  "hcaHandles",
  "hcaObjects",
  "height",
  "hooks",
  "hostID",
  "hostname",
  "hugepageLimits",
  "idle",
  "index",
  "inheritable",
  "initial",
  "intelRdt",
  "ioPriority",
  "kernel",
  "kernelTCP",
  "l3CacheSchema",
  "leafWeight",
  "limit",
  "linux",
  "listenerMetadata",
  "listenerPath",
  "major",
  "maskedPaths",
  "memBwSchema",
  "memory",
  "memoryPolicy",
  "mems",
  "minor",
  "mode",
  "mountLabel",
  "mounts",
  "name",
  "names",
  "namespaces",
  "nanosecs",
  "netDevices",
  "network",
  "nice",
  "nodes",
  "noNewPrivileges",
  "ociVersion",
  "oomScoreAdj",
  "op",
  "options",
  "pageSize",
  "path",
  "period",
  "permitted",
  "personality",
  "pids",
  "policy",
  "poststart",
  "poststop",
  "prestart",
  "priorities",
  "priority",
  "process",
  "quota",
  "rate",
  "rdma",
  "readonly",
  "readonlyPaths",
  "realtimePeriod",
  "realtimeRuntime",
  "reservation",
  "resources",
  "rlimits",
  "root",
  "rootfsPropagation",
  "runtime",
  "scheduler",
  "schemata",
  "seccomp",
  "secs",
  "selinuxLabel",
  "shares",
  "size",
  "soft",
  "solaris",
  "source",
  "startContainer",
  "swap",
  "swappiness",
  "syscalls",
  "sysctl",
  "terminal",
  "throttleReadBpsDevice",
  "throttleReadIOPSDevice",
  "throttleWriteBpsDevice",
  "throttleWriteIOPSDevice",
  "timeOffsets",
  "timeout",
  "type",
  "uid",
  "uidMappings",
  "umask",
  "unified",
  "useHierarchy",
  "user",
  "username",
  "value",
  "valueTwo",
  "vm",
  "weight",
  "weightDevice",
  "width",
  "windows",
  "zos",
};
const size_t oci_names_len = ARRAY_SIZE(oci_names);

/* Maps whose keys are the user's: Go reads them as they are, and so does crun. The last two are those of an
 * update's document, in which "resources" is the root. */
#define MAP(pointer)                                                                                         \
  { pointer, sizeof(pointer) - 1 }
static const struct {
  const char *pointer;
  size_t len;
} free_maps[] = {
  MAP("/annotations"),
  MAP("/linux/sysctl"),
  MAP("/linux/netDevices"),
  MAP("/linux/resources/unified"),
  MAP("/linux/resources/rdma"),
  MAP("/unified"),
  MAP("/rdma"),
};

static unsigned char lower(char c) {
  return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* strcasecmp of the C locale, without its calls: every key of a document comes here. */
static int compare(const char *a, const char *b) {
  while (*a && lower(*a) == lower(*b)) {
    a++;
    b++;
  }
  return lower(*a) - lower(*b);
}

enum { LETTERS = 26 };

/* Where the names with each letter end, which is where those with the next begin; found once. */
static const size_t *ends(void) {
  static size_t end[1 + LETTERS];
  if (end[LETTERS])
    return end;
  for (size_t i = 0; i < ARRAY_SIZE(oci_names); i++)
    end[1 + lower(oci_names[i][0]) - 'a'] = i + 1;
  for (size_t letter = 1; letter <= LETTERS; letter++)
    if (end[letter] < end[letter - 1])
      end[letter] = end[letter - 1];
  return end;
}

static const char *find_folded(const char *key) {
  const unsigned letter = lower(*key) - (unsigned)'a';
  if (letter >= LETTERS)
    return NULL;
  size_t low = ends()[letter], high = ends()[letter + 1];
  while (low < high) {
    const size_t middle = (low + high) / 2;
    const int order = compare(key, oci_names[middle]);
    if (order == 0)
      return oci_names[middle];
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}

const char *names_find(const char *key) {
  for (const char *p = key; *p; p++) {
    if ((unsigned char)*p < 0x80)
      continue;
    CLEANUP_FREE char *folded = jsonx_fold(key);
    return find_folded(folded);
  }
  return find_folded(key);
}

bool names_is_free_map(const char *pointer) {
  const size_t len = strlen(pointer);
  for (size_t i = 0; i < ARRAY_SIZE(free_maps); i++)
    if (len == free_maps[i].len && memcmp(pointer, free_maps[i].pointer, len) == 0)
      return true;
  return false;
}

/* `pointer` is shared by the whole walk: each level appends and cuts back. The parser has bounded the depth.
 */
static int check(const struct spec *spec, const json_t *value, struct str *pointer, struct error *err);

static int check_member(const struct spec *spec, const char *key, const json_t *value, bool free_keys,
                        struct str *pointer, struct error *err) {
  const char *name = free_keys ? NULL : names_find(key);
  bool refused = name && strcmp(name, key) != 0;
  if (!refused && !json_is_object(value) && !json_is_array(value))
    return 0;
  size_t len = pointer->len;
  jsonx_pointer_add(pointer, key);
  if (refused)
    return spec_error(err, spec, ERROR_REFUSED, "OH-SPC-003", pointer->data, true,
                      "runc, written in Go, reads this key as \"%s\", and crun does not; spell it \"%s\" or "
                      "remove it",
                      name, name);
  int rc = check(spec, value, pointer, err);
  pointer->len = len;
  pointer->data[len] = '\0';
  return rc;
}

static int check(const struct spec *spec, const json_t *value, struct str *pointer, struct error *err) {
  if (json_is_array(value)) {
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item) {
      if (!json_is_object(item) && !json_is_array(item))
        continue;
      size_t len = pointer->len;
      jsonx_pointer_add_index(pointer, i);
      if (check(spec, item, pointer, err) < 0)
        return -1;
      pointer->len = len;
      pointer->data[len] = '\0';
    }
    return 0;
  }
  bool free_keys = names_is_free_map(pointer->data);
  const char *key;
  json_t *member;
  json_object_foreach((json_t *)value, key, member) {
    if (check_member(spec, key, member, free_keys, pointer, err) < 0)
      return -1;
  }
  return 0;
}

int names_check(const struct spec *spec, struct error *err) {
  CLEANUP_STR struct str pointer = { 0 };
  str_add(&pointer, "");
  return check(spec, spec->root, &pointer, err);
}
